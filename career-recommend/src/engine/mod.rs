//! The engine: the weighted score of every candidate, by definition; and the columns that find the best without
//! scoring all of them.
//!
//! `docs/scoring.md` of the workspace walks through it. In short: candidates are kept as rows, and beside them as
//! columns in blocks of 64, sorted so that candidates with like interests stand together. A query is lowered to
//! upper bounds over these columns. Blocks are visited best bound first, candidates within them best bound first,
//! and each one visited is scored exactly by the scorers themselves, until no bound left reaches the k-th best
//! score. So the columns only decide whom to look at, and the result equals scoring everyone.

mod bound;
mod constrain;
mod definition;
mod filter;
mod order;
mod query;
mod search;
mod segment;
mod top;

pub use bound::Bound;
pub(crate) use bound::{Field, Flag};
pub(crate) use constrain::violation;
pub(crate) use definition::values;
pub use search::Work;
pub(crate) use top::Scored;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use career_core::{
    CandidateId, Currency, Error, ErrorKind, Profile, RankOptions, Ranking, Recommendation, Recommender, Result,
};
use rayon::prelude::*;

use self::segment::{Group, LANES, SEGMENT, UNRANKED, Vocabulary};
use crate::candidate::Pay;
use crate::{Candidate, Scorer, diversify, scorers};

/// Inserted candidates that wait for their columns; they are always scored.
const TAIL: usize = LANES;

/// Candidates in a group at the most.
const GROUP: usize = 128 * SEGMENT;

/// A scorer and its weight.
#[derive(Debug, Clone)]
pub(crate) struct Weighted {
    pub(crate) name: Arc<str>,
    pub(crate) scorer: Arc<dyn Scorer>,
    pub(crate) weight: f64,
}

/// The currency in which most candidates pay: the one that columns hold.
#[derive(Debug, Default)]
pub(crate) struct Currencies {
    main: Option<Currency>,
}

impl Currencies {
    fn of(rows: &[Option<Candidate>]) -> Self {
        let mut counts: BTreeMap<Currency, usize> = BTreeMap::new();
        for pay in rows.iter().flatten().filter_map(|row| row.pay) {
            *counts.entry(pay.at(Default::default()).currency()).or_default() += 1;
        }
        Currencies { main: counts.into_iter().max_by_key(|(_, count)| *count).map(|(currency, _)| currency) }
    }

    /// The candidate's pay, if it is in that currency.
    fn known(&self, row: &Candidate) -> Option<Pay> {
        row.pay.filter(|pay| Some(pay.at(Default::default()).currency()) == self.main)
    }
}

/// Collects scorers and their weights for an [`Engine`].
///
/// ```
/// use std::sync::Arc;
///
/// use career_core::Catalog;
/// use career_recommend::{Engine, scorers};
///
/// let engine = Engine::builder()
///     .scorer(scorers::InterestScorer::default(), 3.0)
///     .scorer(scorers::OutlookScorer, 1.0)
///     .compile(Catalog::india().careers())?;
/// assert_eq!(engine.len(), Catalog::india().careers().len());
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct EngineBuilder {
    scorers: Vec<(Arc<dyn Scorer>, f64)>,
}

impl EngineBuilder {
    /// Adds a scorer with its weight. Only the ratio of the weights matters.
    #[must_use]
    pub fn scorer(self, scorer: impl Scorer, weight: f64) -> Self {
        self.scorers([(Arc::new(scorer) as Arc<dyn Scorer>, weight)])
    }

    /// Adds several scorers, such as those of [`scorers::all`].
    #[must_use]
    pub fn scorers(mut self, scorers: impl IntoIterator<Item = (Arc<dyn Scorer>, f64)>) -> Self {
        self.scorers.extend(scorers);
        self
    }

