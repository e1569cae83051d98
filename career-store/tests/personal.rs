//! All data of a person: exported whole, erased whole, and nothing of anybody else.

#![cfg(all(feature = "sqlite", feature = "blobs", feature = "cache"))]

use std::sync::Arc;
use std::time::Duration;

use career_core::store::{Action, Batch, Draft, KINDS, Key, KeyValue, Kind, Personal, Query, Record, Write};
use career_core::testkit::store::fixtures::{Aggregates, message};
use career_core::{
    AuditAction, AuditEntry, BlobStore, Cache, Conflict, Embedding, ErrorKind, Event, Id, Metadata, Resume, SourceFile,
    Store, StoreExt, User, VectorIndex,
};
use career_store::cache::MemoryCache;
use career_store::personal::{PersonalData, VECTOR_OWNER, cache_prefix};
use career_store::vectors::MemoryVectors;
use career_store::{Blobs, SqliteStore};

struct World {
    store: Arc<dyn Store>,
    vectors: Arc<MemoryVectors>,
    blobs: Arc<Blobs>,
    cache: Arc<MemoryCache>,
    data: PersonalData,
}

async fn world() -> World {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().await.expect("opens"));
    let vectors = Arc::new(MemoryVectors::new(2));
    let blobs = Arc::new(Blobs::memory());
    let cache = Arc::new(MemoryCache::new(1_000_000));
    let data = PersonalData::of(Arc::clone(&store))
        .vectors(Arc::clone(&vectors) as Arc<dyn VectorIndex>)
        .blobs(Arc::clone(&blobs) as Arc<dyn BlobStore>)
        .cache(Arc::clone(&cache) as Arc<dyn Cache>);
    World { store, vectors, blobs, cache, data }
}

impl World {
    /// A person with one of everything, 1,100 messages, a vector, a cache entry and a file.
    async fn person(&self, file: &'static [u8]) -> Aggregates {
        let mut all = Aggregates::new();
        let hash = self.blobs.put(file.into()).await.expect("kept");
        all.resume.source = Some(SourceFile::new(hash, "text/plain", file.len() as u64));
        let mut batch = Batch::new();
        all.insert_into(&mut batch);
        for n in 2..=1_100 {
            batch.insert(&message(all.conversation.id, n, "more"));
        }
        batch.emit(&Event::MessageAdded { conversation: all.conversation.id, message: all.message.id });
        self.store.commit(batch).await.expect("kept");
        let owner = all.user.id.to_string();
        let vector = Embedding::new(owner.clone(), vec![1.0, 0.0]).with(VECTOR_OWNER, owner);
        self.vectors.upsert(vec![vector]).await.expect("kept");
        let key = format!("{}ranking", cache_prefix(all.user.id));
        self.cache.put(&key, "r".into(), Duration::from_secs(60)).await.expect("kept");
        all
    }

    /// How many records of each kind there are.
    async fn counts(&self) -> Vec<(&'static str, u64)> {
        let mut counts = Vec::new();
        for kind in KINDS {
            let groups = self.store.tally(kind, &career_core::store::Count::of(Query::all())).await.expect("counted");
            counts.push((kind.name, groups[0].count));
        }
        counts
    }
}

