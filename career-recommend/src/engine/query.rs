//! A profile lowered to columns: upper bounds of the total for blocks and for single candidates.

use career_core::Profile;

use super::bound::{Flag, Kind, When};
use super::segment::{BLOCKS, Block, LANES, ONE, Postings, SEGMENT, Segment, Vocabulary};
use super::{Currencies, Weighted};

/// What a bound may be short of the exact total through the rounding of `f32`.
pub(crate) const MARGIN: f64 = 1e-5;

/// What a correlation may be short of the exact one through the rounding of `f32`.
const R_MARGIN: f32 = 2e-6;

/// One scorer that may give evidence.
#[derive(Debug)]
struct Term {
    weight: f32,
    when: When,
    kind: Column,
}

#[derive(Debug)]
enum Column {
    Constant(f32),
    Table { shift: u32, mask: u64, table: Box<[f32; 256]> },
    Interest { types: f32, topics: f32, direction: Option<[f32; 6]>, has_tags: bool },
    Skills,
    Pay { wish: f32, level: usize },
}

/// Words to add up: number of the skill or topic, and the factor for each level.
type Words = Vec<(u32, [u32; 8])>;

#[derive(Debug)]
pub(crate) struct Query {
    terms: Vec<Term>,
    skills: Words,
    tags: Words,
}

/// Sums of shares of the candidates of one segment, in fixed point.
#[derive(Debug)]
pub(crate) struct Sums {
    skills: Box<[i16; SEGMENT]>,
    tags: Box<[i16; SEGMENT]>,
    /// The largest of each block.
    skill_max: [i16; BLOCKS],
    tag_max: [i16; BLOCKS],
}

impl Sums {
    pub(crate) fn new() -> Self {
        Sums {
            skills: Box::new([0; SEGMENT]),
            tags: Box::new([0; SEGMENT]),
            skill_max: [ONE; BLOCKS],
            tag_max: [ONE; BLOCKS],
        }
    }

    /// Knows nothing: every sum may be 1.
    fn forget(&mut self) {
        self.skill_max = [ONE; BLOCKS];
        self.tag_max = [ONE; BLOCKS];
    }
}

fn fixed(sum: i16) -> f32 {
    f32::from(sum.min(ONE)) / f32::from(ONE)
}

impl Query {
    pub(crate) fn new(scorers: &[Weighted], profile: &Profile, words: &Vocabulary, currencies: &Currencies) -> Self {
        let mut query = Query { terms: Vec::with_capacity(scorers.len()), skills: Vec::new(), tags: Vec::new() };
        for Weighted { scorer, weight, .. } in scorers.iter().filter(|scorer| scorer.weight > 0.0) {
            let (when, kind) = match scorer.bound(profile).0 {
                Kind::NoEvidence => continue,
                Kind::Constant { max, when } => (when, Column::Constant(max)),
                Kind::Table { shift, mask, table, when } => (when, Column::Table { shift, mask, table }),
                Kind::Interest { types, topics, direction, tags } => {
                    let with_types = if direction.is_some() { Flag::Riasec.bit() } else { 0 };
                    let with_tags = if tags.is_empty() { 0 } else { Flag::Tags.bit() };
                    let factor = (f64::from(1 << 15) / (tags.len().max(1) as f64).sqrt()).ceil() as u32;
                    let mut numbers: Vec<u32> = tags.iter().filter_map(|tag| words.tags.get(tag)).copied().collect();
                    numbers.sort_unstable();
                    numbers.dedup();
                    query.tags = numbers.into_iter().map(|number| (number, [factor; 8])).collect();
                    let has_tags = !tags.is_empty();
                    (When::Any(with_types | with_tags), Column::Interest { types, topics, direction, has_tags })
                }
                Kind::Skills { held } => {
                    query.skills = held
                        .iter()
                        .filter_map(|held| {
                            let mut factors = [0; 8];
                            for (need, factor) in factors.iter_mut().enumerate().skip(1) {
                                *factor = ((u32::from(held.level.get()) << 15).div_ceil(need as u32)).min(1 << 15);
                            }
                            words.skills.get(&held.name).map(|number| (*number, factors))
                        })
                        .collect();
                    (When::Any(Flag::Skills.bit()), Column::Skills)
                }
                Kind::Pay { wish, currency, level } if currencies.main == Some(currency) => {
                    (When::Any(Flag::Pay.bit()), Column::Pay { wish, level: level as usize })
                }
                Kind::Pay { .. } => (When::Unknown, Column::Constant(1.0)),
            };
            query.terms.push(Term { weight: *weight as f32, when, kind });
        }
        query
    }

