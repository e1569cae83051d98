//! What an error of PostgreSQL means to a caller. Said once, here.

use career_core::{Error, ErrorKind};

/// A transaction that cannot be put in line with another; see
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html> for all of these.
pub(super) const SERIALIZATION_FAILURE: &str = "40001";
/// Two transactions that waited for each other.
pub(super) const DEADLOCK_DETECTED: &str = "40P01";

/// Classes of errors whose messages are about connections, rights, names, locks and resources, and show no values.
const SAYS_NO_VALUES: &[&str] = &["08", "28", "40", "42", "53", "57"];

/// What the server said, without the values that it may show: its details name keys with what they hold, and so may
/// the messages of other classes.
#[derive(Debug)]
pub(super) struct ServerError {
    pub(super) code: String,
    message: Option<String>,
}

impl std::fmt::Display for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SQLSTATE {}", self.code)?;
        self.message.as_ref().map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}

impl std::error::Error for ServerError {}

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
    let said = Error::new(kind, format!("{what}: {message}"));
    match error.as_database_error() {
        Some(database) => {
            let code = database.code().unwrap_or_default().into_owned();
            let class = code.get(..2).unwrap_or_default();
            let message = SAYS_NO_VALUES.contains(&class).then(|| database.message().to_owned());
            said.with_source(ServerError { code, message })
        }
        None => said.with_source(error),
    }
}

fn by_code(code: &str) -> (ErrorKind, &'static str) {
    match code {
        SERIALIZATION_FAILURE | DEADLOCK_DETECTED => (ErrorKind::Unavailable, "others were in the way again and again"),
        "25006" => (ErrorKind::Denied, "the server is read-only"),
        "42501" => (ErrorKind::Denied, "the server denies this to its user"),
        "42P01" => (ErrorKind::Unsupported, "the store was opened without this kind"),
        "3D000" => (ErrorKind::NotFound, "there is no such database"),
        "0A000" => (ErrorKind::Unsupported, "the server lacks what this needs"),
        "08007" | "40003" => (ErrorKind::Indeterminate, "the server does not know whether it happened"),
        "55P03" => (ErrorKind::Unavailable, "a lock was not to be had in time"),
        "58030" => (ErrorKind::Io, "the disk of the server failed"),
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
