//! The search for the best k, and the filter of hard constraints, over columns.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use career_core::{Excluded, Exclusion, Profile, RankOptions};

use super::constrain::{Filter, Verdict, violation};
use super::query::{MARGIN, Query, Sums};
use super::segment::{BLOCKS, LANES, UNRANKED, ones};
use super::top::{Scored, Top};
use super::{Engine, Weighted};

/// For each block of each segment, the lanes that keep all constraints; and the rows without columns that do.
#[derive(Debug)]
pub(super) struct Allowed {
    lanes: Vec<u64>,
    tail: Vec<usize>,
}

/// A candidate that waits to be scored, the highest bound first.
struct Waiting {
    bound: f32,
    row: usize,
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
        self.bound.total_cmp(&other.bound).then_with(|| other.row.cmp(&self.row))
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
    ) -> Vec<Scored<'a>> {
        let mut top = Top::new(k);
        if k == 0 {
            return Vec::new();
        }
        let scored = |row| self.scored(scorers, profile, row);
        // Where most are asked for, nothing is gained by looking for whom to leave out.
        if k.saturating_mul(4) >= self.len() {
            let rows: Vec<usize> = match allowed {
                Some(allowed) => self.allowed_rows(allowed).collect(),
                None => self.index.values().copied().collect(),
            };
            let mut best: Vec<Scored<'_>> = rows.into_iter().map(scored).collect();
            best.sort_unstable();
            best.truncate(k);
            return best;
        }
        match allowed {
            Some(allowed) => allowed.tail.iter().for_each(|row| top.push(scored(*row))),
            None => (self.sealed..self.rows.len())
                .filter(|row| self.rows[*row].is_some())
                .for_each(|row| top.push(scored(row))),
        }
        let query = Query::new(scorers, profile, &self.words, &self.currencies);
        let mut sums = Sums::new();
        let bounds: Vec<[f32; BLOCKS]> =
            self.segments.iter().map(|segment| query.block_bounds(segment, &mut sums)).collect();
        let mut order: Vec<(f32, usize)> = bounds
            .iter()
            .zip(&self.segments)
            .enumerate()
            .map(|(at, (bounds, segment))| (bounds[..segment.blocks.len()].iter().copied().fold(0.0, f32::max), at))
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut waiting: BinaryHeap<Waiting> = BinaryHeap::new();
        for (best_bound, at) in order {
            if f64::from(best_bound) + MARGIN < top.threshold() {
                break;
            }
            let segment = &self.segments[at];
            let bounds = if query.adds() {
                query.add_up(segment, &mut sums);
                query.refined_block_bounds(segment, &sums)
            } else {
                bounds[at]
            };
            let lanes_of = |block: usize| {
                let alive = segment.blocks[block].alive;
                allowed.map_or(alive, |allowed| allowed.lanes[at * BLOCKS + block])
            };
            let mut blocks: Vec<(f32, usize)> = (0..segment.blocks.len())
                .filter(|block| lanes_of(*block) != 0 && f64::from(bounds[*block]) + MARGIN >= top.threshold())
                .map(|block| (bounds[block], block))
                .collect();
            blocks.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            for (bound, block) in blocks {
                // Score first whoever may be better than anyone in this block.
                score_down_to(bound, &mut waiting, &mut top, &scored);
                if f64::from(bound) + MARGIN < top.threshold() {
                    break;
                }
                let lanes = query.lane_bounds(&segment.blocks[block], block, &sums);
                for lane in ones(lanes_of(block)) {
                    if f64::from(lanes[lane]) + MARGIN >= top.threshold() {
                        waiting.push(Waiting { bound: lanes[lane], row: segment.base + block * LANES + lane });
                    }
                }
            }
            score_down_to(f32::NEG_INFINITY, &mut waiting, &mut top, &scored);
            waiting.clear();
        }
        top.into_sorted()
    }

    /// Counts and lists what constraints leave out, and gives who is left; `None` for everyone.
    pub(super) fn filter(&self, profile: &Profile, options: &RankOptions) -> (Excluded, Option<Allowed>) {
        let constraints = &options.constraints;
        if constraints.is_empty() {
            return (Excluded::default(), None);
        }
        let filter = Filter::new(constraints, profile, &self.currencies, |id| self.index.get(id).copied());
        let mut excluded = Excluded::default();
        let mut out: Vec<(u32, usize)> = Vec::new();
        let mut allowed = Allowed { lanes: vec![0; self.segments.len() * BLOCKS], tail: Vec::new() };
        for (at, segment) in self.segments.iter().enumerate() {
            for (b, block) in segment.blocks.iter().enumerate() {
                for lane in block.lanes() {
                    let row = segment.base + b * LANES + lane;
                    let broken = match filter.verdict(block, lane, row) {
                        Verdict::Keeps => None,
                        Verdict::Breaks(kind) => Some(kind),
                        Verdict::ReadRow => violation(constraints, profile, self.row(row)).map(|(kind, _)| kind),
                    };
                    match broken {
                        None => allowed.lanes[at * BLOCKS + b] |= 1 << lane,
                        Some(kind) => {
                            *excluded.counts.entry(kind).or_default() += 1;
                            out.push((block.rank[lane], row));
                        }
                    }
                }
            }
        }
        for row in self.sealed..self.rows.len() {
            let Some(candidate) = &self.rows[row] else { continue };
            match violation(constraints, profile, candidate) {
                None => allowed.tail.push(row),
                Some((kind, _)) => {
                    *excluded.counts.entry(kind).or_default() += 1;
                    out.push((UNRANKED, row));
                }
            }
        }
        excluded.listed = self.list(profile, options, out);
        (excluded, Some(allowed))
    }

    /// The same by the plain definition: the rows that are left.
    pub(super) fn filter_by_definition(&self, profile: &Profile, options: &RankOptions) -> (Excluded, Vec<usize>) {
        let mut excluded = Excluded::default();
        let (mut out, mut kept) = (Vec::new(), Vec::new());
        for row in self.index.values().copied() {
            match violation(&options.constraints, profile, self.row(row)) {
                None => kept.push(row),
                Some((kind, _)) => {
                    *excluded.counts.entry(kind).or_default() += 1;
                    out.push((UNRANKED, row));
                }
            }
        }
        excluded.listed = self.list(profile, options, out);
        (excluded, kept)
    }

    /// The first of the excluded in the order of their ids, with the reason of each.
    fn list(&self, profile: &Profile, options: &RankOptions, mut out: Vec<(u32, usize)>) -> Vec<Exclusion> {
        let by_id = |a: &(u32, usize), b: &(u32, usize)| match (a.0, b.0) {
            (UNRANKED, _) | (_, UNRANKED) => self.row(a.1).id.cmp(&self.row(b.1).id),
            (a, b) => a.cmp(&b),
        };
        if out.len() > options.list_excluded {
            out.select_nth_unstable_by(options.list_excluded, by_id);
            out.truncate(options.list_excluded);
        }
        out.sort_unstable_by(by_id);
        let exclusion = |(_, row): (u32, usize)| {
            let candidate = self.row(row);
            let (kind, reason) = violation(&options.constraints, profile, candidate)?;
            Some(Exclusion::new(candidate.id.clone(), candidate.title.clone(), kind, reason))
        };
        out.into_iter().filter_map(exclusion).collect()
    }

    fn allowed_rows<'a>(&'a self, allowed: &'a Allowed) -> impl Iterator<Item = usize> + 'a {
        let with_columns = allowed.lanes.iter().enumerate().flat_map(|(at, lanes)| {
            let first = self.segments[at / BLOCKS].base + at % BLOCKS * LANES;
            ones(*lanes).map(move |lane| first + lane)
        });
        with_columns.chain(allowed.tail.iter().copied())
    }
}

/// Scores those that wait, best bound first, down to a bound or to where none can get in any more.
fn score_down_to<'a>(
    bound: f32,
    waiting: &mut BinaryHeap<Waiting>,
    top: &mut Top<'a>,
    scored: &impl Fn(usize) -> Scored<'a>,
) {
    while let Some(next) = waiting.peek()
        && next.bound >= bound
    {
        if f64::from(next.bound) + MARGIN < top.threshold() {
            waiting.clear();
            return;
        }
        top.push(scored(next.row));
        waiting.pop();
    }
}
