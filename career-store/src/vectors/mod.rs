//! Where vectors live: implementations of [`VectorIndex`](career_core::VectorIndex).
//!
//! | index | search | choose it when |
//! |---|---|---|
//! | [`MemoryVectors`] | exact, in memory | the vectors can be made again, or in tests |
//! | `SqliteVectors` (feature `sqlite`) | exact, in memory; kept in a SQLite file | one machine, up to about a million vectors |
//! | `PgVectors` (feature `postgres`) | HNSW of pgvector; exact with a filter | many machines, or more vectors than memory |

mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod scan;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use memory::MemoryVectors;
#[cfg(feature = "postgres")]
pub use postgres::PgVectors;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteVectors;
