//! What is personal is sealed before it is kept.

use std::sync::Arc;

use career_core::store::{Action, Batch, Count, Cursor, Draft, Group, KeyValue, Query, Record, Write};
use career_core::testkit::store::{self, fixtures};
use career_core::{Conflict, Email, ErrorKind, Id, Job, Store, StoreExt, User};
use career_store::MemoryStore;
use career_store::layers::{Encrypted, Keyring, SealingKey};

use super::probe::Probe;

fn keyring() -> Keyring {
    Keyring::new(SealingKey::new("2026-01", [1; 32]), [2; 32])
}

fn later_keyring() -> Keyring {
    Keyring::new(SealingKey::new("2026-02", [3; 32]), [2; 32])
}

fn asha() -> User {
    User::builder()
        .name("Student of the test")
        .email(Email::new("student@secret.example").expect("an address"))
        .created_at(fixtures::at(1))
        .build()
}

/// Writes a body as it is, past every layer.
async fn put_body(store: &dyn Store, user: &User, id: Id<User>, body: &str) {
    let draft = Draft::new(vec![KeyValue::Null, user.role.as_str().into()], body.to_owned());
    store.commit(vec![Write::new(User::KIND, id.to_string(), Action::Put(draft))].into()).await.expect("kept");
}

async fn body(store: &dyn Store, id: Id<User>) -> String {
    store.fetch(User::KIND, &id.to_string()).await.expect("asked").expect("there").body
}

