//! Servers that mean harm, or might as well.

use std::time::Duration;

use bytes::Bytes;
use career_llm::testkit::server::{Answer, FaultServer, Length, Protocol, Step};
use career_llm::transport::Limits;
use career_llm::{Delivery, ErrorKind, Scope, Timeout};

use super::support::{DELIVERIES, KEY, ask, configured, each, failure, impatient, model, outcome_in};

#[tokio::test]
async fn json_of_any_depth_is_refused_and_does_no_harm() {
    for protocol in Protocol::ALL {
        for opening in ["[", "{\"a\":", "{\"error\":", "{\"choices\":[", "{\"message\":{\"content\":"] {
            let deep = opening.repeat(100_000);
            let whole = Answer::new(200).header("content-type", "application/json").body(deep.clone());
            assert_eq!(failure(protocol, whole, Delivery::Whole).await.kind(), ErrorKind::Protocol, "{protocol:?}");
            let stream = match protocol {
                Protocol::Ollama => format!("{deep}\n"),
                _ => format!("data: {deep}\n\n"),
            };
            let stream = protocol.streamed([Bytes::from(stream)]);
            assert_eq!(failure(protocol, stream, Delivery::Streamed).await.kind(), ErrorKind::Protocol, "{protocol:?}");
            let refusal = Answer::new(429).header("content-type", "application/json").body(deep);
            assert_eq!(
                failure(protocol, refusal, Delivery::Streamed).await.kind(),
                ErrorKind::Throttled,
                "{protocol:?}"
            );
        }
    }
}

#[tokio::test]
async fn refusals_of_any_bytes_are_told_by_their_status() {
    for protocol in Protocol::ALL {
        for bytes in [&b"\xff\xfe\x00"[..], b"\x1f\x8b\x08\x00\x00\x00", b"{\"error\":{\"message\":\"\xff\"}}", b"\0"] {
            let answer = Answer::new(503).header("content-type", "application/json").body(bytes);
            let error = failure(protocol, answer, DELIVERIES[0]).await;
            assert_eq!((error.kind(), error.status()), (ErrorKind::Overloaded, Some(503)), "{protocol:?} {bytes:?}");
        }
    }
}

#[tokio::test]
async fn bytes_that_trickle_are_no_content() {
    each(|protocol| async move {
        // A line that grows and never ends; white space before a whole reply, as proxies send it.
        for (delivery, trickle) in [(Delivery::Streamed, "d"), (Delivery::Whole, " ")] {
            let server = FaultServer::start().await.expect("a server");
            let head = if delivery == Delivery::Whole { protocol.whole("") } else { protocol.stream(&[]) };
            let answer = head.keep_steps(0).length(Length::Chunked);
            server.then(answer.step(Step::Repeat(trickle.into(), Duration::from_millis(20))));
            let model = configured(protocol, &server.url(), impatient(), Limits::default());
            let error = ask(&*model, delivery).await.expect_err("nothing comes");
            assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::FirstContent), "{protocol:?} {delivery:?}");
            server.hung_up(1).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_refusal_whose_body_hangs_is_told_by_its_status() {
    each(|protocol| async move {
        let refusal = protocol.error(503, "unavailable", "Come again.").header("retry-after", "3");
        let answer = refusal.length(Length::Said(5_000)).step(Step::Hang);
        let error = outcome_in(protocol, answer, Delivery::Streamed, impatient(), Limits::default()).await;
        let error = error.expect_err("a refusal");
        assert_eq!(
            (error.kind(), error.advice().scope, error.status()),
            (ErrorKind::Overloaded, Scope::Here, Some(503))
        );
        assert_eq!(error.advice().after, Some(Duration::from_secs(3)), "{protocol:?}");
    })
    .await;
}

#[tokio::test]
async fn headers_of_any_bytes_do_no_harm() {
    for protocol in Protocol::ALL {
        let long = "x".repeat(20_000);
        let answer = protocol.error(429, "", "Slower.").replace_header("x-request-id", long.as_str());
        let answer = answer.replace_header("request-id", "नमस्ते").header("retry-after", "नमस्ते");
        let error = failure(protocol, answer.header("x-ratelimit-remaining-requests", "0"), DELIVERIES[0]).await;
        assert_eq!((error.kind(), error.advice().after), (ErrorKind::Throttled, None), "{protocol:?}");
        assert!(error.request_id().is_none_or(|id| id.len() <= 200 && id.is_ascii()), "{protocol:?}");
    }
}

#[tokio::test]
async fn statuses_that_are_no_answer_are_errors() {
    for protocol in Protocol::ALL {
        for delivery in DELIVERIES {
            for status in [204, 205, 304, 999] {
                let error = failure(protocol, Answer::new(status), delivery).await;
                assert_eq!(error.status(), Some(status), "{protocol:?}: {error:?}");
                assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::NotFound), "{protocol:?}: {error:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_key_goes_into_one_header_and_nowhere_else() {
    for protocol in Protocol::ALL {
        for delivery in DELIVERIES {
            let server =
                FaultServer::answering(|request| Protocol::answer_to(request, &["One."])).await.expect("a server");
            let reply = ask(&*model(protocol, &server.url()), delivery).await.expect("a reply");
            assert_eq!(reply.text(), "One.");
            let request = &server.requests()[0];
            let holding =
                request.headers.iter().filter(|(_, value)| value.to_str().is_ok_and(|text| text.contains(KEY)));
            let names: Vec<&str> = holding.map(|(name, _)| name.as_str()).collect();
            let expected = match protocol {
                Protocol::Messages => "x-api-key",
                Protocol::GenerateContent => "x-goog-api-key",
                _ => "authorization",
            };
            assert_eq!(names, [expected], "{protocol:?}");
            assert!(!request.path.contains(KEY), "{}", request.path);
            assert!(!String::from_utf8_lossy(&request.body).contains(KEY));
            assert_eq!(
                (Protocol::of(request), request.wants_stream()),
                (Some(protocol), delivery == Delivery::Streamed)
            );
            assert!(request.header("content-type").is_some_and(|name| name.starts_with("application/json")));
        }
    }
}
