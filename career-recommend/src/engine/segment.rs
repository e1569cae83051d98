//! Columns of candidates, in blocks of 64, with a summary of each block.

use std::collections::HashMap;
use std::ops::Range;

use career_core::{ExperienceLevel, SkillName, Tag};
use rayon::prelude::*;

use super::bound::{Field, Flag, round_up};
use crate::scorers::values_are_flat;
use crate::{Candidate, engine::Currencies};

/// Candidates in a block: one bit of a word each.
pub(crate) const LANES: usize = 64;
/// Blocks in a segment.
pub(crate) const BLOCKS: usize = 128;
/// Candidates in a segment: their sums of shares fit the innermost cache.
pub(crate) const SEGMENT: usize = LANES * BLOCKS;
/// Blocks in a run: the postings of a run stand together, so that sums are only made where they are needed.
pub(crate) const RUN: usize = 16;
/// Runs in a segment.
pub(crate) const RUNS: usize = BLOCKS / RUN;
/// Candidates in a run.
pub(crate) const RUN_LANES: usize = RUN * LANES;
/// The share 1 in fixed point.
pub(crate) const ONE: u16 = 1 << 14;
/// Steps in which postings keep shares.
const STEPS: usize = 64;
/// The number that stands for 1 in the columns of directions.
pub(crate) const DIRECTION_ONE: f32 = 32_000.0;

/// Numbers of skills and topics.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    pub(crate) skills: HashMap<SkillName, u32>,
    pub(crate) tags: HashMap<Tag, u32>,
}

impl Vocabulary {
    pub(crate) fn learn(&mut self, candidate: &Candidate) {
        for need in &candidate.skills {
            let next = self.skills.len() as u32;
            self.skills.entry(need.name.clone()).or_insert(next);
        }
        for tag in &candidate.tags {
            let next = self.tags.len() as u32;
            self.tags.entry(tag.clone()).or_insert(next);
        }
    }
}

/// For each skill or topic and each run of each segment, who has it and what share of theirs it is.
///
/// An entry packs the place in the run (10 bits) and the share in 64 steps up to the largest share of all, rounded
/// up (6 bits). All runs of a word stand one after the other, so that going through the segments reads memory in
/// order.
///
/// For words that many have, the largest step of each block is kept beside: a row of bytes, block by block.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    runs: usize,
    largest: f64,
    starts: Vec<u32>,
    entries: Vec<u16>,
    /// For each word the number of its row, or [`NO_ROW`].
    row_of: Vec<u32>,
    rows: Vec<u8>,
}

const NO_ROW: u32 = u32::MAX;

/// A word has a row of largest steps when it has at least one posting for so many blocks: rows then take at most
/// twice the room of the postings.
const BLOCKS_PER_POSTING: usize = 4;

/// One posting before it is packed.
struct Posting {
    word: u32,
    run: u32,
    place: u16,
    share: f64,
}

/// What each step of share adds to a sum, for one word of a query.
pub(crate) type Shares = [u16; STEPS];

