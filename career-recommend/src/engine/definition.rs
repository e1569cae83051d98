//! The weighted score by its plain definition, and its explanation.

use career_core::{Component, Profile, RankOptions, Recommendation, ScoreBreakdown, Unit};

use super::top::Scored;
use super::{Engine, Weighted};
use crate::Candidate;
use crate::scorer::weighted_mean;

/// The value of each scorer, in order; `None` without evidence or weight.
pub(crate) fn values(scorers: &[Weighted], profile: &Profile, candidate: &Candidate) -> Vec<Option<Unit>> {
    let value = |scorer: &Weighted| (scorer.weight > 0.0).then(|| scorer.scorer.value(profile, candidate)).flatten();
    scorers.iter().map(value).collect()
}

/// `Σ wᵢ·sᵢ / Σ wᵢ` over the scorers with evidence, and the share of the weight that has it.
fn total(scorers: &[Weighted], profile: &Profile, candidate: &Candidate) -> (Unit, Unit) {
    const FEW: usize = 16;
    let mut terms = [(0.0, Unit::ZERO); FEW];
    if scorers.len() > FEW {
        let values = values(scorers, profile, candidate);
        let terms = scorers.iter().zip(values).filter_map(|(scorer, value)| Some((scorer.weight, value?)));
        return mean_and_confidence(scorers, terms);
    }
    let mut count = 0;
    for scorer in scorers.iter().filter(|scorer| scorer.weight > 0.0) {
        if let Some(value) = scorer.scorer.value(profile, candidate) {
            terms[count] = (scorer.weight, value);
            count += 1;
        }
    }
    mean_and_confidence(scorers, terms[..count].iter().copied())
}

fn mean_and_confidence(scorers: &[Weighted], terms: impl Iterator<Item = (f64, Unit)> + Clone) -> (Unit, Unit) {
    let whole: f64 = scorers.iter().map(|scorer| scorer.weight).sum();
    let with_evidence: f64 = terms.clone().map(|(weight, _)| weight).sum();
    (weighted_mean(terms).unwrap_or(Unit::ZERO), Unit::clamped(with_evidence / whole))
}

impl Engine {
    /// The score of the candidate in a row.
    pub(super) fn scored(&self, scorers: &[Weighted], profile: &Profile, row: usize) -> Scored<'_> {
        let candidate = self.row(row);
        let (score, confidence) = total(scorers, profile, candidate);
        Scored { score, confidence, id: &candidate.id, row }
    }

    /// Turns scored candidates into recommendations, explained if that is asked.
    pub(super) fn explain(
        &self,
        scorers: &[Weighted],
        profile: &Profile,
        options: &RankOptions,
        best: Vec<Scored<'_>>,
    ) -> Vec<Recommendation> {
        let mut before: Option<(Unit, Vec<Option<Unit>>)> = None;
        let mut items = Vec::with_capacity(best.len());
        for scored in best {
            let candidate = self.row(scored.row);
            let (breakdown, values) = if options.explain {
                breakdown(scorers, profile, candidate, &scored)
            } else {
                (ScoreBreakdown::unexplained(scored.score, scored.confidence), values(scorers, profile, candidate))
            };
            let mut item = Recommendation::new(candidate.id.clone(), candidate.title.clone(), breakdown);
            item.tied = before.is_some_and(|(score, before)| {
                near_tie(scorers, options.weight_uncertainty, (score, &before), (scored.score, &values))
            });
            before = Some((scored.score, values));
            items.push(item);
        }
        items
    }
}

fn breakdown(
    scorers: &[Weighted],
    profile: &Profile,
    candidate: &Candidate,
    scored: &Scored<'_>,
) -> (ScoreBreakdown, Vec<Option<Unit>>) {
    let mut components = Vec::with_capacity(scorers.len());
    let mut without = Vec::new();
    let mut values = Vec::with_capacity(scorers.len());
    for Weighted { name, scorer, weight } in scorers {
        let score = (*weight > 0.0).then(|| scorer.score(profile, candidate)).flatten();
        values.push(score.as_ref().map(|score| score.value));
        match score {
            Some(score) => {
                let mut component = Component::new(name.clone(), *weight, score.value, 0.0, score.evidence);
                component.parts = score.parts;
                components.push(component);
            }
            None => without.push(name.clone()),
        }
    }
    let whole: f64 = components.iter().map(|component| component.weight).sum();
    for component in &mut components {
        component.contribution = component.weight * component.score.get() / whole;
    }
    (ScoreBreakdown::explained(scored.score, scored.confidence, components, without), values)
}

/// Whether the difference of two totals is no larger than what uncertain weights can make of it; the formula is
/// in the doc of [`Recommendation::tied`]. Components with evidence on one side only do not count for the spread.
pub(crate) fn near_tie(
    scorers: &[Weighted],
    uncertainty: Unit,
    (a, a_values): (Unit, &[Option<Unit>]),
    (b, b_values): (Unit, &[Option<Unit>]),
) -> bool {
    let both = || {
        let pairs = a_values.iter().zip(b_values).zip(scorers);
        pairs.filter_map(|((a, b), scorer)| Some((scorer.weight, (*a)?.get() - (*b)?.get())))
    };
    let whole: f64 = both().map(|(weight, _)| weight).sum();
    let mean: f64 = both().map(|(weight, difference)| weight * difference / whole).sum();
    let variance: f64 = both().map(|(weight, difference)| (weight / whole * (difference - mean)).powi(2)).sum();
    (a.get() - b.get()).abs() <= uncertainty.get() * variance.sqrt()
}
