//! A cache in Redis.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use career_core::{Cache, Result, cache::check_prefix};

use super::LONGEST;
use crate::redis::{Redis, failed};

/// How many keys are looked at, and removed, by one command.
const CHUNK: usize = 500;

/// Keeps values in Redis, shared by every node that uses the same prefix.
///
/// Values are under `<prefix>cache:<key>` with an expiry in milliseconds. How much is kept is up to the server's
/// `maxmemory` and `maxmemory-policy`. [`remove_prefix`](Cache::remove_prefix) looks at every key of the database,
/// in steps that leave time for others (`SCAN`), and counts what it removed.
///
/// ```no_run
/// use std::time::Duration;
///
/// use bytes::Bytes;
/// use career_core::Cache;
/// use career_store::{cache::RedisCache, redis::Redis};
///
/// # async fn example() -> career_core::Result<()> {
/// let redis = Redis::connect("redis://127.0.0.1:6379", "career:").await?;
/// let cache = RedisCache::new(&redis);
/// cache.put("ranking:7", Bytes::from_static(b"..."), Duration::from_secs(60)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RedisCache {
    redis: Redis,
}

impl RedisCache {
    /// A cache over this connection, under its prefix.
    pub fn new(redis: &Redis) -> Self {
        RedisCache { redis: redis.with_prefix("cache:") }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Cache for RedisCache {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        redis::cmd("GET").arg(self.redis.key(key)).query_async(&mut self.redis.connection()).await.map_err(failed)
    }

    async fn put(&self, key: &str, value: Bytes, time_to_live: Duration) -> Result<()> {
        // Redis refuses an expiry of 0.
        let millis = time_to_live.min(LONGEST).as_millis();
        if millis == 0 {
            return self.remove(key).await;
        }
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        redis::cmd("SET")
            .arg(self.redis.key(key))
            .arg(&value[..])
            .arg("PX")
            .arg(millis)
            .query_async(&mut self.redis.connection())
            .await
            .map_err(failed)
    }

    async fn remove(&self, key: &str) -> Result<()> {
        redis::cmd("DEL").arg(self.redis.key(key)).query_async(&mut self.redis.connection()).await.map_err(failed)
    }

    async fn remove_prefix(&self, prefix: &str) -> Result<u64> {
        check_prefix(prefix)?;
        let mut connection = self.redis.connection();
        let pattern = format!("{}*", literal(&self.redis.key(prefix)));
        let (mut cursor, mut removed) = (0_u64, 0);
        loop {
            let keys: Vec<Vec<u8>>;
            (cursor, keys) = redis::cmd("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg(&pattern)
                .arg("COUNT")
                .arg(CHUNK)
                .query_async(&mut connection)
                .await
                .map_err(failed)?;
            // One step may give more than was asked for.
            for chunk in keys.chunks(CHUNK) {
                let count: u64 = redis::cmd("UNLINK").arg(chunk).query_async(&mut connection).await.map_err(failed)?;
                removed += count;
            }
            if cursor == 0 {
                return Ok(removed);
            }
        }
    }
}

/// A glob pattern of Redis that matches this text and nothing else.
fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '^' | '-' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns_are_escaped() {
        assert_eq!(super::literal(r"a*b?[c-d]\é"), r"a\*b\?\[c\-d\]\\é");
    }
}