impl Postings {
    /// Sorts postings into a list for each word and run.
    fn build(words: usize, runs: usize, mut list: Vec<Posting>) -> Self {
        list.sort_unstable_by_key(|posting| (posting.word, posting.run, posting.place));
        let largest = list.iter().map(|posting| posting.share).fold(0.0, f64::max);
        let mut starts = vec![0_u32; words * runs + 1];
        for posting in &list {
            starts[posting.word as usize * runs + posting.run as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let pack = |posting: Posting| {
            let step = (posting.share / largest * (STEPS - 1) as f64).ceil() as u16;
            posting.place | step << RUN_LANES.trailing_zeros()
        };
        let entries: Vec<u16> = list.into_iter().map(pack).collect();
        let mut postings = Postings { runs, largest, starts, entries, row_of: vec![NO_ROW; words], rows: Vec::new() };
        let blocks = postings.blocks();
        for word in 0..words {
            let count = postings.starts[(word + 1) * runs] - postings.starts[word * runs];
            if count as usize * BLOCKS_PER_POSTING >= blocks {
                let mut row = vec![0_u8; blocks];
                postings.steps(word, |block, step| row[block] = row[block].max(step));
                postings.row_of[word] = (postings.rows.len() / blocks) as u32;
                postings.rows.extend(row);
            }
        }
        postings
    }

    /// Blocks of the group, rounded up to whole segments.
    fn blocks(&self) -> usize {
        self.runs.div_ceil(RUNS) * BLOCKS
    }

    /// Calls `each` with the block and the step of every posting of a word.
    fn steps(&self, word: usize, mut each: impl FnMut(usize, u8)) {
        for run in 0..self.runs {
            let list = word * self.runs + run;
            for entry in &self.entries[self.starts[list] as usize..self.starts[list + 1] as usize] {
                let block = run * RUN + *entry as usize % RUN_LANES / LANES;
                each(block, (*entry as usize / RUN_LANES) as u8);
            }
        }
    }

    /// For each block of each segment, what the shares of these words add up to at the most, each counting `factor`
    /// of itself; rounded up.
    pub(crate) fn maxima(&self, words: impl Iterator<Item = u32>, factor: f64) -> Vec<[u16; BLOCKS]> {
        let blocks = self.blocks();
        let mut sums = vec![0_u16; blocks];
        for word in words.map(|word| word as usize).filter(|word| *word < self.row_of.len()) {
            match self.row_of[word] {
                NO_ROW => {
                    let mut last = (usize::MAX, 0);
                    self.steps(word, |block, step| {
                        let known = if last.0 == block { last.1 } else { 0 };
                        if step > known {
                            sums[block] = sums[block].saturating_add(u16::from(step - known));
                            last = (block, step);
                        }
                    });
                }
                row => {
                    let row = &self.rows[row as usize * blocks..(row as usize + 1) * blocks];
                    sums.iter_mut().zip(row).for_each(|(sum, step)| *sum = sum.saturating_add(u16::from(*step)));
                }
            }
        }
        let unit = (self.largest * factor / (STEPS - 1) as f64 * f64::from(ONE)) as f32;
        // A sum that does not fit says nothing.
        let fixed = |sum: &u16| match *sum {
            u16::MAX => ONE,
            sum => (f32::from(sum) * unit + 1.0).min(f32::from(ONE)) as u16,
        };
        sums.as_chunks::<BLOCKS>().0.iter().map(|sums| std::array::from_fn(|at| fixed(&sums[at]))).collect()
    }

    /// How many bytes [`maxima`](Postings::maxima) reads for a word.
    pub(crate) fn maxima_bytes(&self, word: u32) -> usize {
        match self.row_of.get(word as usize) {
            None => 0,
            Some(&NO_ROW) => {
                let (from, to) = (word as usize * self.runs, (word as usize + 1) * self.runs);
                (self.starts[to] - self.starts[from]) as usize * size_of::<u16>()
            }
            Some(_) => self.blocks(),
        }
    }

    /// What each step adds when a share counts `factor` of itself; rounded up.
    pub(crate) fn shares(&self, factor: f64) -> Shares {
        std::array::from_fn(|step| {
            let share = step as f64 / (STEPS - 1) as f64 * self.largest * factor;
            (share * f64::from(ONE)).ceil().min(f64::from(ONE)) as u16
        })
    }

    /// Adds to the sum of everyone in a run who has the word their share of it; gives how many those are.
    pub(crate) fn add(&self, word: u32, run: usize, shares: &Shares, sums: &mut [u16; RUN_LANES]) -> usize {
        let list = word as usize * self.runs + run;
        let (Some(from), Some(to)) = (self.starts.get(list), self.starts.get(list + 1)) else { return 0 };
        let entries = &self.entries[*from as usize..*to as usize];
        for entry in entries {
            let sum = &mut sums[*entry as usize % RUN_LANES];
            *sum = sum.saturating_add(shares[*entry as usize / RUN_LANES]);
        }
        entries.len()
    }

    /// Reads a little of each cache line of the word's lists for some runs and throws it away, so that they are on
    /// their way from memory together instead of one after the other.
    pub(crate) fn touch(&self, word: u32, runs: Range<usize>) {
        let list = word as usize * self.runs;
        if let (Some(from), Some(to)) = (self.starts.get(list + runs.start), self.starts.get(list + runs.end)) {
            touch(&self.entries[*from as usize..*to as usize]);
        }
    }

    fn bytes(&self) -> usize {
        size_of_val(self.starts.as_slice())
            + size_of_val(self.entries.as_slice())
            + size_of_val(self.row_of.as_slice())
            + self.rows.len()
    }
}

/// The columns of 64 candidates.
#[derive(Debug)]
pub(crate) struct Block {
    /// Direction of the interests in units of 1 / [`DIRECTION_ONE`], all zero where there is none.
    pub(crate) direction: [[i16; LANES]; 6],
    /// Small codes and flags.
    pub(crate) bits: [u64; LANES],
    /// For each experience level the ends of the band, rounded up.
    pub(crate) low: [[f32; LANES]; 3],
    pub(crate) high: [[f32; LANES]; 3],
    /// Place in the order of ids, or [`UNRANKED`].
    pub(crate) rank: [u32; LANES],
}

/// The rank of a candidate that came after the ranks were given.
pub(crate) const UNRANKED: u32 = u32::MAX;

/// For each block what no candidate of it exceeds.
#[derive(Debug)]
pub(crate) struct Summary {
    /// Who is still there: one bit a candidate.
    pub(crate) alive: [u64; BLOCKS],
    /// The mean direction of the interests, and the cosine and sine of the widest angle to it.
    pub(crate) centre: [[f32; BLOCKS]; 6],
    pub(crate) cos: [f32; BLOCKS],
    pub(crate) sin: [f32; BLOCKS],
    /// All bits that any, and that every candidate has.
    pub(crate) any: [u64; BLOCKS],
    pub(crate) every: [u64; BLOCKS],
    /// The bits that every candidate of every block has.
    pub(crate) common: u64,
    /// The largest ends of the bands.
    pub(crate) low: [[f32; BLOCKS]; 3],
    pub(crate) high: [[f32; BLOCKS]; 3],
}

/// Up to 8,192 candidates.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Row of its first candidate.
    pub(crate) base: usize,
    pub(crate) blocks: Vec<Block>,
    pub(crate) summary: Box<Summary>,
}

/// Segments that were made together and share their postings.
#[derive(Debug)]
pub(crate) struct Group {
    /// Row of its first candidate, and the row after its last.
    pub(crate) rows: Range<usize>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) skills: Postings,
    pub(crate) tags: Postings,
}

