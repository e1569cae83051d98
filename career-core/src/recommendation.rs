//! Rankings: what was asked, what came out, and the explanation of every number.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::macros::named_enum;
use crate::{
    CandidateId, Error, HollandType, PayRange, Result, Riasec, SkillName, Stream, StreamSet, Stress, Tag, Unit,
};

/// What is asked of a ranking.
///
/// ```
/// use career_core::{Constraints, RankOptions, Stress};
///
/// let options = RankOptions::top(5).with_constraints(Constraints::builder().max_stress(Stress::Medium).build());
/// assert_eq!(options.top, 5);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RankOptions {
    /// How many to return.
    pub top: usize,
    /// Whether to explain each item. Without it a [`ScoreBreakdown`] has no components.
    pub explain: bool,
    /// What must hold.
    pub constraints: Constraints,
    /// Weights by scorer that stand in for the recommender's own; a scorer not named keeps its own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<String, f64>,
    /// How much variety to bring into the top, 0 (none) to 1 (variety alone).
    pub diversity: Unit,
    /// How many of the excluded to list; all are counted.
    pub list_excluded: usize,
    /// Relative uncertainty of the weights, from which near ties follow; see [`Recommendation::tied`].
    pub weight_uncertainty: Unit,
}

impl Default for RankOptions {
    fn default() -> Self {
        RankOptions {
            top: 10,
            explain: true,
            constraints: Constraints::default(),
            weights: BTreeMap::new(),
            diversity: Unit::ZERO,
            list_excluded: 1_000,
            weight_uncertainty: Unit::clamped(0.1),
        }
    }
}

impl RankOptions {
    /// The best `top`, explained, without constraints.
    pub fn top(top: usize) -> Self {
        RankOptions { top, ..RankOptions::default() }
    }

    /// With hard constraints.
    #[must_use]
    pub fn with_constraints(mut self, constraints: Constraints) -> Self {
        self.constraints = constraints;
        self
    }

    /// With another weight for one scorer.
    #[must_use]
    pub fn with_weight(mut self, scorer: impl Into<String>, weight: f64) -> Self {
        self.weights.insert(scorer.into(), weight);
        self
    }

    /// With variety in the top.
    #[must_use]
    pub fn with_diversity(mut self, diversity: Unit) -> Self {
        self.diversity = diversity;
        self
    }

    /// Without explanations, which makes ranking faster.
    #[must_use]
    pub fn without_explanations(mut self) -> Self {
        self.explain = false;
        self
    }
}

/// What must hold for a candidate to be ranked at all. What is unknown of a candidate excludes nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Constraints {
    /// The band of the person's experience level must reach at least this much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salary_floor: Option<PayRange>,
    /// The usual route must be open from the person's stream.
    #[builder(default)]
    pub stream_possible: bool,
    /// The work must be in one of the person's places, or be fully remote.
    #[builder(default)]
    pub within_locations: bool,
    /// The work must be fully remote.
    #[builder(default)]
    pub remote_only: bool,
    /// The work must not be more stressful than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stress: Option<Stress>,
    /// The usual route must not take more years of study after class 12.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_years_of_study: Option<u8>,
    /// These are left out.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[builder(default)]
    pub exclude: BTreeSet<CandidateId>,
}

impl Constraints {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        *self == Constraints::default()
    }
}

named_enum! {
    /// A hard constraint, in the order in which they are checked.
    #[non_exhaustive]
    pub enum ConstraintKind {
        /// On the list of candidates to leave out.
        Exclude = "exclude",
        /// Closed to the person's stream.
        StreamPossible = "stream-possible",
        /// Pays less than the floor.
        SalaryFloor = "salary-floor",
        /// Not fully remote.
        RemoteOnly = "remote-only",
        /// Too stressful.
        MaxStress = "max-stress",
        /// Takes too many years of study.
        MaxYearsOfStudy = "max-years-of-study",
        /// Elsewhere.
        WithinLocations = "within-locations",
    }
}

