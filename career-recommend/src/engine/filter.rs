//! Who keeps all hard constraints: over columns, and by the plain definition.

use career_core::{Excluded, Exclusion, Profile, RankOptions};

use super::Engine;
use super::constrain::{Filter, Verdict, violation};
use super::search::Place;
use super::segment::{BLOCKS, LANES, UNRANKED, ones};

/// For each block of each segment, the lanes that keep all constraints; and the rows without columns that do.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) lanes: Vec<u64>,
    pub(super) tail: Vec<usize>,
}

impl Engine {
    /// Counts and lists what constraints leave out, and gives who is left; `None` for everyone.
    pub(super) fn filter(&self, profile: &Profile, options: &RankOptions) -> (Excluded, Option<Allowed>) {
        let constraints = &options.constraints;
        if constraints.is_empty() {
            return (Excluded::default(), None);
        }
        let filter = Filter::new(constraints, profile, &self.currencies, |id| self.index.get(id).copied());
        let mut excluded = Excluded::default();
        let mut out: Vec<(u32, usize)> = Vec::new();
        let segments = self.places().count();
        let mut allowed = Allowed { lanes: vec![0; segments * BLOCKS], tail: Vec::new() };
        for (at, Place { segment, .. }) in self.places().enumerate() {
            for (b, block) in segment.blocks.iter().enumerate() {
                for lane in ones(segment.summary.alive[b]) {
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
        for row in self.sealed()..self.rows.len() {
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
}
