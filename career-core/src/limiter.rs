//! The port that limits how often something may happen, and the arithmetic of the limit.

use std::fmt::Debug;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Error, Result};

/// The shortest interval: with whole microseconds, rounding costs less than 1 %.
const LEAST: Duration = Duration::from_micros(100);
/// The longest that a spent burst may take to come back: 365 days.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How many units may pass: a steady rate, and how many at once.
///
/// A unit comes back every [`interval`](Rate::interval), up to the [`limit`](Rate::limit). The interval is a whole
/// number of microseconds, rounded up: the rate is never above what was asked for, and less than 1 % below.
///
/// ```
/// use std::time::Duration;
///
/// use career_core::Rate;
///
/// let rate = Rate::per_minute(60)?.burst(10)?;
/// assert_eq!((rate.limit(), rate.interval()), (10, Duration::from_secs(1)));
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    interval: Duration,
    burst: NonZeroU32,
}

impl Rate {
    /// So many a second, and as many at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when it is 0, or more than 10,000 a second.
    pub fn per_second(count: u32) -> Result<Self> {
        Rate::new(count, Duration::from_secs(1))
    }

    /// So many a minute, and as many at once.
    ///
    /// # Errors
    ///
    /// As for [`per_second`](Rate::per_second).
    pub fn per_minute(count: u32) -> Result<Self> {
        Rate::new(count, Duration::from_secs(60))
    }

    /// So many an hour, and as many at once.
    ///
    /// # Errors
    ///
    /// As for [`per_second`](Rate::per_second).
    pub fn per_hour(count: u32) -> Result<Self> {
        Rate::new(count, Duration::from_secs(60 * 60))
    }

    fn new(count: u32, period: Duration) -> Result<Self> {
        let burst = NonZeroU32::new(count).ok_or_else(|| Error::invalid("expected a rate above 0"))?;
        if period < LEAST * count {
            return Err(Error::invalid("expected a rate of at most 10,000 a second"));
        }
        let micros = period.as_micros().div_ceil(u128::from(count));
        // At most an hour: it fits.
        let interval = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        Ok(Rate { interval, burst })
    }

    /// The same rate with so many at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when it is 0, or takes more than 365 days to come back.
    pub fn burst(self, count: u32) -> Result<Self> {
        let burst = NonZeroU32::new(count).ok_or_else(|| Error::invalid("expected a burst above 0"))?;
        if self.interval.checked_mul(count).is_none_or(|full| full > LONGEST) {
            return Err(Error::invalid("expected a burst that comes back within 365 days"));
        }
        Ok(Rate { burst, ..self })
    }

    /// How many units may pass at once: the size of the burst, at least 1.
    pub fn limit(&self) -> u32 {
        self.burst.get()
    }

    /// The time in which one unit comes back: whole microseconds, at least 100 of them and at most an hour.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// One step of the generic cell rate algorithm: what is answered to someone who wants `cost` units, when it
    /// would take `backlog` until the whole burst is there again.
    ///
    /// With the interval T, the burst B and the cost n, the n units pass when `backlog + n·T ≤ B·T`. The backlog
    /// then grows by `n·T`, and otherwise stays; it is [`RateDecision::reset_after`] of the answer, and what is
    /// left is `⌊(B·T − backlog) / T⌋`. This is the virtual scheduling algorithm of ITU-T I.371 (annex A), with
    /// `backlog = TAT − now` for the theoretical arrival time TAT, and the tolerance `τ = (B − 1)·T`.
    ///
    /// A backend keeps the moment at which the backlog ends, one number for each key. A backlog above `B·T`, left by
    /// another rate or a clock that was set back, counts as `B·T`, and is to be kept as that.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use career_core::Rate;
    ///
    /// let rate = Rate::per_second(10)?.burst(3)?;
    /// let first = rate.step(Duration::ZERO, 2)?;
    /// assert_eq!((first.allowed, first.remaining, first.reset_after), (true, 1, Duration::from_millis(200)));
    ///
    /// let second = rate.step(first.reset_after, 2)?;
    /// assert_eq!((second.allowed, second.retry_after), (false, Some(Duration::from_millis(100))));
    /// # Ok::<(), career_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a cost above the burst: it could never pass.
    pub fn step(&self, backlog: Duration, cost: u32) -> Result<RateDecision> {
        let limit = self.limit();
        if cost > limit {
            return Err(Error::invalid(format!("expected a cost of at most {limit}, the size of the burst")));
        }
        let full = self.interval * limit;
        let before = backlog.min(full);
        let after = before + self.interval * cost;
        let left =
            |backlog: Duration| u32::try_from((full - backlog).as_nanos() / self.interval.as_nanos()).unwrap_or(limit);
        Ok(if after <= full {
            RateDecision::allowed(limit, left(after), after)
        } else {
            RateDecision::denied(limit, left(before), before, after - full)
        })
    }
}

/// Whether something may happen now, and what a client needs to know to behave.
///
/// These are the numbers of the headers `RateLimit` and `Retry-After` of an HTTP answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateDecision {
    /// Whether the units passed. They were taken then, and only then.
    pub allowed: bool,
    /// How many units may pass at once: the size of the burst.
    pub limit: u32,
    /// How many units could pass now, from 0 to the limit.
    pub remaining: u32,
    /// How long until the whole limit could pass, if nothing more is taken.
    pub reset_after: Duration,
    /// How long until these units could pass, if nothing is taken before; `None` when they passed.
    pub retry_after: Option<Duration>,
}

