//! What a failure says, in every shape that servers give it.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::wire::status_kind;
use crate::{Error, ErrorKind, Scope, Text, Timeout};

/// Longest message of a provider that is kept, in bytes.
const MESSAGE_MAX: usize = 2_048;

/// The error of an answer with another status than 2xx.
pub(crate) fn failure(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let said = Said::read(body);
    let (kind, scope) = said.kind(Some(status));
    let error = said.error(kind, scope).with_status(status.as_u16());
    let again = headers.get("x-should-retry").map(http::HeaderValue::as_bytes);
    let scope = error.advice().scope;
    match again {
        // Never wider than the kind says: a safety refusal stays one.
        Some(b"false") => error.with_scope(scope.min(Scope::Elsewhere)),
        Some(b"true") if !matches!(kind, ErrorKind::Filtered | ErrorKind::Quota | ErrorKind::SpendCap) => {
            error.with_scope(Scope::Here)
        }
        _ => error,
    }
}

/// The error that a body or an event with status 200 tells, if it tells one.
pub(crate) fn told(data: &str) -> Option<Error> {
    let said = Said::read(data.as_bytes());
    said.told.then(|| said.inside())
}

/// The error that a body or an event with status 200 is known to be.
pub(crate) fn inside(data: &str) -> Error {
    Said::read(data.as_bytes()).inside()
}

/// The error that is under a field of an event.
pub(crate) fn under(value: &Value) -> Error {
    let mut said = Said::default();
    said.fill(value);
    said.inside()
}

/// A frame that is not the JSON of the protocol. The parser's own words may quote it, so they are not kept.
pub(crate) fn bad_json(error: &serde_json::Error) -> Error {
    let what = match error.classify() {
        serde_json::error::Category::Syntax => "no JSON",
        serde_json::error::Category::Eof => "JSON that was cut short",
        _ => "JSON of another shape",
    };
    Error::protocol(format!(
        "expected a piece of a reply, found {what} (line {}, column {})",
        error.line(),
        error.column()
    ))
}

