//! What the tests of wires have in common: a request for each feature, and replies played from bytes.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Decode, Events, Frame, Wire};
use crate::{
    ChatEvent, ChatRequest, Delivery, Effort, Error, Image, ImageData, Message, Opaque, OutputSchema, Part, Role, Text,
    Tool, ToolCall, ToolChoice, ToolResult,
};

/// A request for each feature, under its name.
pub(super) fn requests(provider: &str, opaque: Value) -> Vec<(&'static str, ChatRequest)> {
    let plain = ChatRequest::user("Which careers use botany?");
    let picture = Image::Bytes { media_type: "image/png".into(), data: ImageData(Bytes::from_static(b"\x89PNG")) };
    let input = json!({"properties": {"code": {"type": "string"}}, "required": ["code"]});
    let look = Tool::new("look_up", "Looks an occupation up.", input);
    let tools = plain.clone().with_tool(look.clone()).with_tool(Tool::new("now", "", json!({"type": "object"})));
    let first = ToolCall::new("call:1", "look_up", r#"{"code":"19-1012.00"}"#);
    let second = ToolCall::new("made_r_1", "now", "");
    let mut failed = ToolResult::of(&second, "no clock");
    failed.failed = true;
    let results = tools
        .clone()
        .with(Message::new(
            Role::Assistant,
            vec![
                Part::Text("Let me look.".into()),
                Part::Opaque(Opaque::new(provider, opaque)),
                Part::Opaque(Opaque::new("another", json!({"of": "another"}))),
                Part::ToolCall(first.clone()),
                Part::ToolCall(second),
            ],
        ))
        .with(Message::user("Be quick."))
        .with(Message::tool_results([ToolResult::of(&first, r#"{"title":"Botanist"}"#), failed]));
    let schema = OutputSchema::new(
        "career",
        json!({
            "type": "object",
            "properties": {"title": {"type": "string"}},
            "required": ["title"],
            "additionalProperties": false,
        }),
    );
    let sampled = plain.clone().with_stop("END").with_seed(7).with_temperature(0.7).with_top_p(0.9);
    let extra = plain.clone().with_extra(provider, "stream", json!("mine")).with_extra("another", "x", json!(1));
    vec![
        ("plain", plain.clone()),
        ("system", plain.clone().with_system("You are a counsellor.").with_max_output_tokens(300)),
        (
            "image",
            ChatRequest::new()
                .with(Message::new(Role::User, vec![Part::Image(picture), Part::Text("What plant is it?".into())])),
        ),
        ("tools", tools.clone()),
        ("tools_forbidden", tools.clone().with_tool_choice(ToolChoice::None)),
        ("tool_results", results),
        ("schema", plain.clone().with_system("You are a counsellor.").with_output(schema.clone())),
        ("schema_beside_tools", tools.with_output(schema)),
        ("sampling", sampled.clone()),
        ("effort", sampled.with_effort(Effort::Medium)),
        ("extra", extra),
        ("whole", plain.delivered(Delivery::Whole)),
    ]
}

/// A request as it goes out: path, headers and body.
pub(super) fn sent(wire: &dyn Wire, request: &ChatRequest, model: &str) -> Value {
    request.check().expect("a request that makes sense");
    let encoded = wire.encode(request, model).expect("encoded");
    let body: Value = serde_json::from_str(&encoded.body).expect("JSON");
    let schema = encoded.schema.map(|report| format!("{:?}", report.mode));
    json!({"path": encoded.path, "headers": encoded.headers, "body": body, "schema": schema})
}

/// What a reply decodes to: a line for each event, and the error that ended it.
pub(super) fn replay(wire: &dyn Wire, delivery: Delivery, frames: &[&str]) -> (Vec<String>, Option<Error>) {
    play(&mut *wire.decoder("asked", delivery).1, frames)
}

pub(super) fn play(decoder: &mut dyn Decode, frames: &[&str]) -> (Vec<String>, Option<Error>) {
    let (mut events, mut lines) = (Events::new(), Vec::new());
    for frame in frames {
        let result = decoder.frame(Frame::new("", &Text::from(*frame)), &mut events);
        let done = matches!(events.back(), Some(ChatEvent::Done(_)));
        lines.extend(events.drain(..).map(line));
        if result.is_err() || done {
            return (lines, result.err());
        }
    }
    let result = decoder.end(&mut events);
    lines.extend(events.drain(..).map(line));
    (lines, result.err())
}

fn line(event: ChatEvent) -> String {
    match event {
        ChatEvent::Started(started) => format!("started {} {:?}", started.model, started.request_id),
        ChatEvent::Text(text) => format!("text {text}"),
        ChatEvent::Reasoning(text) => format!("reasoning {text}"),
        ChatEvent::Refusal(text) => format!("refusal {text}"),
        ChatEvent::ToolCall { index, id, name } => format!("call {index} {id} {name}"),
        ChatEvent::ToolInput { index, json } => format!("input {index} {json}"),
        ChatEvent::Opaque(opaque) => format!("opaque {} {}", opaque.provider, opaque.value),
        ChatEvent::Restarted(_) => "restarted".to_owned(),
        ChatEvent::Done(done) => {
            let usage = done.usage.map(|u| [u.input, u.cached, u.cache_write, u.output, u.reasoning]);
            format!("done {:?} {:?} {usage:?}", done.stop.reason, done.stop.raw)
        }
    }
}

/// An error by status in one line: kind, scope, how long to wait, code, the provider's words.
pub(super) fn told(wire: &dyn Wire, status: u16, body: &str) -> String {
    let status = StatusCode::from_u16(status).expect("a status");
    let error = wire.failure(status, &HeaderMap::new(), body.as_bytes());
    assert_eq!(error.status(), Some(status.as_u16()));
    summary(&error)
}

pub(super) fn summary(error: &Error) -> String {
    let advice = error.advice();
    let words = error.provider_message().map_or("", Text::as_str);
    format!("{:?} {:?} {:?} {:?} {words}", error.kind(), advice.scope, advice.after, error.code())
}

/// Frames made of good ones: in any order, cut, and with anything put in.
pub(super) fn broken(frames: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let one = (0..frames.len(), any::<prop::sample::Index>(), 0_usize..40, "[\\PC\"{}\\[\\]:,\\\\0-9]{0,8}", 0_u8..4);
    let frame = one.prop_map(|(at, cut, length, put, how)| {
        let frame = frames[at];
        let bounds: Vec<usize> = frame.char_indices().map(|(at, _)| at).chain([frame.len()]).collect();
        let from = cut.index(bounds.len());
        let to = (from + length).min(bounds.len() - 1);
        match how {
            0 | 1 => frame.to_owned(),
            2 => format!("{}{put}{}", &frame[..bounds[from]], &frame[bounds[to]..]),
            _ => put,
        }
    });
    proptest::collection::vec(frame, 0..12)
}

/// Whatever comes, there are events in the right order or an error, and never a panic.
pub(super) fn survives(wire: &dyn Wire, frames: &[String]) -> Result<(), TestCaseError> {
    let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
    for delivery in [Delivery::Streamed, Delivery::Whole] {
        let (lines, error) = replay(wire, delivery, &frames);
        prop_assert!(lines.first().is_none_or(|line| line.starts_with("started")), "{lines:?}");
        prop_assert_eq!(lines.iter().filter(|line| line.starts_with("started")).count(), lines.len().min(1));
        let done = lines.iter().filter(|line| line.starts_with("done")).count();
        prop_assert_eq!(done, usize::from(error.is_none()), "{:?} {:?}", lines, error);
    }
    Ok(())
}
