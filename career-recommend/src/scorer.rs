//! One scorer: one profile, one candidate, one score with its reason.

use std::fmt::Debug;
use std::sync::Arc;

use career_core::{Component, Evidence, Profile, Unit};

use crate::Candidate;
use crate::engine::Bound;

/// How well one candidate fits one profile in one respect.
///
/// [`score`](Scorer::score) is the definition, and all that a host has to write:
///
/// ```
/// use career_core::{Evidence, Profile, Unit};
/// use career_recommend::{Candidate, Score, Scorer};
///
/// /// Prefers what is quick to reach.
/// #[derive(Debug)]
/// struct QuickStart;
///
/// impl Scorer for QuickStart {
///     fn name(&self) -> &str {
///         "quick-start"
///     }
///
///     fn score(&self, _: &Profile, candidate: &Candidate) -> Option<Score> {
///         let years = candidate.years_of_study?;
///         let value = Unit::clamped(1.0 - f64::from(years) / 10.0);
///         Some(Score::new(value, Evidence::Note { text: format!("{years} years of study") }))
///     }
/// }
/// ```
///
/// A score must depend on nothing but its arguments: equal input, equal score.
pub trait Scorer: Debug + Send + Sync + 'static {
    /// Its name, unique within an engine; weights refer to it.
    fn name(&self) -> &str;

    /// The score with its reason; `None` when there is no evidence on either side.
    fn score(&self, profile: &Profile, candidate: &Candidate) -> Option<Score>;

    /// The value of [`score`](Scorer::score) without its reason. Override it only where that is faster; it must
    /// be equal.
    fn value(&self, profile: &Profile, candidate: &Candidate) -> Option<Unit> {
        self.score(profile, candidate).map(|score| score.value)
    }

    /// What the engine may assume of this scorer's values for this profile without looking at a candidate's
    /// row. The default assumes nothing, which is always right and makes the engine look at more rows.
    fn bound(&self, profile: &Profile) -> Bound {
        let _ = profile;
        Bound::unknown()
    }
}

/// A part of a score before it is weighed: its name, weight, value and evidence.
pub(crate) type Part<'a> = (&'a Arc<str>, f64, Unit, Evidence);

/// A score and what it rests on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Score {
    /// How well, 0 to 1.
    pub value: Unit,
    /// What of the person met what of the candidate.
    pub evidence: Evidence,
    /// What the value is made of, where there are several parts.
    pub parts: Vec<Component>,
}

impl Score {
    /// A score without parts.
    pub fn new(value: Unit, evidence: Evidence) -> Self {
        Score { value, evidence, parts: Vec::new() }
    }

    /// The weighted mean of the parts that are there; `None` when there is none.
    pub(crate) fn of_parts<const N: usize>(parts: [Option<Part<'_>>; N]) -> Option<Self> {
        let mean = weighted_mean(parts.iter().flatten().map(|(_, weight, value, _)| (*weight, *value)))?;
        let whole: f64 = parts.iter().flatten().map(|(_, weight, ..)| weight).sum();
        let parts = parts.into_iter().flatten().map(|(name, weight, value, evidence)| {
            Component::new(name.clone(), weight, value, weight * value.get() / whole, evidence)
        });
        Some(Score { value: mean, evidence: Evidence::Parts, parts: parts.collect() })
    }
}

/// `Σ wᵢ·vᵢ / Σ wᵢ`, each term divided before it is added, so that contributions add up to the total;
/// `None` when no weight is above 0.
pub(crate) fn weighted_mean(terms: impl Iterator<Item = (f64, Unit)> + Clone) -> Option<Unit> {
    let whole: f64 = terms.clone().map(|(weight, _)| weight).sum();
    (whole > 0.0).then(|| Unit::clamped(terms.map(|(weight, value)| weight * value.get() / whole).sum()))
}
