//! A store in PostgreSQL.

mod backend;
mod error;
mod lock;
mod open;

use std::time::Duration;

use async_trait::async_trait;
use career_core::store::{
    Batch, Capability, Claim, Committed, Count, Document, Freshness, Group, Kind, OutboxEntry, Page, Query, Versioned,
    Write,
};
use career_core::{Error, ErrorKind, Result, Store};
use jiff::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres, Transaction};

use crate::sql::{claim, read, write};
use error::ServerError;

pub(crate) use error::error;
pub use open::PgBuilder;

/// How often a commit that lost against another one is tried.
const COMMIT_ATTEMPTS: u32 = 5;
/// How often a read whose connection broke is tried.
const READ_ATTEMPTS: u32 = 3;

/// A store in PostgreSQL, for many hosts at once.
///
/// It keeps its tables in a schema of its own (`career` unless said), so that it can live in the host's database.
/// It needs no extension. Reads that may be stale ([`Query::stale`]) go to a replica, if there is one.
///
/// ```no_run
/// use career_core::{StoreExt, User};
/// use career_store::PgStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_core::Result<()> {
/// let store = PgStore::open("postgres://career:secret@db.internal/app").await?;
/// let user = User::builder().name("A student").created_at(jiff::Timestamp::now()).build();
/// store.put(&user).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PgStore {
    primary: PgPool,
    replica: Option<PgPool>,
}

impl PgStore {
    /// Connects, makes the schema if it is not there, and brings it up to date.
    ///
    /// # Errors
    ///
    /// Those of [`PgBuilder::open`].
    pub async fn open(url: &str) -> Result<Self> {
        PgStore::builder(url)?.open().await
    }

    /// How to connect, by a URL such as `postgres://user:password@host:5432/database`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a URL that is none; it is not shown, since it holds the password.
    pub fn builder(url: &str) -> Result<PgBuilder> {
        PgBuilder::new(url)
    }

    /// Waits until what is going on has ended, and closes the connections.
    pub async fn close(&self) {
        self.primary.close().await;
        if let Some(replica) = &self.replica {
            replica.close().await;
        }
    }

    fn pool(&self, freshness: Freshness) -> &PgPool {
        match (&self.replica, freshness) {
            (Some(replica), Freshness::Stale) => replica,
            _ => &self.primary,
        }
    }

    async fn reader(&self, freshness: Freshness) -> Result<PoolConnection<Postgres>> {
        self.pool(freshness).acquire().await.map_err(|e| error(e, "reading"))
    }

    async fn commit_once(&self, writes: Vec<Write>, now: Timestamp, singly: bool) -> Result<Option<Vec<Option<u64>>>> {
        if let [write] = &writes[..] {
            // One statement is a transaction by itself.
            let mut connection = self.primary.acquire().await.map_err(|e| error(e, "writing"))?;
            let version = write::apply::<Postgres>(&mut connection, write.clone(), now).await.map_err(committing)?;
            return Ok(Some(vec![version]));
        }
        let mut transaction = begin(&self.primary, "beginning a commit").await?;
        lock::in_order(&mut transaction, &writes).await?;
        let versions = write::apply_all::<Postgres>(&mut transaction, writes, now, singly).await?;
        if versions.is_some() {
            transaction.commit().await.map_err(|e| committing(error(e, "committing")))?;
        }
        Ok(versions)
    }

    async fn claim_once(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
        let mut transaction = begin(&self.primary, "beginning to claim").await?;
        let heads = claim::heads::<Postgres>(&mut transaction, claim).await?;
        let heads = lock::alone_with_their_keys(&mut transaction, heads, claim).await?;
        let entries = claim::lease::<Postgres>(&mut transaction, heads, claim).await?;
        // Events of a claim whose answer was lost come back when their lease ends.
        transaction.commit().await.map_err(|e| error(e, "claiming"))?;
        Ok(entries)
    }
}

/// Begins a transaction. The driver does not notice when nobody waits for its BEGIN any more, and would give the
/// connection to the next one inside of it: so it is always waited for, and what nobody wants is taken back.
pub(crate) async fn begin(pool: &PgPool, what: &str) -> Result<Transaction<'static, Postgres>> {
    let pool = pool.clone();
    match tokio::spawn(async move { pool.begin().await }).await {
        Ok(begun) => begun.map_err(|e| error(e, what)),
        Err(_) => Err(Error::new(ErrorKind::Unavailable, format!("{what}: the runtime is stopping"))),
    }
}

