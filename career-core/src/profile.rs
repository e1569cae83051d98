//! A person's profile: what guidance rests on, each field with where it came from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::macros::named_enum;
use crate::{
    Balance, EducationLevel, Error, HeldSkill, LanguageTag, PayRange, PlaceName, Remote, Result, Riasec, SkillName,
    Skills, Stream, Stress, Subject, SubjectMark, Tag, Travel, WorkValues,
};

named_enum! {
    /// How far a person is in working life. Each level is paid by its own salary band.
    #[derive(Default)]
    #[expect(clippy::exhaustive_enums, reason = "one for each salary band")]
    pub enum ExperienceLevel {
        /// New to the work.
        #[default]
        Junior = "junior",
        /// In mid-career.
        Mid = "mid",
        /// Senior.
        Senior = "senior",
    }
}

named_enum! {
    /// Where a piece of a profile came from.
    #[non_exhaustive]
    pub enum Source {
        /// The person said so.
        Stated = "stated",
        /// Read from a resume.
        Resume = "resume",
        /// Gathered from a conversation.
        Conversation = "conversation",
        /// Imported from another system.
        Imported = "imported",
    }
}

/// Where a field came from, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Origin {
    /// Where from.
    pub source: Source,
    /// When.
    pub at: Timestamp,
}

impl Origin {
    /// An origin at a moment.
    pub const fn new(source: Source, at: Timestamp) -> Self {
        Origin { source, at }
    }

    /// Said by the person now.
    pub fn stated_now() -> Self {
        Origin::new(Source::Stated, Timestamp::now())
    }
}

/// What a person wants of work. What is not said does not count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct WorkPreferences {
    /// How much remote work is wished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<Remote>,
    /// The most travel that is fine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub travel: Option<Travel>,
    /// The most hours a week that are fine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_hours: Option<u8>,
    /// The most stress that is fine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stress: Option<Stress>,
    /// The least work-life balance that is fine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_balance: Option<Balance>,
}

/// A person as guidance sees them.
///
/// There is deliberately no field for a name, gender, photograph, religion, caste or college: none of these
/// may enter a score. `metadata` is free for the host and is never read here.
///
/// ```
/// use career_core::Profile;
///
/// let student = Profile::from_json(r#"{
///     "education": "grade-11", "stream": "pcm",
///     "riasec": {"r": 0.4, "i": 0.9, "a": 0.3, "s": 0.2, "e": 0.3, "c": 0.6},
///     "skills": [{"name": "Python", "level": 3}]
/// }"#)?;
/// assert_eq!(student.skills.len(), 1);
///
/// let error = Profile::from_json(r#"{"skills": [{"name": "Python", "level": 9}]}"#).unwrap_err();
/// assert!(error.to_string().starts_with("field `skills[0].level`: expected a level from 1 to 5"));
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Profile {
    /// Where the person stands in education.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub education: Option<EducationLevel>,
    /// Stream of classes 11 and 12, taken or intended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
    /// Subjects, with marks where known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub subjects: Vec<SubjectMark>,
    /// Topics of interest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub tags: Vec<Tag>,
    /// Interest profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub riasec: Option<Riasec>,
    /// Skills held.
    #[builder(default)]
    pub skills: Skills<HeldSkill>,
    /// How far in working life; junior where not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experience: Option<ExperienceLevel>,
    /// Whole years of work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub years: Option<u8>,
    /// Pay that is wished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salary: Option<PayRange>,
    /// What is wished of the work.
    #[builder(default)]
    pub work: WorkPreferences,
    /// Places where the person would work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub locations: Vec<PlaceName>,
    /// Whether the person would move elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relocate: Option<bool>,
    /// Languages spoken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub languages: Vec<LanguageTag>,
    /// What is wanted of work, as six needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<WorkValues>,
    /// The person in a few sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The profile as a vector, of whatever model the host embeds candidates with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Vec<f32>>,
    /// Whatever else the host keeps; never read by scoring.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[builder(default)]
    pub metadata: BTreeMap<String, serde_json::Value>,
    /// Where each field came from, by the names that [`Fact::field`] gives. A field without an entry counts as
    /// stated by the person.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[builder(default)]
    pub origins: BTreeMap<String, Origin>,
}