    /// Whether there is anything to add up.
    pub(crate) fn adds(&self) -> bool {
        self.terms.iter().any(|term| {
            matches!(term.kind, Column::Skills) || matches!(term.kind, Column::Interest { has_tags: true, .. })
        })
    }

    /// Adds up the shares of the candidates of a segment.
    pub(crate) fn add_up(&self, segment: &Segment, sums: &mut Sums) {
        let Sums { skills, tags, skill_max, tag_max } = sums;
        add_words(&self.skills, &segment.skills, skills, skill_max);
        add_words(&self.tags, &segment.tags, tags, tag_max);
    }

    /// For each block of the segment, what no candidate of it exceeds, whatever its skills and topics.
    pub(crate) fn block_bounds(&self, segment: &Segment, sums: &mut Sums) -> [f32; BLOCKS] {
        sums.forget();
        self.refined_block_bounds(segment, sums)
    }

    /// The same, with the sums of [`add_up`](Query::add_up).
    pub(crate) fn refined_block_bounds(&self, segment: &Segment, sums: &Sums) -> [f32; BLOCKS] {
        let summary = &segment.summary;
        let bounds = |term: &Term, out: &mut [f32; BLOCKS]| match &term.kind {
            Column::Constant(max) => *out = [*max; BLOCKS],
            Column::Table { shift, mask, table } => look_up(&summary.any, *shift, *mask, table, out),
            Column::Skills => out.iter_mut().zip(&sums.skill_max).for_each(|(out, sum)| *out = fixed(*sum)),
            Column::Pay { wish, level } => pay(*wish, &summary.low[*level], &summary.high[*level], out),
            Column::Interest { types, topics, direction, .. } => {
                let mut r = [1.0; BLOCKS];
                if let Some(direction) = direction {
                    widest(direction, &summary.centre, &summary.cos, &summary.sin, &mut r);
                }
                for (at, out) in out.iter_mut().enumerate() {
                    let can = |flag: Flag| summary.any[at] & flag.bit() != 0;
                    let must = |flag: Flag| summary.every[at] & flag.bit() != 0;
                    let alike = (direction.is_some() && can(Flag::Riasec)).then(|| (1.0 + r[at]) / 2.0);
                    let shared = can(Flag::Tags).then(|| fixed(sums.tag_max[at]));
                    *out = match (alike, shared) {
                        (Some(alike), Some(shared)) if must(Flag::Riasec) && must(Flag::Tags) => {
                            (types * alike + topics * shared) / (types + topics)
                        }
                        (alike, shared) => alike.unwrap_or(0.0).max(shared.unwrap_or(0.0)),
                    };
                }
            }
        };
        self.combine(bounds, &summary.every, &summary.any)
    }

    /// For each candidate of a block, what it does not exceed. Needs the sums of [`add_up`](Query::add_up).
    pub(crate) fn lane_bounds(&self, block: &Block, at: usize, sums: &Sums) -> [f32; LANES] {
        let from = at * LANES;
        let bounds = |term: &Term, out: &mut [f32; LANES]| match &term.kind {
            Column::Constant(max) => *out = [*max; LANES],
            Column::Table { shift, mask, table } => look_up(&block.bits, *shift, *mask, table, out),
            Column::Skills => {
                out.iter_mut().zip(&sums.skills[from..from + LANES]).for_each(|(out, sum)| *out = fixed(*sum));
            }
            Column::Pay { wish, level } => pay(*wish, &block.low[*level], &block.high[*level], out),
            Column::Interest { types, topics, direction, has_tags } => {
                let mut r = [0.0; LANES];
                for (own, column) in direction.iter().flatten().zip(&block.direction) {
                    r.iter_mut().zip(column).for_each(|(sum, x)| *sum += own * x);
                }
                for (lane, out) in out.iter_mut().enumerate() {
                    let alike = (1.0 + (r[lane] + R_MARGIN).min(1.0)) / 2.0;
                    let shared = fixed(sums.tags[from + lane]);
                    let has = |flag: Flag| block.bits[lane] & flag.bit() != 0;
                    *out = match (direction.is_some() && has(Flag::Riasec), *has_tags && has(Flag::Tags)) {
                        (true, true) => (types * alike + topics * shared) / (types + topics),
                        (true, false) => alike,
                        (false, _) => shared,
                    };
                }
            }
        };
        self.combine(bounds, &block.bits, &block.bits)
    }

