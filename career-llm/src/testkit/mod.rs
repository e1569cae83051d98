//! For tests: a model that follows a script, a server that injects faults, cassettes, the suite for embedders.
//!
//! Cassettes are the layer [`Recorded`]; it is here too, since tests are where they are played.

pub mod embedder;
pub mod scripted;
pub mod server;

pub use crate::layer::{RecordMode, Recorded};
