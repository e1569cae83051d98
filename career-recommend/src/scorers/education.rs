//! How far is the preparation it takes from where the person stands?

use career_core::{EducationLevel, Evidence, Profile, Unit};

use crate::engine::{Bound, Field};
use crate::{Candidate, Score, Scorer};

/// Education: the distance in job zones between where the person stands and what the work takes.
///
/// `score = 1 − |zone − own| / 4` on O*NET's five job zones. The person's own zone is 1 in classes 9 and 10, 2 in
/// classes 11 and 12, 3 with a diploma or in a first degree, 4 with a first degree (after O*NET's descriptions of
/// the zones); someone at work has none by that alone. A school student usually aims beyond the present zone, so
/// give this scorer little weight there, or none.
///
/// No evidence when either zone is unknown.
#[derive(Debug, Clone, Copy, Default)]
pub struct EducationScorer;

fn own_zone(profile: &Profile) -> Option<u8> {
    match profile.education? {
        EducationLevel::Grade9 | EducationLevel::Grade10 => Some(1),
        EducationLevel::Grade11 | EducationLevel::Grade12 => Some(2),
        EducationLevel::Diploma | EducationLevel::Undergraduate => Some(3),
        EducationLevel::Graduate => Some(4),
        _ => None,
    }
}

fn nearness(own: u8, zone: u8) -> f64 {
    1.0 - f64::from(own.abs_diff(zone)) / 4.0
}

impl Scorer for EducationScorer {
    fn name(&self) -> &str {
        "education"
    }

    fn score(&self, profile: &Profile, candidate: &Candidate) -> Option<Score> {
        let (own, zone) = (own_zone(profile)?, candidate.job_zone?.get());
        let evidence = Evidence::Match {
            person: format!("your education is about job zone {own}"),
            candidate: format!("the work takes zone {zone}"),
        };
        Some(Score::new(Unit::clamped(nearness(own, zone)), evidence))
    }

    fn value(&self, profile: &Profile, candidate: &Candidate) -> Option<Unit> {
        Some(Unit::clamped(nearness(own_zone(profile)?, candidate.job_zone?.get())))
    }

    fn bound(&self, profile: &Profile) -> Bound {
        match own_zone(profile) {
            None => Bound::no_evidence(),
            Some(own) => Bound::table(Field::JobZone, |bits| {
                (1..=5).filter(|zone| bits & (1 << (zone - 1)) != 0).map(|zone| nearness(own, zone)).fold(0.0, f64::max)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use career_core::{CandidateId, JobZone};

    #[test]
    fn each_zone_away_costs_a_quarter() {
        let mut candidate = Candidate::new(CandidateId::new("x").expect("one line"), "X");
        let value = |level, c: &Candidate| {
            EducationScorer.score(&Profile::builder().education(level).build(), c).map(|score| score.value.get())
        };
        assert_eq!(value(EducationLevel::Grade12, &candidate), None);
        candidate.job_zone = Some(JobZone::new(4).expect("1 to 5"));
        assert_eq!(value(EducationLevel::Grade9, &candidate), Some(0.25));
        assert_eq!(value(EducationLevel::Graduate, &candidate), Some(1.0));
        assert_eq!(value(EducationLevel::Working, &candidate), None);
    }
}
