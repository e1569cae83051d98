//! What a failure says, in every shape that servers give it.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::wire::plain::{MESSAGE_MAX, plain};
use crate::wire::status_kind;
use crate::{Error, ErrorKind, Scope, Text, Timeout};

/// How the sentences begin by which servers without a code for it tell that a request is too long. What a person wrote
/// comes later in them, if at all.
const TOO_LONG: [&str; 3] = [
    "This model's maximum context length is",
    "This model's maximum prompt length is",
    "This endpoint's maximum context length is",
];

/// The same for a refusal by a safety filter: DeepSeek's, xAI's (with status 403), OpenAI's. A refusal that is not seen as
/// one would be asked again of a laxer model.
const REFUSED: [&str; 4] = [
    "Content Exists Risk",
    "Content violates usage guidelines",
    "Invalid prompt: your prompt was flagged",
    "Your request was rejected as a result of our safety system",
];

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
    /// The words tell that the request is too long.
    long: bool,
    /// A gateway, or the words, tell that a filter did it.
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
                said.message = plain(body).map(|text| text.to_string());
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
        let begins = |sentences: &[&str]| {
            message.as_deref().is_some_and(|message| sentences.iter().any(|sentence| message.starts_with(sentence)))
        };
        self.long = begins(&TOO_LONG);
        self.flagged = !metadata["reasons"].is_null() || !metadata["flagged_input"].is_null() || begins(&REFUSED);
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
        if any(&["insufficient_quota", "credit_balance", "insufficient_balance", "insufficient_credit", "billing_"]) {
            return (ErrorKind::Quota, Some(Scope::Elsewhere));
        }
        if any(&["context_length", "context_window", "context_size", "prompt_too_long", "max_prompt_tokens"])
            || self.long
        {
            return (ErrorKind::ContextTooLong, None);
        }
        let filters = [
            "content_filter",
            "content_policy",
            "policy_violation",
            "policyviolation",
            "moderation",
            "safety",
            "data_inspection",
            "invalid_prompt",
        ];
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
mod tests;
