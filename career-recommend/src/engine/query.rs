//! A profile lowered to columns: upper bounds of the total for blocks and for single candidates.

use career_core::Profile;

use super::bound::{Flag, Kind, When};
use super::segment::{
    BLOCKS, Block, DIRECTION_ONE, Group, LANES, ONE, Postings, RUN, RUN_LANES, SEGMENT, Segment, Shares, Summary,
    Vocabulary, ones, touch,
};
use super::{Currencies, Weighted};

/// What a bound may be short of the exact total through the rounding of `f32`.
pub(crate) const MARGIN: f64 = 1e-5;

/// What a correlation may be short of the exact one through the rounding of directions to 1 / 32,000: six times
/// half a unit, and some for `f32`.
const R_MARGIN: f32 = 1.2e-4;

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

impl Column {
    /// Bytes read for each item, where interests take so many. Sums are counted by their postings, and the word of
    /// bits once for all columns.
    fn bytes(&self, interests: usize) -> usize {
        match self {
            Column::Constant(_) | Column::Table { .. } | Column::Skills => 0,
            Column::Interest { direction, .. } => direction.map_or(0, |_| interests),
            Column::Pay { .. } => 2 * size_of::<f32>(),
        }
    }
}

/// Words to add up: the number of the skill or topic, and how much of a candidate's share of it counts.
type Words = Vec<(u32, f64)>;

#[derive(Debug)]
pub(crate) struct Query {
    terms: Vec<Term>,
    skills: Words,
    tags: Words,
    /// The bits that decide the whole score, where nothing else does.
    deciding: Option<u64>,
}

/// Sums of shares of the candidates of one segment, in fixed point.
#[derive(Debug)]
pub(crate) struct Sums {
    skills: Box<[u16; SEGMENT]>,
    tags: Box<[u16; SEGMENT]>,
    /// The largest of each block.
    skill_max: [u16; BLOCKS],
    tag_max: [u16; BLOCKS],
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
}

fn fixed(sum: u16) -> f32 {
    f32::from(sum.min(ONE)) / f32::from(ONE)
}

/// The words of a query with what each step of share adds.
#[derive(Debug)]
pub(crate) struct GroupWords {
    skills: Vec<(u32, Shares)>,
    tags: Vec<(u32, Shares)>,
    /// For each block of each segment what the shares add up to at the most.
    skill_max: Vec<[u16; BLOCKS]>,
    tag_max: Vec<[u16; BLOCKS]>,
    /// Bytes read to know that.
    pub(crate) bytes: usize,
}

impl Sums {
    /// Adds up the shares of the candidates in some runs of a segment, one bit of `runs` each, the first of which is
    /// number `first_run` in its group; gives how many bytes of postings it read.
    pub(crate) fn add_up(&mut self, words: &GroupWords, group: &Group, first_run: usize, runs: u64) -> usize {
        let Sums { skills, tags, skill_max, tag_max } = self;
        let mut entries = 0;
        for (words, postings, sums, max) in
            [(&words.skills, &group.skills, skills, skill_max), (&words.tags, &group.tags, tags, tag_max)]
        {
            let sums = sums.as_chunks_mut::<RUN_LANES>().0;
            let all = first_run..first_run + (u64::BITS - runs.leading_zeros()) as usize;
            words.iter().for_each(|(word, _)| postings.touch(*word, all.clone()));
            ones(runs).for_each(|run| sums[run].fill(0));
            // Word by word, since all runs of a word stand side by side in memory.
            for (word, shares) in words {
                for run in ones(runs) {
                    entries += postings.add(*word, first_run + run, shares, &mut sums[run]);
                }
            }
            for run in ones(runs) {
                for (max, sums) in max[run * RUN..].iter_mut().zip(sums[run].chunks_exact(LANES)) {
                    *max = sums.iter().fold(0, |max, sum| max.max(*sum));
                }
            }
        }
        entries * size_of::<u16>()
    }
}