/// A candidate that a constraint left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Exclusion {
    /// Who.
    #[serde(rename = "career")]
    pub candidate: CandidateId,
    /// Its title.
    pub title: Arc<str>,
    /// The first constraint that it breaks.
    pub constraint: ConstraintKind,
    /// What the constraint asks and what the candidate has.
    pub reason: String,
}

impl Exclusion {
    /// A candidate left out, the constraint that did it, and why.
    pub fn new(candidate: CandidateId, title: Arc<str>, constraint: ConstraintKind, reason: String) -> Self {
        Exclusion { candidate, title, constraint, reason }
    }
}

/// What was left out of a ranking: counted whole, listed up to [`RankOptions::list_excluded`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Excluded {
    /// How many each constraint left out.
    pub counts: BTreeMap<ConstraintKind, u64>,
    /// The first of them in the order of their ids.
    pub listed: Vec<Exclusion>,
}

impl Excluded {
    /// How many were left out in all.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// Candidates in the order in which they fit, and those that were left out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Ranking {
    /// Best first; equal scores in the order of their ids.
    pub items: Vec<Recommendation>,
    /// What constraints left out.
    pub excluded: Excluded,
    /// How many candidates were there to choose from, the excluded included.
    pub considered: u64,
}

impl Ranking {
    /// A ranking of these items out of `considered` candidates.
    pub fn new(items: Vec<Recommendation>, excluded: Excluded, considered: u64) -> Self {
        Ranking { items, excluded, considered }
    }

    /// The item of this candidate and its place, counted from 1.
    pub fn find(&self, candidate: &str) -> Option<(usize, &Recommendation)> {
        let at = self.items.iter().position(|item| item.candidate.as_str() == candidate)?;
        Some((at + 1, &self.items[at]))
    }
}

/// One candidate of a ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Recommendation {
    /// Who.
    #[serde(rename = "career")]
    pub candidate: CandidateId,
    /// Its title.
    pub title: Arc<str>,
    /// Whether it is a near tie with the item before: the difference of the two totals is no larger than what
    /// the uncertainty of the weights can make of it.
    ///
    /// With normalised weights ŵ, component differences dᵢ and relative uncertainty δ
    /// ([`RankOptions::weight_uncertainty`]), the difference D = Σ ŵᵢ·dᵢ has the standard error
    /// δ·√(Σ ŵᵢ²·(dᵢ − D)²) by the delta method; the items are tied when |D| does not exceed it.
    pub tied: bool,
    /// The score and what it is made of.
    #[serde(flatten)]
    pub breakdown: ScoreBreakdown,
}

impl Recommendation {
    /// A candidate and its score, tied with nothing.
    pub fn new(candidate: CandidateId, title: Arc<str>, breakdown: ScoreBreakdown) -> Self {
        Recommendation { candidate, title, tied: false, breakdown }
    }

    /// The total, 0 to 1.
    pub fn score(&self) -> Unit {
        self.breakdown.score
    }

    /// How much of the weight had evidence, 0 to 1.
    pub fn confidence(&self) -> Unit {
        self.breakdown.confidence
    }
}

/// A score as a tree: component → weight → score → contribution → evidence.
///
/// The contributions, added in order, are the total to the last bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct ScoreBreakdown {
    /// `Σ wᵢ·sᵢ / Σ wᵢ` over the components with evidence; 0 when there is none.
    pub score: Unit,
    /// `Σ wᵢ` with evidence `/ Σ wᵢ`.
    pub confidence: Unit,
    /// What had evidence, in the order of the scorers.
    pub components: Vec<Component>,
    /// Names of the scorers that had no evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_evidence: Vec<Arc<str>>,
}

impl ScoreBreakdown {
    /// A score without its components.
    pub fn unexplained(score: Unit, confidence: Unit) -> Self {
        ScoreBreakdown { score, confidence, components: Vec::new(), without_evidence: Vec::new() }
    }

    /// A score with its components.
    pub fn explained(score: Unit, confidence: Unit, components: Vec<Component>, without: Vec<Arc<str>>) -> Self {
        ScoreBreakdown { score, confidence, components, without_evidence: without }
    }

