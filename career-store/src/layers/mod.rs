//! Layers: each wraps a store and is itself a store.
//!
//! | layer | what it adds | feature |
//! |---|---|---|
//! | [`Audited`] | who did what with which record, and when | |
#![cfg_attr(feature = "encrypt", doc = "| [`Encrypted`] | what is personal is sealed before it is kept | `encrypt` |")]
#![cfg_attr(feature = "cache", doc = "| [`Cached`] | records read again and again come from memory | `cache` |")]
#![cfg_attr(feature = "metrics", doc = "| [`Metered`] | a span, a count and a time for each call | `metrics` |")]
//!
//! A layer sees what the layers around it pass on, so their order says something:
//!
//! - `Metered` outside measures what a caller waits for; inside, what the backend takes.
//! - `Audited::with_reads` goes around `Cached`: a read that is answered from memory is a read.
//! - `Cached` around `Encrypted` keeps plain documents in memory, which is fast. With a cache shared by nodes,
//!   such as Redis, `Encrypted` goes around `Cached`, so that only sealed documents leave the process.

pub mod audited;
pub use audited::Audited;
#[cfg(feature = "encrypt")]
pub mod encrypted;
#[cfg(feature = "encrypt")]
mod keyring;
#[cfg(feature = "encrypt")]
pub use encrypted::{Encrypted, Keyring, Rotation, SealingKey};
#[cfg(feature = "metrics")]
pub mod metered;
#[cfg(feature = "metrics")]
pub use metered::Metered;
#[cfg(feature = "cache")]
pub mod cached;
#[cfg(feature = "cache")]
mod shared;
#[cfg(feature = "cache")]
mod stripes;
#[cfg(feature = "cache")]
pub use cached::Cached;
