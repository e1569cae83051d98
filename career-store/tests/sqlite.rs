//! The store in a SQLite file keeps the contract of the port, and its faults are typed errors.

#![cfg(feature = "sqlite")]

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use career_core::store::{Batch, Capability, Key, KeyValue, Kind, Query, Record};
use career_core::testkit::store::{self, fixtures};
use career_core::{Error, ErrorKind, Id, Message, Result, Store, StoreExt, User};
use career_store::SqliteStore;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("career.db")
    }
}

/// A connection beside the store, as another process would have it.
async fn beside(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.expect("connects")
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::query(sql).execute(connection).await.expect(sql);
}

fn assert_error<T: std::fmt::Debug>(result: Result<T>, kind: ErrorKind, says: &str) -> Error {
    let error = result.expect_err("it cannot");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "`{error}` does not say `{says}`");
    error
}

#[tokio::test]
async fn the_suite_passes_on_a_file() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.path()).await.expect("opens");
    assert_eq!(store::all(&store).await.skipped, []);
    store.check().await.expect("the file is sound");
}

#[tokio::test]
async fn the_suite_passes_in_memory() {
    let store = SqliteStore::in_memory().await.expect("opens");
    assert_eq!(store::all(&store).await.skipped, []);
    assert_eq!(store.capabilities(), [Capability::References], "it is gone with its process");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_made_unless_it_must_exist() {
    let folder = Folder::new();
    let missing = SqliteStore::builder(folder.path()).must_exist().open().await;
    let error = assert_error(missing, ErrorKind::NotFound, "does not exist");
    assert_eq!(error.place().file.as_deref(), folder.path().to_str());
    assert!(!folder.path().exists(), "asking makes nothing");
    SqliteStore::open(folder.path()).await.expect("made");
    let nowhere = SqliteStore::open(folder.0.path().join("no/such/folder/career.db")).await;
    assert_error(nowhere, ErrorKind::NotFound, "cannot be opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_open_a_new_file_at_once_make_it_once() {
    for _ in 0..5 {
        let folder = Folder::new();
        let opening: Vec<_> = (0..8).map(|_| tokio::spawn(SqliteStore::builder(folder.path()).open())).collect();
        for store in opening {
            fixtures::kept_user(&store.await.expect("no panic").expect("opens")).await;
        }
        let store = SqliteStore::open(folder.path()).await.expect("opens");
        assert_eq!(store.count::<User>(&Query::all()).await.expect("counted"), 8);
    }
}

#[tokio::test]
async fn a_read_only_store_reads_and_refuses_to_write() {
    let folder = Folder::new();
    let read_only = || SqliteStore::builder(folder.path()).read_only().open();
    run(&mut beside_new(&folder.path()).await, "CREATE TABLE other (a)").await;
    assert_error(read_only().await, ErrorKind::Unsupported, "no store was made in it");

    let user = fixtures::kept_user(&SqliteStore::open(folder.path()).await.expect("opens")).await;
    let store = read_only().await.expect("opens");
    assert_eq!(store.load::<User>(&user).await.expect("reads").id, user);
    assert_error(store.insert(&fixtures::user()).await, ErrorKind::Denied, "read-only");
    let mut batch = Batch::new();
    batch.insert(&fixtures::user()).insert(&fixtures::user());
    assert_error(store.commit(batch).await, ErrorKind::Denied, "read-only");
}

async fn beside_new(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.expect("connects")
}

#[tokio::test]
async fn what_is_no_database_is_told_and_left_alone() {
    let folder = Folder::new();
    let text = "this is a letter, and no database at all. ".repeat(100);
    std::fs::write(folder.path(), &text).expect("written");
    assert_error(SqliteStore::open(folder.path()).await, ErrorKind::Corrupt, "not a database");
    assert_eq!(std::fs::read_to_string(folder.path()).expect("read"), text);
}

#[tokio::test]
async fn a_damaged_file_is_told() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.path()).await.expect("opens");
    let conversation = fixtures::kept_conversation(&store).await;
    let mut batch = Batch::new();
    for n in 1..=500 {
        batch.insert(&fixtures::message(conversation.id, n, "some text that fills the pages ".repeat(20)));
    }
    store.commit(batch).await.expect("kept");
    store.close().await;
    let length = std::fs::metadata(folder.path()).expect("there").len();
    let mut file = std::fs::OpenOptions::new().write(true).open(folder.path()).expect("opens");
    // Beyond the pages of the schema, so that it opens.
    file.seek(SeekFrom::Start(length / 2)).expect("within");
    file.write_all(&vec![0xA5; (length / 3) as usize]).expect("written");
    drop(file);

    let store = SqliteStore::open(folder.path()).await.expect("what it reads first is whole");
    assert_eq!(store.check().await.expect_err("damaged").kind(), ErrorKind::Corrupt);
    let query = Query::all().key("conversation", conversation.id).ascending("sequence").limit(1_000);
    assert_error(store.list::<Message>(&query).await, ErrorKind::Corrupt, "messages: the database file is damaged");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_by_its_migration() {
    let folder = Folder::new();
    SqliteStore::open(folder.path()).await.expect("made").close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (999, 'from the future', TRUE, x'00', 0)";
    run(&mut beside(&folder.path()).await, newer).await;
    for refused in
        [SqliteStore::open(folder.path()).await, SqliteStore::builder(folder.path()).read_only().open().await]
    {
        assert_error(refused, ErrorKind::Unsupported, "migration 999");
    }
}

#[tokio::test]
async fn a_locked_file_is_unavailable_and_nothing_is_half_written() {
    let folder = Folder::new();
    let store =
        SqliteStore::builder(folder.path()).busy_timeout(Duration::from_millis(50)).open().await.expect("opens");
    let conversation = fixtures::kept_conversation(&store).await;
    let mut other = beside(&folder.path()).await;
    run(&mut other, "BEGIN IMMEDIATE").await;

    let first = fixtures::message(conversation.id, 1, "one");
    let mut batch = Batch::new();
    batch.insert(&first).emit(&fixtures::event("t", "k", 1));
    let error = assert_error(store.commit(batch).await, ErrorKind::Unavailable, "locked");
    assert!(error.is_temporary());
    assert_error(store.insert(&first).await, ErrorKind::Unavailable, "locked");
    assert!(store.get::<Message>(&first.id).await.expect("reading goes on").is_none());

    run(&mut other, "ROLLBACK").await;
    store.insert(&first).await.expect("the lock is gone");
}

#[tokio::test]
async fn a_write_waits_for_another_process() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.path()).await.expect("opens");
    let mut other = beside(&folder.path()).await;
    run(&mut other, "BEGIN IMMEDIATE").await;
    let write = tokio::spawn({
        let store = store.clone();
        async move { store.insert(&fixtures::user()).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!write.is_finished(), "it waits");
    run(&mut other, "COMMIT").await;
    assert_eq!(write.await.expect("no panic").expect("written"), 1);
}

#[tokio::test]
async fn no_free_connection_is_unavailable() {
    let folder = Folder::new();
    let builder = SqliteStore::builder(folder.path()).acquire_timeout(Duration::from_millis(50));
    let store = builder.open().await.expect("opens");
    let mut other = beside(&folder.path()).await;
    run(&mut other, "BEGIN IMMEDIATE").await;
    // One gets the connection and waits for the lock, the other waits for the connection.
    let insert = || async { store.insert(&fixtures::user()).await };
    let (mut first, mut second) = (Box::pin(insert()), Box::pin(insert()));
    let (refused, waiting) = tokio::select! {
        refused = &mut first => (refused, second),
        refused = &mut second => (refused, first),
    };
    assert_error(refused, ErrorKind::Unavailable, "no connection became free in time");
    run(&mut other, "ROLLBACK").await;
    waiting.await.expect("written after all");
    store.insert(&fixtures::user()).await.expect("it is free again");
    store.close().await;
    assert_error(store.insert(&fixtures::user()).await, ErrorKind::Unavailable, "closed");
}

/// A full disk, as a process meets it that may write no larger files: every write is refused, nothing is half there,
/// and when there is room again everything goes on.
#[cfg(unix)]
#[test]
fn a_full_disk_refuses_what_it_cannot_keep_and_harms_nothing() {
    const INSIDE: &str = "CAREER_FULL_DISK";
    if let Ok(path) = std::env::var(INSIDE) {
        tokio::runtime::Runtime::new().expect("a runtime").block_on(fill(Path::new(&path)));
        return;
    }
    let folder = Folder::new();
    let test = "a_full_disk_refuses_what_it_cannot_keep_and_harms_nothing";
    // `trap` keeps the signal that would end the process; a write beyond the limit then fails as on a full disk.
    let limited = r#"trap '' XFSZ; ulimit -S -f 2000; exec "$0" "$1" --exact --nocapture"#;
    let status = std::process::Command::new("bash")
        .args(["-c", limited, std::env::current_exe().expect("this program").to_str().expect("a path"), test])
        .env(INSIDE, folder.path())
        .status()
        .expect("it runs");
    assert!(status.success());
}

#[cfg(unix)]
async fn fill(path: &Path) {
    let store = SqliteStore::open(path).await.expect("opens");
    let conversation = fixtures::kept_conversation(&store).await;
    let large = |n| fixtures::message(conversation.id, n, "x".repeat(50_000));
    let mut kept = 0_u64;
    // Singly and in batches, until both are refused.
    let mut refused = [false; 2];
    for n in (1..).step_by(2) {
        let single = large(n);
        match store.put(&single).await {
            Ok(_) => {
                kept += 1;
                assert!(store.get::<Message>(&single.id).await.expect("asked").is_some(), "acknowledged and not there");
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Io, "{error}");
                refused[0] = true;
            }
        }
        let mut batch = Batch::new();
        batch.insert(&large(n + 1)).put(&conversation).emit(&fixtures::event("t", "k", n));
        match store.commit(batch).await {
            Ok(_) => kept += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Io, "{error}");
                refused[1] = true;
            }
        }
        if refused == [true; 2] {
            break;
        }
        assert!(n < 1_000, "the limit was never met");
    }
    let there = store.count::<Message>(&Query::all()).await.expect("reading goes on");
    assert_eq!(there, kept, "what was acknowledged, and nothing else");
    store.check().await.expect("the file is sound");

    // There is room again: the soft limit goes up to the hard one.
    let pid = std::process::id().to_string();
    let raised = std::process::Command::new("prlimit").args(["--fsize=unlimited", "--pid", &pid]).status();
    assert!(raised.expect("prlimit runs").success());
    store.put(&large(5_000)).await.expect("single writes go on");
    let mut batch = Batch::new();
    batch.insert(&large(5_001)).put(&conversation);
    store.commit(batch).await.expect("batches go on");
    assert_eq!(store.count::<Message>(&Query::all()).await.expect("counted"), kept + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_nobody_waits_for_leave_nothing_half_there() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.path()).await.expect("opens");
    store::cancelled_commits(&store, |wait| tokio::time::sleep(wait)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_handles_on_one_file_lose_no_update() {
    let folder = Folder::new();
    let stores = [SqliteStore::open(folder.path()).await, SqliteStore::open(folder.path()).await];
    let stores = stores.map(|store| Arc::new(store.expect("opens")));
    let user = fixtures::kept_user(&*stores[0]).await;
    let writers = (0..8).map(|n| {
        let store = Arc::clone(&stores[n % 2]);
        tokio::spawn(async move {
            for _ in 0..10 {
                let add = |user: &mut User| {
                    user.name.push('+');
                    Ok(())
                };
                while let Err(error) = store.modify::<User>(&user, add).await {
                    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no panic");
    }
    let end = stores[0].load::<User>(&user).await.expect("there");
    assert_eq!((end.name.matches('+').count(), end.version()), (80, 81));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_while_in_use_is_one_moment_and_restores() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.path()).await.expect("opens");
    let conversation = fixtures::kept_conversation(&store).await;
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for n in 1..=300 {
                // Two at a time: a moment has an even number of them.
                let mut batch = Batch::new();
                batch.insert(&fixtures::message(conversation.id, 2 * n, "even"));
                batch.insert(&fixtures::message(conversation.id, 2 * n + 1, "odd"));
                store.commit(batch).await.expect("written");
            }
        }
    });
    let copies = [folder.0.path().join("one.db"), folder.0.path().join("two.db")];
    for copy in &copies {
        store.backup(copy).await.expect("copied");
    }
    writing.await.expect("no panic");
    let third = folder.0.path().join("three.db");
    let both = tokio::join!(store.backup(&third), store.backup(&third));
    assert!(both.0.is_ok() != both.1.is_ok(), "one of two copies to one place: {both:?}");
    let again = assert_error(store.backup(&copies[0]).await, ErrorKind::Conflict, "already");
    assert_eq!(again.place().file.as_deref(), copies[0].to_str());

    let mut earlier = 0;
    for copy in &copies {
        let restored = SqliteStore::builder(copy).must_exist().open().await.expect("opens");
        restored.check().await.expect("sound");
        let messages = restored.count::<Message>(&Query::all()).await.expect("counted");
        assert!(messages.is_multiple_of(2) && messages >= earlier, "{messages} after {earlier}");
        earlier = messages;
        restored.insert(&fixtures::user()).await.expect("it can be written");
    }
    assert_eq!(std::fs::read_dir(folder.0.path()).expect("read").flatten().filter(is_partial).count(), 0);
}

fn is_partial(entry: &std::fs::DirEntry) -> bool {
    entry.path().extension().is_some_and(|extension| extension == "partial")
}

/// A kind of a host.
#[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
struct Note {
    id: Id<Note>,
    about: Id<User>,
    stars: i64,
}

impl Record for Note {
    const KIND: &'static Kind =
        &Kind::new("notes", &[Key::text("about").references("users"), Key::int("stars")]).indexed(&[&["stars"]]);
    type Id = Id<Note>;

    fn id(&self) -> Id<Note> {
        self.id
    }

    fn keys(&self) -> Vec<KeyValue> {
        vec![self.about.into(), self.stars.into()]
    }
}

#[tokio::test]
async fn a_host_keeps_kinds_of_its_own() {
    let folder = Folder::new();
    let plain = SqliteStore::open(folder.path()).await.expect("opens");
    let about = fixtures::kept_user(&plain).await;
    let note = Note { id: Id::new(), about, stars: 4 };
    assert_error(plain.insert(&note).await, ErrorKind::Unsupported, "notes: the store was opened without this kind");

    let with_notes = || SqliteStore::builder(folder.path()).kind(Note::KIND).open();
    with_notes().await.expect("opens").insert(&note).await.expect("kept");
    let again = with_notes().await.expect("the table is there already");
    let best = again.first::<Note>(&Query::all().at_least("stars", 4)).await.expect("asked").expect("there");
    assert_eq!(*best, note);

    const SAME: &Kind = &Kind::new("note", &[Key::int("s_stars")]).indexed(&[&["s_stars"]]);
    const LIKE: &Kind = &Kind::new("note_s", &[Key::int("stars")]).indexed(&[&["stars"]]);
    let taken = SqliteStore::builder(folder.path()).kind(SAME).kind(LIKE).open().await.expect_err("one name for two");
    assert_eq!((taken.kind(), taken.place().field.as_deref()), (ErrorKind::Invalid, Some("note_s_stars_index")));

    run(&mut beside(&folder.path()).await, "DROP INDEX notes_stars_index").await;
    run(&mut beside(&folder.path()).await, "ALTER TABLE notes RENAME COLUMN stars TO points").await;
    let error = assert_error(with_notes().await, ErrorKind::Unsupported, "the table of notes lacks a key");
    assert_eq!(error.place().field.as_deref(), Some("stars"));
}