impl Group {
    /// Builds the columns of the rows from `base` on; `rank` gives the place of a row in the order of ids.
    pub(crate) fn build(
        base: usize,
        rows: &[Option<Candidate>],
        words: &Vocabulary,
        currencies: &Currencies,
        rank: impl Fn(usize) -> u32 + Sync,
    ) -> Group {
        let (mut skills, mut tags) = (Vec::new(), Vec::new());
        for (at, row) in rows.iter().enumerate() {
            let Some(row) = row else { continue };
            let (run, place) = ((at / RUN_LANES) as u32, (at % RUN_LANES) as u16);
            let all: f64 = row.skills.iter().map(|need| need.importance.get()).sum();
            if all > 0.0 {
                skills.extend(row.skills.iter().map(|need| {
                    let share = need.importance.get() / all;
                    Posting { word: words.skills[&need.name], run, place, share }
                }));
            }
            for (n, tag) in row.tags.iter().enumerate() {
                // A topic that stands twice is shared once, as the scorer has it.
                if !row.tags[..n].contains(tag) {
                    let share = 1.0 / (row.tags.len() as f64).sqrt();
                    tags.push(Posting { word: words.tags[tag], run, place, share });
                }
            }
        }
        let segment =
            |(at, rows): (usize, &[Option<Candidate>])| Segment::build(base + at * SEGMENT, rows, currencies, &rank);
        let runs = rows.len().div_ceil(RUN_LANES);
        Group {
            rows: base..base + rows.len(),
            segments: rows.par_chunks(SEGMENT).enumerate().map(segment).collect(),
            skills: Postings::build(words.skills.len(), runs, skills),
            tags: Postings::build(words.tags.len(), runs, tags),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let columns = self.segments.iter().map(|s| s.blocks.len() * size_of::<Block>() + size_of::<Summary>());
        columns.sum::<usize>() + self.skills.bytes() + self.tags.bytes()
    }
}

impl Segment {
    fn build(
        base: usize,
        rows: &[Option<Candidate>],
        currencies: &Currencies,
        rank: &(impl Fn(usize) -> u32 + Sync),
    ) -> Segment {
        let block = |(at, rows): (usize, &[Option<Candidate>])| {
            Block::build(rows, currencies, |lane| rank(base + at * LANES + lane))
        };
        let blocks: Vec<Block> = rows.chunks(LANES).enumerate().map(block).collect();
        let mut alive = [0; BLOCKS];
        for (alive, rows) in alive.iter_mut().zip(rows.chunks(LANES)) {
            *alive = rows.iter().enumerate().fold(0, |lanes, (lane, row)| lanes | u64::from(row.is_some()) << lane);
        }
        let summary = Summary::build(&blocks, alive);
        Segment { base, blocks, summary }
    }
}

impl Block {
    fn build(rows: &[Option<Candidate>], currencies: &Currencies, rank: impl Fn(usize) -> u32) -> Block {
        let mut block = Block {
            direction: [[0; LANES]; 6],
            bits: [0; LANES],
            low: [[0.0; LANES]; 3],
            high: [[0.0; LANES]; 3],
            rank: [UNRANKED; LANES],
        };
        for (lane, row) in rows.iter().enumerate() {
            let Some(row) = row else { continue };
            block.rank[lane] = rank(lane);
            block.bits[lane] = bits(row, currencies);
            if let Some(direction) = row.riasec.and_then(|riasec| riasec.direction()) {
                for (column, value) in block.direction.iter_mut().zip(direction) {
                    column[lane] = (value * f64::from(DIRECTION_ONE)).round() as i16;
                }
            }
            if let Some(pay) = currencies.known(row) {
                for level in ExperienceLevel::ALL {
                    let (low, high) = pay.at(*level).yearly();
                    // A band without an upper end is met whatever the wish: so is one that begins at infinity.
                    let (low, high) = high
                        .map_or((f32::INFINITY, f32::INFINITY), |high| (round_up(low as f64), round_up(high as f64)));
                    block.low[*level as usize][lane] = low;
                    block.high[*level as usize][lane] = high;
                }
            }
        }
        block
    }
}

/// Reads one number of each cache line, and throws it away.
pub(crate) fn touch<T: Copy>(column: &[T]) {
    const LINE: usize = 64;
    let lines = column.iter().step_by(LINE / size_of::<T>());
    lines.for_each(|first| {
        std::hint::black_box(*first);
    });
}

/// The places of the bits that are set.
pub(crate) fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(lane)
    })
}

