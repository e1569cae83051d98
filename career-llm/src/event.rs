//! What comes back, piece by piece.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Error, ModelId, Opaque, SchemaReport, Text, Usage};

/// A piece of a reply.
///
/// A stream gives one [`Started`](ChatEvent::Started), then pieces of content, then one [`Done`](ChatEvent::Done), and
/// then nothing. Or it gives an error, and then nothing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ChatEvent {
    /// The provider took the request.
    Started(Box<Started>),
    /// The next piece of the reply; rarely empty, never split within a character.
    Text(Text),
    /// The next piece of what the model shows of its thoughts. Not part of the reply.
    Reasoning(Text),
    /// The next piece of a refusal, where the provider tells it from a reply.
    Refusal(Text),
    /// The model begins to ask for a tool.
    ToolCall {
        /// Counts the calls of this reply from 0; their pieces may be mixed.
        index: u32,
        /// The id that the result must carry.
        id: String,
        /// Which tool.
        name: String,
    },
    /// The next piece of the JSON that a tool is to get.
    ToolInput {
        /// The index of its call.
        index: u32,
        /// The piece.
        json: Text,
    },
    /// Something to send back to this provider unchanged with the next turn.
    Opaque(Box<Opaque>),
    /// What came before is void: another model begins anew. Only where the caller chose this.
    Restarted(Box<Restarted>),
    /// The reply is whole.
    Done(Box<Done>),
}

impl ChatEvent {
    /// Whether a person would see it, or a tool would run by it. Before the first content a failure can be hidden.
    pub fn is_content(&self) -> bool {
        !matches!(self, ChatEvent::Started(_) | ChatEvent::Restarted(_) | ChatEvent::Opaque(_))
    }
}

/// The provider took the request.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Started {
    /// Which model answers, as the provider says; the one that was asked for where it does not say.
    pub model: ModelId,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// What became of the schema on the way, when one was asked for.
    pub schema: Option<Arc<SchemaReport>>,
}

impl Started {
    /// This model answers.
    pub fn new(model: ModelId) -> Self {
        Started { model, request_id: None, schema: None }
    }
}

/// Another model begins anew.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Restarted {
    /// Why.
    pub because: Error,
}

impl Restarted {
    /// Because of this.
    pub fn new(because: Error) -> Self {
        Restarted { because }
    }
}

/// The reply is whole.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Done {
    /// Why the model stopped.
    pub stop: Stop,
    /// What the call used up, where the provider said so.
    pub usage: Option<Usage>,
    /// What layers tried before this, the earlier ones first.
    pub attempts: Vec<Attempt>,
}

impl Done {
    /// It stopped for this reason.
    pub fn new(stop: impl Into<Stop>) -> Self {
        Done { stop: stop.into(), usage: None, attempts: Vec::new() }
    }

    /// With what the call used up.
    #[must_use]
    pub fn with_usage(mut self, usage: Usage) -> Self {
        self.usage = Some(usage);
        self
    }
}

/// Why a model stopped: unified, and in the provider's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Stop {
    /// Unified.
    pub reason: StopReason,
    /// As the provider put it, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

impl Stop {
    /// For this reason, in the provider's word.
    pub fn new(reason: StopReason, raw: impl Into<String>) -> Self {
        Stop { reason, raw: Some(raw.into()) }
    }
}

impl From<StopReason> for Stop {
    fn from(reason: StopReason) -> Self {
        Stop { reason, raw: None }
    }
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// It had said all, or met a stop text.
    End,
    /// It met the limit of tokens: the reply is cut.
    Length,
    /// It waits for tools.
    ToolUse,
    /// A safety filter, or the model itself, refused.
    Filtered,
    /// It paused and wants to be asked again with what it said so far.
    Paused,
    /// Another reason; the raw word has it.
    Other,
}

/// One try of one model.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Attempt {
    /// Which model was tried.
    pub model: ModelId,
    /// How long it took, until it failed or the reply was whole.
    pub took: Duration,
    /// Why it failed.
    pub error: Option<Error>,
    /// What it used up, where that is known.
    pub usage: Option<Usage>,
}

impl Attempt {
    /// A try that failed.
    pub fn failed(model: ModelId, took: Duration, error: Error) -> Self {
        Attempt { model, took, error: Some(error), usage: None }
    }

    /// A try that succeeded.
    pub fn succeeded(model: ModelId, took: Duration, usage: Option<Usage>) -> Self {
        Attempt { model, took, error: None, usage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_small_since_there_is_one_for_each_token() {
        assert!(size_of::<ChatEvent>() <= 64, "{}", size_of::<ChatEvent>());
    }
}
