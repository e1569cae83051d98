//! Which model of which provider.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A model and who serves it, such as `openai/gpt-5`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelId {
    /// Who serves it: `openai`, `anthropic`, a name of the host's own.
    pub provider: Arc<str>,
    /// The model, as the provider names it.
    pub model: Arc<str>,
}

impl ModelId {
    /// A model of a provider.
    pub fn new(provider: impl Into<Arc<str>>, model: impl Into<Arc<str>>) -> Self {
        ModelId { provider: provider.into(), model: model.into() }
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}
