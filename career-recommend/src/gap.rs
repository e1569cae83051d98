//! What is missing for a career, a job, an occupation: skill by skill, ordered by what learning it gains.

use career_core::{HeldSkill, Profile, RankOptions, Result, SkillKind, SkillLevel, SkillName, SkillNeed, Unit};

use crate::Engine;
use crate::scorers::mastery;

/// Whether a needed skill is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a skill is there, below the level, or not there")]
pub enum GapState {
    /// At the level needed, or above it.
    Have,
    /// Below the level needed.
    Partly,
    /// Not there.
    Missing,
}

/// One needed skill beside what the person has.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct GapItem {
    /// The skill.
    pub skill: SkillName,
    /// What sort of skill it is.
    pub kind: SkillKind,
    /// How much it matters.
    pub importance: Unit,
    /// The level needed.
    pub needed: SkillLevel,
    /// The level held.
    pub held: Option<SkillLevel>,
    /// Whether it is there.
    pub state: GapState,
    /// By how much the score rises when it is brought to the level needed, everything else as it is. It can be
    /// below 0 where a first skill brings evidence of how little of the rest is there.
    pub gain: f64,
}

/// Needed skills beside held ones: largest gain first, then by name.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct SkillGap {
    /// The share of what is needed that is there: the skill score.
    pub coverage: Unit,
    /// Every needed skill.
    pub items: Vec<GapItem>,
}

impl SkillGap {
    /// The gap to a list of needs, whatever they are of: a career, a job, an ESCO or O*NET occupation. `gain` is in
    /// the skill score.
    ///
    /// ```
    /// use career_core::{Catalog, Profile};
    /// use career_recommend::{GapState, SkillGap};
    ///
    /// let nurse = Catalog::india().career("nurse").expect("is there");
    /// let gap = SkillGap::to(&Profile::default(), &nurse.skills);
    /// assert!(gap.items.iter().all(|item| item.state == GapState::Missing));
    /// assert!(gap.items[0].gain >= gap.items[1].gain);
    /// ```
    pub fn to(profile: &Profile, needs: &[SkillNeed]) -> SkillGap {
        let all: f64 = needs.iter().map(|need| need.importance.get()).sum();
        let part = |need: &SkillNeed, met: f64| if all > 0.0 { need.importance.get() * met / all } else { 0.0 };
        let met = |need: &SkillNeed| mastery(profile.skills.find(&need.name), need);
        let coverage = Unit::clamped(needs.iter().map(|need| part(need, met(need))).sum());
        SkillGap::ordered(profile, needs, coverage, |need| part(need, 1.0 - met(need)))
    }

    fn ordered(profile: &Profile, needs: &[SkillNeed], coverage: Unit, gain: impl Fn(&SkillNeed) -> f64) -> SkillGap {
        let item = |need: &SkillNeed| {
            let held = profile.skills.find(&need.name).map(|held| held.level);
            let state = match held {
                Some(held) if held >= need.level => GapState::Have,
                Some(_) => GapState::Partly,
                None => GapState::Missing,
            };
            let gain = if state == GapState::Have { 0.0 } else { gain(need) };
            GapItem {
                skill: need.name.clone(),
                kind: need.kind,
                importance: need.importance,
                needed: need.level,
                held,
                state,
                gain,
            }
        };
        let mut items: Vec<GapItem> = needs.iter().map(item).collect();
        items.sort_by(|a, b| b.gain.total_cmp(&a.gain).then_with(|| a.skill.as_str().cmp(b.skill.as_str())));
        SkillGap { coverage, items }
    }

    /// The skills of one state, largest gain first.
    pub fn of(&self, state: GapState) -> impl Iterator<Item = &GapItem> {
        self.items.iter().filter(move |item| item.state == state)
    }
}

impl Engine {
    /// The gap to one candidate; `gain` is in its total score. `None` when there is no candidate of this id.
    ///
    /// # Errors
    ///
    /// As [`rank`](Engine::rank) for weights.
    pub fn skill_gap(&self, profile: &Profile, id: &str, options: &RankOptions) -> Result<Option<SkillGap>> {
        let options = options.clone().without_explanations();
        let total = |profile: &Profile| -> Result<f64> {
            let scored = self.score(profile, id, &options)?;
            Ok(scored.map_or(0.0, |scored| scored.score().get()))
        };
        let now = total(profile)?;
        let Some(candidate) = self.candidate(id) else { return Ok(None) };
        let mut gains = Vec::with_capacity(candidate.skills.len());
        for need in &candidate.skills {
            let mut learned = profile.clone();
            let level = need.level.max(profile.skills.find(&need.name).map_or(need.level, |held| held.level));
            learned.skills.set(HeldSkill::new(need.name.clone(), level));
            gains.push((need.name.clone(), total(&learned)? - now));
        }
        let coverage = SkillGap::to(profile, &candidate.skills).coverage;
        let gain = |need: &SkillNeed| gains.iter().find(|(name, _)| *name == need.name).map_or(0.0, |(_, gain)| *gain);
        Ok(Some(SkillGap::ordered(profile, &candidate.skills, coverage, gain)))
    }
}
