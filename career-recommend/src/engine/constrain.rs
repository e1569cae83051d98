//! Hard constraints: what each asks, and why a candidate breaks it.

use std::collections::HashSet;

use career_core::{CandidateId, ConstraintKind, Constraints, Error, Profile, Remote, Result};

use super::Currencies;
use super::bound::{Field, Flag, round_up};
use super::segment::{Block, LANES, YEARS_MASK, YEARS_SHIFT};
use crate::Candidate;
use crate::scorers::affinity;

/// Refuses constraints that need what the profile does not have.
pub(crate) fn check(constraints: &Constraints, profile: &Profile) -> Result<()> {
    let missing = |what: &str, field: &str| {
        Err(Error::invalid(format!("the constraint needs {what} in the profile"))
            .at_field(format!("constraints.{field}")))
    };
    if constraints.stream_possible && profile.stream.is_none() {
        return missing("a stream", "stream_possible");
    }
    if constraints.within_locations && profile.locations.is_empty() {
        return missing("locations", "within_locations");
    }
    Ok(())
}

/// The first constraint that the candidate breaks, and why. This is the definition.
pub(crate) fn violation(
    constraints: &Constraints,
    profile: &Profile,
    candidate: &Candidate,
) -> Option<(ConstraintKind, String)> {
    if constraints.exclude.contains(&candidate.id) {
        return Some((ConstraintKind::Exclude, "on the list of those to leave out".to_owned()));
    }
    if let (true, Some(stream)) = (constraints.stream_possible, profile.stream)
        && affinity(stream, candidate.streams).is_some_and(|(value, _)| value < 1.0)
    {
        let reason = format!("the usual route starts from {}, not from {stream}", candidate.streams);
        return Some((ConstraintKind::StreamPossible, reason));
    }
    if let (Some(floor), Some(pay)) = (&constraints.salary_floor, &candidate.pay) {
        let band = pay.at(profile.experience_level());
        let short = band.yearly().1.is_some_and(|high| high < floor.yearly().0);
        if band.currency() == floor.currency() && short {
            return Some((ConstraintKind::SalaryFloor, format!("usual pay is {band}, the floor is {floor}")));
        }
    }
    if let (true, Some(remote)) = (constraints.remote_only, candidate.remote)
        && remote != Remote::Full
    {
        return Some((ConstraintKind::RemoteOnly, format!("remote work is {remote}")));
    }
    if let (Some(limit), Some(stress)) = (constraints.max_stress, candidate.stress)
        && stress > limit
    {
        return Some((ConstraintKind::MaxStress, format!("stress is {stress}, at most {limit} is asked")));
    }
    if let (Some(limit), Some(years)) = (constraints.max_years_of_study, candidate.years_of_study)
        && years > limit
    {
        return Some((
            ConstraintKind::MaxYearsOfStudy,
            format!("takes {years} years of study, at most {limit} are asked"),
        ));
    }
    if constraints.within_locations
        && candidate.remote != Some(Remote::Full)
        && !candidate.locations.is_empty()
        && !candidate.locations.iter().any(|place| profile.locations.iter().any(|own| own.same(place)))
    {
        let places: Vec<&str> = candidate.locations.iter().map(career_core::PlaceName::as_str).collect();
        return Some((ConstraintKind::WithinLocations, format!("is in {}", places.join(", "))));
    }
    None
}

/// What columns say of a candidate: that it breaks a constraint first, breaks none, or that its row must be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Breaks(ConstraintKind),
    Keeps,
    ReadRow,
}

/// Constraints lowered to columns.
#[derive(Debug)]
pub(crate) struct Filter {
    /// Sets of streams that the person's stream does not serve, by their bits.
    closed: Option<Box<[bool; 256]>>,
    floor: Option<(f32, usize)>,
    remote_only: bool,
    stressful: u64,
    years: Option<u64>,
    /// Rows of the candidates to leave out.
    exclude: HashSet<usize>,
    /// Whether some constraint can only be read from rows.
    needs_rows: bool,
}

impl Filter {
    /// `row` finds the row of a candidate.
    pub(crate) fn new(
        constraints: &Constraints,
        profile: &Profile,
        currencies: &Currencies,
        row: impl Fn(&CandidateId) -> Option<usize>,
    ) -> Self {
        let closed = constraints.stream_possible.then_some(profile.stream).flatten().map(|stream| {
            let mut closed = Box::new([false; 256]);
            for (bits, closed) in closed.iter_mut().enumerate() {
                let all = career_core::Stream::ALL.iter().copied();
                let set = all.filter(|stream| bits & (1 << *stream as usize) != 0).collect();
                *closed = affinity(stream, set).is_some_and(|(value, _)| value < 1.0);
            }
            closed
        });
        let floor = constraints.salary_floor;
        let main = |floor: &career_core::PayRange| Some(floor.currency()) == currencies.main;
        let stressful = constraints.max_stress.map_or(0, |limit| {
            let above = career_core::Stress::ALL.iter().filter(|stress| **stress > limit);
            above.fold(0, |bits, stress| bits | 1 << (Field::StressBalance.shift() + *stress as u32))
        });
        Filter {
            closed,
            floor: floor
                .filter(main)
                .map(|floor| (round_up(floor.yearly().0 as f64), profile.experience_level() as usize)),
            remote_only: constraints.remote_only,
            stressful,
            years: constraints.max_years_of_study.map(u64::from),
            exclude: constraints.exclude.iter().filter_map(row).collect(),
            needs_rows: constraints.within_locations || floor.is_some_and(|floor| !main(&floor)),
        }
    }

    /// What the columns say of a lane, whose candidate stands in `row`.
    pub(crate) fn verdict(&self, block: &Block, lane: usize, row: usize) -> Verdict {
        if self.exclude.contains(&row) {
            return Verdict::Breaks(ConstraintKind::Exclude);
        }
        if self.needs_rows {
            return Verdict::ReadRow;
        }
        debug_assert!(lane < LANES);
        let bits = block.bits[lane];
        if self.closed.as_ref().is_some_and(|closed| closed[bits as usize & 0xff]) {
            return Verdict::Breaks(ConstraintKind::StreamPossible);
        }
        if let (Some((floor, level)), true) = (self.floor, bits & Flag::Pay.bit() != 0) {
            // Both ends were rounded up, so only what is clearly apart is decided here.
            let high = block.high[level][lane];
            if high < floor.next_down() {
                return Verdict::Breaks(ConstraintKind::SalaryFloor);
            }
            if high <= floor.next_up() {
                return Verdict::ReadRow;
            }
        }
        let remote_bits = bits >> (Field::TravelRemote.shift() + 4) & 0b111;
        if self.remote_only && remote_bits & 0b011 != 0 {
            return Verdict::Breaks(ConstraintKind::RemoteOnly);
        }
        if bits & self.stressful != 0 {
            return Verdict::Breaks(ConstraintKind::MaxStress);
        }
        let years = bits >> YEARS_SHIFT & YEARS_MASK;
        match self.years {
            Some(_) if years == YEARS_MASK => Verdict::ReadRow,
            Some(limit) if years > limit + 1 => Verdict::Breaks(ConstraintKind::MaxYearsOfStudy),
            _ => Verdict::Keeps,
        }
    }
}
