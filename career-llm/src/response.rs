//! A reply in one piece.

use std::sync::Arc;

use crate::{
    Attempt, ChatEvent, Error, Message, ModelId, Part, Result, Role, SchemaReport, Stop, Text, ToolCall, Usage,
};

/// A reply in one piece. `Debug` shows no text.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChatResponse {
    /// Which model answered.
    pub model: ModelId,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// The reply as a turn of the conversation, to be sent back with the next one.
    pub message: Message,
    /// What the model showed of its thoughts.
    pub reasoning: Text,
    /// How it refused, where the provider tells that from a reply.
    pub refusal: Option<Text>,
    /// Why it stopped.
    pub stop: Stop,
    /// What the call used up, where the provider said so.
    pub usage: Option<Usage>,
    /// What was tried before, the earlier ones first.
    pub attempts: Vec<Attempt>,
    /// What became of the schema on the way, when one was asked for.
    pub schema: Option<Arc<SchemaReport>>,
}

impl ChatResponse {
    /// The words of the reply.
    pub fn text(&self) -> Text {
        self.message.text()
    }

    /// The tools that the model asks for.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.message.parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
    }
}

/// Puts the pieces of a stream together.
///
/// ```
/// use career_llm::{ChatEvent, Collector, Done, ModelId, Started, StopReason};
///
/// let mut collector = Collector::new();
/// collector.push(ChatEvent::Started(Box::new(Started::new(ModelId::new("a", "1")))));
/// collector.push(ChatEvent::Text("Bota".into()));
/// collector.push(ChatEvent::Text("nist".into()));
/// assert_eq!(collector.text(), "Botanist");
/// collector.push(ChatEvent::Done(Box::new(Done::new(StopReason::End))));
/// assert_eq!(collector.finish()?.text(), "Botanist");
/// # Ok::<(), career_llm::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Collector {
    started: Option<Box<crate::Started>>,
    pieces: Vec<Piece>,
    reasoning: Silent,
    refusal: Option<Silent>,
    done: Option<Box<crate::Done>>,
}

/// A string whose `Debug` is silent.
#[derive(Clone, Default)]
struct Silent(String);

impl std::fmt::Debug for Silent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

#[derive(Debug, Clone)]
enum Piece {
    Text(Silent),
    Tool { index: u32, id: String, name: String, input: Silent },
    Opaque(Box<crate::Opaque>),
}

impl Collector {
    /// Nothing yet.
    pub fn new() -> Self {
        Collector::default()
    }

    /// Takes the next piece.
    pub fn push(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::Started(started) => self.started = Some(started),
            ChatEvent::Text(text) => match self.pieces.last_mut() {
                Some(Piece::Text(whole)) => whole.0.push_str(&text),
                _ => self.pieces.push(Piece::Text(Silent(text.to_string()))),
            },
            ChatEvent::Reasoning(text) => self.reasoning.0.push_str(&text),
            ChatEvent::Refusal(text) => self.refusal.get_or_insert_default().0.push_str(&text),
            ChatEvent::ToolCall { index, id, name } => {
                self.pieces.push(Piece::Tool { index, id, name, input: Silent::default() });
            }
            ChatEvent::ToolInput { index, json } => {
                let call = self.pieces.iter_mut().rev().find_map(|piece| match piece {
                    Piece::Tool { index: at, input, .. } if *at == index => Some(input),
                    _ => None,
                });
                // A piece of a call that never began has no place; the wire refuses such a stream.
                if let Some(input) = call {
                    input.0.push_str(&json);
                }
            }
            ChatEvent::Opaque(opaque) => self.pieces.push(Piece::Opaque(opaque)),
            ChatEvent::Restarted(_) => *self = Collector::default(),
            ChatEvent::Done(done) => self.done = Some(done),
        }
    }

    /// The words so far.
    pub fn text(&self) -> Text {
        let texts = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text.0.as_str()),
            _ => None,
        });
        texts.collect::<String>().into()
    }

    /// The whole reply.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) when the stream did not begin or did not end.
    pub fn finish(self) -> Result<ChatResponse> {
        let started = self.started.ok_or_else(|| Error::protocol("the reply never began"))?;
        let done = self.done.ok_or_else(|| Error::protocol("the reply never ended"))?;
        let parts = self.pieces.into_iter().map(|piece| match piece {
            Piece::Text(text) => Part::Text(text.0.into()),
            Piece::Tool { id, name, input, .. } => Part::ToolCall(ToolCall::new(id, name, input.0)),
            Piece::Opaque(opaque) => Part::Opaque(*opaque),
        });
        Ok(ChatResponse {
            model: started.model,
            request_id: started.request_id,
            message: Message::new(Role::Assistant, parts.collect()),
            reasoning: self.reasoning.0.into(),
            refusal: self.refusal.map(|refusal| refusal.0.into()),
            stop: done.stop,
            usage: done.usage,
            attempts: done.attempts,
            schema: started.schema,
        })
    }
}
