//! What a call used up.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Tokens that a call used up, as its provider counted them.
///
/// Providers count differently; these are the same everywhere: `input` holds the cached ones too, `output` holds the
/// reasoning ones too. What a provider does not tell is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the request, whether read from the provider's cache or not.
    pub input: u64,
    /// Those of `input` that were read from the provider's cache.
    pub cached: u64,
    /// Those of `input` that were written into the provider's cache, where that is priced apart.
    pub cache_write: u64,
    /// Tokens of the reply, reasoning included.
    pub output: u64,
    /// Those of `output` that the model thought and did not say.
    pub reasoning: u64,
}

impl Usage {
    /// A usage of so many tokens in and out.
    pub const fn new(input: u64, output: u64) -> Self {
        Usage { input, cached: 0, cache_write: 0, output, reasoning: 0 }
    }

    /// Input and output together.
    pub const fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Usage) {
        self.input = self.input.saturating_add(other.input);
        self.cached = self.cached.saturating_add(other.cached);
        self.cache_write = self.cache_write.saturating_add(other.cache_write);
        self.output = self.output.saturating_add(other.output);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
    }
}
