//! Backends of the port [`Cache`](career_core::Cache): in process, and in Redis.

use std::time::Duration;

#[cfg(feature = "cache")]
mod memory;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "cache")]
pub use memory::MemoryCache;
#[cfg(feature = "redis")]
pub use redis::RedisCache;

/// The longest that a value is kept. Both backends overflow on times not far above it.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
