//! Vector indexes: the suite of the port on each, and what is particular to each.

use career_core::testkit::vector as suite;
use career_store::vectors::MemoryVectors;

#[tokio::test]
async fn memory_holds_the_contract() {
    for dimensions in [3, 16, 384] {
        suite::all(&MemoryVectors::new(dimensions)).await;
    }
}

#[tokio::test]
async fn pointers_to_an_index_are_indexes() {
    suite::all(&std::sync::Arc::new(MemoryVectors::new(3))).await;
    let boxed: Box<dyn career_core::VectorIndex> = Box::new(MemoryVectors::new(3));
    suite::all(&boxed).await;
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::path::Path;

    use career_core::{Embedding, ErrorKind, Metadata, VectorIndex, VectorQuery};
    use career_store::vectors::SqliteVectors;
    use sqlx::{Connection, SqliteConnection};

    use super::suite;

    async fn open(folder: &tempfile::TempDir, collection: &str, dimensions: usize) -> SqliteVectors {
        SqliteVectors::open(folder.path().join("v.db"), collection, dimensions).await.expect("opens")
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    async fn ids(index: &dyn VectorIndex, query: VectorQuery) -> Vec<String> {
        let found = index.nearest(&query).await.expect("answers");
        found.into_iter().map(|neighbour| neighbour.id).collect()
    }

    /// Changes the file behind the back of the index.
    async fn execute(path: &Path, sql: &'static str) {
        let url = format!("sqlite://{}", path.display());
        let mut connection = SqliteConnection::connect(&url).await.expect("connects");
        sqlx::raw_sql(sql).execute(&mut connection).await.expect("runs");
        connection.close().await.expect("closes");
    }

    #[tokio::test]
    async fn holds_the_contract() {
        let folder = folder();
        suite::all(&open(&folder, "three", 3).await).await;
        // What the first left behind is in the file, and in another collection.
        suite::all(&open(&folder, "more", 33).await).await;
        suite::all(&open(&folder, "three", 3).await).await;
    }

    #[tokio::test]
    async fn what_is_kept_is_there_when_opened_again() {
        let folder = folder();
        let first = open(&folder, "a", 2).await;
        let put = ["x", "y", "z"].map(|id| Embedding::new(id, [3.0, 4.0]).with("id", id));
        first.upsert(put.to_vec()).await.expect("takes");
        first.delete(&["y".to_owned()]).await.expect("deletes");
        drop(first);
        let again = open(&folder, "a", 2).await;
        let found = again.nearest(&VectorQuery::new([1.0, 0.0], 5)).await.expect("answers");
        let found: Vec<_> = found.iter().map(|n| (n.id.as_str(), n.similarity, n.metadata["id"].as_str())).collect();
        assert_eq!(found, [("x", 0.6, "x"), ("z", 0.6, "z")]);
        assert_eq!(open(&folder, "b", 7).await.count(&Metadata::new()).await.expect("counts"), 0);
    }

    #[tokio::test]
    async fn handles_see_what_others_wrote() {
        let folder = folder();
        let (one, two) = (open(&folder, "a", 2).await, open(&folder, "a", 2).await);
        let all = || VectorQuery::new([1.0, 0.0], 5);
        one.upsert(vec![Embedding::new("x", [1.0, 0.0]).with("k", "1")]).await.expect("takes");
        assert_eq!(ids(&two, all()).await, ["x"]);
        two.upsert(vec![Embedding::new("y", [1.0, 1.0]), Embedding::new("x", [-1.0, 0.0])]).await.expect("takes");
        assert_eq!(ids(&one, all()).await, ["y", "x"]);
        assert_eq!(ids(&one, all().only("k", "1")).await, [""; 0]);
        assert_eq!(one.delete(&["y".to_owned()]).await.expect("deletes"), 1);
        assert_eq!(two.delete(&["y".to_owned()]).await.expect("deletes"), 0);
        assert_eq!(ids(&two, all()).await, ["x"]);
        // A put again after its deletion, and a deletion by filter, arrive too.
        two.upsert(vec![Embedding::new("y", [1.0, 0.0]).with("k", "2")]).await.expect("takes");
        assert_eq!(one.count(&Metadata::from([("k".into(), "2".into())])).await.expect("counts"), 1);
        assert_eq!(one.delete_where(&Metadata::from([("k".into(), "2".into())])).await.expect("deletes"), 1);
        assert_eq!(ids(&two, all()).await, ["x"]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn writers_at_the_same_time_lose_nothing() {
        let folder = std::sync::Arc::new(folder());
        let writers: Vec<_> = (0..6)
            .map(|writer| {
                let folder = folder.clone();
                tokio::spawn(async move {
                    // All open the file when it is not there yet.
                    let index = open(&folder, "a", 3).await;
                    for n in 0..10 {
                        let put = Embedding::new(format!("{writer}-{n}"), [1.0, 2.0, 3.0]);
                        let shared = Embedding::new("shared", [1.0, 2.0, 3.0]).with("writer", writer.to_string());
                        index.upsert(vec![put, shared]).await.expect("takes");
                        let all = index.nearest(&VectorQuery::new([1.0, 2.0, 3.0], 100)).await.expect("answers");
                        assert!(all.len() > n + 1, "a writer does not see its own write");
                    }
                    index
                })
            })
            .collect();
        let mut handles = Vec::new();
        for writer in writers {
            handles.push(writer.await.expect("writes"));
        }
        for index in handles {
            assert_eq!(index.count(&Metadata::new()).await.expect("counts"), 61);
        }
    }

    #[tokio::test]
    async fn another_dimension_or_a_bad_name_is_refused() {
        let folder = folder();
        open(&folder, "a", 2).await;
        let long = "a".repeat(49);
        for (collection, dimensions, field) in [
            ("a", 3, "dimensions"),
            ("a", 0, "dimensions"),
            ("b", 65_537, "dimensions"),
            ("A", 2, "collection"),
            ("", 2, "collection"),
            ("a_b", 2, "collection"),
            ("a\"; --", 2, "collection"),
            (long.as_str(), 2, "collection"),
        ] {
            let refused = SqliteVectors::open(folder.path().join("v.db"), collection, dimensions).await;
            let error = refused.expect_err(collection);
            assert_eq!((error.kind(), error.place().field.as_deref()), (ErrorKind::Invalid, Some(field)));
        }
    }

    #[tokio::test]
    async fn a_damaged_row_is_told_with_collection_and_id() {
        let damages = [
            "update vectors set vector = x'0000803f00', seq = 9 where id = 'hurt'",
            "update vectors set vector = x'0000803f', seq = 9 where id = 'hurt'",
            "update vectors set vector = x'0000c07f0000803f', seq = 9 where id = 'hurt'",
            "update vectors set vector = zeroblob(8), seq = 9 where id = 'hurt'",
            "update vectors set metadata = '{\"secret\":', seq = 9 where id = 'hurt'",
            "update vectors set metadata = '{\"secret\":[1]}', seq = 9 where id = 'hurt'",
        ];
        for damage in damages {
            let folder = folder();
            let path = folder.path().join("v.db");
            let index = open(&folder, "notes", 2).await;
            let put = ["well", "hurt"].map(|id| Embedding::new(id, [1.0, 0.0]));
            index.upsert(put.to_vec()).await.expect("takes");
            execute(&path, damage).await;
            let opening = SqliteVectors::open(&path, "notes", 2).await.expect_err(damage);
            let searching = index.nearest(&VectorQuery::new([1.0, 0.0], 1)).await.expect_err(damage);
            for error in [opening, searching] {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{damage}");
                let text = error.to_string();
                assert!(text.contains("hurt") && text.contains("notes") && !text.contains("secret"), "{text}");
            }
        }
    }

    #[tokio::test]
    async fn of_a_deleted_vector_only_the_id_stays() {
        let folder = folder();
        let index = open(&folder, "a", 2).await;
        index.upsert(vec![Embedding::new("id", [1.0, 0.0]).with("name", "name-of-the-test")]).await.expect("takes");
        index.delete(&["id".to_owned()]).await.expect("deletes");
        drop(index);
        execute(&folder.path().join("v.db"), "pragma wal_checkpoint(truncate)").await;
        let bytes = std::fs::read(folder.path().join("v.db")).expect("reads");
        assert!(!bytes.windows(16).any(|part| part == b"name-of-the-test"), "the file still has the metadata");
    }
}

#[cfg(feature = "postgres")]
mod servers;

#[cfg(feature = "postgres")]
mod postgres {
    use std::time::{Duration, Instant};

    use career_core::{Embedding, ErrorKind, Metadata, VectorIndex, VectorQuery};
    use career_store::vectors::PgVectors;
    use sqlx::{AssertSqlSafe, Connection, PgConnection};

    use super::{servers, suite};

    /// Runs a test in a schema of its own, which is dropped when the test holds.
    async fn in_schema(name: &str, test: impl AsyncFn(&str, &str)) {
        let Some(url) = servers::postgres() else { return };
        let schema = format!("test_vectors_{name}_{}", std::process::id());
        test(&url, &schema).await;
        execute(&url, format!("drop schema if exists {schema} cascade")).await;
    }

    async fn execute(url: &str, sql: String) {
        let mut connection = PgConnection::connect(url).await.expect("connects");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("runs");
        connection.close().await.expect("closes");
    }

    async fn open(url: &str, schema: &str, collection: &str, dimensions: usize) -> PgVectors {
        PgVectors::open(url, schema, collection, dimensions).await.expect("opens")
    }

    #[tokio::test]
    async fn holds_the_contract() {
        in_schema("suite", async |url, schema| {
            suite::all(&open(url, schema, "three", 3).await).await;
            suite::all(&open(url, schema, "more-of-them", 33).await).await;
            suite::all(&open(url, schema, "three", 3).await).await;
        })
        .await;
    }

    #[tokio::test]
    async fn holds_the_contract_beyond_what_its_index_takes() {
        in_schema("wide", async |url, schema| suite::all(&open(url, schema, "wide", 2_001).await).await).await;
    }

    #[tokio::test]
    async fn many_creators_make_one_collection() {
        in_schema("creators", async |url, schema| {
            let opening: Vec<_> = (0..8)
                .map(|_| {
                    let (url, schema) = (url.to_owned(), schema.to_owned());
                    tokio::spawn(async move { PgVectors::open(&url, &schema, "a", 3).await })
                })
                .collect();
            for (n, handle) in opening.into_iter().enumerate() {
                let index = handle.await.expect("runs").expect("opens");
                index.upsert(vec![Embedding::new(n.to_string(), [1.0, 2.0, 3.0])]).await.expect("takes");
                assert_eq!(index.count(&Metadata::new()).await.expect("counts"), n as u64 + 1);
            }
        })
        .await;
    }

    #[tokio::test]
    async fn the_index_finds_what_is_near_among_many() {
        in_schema("near", async |url, schema| {
            let index = open(url, schema, "a", 8).await;
            let mut random = 1_u32;
            let mut vector = || -> Vec<f32> {
                let number = |_| {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    f32::from(u16::try_from(random >> 16).expect("16 bits")) / 32_768.0 - 1.0
                };
                (0..8).map(number).collect()
            };
            let all: Vec<Embedding> = (0..5_000).map(|n| Embedding::new(n.to_string(), vector())).collect();
            let exact = career_store::vectors::MemoryVectors::new(8);
            exact.upsert(all.clone()).await.expect("takes");
            index.upsert(all.clone()).await.expect("takes");
            // Replaced and deleted rows stay in the index until they are vacuumed; they must not crowd out the rest.
            index.upsert(all).await.expect("takes");
            let gone: Vec<String> = (0..2_500).map(|n| n.to_string()).collect();
            exact.delete(&gone).await.expect("deletes");
            index.delete(&gone).await.expect("deletes");
            execute(url, format!("analyze {schema}.vectors_a")).await;
            let mut found = 0;
            for _ in 0..50 {
                let query = VectorQuery::new(vector(), 10);
                let (near, best) = (index.nearest(&query).await, exact.nearest(&query).await);
                let (near, best) = (near.expect("answers"), best.expect("answers"));
                assert_eq!(near.len(), 10);
                assert!(near.windows(2).all(|pair| pair[0].similarity >= pair[1].similarity), "{near:?}");
                found += near.iter().filter(|n| best.iter().any(|b| b.id == n.id)).count();
            }
            assert!(found >= 475, "{found} of the 500 best were found");
        })
        .await;
    }

    #[tokio::test]
    async fn another_dimension_or_a_bad_name_is_refused() {
        in_schema("names", async |url, schema| {
            open(url, schema, "a", 2).await;
            for (url, schema, collection, dimensions, field) in [
                (url, schema, "a", 3, "dimensions"),
                (url, schema, "a", 0, "dimensions"),
                (url, schema, "a", 16_001, "dimensions"),
                (url, schema, "a_b", 2, "collection"),
                (url, "public; drop table x", "a", 2, "schema"),
                (url, "1st", "a", 2, "schema"),
                (url, "", "a", 2, "schema"),
                ("not a url with secret", schema, "a", 2, "url"),
            ] {
                let error = PgVectors::open(url, schema, collection, dimensions).await.expect_err("must be refused");
                assert_eq!((error.kind(), error.place().field.as_deref()), (ErrorKind::Invalid, Some(field)));
                assert!(!format!("{error:?}").contains("secret"));
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_damaged_row_is_told_with_collection_and_id() {
        in_schema("damage", async |url, schema| {
            let index = open(url, schema, "notes", 2).await;
            index.upsert(vec![Embedding::new("hurt", [1.0, 0.0])]).await.expect("takes");
            execute(url, format!("update {schema}.vectors_notes set metadata = '[1]'")).await;
            let error = index.nearest(&VectorQuery::new([1.0, 0.0], 1)).await.expect_err("must be told");
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains("vector hurt of collection notes"), "{error}");
        })
        .await;
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_told_at_once() {
        let since = Instant::now();
        // Port 9 is "discard": nobody listens.
        let error =
            PgVectors::open("postgres://u:p@127.0.0.1:9/db", "public", "a", 2).await.expect_err("nobody is there");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(since.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn a_role_without_rights_is_denied_what_is_missing_and_served_what_is_there() {
        in_schema("rights", async |url, schema| {
            open(url, schema, "a", 2).await;
            let role = format!("{schema}_role");
            let make = format!(
                "create role {role} login password 'right'; grant usage on schema {schema} to {role};
                 grant select, insert, update, delete on all tables in schema {schema} to {role}"
            );
            execute(url, make).await;
            let options: sqlx::postgres::PgConnectOptions = url.parse().expect("a URL");
            let database = options.get_database().unwrap_or("postgres");
            let as_role = |password| {
                format!("postgres://{role}:{password}@{}:{}/{database}", options.get_host(), options.get_port())
            };
            let index = open(&as_role("right"), schema, "a", 2).await;
            index.upsert(vec![Embedding::new("x", [1.0, 0.0])]).await.expect("takes");
            let error = PgVectors::open(&as_role("right"), schema, "b", 2).await.expect_err("may not create");
            assert_eq!(error.kind(), ErrorKind::Denied, "{error:?}");
            drop(index);
            execute(url, format!("drop owned by {role}; drop role {role}")).await;
        })
        .await;
    }
}
