//! The arithmetic of an exact search: directions, dot products, the best k.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Numbers that are multiplied side by side: with 16 sums that do not wait for each other a core reads memory
/// faster than it arrives, on SSE2 (4 registers), AVX2 (2) and AVX-512 (1) alike.
const LANES: usize = 16;

/// Makes the vector one of length 1. The length is summed in double precision, where the square of no finite `f32`
/// overflows or vanishes.
pub(super) fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    for x in vector {
        #[expect(clippy::cast_possible_truncation, reason = "a part of a vector of length 1 fits")]
        let part = (f64::from(*x) / length) as f32;
        *x = part;
    }
}

/// The cosine of two vectors of length 1 and equal dimension, in `-1..=1`, never `-0.0`.
#[inline]
pub(super) fn similarity(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    // `+ 0.0` turns -0.0 into 0.0, so that equal similarities are equal in a total order too.
    (sums.iter().sum::<f32>() + rest).clamp(-1.0, 1.0) + 0.0
}

/// One that may be among the best. Greater is worse, so that a max-heap has the worst on top.
#[derive(Debug)]
struct Candidate<'a> {
    similarity: f32,
    id: &'a str,
    row: usize,
}

impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.similarity.total_cmp(&self.similarity).then_with(|| self.id.cmp(other.id))
    }
}

impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate<'_> {}

/// The best `top` of those offered.
#[derive(Debug)]
pub(super) struct Best<'a> {
    top: usize,
    heap: BinaryHeap<Candidate<'a>>,
    /// Nothing below it is kept: the worst similarity of a full heap.
    floor: f32,
}

impl<'a> Best<'a> {
    pub(super) fn new(top: usize) -> Self {
        Best { top, heap: BinaryHeap::new(), floor: if top == 0 { f32::INFINITY } else { f32::NEG_INFINITY } }
    }

    #[inline]
    pub(super) fn offer(&mut self, similarity: f32, row: usize, id: impl FnOnce() -> &'a str) {
        if similarity >= self.floor {
            self.insert(Candidate { similarity, id: id(), row });
        }
    }

    fn insert(&mut self, candidate: Candidate<'a>) {
        if self.heap.len() < self.top {
            self.heap.push(candidate);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
        if self.heap.len() == self.top
            && let Some(worst) = self.heap.peek()
        {
            self.floor = worst.similarity;
        }
    }

    /// Rows and their similarities, best first.
    pub(super) fn into_rows(self) -> impl Iterator<Item = (usize, f32)> {
        self.heap.into_sorted_vec().into_iter().map(|candidate| (candidate.row, candidate.similarity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_counts_once() {
        for dimensions in [1_u8, 15, 16, 17, 33, 64] {
            let numbers: Vec<f32> = (1..=dimensions).map(f32::from).collect();
            let ones = vec![1.0; numbers.len()];
            let (mut a, mut b) = (numbers, ones);
            normalise(&mut a);
            normalise(&mut b);
            let n = f32::from(dimensions);
            // The sum of 1..=n over the lengths of both vectors.
            let expected = (n * (n + 1.0) / 2.0) / ((n * (n + 1.0) * (2.0 * n + 1.0) / 6.0).sqrt() * n.sqrt());
            assert!((similarity(&a, &b) - expected).abs() < 1e-6, "{dimensions}: {} {expected}", similarity(&a, &b));
        }
    }

    #[test]
    fn the_best_are_kept_ties_by_id() {
        let ids = ["e", "d", "c", "b", "a"];
        let of = |top: usize| {
            let mut best = Best::new(top);
            for (row, similarity) in [0.5, 0.7, 0.5, 0.1, 0.5].into_iter().enumerate() {
                best.offer(similarity, row, || ids[row]);
            }
            best.into_rows().map(|(row, _)| ids[row]).collect::<String>()
        };
        assert_eq!(["", "d", "da", "dac", "dace", "daceb", "daceb"].map(String::from), [0, 1, 2, 3, 4, 5, 6].map(of));
    }
}