    /// Compiles the candidates. Without any scorer added, the [default ones](scorers::defaults) are used.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when two candidates have one id or two scorers one name, [`ErrorKind::Invalid`] when a
    /// weight is negative or not finite, or when no weight is above 0.
    pub fn compile<C: Into<Candidate>>(self, candidates: impl IntoIterator<Item = C>) -> Result<Engine> {
        let given = if self.scorers.is_empty() { scorers::defaults() } else { self.scorers };
        let scorers: Vec<Weighted> =
            given.into_iter().map(|(scorer, weight)| Weighted { name: scorer.name().into(), scorer, weight }).collect();
        let mut names = HashSet::new();
        if let Some(twice) = scorers.iter().find(|scorer| !names.insert(scorer.name.clone())) {
            return Err(Error::new(ErrorKind::Conflict, format!("two scorers have the name `{}`", twice.name)));
        }
        check_weights(&scorers)?;
        let mut engine = Engine {
            scorers,
            rows: candidates.into_iter().map(|candidate| Some(candidate.into())).collect(),
            index: HashMap::new(),
            words: Vocabulary::default(),
            currencies: Currencies::default(),
            groups: Vec::new(),
        };
        engine.compact();
        let twice = |pair: &[Option<Candidate>]| match pair {
            [Some(a), Some(b)] if a.id == b.id => Some(a.id.clone()),
            _ => None,
        };
        if engine.index.len() < engine.rows.len() {
            let mut rows = engine.rows;
            rows.sort_by(|a, b| a.as_ref().map(|row| &row.id).cmp(&b.as_ref().map(|row| &row.id)));
            let id = rows.windows(2).find_map(twice).expect("fewer ids than rows");
            return Err(Error::new(ErrorKind::Conflict, format!("two candidates have the id `{id}`")));
        }
        Ok(engine)
    }
}

fn check_weights(scorers: &[Weighted]) -> Result<()> {
    for Weighted { name, weight, .. } in scorers {
        if !weight.is_finite() || *weight < 0.0 {
            let error = Error::invalid("expected a finite weight of at least 0");
            return Err(error.at_field(format!("weights.{name}")));
        }
    }
    let whole: f64 = scorers.iter().map(|scorer| scorer.weight).sum();
    if whole > 0.0 && whole.is_finite() {
        Ok(())
    } else {
        Err(Error::invalid("expected weights with a finite sum above 0").at_field("weights"))
    }
}

/// What an engine holds in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// Bytes of the candidates themselves, without the strings they share.
    pub rows: usize,
    /// Bytes of the columns that find the best of them.
    pub columns: usize,
}

/// Ranks candidates for profiles: exactly, explained, and fast.
///
/// ```
/// use career_core::{Catalog, Profile, RankOptions};
/// use career_recommend::Engine;
///
/// let engine = Engine::compile(Catalog::india().careers())?;
/// let profile = Profile::from_json(r#"{
///     "stream": "pcm",
///     "riasec": {"r": 0.4, "i": 0.9, "a": 0.2, "s": 0.2, "e": 0.3, "c": 0.7},
///     "skills": [{"name": "Python", "level": 3}, {"name": "Mathematics", "level": 4}]
/// }"#)?;
/// let ranking = engine.rank(&profile, &RankOptions::top(3))?;
/// for item in &ranking.items {
///     println!("{:.2} {}\n{}", item.score(), item.title, item.breakdown.to_text());
/// }
/// assert_eq!(ranking.items.len(), 3);
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    scorers: Vec<Weighted>,
    // A removed candidate leaves an empty row, so that rows keep their numbers.
    rows: Vec<Option<Candidate>>,
    index: HashMap<CandidateId, usize>,
    words: Vocabulary,
    currencies: Currencies,
    // Side by side from the first row on. Rows after the last group have no columns yet.
    groups: Vec<Group>,
}

impl Engine {
    /// Compiles candidates for the [default scorers](scorers::defaults).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when two candidates have one id.
    pub fn compile<C: Into<Candidate>>(candidates: impl IntoIterator<Item = C>) -> Result<Engine> {
        EngineBuilder::default().compile(candidates)
    }

    /// Chooses scorers and weights before compiling.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// How many candidates there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The candidate of this id.
    pub fn candidate(&self, id: &str) -> Option<&Candidate> {
        self.rows[*self.index.get(id)?].as_ref()
    }

