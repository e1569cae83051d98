//! What one would write by hand with sqlx alone: the same statements, the same settings, typed in and typed out.

use career_core::Application;

/// The statements by hand.
pub(crate) trait Plain {
    async fn get(&self, id: &str) -> Application;
    async fn put(&self, record: &Application);
    async fn insert_all(&self, records: &[Application]);
    async fn list(&self, owner: &str) -> Vec<Application>;
    /// Does at once what the database would do in time: statistics, and its log into the file.
    async fn settle(&self);
}

macro_rules! bound {
    ($query:expr, $record:expr) => {
        $query
            .bind($record.id.to_string())
            .bind(jiff::Timestamp::now().as_microsecond())
            .bind($record.owner.to_string())
            .bind($record.job.to_string())
            .bind($record.resume.map(|id| id.to_string()))
            .bind($record.cover_letter.map(|id| id.to_string()))
            .bind($record.status().as_str())
            .bind(serde_json::to_string($record).expect("it serialises"))
    };
}

macro_rules! plain {
    ($name:ident, body: $body:literal, value: $value:literal, begin: $begin:ident ($($how:literal)?), settle: $($settle:literal),+) => {
        impl Plain for $name {
            async fn get(&self, id: &str) -> Application {
                let get = concat!("SELECT id, version, created, updated, ", $body, " FROM applications WHERE id = $1");
                let row: (String, i64, i64, i64, String) =
                    sqlx::query_as(get).bind(id).fetch_one(&self.reads).await.expect("there");
                serde_json::from_str(&row.4).expect("it parses")
            }

            async fn put(&self, record: &Application) {
                let put = concat!(
                    "INSERT INTO applications (id, version, created, updated, owner, job, resume, cover_letter, status,",
                    " body) VALUES ($1, 1, $2, $2, $3, $4, $5, $6, $7, $8", $value, ") ON CONFLICT (id) DO UPDATE SET",
                    " version = applications.version + 1, updated = excluded.updated, body = excluded.body,",
                    " owner = excluded.owner, job = excluded.job, resume = excluded.resume,",
                    " cover_letter = excluded.cover_letter, status = excluded.status RETURNING version"
                );
                // All of the answer: on SQLite `fetch_one` gives the row before the commit, which may then fail.
                let version: Vec<(i64,)> =
                    bound!(sqlx::query_as(put), record).fetch_all(&self.writes).await.expect("written");
                assert!(version[0].0 > 0);
            }

            async fn insert_all(&self, records: &[Application]) {
                let insert = concat!(
                    "INSERT INTO applications (id, version, created, updated, owner, job, resume, cover_letter, status,",
                    " body) VALUES ($1, 1, $2, $2, $3, $4, $5, $6, $7, $8", $value, ")"
                );
                let mut transaction = self.writes.$begin($($how)?).await.expect("begun");
                for record in records {
                    bound!(sqlx::query(insert), record).execute(&mut *transaction).await.expect("written");
                }
                transaction.commit().await.expect("committed");
            }

            async fn list(&self, owner: &str) -> Vec<Application> {
                let list = concat!(
                    "SELECT id, version, created, updated, ", $body, " FROM applications",
                    " WHERE owner = $1 AND status = $2 ORDER BY created DESC, id DESC LIMIT $3"
                );
                let rows: Vec<(String, i64, i64, i64, String)> = sqlx::query_as(list)
                    .bind(owner)
                    .bind("saved")
                    .bind(50_i64)
                    .fetch_all(&self.reads)
                    .await
                    .expect("listed");
                rows.iter().map(|row| serde_json::from_str(&row.4).expect("it parses")).collect()
            }

            async fn settle(&self) {
                for statement in [$($settle),+] {
                    sqlx::query(statement).execute(&self.writes).await.expect(statement);
                }
            }
        }
    };
}

pub(crate) mod sqlite {
    use std::path::Path;

    use career_core::Application;
    use sqlx::SqlitePool;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

    use super::Plain;

    pub(crate) struct PlainSqlite {
        reads: SqlitePool,
        writes: SqlitePool,
    }

    impl PlainSqlite {
        pub(crate) async fn open(path: &Path) -> Self {
            let options = SqliteConnectOptions::new()
                .filename(path)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .pragma("secure_delete", "ON")
                .foreign_keys(true);
            let pool = |connections| SqlitePoolOptions::new().max_connections(connections).test_before_acquire(false);
            let reads = options.clone().read_only(true);
            let reads = pool(4).connect_with(reads).await.expect("opens");
            PlainSqlite { reads, writes: pool(1).connect_with(options).await.expect("opens") }
        }
    }

    plain!(PlainSqlite, body: "body", value: "", begin: begin_with("BEGIN IMMEDIATE"), settle: "PRAGMA wal_checkpoint(TRUNCATE)", "ANALYZE");
}

pub(crate) mod postgres {
    use std::str::FromStr;

    use career_core::{Application, Tag};
    use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
    use sqlx::{AssertSqlSafe, PgPool};

    use super::Plain;

    pub(crate) struct PlainPostgres {
        reads: PgPool,
        writes: PgPool,
        schema: String,
    }

    impl PlainPostgres {
        pub(crate) async fn open(url: &str, schema: &Tag) -> Self {
            let schema = schema.as_str().replace('-', "_");
            let options = PgConnectOptions::from_str(url).expect("a url").options([("search_path", &schema)]);
            let pool = PgPoolOptions::new().max_connections(10).test_before_acquire(false);
            let pool = pool.connect_with(options).await.expect("connects");
            PlainPostgres { reads: pool.clone(), writes: pool, schema }
        }

        pub(crate) async fn drop_schema(&self) {
            let drop = AssertSqlSafe(format!("DROP SCHEMA {} CASCADE", self.schema));
            sqlx::query(drop).execute(&self.writes).await.expect("dropped");
        }
    }

    plain!(PlainPostgres, body: "body::text", value: "::jsonb", begin: begin(), settle: "VACUUM ANALYZE");
}
