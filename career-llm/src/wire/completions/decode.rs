//! Chunks of Chat Completions as events.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::json;

use super::chunk::{Call, Choice, Chunk, Said, Tally};
use crate::wire::openai::errors;
use crate::wire::openai::loose::Object;
use crate::wire::openai::pieces::{number, text};
use crate::wire::{Decode, Events, Frame, Repeat};
use crate::{
    ChatEvent, Delivery, Done, Error, ErrorKind, ModelId, Opaque, Result, Started, Stop, StopReason, Text, Usage,
};

/// Decodes a stream or a whole reply.
#[derive(Debug)]
pub(super) struct Decoder {
    provider: Arc<str>,
    asked: Arc<str>,
    whole: bool,
    repeat: Repeat,
    started: bool,
    done: bool,
    stop: Option<Stop>,
    usage: Option<Usage>,
    refused: bool,
    calls: Vec<Known>,
    /// The thoughts so far, where the model wants them back.
    thoughts: Option<Vec<Text>>,
}

/// A tool call that has begun.
#[derive(Debug)]
struct Known {
    /// The index that the server gave it.
    index: Option<u64>,
    id: String,
    fed: bool,
}

impl Decoder {
    pub(super) fn new(provider: Arc<str>, model: &str, delivery: Delivery, reasoning_back: bool) -> Self {
        Decoder {
            provider,
            asked: model.into(),
            whole: delivery == Delivery::Whole,
            repeat: Repeat::default(),
            started: false,
            done: false,
            stop: None,
            usage: None,
            refused: false,
            calls: Vec::new(),
            thoughts: reasoning_back.then(Vec::new),
        }
    }
}

impl Decode for Decoder {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()> {
        // Only a chunk that holds nothing but a piece of text is learnt, so one like it can be nothing else.
        if frame.event != "error"
            && let Some(piece) = self.repeat.piece(frame.data)
        {
            if !piece.is_empty() {
                events.push_back(ChatEvent::Text(piece));
            }
            return Ok(());
        }
        self.parse(frame, events)
    }

    fn end(&mut self, events: &mut Events) -> Result<()> {
        if self.done {
            return Ok(());
        }
        if self.whole || self.stop.is_none() {
            return Err(Error::protocol("the reply was cut short"));
        }
        self.finish(events)
    }
}

