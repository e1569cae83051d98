//! Does the work meet the needs the person has?

use career_core::{Evidence, Profile, Unit, WorkValues};

use crate::engine::{Bound, Flag};
use crate::{Candidate, Score, Scorer};

/// Work values: `(1 + r) / 2`, with Pearson's r of the six values that the person wants and the work meets.
///
/// Correspondence of the two profiles, measured by correlation, is how the Theory of Work Adjustment (R. V. Dawis
/// and L. H. Lofquist, 1984) and O*NET's Work Importance Profiler match people to work.
///
/// No evidence when either side is unknown or flat.
#[derive(Debug, Clone, Copy, Default)]
pub struct ValuesScorer;

/// The values less their mean, at length 1; `None` when all are alike.
fn direction(values: &WorkValues) -> Option<[f64; 6]> {
    let values = values.to_array().map(Unit::get);
    let mean = values.iter().sum::<f64>() / 6.0;
    let centred = values.map(|value| value - mean);
    let length = centred.iter().map(|value| value * value).sum::<f64>().sqrt();
    (length > 1e-9).then(|| centred.map(|value| value / length))
}

fn correlation(profile: &Profile, candidate: &Candidate) -> Option<f64> {
    let (own, its) = (direction(profile.values.as_ref()?)?, direction(candidate.values.as_ref()?)?);
    Some(own.iter().zip(its).map(|(a, b)| a * b).sum::<f64>().clamp(-1.0, 1.0))
}

/// The name of the largest.
fn strongest(values: &WorkValues) -> &'static str {
    let array = values.to_array();
    let at = (0..6).rev().max_by_key(|at| array[*at]).unwrap_or_default();
    WorkValues::NAMES[at]
}

impl Scorer for ValuesScorer {
    fn name(&self) -> &str {
        "values"
    }

    fn score(&self, profile: &Profile, candidate: &Candidate) -> Option<Score> {
        let r = correlation(profile, candidate)?;
        let (own, its) = (profile.values.as_ref()?, candidate.values.as_ref()?);
        let evidence = Evidence::Match {
            person: format!("you want {} most", strongest(own)),
            candidate: format!("the work gives {} most; the six values correlate at r = {r:.2}", strongest(its)),
        };
        Some(Score::new(Unit::clamped((1.0 + r) / 2.0), evidence))
    }

    fn value(&self, profile: &Profile, candidate: &Candidate) -> Option<Unit> {
        correlation(profile, candidate).map(|r| Unit::clamped((1.0 + r) / 2.0))
    }

    fn bound(&self, profile: &Profile) -> Bound {
        match profile.values.as_ref().and_then(direction) {
            None => Bound::no_evidence(),
            Some(_) => Bound::one_if(Flag::Values),
        }
    }
}

/// Whether the six values say anything: whether they are not all alike.
pub(crate) fn values_are_flat(values: &WorkValues) -> bool {
    direction(values).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use career_core::CandidateId;

    fn values(six: [f64; 6]) -> WorkValues {
        let [achievement, independence, recognition, relationships, support, conditions] = six.map(Unit::clamped);
        WorkValues { achievement, independence, recognition, relationships, support, conditions }
    }

    #[test]
    fn alike_opposite_and_flat() {
        let up = values([0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        let score = |own, its| {
            let mut candidate = Candidate::new(CandidateId::new("x").expect("one line"), "X");
            candidate.values = Some(Box::new(its));
            ValuesScorer.score(&Profile::builder().values(own).build(), &candidate).map(|score| score.value.get())
        };
        assert!((score(up, up).expect("evidence") - 1.0).abs() < 1e-12);
        assert!(score(up, values([1.0, 0.8, 0.6, 0.4, 0.2, 0.0])).expect("evidence") < 1e-12);
        assert_eq!(score(up, values([0.5; 6])), None);
        assert_eq!(strongest(&up), "conditions");
        assert_eq!(strongest(&values([0.5; 6])), "achievement", "the first of equals");
    }
}
