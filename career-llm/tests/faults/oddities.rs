//! What is not what was expected: other types, other words, other numbers.

use bytes::Bytes;
use career_llm::testkit::server::{Answer, FaultServer, Protocol};
use career_llm::{Delivery, ErrorKind, Scope, StopReason};
use serde_json::{Value, json};

use super::cut::{check, recorded};
use super::support::{DELIVERIES, SSE, ask, failure, model, outcome};

const PAGE: &str = "<!DOCTYPE html><html><body>Sign in to the network of this cafe</body></html>";

#[tokio::test]
async fn a_page_where_a_reply_should_be_is_no_reply() {
    for protocol in Protocol::ALL {
        for delivery in DELIVERIES {
            // Called what it is, and what was expected.
            let honest = Answer::new(200).header("content-type", "text/html; charset=utf-8").body(PAGE);
            let expected = if delivery == Delivery::Whole { "application/json" } else { "text/event-stream" };
            for answer in [honest.clone(), honest.clone().replace_header("content-type", expected)] {
                let error = failure(protocol, answer, delivery).await;
                let at = format!("{protocol:?} {delivery:?}: {error:?}");
                assert_eq!(
                    (error.kind(), error.advice().scope, error.status()),
                    (ErrorKind::Protocol, Scope::Here, Some(200)),
                    "{at}"
                );
                assert!(!at.contains("cafe"), "{at}");
            }
            let error = failure(protocol, honest, delivery).await;
            assert!(error.message().contains("text/html"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_content_type_may_have_parameters_another_case_or_be_missing() {
    for protocol in Protocol::ALL {
        let stream = || protocol.streamed([Bytes::from_static(recorded(protocol))]);
        let named =
            if protocol == Protocol::Ollama { "Application/X-NDJSON" } else { "Text/Event-Stream; Charset=UTF-8" };
        check(
            &outcome(protocol, stream().replace_header("content-type", named), Delivery::Streamed)
                .await
                .expect("named"),
            protocol,
        );
        let unnamed = Answer::new(200).body(recorded(protocol));
        check(&outcome(protocol, unnamed, Delivery::Streamed).await.expect("unnamed"), protocol);
    }
}

#[tokio::test]
async fn a_whole_reply_to_who_asked_for_a_stream_is_taken() {
    for protocol in Protocol::ALL {
        let reply = outcome(protocol, protocol.whole("A botanist."), Delivery::Streamed).await;
        let reply = reply.unwrap_or_else(|error| panic!("{protocol:?}: {error:?}"));
        assert_eq!((reply.text().as_str(), reply.stop.reason), ("A botanist.", StopReason::End), "{protocol:?}");
    }
}

#[tokio::test]
async fn a_compressed_answer_that_nobody_asked_for_is_no_reply() {
    for protocol in Protocol::ALL {
        let answer = protocol.whole("A botanist.").header("content-encoding", "br");
        assert_eq!(failure(protocol, answer, Delivery::Whole).await.kind(), ErrorKind::Protocol, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_key_stays() {
    for protocol in Protocol::ALL {
        for status in [301, 302, 307, 308] {
            let elsewhere = FaultServer::start().await.expect("a server");
            let answer = Answer::new(status).header("location", format!("{}/moved", elsewhere.url()));
            let error = failure(protocol, answer, Delivery::Streamed).await;
            assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(status)), "{protocol:?}");
            assert_eq!(error.advice().scope, Scope::Elsewhere);
            assert!(elsewhere.requests().is_empty(), "{protocol:?}");
        }
    }
}

/// An event, or a line, with this data.
fn frame(protocol: Protocol, data: &str) -> String {
    match protocol {
        Protocol::Ollama => format!("{data}\n"),
        Protocol::Messages | Protocol::Responses => {
            let kind =
                serde_json::from_str::<Value>(data).ok().and_then(|value| value["type"].as_str().map(str::to_owned));
            format!("event: {}\ndata: {data}\n\n", kind.unwrap_or_else(|| "x".into()))
        }
        _ => format!("data: {data}\n\n"),
    }
}

#[tokio::test]
async fn a_frame_that_is_no_json_of_the_protocol_is_an_error_that_does_not_quote_it() {
    let secret = "\"secret\"";
    for protocol in Protocol::ALL {
        let kind = match protocol {
            Protocol::Messages => "content_block_delta",
            _ => "response.output_text.delta",
        };
        let typed = format!("{{\"type\":\"{kind}\",\"delta\":secret}}");
        for wrong in ["{secret", "{\"x\":secret}", typed.as_str(), "[1,", "\u{0}secret"] {
            let good = protocol.frames(&["One ", "two."]);
            let stream = [&good[0][..], frame(protocol, wrong).as_bytes(), &good[1..].concat()].concat();
            let error = failure(protocol, protocol.streamed([Bytes::from(stream)]), Delivery::Streamed).await;
            assert_eq!(
                (error.kind(), error.advice().scope),
                (ErrorKind::Protocol, Scope::Here),
                "{protocol:?} {wrong}"
            );
            assert!(!format!("{error} {error:?}").contains("secret"), "{protocol:?}: {error:?}");
        }
        for wrong in ["{secret", "[1,", secret] {
            let answer = Answer::new(200).header("content-type", "application/json").body(wrong.to_owned());
            let error = failure(protocol, answer, Delivery::Whole).await;
            assert_eq!(error.kind(), ErrorKind::Protocol, "{protocol:?} {wrong}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{protocol:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn events_and_fields_that_are_new_are_passed_over() {
    let news = [
        (Protocol::Responses, json!({"type": "response.mood.delta", "delta": "calm", "sequence_number": 99})),
        (Protocol::Messages, json!({"type": "mood", "delta": {"type": "mood_delta", "text": "calm"}})),
        (
            Protocol::Messages,
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "mood_delta", "mood": "calm"}}),
        ),
        (
            Protocol::Completions,
            json!({"id": "x", "choices": [{"index": 0, "delta": {"mood": "calm"}, "mood": [1, {}]}], "mood": {}}),
        ),
        (
            Protocol::GenerateContent,
            json!({"candidates": [{"content": {"parts": [{"mood": "calm"}], "role": "model"}, "index": 0}], "mood": 7}),
        ),
        (
            Protocol::Ollama,
            json!({"model": "test-model", "message": {"role": "assistant", "content": "", "mood": "calm"}, "done": false, "mood": {}}),
        ),
    ];
    for (protocol, new) in news {
        let text = std::str::from_utf8(recorded(protocol)).expect("UTF-8");
        // After the first piece of the words, so inside of whatever block they are in.
        let word = text.find('न').expect("there");
        let end = word + text[word..].find('\n').expect("the line ends");
        let end = end + text[end..].find(|c: char| !c.is_whitespace()).expect("more comes");
        let stream = format!("{}{}{}", &text[..end], frame(protocol, &new.to_string()), &text[end..]);
        let reply = outcome(protocol, protocol.streamed([Bytes::from(stream)]), Delivery::Streamed).await;
        check(&reply.unwrap_or_else(|error| panic!("{protocol:?} {new}: {error:?}")), protocol);
    }
}

/// The body of a whole reply, changed, as an answer.
fn changed(protocol: Protocol, change: impl FnOnce(&mut Value)) -> Answer {
    let mut body: Value = serde_json::from_slice(&protocol.whole("A botanist.").body_bytes()).expect("JSON");
    change(&mut body);
    Answer::json(200, &body)
}

#[tokio::test]
async fn a_reason_to_stop_that_is_new_is_another_reason_and_kept_in_its_word() {
    let places = [
        (Protocol::Completions, "/choices/0/finish_reason"),
        (Protocol::Messages, "/stop_reason"),
        (Protocol::GenerateContent, "/candidates/0/finishReason"),
        (Protocol::Ollama, "/done_reason"),
    ];
    for (protocol, pointer) in places {
        let answer = changed(protocol, |body| *body.pointer_mut(pointer).expect("there") = json!("bored"));
        let reply = outcome(protocol, answer, Delivery::Whole).await.expect("a reply");
        assert_eq!((reply.stop.reason, reply.stop.raw.as_deref()), (StopReason::Other, Some("bored")), "{protocol:?}");
        assert_eq!(reply.text(), "A botanist.");
    }
    let answer = changed(Protocol::Responses, |body| {
        body["status"] = json!("incomplete");
        body["incomplete_details"] = json!({"reason": "bored"});
    });
    let reply = outcome(Protocol::Responses, answer, Delivery::Whole).await.expect("a reply");
    assert_eq!((reply.stop.reason, reply.stop.raw.as_deref()), (StopReason::Other, Some("bored")));
}

#[tokio::test]
async fn counts_that_are_missing_are_unknown_and_odd_ones_do_no_harm() {
    let names = [
        (Protocol::Completions, "usage"),
        (Protocol::Responses, "usage"),
        (Protocol::Messages, "usage"),
        (Protocol::GenerateContent, "usageMetadata"),
    ];
    for (protocol, name) in names {
        for missing in [None, Some(Value::Null)] {
            let answer = changed(protocol, |body| match missing {
                None => drop(body.as_object_mut().expect("an object").remove(name)),
                Some(null) => body[name] = null,
            });
            let reply = outcome(protocol, answer, Delivery::Whole).await;
            let reply = reply.unwrap_or_else(|error| panic!("{protocol:?}: {error:?}"));
            assert_eq!((reply.usage, reply.text().as_str()), (None, "A botanist."), "{protocol:?}");
        }
    }
    let answer = changed(Protocol::Ollama, |body| {
        let body = body.as_object_mut().expect("an object");
        body.remove("eval_count");
        body.remove("prompt_eval_count");
    });
    assert_eq!(outcome(Protocol::Ollama, answer, Delivery::Whole).await.expect("a reply").usage, None);
}

#[tokio::test]
async fn a_reply_without_a_choice_is_no_reply() {
    let cases = [
        (Protocol::Completions, "choices"),
        (Protocol::GenerateContent, "candidates"),
        (Protocol::Messages, "content"),
    ];
    for (protocol, name) in cases {
        if protocol != Protocol::Messages {
            let error = failure(protocol, changed(protocol, |body| body[name] = json!([])), Delivery::Whole).await;
            assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Protocol, Scope::Here), "{protocol:?}");
        }
        let gone = changed(protocol, |body| drop(body.as_object_mut().expect("an object").remove(name)));
        let error = failure(protocol, gone, Delivery::Whole).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{protocol:?}");
    }
    // In a stream: chunks without a choice, and the end.
    let empty = "data: {\"id\":\"1\",\"choices\":[]}\n\ndata: [DONE]\n\n";
    let error = failure(Protocol::Completions, Answer::sse([empty]), Delivery::Streamed).await;
    assert_eq!(error.kind(), ErrorKind::Protocol);
    let empty = "data: {\"candidates\":[],\"responseId\":\"1\"}\r\n\r\n";
    let error = failure(Protocol::GenerateContent, Answer::sse([empty]), Delivery::Streamed).await;
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn a_prompt_that_is_blocked_goes_to_no_laxer_model() {
    let blocked = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": "test-model"});
    for delivery in DELIVERIES {
        let answer = match delivery {
            Delivery::Streamed => Answer::sse([format!("data: {blocked}\r\n\r\n")]),
            _ => Answer::json(200, &blocked),
        };
        let error = failure(Protocol::GenerateContent, answer, delivery).await;
        assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Filtered, Scope::Nowhere), "{error:?}");
    }
    for protocol in [Protocol::Completions, Protocol::Responses] {
        let error = failure(protocol, protocol.error(400, "content_filter", "Filtered."), Delivery::Streamed).await;
        assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Filtered, Scope::Nowhere), "{error:?}");
    }
}

#[tokio::test]
async fn what_comes_after_the_end_is_not_heard() {
    for protocol in SSE {
        let more = [recorded(protocol), recorded(protocol)].concat();
        let server = FaultServer::start().await.expect("a server");
        server.then(protocol.streamed([Bytes::from(more)]));
        let reply = ask(&*model(protocol, &server.url()), Delivery::Streamed).await;
        if protocol == Protocol::GenerateContent {
            // Its end is where the body ends, so more of it is a protocol that nobody knows.
            continue;
        }
        check(&reply.expect("a reply"), protocol);
    }
}
