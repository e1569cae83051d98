//! What goes wrong, by status and inside a stream.

use http::StatusCode;
use serde::Deserialize;

use super::super::plain::plain;
use super::super::shared::refusal;
use crate::wire::status_kind;
use crate::{Error, ErrorKind, Scope};

/// The error's words, bare or, where another server stands between, in an object.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Told {
    Words(String),
    Object {
        #[serde(default)]
        message: Option<String>,
    },
}

impl Told {
    fn words(&self) -> &str {
        match self {
            Told::Words(words) => words,
            Told::Object { message } => message.as_deref().unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    error: Option<Told>,
    /// Where a server in between writes it.
    #[serde(default)]
    message: Option<String>,
}

/// The error that a status and its body tell of.
pub(super) fn by_status(status: StatusCode, body: &[u8]) -> Error {
    let kind = status_kind(status);
    let told = refusal::<Body>(body);
    let told = told.and_then(|body| body.error.or_else(|| body.message.map(Told::Words)));
    let error = match (told, plain(body)) {
        (Some(told), _) => error(kind, told.words()),
        (None, Some(message)) => Error::new(kind, "").with_provider_message(message),
        (None, None) => Error::new(kind, ""),
    };
    error.with_status(status.as_u16())
}

/// The error that comes as a line of a reply of status 200. It has no status of its own, so its words decide.
pub(super) fn inside(told: &Told) -> Error {
    error(ErrorKind::Overloaded, told.words()).with_status(StatusCode::OK.as_u16())
}

fn error(kind: ErrorKind, message: &str) -> Error {
    let mut error = match refine(kind, message) {
        // The same request will not fit here later either.
        None => Error::new(kind, "the model does not fit into the memory").with_scope(Scope::Elsewhere),
        Some(kind) => Error::new(kind, ""),
    };
    if !message.is_empty() {
        error = error.with_provider_message(message);
    }
    error
}

/// What the server's words say beyond the status; `None` where the model does not fit into the memory.
fn refine(kind: ErrorKind, message: &str) -> Option<ErrorKind> {
    let message = message.to_ascii_lowercase();
    let says = |words: &str| message.contains(words);
    let context = says("context length") || says("context size") || says("context window");
    Some(match kind {
        ErrorKind::Invalid | ErrorKind::Overloaded
            if says("exceed_context_size") || says("prompt is too long") || (context && says("exceed")) =>
        {
            ErrorKind::ContextTooLong
        }
        ErrorKind::Invalid | ErrorKind::Overloaded
            if ["tools", "thinking", "images", "vision"]
                .iter()
                .any(|what| says(&format!("does not support {what}"))) =>
        {
            ErrorKind::Unsupported
        }
        ErrorKind::Overloaded if says("requires more system memory") => return None,
        kind => kind,
    })
}
