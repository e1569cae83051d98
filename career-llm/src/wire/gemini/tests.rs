use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::testing::{broken, replay, requests, sent, summary, survives, told};
use super::*;
use crate::{Effort, ErrorKind, Image, Message, Part, Role, Tool, ToolCall, ToolChoice, ToolResult};

/// A thought, words and calls, as the chunks come.
const STREAM: &[&str] = &[
    r#"{"candidates":[{"content":{"parts":[{"text":"**Botany** ","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":10,"totalTokenCount":30,"thoughtsTokenCount":20},"modelVersion":"gemini-3-flash-preview","responseId":"mAit-7"}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":"Bota"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":1,"totalTokenCount":31,"thoughtsTokenCount":20},"modelVersion":"gemini-3-flash-preview","responseId":"mAit-7"}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":"nist – \"नमस्ते\""},{"text":"","thoughtSignature":"c2lnMQ=="}],"role":"model"},"index":0}],"responseId":"mAit-7"}"#,
    r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"look_up","args":{"code":"19"}},"thoughtSignature":"c2lnMg=="},{"functionCall":{"id":"f9","name":"now"}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":9,"totalTokenCount":39,"thoughtsTokenCount":20,"toolUsePromptTokenCount":3},"responseId":"mAit-7"}"#,
    r#"{"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":11},"responseId":"mAit-7"}"#,
];

fn streamed(frames: &[&str]) -> (Vec<String>, Option<Error>) {
    replay(&GenerateContent::new(), Delivery::Streamed, frames)
}

fn whole(body: &Value) -> (Vec<String>, Option<Error>) {
    replay(&GenerateContent::new(), Delivery::Whole, &[&body.to_string()])
}

fn body(request: &ChatRequest, model: &str) -> Value {
    sent(&GenerateContent::new(), request, model)["body"].clone()
}

#[test]
fn each_feature_has_its_place_in_the_body() {
    for (name, request) in requests(NAME, json!({"thoughtSignature": "c2ln"})) {
        insta::assert_json_snapshot!(name, sent(&GenerateContent::new(), &request, "gemini-2.5-flash"));
    }
}

#[test]
fn thinking_is_a_level_or_a_budget_by_the_model() {
    let config = |model: &str, effort: Effort| {
        let body = body(&ChatRequest::user("hi").with_effort(effort), model);
        body["generationConfig"]["thinkingConfig"].clone()
    };
    assert_eq!(config("gemini-3-flash-preview", Effort::Minimal), json!({"thinkingLevel": "minimal"}));
    assert_eq!(config("gemini-3-pro-preview", Effort::Medium), json!({"thinkingLevel": "high"}));
    assert_eq!(config("gemini-newest", Effort::Medium), json!({"thinkingLevel": "medium"}));
    assert_eq!(config("models/gemini-2.5-pro", Effort::Minimal), json!({"thinkingBudget": 128}));
    assert_eq!(config("gemini-2.5-flash-lite", Effort::Minimal), json!({"thinkingBudget": 0}));
    assert_eq!(config("gemini-2.0-flash", Effort::High), Value::Null);
}

#[test]
fn newer_models_take_tools_beside_a_schema() {
    let (_, request) = requests(NAME, Value::Null).swap_remove(7);
    let sent = sent(&GenerateContent::new(), &request, "gemini-3-flash-preview");
    assert_eq!(sent["schema"], "Native");
    assert_eq!(sent["body"]["generationConfig"]["responseMimeType"], "application/json");
}

