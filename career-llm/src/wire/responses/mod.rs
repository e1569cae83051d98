//! Responses, OpenAI's own protocol.

mod decode;
mod encode;
mod event;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use super::openai::errors;
use super::{Decode, Encoded, Framing, Wire};
use crate::{ChatRequest, Delivery, Error, Result};

/// Responses, with nothing kept at the provider: `store` is false, and what a model thought travels back encrypted, as
/// [`Part::Opaque`](crate::Part).
///
/// The protocol has no seed, which is lost, and no texts that end a reply: a request with some is refused.
///
/// ```
/// use career_llm::ChatRequest;
/// use career_llm::wire::{Wire, responses::Responses};
///
/// let encoded = Responses::new().encode(&ChatRequest::user("hello"), "gpt-4.1")?;
/// assert_eq!(encoded.path, "/responses");
/// # Ok::<(), career_llm::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Responses {
    provider: Arc<str>,
}

impl Responses {
    /// The wire of OpenAI.
    pub fn new() -> Self {
        Responses::named("openai")
    }

    /// The wire of another server that speaks Responses, under the name that
    /// [`ModelId::provider`](crate::ModelId) and [`ChatRequest::extra`] have for it.
    pub fn named(provider: impl Into<Arc<str>>) -> Self {
        Responses { provider: provider.into() }
    }
}

impl Default for Responses {
    fn default() -> Self {
        Responses::new()
    }
}

impl Wire for Responses {
    fn encode(&self, request: &ChatRequest, model: &str) -> Result<Encoded> {
        encode::encode(request, model, &self.provider)
    }

    fn decoder(&self, model: &str, delivery: Delivery) -> (Framing, Box<dyn Decode>) {
        let framing = match delivery {
            Delivery::Streamed => Framing::Sse,
            Delivery::Whole => Framing::Whole,
        };
        (framing, Box::new(decode::Decoder::new(self.provider.clone(), model, delivery)))
    }

    fn failure(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        errors::failure(status, headers, body)
    }
}