/// What a failure says.
#[derive(Default)]
struct Said {
    /// Whether any shape of a failure was found.
    told: bool,
    code: Option<String>,
    class: Option<String>,
    param: Option<String>,
    message: Option<String>,
    /// A code that is a status of HTTP.
    status: Option<StatusCode>,
    /// A gateway tells that a filter did it.
    flagged: bool,
    note: &'static str,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        let mut said = Said::default();
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => {
                said.fill(&value);
                if !said.told {
                    said.note = "the body tells no error";
                }
            }
            // A page of a proxy, plain words, or nothing.
            Err(_) => {
                let start = &body[..body.len().min(2 * MESSAGE_MAX)];
                said.message = Some(String::from_utf8_lossy(start).trim().to_owned()).filter(|text| !text.is_empty());
                said.note = "the body is no JSON";
            }
        }
        said
    }

    /// Takes `{error: {…}}`, `{error: "…", code}`, `{message, type, code}`, `{detail}`, and arrays of them.
    fn fill(&mut self, value: &Value) {
        let root = match value {
            Value::Array(values) => values.first().unwrap_or(&Value::Null),
            value => value,
        };
        let error = match &root["error"] {
            Value::Null | Value::Bool(false) => &root["x_groq"]["error"],
            error => error,
        };
        let (told, holder) = match error {
            Value::Object(_) => (None, error),
            Value::Null | Value::Bool(_) => (None, root),
            error => (words(error), root),
        };
        let message = told.or_else(|| ["message", "detail", "msg"].iter().find_map(|name| words(&holder[*name])));
        self.code = words(&holder["code"]);
        self.class = words(&holder["type"]).filter(|class| class != "error");
        self.param = words(&holder["param"]);
        self.told = message.is_some() || error.is_object() || (self.code.is_some() && holder["choices"].is_null());
        self.status = self.code.as_deref().and_then(|code| code.parse::<u16>().ok()).and_then(error_status);
        let metadata = &holder["metadata"];
        self.flagged = !metadata["reasons"].is_null() || !metadata["flagged_input"].is_null();
        // What is no name but a sentence belongs to the message.
        self.message = match self.code.take_if(|code| !is_name(code)) {
            Some(sentence) => Some(message.map_or(sentence.clone(), |message| format!("{sentence}: {message}"))),
            None => message,
        };
    }

    /// The error inside of a success.
    fn inside(self) -> Error {
        let (kind, scope) = self.kind(None);
        self.error(kind, scope).with_status(StatusCode::OK.as_u16())
    }

    fn error(self, kind: ErrorKind, scope: Option<Scope>) -> Error {
        let own = match self.param.filter(|param| is_name(param)) {
            Some(param) => Cow::Owned(format!("at {param}")),
            None => Cow::Borrowed(self.note),
        };
        let mut error = Error::new(kind, own);
        if let Some(code) = self.code.or(self.class).filter(|code| is_name(code)) {
            error = error.with_code(code);
        }
        if let Some(message) = self.message {
            error = error.with_provider_message(Text::from(&message[..message.floor_char_boundary(MESSAGE_MAX)]));
        }
        match scope {
            Some(scope) => error.with_scope(scope),
            None => error,
        }
    }

    /// What the code says, what the status says, and where neither is there what the words of the code are like.
    fn kind(&self, status: Option<StatusCode>) -> (ErrorKind, Option<Scope>) {
        let names = [self.code.as_deref(), self.class.as_deref()].map(|name| normal(name.unwrap_or_default()));
        let any = |words: &[&str]| words.iter().any(|word| names.iter().any(|name| name.contains(word)));
        if any(&["spend_limit", "organization_usage_limit"]) {
            return (ErrorKind::SpendCap, Some(Scope::Elsewhere));
        }
        if any(&[
            "insufficient_quota",
            "credit_balance",
            "insufficient_balance",
            "insufficient_credit",
            "billing_hard_limit",
        ]) {
            return (ErrorKind::Quota, Some(Scope::Elsewhere));
        }
        if any(&["context_length", "context_window", "context_size", "prompt_too_long", "max_prompt_tokens"]) {
            return (ErrorKind::ContextTooLong, None);
        }
        let filters =
            ["content_filter", "content_policy", "policy_violation", "policyviolation", "moderation", "invalid_prompt"];
        if any(&filters) || self.flagged {
            return (ErrorKind::Filtered, None);
        }
        if any(&["model_not_found"]) {
            return (ErrorKind::NotFound, None);
        }
        if any(&["json_validate_failed"]) {
            return (ErrorKind::Output, None);
        }
        if let Some(status) = status.or(self.status) {
            return (status_kind(status), None);
        }
        let kind = if any(&["rate_limit", "too_many_requests", "slow_down", "throttl"]) {
            ErrorKind::Throttled
        } else if any(&["auth", "api_key", "permission", "forbidden"]) {
            ErrorKind::Auth
        } else if any(&["not_found"]) {
            ErrorKind::NotFound
        } else if any(&["timeout", "timed_out"]) {
            ErrorKind::Timeout(Timeout::Provider)
        } else if any(&["invalid", "bad_request", "badrequest", "unsupported"]) {
            ErrorKind::Invalid
        } else {
            // It took the request and then failed for a reason that it does not tell: trouble of its own.
            ErrorKind::Overloaded
        };
        (kind, None)
    }
}

/// The words of a string or a number; what else there is, as JSON.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Whether this is a name of the provider's and not a sentence, in which anything may be quoted.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/[]".contains(&byte);
    (1..=96).contains(&text.len()) && text.bytes().all(allowed)
}

fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', ' '], "_")
}

