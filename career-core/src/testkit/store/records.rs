//! One record at a time.

use super::assert_kind;
use super::fixtures::{Aggregates, kept_conversation, kept_user, message, user};
use crate::store::{Action, Batch, Draft, Record, Write};
use crate::{Conflict, Conversation, ErrorKind, Id, Message, Roadmap, Store, StoreExt, User};

/// A record is there after it was put and gone after it was deleted; deleting twice is fine.
///
/// # Panics
///
/// When it is not so.
pub async fn put_get_delete(store: &dyn Store) {
    let mut user = user();
    assert!(store.get::<User>(&user.id).await.expect("asked").is_none(), "nobody put it");
    let missing = assert_kind(store.load::<User>(&user.id).await, ErrorKind::NotFound);
    assert!(missing.to_string().contains(&user.id.to_string()), "{missing} does not say what");
    assert_eq!(store.put(&user).await.expect("put"), 1);
    assert_eq!(*store.load::<User>(&user.id).await.expect("there"), user);
    user.name = "Another name".into();
    assert_eq!(store.put(&user).await.expect("put again"), 2);
    assert_eq!(store.load::<User>(&user.id).await.expect("there").name, "Another name");
    store.delete::<User>(&user.id).await.expect("deleted");
    assert!(store.get::<User>(&user.id).await.expect("asked").is_none(), "it was deleted");
    store.delete::<User>(&user.id).await.expect("deleted again");
}

/// One of every aggregate of the library, written in one batch, comes back equal.
///
/// # Panics
///
/// When one does not.
pub async fn every_aggregate_comes_back_equal(store: &dyn Store) {
    let aggregates = Aggregates::new();
    let mut batch = Batch::new();
    aggregates.insert_into(&mut batch);
    store.commit(batch).await.expect("all of them are taken");
    aggregates.assert_kept(store).await;
}

/// A write of another version than the one that is there is a conflict that names both, and writes nothing.
///
/// # Panics
///
/// When it is not.
pub async fn versions_count_and_conflict_by_both_numbers(store: &dyn Store) {
    let user = user();
    store.insert(&user).await.expect("new");
    let mut mine = store.load::<User>(&user.id).await.expect("there");
    let mut other = store.load::<User>(&user.id).await.expect("there");
    mine.name = "mine".into();
    store.update(&mut mine).await.expect("nobody was faster");
    assert_eq!(mine.version(), 2);
    store.update(&mut mine).await.expect("its version is known");
    assert_eq!(mine.version(), 3);

    other.name = "other".into();
    let stale = Conflict::Version { kind: "users", id: user.id.to_string(), expected: 1, found: Some(3) };
    let error = assert_kind(store.update(&mut other).await, ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&stale));
    assert!(error.to_string().contains("version 3") && error.to_string().contains('1'), "{error}");
    let mut batch = Batch::new();
    batch.remove(&other);
    assert_eq!(assert_kind(store.commit(batch).await, ErrorKind::Conflict).conflict(), Some(&stale));
    assert_eq!(store.load::<User>(&user.id).await.expect("there").name, "mine");

    let mut batch = Batch::new();
    batch.remove(&mine);
    let committed = store.commit(batch).await.expect("at its version");
    assert_eq!(committed.versions, [None]);
    let gone = Conflict::Version { kind: "users", id: user.id.to_string(), expected: 3, found: None };
    assert_eq!(assert_kind(store.update(&mut mine).await, ErrorKind::Conflict).conflict(), Some(&gone));
}

/// A record that was read cannot be written or removed under the id of another; one that a row does not belong to is
/// told.
///
/// # Panics
///
/// When it can.
pub async fn a_version_is_good_for_the_record_that_was_read(store: &dyn Store) {
    let (mine, other) = (user(), user());
    store.insert(&mine).await.expect("new");
    store.insert(&other).await.expect("new");
    let mut read = store.load::<User>(&mine.id).await.expect("there");
    *read = User { email: None, ..other.clone() };
    let error = assert_kind(store.update(&mut read).await, ErrorKind::Invalid);
    assert_eq!(error.place().field.as_deref(), Some("id"));
    let mut batch = Batch::new();
    batch.remove(&read);
    assert_kind(store.commit(batch).await, ErrorKind::Invalid);
    assert_eq!(*store.load::<User>(&other.id).await.expect("there"), other);

    let body = serde_json::to_string(&mine).expect("it serialises");
    let draft = Draft::new(vec![crate::store::KeyValue::Null, "student".into()], body);
    let elsewhere = Id::<User>::new();
    let write = Write::new(User::KIND, elsewhere.to_string(), Action::Insert(draft));
    store.commit(vec![write].into()).await.expect("a store does not look into documents");
    let error = assert_kind(store.get::<User>(&elsewhere).await, ErrorKind::Corrupt);
    assert!(error.to_string().contains("another id"), "{error}");
}

