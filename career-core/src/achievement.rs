//! Achievements and the rules that award them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{EventKind, Id, User};

/// Something a person has achieved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Achievement {
    /// Identity.
    pub id: Id<Achievement>,
    /// Whose it is.
    pub owner: Id<User>,
    /// The rule that awarded it; a person has at most one achievement of a rule.
    pub rule: String,
    /// What it is called.
    pub title: String,
    /// When it was awarded.
    pub at: Timestamp,
}

/// Awards an achievement once something has happened often enough.
///
/// ```
/// use career_core::{AchievementRule, EventKind, Id};
/// use jiff::Timestamp;
///
/// let rule = AchievementRule::new("first-milestone", "First milestone", EventKind::MilestoneCompleted, 1);
/// assert!(rule.award(Id::new(), 0, Timestamp::now()).is_none());
/// assert_eq!(rule.award(Id::new(), 1, Timestamp::now()).map(|a| a.rule).as_deref(), Some("first-milestone"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AchievementRule {
    /// Identity among the rules.
    pub id: String,
    /// What the achievement is called.
    pub title: String,
    /// What is counted.
    pub on: EventKind,
    /// How often it must have happened.
    pub times: u64,
}

impl AchievementRule {
    /// Awards `title` once `on` has happened `times` times.
    pub fn new(id: impl Into<String>, title: impl Into<String>, on: EventKind, times: u64) -> Self {
        AchievementRule { id: id.into(), title: title.into(), on, times }
    }

    /// The achievement, if the person has seen the event this often.
    pub fn award(&self, owner: Id<User>, happened: u64, at: Timestamp) -> Option<Achievement> {
        (happened >= self.times).then(|| Achievement {
            id: Id::new(),
            owner,
            rule: self.id.clone(),
            title: self.title.clone(),
            at,
        })
    }
}
