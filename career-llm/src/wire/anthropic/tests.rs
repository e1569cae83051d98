use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::testing::{broken, play, replay, requests, sent, summary, survives, told};
use super::*;
use crate::{Effort, Image, Message, Part, Role, Tool, ToolChoice};

/// Thoughts, words and a call, padded as the provider pads.
const STREAM: &[&str] = &[
    r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"claude-sonnet-4-6","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":4,"output_tokens":1,"service_tier":"standard"}} }"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}   }"#,
    r#"{"type": "ping"}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Botany \"is\" "}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"plants."}      }"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"} }"#,
    r#"{"type":"content_block_stop","index":0  }"#,
    r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"c2VjcmV0"}}"#,
    r#"{"type":"content_block_stop","index":1}"#,
    r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Bota"}}"#,
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"nist"}           }"#,
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"\n"}  }"#,
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":" – नमस्ते"}  }"#,
    r#"{"type":"something_new","index":2,"delta":{"type":"text_delta","text":"no text"}}"#,
    r#"{"type":"content_block_stop","index":2}"#,
    r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":"look_up","input":{}}}"#,
    r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""} }"#,
    r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"code\": "}}"#,
    r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"19}"}}"#,
    r#"{"type":"content_block_stop","index":3}"#,
    r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_2","name":"now","input":{}}}"#,
    r#"{"type":"content_block_stop","index":4}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":40}}"#,
    r#"{"type":"message_delta","delta":{},"usage":{"output_tokens":50,"input_tokens":null,"output_tokens_details":{"thinking_tokens":20}}}"#,
    r#"{"type":"message_stop"   }"#,
];

fn streamed(frames: &[&str]) -> (Vec<String>, Option<Error>) {
    replay(&Messages::new(), Delivery::Streamed, frames)
}

fn whole(body: &str) -> (Vec<String>, Option<Error>) {
    replay(&Messages::new(), Delivery::Whole, &[body])
}

#[test]
fn each_feature_has_its_place_in_the_body() {
    let thought = json!({"type": "thinking", "thinking": "Botany.", "signature": "c2ln"});
    for (name, request) in requests(NAME, thought) {
        insta::assert_json_snapshot!(name, sent(&Messages::new(), &request, "claude-haiku-4-5"));
    }
}

fn body(request: &ChatRequest, model: &str) -> Value {
    sent(&Messages::new(), request, model)["body"].clone()
}

#[test]
fn the_limit_of_tokens_is_the_requests_the_models_or_the_default() {
    let request = ChatRequest::user("hi");
    assert_eq!(body(&request.clone().with_max_output_tokens(5), "claude-opus-4-5")["max_tokens"], 5);
    assert_eq!(body(&request, "claude-opus-4-5-20251101")["max_tokens"], 64_000);
    assert_eq!(body(&request, "claude-newest-9")["max_tokens"], DEFAULT_MAX_TOKENS);
    assert_eq!(body(&request, "another-house")["max_tokens"], DEFAULT_MAX_TOKENS);
}

#[test]
fn newer_models_think_by_themselves_and_are_sent_no_sampling() {
    let request = ChatRequest::user("hi").with_effort(Effort::High).with_temperature(0.2);
    let newer = body(&request, "claude-opus-5");
    assert_eq!((&newer["thinking"], &newer["temperature"]), (&json!({"type": "adaptive"}), &Value::Null));
    assert_eq!(newer["output_config"], json!({"effort": "high"}));
    let older = body(&request.clone().with_max_output_tokens(4_000), "claude-sonnet-4-5");
    assert_eq!(older["thinking"], json!({"type": "enabled", "budget_tokens": 2_000}));
    assert_eq!(older.get("output_config"), None);
    let tight = body(&request.with_max_output_tokens(1_000), "claude-sonnet-4-5");
    assert_eq!((tight.get("thinking"), &tight["temperature"]), (None, &json!(0.2)));
}

#[test]
fn a_forced_tool_and_thinking_are_never_sent_together() {
    let request = ChatRequest::user("hi").with_tool(Tool::new("t", "", json!({}))).with_effort(Effort::High);
    let required = body(&request.clone().with_tool_choice(ToolChoice::Required), "claude-opus-4-6");
    assert_eq!((&required["tool_choice"], required.get("thinking")), (&json!({"type": "any"}), None));
    let named = body(&request.with_tool_choice(ToolChoice::Named("t".into())), "claude-sonnet-4-5");
    assert_eq!((&named["tool_choice"], named.get("thinking")), (&json!({"type": "tool", "name": "t"}), None));
}

