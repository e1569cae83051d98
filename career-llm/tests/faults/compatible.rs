//! What servers do that call themselves compatible.

use career_llm::testkit::server::{Answer, Protocol};
use career_llm::{Delivery, ErrorKind, Scope, StopReason};
use serde_json::{Value, json};

use super::support::{DELIVERIES, failure, outcome, words};

fn stream(chunks: &[Value]) -> Answer {
    Answer::sse(chunks.iter().map(|chunk| format!("data: {chunk}\n\n")))
}

#[tokio::test]
async fn empty_reasons_empty_counts_bare_arguments_and_no_goodbye_are_taken() {
    let choice = |delta: Value, finish: Value| json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
    let call = json!({"tool_calls": [{
        "index": 0, "id": "c1", "type": "function", "function": {"name": "find", "arguments": {"a": 1}},
    }]});
    let chunks = [
        json!({"id": 7, "choices": choice(json!({"role": "assistant", "content": "A "}), json!("")), "usage": null}),
        json!({"choices": choice(json!({"content": "botanist."}), json!("")), "usage": {}, "error": null}),
        json!({"choices": choice(call, Value::Null), "usage": {"prompt_tokens": null}}),
        json!({"choices": choice(json!({}), json!("stop")), "usage": {"prompt_tokens": 3, "completion_tokens": 4}}),
    ];
    let reply = outcome(Protocol::Completions, stream(&chunks), Delivery::Streamed).await.expect("a reply");
    assert_eq!((reply.text().as_str(), reply.stop.reason), ("A botanist.", StopReason::ToolUse));
    let call = reply.tool_calls().next().expect("a call");
    assert_eq!(serde_json::from_str::<Value>(&call.input).ok(), Some(json!({"a": 1})));
    assert_eq!(reply.usage.map(|usage| (usage.input, usage.output)), Some((3, 4)));
}

#[tokio::test]
async fn errors_with_a_number_for_a_code_or_words_for_an_error_are_read() {
    let bodies = [
        json!({"error": {"message": "Busy.", "code": 429}}),
        json!({"object": "error", "message": "Busy.", "type": "TooManyRequests", "code": 429}),
        json!({"error": "Busy."}),
        json!([{"error": {"message": "Busy.", "code": 429}}]),
    ];
    for body in bodies {
        for delivery in DELIVERIES {
            let error = failure(Protocol::Completions, Answer::error(429, &body), delivery).await;
            assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Throttled, Scope::Here), "{body}");
            assert_eq!(words(&error), Some("Busy."), "{body}");
        }
    }
}

#[tokio::test]
async fn an_error_in_a_chunk_whose_choices_are_there_is_an_error() {
    let chunk = json!({
        "id": "1", "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
        "error": {"code": 502, "message": "Upstream failed."},
    });
    let error = failure(Protocol::Completions, stream(&[chunk]), Delivery::Streamed).await;
    assert_eq!(
        (error.kind(), error.status(), words(&error)),
        (ErrorKind::Overloaded, Some(200), Some("Upstream failed."))
    );
}

/// Where each protocol has its counts.
fn counts(protocol: Protocol) -> [&'static str; 2] {
    match protocol {
        Protocol::Completions => ["/usage/prompt_tokens", "/usage/completion_tokens"],
        Protocol::Responses | Protocol::Messages => ["/usage/input_tokens", "/usage/output_tokens"],
        Protocol::GenerateContent => ["/usageMetadata/promptTokenCount", "/usageMetadata/candidatesTokenCount"],
        _ => ["/prompt_eval_count", "/eval_count"],
    }
}

#[tokio::test]
async fn counts_of_any_shape_do_not_cost_the_reply() {
    let odd = [json!("12"), json!(12.0), json!(-1), json!(1e30), json!({}), json!([1]), json!(true), Value::Null];
    for protocol in Protocol::ALL {
        for pointer in counts(protocol) {
            for odd in &odd {
                let mut body: Value =
                    serde_json::from_slice(&protocol.whole("A botanist.").body_bytes()).expect("JSON");
                *body.pointer_mut(pointer).expect("there") = odd.clone();
                let reply = outcome(protocol, Answer::json(200, &body), Delivery::Whole).await;
                let reply = reply.unwrap_or_else(|error| panic!("{protocol:?} {pointer} {odd}: {error:?}"));
                assert_eq!(reply.text(), "A botanist.");
                let largest = reply.usage.map_or(0, |usage| usage.input.max(usage.output));
                assert!(largest <= 12 || *odd == json!(1e30), "{protocol:?} {pointer} {odd}: {largest}");
            }
        }
    }
}
