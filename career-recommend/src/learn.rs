//! Weights from feedback: what someone likes should stand before what they dislike.

use std::collections::BTreeMap;

use career_core::{CandidateId, Error, Interaction, InteractionKind, Profile, Result};

use crate::Engine;
use crate::engine::values;

/// What one person liked and disliked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Feedback<'a> {
    /// The person.
    pub profile: &'a Profile,
    /// What was liked or saved.
    pub liked: Vec<CandidateId>,
    /// What was disliked.
    pub disliked: Vec<CandidateId>,
}

impl<'a> Feedback<'a> {
    /// What was liked and disliked.
    pub fn new(profile: &'a Profile, liked: Vec<CandidateId>, disliked: Vec<CandidateId>) -> Self {
        Feedback { profile, liked, disliked }
    }

    /// Reads a person's interactions: the last like, save or dislike of each candidate counts, the rest does not.
    pub fn from_interactions<'i>(
        profile: &'a Profile,
        interactions: impl IntoIterator<Item = &'i Interaction>,
    ) -> Self {
        let mut last: BTreeMap<&CandidateId, (&Interaction, bool)> = BTreeMap::new();
        for interaction in interactions {
            let liked = match interaction.kind {
                InteractionKind::Liked | InteractionKind::Saved => true,
                InteractionKind::Disliked => false,
                _ => continue,
            };
            let newer = last.get(&interaction.candidate).is_none_or(|(known, _)| known.at <= interaction.at);
            if newer {
                last.insert(&interaction.candidate, (interaction, liked));
            }
        }
        let of = |wanted: bool| {
            last.iter().filter(|(_, (_, liked))| *liked == wanted).map(|(id, _)| (*id).clone()).collect()
        };
        Feedback::new(profile, of(true), of(false))
    }
}

/// How weights are fitted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LearnOptions {
    /// No weight goes below the first or above the second.
    pub bounds: (f64, f64),
    /// How strongly weights are held to the present ones (L2). 0 lets feedback alone decide.
    pub l2: f64,
    /// The difference of scores that makes a preference likely: the logistic function is taken of the difference
    /// divided by this.
    pub temperature: f64,
    /// Steps of the descent.
    pub steps: usize,
}

impl Default for LearnOptions {
    fn default() -> Self {
        LearnOptions { bounds: (0.02, 1.0), l2: 1.0, temperature: 0.1, steps: 2_000 }
    }
}

/// Fitted weights.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LearnedWeights {
    /// A weight for each scorer, for `RankOptions::weights`.
    pub weights: BTreeMap<String, f64>,
    /// How many pairs of a liked and a disliked candidate there were.
    pub pairs: usize,
    /// The share of pairs in the right order with the present weights.
    pub agreement_before: f64,
    /// The share of pairs in the right order with the fitted weights.
    pub agreement: f64,
}

impl Engine {
    /// Fits weights to feedback: pairwise logistic regression with an L2 pull to the present weights, within bounds.
    ///
    /// It minimises `Σ log(1 + exp(−w·d / T)) / pairs + λ/2·‖w − w₀‖²` over the pairs' differences d of component
    /// scores (liked less disliked; 0 where either has no evidence) by projected gradient descent with a fixed step
    /// below 2/L (D. Bertsekas, *Nonlinear Programming*, 1999, 2.3), so equal input gives equal weights. The pairwise
    /// logistic loss is that of RankNet (C. Burges and others, 2005). Candidates that are not in the engine are
    /// passed over. Without pairs the present weights come back, kept within the bounds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](career_core::ErrorKind::Invalid) naming the option unless `0 <= bounds.0 <= bounds.1`, all
    /// are finite, `bounds.1` and `temperature` are above 0 and `l2` is not below 0.
    pub fn learn(&self, feedback: &[Feedback<'_>], options: &LearnOptions) -> Result<LearnedWeights> {
        let (low, high) = options.bounds;
        let refuse = |field: &str, rule: &str| Err(Error::invalid(rule).at_field(field));
        if !(low.is_finite() && high.is_finite() && 0.0 <= low && low <= high && high > 0.0) {
            return refuse("bounds", "expected 0 <= low <= high, high above 0");
        }
        if !(options.temperature.is_finite() && options.temperature > 0.0) {
            return refuse("temperature", "expected a finite number above 0");
        }
        if !(options.l2.is_finite() && options.l2 >= 0.0) {
            return refuse("l2", "expected a finite number that is not below 0");
        }
        let pairs = self.pairs(feedback);
        let start: Vec<f64> = self.weights().map(|(_, weight)| weight).collect();
        let mut weights: Vec<f64> = start.iter().map(|weight| weight.clamp(low, high)).collect();
        let count = pairs.len().max(1) as f64;
        // The curvature of the loss is at most a quarter of the mean squared length of d / T, plus λ.
        let lengths: f64 = pairs.iter().map(|d| d.iter().map(|x| x * x).sum::<f64>()).sum();
        let curvature = lengths / count / (4.0 * options.temperature.powi(2)) + options.l2;
        let step = 1.0 / curvature.max(1e-9);
        for _ in 0..if pairs.is_empty() { 0 } else { options.steps } {
            let mut slope: Vec<f64> = weights.iter().zip(&start).map(|(w, start)| options.l2 * (w - start)).collect();
            for d in &pairs {
                let push = 1.0 / (1.0 + (dot(&weights, d) / options.temperature).exp());
                let scale = push / (options.temperature * count);
                slope.iter_mut().zip(d).for_each(|(slope, x)| *slope -= scale * x);
            }
            weights.iter_mut().zip(slope).for_each(|(w, slope)| *w = (*w - step * slope).clamp(low, high));
        }
        let agreement = |weights: &[f64]| pairs.iter().filter(|d| dot(weights, d) > 0.0).count() as f64 / count;
        Ok(LearnedWeights {
            pairs: pairs.len(),
            agreement_before: agreement(&start),
            agreement: agreement(&weights),
            weights: self.weights().map(|(name, _)| name.to_owned()).zip(weights).collect(),
        })
    }

    /// Differences of the component scores of every liked and disliked candidate of each person.
    fn pairs(&self, feedback: &[Feedback<'_>]) -> Vec<Vec<f64>> {
        let scorers = self.scorers_unweighted();
        let mut pairs = Vec::new();
        for Feedback { profile, liked, disliked } in feedback {
            let of = |ids: &[CandidateId]| -> Vec<_> {
                let candidates = ids.iter().filter_map(|id| self.candidate(id.as_str()));
                candidates.map(|candidate| values(&scorers, profile, candidate)).collect()
            };
            let (liked, disliked) = (of(liked), of(disliked));
            for better in &liked {
                for worse in &disliked {
                    let difference = better.iter().zip(worse).map(|(a, b)| match (a, b) {
                        (Some(a), Some(b)) => a.get() - b.get(),
                        _ => 0.0,
                    });
                    pairs.push(difference.collect());
                }
            }
        }
        pairs
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
