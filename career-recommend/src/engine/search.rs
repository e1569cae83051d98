//! The search for the best k over columns.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use career_core::Profile;

use super::bound::LEAST_WEIGHT;
use super::filter::Allowed;
use super::query::{GroupWords, MARGIN, Query, Sums};
use super::segment::{BLOCKS, Group, LANES, RUN, RUNS, Segment, UNRANKED, ones};
use super::top::{Scored, Top};
use super::{Engine, Weighted};

/// What a ranking did to find its best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Work {
    /// Blocks of 64 candidates whose summaries were read.
    pub blocks: usize,
    /// Blocks whose columns were read.
    pub opened: usize,
    /// Candidates scored exactly.
    pub scored: usize,
    /// Bytes of summaries, postings and columns read. Rows of scored candidates are not counted.
    pub bytes: usize,
}

/// Where a segment stands.
pub(super) struct Place<'a> {
    number: usize,
    group: &'a Group,
    pub(super) segment: &'a Segment,
    first_run: usize,
}

/// How many segments are visited by their bounds before the others follow in order.
const FIRST: usize = 4;

/// How many blocks are fetched from memory together.
const AHEAD: usize = 8;

/// Whether a candidate with this bound may get among the best.
fn may_enter(bound: f32, top: &Top<'_>) -> bool {
    f64::from(bound) + MARGIN >= top.threshold()
}

/// An opened block with candidates that wait to be scored, by the highest of their bounds.
struct Waiting {
    bound: f32,
    lane: usize,
    /// Row of the block's first candidate.
    base: usize,
    /// Where the block's bounds are kept.
    slot: usize,
}

/// The bounds of the candidates of opened blocks that wait to be scored.
#[derive(Default)]
struct Opened {
    bounds: Vec<[f32; LANES]>,
    waiting: BinaryHeap<Waiting>,
}

impl Opened {
    fn clear(&mut self) {
        self.bounds.clear();
        self.waiting.clear();
    }

    /// Keeps the bounds of a block's candidates, whose first stands in row `base`.
    fn open(&mut self, bounds: [f32; LANES], base: usize) {
        self.bounds.push(bounds);
        self.wait(base, self.bounds.len() - 1);
    }

    /// Lines up the best candidate that is left of a block.
    fn wait(&mut self, base: usize, slot: usize) {
        let bounds = &self.bounds[slot];
        let bound = bounds.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if let Some(lane) = bounds.iter().position(|b| *b == bound).filter(|_| bound > f32::NEG_INFINITY) {
            self.waiting.push(Waiting { bound, lane, base, slot });
        }
    }

    /// Scores those that wait, best bound first, down to a bound or to where none can get in any more.
    fn score_down_to<'a>(&mut self, bound: f32, top: &mut Top<'a>, scored: &impl Fn(usize) -> Scored<'a>) {
        while let Some(next) = self.waiting.peek()
            && next.bound >= bound
            && may_enter(next.bound, top)
            && let Some(Waiting { lane, base, slot, .. }) = self.waiting.pop()
        {
            top.push(scored(base + lane));
            self.bounds[slot][lane] = f32::NEG_INFINITY;
            self.wait(base, slot);
        }
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bound.total_cmp(&other.bound).then_with(|| (other.base, other.lane).cmp(&(self.base, self.lane)))
    }
}

