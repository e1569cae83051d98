//! Connecting: options, migrations, the tables of a host's own kinds.

use std::str::FromStr;
use std::time::Duration;

use career_core::store::Kind;
use career_core::{Error, ErrorKind, Result, Tag};
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use super::{PgStore, error};
use crate::migrations;
use crate::sql::{Dialect, schema as tables};

/// A connection that was idle for longer is asked whether it is still there before it is used.
const PROBE_AFTER_IDLE: Duration = Duration::from_secs(1);

/// Most bytes of a name in PostgreSQL.
const SCHEMA_MAX: usize = 63;

/// How to open a [`PgStore`].
#[derive(Clone)]
pub struct PgBuilder {
    primary: PgConnectOptions,
    replica: Option<PgConnectOptions>,
    schema: Tag,
    connections: u32,
    acquire_timeout: Duration,
    migrate: bool,
    kinds: Vec<&'static Kind>,
}

impl std::fmt::Debug for PgBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PgBuilder").field("schema", &self.schema).field("connections", &self.connections).finish()
    }
}

fn options(url: &str) -> Result<PgConnectOptions> {
    let invalid = || Error::invalid("expected a URL such as postgres://user@host/database");
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(invalid());
    }
    // What the parser says of a URL may show parts of it.
    PgConnectOptions::from_str(url).map_err(|_| invalid())
}

impl PgBuilder {
    pub(super) fn new(url: &str) -> Result<Self> {
        Ok(PgBuilder {
            primary: options(url)?,
            replica: None,
            schema: Tag::new("career")?,
            connections: 10,
            acquire_timeout: Duration::from_secs(30),
            migrate: true,
            kinds: Vec::new(),
        })
    }

    /// A server that follows the primary one; reads that may be stale go there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a URL that is none.
    pub fn replica(mut self, url: &str) -> Result<Self> {
        self.replica = Some(options(url)?);
        Ok(self)
    }

    /// The schema that holds the tables; `career` unless said. A `-` in it becomes a `_`.
    #[must_use]
    pub fn schema(mut self, schema: Tag) -> Self {
        self.schema = schema;
        self
    }

    /// How many connections to each server at most; 10 unless said, at least 1.
    #[must_use]
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// How long a call waits for a free connection; 30 s unless said.
    #[must_use]
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// The schema is taken as it is: for hosts whose user may not change it. A schema that is not up to date is an
    /// error.
    #[must_use]
    pub fn without_migrating(mut self) -> Self {
        self.migrate = false;
        self
    }