/// An insert of an id that is there is a conflict that says so.
///
/// # Panics
///
/// When it is not.
pub async fn what_is_there_is_not_inserted_again(store: &dyn Store) {
    let mut user = user();
    assert_eq!(store.insert(&user).await.expect("new"), 1);
    user.name = "twice".into();
    let error = assert_kind(store.insert(&user).await, ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&Conflict::Exists { kind: "users", id: user.id.to_string() }));
    assert_eq!(store.load::<User>(&user.id).await.expect("there").name, "A student");
}

/// No two records share a unique set of keys; a record that lacks one of them is not compared.
///
/// # Panics
///
/// When it is not so.
pub async fn unique_keys_are_held(store: &dyn Store) {
    let (first, mut second) = (user(), user());
    store.insert(&first).await.expect("new");
    second.email.clone_from(&first.email);
    let taken = Conflict::Unique { kind: "users", id: second.id.to_string(), keys: &["email"] };
    for refused in [store.insert(&second).await, store.put(&second).await] {
        let error = assert_kind(refused, ErrorKind::Conflict);
        assert_eq!(error.conflict(), Some(&taken));
        assert!(!error.to_string().contains('@'), "{error} shows the address");
    }
    second.email = None;
    store.insert(&second).await.expect("no address, nothing to share");
    let mut third = user();
    third.email = None;
    store.insert(&third).await.expect("two may lack it");

    let mut kept = store.load::<User>(&second.id).await.expect("there");
    kept.email.clone_from(&first.email);
    assert_eq!(assert_kind(store.update(&mut kept).await, ErrorKind::Conflict).conflict(), Some(&taken));
    store.delete::<User>(&first.id).await.expect("deleted");
    store.update(&mut kept).await.expect("the address is free");

    let conversation = kept_conversation(store).await;
    store.insert(&message(conversation.id, 1, "one")).await.expect("new");
    let twice = message(conversation.id, 1, "twice");
    let error = assert_kind(store.insert(&twice).await, ErrorKind::Conflict);
    let keys: &[&str] = &["conversation", "sequence"];
    assert_eq!(error.conflict(), Some(&Conflict::Unique { kind: "messages", id: twice.id.to_string(), keys }));
}

/// A reference holds: to something that exists, and nothing that is referred to goes. Needs
/// [`Capability::References`](crate::store::Capability::References).
///
/// # Panics
///
/// When it does not.
pub async fn references_are_held(store: &dyn Store) {
    let nowhere = Conversation::start(Id::new());
    let error = assert_kind(store.insert(&nowhere).await, ErrorKind::Conflict);
    let missing =
        Conflict::Missing { kind: "conversations", id: nowhere.id.to_string(), key: "owner", references: "users" };
    assert_eq!(error.conflict(), Some(&missing));

    let conversation = kept_conversation(store).await;
    let nowhere = message(Id::new(), 1, "there is no such conversation");
    let error = assert_kind(store.put(&nowhere).await, ErrorKind::Conflict);
    assert!(matches!(error.conflict(), Some(Conflict::Missing { key: "conversation", .. })), "{error}");
    let only = message(conversation.id, 1, "here");
    store.insert(&only).await.expect("its conversation exists");
    let error = assert_kind(store.delete::<Conversation>(&conversation.id).await, ErrorKind::Conflict);
    assert_eq!(
        error.conflict(),
        Some(&Conflict::Referenced { kind: "conversations", id: conversation.id.to_string() })
    );

    let mut moved = store.load::<Message>(&only.id).await.expect("there");
    moved.conversation = nowhere.conversation;
    let error = assert_kind(store.update(&mut moved).await, ErrorKind::Conflict);
    assert!(matches!(error.conflict(), Some(Conflict::Missing { key: "conversation", .. })), "{error}");

    // Together, in the order of who refers to whom, they go.
    let mut batch = Batch::new();
    batch.delete::<Message>(&only.id).delete::<Conversation>(&conversation.id).delete::<User>(&conversation.owner);
    store.commit(batch).await.expect("nothing is left that refers");
    assert!(store.get::<User>(&conversation.owner).await.expect("asked").is_none());
}

