//! Resumes, in the shape of JSON Resume 1.0, and cover letters.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::macros::checked_string;
use crate::user::Sha256Hex;
use crate::{Error, Id, Job, Result, User};

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

/// Fields that the schema does not name; kept as they are.
pub type OtherFields = serde_json::Map<String, serde_json::Value>;

/// What a resume says: a JSON Resume 1.0 document. Fields that the schema does not name are kept.
///
/// `Debug` of its sections shows what they say; `Debug` of a [`Resume`] does not.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ResumeDocument {
    /// Address of the schema.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Who it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basics: Option<Basics>,
    /// Work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub work: Vec<WorkEntry>,
    /// Voluntary work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub volunteer: Vec<VolunteerEntry>,
    /// Education.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub education: Vec<EducationEntry>,
    /// Awards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub awards: Vec<Award>,
    /// Certificates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub certificates: Vec<Certificate>,
    /// Publications.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub publications: Vec<Publication>,
    /// Skills.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub skills: Vec<SkillEntry>,
    /// Languages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub languages: Vec<LanguageEntry>,
    /// Interests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub interests: Vec<InterestEntry>,
    /// References.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub references: Vec<Reference>,
    /// Projects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub projects: Vec<Project>,
    /// About the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// Who it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Basics {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they do, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A few sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Where they live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<PostalLocation>,
    /// Profiles on networks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub profiles: Vec<NetworkProfile>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PostalLocation {
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Country, by its ISO 3166-1 alpha-2 code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_code: Option<String>,
    /// Region or state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// A profile on a network.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct NetworkProfile {
    /// The network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The name there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The address there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// A position held.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct WorkEntry {
    /// The employer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What the employer does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// The employer's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<PartialDate>,
    /// Until when; missing while it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<PartialDate>,
    /// A few sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What was achieved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub highlights: Vec<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// Voluntary work.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct VolunteerEntry {
    /// For whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// Its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<PartialDate>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<PartialDate>,
    /// A few sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What was achieved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub highlights: Vec<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// A course of study.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EducationEntry {
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub institution: Option<String>,
    /// Its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// The kind of study, such as Bachelor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub study_type: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<PartialDate>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<PartialDate>,
    /// The grade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<String>,
    /// Courses taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub courses: Vec<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// An award.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Award {
    /// What for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<PartialDate>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awarder: Option<String>,
    /// A few sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Certificate {
    /// Of what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<PartialDate>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// A publication.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Publication {
    /// Title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Publisher.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_date: Option<PartialDate>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A few sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// A skill, as a resume names it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SkillEntry {
    /// The skill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How well, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// What belongs to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub keywords: Vec<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// A language.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct LanguageEntry {
    /// Which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fluency: Option<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// An interest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct InterestEntry {
    /// Which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What belongs to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub keywords: Vec<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// What someone says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Reference {
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Project {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A few sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What was achieved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub highlights: Vec<String>,
    /// Keywords.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub keywords: Vec<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<PartialDate>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<PartialDate>,
    /// Its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Roles in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub roles: Vec<String>,
    /// For whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// What kind.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

/// About the document.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Meta {
    /// Where its newest version is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Fields that the schema does not name.
    #[serde(flatten)]
    #[builder(default)]
    pub other: OtherFields,
}

#[cfg(test)]
mod tests {
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
