//! [`SqliteVectors`]: vectors in a SQLite file, searched in memory.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use career_core::vector::check_filter;
use career_core::{Embedding, Metadata, Neighbour, Result, VectorIndex, VectorQuery};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{QueryBuilder, Row, Sqlite, SqlitePool, Transaction};
use tokio::sync::Mutex;

use super::MemoryVectors;
use super::memory::Change;
use super::sql::{check_collection, corrupt, metadata_from_json, metadata_to_json, other_dimensions, without_nul};
use crate::sqlite::{connect, error};

/// Most dimensions of a collection.
const DIMENSIONS_MAX: usize = 65_536;

/// How long a write waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Rows per statement; each binds five values, and SQLite takes 32,766.
const ROWS_PER_STATEMENT: usize = 500;

/// `seq` counts the writes of a collection; every row has that of the write it is from, a deleted one too. So what
/// another process wrote is what has a greater `seq` than the last that was seen.
const SCHEMA: &str = "
create table if not exists vector_collections (
    collection text    not null primary key,
    dimensions integer not null,
    seq        integer not null
) strict;
create table if not exists vectors (
    collection text    not null,
    id         text    not null,
    seq        integer not null,
    metadata   text    not null,
    vector     blob,
    primary key (collection, id)
) strict;
create index if not exists vectors_by_seq on vectors (collection, seq);
";

/// Vectors in a SQLite file, searched exactly in a copy in memory.
///
/// Many handles and processes may have the same file open: before each search what others wrote is loaded, which
/// costs one look into an index when there is nothing. A write has reached the disk when it returns. Of a deleted
/// vector its id stays in the file, so that others learn of it; the numbers and the metadata do not.
///
/// ```
/// use career_core::{Embedding, VectorIndex, VectorQuery};
/// use career_store::vectors::SqliteVectors;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("career.db");
/// let index = SqliteVectors::open(&path, "messages", 2).await?;
/// index.upsert(vec![Embedding::new("m1", [3.0, 4.0]).with("user", "u1")]).await?;
///
/// let again = SqliteVectors::open(&path, "messages", 2).await?;
/// let found = again.nearest(&VectorQuery::new([1.0, 0.0], 5).only("user", "u1")).await?;
/// assert_eq!((found[0].id.as_str(), found[0].similarity), ("m1", 0.6));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct SqliteVectors {
    pool: SqlitePool,
    collection: String,
    copy: MemoryVectors,
    /// The `seq` up to which `copy` is the file. Held while loading, so that changes are applied in order.
    seen: Mutex<i64>,
}

impl SqliteVectors {
    /// Opens a collection in the file, both made when they are missing, and loads it.
    ///
    /// `collection` is a slug of at most 48 characters; `dimensions` is in `1..=65536`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](career_core::ErrorKind::Invalid) for a name that is no slug, or when the collection was
    /// made with another number of dimensions; [`ErrorKind::Corrupt`](career_core::ErrorKind::Corrupt) for a row
    /// that cannot be read; what opening a file can meet.
    pub async fn open(path: impl AsRef<Path>, collection: &str, dimensions: usize) -> Result<Self> {
        check_collection(collection, dimensions, DIMENSIONS_MAX)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("secure_delete", "on")
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let index = SqliteVectors {
            pool: connect(SqlitePoolOptions::new().max_connections(4), options, BUSY_TIMEOUT).await?,
            collection: collection.to_owned(),
            copy: MemoryVectors::new(dimensions),
            seen: Mutex::new(0),
        };
        index.create().await?;
        index.refresh().await?;
        Ok(index)
    }

    async fn create(&self) -> Result<()> {
        let failed = |e| error(e, "creating the tables of vectors");
        let mut transaction = self.begin().await?;
        sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await.map_err(failed)?;
        let dimensions = i64::try_from(self.copy.dimensions()).unwrap_or(i64::MAX);
        let made_with: i64 = sqlx::query_scalar(
            // The update changes nothing; without it a row that is there already would not be returned.
            "insert into vector_collections (collection, dimensions, seq) values (?, ?, 0)
             on conflict do update set seq = seq returning dimensions",
        )
        .bind(&self.collection)
        .bind(dimensions)
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
        if made_with != dimensions {
            return Err(other_dimensions(&self.collection, made_with));
        }
        transaction.commit().await.map_err(failed)
    }

