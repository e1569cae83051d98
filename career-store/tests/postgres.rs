//! The store in PostgreSQL keeps the contract of the port, and its faults are typed errors.

#![cfg(feature = "postgres")]

mod servers;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use career_core::store::{Action, Batch, Draft, Query, Record, Write};
use career_core::testkit::store::{self, fixtures};
use career_core::{Error, ErrorKind, Id, Message, Result, Store, StoreExt, Tag, User};
use career_store::PgStore;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

fn schema() -> Tag {
    Tag::new(format!("test-{}", Id::<User>::new())).expect("a slug")
}

/// A store in a schema of its own.
async fn store(url: &str) -> PgStore {
    PgStore::builder(url).expect("a url").schema(schema()).connections(8).open().await.expect("opens")
}

/// A connection beside the store, as another host would have it.
async fn beside(url: &str, schema: &Tag) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.expect("connects");
    run(&mut connection, format!("SET search_path = {}", schema.as_str().replace('-', "_"))).await;
    connection
}

async fn run(connection: &mut PgConnection, sql: impl Into<String>) {
    let sql = sql.into();
    sqlx::query(AssertSqlSafe(sql.clone())).execute(connection).await.expect(&sql);
}

fn assert_error<T: std::fmt::Debug>(result: Result<T>, kind: ErrorKind, says: &str) -> Error {
    let error = result.expect_err("it cannot");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "`{error}` does not say `{says}`");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes() {
    let Some(url) = servers::postgres() else { return };
    assert_eq!(store::all(&store(&url).await).await.skipped, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_nobody_waits_for_leave_nothing_half_there() {
    let Some(url) = servers::postgres() else { return };
    let builder = PgStore::builder(&url).expect("a url").schema(schema()).connections(1);
    let store = builder.open().await.expect("opens");
    store::cancelled_commits(&store, |wait| tokio::time::sleep(wait)).await;
}

#[tokio::test]
async fn a_schema_with_no_name_is_refused() {
    for bad in ["2026", &"x".repeat(64)] {
        let builder = PgStore::builder("postgres://user@127.0.0.1:1/career").expect("a url");
        let refused = builder.schema(Tag::new(bad).expect("a slug")).open().await;
        assert_eq!(
            assert_error(refused, ErrorKind::Invalid, "a letter first").place().field.as_deref(),
            Some("schema")
        );
    }
    let Some(url) = servers::postgres() else { return };
    let reserved = PgStore::builder(&url).expect("a url").schema(Tag::new("user").expect("a slug"));
    reserved.open().await.expect("a reserved word is a name");
}

#[tokio::test]
async fn a_server_that_is_not_there_and_a_url_that_is_none() {
    let nowhere = PgStore::open("postgres://user:secret@127.0.0.1:1/career").await;
    let error = assert_error(nowhere, ErrorKind::Unavailable, "cannot be reached");
    assert!(error.is_temporary());
    let none = PgStore::open("postgers://user:secret@host/career").await;
    let error = assert_error(none, ErrorKind::Invalid, "expected a URL");
    assert!(!format!("{error} {error:?}").contains("secret"));
    let builder = PgStore::builder("postgres://user:secret@host/career").expect("a url");
    assert!(!format!("{builder:?}").contains("secret"));
}

#[tokio::test]
async fn what_the_server_says_of_values_is_not_shown() {
    let Some(url) = servers::postgres() else { return };
    let store = store(&url).await;
    let no_json = Action::Put(Draft::new(vec!["a@example.org".into(), "student".into()], "my secret".into()));
    let refused = store.commit(vec![Write::new(User::KIND, "a", no_json)].into()).await;
    let error = assert_error(refused, ErrorKind::Invalid, "the server cannot keep this text");
    let first = fixtures::user();
    store.insert(&first).await.expect("kept");
    let mut second = fixtures::user();
    second.email.clone_from(&first.email);
    let taken = store.insert(&second).await.expect_err("the address is taken");
    for error in [error, taken] {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("secret") && !shown.contains("@example"), "{shown}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told() {
    let Some(url) = servers::postgres() else { return };
    let (server, _) = url.rsplit_once('/').expect("a path");
    let missing = PgStore::open(&format!("{server}/no_such_database")).await;
    assert_error(missing, ErrorKind::NotFound, "no such database");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_hosts_that_begin_at_once_migrate_once() {
    let Some(url) = servers::postgres() else { return };
    let schema = schema();
    let opening: Vec<_> = (0..8)
        .map(|_| {
            let builder = PgStore::builder(&url).expect("a url").schema(schema.clone()).connections(1);
            tokio::spawn(builder.open())
        })
        .collect();
    for store in opening {
        store.await.expect("no panic").expect("opens").health().await.expect("well");
    }
}

#[tokio::test]
async fn a_schema_of_another_version_is_refused() {
    let Some(url) = servers::postgres() else { return };
    let schema = schema();
    let builder = || PgStore::builder(&url).expect("a url").schema(schema.clone());
    assert_error(builder().without_migrating().open().await, ErrorKind::Unsupported, "no store was made");
    builder().open().await.expect("made");
    builder().without_migrating().open().await.expect("it is up to date");
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (999, 'from the future', TRUE, '', 0)";
    run(&mut beside(&url, &schema).await, newer).await;
    for refused in [builder().open().await, builder().without_migrating().open().await] {
        assert_error(refused, ErrorKind::Unsupported, "migration 999");
    }
    run(&mut beside(&url, &schema).await, "DELETE FROM _sqlx_migrations").await;
    assert_error(builder().without_migrating().open().await, ErrorKind::Unsupported, "an older version");
}

#[tokio::test]
async fn no_free_connection_is_unavailable() {
    let Some(url) = servers::postgres() else { return };
    let schema = schema();
    let builder = PgStore::builder(&url).expect("a url").schema(schema.clone()).connections(1);
    let store = builder.acquire_timeout(Duration::from_millis(200)).open().await.expect("opens");
    let user = fixtures::user();
    store.insert(&user).await.expect("kept");
    let mut other = beside(&url, &schema).await;
    run(&mut other, "BEGIN").await;
    run(&mut other, "LOCK TABLE users").await;
    let waiting = tokio::spawn({
        let (store, user) = (store.clone(), user.clone());
        async move { store.put(&user).await }
    });
    let refused = loop {
        // The first tries may come before the write that is to take the connection.
        match tokio::time::timeout(Duration::from_secs(5), store.count::<Message>(&Query::all())).await {
            Ok(Err(error)) => break error,
            other => assert!(other.is_ok(), "it waits for ever"),
        }
    };
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert!(refused.to_string().contains("no connection became free"), "{refused}");
    run(&mut other, "ROLLBACK").await;
    assert_eq!(waiting.await.expect("no panic").expect("written after all"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_share_records_in_any_order_all_succeed() {
    let Some(url) = servers::postgres() else { return };
    let store = store(&url).await;
    let users = [fixtures::user(), fixtures::user()];
    let mut batch = Batch::new();
    batch.insert(&users[0]).insert(&users[1]);
    store.commit(batch).await.expect("kept");
    // One half writes them in one order, the other in the other.
    let writers: Vec<_> = (0..8)
        .map(|n| {
            let (store, mut users) = (store.clone(), users.clone());
            if n % 2 == 0 {
                users.reverse();
            }
            tokio::spawn(async move {
                for _ in 0..25 {
                    let mut batch = Batch::new();
                    batch.put(&users[0]).put(&users[1]);
                    store.commit(batch).await.expect("they wait for each other");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
    for user in &users {
        assert_eq!(store.load::<User>(&user.id).await.expect("there").version(), 201, "each of 8 x 25 counts once");
    }
}

#[tokio::test]
async fn a_commit_that_lost_against_another_is_tried_again() {
    let Some(url) = servers::postgres() else { return };
    let schema = schema();
    let store = PgStore::builder(&url).expect("a url").schema(schema.clone()).open().await.expect("opens");
    let mut users = [fixtures::user(), fixtures::user()];
    users.sort_by_key(|user| user.id);
    let [first, second] = users;
    let mut batch = Batch::new();
    batch.insert(&first).insert(&second);
    store.commit(batch).await.expect("kept");

    let mut other = beside(&url, &schema).await;
    run(&mut other, "BEGIN").await;
    run(&mut other, format!("UPDATE users SET version = 10 WHERE id = '{}'", second.id)).await;
    let mut batch = Batch::new();
    batch.put(&first).put(&second);
    let commit = tokio::spawn({
        let store = store.clone();
        async move { store.commit(batch).await }
    });
    // Once the store holds the first and waits for the second, the other asks for the first. The server ends the one
    // that has waited longer, which is the store's.
    let waits = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND query LIKE $1";
    let mut watch = beside(&url, &schema).await;
    loop {
        let waiting = sqlx::query_scalar::<_, i64>(waits).bind("SELECT 1 FROM users%");
        if waiting.fetch_one(&mut watch).await.expect("asked") > 0 {
            break;
        }
    }
    run(&mut other, format!("UPDATE users SET version = 10 WHERE id = '{}'", first.id)).await;
    run(&mut other, "COMMIT").await;
    let committed = commit.await.expect("no panic").expect("tried again");
    assert_eq!(committed.versions, [Some(11), Some(11)], "on top of what the other wrote");
}

#[tokio::test]
async fn reads_that_may_be_stale_go_to_the_replica() {
    let (Some(url), Some((replica, _))) = (servers::postgres(), servers::restartable_postgres()) else { return };
    let schema = schema();
    // The "replica" is another server with other content, so that it shows who answered.
    let elsewhere = PgStore::builder(&replica).expect("a url").schema(schema.clone()).open().await.expect("opens");
    fixtures::kept_user(&elsewhere).await;
    let builder = PgStore::builder(&url).expect("a url").schema(schema).replica(&replica).expect("a url");
    let store = builder.open().await.expect("opens");
    let count = async |query: Query| store.count::<User>(&query).await.expect("counted");
    assert_eq!((count(Query::all()).await, count(Query::all().stale()).await), (0, 1));
    let listed = store.list::<User>(&Query::all().stale()).await.expect("listed").items;
    assert_eq!(listed.len(), 1);
    assert!(store.get::<User>(&listed[0].id).await.expect("asked").is_none(), "what must be fresh does not");
    store.health().await.expect("both are well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_under_load_loses_nothing_that_was_acknowledged() {
    let Some((url, restart)) = servers::restartable_postgres() else { return };
    let store = store(&url).await;
    let conversation = fixtures::kept_conversation(&store).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4_u64)
        .map(|n| {
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut acknowledged, mut doubtful, mut failed) = (Vec::new(), 0_u64, 0_u64);
                for k in 1.. {
                    let pair = [2 * k, 2 * k + 1].map(|s| fixtures::message(conversation.id, n * 1_000_000 + s, "x"));
                    let mut batch = Batch::new();
                    batch.insert(&pair[0]).insert(&pair[1]);
                    match store.commit(batch).await {
                        Ok(_) => acknowledged.push(pair),
                        Err(error) if error.kind() == ErrorKind::Indeterminate => doubtful += 1,
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}: {error:?}");
                            failed += 1;
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                    }
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                }
                (acknowledged, doubtful, failed)
            })
        })
        .collect();
    let reader = tokio::spawn({
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        async move {
            let mut reads = 0_u64;
            while !stop.load(Ordering::SeqCst) {
                // While the server is away a read fails; it never fails for a connection that was good before.
                if let Err(error) = store.count::<User>(&Query::all()).await {
                    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                } else {
                    reads += 1;
                }
            }
            reads
        }
    });
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let command = restart.clone();
        let restarted = tokio::task::spawn_blocking(move || Command::new("sh").args(["-c", &command]).output());
        let output = restarted.await.expect("no panic").expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.store(true, Ordering::SeqCst);
    assert!(reader.await.expect("no panic") > 0);
    let (mut acknowledged, mut doubtful, mut failed) = (Vec::new(), 0, 0);
    for writer in writers {
        let (mine, d, f) = writer.await.expect("no panic");
        acknowledged.extend(mine);
        doubtful += d;
        failed += f;
    }
    assert!(doubtful + failed > 0, "the restarts were noticed");
    for message in acknowledged.iter().flatten() {
        assert!(
            store.get::<Message>(&message.id).await.expect("the store is back").is_some(),
            "{} is lost",
            message.id
        );
    }
    let there = store.count::<Message>(&Query::all().key("conversation", conversation.id)).await.expect("counted");
    let sure = 2 * acknowledged.len() as u64;
    assert!(there.is_multiple_of(2), "half a batch is there");
    assert!((sure..=sure + 2 * doubtful).contains(&there), "{sure} sure, {doubtful} doubtful, {there} there");
}
