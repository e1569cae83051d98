//! [`PgVectors`]: vectors in PostgreSQL, searched by its extension pgvector.

use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use career_core::vector::check_filter;
use career_core::{Embedding, Error, ErrorKind, Metadata, Neighbour, Result, VectorIndex, VectorQuery};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, Row};

use super::scan::normalise;
use super::sql::{check_collection, metadata_from_json, metadata_to_json, other_dimensions, without_nul};
use crate::postgres::{begin, committing, error};

/// Most dimensions of pgvector's type `vector`.
const DIMENSIONS_MAX: usize = 16_000;

/// Most dimensions that its index takes.
const INDEXED_MAX: usize = 2_000;

/// How many candidates a search by the index keeps: twice what is asked for, within these.
const CANDIDATES: std::ops::RangeInclusive<usize> = 100..=1_000;

/// A collection of fewer rows is searched exactly, which takes a few milliseconds at most.
const EXACT_BELOW: i64 = 1_000;

/// Rows per statement: a message to the server has at most 1 GB, and a row at most about 200 kB.
const ROWS_PER_STATEMENT: usize = 1_000;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Held while creating; creators at the same time would run into each other's half-made names otherwise.
const CREATION_LOCK: i64 = 0x0063_6172_6565_7276;

/// Vectors in PostgreSQL, searched by pgvector.
///
/// Without a filter the search goes through an HNSW index and may miss some of the best: it keeps
/// `2 * top` candidates, at least 100 and at most 1,000. A search of fewer than 1,000 vectors, with a filter, for more
/// than 500, or with more than 2,000 dimensions (which the index cannot take) is exact and reads every row that matches.
///
/// Vectors are kept with length 1: only their direction is compared.
///
/// ```no_run
/// use career_core::{Embedding, VectorIndex, VectorQuery};
/// use career_store::vectors::PgVectors;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> career_core::Result<()> {
/// let index = PgVectors::open("postgres://career@localhost/career", "public", "messages", 2).await?;
/// index.upsert(vec![Embedding::new("m1", [3.0, 4.0]).with("user", "u1")]).await?;
/// let found = index.nearest(&VectorQuery::new([1.0, 0.0], 5).only("user", "u1")).await?;
/// assert_eq!((found[0].id.as_str(), found[0].similarity), ("m1", 0.6));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct PgVectors {
    pool: PgPool,
    collection: String,
    dimensions: usize,
    statements: Statements,
}

/// The statements, with the names of this collection in them.
#[derive(Debug)]
struct Statements {
    upsert: String,
    delete: String,
    delete_where: String,
    count: String,
    some_rows: String,
    nearest_indexed: String,
    nearest_exact: String,
}

impl PgVectors {
    /// Opens a collection, made when it is missing: the schema, a table `vectors_<collection>` (with `_` for `-`), its
    /// indexes, and the extension `vector`.
    ///
    /// `schema` is of lower-case letters, digits and `_`, at most 63; `collection` is a slug of at most 48 characters;
    /// `dimensions` is in `1..=16000`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] naming the argument, or when the collection was made with another number of dimensions;
    /// [`ErrorKind::Unsupported`] when the server has no pgvector of 0.5 or newer; [`ErrorKind::Denied`] for a wrong
    /// password or missing rights; [`ErrorKind::Unavailable`] when the server cannot be reached within 10 seconds.
    pub async fn open(url: &str, schema: &str, collection: &str, dimensions: usize) -> Result<Self> {
        check_collection(collection, dimensions, DIMENSIONS_MAX)?;
        check_schema(schema)?;
        // The parser's own words may hold the password.
        let expected = "expected a URL such as postgres://user@host/database";
        let options = PgConnectOptions::from_str(url).map_err(|_| Error::invalid(expected).at_field("url"))?;

        // Not through the pool, which waits out its whole timeout for a server that refuses.
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options)).await;
        let connecting = connecting.map_err(|_| Error::new(ErrorKind::Unavailable, "PostgreSQL does not answer"))?;
        let mut connection = connecting.map_err(|e| error(e, "connecting to PostgreSQL"))?;
        let table = format!("{schema}.vectors_{}", collection.replace('-', "_"));
        let extension = create(&mut connection, schema, &table, dimensions).await?;
        let made_with = dimensions_of(&mut connection, &table).await?;
        if i64::try_from(dimensions) != Ok(made_with) {
            return Err(other_dimensions(collection, made_with));
        }
        // Everything is done; a failure to say goodbye changes nothing.
        let _ = connection.close().await;

        let pool = PgPoolOptions::new().max_connections(8).acquire_timeout(CONNECT_TIMEOUT).connect_lazy_with(options);
        let statements = Statements::new(&table, &extension);
        Ok(PgVectors { pool, collection: collection.to_owned(), dimensions, statements })
    }

    async fn nearest_exact(&self, query: &str, filter: &Metadata, top: i64) -> Result<Vec<PgRow>> {
        sqlx::query(AssertSqlSafe(self.statements.nearest_exact.as_str()))
            .bind(query)
            .bind(metadata_to_json(filter))
            .bind(top)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| error(e, "searching vectors"))
    }

    /// Whether reading every row would cost more than the index does. In a small collection, where a few deleted rows
    /// are many of the index's candidates, the exact search is as fast, and misses nothing.
    async fn is_large(&self) -> Result<bool> {
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(self.statements.some_rows.as_str()))
            .bind(EXACT_BELOW)
            .fetch_one(&self.pool)
            .await
            .map_err(|e| error(e, "counting vectors"))?;
        Ok(rows >= EXACT_BELOW)
    }

    async fn nearest_indexed(&self, query: &str, candidates: i64, top: i64) -> Result<Vec<PgRow>> {
        let failed = |e| error(e, "searching vectors by their index");
        let mut transaction = begin(&self.pool, "searching vectors by their index").await?;
        sqlx::query("select set_config('hnsw.ef_search', $1, true)")
            .bind(candidates.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        let rows = sqlx::query(AssertSqlSafe(self.statements.nearest_indexed.as_str()))
            .bind(query)
            .bind(candidates)
            .bind(top)
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(rows)
    }

    fn read(&self, row: &PgRow) -> Result<Neighbour> {
        let failed = |e| error(e, "reading a vector");
        let id: String = row.try_get("id").map_err(failed)?;
        let metadata = row.try_get("metadata").map_err(failed)?;
        let metadata = metadata_from_json(metadata, &self.collection, &id)?;
        Ok(Neighbour::new(id, row.try_get("similarity").map_err(failed)?, metadata))
    }
}

