//! Opening a file: options, migrations, the tables of a host's own kinds.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use career_core::store::Kind;
use career_core::{Error, ErrorKind, Result};
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, SqlitePool};

use super::{SqliteStore, error};
use crate::migrations;
use crate::sql::{Dialect, schema};

/// How often migrating is tried; more often than there are migrations for another process to be in the way of.
const MIGRATE_ATTEMPTS: usize = 8;

/// How to open a [`SqliteStore`].
///
/// ```
/// use career_core::ErrorKind;
/// use career_store::SqliteStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = SqliteStore::builder("/nowhere/career.db").must_exist().open().await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SqliteBuilder {
    path: Option<PathBuf>,
    must_exist: bool,
    read_only: bool,
    readers: u32,
    busy_timeout: Duration,
    acquire_timeout: Duration,
    safe_from_power_loss: bool,
    kinds: Vec<&'static Kind>,
}

impl SqliteBuilder {
    pub(super) fn new(path: &Path) -> Self {
        SqliteBuilder { path: Some(path.to_owned()), ..SqliteBuilder::in_memory() }
    }

    pub(super) fn in_memory() -> Self {
        SqliteBuilder {
            path: None,
            must_exist: false,
            read_only: false,
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(30),
            safe_from_power_loss: true,
            kinds: Vec::new(),
        }
    }

    /// A file that is not there is an error, rather than made.
    #[must_use]
    pub fn must_exist(mut self) -> Self {
        self.must_exist = true;
        self
    }