    /// The tree as indented text.
    pub fn to_text(&self) -> String {
        let mut out = format!("score {:.3}, confidence {:.2}\n", self.score.get(), self.confidence.get());
        for part in &self.components {
            part.write_text(&mut out, 1);
        }
        if !self.without_evidence.is_empty() {
            let _ = writeln!(out, "  no evidence: {}", self.without_evidence.join(", "));
        }
        out
    }

    /// The tree as a Markdown table, one row a component.
    pub fn to_markdown(&self) -> String {
        let mut out =
            String::from("| component | weight | score | contribution | evidence |\n|---|---:|---:|---:|---|\n");
        for part in &self.components {
            part.write_markdown(&mut out, "");
        }
        let _ = writeln!(
            out,
            "| **total** |  | **{:.3}** | **{:.3}** | confidence {:.2} |",
            self.score.get(),
            self.score.get(),
            self.confidence.get()
        );
        out
    }

    /// The tree as JSON, with the fields of this type.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when a weight is not a finite number.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|e| Error::invalid("the breakdown has a value that JSON cannot hold").with_source(e))
    }
}

/// One part of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Component {
    /// Name of the scorer, or of a part of it.
    pub name: Arc<str>,
    /// Its weight beside its siblings, as given.
    pub weight: f64,
    /// Its score.
    pub score: Unit,
    /// `weight · score / Σ weights with evidence`: what it adds to the score above it.
    pub contribution: f64,
    /// What of the person met what of the candidate.
    pub evidence: Evidence,
    /// The parts that its own score is made of, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Component>,
}

impl Component {
    /// A part of a score.
    pub fn new(name: Arc<str>, weight: f64, score: Unit, contribution: f64, evidence: Evidence) -> Self {
        Component { name, weight, score, contribution, evidence, parts: Vec::new() }
    }

    fn write_text(&self, out: &mut String, depth: usize) {
        let _ = writeln!(
            out,
            "{:indent$}{}: {:.3} x weight {} -> {:.3}; {}",
            "",
            self.name,
            self.score.get(),
            self.weight,
            self.contribution,
            self.evidence,
            indent = depth * 2
        );
        self.parts.iter().for_each(|part| part.write_text(out, depth + 1));
    }

    fn write_markdown(&self, out: &mut String, above: &str) {
        let evidence = self.evidence.to_string().replace('|', "\\|");
        let _ = writeln!(
            out,
            "| {above}{} | {} | {:.3} | {:.3} | {evidence} |",
            self.name,
            self.weight,
            self.score.get(),
            self.contribution
        );
        let above = format!("{above}{} › ", self.name);
        self.parts.iter().for_each(|part| part.write_markdown(out, &above));
    }
}

/// What of the person met what of the candidate. `Display` says it in a sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Evidence {
    /// The person's stream, and the streams from which the route is open.
    Stream {
        /// The person's.
        stream: Stream,
        /// The candidate's.
        open_to: StreamSet,
        /// The candidate's that is nearest to the person's.
        nearest: Stream,
    },
    /// Two interest profiles.
    Riasec {
        /// Pearson's r of the two.
        correlation: f64,
        /// The person's strongest three.
        person: [HollandType; 3],
        /// The candidate's strongest three.
        candidate: [HollandType; 3],
    },
    /// Topics of interest.
    Tags {
        /// Those that both have.
        shared: Vec<Tag>,
        /// How many the person has.
        of_person: usize,
        /// How many the candidate has.
        of_candidate: usize,
    },
    /// Skills needed, by whether they are there.
    Skills {
        /// Mastered at the level needed.
        have: Vec<SkillName>,
        /// There, below the level needed.
        partly: Vec<SkillName>,
        /// Not there.
        missing: Vec<SkillName>,
    },
    /// Pay wished and pay usual.
    Salary {
        /// What the person wishes.
        wish: PayRange,
        /// The candidate's band for the person's experience level.
        band: PayRange,
    },
    /// Cosine of two given vectors.
    Similarity {
        /// The cosine.
        cosine: f64,
    },
    /// Anything that can be said in two phrases.
    Match {
        /// What the person has or wishes.
        person: String,
        /// What the candidate has or asks.
        candidate: String,
    },
    /// A sentence of a host's own scorer.
    Note {
        /// The sentence.
        text: String,
    },
    /// The evidence is in the parts.
    Parts,
}