/// One thing known of a person, for [`Profile::learn`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "field", content = "value", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fact {
    /// Where the person stands in education.
    Education(EducationLevel),
    /// The stream.
    Stream(Stream),
    /// A subject, perhaps with its mark.
    Subject(SubjectMark),
    /// A topic of interest.
    Tag(Tag),
    /// The interest profile.
    Riasec(Riasec),
    /// A skill.
    Skill(HeldSkill),
    /// How far in working life.
    Experience(ExperienceLevel),
    /// Whole years of work.
    Years(u8),
    /// Pay that is wished.
    Salary(PayRange),
    /// Remote work that is wished.
    Remote(Remote),
    /// The most travel that is fine.
    Travel(Travel),
    /// The most hours a week that are fine.
    MaxHours(u8),
    /// The most stress that is fine.
    MaxStress(Stress),
    /// The least balance that is fine.
    MinBalance(Balance),
    /// A place where the person would work.
    Location(PlaceName),
    /// Whether the person would move.
    Relocate(bool),
    /// A language spoken.
    Language(LanguageTag),
    /// What is wanted of work.
    Values(WorkValues),
    /// The person in a few sentences.
    Summary(String),
}

impl Fact {
    /// The field it sets, as [`Profile::origins`] names it: `stream`, `skills/python`, `work.max-stress`.
    pub fn field(&self) -> String {
        match self {
            Fact::Education(_) => "education".into(),
            Fact::Stream(_) => "stream".into(),
            Fact::Subject(mark) => subject_field(&mark.subject),
            Fact::Tag(tag) => format!("tags/{tag}"),
            Fact::Riasec(_) => "riasec".into(),
            Fact::Skill(skill) => skill_field(&skill.name),
            Fact::Experience(_) => "experience".into(),
            Fact::Years(_) => "years".into(),
            Fact::Salary(_) => "salary".into(),
            Fact::Remote(_) => "work.remote".into(),
            Fact::Travel(_) => "work.travel".into(),
            Fact::MaxHours(_) => "work.max-hours".into(),
            Fact::MaxStress(_) => "work.max-stress".into(),
            Fact::MinBalance(_) => "work.min-balance".into(),
            Fact::Location(place) => format!("locations/{}", place.as_str().to_lowercase()),
            Fact::Relocate(_) => "relocate".into(),
            Fact::Language(language) => format!("languages/{language}"),
            Fact::Values(_) => "values".into(),
            Fact::Summary(_) => "summary".into(),
        }
    }
}

fn subject_field(subject: &Subject) -> String {
    format!("subjects/{subject}")
}

fn skill_field(name: &SkillName) -> String {
    format!("skills/{}", name.as_str().to_lowercase())
}

/// What became of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Learned {
    /// The profile did not have it and has it now.
    Added,
    /// The profile had another value and has this one now.
    Updated,
    /// The profile had this value already; nothing changed.
    Known,
    /// What the person stated, or what is newer, stands; nothing changed.
    Kept,
}

impl Profile {
    /// Reads a profile from JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) naming the path of the field and what was expected
    /// there, never what was found.
    pub fn from_json(text: &str) -> Result<Self> {
        Error::parse_json(text)
    }

    /// How far in working life: what is said, else from the years (under 3 junior, under 8 mid), else junior.
    pub fn experience_level(&self) -> ExperienceLevel {
        self.experience.unwrap_or(match self.years {
            Some(8..) => ExperienceLevel::Senior,
            Some(3..) => ExperienceLevel::Mid,
            _ => ExperienceLevel::Junior,
        })
    }