#[test]
fn a_call_that_another_model_made_is_sent_as_unsigned_but_only_where_signatures_are_asked_for() {
    let (first, second) = (ToolCall::new("a", "t", "{}"), ToolCall::new("b", "t", "{}"));
    let calls = vec![Part::ToolCall(first.clone()), Part::ToolCall(second.clone())];
    let request = ChatRequest::user("hi")
        .with(Message::new(Role::Assistant, calls))
        .with(Message::tool_results([ToolResult::of(&first, "[1]"), ToolResult::of(&second, "2")]));
    let newer = body(&request, "gemini-3-flash-preview");
    let parts = &newer["contents"][1]["parts"];
    assert_eq!(parts[0]["thoughtSignature"], "skip_thought_signature_validator");
    assert_eq!(parts[1].get("thoughtSignature"), None);
    let older = body(&request, "gemini-2.5-flash");
    assert_eq!(older["contents"][1]["parts"][0].get("thoughtSignature"), None);
    let results = &older["contents"][2]["parts"];
    assert_eq!(results[0]["functionResponse"], json!({"id": "a", "name": "t", "response": {"output": [1]}}));
    assert_eq!(results[1]["functionResponse"]["response"], json!({"output": "2"}));
}

#[test]
fn what_was_decoded_goes_back_as_it_came() {
    let reply = json!({"candidates": [{"content": {"parts": [
        {"text": "Let me look."},
        {"functionCall": {"name": "t", "args": {"a": 1}, "id": "f1"}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "t", "args": {"a": 2}, "id": "f2"}},
        {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"},
    ]}, "finishReason": "STOP"}]});
    let (framing, mut decoder) = GenerateContent::new().decoder("m", Delivery::Whole);
    assert_eq!(framing, Framing::Whole);
    let mut events = super::super::Events::new();
    let frame: crate::Text = reply.to_string().into();
    decoder.frame(super::super::Frame::new("", &frame), &mut events).expect("a good reply");
    let mut collector = crate::Collector::new();
    events.into_iter().for_each(|event| collector.push(event));
    let message = collector.finish().expect("whole").message;
    let body = body(&ChatRequest::user("hi").with(message), "gemini-3-flash-preview");
    assert_eq!(body["contents"][1]["parts"], reply["candidates"][0]["content"]["parts"]);
}

