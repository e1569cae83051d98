//! Ollama's own chat.

mod decode;
mod encode;
mod failure;
#[cfg(test)]
mod tests;

use http::{HeaderMap, StatusCode};

use super::{Decode, Encoded, Framing, Wire};
use crate::{ChatRequest, Delivery, Error, Result};

/// Whose parts and extra fields these are, as in [`ModelId::provider`](crate::ModelId).
const NAME: &str = "ollama";

/// Smallest window of tokens that is asked for.
pub const CONTEXT_MIN: u32 = 4_096;

/// Largest window of tokens that is asked for, unless one is set.
pub const CONTEXT_MAX: u32 = 131_072;

/// The chat protocol: `/api/chat`, in lines or whole.
///
/// - The server cuts what does not fit into its window of tokens, and says nothing. So the window is set with each
///   call: the tokens that the request can have at most by its size (half of the bytes that are ASCII, all others,
///   1,536 for a picture, 16 for a turn) and those of the reply (what is asked for, else 2,048), rounded up to a power
///   of two between [`CONTEXT_MIN`] and [`CONTEXT_MAX`]. What needs more is an error. A window of another size makes the
///   server load the model anew: [`with_context`](Chat::with_context) holds it. Newer servers are also told to
///   refuse what does not fit.
/// - [`Effort`](crate::Effort) switches thinking on, or off for the least; models with levels get the level.
/// - A tool cannot be forced: that is an error. With tools a schema stands in the prompt, for held to it the model could
///   not call one.
/// - A picture must come as bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chat {
    context: Option<u32>,
}

impl Chat {
    /// The protocol, with a window by the size of each request.
    pub const fn new() -> Self {
        Chat { context: None }
    }

    /// With a window of so many tokens, whatever the request. What can be longer is an error.
    #[must_use]
    pub const fn with_context(self, tokens: u32) -> Self {
        Chat { context: Some(tokens) }
    }
}

impl Wire for Chat {
    fn encode(&self, request: &ChatRequest, model: &str) -> Result<Encoded> {
        encode::encode(request, model, self.context)
    }

    fn decoder(&self, model: &str, delivery: Delivery) -> (Framing, Box<dyn Decode>) {
        let framing = match delivery {
            Delivery::Streamed => Framing::Lines,
            Delivery::Whole => Framing::Whole,
        };
        (framing, Box::new(decode::Reply::new(model)))
    }

    fn failure(&self, status: StatusCode, _: &HeaderMap, body: &[u8]) -> Error {
        failure::by_status(status, body)
    }
}
