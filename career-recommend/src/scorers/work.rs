//! Is the work as the person wants it?

use std::sync::{Arc, LazyLock};

use career_core::{Balance, Evidence, Profile, Remote, Stress, Travel, Unit};

use super::shortfall;
use crate::engine::{Bound, Field, Flag};
use crate::scorer::{Part, weighted_mean};
use crate::{Candidate, Score, Scorer};

fn part(name: &'static Arc<str>, value: f64, person: String, candidate: String) -> Option<Part<'static>> {
    Some((name, 1.0, Unit::clamped(value), Evidence::Match { person, candidate }))
}

/// The mean of the parts' values without their evidence.
fn mean<const N: usize>(values: [Option<f64>; N]) -> Option<Unit> {
    weighted_mean(values.into_iter().flatten().map(|value| (1.0, Unit::clamped(value))))
}

static STRESS: LazyLock<Arc<str>> = LazyLock::new(|| "stress".into());
static BALANCE: LazyLock<Arc<str>> = LazyLock::new(|| "balance".into());
static HOURS: LazyLock<Arc<str>> = LazyLock::new(|| "hours".into());
static REMOTE: LazyLock<Arc<str>> = LazyLock::new(|| "remote".into());
static TRAVEL: LazyLock<Arc<str>> = LazyLock::new(|| "travel".into());

/// Work-life: stress, balance and hours against what is fine for the person.
///
/// The mean of the parts that both sides have, each 1 where the wish is met and falling in equal steps as it is
/// missed: stress by `1/2` a level above the most that is fine, balance by `1/3` a level below the least, the
/// upper end of the usual hours by `1/20` an hour above the most. Equal steps on these short ordered scales are
/// this project's choice.
///
/// No evidence when no part is known on both sides.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkLifeScorer;

fn stress(profile: &Profile, stress: Option<Stress>) -> Option<f64> {
    let (limit, stress) = (profile.work.max_stress?, stress?);
    Some(shortfall(limit as u8, stress as u8, 2))
}

fn balance(profile: &Profile, balance: Option<Balance>) -> Option<f64> {
    let (limit, balance) = (profile.work.min_balance?, balance?);
    Some(shortfall(balance as u8, limit as u8, 3))
}

fn hours(profile: &Profile, candidate: &Candidate) -> Option<f64> {
    let (limit, hours) = (profile.work.max_hours?, candidate.hours?);
    Some(shortfall(limit, hours, 20).max(0.0))
}

impl Scorer for WorkLifeScorer {
    fn name(&self) -> &str {
        "work-life"
    }

    fn score(&self, profile: &Profile, candidate: &Candidate) -> Option<Score> {
        let wish = &profile.work;
        Score::of_parts([
            stress(profile, candidate.stress).zip(wish.max_stress.zip(candidate.stress)).and_then(
                |(value, (limit, has))| {
                    part(&STRESS, value, format!("at most {limit} stress is fine"), format!("stress is {has}"))
                },
            ),
            balance(profile, candidate.balance).zip(wish.min_balance.zip(candidate.balance)).and_then(
                |(value, (limit, has))| {
                    part(&BALANCE, value, format!("at least {limit} balance is wished"), format!("balance is {has}"))
                },
            ),
            hours(profile, candidate).zip(wish.max_hours.zip(candidate.hours)).and_then(|(value, (limit, has))| {
                part(&HOURS, value, format!("at most {limit} hours a week are fine"), format!("up to {has} are usual"))
            }),
        ])
    }

    fn value(&self, profile: &Profile, candidate: &Candidate) -> Option<Unit> {
        mean([stress(profile, candidate.stress), balance(profile, candidate.balance), hours(profile, candidate)])
    }

    fn bound(&self, profile: &Profile) -> Bound {
        let wish = &profile.work;
        let flags = [
            wish.max_stress.map(|_| Flag::Stress),
            wish.min_balance.map(|_| Flag::Balance),
            wish.max_hours.map(|_| Flag::Hours),
        ];
        let exact = wish.max_hours.is_none();
        Bound::table_of(Field::StressBalance, flags.into_iter().flatten(), exact, |bits| {
            let stresses = one_of(Stress::ALL, bits, 0);
            let balances = one_of(Balance::ALL, bits, Stress::ALL.len());
            let hours = wish.max_hours.map(|_| 1.0);
            best(&stresses, &balances, |s, b| mean([stress(profile, s), balance(profile, b), hours]))
        })
    }
}

/// Remote and travel: how far the work can be done from elsewhere, and how much one travels for it.
///
/// The mean of the parts that both sides have, each 1 where the wish is met and falling in equal steps as it is
/// missed: remote work by `1/2` a level below the wish, travel by `1/3` a level above the most that is fine.
/// Equal steps are this project's choice.
///
/// No evidence when no part is known on both sides.
#[derive(Debug, Clone, Copy, Default)]
pub struct MobilityScorer;

fn remote(profile: &Profile, remote: Option<Remote>) -> Option<f64> {
    let (wish, remote) = (profile.work.remote?, remote?);
    Some(shortfall(remote as u8, wish as u8, 2))
}

fn travel(profile: &Profile, travel: Option<Travel>) -> Option<f64> {
    let (limit, travel) = (profile.work.travel?, travel?);
    Some(shortfall(limit as u8, travel as u8, 3))
}

impl Scorer for MobilityScorer {
    fn name(&self) -> &str {
        "remote-travel"
    }

    fn score(&self, profile: &Profile, candidate: &Candidate) -> Option<Score> {
        let wish = &profile.work;
        Score::of_parts([
            remote(profile, candidate.remote).zip(wish.remote.zip(candidate.remote)).and_then(
                |(value, (wish, has))| {
                    part(&REMOTE, value, format!("{wish} remote work is wished"), format!("{has} is possible"))
                },
            ),
            travel(profile, candidate.travel).zip(wish.travel.zip(candidate.travel)).and_then(
                |(value, (limit, has))| {
                    part(&TRAVEL, value, format!("at most {limit} travel is fine"), format!("travel is {has}"))
                },
            ),
        ])
    }

    fn value(&self, profile: &Profile, candidate: &Candidate) -> Option<Unit> {
        mean([remote(profile, candidate.remote), travel(profile, candidate.travel)])
    }

    fn bound(&self, profile: &Profile) -> Bound {
        let wish = &profile.work;
        let flags = [wish.travel.map(|_| Flag::Travel), wish.remote.map(|_| Flag::Remote)];
        Bound::table_of(Field::TravelRemote, flags.into_iter().flatten(), true, |bits| {
            let travels = one_of(Travel::ALL, bits, 0);
            let remotes = one_of(Remote::ALL, bits, Travel::ALL.len());
            best(&travels, &remotes, |t, r| mean([remote(profile, r), travel(profile, t)]))
        })
    }
}

/// The values whose bit is set, `shift` bits up, and the case that none is known.
fn one_of<T: Copy>(all: &[T], bits: u8, shift: usize) -> Vec<Option<T>> {
    let set = all.iter().enumerate().filter(|(at, _)| bits & (1 << (at + shift)) != 0).map(|(_, value)| Some(*value));
    set.chain([None]).collect()
}

fn best<A: Copy, B: Copy>(
    a: &[Option<A>],
    b: &[Option<B>],
    value: impl Fn(Option<A>, Option<B>) -> Option<Unit>,
) -> f64 {
    let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (*a, *b)));
    pairs.filter_map(|(a, b)| value(a, b)).max().map_or(0.0, Unit::get)
}

