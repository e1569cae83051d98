//! The reply, in lines or whole: the same JSON in both, many times or once.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::made::made_id;
use super::super::shared::{Str, count, parse};
use super::super::{Decode, Events, Frame};
use super::NAME;
use super::failure::{Told, inside};
use crate::{ChatEvent, Done, Error, ModelId, Opaque, Result, Started, Stop, StopReason, Text, Usage};

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    model: Option<Str<'a>>,
    #[serde(borrow, default)]
    created_at: Option<Str<'a>>,
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    #[serde(default)]
    done: Option<bool>,
    #[serde(borrow, default)]
    done_reason: Option<Str<'a>>,
    #[serde(default, deserialize_with = "count")]
    prompt_eval_count: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    eval_count: Option<u64>,
    #[serde(default)]
    error: Option<Told>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Option<Str<'a>>,
    #[serde(borrow, default)]
    thinking: Option<Str<'a>>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<Call<'a>>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow, default)]
    id: Option<Str<'a>>,
    #[serde(borrow)]
    function: Function<'a>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow, default)]
    name: Option<Str<'a>>,
    #[serde(default)]
    arguments: Option<Value>,
}

/// Decodes a reply.
pub(super) struct Reply {
    model: String,
    /// When the reply began, as the server says: it tells replies apart.
    began: Option<String>,
    calls: u32,
    thinking: String,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("model", &self.model).field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl Reply {
    pub(super) fn new(model: &str) -> Self {
        Reply { model: model.to_owned(), began: None, calls: 0, thinking: String::new() }
    }

    fn begin(&mut self, line: &Line<'_>, events: &mut Events) {
        self.began = Some(line.created_at.as_deref().unwrap_or_default().to_owned());
        let model = line.model.as_deref().filter(|model| !model.is_empty()).unwrap_or(&self.model);
        events.push_back(ChatEvent::Started(Box::new(Started::new(ModelId::new(NAME, model)))));
    }

    fn message(&mut self, message: Message<'_>, frame: &Text, events: &mut Events) -> Result<()> {
        if let Some(thinking) = message.thinking.filter(|thinking| !thinking.is_empty()) {
            self.thinking.push_str(&thinking);
            events.push_back(ChatEvent::Reasoning(thinking.share(frame)));
        }
        if let Some(content) = message.content.filter(|content| !content.is_empty()) {
            events.push_back(ChatEvent::Text(content.share(frame)));
        }
        for call in message.tool_calls.unwrap_or_default() {
            self.call(call, events)?;
        }
        Ok(())
    }

    fn call(&mut self, call: Call<'_>, events: &mut Events) -> Result<()> {
        let name = call.function.name.as_deref().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(Error::protocol("a tool is called without a name"));
        }
        let index = self.calls;
        self.calls += 1;
        let id = match call.id.as_deref() {
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => made_id(self.began.as_deref().unwrap_or_default(), index),
        };
        events.push_back(ChatEvent::ToolCall { index, id, name });
        let json = match call.function.arguments {
            None | Some(Value::Null) => "{}".to_owned(),
            // Some models' templates give the object as a string.
            Some(Value::String(json)) => json,
            Some(arguments) => arguments.to_string(),
        };
        events.push_back(ChatEvent::ToolInput { index, json: json.into() });
        Ok(())
    }

    fn done(&mut self, line: &Line<'_>, events: &mut Events) {
        // Between the calls of tools the model wants its thoughts back.
        if self.calls > 0 && !self.thinking.is_empty() {
            let thinking = std::mem::take(&mut self.thinking);
            events.push_back(ChatEvent::Opaque(Box::new(Opaque::new(NAME, json!({"thinking": thinking})))));
        }
        let mut done = Done::new(match line.done_reason.as_deref().filter(|reason| !reason.is_empty()) {
            Some(raw) => Stop::new(stop(raw, self.calls > 0), raw),
            // Older servers give no reason for the usual end.
            None => stop("stop", self.calls > 0).into(),
        });
        if line.prompt_eval_count.is_some() || line.eval_count.is_some() {
            done.usage = Some(Usage::new(line.prompt_eval_count.unwrap_or(0), line.eval_count.unwrap_or(0)));
        }
        events.push_back(ChatEvent::Done(Box::new(done)));
    }
}

impl Decode for Reply {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()> {
        let mut line: Line<'_> = parse(frame.data)?;
        if let Some(told) = &line.error {
            return Err(inside(told));
        }
        if self.began.is_none() {
            if line.message.is_none() && line.done.is_none() {
                return Err(Error::protocol("JSON that is no reply of a chat"));
            }
            self.begin(&line, events);
        }
        if let Some(message) = line.message.take() {
            self.message(message, frame.data, events)?;
        }
        if line.done == Some(true) {
            self.done(&line, events);
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Events) -> Result<()> {
        Err(Error::protocol("the reply was cut short before its last line"))
    }
}

fn stop(raw: &str, called: bool) -> StopReason {
    match raw {
        "stop" if called => StopReason::ToolUse,
        "stop" => StopReason::End,
        "length" => StopReason::Length,
        // `load` and `unload`: the server did something with the model and asked it nothing.
        _ => StopReason::Other,
    }
}