#[tokio::test]
async fn the_suite_passes() {
    assert_eq!(store::all(&Encrypted::new(MemoryStore::new(), keyring())).await.skipped, []);
    let accepting = Encrypted::new(MemoryStore::new(), keyring()).accepting_plain();
    assert_eq!(store::all(&accepting).await.skipped, []);
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_suite_passes_on_sqlite() {
    let sqlite = career_store::SqliteStore::in_memory().await.expect("opens");
    assert_eq!(store::all(&Encrypted::new(sqlite, keyring())).await.skipped, []);
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn nothing_that_is_personal_is_in_the_file() {
    /// Whether any file of a folder has this text.
    fn any_file_has(folder: &std::path::Path, text: &str) -> bool {
        let files: Vec<_> =
            std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
        assert!(!files.is_empty());
        let holds = |path: &std::path::Path| {
            std::fs::read(path).expect("read").windows(text.len()).any(|w| w == text.as_bytes())
        };
        files.iter().any(|path| holds(path))
    }

    for sealed in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let sqlite = career_store::SqliteStore::open(folder.path().join("career.db")).await.expect("opens");
        let store: Box<dyn Store> = match sealed {
            true => Box::new(Encrypted::new(sqlite.clone(), keyring())),
            false => Box::new(sqlite.clone()),
        };
        let user = asha();
        let conversation = career_core::Conversation::start(user.id);
        let message = fixtures::message(conversation.id, 1, "a text that nobody else should read");
        let job = Job::builder().title("Staff nurse").company("A public hospital").build();
        let mut batch = Batch::new();
        batch.insert(&user).insert(&conversation).insert(&message).insert(&job);
        store.commit(batch).await.expect("kept");
        assert_eq!(store.load::<career_core::Message>(&message.id).await.expect("there").text, message.text);
        // Once with the log of writes beside the file, once after it was closed.
        for closed in [false, true] {
            if closed {
                sqlite.close().await;
            }
            for text in ["Student of the test", "student@secret.example", "secret.example", "nobody else should read"] {
                assert_eq!(any_file_has(folder.path(), text), !sealed, "{text}, closed: {closed}");
            }
            assert!(any_file_has(folder.path(), "A public hospital"), "a job is nobody's");
            assert!(any_file_has(folder.path(), &user.id.to_string()), "an id is no secret");
        }
    }
}

#[tokio::test]
async fn a_body_that_was_changed_or_moved_does_not_open() {
    let inner = Arc::new(MemoryStore::new());
    let store = Encrypted::new(inner.clone(), keyring());
    let user = asha();
    store.insert(&user).await.expect("new");
    let sealed = body(&inner, user.id).await;
    let parts: serde_json::Value = serde_json::from_str(&sealed).expect("an envelope");
    assert_eq!((&parts["sealed"], &parts["key"]), (&1.into(), &"2026-01".into()));

    let other = Id::new();
    let data = parts["data"].as_str().expect("text");
    let flipped = if data.starts_with('A') { "B" } else { "A" };
    let with = |field: &str, value: serde_json::Value| {
        let mut changed = parts.clone();
        changed[field] = value;
        changed.to_string()
    };
    let cases = [
        (other, sealed.clone(), "another record"),
        (user.id, with("data", format!("{flipped}{}", &data[1..]).into()), "tampered"),
        (user.id, with("data", data[..data.len() - 4].into()), "tampered"),
        (user.id, with("nonce", "AAAA".into()), "tampered"),
        (user.id, with("key", "2025-12".into()), "\"2025-12\", which is not in the keyring"),
        (user.id, with("sealed", 2.into()), "does not know"),
        (user.id, serde_json::to_string(&user).expect("serialises"), "not sealed"),
    ];
    for (id, changed, expected) in cases {
        put_body(&inner, &user, id, &changed).await;
        let query = Query::all().key("id", id);
        for error in [store.get::<User>(&id).await.map(drop), store.list::<User>(&query).await.map(drop)] {
            let error = error.expect_err("it does not open");
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            let text = error.to_string();
            assert!(text.starts_with(&format!("users {id}: ")) && text.contains(expected), "{text}");
            assert!(!text.contains("Student"), "{text}");
        }
    }
    put_body(&inner, &user, user.id, &sealed).await;
    assert_eq!(*store.load::<User>(&user.id).await.expect("as it was"), user);
}

#[tokio::test]
async fn a_secret_key_is_found_by_equality_alone() {
    let inner = Arc::new(MemoryStore::new());
    let store = Encrypted::new(inner.clone(), keyring());
    let (mut user, unnamed) = (asha(), { User::builder().name("x").created_at(fixtures::at(1)).build() });
    store.insert(&user).await.expect("new");
    store.insert(&unnamed).await.expect("new");
    let address = "student@secret.example";
    let ids = async |query: Query| {
        store.list::<User>(&query).await.expect("listed").items.iter().map(|user| user.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(Query::all().key("email", address)).await, [user.id]);
    assert_eq!(ids(Query::all().any("email", ["nobody@secret.example", address])).await, [user.id]);
    assert_eq!(ids(Query::all().missing("email")).await, [unnamed.id]);
    assert_eq!(ids(Query::all().key("role", "student")).await, [user.id, unnamed.id]);
    assert_eq!(store.count::<User>(&Query::all().key("email", address)).await.expect("counted"), 1);
    assert_eq!(inner.count::<User>(&Query::all().key("email", address)).await.expect("counted"), 0);

    let refused = [
        Query::all().at_least("email", "a"),
        Query::all().below("email", "b"),
        Query::all().ascending("email"),
        Query::all().descending("email"),
    ];
    for query in refused {
        let error = store.list::<User>(&query).await.expect_err("refused");
        assert_eq!((error.kind(), error.place().field.as_deref()), (ErrorKind::Unsupported, Some("email")));
    }
    let error = store.count::<User>(&Query::all().below("email", "b")).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let error = store.list::<User>(&Query::all().key("email", 1)).await.expect_err("no text");
    assert_eq!(error.kind(), ErrorKind::Invalid);

    let groups = store.tally(User::KIND, &Count::of(Query::all()).by("email")).await.expect("counted");
    assert_eq!(groups.iter().map(|group| group.count).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(groups[0], Group::new(vec![KeyValue::Null], 1));
    let hash = groups[1].keys[0].as_text().expect("a hash");
    assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{hash}");

    user.id = Id::new();
    let taken = Conflict::Unique { kind: "users", id: user.id.to_string(), keys: &["email"] };
    assert_eq!(store.insert(&user).await.expect_err("the address is taken").conflict(), Some(&taken));
}

/// Rotates to the end; how many records were sealed anew.
async fn rotate<S: Store>(store: &Encrypted<S>) -> u64 {
    let (mut rewritten, mut after): (u64, Option<Cursor>) = (0, None);
    loop {
        let step = store.rotate::<User>(after).await.expect("rotated");
        rewritten += step.rewritten;
        match step.next {
            Some(next) => after = Some(next),
            None => return rewritten,
        }
    }
}

#[tokio::test]
async fn rotation_seals_everything_anew() {
    let inner = Arc::new(MemoryStore::new());
    let before = Encrypted::new(inner.clone(), keyring());
    let user = asha();
    let mut batch = Batch::new();
    batch.insert(&user);
    let others: Vec<User> = (0..249).map(|_| fixtures::user()).collect();
    for user in &others {
        batch.insert(user);
    }
    before.commit(batch).await.expect("kept");

    let both = Encrypted::new(inner.clone(), later_keyring().and(SealingKey::new("2026-01", [1; 32])));
    let mut moved = both.load::<User>(&others[0].id).await.expect("an older key opens");
    both.update(&mut moved).await.expect("sealed with the new key");
    assert_eq!(rotate(&both).await, 249);
    assert_eq!(rotate(&both).await, 0, "nothing is left to do");

    let after = Encrypted::new(inner.clone(), later_keyring());
    assert_eq!(*after.load::<User>(&user.id).await.expect("the new key opens"), user);
    let found = after.first::<User>(&Query::all().key("email", "student@secret.example")).await.expect("asked");
    assert_eq!(found.expect("its keys are kept").version(), 2);
    let error = before.get::<User>(&user.id).await.expect_err("the old key alone opens no more");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(after.rotate::<Job>(None).await.expect("nobody's").next, None);
}

#[tokio::test]
async fn data_from_before_is_accepted_when_told_so_and_then_sealed() {
    let inner = Arc::new(MemoryStore::new());
    let user = asha();
    inner.insert(&user).await.expect("kept plain");
    let strict = Encrypted::new(inner.clone(), keyring());
    assert_eq!(strict.get::<User>(&user.id).await.expect_err("not sealed").kind(), ErrorKind::Corrupt);
    assert_eq!(strict.rotate::<User>(None).await.expect_err("not sealed").kind(), ErrorKind::Corrupt);

    let store = Encrypted::new(inner.clone(), keyring()).accepting_plain();
    let by_address = Query::all().key("email", "student@secret.example");
    assert_eq!(*store.first::<User>(&by_address).await.expect("asked").expect("found by its plain key"), user);
    assert_eq!(rotate(&store).await, 1);
    for store in [&store, &strict] {
        assert_eq!(*store.first::<User>(&by_address).await.expect("asked").expect("found by its hash"), user);
    }
    assert!(!body(&inner, user.id).await.contains("Student"));
    assert_eq!(inner.count::<User>(&by_address).await.expect("counted"), 0, "the plain key is gone");
}

#[tokio::test]
async fn a_record_that_moves_during_rotation_is_left_alone() {
    let inner = Arc::new(MemoryStore::new());
    let before = Encrypted::new(inner.clone(), keyring());
    let (a, b) = (fixtures::user(), fixtures::user());
    before.insert(&a).await.expect("kept");
    before.insert(&b).await.expect("kept");

    let probe = Arc::new(Probe::over(inner.clone()));
    let both = Encrypted::new(probe.clone(), later_keyring().and(SealingKey::new("2026-01", [1; 32])));
    // Between the page and the commit someone else writes one of its records, with the new key.
    let elsewhere = Arc::new(MemoryStore::new());
    Encrypted::new(elsewhere.clone(), later_keyring()).insert(&a).await.expect("sealed");
    let sealed = body(&elsewhere, a.id).await;
    let draft = Draft::new(vec![KeyValue::Null, "student".into()], sealed);
    probe.meanwhile(vec![Write::new(User::KIND, a.id.to_string(), Action::Put(draft))]);
    let step = both.rotate::<User>(None).await.expect("a conflict is no failure");
    assert_eq!((step.rewritten, step.next), (1, None));
    let after = Encrypted::new(inner.clone(), later_keyring());
    assert_eq!(*after.load::<User>(&a.id).await.expect("opens"), a);
    assert_eq!(*after.load::<User>(&b.id).await.expect("opens"), b);
    assert_eq!(rotate(&both).await, 0);
}
