//! Layers: what wraps a model and is itself a model.

mod breaker;
mod budgeted;
mod cached;
mod fallback;
mod hedge;
mod limited;
mod recorded;
mod redacted;
mod retry;
#[cfg(feature = "trace")]
mod traced;
