//! Wires: what goes over the network and what comes back, as pure functions on bytes.
//!
//! A wire encodes a request into a body, and decodes frames into events. It does no I/O, so it is tested on bytes. The
//! transport sends, cuts what comes into frames, and watches the clock. A provider of your own is a `Wire` and a
//! `Provider` over it.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use crate::{ChatEvent, ChatRequest, Delivery, Error, Result, SchemaReport, Text};

#[cfg(feature = "anthropic")]
pub mod anthropic;
#[cfg(any(feature = "openai", feature = "anthropic", feature = "gemini", feature = "ollama"))]
mod asked;
#[cfg(feature = "openai")]
pub mod completions;
#[cfg(any(feature = "openai", feature = "anthropic", feature = "gemini", feature = "ollama"))]
mod families;
#[cfg(feature = "gemini")]
pub mod gemini;
#[cfg(any(feature = "gemini", feature = "ollama"))]
mod made;
#[cfg(feature = "ollama")]
pub mod ollama;
#[cfg(feature = "openai")]
mod openai;
#[cfg(any(feature = "openai", feature = "anthropic", feature = "gemini", feature = "ollama"))]
mod plain;
mod repeat;
#[cfg(feature = "openai")]
pub mod responses;
#[cfg(any(feature = "anthropic", feature = "gemini", feature = "ollama"))]
mod shared;
mod status;
#[cfg(all(test, any(feature = "anthropic", feature = "gemini", feature = "ollama")))]
mod testing;

pub use repeat::Repeat;
pub use status::status_kind;

/// A request as it goes over the network.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Encoded {
    /// What follows the base URL, from the slash on, such as `/chat/completions`. Never a key.
    pub path: String,
    /// Headers besides the key, the content type and what is accepted.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Text,
    /// What became of the schema, when one was asked for.
    pub schema: Option<Arc<SchemaReport>>,
}

impl Encoded {
    /// A body to post to a path.
    pub fn new(path: impl Into<String>, body: impl Into<Text>) -> Self {
        Encoded { path: path.into(), headers: Vec::new(), body: body.into(), schema: None }
    }
}

/// How a body is cut into frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Framing {
    /// Server-sent events: a frame for each event with data.
    Sse,
    /// Lines of JSON: a frame for each line that is not empty.
    Lines,
    /// The whole body is one frame.
    Whole,
}

/// A piece of a body.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Frame<'a> {
    /// The name of the server-sent event; empty without one.
    pub event: &'a str,
    /// The data. Slices of it share its bytes.
    pub data: &'a Text,
}

impl<'a> Frame<'a> {
    /// A frame.
    pub fn new(event: &'a str, data: &'a Text) -> Self {
        Frame { event, data }
    }
}

/// Events on their way out.
pub type Events = VecDeque<ChatEvent>;

/// Turns frames into events; one for each reply.
pub trait Decode: Debug + Send + 'static {
    /// Takes the next frame. What it means is put at the end of `events`; [`ChatEvent::Done`] ends the reply, and
    /// nothing is decoded after it.
    ///
    /// The first event is `Started`; the request id of the headers is put into it by the transport where it has none.
    ///
    /// # Errors
    ///
    /// What the provider reports inside the stream, as the same error as by status;
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) for what is not the protocol.
    fn frame(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()>;

    /// The body ended, and `Done` has not been given. Gives it if the protocol ends this way and the reply is whole.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) when the reply was cut short.
    fn end(&mut self, events: &mut Events) -> Result<()>;
}

/// A provider's protocol.
pub trait Wire: Debug + Send + Sync + 'static {
    /// Encodes a request to this model.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for what this protocol cannot say at all.
    fn encode(&self, request: &ChatRequest, model: &str) -> Result<Encoded>;

    /// How a successful body of this delivery is framed, and what decodes it.
    fn decoder(&self, model: &str, delivery: Delivery) -> (Framing, Box<dyn Decode>);

    /// What an answer of another status than 2xx says. `Retry-After` and the request id in the usual headers are
    /// read by the transport, which also names the model.
    fn failure(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error;
}
