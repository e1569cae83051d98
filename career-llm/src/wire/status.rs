//! What a status of HTTP says by itself.

use http::StatusCode;

use crate::{ErrorKind, Timeout};

/// The kind of error that a status other than 2xx means, where the body says nothing better.
///
/// ```
/// use career_llm::{ErrorKind, wire::status_kind};
/// use http::StatusCode;
///
/// assert_eq!(status_kind(StatusCode::TOO_MANY_REQUESTS), ErrorKind::Throttled);
/// ```
pub fn status_kind(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        // No redirect is followed: a key must not travel to where the host did not send it.
        300..=399 | 404 | 405 | 410 => ErrorKind::NotFound,
        401 | 403 | 407 => ErrorKind::Auth,
        402 => ErrorKind::Quota,
        408 | 504 => ErrorKind::Timeout(Timeout::Provider),
        409 | 425 | 500..=599 => ErrorKind::Overloaded,
        413 => ErrorKind::ContextTooLong,
        429 => ErrorKind::Throttled,
        400..=499 => ErrorKind::Invalid,
        _ => ErrorKind::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_kind() {
        let kinds = [
            (302, ErrorKind::NotFound),
            (400, ErrorKind::Invalid),
            (401, ErrorKind::Auth),
            (402, ErrorKind::Quota),
            (403, ErrorKind::Auth),
            (404, ErrorKind::NotFound),
            (408, ErrorKind::Timeout(Timeout::Provider)),
            (409, ErrorKind::Overloaded),
            (413, ErrorKind::ContextTooLong),
            (422, ErrorKind::Invalid),
            (429, ErrorKind::Throttled),
            (500, ErrorKind::Overloaded),
            (503, ErrorKind::Overloaded),
            (504, ErrorKind::Timeout(Timeout::Provider)),
            (529, ErrorKind::Overloaded),
            (777, ErrorKind::Protocol),
        ];
        for (status, kind) in kinds {
            assert_eq!(status_kind(StatusCode::from_u16(status).expect("a status")), kind, "{status}");
        }
    }
}