#[async_trait]
impl VectorIndex for PgVectors {
    fn dimensions(&self) -> usize {
        self.dimensions
    }

    async fn upsert(&self, embeddings: Vec<Embedding>) -> Result<()> {
        Embedding::check_all(&embeddings, self.dimensions)?;
        if embeddings.is_empty() {
            return Ok(());
        }
        let failed = |e| error(e, "writing vectors");
        let mut embeddings = Embedding::last_of_each(embeddings);
        // In one order for all writers, so that no two wait for each other's rows.
        embeddings.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let mut transaction = begin(&self.pool, "writing vectors").await?;
        for part in embeddings.chunks(ROWS_PER_STATEMENT) {
            let ids: Vec<&str> = part.iter().map(|embedding| embedding.id.as_str()).collect();
            let metadata: Vec<String> = part.iter().map(|embedding| metadata_to_json(&embedding.metadata)).collect();
            let vectors: Vec<String> = part.iter().map(|embedding| to_text(&embedding.vector)).collect();
            sqlx::query(AssertSqlSafe(self.statements.upsert.as_str()))
                .bind(ids)
                .bind(metadata)
                .bind(vectors)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(|e| committing(failed(e)))
    }

    async fn delete(&self, ids: &[String]) -> Result<u64> {
        let gone = sqlx::query(AssertSqlSafe(self.statements.delete.as_str()))
            .bind(without_nul(ids))
            .execute(&self.pool)
            .await
            .map_err(|e| error(e, "deleting vectors"))?;
        Ok(gone.rows_affected())
    }

    async fn delete_where(&self, filter: &Metadata) -> Result<u64> {
        check_filter(filter, true)?;
        let gone = sqlx::query(AssertSqlSafe(self.statements.delete_where.as_str()))
            .bind(metadata_to_json(filter))
            .execute(&self.pool)
            .await
            .map_err(|e| error(e, "deleting vectors by a filter"))?;
        Ok(gone.rows_affected())
    }

    async fn nearest(&self, query: &VectorQuery) -> Result<Vec<Neighbour>> {
        query.check(self.dimensions)?;
        if query.top == 0 {
            return Ok(Vec::new());
        }
        let text = to_text(&query.vector);
        let top = i64::try_from(query.top).unwrap_or(i64::MAX);
        let candidates = query.top.saturating_mul(2).max(*CANDIDATES.start());
        let by_index = query.filter.is_empty() && self.dimensions <= INDEXED_MAX && CANDIDATES.contains(&candidates);
        let rows = if by_index && self.is_large().await? {
            self.nearest_indexed(&text, i64::try_from(candidates).unwrap_or(i64::MAX), top).await?
        } else {
            Vec::new()
        };
        // The index gives fewer than there are when many of its candidates have just been deleted.
        let rows = if rows.len() < query.top { self.nearest_exact(&text, &query.filter, top).await? } else { rows };
        rows.iter().map(|row| self.read(row)).collect()
    }

    async fn count(&self, filter: &Metadata) -> Result<u64> {
        check_filter(filter, false)?;
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(self.statements.count.as_str()))
            .bind(metadata_to_json(filter))
            .fetch_one(&self.pool)
            .await
            .map_err(|e| error(e, "counting vectors"))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

impl Statements {
    /// `extension` is the schema that pgvector is in, which need not be on the search path.
    fn new(table: &str, extension: &str) -> Self {
        let distance = format!("vector operator({extension}.<=>) $1::{extension}.vector");
        // Single precision before the order, so that what is told as equal is ordered by id.
        let best = "select id, metadata::text as metadata, greatest(-1, least(1, 1 - distance))::real as similarity
             from candidates order by similarity desc, id limit";
        Statements {
            upsert: format!(
                "insert into {table} (id, metadata, vector)
                 select id, metadata::jsonb, vector::{extension}.vector
                 from unnest($1::text[], $2::text[], $3::text[]) as given (id, metadata, vector)
                 on conflict (id) do update set metadata = excluded.metadata, vector = excluded.vector"
            ),
            delete: format!("delete from {table} where id = any($1::text[])"),
            delete_where: format!("delete from {table} where metadata @> $1::jsonb"),
            count: format!("select count(*) from {table} where metadata @> $1::jsonb"),
            some_rows: format!("select count(*) from (select 1 from {table} limit $1) as few"),
            nearest_indexed: format!(
                "with candidates as materialized (
                     select id, metadata, {distance} as distance from {table} order by {distance} limit $2)
                 {best} $3"
            ),
            nearest_exact: format!(
                "with candidates as materialized (
                     select id, metadata, {distance} as distance from {table}
                     where $2::jsonb = '{{}}'::jsonb or metadata @> $2::jsonb)
                 {best} $3"
            ),
        }
    }
}

