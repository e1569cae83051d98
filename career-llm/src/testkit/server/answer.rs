//! What the server answers.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::Protocol;

/// One thing that the server does.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Sends these bytes; in a chunked body they are a chunk.
    Send(Bytes),
    /// Sends these bytes again and again, so long apart, until the client hangs up.
    Repeat(Bytes, Duration),
    /// Waits so long.
    Pause(Duration),
    /// Does nothing until the client hangs up.
    Hang,
    /// Closes the connection.
    Cut,
    /// Resets the connection, as when a process dies.
    Reset,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Send(bytes) => write!(f, "Send({} bytes)", bytes.len()),
            Step::Repeat(bytes, every) => write!(f, "Repeat({} bytes, {every:?})", bytes.len()),
            Step::Pause(time) => write!(f, "Pause({time:?})"),
            Step::Hang => f.write_str("Hang"),
            Step::Cut => f.write_str("Cut"),
            Step::Reset => f.write_str("Reset"),
        }
    }
}

/// How the client is told where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Length {
    /// By a `content-length` that is right.
    Right,
    /// By a `content-length` that says this, be it right or wrong.
    Said(u64),
    /// In chunks.
    Chunked,
    /// Not at all: the end is where the connection is closed.
    UntilClose,
}

/// An answer, step by step. `Debug` shows no body.
///
/// ```
/// use std::time::Duration;
///
/// use career_llm::testkit::server::{Answer, Step};
///
/// // The first piece of a reply, and then silence.
/// let answer = Answer::openai_stream(&["Hel", "lo"]).keep_steps(2).step(Step::Hang);
/// // Nothing at all for a while, then a page of a proxy.
/// let late = Answer::new(502).first(Step::Pause(Duration::from_millis(50))).header("content-type", "text/html").body("<h1>Bad");
/// assert_eq!(late.body_bytes(), "<h1>Bad".as_bytes());
/// ```
#[derive(Clone)]
pub struct Answer {
    /// Status and headers; `None` for an answer that is no HTTP.
    pub(super) head: Option<(u16, Vec<(String, String)>)>,
    pub(super) first: Vec<Step>,
    pub(super) steps: Vec<Step>,
    pub(super) length: Length,
}

impl Answer {
    /// An answer of this status, without a body, of the right length.
    pub fn new(status: u16) -> Self {
        Answer { head: Some((status, Vec::new())), first: Vec::new(), steps: Vec::new(), length: Length::Right }
    }

    /// Steps without status and headers: what is sent is all that comes.
    pub fn raw() -> Self {
        Answer { head: None, first: Vec::new(), steps: Vec::new(), length: Length::UntilClose }
    }

    /// No answer: not even a status, until the client hangs up.
    pub fn hanging() -> Self {
        Answer::raw().step(Step::Hang)
    }

    /// JSON of the right length.
    pub fn json(status: u16, value: &Value) -> Self {
        Answer::new(status).header("content-type", "application/json").body(value.to_string())
    }

    /// A refusal: JSON under a status. [`Protocol::error`] puts it into the shape of a provider.
    pub fn error(status: u16, value: &Value) -> Self {
        Answer::json(status, value)
    }

    /// Server-sent events in chunks, a chunk for each of these.
    pub fn sse<B: Into<Bytes>>(frames: impl IntoIterator<Item = B>) -> Self {
        let head = Answer::new(200).header("content-type", "text/event-stream");
        frames.into_iter().fold(head, Answer::body).length(Length::Chunked)
    }

    /// Lines of JSON in chunks, a chunk for each of these.
    pub fn lines<B: Into<Bytes>>(lines: impl IntoIterator<Item = B>) -> Self {
        let head = Answer::new(200).header("content-type", "application/x-ndjson");
        lines.into_iter().fold(head, Answer::body).length(Length::Chunked)
    }

    /// These pieces streamed by Chat Completions.
    pub fn openai_stream(pieces: &[&str]) -> Self {
        Protocol::Completions.stream(pieces)
    }

    /// This text as a whole reply of Chat Completions.
    pub fn openai_reply(text: &str) -> Self {
        Protocol::Completions.whole(text)
    }

    /// These pieces streamed by OpenAI Responses.
    pub fn responses_stream(pieces: &[&str]) -> Self {
        Protocol::Responses.stream(pieces)
    }

