//! How long to wait before the same is asked again.

use std::time::Duration;

/// Exponential backoff with full jitter: a random time from zero to a ceiling that doubles with each failure, up to a
/// cap.
///
/// Full jitter spreads callers that failed together over the whole time, so that they do not come back together.
///
/// ```
/// use std::time::Duration;
///
/// use career_llm::layer::Backoff;
///
/// let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(8));
/// assert_eq!(backoff.ceiling(1), Duration::from_millis(500));
/// assert_eq!(backoff.ceiling(3), Duration::from_secs(2));
/// assert_eq!(backoff.ceiling(9), Duration::from_secs(8));
/// assert!(backoff.wait(3) <= backoff.ceiling(3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    /// The ceiling is `base` after the first failure, and never above `cap`.
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Backoff { base, cap }
    }

    /// The longest wait after so many failures in a row.
    pub fn ceiling(&self, failures: u32) -> Duration {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.base.saturating_mul(doubled).min(self.cap)
    }

    /// A random wait after so many failures in a row, from zero to the ceiling.
    pub fn wait(&self, failures: u32) -> Duration {
        self.ceiling(failures).mul_f64(fastrand::f64())
    }
}

impl Default for Backoff {
    /// From half a second, up to 8 seconds.
    fn default() -> Self {
        Backoff::new(Duration::from_millis(500), Duration::from_secs(8))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_wait_is_within_its_ceiling_and_the_ceiling_only_grows_to_the_cap(
            base in 0_u64..10_000, cap in 0_u64..100_000, failures in 0_u32..100,
        ) {
            let backoff = Backoff::new(Duration::from_millis(base), Duration::from_millis(cap));
            prop_assert!(backoff.wait(failures) <= backoff.ceiling(failures));
            prop_assert!(backoff.ceiling(failures) <= backoff.ceiling(failures + 1));
            prop_assert!(backoff.ceiling(failures) <= Duration::from_millis(cap));
        }
    }
}