    /// Takes in a fact, and where it came from, unless the profile knows better.
    ///
    /// What the person stated is only replaced by what the person states. Among other sources the newer wins.
    ///
    /// ```
    /// use career_core::{Fact, Learned, Origin, Profile, Source, Stream};
    /// use jiff::Timestamp;
    ///
    /// let mut profile = Profile::default();
    /// let now = Timestamp::now();
    /// let told = Origin::new(Source::Stated, now);
    /// let guessed = Origin::new(Source::Conversation, now);
    /// assert_eq!(profile.learn(Fact::Stream(Stream::Pcm), told), Learned::Added);
    /// assert_eq!(profile.learn(Fact::Stream(Stream::Arts), guessed), Learned::Kept);
    /// assert_eq!(profile.stream, Some(Stream::Pcm));
    /// ```
    pub fn learn(&mut self, fact: Fact, origin: Origin) -> Learned {
        let field = fact.field();
        let present = self.has(&fact);
        if present {
            let held = self.origins.get(&field);
            let held_is_stated = held.is_none_or(|held| held.source == Source::Stated);
            let newer_is_held = held.is_some_and(|held| held.at > origin.at);
            if origin.source != Source::Stated && (held_is_stated || newer_is_held) {
                return Learned::Kept;
            }
        }
        let changed = self.set(fact);
        self.origins.insert(field, origin);
        match (present, changed) {
            (false, _) => Learned::Added,
            (true, true) => Learned::Updated,
            (true, false) => Learned::Known,
        }
    }