#[test]
fn a_picture_may_be_an_address_and_an_empty_text_is_left_out() {
    let parts = vec![Part::Text("".into()), Part::Image(Image::Url("https://example.com/a.png".into()))];
    let request = ChatRequest::new().with(Message::new(Role::User, parts));
    let content = &body(&request, "claude-haiku-4-5")["messages"][0]["content"];
    assert_eq!(*content, json!([{"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}]));
}

#[test]
fn a_temperature_above_what_is_taken_is_the_highest() {
    assert_eq!(body(&ChatRequest::user("hi").with_temperature(1.6), "claude-haiku-4-5")["temperature"], 1.0);
}

#[test]
fn a_stream_is_decoded_to_the_last_count() {
    let (lines, error) = streamed(STREAM);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(
        lines,
        [
            "started anthropic/claude-sonnet-4-6 None",
            "reasoning Botany \"is\" ",
            "reasoning plants.",
            r#"opaque anthropic {"signature":"c2ln","thinking":"Botany \"is\" plants.","type":"thinking"}"#,
            r#"opaque anthropic {"data":"c2VjcmV0","type":"redacted_thinking"}"#,
            "text Bota",
            "text nist",
            "text \n",
            "text  – नमस्ते",
            "call 0 toolu_1 look_up",
            "input 0 {\"code\": ",
            "input 0 19}",
            "call 1 toolu_2 now",
            "input 1 {}",
            "done ToolUse Some(\"tool_use\") Some([17, 4, 3, 50, 20])",
        ]
    );
}

#[test]
fn pieces_share_the_bytes_of_the_frame_on_both_ways() {
    let (mut decoder, mut events) = (decode::Streamed::new("m"), super::super::Events::new());
    let frames: Vec<crate::Text> = STREAM[..1].iter().chain(&STREAM[9..12]).map(|frame| (*frame).into()).collect();
    for frame in &frames {
        decoder.frame(super::super::Frame::new("", frame), &mut events).expect("a good frame");
    }
    let pieces: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            crate::ChatEvent::Text(text) => Some(text.as_ptr()),
            _ => None,
        })
        .collect();
    let within = |frame: &crate::Text, at: *const u8| frame.as_bytes().as_ptr_range().contains(&at);
    assert!(within(&frames[2], pieces[0]) && within(&frames[3], pieces[1]));
}

#[test]
fn the_quick_way_is_taken_for_what_differs_in_the_piece_and_the_padding_alone() {
    let (mut decoder, mut events) = (decode::Streamed::new("m"), super::super::Events::new());
    for at in [0, 9, 10] {
        decoder.frame(super::super::Frame::new("", &STREAM[at].into()), &mut events).expect("a good frame");
    }
    let mut taken = |frame: &str| decoder.hurry(&frame.into(), &mut events);
    assert!(taken(STREAM[11]) && taken(STREAM[13]));
    assert!(!taken(STREAM[12]), "an escape");
    assert!(!taken(STREAM[14]), "another type");
    assert!(!taken(STREAM[15]), "another event");
    assert!(!taken(&STREAM[11].replace("\"index\":2", "\"index\":3")), "another block");
}

#[test]
fn a_whole_body_gives_what_its_stream_gives() {
    let body = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6",
        "content": [
            {"type": "thinking", "thinking": "Botany.", "signature": "c2ln"},
            {"type": "text", "text": "Botanist"},
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "botany"}},
            {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"code": 19}},
        ],
        "stop_reason": "pause_turn", "stop_sequence": null,
        "usage": {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 90},
    });
    let (lines, error) = whole(&body.to_string());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(
        lines,
        [
            "started anthropic/claude-sonnet-4-6 None",
            "reasoning Botany.",
            r#"opaque anthropic {"signature":"c2ln","thinking":"Botany.","type":"thinking"}"#,
            "text Botanist",
            r#"opaque anthropic {"id":"srvtoolu_1","input":{"query":"botany"},"name":"web_search","type":"server_tool_use"}"#,
            "call 0 toolu_1 look_up",
            r#"input 0 {"code":19}"#,
            "done Paused Some(\"pause_turn\") Some([100, 90, 0, 5, 0])",
        ]
    );
}

#[test]
fn blocks_of_the_providers_own_tools_are_put_together_and_kept() {
    let (lines, _) = streamed(&[
        STREAM[0],
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"q\":"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"1}"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"compaction","content":""}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"compaction_delta","content":"So "}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"compaction_delta","content":"far."}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
    ]);
    assert_eq!(
        lines[1..],
        [
            r#"opaque anthropic {"id":"s","input":{"q":1},"name":"web_search","type":"server_tool_use"}"#,
            r#"opaque anthropic {"content":"So far.","type":"compaction"}"#,
        ]
    );
}

