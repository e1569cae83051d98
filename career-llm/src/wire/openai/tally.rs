//! What the counts of both protocols say in detail.

use serde::Deserialize;

use super::loose::Count;

/// Of what was read.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::wire) struct InputDetails {
    pub(in crate::wire) cached_tokens: Count,
    pub(in crate::wire) cache_write_tokens: Count,
}

/// Of what was written.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::wire) struct OutputDetails {
    pub(in crate::wire) reasoning_tokens: Count,
}
