//! What a resume says, in the shape of JSON Resume 1.0.

use serde::{Deserialize, Serialize};

use super::PartialDate;

/// Fields that the schema does not name; kept as they are.
pub type OtherFields = serde_json::Map<String, serde_json::Value>;

/// What a resume says: a JSON Resume 1.0 document. Fields that the schema does not name are kept.
///
/// `Debug` of its sections shows what they say; `Debug` of a [`Resume`](super::Resume) does not.
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