#[test]
fn a_call_that_was_cut_off_before_its_input_is_given_none() {
    let call = |reason: &str| {
        let delta = json!({"type": "message_delta", "delta": {"stop_reason": reason}}).to_string();
        let begins = r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"n","input":{}}}"#;
        let ends = r#"{"type":"content_block_stop","index":0}"#;
        streamed(&[STREAM[0], begins, ends, &delta, r#"{"type":"message_stop"}"#]).0.remove(2)
    };
    assert_eq!(call("tool_use"), "input 0 {}");
    assert!(call("max_tokens").starts_with("done Length"));
}

#[test]
fn every_reason_to_stop_has_its_meaning() {
    let reasons = [
        ("end_turn", "End"),
        ("stop_sequence", "End"),
        ("max_tokens", "Length"),
        ("model_context_window_exceeded", "Length"),
        ("tool_use", "ToolUse"),
        ("refusal", "Filtered"),
        ("pause_turn", "Paused"),
        ("something_new", "Other"),
    ];
    for (raw, reason) in reasons {
        let delta = json!({"type": "message_delta", "delta": {"stop_reason": raw}}).to_string();
        let (lines, error) = streamed(&[STREAM[0], &delta, r#"{"type":"message_stop"}"#]);
        assert!(error.is_none());
        assert_eq!(lines[1], format!("done {reason} Some({raw:?}) Some([17, 4, 3, 1, 0])"));
    }
}

#[test]
fn a_refusal_says_why() {
    let refusal = r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":"bio","explanation":"Against the rules."}},"usage":{"output_tokens":0}}"#;
    let (lines, _) = streamed(&[STREAM[0], refusal, r#"{"type":"message_stop"}"#]);
    assert_eq!(lines[1], "refusal Against the rules.");
    assert!(lines[2].starts_with("done Filtered"), "{lines:?}");
}

#[test]
fn a_stream_cut_anywhere_is_an_error_until_it_said_why_it_stops() {
    for length in 0..STREAM.len() {
        let (lines, error) = streamed(&STREAM[..length]);
        let said_why = length >= 24;
        assert_eq!(error.is_none(), said_why, "after {length} frames");
        assert_eq!(lines.last().is_some_and(|line| line.starts_with("done")), said_why);
        if let Some(error) = error {
            assert_eq!((error.kind(), error.is_temporary()), (crate::ErrorKind::Protocol, true));
        }
    }
}

#[test]
fn an_error_inside_of_a_stream_is_the_one_by_status() {
    let told = [
        ("overloaded_error", "Overloaded Here None Some(\"overloaded_error\") Overloaded"),
        ("api_error", "Overloaded Here None Some(\"api_error\") Overloaded"),
        ("rate_limit_error", "Throttled Here None Some(\"rate_limit_error\") Overloaded"),
        ("authentication_error", "Auth Elsewhere None Some(\"authentication_error\") Overloaded"),
        ("timeout_error", "Timeout(Provider) Here None Some(\"timeout_error\") Overloaded"),
        ("something_new", "Overloaded Here None Some(\"something_new\") Overloaded"),
    ];
    for (kind, line) in told {
        let frame = json!({"type": "error", "error": {"type": kind, "message": "Overloaded"}, "request_id": "req_1"});
        let (_, error) = streamed(&[STREAM[0], &frame.to_string()]);
        let error = error.expect("an error");
        assert_eq!(summary(&error), line);
        assert_eq!((error.status(), error.request_id()), (Some(200), Some("req_1")));
        let (lines, error) = whole(&frame.to_string());
        assert_eq!((lines.len(), summary(&error.expect("an error")).as_str()), (0, line));
    }
}

#[test]
fn an_error_by_status_keeps_all_that_was_said() {
    let detail = |kind: &str, message: &str| {
        json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}).to_string()
    };
    let capped = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "Capped.",
        "details": {"error_code": "enforced_spend_limit_reached"}}});
    let long = "prompt is too long: 210000 tokens > 200000 maximum";
    let blocked = "Output blocked by content filtering policy";
    let credit = "Your credit balance is too low to access the Anthropic API.";
    let limit = "You have reached your specified API usage limits. You will regain access on 2026-12-01.";
    let table = [
        (
            400,
            detail("invalid_request_error", "no"),
            "Invalid Elsewhere None Some(\"invalid_request_error\") no".into(),
        ),
        (
            400,
            detail("invalid_request_error", long),
            format!("ContextTooLong Elsewhere None Some(\"invalid_request_error\") {long}"),
        ),
        (
            400,
            detail("invalid_request_error", blocked),
            format!("Filtered Nowhere None Some(\"invalid_request_error\") {blocked}"),
        ),
        (
            400,
            detail("invalid_request_error", credit),
            format!("Quota Elsewhere None Some(\"invalid_request_error\") {credit}"),
        ),
        (
            400,
            detail("invalid_request_error", limit),
            format!("SpendCap Elsewhere None Some(\"invalid_request_error\") {limit}"),
        ),
        (401, detail("authentication_error", "k"), "Auth Elsewhere None Some(\"authentication_error\") k".into()),
        (402, detail("billing_error", "b"), "Quota Elsewhere None Some(\"billing_error\") b".into()),
        (403, detail("permission_error", "p"), "Auth Elsewhere None Some(\"permission_error\") p".into()),
        (404, detail("not_found_error", "m"), "NotFound Elsewhere None Some(\"not_found_error\") m".into()),
        (413, detail("request_too_large", "l"), "ContextTooLong Elsewhere None Some(\"request_too_large\") l".into()),
        (429, detail("rate_limit_error", "r"), "Throttled Here None Some(\"rate_limit_error\") r".into()),
        (429, capped.to_string(), "SpendCap Elsewhere None Some(\"enforced_spend_limit_reached\") Capped.".into()),
        (500, detail("api_error", "a"), "Overloaded Here None Some(\"api_error\") a".into()),
        (504, detail("timeout_error", "t"), "Timeout(Provider) Here None Some(\"timeout_error\") t".into()),
        (529, detail("overloaded_error", "o"), "Overloaded Here None Some(\"overloaded_error\") o".into()),
        (502, "<html>Bad Gateway</html>".into(), "Overloaded Here None None ".into()),
        (503, "upstream connect error".into(), "Overloaded Here None None upstream connect error".into()),
        (500, String::new(), "Overloaded Here None None ".into()),
        (400, r#"{"error":"odd"}"#.into(), r#"Invalid Elsewhere None None {"error":"odd"}"#.into()),
    ];
    for (status, body, line) in table {
        assert_eq!(told(&Messages::new(), status, &body), line, "{status}");
    }
    let error =
        Messages::new().failure(StatusCode::FORBIDDEN, &HeaderMap::new(), detail("permission_error", "no").as_bytes());
    assert_eq!(error.request_id(), Some("req_1"));
}

