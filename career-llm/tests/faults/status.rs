//! What each status means, in the shape of each provider.

use career_llm::testkit::server::{Answer, Protocol};
use career_llm::{ErrorKind, Scope, Timeout};

use super::support::{DELIVERIES, failure, provider, words};

/// What a status means, wherever it comes from.
const MEANINGS: [(u16, ErrorKind, Scope); 15] = [
    (400, ErrorKind::Invalid, Scope::Elsewhere),
    (401, ErrorKind::Auth, Scope::Elsewhere),
    (403, ErrorKind::Auth, Scope::Elsewhere),
    (404, ErrorKind::NotFound, Scope::Elsewhere),
    (408, ErrorKind::Timeout(Timeout::Provider), Scope::Here),
    (409, ErrorKind::Overloaded, Scope::Here),
    (413, ErrorKind::ContextTooLong, Scope::Elsewhere),
    (422, ErrorKind::Invalid, Scope::Elsewhere),
    (429, ErrorKind::Throttled, Scope::Here),
    (500, ErrorKind::Overloaded, Scope::Here),
    (502, ErrorKind::Overloaded, Scope::Here),
    (503, ErrorKind::Overloaded, Scope::Here),
    (504, ErrorKind::Timeout(Timeout::Provider), Scope::Here),
    (520, ErrorKind::Overloaded, Scope::Here),
    (529, ErrorKind::Overloaded, Scope::Here),
];

/// The code that a provider gives with a status.
fn code(protocol: Protocol, status: u16) -> &'static str {
    match (protocol, status) {
        (Protocol::Completions | Protocol::Responses, status) => match status {
            400 | 422 => "invalid_value",
            401 => "invalid_api_key",
            403 => "unsupported_country_region_territory",
            404 => "model_not_found",
            408 | 504 => "timeout",
            413 => "request_too_large",
            429 => "rate_limit_exceeded",
            503 | 529 => "server_is_overloaded",
            _ => "server_error",
        },
        (Protocol::Messages, status) => match status {
            400 | 422 => "invalid_request_error",
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            408 | 504 => "timeout_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            _ => "api_error",
        },
        (_, status) => match status {
            400 | 413 | 422 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            408 | 504 => "DEADLINE_EXCEEDED",
            409 => "ABORTED",
            429 => "RESOURCE_EXHAUSTED",
            500 => "INTERNAL",
            _ => "UNAVAILABLE",
        },
    }
}

/// The id of the request that the server gives, where the provider has a header for it.
fn request_id(protocol: Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::GenerateContent | Protocol::Ollama => None,
        _ => Some("req-1"),
    }
}

#[tokio::test]
async fn a_status_means_the_same_at_every_provider_and_nothing_that_it_said_is_lost() {
    for protocol in Protocol::ALL {
        for (status, kind, scope) in MEANINGS {
            for delivery in DELIVERIES {
                let code = code(protocol, status);
                let error = failure(protocol, protocol.error(status, code, "These words."), delivery).await;
                let at = format!("{protocol:?} {status} {delivery:?}: {error:?}");
                assert_eq!((error.kind(), error.advice().scope, error.advice().after), (kind, scope, None), "{at}");
                assert_eq!((error.status(), words(&error)), (Some(status), Some("These words.")), "{at}");
                assert_eq!(error.code(), Some(code).filter(|_| protocol != Protocol::Ollama), "{at}");
                assert_eq!(error.request_id(), request_id(protocol), "{at}");
                let model = error.model().expect("the model is told");
                assert_eq!((&*model.provider, &*model.model), (provider(protocol), "test-model"), "{at}");
            }
        }
    }
}

#[tokio::test]
async fn a_status_without_a_body_and_with_a_body_that_is_no_json_means_the_same() {
    for protocol in Protocol::ALL {
        for (status, kind, scope) in MEANINGS {
            let empty = failure(protocol, Answer::new(status), DELIVERIES[0]).await;
            assert_eq!(
                (empty.kind(), empty.advice().scope, words(&empty)),
                (kind, scope, None),
                "{protocol:?} {status}"
            );
            let plain = Answer::new(status).header("content-type", "text/plain").body("Too busy.\n");
            let plain = failure(protocol, plain, DELIVERIES[0]).await;
            assert_eq!((plain.kind(), words(&plain)), (kind, Some("Too busy.")), "{protocol:?} {status}");
        }
    }
}

#[tokio::test]
async fn a_page_of_a_proxy_is_told_by_its_status() {
    let page = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    for protocol in Protocol::ALL {
        for delivery in DELIVERIES {
            let answer = Answer::new(502).header("content-type", "text/html").body(page);
            let error = failure(protocol, answer, delivery).await;
            assert_eq!(
                (error.kind(), error.status(), error.code()),
                (ErrorKind::Overloaded, Some(502), None),
                "{protocol:?}"
            );
            assert!(!format!("{error} {error:?}").contains("nginx"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn the_words_of_a_request_too_long_are_known_where_the_status_does_not_tell() {
    let bodies = [
        (Protocol::Completions, "context_length_exceeded", "This model's maximum context length is 8192 tokens."),
        (Protocol::Responses, "context_length_exceeded", "Your input exceeds the context window of this model."),
        (Protocol::Messages, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
        (
            Protocol::GenerateContent,
            "INVALID_ARGUMENT",
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        ),
    ];
    for (protocol, code, message) in bodies {
        let error = failure(protocol, protocol.error(400, code, message), DELIVERIES[0]).await;
        assert_eq!((error.kind(), error.advice().scope), (ErrorKind::ContextTooLong, Scope::Elsewhere), "{protocol:?}");
        assert_eq!(words(&error), Some(message));
    }
}

#[tokio::test]
async fn an_error_that_does_not_end_is_told_by_its_status() {
    use career_llm::testkit::server::Length;
    for protocol in Protocol::ALL {
        // More is promised than comes.
        let short = protocol
            .error(503, "unavailable", "Come again.")
            .length(Length::Said(5_000))
            .step(career_llm::testkit::server::Step::Cut);
        let error = failure(protocol, short, DELIVERIES[0]).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Overloaded, Some(503)), "{protocol:?}");
    }
}
