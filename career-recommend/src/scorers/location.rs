//! Is it where the person would work?

use career_core::{Evidence, PlaceName, Profile, Remote, Unit};

use crate::engine::{Bound, Flag};
use crate::{Candidate, Score, Scorer};

/// Location: 1 when the work is in one of the person's places or fully remote, 0.7 when it is elsewhere and the
/// person would move, else 0. The value for moving is this project's choice.
///
/// No evidence when the person names no place, or the candidate names none and is not fully remote.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocationScorer;

fn meeting<'a>(profile: &Profile, candidate: &'a Candidate) -> Option<&'a PlaceName> {
    candidate.locations.iter().find(|place| profile.locations.iter().any(|own| own.same(place)))
}

fn value(profile: &Profile, candidate: &Candidate) -> Option<f64> {
    let remote = candidate.remote == Some(Remote::Full);
    if profile.locations.is_empty() || (candidate.locations.is_empty() && !remote) {
        return None;
    }
    Some(if remote || meeting(profile, candidate).is_some() {
        1.0
    } else if profile.relocate == Some(true) {
        0.7
    } else {
        0.0
    })
}

impl Scorer for LocationScorer {
    fn name(&self) -> &str {
        "location"
    }

    fn score(&self, profile: &Profile, candidate: &Candidate) -> Option<Score> {
        let value = value(profile, candidate)?;
        let own = profile.locations.iter().map(PlaceName::as_str).collect::<Vec<_>>().join(", ");
        let its = match (candidate.remote, candidate.locations.as_slice()) {
            (Some(Remote::Full), _) => "fully remote".to_owned(),
            (_, places) => places.iter().map(PlaceName::as_str).collect::<Vec<_>>().join(", "),
        };
        let evidence = Evidence::Match { person: format!("would work in {own}"), candidate: format!("is in {its}") };
        Some(Score::new(Unit::clamped(value), evidence))
    }

    fn value(&self, profile: &Profile, candidate: &Candidate) -> Option<Unit> {
        value(profile, candidate).map(Unit::clamped)
    }

    fn bound(&self, profile: &Profile) -> Bound {
        if profile.locations.is_empty() { Bound::no_evidence() } else { Bound::one_if(Flag::Location) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use career_core::CandidateId;

    #[test]
    fn here_remote_or_elsewhere() {
        let place = |name| PlaceName::new(name).expect("one line");
        let mut candidate = Candidate::new(CandidateId::new("x").expect("one line"), "X");
        let mut profile = Profile::builder().locations(vec![place("Pune")]).build();
        let value = |p: &Profile, c: &Candidate| LocationScorer.score(p, c).map(|score| score.value.get());
        assert_eq!(value(&profile, &candidate), None);
        candidate.locations = vec![place("Delhi"), place("PUNE")];
        assert_eq!(value(&profile, &candidate), Some(1.0));
        candidate.locations = vec![place("Delhi")];
        assert_eq!(value(&profile, &candidate), Some(0.0));
        profile.relocate = Some(true);
        assert_eq!(value(&profile, &candidate), Some(0.7));
        candidate.remote = Some(Remote::Full);
        assert_eq!(value(&profile, &candidate), Some(1.0));
    }
}
