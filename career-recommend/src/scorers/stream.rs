//! Does the person's stream lead there?

use career_core::{Evidence, Profile, Stream, StreamSet, Unit};

use crate::engine::{Bound, Field};
use crate::{Candidate, Score, Scorer};

/// Stream: how far the usual route is open from the person's stream of classes 11 and 12.
///
/// `score = max over the candidate's streams t of affinity(person, t)`, where the affinity is 1 for the same
/// stream, 1 from PCMB to PCM and PCB and from commerce with mathematics to commerce, and a partial value where
/// a related stream leads there with a detour. The partial values are this project's own judgement of Indian
/// admission rules, not a measurement; the table is in `docs/scoring.md`.
///
/// No evidence when the person has no stream or the candidate names none.
#[derive(Debug, Clone, Copy, Default)]
pub struct StreamScorer;

/// How far a person of stream `from` can take a route that usually starts from stream `to`.
fn step(from: Stream, to: Stream) -> f64 {
    use Stream::{Arts, Commerce, CommerceMaths, Pcb, Pcm, Pcmb, Vocational};
    match (from, to) {
        (a, b) if a == b => 1.0,
        (Pcmb, Pcm | Pcb) | (CommerceMaths, Commerce) => 1.0,
        // A science degree away from the one missing subject.
        (Pcm, Pcb | Pcmb) | (Pcb, Pcm | Pcmb) => 0.3,
        // Most commerce and arts degrees admit from every stream.
        (Pcm | Pcmb, CommerceMaths | Commerce) => 0.8,
        (Pcb, Commerce) => 0.7,
        (Pcb, CommerceMaths) | (Commerce, CommerceMaths) => 0.4,
        (Pcm | Pcb | Pcmb | CommerceMaths | Commerce, Arts) => 0.7,
        (Arts, Commerce) => 0.4,
        (Arts, CommerceMaths) => 0.2,
        // Mathematics without physics and chemistry opens a few courses of computing and statistics.
        (CommerceMaths, Pcm | Pcmb) => 0.2,
        (Commerce | Arts, Pcm | Pcb | Pcmb) | (CommerceMaths, Pcb) => 0.0,
        // A diploma leads into the second year of engineering; other degrees ask for class 12.
        (Vocational, Pcm) => 0.4,
        (Vocational, Pcmb | Pcb) => 0.1,
        (Vocational, CommerceMaths) => 0.2,
        (Vocational, Commerce | Arts) => 0.3,
        // Skill courses take everyone who has passed class 10.
        (_, Vocational) => 0.6,
        // A stream added later has no known relation.
        _ => 0.0,
    }
}

/// The best affinity to a set of streams, and the stream that gives it; the first of equals.
pub(crate) fn affinity(from: Stream, open_to: StreamSet) -> Option<(f64, Stream)> {
    open_to.iter().map(|to| (step(from, to), to)).reduce(|best, next| if next.0 > best.0 { next } else { best })
}

impl Scorer for StreamScorer {
    fn name(&self) -> &str {
        "stream"
    }

    fn score(&self, profile: &Profile, candidate: &Candidate) -> Option<Score> {
        let stream = profile.stream?;
        let (value, nearest) = affinity(stream, candidate.streams)?;
        let evidence = Evidence::Stream { stream, open_to: candidate.streams, nearest };
        Some(Score::new(Unit::clamped(value), evidence))
    }

    fn value(&self, profile: &Profile, candidate: &Candidate) -> Option<Unit> {
        affinity(profile.stream?, candidate.streams).map(|(value, _)| Unit::clamped(value))
    }

    fn bound(&self, profile: &Profile) -> Bound {
        match profile.stream {
            None => Bound::no_evidence(),
            Some(from) => Bound::table(Field::Streams, |bits| {
                let open = Stream::ALL.iter().copied().filter(|to| bits & (1 << *to as u8) != 0);
                open.map(|to| step(from, to)).fold(0.0, f64::max)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_in_range_and_the_own_stream_is_best() {
        for from in Stream::ALL {
            for to in Stream::ALL {
                let value = step(*from, *to);
                assert!((0.0..=1.0).contains(&value), "{from} -> {to}");
                assert!(
                    from == to || value < 1.0 || matches!(from, Stream::Pcmb | Stream::CommerceMaths),
                    "{from} -> {to}"
                );
            }
        }
    }

    #[test]
    fn pcmb_serves_pcm_and_pcb_but_not_the_other_way_round() {
        let set = |streams: &[Stream]| streams.iter().copied().collect::<StreamSet>();
        assert_eq!(affinity(Stream::Pcmb, set(&[Stream::Pcm])), Some((1.0, Stream::Pcm)));
        assert_eq!(affinity(Stream::Pcmb, set(&[Stream::Pcb])), Some((1.0, Stream::Pcb)));
        assert_eq!(affinity(Stream::Pcm, set(&[Stream::Pcb, Stream::Pcmb])), Some((0.3, Stream::Pcb)));
        assert_eq!(affinity(Stream::Arts, set(&[Stream::Pcm, Stream::Commerce])), Some((0.4, Stream::Commerce)));
        assert_eq!(affinity(Stream::Arts, StreamSet::EMPTY), None);
    }
}
