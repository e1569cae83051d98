//! Do the person's interests meet what the work feeds?

use std::sync::{Arc, LazyLock};

use career_core::recommendation::strongest_three;
use career_core::{Error, Evidence, Profile, Result, Tag, Unit};

use crate::engine::Bound;
use crate::scorer::weighted_mean;
use crate::{Candidate, Score, Scorer};

/// Interest: Holland types by correlation, topics by overlap.
///
/// - Where both sides have six interest values: `(1 + r) / 2`, with Pearson's r of the two profiles. Correlation
///   of profiles is how O*NET's Interest Profiler matches people to occupations (J. Rounds and others,
///   *O\*NET Interest Profiler Short Form Psychometric Characteristics*, 2010).
/// - Where both sides have topics: Ochiai's coefficient `|P ∩ C| / √(|P|·|C|)` (A. Ochiai, 1957), which is the
///   cosine of the two sets.
/// - Where both are there: their weighted mean, types twice as heavy as topics.
///
/// A flat profile (all six values alike) has no correlation and so no evidence from types.
#[derive(Debug, Clone, Copy)]
pub struct InterestScorer {
    types: f64,
    topics: f64,
}

impl InterestScorer {
    /// With these weights of types and topics; only their ratio matters.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](career_core::ErrorKind::Invalid) unless both are finite and above 0.
    pub fn new(types: f64, topics: f64) -> Result<Self> {
        for (name, weight) in [("types", types), ("topics", topics)] {
            if !weight.is_finite() || weight <= 0.0 {
                return Err(Error::invalid("expected a finite weight above 0").at_field(name));
            }
        }
        Ok(InterestScorer { types, topics })
    }
}

impl Default for InterestScorer {
    /// Types twice as heavy as topics.
    fn default() -> Self {
        InterestScorer { types: 2.0, topics: 1.0 }
    }
}

static TYPES: LazyLock<Arc<str>> = LazyLock::new(|| "types".into());
static TOPICS: LazyLock<Arc<str>> = LazyLock::new(|| "topics".into());

fn correlation(profile: &Profile, candidate: &Candidate) -> Option<f64> {
    profile.riasec?.pearson(candidate.riasec.as_ref()?)
}

fn mapped(r: f64) -> Unit {
    Unit::clamped((1.0 + r) / 2.0)
}

/// How many of `own` are in `other`, each counted once.
fn shared<'a>(own: &'a [Tag], other: &'a [Tag]) -> impl Iterator<Item = &'a Tag> {
    own.iter().enumerate().filter(|(at, tag)| other.contains(tag) && !own[..*at].contains(tag)).map(|(_, tag)| tag)
}

/// `|P ∩ C| / √(|P|·|C|)` for so many shared topics; `None` when either side has none.
fn ochiai(profile: &Profile, candidate: &Candidate, both: impl FnOnce() -> usize) -> Option<Unit> {
    let sizes = profile.tags.len() as f64 * candidate.tags.len() as f64;
    (sizes > 0.0).then(|| Unit::clamped(both() as f64 / sizes.sqrt()))
}

impl Scorer for InterestScorer {
    fn name(&self) -> &str {
        "interest"
    }

    fn score(&self, profile: &Profile, candidate: &Candidate) -> Option<Score> {
        let types = correlation(profile, candidate).zip(profile.riasec.zip(candidate.riasec)).map(|(r, (own, its))| {
            let evidence =
                Evidence::Riasec { correlation: r, person: strongest_three(&own), candidate: strongest_three(&its) };
            (&*TYPES, self.types, mapped(r), evidence)
        });
        let both: Vec<Tag> = shared(&profile.tags, &candidate.tags).cloned().collect();
        let topics = ochiai(profile, candidate, || both.len()).map(|value| {
            let evidence =
                Evidence::Tags { shared: both, of_person: profile.tags.len(), of_candidate: candidate.tags.len() };
            (&*TOPICS, self.topics, value, evidence)
        });
        Score::of_parts([types, topics])
    }

    fn value(&self, profile: &Profile, candidate: &Candidate) -> Option<Unit> {
        let types = correlation(profile, candidate).map(|r| (self.types, mapped(r)));
        let both = || shared(&profile.tags, &candidate.tags).count();
        let topics = ochiai(profile, candidate, both).map(|value| (self.topics, value));
        weighted_mean([types, topics].into_iter().flatten())
    }

    fn bound(&self, profile: &Profile) -> Bound {
        Bound::interest(self.types, self.topics, profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use career_core::{CandidateId, Riasec};

    fn tags(names: &[&str]) -> Vec<Tag> {
        names.iter().map(|name| Tag::new(name).expect("a slug")).collect()
    }

    fn pair(person: (Option<[f32; 6]>, &[&str]), work: (Option<[f32; 6]>, &[&str])) -> Option<f64> {
        let riasec = |values: Option<[f32; 6]>| values.map(|v| Riasec::new(v).expect("in range"));
        let mut profile = Profile::default();
        (profile.riasec, profile.tags) = (riasec(person.0), tags(person.1));
        let mut candidate = Candidate::new(CandidateId::new("x").expect("one line"), "X");
        (candidate.riasec, candidate.tags) = (riasec(work.0), tags(work.1));
        InterestScorer::default().score(&profile, &candidate).map(|score| score.value.get())
    }

    #[test]
    fn types_topics_or_both() {
        let (up, down) = ([0., 0.2, 0.4, 0.6, 0.8, 1.], [1., 0.8, 0.6, 0.4, 0.2, 0.]);
        assert!((pair((Some(up), &[]), (Some(up), &[])).expect("types") - 1.0).abs() < 1e-9);
        assert!(pair((Some(up), &[]), (Some(down), &[])).expect("types").abs() < 1e-9);
        // Two of the person's four topics among the candidate's one shared and three others: 1 / sqrt(2 * 4).
        let topics = pair((None, &["a", "b"]), (None, &["b", "c", "d", "e"])).expect("topics");
        assert!((topics - 1.0 / 8f64.sqrt()).abs() < 1e-12);
        let both = pair((Some(up), &["a"]), (Some(up), &["b"])).expect("both");
        assert!((both - 2.0 / 3.0).abs() < 1e-9, "{both}");
        assert_eq!(pair((Some([0.5; 6]), &[]), (Some(up), &[])), None, "a flat profile says nothing");
        assert_eq!(pair((Some(up), &[]), (None, &["a"])), None);
    }
}
