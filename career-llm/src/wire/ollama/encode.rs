//! The request as a body.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};

use super::super::Encoded;
use super::super::asked::{ask, system, tool_input};
use super::super::families::Families;
use super::super::made::is_made;
use super::super::shared::{arguments, decimal, put_over, turns};
use super::{CONTEXT_MAX, CONTEXT_MIN, NAME};
use crate::schema::Dialect;
use crate::{ChatRequest, Delivery, Effort, Error, ErrorKind, Image, Part, Result, Role, Text, ToolChoice, ToolResult};

/// What the models of each family take.
static MODELS: LazyLock<Families> = LazyLock::new(|| Families::read(include_str!("models.txt")));

/// Tokens that a picture can have: what the usual vision models make of one.
const IMAGE_TOKENS: usize = 1_536;

/// Tokens of the marks around a turn.
const TURN_TOKENS: usize = 16;

/// Tokens kept for the reply where the request does not say.
const REPLY_TOKENS: usize = 2_048;

pub(super) fn encode(request: &ChatRequest, model: &str, context: Option<u32>) -> Result<Encoded> {
    if matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Named(_)) {
        return Err(Error::new(ErrorKind::Unsupported, "a tool that must be used"));
    }
    let tools = !request.tools.is_empty() && request.tool_choice != ToolChoice::None;
    let asked = ask(request.output.as_ref(), (!tools).then_some(Dialect::Full));
    let system = system(request, asked.words);
    let mut said = Vec::new();
    if let Some(system) = &system {
        said.push(json!({"role": "system", "content": system}));
    }
    for (role, parts) in turns(request) {
        match role {
            Role::User => user(&parts, &mut said)?,
            Role::Assistant => said.extend(assistant(&parts)),
        }
    }
    let mut body = Map::new();
    if tools {
        body.insert("tools".into(), functions(request));
    }
    if let Some(schema) = asked.schema {
        body.insert("format".into(), schema);
    }
    let needed = tokens(request, system.as_deref(), &body);
    body.insert("model".into(), model.into());
    body.insert("messages".into(), said.into());
    body.insert("stream".into(), (request.delivery == Delivery::Streamed).into());
    body.insert("options".into(), options(request, window(needed, context)?).into());
    // What does not fit is to be refused, not cut. Older servers do not know these fields.
    body.insert("truncate".into(), false.into());
    body.insert("shift".into(), false.into());
    if let Some(effort) = request.effort {
        body.insert("think".into(), think(effort, model));
    }
    let mut encoded = Encoded::new("/api/chat", put_over(body, request, NAME));
    encoded.schema = asked.report.map(Arc::new);
    Ok(encoded)
}

/// Each result of a tool in a message of its own, then words and pictures in one.
fn user(parts: &[&Part], said: &mut Vec<Value>) -> Result<()> {
    let (mut texts, mut images): (Vec<&str>, Vec<Value>) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Part::Text(text) => texts.push(text),
            Part::Image(Image::Bytes { data, .. }) => images.push(data.to_base64().into()),
            Part::Image(Image::Url(_)) => {
                return Err(Error::new(ErrorKind::Unsupported, "a picture by its address"));
            }
            Part::ToolResult(result) => said.push(tool(result)),
            Part::ToolCall(_) | Part::Opaque(_) => {}
        }
    }
    if texts.is_empty() && images.is_empty() {
        return Ok(());
    }
    let mut turn = json!({"role": "user", "content": texts.join("\n")});
    if !images.is_empty() {
        turn["images"] = images.into();
    }
    said.push(turn);
    Ok(())
}

fn tool(result: &ToolResult) -> Value {
    // There is no field for a failure.
    let content =
        if result.failed { format!("The tool failed: {}", result.content).into() } else { result.content.clone() };
    let mut turn = json!({"role": "tool", "tool_name": result.name, "content": content});
    if !is_made(&result.call) {
        turn["tool_call_id"] = result.call.as_str().into();
    }
    turn
}

fn assistant(parts: &[&Part]) -> Option<Value> {
    let words: String = parts.iter().filter_map(|part| part.as_text().map(Text::as_str)).collect();
    let mut turn = json!({"role": "assistant", "content": words});
    let mut calls = Vec::new();
    for part in parts {
        match part {
            Part::ToolCall(call) => {
                let mut said = json!({"function": {"name": call.name, "arguments": arguments(call)}});
                if !is_made(&call.id) {
                    said["id"] = call.id.as_str().into();
                }
                calls.push(said);
            }
            Part::Opaque(opaque) if opaque.provider == NAME => {
                if let Some(thinking) = opaque.value.get("thinking") {
                    turn["thinking"] = thinking.clone();
                }
            }
            _ => {}
        }
    }
    let silent = calls.is_empty() && turn["content"] == "" && turn.get("thinking").is_none();
    if !calls.is_empty() {
        turn["tool_calls"] = calls.into();
    }
    (!silent).then_some(turn)
}

