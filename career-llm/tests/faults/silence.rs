//! Servers that say nothing, and those that say nothing in many words.

use std::time::Duration;

use career_llm::testkit::server::{Answer, FaultServer, Protocol, Step};
use career_llm::transport::{Limits, Timeouts};
use career_llm::{ChatEvent, Delivery, Error, ErrorKind, Scope, Timeout};
use futures_util::StreamExt as _;

use super::support::{DELIVERIES, configured, heard, impatient, question};

/// Pings that come much faster than patience ends.
const OFTEN: Duration = Duration::from_millis(5);

/// What keeps a connection alive and is no content, in each protocol.
fn pings(protocol: Protocol) -> Vec<&'static str> {
    let mut pings = vec![": ping\n\n", "\n\n", "event: keepalive\n\n"];
    match protocol {
        Protocol::Completions => pings.push(
            "data: {\"id\":\"1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"},\
             \"finish_reason\":null}]}\n\n",
        ),
        Protocol::Responses => pings.push("event: keepalive\ndata: {\"type\":\"keepalive\",\"sequence_number\":3}\n\n"),
        Protocol::Messages => pings.push("event: ping\ndata: {\"type\":\"ping\"}\n\n"),
        Protocol::GenerateContent => {}
        _ => pings = vec!["\n", "\r\n"],
    }
    pings
}

/// The error of an impatient model, once its connection was given up.
async fn gives_up(protocol: Protocol, answer: Answer, delivery: Delivery) -> Error {
    let server = FaultServer::start().await.expect("a server");
    server.then(answer);
    let model = configured(protocol, &server.url(), impatient(), Limits::default());
    let request = question(delivery);
    let reply = async { model.stream(&request).await?.collect().await };
    let error = reply.await.expect_err("nothing comes");
    server.hung_up(1).await;
    error
}

#[tokio::test]
async fn a_hang_before_and_after_the_headers_is_no_first_content() {
    for protocol in Protocol::ALL {
        for delivery in DELIVERIES {
            let begun = protocol.stream(&[]).keep_steps(0).step(Step::Hang);
            for answer in [Answer::hanging(), Answer::new(200).first(Step::Hang), begun] {
                let error = gives_up(protocol, answer, delivery).await;
                let kind = ErrorKind::Timeout(Timeout::FirstContent);
                assert_eq!((error.kind(), error.advice().scope), (kind, Scope::Here), "{protocol:?} {delivery:?}");
                assert!(error.model().is_some());
            }
        }
    }
}

#[tokio::test]
async fn a_stream_that_begins_and_says_nothing_is_no_first_content() {
    for protocol in Protocol::ALL {
        let empty = protocol.frames(&["said"]);
        let before = empty.iter().take_while(|frame| !String::from_utf8_lossy(frame).contains("said")).count();
        let error =
            gives_up(protocol, protocol.streamed(empty[..before].to_vec()).step(Step::Hang), Delivery::Streamed).await;
        assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::FirstContent), "{protocol:?}");
    }
}

#[tokio::test]
async fn pings_are_no_content_before_the_first_nor_after_it() {
    for protocol in Protocol::ALL {
        for ping in pings(protocol) {
            let repeat = Step::Repeat(ping.into(), OFTEN);
            let never = protocol.streamed([]).step(repeat.clone());
            let error = gives_up(protocol, never, Delivery::Streamed).await;
            assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::FirstContent), "{protocol:?} {ping:?}");
            let frames = protocol.frames(&["One ", "two."]);
            let end = frames.iter().position(|frame| String::from_utf8_lossy(frame).contains("two.")).expect("there");
            let stalled = protocol.streamed(frames[..end].to_vec()).step(repeat);
            let error = gives_up(protocol, stalled, Delivery::Streamed).await;
            assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Idle), "{protocol:?} {ping:?}");
            assert_eq!(error.advice().scope, Scope::Here);
        }
    }
}

