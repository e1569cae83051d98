//! Who did what with which record.

use std::sync::Arc;

use career_core::store::{Batch, Query};
use career_core::testkit::store::{self, fixtures};
use career_core::{AuditAction, AuditEntry, Conversation, ErrorKind, Event, Id, Job, Message, Store, StoreExt, User};
use career_store::MemoryStore;
use career_store::layers::Audited;

/// Actor, action and record of every entry, in the order in which they were made.
async fn entries(store: &dyn Store) -> Vec<(String, AuditAction, String)> {
    let page = store.list::<AuditEntry>(&Query::all().limit(1_000)).await.expect("listed");
    page.items.iter().map(|entry| (entry.actor.clone(), entry.action, entry.record.clone())).collect()
}

#[tokio::test]
async fn the_suite_passes() {
    let writes = Audited::new(MemoryStore::new(), "the suite");
    assert_eq!(store::all(&writes).await.skipped, []);
    let reads = Audited::new(MemoryStore::new(), "the suite").with_reads();
    assert_eq!(store::all(&reads).await.skipped, []);
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_suite_passes_on_sqlite() {
    let sqlite = career_store::SqliteStore::in_memory().await.expect("opens");
    assert_eq!(store::all(&Audited::new(sqlite, "the suite").with_reads()).await.skipped, []);
}

#[tokio::test]
async fn every_write_leaves_an_entry_and_versions_are_the_callers() {
    let inner = Arc::new(MemoryStore::new());
    let store = Audited::new(inner.clone(), "host");
    let user = fixtures::user();
    let conversation = Conversation::start(user.id);
    let message = fixtures::message(conversation.id, 1, "hello");
    let mut batch = Batch::new();
    batch.insert(&user).emit(&Event::ProfileChanged { user: user.id }).put(&conversation).insert(&message);
    let committed = store.acting_as("someone").commit(batch).await.expect("committed");
    assert_eq!(committed.versions, [Some(1); 4]);

    let mut kept = store.load::<User>(&user.id).await.expect("there");
    store.update(&mut kept).await.expect("updated");
    assert_eq!(kept.version(), 2);
    let mut batch = Batch::new();
    batch.delete::<Message>(&message.id).remove(&store.load::<Conversation>(&conversation.id).await.expect("there"));
    assert_eq!(store.commit(batch).await.expect("gone").versions, [None, None]);

    let expected = [
        ("someone", AuditAction::Inserted, user.id.to_string()),
        ("someone", AuditAction::Put, conversation.id.to_string()),
        ("someone", AuditAction::Inserted, message.id.to_string()),
        ("host", AuditAction::Updated, user.id.to_string()),
        ("host", AuditAction::Deleted, message.id.to_string()),
        ("host", AuditAction::Deleted, conversation.id.to_string()),
    ];
    assert_eq!(entries(&inner).await, expected.map(|(actor, action, record)| (actor.to_owned(), action, record)));
}

#[tokio::test]
async fn a_commit_that_fails_leaves_no_entry_and_an_entry_that_fails_no_commit() {
    let store = Audited::new(MemoryStore::new(), "host");
    let (kept, fresh) = (fixtures::user(), fixtures::user());
    store.insert(&kept).await.expect("new");
    let mut batch = Batch::new();
    batch.insert(&fresh).insert(&kept);
    assert_eq!(store.commit(batch).await.expect_err("a conflict").kind(), ErrorKind::Conflict);
    assert_eq!(entries(&store).await.len(), 1);

    // An actor that no store can keep.
    let store = Audited::new(Arc::new(store), "a\0b");
    assert_eq!(store.insert(&fresh).await.expect_err("its entry cannot be kept").kind(), ErrorKind::Invalid);
    assert!(store.get::<User>(&fresh.id).await.expect("asked").is_none());
}

#[tokio::test]
async fn reads_of_personal_kinds_are_noted_when_asked_for() {
    let inner = Arc::new(MemoryStore::new());
    let store = Audited::new(inner.clone(), "counsellor").with_reads();
    let (a, b) = (fixtures::user(), fixtures::user());
    let job = Job::builder().title("Nurse").company("A hospital").build();
    let mut batch = Batch::new();
    batch.insert(&a).insert(&b).insert(&job);
    inner.commit(batch).await.expect("kept");

    store.load::<User>(&a.id).await.expect("there");
    store.load::<Job>(&job.id).await.expect("there");
    assert!(store.get::<User>(&Id::new()).await.expect("asked").is_none());
    store.list::<User>(&Query::all()).await.expect("listed");
    store.count::<User>(&Query::all()).await.expect("counted");
    let read = |user: &User| ("counsellor".to_owned(), AuditAction::Read, user.id.to_string());
    assert_eq!(entries(&inner).await, [read(&a), read(&a), read(&b)]);

    let unkept = store.acting_as("a\0b");
    assert_eq!(unkept.get::<User>(&a.id).await.expect_err("not noted").kind(), ErrorKind::Invalid);
    assert_eq!(unkept.list::<User>(&Query::all()).await.expect_err("not noted").kind(), ErrorKind::Invalid);
    let job_read = unkept.load::<Job>(&job.id).await;
    assert_eq!(job_read.expect("nobody's").title, job.title);
}
