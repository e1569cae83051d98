//! How good rankings are, measured against labels.

use std::collections::{BTreeMap, BTreeSet};

use career_core::CandidateId;

/// A ranking and what would have been right.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Judged {
    /// The ranking, best first.
    pub ranked: Vec<CandidateId>,
    /// How relevant each relevant candidate is, above 0; whoever is missing is not relevant.
    pub relevant: BTreeMap<CandidateId, f64>,
}

impl Judged {
    /// A ranking and the relevance of those that are relevant. Relevance that is not above 0 is left out.
    pub fn new(ranked: Vec<CandidateId>, relevant: impl IntoIterator<Item = (CandidateId, f64)>) -> Self {
        Judged { ranked, relevant: relevant.into_iter().filter(|(_, gain)| *gain > 0.0).collect() }
    }

    fn gains(&self, k: usize) -> impl Iterator<Item = f64> {
        self.ranked.iter().take(k).map(|id| self.relevant.get(id).copied().unwrap_or(0.0))
    }

    /// Normalised discounted cumulative gain of the first k: `Σ gᵢ / log₂(i + 1)` over the same sum of the best order
    /// (K. Järvelin and J. Kekäläinen, 2002). `None` when nothing is relevant.
    pub fn ndcg(&self, k: usize) -> Option<f64> {
        let discounted = |gains: &mut dyn Iterator<Item = f64>| -> f64 {
            gains.enumerate().map(|(at, gain)| gain / (at as f64 + 2.0).log2()).sum()
        };
        let mut ideal: Vec<f64> = self.relevant.values().copied().collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        let best = discounted(&mut ideal.into_iter().take(k));
        (best > 0.0).then(|| discounted(&mut self.gains(k)) / best)
    }

    /// The share of the relevant that is among the first k. `None` when nothing is relevant.
    pub fn recall(&self, k: usize) -> Option<f64> {
        let found = self.gains(k).filter(|gain| *gain > 0.0).count() as f64;
        (!self.relevant.is_empty()).then(|| found / self.relevant.len() as f64)
    }

    /// The share of the first k that is relevant. `None` for k of 0.
    pub fn precision(&self, k: usize) -> Option<f64> {
        (k > 0).then(|| self.gains(k).filter(|gain| *gain > 0.0).count() as f64 / k as f64)
    }

    /// One over the place of the first relevant one; 0 when none is ranked.
    pub fn reciprocal_rank(&self) -> f64 {
        self.gains(usize::MAX).position(|gain| gain > 0.0).map_or(0.0, |at| 1.0 / (at as f64 + 1.0))
    }
}

/// Means over many rankings, of their first k.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Measures {
    /// Rankings with at least one relevant candidate; the means of nDCG, recall and reciprocal rank are over these.
    pub judged: usize,
    /// Mean nDCG at k.
    pub ndcg: f64,
    /// Mean recall at k.
    pub recall: f64,
    /// Mean precision at k.
    pub precision: f64,
    /// Mean reciprocal rank.
    pub mrr: f64,
    /// The share of the catalogue that stands among the first k of any ranking.
    pub coverage: f64,
    /// The mean dissimilarity of two of the first k of a ranking; 0 where there are no two.
    pub diversity: f64,
}

/// Measures rankings at k, over a catalogue of a given size. `similarity` says how alike two candidates are, 0 to 1.
///
/// ```
/// use career_core::CandidateId;
/// use career_recommend::{Judged, evaluate};
///
/// let id = |text| CandidateId::new(text).expect("one line");
/// let judged = Judged::new(vec![id("a"), id("b")], [(id("b"), 1.0)]);
/// let measures = evaluate(&[judged], 2, 10, |_, _| 0.25);
/// assert_eq!((measures.mrr, measures.recall, measures.coverage, measures.diversity), (0.5, 1.0, 0.2, 0.75));
/// ```
pub fn evaluate(
    rankings: &[Judged],
    k: usize,
    catalogue: usize,
    similarity: impl Fn(&CandidateId, &CandidateId) -> f64,
) -> Measures {
    let with_labels: Vec<&Judged> = rankings.iter().filter(|judged| !judged.relevant.is_empty()).collect();
    let mean = |of: &dyn Fn(&Judged) -> Option<f64>| {
        let values: Vec<f64> = with_labels.iter().filter_map(|judged| of(judged)).collect();
        if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
    };
    let shown: BTreeSet<&CandidateId> = rankings.iter().flat_map(|judged| judged.ranked.iter().take(k)).collect();
    let mut dissimilar = Vec::new();
    for judged in rankings {
        let first = &judged.ranked[..judged.ranked.len().min(k)];
        for (at, a) in first.iter().enumerate() {
            dissimilar.extend(first[at + 1..].iter().map(|b| 1.0 - similarity(a, b)));
        }
    }
    Measures {
        judged: with_labels.len(),
        ndcg: mean(&|judged| judged.ndcg(k)),
        recall: mean(&|judged| judged.recall(k)),
        precision: mean(&|judged| judged.precision(k)),
        mrr: mean(&|judged| Some(judged.reciprocal_rank())),
        coverage: if catalogue == 0 { 0.0 } else { shown.len() as f64 / catalogue as f64 },
        diversity: if dissimilar.is_empty() { 0.0 } else { dissimilar.iter().sum::<f64>() / dissimilar.len() as f64 },
    }
}
