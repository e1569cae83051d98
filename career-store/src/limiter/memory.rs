//! A limiter in the memory of the process.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use career_core::{Rate, RateDecision, RateLimiter, Result};
use governor::clock::{Clock, DefaultClock, Reference};
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::{DashMapStateStore, ShrinkableKeyedStateStore};

/// After how many checks, at least, the keys that are full again are forgotten.
const SWEEP: usize = 4096;

/// Limits within this process, by the monotonic clock.
///
/// A key takes some tens of bytes while it is not full; the others are forgotten now and then.
///
/// ```
/// use career_core::{Rate, RateLimiter};
/// use career_store::limiter::MemoryLimiter;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_core::Result<()> {
/// let limiter = MemoryLimiter::new(Rate::per_minute(60)?.burst(2)?);
/// assert_eq!(limiter.check("user:7", 1).await?.remaining, 1);
/// assert_eq!(limiter.check("user:7", 1).await?.remaining, 0);
///
/// let denied = limiter.check("user:7", 1).await?;
/// assert!(!denied.allowed && denied.retry_after.is_some());
/// # Ok(())
/// # }
/// ```
pub struct MemoryLimiter {
    rate: Rate,
    clock: DefaultClock,
    start: <DefaultClock as Clock>::Instant,
    // When the backlog of each key ends, since the start. The state and the clock are governor's; its own limiter is
    // not used, because it neither asks without taking nor says how long until the burst is whole again.
    ends: DashMapStateStore<String>,
    until_sweep: AtomicUsize,
}

impl MemoryLimiter {
    /// A limiter of this rate for every key.
    pub fn new(rate: Rate) -> Self {
        let clock = DefaultClock::default();
        let start = clock.now();
        MemoryLimiter { rate, clock, start, ends: DashMapStateStore::default(), until_sweep: AtomicUsize::new(SWEEP) }
    }

    fn now(&self) -> Nanos {
        self.clock.now().duration_since(self.start)
    }

    /// Forgets the keys that are full again, once in so many checks that it costs each of them little.
    fn sweep(&self, now: Nanos) {
        if self.until_sweep.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.ends.retain_recent(now);
            self.until_sweep.store(SWEEP.max(self.ends.len()), Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for MemoryLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the keys: they may be the addresses of people.
        f.debug_struct("MemoryLimiter").field("rate", &self.rate).finish_non_exhaustive()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl RateLimiter for MemoryLimiter {
    async fn check(&self, key: &str, cost: u32) -> Result<RateDecision> {
        // Before the key is made: what can never pass leaves none behind.
        self.rate.step(Duration::ZERO, cost)?;
        let now = self.now();
        self.sweep(now);
        let decided = self.ends.measure_and_replace(&key.to_owned(), |ends| {
            let backlog = ends.map_or(0, Nanos::as_u64).saturating_sub(now.as_u64());
            let decision = self.rate.step(Duration::from_nanos(backlog), cost);
            match decision {
                Ok(decision) if decision.allowed && cost > 0 => Ok((decision, now + decision.reset_after)),
                // What the store of governor calls an error leaves the state as it is.
                unchanged => Err(unchanged),
            }
        });
        decided.map_or_else(|unchanged| unchanged, Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_that_are_full_again_are_forgotten() {
        let limiter = MemoryLimiter::new(Rate::per_second(10_000).expect("in range"));
        let slow = MemoryLimiter::new(Rate::per_hour(1).expect("in range"));
        for n in 0..3 * SWEEP {
            assert!(limiter.check(&n.to_string(), 1).await.expect("answered").allowed);
            assert!(slow.check(&n.to_string(), 1).await.expect("answered").allowed);
            // Long enough for the first key of the fast one to be full before the sweep.
            if n == SWEEP - 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        assert!(limiter.ends.len() < 3 * SWEEP, "{} keys are kept", limiter.ends.len());
        assert_eq!(slow.ends.len(), 3 * SWEEP, "none of these is full again");
    }

    #[tokio::test]
    async fn what_can_never_pass_leaves_no_key() {
        let limiter = MemoryLimiter::new(Rate::per_hour(1).expect("in range"));
        limiter.check("k", 2).await.expect_err("above the burst");
        assert_eq!(limiter.ends.len(), 0);
    }
}
