//! The schema of the library's own kinds, one file for each step and database. A step that was released never
//! changes; a new one follows it.

use std::borrow::Cow;

use career_core::{Error, ErrorKind, Result};
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

fn migrator(steps: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(*version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(steps.iter().map(migration).collect())
}

/// The steps for SQLite.
#[cfg(feature = "sqlite")]
pub(crate) fn sqlite() -> Migrator {
    migrator(&[(1, "records", include_str!("../migrations/sqlite/0001_records.sql"))])
}

/// The steps for PostgreSQL.
#[cfg(feature = "postgres")]
pub(crate) fn postgres() -> Migrator {
    migrator(&[(1, "records", include_str!("../migrations/postgres/0001_records.sql"))])
}

/// Whether the steps that a database has are those of this library.
pub(crate) fn check_up_to_date(known: &Migrator, applied: &[i64]) -> Result<()> {
    let known: Vec<i64> = known.iter().map(|migration| migration.version).collect();
    match applied.iter().find(|version| !known.contains(version)) {
        Some(version) => Err(newer(*version)),
        None if applied.len() == known.len() => Ok(()),
        None => {
            let message = "an older version of this library made it: open it once with the right to migrate";
            Err(Error::new(ErrorKind::Unsupported, message))
        }
    }
}

/// What it means that the steps could not be taken, other than that the database failed.
pub(crate) fn refusal(error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => newer(version),
        other => Error::new(ErrorKind::Unsupported, "its migrations are not those of this library").with_source(other),
    }
}

fn newer(version: i64) -> Error {
    let message = format!("a newer version of this library made it: it has migration {version}");
    Error::new(ErrorKind::Unsupported, message)
}
