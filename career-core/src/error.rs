//! The one error type: what kind, during what, where, and why.

use std::fmt;

/// A specialised result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong; decides what a caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value or a document breaks a rule of the domain. Mend the input; a retry gives the same answer.
    Invalid,
    /// What was asked for does not exist.
    NotFound,
    /// Two things claim the same identity, a version moved, or a reference does not hold;
    /// [`Error::conflict`] says which.
    Conflict,
    /// The move is not allowed from the present state.
    IllegalState,
    /// Two amounts cannot be combined: other currencies or periods.
    Mismatch,
    /// The implementation cannot do this.
    Unsupported,
    /// A backend cannot be reached or is overloaded, and nothing was done; the same call may succeed later.
    Unavailable,
    /// A commit was sent and no answer came: it may have happened or not. Look before sending it again.
    Indeterminate,
    /// What is kept cannot be read: a damaged file, a document that no longer parses, a blob of another hash.
    Corrupt,
    /// The backend refuses: a read-only file, missing rights, a wrong password.
    Denied,
    /// Reading a file or another outside resource failed.
    Io,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ErrorKind::Invalid => "invalid",
            ErrorKind::NotFound => "not found",
            ErrorKind::Conflict => "conflict",
            ErrorKind::IllegalState => "illegal state",
            ErrorKind::Mismatch => "mismatch",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Indeterminate => "indeterminate",
            ErrorKind::Corrupt => "corrupt",
            ErrorKind::Denied => "denied",
            ErrorKind::Io => "io",
        })
    }
}

/// Where in the input a problem stands.
///
/// Every part is optional, and only the known ones are shown: `careers.json: row 3: field `salary.entry``.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Name of the file or data set, as the caller gave it.
    pub file: Option<String>,
    /// Row or element, counted from 1; for a CSV file the line of the record.
    pub row: Option<u64>,
    /// Path of the field, such as `salary.entry` or `skills[2].level`.
    pub field: Option<String>,
}

impl Place {
    /// A place that names only a field.
    pub fn field(field: impl Into<String>) -> Self {
        Place { field: Some(field.into()), ..Place::default() }
    }

    fn is_unknown(&self) -> bool {
        self.file.is_none() && self.row.is_none() && self.field.is_none()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if let Some(file) = &self.file {
            write!(f, "{file}")?;
            separator = ": ";
        }
        if let Some(row) = self.row {
            write!(f, "{separator}row {row}")?;
            separator = ": ";
        }
        if let Some(field) = &self.field {
            write!(f, "{separator}field `{field}`")?;
        }
        Ok(())
    }
}

/// What a write collided with.
///
/// Kinds and keys are named as their store names them; ids are the ids that the caller gave.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conflict {
    /// A record of this kind and id is there already.
    Exists {
        /// Its kind.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// Another record holds the same values of these unique keys.
    Unique {
        /// The kind of both.
        kind: &'static str,
        /// The id of the record that was to be written.
        id: String,
        /// The keys that must differ together.
        keys: &'static [&'static str],
    },
    /// The record is not at the version that the caller read.
    Version {
        /// Its kind.
        kind: &'static str,
        /// Its id.
        id: String,
        /// The version that the caller read.
        expected: u64,
        /// The version that is there; `None` when the record is gone.
        found: Option<u64>,
    },
    /// The record refers to one that does not exist.
    Missing {
        /// Its kind.
        kind: &'static str,
        /// Its id.
        id: String,
        /// The key that refers.
        key: &'static str,
        /// The kind it refers to.
        references: &'static str,
    },
    /// Another record still refers to this one.
    Referenced {
        /// Its kind.
        kind: &'static str,
        /// Its id.
        id: String,
    },
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Conflict::Exists { kind, id } => write!(f, "{kind} {id} is there already"),
            Conflict::Unique { kind, id, keys } => {
                write!(f, "{kind} {id}: another record has the same {}", keys.join(" and "))
            }
            Conflict::Version { kind, id, expected, found: Some(found) } => {
                write!(f, "{kind} {id} is at version {found}, not at {expected} as expected")
            }
            Conflict::Version { kind, id, expected, found: None } => {
                write!(f, "{kind} {id} does not exist, expected it at version {expected}")
            }
            Conflict::Missing { kind, id, key, references } => {
                write!(f, "{kind} {id}: its {key} is not among the {references}")
            }
            Conflict::Referenced { kind, id } => write!(f, "{kind} {id} is still referred to"),
        }
    }
}