proptest! {
    #[test]
    fn no_frames_make_it_panic(frames in broken(STREAM)) {
        survives(&Messages::new(), &frames)?;
    }

    #[test]
    fn no_body_of_an_error_makes_it_panic(status in 300_u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let status = StatusCode::from_u16(status).expect("a status");
        let error = Messages::new().failure(status, &HeaderMap::new(), &body);
        prop_assert_eq!(error.status(), Some(status.as_u16()));
    }

    /// The quick way skips nothing and adds nothing, whatever is said and however frames are mixed and padded.
    #[test]
    fn the_quick_way_is_the_slow_one(steps in proptest::collection::vec(step(), 0..40), noise in broken(STREAM)) {
        let text = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
        let tool = STREAM[16].replace("\"index\":3", "\"index\":1");
        let mut frames = vec![STREAM[0].to_owned(), text.to_owned(), tool];
        frames.extend(steps);
        frames.extend(noise);
        frames.push(STREAM[STREAM.len() - 1].to_owned());
        let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
        let quick = play(&mut decode::Streamed::new("m"), &frames);
        let slow = play(&mut decode::Streamed::unhurried("m"), &frames);
        prop_assert_eq!(quick.0, slow.0);
        prop_assert_eq!(quick.1.map(|e| e.to_string()), slow.1.map(|e| e.to_string()));
    }
}

/// A frame of a stream that mostly makes sense: blocks 0 (words) and 1 (a tool), pieces of both, pings.
fn step() -> impl Strategy<Value = String> {
    let piece = prop_oneof![3 => "[a-z ]{0,6}", 1 => "[\\PC\"\\\\\n]{0,6}"];
    (0..60_u8, piece, 0..4_usize).prop_map(|(what, piece, padding)| {
        let frame = match what {
            0 => json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            1 => json!({"type": "content_block_start", "index": 1,
                "content_block": {"type": "tool_use", "id": "t", "name": "n", "input": {}}}),
            2 => json!({"type": "content_block_stop", "index": 0}),
            3 => json!({"type": "ping"}),
            4 => json!({"type": "message_delta", "delta": {}, "usage": {"output_tokens": padding}}),
            5..=25 => json!({"type": "content_block_delta", "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": piece}}),
            _ => json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}),
        };
        let frame = frame.to_string();
        format!("{}{}}}", &frame[..frame.len() - 1], " ".repeat(padding))
    })
}
