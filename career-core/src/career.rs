//! Careers and the entrance exams that lead to them.

use serde::{Deserialize, Serialize};

use crate::macros::{named_enum, small_number};
use crate::{
    CareerId, CategoryId, Education, ExamId, OccupationCodes, Outlook, Riasec, SalaryBands, SkillNeed, Skills, Stream,
    StreamSet, Subject, Tag, WorkConditions, WorkStyle, WorkValues,
};

/// A career: what the work is, who it suits, how one gets there, and what it pays.
///
/// Only what identifies it is required; whatever is unknown is left out and counts as no evidence when
/// careers are ranked. JSON has the names of the fields.
///
/// ```
/// use career_core::{Career, CareerId, Riasec, Stream};
///
/// let baker = Career::builder()
///     .id(CareerId::new("baker")?)
///     .title("Baker")
///     .streams([Stream::Vocational].into_iter().collect())
///     .riasec(Riasec::new([0.9, 0.2, 0.6, 0.3, 0.4, 0.4])?)
///     .build();
/// assert_eq!(baker.title, "Baker");
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Career {
    /// Identity within the catalogue.
    pub id: CareerId,
    /// Usual name.
    pub title: String,
    /// Other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub aliases: Vec<String>,
    /// Category; a catalogue file gives its own to the careers in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryId>,
    /// What one does, in a few sentences.
    #[serde(default)]
    #[builder(default)]
    pub description: String,
    /// Streams from which the usual route is open; none means unknown.
    #[serde(default)]
    #[builder(default)]
    pub streams: StreamSet,
    /// Topics of interest that the work feeds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub tags: Vec<Tag>,
    /// Interest profile of the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub riasec: Option<Riasec>,
    /// Usual pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salary: Option<SalaryBands>,
    /// What the work is like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<WorkConditions>,
    /// Education that it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub education: Option<Education>,
    /// Entrance exams on the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub exams: Vec<ExamId>,
    /// Institutions known for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub institutions: Vec<Institution>,
    /// Skills that it needs.
    #[serde(default)]
    #[builder(default)]
    pub skills: Skills<SkillNeed>,
    /// Needs that it meets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<WorkValues>,
    /// Personal styles that matter in it, the most important first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub styles: Vec<WorkStyle>,
    /// Where demand is heading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlook: Option<Outlook>,
    /// What speaks for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub pros: Vec<String>,
    /// What speaks against it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub cons: Vec<String>,
    /// Whom it suits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub suitable_for: Vec<String>,
    /// Neighbouring careers in the same catalogue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub alternatives: Vec<CareerId>,
    /// Codes in the public classifications.
    #[serde(default)]
    #[builder(default)]
    pub codes: OccupationCodes,
    /// Where the figures come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
}

/// A school, college or university.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Institution {
    /// Its name.
    pub name: String,
    /// Its city.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
}

impl Institution {
    /// An institution, with its city or without.
    pub fn new(name: impl Into<String>, city: Option<String>) -> Self {
        Institution { name: name.into(), city }
    }
}

/// Where figures come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Figures {
    /// The year they are of.
    pub as_of: i16,
    /// What they are and what they rest on.
    pub source: String,
}

impl Figures {
    /// Figures of a year, and what they rest on.
    pub fn new(as_of: i16, source: impl Into<String>) -> Self {
        Figures { as_of, source: source.into() }
    }
}

named_enum! {
    /// Who holds an exam, and how far it reaches.
    #[non_exhaustive]
    pub enum ExamLevel {
        /// All of the country.
        National = "national",
        /// One state.
        State = "state",
        /// One university or group of institutions.
        University = "university",
        /// A professional body.
        Professional = "professional",
        /// Several countries.
        International = "international",
    }
}

named_enum! {
    /// What one must have finished to sit an exam.
    #[non_exhaustive]
    pub enum ExamAfter {
        /// Class 10.
        Class10 = "class-10",
        /// Class 12.
        Class12 = "class-12",
        /// A first degree.
        Bachelor = "bachelor",
        /// A second degree.
        Master = "master",
        /// A qualification of a professional body.
        Professional = "professional",
    }
}

named_enum! {
    /// How an exam is held.
    #[non_exhaustive]
    pub enum ExamMode {
        /// At a computer.
        Computer = "computer",
        /// On paper.
        Paper = "paper",
        /// In several ways.
        Mixed = "mixed",
        /// Tests of the body.
        Physical = "physical",
        /// An interview.
        Interview = "interview",
        /// A portfolio or a studio test.
        Portfolio = "portfolio",
    }
}

small_number! {
    /// A month of the year.
    pub struct Month(1..=12, "expected a month from 1 to 12");
}

/// An entrance exam, or a family of them that differ by place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Exam {
    /// Identity within the catalogue.
    pub id: ExamId,
    /// Usual name.
    pub name: String,
    /// Name in full.
    pub full_name: String,
    /// Other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub aliases: Vec<String>,
    /// Who holds it.
    pub conducting_body: String,
    /// How far it reaches.
    pub level: ExamLevel,
    /// What one must have finished to sit it.
    pub after: ExamAfter,
    /// Months in which it is usually held.
    pub usual_months: Vec<Month>,
    /// Streams from which it is usually taken.
    #[serde(default)]
    #[builder(default)]
    pub streams: StreamSet,
    /// What is tested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub subjects: Vec<Subject>,
    /// How it is held.
    pub mode: ExamMode,
    /// How often a year.
    pub times_a_year: u8,
    /// What it opens.
    pub leads_to: String,
    /// What is tested and how, in a sentence or two.
    #[serde(default)]
    #[builder(default)]
    pub description: String,
    /// The year this is written of.
    pub as_of: i16,
}

impl Exam {
    /// Whether one can sit it from this stream.
    pub fn open_to(&self, stream: Stream) -> bool {
        self.streams.contains(stream)
    }
}
