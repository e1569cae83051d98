//! Layers: each wraps a store and is itself a store.
//!
//! | layer | what it adds | feature |
//! |---|---|---|
//! | [`Audited`] | who did what with which record, and when | |
//!
//! A layer sees what the layers around it pass on, so their order says something:
//!
//! - `Metered` outside measures what a caller waits for; inside, what the backend takes.
//! - `Audited::with_reads` goes around `Cached`: a read that is answered from memory is a read.
//! - `Cached` around `Encrypted` keeps plain documents in memory, which is fast. With a cache shared by nodes,
//!   such as Redis, `Encrypted` goes around `Cached`, so that only sealed documents leave the process.

pub mod audited;
pub use audited::Audited;
