//! What goes wrong, by status and inside a stream.

use http::StatusCode;
use serde::Deserialize;

use super::super::plain::plain;
use super::super::shared::{Str, refusal};
use crate::wire::status_kind;
use crate::{Error, ErrorKind};

/// The status where the provider itself is overloaded.
const OVERLOADED: u16 = 529;

/// The body of an error, also inside a stream.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal<'a> {
    #[serde(borrow)]
    pub(super) error: Detail<'a>,
    #[serde(borrow, default)]
    pub(super) request_id: Option<Str<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Detail<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Str<'a>>,
    #[serde(borrow, default)]
    message: Option<Str<'a>>,
    #[serde(borrow, default)]
    details: Option<Details<'a>>,
}

#[derive(Debug, Deserialize)]
struct Details<'a> {
    #[serde(borrow, default)]
    error_code: Option<Str<'a>>,
}

/// The error that a status and its body tell of.
pub(super) fn by_status(status: StatusCode, body: &[u8]) -> Error {
    let kind = status_kind(status);
    let error = match (refusal::<Refusal<'_>>(body), plain(body)) {
        (Some(refusal), _) => error(kind, &refusal),
        (None, Some(message)) => Error::new(kind, "").with_provider_message(message),
        (None, None) => Error::new(kind, ""),
    };
    error.with_status(status.as_u16())
}

/// The error that comes inside of a reply of status 200: the same as by the status that its type stands for.
pub(super) fn inside(refusal: &Refusal<'_>) -> Error {
    let status = match refusal.error.kind.as_deref() {
        Some("invalid_request_error") => 400,
        Some("authentication_error") => 401,
        Some("billing_error") => 402,
        Some("permission_error") => 403,
        Some("not_found_error") => 404,
        Some("request_too_large") => 413,
        Some("rate_limit_error") => 429,
        Some("timeout_error") => 504,
        Some("overloaded_error") => OVERLOADED,
        _ => 500,
    };
    let kind = StatusCode::from_u16(status).map_or(ErrorKind::Overloaded, status_kind);
    error(kind, refusal).with_status(StatusCode::OK.as_u16())
}

fn error(kind: ErrorKind, refusal: &Refusal<'_>) -> Error {
    let detail = &refusal.error;
    let code = detail.details.as_ref().and_then(|details| details.error_code.as_deref());
    let message = detail.message.as_deref().unwrap_or_default();
    let mut error = Error::new(refine(kind, code, message), "");
    if let Some(code) = code.or(detail.kind.as_deref()) {
        error = error.with_code(code);
    }
    if !message.is_empty() {
        error = error.with_provider_message(message);
    }
    match &refusal.request_id {
        Some(id) => error.with_request_id(&**id),
        None => error,
    }
}

/// What a code, or wording that has been the same for years, says beyond the status.
fn refine(kind: ErrorKind, code: Option<&str>, message: &str) -> ErrorKind {
    match kind {
        // Comes as an invalid request, and sent elsewhere it would find a laxer model.
        _ if message.starts_with("Output blocked by content filtering policy") => ErrorKind::Filtered,
        ErrorKind::Throttled if code == Some("enforced_spend_limit_reached") => ErrorKind::SpendCap,
        ErrorKind::Invalid if message.contains("prompt is too long") || message.contains("exceed context limit") => {
            ErrorKind::ContextTooLong
        }
        ErrorKind::Invalid if message.contains("credit balance is too low") => ErrorKind::Quota,
        ErrorKind::Invalid if message.contains("reached your specified") && message.contains("usage limits") => {
            ErrorKind::SpendCap
        }
        kind => kind,
    }
}
