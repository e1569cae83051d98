//! Checked strings: slugs, tags, places, languages, identities of candidates.

use crate::macros::checked_string;
use crate::{Error, Result};

/// Most characters in a slug.
pub const SLUG_MAX: usize = 64;

fn slug(text: &str) -> Result<&str> {
    let parts_are_fine = text
        .split('-')
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    if parts_are_fine && text.len() <= SLUG_MAX {
        Ok(text)
    } else {
        Err(Error::invalid("expected a slug: lower-case letters, digits and single hyphens, 1 to 64 characters"))
    }
}

pub(crate) fn line(text: &str, max: usize) -> Result<&str> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > max || text.chars().any(char::is_control) {
        return Err(Error::invalid(format!("expected one line of 1 to {max} characters")));
    }
    Ok(text)
}

fn place_name(text: &str) -> Result<&str> {
    line(text, 80)
}

fn candidate_id(text: &str) -> Result<&str> {
    line(text, 256)
}

checked_string! {
    /// Identity of a career in a catalogue: a slug such as `data-scientist`.
    ///
    /// ```
    /// use career_core::CareerId;
    /// assert!(CareerId::new("data-scientist").is_ok());
    /// assert!(CareerId::new("Data Scientist").is_err());
    /// ```
    pub struct CareerId(slug);
}

checked_string! {
    /// Identity of an entrance exam: a slug such as `jee-main`.
    pub struct ExamId(slug);
}

checked_string! {
    /// Identity of a category of careers: a slug such as `engineering`.
    pub struct CategoryId(slug);
}

checked_string! {
    /// A topic of interest: a slug such as `helping-people`. Catalogues and profiles share the vocabulary.
    pub struct Tag(slug);
}

checked_string! {
    /// A school subject: a slug such as `computer-science`.
    pub struct Subject(slug);
}

checked_string! {
    /// Name of a place where one lives or works, such as a city. Compared without case.
    pub struct PlaceName(place_name);
}

checked_string! {
    /// A language by its BCP 47 tag in lower case, such as `hi` or `en-in`.
    pub struct LanguageTag(slug);
}

checked_string! {
    /// Identity of anything that can be ranked: the slug of a career, an occupation code, the id of a job.
    /// One line, 1 to 256 characters.
    pub struct CandidateId(candidate_id);
}

impl PlaceName {
    /// Whether both name the same place: equal but for case.
    pub fn same(&self, other: &PlaceName) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
            || self.as_str().to_lowercase() == other.as_str().to_lowercase()
    }
}

impl From<&CareerId> for CandidateId {
    fn from(id: &CareerId) -> Self {
        CandidateId(id.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_follow_the_pattern() {
        for good in ["a", "a1", "data-scientist", "b2b", &"x".repeat(64)] {
            assert!(CareerId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a--b", "A", "a b", "ä", "a_b", &"x".repeat(65)] {
            assert!(CareerId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_identity_is_one_trimmed_line() {
        assert_eq!(CandidateId::new(" 15-2051.00 ").expect("valid").as_str(), "15-2051.00");
        assert!(CandidateId::new("a\nb").is_err());
        assert!(CandidateId::new(" ").is_err());
        assert!(CandidateId::new("x".repeat(257)).is_err());
    }
}