/// Years of study in the word of bits: 0 for unknown, else one more than the years.
pub(crate) const YEARS_SHIFT: u32 = 34;
pub(crate) const YEARS_MASK: u64 = 0x3f;

fn bits(row: &Candidate, currencies: &Currencies) -> u64 {
    let mut word = u64::from(row.streams.bits());
    let mut set = |flag: Flag, field: Field, up: u32, value: Option<u8>| {
        if let Some(value) = value {
            word |= 1 << (field.shift() + up + u32::from(value)) | flag.bit();
        }
    };
    set(Flag::JobZone, Field::JobZone, 0, row.job_zone.map(|zone| zone.get() - 1));
    set(Flag::Outlook, Field::Outlook, 0, row.outlook.map(|outlook| outlook as u8));
    set(Flag::Stress, Field::StressBalance, 0, row.stress.map(|stress| stress as u8));
    set(Flag::Balance, Field::StressBalance, 3, row.balance.map(|balance| balance as u8));
    set(Flag::Travel, Field::TravelRemote, 0, row.travel.map(|travel| travel as u8));
    set(Flag::Remote, Field::TravelRemote, 4, row.remote.map(|remote| remote as u8));
    set(Flag::Seniority, Field::Seniority, 0, row.seniority.map(|level| level as u8));
    let mut flag = |flag: Flag, on: bool| word |= if on { flag.bit() } else { 0 };
    let remote = row.remote == Some(career_core::Remote::Full);
    flag(Flag::Streams, !row.streams.is_empty());
    flag(Flag::Hours, row.hours.is_some());
    flag(Flag::Riasec, row.riasec.is_some_and(|riasec| riasec.direction().is_some()));
    flag(Flag::Tags, !row.tags.is_empty());
    flag(Flag::Skills, row.skills.iter().any(|need| need.importance.get() > 0.0));
    flag(Flag::Pay, currencies.known(row).is_some());
    flag(Flag::Location, remote || !row.locations.is_empty());
    flag(Flag::Values, row.values.as_ref().is_some_and(|values| !values_are_flat(values)));
    flag(Flag::Embedding, row.embedding.is_some());
    let years = row.years_of_study.map_or(0, |years| (u64::from(years) + 1).min(YEARS_MASK));
    word | years << YEARS_SHIFT
}

