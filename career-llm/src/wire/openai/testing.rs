//! What the tests of both wires share.

use serde_json::{Value, json};

use crate::wire::{Decode, Events, Frame, Wire};
use crate::{
    ChatEvent, ChatRequest, Delivery, Effort, Image, ImageData, Message, Opaque, OutputSchema, Part, Result, Role,
    Text, Tool, ToolCall, ToolChoice, ToolResult,
};

/// Decodes a body: an event for each line of a stream, or all of it.
pub(crate) fn decode(wire: &dyn Wire, delivery: Delivery, lines: &[&str]) -> Result<Vec<ChatEvent>> {
    let (_, mut decoder) = wire.decoder("asked", delivery);
    let mut events = Events::new();
    for line in lines {
        decoder.frame(Frame::new("", &Text::from(*line)), &mut events)?;
        if matches!(events.back(), Some(ChatEvent::Done(_))) {
            return Ok(events.into());
        }
    }
    decoder.end(&mut events)?;
    Ok(events.into())
}

/// As [`decode`], in words.
pub(crate) fn told(wire: &dyn Wire, delivery: Delivery, lines: &[&str]) -> Vec<String> {
    match decode(wire, delivery, lines) {
        Ok(events) => events.iter().map(tell).collect(),
        Err(error) => vec![format!("error: {error}")],
    }
}

/// Feeds frames until an error, and tells what came, the error last. Nothing may panic.
pub(crate) fn feed(decoder: &mut dyn Decode, frames: &[Text]) -> Vec<String> {
    let mut events = Events::new();
    let fed = frames.iter().try_for_each(|frame| decoder.frame(Frame::new("", frame), &mut events));
    let ended = fed.and_then(|()| decoder.end(&mut events));
    let mut told: Vec<_> = events.iter().map(tell).collect();
    told.extend(ended.err().map(|error| format!("error: {error}")));
    told
}

/// An event in words. An id that was made is told as `made`.
pub(crate) fn tell(event: &ChatEvent) -> String {
    match event {
        ChatEvent::Started(started) => format!("started {}", started.model),
        ChatEvent::Text(text) => format!("text {text}"),
        ChatEvent::Reasoning(text) => format!("reasoning {text}"),
        ChatEvent::Refusal(text) => format!("refusal {text}"),
        ChatEvent::ToolCall { index, id, name } => {
            let id = if id.len() == 21 && id.starts_with("call_") { "made" } else { id };
            format!("call {index} {id} {name}")
        }
        ChatEvent::ToolInput { index, json } => format!("input {index} {json}"),
        ChatEvent::Opaque(opaque) => format!("opaque {} {}", opaque.provider, opaque.value),
        ChatEvent::Restarted(_) => "restarted".into(),
        ChatEvent::Done(done) => {
            let usage = done.usage.map(|u| [u.input, u.cached, u.cache_write, u.output, u.reasoning]);
            format!("done {:?} {} {usage:?}", done.stop.reason, done.stop.raw.as_deref().unwrap_or("-"))
        }
    }
}

/// The body of a request, as JSON.
pub(crate) fn body(wire: &dyn Wire, request: &ChatRequest, model: &str) -> Value {
    request.check().expect("a request that may be sent");
    let encoded = wire.encode(request, model).expect("encoded");
    serde_json::from_str(&encoded.body).expect("JSON")
}

pub(crate) fn tool() -> Tool {
    let input = json!({"properties": {"name": {"type": "string"}}, "required": ["name"], "type": "object"});
    Tool::new("find_career", "Finds a career by its name.", input)
}

/// A turn for each feature, by its name.
pub(crate) fn requests(provider: &str) -> Vec<(&'static str, ChatRequest)> {
    let ask = || ChatRequest::user("Which careers use botany?");
    let picture =
        Image::Bytes { media_type: "image/png".into(), data: ImageData(bytes::Bytes::from_static(b"\x89PNG")) };
    let call = ToolCall::new("call_1", "find_career", r#"{"name":"botanist"}"#);
    let other = ToolCall::new("call_2", "find_career", "");
    let mut failed = ToolResult::of(&other, "no such career");
    failed.failed = true;
    let schema = json!({
        "additionalProperties": false,
        "properties": {"careers": {"items": {"type": "string"}, "type": "array"}},
        "required": ["careers"],
        "type": "object",
    });
    let results = ask()
        .with_tool(tool())
        .with(Message::new(
            Role::Assistant,
            vec![
                Part::Opaque(Opaque::new(
                    provider,
                    json!({"id": "rs_1", "encrypted_content": "x", "type": "reasoning"}),
                )),
                Part::Opaque(Opaque::new("another", json!({"type": "reasoning", "secret": true}))),
                Part::Text("Let me look.".into()),
                Part::ToolCall(call.clone()),
                Part::ToolCall(other),
            ],
        ))
        .with(Message::new(
            Role::User,
            vec![
                Part::Text("And hurry.".into()),
                Part::ToolResult(ToolResult::of(&call, "{\"id\":7}")),
                Part::ToolResult(failed),
            ],
        ));
    let image = Message::new(Role::User, vec![Part::Text("What is this?".into()), Part::Image(picture)]);
    vec![
        ("plain", ask()),
        ("whole", ask().delivered(Delivery::Whole)),
        (
            "system",
            ask().with_system("You are a counsellor.").with(Message::assistant("Many.")).with(Message::user("Go on")),
        ),
        ("image", ChatRequest::conversation([image])),
        ("tools", ask().with_tool(tool()).with_tool_choice(ToolChoice::Named("find_career".into()))),
        ("tools_required", ask().with_tool(tool()).with_tool_choice(ToolChoice::Required)),
        ("tool_results", results),
        ("schema", ask().with_system("Be brief.").with_output(OutputSchema::new("careers", schema))),
        (
            "sampling",
            ask()
                .with_temperature(0.2)
                .with_top_p(0.9)
                .with_seed(7)
                .with_effort(Effort::Minimal)
                .with_max_output_tokens(300),
        ),
        (
            "extra",
            ask()
                .with_temperature(0.2)
                .with_extra(provider, "temperature", json!(1))
                .with_extra(provider, "user", json!("u1"))
                .with_extra("another", "never", json!(true)),
        ),
    ]
}