    /// A kind of the host's own; its table is made if it is not there. Kinds that it refers to come first.
    #[must_use]
    pub fn kind(mut self, kind: &'static Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Connects, makes the schema if it is not there, and brings it up to date. Of many that do so at once one
    /// migrates, under an advisory lock, while the others wait.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when the server cannot be reached; [`ErrorKind::Denied`] for a wrong password or
    /// missing rights; [`ErrorKind::NotFound`] when there is no such database; [`ErrorKind::Unsupported`] when a newer
    /// version of this library made the schema, or an older one and it may not migrate; [`ErrorKind::Invalid`] for an
    /// unsound kind, and for the name of a schema that is none.
    pub async fn open(self) -> Result<PgStore> {
        tables::check_kinds(&self.kinds)?;
        let schema = self.schema.as_str().replace('-', "_");
        if schema.len() > SCHEMA_MAX || !schema.starts_with(|c: char| c.is_ascii_lowercase()) {
            let expected = "expected a letter first, and at most 63 characters";
            return Err(Error::invalid(expected).at_field("schema"));
        }
        let scoped = |options: &PgConnectOptions| options.clone().options([("search_path", format!("\"{schema}\""))]);
        let primary = scoped(&self.primary);
        // A connection of its own: migrating ends before the pool begins, and the lock goes with it.
        let mut connection = PgConnection::connect_with(&primary).await.map_err(|e| error(e, "connecting"))?;
        if self.migrate {
            migrate(&mut connection, &schema, &self.kinds).await?;
        } else {
            check_up_to_date(&mut connection).await?;
            for kind in &self.kinds {
                check_keys(&mut connection, &schema, kind).await?;
            }
        }
        connection.close().await.map_err(|e| error(e, "connecting"))?;
        let replica = match &self.replica {
            Some(options) => Some(self.pool(scoped(options)).await?),
            None => None,
        };
        Ok(PgStore { primary: self.pool(primary).await?, replica })
    }

    async fn pool(&self, options: PgConnectOptions) -> Result<PgPool> {
        let pool = PgPoolOptions::new()
            .max_connections(self.connections)
            .acquire_timeout(self.acquire_timeout)
            // Asking before every use would double the round trips; after a rest it finds what a restart broke.
            .test_before_acquire(false)
            .before_acquire(|connection, use_of_it| {
                Box::pin(async move {
                    if use_of_it.idle_for > PROBE_AFTER_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            });
        pool.connect_with(options).await.map_err(|e| error(e, "connecting"))
    }
}

async fn migrate(connection: &mut PgConnection, schema: &str, kinds: &[&'static Kind]) -> Result<()> {
    let said = |e| error(e, "migrating");
    // `CREATE ... IF NOT EXISTS` of two at once can still collide: everything happens under the lock.
    sqlx::query("SELECT pg_advisory_lock(hashtextextended($1, 0))")
        .bind(format!("career-store {schema}"))
        .execute(&mut *connection)
        .await
        .map_err(said)?;
    let there = sqlx::query("SELECT 1 FROM pg_namespace WHERE nspname = $1").bind(schema);
    if there.fetch_optional(&mut *connection).await.map_err(said)?.is_none() {
        let create = AssertSqlSafe(format!("CREATE SCHEMA \"{schema}\""));
        sqlx::query(create).execute(&mut *connection).await.map_err(said)?;
    }
    migrations::postgres().run_direct(None, &mut *connection, false).await.map_err(migration_error)?;
    for kind in kinds {
        let mut statements = tables::create(kind, Dialect::Postgres).into_iter();
        // The table comes first. One that another version made may lack a key, which is told before an index misses it.
        for table in statements.by_ref().take(1) {
            sqlx::query(AssertSqlSafe(table)).execute(&mut *connection).await.map_err(said)?;
        }
        check_keys(connection, schema, kind).await?;
        for index in statements {
            sqlx::query(AssertSqlSafe(index)).execute(&mut *connection).await.map_err(said)?;
        }
    }
    Ok(())
}

async fn check_keys(connection: &mut PgConnection, schema: &str, kind: &'static Kind) -> Result<()> {
    let has =
        "SELECT 1 FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 AND column_name = $3";
    for key in kind.keys {
        let column = sqlx::query(has).bind(schema).bind(kind.name).bind(key.name);
        if column.fetch_optional(&mut *connection).await.map_err(|e| error(e, kind.name))?.is_none() {
            return Err(tables::lacks_key(kind, key.name));
        }
    }
    Ok(())
}

async fn check_up_to_date(connection: &mut PgConnection) -> Result<()> {
    let applied = sqlx::query_as("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
        .fetch_all(connection)
        .await
        .map_err(|e| match error(e, "connecting") {
            e if e.kind() == ErrorKind::Unsupported => Error::new(ErrorKind::Unsupported, "no store was made in it"),
            e => e,
        })?;
    let applied: Vec<i64> = applied.into_iter().map(|(version,): (i64,)| version).collect();
    migrations::check_up_to_date(&migrations::postgres(), &applied)
}

fn migration_error(migration: MigrateError) -> Error {
    match migration {
        MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => error(cause, "migrating"),
        other => migrations::refusal(other),
    }
}

#[cfg(test)]
#[path = "../../tests/servers/mod.rs"]
mod servers;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use career_core::store::KINDS;

    use super::*;

    /// Every column, index and constraint of a schema, in words.
    async fn shape(connection: &mut PgConnection, schema: &str) -> BTreeSet<String> {
        let columns = "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
            || ' ' || is_identity || ' ' || coalesce(collation_name, '-')
            FROM information_schema.columns WHERE table_schema = $1";
        let indexes = "SELECT indexname || ' ' || indexdef FROM pg_indexes WHERE schemaname = $1";
        let constraints = "SELECT conname || ' ' || pg_get_constraintdef(c.oid)
            FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE nspname = $1";
        let mut shape = BTreeSet::new();
        for query in [columns, indexes, constraints] {
            let rows: Vec<(String,)> =
                sqlx::query_as(query).bind(schema).fetch_all(&mut *connection).await.expect("asked");
            let rows = rows.into_iter().map(|(row,)| row.replace(&format!("{schema}."), ""));
            shape.extend(rows.filter(|row| !row.starts_with("_sqlx")));
        }
        shape
    }

    #[tokio::test]
    async fn the_migrations_make_what_the_kinds_say() {
        let Some(url) = servers::postgres() else { return };
        let names = ["a", "b"].map(|name| format!("{name}_{}", career_core::Id::<Kind>::new()).replace('-', "_"));
        let mut shapes = Vec::new();
        for (name, by_steps) in names.iter().zip([true, false]) {
            let options = options(&url).expect("a url").options([("search_path", name)]);
            let mut connection = PgConnection::connect_with(&options).await.expect("connects");
            if by_steps {
                migrate(&mut connection, name, &[]).await.expect("migrated");
            } else {
                sqlx::query(AssertSqlSafe(format!("CREATE SCHEMA {name}")))
                    .execute(&mut connection)
                    .await
                    .expect("made");
                for statement in KINDS.iter().flat_map(|kind| tables::create(kind, Dialect::Postgres)) {
                    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.expect("made");
                }
            }
            shapes.push(shape(&mut connection, name).await);
            let drop = AssertSqlSafe(format!("DROP SCHEMA {name} CASCADE"));
            sqlx::query(drop).execute(&mut connection).await.expect("dropped");
        }
        assert!(shapes[1].len() > 200, "it sees columns, indexes and constraints");
        assert_eq!(shapes[0], shapes[1]);
    }
}
