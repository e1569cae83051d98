//! The reply in events.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::shared::parse;
use super::super::{Decode, Events, Frame, Repeat};
use super::NAME;
use super::block::{Block, Other, Thought};
use super::failure::{Refusal, inside};
use super::json::{Counts, Delta, Event, Message};
use crate::{ChatEvent, Done, Error, ModelId, Opaque, Result, Started, Stop, StopReason, Text};

/// Where the piece of a repeating frame goes.
#[derive(Debug, Clone, Copy)]
enum Quick {
    Text,
    Tool { call: u32, index: u32 },
}

/// Decodes server-sent events.
#[derive(Debug)]
pub(super) struct Streamed {
    model: String,
    began: bool,
    blocks: BTreeMap<u32, Block>,
    calls: u32,
    /// Calls that ended and were told no piece of their input, and what they began with.
    silent: Vec<(u32, Option<Text>)>,
    counts: Option<Counts>,
    pub(super) stop: Option<Stop>,
    pub(super) explanation: Option<Text>,
    repeat: Repeat,
    quick: Option<Quick>,
    /// Off in tests that compare both ways.
    hurry: bool,
}

impl Streamed {
    pub(super) fn new(model: &str) -> Self {
        Streamed {
            model: model.to_owned(),
            began: false,
            blocks: BTreeMap::new(),
            calls: 0,
            silent: Vec::new(),
            counts: None,
            stop: None,
            explanation: None,
            repeat: Repeat::default(),
            quick: None,
            hurry: true,
        }
    }

    #[cfg(test)]
    pub(super) fn unhurried(model: &str) -> Self {
        Streamed { hurry: false, ..Streamed::new(model) }
    }

    /// The quick way for the pieces of one block: nothing but the piece differs from the frame before.
    pub(super) fn hurry(&mut self, frame: &Text, events: &mut Events) -> bool {
        let Some(quick) = self.quick else { return false };
        let Some(piece) = core(frame).and_then(|core| self.repeat.piece(&core)) else { return false };
        self.piece(quick, piece, events);
        true
    }

    fn piece(&mut self, quick: Quick, piece: Text, events: &mut Events) {
        if piece.is_empty() {
            return;
        }
        match quick {
            Quick::Text => events.push_back(ChatEvent::Text(piece)),
            Quick::Tool { call, index } => {
                if let Some(Block::Tool { said, .. }) = self.blocks.get_mut(&index) {
                    *said = true;
                }
                events.push_back(ChatEvent::ToolInput { index: call, json: piece });
            }
        }
    }

    pub(super) fn begin(&mut self, message: Option<Message<'_>>, events: &mut Events) -> Result<()> {
        if self.began {
            return Err(Error::protocol("the message began twice"));
        }
        self.began = true;
        let message = message.ok_or_else(|| Error::protocol("message_start without its message"))?;
        if let Some(counts) = message.usage {
            self.counts.get_or_insert_default().replace(counts);
        }
        let model = message.model.as_deref().filter(|model| !model.is_empty()).unwrap_or(&self.model);
        events.push_back(ChatEvent::Started(Box::new(Started::new(ModelId::new(NAME, model)))));
        Ok(())
    }

    pub(super) fn block_begins(&mut self, index: u32, fields: Map<String, Value>, events: &mut Events) -> Result<()> {
        self.quick = None;
        if self.blocks.contains_key(&index) {
            return Err(Error::protocol("a block began twice"));
        }
        let string = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let block = match string("type") {
            "text" => {
                self.piece(Quick::Text, string("text").into(), events);
                Block::Text
            }
            "thinking" => {
                let thought = Thought { text: string("thinking").into(), signature: string("signature").into() };
                if !thought.text.is_empty() {
                    events.push_back(ChatEvent::Reasoning(thought.text.as_str().into()));
                }
                Block::Thinking(thought)
            }
            "tool_use" => {
                let call = self.calls;
                self.calls += 1;
                let (id, name) = (string("id").to_owned(), string("name").to_owned());
                if id.is_empty() || name.is_empty() {
                    return Err(Error::protocol("a tool is called without an id or a name"));
                }
                events.push_back(ChatEvent::ToolCall { index: call, id, name });
                let begun = fields.get("input").map(|input| Text::from(input.to_string()));
                Block::Tool { call, begun, said: false }
            }
            _ => Block::Other(Other { fields, input: String::new() }),
        };
        self.blocks.insert(index, block);
        Ok(())
    }

    fn block_grows(&mut self, index: u32, delta: &Delta<'_>, frame: &Text, events: &mut Events) -> Result<()> {
        let Some(block) = self.blocks.get_mut(&index) else {
            return Err(Error::protocol("a piece of a block that is not open"));
        };
        let quick = match (block, delta.kind.as_deref().unwrap_or_default()) {
            (Block::Text, "text_delta") => Quick::Text,
            (Block::Tool { call, .. }, "input_json_delta") => Quick::Tool { call: *call, index },
            (Block::Thinking(thought), "thinking_delta") => {
                if let Some(piece) = delta.thinking.as_ref().filter(|piece| !piece.is_empty()) {
                    thought.text.push_str(piece);
                    events.push_back(ChatEvent::Reasoning(piece.share(frame)));
                }
                return Ok(());
            }
            (Block::Thinking(thought), "signature_delta") => {
                thought.signature.push_str(delta.signature.as_deref().unwrap_or_default());
                return Ok(());
            }
            (Block::Other(other), _) => return other.grow(frame),
            (_, "text_delta" | "input_json_delta" | "thinking_delta") => {
                return Err(Error::protocol("a piece of another kind than its block"));
            }
            // Citations, and what may come yet.
            _ => return Ok(()),
        };
        let piece = match quick {
            Quick::Text => delta.text.as_ref(),
            Quick::Tool { .. } => delta.partial_json.as_ref(),
        };
        let Some(piece) = piece else { return Ok(()) };
        if self.hurry
            && let Some(core) = core(frame)
        {
            self.repeat.learn(&core, piece);
            self.quick = Some(quick);
        }
        let piece = piece.share(frame);
        self.piece(quick, piece, events);
        Ok(())
    }