#[tokio::test]
async fn the_export_holds_everything_of_one_person_and_nothing_of_another() {
    let world = world().await;
    let (one, other) = (world.person(b"one").await, world.person(b"other").await);
    let export = world.data.export(one.user.id, "support").await.expect("exported");
    assert_eq!(export["user"], one.user.id.to_string());
    for kind in KINDS.iter().filter(|kind| kind.personal != Personal::No) {
        let expected = if kind.name == "messages" { 1_100 } else { 1 };
        let found = export["records"][kind.name].as_array().map(Vec::len);
        assert_eq!(found, Some(expected), "{}", kind.name);
    }
    assert_eq!(export["records"]["users"][0]["email"], one.user.email.as_ref().expect("has one").as_str());
    assert_eq!(export["files"].as_array().expect("files").len(), 1);
    assert_eq!(export["files"][0]["content"], "b25l");
    let text = export.to_string();
    for foreign in [other.user.id.to_string(), other.conversation.id.to_string(), other.resume.id.to_string()] {
        assert!(!text.contains(&foreign), "{foreign} is another person's");
    }
    let entries = world.store.list::<AuditEntry>(&Query::all().key("action", "exported")).await.expect("listed").items;
    assert_eq!(entries.len(), 1);
    assert_eq!((&entries[0].record, entries[0].actor.as_str()), (&one.user.id.to_string(), "support"));
    let nobody = world.data.export(Id::new(), "support").await.expect_err("nobody");
    assert_eq!(nobody.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn nothing_is_left_of_the_erased_but_the_stub_and_the_other_is_untouched() {
    let world = world().await;
    let other = world.person(b"shared").await;
    let before = world.counts().await;
    let one = world.person(b"shared").await;

    let erased = world.data.erase(one.user.id, "support").await.expect("erased");
    assert_eq!((erased.records["messages"], erased.records["users"]), (1_100, 1));
    assert_eq!(erased.records["events"], 2, "those of the person and of the conversation");
    assert_eq!((erased.vectors, erased.cache_entries), (1, 1));
    assert_eq!(erased.files, 0, "another person has the same file");
    assert!(world.blobs.get(&one.resume.source.as_ref().expect("a file").sha256).await.expect("asked").is_some());

    for ((kind, before), (_, after)) in before.into_iter().zip(world.counts().await) {
        let stays = match kind {
            // The job, the schedule are nobody's; the audit has what the suite wrote and the stub.
            "jobs" | "schedules" => 1,
            "audit" => 2,
            _ => 0,
        };
        assert_eq!(after, before + stays, "{kind}");
    }
    other.assert_kept(&*world.store).await;
    let owner = Metadata::from([(VECTOR_OWNER.to_owned(), other.user.id.to_string())]);
    assert_eq!(world.vectors.count(&owner).await.expect("counted"), 1);

    let of_user = Query::all().key("record", one.user.id).key("action", "erased");
    let stubs = world.store.list::<AuditEntry>(&of_user).await.expect("listed").items;
    assert_eq!(stubs.len(), 1);
    assert_eq!((stubs[0].action, stubs[0].actor.as_str()), (AuditAction::Erased, "support"));

    let again = world.data.erase(one.user.id, "support").await.expect("nothing to do");
    assert!(again.records.is_empty());
    assert_eq!(world.store.list::<AuditEntry>(&of_user).await.expect("listed").items.len(), 1);

    assert_eq!(world.data.erase(other.user.id, "support").await.expect("erased").files, 1, "now nobody has it");
}

/// A note of the host's own, about a user.
#[derive(serde::Serialize, serde::Deserialize)]
struct Note {
    id: Id<Note>,
    about: Id<User>,
}

impl Record for Note {
    const KIND: &'static Kind =
        &Kind::new("notes", &[Key::text("about").references("users")]).personal(Personal::Owner("about"));
    type Id = Id<Note>;

    fn id(&self) -> Id<Note> {
        self.id
    }

    fn keys(&self) -> Vec<KeyValue> {
        vec![self.about.into()]
    }
}

#[tokio::test]
async fn kinds_of_the_host_are_erased_when_they_are_named_and_stand_in_the_way_when_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::builder(folder.path().join("career.db")).kind(Note::KIND).open().await.expect("opens");
    let store: Arc<dyn Store> = Arc::new(store);
    let user = career_core::testkit::store::fixtures::kept_user(&*store).await;
    store.insert(&Note { id: Id::new(), about: user }).await.expect("kept");

    let unnamed = PersonalData::of(Arc::clone(&store)).erase(user, "support").await.expect_err("a note refers to it");
    assert!(matches!(unnamed.conflict(), Some(Conflict::Referenced { kind: "users", .. })), "{unnamed}");
    assert!(store.get::<User>(&user).await.expect("asked").is_some());

    let erased = PersonalData::of(Arc::clone(&store)).kind(Note::KIND).erase(user, "support").await.expect("erased");
    assert_eq!((erased.records["notes"], erased.records["users"]), (1, 1));
}

#[tokio::test]
async fn a_document_that_is_damaged_is_named_by_the_export_and_erased_all_the_same() {
    let world = world().await;
    let user = career_core::testkit::store::fixtures::kept_user(&*world.store).await;
    let id: Id<Resume> = Id::new();
    let damaged = Action::Insert(Draft::new(vec![user.into(), KeyValue::Null], "{".into()));
    world.store.commit(vec![Write::new(Resume::KIND, id.to_string(), damaged)].into()).await.expect("kept");
    let error = world.data.export(user, "support").await.expect_err("damaged");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(&format!("resumes {id}")), "{error}");
    assert_eq!(world.data.erase(user, "support").await.expect("erased").records["resumes"], 1);
}
