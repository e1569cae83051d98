//! What an error of SQLite means to a caller. Said once, here.

use career_core::{Error, ErrorKind};

/// The primary result codes that tell callers apart; see <https://sqlite.org/rescode.html>.
const PERM: u32 = 3;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const AUTH: u32 = 23;
const NOTADB: u32 = 26;

/// An error of SQLite while doing `what`.
pub(crate) fn error(error: sqlx::Error, what: &str) -> Error {
    let (kind, message) = match &error {
        sqlx::Error::PoolTimedOut => (ErrorKind::Unavailable, "no connection became free in time".to_owned()),
        sqlx::Error::PoolClosed => (ErrorKind::Unavailable, "the store is closed".to_owned()),
        sqlx::Error::Database(database) => {
            // The code is a number that carries the primary code in its low byte.
            let code = database.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
            match code {
                Some(BUSY | LOCKED) => (ErrorKind::Unavailable, "the database is locked".to_owned()),
                Some(READONLY) => (ErrorKind::Denied, "the database is read-only".to_owned()),
                Some(PERM | AUTH) => (ErrorKind::Denied, "access to the database is denied".to_owned()),
                Some(CORRUPT) => (ErrorKind::Corrupt, "the database file is damaged".to_owned()),
                Some(NOTADB) => (ErrorKind::Corrupt, "the file is not a database".to_owned()),
                Some(CANTOPEN) => (ErrorKind::NotFound, "the database file cannot be opened".to_owned()),
                Some(FULL) => (ErrorKind::Io, "the disk is full".to_owned()),
                Some(IOERR) => (ErrorKind::Io, "the disk failed".to_owned()),
                _ if database.message().starts_with("no such table") => {
                    (ErrorKind::Unsupported, "the store was opened without this kind".to_owned())
                }
                _ => (ErrorKind::Io, "the database refused".to_owned()),
            }
        }
        sqlx::Error::Io(_) => (ErrorKind::Io, "the disk failed".to_owned()),
        sqlx::Error::WorkerCrashed => (ErrorKind::Indeterminate, "the connection ended before it answered".to_owned()),
        _ => (ErrorKind::Io, "the database failed".to_owned()),
    };
    Error::new(kind, format!("{what}: {message}")).with_source(error)
}
