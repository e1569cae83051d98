//! Errors inside of an answer that began as a success.

use bytes::Bytes;
use career_llm::testkit::server::{Answer, FaultServer, Protocol};
use career_llm::{Delivery, ErrorKind, Scope};

use super::support::{DELIVERIES, failure, heard, model, words};

/// The trouble that each provider tells of inside of a stream, as a status and a code.
fn trouble(protocol: Protocol) -> (u16, &'static str) {
    match protocol {
        Protocol::Completions | Protocol::Responses => (503, "server_is_overloaded"),
        Protocol::Messages => (529, "overloaded_error"),
        _ => (503, "UNAVAILABLE"),
    }
}

/// The same for its limit of requests.
fn limit(protocol: Protocol) -> (u16, &'static str) {
    match protocol {
        Protocol::Completions | Protocol::Responses => (429, "rate_limit_exceeded"),
        Protocol::Messages => (429, "rate_limit_error"),
        _ => (429, "RESOURCE_EXHAUSTED"),
    }
}

#[tokio::test]
async fn an_error_as_the_first_event_is_the_error_that_its_status_would_have_been() {
    for protocol in Protocol::ALL {
        // Ollama tells words alone.
        let throttled = if protocol == Protocol::Ollama { ErrorKind::Overloaded } else { ErrorKind::Throttled };
        for ((status, code), kind) in [(trouble(protocol), ErrorKind::Overloaded), (limit(protocol), throttled)] {
            let answer = protocol.error_in_stream(status, code, "Not now.");
            let error = failure(protocol, answer, Delivery::Streamed).await;
            let at = format!("{protocol:?} {code}: {error:?}");
            assert_eq!((error.kind(), error.advice().scope, error.status()), (kind, Scope::Here, Some(200)), "{at}");
            assert_eq!(words(&error), Some("Not now."), "{at}");
            assert_eq!(error.code(), Some(code).filter(|_| protocol != Protocol::Ollama), "{at}");
            assert!(error.model().is_some(), "{at}");
        }
    }
}

#[tokio::test]
async fn an_error_as_a_later_event_comes_after_what_was_said_and_ends_the_stream() {
    for protocol in Protocol::ALL {
        let (status, code) = trouble(protocol);
        let pieces = ["One ", "two ", "three."];
        let whole = protocol.frames(&pieces);
        for at in 1..whole.len() {
            // A stream that is whole before the error is whole: nothing is read after its end.
            let mut frames: Vec<Bytes> = whole[..at].to_vec();
            frames.push(protocol.error_frame(status, code, "Not now."));
            let server = FaultServer::start().await.expect("a server");
            server.then(protocol.streamed(frames));
            let (said, error) = heard(&*model(protocol, &server.url())).await;
            let error = error.unwrap_or_else(|| panic!("{protocol:?}: no error after {at} events, but {said:?}"));
            assert!(pieces.concat().starts_with(&said), "{said}");
            let expected = format!("{}", whole[..at].iter().filter(|frame| holds_piece(frame)).count());
            assert_eq!(said.split_inclusive([' ', '.']).count().to_string(), expected, "{protocol:?} {at}");
            assert_eq!((error.kind(), words(&error)), (ErrorKind::Overloaded, Some("Not now.")), "{protocol:?} {at}");
        }
    }
}

/// Whether this event is one of those with a piece of the reply, and not a later one that repeats all of it.
fn holds_piece(frame: &[u8]) -> bool {
    let frame = String::from_utf8_lossy(frame);
    let pieces = ["One ", "two ", "three."];
    pieces.iter().filter(|piece| frame.contains(*piece)).count() == 1
}

#[tokio::test]
async fn a_success_whose_body_is_an_error_is_that_error_however_it_was_asked_for() {
    for protocol in Protocol::ALL {
        let (status, code) = trouble(protocol);
        for delivery in DELIVERIES {
            let answer = protocol.error(status, code, "Not now.").status(200);
            let error = failure(protocol, answer, delivery).await;
            let at = format!("{protocol:?} {delivery:?}: {error:?}");
            assert_eq!((error.kind(), error.status()), (ErrorKind::Overloaded, Some(200)), "{at}");
            assert_eq!((error.advice().scope, words(&error)), (Scope::Here, Some("Not now.")), "{at}");
        }
    }
}

#[tokio::test]
async fn a_gateway_that_answers_200_with_a_flat_error_is_understood() {
    let body = serde_json::json!({"code": "Some resource has been exhausted", "error": "Too many requests."});
    for delivery in DELIVERIES {
        let error = failure(Protocol::Completions, Answer::error(200, &body), delivery).await;
        assert_eq!(error.status(), Some(200));
        assert!(words(&error).is_some_and(|words| words.contains("Too many requests.")), "{error:?}");
    }
}
