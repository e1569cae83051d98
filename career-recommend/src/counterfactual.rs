//! What would have to change for a candidate to be among the best.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

use career_core::{
    Balance, ConstraintKind, EducationLevel, HeldSkill, PayRange, Profile, RankOptions, Remote, Result, SkillLevel,
    SkillName, Stream, Stress, Subject, SubjectMark, Travel, Unit,
};
use serde::{Deserialize, Serialize};

use crate::engine::violation;
use crate::{Candidate, Engine};

/// One change of what a person has or wants. Interests and values are who one is, and are not among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Change {
    /// Learn a skill, or learn it better.
    Skill {
        /// Which.
        skill: SkillName,
        /// The level now.
        from: Option<SkillLevel>,
        /// The level then.
        to: SkillLevel,
    },
    /// Take one more subject, which opens another stream.
    Subject {
        /// Which.
        subject: Subject,
        /// The stream then.
        stream: Stream,
    },
    /// Choose another stream, while still in class 9 or 10.
    Stream {
        /// The stream now.
        from: Option<Stream>,
        /// The stream then.
        to: Stream,
    },
    /// Wish for less pay.
    Salary {
        /// The wish now.
        from: PayRange,
        /// The wish then.
        to: PayRange,
    },
    /// Accept more stress.
    MaxStress {
        /// The most that is fine then.
        to: Stress,
    },
    /// Accept less balance.
    MinBalance {
        /// The least that is fine then.
        to: Balance,
    },
    /// Accept longer hours.
    MaxHours {
        /// The most hours a week that are fine then.
        to: u8,
    },
    /// Accept less remote work.
    Remote {
        /// What is wished then.
        to: Remote,
    },
    /// Accept more travel.
    Travel {
        /// The most that is fine then.
        to: Travel,
    },
    /// Move to where the work is.
    Relocate,
    /// Give up a hard constraint.
    Drop {
        /// Which.
        constraint: ConstraintKind,
    },
}

impl Change {
    /// How much is asked: a level of a skill 1, a preference 1, a constraint 2, a subject or a stream 3. This
    /// project's choice.
    pub fn cost(&self) -> u32 {
        match self {
            Change::Skill { from, to, .. } => u32::from(to.get().saturating_sub(from.map_or(0, SkillLevel::get))),
            Change::Subject { .. } | Change::Stream { .. } => 3,
            Change::Drop { .. } => 2,
            _ => 1,
        }
    }

    fn apply(&self, profile: &mut Profile, options: &mut RankOptions) {
        match self {
            Change::Skill { skill, to, .. } => {
                profile.skills.set(HeldSkill::new(skill.clone(), *to));
            }
            Change::Subject { subject, stream } => {
                profile.subjects.push(SubjectMark::new(subject.clone(), None));
                profile.stream = Some(*stream);
            }
            Change::Stream { to, .. } => profile.stream = Some(*to),
            Change::Salary { to, .. } => profile.salary = Some(*to),
            Change::MaxStress { to } => profile.work.max_stress = Some(*to),
            Change::MinBalance { to } => profile.work.min_balance = Some(*to),
            Change::MaxHours { to } => profile.work.max_hours = Some(*to),
            Change::Remote { to } => profile.work.remote = Some(*to),
            Change::Travel { to } => profile.work.travel = Some(*to),
            Change::Relocate => profile.relocate = Some(true),
            Change::Drop { constraint } => {
                let constraints = &mut options.constraints;
                match constraint {
                    ConstraintKind::Exclude => constraints.exclude.clear(),
                    ConstraintKind::StreamPossible => constraints.stream_possible = false,
                    ConstraintKind::SalaryFloor => constraints.salary_floor = None,
                    ConstraintKind::RemoteOnly => constraints.remote_only = false,
                    ConstraintKind::MaxStress => constraints.max_stress = None,
                    ConstraintKind::MaxYearsOfStudy => constraints.max_years_of_study = None,
                    ConstraintKind::WithinLocations => constraints.within_locations = false,
                    _ => {}
                }
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Skill { skill, from: None, to } => write!(f, "learn {skill} to level {to}"),
            Change::Skill { skill, from: Some(from), to } => write!(f, "bring {skill} from level {from} to {to}"),
            Change::Subject { subject, stream } => write!(f, "take {subject} too, which makes your stream {stream}"),
            Change::Stream { to, .. } => write!(f, "choose the stream {to}"),
            Change::Salary { to, .. } => write!(f, "wish for {to}"),
            Change::MaxStress { to } => write!(f, "accept {to} stress"),
            Change::MinBalance { to } => write!(f, "accept {to} work-life balance"),
            Change::MaxHours { to } => write!(f, "accept up to {to} hours a week"),
            Change::Remote { to } => write!(f, "accept {to} remote work"),
            Change::Travel { to } => write!(f, "accept {to} travel"),
            Change::Relocate => f.write_str("be ready to move"),
            Change::Drop { constraint } => write!(f, "give up the constraint {constraint}"),
        }
    }
}

/// A set of changes that brings a candidate among the best. None of its changes can be left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counterfactual {
    /// What to change.
    pub changes: Vec<Change>,
    /// What the changes cost in all.
    pub cost: u32,
    /// The candidate's place then, from 1.
    pub place: usize,
    /// Its score now.
    pub score_before: Unit,
    /// Its score then.
    pub score: Unit,
}

