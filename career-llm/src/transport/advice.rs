//! What the headers of an answer say besides: how long to wait, and which request it was.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

/// The longest wait that is believed. Longer ones count as this long: nobody waits for it within a call.
const LONGEST: Duration = Duration::from_secs(86_400);

/// How long the provider asks to wait.
///
/// `retry-after-ms` comes before `retry-after`, which is in seconds or a date. Without either, a 429 is read for the limits
/// that are used up (`…-remaining…: 0`) and the last of their `…-reset…`. What is no time, is negative or without end
/// is passed over; a time in the past is no wait; more than a day is a day.
pub(super) fn wait(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text("retry-after-ms")
        .and_then(|ms| seconds(ms.parse::<f64>().ok()? / 1000.0))
        .or_else(|| text("retry-after").and_then(|after| seconds_or_date(after, now)));
    if asked.is_some() || status != StatusCode::TOO_MANY_REQUESTS {
        return asked;
    }
    let openai = ["requests", "tokens"].into_iter().filter_map(|what| {
        let used_up = text(&format!("x-ratelimit-remaining-{what}"))? == "0";
        units(text(&format!("x-ratelimit-reset-{what}"))?).filter(|_| used_up)
    });
    let anthropic = ["requests", "tokens", "input-tokens", "output-tokens"].into_iter().filter_map(|what| {
        let used_up = text(&format!("anthropic-ratelimit-{what}-remaining"))? == "0";
        let reset = text(&format!("anthropic-ratelimit-{what}-reset"))?.parse::<Timestamp>().ok()?;
        Some(until(reset.into(), now)).filter(|_| used_up)
    });
    openai.chain(anthropic).max()
}

/// The provider's id of the request. A proxy's own counts when there is no other.
pub(super) fn request_id(headers: &HeaderMap) -> Option<&str> {
    let names = ["x-request-id", "request-id", "x-goog-request-id", "cf-ray"];
    let ids = names.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    ids.map(str::trim).find(|id| !id.is_empty() && id.len() <= 200)
}

fn seconds(seconds: f64) -> Option<Duration> {
    let sensible = seconds.is_finite() && seconds >= 0.0;
    sensible.then(|| Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64())))
}

fn seconds_or_date(after: &str, now: SystemTime) -> Option<Duration> {
    match after.parse::<f64>() {
        Ok(number) => seconds(number),
        Err(_) => httpdate::parse_http_date(after).ok().map(|date| until(date, now)),
    }
}

fn until(date: SystemTime, now: SystemTime) -> Duration {
    date.duration_since(now).unwrap_or_default().min(LONGEST)
}

/// A time such as `6m0s`, `1.5s`, `120ms`. A bare number is none: some mean seconds by it, others a date.
fn units(mut text: &str) -> Option<Duration> {
    let mut total = 0.0;
    if text.is_empty() {
        return None;
    }
    while !text.is_empty() {
        let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()));
        let seconds = match unit {
            "ns" => 1e-9,
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * seconds;
        text = rest;
    }
    seconds(total)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    type Pairs<'a> = &'a [(&'static str, &'a str)];

    fn headers(pairs: Pairs<'_>) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
        };
        pairs.iter().map(pair).collect()
    }

    /// Sunday, 6 November 1994, 08:49:37.
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    fn asked(status: u16, pairs: Pairs<'_>) -> Option<Duration> {
        wait(StatusCode::from_u16(status).expect("a status"), &headers(pairs), now())
    }

    #[test]
    fn every_way_to_ask_for_a_wait_is_read() {
        let cases: [(Pairs<'_>, Option<u64>); 16] = [
            (&[("retry-after", "20")], Some(20_000)),
            (&[("retry-after", " 1.5 ")], Some(1500)),
            (&[("retry-after-ms", "250"), ("retry-after", "20")], Some(250)),
            (&[("retry-after-ms", "soon"), ("retry-after", "20")], Some(20_000)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], Some(30_000)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")], Some(0)),
            (&[("retry-after", "0")], Some(0)),
            (&[("retry-after", "999999999")], Some(86_400_000)),
            (&[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")], Some(86_400_000)),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "inf")], None),
            (&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s")], Some(360_000)),
            (&[("x-ratelimit-remaining-tokens", "9"), ("x-ratelimit-reset-tokens", "6m0s")], None),
            (&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "1700000000")], None),
            (
                &[
                    ("anthropic-ratelimit-requests-remaining", "5"),
                    ("anthropic-ratelimit-requests-reset", "1994-11-06T09:49:37Z"),
                    ("anthropic-ratelimit-input-tokens-remaining", "0"),
                    ("anthropic-ratelimit-input-tokens-reset", "1994-11-06T08:49:47Z"),
                    ("anthropic-ratelimit-tokens-remaining", "0"),
                    ("anthropic-ratelimit-tokens-reset", "1994-11-06T08:49:57+00:00"),
                ],
                Some(20_000),
            ),
        ];
        for (pairs, expected) in cases {
            assert_eq!(asked(429, pairs), expected.map(Duration::from_millis), "{pairs:?}");
        }
    }

    #[test]
    fn only_a_429_is_read_for_limits() {
        let limits = [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "2s")];
        assert_eq!(asked(429, &limits), Some(Duration::from_secs(2)));
        assert_eq!(asked(500, &limits), None);
        assert_eq!(asked(503, &[("retry-after", "2")]), Some(Duration::from_secs(2)));
    }

    #[test]
    fn units_add_up() {
        assert_eq!(units("1h2m3.5s"), Some(Duration::from_millis(3_723_500)));
        assert_eq!(units("120ms"), Some(Duration::from_millis(120)));
        assert_eq!(units("1d2h"), Some(LONGEST));
        for none in ["", "5", "s", "5y", "-5s", "1.2.3s", "5 s"] {
            assert_eq!(units(none), None, "{none}");
        }
    }

    #[test]
    fn the_providers_own_id_comes_before_the_proxys() {
        assert_eq!(request_id(&headers(&[("cf-ray", "ray"), ("request-id", "req_1")])), Some("req_1"));
        assert_eq!(request_id(&headers(&[("cf-ray", "ray"), ("x-request-id", " ")])), Some("ray"));
        assert_eq!(request_id(&headers(&[("x-request-id", &"x".repeat(201))])), None);
    }

    proptest! {
        #[test]
        fn no_header_makes_a_wait_of_more_than_a_day(value in "[ -~]{0,24}") {
            let pairs = [("retry-after", value.as_str()), ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", value.as_str())];
            prop_assert!(asked(429, &pairs).is_none_or(|wait| wait <= LONGEST));
        }
    }
}
