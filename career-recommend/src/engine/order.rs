//! The order of candidates within an engine: those with like interests side by side, so that whole blocks can be
//! passed over.

use super::segment::{LANES, RUN};
use crate::Candidate;

/// The direction of a candidate's interests. Splitting by streams too was tried: it widens the caps of the
/// interests, which carry more weight, and made the search open four times as many blocks.
pub(crate) type Point = [f32; 6];

/// The point of a candidate; `None` without interests.
pub(crate) fn point(candidate: &Candidate) -> Option<Point> {
    Some(candidate.riasec?.direction()?.map(|x| x as f32))
}

/// An order in which candidates of one block are near one another: a k-d tree, split at the median of the widest
/// dimension until a block is reached. Splits fall on
/// whole runs of blocks while there are several, then on whole blocks. Items without a point come last.
pub(crate) fn cluster(points: &[Option<Point>]) -> Vec<u32> {
    let mut items: Vec<u32> = (0..points.len() as u32).collect();
    items.sort_by_key(|item| points[*item as usize].is_none());
    let with = items.partition_point(|item| points[*item as usize].is_some());
    split(&mut items[..with], points);
    items
}

fn split(items: &mut [u32], points: &[Option<Point>]) {
    if items.len() <= LANES {
        return;
    }
    let at = |item: u32, axis: usize| points[item as usize].map_or(0.0, |point| point[axis]);
    let axis = (0..Point::default().len())
        .max_by(|a, b| spread(items, *a, at).total_cmp(&spread(items, *b, at)))
        .unwrap_or_default();
    let unit = if items.len() > RUN * LANES { RUN * LANES } else { LANES };
    let middle = (items.len() / 2).next_multiple_of(unit).min(items.len() - 1);
    items.select_nth_unstable_by(middle, |a, b| at(*a, axis).total_cmp(&at(*b, axis)).then(a.cmp(b)));
    let (left, right) = items.split_at_mut(middle);
    rayon::join(|| split(left, points), || split(right, points));
}

/// The variance along an axis, of a sample that depends on nothing but the items.
fn spread(items: &[u32], axis: usize, at: impl Fn(u32, usize) -> f32) -> f32 {
    let step = items.len().div_ceil(256);
    let sample = || items.iter().step_by(step).map(|item| at(*item, axis));
    let count = sample().count() as f32;
    let mean = sample().sum::<f32>() / count;
    sample().map(|x| (x - mean) * (x - mean)).sum::<f32>() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_once_and_the_pointless_last() {
        let mut points: Vec<Option<Point>> =
            (0..1000).map(|n| Some(std::array::from_fn(|axis| (n * 37 % (101 + axis)) as f32))).collect();
        points[5] = None;
        points[500] = None;
        let mut order = cluster(&points);
        assert_eq!(order[998..].iter().copied().collect::<std::collections::BTreeSet<_>>(), [5, 500].into());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<u32>>());
    }
}