    /// The candidates, in no particular order.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.rows.iter().flatten()
    }

    /// Names and weights of the scorers, in their order.
    pub fn weights(&self) -> impl Iterator<Item = (&str, f64)> {
        self.scorers.iter().map(|scorer| (&*scorer.name, scorer.weight))
    }

    /// What the engine holds in memory.
    pub fn memory(&self) -> Memory {
        let heap: usize = self.candidates().map(Candidate::heap_bytes).sum();
        Memory {
            rows: self.rows.len() * size_of::<Option<Candidate>>() + heap,
            columns: self.groups.iter().map(Group::bytes).sum(),
        }
    }

    /// Ranks for one profile.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a weight that is negative, not finite, or names no scorer, and for a constraint that
    /// needs what the profile does not have.
    pub fn rank(&self, profile: &Profile, options: &RankOptions) -> Result<Ranking> {
        let scorers = self.scorers_for(options)?;
        constrain::check(&options.constraints, profile)?;
        let (excluded, allowed) = self.filter(profile, options);
        let diverse = options.diversity.get() > 0.0;
        if options.explain && !diverse && self.is_most(options.top) {
            let items = self.recommend_rows(&scorers, profile, options, self.rows_left(allowed.as_ref()));
            return Ok(Ranking::new(items, excluded, self.len() as u64));
        }
        let k = if diverse { diversify::pool(options.top) } else { options.top };
        let (mut best, _) = self.search(&scorers, profile, k, allowed.as_ref());
        if diverse {
            best = diversify::pick(best, options.top, options.diversity.get(), |scored| self.row(scored.row));
        }
        let items = self.recommend_scored(&scorers, profile, options, best);
        Ok(Ranking::new(items, excluded, self.len() as u64))
    }

    /// What [`rank`](Engine::rank) does to find its best: how much it reads and how many candidates it scores. For
    /// tuning and benchmarks.
    ///
    /// # Errors
    ///
    /// As [`rank`](Engine::rank).
    pub fn work(&self, profile: &Profile, options: &RankOptions) -> Result<Work> {
        let scorers = self.scorers_for(options)?;
        constrain::check(&options.constraints, profile)?;
        let (_, allowed) = self.filter(profile, options);
        Ok(self.search(&scorers, profile, options.top, allowed.as_ref()).1)
    }

    /// Ranks for many profiles, on all cores.
    ///
    /// # Errors
    ///
    /// As [`rank`](Engine::rank), for the first profile that fails.
    pub fn rank_many(&self, profiles: &[Profile], options: &RankOptions) -> Result<Vec<Ranking>> {
        profiles.par_iter().map(|profile| self.rank(profile, options)).collect()
    }

    /// Ranks by the plain definition: scores every candidate and sorts. [`rank`](Engine::rank) gives the same;
    /// this is what it is held to.
    ///
    /// # Errors
    ///
    /// As [`rank`](Engine::rank).
    pub fn rank_by_definition(&self, profile: &Profile, options: &RankOptions) -> Result<Ranking> {
        let scorers = self.scorers_for(options)?;
        constrain::check(&options.constraints, profile)?;
        let (excluded, kept) = self.filter_by_definition(profile, options);
        let mut best: Vec<_> = kept.into_iter().map(|row| self.scored(&scorers, profile, row)).collect();
        best.sort();
        best.truncate(if options.diversity.get() > 0.0 { diversify::pool(options.top) } else { options.top });
        if options.diversity.get() > 0.0 {
            best = diversify::pick(best, options.top, options.diversity.get(), |scored| self.row(scored.row));
        }
        let items = self.recommend_scored(&scorers, profile, options, best);
        Ok(Ranking::new(items, excluded, self.len() as u64))
    }

    /// The explained score of one candidate, constraints aside; `None` when there is none of this id.
    ///
    /// # Errors
    ///
    /// As [`rank`](Engine::rank) for weights.
    pub fn score(&self, profile: &Profile, id: &str, options: &RankOptions) -> Result<Option<Recommendation>> {
        let scorers = self.scorers_for(options)?;
        let Some(row) = self.index.get(id) else { return Ok(None) };
        let scored = self.scored(&scorers, profile, *row);
        Ok(self.recommend_scored(&scorers, profile, options, vec![scored]).pop())
    }

    /// Adds a candidate, or replaces the one of its id; gives the one replaced.
    ///
    /// Columns are made for 64 new candidates at a time, so most insertions are quick and some are slower. After many
    /// changes [`compact`](Engine::compact) restores the best order.
    pub fn insert(&mut self, candidate: impl Into<Candidate>) -> Option<Candidate> {
        let candidate = candidate.into();
        let old = self.remove(candidate.id.as_str());
        self.index.insert(candidate.id.clone(), self.rows.len());
        self.rows.push(Some(candidate));
        if self.rows.len() - self.sealed() >= TAIL {
            self.seal();
        }
        old
    }

    /// Removes a candidate; gives it.
    pub fn remove(&mut self, id: &str) -> Option<Candidate> {
        let row = self.index.remove(id)?;
        let removed = self.rows[row].take();
        let group = self.groups.partition_point(|group| group.rows.end <= row);
        if let Some(group) = self.groups.get_mut(group) {
            let place = row - group.rows.start;
            let summary = &mut group.segments[place / SEGMENT].summary;
            summary.alive[place % SEGMENT / LANES] &= !(1 << (place % LANES));
        }
        // Rebuilding after as many removals as there are candidates left keeps the cost of each constant.
        if self.rows.len() > 2 * self.index.len() + SEGMENT {
            self.compact();
        }
        removed
    }

    /// Puts the candidates in their best order and makes their columns anew.
    pub fn compact(&mut self) {
        let mut rows: Vec<Option<Candidate>> =
            std::mem::take(&mut self.rows).into_iter().filter(Option::is_some).collect();
        let points: Vec<_> = rows.par_iter().map(|row| row.as_ref().and_then(order::point)).collect();
        let order = order::cluster(&points);
        self.rows = order.iter().map(|row| rows[*row as usize].take()).collect();
        self.currencies = Currencies::of(&self.rows);
        self.words = Vocabulary::default();
        self.rows.iter().flatten().for_each(|row| self.words.learn(row));
        self.index = HashMap::with_capacity(self.rows.len());
        self.index.extend(self.rows.iter().enumerate().filter_map(|(at, row)| Some((row.as_ref()?.id.clone(), at))));
        let ranks = self.ranks();
        let build = |(at, rows): (usize, &[Option<Candidate>])| {
            Group::build(at * GROUP, rows, &self.words, &self.currencies, |row| ranks[row])
        };
        self.groups = self.rows.chunks(GROUP).enumerate().map(build).collect();
    }

    /// Rows from here on have no columns.
    fn sealed(&self) -> usize {
        self.groups.last().map_or(0, |group| group.rows.end)
    }

    /// Makes columns for the candidates that wait for them. Groups made by this double in size until a segment is
    /// full, so that each candidate's columns are made a few times at the most.
    fn seal(&mut self) {
        let sealed = self.sealed();
        self.rows[sealed..].iter().flatten().for_each(|row| self.words.learn(row));
        let mut from = sealed;
        while let Some(last) = self.groups.last()
            && last.rows.len() <= self.rows.len() - from
            && self.rows.len() - last.rows.start <= SEGMENT
        {
            from = last.rows.start;
            self.groups.pop();
        }
        // Ranks in the order of ids were given at the last compaction and hold only among those candidates.
        self.groups.push(Group::build(from, &self.rows[from..], &self.words, &self.currencies, |_| UNRANKED));
    }

    /// For each row its place in the order of ids.
    fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.par_sort_unstable_by_key(|row| self.rows[*row].as_ref().map(|row| &row.id));
        let mut ranks = vec![0; order.len()];
        order.into_iter().enumerate().for_each(|(rank, row)| ranks[row] = rank as u32);
        ranks
    }

    fn row(&self, row: usize) -> &Candidate {
        self.rows[row].as_ref().expect("only rows of live candidates are numbered in results")
    }

    /// The scorers, each counting the same.
    pub(crate) fn scorers_unweighted(&self) -> Vec<Weighted> {
        self.scorers.iter().map(|scorer| Weighted { weight: 1.0, ..scorer.clone() }).collect()
    }

    fn scorers_for(&self, options: &RankOptions) -> Result<Vec<Weighted>> {
        let mut scorers = self.scorers.clone();
        for (name, weight) in &options.weights {
            match scorers.iter_mut().find(|scorer| &*scorer.name == name.as_str()) {
                Some(scorer) => scorer.weight = *weight,
                None => return Err(Error::invalid("no scorer has this name").at_field(format!("weights.{name}"))),
            }
        }
        check_weights(&scorers)?;
        Ok(scorers)
    }
}

#[async_trait]
impl Recommender for Engine {
    async fn recommend(&self, profile: &Profile, options: &RankOptions) -> Result<Ranking> {
        self.rank(profile, options)
    }
}