#[cfg(test)]
mod tests {
    use super::*;
    use career_core::{CandidateId, WorkPreferences};

    #[test]
    fn wishes_that_are_met_or_missed() {
        let mut candidate = Candidate::new(CandidateId::new("x").expect("one line"), "X");
        (candidate.stress, candidate.balance, candidate.hours) =
            (Some(Stress::High), Some(Balance::Moderate), Some(50));
        (candidate.travel, candidate.remote) = (Some(Travel::Some), Some(Remote::Partial));
        let wish = |work: WorkPreferences| Profile::builder().work(work).build();
        let life = |work| WorkLifeScorer.score(&wish(work), &candidate).map(|score| score.value.get());
        let moving = |work| MobilityScorer.score(&wish(work), &candidate).map(|score| score.value.get());
        let close = |a: Option<f64>, b: f64| assert!((a.expect("evidence") - b).abs() < 1e-12, "{a:?} is not {b}");
        close(life(WorkPreferences::builder().max_stress(Stress::High).build()), 1.0);
        close(life(WorkPreferences::builder().max_stress(Stress::Medium).build()), 0.5);
        close(life(WorkPreferences::builder().min_balance(Balance::Excellent).build()), 1.0 / 3.0);
        close(life(WorkPreferences::builder().max_hours(40).max_stress(Stress::Low).build()), 0.25);
        assert_eq!(life(WorkPreferences::default()), None);
        close(moving(WorkPreferences::builder().remote(Remote::Full).build()), 0.5);
        close(
            moving(WorkPreferences::builder().remote(Remote::None).travel(Travel::Rare).build()),
            (1.0 + 2.0 / 3.0) / 2.0,
        );
    }
}
