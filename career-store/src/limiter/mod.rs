//! Backends of the port [`RateLimiter`](career_core::RateLimiter): in process, and in Redis.

#[cfg(feature = "limiter")]
mod memory;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "limiter")]
pub use memory::MemoryLimiter;
#[cfg(feature = "redis")]
pub use redis::RedisLimiter;