#[test]
fn a_forced_tool_is_named() {
    let tool = ChatRequest::user("hi").with_tool(Tool::new("t", "", json!({})));
    let config = |choice| body(&tool.clone().with_tool_choice(choice), "m")["toolConfig"].clone();
    assert_eq!(config(ToolChoice::Required), json!({"functionCallingConfig": {"mode": "ANY"}}));
    let named = json!({"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["t"]}});
    assert_eq!(config(ToolChoice::Named("t".into())), named);
}

#[test]
fn a_picture_elsewhere_is_not_for_this_provider() {
    let with = |url: &str| {
        let parts = vec![Part::Image(Image::Url(url.into()))];
        GenerateContent::new().encode(&ChatRequest::new().with(Message::new(Role::User, parts)), "m")
    };
    assert_eq!(with("https://example.com/a.png").expect_err("elsewhere").kind(), ErrorKind::Unsupported);
    assert!(with("gs://bucket/a.png").expect("held").body.contains(r#"{"fileUri":"gs://bucket/a.png"}"#));
}

#[test]
fn no_name_of_a_model_leaves_its_place_in_the_path() {
    let path = |model: &str| GenerateContent::new().encode(&ChatRequest::user("hi"), model).expect("encoded").path;
    assert_eq!(path("gemini-2.5-flash"), "/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
    assert_eq!(path("tunedModels/mine"), "/tunedModels/mine:streamGenerateContent?alt=sse");
    assert_eq!(path("a?key=b#ü"), "/models/a%3Fkey%3Db%23%C3%BC:streamGenerateContent?alt=sse");
}

#[test]
fn a_stream_is_decoded_to_the_last_count() {
    let (lines, error) = streamed(STREAM);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(
        lines,
        [
            "started gemini/gemini-3-flash-preview Some(\"mAit-7\")",
            "reasoning **Botany** ",
            "text Bota",
            "text nist – \"नमस्ते\"",
            r#"opaque gemini {"text":"","thoughtSignature":"c2lnMQ=="}"#,
            r#"opaque gemini {"thoughtSignature":"c2lnMg=="}"#,
            "call 0 made_mAit_7_0 look_up",
            r#"input 0 {"code":"19"}"#,
            "call 1 f9 now",
            "input 1 {}",
            "done ToolUse Some(\"STOP\") Some([13, 4, 0, 31, 20])",
        ]
    );
}

#[test]
fn a_stream_that_ends_before_a_reason_was_cut_short() {
    for length in 0..4 {
        let (lines, error) = streamed(&STREAM[..length]);
        assert_eq!(error.expect("cut short").kind(), ErrorKind::Protocol, "after {length} chunks");
        assert!(lines.iter().all(|line| !line.starts_with("done")));
    }
    assert!(streamed(&STREAM[..4]).1.is_none());
}

#[test]
fn every_reason_to_stop_has_its_meaning() {
    let reasons = [
        ("STOP", "End"),
        ("MAX_TOKENS", "Length"),
        ("SAFETY", "Filtered"),
        ("RECITATION", "Filtered"),
        ("BLOCKLIST", "Filtered"),
        ("PROHIBITED_CONTENT", "Filtered"),
        ("SPII", "Filtered"),
        ("SOMETHING_NEW", "Other"),
    ];
    for (raw, reason) in reasons {
        let chunk = json!({"candidates": [{"finishReason": raw}]});
        for (lines, error) in [streamed(&[&chunk.to_string()]), whole(&chunk)] {
            assert!(error.is_none());
            assert_eq!(lines, ["started gemini/asked None".to_owned(), format!("done {reason} Some({raw:?}) None")]);
        }
    }
}

#[test]
fn a_prompt_that_is_blocked_is_an_error_for_nowhere() {
    let chunk = json!({
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "Against the rules."},
        "usageMetadata": {"promptTokenCount": 3}, "responseId": "r1",
    });
    for (lines, error) in [streamed(&[&chunk.to_string()]), whole(&chunk)] {
        let error = error.expect("blocked");
        assert_eq!(summary(&error), "Filtered Nowhere None Some(\"PROHIBITED_CONTENT\") Against the rules.");
        assert_eq!((lines.len(), error.request_id(), error.status()), (0, Some("r1"), Some(200)));
    }
}

#[test]
fn what_is_no_reply_is_an_error() {
    for body in [json!({}), json!({"candidates": []}), json!({"candidates": null, "responseId": "r"})] {
        assert_eq!(whole(&body).1.expect("no reply").kind(), ErrorKind::Protocol);
    }
    let malformed = json!({"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "print(1)"}]});
    for (_, error) in [whole(&malformed), streamed(&[&malformed.to_string()])] {
        assert_eq!(
            summary(&error.expect("malformed")),
            "Protocol Here None Some(\"MALFORMED_FUNCTION_CALL\") print(1)"
        );
    }
}

#[test]
fn an_error_inside_of_a_stream_is_the_one_by_status() {
    let error = json!({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}});
    for (_, found) in [streamed(&[STREAM[1], &error.to_string()]), whole(&error)] {
        let found = found.expect("an error");
        assert_eq!(summary(&found), "Overloaded Here None Some(\"UNAVAILABLE\") The model is overloaded.");
        assert_eq!(found.status(), Some(200));
    }
}

#[test]
fn an_error_by_status_keeps_all_that_was_said() {
    let error = |status: &str, message: &str, details: Value| {
        json!({"error": {"code": 0, "message": message, "status": status, "details": details}}).to_string()
    };
    let quota = |id: &str, value: &str, delay: &str| {
        json!([
            {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"url": "https://ai.google.dev"}]},
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaMetric": "m", "quotaId": id, "quotaValue": value}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
        ])
    };
    let exhausted = |details| error("RESOURCE_EXHAUSTED", "q", details);
    let minute = "GenerateRequestsPerMinutePerProjectPerModel";
    let day = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
    let key = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
    let long = "The input token count (1300000) exceeds the maximum number of tokens allowed (1048575).";
    let table = [
        (
            400,
            error("INVALID_ARGUMENT", "no", json!([])),
            "Invalid Elsewhere None Some(\"INVALID_ARGUMENT\") no".into(),
        ),
        (400, error("INVALID_ARGUMENT", "key", key), "Auth Elsewhere None Some(\"INVALID_ARGUMENT\") key".into()),
        (
            400,
            error("INVALID_ARGUMENT", long, json!([])),
            format!("ContextTooLong Elsewhere None Some(\"INVALID_ARGUMENT\") {long}"),
        ),
        (403, error("PERMISSION_DENIED", "p", json!([])), "Auth Elsewhere None Some(\"PERMISSION_DENIED\") p".into()),
        (404, error("NOT_FOUND", "m", json!([])), "NotFound Elsewhere None Some(\"NOT_FOUND\") m".into()),
        (
            429,
            exhausted(quota(minute, "10", "34.5s")),
            "Throttled Here Some(34.5s) Some(\"RESOURCE_EXHAUSTED\") q".into(),
        ),
        (
            429,
            exhausted(quota(minute, "10", "1e18s")),
            "Throttled Here Some(86400s) Some(\"RESOURCE_EXHAUSTED\") q".into(),
        ),
        (429, exhausted(quota(minute, "10", "NaNs")), "Throttled Here None Some(\"RESOURCE_EXHAUSTED\") q".into()),
        (429, exhausted(quota(minute, "10", "soon")), "Throttled Here None Some(\"RESOURCE_EXHAUSTED\") q".into()),
        (429, exhausted(quota(day, "20", "18s")), "Quota Elsewhere None Some(\"RESOURCE_EXHAUSTED\") q".into()),
        (429, exhausted(quota(minute, "0", "18s")), "Quota Elsewhere None Some(\"RESOURCE_EXHAUSTED\") q".into()),
        (
            429,
            error("RESOURCE_EXHAUSTED", "limit: 0, model: x", json!([])),
            "Quota Elsewhere None Some(\"RESOURCE_EXHAUSTED\") limit: 0, model: x".into(),
        ),
        (
            429,
            error("RESOURCE_EXHAUSTED", "limit: 05", json!([])),
            "Throttled Here None Some(\"RESOURCE_EXHAUSTED\") limit: 05".into(),
        ),
        (500, error("INTERNAL", "i", json!([])), "Overloaded Here None Some(\"INTERNAL\") i".into()),
        (
            503,
            format!("[{}]", error("UNAVAILABLE", "u", json!([]))),
            "Overloaded Here None Some(\"UNAVAILABLE\") u".into(),
        ),
        (
            504,
            error("DEADLINE_EXCEEDED", "d", json!([])),
            "Timeout(Provider) Here None Some(\"DEADLINE_EXCEEDED\") d".into(),
        ),
        (502, "<!DOCTYPE html><html></html>".into(), "Overloaded Here None None ".into()),
        (413, String::new(), "ContextTooLong Elsewhere None None ".into()),
        (500, "[]".into(), "Overloaded Here None None []".into()),
    ];
    for (status, body, line) in table {
        assert_eq!(told(&GenerateContent::new(), status, &body), line, "{status}");
    }
}

proptest! {
    #[test]
    fn no_frames_make_it_panic(frames in broken(STREAM)) {
        survives(&GenerateContent::new(), &frames)?;
    }

    #[test]
    fn no_body_of_an_error_makes_it_panic(
        status in 300_u16..600,
        body in proptest::collection::vec(any::<u8>(), 0..200),
        delay in "-?[0-9]{0,30}(\\.[0-9]{0,3})?(e[0-9]{1,3})?s?",
    ) {
        let status = StatusCode::from_u16(status).expect("a status");
        let error = GenerateContent::new().failure(status, &HeaderMap::new(), &body);
        prop_assert_eq!(error.status(), Some(status.as_u16()));
        let body = json!({"error": {"details": [{"retryDelay": delay}]}}).to_string();
        let error = GenerateContent::new().failure(status, &HeaderMap::new(), body.as_bytes());
        prop_assert_eq!(error.status(), Some(status.as_u16()));
    }
}