/// How far to look for changes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CounterfactualOptions {
    /// Among how many of the best the candidate should be.
    pub top: usize,
    /// How many changes may be made together.
    pub max_changes: usize,
    /// How many answers are wanted.
    pub limit: usize,
    /// How many sets of changes to try at the most.
    pub max_tries: usize,
}

impl Default for CounterfactualOptions {
    fn default() -> Self {
        CounterfactualOptions { top: 10, max_changes: 4, limit: 3, max_tries: 5_000 }
    }
}

/// Single changes that are considered, those with the best gain for their cost.
const CONSIDERED: usize = 20;

impl Engine {
    /// The cheapest sets of changes that bring a candidate among the best `top`, cheapest first; empty when it is
    /// there already, when it is not in the engine, or when no set within the limits is enough.
    ///
    /// Each set is tried by ranking again, so it is right whatever the scorers are. Sets are tried in the order of
    /// their cost, and no answer contains another.
    ///
    /// # Errors
    ///
    /// As [`rank`](Engine::rank).
    pub fn counterfactuals(
        &self,
        profile: &Profile,
        id: &str,
        wanted: &CounterfactualOptions,
        options: &RankOptions,
    ) -> Result<Vec<Counterfactual>> {
        let mut options = options.clone().without_explanations().with_diversity(Unit::ZERO);
        (options.top, options.list_excluded) = (wanted.top, 0);
        let Some(candidate) = self.candidate(id) else { return Ok(Vec::new()) };
        if self.rank(profile, &options)?.find(id).is_some() {
            return Ok(Vec::new());
        }
        let score = |profile: &Profile, options: &RankOptions| -> Result<Unit> {
            Ok(self.score(profile, id, options)?.map_or(Unit::ZERO, |scored| scored.score()))
        };
        let now = score(profile, &options)?;
        let changed = |changes: &[&Change]| {
            let (mut profile, mut options) = (profile.clone(), options.clone());
            changes.iter().for_each(|change| change.apply(&mut profile, &mut options));
            (profile, options)
        };
        let mut useful: Vec<(f64, Change)> = Vec::new();
        for change in single_changes(profile, candidate, &options) {
            let (profile, options) = changed(&[&change]);
            let gain = score(&profile, &options)?.get() - now.get();
            if gain > 0.0 || matches!(change, Change::Drop { .. }) {
                useful.push((gain / f64::from(change.cost().max(1)), change));
            }
        }
        // A dropped constraint gains no score and may still be needed, so it comes first.
        useful.sort_by(|a, b| {
            let drops = |change: &Change| !matches!(change, Change::Drop { .. });
            drops(&a.1).cmp(&drops(&b.1)).then(b.0.total_cmp(&a.0))
        });
        useful.truncate(CONSIDERED);
        let changes: Vec<Change> = useful.into_iter().map(|(_, change)| change).collect();
        let mut found: Vec<(u32, Counterfactual)> = Vec::new();
        // Sets as words of bits, cheapest first; each is made once, by adding a later change to a set.
        let mut waiting: BinaryHeap<Reverse<(u32, u32)>> = BinaryHeap::from([Reverse((0, 0))]);
        let mut tries = 0;
        while let Some(Reverse((cost, set))) = waiting.pop() {
            if found.len() >= wanted.limit || tries >= wanted.max_tries {
                break;
            }
            let size = set.count_ones() as usize;
            if found.iter().any(|(known, _)| set & known == *known) {
                continue;
            }
            if set != 0 {
                tries += 1;
                let chosen: Vec<&Change> =
                    (0..changes.len()).filter(|at| set >> at & 1 == 1).map(|at| &changes[at]).collect();
                let (profile, options) = changed(&chosen);
                if let Some((place, item)) = self.rank(&profile, &options)?.find(id) {
                    let changes = chosen.into_iter().cloned().collect();
                    found.push((set, Counterfactual { changes, cost, place, score_before: now, score: item.score() }));
                    continue;
                }
            }
            if size < wanted.max_changes {
                let first = 32 - set.leading_zeros() as usize;
                let more = (first..changes.len()).map(|at| Reverse((cost + changes[at].cost(), set | 1 << at)));
                waiting.extend(more);
            }
        }
        Ok(found.into_iter().map(|(_, found)| found).collect())
    }
}

