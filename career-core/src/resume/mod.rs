//! Resumes and cover letters, and the document that a resume is.

pub mod document;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::macros::checked_string;
use crate::user::Sha256Hex;
use crate::{Error, Id, Job, Result, User};

pub use document::ResumeDocument;

fn partial_date(text: &str) -> Result<&str> {
    let expected = || Error::invalid("expected a date: `2024`, `2024-06` or `2024-06-30`");
    let digits = |part: &str, len: usize| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let shape = digits(year, 4) && month.is_none_or(|m| digits(m, 2)) && day.is_none_or(|d| digits(d, 2));
    if !shape || parts.next().is_some() {
        return Err(expected());
    }
    let whole = format!("{year}-{}-{}", month.unwrap_or("01"), day.unwrap_or("01"));
    whole.parse::<jiff::civil::Date>().map(|_| text).map_err(|_| expected())
}

checked_string! {
    /// A date that may lack its day, or its month and day: `2024`, `2024-06`, `2024-06-30`.
    pub struct PartialDate(partial_date);
}

/// A resume of a person: the document, its version, and the file it was read from.
///
/// `Debug` shows nothing of the document.
#[derive(Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Resume {
    /// Identity; the same for all versions.
    #[builder(default = Id::new())]
    pub id: Id<Resume>,
    /// Whose it is.
    pub owner: Id<User>,
    /// Counts up with each change.
    #[builder(default = 1)]
    pub version: u32,
    /// The file it was read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceFile>,
    /// What it says.
    pub document: ResumeDocument,
    /// When this version was made.
    pub at: Timestamp,
}

impl fmt::Debug for Resume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resume").field("id", &self.id).field("version", &self.version).finish_non_exhaustive()
    }
}

/// A file that was uploaded, by the hash of its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceFile {
    /// The hash of its content.
    pub sha256: Sha256Hex,
    /// Its media type, such as `application/pdf`.
    pub media_type: String,
    /// Its length in bytes.
    pub bytes: u64,
}

impl SourceFile {
    /// A file by hash, media type and length.
    pub fn new(sha256: Sha256Hex, media_type: impl Into<String>, bytes: u64) -> Self {
        SourceFile { sha256, media_type: media_type.into(), bytes }
    }
}

/// A letter that goes with an application. `Debug` does not show its text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CoverLetter {
    /// Identity.
    #[builder(default = Id::new())]
    pub id: Id<CoverLetter>,
    /// Whose it is.
    pub owner: Id<User>,
    /// For which job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Id<Job>>,
    /// The resume that it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Id<Resume>>,
    /// The letter.
    pub text: String,
    /// When it was made.
    pub at: Timestamp,
}

impl fmt::Debug for CoverLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoverLetter").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::document::Basics;
    use super::*;

    #[test]
    fn nothing_of_a_document_is_lost() {
        let text = r#"{
            "basics": { "name": "N", "location": { "postalCode": "1", "planet": "Earth" } },
            "work": [{ "name": "W", "startDate": "2013-12", "highlights": ["h"] }],
            "projects": [{ "type": "application", "endDate": "2020" }],
            "x-own": { "a": [1] }
        }"#;
        let document: ResumeDocument = serde_json::from_str(text).expect("parses");
        assert_eq!(document.work[0].start_date.as_ref().map(PartialDate::as_str), Some("2013-12"));
        let back = serde_json::to_value(&document).expect("serialises");
        assert_eq!(back, serde_json::from_str::<serde_json::Value>(text).expect("parses"));
    }

    #[test]
    fn dates_are_real_and_may_be_partial() {
        for good in ["2024", "2024-02", "2024-02-29"] {
            assert!(PartialDate::new(good).is_ok(), "{good}");
        }
        for bad in ["", "24", "2024-13", "2023-02-29", "2024-1-1", "2024-01-01-01", "2024/01"] {
            assert!(PartialDate::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_document() {
        let document = ResumeDocument::builder().basics(Basics::builder().name("Somebody").build()).build();
        let resume = Resume::builder().owner(Id::new()).document(document).at(Timestamp::UNIX_EPOCH).build();
        assert!(!format!("{resume:?}").contains("Somebody"));
    }
}
