//! Does it pay what is wished?

use career_core::{Evidence, PayRange, Profile, Unit};

use crate::engine::Bound;
use crate::{Candidate, Score, Scorer};

/// Salary: how much of the usual band lies at or above what is wished.
///
/// With the wish `w` (its lower end) and the band `[l, h]` of the person's experience level, all a year:
/// `score = (h − max(l, w)) / (h − l)`, kept within 0 and 1; for a band of one amount, 1 when it reaches the wish
/// and else 0; for a
/// band without an upper end, 1. It is the overlap of the band with the open interval from the wish upwards, as a share of the band:
/// pay above the wish is never held against a candidate, so the upper end of a wish is not read.
///
/// No evidence without a wish or a band, or when they are in different currencies.
#[derive(Debug, Clone, Copy, Default)]
pub struct SalaryScorer;

/// The share of the band `[low, high]` that lies at or above `wish`; of a band without an upper end, all.
pub(crate) fn overlap(wish: f64, low: f64, high: f64) -> f64 {
    if low >= wish || high == f64::INFINITY {
        1.0
    } else if high <= wish {
        0.0
    } else {
        (high - wish) / (high - low)
    }
}

fn ranges(profile: &Profile, candidate: &Candidate) -> Option<(PayRange, PayRange)> {
    let wish = profile.salary?;
    let band = candidate.pay.as_ref()?.at(profile.experience_level());
    (wish.currency() == band.currency()).then_some((wish, band))
}

fn value(wish: &PayRange, band: &PayRange) -> Unit {
    let (low, high) = band.yearly();
    Unit::clamped(overlap(wish.yearly().0 as f64, low as f64, high.map_or(f64::INFINITY, |high| high as f64)))
}

impl Scorer for SalaryScorer {
    fn name(&self) -> &str {
        "salary"
    }

    fn score(&self, profile: &Profile, candidate: &Candidate) -> Option<Score> {
        let (wish, band) = ranges(profile, candidate)?;
        Some(Score::new(value(&wish, &band), Evidence::Salary { wish, band }))
    }

    fn value(&self, profile: &Profile, candidate: &Candidate) -> Option<Unit> {
        ranges(profile, candidate).map(|(wish, band)| value(&wish, &band))
    }

    fn bound(&self, profile: &Profile) -> Bound {
        Bound::pay(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_the_band_above_the_wish() {
        assert_eq!(overlap(500.0, 600.0, 900.0), 1.0);
        assert_eq!(overlap(750.0, 600.0, 900.0), 0.5);
        assert_eq!(overlap(900.0, 600.0, 900.0), 0.0);
        assert_eq!(overlap(600.0, 600.0, 600.0), 1.0);
        assert_eq!(overlap(601.0, 600.0, 600.0), 0.0);
        assert_eq!(overlap(750.0, 600.0, f64::INFINITY), 1.0);
    }
}