    /// A transaction that may write from its start: one that only turns into a writer later can be refused then.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|e| error(e, "beginning a write of vectors"))
    }

    /// The number of the write that this transaction is.
    async fn next_seq(&self, transaction: &mut Transaction<'static, Sqlite>) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("update vector_collections set seq = seq + 1 where collection = ? returning seq")
            .bind(&self.collection)
            .fetch_one(&mut **transaction)
            .await
    }

    /// Brings the copy up to the last commit.
    async fn refresh(&self) -> Result<()> {
        let failed = |e| error(e, "loading vectors");
        let mut seen = self.seen.lock().await;
        let (mut changes, mut newest) = (Vec::new(), *seen);
        let rows = sqlx::query("select id, seq, metadata, vector from vectors where collection = ? and seq > ?")
            .bind(&self.collection)
            .bind(*seen)
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        // Each row is freed as soon as it is read, so that many are not held twice.
        for row in rows {
            newest = newest.max(row.try_get("seq").map_err(failed)?);
            changes.push(self.read(&row)?);
        }
        self.copy.apply(changes);
        *seen = newest;
        Ok(())
    }

    fn read(&self, row: &SqliteRow) -> Result<Change> {
        let failed = |e| error(e, "reading a vector");
        let id: String = row.try_get("id").map_err(failed)?;
        let Some(bytes) = row.try_get::<Option<&[u8]>, _>("vector").map_err(failed)? else {
            return Ok(Change::Remove(id));
        };
        let (numbers, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(corrupt(&self.collection, &id, format!("{} bytes are no whole numbers", bytes.len())));
        }
        let mut embedding = Embedding::new(id, numbers.iter().copied().map(f32::from_le_bytes).collect::<Vec<_>>());
        let metadata = row.try_get("metadata").map_err(failed)?;
        embedding.metadata = metadata_from_json(metadata, &self.collection, &embedding.id)?;
        match embedding.check(self.copy.dimensions()) {
            Ok(()) => Ok(Change::Put(embedding)),
            Err(problem) => Err(corrupt(&self.collection, &embedding.id, problem)),
        }
    }
}

#[async_trait]
impl VectorIndex for SqliteVectors {
    fn dimensions(&self) -> usize {
        self.copy.dimensions()
    }

    async fn upsert(&self, embeddings: Vec<Embedding>) -> Result<()> {
        Embedding::check_all(&embeddings, self.dimensions())?;
        if embeddings.is_empty() {
            return Ok(());
        }
        let failed = |e| error(e, "writing vectors");
        let mut transaction = self.begin().await?;
        let seq = self.next_seq(&mut transaction).await.map_err(failed)?;
        for part in embeddings.chunks(ROWS_PER_STATEMENT) {
            let mut insert = QueryBuilder::new("insert into vectors (collection, id, seq, metadata, vector) ");
            insert.push_values(part, |mut row, embedding| {
                let bytes: Vec<u8> = embedding.vector.iter().flat_map(|number| number.to_le_bytes()).collect();
                row.push_bind(&self.collection).push_bind(&embedding.id).push_bind(seq);
                row.push_bind(metadata_to_json(&embedding.metadata)).push_bind(bytes);
            });
            insert.push(
                " on conflict do update set seq = excluded.seq, metadata = excluded.metadata, vector = excluded.vector",
            );
            insert.build().execute(&mut *transaction).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn delete(&self, ids: &[String]) -> Result<u64> {
        if ids.is_empty() {
            return Ok(0);
        }
        let failed = |e| error(e, "deleting vectors");
        let mut transaction = self.begin().await?;
        let seq = self.next_seq(&mut transaction).await.map_err(failed)?;
        let gone = sqlx::query(
            "update vectors set seq = ?, metadata = '{}', vector = null
             where collection = ? and vector is not null and id in (select value from json_each(?))",
        )
        .bind(seq)
        .bind(&self.collection)
        .bind(serde_json::Value::from(without_nul(ids)).to_string())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(gone.rows_affected())
    }

    async fn delete_where(&self, filter: &Metadata) -> Result<u64> {
        check_filter(filter, true)?;
        let failed = |e| error(e, "deleting vectors by a filter");
        let mut transaction = self.begin().await?;
        let seq = self.next_seq(&mut transaction).await.map_err(failed)?;
        // No pair is asked for that the row does not have.
        let gone = sqlx::query(
            "update vectors set seq = ?, metadata = '{}', vector = null
             where collection = ? and vector is not null and not exists (
                 select 1 from json_each(?) as asked where not exists (
                     select 1 from json_each(vectors.metadata) as has
                     where has.key = asked.key and has.value = asked.value))",
        )
        .bind(seq)
        .bind(&self.collection)
        .bind(metadata_to_json(filter))
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(gone.rows_affected())
    }

    async fn nearest(&self, query: &VectorQuery) -> Result<Vec<Neighbour>> {
        query.check(self.dimensions())?;
        self.refresh().await?;
        self.copy.nearest(query).await
    }

    async fn count(&self, filter: &Metadata) -> Result<u64> {
        check_filter(filter, false)?;
        self.refresh().await?;
        self.copy.count(filter).await
    }
}
