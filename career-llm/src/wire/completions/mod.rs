//! Chat Completions, the protocol that every compatible server speaks, each with habits of its own.

mod chunk;
mod decode;
mod encode;
#[cfg(test)]
mod laws;
mod quirks;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use super::openai::errors;
use super::{Decode, Encoded, Framing, Wire};
use crate::{ChatRequest, Delivery, Error, Result};

pub use quirks::{EffortField, Images, Quirks, Schemas, StreamOptions, SystemRole};

/// Chat Completions as one server speaks it.
///
/// ```
/// use career_llm::ChatRequest;
/// use career_llm::wire::Wire;
/// use career_llm::wire::completions::{Completions, Quirks};
///
/// let wire = Completions::new("school", Quirks::new());
/// let encoded = wire.encode(&ChatRequest::user("hello"), "tutor-8b")?;
/// assert_eq!(encoded.path, "/chat/completions");
/// assert!(encoded.body.starts_with(r#"{"model":"tutor-8b","messages":[{"role":"user","content":"hello"}]"#));
/// # Ok::<(), career_llm::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Completions {
    provider: Arc<str>,
    quirks: Quirks,
}

impl Completions {
    /// The wire of a server under the name that [`ModelId::provider`](crate::ModelId) and
    /// [`ChatRequest::extra`] have for it.
    pub fn new(provider: impl Into<Arc<str>>, quirks: Quirks) -> Self {
        Completions { provider: provider.into(), quirks }
    }

    /// The habits of the server.
    pub fn quirks(&self) -> &Quirks {
        &self.quirks
    }
}

impl Wire for Completions {
    fn encode(&self, request: &ChatRequest, model: &str) -> Result<Encoded> {
        encode::encode(request, model, &self.provider, &self.quirks)
    }

    fn decoder(&self, model: &str, delivery: Delivery) -> (Framing, Box<dyn Decode>) {
        let framing = match delivery {
            Delivery::Streamed => Framing::Sse,
            Delivery::Whole => Framing::Whole,
        };
        (framing, Box::new(decode::Decoder::new(self.provider.clone(), model, delivery, self.quirks.reasoning_back)))
    }

    fn failure(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        errors::failure(status, headers, body)
    }
}
