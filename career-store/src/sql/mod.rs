//! What the SQL backends share: statements made from a kind's keys, and running them. A dialect says where the two
//! databases differ; nothing else does.

pub(crate) mod claim;
pub(crate) mod read;
pub(crate) mod schema;
pub(crate) mod write;

use career_core::store::{Document, Key, KeyType, KeyValue, Kind};
use career_core::{Error, ErrorKind, Result};
use sqlx::error::DatabaseError;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Database, Executor, IntoArguments};

use crate::clock;

/// A database that statements run on.
pub(crate) trait Backend: Database
where
    for<'c> &'c mut Self::Connection: Executor<'c, Database = Self>,
    Self::Arguments: IntoArguments<Self>,
{
    const DIALECT: Dialect;

    fn arguments(values: Vec<Argument>) -> Result<Self::Arguments>;
    fn int(row: &Self::Row, column: usize) -> Result<Option<i64>, sqlx::Error>;
    fn text(row: &Self::Row, column: usize) -> Result<Option<String>, sqlx::Error>;
    /// What a write of this kind collided with, if that is what the error says.
    fn collision(error: &dyn DatabaseError, kind: &'static Kind) -> Option<Collision>;
    /// The error of a statement, said once.
    fn error(error: sqlx::Error, what: &str) -> Error;
}

/// What a write collided with, as far as the database says.
pub(crate) enum Collision {
    /// The id is there already.
    Exists,
    Unique(&'static [&'static str]),
    /// The key, where the database names it.
    Reference(Option<&'static Key>),
}

/// Where the databases differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

/// A value that is bound to a statement.
#[derive(Debug)]
pub(crate) enum Argument {
    Int(Option<i64>),
    Text(Option<String>),
}

impl Argument {
    /// A key's value as its column holds it: times are microseconds of the Unix epoch.
    pub(crate) fn of(value: KeyValue, holds: KeyType) -> Self {
        match (value, holds) {
            (KeyValue::Text(text), _) => Argument::Text(Some(text)),
            (KeyValue::Int(number), _) => Argument::Int(Some(number)),
            (KeyValue::Time(time), _) => Argument::Int(Some(time.as_microsecond())),
            (_, KeyType::Text) => Argument::Text(None),
            _ => Argument::Int(None),
        }
    }
}

/// A statement and what is bound to it. Everything from outside is bound; the text is made of the names of kinds and
/// keys, which are program text and checked by [`Kind::check`].
#[derive(Debug, Default)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) arguments: Vec<Argument>,
}

impl Statement {
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Binds a value and writes its placeholder.
    pub(crate) fn bind(&mut self, value: Argument) -> &mut Self {
        self.arguments.push(value);
        self.push(&format!("${}", self.arguments.len()))
    }

    fn query<D: Backend>(self) -> Result<Query<'static, D, D::Arguments>>
    where
        for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
        D::Arguments: IntoArguments<D>,
    {
        let arguments = D::arguments(self.arguments)?;
        Ok(sqlx::query_with(AssertSqlSafe(self.text), arguments))
    }

    pub(crate) async fn all<D: Backend>(self, connection: &mut D::Connection, what: &str) -> Result<Vec<D::Row>>
    where
        for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
        D::Arguments: IntoArguments<D>,
    {
        self.query::<D>()?.fetch_all(connection).await.map_err(|error| D::error(error, what))
    }

    pub(crate) async fn execute<D: Backend>(self, connection: &mut D::Connection) -> Result<Result<(), sqlx::Error>>
    where
        for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
        D::Arguments: IntoArguments<D>,
    {
        Ok(self.query::<D>()?.execute(connection).await.map(drop))
    }

    /// The row of a statement that only reads. What comes after the first row is not waited for.
    pub(crate) async fn first<D: Backend>(
        self,
        connection: &mut D::Connection,
    ) -> Result<Result<Option<D::Row>, sqlx::Error>>
    where
        for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
        D::Arguments: IntoArguments<D>,
    {
        Ok(self.query::<D>()?.fetch_optional(connection).await)
    }

    /// The row of a statement that writes.
    pub(crate) async fn optional<D: Backend>(
        self,
        connection: &mut D::Connection,
    ) -> Result<Result<Option<D::Row>, sqlx::Error>>
    where
        for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
        D::Arguments: IntoArguments<D>,
    {
        // To the end: SQLite commits, and says that it could not, only after the last row.
        Ok(self.query::<D>()?.fetch_all(connection).await.map(|rows| rows.into_iter().next()))
    }
}

/// The columns of a document, in the order in which [`document`] reads them.
pub(crate) fn document_columns(dialect: Dialect) -> &'static str {
    match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => "id, version, created, updated, body",
        #[cfg(feature = "postgres")]
        Dialect::Postgres => "id, version, created, updated, body::text",
    }
}

/// How many columns [`document_columns`] names.
pub(crate) const DOCUMENT_COLUMNS: usize = 5;

/// Reads a document from a row that begins with [`document_columns`].
pub(crate) fn document<D: Backend>(row: &D::Row, kind: &Kind) -> Result<Document>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    let read = || {
        let text = |column| D::text(row, column)?.ok_or_else(empty);
        let int = |column| D::int(row, column)?.ok_or_else(empty);
        let time = |column| clock::from_micros(int(column)?).ok_or_else(out_of_range);
        let version = u64::try_from(int(1)?).map_err(|_| out_of_range())?;
        Ok(Document::new(text(0)?, version, time(2)?, time(3)?, text(4)?))
    };
    read().map_err(|error: sqlx::Error| damaged(kind, error))
}

fn empty() -> sqlx::Error {
    sqlx::Error::Decode("a column is empty".into())
}

pub(crate) fn out_of_range() -> sqlx::Error {
    sqlx::Error::Decode("a number is out of range".into())
}

/// A row whose columns do not hold what they should.
pub(crate) fn damaged(kind: &Kind, error: sqlx::Error) -> Error {
    Error::new(ErrorKind::Corrupt, format!("a row of {} does not hold what it should", kind.name)).with_source(error)
}