#[tokio::test]
async fn what_was_said_before_a_silence_is_heard() {
    for protocol in Protocol::ALL {
        let server = FaultServer::start().await.expect("a server");
        let frames = protocol.frames(&["One ", "two."]);
        let end = frames.iter().position(|frame| String::from_utf8_lossy(frame).contains("two.")).expect("there");
        server.then(protocol.streamed(frames[..end].to_vec()).step(Step::Hang));
        let (said, error) = heard(&*configured(protocol, &server.url(), impatient(), Limits::default())).await;
        assert_eq!((said.as_str(), error.map(|error| error.kind())), ("One ", Some(ErrorKind::Timeout(Timeout::Idle))));
    }
}

#[tokio::test]
async fn a_slow_reply_that_goes_on_is_whole() {
    for protocol in Protocol::ALL {
        let server = FaultServer::start().await.expect("a server");
        let pieces = ["One ", "two ", "three ", "four ", "five ", "six."];
        let mut answer = protocol.streamed([]);
        for frame in protocol.frames(&pieces) {
            answer = answer.step(Step::Pause(Duration::from_millis(20))).body(frame);
        }
        server.then(answer);
        // All of it takes longer than each wait that is allowed.
        let timeouts =
            Timeouts::default().with_first_content(Duration::from_secs(20)).with_idle(Duration::from_millis(150));
        let (said, error) = heard(&*configured(protocol, &server.url(), timeouts, Limits::default())).await;
        assert_eq!((said, error.map(|error| error.kind())), (pieces.concat(), None), "{protocol:?}");
    }
}

#[tokio::test]
async fn the_deadline_of_the_request_holds_for_all_of_it_and_another_model_has_no_more_time() {
    for protocol in Protocol::ALL {
        let frames = protocol.frames(&["One ", "two."]);
        let endless = protocol.streamed(frames[..1].to_vec()).step(Step::Repeat("\n".into(), OFTEN));
        for answer in [Answer::hanging(), endless] {
            for delivery in DELIVERIES {
                let server = FaultServer::start().await.expect("a server");
                server.then(answer.clone());
                let model = configured(protocol, &server.url(), Timeouts::default(), Limits::default());
                let request = question(delivery).within(Duration::from_millis(60));
                let reply = async { model.stream(&request).await?.collect().await };
                let error = reply.await.expect_err("nothing comes");
                let kind = ErrorKind::Timeout(Timeout::Deadline);
                assert_eq!((error.kind(), error.advice().scope), (kind, Scope::Nowhere), "{protocol:?}");
                server.hung_up(1).await;
            }
        }
    }
}

#[tokio::test]
async fn a_deadline_that_has_passed_sends_nothing() {
    for protocol in Protocol::ALL {
        let server = FaultServer::start().await.expect("a server");
        let model = configured(protocol, &server.url(), Timeouts::default(), Limits::default());
        let request = question(Delivery::Streamed).within(Duration::ZERO);
        let error = model.stream(&request).await.expect_err("no time");
        assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Deadline));
        assert!(server.requests().is_empty());
    }
}

#[tokio::test]
async fn a_caller_who_goes_takes_the_connection_along() {
    for protocol in Protocol::ALL {
        let server = FaultServer::start().await.expect("a server");
        let model = configured(protocol, &server.url(), Timeouts::default(), Limits::default());
        let frames = protocol.frames(&["One ", "two."]);
        let end = frames.iter().position(|frame| String::from_utf8_lossy(frame).contains("two.")).expect("there");
        server.then(protocol.streamed(frames[..end].to_vec()).step(Step::Hang));
        let mut stream = model.stream(&question(Delivery::Streamed)).await.expect("it begins");
        while !matches!(stream.next().await.expect("an event").expect("no error"), ChatEvent::Text(_)) {}
        drop(stream);
        server.hung_up(1).await;
        // Before the headers, too.
        server.then(Answer::hanging());
        let asked = tokio::time::timeout(Duration::from_millis(60), model.stream(&question(Delivery::Streamed))).await;
        assert!(asked.is_err());
        server.hung_up(2).await;
    }
}