impl Query {
    pub(crate) fn new(scorers: &[Weighted], profile: &Profile, words: &Vocabulary, currencies: &Currencies) -> Self {
        let (terms, skills, tags) = (Vec::with_capacity(scorers.len()), Vec::new(), Vec::new());
        let mut query = Query { terms, skills, tags, deciding: Some(0) };
        // Only the ratio of the weights matters; on the scale of the largest they all fit an `f32`.
        let largest = scorers.iter().map(|scorer| scorer.weight).fold(0.0, f64::max);
        for Weighted { scorer, weight, .. } in scorers.iter().filter(|scorer| scorer.weight > 0.0) {
            let weight = (weight / largest) as f32;
            let (when, kind) = match scorer.bound(profile).0 {
                Kind::NoEvidence => continue,
                Kind::Constant { max, when } => (when, Column::Constant(max)),
                Kind::Table { shift, mask, table, when: When::Any(flags), exact: true } => {
                    query.deciding = query.deciding.map(|bits| bits | mask << shift | flags);
                    query.terms.push(Term {
                        weight,
                        when: When::Any(flags),
                        kind: Column::Table { shift, mask, table },
                    });
                    continue;
                }
                Kind::Table { shift, mask, table, when, .. } => (when, Column::Table { shift, mask, table }),
                Kind::Interest { types, topics, direction, tags } => {
                    let with_types = if direction.is_some() { Flag::Riasec.bit() } else { 0 };
                    let with_tags = if tags.is_empty() { 0 } else { Flag::Tags.bit() };
                    let factor = 1.0 / (tags.len().max(1) as f64).sqrt();
                    let mut numbers: Vec<u32> = tags.iter().filter_map(|tag| words.tags.get(tag)).copied().collect();
                    numbers.sort_unstable();
                    numbers.dedup();
                    query.tags = numbers.into_iter().map(|number| (number, factor)).collect();
                    let has_tags = !tags.is_empty();
                    (When::Any(with_types | with_tags), Column::Interest { types, topics, direction, has_tags })
                }
                Kind::Skills { held } => {
                    // At its best a held skill counts whole: postings do not say which level is needed.
                    let numbers = held.iter().filter_map(|held| words.skills.get(&held.name));
                    query.skills = numbers.map(|number| (*number, 1.0)).collect();
                    (When::Any(Flag::Skills.bit()), Column::Skills)
                }
                Kind::Pay { wish, currency, level } if currencies.main == Some(currency) => {
                    (When::Any(Flag::Pay.bit()), Column::Pay { wish, level: level as usize })
                }
                Kind::Pay { .. } => (When::Unknown, Column::Constant(1.0)),
            };
            query.deciding = None;
            query.terms.push(Term { weight, when, kind });
        }
        query
    }

    /// The bits that decide the whole score of a candidate, where nothing else does.
    pub(crate) fn deciding(&self) -> Option<u64> {
        self.deciding
    }

    /// What the words of the query add in this group.
    pub(crate) fn words_in(&self, group: &Group) -> GroupWords {
        let shares = |words: &Words, postings: &Postings| {
            words.iter().map(|(word, factor)| (*word, postings.shares(*factor))).collect()
        };
        let maxima = |words: &Words, postings: &Postings| {
            let factor = words.first().map_or(0.0, |(_, factor)| *factor);
            postings.maxima(words.iter().map(|(word, _)| *word), factor)
        };
        let bytes = |words: &Words, postings: &Postings| {
            words.iter().map(|(word, _)| postings.maxima_bytes(*word)).sum::<usize>()
        };
        GroupWords {
            skills: shares(&self.skills, &group.skills),
            tags: shares(&self.tags, &group.tags),
            skill_max: maxima(&self.skills, &group.skills),
            tag_max: maxima(&self.tags, &group.tags),
            bytes: bytes(&self.skills, &group.skills) + bytes(&self.tags, &group.tags),
        }
    }

    /// Bytes of a segment's summaries that bounds read.
    pub(crate) fn summary_bytes(&self) -> usize {
        BLOCKS * self.terms.iter().map(|term| term.kind.bytes(8 * size_of::<f32>())).sum::<usize>()
            + BLOCKS * 2 * size_of::<u64>()
    }

