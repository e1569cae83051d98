//! A limiter in Redis.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use career_core::{Rate, RateDecision, RateLimiter, Result};
use redis::Script;

use crate::redis::{Redis, failed};

/// [`Rate::step`] where the state is, so that a check is atomic, by the server's clock, so that all nodes agree.
///
/// Answers the backlog before, from which the same step gives the same decision here. All numbers are whole
/// microseconds below 2^53, which Lua holds exactly; it would print them with 14 digits if not told otherwise. A
/// backlog above the whole burst is cut down in what is kept too: else it would not shrink until the old one ends.
static STEP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local interval, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local ends = tonumber(redis.call('GET', KEYS[1]) or now)
        local full = burst * interval
        local backlog = math.max(ends - now, 0)
        local keep = nil
        if backlog > full then
            backlog, keep = full, full
        end
        local after = backlog + cost * interval
        if cost > 0 and after <= full then
            keep = after
        end
        if keep then
            local millis = math.ceil(keep / 1000)
            redis.call('SET', KEYS[1], string.format('%.0f', now + keep), 'PX', string.format('%.0f', millis))
        end
        return backlog
        ",
    )
});

/// Limits what every node lets pass together, by the clock of the Redis server.
///
/// A key is under `<prefix>limit:<key>` until it is full again. Limiters of different rates need connections with
/// different prefixes: see [`Redis::with_prefix`].
///
/// ```no_run
/// use career_core::{Rate, RateLimiter};
/// use career_store::{limiter::RedisLimiter, redis::Redis};
///
/// # async fn example() -> career_core::Result<()> {
/// let redis = Redis::connect("redis://127.0.0.1:6379", "career:").await?;
/// let logins = RedisLimiter::new(&redis.with_prefix("login:"), Rate::per_minute(5)?);
/// let replies = RedisLimiter::new(&redis.with_prefix("reply:"), Rate::per_minute(20)?.burst(5)?);
/// assert!(logins.check("user:7", 1).await?.allowed);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RedisLimiter {
    redis: Redis,
    rate: Rate,
}

impl RedisLimiter {
    /// A limiter of this rate for every key, over this connection and under its prefix.
    pub fn new(redis: &Redis, rate: Rate) -> Self {
        RedisLimiter { redis: redis.with_prefix("limit:"), rate }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl RateLimiter for RedisLimiter {
    async fn check(&self, key: &str, cost: u32) -> Result<RateDecision> {
        // What can never pass does not reach the server.
        self.rate.step(Duration::ZERO, cost)?;
        let backlog: u64 = STEP
            .key(self.redis.key(key))
            .arg(u64::try_from(self.rate.interval().as_micros()).unwrap_or(u64::MAX))
            .arg(self.rate.limit())
            .arg(cost)
            .invoke_async(&mut self.redis.connection())
            .await
            .map_err(failed)?;
        self.rate.step(Duration::from_micros(backlog), cost)
    }
}
