//! Servers that say nothing, and those that say nothing in many words.

use std::time::Duration;

use bytes::Bytes;
use career_llm::testkit::server::{Answer, FaultServer, Protocol, Step};
use career_llm::transport::{Limits, Timeouts};
use career_llm::{ChatEvent, Delivery, Error, ErrorKind, Scope, Timeout};
use futures_util::StreamExt as _;

use super::support::{DELIVERIES, SHORT, configured, each, heard, impatient, question};

/// Pings that come much faster than patience ends.
const OFTEN: Duration = Duration::from_millis(20);

/// Waits for long for the first content, and a short time for the next.
fn restless() -> Timeouts {
    Timeouts::default().with_idle(SHORT)
}

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

/// The events of a reply of two words up to the second one.
fn first_word(protocol: Protocol) -> Vec<Bytes> {
    let frames = protocol.frames(&["One ", "two."]);
    frames.into_iter().take_while(|frame| !String::from_utf8_lossy(frame).contains("two.")).collect()
}

/// The error of a model that waits so long, once its connection was given up.
async fn gives_up(protocol: Protocol, answer: Answer, delivery: Delivery, timeouts: Timeouts) -> Error {
    let server = FaultServer::start().await.expect("a server");
    server.then(answer);
    let model = configured(protocol, &server.url(), timeouts, Limits::default());
    let request = question(delivery);
    let reply = async { model.stream(&request).await?.collect().await };
    let error = reply.await.expect_err("nothing comes");
    server.hung_up(1).await;
    error
}

#[tokio::test]
async fn a_hang_before_and_after_the_headers_is_no_first_content() {
    each(|protocol| async move {
        for delivery in DELIVERIES {
            let begun = protocol.streamed([]).step(Step::Hang);
            for answer in [Answer::hanging(), Answer::new(200).first(Step::Hang), begun] {
                let error = gives_up(protocol, answer, delivery, impatient()).await;
                let kind = ErrorKind::Timeout(Timeout::FirstContent);
                assert_eq!((error.kind(), error.advice().scope), (kind, Scope::Here), "{protocol:?} {delivery:?}");
                assert!(error.model().is_some());
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_whole_reply_that_hangs_in_its_middle_is_not_waited_for() {
    each(|protocol| async move {
        let body = protocol.whole("A botanist.").body_bytes();
        let half = Answer::new(200).header("content-type", "application/json").body(body.slice(..body.len() / 2));
        let half = half.length(career_llm::testkit::server::Length::Said(body.len() as u64)).step(Step::Hang);
        let error = gives_up(protocol, half, Delivery::Whole, impatient()).await;
        assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::FirstContent), "{protocol:?}");
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_begins_and_says_nothing_is_no_first_content() {
    each(|protocol| async move {
        let frames = protocol.frames(&["said"]).into_iter();
        let begun = frames.take_while(|frame| !String::from_utf8_lossy(frame).contains("said"));
        let answer = protocol.streamed(begun).step(Step::Hang);
        let error = gives_up(protocol, answer, Delivery::Streamed, impatient()).await;
        assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::FirstContent), "{protocol:?}");
    })
    .await;
}

#[tokio::test]
async fn pings_are_no_content_before_the_first_nor_after_it() {
    each(|protocol| async move {
        for ping in pings(protocol) {
            let repeat = Step::Repeat(ping.into(), OFTEN);
            let never = protocol.streamed([]).step(repeat.clone());
            let error = gives_up(protocol, never, Delivery::Streamed, impatient()).await;
            assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::FirstContent), "{protocol:?} {ping:?}");
            let stalled = protocol.streamed(first_word(protocol)).step(repeat);
            let error = gives_up(protocol, stalled, Delivery::Streamed, restless()).await;
            assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Idle), "{protocol:?} {ping:?}");
            assert_eq!(error.advice().scope, Scope::Here);
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_said_before_a_silence_is_heard() {
    each(|protocol| async move {
        let server = FaultServer::start().await.expect("a server");
        server.then(protocol.streamed(first_word(protocol)).step(Step::Hang));
        let (said, error) = heard(&*configured(protocol, &server.url(), restless(), Limits::default())).await;
        assert_eq!((said.as_str(), error.map(|error| error.kind())), ("One ", Some(ErrorKind::Timeout(Timeout::Idle))));
    })
    .await;
}

#[tokio::test]
async fn a_slow_reply_that_goes_on_is_whole() {
    each(|protocol| async move {
        let server = FaultServer::start().await.expect("a server");
        let pieces = ["One ", "two ", "three ", "four ", "five ", "six."];
        let mut answer = protocol.streamed([]);
        for frame in protocol.frames(&pieces) {
            answer = answer.step(Step::Pause(Duration::from_millis(200))).body(frame);
        }
        server.then(answer);
        // All of it takes longer than the wait that is allowed from one piece to the next.
        let timeouts = Timeouts::default().with_idle(Duration::from_millis(1_100));
        let (said, error) = heard(&*configured(protocol, &server.url(), timeouts, Limits::default())).await;
        assert_eq!((said, error.map(|error| error.kind())), (pieces.concat(), None), "{protocol:?}");
    })
    .await;
}

#[tokio::test]
async fn the_deadline_of_the_request_holds_for_all_of_it_and_another_model_has_no_more_time() {
    each(|protocol| async move {
        let endless = protocol.streamed(first_word(protocol)).step(Step::Repeat("\n".into(), OFTEN));
        for answer in [Answer::hanging(), endless] {
            for delivery in DELIVERIES {
                let server = FaultServer::start().await.expect("a server");
                server.then(answer.clone());
                let model = configured(protocol, &server.url(), Timeouts::default(), Limits::default());
                let request = question(delivery).within(SHORT);
                let reply = async { model.stream(&request).await?.collect().await };
                let error = reply.await.expect_err("nothing comes");
                let kind = ErrorKind::Timeout(Timeout::Deadline);
                assert_eq!((error.kind(), error.advice().scope), (kind, Scope::Nowhere), "{protocol:?}");
                server.hung_up(1).await;
            }
        }
    })
    .await;
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
        server.then(protocol.streamed(first_word(protocol)).step(Step::Hang)).then(Answer::hanging());
        let mut stream = model.stream(&question(Delivery::Streamed)).await.expect("it begins");
        while !matches!(stream.next().await.expect("an event").expect("no error"), ChatEvent::Text(_)) {}
        drop(stream);
        server.hung_up(1).await;
        // Before the headers, too.
        let arrived = async {
            while server.requests().len() < 2 {
                tokio::task::yield_now().await;
            }
        };
        let request = question(Delivery::Streamed);
        tokio::select! {
            answered = model.stream(&request) => panic!("{answered:?}"),
            () = arrived => {}
        }
        server.hung_up(2).await;
    }
}
