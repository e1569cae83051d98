//! Career plans: what to focus on, year by year.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{CareerId, Id, SkillName, User};

/// A plan towards a career, year by year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CareerPlan {
    /// Identity.
    #[builder(default = Id::new())]
    pub id: Id<CareerPlan>,
    /// Whose it is.
    pub owner: Id<User>,
    /// Where it leads.
    pub career: CareerId,
    /// The plan in a few sentences.
    #[serde(default)]
    #[builder(default)]
    pub overview: String,
    /// The years in order.
    pub years: Vec<PlanYear>,
    /// Technical skills to build.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub technical_skills: Vec<SkillName>,
    /// Soft skills to build.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub soft_skills: Vec<SkillName>,
    /// Certifications to earn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub certifications: Vec<String>,
    /// What to have reached by when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub milestones: Vec<PlanMilestone>,
    /// When it was made.
    pub made_at: Timestamp,
}

/// One year of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PlanYear {
    /// The year of the plan, from 1.
    pub year: u8,
    /// What it is about.
    pub focus: String,
    /// What to do in it.
    pub actions: Vec<String>,
}

impl PlanYear {
    /// A year, what it is about, and what to do in it.
    pub fn new(year: u8, focus: impl Into<String>, actions: Vec<String>) -> Self {
        PlanYear { year, focus: focus.into(), actions }
    }
}

/// Something a plan should have reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PlanMilestone {
    /// What.
    pub title: String,
    /// By when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Date>,
}

impl PlanMilestone {
    /// Something to reach, by a day or some time.
    pub fn new(title: impl Into<String>, by: Option<Date>) -> Self {
        PlanMilestone { title: title.into(), by }
    }
}
