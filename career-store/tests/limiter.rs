//! The limiters against the suite of their port, and what each adds to it.

#![cfg(any(feature = "limiter", feature = "redis"))]

#[cfg(feature = "redis")]
mod servers;

use std::sync::Arc;

use career_core::{Rate, RateLimiter, testkit};

async fn suite<L: RateLimiter>(make: impl AsyncFn(Rate) -> L) {
    testkit::limiter::all(make, async |time| tokio::time::sleep(time).await).await;
}

/// How many of 400 checks pass that eight tasks make on several threads.
async fn passed(limiter: Arc<dyn RateLimiter>) -> usize {
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let limiter = limiter.clone();
            tokio::spawn(async move {
                let mut passed = 0;
                for _ in 0..50 {
                    passed += usize::from(limiter.check("busy", 1).await.expect("answered").allowed);
                }
                passed
            })
        })
        .collect();
    let mut total = 0;
    for task in tasks {
        total += task.await.expect("the task ends");
    }
    total
}

fn hundred() -> Rate {
    Rate::per_hour(1).and_then(|rate| rate.burst(100)).expect("in range")
}

#[cfg(feature = "limiter")]
mod memory {
    use career_store::limiter::MemoryLimiter;

    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        suite(async |rate| MemoryLimiter::new(rate)).await;
    }

    #[tokio::test]
    async fn keeps_the_contract_behind_a_box_and_an_arc() {
        suite(async |rate| Box::new(MemoryLimiter::new(rate)) as Box<dyn RateLimiter>).await;
        suite(async |rate| Arc::new(MemoryLimiter::new(rate)) as Arc<dyn RateLimiter>).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn threads_share_one_burst() {
        assert_eq!(passed(Arc::new(MemoryLimiter::new(hundred()))).await, 100);
    }

    #[tokio::test]
    async fn shows_no_keys() {
        let limiter = MemoryLimiter::new(hundred());
        limiter.check("someone@example.org", 1).await.expect("answered");
        assert!(!format!("{limiter:?}").contains("someone"));
    }
}

#[cfg(feature = "redis")]
mod redis {
    use std::time::Duration;

    use career_core::{Id, User};
    use career_store::{limiter::RedisLimiter, redis::Redis};

    use super::*;

    fn prefix() -> String {
        format!("limiter-test-{}:", Id::<User>::new())
    }

    async fn connect(prefix: &str) -> Option<Redis> {
        Some(Redis::connect(&servers::redis()?, prefix).await.expect("the server answers"))
    }

    #[tokio::test]
    async fn keeps_the_contract() {
        let Some(redis) = connect(&prefix()).await else { return };
        suite(async |rate| RedisLimiter::new(&redis.with_prefix(&prefix()), rate)).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn threads_share_one_burst() {
        let Some(redis) = connect(&prefix()).await else { return };
        assert_eq!(passed(Arc::new(RedisLimiter::new(&redis, hundred()))).await, 100);
    }

    #[tokio::test]
    async fn nodes_share_one_burst() {
        let prefix = prefix();
        let (Some(one), Some(two)) = (connect(&prefix).await, connect(&prefix).await) else { return };
        let nodes = [RedisLimiter::new(&one, hundred()), RedisLimiter::new(&two, hundred())];
        let mut passed = 0;
        for n in 0..150 {
            passed += usize::from(nodes[n % 2].check("k", 1).await.expect("answered").allowed);
        }
        assert_eq!(passed, 100);
    }

    /// Lua prints numbers with 14 digits, and a moment in microseconds has 16.
    #[tokio::test]
    async fn moments_are_kept_to_the_microsecond_and_expire() {
        let prefix = prefix();
        let Some(redis) = connect(&prefix).await else { return };
        let decision = RedisLimiter::new(&redis, hundred()).check("k", 7).await.expect("answered");

        let client = ::redis::Client::open(servers::redis().expect("it was there")).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("the server answers");
        let key = format!("{prefix}limit:k");
        let kept: String = ::redis::cmd("GET").arg(&key).query_async(&mut connection).await.expect("a value");
        assert!(kept.len() == 16 && kept.bytes().all(|digit| digit.is_ascii_digit()), "{kept}");
        let left: u64 = ::redis::cmd("PTTL").arg(&key).query_async(&mut connection).await.expect("a time");
        let reset = u64::try_from(decision.reset_after.as_millis()).expect("some hours");
        assert!(left <= reset && left + 60_000 > reset, "{left} ms are left of {reset}");
    }

    #[tokio::test]
    async fn a_lower_limit_counts_at_once_and_the_old_backlog_does_not_stay() {
        let Some(redis) = connect(&prefix()).await else { return };
        assert!(RedisLimiter::new(&redis, hundred()).check("k", 100).await.expect("answered").allowed);
        let quick = RedisLimiter::new(&redis, testkit::limiter::quick());
        let denied = quick.check("k", 1).await.expect("answered");
        assert_eq!(denied.retry_after, Some(Duration::from_millis(50)));
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(quick.check("k", 1).await.expect("answered").allowed);
    }

    #[cfg(feature = "limiter")]
    #[tokio::test]
    async fn gives_the_numbers_of_the_limiter_in_memory() {
        let Some(redis) = connect(&prefix()).await else { return };
        let local = career_store::limiter::MemoryLimiter::new(hundred());
        let shared = RedisLimiter::new(&redis, hundred());
        for cost in [1, 0, 7, 60, 40, 32, 1, 0, 2] {
            let a = local.check("k", cost).await.expect("answered");
            let b = shared.check("k", cost).await.expect("answered");
            assert_eq!((a.allowed, a.limit, a.remaining), (b.allowed, b.limit, b.remaining), "cost {cost}");
            // As far apart as a loaded machine lets the two checks be.
            assert!(a.reset_after.abs_diff(b.reset_after) < Duration::from_secs(60), "{a:?} {b:?}");
        }
    }
}
