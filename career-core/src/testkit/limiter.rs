//! What every [`RateLimiter`] holds. Call [`all`], or the functions one by one, each with a limiter of the rate
//! that it names.
//!
//! Time passes through `sleep`, a closure such as `async |time| tokio::time::sleep(time).await`. No function
//! measures time by a clock of its own.

use std::time::Duration;

use super::store::concurrency::join_all;
use crate::{ErrorKind, Rate, RateDecision, RateLimiter};

/// The size of the burst of [`slow`].
const BURST: u32 = 5;
const HOUR: Duration = Duration::from_secs(3600);
/// What a loaded machine may lose between two checks.
const SLACK: Duration = Duration::from_secs(300);

/// Five at once, and one comes back in an hour: nothing comes back while a test runs.
pub fn slow() -> Rate {
    Rate::per_hour(1).and_then(|rate| rate.burst(BURST)).expect("in range")
}

/// Two at once, and one comes back in 50 ms.
pub fn quick() -> Rate {
    Rate::per_second(20).and_then(|rate| rate.burst(2)).expect("in range")
}

async fn check(limiter: &dyn RateLimiter, key: &str, cost: u32) -> RateDecision {
    let decision = limiter.check(key, cost).await.expect("the limiter answers");
    assert_eq!(decision.allowed, decision.retry_after.is_none(), "a denial, and only that, says when to come back");
    assert!(decision.remaining <= decision.limit);
    decision
}

/// Runs the whole suite. `make` gives a limiter of this rate, whose keys are all fresh.
///
/// # Panics
///
/// When a promise of the port is broken.
pub async fn all<L: RateLimiter>(make: impl AsyncFn(Rate) -> L, sleep: impl AsyncFn(Duration)) {
    let limiter = make(slow()).await;
    the_burst_is_spent_exactly(&limiter).await;
    what_is_denied_takes_nothing(&limiter).await;
    keys_are_independent(&limiter).await;
    a_cost_of_zero_asks(&limiter).await;
    what_can_never_pass_is_refused(&limiter).await;
    of_many_at_once_the_burst_passes(&limiter).await;
    it_comes_back(&make(quick()).await, &sleep).await;
}

/// The burst passes, counting down, and then nothing. For a limiter of [`slow`].
///
/// # Panics
///
/// When more or less passes, or a number is another.
pub async fn the_burst_is_spent_exactly(limiter: &dyn RateLimiter) {
    for taken in 1..=BURST {
        let decision = check(limiter, "suite:spent", 1).await;
        assert!(decision.allowed, "{taken} of {BURST}");
        assert_eq!((decision.limit, decision.remaining), (BURST, BURST - taken));
        near(decision.reset_after, HOUR * taken);
    }
    for _ in 0..3 {
        let decision = check(limiter, "suite:spent", 1).await;
        assert!(!decision.allowed, "the burst is spent");
        assert_eq!((decision.limit, decision.remaining), (BURST, 0));
        near(decision.reset_after, HOUR * BURST);
        near(decision.retry_after.expect("denied"), HOUR);
    }
}

/// A denial leaves what is there, so that less can pass. For a limiter of [`slow`].
///
/// # Panics
///
/// When it takes.
pub async fn what_is_denied_takes_nothing(limiter: &dyn RateLimiter) {
    assert_eq!(check(limiter, "suite:denied", 3).await.remaining, 2);
    for _ in 0..3 {
        let denied = check(limiter, "suite:denied", 4).await;
        assert_eq!((denied.allowed, denied.remaining), (false, 2));
        near(denied.retry_after.expect("denied"), HOUR * 2);
        near(denied.reset_after, HOUR * 3);
    }
    let rest = check(limiter, "suite:denied", 2).await;
    assert_eq!((rest.allowed, rest.remaining), (true, 0));
}

/// What one key takes, another has. For a limiter of [`slow`].
///
/// # Panics
///
/// When it has not.
pub async fn keys_are_independent(limiter: &dyn RateLimiter) {
    for key in ["suite:one", "suite:One", "suite:one ", "suite:ओन*", ""] {
        let decision = check(limiter, key, BURST).await;
        assert_eq!((decision.allowed, decision.remaining), (true, 0), "{key:?}");
    }
}

/// A cost of 0 tells the numbers and takes nothing. For a limiter of [`slow`].
///
/// # Panics
///
/// When it takes, or is denied.
pub async fn a_cost_of_zero_asks(limiter: &dyn RateLimiter) {
    for _ in 0..3 {
        let fresh = check(limiter, "suite:asked", 0).await;
        assert_eq!(fresh, RateDecision::allowed(BURST, BURST, Duration::ZERO));
    }
    check(limiter, "suite:asked", 2).await;
    for _ in 0..3 {
        let asked = check(limiter, "suite:asked", 0).await;
        assert_eq!((asked.allowed, asked.remaining), (true, BURST - 2));
        near(asked.reset_after, HOUR * 2);
    }
    check(limiter, "suite:asked", BURST - 2).await;
    let spent = check(limiter, "suite:asked", 0).await;
    assert_eq!((spent.allowed, spent.remaining), (true, 0));
}

/// A cost above the burst is an error, not a denial. For a limiter of [`slow`].
///
/// # Panics
///
/// When it is answered.
pub async fn what_can_never_pass_is_refused(limiter: &dyn RateLimiter) {
    for cost in [BURST + 1, u32::MAX] {
        let error = limiter.check("suite:never", cost).await.expect_err("it can never pass");
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    assert_eq!(check(limiter, "suite:never", BURST).await.remaining, 0, "nothing was taken");
}

/// Of a hundred at once exactly the burst passes. For a limiter of [`slow`].
///
/// # Panics
///
/// When more or less does.
pub async fn of_many_at_once_the_burst_passes(limiter: &dyn RateLimiter) {
    let decisions = join_all((0..100).map(|_| check(limiter, "suite:many", 1))).await;
    let mut left: Vec<u32> = decisions.iter().filter(|d| d.allowed).map(|d| d.remaining).collect();
    left.sort_unstable();
    assert_eq!(left, (0..BURST).collect::<Vec<_>>(), "the burst passes once");
}

/// A denial passes after the time it names, and all comes back. For a limiter of [`quick`].
///
/// # Panics
///
/// When it does not.
pub async fn it_comes_back(limiter: &dyn RateLimiter, sleep: &impl AsyncFn(Duration)) {
    // On a slow machine units come back between the checks: only what is asked all at once is denied for sure, and
    // that not at the first try.
    let mut denied = None;
    for _ in 0..1000 {
        let decision = check(limiter, "suite:back", 2).await;
        if !decision.allowed {
            denied = Some(decision);
            break;
        }
    }
    let denied = denied.expect("of two in 100 ms, the third is denied within a thousand checks");
    let retry_after = denied.retry_after.expect("denied");
    assert!(retry_after > Duration::ZERO && retry_after <= quick().interval() * 2, "{retry_after:?}");
    // A clock ticks in steps: one more millisecond is always enough.
    sleep(retry_after + Duration::from_millis(1)).await;
    let passed = check(limiter, "suite:back", 2).await;
    assert!(passed.allowed, "denied for {retry_after:?}, and again after it");
    sleep(passed.reset_after + Duration::from_millis(1)).await;
    assert_eq!(check(limiter, "suite:back", 0).await, RateDecision::allowed(2, 2, Duration::ZERO));
}

fn near(found: Duration, expected: Duration) {
    assert!(found <= expected && found + SLACK >= expected, "expected about {expected:?}, found {found:?}");
}
