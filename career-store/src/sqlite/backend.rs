//! SQLite as a database that the common statements run on.

use career_core::store::Kind;
use career_core::{Error, Result};
use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, Row, Sqlite};

use crate::sql::{Argument, Backend, Collision, Dialect};

impl Backend for Sqlite {
    const DIALECT: Dialect = Dialect::Sqlite;

    fn arguments(values: Vec<Argument>) -> Result<SqliteArguments> {
        let mut arguments = SqliteArguments::default();
        for value in values {
            let added = match value {
                Argument::Int(number) => arguments.add(number),
                Argument::Text(text) => arguments.add(text),
            };
            added.map_err(|error| Error::invalid("a value cannot be bound").with_source(error))?;
        }
        Ok(arguments)
    }

    fn int(row: &SqliteRow, column: usize) -> Result<Option<i64>, sqlx::Error> {
        row.try_get(column)
    }

    fn text(row: &SqliteRow, column: usize) -> Result<Option<String>, sqlx::Error> {
        row.try_get(column)
    }

    fn collision(error: &dyn DatabaseError, kind: &'static Kind) -> Option<Collision> {
        if error.is_foreign_key_violation() {
            return Some(Collision::Reference(None));
        }
        // "UNIQUE constraint failed: messages.conversation, messages.sequence"
        let columns = error.message().split_once("UNIQUE constraint failed: ")?.1;
        let columns: Vec<&str> =
            columns.split(", ").map(|column| column.rsplit('.').next().unwrap_or(column)).collect();
        if columns == ["id"] {
            return Some(Collision::Exists);
        }
        kind.unique.iter().find(|set| ***set == *columns).map(|set| Collision::Unique(set))
    }

    fn error(error: sqlx::Error, what: &str) -> Error {
        super::error(error, what)
    }
}
