//! The reply, in events or whole.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::shared::{Str, parse};
use super::super::{Decode, Events, Frame, Repeat};
use super::failure::{Refusal, inside};
use super::{NAME, failure};
use crate::{ChatEvent, Done, Error, ModelId, Opaque, Result, Started, Stop, StopReason, Text, Usage};

/// What is read of an event; which fields it has goes by its type.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Str<'a>>,
    #[serde(default)]
    index: u32,
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    #[serde(default)]
    content_block: Option<Map<String, Value>>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(borrow, default)]
    error: Option<failure::Detail<'a>>,
    #[serde(borrow, default)]
    request_id: Option<Str<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    model: Option<Str<'a>>,
    #[serde(default)]
    usage: Option<Counts>,
}

/// A piece of a block, or what changed in the message.
#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Str<'a>>,
    #[serde(borrow, default)]
    text: Option<Str<'a>>,
    #[serde(borrow, default)]
    thinking: Option<Str<'a>>,
    #[serde(borrow, default)]
    signature: Option<Str<'a>>,
    #[serde(borrow, default)]
    partial_json: Option<Str<'a>>,
    #[serde(borrow, default)]
    stop_reason: Option<Str<'a>>,
    #[serde(default)]
    stop_details: Option<StopDetails>,
}

#[derive(Deserialize)]
struct StopDetails {
    #[serde(default)]
    explanation: Option<String>,
}

/// Tokens so far. Each count replaces the one before; what is missing or null does not.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct Counts {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct OutputDetails {
    #[serde(default)]
    thinking_tokens: Option<u64>,
}

impl Counts {
    fn replace(&mut self, newer: Counts) {
        self.input_tokens = newer.input_tokens.or(self.input_tokens);
        self.cache_creation_input_tokens = newer.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.cache_read_input_tokens = newer.cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.output_tokens = newer.output_tokens.or(self.output_tokens);
        self.output_tokens_details = newer.output_tokens_details.or(self.output_tokens_details);
    }

    /// The provider's `input_tokens` are without those of its cache.
    fn usage(self) -> Usage {
        let cached = self.cache_read_input_tokens.unwrap_or(0);
        let cache_write = self.cache_creation_input_tokens.unwrap_or(0);
        let input = self.input_tokens.unwrap_or(0).saturating_add(cached).saturating_add(cache_write);
        let reasoning = self.output_tokens_details.and_then(|details| details.thinking_tokens).unwrap_or(0);
        let output = self.output_tokens.unwrap_or(0).max(reasoning);
        Usage { input, cached, cache_write, output, reasoning }
    }
}

/// A block of the reply that is not whole yet. What has a person's or a model's words in it is silent in `Debug`.
#[derive(Debug)]
enum Block {
    Text,
    Thinking(Thought),
    Tool {
        call: u32,
        begun: Option<Text>,
        said: bool,
    },
    /// What only the provider understands: a safety-encrypted thought, or what its own tools did.
    Other(Other),
}

#[derive(Default)]
struct Thought {
    text: String,
    signature: String,
}

struct Other {
    fields: Map<String, Value>,
    input: String,
}

impl std::fmt::Debug for Thought {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Thought").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Other {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Other").finish_non_exhaustive()
    }
}

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
    counts: Option<Counts>,
    stop: Option<Stop>,
    explanation: Option<Text>,
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

    fn begin(&mut self, message: Option<Message<'_>>, events: &mut Events) -> Result<()> {
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

    fn block_begins(&mut self, index: u32, fields: Map<String, Value>, events: &mut Events) -> Result<()> {
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

    fn block_ends(&mut self, index: u32, events: &mut Events) {
        self.quick = None;
        match self.blocks.remove(&index) {
            None | Some(Block::Text) => {}
            Some(Block::Tool { said: true, .. }) => {}
            Some(Block::Tool { call, begun, .. }) => {
                let json = begun.unwrap_or_else(|| Text::from_static("{}"));
                events.push_back(ChatEvent::ToolInput { index: call, json });
            }
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

    fn done(&mut self, events: &mut Events) {
        while let Some(index) = self.blocks.keys().next().copied() {
            self.block_ends(index, events);
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

impl Other {
    /// Adds a piece of a kind that is not known here: strings to the field of the same name, citations to theirs.
    fn grow(&mut self, frame: &Text) -> Result<()> {
        #[derive(Deserialize)]
        struct Piece {
            #[serde(default)]
            delta: Map<String, Value>,
        }
        for (name, value) in parse::<Piece>(frame)?.delta {
            match (name.as_str(), value) {
                ("type", _) => {}
                ("partial_json", Value::String(piece)) => self.input.push_str(&piece),
                ("citation", citation) => {
                    match self.fields.entry("citations").or_insert_with(|| Value::Array(vec![])) {
                        Value::Array(citations) => citations.push(citation),
                        other => *other = Value::Array(vec![citation]),
                    }
                }
                (_, Value::String(piece)) => match self.fields.get_mut(&name) {
                    Some(Value::String(whole)) => whole.push_str(&piece),
                    _ => drop(self.fields.insert(name, piece.into())),
                },
                (_, value) => drop(self.fields.insert(name, value)),
            }
        }
        Ok(())
    }

    fn whole(mut self) -> Map<String, Value> {
        if let Ok(input) = serde_json::from_str::<Value>(&self.input) {
            self.fields.insert("input".to_owned(), input);
        }
        self.fields
    }
}

/// Decodes a body in one piece.
#[derive(Debug)]
pub(super) struct Whole {
    streamed: Streamed,
}

impl Whole {
    pub(super) fn new(model: &str) -> Self {
        Whole { streamed: Streamed::new(model) }
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    model: Option<Str<'a>>,
    #[serde(default)]
    content: Option<Vec<Map<String, Value>>>,
    #[serde(borrow, default)]
    stop_reason: Option<Str<'a>>,
    #[serde(default)]
    stop_details: Option<StopDetails>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(borrow, default)]
    error: Option<failure::Detail<'a>>,
    #[serde(borrow, default)]
    request_id: Option<Str<'a>>,
}

impl Decode for Whole {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()> {
        let body: Body<'_> = parse(frame.data)?;
        if let Some(error) = body.error {
            return Err(inside(&Refusal { error, request_id: body.request_id }));
        }
        let content = body.content.ok_or_else(|| Error::protocol("a message without content"))?;
        let streamed = &mut self.streamed;
        streamed.begin(Some(Message { model: body.model, usage: body.usage }), events)?;
        for fields in content {
            // A whole block is one that begins with all that it has.
            streamed.block_begins(0, fields, events)?;
            streamed.block_ends(0, events);
        }
        if let Some(reason) = body.stop_reason.as_deref() {
            streamed.stop = Some(stop(reason));
        }
        streamed.explanation = body.stop_details.and_then(|details| details.explanation).map(Text::from);
        streamed.done(events);
        Ok(())
    }

    fn end(&mut self, _: &mut Events) -> Result<()> {
        Err(Error::protocol("an empty body"))
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

fn stop(reason: &str) -> Stop {
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