fn error_status(code: u16) -> Option<StatusCode> {
    (400..600).contains(&code).then(|| StatusCode::from_u16(code).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// status, body, then kind, scope, code and message that they mean.
    type Row = (u16, &'static str, ErrorKind, Scope, Option<&'static str>, Option<&'static str>);

    #[test]
    fn every_shape_of_a_failure_is_read() {
        use ErrorKind::*;
        use Scope::*;
        let rows: &[Row] = &[
            (
                400,
                r#"{"error":{"message":"bad","type":"invalid_request_error","param":"messages[0].content","code":null}}"#,
                Invalid,
                Elsewhere,
                Some("invalid_request_error"),
                Some("bad"),
            ),
            (
                400,
                r#"{"error":{"message":"long","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
                ContextTooLong,
                Elsewhere,
                Some("context_length_exceeded"),
                Some("long"),
            ),
            (
                400,
                r#"{"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_ctx":4096}}"#,
                ContextTooLong,
                Elsewhere,
                Some("400"),
                Some("too long"),
            ),
            (
                400,
                r#"{"error":{"message":"m","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
                Filtered,
                Nowhere,
                Some("content_filter"),
                Some("m"),
            ),
            (
                400,
                r#"{"error":{"message":"m","code":"invalid_prompt"}}"#,
                Filtered,
                Nowhere,
                Some("invalid_prompt"),
                Some("m"),
            ),
            (
                400,
                r#"{"error":{"message":"m","code":"json_validate_failed"}}"#,
                Output,
                Elsewhere,
                Some("json_validate_failed"),
                Some("m"),
            ),
            (
                400,
                r#"{"code":"Client specified an invalid argument","error":"no such field"}"#,
                Invalid,
                Elsewhere,
                None,
                Some("Client specified an invalid argument: no such field"),
            ),
            (
                401,
                r#"{"error":{"message":"wrong key","type":"invalid_request_error","code":"invalid_api_key"}}"#,
                Auth,
                Elsewhere,
                Some("invalid_api_key"),
                Some("wrong key"),
            ),
            (
                402,
                r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
                Quota,
                Elsewhere,
                Some("invalid_request_error"),
                Some("Insufficient Balance"),
            ),
            (
                403,
                r#"{"error":{"code":403,"message":"flagged","metadata":{"reasons":["violence"]}}}"#,
                Filtered,
                Nowhere,
                Some("403"),
                Some("flagged"),
            ),
            (403, r#"{"error":"denied"}"#, Auth, Elsewhere, None, Some("denied")),
            (
                404,
                r#"{"object":"error","message":"no model","type":"NotFoundError","param":null,"code":404}"#,
                NotFound,
                Elsewhere,
                Some("404"),
                Some("no model"),
            ),
            (408, "", Timeout(crate::Timeout::Provider), Here, None, None),
            (
                413,
                "<html>413 Request Entity Too Large</html>",
                ContextTooLong,
                Elsewhere,
                None,
                Some("<html>413 Request Entity Too Large</html>"),
            ),
            (
                422,
                r#"{"detail":[{"loc":["body","seed"],"msg":"extra"}]}"#,
                Invalid,
                Elsewhere,
                None,
                Some(r#"[{"loc":["body","seed"],"msg":"extra"}]"#),
            ),
            (
                429,
                r#"{"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}}"#,
                Throttled,
                Here,
                Some("rate_limit_exceeded"),
                Some("slow"),
            ),
            (429, "Too many requests\n", Throttled, Here, None, Some("Too many requests")),
            (
                429,
                r#"{"error":{"message":"q","type":"insufficient_quota","code":"insufficient_quota"}}"#,
                Quota,
                Elsewhere,
                Some("insufficient_quota"),
                Some("q"),
            ),
            (
                429,
                r#"{"error":{"message":"q","type":"insufficient_quota","code":null}}"#,
                Quota,
                Elsewhere,
                Some("insufficient_quota"),
                Some("q"),
            ),
            (
                429,
                r#"{"error":{"message":"q","code":"credit_balance_exhausted"}}"#,
                Quota,
                Elsewhere,
                Some("credit_balance_exhausted"),
                Some("q"),
            ),
            (
                429,
                r#"{"error":{"message":"q","code":"project_spend_limit_exceeded"}}"#,
                SpendCap,
                Elsewhere,
                Some("project_spend_limit_exceeded"),
                Some("q"),
            ),
            (
                429,
                r#"{"error":{"message":"q","code":"organization_usage_limit_exceeded"}}"#,
                SpendCap,
                Elsewhere,
                Some("organization_usage_limit_exceeded"),
                Some("q"),
            ),
            (500, r#"[{"error":{"message":"oops","code":500}}]"#, Overloaded, Here, Some("500"), Some("oops")),
            (
                503,
                r#"{"error":{"message":"busy","code":"server_is_overloaded"}}"#,
                Overloaded,
                Here,
                Some("server_is_overloaded"),
                Some("busy"),
            ),
            (529, r#"{"ok":false}"#, Overloaded, Here, None, None),
        ];
        for (status, body, kind, scope, code, message) in rows {
            let status = StatusCode::from_u16(*status).expect("a status");
            let error = failure(status, &HeaderMap::new(), body.as_bytes());
            let found = (error.kind(), error.advice().scope, error.code(), error.provider_message().map(Text::as_str));
            assert_eq!(found, (*kind, *scope, *code, *message), "{status} {body}");
            assert_eq!(error.status(), Some(status.as_u16()));
        }
    }

    #[test]
    fn inside_of_a_success_the_code_tells_the_kind() {
        use ErrorKind::*;
        let rows = [
            (r#"{"error":{"code":429,"message":"m"},"choices":[{"finish_reason":"error"}]}"#, Throttled),
            (r#"{"error":{"code":"rate_limit_exceeded","message":"m"}}"#, Throttled),
            (r#"{"error":{"type":"server_error","message":"m"}}"#, Overloaded),
            (r#"{"error":{"code":"insufficient_quota","message":"m"}}"#, Quota),
            (r#"{"code":"invalid_api_key","error":"m"}"#, Auth),
            (r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#, Invalid),
            (r#"{"error":{"code":"vector_store_timeout","message":"m"}}"#, Timeout(crate::Timeout::Provider)),
            (r#"{"id":"x","x_groq":{"error":"m"}}"#, Overloaded),
        ];
        for (body, kind) in rows {
            let error = told(body).expect(body);
            assert_eq!((error.kind(), error.status()), (kind, Some(200)), "{body}");
            assert_eq!(error.provider_message().map(Text::as_str), Some("m"), "{body}");
        }
        assert!(told(r#"{"id":"x","choices":[]}"#).is_none());
        assert!(told(r#"{"type":"ping"}"#).is_none());
    }

    #[test]
    fn whether_to_ask_again_is_believed_but_a_refusal_stays_one() {
        let scope = |status: u16, body: &str, again: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-should-retry", http::HeaderValue::from_static(again));
            let status = StatusCode::from_u16(status).expect("a status");
            failure(status, &headers, body.as_bytes()).advice().scope
        };
        assert_eq!(scope(429, "", "false"), Scope::Elsewhere);
        assert_eq!(scope(400, "", "true"), Scope::Here);
        assert_eq!(scope(500, "", "true"), Scope::Here);
        assert_eq!(scope(400, r#"{"error":{"code":"content_filter"}}"#, "false"), Scope::Nowhere);
        assert_eq!(scope(400, r#"{"error":{"code":"content_filter"}}"#, "true"), Scope::Nowhere);
        assert_eq!(scope(429, r#"{"error":{"code":"insufficient_quota"}}"#, "true"), Scope::Elsewhere);
    }

    #[test]
    fn what_may_quote_the_request_stays_in_the_providers_message() {
        let body =
            r#"{"error":{"message":"secret","code":"my secret words","param":"the secret","type":"also secret!"}}"#;
        let error = failure(StatusCode::BAD_REQUEST, &HeaderMap::new(), body.as_bytes());
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        assert_eq!(error.provider_message().map(Text::as_str), Some("my secret words: secret"));
        let page = "न".repeat(5_000);
        let error = failure(StatusCode::BAD_GATEWAY, &HeaderMap::new(), page.as_bytes());
        assert!(error.provider_message().is_some_and(|text| text.len() <= MESSAGE_MAX && text.len() > MESSAGE_MAX - 4));
        let wrong = serde_json::from_str::<u8>("\"secret\"").expect_err("no number");
        assert!(!format!("{:?}", bad_json(&wrong)).contains("secret"));
    }
}
