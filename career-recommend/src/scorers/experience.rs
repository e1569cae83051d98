//! Does the work ask for the experience the person has?

use career_core::{Evidence, Profile, Unit};

use crate::engine::{Bound, Field};
use crate::{Candidate, Score, Scorer};

/// Experience: `1 − |asked − own| / 2` on the levels junior, mid, senior: equal steps, this project's choice.
///
/// No evidence when the candidate asks for no level, or the person has said neither a level nor years.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExperienceScorer;

fn own(profile: &Profile) -> Option<u8> {
    (profile.experience.is_some() || profile.years.is_some()).then(|| profile.experience_level() as u8)
}

fn nearness(own: u8, asked: u8) -> f64 {
    1.0 - f64::from(own.abs_diff(asked)) / 2.0
}

impl Scorer for ExperienceScorer {
    fn name(&self) -> &str {
        "experience"
    }

    fn score(&self, profile: &Profile, candidate: &Candidate) -> Option<Score> {
        let (own, asked) = (own(profile)?, candidate.seniority?);
        let evidence = Evidence::Match {
            person: format!("you are {}", profile.experience_level()),
            candidate: format!("the work is for {asked} people"),
        };
        Some(Score::new(Unit::clamped(nearness(own, asked as u8)), evidence))
    }

    fn value(&self, profile: &Profile, candidate: &Candidate) -> Option<Unit> {
        Some(Unit::clamped(nearness(own(profile)?, candidate.seniority? as u8)))
    }

    fn bound(&self, profile: &Profile) -> Bound {
        match own(profile) {
            None => Bound::no_evidence(),
            Some(own) => Bound::table(Field::Seniority, |bits| {
                (0..3).filter(|asked| bits & (1 << asked) != 0).map(|asked| nearness(own, asked)).fold(0.0, f64::max)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use career_core::{CandidateId, ExperienceLevel};

    #[test]
    fn each_level_away_costs_a_half() {
        let mut candidate = Candidate::new(CandidateId::new("x").expect("one line"), "X");
        candidate.seniority = Some(ExperienceLevel::Senior);
        let value = |profile: Profile| ExperienceScorer.score(&profile, &candidate).map(|score| score.value.get());
        assert_eq!(value(Profile::default()), None);
        assert_eq!(value(Profile::builder().years(4).build()), Some(0.5));
        assert_eq!(value(Profile::builder().experience(ExperienceLevel::Senior).build()), Some(1.0));
    }
}
