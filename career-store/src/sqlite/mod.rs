//! A store in one SQLite file.

mod backend;
mod backup;
mod error;
mod open;

use std::path::Path;

use async_trait::async_trait;
use career_core::store::{
    Batch, Capability, Claim, Committed, Count, Document, Group, Kind, OutboxEntry, Page, Query, Versioned, Write,
};
use career_core::{Result, Store};
use jiff::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqlitePool};

use crate::sql::{claim, read, write};

pub(crate) use error::error;
pub use open::SqliteBuilder;
pub(crate) use open::connect;

/// A store in one SQLite file: nothing to install, nothing to run.
///
/// The file is in WAL mode with `synchronous = FULL`: a commit that returned survives the loss of power. One
/// connection writes, several read beside it. Other processes may use the file at the same time.
///
/// ```
/// use career_core::{StoreExt, User};
/// use career_store::SqliteStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("career.db");
/// let store = SqliteStore::open(&path).await?;
/// let user = User::builder().name("A student").created_at(jiff::Timestamp::now()).build();
/// store.put(&user).await?;
/// drop(store);
///
/// let again = SqliteStore::open(&path).await?;
/// assert_eq!(again.load::<User>(&user.id).await?.name, "A student");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    is_file: bool,
}

impl SqliteStore {
    /// Opens the file, makes it if it is not there, and brings it up to date.
    ///
    /// # Errors
    ///
    /// Those of [`SqliteBuilder::open`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        SqliteStore::builder(path).open().await
    }

    /// A store in memory that is SQLite all the same. Everything is gone when it is dropped.
    ///
    /// # Errors
    ///
    /// Those of [`SqliteBuilder::open`].
    pub async fn in_memory() -> Result<Self> {
        SqliteBuilder::in_memory().open().await
    }

    /// How to open a file.
    pub fn builder(path: impl AsRef<Path>) -> SqliteBuilder {
        SqliteBuilder::new(path.as_ref())
    }

    /// Waits until what is going on has ended, and closes the file. Without it the file is closed a moment after the
    /// last clone of the store is dropped.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn reader(&self) -> Result<PoolConnection<Sqlite>> {
        self.readers.acquire().await.map_err(|e| error(e, "reading"))
    }

    async fn commit_all(&self, writes: Vec<Write>, now: Timestamp, singly: bool) -> Result<Option<Vec<Option<u64>>>> {
        let mut transaction = self.writer.begin_with(BEGIN).await.map_err(|e| error(e, "beginning a commit"))?;
        let versions = write::apply_all::<Sqlite>(&mut transaction, writes, now, singly).await?;
        if versions.is_some() {
            transaction.commit().await.map_err(|e| error(e, "committing"))?;
        }
        Ok(versions)
    }

    async fn writer(&self) -> Result<PoolConnection<Sqlite>> {
        self.writer.acquire().await.map_err(|e| error(e, "writing"))
    }
}

/// Takes the lock for writing at once: a transaction that reads first could not get it later.
const BEGIN: &str = "BEGIN IMMEDIATE";

#[async_trait]
impl Store for SqliteStore {
    fn capabilities(&self) -> &'static [Capability] {
        if self.is_file {
            &[Capability::Durable, Capability::Shared, Capability::References]
        } else {
            &[Capability::References]
        }
    }

    async fn fetch(&self, kind: &'static Kind, id: &str) -> Result<Option<Document>> {
        read::fetch::<Sqlite>(&mut *self.reader().await?, kind, id).await
    }

    async fn select(&self, kind: &'static Kind, query: &Query) -> Result<Page<Document>> {
        read::select::<Sqlite>(&mut *self.reader().await?, kind, query).await
    }

    async fn tally(&self, kind: &'static Kind, count: &Count) -> Result<Vec<Group>> {
        read::tally::<Sqlite>(&mut *self.reader().await?, kind, count).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        let mut writes = batch.into_writes()?;
        let now = career_core::store::now();
        if writes.len() <= 1 {
            // One statement is a transaction by itself.
            let Some(write) = writes.pop() else { return Ok(Committed::new(Vec::new())) };
            let version = write::apply::<Sqlite>(&mut *self.writer().await?, write, now).await?;
            return Ok(Committed::new(vec![version]));
        }
        if let Some(versions) = self.commit_all(writes.clone(), now, false).await? {
            return Ok(Committed::new(versions));
        }
        let versions = self.commit_all(writes, now, true).await?;
        Ok(Committed::new(versions.expect("only many rows at once are answered by asking again")))
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
        // Most of the time nothing is due; then no writer has to wait for this.
        if !claim::any_due::<Sqlite>(&mut *self.reader().await?, claim).await? {
            return Ok(Vec::new());
        }
        let mut transaction = self.writer.begin_with(BEGIN).await.map_err(|e| error(e, "beginning to claim"))?;
        let heads = claim::heads::<Sqlite>(&mut transaction, claim).await?;
        let entries = claim::lease::<Sqlite>(&mut transaction, heads, claim).await?;
        transaction.commit().await.map_err(|e| error(e, "claiming"))?;
        Ok(entries)
    }

    async fn health(&self) -> Result<()> {
        let probe = sqlx::query("SELECT version FROM users LIMIT 1");
        probe.fetch_optional(&mut *self.reader().await?).await.map(drop).map_err(|e| error(e, "asking for its health"))
    }
}