/// The three strongest types of a profile, strongest first.
pub fn strongest_three(riasec: &Riasec) -> [HollandType; 3] {
    let mut kinds: [HollandType; 6] = [
        HollandType::Realistic,
        HollandType::Investigative,
        HollandType::Artistic,
        HollandType::Social,
        HollandType::Enterprising,
        HollandType::Conventional,
    ];
    kinds.sort_by(|a, b| riasec.get(*b).total_cmp(&riasec.get(*a)));
    [kinds[0], kinds[1], kinds[2]]
}

fn letters(kinds: &[HollandType; 3]) -> String {
    kinds.iter().map(|kind| kind.letter()).collect()
}

fn names<T: fmt::Display>(f: &mut fmt::Formatter<'_>, label: &str, list: &[T], first: &mut bool) -> fmt::Result {
    if list.is_empty() {
        return Ok(());
    }
    write!(f, "{}{label} ", if *first { "" } else { "; " })?;
    *first = false;
    for (at, name) in list.iter().enumerate() {
        write!(f, "{}{name}", if at > 0 { ", " } else { "" })?;
    }
    Ok(())
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Evidence::Stream { stream, open_to, nearest } if open_to.contains(*stream) => {
                debug_assert_eq!(stream, nearest);
                write!(f, "{stream} is one of the usual streams ({open_to})")
            }
            Evidence::Stream { stream, open_to, nearest } => {
                write!(f, "{stream} is not one of the usual streams ({open_to}); nearest is {nearest}")
            }
            Evidence::Riasec { correlation, person, candidate } => {
                write!(
                    f,
                    "interests {} and work {} correlate at r = {correlation:.2}",
                    letters(person),
                    letters(candidate)
                )
            }
            Evidence::Tags { shared, of_person, of_candidate } => {
                let mut first = true;
                names(f, "shares", shared, &mut first)?;
                if first {
                    f.write_str("shares no topic")?;
                };
                write!(f, " ({} of your {of_person}, {of_candidate} in the work)", shared.len())
            }
            Evidence::Skills { have, partly, missing } => {
                let mut first = true;
                names(f, "have", have, &mut first)?;
                names(f, "partly", partly, &mut first)?;
                names(f, "missing", missing, &mut first)
            }
            Evidence::Salary { wish, band } => write!(f, "wish {wish}; usual pay {band}"),
            Evidence::Similarity { cosine } => write!(f, "cosine of the two texts' vectors is {cosine:.2}"),
            Evidence::Match { person, candidate } => write!(f, "{person}; {candidate}"),
            Evidence::Note { text } => f.write_str(text),
            Evidence::Parts => f.write_str("see its parts"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> ScoreBreakdown {
        let evidence = Evidence::Match { person: "wish a|b".into(), candidate: "has c".into() };
        let mut part = Component::new("interest".into(), 0.4, Unit::clamped(0.5), 0.2, evidence.clone());
        part.parts.push(Component::new("riasec".into(), 1.0, Unit::clamped(0.5), 0.5, evidence));
        ScoreBreakdown::explained(Unit::clamped(0.2), Unit::ONE, vec![part], vec!["salary".into()])
    }

    #[test]
    fn text_and_markdown_show_every_level() {
        let text = sample().to_text();
        assert!(text.contains("  interest: 0.500 x weight 0.4 -> 0.200; wish a|b; has c\n    riasec: 0.500"), "{text}");
        assert!(text.contains("no evidence: salary"));
        let markdown = sample().to_markdown();
        assert!(markdown.contains("| interest › riasec | 1 | 0.500 | 0.500 | wish a\\|b; has c |"), "{markdown}");
        assert!(markdown.lines().all(|line| line.replace("\\|", "").matches('|').count() == 6), "{markdown}");
    }

    #[test]
    fn json_round_trips() {
        let json = sample().to_json().expect("finite");
        assert_eq!(serde_json::from_str::<ScoreBreakdown>(&json).expect("parses"), sample());
    }
}
