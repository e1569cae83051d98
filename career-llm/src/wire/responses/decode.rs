//! Events of Responses, or a whole response, as events of ours.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::event::{Event, Item, RawItem, RawOutput, Response};
use crate::wire::openai::errors;
use crate::wire::openai::loose::Object;
use crate::wire::openai::pieces::{number, text};
use crate::wire::{Decode, Events, Frame};
use crate::{ChatEvent, Delivery, Done, Error, ModelId, Opaque, Result, Started, Stop, StopReason, Text};

/// Decodes a stream or a whole response.
#[derive(Debug)]
pub(super) struct Decoder {
    provider: Arc<str>,
    asked: Arc<str>,
    whole: bool,
    started: bool,
    done: bool,
    refused: bool,
    calls: Vec<Known>,
}

/// A tool call that has begun.
#[derive(Debug)]
struct Known {
    /// The place of its item in the output.
    place: Option<u64>,
    id: String,
    fed: bool,
}

impl Decoder {
    pub(super) fn new(provider: Arc<str>, model: &str, delivery: Delivery) -> Self {
        Decoder {
            provider,
            asked: model.into(),
            whole: delivery == Delivery::Whole,
            started: false,
            done: false,
            refused: false,
            calls: Vec::new(),
        }
    }
}

impl Decode for Decoder {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()> {
        let data = frame.data;
        // Some servers end with the other protocol's mark; the end of this one was before it, or is missing.
        if self.done || data.trim() == "[DONE]" {
            return Ok(());
        }
        if self.whole {
            return self.whole(data, events);
        }
        if frame.event == "error" {
            return Err(errors::inside(data));
        }
        let event: Object<Event<'_>> = serde_json::from_str(data).map_err(|error| errors::bad_json(&error))?;
        let Some(event) = event.0 else {
            return Err(Error::protocol("expected an event, found no JSON object"));
        };
        self.event(event, data, events)
    }

    fn end(&mut self, _events: &mut Events) -> Result<()> {
        if self.done { Ok(()) } else { Err(Error::protocol("the reply was cut short")) }
    }
}

impl Decoder {
    fn event(&mut self, event: Event<'_>, data: &Text, events: &mut Events) -> Result<()> {
        match &*event.kind.0 {
            "response.output_text.delta" => {
                self.start("", events);
                events.extend(text(data, event.delta.0).map(ChatEvent::Text));
            }
            "response.refusal.delta" => {
                self.start("", events);
                self.refusal(text(data, event.delta.0), events);
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                self.start("", events);
                events.extend(text(data, event.delta.0).map(ChatEvent::Reasoning));
            }
            "response.reasoning_summary_part.added" if event.summary_index.0.is_some_and(|index| index > 0) => {
                self.start("", events);
                events.push_back(ChatEvent::Reasoning(Text::from_static("\n\n")));
            }
            "response.function_call_arguments.delta" => {
                let call = self.calls.iter().rposition(|call| call.place == event.output_index.0);
                let Some(at) = call else {
                    return Err(Error::protocol("a piece of a tool call that never began"));
                };
                self.feed(at, text(data, event.delta.0), events);
            }
            "response.function_call_arguments.done" => {
                let call = self.calls.iter().rposition(|call| call.place == event.output_index.0);
                if let Some(at) = call.filter(|at| !self.calls[*at].fed) {
                    self.feed(at, text(data, event.arguments.0), events);
                }
            }
            "response.output_item.added" => {
                if let Some(item) = event.item.0.filter(|item| item.kind.0 == "function_call") {
                    self.start("", events);
                    self.call(item.call_id.0, item.name.0, event.output_index.0, events)?;
                }
            }
            "response.output_item.done" => {
                let Some(item) = event.item.0 else { return Ok(()) };
                self.start("", events);
                self.item_done(item, event.output_index.0, data, events)?;
            }
            "response.created" | "response.queued" | "response.in_progress" => {
                self.start(event.response.0.as_ref().map_or("", |response| &response.model.0), events);
            }
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
                let Some(response) = event.response.0 else {
                    return Err(Error::protocol("expected a response at the end"));
                };
                self.finish(response, &event.kind.0["response.".len()..], events)?;
            }
            "error" => return Err(errors::inside(data)),
            _ if event.error.0 => return Err(errors::inside(data)),
            // Parts that begin and end, other tools, and what there will be.
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, data: &Text, events: &mut Events) -> Result<()> {
        let response: Object<Response<'_>> = serde_json::from_str(data).map_err(|error| errors::bad_json(&error))?;
        let Some(mut response) = response.0 else {
            let error = errors::told(data);
            return Err(error.unwrap_or_else(|| Error::protocol("expected a response, found no JSON object")));
        };
        let Some(output) = response.output.take() else {
            let error = errors::told(data);
            return Err(error.unwrap_or_else(|| Error::protocol("the response has no output")));
        };
        let status = response.status.0.clone();
        if status == "failed" || status == "cancelled" {
            return self.finish(response, &status, events);
        }
        self.start(&response.model.0, events);
        let thinks = output.0.iter().any(|item| item.encrypted_content.0);
        let mut raw = if thinks { thoughts(data)?.into_iter() } else { Vec::new().into_iter() };
        for item in output.0 {
            let piece = |piece: Cow<'_, str>| text(data, piece);
            for (at, thought) in item.summary.0.into_iter().enumerate() {
                if at > 0 {
                    events.push_back(ChatEvent::Reasoning(Text::from_static("\n\n")));
                }
                events.extend(piece(thought.text.0).map(ChatEvent::Reasoning));
            }
            match &*item.kind.0 {
                "message" => {
                    for part in item.content.0 {
                        events.extend(piece(part.text.0).map(ChatEvent::Text));
                        self.refusal(piece(part.refusal.0), events);
                    }
                }
                "function_call" => {
                    let at = self.call(item.call_id.0, item.name.0, None, events)?;
                    self.feed(at, piece(item.arguments.0), events);
                }
                "reasoning" if item.encrypted_content.0 => {
                    if let Some(thought) = raw.next() {
                        events.push_back(self.opaque(thought));
                    }
                }
                _ => {}
            }
        }
        self.finish(response, &status, events)
    }

