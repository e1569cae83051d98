//! PostgreSQL as a database that the common statements run on.

use career_core::store::Kind;
use career_core::{Error, Result};
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, Postgres, Row};

use crate::sql::{Argument, Backend, Collision, Dialect, schema};

impl Backend for Postgres {
    const DIALECT: Dialect = Dialect::Postgres;

    fn arguments(values: Vec<Argument>) -> Result<PgArguments> {
        let mut arguments = PgArguments::default();
        for value in values {
            let added = match value {
                Argument::Int(number) => arguments.add(number),
                Argument::Text(text) => arguments.add(text),
            };
            added.map_err(|error| Error::invalid("a value cannot be bound").with_source(error))?;
        }
        Ok(arguments)
    }

    fn int(row: &PgRow, column: usize) -> Result<Option<i64>, sqlx::Error> {
        row.try_get(column)
    }

    fn text(row: &PgRow, column: usize) -> Result<Option<String>, sqlx::Error> {
        row.try_get(column)
    }

    fn collision(error: &dyn DatabaseError, kind: &'static Kind) -> Option<Collision> {
        let constraint = error.constraint()?;
        if error.is_foreign_key_violation() {
            let key = kind.keys.iter().find(|key| schema::reference_name(kind, key) == constraint);
            return Some(Collision::Reference(key));
        }
        if constraint == format!("{}_pkey", kind.name) {
            return Some(Collision::Exists);
        }
        let set = kind.unique.iter().find(|set| schema::unique_name(kind, set) == constraint)?;
        Some(Collision::Unique(set))
    }

    fn error(error: sqlx::Error, what: &str) -> Error {
        super::error(error, what)
    }
}