    /// This text as a whole reply of OpenAI Responses.
    pub fn responses_reply(text: &str) -> Self {
        Protocol::Responses.whole(text)
    }

    /// These pieces streamed by Anthropic Messages.
    pub fn anthropic_stream(pieces: &[&str]) -> Self {
        Protocol::Messages.stream(pieces)
    }

    /// This text as a whole reply of Anthropic Messages.
    pub fn anthropic_reply(text: &str) -> Self {
        Protocol::Messages.whole(text)
    }

    /// These pieces streamed by Gemini.
    pub fn gemini_stream(pieces: &[&str]) -> Self {
        Protocol::GenerateContent.stream(pieces)
    }

    /// This text as a whole reply of Gemini.
    pub fn gemini_reply(text: &str) -> Self {
        Protocol::GenerateContent.whole(text)
    }

    /// These pieces streamed by Ollama.
    pub fn ollama_stream(pieces: &[&str]) -> Self {
        Protocol::Ollama.stream(pieces)
    }

    /// This text as a whole reply of Ollama.
    pub fn ollama_reply(text: &str) -> Self {
        Protocol::Ollama.whole(text)
    }

    /// Server-sent comments, so long apart, until the client hangs up: a connection that lives and says nothing.
    pub fn pinging(every: Duration) -> Self {
        Answer::sse::<Bytes>([]).step(Step::Repeat(Bytes::from_static(b": ping\n\n"), every))
    }

    /// One more header. On an answer without a head it is left out.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Some((_, headers)) = &mut self.head {
            headers.push((name.to_owned(), value.into()));
        }
        self
    }

    /// Another status. On an answer without a head it is left out.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        if let Some((said, _)) = &mut self.head {
            *said = status;
        }
        self
    }

    /// A header in place of those of its name.
    #[must_use]
    pub fn replace_header(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Some((_, headers)) = &mut self.head {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        }
        self.header(name, value)
    }

    /// More of the body: [`Step::Send`].
    #[must_use]
    pub fn body(self, bytes: impl Into<Bytes>) -> Self {
        self.step(Step::Send(bytes.into()))
    }

    /// One more step of the body.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// One more step before the status and the headers.
    #[must_use]
    pub fn first(mut self, step: Step) -> Self {
        self.first.push(step);
        self
    }

    /// How the client is told where the body ends.
    #[must_use]
    pub fn length(mut self, length: Length) -> Self {
        self.length = length;
        self
    }

    /// Only so many steps of the body. A stream of [`Protocol`] has a step for each of its events.
    #[must_use]
    pub fn keep_steps(mut self, steps: usize) -> Self {
        self.steps.truncate(steps);
        self
    }

    /// Only so many bytes of the body, in one piece; then the connection is closed.
    #[must_use]
    pub fn cut_after(mut self, bytes: usize) -> Self {
        let body = self.body_bytes();
        // Told the length of the whole body, as by a server that dies on the way.
        if self.length == Length::Right {
            self.length = Length::Said(body.len() as u64);
        }
        self.steps = vec![Step::Send(body.slice(..bytes.min(body.len()))), Step::Cut];
        self
    }

    /// The same body in pieces of so many bytes, at least 1, as by a network with small packets.
    #[must_use]
    pub fn in_pieces_of(mut self, bytes: usize) -> Self {
        let body = self.body_bytes();
        let pieces = body.chunks(bytes.max(1)).map(|piece| Step::Send(body.slice_ref(piece)));
        self.steps = pieces.collect();
        self
    }

    /// All that is sent by [`Step::Send`], joined.
    pub fn body_bytes(&self) -> Bytes {
        let sent = self.steps.iter().filter_map(|step| match step {
            Step::Send(bytes) => Some(bytes.as_ref()),
            _ => None,
        });
        sent.collect::<Vec<&[u8]>>().concat().into()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.head.as_ref().map(|(status, _)| status);
        let names: Vec<&str> =
            self.head.iter().flat_map(|(_, headers)| headers).map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Answer")
            .field("status", &status)
            .field("headers", &names)
            .field("first", &self.first)
            .field("steps", &self.steps)
            .field("length", &self.length)
            .finish()
    }
}