    fn start(&mut self, model: &str, events: &mut Events) {
        if self.started {
            return;
        }
        self.started = true;
        let model = if model.is_empty() { self.asked.clone() } else { Arc::from(model) };
        let id = ModelId { provider: self.provider.clone(), model };
        events.push_back(ChatEvent::Started(Box::new(Started::new(id))));
    }

    fn refusal(&mut self, piece: Option<Text>, events: &mut Events) {
        if let Some(piece) = piece {
            self.refused = true;
            events.push_back(ChatEvent::Refusal(piece));
        }
    }

    /// A call begins; gives its place among the calls.
    fn call(&mut self, id: Cow<'_, str>, name: Cow<'_, str>, place: Option<u64>, events: &mut Events) -> Result<usize> {
        if name.is_empty() {
            return Err(Error::protocol("a tool call without a name"));
        }
        let id = if id.is_empty() { format!("call_{:016x}", fastrand::u64(..)) } else { id.into_owned() };
        self.calls.push(Known { place, id: id.clone(), fed: false });
        let at = self.calls.len() - 1;
        events.push_back(ChatEvent::ToolCall { index: number(at), id, name: name.into_owned() });
        Ok(at)
    }

    fn feed(&mut self, at: usize, json: Option<Text>, events: &mut Events) {
        if let (Some(json), Some(call)) = (json, self.calls.get_mut(at)) {
            call.fed = true;
            events.push_back(ChatEvent::ToolInput { index: number(at), json });
        }
    }

    /// An item is whole. Some servers send a call only now.
    fn item_done(&mut self, item: Item<'_>, place: Option<u64>, data: &Text, events: &mut Events) -> Result<()> {
        match &*item.kind.0 {
            "function_call" => {
                let id = &item.call_id.0;
                let known = |call: &Known| call.place == place && (id.is_empty() || call.id == **id);
                let at = match self.calls.iter().rposition(known) {
                    Some(at) => at,
                    None => self.call(item.call_id.0, item.name.0, place, events)?,
                };
                if !self.calls[at].fed {
                    self.feed(at, text(data, item.arguments.0), events);
                }
            }
            "reasoning" if item.encrypted_content.0 => {
                let raw: RawItem = serde_json::from_str(data).map_err(|error| errors::bad_json(&error))?;
                events.push_back(self.opaque(raw.item));
            }
            _ => {}
        }
        Ok(())
    }

    fn opaque(&self, value: Value) -> ChatEvent {
        ChatEvent::Opaque(Box::new(Opaque::new(&*self.provider, value)))
    }

    /// The end, with this status.
    fn finish(&mut self, response: Response<'_>, status: &str, events: &mut Events) -> Result<()> {
        let stop = match status {
            "completed" if self.refused => Stop::new(StopReason::Filtered, status),
            "completed" if !self.calls.is_empty() => Stop::new(StopReason::ToolUse, status),
            "completed" => Stop::new(StopReason::End, status),
            "incomplete" => {
                let reason = response.incomplete_details.0.unwrap_or_default().reason.0;
                match &*reason {
                    "max_output_tokens" | "max_tokens" => Stop::new(StopReason::Length, reason),
                    "content_filter" => Stop::new(StopReason::Filtered, reason),
                    "" => Stop::new(StopReason::Other, status),
                    _ => Stop::new(StopReason::Other, reason),
                }
            }
            "failed" => {
                let failure = response.error.0.unwrap_or_default();
                return Err(errors::under(&failure.into_value()));
            }
            _ => return Err(Error::protocol("the response ended, and is neither complete nor failed")),
        };
        self.start(&response.model.0, events);
        for at in 0..self.calls.len() {
            // A tool without input is called with an empty object; one that was cut off is not.
            if !self.calls[at].fed && status == "completed" {
                self.feed(at, Some(Text::from_static("{}")), events);
            }
        }
        self.done = true;
        let mut done = Done::new(stop);
        done.usage = response.usage.0.and_then(|tally| tally.usage());
        events.push_back(ChatEvent::Done(Box::new(done)));
        Ok(())
    }
}

/// The thoughts of a whole response as they are, in order.
fn thoughts(data: &str) -> Result<Vec<Value>> {
    let raw: RawOutput = serde_json::from_str(data).map_err(|error| errors::bad_json(&error))?;
    let encrypted = |item: &Value| match &item["encrypted_content"] {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    Ok(raw.output.into_iter().filter(|item| item["type"] == "reasoning" && encrypted(item)).collect())
}
