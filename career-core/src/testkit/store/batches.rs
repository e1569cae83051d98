//! Batches.

use super::assert_kind;
use super::fixtures::{event, kept_conversation, kept_user, message, user};
use crate::store::{Batch, OutboxEntry, Query};
use crate::{Conflict, Conversation, ErrorKind, Message, Store, StoreExt, User};

/// A batch whose last, middle or first write fails leaves nothing behind: no record, no change, no deletion, no event.
///
/// # Panics
///
/// When it does.
pub async fn all_or_nothing(store: &dyn Store) {
    for place in 0..3 {
        let conversation = kept_conversation(store).await;
        let kept = message(conversation.id, 1, "kept");
        let doomed = message(conversation.id, 2, "to be deleted");
        store.insert(&kept).await.expect("new");
        store.insert(&doomed).await.expect("new");
        let mut change = store.load::<Message>(&kept.id).await.expect("there");
        change.text = "changed".into();
        let fresh = message(conversation.id, 3, "new");
        let topic = format!("all-or-nothing-{place}");

        let mut batch = Batch::new();
        let clash = |batch: &mut Batch, at: usize| {
            if at == place {
                batch.insert(&kept);
            }
        };
        clash(&mut batch, 0);
        batch.update(&change).insert(&fresh);
        clash(&mut batch, 1);
        batch.delete::<Message>(&doomed.id).emit(&event(&topic, "k", 1));
        clash(&mut batch, 2);

        let error = assert_kind(store.commit(batch).await, ErrorKind::Conflict);
        assert!(matches!(error.conflict(), Some(Conflict::Exists { kind: "messages", .. })), "{error}");
        assert!(store.get::<Message>(&fresh.id).await.expect("asked").is_none(), "an insert of a failed batch");
        assert!(store.get::<Message>(&doomed.id).await.expect("asked").is_some(), "a deletion of a failed batch");
        let same = store.load::<Message>(&kept.id).await.expect("there");
        assert_eq!((same.text.as_str(), same.version()), ("kept", 1), "a change of a failed batch");
        let events = store.count::<OutboxEntry>(&Query::all().key("topic", topic)).await.expect("counted");
        assert_eq!(events, 0, "an event of a failed batch");
    }
}

/// Writes of a batch are checked as if the earlier ones had happened.
///
/// # Panics
///
/// When they are not.
pub async fn later_writes_see_earlier_ones(store: &dyn Store) {
    let user = user();
    let conversation = Conversation::start(user.id);
    let first = message(conversation.id, 1, "first");
    let mut batch = Batch::new();
    batch.insert(&user).insert(&conversation).insert(&first).put(&first).delete::<Message>(&first.id);
    batch.insert(&message(conversation.id, 1, "in its place"));
    let committed = store.commit(batch).await.expect("each follows from the ones before");
    assert_eq!(committed.versions, [Some(1), Some(1), Some(1), Some(2), None, Some(1)]);
    assert!(store.get::<Message>(&first.id).await.expect("asked").is_none());

    let mut batch = Batch::new();
    let twice = super::fixtures::user();
    batch.insert(&twice).insert(&twice);
    assert_kind(store.commit(batch).await, ErrorKind::Conflict);
    assert!(store.get::<User>(&twice.id).await.expect("asked").is_none());
}

/// A thousand records in one batch; and none of them when one cannot be.
///
/// # Panics
///
/// When some are missing.
pub async fn a_thousand_records_at_once(store: &dyn Store) {
    let conversation = kept_conversation(store).await;
    let of_it = Query::all().key("conversation", conversation.id);
    let messages: Vec<Message> = (1..=1_000).map(|n| message(conversation.id, n, format!("message {n}"))).collect();
    let mut spoilt = Batch::new();
    for message in messages.iter() {
        spoilt.insert(message);
    }
    let clash = message(conversation.id, 500, "a sequence twice");
    spoilt.insert(&clash);
    let error = assert_kind(store.commit(spoilt).await, ErrorKind::Conflict);
    let keys: &[&str] = &["conversation", "sequence"];
    assert_eq!(error.conflict(), Some(&Conflict::Unique { kind: "messages", id: clash.id.to_string(), keys }));
    assert_eq!(store.count::<Message>(&of_it).await.expect("counted"), 0);

    let mut batch = Batch::new();
    for message in messages.iter() {
        batch.insert(message);
    }
    let committed = store.commit(batch).await.expect("all of them");
    assert_eq!(committed.versions, vec![Some(1); 1_000]);
    let page = store.list::<Message>(&of_it.ascending("sequence").limit(1_000)).await.expect("listed");
    assert!(page.next.is_none());
    assert_eq!(page.items.len(), 1_000);
    assert!(page.items.iter().zip(&messages).all(|(kept, message)| **kept == *message));
}

/// An empty batch commits.
///
/// # Panics
///
/// When it does not.
pub async fn an_empty_batch_is_nothing(store: &dyn Store) {
    kept_user(store).await;
    assert_eq!(store.commit(Batch::new()).await.expect("nothing to do").versions, []);
}
