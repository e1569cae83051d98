//! Engine.
mod candidate;
pub mod diversify;
mod engine;
mod scorer;
pub mod scorers;
pub use candidate::{Candidate, Pay};
pub use engine::{Bound, Engine, EngineBuilder, Memory};
pub use scorer::{Score, Scorer};