    pub(super) fn block_ends(&mut self, index: u32, events: &mut Events) {
        self.quick = None;
        match self.blocks.remove(&index) {
            None | Some(Block::Text) => {}
            Some(Block::Tool { said: true, .. }) => {}
            Some(Block::Tool { call, begun, .. }) => self.silent.push((call, begun)),
            // Without its signature the provider does not take a thought back.
            Some(Block::Thinking(thought)) if thought.signature.is_empty() => {}
            Some(Block::Thinking(thought)) => events.push_back(opaque(Map::from_iter([
                ("type".to_owned(), "thinking".into()),
                ("thinking".to_owned(), thought.text.into()),
                ("signature".to_owned(), thought.signature.into()),
            ]))),
            Some(Block::Other(other)) => events.push_back(opaque(other.whole())),
        }
    }

    fn message_changes(&mut self, delta: Option<Delta<'_>>, counts: Option<Counts>) {
        if let Some(counts) = counts {
            self.counts.get_or_insert_default().replace(counts);
        }
        let Some(delta) = delta else { return };
        if let Some(reason) = delta.stop_reason.as_deref().filter(|reason| !reason.is_empty()) {
            self.stop = Some(stop(reason));
        }
        if let Some(explanation) = delta.stop_details.and_then(|details| details.explanation) {
            self.explanation = Some(explanation.into());
        }
    }

    pub(super) fn done(&mut self, events: &mut Events) {
        while let Some(index) = self.blocks.keys().next().copied() {
            self.block_ends(index, events);
        }
        // A call without input, which only the reason to stop tells from one that was cut off.
        let cut = |stop: &Stop| matches!(stop.reason, StopReason::Length | StopReason::Filtered);
        for (index, begun) in std::mem::take(&mut self.silent) {
            match begun.filter(|begun| *begun != "{}") {
                Some(json) => events.push_back(ChatEvent::ToolInput { index, json }),
                None if self.stop.as_ref().is_some_and(cut) => {}
                None => events.push_back(ChatEvent::ToolInput { index, json: Text::from_static("{}") }),
            }
        }
        if let Some(explanation) = self.explanation.take().filter(|text| !text.is_empty()) {
            events.push_back(ChatEvent::Refusal(explanation));
        }
        let mut done = Done::new(self.stop.take().unwrap_or_else(|| StopReason::Other.into()));
        done.usage = self.counts.map(Counts::usage);
        events.push_back(ChatEvent::Done(Box::new(done)));
    }
}

impl Decode for Streamed {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()> {
        let data = frame.data;
        if self.hurry(data, events) {
            return Ok(());
        }
        let event: Event<'_> = parse(data)?;
        let kind = event.kind.as_deref().unwrap_or_default();
        if kind == "error" || event.error.is_some() {
            let refusal = Refusal { error: event.error.unwrap_or_default(), request_id: event.request_id };
            return Err(inside(&refusal));
        }
        match kind {
            "message_start" => return self.begin(event.message, events),
            "content_block_start" | "content_block_delta" | "message_delta" | "message_stop" if !self.began => {
                return Err(Error::protocol("content before the message began"));
            }
            "content_block_start" => {
                let block =
                    event.content_block.ok_or_else(|| Error::protocol("content_block_start without a block"))?;
                return self.block_begins(event.index, block, events);
            }
            "content_block_delta" => {
                let delta = event.delta.ok_or_else(|| Error::protocol("content_block_delta without a piece"))?;
                return self.block_grows(event.index, &delta, data, events);
            }
            "content_block_stop" => self.block_ends(event.index, events),
            "message_delta" => self.message_changes(event.delta, event.usage),
            "message_stop" => self.done(events),
            // A ping, or what may come yet.
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, events: &mut Events) -> Result<()> {
        // With the reason to stop and every block closed, all is there but the goodbye.
        if self.stop.is_some() && self.blocks.is_empty() {
            self.done(events);
            return Ok(());
        }
        Err(Error::protocol("the stream was cut short before message_stop"))
    }
}

/// The frame without its last brace and the spaces before it, of which the provider sends any number.
fn core(frame: &Text) -> Option<Text> {
    let core = frame.trim_end().strip_suffix('}')?.trim_end_matches([' ', '\t', '\r', '\n']);
    Some(frame.slice_ref(core))
}

fn opaque(fields: Map<String, Value>) -> ChatEvent {
    ChatEvent::Opaque(Box::new(Opaque::new(NAME, Value::Object(fields))))
}

pub(super) fn stop(reason: &str) -> Stop {
    let unified = match reason {
        "end_turn" | "stop_sequence" => StopReason::End,
        "max_tokens" | "model_context_window_exceeded" => StopReason::Length,
        "tool_use" => StopReason::ToolUse,
        "refusal" => StopReason::Filtered,
        "pause_turn" => StopReason::Paused,
        _ => StopReason::Other,
    };
    Stop::new(unified, reason)
}
