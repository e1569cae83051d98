//! What is kept of a person's guidance: the profile, and the rankings that were shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Id, Profile, Ranking, User};

/// The profile of a user; each user has at most one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UserProfile {
    /// Whose it is.
    pub owner: Id<User>,
    /// What is known of the person.
    pub profile: Profile,
}

impl UserProfile {
    /// The profile of a user.
    pub fn new(owner: Id<User>, profile: Profile) -> Self {
        UserProfile { owner, profile }
    }
}

/// A ranking that was shown to a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SavedRanking {
    /// Identity.
    pub id: Id<SavedRanking>,
    /// To whom.
    pub owner: Id<User>,
    /// The ranking with its reasons.
    pub ranking: Ranking,
    /// When it was made.
    pub at: Timestamp,
}

impl SavedRanking {
    /// A ranking that is shown now.
    pub fn new(owner: Id<User>, ranking: Ranking) -> Self {
        SavedRanking { id: Id::new(), owner, ranking, at: Timestamp::now() }
    }
}