impl Decoder {
    /// The way that is always right.
    pub(super) fn parse(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()> {
        let data = frame.data;
        if self.done {
            return Ok(());
        }
        if frame.event == "error" {
            return Err(errors::inside(data));
        }
        if !self.whole && data.trim() == "[DONE]" {
            return self.finish(events);
        }
        let chunk: Object<Chunk<'_>> = serde_json::from_str(data).map_err(|error| errors::bad_json(&error))?;
        let Some(chunk) = chunk.0 else {
            let error = errors::told(data);
            return Err(error.unwrap_or_else(|| Error::protocol("expected a piece of a reply, found no JSON object")));
        };
        self.chunk(chunk, data, events)
    }

    fn chunk(&mut self, chunk: Chunk<'_>, data: &Text, events: &mut Events) -> Result<()> {
        let groq = chunk.x_groq.0.unwrap_or_default();
        if chunk.error.0 || groq.error.0 {
            return Err(errors::inside(data));
        }
        let tally = chunk.usage.0.as_ref().and_then(Tally::usage);
        let usage = tally.or_else(|| groq.usage.0.as_ref().and_then(Tally::usage));
        let alone = usage.is_none() && !chunk.choices.others;
        self.usage = usage.or(self.usage);

        let there = chunk.choices.there;
        let Some(choice) = chunk.choices.first else {
            if !there && let Some(error) = errors::told(data) {
                return Err(error);
            }
            return if self.whole { Err(Error::protocol("the reply has no choices")) } else { Ok(()) };
        };
        if !self.started {
            self.started = true;
            let model = if chunk.model.is_empty() { self.asked.clone() } else { Arc::from(&*chunk.model.0) };
            let id = ModelId { provider: self.provider.clone(), model };
            events.push_back(ChatEvent::Started(Box::new(Started::new(id))));
        }
        self.choice(choice, alone, data, events)?;
        if self.whole { self.finish(events) } else { Ok(()) }
    }

    /// `alone`: there is nothing beside this choice that means anything.
    fn choice(&mut self, choice: Choice<'_>, alone: bool, data: &Text, events: &mut Events) -> Result<()> {
        let stops = !choice.finish_reason.is_empty();
        if stops {
            self.stop = Some(stop(&choice.finish_reason.0)?);
        }
        // Some send the whole reply as the only chunk of a stream; some send the reply so far beside each piece.
        let (delta, message) = (choice.delta.0, choice.message.0);
        let said = if self.whole { message.or(delta) } else { delta.or(message) };
        let Some(Said { content, reasoning_content, reasoning, refusal, tool_calls }) = said else { return Ok(()) };

        // Where both are there, they are the same.
        let thoughts = if reasoning_content.is_empty() { reasoning.0 } else { reasoning_content.0 };
        let thoughts = if thoughts.is_empty() { Cow::Owned(content.thoughts) } else { thoughts };
        if alone
            && !stops
            && !self.whole
            && thoughts.is_empty()
            && refusal.is_empty()
            && tool_calls.0.is_empty()
            && let Cow::Borrowed(piece) = content.text
            && !piece.is_empty()
        {
            self.repeat.learn(data, piece);
        }
        if let Some(thoughts) = text(data, thoughts) {
            if let Some(kept) = &mut self.thoughts {
                kept.push(thoughts.clone());
            }
            events.push_back(ChatEvent::Reasoning(thoughts));
        }
        events.extend(text(data, content.text).map(ChatEvent::Text));
        if let Some(refusal) = text(data, refusal.0) {
            self.refused = true;
            events.push_back(ChatEvent::Refusal(refusal));
        }
        tool_calls.0.into_iter().try_for_each(|call| self.call(call, data, events))
    }

    /// A tool call, or a piece of one. Servers number them, or repeat their ids, or neither.
    fn call(&mut self, call: Call<'_>, data: &Text, events: &mut Events) -> Result<()> {
        let function = call.function.0.unwrap_or_default();
        let (index, id, name) = (call.index.0, call.id.0, function.name.0);
        let at = match index {
            Some(_) => self.calls.iter().rposition(|known| known.index == index),
            None if !id.is_empty() => self.calls.iter().rposition(|known| known.id == id),
            None if !name.is_empty() => None,
            None => self.calls.len().checked_sub(1),
        };
        // The same number for another call: some count all of them as the first.
        let at = at.filter(|at| id.is_empty() || name.is_empty() || self.calls[*at].id == id);
        let at = match at {
            Some(at) => at,
            None if name.is_empty() => return Err(Error::protocol("a piece of a tool call that never began")),
            None => {
                let id = if id.is_empty() { format!("call_{:016x}", fastrand::u64(..)) } else { id.into_owned() };
                self.calls.push(Known { index, id: id.clone(), fed: false });
                let at = self.calls.len() - 1;
                events.push_back(ChatEvent::ToolCall { index: number(at), id, name: name.into_owned() });
                at
            }
        };
        if let Some(json) = text(data, function.arguments.0) {
            self.calls[at].fed = true;
            events.push_back(ChatEvent::ToolInput { index: number(at), json });
        }
        Ok(())
    }

    fn finish(&mut self, events: &mut Events) -> Result<()> {
        if !self.started {
            return Err(Error::protocol("the reply ended before it began"));
        }
        self.done = true;
        self.repeat = Repeat::default();
        let mut stop = self.stop.take().unwrap_or(StopReason::Other.into());
        // A tool without input is called with an empty object, which some servers leave out. One that was cut off is not.
        if !matches!(stop.reason, StopReason::Length | StopReason::Filtered) {
            for (at, _) in self.calls.iter().enumerate().filter(|(_, call)| !call.fed) {
                events.push_back(ChatEvent::ToolInput { index: number(at), json: Text::from_static("{}") });
            }
        }
        if let Some(thoughts) = self.thoughts.take_if(|thoughts| !thoughts.is_empty()) {
            let whole = thoughts.iter().map(Text::as_str).collect::<String>();
            let opaque = Opaque::new(&*self.provider, json!({ "reasoning_content": whole }));
            events.push_back(ChatEvent::Opaque(Box::new(opaque)));
        }
        let unsaid = stop.raw.is_none();
        if stop.reason == StopReason::End || unsaid {
            if self.refused {
                stop.reason = StopReason::Filtered;
            } else if !self.calls.is_empty() {
                stop.reason = StopReason::ToolUse;
            }
        }
        let mut done = Done::new(stop);
        done.usage = self.usage;
        events.push_back(ChatEvent::Done(Box::new(done)));
        Ok(())
    }
}

/// Why the model stopped, or that it did not: it broke off.
fn stop(raw: &str) -> Result<Stop> {
    let reason = match raw {
        "stop" | "eos" | "end_turn" | "stop_sequence" => StopReason::End,
        "length" | "max_tokens" | "model_length" => StopReason::Length,
        "tool_calls" | "function_call" | "tool_use" => StopReason::ToolUse,
        "content_filter" | "refusal" | "sensitive" => StopReason::Filtered,
        "error" | "insufficient_system_resource" | "network_error" => {
            let error = Error::new(ErrorKind::Overloaded, "the provider broke the reply off");
            return Err(error.with_status(200).with_code(raw));
        }
        _ => StopReason::Other,
    };
    Ok(Stop::new(reason, raw))
}
