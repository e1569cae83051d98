//! Prompt templates as they are kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Error, Id, LanguageTag, Result, Tag, User};

/// A prompt template: premade, or a user's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PromptTemplate {
    /// Identity.
    #[builder(default = Id::new())]
    pub id: Id<PromptTemplate>,
    /// Whose it is; `None` for a premade one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Id<User>>,
    /// Its name, unique among its owner's.
    pub name: String,
    /// Counts up with each change.
    #[builder(default = 1)]
    pub version: u32,
    /// What it is for.
    pub category: String,
    /// Topics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub tags: Vec<Tag>,
    /// Its language.
    pub language: LanguageTag,
    /// The template.
    pub body: String,
    /// How often it was used.
    #[serde(default)]
    #[builder(default)]
    pub used: u64,
    /// What users think of it.
    #[serde(default)]
    #[builder(default)]
    pub rating: Rating,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Stars given, from 1 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rating {
    /// How many ratings.
    pub count: u64,
    /// The sum of their stars.
    pub stars: u64,
}

impl Rating {
    /// Adds a rating.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) unless it is from 1 to 5.
    pub fn add(&mut self, stars: u8) -> Result<()> {
        if !(1..=5).contains(&stars) {
            return Err(Error::invalid("expected 1 to 5 stars"));
        }
        self.count += 1;
        self.stars += u64::from(stars);
        Ok(())
    }

    /// The mean, if there is any rating.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.stars as f64 / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_average_and_refuse_what_is_no_star() {
        let mut rating = Rating::default();
        assert_eq!(rating.mean(), None);
        rating.add(5).expect("a star");
        rating.add(2).expect("a star");
        assert!(rating.add(0).is_err() && rating.add(6).is_err());
        assert_eq!(rating.mean(), Some(3.5));
    }
}
