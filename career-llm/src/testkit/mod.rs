//! For tests: a model that follows a script, and a server that injects faults.

pub mod embedder;
pub mod scripted;
pub mod server;