impl Summary {
    fn build(blocks: &[Block], alive: [u64; BLOCKS]) -> Box<Summary> {
        let mut summary = Box::new(Summary {
            alive,
            centre: [[0.0; BLOCKS]; 6],
            cos: [-1.0; BLOCKS],
            sin: [0.0; BLOCKS],
            any: [0; BLOCKS],
            every: [u64::MAX; BLOCKS],
            common: u64::MAX,
            low: [[0.0; BLOCKS]; 3],
            high: [[0.0; BLOCKS]; 3],
        });
        for (at, block) in blocks.iter().enumerate() {
            for lane in ones(alive[at]) {
                summary.any[at] |= block.bits[lane];
                summary.every[at] &= block.bits[lane];
                for level in 0..3 {
                    summary.low[level][at] = summary.low[level][at].max(block.low[level][lane]);
                    summary.high[level][at] = summary.high[level][at].max(block.high[level][lane]);
                }
            }
            let (centre, cos) = cap(block, alive[at]);
            summary.centre.iter_mut().zip(centre).for_each(|(column, value)| column[at] = value);
            summary.cos[at] = cos;
            summary.sin[at] = (1.0 - cos * cos).max(0.0).sqrt();
        }
        summary.common = summary.every.iter().fold(u64::MAX, |all, every| all & every);
        summary
    }
}

/// The mean direction of the lanes that have one, and the cosine of the widest angle to it.
fn cap(block: &Block, alive: u64) -> ([f32; 6], f32) {
    let lanes: Vec<usize> = ones(alive).filter(|lane| block.bits[*lane] & Flag::Riasec.bit() != 0).collect();
    let mut centre = [0.0_f32; 6];
    for lane in &lanes {
        centre.iter_mut().zip(&block.direction).for_each(|(sum, column)| *sum += f32::from(column[*lane]));
    }
    let length = centre.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length < 1e-3 * DIRECTION_ONE {
        return ([0.0; 6], -1.0);
    }
    centre.iter_mut().for_each(|x| *x /= length);
    let sum =
        |lane: &usize| centre.iter().zip(&block.direction).map(|(c, column)| c * f32::from(column[*lane])).sum::<f32>();
    let dot = |lane: &usize| sum(lane) / DIRECTION_ONE;
    let widest = lanes.iter().map(dot).fold(1.0, f32::min);
    // A little wider, for the rounding of the directions and of these sums.
    (centre, (widest - 2e-4).max(-1.0))
}