    /// Bytes of a block's columns that bounds read.
    pub(crate) fn block_bytes(&self) -> usize {
        LANES * self.terms.iter().map(|term| term.kind.bytes(6 * size_of::<i16>())).sum::<usize>()
            + LANES * size_of::<u64>()
    }

    /// For each block of the segment, number `at` in its group, what no candidate of it exceeds.
    pub(crate) fn block_bounds(&self, segment: &Segment, at: usize, words: &GroupWords) -> [f32; BLOCKS] {
        self.summary_bounds(&segment.summary, &words.skill_max[at], &words.tag_max[at])
    }

    /// Lowers the bounds of a segment's blocks, number `at` in its group, to what the sums of
    /// [`add_up`](Sums::add_up) leave. Blocks whose bound is below 0 were ruled out before and stay so.
    pub(crate) fn refine(
        &self,
        segment: &Segment,
        at: usize,
        words: &GroupWords,
        sums: &Sums,
        bounds: &mut [f32; BLOCKS],
    ) {
        let summary = &segment.summary;
        if let Some((skills, tags)) = self.sum_weights(summary.common) {
            // Every term counts for everyone, so what a share falls short of its maximum is missing with its weight.
            let short = |max: u16, sum: u16| f32::from(max.saturating_sub(sum)) / f32::from(ONE);
            for (block, bound) in bounds.iter_mut().enumerate() {
                *bound -= skills * short(words.skill_max[at][block], sums.skill_max[block].min(ONE))
                    + tags * short(words.tag_max[at][block], sums.tag_max[block].min(ONE));
            }
            return;
        }
        let refined = self.summary_bounds(summary, &sums.skill_max, &sums.tag_max);
        let open = bounds.iter_mut().zip(refined).filter(|(bound, _)| **bound >= 0.0);
        open.for_each(|(bound, refined)| *bound = refined);
    }

    /// What the sums of skills and of topics weigh in the total of candidates that all have the flags `common`; `None`
    /// when that is not the same for all.
    fn sum_weights(&self, common: u64) -> Option<(f32, f32)> {
        let (mut skills, mut tags, mut whole) = (0.0, 0.0, 0.0);
        for Term { weight, when, kind } in &self.terms {
            if !when.certain(common) {
                return None;
            }
            whole += weight;
            match kind {
                Column::Skills => skills += weight,
                Column::Interest { types, topics, direction: Some(_), has_tags: true } => {
                    let both = Flag::Riasec.bit() | Flag::Tags.bit();
                    if common & both != both {
                        return None;
                    }
                    tags += weight * topics / (types + topics);
                }
                Column::Interest { direction: None, .. } => tags += weight,
                _ => {}
            }
        }
        (whole > 0.0).then(|| (skills / whole, tags / whole))
    }

    fn summary_bounds(&self, summary: &Summary, skills: &[u16; BLOCKS], tags: &[u16; BLOCKS]) -> [f32; BLOCKS] {
        let bounds = |term: &Term, out: &mut [f32; BLOCKS]| match &term.kind {
            Column::Constant(max) => *out = [*max; BLOCKS],
            Column::Table { shift, mask, table } => look_up(&summary.any, *shift, *mask, table, out),
            Column::Skills => shares(skills, out),
            Column::Pay { wish, level } => pay(*wish, &summary.low[*level], &summary.high[*level], out),
            Column::Interest { types, topics, direction, has_tags } => {
                let mut shared = [0.0; BLOCKS];
                if *has_tags {
                    shares(tags, &mut shared);
                }
                let Some(direction) = direction else {
                    *out = shared;
                    return;
                };
                widest(direction, summary, out);
                if *has_tags {
                    let both = Flag::Riasec.bit() | Flag::Tags.bit();
                    let with_both = summary.common & both == both;
                    for (out, shared) in out.iter_mut().zip(shared) {
                        let mean = (types * *out + topics * shared) / (types + topics);
                        *out = if with_both { mean } else { out.max(shared) };
                    }
                }
            }
        };
        self.combine(bounds, summary.common, &summary.every, &summary.any)
    }