impl Engine {
    /// The best `k` of those allowed, best first; the same as scoring all of them.
    pub(super) fn search<'a>(
        &'a self,
        scorers: &[Weighted],
        profile: &Profile,
        k: usize,
        allowed: Option<&Allowed>,
    ) -> (Vec<Scored<'a>>, Work) {
        let mut top = Top::new(k);
        let mut work = Work::default();
        if k == 0 {
            return (Vec::new(), work);
        }
        let count = Cell::new(0);
        let scored = |row| {
            count.set(count.get() + 1);
            self.scored(scorers, profile, row)
        };
        let weights = || scorers.iter().map(|scorer| scorer.weight).filter(|weight| *weight > 0.0);
        let largest = weights().fold(0.0, f64::max);
        let beyond_bounds = weights().any(|weight| weight / largest < LEAST_WEIGHT);
        if beyond_bounds || self.is_most(k) {
            let mut best: Vec<Scored<'_>> = self.rows_left(allowed).map(scored).collect();
            best.sort_unstable();
            best.truncate(k);
            work.scored = count.get();
            return (best, work);
        }
        match allowed {
            Some(allowed) => allowed.tail.iter().for_each(|row| top.push(scored(*row))),
            None => (self.sealed()..self.rows.len())
                .filter(|row| self.rows[*row].is_some())
                .for_each(|row| top.push(scored(row))),
        }
        let query = Query::new(scorers, profile, &self.words, &self.currencies);
        if let Some(deciding) = query.deciding() {
            self.search_by_bits(deciding, allowed, &mut top, &scored);
            work.blocks = self.groups.iter().flat_map(|group| &group.segments).map(|s| s.blocks.len()).sum();
            (work.opened, work.scored) = (work.blocks, count.get());
            work.bytes = work.blocks * LANES * (size_of::<u64>() + size_of::<u32>());
            return (top.into_sorted(), work);
        }
        let segments: Vec<Place<'_>> = self.places().collect();
        let words: Vec<GroupWords> = self.groups.iter().map(|group| query.words_in(group)).collect();
        let block_bounds =
            |place: &Place<'_>| query.block_bounds(place.segment, place.first_run / RUNS, &words[place.number]);
        let bounds: Vec<[f32; BLOCKS]> = segments.iter().map(block_bounds).collect();
        work.blocks = segments.iter().map(|place| place.segment.blocks.len()).sum();
        work.bytes = segments.len() * query.summary_bytes() + words.iter().map(|words| words.bytes).sum::<usize>();
        // The most promising segments first, to know early what it takes to get in; the others as they stand in
        // memory.
        let best_of = |at: usize| bounds[at][..segments[at].segment.blocks.len()].iter().copied().fold(0.0, f32::max);
        let mut order: Vec<(f32, usize)> = (0..segments.len()).map(|at| (best_of(at), at)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        order[FIRST.min(segments.len())..].sort_by_key(|(_, at)| *at);
        let mut sums = Sums::new();
        let mut opened = Opened::default();
        let mut blocks: Vec<(f32, usize)> = Vec::with_capacity(BLOCKS);
        for (best_bound, at) in order {
            if !may_enter(best_bound, &top) {
                continue;
            }
            let Place { number, group, segment, first_run } = &segments[at];
            let lanes_of = |block: usize| {
                let alive = segment.summary.alive[block];
                allowed.map_or(alive, |allowed| allowed.lanes[at * BLOCKS + block])
            };
            let open = |bound: f32, block: usize, top: &Top<'_>| may_enter(bound, top) && lanes_of(block) != 0;
            let mut bounds = bounds[at];
            let mut runs = 0_u64;
            for run in 0..segment.blocks.len().div_ceil(RUN) {
                let of_run = run * RUN..((run + 1) * RUN).min(segment.blocks.len());
                if of_run.clone().any(|block| open(bounds[block], block, &top)) {
                    runs |= 1 << run;
                } else {
                    bounds[of_run].fill(f32::NEG_INFINITY);
                }
            }
            work.bytes += sums.add_up(&words[*number], group, *first_run, runs);
            query.refine(segment, first_run / RUNS, &words[*number], &sums, &mut bounds);
            blocks.clear();
            blocks.extend((0..segment.blocks.len()).map(|block| (bounds[block], block)));
            blocks.retain(|(bound, block)| open(*bound, *block, &top));
            blocks.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            for (at, (bound, block)) in blocks.iter().enumerate() {
                if at % AHEAD == 0 {
                    let ahead = &blocks[at..blocks.len().min(at + AHEAD)];
                    ahead.iter().for_each(|(_, block)| query.touch(&segment.blocks[*block]));
                }
                // Score first whoever may be better than anyone in this block.
                opened.score_down_to(*bound, &mut top, &scored);
                if !may_enter(*bound, &top) {
                    break;
                }
                work.opened += 1;
                work.bytes += query.block_bytes();
                let mut lanes = query.lane_bounds(segment, *block, &sums);
                ones(!lanes_of(*block)).for_each(|lane| lanes[lane] = f32::NEG_INFINITY);
                opened.open(lanes, segment.base + block * LANES);
            }
            opened.score_down_to(f32::NEG_INFINITY, &mut top, &scored);
            opened.clear();
        }
        work.scored = count.get();
        (top.into_sorted(), work)
    }

    /// The search where a few bits decide the whole score, as when a stream is all that is known of a person. Very many
    /// candidates then have the best score, so each combination of bits is scored once, and who comes first among
    /// equals is read from the order of ids.
    fn search_by_bits<'a>(
        &'a self,
        deciding: u64,
        allowed: Option<&Allowed>,
        top: &mut Top<'a>,
        scored: &impl Fn(usize) -> Scored<'a>,
    ) {
        let mut known: HashMap<u64, Scored<'a>> = HashMap::new();
        for (at, Place { segment, .. }) in self.places().enumerate() {
            for (b, block) in segment.blocks.iter().enumerate() {
                let lanes = allowed.map_or(segment.summary.alive[b], |allowed| allowed.lanes[at * BLOCKS + b]);
                for lane in ones(lanes) {
                    let row = segment.base + b * LANES + lane;
                    let same = known.entry(block.bits[lane] & deciding).or_insert_with(|| scored(row));
                    let worst = top.worst();
                    let behind = worst.is_some_and(|worst| match same.score.cmp(&worst.score) {
                        Ordering::Less => true,
                        Ordering::Equal => {
                            let (own, its) = (block.rank[lane], worst.rank);
                            own != UNRANKED && its != UNRANKED && own > its
                        }
                        Ordering::Greater => false,
                    });
                    if !behind {
                        top.push(Scored { id: &self.row(row).id, row, rank: block.rank[lane], ..same.clone() });
                    }
                }
            }
        }
    }

    /// Every segment, with its group and the number of its first run there.
    pub(super) fn places(&self) -> impl Iterator<Item = Place<'_>> {
        self.groups.iter().enumerate().flat_map(|(number, group)| {
            let segments = group.segments.iter().enumerate();
            segments.map(move |(at, segment)| Place { number, group, segment, first_run: at * RUNS })
        })
    }

    /// Whether so many are most of the candidates: then nothing is gained by looking for whom to leave out.
    pub(super) fn is_most(&self, k: usize) -> bool {
        k.saturating_mul(4) >= self.len()
    }

    /// The rows of the candidates that are allowed, or of all.
    pub(super) fn rows_left<'a>(&'a self, allowed: Option<&'a Allowed>) -> Box<dyn Iterator<Item = usize> + 'a> {
        let Some(allowed) = allowed else {
            return Box::new((0..self.rows.len()).filter(|row| self.rows[*row].is_some()));
        };
        let blocks = self.places().zip(allowed.lanes.chunks_exact(BLOCKS)).flat_map(|(place, lanes)| {
            lanes.iter().enumerate().map(move |(block, lanes)| (place.segment.base + block * LANES, *lanes))
        });
        let with_columns = blocks.flat_map(|(first, lanes)| ones(lanes).map(move |lane| first + lane));
        Box::new(with_columns.chain(allowed.tail.iter().copied()))
    }
}