    /// Whether the profile has a value in the field that the fact sets.
    fn has(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Education(_) => self.education.is_some(),
            Fact::Stream(_) => self.stream.is_some(),
            Fact::Subject(mark) => self.subjects.iter().any(|held| held.subject == mark.subject),
            Fact::Tag(tag) => self.tags.contains(tag),
            Fact::Riasec(_) => self.riasec.is_some(),
            Fact::Skill(skill) => self.skills.find(&skill.name).is_some(),
            Fact::Experience(_) => self.experience.is_some(),
            Fact::Years(_) => self.years.is_some(),
            Fact::Salary(_) => self.salary.is_some(),
            Fact::Remote(_) => self.work.remote.is_some(),
            Fact::Travel(_) => self.work.travel.is_some(),
            Fact::MaxHours(_) => self.work.max_hours.is_some(),
            Fact::MaxStress(_) => self.work.max_stress.is_some(),
            Fact::MinBalance(_) => self.work.min_balance.is_some(),
            Fact::Location(place) => self.locations.iter().any(|held| held.same(place)),
            Fact::Relocate(_) => self.relocate.is_some(),
            Fact::Language(language) => self.languages.contains(language),
            Fact::Values(_) => self.values.is_some(),
            Fact::Summary(_) => self.summary.is_some(),
        }
    }

    /// Sets the field; says whether its value changed.
    fn set(&mut self, fact: Fact) -> bool {
        fn put<T: PartialEq>(field: &mut Option<T>, value: T) -> bool {
            let changed = field.as_ref() != Some(&value);
            *field = Some(value);
            changed
        }
        fn add<T: PartialEq>(list: &mut Vec<T>, value: T) -> bool {
            let missing = !list.contains(&value);
            if missing {
                list.push(value);
            }
            missing
        }
        match fact {
            Fact::Education(value) => put(&mut self.education, value),
            Fact::Stream(value) => put(&mut self.stream, value),
            Fact::Subject(mark) => match self.subjects.iter_mut().find(|held| held.subject == mark.subject) {
                Some(held) => {
                    let changed = *held != mark;
                    *held = mark;
                    changed
                }
                None => add(&mut self.subjects, mark),
            },
            Fact::Tag(tag) => add(&mut self.tags, tag),
            Fact::Riasec(value) => put(&mut self.riasec, value),
            Fact::Skill(skill) => {
                let level = skill.level;
                self.skills.set(skill).is_none_or(|old| old.level != level)
            }
            Fact::Experience(value) => put(&mut self.experience, value),
            Fact::Years(value) => put(&mut self.years, value),
            Fact::Salary(value) => put(&mut self.salary, value),
            Fact::Remote(value) => put(&mut self.work.remote, value),
            Fact::Travel(value) => put(&mut self.work.travel, value),
            Fact::MaxHours(value) => put(&mut self.work.max_hours, value),
            Fact::MaxStress(value) => put(&mut self.work.max_stress, value),
            Fact::MinBalance(value) => put(&mut self.work.min_balance, value),
            Fact::Location(place) => {
                let known = self.locations.iter().any(|held| held.same(&place));
                if !known {
                    self.locations.push(place);
                }
                !known
            }
            Fact::Relocate(value) => put(&mut self.relocate, value),
            Fact::Language(language) => add(&mut self.languages, language),
            Fact::Values(value) => put(&mut self.values, value),
            Fact::Summary(value) => put(&mut self.summary, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SkillLevel;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn python(level: u8) -> Fact {
        let name = SkillName::new("Python").expect("valid");
        Fact::Skill(HeldSkill::new(name, SkillLevel::new(level).expect("1 to 5")))
    }

    #[test]
    fn what_is_stated_outlives_what_is_gathered() {
        let mut profile = Profile::default();
        assert_eq!(profile.learn(python(2), Origin::new(Source::Resume, at(10))), Learned::Added);
        assert_eq!(profile.learn(python(3), Origin::new(Source::Conversation, at(20))), Learned::Updated);
        assert_eq!(profile.learn(python(1), Origin::new(Source::Imported, at(15))), Learned::Kept, "older");
        assert_eq!(profile.learn(python(4), Origin::new(Source::Stated, at(5))), Learned::Updated);
        assert_eq!(profile.learn(python(5), Origin::new(Source::Resume, at(99))), Learned::Kept, "stated stands");
        assert_eq!(profile.learn(python(4), Origin::new(Source::Stated, at(100))), Learned::Known);
        assert_eq!(profile.skills[0].level.get(), 4);
        assert_eq!(profile.origins["skills/python"].source, Source::Stated);
    }

    #[test]
    fn a_field_without_origin_counts_as_stated() {
        let mut profile = Profile { stream: Some(Stream::Arts), ..Profile::default() };
        assert_eq!(profile.learn(Fact::Stream(Stream::Pcm), Origin::new(Source::Imported, at(1))), Learned::Kept);
        assert_eq!(profile.stream, Some(Stream::Arts));
    }

    #[test]
    fn errors_name_the_path_and_not_the_value() {
        for (json, start) in [
            (r#"{"stream":"my secret"}"#, "field `stream`: expected one of `pcm`"),
            (
                r#"{"riasec":{"r":1,"i":2,"a":0,"s":0,"e":0,"c":0}}"#,
                "field `riasec`: field `i`: expected a value from 0 to 1",
            ),
            (r#"{"salary":{"currency":"INR","min":5,"max":1}}"#, "field `salary`: field `max`: expected"),
            (r#"{"skils":[]}"#, "field `skils`: unknown field"),
            (r#"{"work":{"max_stress":7}}"#, "field `work.max_stress`: expected"),
            (r#"{} x"#, "trailing characters at line 1 column 4"),
        ] {
            let error = Profile::from_json(json).expect_err(json).to_string();
            assert!(error.starts_with(start), "{json} gave {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn experience_follows_the_years_unless_said() {
        let level = |years, said| Profile { years, experience: said, ..Profile::default() }.experience_level();
        assert_eq!(level(None, None), ExperienceLevel::Junior);
        assert_eq!(level(Some(3), None), ExperienceLevel::Mid);
        assert_eq!(level(Some(8), None), ExperienceLevel::Senior);
        assert_eq!(level(Some(30), Some(ExperienceLevel::Junior)), ExperienceLevel::Junior);
    }
}
