//! What an error of PostgreSQL means to a caller. Said once, here.

use career_core::{Error, ErrorKind};

/// A transaction that cannot be put in line with another; see
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html> for all of these.
pub(super) const SERIALIZATION_FAILURE: &str = "40001";
/// Two transactions that waited for each other.
pub(super) const DEADLOCK_DETECTED: &str = "40P01";

/// An error of PostgreSQL while doing `what`.
pub(crate) fn error(error: sqlx::Error, what: &str) -> Error {
    let (kind, message) = match &error {
        sqlx::Error::PoolTimedOut => (ErrorKind::Unavailable, "no connection became free in time"),
        sqlx::Error::PoolClosed => (ErrorKind::Unavailable, "the store is closed"),
        sqlx::Error::Io(_) => (ErrorKind::Unavailable, "the server cannot be reached"),
        sqlx::Error::Tls(_) => (ErrorKind::Unavailable, "the server cannot be reached over TLS"),
        sqlx::Error::Protocol(_) => (ErrorKind::Unavailable, "the connection broke"),
        sqlx::Error::WorkerCrashed => (ErrorKind::Unavailable, "the connection ended"),
        sqlx::Error::Configuration(_) => (ErrorKind::Invalid, "the server cannot be asked so"),
        sqlx::Error::Database(database) => by_code(&database.code().unwrap_or_default()),
        _ => (ErrorKind::Io, "the server failed"),
    };
    Error::new(kind, format!("{what}: {message}")).with_source(error)
}

fn by_code(code: &str) -> (ErrorKind, &'static str) {
    match code {
        SERIALIZATION_FAILURE | DEADLOCK_DETECTED => (ErrorKind::Unavailable, "others were in the way again and again"),
        "25006" => (ErrorKind::Denied, "the server is read-only"),
        "42501" => (ErrorKind::Denied, "the server denies this to its user"),
        "42P01" => (ErrorKind::Unsupported, "the store was opened without this kind"),
        "3D000" => (ErrorKind::NotFound, "there is no such database"),
        "0A000" => (ErrorKind::Unsupported, "the server lacks what this needs"),
        "57014" => (ErrorKind::Unavailable, "the server gave up waiting"),
        "22P05" | "22021" | "22P02" => (ErrorKind::Invalid, "the server cannot keep this text"),
        _ => match code.get(..2) {
            // The server is stopping, starting or out of connections, memory or space.
            Some("08" | "53" | "57") => (ErrorKind::Unavailable, "the server cannot take it now"),
            Some("28") => (ErrorKind::Denied, "the server does not know this user or password"),
            Some("XX" | "58") => (ErrorKind::Corrupt, "the server found damage"),
            _ => (ErrorKind::Io, "the server refused"),
        },
    }
}
