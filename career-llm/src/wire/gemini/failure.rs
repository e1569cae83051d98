//! What goes wrong, by status and inside a stream.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::super::plain::plain;
use super::super::shared::{Str, refusal};
use crate::wire::status_kind;
use crate::{Error, ErrorKind};

/// The longest delay that is believed, in seconds.
const LONGEST: f64 = 86_400.0;

/// An error as the provider tells it.
#[derive(Debug, Deserialize)]
pub(super) struct Status<'a> {
    #[serde(default)]
    code: Option<u16>,
    #[serde(borrow, default)]
    message: Option<Str<'a>>,
    #[serde(borrow, default)]
    status: Option<Str<'a>>,
    #[serde(borrow, default)]
    details: Vec<Detail<'a>>,
}

/// A detail of any of the types that matter here; the fields tell which it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    #[serde(borrow, default)]
    retry_delay: Option<Str<'a>>,
    #[serde(borrow, default)]
    reason: Option<Str<'a>>,
    #[serde(borrow, default)]
    violations: Vec<Violation<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Violation<'a> {
    #[serde(borrow, default)]
    quota_id: Option<Str<'a>>,
    #[serde(default)]
    quota_value: Option<Value>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    error: Status<'a>,
}

/// The error that a status and its body tell of. Some come in a list of one.
pub(super) fn by_status(status: StatusCode, body: &[u8]) -> Error {
    let kind = status_kind(status);
    let told =
        refusal::<Body<'_>>(body).or_else(|| serde_json::from_slice::<Vec<Body<'_>>>(body).ok()?.into_iter().next());
    let error = match (told, plain(body)) {
        (Some(told), _) => error(kind, &told.error),
        (None, Some(message)) => Error::new(kind, "").with_provider_message(message),
        (None, None) => Error::new(kind, ""),
    };
    error.with_status(status.as_u16())
}

/// The error that comes inside of a reply of status 200: the same as by the status that it names.
pub(super) fn inside(told: &Status<'_>) -> Error {
    let status = told.code.and_then(|code| StatusCode::from_u16(code).ok());
    let kind = status.filter(|status| !status.is_success()).map_or(ErrorKind::Overloaded, status_kind);
    error(kind, told).with_status(StatusCode::OK.as_u16())
}

fn error(kind: ErrorKind, told: &Status<'_>) -> Error {
    let message = told.message.as_deref().unwrap_or_default();
    let kind = refine(kind, told, message);
    let mut error = Error::new(kind, "");
    if let Some(code) = told.status.as_deref() {
        error = error.with_code(code);
    }
    if !message.is_empty() {
        error = error.with_provider_message(message);
    }
    // A delay beside a quota of the day is that of some other quota.
    let after = told.details.iter().find_map(|detail| delay(detail.retry_delay.as_deref()?));
    match after {
        Some(after) if kind != ErrorKind::Quota && kind != ErrorKind::SpendCap => error.with_after(after),
        _ => error,
    }
}

/// What the details, or wording that has been the same for years, say beyond the status.
fn refine(kind: ErrorKind, told: &Status<'_>, message: &str) -> ErrorKind {
    let reason = |reason: &str| told.details.iter().any(|detail| detail.reason.as_deref() == Some(reason));
    match kind {
        ErrorKind::Throttled if message.contains("spending cap") => ErrorKind::SpendCap,
        ErrorKind::Throttled if is_used_up(told, message) => ErrorKind::Quota,
        // A wrong key comes with status 400.
        ErrorKind::Invalid if reason("API_KEY_INVALID") || message.starts_with("API key not valid") => ErrorKind::Auth,
        ErrorKind::Invalid if message.contains("token count") && message.contains("exceeds the maximum") => {
            ErrorKind::ContextTooLong
        }
        kind => kind,
    }
}

/// Whether waiting a minute does not help: a quota of the day, or none at all.
fn is_used_up(told: &Status<'_>, message: &str) -> bool {
    let mut violations = told.details.iter().flat_map(|detail| &detail.violations);
    violations.any(|violation| {
        violation.quota_id.as_deref().is_some_and(|id| id.contains("PerDay"))
            || violation.quota_value.as_ref().is_some_and(|value| *value == "0" || *value == 0)
    }) || message.split("limit: 0").skip(1).any(|rest| !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
        || message.contains("credits are depleted")
}

/// A delay such as `34.07s`. More than a day is a day, as in headers.
fn delay(text: &str) -> Option<Duration> {
    let seconds = text.strip_suffix('s')?.parse::<f64>().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST)))
}
