//! Do the texts mean alike?

use career_core::{Evidence, Profile, Unit};

use crate::engine::{Bound, Flag};
use crate::{Candidate, Score, Scorer};

/// Semantic: `(1 + cos) / 2` of two given vectors, `Profile::embedding` and `Candidate::embedding`.
///
/// Cosine similarity of embeddings is the usual measure of retrieval by meaning. Both vectors must come from one
/// model; this crate computes none.
///
/// No evidence when a vector is missing, of another length, of length zero, or not finite.
#[derive(Debug, Clone, Copy, Default)]
pub struct SemanticScorer;

fn cosine(profile: &Profile, candidate: &Candidate) -> Option<f64> {
    let (a, b) = (profile.embedding.as_deref()?, candidate.embedding.as_deref()?);
    if a.len() != b.len() {
        return None;
    }
    let (mut dot, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b).map(|(x, y)| (f64::from(*x), f64::from(*y))) {
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    let cosine = dot / (aa * bb).sqrt();
    cosine.is_finite().then(|| cosine.clamp(-1.0, 1.0))
}

impl Scorer for SemanticScorer {
    fn name(&self) -> &str {
        "semantic"
    }

    fn score(&self, profile: &Profile, candidate: &Candidate) -> Option<Score> {
        let cosine = cosine(profile, candidate)?;
        Some(Score::new(Unit::clamped((1.0 + cosine) / 2.0), Evidence::Similarity { cosine }))
    }

    fn value(&self, profile: &Profile, candidate: &Candidate) -> Option<Unit> {
        cosine(profile, candidate).map(|cosine| Unit::clamped((1.0 + cosine) / 2.0))
    }

    fn bound(&self, profile: &Profile) -> Bound {
        if profile.embedding.is_none() { Bound::no_evidence() } else { Bound::one_maybe(Flag::Embedding) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use career_core::CandidateId;

    #[test]
    fn cosine_or_no_evidence() {
        let value = |own: &[f32], its: &[f32]| {
            let mut candidate = Candidate::new(CandidateId::new("x").expect("one line"), "X");
            candidate.embedding = Some(its.into());
            let profile = Profile::builder().embedding(own.to_vec()).build();
            SemanticScorer.score(&profile, &candidate).map(|score| score.value.get())
        };
        assert_eq!(value(&[3.0, 0.0], &[5.0, 0.0]), Some(1.0));
        assert_eq!(value(&[1.0, 0.0], &[0.0, 2.0]), Some(0.5));
        assert_eq!(value(&[1.0, 0.0], &[-1.0, 0.0]), Some(0.0));
        for (a, b) in [(&[1.0][..], &[1.0, 2.0][..]), (&[0.0], &[1.0]), (&[f32::NAN], &[1.0]), (&[], &[])] {
            assert_eq!(value(a, b), None);
        }
    }
}