impl RateDecision {
    /// The units passed.
    pub fn allowed(limit: u32, remaining: u32, reset_after: Duration) -> Self {
        RateDecision { allowed: true, limit, remaining, reset_after, retry_after: None }
    }

    /// The units did not pass, and will after this time.
    pub fn denied(limit: u32, remaining: u32, reset_after: Duration, retry_after: Duration) -> Self {
        RateDecision { allowed: false, limit, remaining, reset_after, retry_after: Some(retry_after) }
    }
}

/// Limits how often something may happen, by key, for everyone who shares the limiter.
///
/// # Contract
///
/// - Every key has its own [`Rate`]'s worth, the same for all, and starts with the whole of it.
/// - A check answers what [`Rate::step`] does, and is atomic: of many at once, no more pass than one after another.
/// - What is denied takes nothing.
/// - A cost of 0 asks without taking, and passes; look at [`RateDecision::remaining`].
/// - A backend may forget a key at any time. It errs then on the side of letting pass.
///
/// `career_core::testkit::limiter` (feature `testkit`) checks an implementation against this contract.
///
/// # Example
///
/// ```
/// use career_core::{RateLimiter, Result};
///
/// /// What an HTTP host answers: the status, and the seconds of `Retry-After`.
/// async fn guard(limiter: &dyn RateLimiter, user: &str) -> Result<(u16, Option<u64>)> {
///     let decision = limiter.check(user, 1).await?;
///     let seconds = decision.retry_after.map(|after| after.as_secs() + 1);
///     Ok((if decision.allowed { 200 } else { 429 }, seconds))
/// }
/// ```
#[async_trait]
pub trait RateLimiter: Debug + Send + Sync + 'static {
    /// Takes `cost` units of this key if they are there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a cost above the limit: it could never pass.
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the backend cannot be reached; the caller
    /// chooses whether to let pass then.
    async fn check(&self, key: &str, cost: u32) -> Result<RateDecision>;
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: RateLimiter + ?Sized> RateLimiter for Arc<T> {
    async fn check(&self, key: &str, cost: u32) -> Result<RateDecision> {
        (**self).check(key, cost).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: RateLimiter + ?Sized> RateLimiter for Box<T> {
    async fn check(&self, key: &str, cost: u32) -> Result<RateDecision> {
        (**self).check(key, cost).await
    }
}

const _: () = {
    const fn is_object_safe_and_shared<T: ?Sized + Send + Sync + 'static>() {}
    is_object_safe_and_shared::<dyn RateLimiter>();
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn rates_are_checked() {
        for bad in [Rate::per_second(0), Rate::per_second(10_001), Rate::per_minute(600_001), Rate::per_hour(u32::MAX)]
        {
            assert_eq!(bad.expect_err("out of range").kind(), ErrorKind::Invalid);
        }
        assert_eq!(Rate::per_second(10_000).expect("fine").interval(), Duration::from_micros(100));
        assert_eq!(Rate::per_second(3).expect("fine").interval(), Duration::from_micros(333_334));
        let hourly = Rate::per_hour(1).expect("fine");
        assert_eq!(hourly.burst(0).expect_err("no burst").kind(), ErrorKind::Invalid);
        assert_eq!(hourly.burst(8_761).expect_err("more than a year").kind(), ErrorKind::Invalid);
        assert_eq!(hourly.burst(8_760).expect("a year").limit(), 8_760);
        assert_eq!(hourly.burst(u32::MAX).expect_err("far more than a year").kind(), ErrorKind::Invalid);
    }

    #[test]
    fn a_backlog_of_another_rate_counts_as_the_whole_burst() {
        let rate = Rate::per_second(10).expect("fine").burst(2).expect("fine");
        let decision = rate.step(Duration::from_secs(3600), 1).expect("in range");
        assert_eq!(decision, RateDecision::denied(2, 0, Duration::from_millis(200), Duration::from_millis(100)));
    }

    proptest! {
        /// In any stretch of time no more passes than the burst and what came back in it, and what is denied with a
        /// time to wait passes after it and not before.
        #[test]
        fn never_more_than_the_burst_and_what_came_back(
            count in 1_u32..1000,
            burst in 1_u32..50,
            calls in prop::collection::vec((0_u64..20_000, 0_u32..60), 1..100),
        ) {
            let rate = Rate::per_second(count).expect("in range").burst(burst).expect("in range");
            let (mut now, mut ends, mut passed) = (Duration::ZERO, Duration::ZERO, 0_u32);
            for (wait, cost) in calls {
                now += Duration::from_micros(wait);
                let backlog = ends.saturating_sub(now);
                let Ok(decision) = rate.step(backlog, cost) else {
                    prop_assert!(cost > burst);
                    continue;
                };
                prop_assert!(decision.remaining <= burst);
                prop_assert!(rate.step(decision.reset_after, decision.remaining).expect("in range").allowed);
                if decision.allowed {
                    passed += cost;
                    ends = now + decision.reset_after;
                } else {
                    let retry = decision.retry_after.expect("denied");
                    prop_assert!(rate.step(backlog - retry, cost).expect("in range").allowed);
                    let early = retry - Duration::from_nanos(1);
                    prop_assert!(!rate.step(backlog - early, cost).expect("in range").allowed);
                }
                let came_back = now.as_nanos() / rate.interval().as_nanos();
                prop_assert!(u128::from(passed) <= u128::from(burst) + came_back);
            }
        }
    }
}
