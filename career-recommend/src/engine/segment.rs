//! Columns of up to 8,192 candidates, in blocks of 64, with a summary of each block.

use std::collections::HashMap;

use career_core::{ExperienceLevel, SkillName, Tag};

use super::bound::{Field, Flag, round_up};
use crate::scorers::values_are_flat;
use crate::{Candidate, engine::Currencies};

/// Candidates in a block: one bit of a word each.
pub(crate) const LANES: usize = 64;
/// Blocks in a segment.
pub(crate) const BLOCKS: usize = 128;
/// Candidates in a segment: their sums of shares fit the innermost cache.
pub(crate) const SEGMENT: usize = LANES * BLOCKS;
/// The share 1 in fixed point.
pub(crate) const ONE: i16 = 1 << 14;

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

/// For each skill or topic, who has it and what share of theirs it is.
///
/// An entry packs the place in the segment (13 bits), the level needed (3 bits) and the share in fixed point,
/// rounded up (16 bits).
#[derive(Debug, Default)]
pub(crate) struct Postings {
    starts: Vec<u32>,
    entries: Vec<u32>,
}

impl Postings {
    fn build(words: usize, mut list: Vec<(u32, u32)>) -> Self {
        list.sort_unstable();
        let mut starts = vec![0_u32; words + 1];
        for (word, _) in &list {
            starts[*word as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Postings { starts, entries: list.into_iter().map(|(_, entry)| entry).collect() }
    }

    fn entry(place: usize, level: u8, share: f64) -> u32 {
        let share = (share * f64::from(ONE)).ceil().clamp(0.0, f64::from(ONE)) as u32;
        place as u32 | u32::from(level) << 13 | share << 16
    }

    /// Adds to the sum of everyone who has the word their share of it, times the factor (15 bits fixed point) of
    /// the level that they need.
    pub(crate) fn add(&self, word: u32, factors: &[u32; 8], sums: &mut [i16; SEGMENT]) {
        let word = word as usize;
        let (Some(from), Some(to)) = (self.starts.get(word), self.starts.get(word + 1)) else { return };
        for entry in &self.entries[*from as usize..*to as usize] {
            let factor = factors[(entry >> 13 & 7) as usize];
            let share = ((entry >> 16) * factor + 0x7fff) >> 15;
            let sum = &mut sums[(entry & 0x1fff) as usize];
            *sum = sum.saturating_add(share as i16);
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        (self.starts.len() + self.entries.len()) * size_of::<u32>()
    }
}

/// The columns of 64 candidates.
#[derive(Debug)]
pub(crate) struct Block {
    /// Direction of the interests, all zero where there is none.
    pub(crate) direction: [[f32; LANES]; 6],
    /// Small codes and flags.
    pub(crate) bits: [u64; LANES],
    /// For each experience level the ends of the band, rounded up.
    pub(crate) low: [[f32; LANES]; 3],
    pub(crate) high: [[f32; LANES]; 3],
    /// Place in the order of ids, or [`UNRANKED`].
    pub(crate) rank: [u32; LANES],
    /// Who is still there.
    pub(crate) alive: u64,
}

/// The rank of a candidate that came after the ranks were given.
pub(crate) const UNRANKED: u32 = u32::MAX;

/// For each block what no candidate of it exceeds.
#[derive(Debug)]
pub(crate) struct Summary {
    /// The mean direction of the interests, and the cosine and sine of the widest angle to it.
    pub(crate) centre: [[f32; BLOCKS]; 6],
    pub(crate) cos: [f32; BLOCKS],
    pub(crate) sin: [f32; BLOCKS],
    /// All bits that any, and that every candidate has.
    pub(crate) any: [u64; BLOCKS],
    pub(crate) every: [u64; BLOCKS],
    /// The largest ends of the bands.
    pub(crate) low: [[f32; BLOCKS]; 3],
    pub(crate) high: [[f32; BLOCKS]; 3],
}

#[derive(Debug)]
pub(crate) struct Segment {
    /// Row of its first candidate.
    pub(crate) base: usize,
    pub(crate) blocks: Vec<Block>,
    pub(crate) summary: Box<Summary>,
    pub(crate) skills: Postings,
    pub(crate) tags: Postings,
}

impl Segment {
    /// Builds the columns of the rows from `base` on; `rank` gives the place of a row in the order of ids.
    pub(crate) fn build(
        base: usize,
        rows: &[Option<Candidate>],
        words: &Vocabulary,
        currencies: &Currencies,
        rank: impl Fn(usize) -> u32,
    ) -> Segment {
        debug_assert!(rows.len() <= SEGMENT);
        let (mut skills, mut tags) = (Vec::new(), Vec::new());
        for (place, row) in rows.iter().enumerate() {
            let Some(row) = row else { continue };
            let all: f64 = row.skills.iter().map(|need| need.importance.get()).sum();
            if all > 0.0 {
                skills.extend(row.skills.iter().map(|need| {
                    (words.skills[&need.name], Postings::entry(place, need.level.get(), need.importance.get() / all))
                }));
            }
            for (at, tag) in row.tags.iter().enumerate() {
                // A topic that stands twice is shared once, as the scorer has it.
                if !row.tags[..at].contains(tag) {
                    tags.push((words.tags[tag], Postings::entry(place, 0, 1.0 / (row.tags.len() as f64).sqrt())));
                }
            }
        }
        let blocks: Vec<Block> = rows
            .chunks(LANES)
            .enumerate()
            .map(|(at, rows)| Block::build(rows, currencies, |lane| rank(base + at * LANES + lane)))
            .collect();
        let summary = Summary::build(&blocks);
        Segment {
            base,
            blocks,
            summary,
            skills: Postings::build(words.skills.len(), skills),
            tags: Postings::build(words.tags.len(), tags),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.blocks.len() * size_of::<Block>() + size_of::<Summary>() + self.skills.bytes() + self.tags.bytes()
    }
}

impl Block {
    fn build(rows: &[Option<Candidate>], currencies: &Currencies, rank: impl Fn(usize) -> u32) -> Block {
        let mut block = Block {
            direction: [[0.0; LANES]; 6],
            bits: [0; LANES],
            low: [[0.0; LANES]; 3],
            high: [[0.0; LANES]; 3],
            rank: [UNRANKED; LANES],
            alive: 0,
        };
        for (lane, row) in rows.iter().enumerate() {
            let Some(row) = row else { continue };
            block.alive |= 1 << lane;
            block.rank[lane] = rank(lane);
            block.bits[lane] = bits(row, currencies);
            if let Some(direction) = row.riasec.and_then(|riasec| riasec.direction()) {
                for (column, value) in block.direction.iter_mut().zip(direction) {
                    column[lane] = value as f32;
                }
            }
            if let Some(pay) = currencies.known(row) {
                for level in ExperienceLevel::ALL {
                    let (low, high) = pay.at(*level).yearly();
                    // A band without an upper end is met whatever the wish: so is one that begins at infinity.
                    let (low, high) = high.map_or((f32::INFINITY, f32::INFINITY), |high| {
                        (round_up(low as f64), round_up(high as f64))
                    });
                    block.low[*level as usize][lane] = low;
                    block.high[*level as usize][lane] = high;
                }
            }
        }
        block
    }

    /// The lanes that are still there.
    pub(crate) fn lanes(&self) -> impl Iterator<Item = usize> {
        ones(self.alive)
    }
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
    fn build(blocks: &[Block]) -> Box<Summary> {
        let mut summary = Box::new(Summary {
            centre: [[0.0; BLOCKS]; 6],
            cos: [-1.0; BLOCKS],
            sin: [0.0; BLOCKS],
            any: [0; BLOCKS],
            every: [u64::MAX; BLOCKS],
            low: [[0.0; BLOCKS]; 3],
            high: [[0.0; BLOCKS]; 3],
        });
        for (at, block) in blocks.iter().enumerate() {
            for lane in block.lanes() {
                summary.any[at] |= block.bits[lane];
                summary.every[at] &= block.bits[lane];
                for level in 0..3 {
                    summary.low[level][at] = summary.low[level][at].max(block.low[level][lane]);
                    summary.high[level][at] = summary.high[level][at].max(block.high[level][lane]);
                }
            }
            let (centre, cos) = cap(block);
            summary.centre.iter_mut().zip(centre).for_each(|(column, value)| column[at] = value);
            summary.cos[at] = cos;
            summary.sin[at] = (1.0 - cos * cos).max(0.0).sqrt();
        }
        summary
    }
}

/// The mean direction of the lanes that have one, and the cosine of the widest angle to it.
fn cap(block: &Block) -> ([f32; 6], f32) {
    let lanes: Vec<usize> = block.lanes().filter(|lane| block.bits[*lane] & Flag::Riasec.bit() != 0).collect();
    let mut centre = [0.0_f32; 6];
    for lane in &lanes {
        centre.iter_mut().zip(&block.direction).for_each(|(sum, column)| *sum += column[*lane]);
    }
    let length = centre.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length < 1e-3 {
        return ([0.0; 6], -1.0);
    }
    centre.iter_mut().for_each(|x| *x /= length);
    let dot = |lane: &usize| centre.iter().zip(&block.direction).map(|(c, column)| c * column[*lane]).sum::<f32>();
    let widest = lanes.iter().map(dot).fold(1.0, f32::min);
    // A little wider, for the rounding of these sums.
    (centre, (widest - 1e-5).max(-1.0))
}
