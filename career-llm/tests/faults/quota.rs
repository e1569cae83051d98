//! Quotas and caps on spending: the same status as a short pause, and no pause helps.

use std::time::Duration;

use career_llm::testkit::server::{Answer, Protocol};
use career_llm::{ErrorKind, Scope};
use serde_json::{Value, json};

use super::support::{DELIVERIES, SSE, failure, words};

/// A refusal of Gemini, with its details.
fn exhausted(details: &Value) -> Value {
    json!({"error": {
        "code": 429, "message": "You exceeded your current quota.", "status": "RESOURCE_EXHAUSTED", "details": details,
    }})
}

fn quota_failure(id: &str, value: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": id, "quotaValue": value,
            "quotaDimensions": {"location": "global", "model": "test-model"},
        }],
    })
}

fn retry_info(delay: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
}

const PER_DAY: &str = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
const PER_MINUTE: &str = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";

#[tokio::test]
async fn what_waiting_does_not_help_is_asked_elsewhere_at_once() {
    let openai =
        |code: &str, class: &str| json!({"error": {"message": "No more.", "type": class, "param": null, "code": code}});
    let mut cases = Vec::new();
    for protocol in [Protocol::Completions, Protocol::Responses] {
        cases.push((protocol, 429, openai("insufficient_quota", "insufficient_quota"), ErrorKind::Quota));
        cases.push((protocol, 429, openai("credit_balance_exhausted", "insufficient_quota"), ErrorKind::Quota));
        cases.push((protocol, 429, openai("project_spend_limit_exceeded", "requests"), ErrorKind::SpendCap));
        cases.push((protocol, 429, openai("organization_spend_limit_exceeded", "requests"), ErrorKind::SpendCap));
        cases.push((protocol, 429, openai("organization_usage_limit_exceeded", "requests"), ErrorKind::SpendCap));
        cases.push((protocol, 402, openai("payment_required", "billing"), ErrorKind::Quota));
    }
    let spend = json!({
        "type": "error", "request_id": "req-1",
        "error": {
            "type": "rate_limit_error", "message": "No more.",
            "details": {"error_code": "enforced_spend_limit_reached"},
        },
    });
    cases.push((Protocol::Messages, 429, spend, ErrorKind::SpendCap));
    let credit = "Your credit balance is too low to access the Anthropic API.";
    let credit = Protocol::Messages.error_body(400, "invalid_request_error", credit);
    cases.push((Protocol::Messages, 400, credit, ErrorKind::Quota));
    let billing = Protocol::Messages.error_body(402, "billing_error", "No more.");
    cases.push((Protocol::Messages, 402, billing, ErrorKind::Quota));
    let gemini = Protocol::GenerateContent;
    cases.push((gemini, 429, exhausted(&json!([quota_failure(PER_DAY, "250")])), ErrorKind::Quota));
    // A wait that is told beside a quota of the day does not renew it.
    let day_and_wait = exhausted(&json!([quota_failure(PER_DAY, "250"), retry_info("31s")]));
    cases.push((gemini, 429, day_and_wait, ErrorKind::Quota));
    cases.push((gemini, 429, exhausted(&json!([quota_failure(PER_MINUTE, "0")])), ErrorKind::Quota));
    for (protocol, status, body, kind) in cases {
        for delivery in DELIVERIES {
            // Retry-After comes with every 429 of some gateways.
            let answer = Answer::error(status, &body).header("retry-after", "1");
            let error = failure(protocol, answer, delivery).await;
            let at = format!("{protocol:?} {body}: {error:?}");
            assert_eq!((error.kind(), error.advice().scope), (kind, Scope::Elsewhere), "{at}");
            assert_eq!(error.status(), Some(status), "{at}");
            assert!(words(&error).is_some() && error.code().is_some(), "{at}");
        }
    }
}

#[tokio::test]
async fn the_same_refusals_inside_of_a_stream_mean_the_same() {
    let spend = json!({"type": "error", "error": {
        "type": "rate_limit_error", "message": "No more.", "details": {"error_code": "enforced_spend_limit_reached"},
    }});
    let quota = json!({"error": {"message": "No more.", "type": "insufficient_quota", "code": "insufficient_quota"}});
    let flat = json!({"type": "error", "code": "insufficient_quota", "message": "No more.", "param": null});
    let nested = json!({"type": "error", "error": quota["error"]});
    let failed = json!({"type": "response.failed", "response": {
        "id": "resp_1", "status": "failed", "error": {"code": "insufficient_quota", "message": "No more."},
    }});
    let day = exhausted(&json!([quota_failure(PER_DAY, "250")]));
    let cases = [
        (Protocol::Completions, "", &quota, ErrorKind::Quota),
        (Protocol::Responses, "error", &flat, ErrorKind::Quota),
        (Protocol::Responses, "error", &nested, ErrorKind::Quota),
        (Protocol::Responses, "response.failed", &failed, ErrorKind::Quota),
        (Protocol::Messages, "error", &spend, ErrorKind::SpendCap),
        (Protocol::GenerateContent, "", &day, ErrorKind::Quota),
    ];
    for (protocol, event, body, kind) in cases {
        let name = if event.is_empty() { String::new() } else { format!("event: {event}\n") };
        let error = failure(protocol, Answer::sse([format!("{name}data: {body}\n\n")]), DELIVERIES[0]).await;
        let at = format!("{protocol:?} {body}: {error:?}");
        assert_eq!((error.kind(), error.advice().scope, error.status()), (kind, Scope::Elsewhere, Some(200)), "{at}");
        assert!(words(&error).is_some(), "{at}");
    }
}

#[tokio::test]
async fn a_limit_of_the_minute_is_waited_for() {
    let body = exhausted(&json!([quota_failure(PER_MINUTE, "10"), retry_info("13.5s")]));
    let error = failure(Protocol::GenerateContent, Answer::error(429, &body), DELIVERIES[0]).await;
    assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Throttled, Scope::Here));
    assert_eq!(error.advice().after, Some(Duration::from_millis(13_500)));
    for protocol in [Protocol::Completions, Protocol::Responses] {
        for code in ["rate_limit_exceeded", "slow_down"] {
            let error = failure(protocol, protocol.error(429, code, "Slower."), DELIVERIES[0]).await;
            assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Throttled, Scope::Here), "{code}");
        }
    }
}

#[tokio::test]
async fn a_refusal_in_a_shape_of_nobodys_is_told_by_its_status() {
    let shapes =
        [json!({"error": "slow"}), json!({"detail": "slow"}), json!(["slow"]), json!("slow"), json!(7), Value::Null];
    for protocol in SSE.into_iter().chain([Protocol::Ollama]) {
        for shape in &shapes {
            let error = failure(protocol, Answer::error(429, shape), DELIVERIES[0]).await;
            assert_eq!(
                (error.kind(), error.advice().scope),
                (ErrorKind::Throttled, Scope::Here),
                "{protocol:?} {shape}"
            );
        }
    }
}