    /// Nothing is written, not even migrations: the file must be there and up to date.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self.must_exist()
    }

    /// How many connections read beside the one that writes; 4 unless said, at least 1.
    #[must_use]
    pub fn readers(mut self, readers: u32) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// How long a write waits for another process that is writing; 5 s unless said.
    #[must_use]
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How long a call waits for a free connection; 30 s unless said.
    #[must_use]
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// Commits no longer wait for the disk (`synchronous = NORMAL`): several times as fast, and a loss of power may
    /// take the last ones. A crash of the process takes none, and the file stays whole in any case.
    #[must_use]
    pub fn relaxed(mut self) -> Self {
        self.safe_from_power_loss = false;
        self
    }

    /// A kind of the host's own; its table is made if it is not there. Kinds that it refers to come first.
    #[must_use]
    pub fn kind(mut self, kind: &'static Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Opens the file, makes it if it is not there, and brings it up to date.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when it is not there and must be, or its folder is not; [`ErrorKind::Denied`] when it
    /// cannot be written; [`ErrorKind::Corrupt`] when it is no database or a damaged one; [`ErrorKind::Unsupported`]
    /// when a newer version of this library made it, or, read-only, an older one; [`ErrorKind::Unavailable`] when
    /// another process keeps it locked; [`ErrorKind::Invalid`] for an unsound kind.
    pub async fn open(self) -> Result<SqliteStore> {
        schema::check_kinds(&self.kinds)?;
        let name = self.path.as_ref().map_or("memory".into(), |path| path.to_string_lossy().into_owned());
        let path = self.path.clone();
        self.open_checked().await.map_err(|error| match (error.kind(), path) {
            // SQLite says the same of a file that is not there and of one that it may not open.
            (ErrorKind::NotFound, Some(path)) if path.exists() => {
                Error::new(ErrorKind::Denied, "access to the database is denied").with_source(error).in_file(name)
            }
            _ => error.in_file(name),
        })
    }

    async fn open_checked(self) -> Result<SqliteStore> {
        if let Some(path) = self.path.as_ref().filter(|_| self.must_exist)
            && !path.exists()
        {
            return Err(Error::not_found("the database file"));
        }
        let synchronous = if self.safe_from_power_loss { SqliteSynchronous::Full } else { SqliteSynchronous::Normal };
        let options = match &self.path {
            Some(path) => SqliteConnectOptions::new().filename(path),
            None => SqliteConnectOptions::new().in_memory(true),
        };
        let options = options
            .create_if_missing(!self.must_exist)
            .synchronous(synchronous)
            .foreign_keys(true)
            // What was erased is not left behind in free pages.
            .pragma("secure_delete", "ON")
            .busy_timeout(self.busy_timeout)
            .optimize_on_close(!self.read_only, 400);
        // A connection to a file cannot go stale: no need to ask it before each use.
        let pool = || {
            SqlitePoolOptions::new()
                .test_before_acquire(false)
                .acquire_timeout(self.acquire_timeout)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        if self.read_only {
            let readers = pool().max_connections(self.readers).connect_with(options.read_only(true));
            let readers = readers.await.map_err(|e| error(e, "opening"))?;
            check_up_to_date(&readers).await?;
            return Ok(SqliteStore { writer: readers.clone(), readers, is_file: true });
        }
        let writing = options.clone().journal_mode(SqliteJournalMode::Wal);
        let one = pool().max_connections(1).min_connections(1);
        let writer = match self.path {
            Some(_) => connect(one, writing, self.busy_timeout).await?,
            // Its only connection is the database: it is never given up.
            None => one.connect_with(writing).await.map_err(|e| error(e, "opening"))?,
        };
        migrate(&writer).await?;
        for kind in &self.kinds {
            make_table(&writer, kind).await?;
        }
        let is_file = self.path.is_some();
        let readers = match self.path {
            Some(_) => {
                let reading = options.read_only(true).create_if_missing(false);
                let readers = pool().max_connections(self.readers).connect_with(reading);
                readers.await.map_err(|e| error(e, "opening for reading"))?
            }
            // A second connection would be to another memory.
            None => writer.clone(),
        };
        Ok(SqliteStore { writer, readers, is_file })
    }
}

/// Connects to a file that others may be opening too. Turning a new file to WAL mode does not wait for them, as other
/// statements do.
pub(crate) async fn connect(
    pool: SqlitePoolOptions,
    options: SqliteConnectOptions,
    busy_timeout: Duration,
) -> Result<SqlitePool> {
    let pool = pool.after_release(|connection, _| {
        Box::pin(async move {
            if !connection.is_in_transaction() {
                return Ok(true);
            }
            // A transaction that was dropped is taken back before the ping is answered. When the disk fails SQLite
            // takes one back by itself, and the driver still counts it: such a connection can begin no other.
            connection.ping().await?;
            Ok(!connection.is_in_transaction())
        })
    });
    let began = Instant::now();
    loop {
        match pool.clone().connect_with(options.clone()).await.map_err(|e| error(e, "opening")) {
            Err(locked) if locked.is_temporary() && began.elapsed() < busy_timeout => {
                tokio::time::sleep(Duration::from_millis(fastrand::u64(1..20))).await;
            }
            result => return result,
        }
    }
}

/// Of two processes that open a new file at once, one makes a table that the other was about to make. The one that
/// failed looks again: what it wanted to do is then done.
async fn migrate(pool: &SqlitePool) -> Result<()> {
    let mut attempt = 1;
    loop {
        match migrations::sqlite().run(pool).await {
            Err(MigrateError::ExecuteMigration(..)) if attempt < MIGRATE_ATTEMPTS => attempt += 1,
            result => return result.map_err(migration_error),
        }
    }
}

async fn make_table(pool: &SqlitePool, kind: &'static Kind) -> Result<()> {
    let mut statements = schema::create(kind, Dialect::Sqlite).into_iter();
    let run = async |statement: String| {
        let made = sqlx::query(AssertSqlSafe(statement)).execute(pool).await;
        made.map(drop).map_err(|e| error(e, kind.name))
    };
    // The table comes first. One that another version made may lack a key, which is told before an index misses it.
    if let Some(table) = statements.next() {
        run(table).await?;
    }
    for key in kind.keys {
        let column = sqlx::query("SELECT 1 FROM pragma_table_info($1) WHERE name = $2").bind(kind.name).bind(key.name);
        if column.fetch_optional(pool).await.map_err(|e| error(e, kind.name))?.is_none() {
            return Err(schema::lacks_key(kind, key.name));
        }
    }
    for index in statements {
        run(index).await?;
    }
    Ok(())
}

async fn check_up_to_date(pool: &SqlitePool) -> Result<()> {
    let applied: Vec<(i64,)> = sqlx::query_as("SELECT version FROM _sqlx_migrations ORDER BY version")
        .fetch_all(pool)
        .await
        .map_err(|e| match error(e, "opening") {
            e if e.kind() == ErrorKind::Unsupported => Error::new(ErrorKind::Unsupported, "no store was made in it"),
            e => e,
        })?;
    let applied: Vec<i64> = applied.into_iter().map(|(version,)| version).collect();
    migrations::check_up_to_date(&migrations::sqlite(), &applied)
}

fn migration_error(migration: MigrateError) -> Error {
    match migration {
        MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => error(cause, "migrating"),
        other => migrations::refusal(other),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use career_core::store::KINDS;

    use super::*;

    /// Every column and index of a database, in words.
    async fn shape(pool: &SqlitePool) -> BTreeSet<String> {
        let columns = "SELECT m.name || '.' || p.name || ' ' || p.type || ' ' || p.\"notnull\" || ' ' || p.pk
            FROM sqlite_schema m, pragma_table_info(m.name) p WHERE m.type = 'table'";
        let indexes = "SELECT i.name || ' ' || l.\"unique\" || ' ' || group_concat(c.name, ',')
            FROM sqlite_schema i, pragma_index_list(i.tbl_name) l, pragma_index_info(i.name) c
            WHERE i.type = 'index' AND l.name = i.name AND i.name NOT LIKE '%autoindex%' GROUP BY i.name";
        let references = "SELECT m.name || '.' || f.\"from\" || ' -> ' || f.\"table\" || ' ' || f.on_delete
            FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
        let mut shape = BTreeSet::new();
        for query in [columns, indexes, references] {
            let rows: Vec<(String,)> = sqlx::query_as(query).fetch_all(pool).await.expect("asked");
            shape.extend(rows.into_iter().map(|(row,)| row).filter(|row| !row.starts_with("_sqlx")));
        }
        shape
    }

    #[tokio::test]
    async fn the_migrations_make_what_the_kinds_say() {
        let migrated = SqliteStore::in_memory().await.expect("opens");
        let empty = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.expect("opens");
        for statement in KINDS.iter().flat_map(|kind| schema::create(kind, Dialect::Sqlite)) {
            sqlx::query(AssertSqlSafe(statement)).execute(&empty).await.expect("made");
        }
        let (by_steps, by_kinds) = (shape(&migrated.writer).await, shape(&empty).await);
        assert!(by_kinds.len() > 200, "it sees columns, indexes and references");
        assert_eq!(by_steps, by_kinds);
    }
}
