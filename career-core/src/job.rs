//! Jobs as they are after normalisation.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::macros::named_enum;
use crate::{ExperienceLevel, Id, PayRange, PlaceName, Remote, SkillNeed, Skills};

named_enum! {
    /// How one is employed.
    #[non_exhaustive]
    pub enum EmploymentType {
        /// Full time.
        FullTime = "full-time",
        /// Part time.
        PartTime = "part-time",
        /// For a fixed time.
        Contract = "contract",
        /// An internship or apprenticeship.
        Internship = "internship",
        /// Freelance.
        Freelance = "freelance",
    }
}

/// Where a posting was found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PostingRef {
    /// The board.
    pub board: String,
    /// Its identity there.
    pub external_id: String,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl PostingRef {
    /// A posting on a board.
    pub fn new(board: impl Into<String>, external_id: impl Into<String>, url: Option<String>) -> Self {
        PostingRef { board: board.into(), external_id: external_id.into(), url }
    }
}

/// A job that is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Job {
    /// Identity.
    #[builder(default = Id::new())]
    pub id: Id<Job>,
    /// Its title.
    pub title: String,
    /// Who offers it.
    pub company: String,
    /// What it is, as plain text.
    #[serde(default)]
    #[builder(default)]
    pub description: String,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub locations: Vec<PlaceName>,
    /// How much can be done from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Remote>,
    /// What it pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay: Option<PayRange>,
    /// How experienced one has to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seniority: Option<ExperienceLevel>,
    /// How one is employed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employment: Option<EmploymentType>,
    /// Skills that it needs.
    #[serde(default)]
    #[builder(default)]
    pub skills: Skills<SkillNeed>,
    /// Where it was found; several when boards carry the same job.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub postings: Vec<PostingRef>,
    /// When it was posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_at: Option<Timestamp>,
    /// When it closes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}
