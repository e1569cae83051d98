//! Every layer keeps the contract of the port, and does what is its own.

#[path = "layers/audited.rs"]
mod audited;
#[cfg(feature = "encrypt")]
#[path = "layers/encrypted.rs"]
mod encrypted;
#[cfg(feature = "metrics")]
#[path = "layers/metered.rs"]
mod metered;
#[path = "layers/probe.rs"]
mod probe;
