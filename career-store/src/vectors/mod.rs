//! Where vectors live: implementations of [`VectorIndex`](career_core::VectorIndex).
//!
//! | index | search | choose it when |
//! |---|---|---|
//! | [`MemoryVectors`] | exact, in memory | the vectors can be made again, or in tests |
//! | `SqliteVectors` (feature `sqlite`) | exact, in memory; kept in a SQLite file | one machine, up to about a million vectors |
//! | `PgVectors` (feature `postgres`) | HNSW of pgvector; exact with a filter | many machines, or more vectors than memory |

mod memory;
mod scan;

pub use memory::MemoryVectors;
