//! Education: streams, levels, degrees, subjects and marks, and how much preparation work needs.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::macros::{named_enum, small_number};
use crate::{Subject, Unit};

named_enum! {
    /// A stream of classes 11 and 12.
    #[non_exhaustive]
    pub enum Stream {
        /// Physics, chemistry, mathematics.
        Pcm = "pcm",
        /// Physics, chemistry, biology.
        Pcb = "pcb",
        /// Physics, chemistry, mathematics and biology: opens what PCM opens and what PCB opens.
        Pcmb = "pcmb",
        /// Commerce with mathematics.
        CommerceMaths = "commerce-maths",
        /// Commerce without mathematics.
        Commerce = "commerce",
        /// Arts and humanities.
        Arts = "arts",
        /// Vocational: ITI, polytechnic, skill courses.
        Vocational = "vocational",
    }
}

/// A set of streams.
///
/// ```
/// use career_core::{Stream, StreamSet};
///
/// let set: StreamSet = [Stream::Pcm, Stream::Pcmb].into_iter().collect();
/// assert!(set.contains(Stream::Pcm));
/// assert_eq!(set.to_string(), "pcm, pcmb");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Stream>", into = "Vec<Stream>")]
pub struct StreamSet(u8);

impl StreamSet {
    /// No stream.
    pub const EMPTY: StreamSet = StreamSet(0);

    /// Whether the stream is in the set.
    pub const fn contains(self, stream: Stream) -> bool {
        self.0 & (1 << stream as u8) != 0
    }

    /// Whether no stream is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds a stream.
    pub const fn insert(&mut self, stream: Stream) {
        self.0 |= 1 << stream as u8;
    }

    /// One bit for each stream, in the order of [`Stream::ALL`] from the lowest bit.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The streams in order.
    pub fn iter(self) -> impl Iterator<Item = Stream> {
        Stream::ALL.iter().copied().filter(move |stream| self.contains(*stream))
    }
}

impl FromIterator<Stream> for StreamSet {
    fn from_iter<I: IntoIterator<Item = Stream>>(streams: I) -> Self {
        let mut set = StreamSet::EMPTY;
        streams.into_iter().for_each(|stream| set.insert(stream));
        set
    }
}

impl From<Vec<Stream>> for StreamSet {
    fn from(streams: Vec<Stream>) -> Self {
        streams.into_iter().collect()
    }
}

impl From<StreamSet> for Vec<Stream> {
    fn from(set: StreamSet) -> Self {
        set.iter().collect()
    }
}

impl fmt::Debug for StreamSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for StreamSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, stream) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            f.write_str(stream.as_str())?;
        }
        Ok(())
    }
}

impl schemars::JsonSchema for StreamSet {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "StreamSet".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let stream = generator.subschema_for::<Stream>();
        schemars::json_schema!({ "type": "array", "items": stream, "uniqueItems": true })
    }
}

named_enum! {
    /// Where a person stands in education.
    #[non_exhaustive]
    pub enum EducationLevel {
        /// In class 9.
        Grade9 = "grade-9",
        /// In class 10.
        Grade10 = "grade-10",
        /// In class 11.
        Grade11 = "grade-11",
        /// In class 12.
        Grade12 = "grade-12",
        /// In or with a diploma (polytechnic, ITI).
        Diploma = "diploma",
        /// In a first degree.
        Undergraduate = "undergraduate",
        /// With a first degree.
        Graduate = "graduate",
        /// At work.
        Working = "working",
    }
}

named_enum! {
    /// Level of a qualification.
    #[non_exhaustive]
    pub enum DegreeLevel {
        /// A certificate of months to two years, such as an ITI trade certificate.
        Certificate = "certificate",
        /// A diploma, such as a three-year polytechnic course.
        Diploma = "diploma",
        /// A first degree.
        Bachelor = "bachelor",
        /// A second degree.
        Master = "master",
        /// A doctorate.
        Doctorate = "doctorate",
        /// A qualification of a professional body, such as chartered accountant or commercial pilot licence.
        Professional = "professional",
    }
}

/// A qualification that leads to a career.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Degree {
    /// Its level.
    pub level: DegreeLevel,
    /// Its usual name.
    pub name: String,
    /// Whether it merely helps. What is not optional is needed, or is one of several ways in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

impl Degree {
    /// A degree that is needed.
    pub fn new(level: DegreeLevel, name: impl Into<String>) -> Self {
        Degree { level, name: name.into(), optional: false }
    }
}

small_number! {
    /// How much preparation work needs, 1 (little or none) to 5 (extensive): O*NET's job zones.
    pub struct JobZone(1..=5, "expected a job zone from 1 to 5");
}

/// The education that a career asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Education {
    /// Qualifications, the usual one first.
    pub degrees: Vec<Degree>,
    /// Subjects of classes 11 and 12 that matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<Subject>,
    /// Years of study after class 12 on the usual shortest route.
    pub years: u8,
    /// How much preparation it takes in all.
    pub job_zone: JobZone,
}

impl Education {
    /// The education that a career asks for, with no particular subject.
    pub fn new(degrees: Vec<Degree>, years: u8, job_zone: JobZone) -> Self {
        Education { degrees, subjects: Vec::new(), years, job_zone }
    }
}

/// A subject that a person takes or took, with the mark where it is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SubjectMark {
    /// The subject.
    pub subject: Subject,
    /// The mark as a share of full marks, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Unit>,
}

impl SubjectMark {
    /// A subject, with a mark or without.
    pub const fn new(subject: Subject, mark: Option<Unit>) -> Self {
        SubjectMark { subject, mark }
    }
}
