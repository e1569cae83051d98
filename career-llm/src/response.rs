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
    /// The first index of which a piece came before its call began.
    homeless: Option<u32>,
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
                match call {
                    Some(input) => input.0.push_str(&json),
                    // It has no place here; `finish` says so.
                    None => drop(self.homeless.get_or_insert(index)),
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
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) when the stream did not begin or did not end, or had input for a tool call
    /// that had not begun.
    pub fn finish(self) -> Result<ChatResponse> {
        if let Some(index) = self.homeless {
            return Err(Error::protocol(format!("input for tool call {index}, which had not begun")));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Done, ErrorKind, Restarted, Started, StopReason};

    fn finished(pieces: impl IntoIterator<Item = ChatEvent>) -> Result<ChatResponse> {
        let mut collector = Collector::new();
        collector.push(ChatEvent::Started(Box::new(Started::new(ModelId::new("a", "1")))));
        pieces.into_iter().for_each(|piece| collector.push(piece));
        collector.push(ChatEvent::Done(Box::new(Done::new(StopReason::ToolUse))));
        collector.finish()
    }

    fn call(index: u32) -> ChatEvent {
        ChatEvent::ToolCall { index, id: format!("c{index}"), name: "look".to_owned() }
    }

    fn input(index: u32, json: &'static str) -> ChatEvent {
        ChatEvent::ToolInput { index, json: Text::from_static(json) }
    }

    #[test]
    fn pieces_of_mixed_calls_each_find_their_own() {
        let mixed = [call(0), input(0, "{"), call(1), ChatEvent::Text("and".into()), input(1, "[1"), input(0, "}")];
        let reply = finished(mixed.into_iter().chain([input(1, "]")])).expect("whole");
        let inputs: Vec<(&str, &str)> = reply.tool_calls().map(|call| (&*call.id, &*call.input)).collect();
        assert_eq!(inputs, [("c0", "{}"), ("c1", "[1]")]);
        assert_eq!(reply.text(), "and");
    }

    #[test]
    fn input_of_a_call_that_had_not_begun_is_an_error_and_never_lost() {
        let error = finished([call(0), input(1, "{}"), call(1)]).expect_err("a piece without a place");
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.message().contains("tool call 1"), "{error}");
    }

    #[test]
    fn what_came_before_a_restart_is_void() {
        let restarted = ChatEvent::Restarted(Box::new(Restarted::new(Error::protocol("cut"))));
        let anew = ChatEvent::Started(Box::new(Started::new(ModelId::new("b", "2"))));
        let reply =
            finished([input(9, "{}"), ChatEvent::Text("old".into()), restarted, anew, ChatEvent::Text("new".into())]);
        let reply = reply.expect("whole");
        assert_eq!((reply.text().as_str(), reply.model.to_string().as_str()), ("new", "b/2"));
    }
}
