//! The reply, in events or whole: the same JSON in both, once or many times.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::made::made_id;
use super::super::shared::parse;
use super::super::{Decode, Events, Frame};
use super::NAME;
use super::encode::SIGNATURE;
use super::failure::inside;
use super::json::{Candidate, Chunk, Counts, Feedback, FunctionCall, Part};
use crate::{ChatEvent, Done, Error, ErrorKind, ModelId, Opaque, Result, Scope, Started, Stop, StopReason, Text};

/// Decodes a reply.
#[derive(Debug)]
pub(super) struct Reply {
    model: String,
    whole: bool,
    began: bool,
    id: String,
    calls: u32,
    counts: Option<Counts>,
    stop: Option<String>,
}

impl Reply {
    pub(super) fn streamed(model: &str) -> Self {
        Reply {
            model: model.to_owned(),
            whole: false,
            began: false,
            id: String::new(),
            calls: 0,
            counts: None,
            stop: None,
        }
    }

    pub(super) fn whole(model: &str) -> Self {
        Reply { whole: true, ..Reply::streamed(model) }
    }

    fn begin(&mut self, chunk: &Chunk<'_>, events: &mut Events) {
        self.began = true;
        let model = chunk.model_version.as_deref().filter(|model| !model.is_empty()).unwrap_or(&self.model);
        let mut started = Started::new(ModelId::new(NAME, model));
        if let Some(id) = chunk.response_id.as_deref().filter(|id| !id.is_empty()) {
            id.clone_into(&mut self.id);
            started.request_id = Some(id.to_owned());
        }
        events.push_back(ChatEvent::Started(Box::new(started)));
    }

    fn candidate(&mut self, candidate: Candidate<'_>, frame: &Text, events: &mut Events) -> Result<()> {
        for part in candidate.content.and_then(|content| content.parts).unwrap_or_default() {
            self.part(part, frame, events)?;
        }
        let reason = candidate.finish_reason.as_deref().unwrap_or_default();
        match reason {
            "" | "FINISH_REASON_UNSPECIFIED" => {}
            "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "MALFORMED_RESPONSE" => {
                let error = Error::protocol("the model called a tool in a way that cannot be read").with_code(reason);
                let error = error.with_status(StatusCode::OK.as_u16());
                return Err(match candidate.finish_message {
                    Some(message) => error.with_provider_message(&*message),
                    None => error,
                });
            }
            _ => self.stop = Some(reason.to_owned()),
        }
        Ok(())
    }

    fn part(&mut self, part: Part<'_>, frame: &Text, events: &mut Events) -> Result<()> {
        let signature = part.thought_signature.filter(|signature| !signature.is_empty());
        if let Some(call) = part.function_call {
            // Before the call, for it is to stand in the same part again.
            if let Some(signature) = signature {
                events.push_back(opaque(json!({SIGNATURE: *signature})));
            }
            return self.call(call, events);
        }
        let others = [
            ("executableCode", part.executable_code),
            ("codeExecutionResult", part.code_execution_result),
            ("inlineData", part.inline_data),
        ];
        let mut kept: Map<String, Value> =
            others.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let thought = part.thought.unwrap_or(false);
        if let Some(text) = part.text.as_ref().filter(|text| !text.is_empty()) {
            let text = text.share(frame);
            events.push_back(if thought { ChatEvent::Reasoning(text) } else { ChatEvent::Text(text) });
        }
        if let Some(signature) = signature {
            // After the text, in a part of its own: the text is joined with what follows.
            if kept.is_empty() {
                kept.insert("text".to_owned(), "".into());
            }
            if thought {
                kept.insert("thought".to_owned(), true.into());
            }
            kept.insert(SIGNATURE.to_owned(), (*signature).into());
        }
        if !kept.is_empty() {
            events.push_back(opaque(kept.into()));
        }
        Ok(())
    }

    fn call(&mut self, call: FunctionCall<'_>, events: &mut Events) -> Result<()> {
        let name = call.name.as_deref().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(Error::protocol("a tool is called without a name"));
        }
        let index = self.calls;
        self.calls += 1;
        let id = match call.id.as_deref() {
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => made_id(&self.id, index),
        };
        events.push_back(ChatEvent::ToolCall { index, id, name });
        let json = call.args.filter(|args| !args.is_null()).map_or_else(|| "{}".to_owned(), |args| args.to_string());
        events.push_back(ChatEvent::ToolInput { index, json: json.into() });
        Ok(())
    }

    fn done(&mut self, events: &mut Events) {
        let stop = match self.stop.take() {
            Some(raw) => Stop::new(stop(&raw, self.calls > 0), raw),
            None => StopReason::Other.into(),
        };
        let mut done = Done::new(stop);
        done.usage = self.counts.map(Counts::usage);
        events.push_back(ChatEvent::Done(Box::new(done)));
    }
}

impl Decode for Reply {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()> {
        let chunk: Chunk<'_> = parse(frame.data)?;
        if let Some(error) = &chunk.error {
            return Err(inside(error));
        }
        let empty = chunk.candidates.as_ref().is_none_or(Vec::is_empty);
        if let Some(error) = chunk.prompt_feedback.as_ref().filter(|_| empty).and_then(blocked) {
            return Err(match &chunk.response_id {
                Some(id) => error.with_request_id(&**id),
                None => error,
            });
        }
        if self.whole && empty {
            return Err(Error::protocol("a reply without candidates, and no reason for it"));
        }
        if !self.began {
            self.begin(&chunk, events);
        }
        if let Some(counts) = chunk.usage_metadata {
            self.counts.get_or_insert_default().replace(counts);
        }
        // One reply is asked for; others can only come by an extra field.
        let first = chunk.candidates.into_iter().flatten().find(|candidate| candidate.index.unwrap_or(0) == 0);
        if let Some(candidate) = first {
            self.candidate(candidate, frame.data, events)?;
        }
        if self.whole {
            self.done(events);
        }
        Ok(())
    }

    /// There is no goodbye: a stream is whole when it ends after a reason to stop.
    fn end(&mut self, events: &mut Events) -> Result<()> {
        if self.stop.is_none() {
            return Err(Error::protocol("the stream was cut short before a finishReason"));
        }
        self.done(events);
        Ok(())
    }
}

/// The prompt was refused before a model saw it.
fn blocked(feedback: &Feedback<'_>) -> Option<Error> {
    let reason = feedback.block_reason.as_deref().filter(|reason| !reason.is_empty())?;
    let error = Error::new(ErrorKind::Filtered, "the prompt was blocked")
        .with_scope(Scope::Nowhere)
        .with_status(StatusCode::OK.as_u16())
        .with_code(reason);
    Some(match &feedback.block_reason_message {
        Some(message) => error.with_provider_message(&**message),
        None => error,
    })
}

fn opaque(value: Value) -> ChatEvent {
    ChatEvent::Opaque(Box::new(Opaque::new(NAME, value)))
}

fn stop(raw: &str, called: bool) -> StopReason {
    match raw {
        "STOP" if called => StopReason::ToolUse,
        "STOP" => StopReason::End,
        "MAX_TOKENS" => StopReason::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => StopReason::Filtered,
        _ => StopReason::Other,
    }
}
