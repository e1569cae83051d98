//! The best k, ties by id.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use career_core::{CandidateId, Unit};

/// A candidate that was scored.
#[derive(Debug, Clone)]
pub(crate) struct Scored<'a> {
    pub(crate) score: Unit,
    pub(crate) confidence: Unit,
    pub(crate) id: &'a CandidateId,
    pub(crate) row: usize,
    /// Its place in the order of ids, or `UNRANKED` where that was not looked up.
    pub(crate) rank: u32,
}

impl Scored<'_> {
    /// Best first: the higher score, then the smaller id.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        other.score.cmp(&self.score).then_with(|| self.id.cmp(other.id))
    }
}

impl PartialEq for Scored<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.order(other).is_eq()
    }
}

impl Eq for Scored<'_> {}

impl PartialOrd for Scored<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scored<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order(other)
    }
}

/// Keeps the best `k` of what it is given.
#[derive(Debug)]
pub(crate) struct Top<'a> {
    k: usize,
    // The worst on top.
    heap: BinaryHeap<Scored<'a>>,
}

impl<'a> Top<'a> {
    pub(crate) fn new(k: usize) -> Self {
        Top { k, heap: BinaryHeap::with_capacity(k.min(1024)) }
    }

    pub(crate) fn push(&mut self, scored: Scored<'a>) {
        if self.heap.len() < self.k {
            self.heap.push(scored);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && scored < *worst
        {
            *worst = scored;
        }
    }

    /// The last of the best, once there are as many as are wanted.
    pub(crate) fn worst(&self) -> Option<&Scored<'a>> {
        self.heap.peek().filter(|_| self.heap.len() >= self.k)
    }

    /// The score that the next one must reach; below 0 while there is room.
    pub(crate) fn threshold(&self) -> f64 {
        self.worst().map_or(-1.0, |worst| worst.score.get())
    }

    /// Best first.
    pub(crate) fn into_sorted(self) -> Vec<Scored<'a>> {
        self.heap.into_sorted_vec()
    }
}