/// Everything that could be changed in the candidate's favour.
fn single_changes(profile: &Profile, candidate: &Candidate, options: &RankOptions) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut constraints = options.constraints.clone();
    while let Some((constraint, _)) = violation(&constraints, profile, candidate) {
        let drop = Change::Drop { constraint };
        let mut without = RankOptions::default().with_constraints(constraints.clone());
        drop.apply(&mut Profile::default(), &mut without);
        if without.constraints == constraints {
            break;
        }
        constraints = without.constraints;
        changes.push(drop);
    }
    for need in &candidate.skills {
        let from = profile.skills.find(&need.name).map(|held| held.level);
        if from.is_none_or(|from| from < need.level) {
            changes.push(Change::Skill { skill: need.name.clone(), from, to: need.level });
        }
    }
    changes.extend(stream_changes(profile));
    if let (Some(from), Some(pay)) = (profile.salary, candidate.pay) {
        let band = pay.at(profile.experience_level());
        if band.currency() == from.currency() && band.yearly().0 < from.yearly().0 {
            changes.push(Change::Salary { from, to: band });
        }
    }
    let wish = &profile.work;
    changes
        .extend(beyond(wish.max_stress, candidate.stress, |limit, has| has > limit).map(|to| Change::MaxStress { to }));
    changes.extend(
        beyond(wish.min_balance, candidate.balance, |limit, has| has < limit).map(|to| Change::MinBalance { to }),
    );
    changes.extend(beyond(wish.max_hours, candidate.hours, |limit, has| has > limit).map(|to| Change::MaxHours { to }));
    changes.extend(beyond(wish.remote, candidate.remote, |wish, has| has < wish).map(|to| Change::Remote { to }));
    changes.extend(beyond(wish.travel, candidate.travel, |limit, has| has > limit).map(|to| Change::Travel { to }));
    if !profile.locations.is_empty() && profile.relocate != Some(true) {
        changes.push(Change::Relocate);
    }
    changes
}

/// The candidate's value, where it misses the wish.
fn beyond<T: Copy>(wish: Option<T>, has: Option<T>, misses: impl Fn(T, T) -> bool) -> Option<T> {
    let (wish, has) = (wish?, has?);
    misses(wish, has).then_some(has)
}

/// One more subject opens a stream in classes 11 and 12; in classes 9 and 10 the stream is still to be chosen.
fn stream_changes(profile: &Profile) -> Vec<Change> {
    let more = |name: &str, stream| match Subject::new(name) {
        Ok(subject) => vec![Change::Subject { subject, stream }],
        Err(_) => Vec::new(),
    };
    match (profile.education, profile.stream) {
        (Some(EducationLevel::Grade9 | EducationLevel::Grade10), from) => {
            let others = Stream::ALL.iter().copied().filter(|to| Some(*to) != from);
            others.map(|to| Change::Stream { from, to }).collect()
        }
        (Some(EducationLevel::Grade11 | EducationLevel::Grade12) | None, Some(stream)) => match stream {
            Stream::Pcm => more("biology", Stream::Pcmb),
            Stream::Pcb => more("mathematics", Stream::Pcmb),
            Stream::Commerce => more("mathematics", Stream::CommerceMaths),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