/// Makes what is missing and gives the schema of the extension, quoted.
async fn create(connection: &mut PgConnection, schema: &str, table: &str, dimensions: usize) -> Result<String> {
    let failed = |e| error(e, "creating the table of vectors");
    let mut transaction = connection.begin().await.map_err(failed)?;
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(CREATION_LOCK)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    sqlx::raw_sql("create extension if not exists vector").execute(&mut *transaction).await.map_err(no_extension)?;
    let extension: String = sqlx::query_scalar(
        "select quote_ident(nspname) from pg_extension join pg_namespace as n on n.oid = extnamespace
         where extname = 'vector'",
    )
    .fetch_one(&mut *transaction)
    .await
    .map_err(failed)?;
    // `if not exists` would ask for the right to create what is there already.
    let (has_schema, has_table): (bool, bool) =
        sqlx::query_as("select to_regnamespace($1) is not null, to_regclass($2) is not null")
            .bind(schema)
            .bind(table)
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed)?;
    if !has_schema {
        let sql = AssertSqlSafe(format!("create schema {schema}"));
        sqlx::raw_sql(sql).execute(&mut *transaction).await.map_err(failed)?;
    }
    if !has_table {
        let mut sql = format!(
            r#"create table {table} (
                   id text collate "C" primary key,
                   metadata jsonb not null,
                   vector {extension}.vector({dimensions}) not null);
               create index on {table} using gin (metadata jsonb_path_ops);"#
        );
        if dimensions <= INDEXED_MAX {
            sql += &format!("create index on {table} using hnsw (vector {extension}.vector_cosine_ops);");
        }
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await.map_err(no_extension)?;
    }
    transaction.commit().await.map_err(failed)?;
    Ok(extension)
}

/// Tells a server without the extension, or with one that knows no HNSW, from other failures.
fn no_extension(problem: sqlx::Error) -> Error {
    let code = problem.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // feature_not_supported, undefined_file, undefined_object
    if matches!(code.as_deref(), Some("0A000" | "58P01" | "42704")) {
        let message = "the PostgreSQL server needs the extension pgvector, 0.5 or newer";
        return Error::new(ErrorKind::Unsupported, message).with_source(problem);
    }
    error(problem, "creating the extension and the table of vectors")
}

async fn dimensions_of(connection: &mut PgConnection, table: &str) -> Result<i64> {
    sqlx::query_scalar(
        "select atttypmod::bigint from pg_attribute where attrelid = to_regclass($1) and attname = 'vector'",
    )
    .bind(table)
    .fetch_one(connection)
    .await
    .map_err(|e| error(e, "reading the dimensions of a collection"))
}

/// The name goes into statements as it is.
fn check_schema(schema: &str) -> Result<()> {
    let is_name = schema.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if is_name && schema.len() <= 63 && schema.starts_with(|c: char| !c.is_ascii_digit()) {
        return Ok(());
    }
    let expected = "expected 1 to 63 lower-case letters, digits and `_`, no digit first";
    Err(Error::invalid(expected).at_field("schema"))
}

/// How pgvector reads a vector; made one of length 1, because pgvector adds up squares in single precision.
fn to_text(vector: &[f32]) -> String {
    use std::fmt::Write;

    let mut vector = vector.to_vec();
    normalise(&mut vector);
    let mut text = String::with_capacity(vector.len() * 12 + 2);
    let mut separator = '[';
    for number in vector {
        // Writing to a string does not fail.
        let _ = write!(text, "{separator}{number:e}");
        separator = ',';
    }
    text.push(']');
    text
}
