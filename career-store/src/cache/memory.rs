//! A cache in the memory of the process.

use std::fmt;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use career_core::{Cache, Result, cache::check_prefix};
use moka::Expiry;

use super::LONGEST;

/// Keeps values in the memory of this process, up to a number of bytes.
///
/// When it is full, what was used little goes first (TinyLFU). Cloning it shares the values.
/// [`remove_prefix`](Cache::remove_prefix) looks at every key.
///
/// ```
/// use std::time::Duration;
///
/// use bytes::Bytes;
/// use career_core::Cache;
/// use career_store::cache::MemoryCache;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_core::Result<()> {
/// let cache = MemoryCache::new(64 << 20);
/// cache.put("ranking:7", Bytes::from_static(b"..."), Duration::from_secs(60)).await?;
/// assert!(cache.get("ranking:7").await?.is_some());
/// assert_eq!(cache.remove_prefix("ranking:").await?, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryCache {
    values: moka::future::Cache<Box<str>, Entry>,
}

#[derive(Clone)]
struct Entry {
    value: Bytes,
    time_to_live: Duration,
}

/// Every value lives for its own time, counted from its own put.
struct OwnTime;

impl Expiry<Box<str>, Entry> for OwnTime {
    fn expire_after_create(&self, _: &Box<str>, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.time_to_live)
    }

    fn expire_after_update(&self, _: &Box<str>, entry: &Entry, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(entry.time_to_live)
    }
}

impl MemoryCache {
    /// A cache of at most this many bytes of keys and values. What the entries themselves take, some 200 bytes each,
    /// comes on top.
    pub fn new(capacity: u64) -> Self {
        let values = moka::future::Cache::<Box<str>, Entry>::builder()
            .max_capacity(capacity)
            .weigher(|key, entry| u32::try_from(key.len() + entry.value.len()).unwrap_or(u32::MAX))
            .expire_after(OwnTime)
            .build();
        MemoryCache { values }
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the entries: they are what people wrote.
        f.debug_struct("MemoryCache").field("entries", &self.values.entry_count()).finish_non_exhaustive()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Cache for MemoryCache {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        Ok(self.values.get(key).await.map(|entry| entry.value))
    }

    async fn put(&self, key: &str, value: Bytes, time_to_live: Duration) -> Result<()> {
        if time_to_live.is_zero() {
            return self.remove(key).await;
        }
        let time_to_live = time_to_live.min(LONGEST);
        self.values.insert(key.into(), Entry { value, time_to_live }).await;
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<()> {
        self.values.invalidate(key).await;
        Ok(())
    }

    async fn remove_prefix(&self, prefix: &str) -> Result<u64> {
        check_prefix(prefix)?;
        // Not by a predicate of moka: it would slow every later read until its maintenance has run.
        let keys: Vec<_> = self.values.iter().map(|(key, _)| key).filter(|key| key.starts_with(prefix)).collect();
        let mut removed = 0;
        for key in keys {
            removed += u64::from(self.values.remove(&**key).await.is_some());
        }
        Ok(removed)
    }
}
