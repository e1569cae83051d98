//! Conformance suites: plain async functions over `&dyn Port` that every implementation calls in its tests.
//!
//! A function panics with what it expected and what it found, like any assertion.

pub mod blob;
pub mod cache;
pub mod limiter;
pub mod recommender;
pub mod store;
pub mod vector;
