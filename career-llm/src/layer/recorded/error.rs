//! What can be wrong with a cassette.

use std::path::PathBuf;
use std::sync::Arc;

/// What is wrong with a cassette. It shows no text of a conversation.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CassetteError {
    /// The file cannot be read or written.
    #[error("cassette {}: cannot be read or written", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The first line is not that of a cassette of this version.
    #[error("cassette {}:1: expected the first line of a cassette of version {expected}", path.display())]
    Header {
        /// Which file.
        path: PathBuf,
        /// The version that is read.
        expected: u32,
    },
    /// It was recorded from another model.
    #[error("cassette {}: recorded from {recorded}, not from {asked}", path.display())]
    Model {
        /// Which file.
        path: PathBuf,
        /// Whose it is.
        recorded: String,
        /// Who was to be played or recorded.
        asked: String,
    },
    /// The last line does not end: what wrote it was stopped. Delete the line.
    #[error("cassette {}:{line}: the line is cut", path.display())]
    Cut {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// A line is no recorded call.
    #[error("cassette {}:{line}:{column}: the line is no recorded call", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Where in the line, from 1.
        column: usize,
    },
    /// The request was not recorded.
    #[error("cassette {}: the request is not on it; {difference}", path.display())]
    Unknown {
        /// Which file.
        path: PathBuf,
        /// How it differs from the recorded request most like it.
        difference: String,
    },
    /// The request was recorded less often than it is asked.
    #[error("cassette {}: the request was recorded {times} times, and all of them are played", path.display())]
    Exhausted {
        /// Which file.
        path: PathBuf,
        /// How often it was recorded.
        times: usize,
    },
}