    /// The largest weighted mean that terms with these bounds can have, where each item surely has the flags
    /// `every` and at most the flags `any`.
    fn combine<const N: usize>(
        &self,
        bounds: impl Fn(&Term, &mut [f32; N]),
        every: &[u64; N],
        any: &[u64; N],
    ) -> [f32; N] {
        let mut sum = [0.0; N];
        let mut weight = [0.0; N];
        // Where evidence is not certain, the mean is largest with just those optional terms that exceed it.
        let mut optional: Vec<(f32, [f32; N])> = Vec::new();
        let mut bound = [0.0; N];
        for term in &self.terms {
            bounds(term, &mut bound);
            let certain = every.iter().all(|flags| term.when.certain(*flags));
            if certain {
                for at in 0..N {
                    sum[at] += term.weight * bound[at];
                    weight[at] += term.weight;
                }
                continue;
            }
            let mut perhaps = [f32::NEG_INFINITY; N];
            let mut has_perhaps = false;
            for at in 0..N {
                if term.when.certain(every[at]) {
                    sum[at] += term.weight * bound[at];
                    weight[at] += term.weight;
                } else if term.when.possible(any[at]) {
                    perhaps[at] = bound[at];
                    has_perhaps = true;
                }
            }
            if has_perhaps {
                optional.push((term.weight, perhaps));
            }
        }
        let mut best = [0.0; N];
        for at in 0..N {
            best[at] = if weight[at] > 0.0 { sum[at] / weight[at] } else { 0.0 };
        }
        if !optional.is_empty() {
            let mut terms: Vec<(f32, f32)> = Vec::with_capacity(optional.len());
            for at in 0..N {
                terms.clear();
                terms.extend(optional.iter().map(|(weight, bound)| (bound[at], *weight)));
                terms.sort_by(|a, b| b.0.total_cmp(&a.0));
                let (mut sum, mut weight) = (sum[at], weight[at]);
                for (bound, more) in terms.iter().copied() {
                    if bound > best[at] {
                        sum += bound * more;
                        weight += more;
                        best[at] = sum / weight;
                    }
                }
            }
        }
        best
    }
}

/// Adds up the words of a segment, and finds the largest sum of each block. Without words the sums are 0.
fn add_words(words: &Words, postings: &Postings, sums: &mut [i16; SEGMENT], max: &mut [i16; BLOCKS]) {
    sums.fill(0);
    for (word, factors) in words {
        postings.add(*word, factors, sums);
    }
    for (max, block) in max.iter_mut().zip(sums.chunks_exact(LANES)) {
        *max = block.iter().fold(0, |max, sum| max.max(*sum));
    }
}

fn look_up<const N: usize>(bits: &[u64; N], shift: u32, mask: u64, table: &[f32; 256], out: &mut [f32; N]) {
    for (out, bits) in out.iter_mut().zip(bits) {
        *out = table[(bits >> shift & mask) as usize & 0xff];
    }
}

/// The share of each band that lies at or above the wish; see `scorers::overlap`.
fn pay<const N: usize>(wish: f32, low: &[f32; N], high: &[f32; N], out: &mut [f32; N]) {
    for (out, (low, high)) in out.iter_mut().zip(low.iter().zip(high)) {
        let share = (high - wish) / (high - low);
        let share = if *high <= wish { 0.0 } else { share + 1e-6 };
        *out = if *low >= wish { 1.0 } else { share.min(1.0) };
    }
}

/// The largest correlation with anything in each cap: `cos(max(0, θ − ρ))`, with θ the angle to its centre and ρ
/// its half-angle.
fn widest(
    direction: &[f32; 6],
    centre: &[[f32; BLOCKS]; 6],
    cos: &[f32; BLOCKS],
    sin: &[f32; BLOCKS],
    out: &mut [f32; BLOCKS],
) {
    let mut dot = [0.0_f32; BLOCKS];
    for (own, column) in direction.iter().zip(centre) {
        dot.iter_mut().zip(column).for_each(|(sum, x)| *sum += own * x);
    }
    for at in 0..BLOCKS {
        let dot = dot[at].clamp(-1.0, 1.0);
        let edge = dot * cos[at] + (1.0 - dot * dot).sqrt() * sin[at] + R_MARGIN;
        out[at] = if dot >= cos[at] { 1.0 } else { edge.min(1.0) };
    }
}