/// Unicode, SQL and JSON come back as they were; what cannot be kept is refused.
///
/// # Panics
///
/// When it is not so.
pub async fn any_text_is_data(store: &dyn Store) {
    let conversation = kept_conversation(store).await;
    let texts = [
        "",
        " ",
        "मुझे क्या करना चाहिए?",
        "👩🏽‍🔬 e\u{301} \u{200b}\u{feff}\u{10ffff}",
        "Robert'); DROP TABLE messages;--",
        "$1 ? ?1 :a @b %s {} \\ \\u0000 \" ' `",
        "line\nbreak\r\ttab \u{1} \u{7f}",
        "{\"id\": 1}",
    ];
    for (sequence, text) in (1..).zip(texts) {
        let mut message = message(conversation.id, sequence, text);
        message.client_id = Some(format!("{sequence}{text}"));
        store.insert(&message).await.unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(store.load::<Message>(&message.id).await.expect("there").text, text);
        let query = crate::store::Query::all().key("conversation", conversation.id).key("client_id", message.client_id);
        let found = store.list::<Message>(&query).await.expect("asked").items;
        assert_eq!(found.len(), 1, "{text:?} is found by its key");
        assert_eq!(found[0].text, text);
    }
    let nul = message(conversation.id, 99, "a\0b");
    assert_kind(store.insert(&nul).await, ErrorKind::Invalid);
    assert!(store.get::<Message>(&nul.id).await.expect("asked").is_none());
    let there = store.count::<Message>(&crate::store::Query::all().key("conversation", conversation.id)).await;
    assert_eq!(there.expect("counted"), texts.len() as u64);
}

/// A body of ten megabytes comes back.
///
/// # Panics
///
/// When it does not.
pub async fn a_body_of_ten_megabytes_comes_back(store: &dyn Store) {
    let conversation = kept_conversation(store).await;
    let long = message(conversation.id, 1, "naïve ".repeat(10_000_000 / 7));
    store.insert(&long).await.expect("it is taken");
    assert!(store.load::<Message>(&long.id).await.expect("there").text == long.text, "it came back another");
}

/// A document that no longer parses is an error that names it, for itself and in a list.
///
/// # Panics
///
/// When it is skipped or not named.
pub async fn a_document_that_no_longer_parses_is_named(store: &dyn Store) {
    let owner = kept_user(store).await;
    let id: Id<Roadmap> = Id::new();
    let body = r#"{"shape":"of an older version"}"#.to_owned();
    let draft = Draft::new(vec![owner.into(), "nurse".into()], body);
    let write = Write::new(Roadmap::KIND, id.to_string(), Action::Insert(draft));
    store.commit(vec![write].into()).await.expect("a store does not look into documents");
    let query = crate::store::Query::owned_by(owner);
    for error in [store.get::<Roadmap>(&id).await.map(drop), store.list::<Roadmap>(&query).await.map(drop)] {
        let error = assert_kind(error, ErrorKind::Corrupt);
        assert!(error.to_string().contains(&format!("roadmaps {id}")), "{error} does not name it");
    }
}

/// The times when a record was made and last written are kept, to the microsecond.
///
/// # Panics
///
/// When they are not.
pub async fn times_are_kept(store: &dyn Store) {
    let before = jiff::Timestamp::now().as_microsecond();
    let user = user();
    store.insert(&user).await.expect("new");
    let first = store.load::<User>(&user.id).await.expect("there");
    assert_eq!(first.created(), first.updated());
    store.put(&user).await.expect("again");
    let second = store.load::<User>(&user.id).await.expect("there");
    let after = jiff::Timestamp::now().as_microsecond();
    assert_eq!(second.created(), first.created(), "it was made once");
    assert!((before..=after).contains(&first.created().as_microsecond()));
    assert!(second.updated() >= first.updated() && second.updated().as_microsecond() <= after);
}