fn functions(request: &ChatRequest) -> Value {
    let tools = request.tools.iter().map(|tool| {
        json!({
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool_input(&tool.input),
            },
        })
    });
    tools.collect()
}

fn options(request: &ChatRequest, window: u32) -> Map<String, Value> {
    let mut options = Map::new();
    options.insert("num_ctx".into(), window.into());
    if let Some(tokens) = request.max_output_tokens {
        options.insert("num_predict".into(), tokens.into());
    }
    if let Some(temperature) = request.temperature {
        options.insert("temperature".into(), decimal(temperature));
    }
    if let Some(share) = request.top_p {
        options.insert("top_p".into(), decimal(share));
    }
    if let Some(seed) = request.seed {
        options.insert("seed".into(), (seed & 0x7fff_ffff).into());
    }
    if !request.stop.is_empty() {
        options.insert("stop".into(), request.stop.iter().map(Text::as_str).collect());
    }
    options
}

fn think(effort: Effort, model: &str) -> Value {
    let name = model.rsplit('/').next().unwrap_or(model);
    let level = MODELS.of(name).first() == Some(&"level");
    match effort {
        Effort::Minimal | Effort::Low if level => "low".into(),
        Effort::Medium if level => "medium".into(),
        Effort::High if level => "high".into(),
        Effort::Minimal => false.into(),
        Effort::Low | Effort::Medium | Effort::High => true.into(),
    }
}

/// The tokens that a call can have at most, by its size.
fn tokens(request: &ChatRequest, system: Option<&str>, body: &Map<String, Value>) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts).map(|part| match part {
        Part::Text(text) => of_text(text),
        Part::Image(_) => IMAGE_TOKENS,
        Part::ToolCall(call) => TURN_TOKENS + of_text(&call.name) + of_text(&call.input),
        Part::ToolResult(result) => TURN_TOKENS + of_text(&result.name) + of_text(&result.content),
        Part::Opaque(opaque) if opaque.provider == NAME => of_text(&opaque.value.to_string()),
        Part::Opaque(_) => 0,
    });
    let around = (request.messages.len() + 2) * TURN_TOKENS;
    let beside: usize = body.values().map(|value| of_text(&value.to_string())).sum();
    let reply = request.max_output_tokens.map_or(REPLY_TOKENS, |tokens| usize::try_from(tokens).unwrap_or(usize::MAX));
    [parts.sum(), system.map_or(0, of_text), around, beside].iter().fold(reply, |sum, more| sum.saturating_add(*more))
}

/// A token has at least a byte. Those of ASCII have two or more but in the worst of texts.
fn of_text(text: &str) -> usize {
    let ascii = text.bytes().filter(u8::is_ascii).count();
    ascii.div_ceil(2) + (text.len() - ascii)
}

fn window(needed: usize, context: Option<u32>) -> Result<u32> {
    let needed = u32::try_from(needed).unwrap_or(u32::MAX);
    let window = match context {
        Some(context) => context,
        None => needed.clamp(CONTEXT_MIN, CONTEXT_MAX).next_power_of_two(),
    };
    if needed > window {
        let message = format!("up to {needed} tokens, of {window} that fit");
        return Err(Error::new(ErrorKind::ContextTooLong, message));
    }
    Ok(window)
}

#[cfg(test)]
mod window_tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_window_grows_by_steps_and_ends_in_an_error() {
        assert_eq!(window(1, None).expect("fits"), 4_096);
        assert_eq!(window(4_097, None).expect("fits"), 8_192);
        assert_eq!(window(131_072, None).expect("fits"), 131_072);
        let error = window(131_073, None).expect_err("does not fit");
        assert_eq!(error.kind(), ErrorKind::ContextTooLong);
        assert_eq!(window(100, Some(2_048)).expect("fits"), 2_048);
        assert!(window(2_049, Some(2_048)).is_err());
    }

    proptest! {
        /// What is asked for holds all that is sent and the reply, or there is an error.
        #[test]
        fn the_window_holds_the_request(text in ".{0,400}", times in 1_usize..300, reply in 1_u32..10_000) {
            let request = ChatRequest::user(Text::from(text.repeat(times))).with_max_output_tokens(reply);
            match encode(&request, "m", None) {
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::ContextTooLong),
                Ok(encoded) => {
                    let body: Value = serde_json::from_str(&encoded.body).expect("JSON");
                    let window = body["options"]["num_ctx"].as_u64().expect("a number");
                    let text = request.messages[0].text();
                    prop_assert!(window >= u64::from(reply) + (text.len() / 2) as u64);
                    prop_assert!(window >= u64::from(reply) + text.chars().filter(|c| !c.is_ascii()).count() as u64);
                }
            }
        }
    }
}
