//! The servers that tests need, by the variables that name them. Without them a test says aloud that it skipped; on a
//! machine that has `CI` set a skip is a failure.

#![allow(dead_code, clippy::allow_attributes, reason = "every test file uses some of these")]

use std::io::Write;

fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{name} is not set, and in CI nothing is skipped");
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        // Straight to the terminal: a test's own output is shown only when it fails.
        writeln!(std::io::stderr(), "SKIPPED: {test}: {name} is not set").expect("stderr is open");
    }
    value
}

/// PostgreSQL with the extension `vector`.
pub(crate) fn postgres() -> Option<String> {
    variable("DATABASE_URL")
}

/// A PostgreSQL that a test may restart, and the command that does so.
pub(crate) fn restartable_postgres() -> Option<(String, String)> {
    Some((variable("CAREER_RESTARTABLE_POSTGRES")?, variable("CAREER_RESTART_POSTGRES")?))
}

/// Redis.
pub(crate) fn redis() -> Option<String> {
    variable("REDIS_URL")
}

/// The endpoint of an S3, and a bucket there.
pub(crate) fn s3() -> Option<(String, String)> {
    Some((variable("S3_ENDPOINT")?, variable("S3_BUCKET")?))
}
