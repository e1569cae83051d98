//! The weighted score by its plain definition, and its explanation.

use career_core::{Component, Profile, RankOptions, Recommendation, ScoreBreakdown, Unit};

use super::segment::UNRANKED;
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
        Scored { score, confidence, id: &candidate.id, row, rank: UNRANKED }
    }

    /// Turns scored candidates, best first, into recommendations, explained if that is asked.
    pub(super) fn recommend_scored(
        &self,
        scorers: &[Weighted],
        profile: &Profile,
        options: &RankOptions,
        best: Vec<Scored<'_>>,
    ) -> Vec<Recommendation> {
        let judge = |scored: Scored<'_>| {
            let candidate = self.row(scored.row);
            if options.explain {
                return Judged::explained(scorers, profile, candidate);
            }
            let breakdown = ScoreBreakdown::unexplained(scored.score, scored.confidence);
            Judged::new(candidate, breakdown, values(scorers, profile, candidate))
        };
        in_order(scorers, options, best.into_iter().map(judge))
    }

    /// Explains all of these candidates and keeps the best: the same as scoring and then explaining the best, without
    /// scoring twice.
    pub(super) fn recommend_rows(
        &self,
        scorers: &[Weighted],
        profile: &Profile,
        options: &RankOptions,
        rows: impl Iterator<Item = usize>,
    ) -> Vec<Recommendation> {
        let mut all: Vec<Judged> = rows.map(|row| Judged::explained(scorers, profile, self.row(row))).collect();
        all.sort_unstable_by(|a, b| {
            let (a, b) = (&a.item, &b.item);
            b.score().cmp(&a.score()).then_with(|| a.candidate.cmp(&b.candidate))
        });
        all.truncate(options.top);
        in_order(scorers, options, all.into_iter())
    }
}

/// A recommendation, and the value of each scorer for it.
struct Judged {
    item: Recommendation,
    values: Vec<Option<Unit>>,
}

impl Judged {
    fn new(candidate: &Candidate, breakdown: ScoreBreakdown, values: Vec<Option<Unit>>) -> Self {
        Judged { item: Recommendation::new(candidate.id.clone(), candidate.title.clone(), breakdown), values }
    }

    fn explained(scorers: &[Weighted], profile: &Profile, candidate: &Candidate) -> Self {
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
        let terms = components.iter().map(|component| (component.weight, component.score));
        let (total, confidence) = mean_and_confidence(scorers, terms);
        let whole: f64 = components.iter().map(|component| component.weight).sum();
        for component in &mut components {
            component.contribution = component.weight * component.score.get() / whole;
        }
        Judged::new(candidate, ScoreBreakdown::explained(total, confidence, components, without), values)
    }
}

/// Marks near ties of each with the one before.
fn in_order(scorers: &[Weighted], options: &RankOptions, judged: impl Iterator<Item = Judged>) -> Vec<Recommendation> {
    let mut before: Option<(Unit, Vec<Option<Unit>>)> = None;
    let mark = |Judged { mut item, values }: Judged| {
        item.tied = before.as_ref().is_some_and(|(score, before)| {
            near_tie(scorers, options.weight_uncertainty, (*score, before), (item.score(), &values))
        });
        before = Some((item.score(), values));
        item
    };
    judged.map(mark).collect()
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
