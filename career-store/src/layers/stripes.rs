//! What tells a document in memory from one that was overtaken: a count of changes, striped over all records.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Records share a stripe by chance; a change of one then makes the other be read again, which is harmless.
const STRIPES: usize = 4096;

/// The lower bits of a state count the commits that are under way, the upper ones the changes.
const WRITER: u64 = 1;
const CHANGE: u64 = 1 << 20;

/// For every record, by the hash of its key: how often it changed, and whether it is being changed.
#[derive(Debug)]
pub(super) struct Stripes {
    hasher: RandomState,
    stripes: Box<[Stripe]>,
    began: Instant,
}

#[derive(Debug, Default)]
struct Stripe {
    state: AtomicU64,
    // Until when the shared cache may hold what was overtaken, in milliseconds since the beginning.
    doubted_until: AtomicU64,
}

/// A moment in the life of a stripe at which no commit was under way. What was read after it holds as long as the
/// stripe has the same stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(u64);

/// The place of a record among the stripes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(usize);

impl Stripes {
    pub(super) fn new() -> Self {
        let stripes = (0..STRIPES).map(|_| Stripe::default()).collect();
        Stripes { hasher: RandomState::new(), stripes, began: Instant::now() }
    }

    pub(super) fn place(&self, key: &str) -> Place {
        // The remainder is below the length: the cast loses nothing.
        Place((self.hasher.hash_one(key) % STRIPES as u64) as usize)
    }

    /// The stamp of now; `None` while a commit is under way, and then nothing is to be trusted or kept.
    pub(super) fn stamp(&self, place: Place) -> Option<Stamp> {
        let state = self.stripe(place).state.load(Ordering::SeqCst);
        state.is_multiple_of(CHANGE).then_some(Stamp(state))
    }

    /// Someone else changed a record.
    pub(super) fn changed(&self, place: Place) {
        self.stripe(place).state.fetch_add(CHANGE, Ordering::SeqCst);
    }

    /// Someone else may have changed any record.
    pub(super) fn all_changed(&self) {
        (0..STRIPES).for_each(|at| self.changed(Place(at)));
    }

    /// A commit of these records is under way, until the answer is dropped. Unless it says that it is settled, the
    /// shared cache is doubted for `doubt` from then on.
    pub(super) fn writing<'k>(&self, keys: impl IntoIterator<Item = &'k str>, doubt: Duration) -> Writing<'_> {
        let mut places: Vec<Place> = keys.into_iter().map(|key| self.place(key)).collect();
        places.sort_unstable();
        places.dedup();
        for place in &places {
            self.stripe(*place).state.fetch_add(CHANGE + WRITER, Ordering::SeqCst);
        }
        Writing { stripes: self, places, doubt, settled: false }
    }

    /// Whether what the shared cache holds of this stripe is not older than this node's own commits.
    pub(super) fn trusts_shared(&self, place: Place) -> bool {
        let until = self.stripe(place).doubted_until.load(Ordering::SeqCst);
        until == 0 || self.millis() > until
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn stripe(&self, place: Place) -> &Stripe {
        &self.stripes[place.0]
    }
}

/// A commit that is under way. It ends when this is dropped, however that comes about.
#[derive(Debug)]
pub(super) struct Writing<'a> {
    stripes: &'a Stripes,
    places: Vec<Place>,
    doubt: Duration,
    settled: bool,
}

impl Writing<'_> {
    /// The shared cache has forgotten the records.
    pub(super) fn settled(mut self) {
        self.settled = true;
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let doubt = u64::try_from(self.doubt.as_millis()).unwrap_or(u64::MAX);
        let until = self.stripes.millis().saturating_add(doubt).saturating_add(1);
        for place in &self.places {
            let stripe = self.stripes.stripe(*place);
            if !self.settled {
                stripe.doubted_until.fetch_max(until, Ordering::SeqCst);
            }
            stripe.state.fetch_add(CHANGE - WRITER, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_holds_until_a_change_and_there_is_none_during_one() {
        let stripes = Stripes::new();
        let place = stripes.place("users:a");
        let stamp = || stripes.stamp(place);
        let first = stamp().expect("nothing is under way");
        assert_eq!(stamp(), Some(first));
        let one = stripes.writing(["users:a", "users:a"], Duration::ZERO);
        assert_eq!(stamp(), None);
        let other = stripes.writing(["users:a"], Duration::ZERO);
        one.settled();
        assert_eq!(stamp(), None, "the other commit is under way");
        other.settled();
        let second = stamp().expect("both are done");
        assert_ne!(second, first);
        stripes.changed(place);
        let third = stamp().expect("a change elsewhere is done when it is heard of");
        assert!(third != first && third != second);
        stripes.all_changed();
        assert!(![first, second, third].contains(&stamp().expect("done")));
    }

    #[test]
    fn the_shared_cache_is_doubted_for_a_while_after_a_commit_that_did_not_settle() {
        let stripes = Stripes::new();
        let place = stripes.place("users:a");
        stripes.writing(["users:a"], Duration::from_secs(60)).settled();
        assert!(stripes.trusts_shared(place));
        drop(stripes.writing(["users:a"], Duration::from_millis(5)));
        assert!(!stripes.trusts_shared(place) && stripes.stamp(place).is_some());
        std::thread::sleep(Duration::from_millis(20));
        assert!(stripes.trusts_shared(place));
        drop(stripes.writing(["users:a"], Duration::MAX));
        assert!(!stripes.trusts_shared(place));
    }
}
