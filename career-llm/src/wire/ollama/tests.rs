use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::testing::{broken, replay, requests, sent, summary, survives, told};
use super::*;
use crate::{Effort, ErrorKind, Image, Message, Part, Role, Tool, ToolChoice};

/// A thought, words and calls, line by line.
const STREAM: &[&str] = &[
    r#"{"model":"qwen3:8b","created_at":"2026-11-21T10:00:00.123456Z","message":{"role":"assistant","content":"","thinking":"Botany is "},"done":false}"#,
    r#"{"model":"qwen3:8b","created_at":"2026-11-21T10:00:00.2Z","message":{"role":"assistant","content":"","thinking":"plants."},"done":false}"#,
    r#"{"model":"qwen3:8b","created_at":"2026-11-21T10:00:00.3Z","message":{"role":"assistant","content":"Bota"},"done":false}"#,
    r#"{"model":"qwen3:8b","created_at":"2026-11-21T10:00:00.4Z","message":{"role":"assistant","content":"nist – \"नमस्ते\""},"done":false}"#,
    r#"{"model":"qwen3:8b","created_at":"2026-11-21T10:00:00.5Z","message":{"role":"assistant","content":"","tool_calls":[{"function":{"index":0,"name":"look_up","arguments":{"code":"19"}}},{"id":"call_x","function":{"name":"now","arguments":{}}}]},"done":false}"#,
    r#"{"model":"qwen3:8b","created_at":"2026-11-21T10:00:00.6Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":1,"load_duration":1,"prompt_eval_count":26,"prompt_eval_duration":1,"eval_count":290,"eval_duration":1}"#,
];

fn streamed(frames: &[&str]) -> (Vec<String>, Option<Error>) {
    replay(&Chat::new(), Delivery::Streamed, frames)
}

fn whole(body: &Value) -> (Vec<String>, Option<Error>) {
    replay(&Chat::new(), Delivery::Whole, &[&body.to_string()])
}

fn body(request: &ChatRequest, model: &str) -> Value {
    sent(&Chat::new(), request, model)["body"].clone()
}

#[test]
fn each_feature_has_its_place_in_the_body() {
    for (name, request) in requests(NAME, json!({"thinking": "Botany."})) {
        insta::assert_json_snapshot!(name, sent(&Chat::new(), &request, "qwen3:8b"));
    }
}

#[test]
fn thinking_is_a_switch_or_a_level_by_the_model() {
    let think = |model: &str, effort| body(&ChatRequest::user("hi").with_effort(effort), model)["think"].clone();
    assert_eq!(think("qwen3:8b", Effort::Minimal), json!(false));
    assert_eq!(think("qwen3:8b", Effort::High), json!(true));
    assert_eq!(think("gpt-oss:20b", Effort::Minimal), json!("low"));
    assert_eq!(think("someone/gpt-oss:20b", Effort::High), json!("high"));
    assert_eq!(body(&ChatRequest::user("hi"), "qwen3:8b").get("think"), None);
}

