//! Variety in the top: maximal marginal relevance.
//!
//! J. Carbonell and J. Goldstein, *The Use of MMR, Diversity-Based Reranking* (SIGIR 1998): pick next whoever
//! maximises `(1 − λ)·score − λ·max similarity to those picked`, with λ the diversity asked for.

use career_core::SkillNeed;

use crate::Candidate;
use crate::engine::Scored;

/// How many of the best to pick from.
pub(crate) fn pool(top: usize) -> usize {
    top.saturating_mul(10).max(50)
}

/// Picks `top` of the best, in the order in which they are picked.
pub(crate) fn pick<'a, 'b>(
    mut best: Vec<Scored<'a>>,
    top: usize,
    diversity: f64,
    row: impl Fn(&Scored<'a>) -> &'b Candidate,
) -> Vec<Scored<'a>> {
    let mut picked: Vec<Scored<'a>> = Vec::with_capacity(top.min(best.len()));
    // The largest similarity of each one left to those picked.
    let mut nearest = vec![0.0_f64; best.len()];
    while picked.len() < top && !best.is_empty() {
        let merit = |at: usize| (1.0 - diversity) * best[at].score.get() - diversity * nearest[at];
        // The first of equals is the better one, since `best` stays in order.
        let next = (1..best.len()).fold(0, |best, at| if merit(at) > merit(best) { at } else { best });
        let chosen = best.remove(next);
        nearest.remove(next);
        for (at, other) in best.iter().enumerate() {
            nearest[at] = nearest[at].max(similarity(row(&chosen), row(other)));
        }
        picked.push(chosen);
    }
    picked
}

/// How alike two candidates are, 0 to 1: the mean of what is known of the three: the same family, the
/// correlation of the interests mapped to `0..=1`, and the Jaccard coefficient of the skills.
pub fn similarity(a: &Candidate, b: &Candidate) -> f64 {
    let family = a.family.as_ref().zip(b.family.as_ref()).map(|(a, b)| if a == b { 1.0 } else { 0.0 });
    let interests = a.riasec.zip(b.riasec).and_then(|(a, b)| a.pearson(&b)).map(|r| (1.0 + r) / 2.0);
    let skills = (!a.skills.is_empty() && !b.skills.is_empty()).then(|| {
        let shared = a.skills.iter().filter(|need: &&SkillNeed| b.skills.find(&need.name).is_some()).count() as f64;
        shared / (a.skills.len() as f64 + b.skills.len() as f64 - shared)
    });
    let known: Vec<f64> = [family, interests, skills].into_iter().flatten().collect();
    if known.is_empty() { 0.0 } else { known.iter().sum::<f64>() / known.len() as f64 }
}
