//! Is there a future in it?

use career_core::{Evidence, Outlook, Profile, Unit};

use crate::engine::{Bound, Field};
use crate::{Candidate, Score, Scorer};

/// Outlook: declining 0, stable 1/3, growing 2/3, high demand 1: equal steps, this project's choice.
///
/// It depends on the candidate alone. No evidence when the outlook is unknown.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutlookScorer;

fn value(outlook: Outlook) -> f64 {
    f64::from(outlook as u8) / 3.0
}

impl Scorer for OutlookScorer {
    fn name(&self) -> &str {
        "outlook"
    }

    fn score(&self, _: &Profile, candidate: &Candidate) -> Option<Score> {
        let outlook = candidate.outlook?;
        let text = format!("demand is {outlook}");
        Some(Score::new(Unit::clamped(value(outlook)), Evidence::Note { text }))
    }

    fn value(&self, _: &Profile, candidate: &Candidate) -> Option<Unit> {
        candidate.outlook.map(|outlook| Unit::clamped(value(outlook)))
    }

    fn bound(&self, _: &Profile) -> Bound {
        Bound::table(Field::Outlook, |bits| {
            let set = Outlook::ALL.iter().filter(|outlook| bits & (1 << **outlook as u8) != 0);
            set.map(|outlook| value(*outlook)).fold(0.0, f64::max)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demand_rises_in_equal_steps() {
        let values: Vec<f64> = Outlook::ALL.iter().map(|outlook| value(*outlook)).collect();
        assert_eq!(values, [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]);
    }
}
