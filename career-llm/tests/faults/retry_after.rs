//! How long to wait, as providers put it.

use std::time::{Duration, SystemTime};

use career_llm::testkit::server::Protocol;
use career_llm::{ErrorKind, Scope};

use super::support::{DELIVERIES, failure};

/// A wait that no provider may make longer.
const DAY: Duration = Duration::from_secs(86_400);

async fn after(protocol: Protocol, status: u16, headers: &[(&str, &str)]) -> Option<Duration> {
    let refusal = protocol.error(status, "", "Slow down.");
    let answer = headers.iter().fold(refusal, |answer, (name, value)| answer.header(name, *value));
    let error = failure(protocol, answer, DELIVERIES[0]).await;
    let kind = if status == 429 { ErrorKind::Throttled } else { ErrorKind::Overloaded };
    assert_eq!((error.kind(), error.advice().scope), (kind, Scope::Here), "{protocol:?} {headers:?}");
    error.advice().after
}

#[tokio::test]
async fn seconds_and_milliseconds_are_read_with_every_status_that_may_carry_them() {
    let (ms, s) = (Duration::from_millis, Duration::from_secs);
    for protocol in Protocol::ALL {
        for status in [429, 503, 529] {
            assert_eq!(after(protocol, status, &[]).await, None);
            assert_eq!(after(protocol, status, &[("retry-after", "7")]).await, Some(s(7)));
            assert_eq!(after(protocol, status, &[("Retry-After", "0.25")]).await, Some(ms(250)));
            let both = [("retry-after", "7"), ("retry-after-ms", "6400")];
            assert_eq!(after(protocol, status, &both).await, Some(ms(6400)));
        }
    }
}

#[tokio::test]
async fn a_date_is_a_wait_until_then() {
    let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(600));
    for protocol in Protocol::ALL {
        let wait = after(protocol, 429, &[("retry-after", &soon)]).await.expect("a wait");
        assert!((Duration::from_secs(300)..=Duration::from_secs(600)).contains(&wait), "{wait:?}");
        let past = [("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert_eq!(after(protocol, 429, &past).await, Some(Duration::ZERO));
    }
}

#[tokio::test]
async fn what_is_no_time_is_no_wait_and_no_wait_is_absurd() {
    for protocol in Protocol::ALL {
        for nonsense in ["", "soon", "-3", "NaN", "inf", "1e999", "7 s", "🌱"] {
            for name in ["retry-after", "retry-after-ms"] {
                assert_eq!(after(protocol, 429, &[(name, nonsense)]).await, None, "{protocol:?} {name}: {nonsense}");
            }
        }
        for absurd in ["99999999999999999999", "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(after(protocol, 429, &[("retry-after", absurd)]).await, Some(DAY), "{protocol:?} {absurd}");
        }
    }
}

#[tokio::test]
async fn limits_that_are_used_up_tell_when_they_are_renewed() {
    let openai = [
        ("x-ratelimit-remaining-requests", "12"),
        ("x-ratelimit-reset-requests", "1h"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "1m30.5s"),
    ];
    for protocol in [Protocol::Completions, Protocol::Responses] {
        assert_eq!(after(protocol, 429, &openai).await, Some(Duration::from_millis(90_500)));
    }
    let anthropic = [
        ("anthropic-ratelimit-output-tokens-remaining", "0"),
        ("anthropic-ratelimit-output-tokens-reset", "1994-11-06T08:49:37Z"),
    ];
    assert_eq!(after(Protocol::Messages, 429, &anthropic).await, Some(Duration::ZERO));
}
