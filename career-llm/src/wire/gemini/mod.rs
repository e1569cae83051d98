//! Gemini's generateContent.

mod decode;
mod encode;
mod failure;
mod json;
#[cfg(test)]
mod tests;

use http::{HeaderMap, StatusCode};

use super::{Decode, Encoded, Framing, Wire};
use crate::{ChatRequest, Delivery, Error, Result};

/// Whose parts and extra fields these are, as in [`ModelId::provider`](crate::ModelId).
const NAME: &str = "gemini";

/// The generateContent protocol: `/models/{model}:generateContent`, and `:streamGenerateContent` in events.
///
/// - [`Effort`](crate::Effort) becomes a level of thinking, or for models before those a budget of tokens.
/// - Models before Gemini 3 take either tools or a schema. With both, the schema stands in the prompt.
/// - A seed is sent in 31 bits, which is what the protocol has.
/// - A picture by its address must be one that the provider holds itself (`gs://`, or of its Files API).
/// - Signatures of thoughts come as [`Part::Opaque`](crate::Part::Opaque) and go back where they stood. A call of a tool
///   that another provider's model made has none; the provider's own word for that goes in its place.
/// - There are no ids of requests in headers: the id of the reply stands in
///   [`Started::request_id`](crate::Started::request_id).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GenerateContent;

impl GenerateContent {
    /// The protocol.
    pub const fn new() -> Self {
        GenerateContent
    }
}

impl Wire for GenerateContent {
    fn encode(&self, request: &ChatRequest, model: &str) -> Result<Encoded> {
        encode::encode(request, model)
    }

    fn decoder(&self, model: &str, delivery: Delivery) -> (Framing, Box<dyn Decode>) {
        match delivery {
            Delivery::Streamed => (Framing::Sse, Box::new(decode::Reply::streamed(model))),
            Delivery::Whole => (Framing::Whole, Box::new(decode::Reply::whole(model))),
        }
    }

    fn failure(&self, status: StatusCode, _: &HeaderMap, body: &[u8]) -> Error {
        failure::by_status(status, body)
    }
}
