//! How much of what is needed is there?

use career_core::{Evidence, HeldSkill, Profile, SkillNeed, Unit};

use crate::engine::Bound;
use crate::{Candidate, Score, Scorer};

/// Skill: the share of the needed skills that is there, weighted by importance, at the level needed.
///
/// `score = Σ importanceₛ · min(1, heldₛ / neededₛ) / Σ importanceₛ` over the candidate's skills s, levels
/// from 1 to 5, a skill that is not held counting 0. This is weighted coverage as in skill-based matching; the
/// proportional credit for a lower level is this project's choice.
///
/// No evidence when the person names no skill or the candidate needs none.
#[derive(Debug, Clone, Copy, Default)]
pub struct SkillScorer;

/// How far a need is met: 1 at the level needed or above, in proportion below it, 0 without the skill.
pub(crate) fn mastery(held: Option<&HeldSkill>, need: &SkillNeed) -> f64 {
    held.map_or(0.0, |held| (f64::from(held.level.get()) / f64::from(need.level.get())).min(1.0))
}

/// The share that is met; `each` is called with every need and what is held of it.
fn coverage<'a>(
    profile: &'a Profile,
    candidate: &'a Candidate,
    mut each: impl FnMut(&'a SkillNeed, Option<&'a HeldSkill>),
) -> Option<Unit> {
    if profile.skills.is_empty() {
        return None;
    }
    let (mut met, mut all) = (0.0, 0.0);
    for need in &candidate.skills {
        let (importance, held) = (need.importance.get(), profile.skills.find(&need.name));
        met += importance * mastery(held, need);
        all += importance;
        each(need, held);
    }
    (all > 0.0).then(|| Unit::clamped(met / all))
}

impl Scorer for SkillScorer {
    fn name(&self) -> &str {
        "skill"
    }

    fn score(&self, profile: &Profile, candidate: &Candidate) -> Option<Score> {
        let (mut have, mut partly, mut missing) = (Vec::new(), Vec::new(), Vec::with_capacity(candidate.skills.len()));
        let value = coverage(profile, candidate, |need, held| {
            let list = match held {
                Some(held) if held.level >= need.level => &mut have,
                Some(_) => &mut partly,
                None => &mut missing,
            };
            list.push(need.name.clone());
        })?;
        Some(Score::new(value, Evidence::Skills { have, partly, missing }))
    }

    fn value(&self, profile: &Profile, candidate: &Candidate) -> Option<Unit> {
        coverage(profile, candidate, |_, _| {})
    }

    fn bound(&self, profile: &Profile) -> Bound {
        Bound::skills(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use career_core::{CandidateId, SkillKind, SkillLevel, SkillName, Skills};

    fn need(name: &str, importance: f64, level: u8) -> SkillNeed {
        let name = SkillName::new(name).expect("valid");
        SkillNeed::new(name, SkillKind::Technical, Unit::clamped(importance), SkillLevel::new(level).expect("1 to 5"))
    }

    #[test]
    fn coverage_weighs_importance_and_level() {
        let mut candidate = Candidate::new(CandidateId::new("x").expect("one line"), "X");
        candidate.skills =
            Skills::new(vec![need("A", 1.0, 4), need("B", 0.5, 2), need("C", 0.5, 5)]).expect("distinct");
        let held = |name: &str, level| {
            HeldSkill::new(SkillName::new(name).expect("valid"), SkillLevel::new(level).expect("ok"))
        };
        let mut profile = Profile::default();
        assert!(SkillScorer.score(&profile, &candidate).is_none());
        profile.skills = Skills::new(vec![held("a", 2), held("B", 5)]).expect("distinct");
        let score = SkillScorer.score(&profile, &candidate).expect("evidence");
        // (1.0 * 2/4 + 0.5 * 1 + 0.5 * 0) / 2.0
        assert_eq!(score.value.get(), 0.5);
        let names = |list: &[SkillName]| list.iter().map(|n| n.as_str().to_owned()).collect::<Vec<_>>();
        let Evidence::Skills { have, partly, missing } = score.evidence else { panic!("skills expected") };
        assert_eq!(
            (names(&have), names(&partly), names(&missing)),
            (vec!["B".into()], vec!["A".into()], vec!["C".into()])
        );
    }
}
