//! Anthropic's Messages.

mod block;
mod decode;
mod encode;
mod failure;
mod json;
#[cfg(test)]
mod tests;
mod whole;

use http::{HeaderMap, StatusCode};

use super::{Decode, Encoded, Framing, Wire};
use crate::{ChatRequest, Delivery, Error, Result};

/// Whose parts and extra fields these are, as in [`ModelId::provider`](crate::ModelId).
const NAME: &str = "anthropic";

/// Most tokens of a reply where neither the request nor what is known of the model says. The protocol wants a number.
pub const DEFAULT_MAX_TOKENS: u32 = 8_192;

/// The version of the protocol, sent with each request.
pub const VERSION: &str = "2023-06-01";

/// The Messages protocol: `/v1/messages`, in events or whole.
///
/// - The protocol wants a limit of tokens. Without one in the request it is the model's own maximum, where that is
///   known, else [`DEFAULT_MAX_TOKENS`].
/// - [`Effort`](crate::Effort) becomes `output_config.effort` with adaptive thinking; for models before those a
///   budget of thinking tokens, at most half of the limit. A call that must use a tool is sent no thinking, which
///   the provider refuses together.
/// - `temperature` and `top_p` are not sent to models that take none, nor beside thinking; above 1 the temperature is
///   1; of both, models take the temperature alone. A seed has no place in the protocol.
/// - Thoughts come with a signature, and go back unchanged with the next turn as
///   [`Part::Opaque`](crate::Part::Opaque). So does what the provider's own tools leave in a reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Messages;

impl Messages {
    /// The protocol.
    pub const fn new() -> Self {
        Messages
    }
}

impl Wire for Messages {
    fn encode(&self, request: &ChatRequest, model: &str) -> Result<Encoded> {
        Ok(encode::encode(request, model))
    }

    fn decoder(&self, model: &str, delivery: Delivery) -> (Framing, Box<dyn Decode>) {
        match delivery {
            Delivery::Streamed => (Framing::Sse, Box::new(decode::Streamed::new(model))),
            Delivery::Whole => (Framing::Whole, Box::new(whole::Whole::new(model))),
        }
    }

    fn failure(&self, status: StatusCode, _: &HeaderMap, body: &[u8]) -> Error {
        failure::by_status(status, body)
    }
}
