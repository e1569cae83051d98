//! The schema of the library's own kinds, one file for each step and database. A step that was released never
//! changes; a new one follows it.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

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