/// The error of every fallible function in this crate and of every port.
///
/// `Display` says the place and the message and does not repeat the source; walk
/// [`std::error::Error::source`] for the cause. Messages name rules and fields, never what a person wrote.
///
/// ```
/// use career_core::{Error, ErrorKind};
///
/// let error = Error::invalid("expected a value from 0 to 1").at_field("skills[2].importance");
/// assert_eq!(error.kind(), ErrorKind::Invalid);
/// assert_eq!(error.to_string(), "field `skills[2].importance`: expected a value from 0 to 1");
/// ```
#[derive(thiserror::Error)]
#[error("{}{message}", PlacePrefix(place))]
pub struct Error {
    kind: ErrorKind,
    message: String,
    // Boxed: most results carry neither, and a small error keeps `Result` small.
    place: Box<Place>,
    conflict: Option<Box<Conflict>>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync + 'static>>,
}

struct PlacePrefix<'a>(&'a Place);

impl fmt::Display for PlacePrefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_unknown() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("place", &self.place)
            .field("source", &self.source)
            .finish()
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        let mut error = Error::new(ErrorKind::Conflict, conflict.to_string());
        error.conflict = Some(Box::new(conflict));
        error
    }
}

impl Error {
    /// An error of the given kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), place: Box::default(), conflict: None, source: None }
    }

    /// An error of kind [`ErrorKind::Invalid`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Invalid, message)
    }

    /// An error of kind [`ErrorKind::NotFound`] that names what was looked for.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Error::new(ErrorKind::NotFound, format!("{what} does not exist"))
    }

    /// Attaches the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Names the field. A field already named is kept as the inner part of the path.
    #[must_use]
    pub fn at_field(mut self, field: impl Into<String>) -> Self {
        let outer = field.into();
        self.place.field = Some(match self.place.field.take() {
            Some(inner) if inner.starts_with('[') => format!("{outer}{inner}"),
            Some(inner) => format!("{outer}.{inner}"),
            None => outer,
        });
        self
    }

    /// Names the row, counted from 1.
    #[must_use]
    pub fn at_row(mut self, row: u64) -> Self {
        self.place.row = Some(row);
        self
    }

    /// Names the file or data set.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.place.file = Some(file.into());
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Where it stands in the input.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What a write collided with, for an error of kind [`ErrorKind::Conflict`] that a store gave.
    pub fn conflict(&self) -> Option<&Conflict> {
        self.conflict.as_deref()
    }

    /// The message without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the same call may succeed later without a change, and is safe to repeat.
    pub fn is_temporary(&self) -> bool {
        self.kind == ErrorKind::Unavailable
    }

    /// Reads a document, naming the field that does not fit.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] with the path of the field and what was expected there, never what was found: that
    /// may be what a person wrote.
    pub fn parse_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
        // Following the path costs about as much as parsing: only a document that does not fit pays for it.
        if let Ok(value) = serde_json::from_str(text) {
            return Ok(value);
        }
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = serde_path_to_error::deserialize(&mut deserializer).map_err(Error::from_json)?;
        deserializer.end().map_err(|error| Error::invalid(without_found_value(&error)))?;
        Ok(value)
    }

    /// An error from parsing JSON, with the path of the field and without the value that was found there.
    ///
    /// What a parser says of the unexpected value may be what a person wrote; the part that says what was
    /// expected is kept.
    pub(crate) fn from_json(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let error = Error::invalid(without_found_value(&inner));
        if path == "." { error } else { error.at_field(path) }
    }
}

/// Keeps what a JSON parser expected and the position, drops the value that it found.
fn without_found_value(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let body = text.strip_suffix(position.as_str()).unwrap_or(&text);
    let found = ["invalid type: ", "invalid value: ", "unknown variant ", "invalid length "];
    let body = match body.find(", expected ") {
        Some(at) if found.iter().any(|f| body.starts_with(f)) => &body[at + 2..],
        _ => body,
    };
    if error.line() == 0 { body.to_owned() } else { format!("{body}{position}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_file_row_and_field_once() {
        let inner = std::io::Error::other("disk on fire");
        let error = Error::invalid("too low")
            .at_field("entry")
            .at_field("salary")
            .at_row(3)
            .in_file("a.csv")
            .with_source(inner);
        assert_eq!(error.to_string(), "a.csv: row 3: field `salary.entry`: too low");
        assert_eq!(std::error::Error::source(&error).map(ToString::to_string).as_deref(), Some("disk on fire"));
        let indexed = Error::invalid("no").at_field("[2]").at_field("skills");
        assert_eq!(indexed.place().field.as_deref(), Some("skills[2]"));
    }

    #[test]
    fn json_errors_keep_the_expectation_and_drop_what_was_found() {
        let parse = |text: &str| {
            let mut de = serde_json::Deserializer::from_str(text);
            Error::from_json(serde_path_to_error::deserialize::<_, Vec<u8>>(&mut de).expect_err("must fail"))
        };
        let error = parse("[1, \"my secret\"]");
        assert_eq!(error.to_string(), "field `[1]`: expected u8 at line 1 column 15");
        assert!(parse("[1, 2").to_string().contains("EOF"));
    }
}