fn cause<E: std::error::Error + 'static>(failed: &Error) -> Option<&E> {
    std::error::Error::source(failed).and_then(|source| source.downcast_ref())
}

/// Whether the connection broke, so that nobody knows what the server did with what was last sent.
fn broke(failed: &Error) -> bool {
    matches!(cause(failed), Some(sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed))
}

/// Whether a read may succeed on another connection: this one broke, or the server that was stopping ended it.
fn worth_reading_again(failed: &Error) -> bool {
    let code = cause(failed).map(|server: &ServerError| server.code.as_str());
    broke(failed) || matches!(code, Some("57P01" | "57P02" | "57P03"))
}

/// Whether the same commit may succeed when it is tried again: another one was in its way, and nothing was done.
fn lost_against_another(failed: &Error) -> bool {
    let code = cause(failed).map(|server: &ServerError| server.code.as_str());
    matches!(code, Some(error::SERIALIZATION_FAILURE | error::DEADLOCK_DETECTED))
}

/// An error of the statement with which a commit ends: when the connection broke, only the server knows whether it
/// happened.
pub(crate) fn committing(failed: Error) -> Error {
    if broke(&failed) {
        let message = "committing: the connection broke before the answer came";
        return Error::new(ErrorKind::Indeterminate, message).with_source(failed);
    }
    failed
}

async fn pause(attempt: u32) {
    let most = 2_u64.pow(attempt.min(6)) * 10;
    tokio::time::sleep(Duration::from_millis(fastrand::u64(1..=most))).await;
}

/// Tries a read again on another connection when the one it had was broken: a restart of the server costs a moment,
/// not an error.
macro_rules! reading {
    ($attempt:expr) => {{
        let mut attempt = 1;
        loop {
            match $attempt.await {
                Err(error) if attempt < READ_ATTEMPTS && worth_reading_again(&error) => {
                    pause(attempt).await;
                    attempt += 1;
                }
                result => break result,
            }
        }
    }};
}

#[async_trait]
impl Store for PgStore {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::Durable, Capability::Shared, Capability::References]
    }

    async fn fetch(&self, kind: &'static Kind, id: &str) -> Result<Option<Document>> {
        reading!(async { read::fetch::<Postgres>(&mut *self.reader(Freshness::Fresh).await?, kind, id).await })
    }

    async fn select(&self, kind: &'static Kind, query: &Query) -> Result<Page<Document>> {
        reading!(async { read::select::<Postgres>(&mut *self.reader(query.freshness).await?, kind, query).await })
    }

    async fn tally(&self, kind: &'static Kind, count: &Count) -> Result<Vec<Group>> {
        reading!(async { read::tally::<Postgres>(&mut *self.reader(count.freshness).await?, kind, count).await })
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        let writes = batch.into_writes()?;
        let now = career_core::store::now();
        if writes.is_empty() {
            return Ok(Committed::new(Vec::new()));
        }
        let mut attempt = 1;
        let mut singly = false;
        loop {
            match self.commit_once(writes.clone(), now, singly).await {
                Ok(Some(versions)) => return Ok(Committed::new(versions)),
                Ok(None) => singly = true,
                Err(failed) if attempt < COMMIT_ATTEMPTS && lost_against_another(&failed) => {
                    pause(attempt).await;
                    attempt += 1;
                }
                Err(failed) => return Err(failed),
            }
        }
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
        // Most of the time nothing is due, and one round trip tells.
        let due: Result<bool> =
            reading!(async { claim::any_due::<Postgres>(&mut *self.reader(Freshness::Fresh).await?, claim).await });
        if !due? {
            return Ok(Vec::new());
        }
        let mut attempt = 1;
        loop {
            match self.claim_once(claim).await {
                Err(failed) if attempt < COMMIT_ATTEMPTS && lost_against_another(&failed) => {
                    pause(attempt).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn health(&self) -> Result<()> {
        for pool in std::iter::once(&self.primary).chain(&self.replica) {
            let mut connection = pool.acquire().await.map_err(|e| error(e, "connecting"))?;
            let probe = sqlx::query("SELECT version FROM users LIMIT 1").fetch_optional(&mut *connection);
            probe.await.map_err(|e| error(e, "asking for its health"))?;
        }
        Ok(())
    }
}

/// `Debug` shows no address and no password.
impl std::fmt::Debug for PgStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let replica = self.replica.is_some();
        f.debug_struct("PgStore").field("connections", &self.primary.size()).field("replica", &replica).finish()
    }
}