    /// Sends for the columns of a block that bounds read, without waiting for them.
    pub(crate) fn touch(&self, block: &Block) {
        touch(&block.bits);
        for term in &self.terms {
            match &term.kind {
                Column::Interest { direction: Some(_), .. } => touch(block.direction.as_flattened()),
                Column::Pay { level, .. } => {
                    touch(&block.low[*level]);
                    touch(&block.high[*level]);
                }
                _ => {}
            }
        }
    }

    /// For each candidate of a block, what it does not exceed. Needs the sums of [`add_up`](Sums::add_up).
    pub(crate) fn lane_bounds(&self, segment: &Segment, at: usize, sums: &Sums) -> [f32; LANES] {
        let (block, every) = (&segment.blocks[at], segment.summary.every[at]);
        let bounds = |term: &Term, out: &mut [f32; LANES]| match &term.kind {
            Column::Constant(max) => *out = [*max; LANES],
            Column::Table { shift, mask, table } => look_up(&block.bits, *shift, *mask, table, out),
            Column::Skills => shares(&sums.skills.as_chunks::<LANES>().0[at], out),
            Column::Pay { wish, level } => pay(*wish, &block.low[*level], &block.high[*level], out),
            Column::Interest { types, topics, direction, has_tags } => {
                let mut r = [0.0; LANES];
                for (own, column) in direction.iter().flatten().zip(&block.direction) {
                    let own = own / DIRECTION_ONE;
                    r.iter_mut().zip(column).for_each(|(sum, x)| *sum += own * f32::from(*x));
                }
                let alike = r.map(|r| (1.0 + (r + R_MARGIN).min(1.0)) / 2.0);
                let mut shared = [0.0; LANES];
                if *has_tags {
                    let sums = sums.tags.as_chunks::<LANES>().0;
                    shares(&sums[at], &mut shared);
                }
                for (lane, out) in out.iter_mut().enumerate() {
                    let has = |flag: Flag| (every | block.bits[lane]) & flag.bit() != 0;
                    let both = (types * alike[lane] + topics * shared[lane]) / (types + topics);
                    let with_types = direction.is_some() && has(Flag::Riasec);
                    let with_topics = *has_tags && has(Flag::Tags);
                    let one = if with_types { alike[lane] } else { shared[lane] };
                    *out = if with_types && with_topics { both } else { one };
                }
            }
        };
        self.combine(bounds, every, &block.bits, &block.bits)
    }

    /// The largest weighted mean that terms with these bounds can have, where each item surely has the flags
    /// `every` and at most the flags `any`, and all that matter have the flags `common`.
    fn combine<const N: usize>(
        &self,
        bounds: impl Fn(&Term, &mut [f32; N]),
        common: u64,
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
            if term.when.certain(common) {
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

/// Sums in fixed point as shares.
fn shares<const N: usize>(sums: &[u16; N], out: &mut [f32; N]) {
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = fixed(*sum));
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

/// The best interest score in each cap: `(1 + cos(max(0, θ − ρ))) / 2`, with θ the angle to its centre and ρ its
/// half-angle.
fn widest(direction: &[f32; 6], summary: &Summary, out: &mut [f32; BLOCKS]) {
    let mut dots = [0.0_f32; BLOCKS];
    for (own, column) in direction.iter().zip(&summary.centre) {
        dots.iter_mut().zip(column).for_each(|(sum, x)| *sum += own * x);
    }
    for (out, (dot, (cos, sin))) in out.iter_mut().zip(dots.iter().zip(summary.cos.iter().zip(&summary.sin))) {
        let dot = dot.clamp(-1.0, 1.0);
        let edge = (dot * cos + (1.0 - dot * dot).sqrt() * sin + R_MARGIN).min(1.0);
        let r = if dot >= *cos { 1.0 } else { edge };
        *out = (1.0 + r) / 2.0;
    }
}
