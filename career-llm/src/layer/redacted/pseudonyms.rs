//! What is to be hidden.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::detect::Detector;
use super::matcher::{Matcher, is_worth_it};
use crate::{ChatRequest, Result};

/// What a term is: the placeholder says so, that the model can speak of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TermKind {
    /// A person.
    Name,
    /// A school, a college, an employer.
    School,
    /// A place, an address.
    Place,
    /// An email address.
    Email,
    /// A phone number.
    Phone,
    /// A number of a document, of a roll.
    Id,
    /// An address in the web.
    Url,
    /// Something else.
    Other,
}

impl TermKind {
    /// The word in its placeholders.
    pub(super) fn label(self) -> &'static str {
        match self {
            TermKind::Name => "NAME",
            TermKind::School => "SCHOOL",
            TermKind::Place => "PLACE",
            TermKind::Email => "EMAIL",
            TermKind::Phone => "PHONE",
            TermKind::Id => "ID",
            TermKind::Url => "URL",
            TermKind::Other => "TERM",
        }
    }
}

/// What is to be hidden: terms, and what is found besides. A clone shares them; `Debug` shows only how many.
///
/// ```
/// use career_llm::layer::{Detector, Pseudonyms, TermKind};
///
/// let hidden = Pseudonyms::new()
///     .person("Given Surname")
///     .person("नाम उपनाम")
///     .school("Hill School")
///     .term(TermKind::Id, "roll 4711")
///     .with_detectors([Detector::Email, Detector::Phone]);
/// assert_eq!(format!("{hidden:?}"), "Pseudonyms(8 terms)");
/// ```
#[derive(Clone)]
pub struct Pseudonyms {
    pub(super) terms: Arc<Vec<(TermKind, String)>>,
    pub(super) detectors: Arc<[Detector]>,
    pub(super) matcher: Arc<Matcher>,
}

impl Default for Pseudonyms {
    fn default() -> Self {
        Pseudonyms::new()
    }
}

impl Pseudonyms {
    /// No terms; emails, phone numbers, Aadhaar and PAN numbers are found.
    pub fn new() -> Self {
        let detectors = [Detector::Email, Detector::Phone, Detector::Aadhaar, Detector::Pan];
        Pseudonyms { terms: Arc::default(), detectors: detectors.into(), matcher: Arc::default() }
    }

    /// One more term. One that is there, or has fewer than two letters or digits, changes nothing.
    #[must_use]
    pub fn term(mut self, kind: TermKind, term: impl AsRef<str>) -> Self {
        let term = term.as_ref().trim();
        if is_worth_it(term) && !self.matcher.knows(term) {
            let terms = Arc::make_mut(&mut self.terms);
            Arc::make_mut(&mut self.matcher).add(term, terms.len());
            terms.push((kind, term.to_owned()));
        }
        self
    }

    /// A person: the whole name, and each word of it, since people are called by one. Each is hidden wherever it
    /// stands, also where it is an everyday word.
    #[must_use]
    pub fn person(self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        let whole = self.term(TermKind::Name, name);
        name.split_whitespace().fold(whole, |all, word| {
            let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
            all.term(TermKind::Name, word)
        })
    }

    /// A school, a college, an employer: the whole name.
    #[must_use]
    pub fn school(self, name: impl AsRef<str>) -> Self {
        self.term(TermKind::School, name)
    }

    /// Finds these, and no others.
    #[must_use]
    pub fn with_detectors(mut self, detectors: impl IntoIterator<Item = Detector>) -> Self {
        self.detectors = detectors.into_iter().collect();
        self
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pseudonyms({} terms)", self.terms.len())
    }
}

/// Says what is to be hidden in a call.
///
/// A host implements it over its users, by [`on_behalf_of`](ChatRequest::on_behalf_of). [`Pseudonyms`] is the same for
/// every call.
#[async_trait]
pub trait PseudonymsOf: Send + Sync + 'static {
    /// What is to be hidden in this request.
    ///
    /// # Errors
    ///
    /// What keeps it from knowing. The call then fails: it is not sent with names.
    async fn of(&self, request: &ChatRequest) -> Result<Pseudonyms>;
}

#[async_trait]
impl PseudonymsOf for Pseudonyms {
    async fn of(&self, _: &ChatRequest) -> Result<Pseudonyms> {
        Ok(self.clone())
    }
}