#[test]
fn what_the_protocol_cannot_say_is_an_error() {
    let tool = ChatRequest::user("hi").with_tool(Tool::new("t", "", json!({})));
    let image = Message::new(Role::User, vec![Part::Image(Image::Url("https://example.com/a.png".into()))]);
    let unsupported = [
        tool.clone().with_tool_choice(ToolChoice::Required),
        tool.with_tool_choice(ToolChoice::Named("t".into())),
        ChatRequest::new().with(image),
    ];
    for request in unsupported {
        assert_eq!(Chat::new().encode(&request, "m").expect_err("cannot be said").kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn a_window_that_is_set_is_held_or_there_is_an_error() {
    let wire = Chat::new().with_context(8_192);
    let request = ChatRequest::user("hi");
    assert_eq!(sent(&wire, &request, "m")["body"]["options"]["num_ctx"], 8_192);
    let long = ChatRequest::user("word ".repeat(10_000));
    let error = wire.encode(&long, "m").expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::ContextTooLong);
    assert_eq!(sent(&Chat::new(), &long, "m")["body"]["options"]["num_ctx"], 32_768);
}

#[test]
fn a_stream_is_decoded_to_its_last_line() {
    let (lines, error) = streamed(STREAM);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(
        lines,
        [
            "started ollama/qwen3:8b None",
            "reasoning Botany is ",
            "reasoning plants.",
            "text Bota",
            "text nist – \"नमस्ते\"",
            "call 0 made_2026_11_21T10_00_00_123456Z_0 look_up",
            r#"input 0 {"code":"19"}"#,
            "call 1 call_x now",
            "input 1 {}",
            r#"opaque ollama {"thinking":"Botany is plants."}"#,
            "done ToolUse Some(\"stop\") Some([26, 0, 0, 290, 0])",
        ]
    );
}

#[test]
fn a_whole_body_is_its_only_line() {
    let reply = json!({"model": "m", "message": {"role": "assistant", "content": "Botanist"}, "done": true,
        "done_reason": "length", "eval_count": 5});
    let (lines, error) = whole(&reply);
    assert!(error.is_none());
    assert_eq!(lines, ["started ollama/m None", "text Botanist", "done Length Some(\"length\") Some([0, 0, 0, 5, 0])"]);
}

#[test]
fn every_reason_to_stop_has_its_meaning() {
    let reasons = [("stop", "End"), ("length", "Length"), ("load", "Other"), ("unload", "Other"), ("new", "Other")];
    for (raw, reason) in reasons {
        let (lines, _) = whole(&json!({"done": true, "done_reason": raw}));
        assert_eq!(lines[1], format!("done {reason} Some({raw:?}) None"));
    }
    assert_eq!(whole(&json!({"done": true})).0[1], "done End None None");
}

#[test]
fn a_stream_that_ends_before_its_last_line_was_cut_short() {
    for length in 0..STREAM.len() {
        let (_, error) = streamed(&STREAM[..length]);
        assert_eq!(error.expect("cut short").kind(), ErrorKind::Protocol, "after {length} lines");
    }
    assert_eq!(whole(&json!({"message": {}, "done": false})).1.expect("cut short").kind(), ErrorKind::Protocol);
    assert_eq!(whole(&json!({"unexpected": 1})).1.expect("no reply").kind(), ErrorKind::Protocol);
}

#[test]
fn a_line_of_an_error_is_the_error() {
    let told = [
        (json!("an error was encountered while running the model"), "Overloaded Here"),
        (json!("the input length exceeds the context length"), "ContextTooLong Elsewhere"),
        (json!({"message": "boom", "code": 500}), "Overloaded Here"),
    ];
    for (error, line) in told {
        let frame = json!({"error": error}).to_string();
        let (_, found) = streamed(&[STREAM[2], &frame]);
        let found = found.expect("an error");
        assert!(summary(&found).starts_with(line), "{}", summary(&found));
        assert_eq!(found.status(), Some(200));
        assert!(found.provider_message().is_some());
    }
}

#[test]
fn an_error_by_status_keeps_all_that_was_said() {
    let error = |message: &str| json!({"error": message}).to_string();
    let memory = "model requires more system memory (9.1 GiB) than is available (6.0 GiB)";
    let table = [
        (400, error("invalid options"), "Invalid Elsewhere None None invalid options".to_owned()),
        (
            400,
            error("\"llama3\" does not support thinking"),
            "Unsupported Elsewhere None None \"llama3\" does not support thinking".into(),
        ),
        (400, error("x does not support tools"), "Unsupported Elsewhere None None x does not support tools".into()),
        (
            400,
            error("the prompt exceeds the context length"),
            "ContextTooLong Elsewhere None None the prompt exceeds the context length".into(),
        ),
        (401, error("unauthorized"), "Auth Elsewhere None None unauthorized".into()),
        (404, error("model 'x' not found"), "NotFound Elsewhere None None model 'x' not found".into()),
        (429, error("too many"), "Throttled Here None None too many".into()),
        (500, error(memory), format!("Overloaded Elsewhere None None {memory}")),
        (500, error("boom"), "Overloaded Here None None boom".into()),
        (503, error("server busy, please try again"), "Overloaded Here None None server busy, please try again".into()),
        (403, json!({"message": "no"}).to_string(), "Auth Elsewhere None None no".into()),
        (404, "404 page not found".into(), "NotFound Elsewhere None None 404 page not found".into()),
        (502, "<html></html>".into(), "Overloaded Here None None ".into()),
        (504, String::new(), "Timeout(Provider) Here None None ".into()),
    ];
    for (status, body, line) in table {
        assert_eq!(told(&Chat::new(), status, &body), line, "{status}");
    }
}

proptest! {
    #[test]
    fn no_frames_make_it_panic(frames in broken(STREAM)) {
        survives(&Chat::new(), &frames)?;
    }

    #[test]
    fn no_body_of_an_error_makes_it_panic(status in 300_u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let status = StatusCode::from_u16(status).expect("a status");
        let error = Chat::new().failure(status, &HeaderMap::new(), &body);
        prop_assert_eq!(error.status(), Some(status.as_u16()));
    }
}
