//! The one error type: what kind, whose, and what to do about it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Attempt, ModelId, Text};

/// A specialised result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Which limit of time was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// No connection was made in time.
    Connect,
    /// Connected, and no first content came in time. Headers and pings are no content.
    FirstContent,
    /// Content stopped coming. Pings do not count.
    Idle,
    /// The deadline of the whole call passed.
    Deadline,
    /// The provider itself gave up waiting (HTTP 408, 504).
    Provider,
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Too many requests or tokens for the moment (HTTP 429). The same call succeeds later.
    Throttled,
    /// The provider has trouble of its own (HTTP 409, 425, all of 5xx but 504).
    Overloaded,
    /// The account's quota or credit is used up (also HTTP 402). Waiting does not help within a call.
    Quota,
    /// A limit on spending was reached: the provider's, or a budget of this library's.
    SpendCap,
    /// The key is missing, wrong, or may not do this (HTTP 401, 403).
    Auth,
    /// The provider does not know the model or the address (HTTP 404).
    NotFound,
    /// The request is longer than the model takes (also HTTP 413).
    ContextTooLong,
    /// A safety filter refused the request or the reply.
    Filtered,
    /// The provider, or a check before it, refuses the request as malformed (HTTP 400, 422).
    Invalid,
    /// The model cannot do what is asked, for instance read images.
    Unsupported,
    /// A limit of time was passed.
    Timeout(Timeout),
    /// No connection, or it broke: DNS, TCP, TLS, a reset.
    Network,
    /// What came is not what the protocol says: bad JSON, a stream cut short, another content type.
    Protocol,
    /// The caller went away.
    Cancelled,
    /// A stream broke after its first content; [`Error::partial`] has what came. The source says why.
    Interrupted,
    /// A breaker is open: the model failed too often of late and is not asked.
    BreakerOpen,
    /// Every model of a chain failed; [`Error::attempts`] lists each.
    NoRoute,
    /// The reply does not fit the schema, also after repair.
    Output,
    /// A prompt template is wrong or was given wrong variables.
    Template,
    /// Something of the host's is set wrong: a variable missing, an address that is none.
    Config,
    /// A backend behind a layer (cache, limiter, file) failed; the source says how.
    Backend,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ErrorKind::Throttled => "throttled",
            ErrorKind::Overloaded => "overloaded",
            ErrorKind::Quota => "quota used up",
            ErrorKind::SpendCap => "spending limit reached",
            ErrorKind::Auth => "not authorised",
            ErrorKind::NotFound => "model or address not found",
            ErrorKind::ContextTooLong => "request too long",
            ErrorKind::Filtered => "refused by a safety filter",
            ErrorKind::Invalid => "invalid request",
            ErrorKind::Unsupported => "not supported",
            ErrorKind::Timeout(Timeout::Connect) => "no connection in time",
            ErrorKind::Timeout(Timeout::FirstContent) => "no first content in time",
            ErrorKind::Timeout(Timeout::Idle) => "content stopped coming",
            ErrorKind::Timeout(Timeout::Deadline) => "deadline passed",
            ErrorKind::Timeout(Timeout::Provider) => "the provider gave up waiting",
            ErrorKind::Network => "network failure",
            ErrorKind::Protocol => "protocol violated",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::Interrupted => "interrupted",
            ErrorKind::BreakerOpen => "breaker open",
            ErrorKind::NoRoute => "no model answered",
            ErrorKind::Output => "output does not fit its schema",
            ErrorKind::Template => "prompt template",
            ErrorKind::Config => "configuration",
            ErrorKind::Backend => "backend failed",
        })
    }
}

/// Where a call that failed may succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Scope {
    /// Nowhere: another model would only be laxer, or the call itself is wrong.
    Nowhere,
    /// At another model or provider, not at this one.
    Elsewhere,
    /// At the same model, after a while; another one may do as well.
    Here,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Advice {
    /// Where the call may succeed.
    pub scope: Scope,
    /// How long the provider asks to wait before it is asked again, where it said so.
    pub after: Option<Duration>,
}

/// The error of every fallible function in this crate.
///
/// `Display` and `Debug` tell kind, model, status, request id and this library's own words. They never show a key,
/// a prompt or a reply. [`provider_message`](Error::provider_message) is what the provider wrote; it may quote the
/// request, so keep it where the request itself may be kept.
///
/// ```
/// use std::time::Duration;
///
/// use career_llm::{Error, ErrorKind, ModelId, Scope};
///
/// let error = Error::new(ErrorKind::Throttled, "requests per minute")
///     .with_model(ModelId::new("groq", "llama"))
///     .with_status(429)
///     .with_after(Duration::from_secs(2));
/// assert_eq!(error.to_string(), "groq/llama: throttled (HTTP 429): requests per minute");
/// assert_eq!((error.advice().scope, error.advice().after), (Scope::Here, Some(Duration::from_secs(2))));
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    model: Option<ModelId>,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    provider_message: Option<Text>,
    scope: Option<Scope>,
    after: Option<Duration>,
    attempts: Vec<Attempt>,
    partial: Option<Text>,
    source: Option<Arc<dyn std::error::Error + Send + Sync + 'static>>,
}

impl Error {
    /// An error of this kind, in this library's own words: never a prompt, a reply or a key.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            model: None,
            status: None,
            code: None,
            request_id: None,
            provider_message: None,
            scope: None,
            after: None,
            attempts: Vec::new(),
            partial: None,
            source: None,
        }))
    }

    /// What came breaks the protocol.
    pub fn protocol(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Protocol, message)
    }

    /// The call itself is wrong, wherever it is sent.
    pub fn invalid(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Invalid, message).with_scope(Scope::Nowhere)
    }

    /// Something of the host's is set wrong.
    pub fn config(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Config, message)
    }

    /// Says which model it was; the first to say so is believed.
    #[must_use]
    pub fn with_model(mut self, model: ModelId) -> Self {
        self.0.model.get_or_insert(model);
        self
    }

    /// Says the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Says the provider's own code, such as `insufficient_quota`. A sentence in its place is left out: it may quote
    /// what somebody wrote, and a code is shown.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into()).filter(|code| is_name(code)).or(self.0.code);
        self
    }

    /// Says the provider's id of the request; the first to say so is believed. A sentence in its place is left out.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.0.request_id = self.0.request_id.or_else(|| Some(id.into()).filter(|id| is_name(id)));
        self
    }

    /// Says what the provider wrote.
    #[must_use]
    pub fn with_provider_message(mut self, message: impl Into<Text>) -> Self {
        self.0.provider_message = Some(message.into());
        self
    }

    /// Says where the call may succeed, in place of what its kind says.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.0.scope = Some(scope);
        self
    }

    /// Says how long the provider asks to wait.
    #[must_use]
    pub fn with_after(mut self, after: Duration) -> Self {
        self.0.after = Some(after);
        self
    }

    /// Lists what was tried, the earlier ones first.
    #[must_use]
    pub fn with_attempts(mut self, attempts: Vec<Attempt>) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Keeps what came before the break.
    #[must_use]
    pub fn with_partial(mut self, partial: impl Into<Text>) -> Self {
        self.0.partial = Some(partial.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// This library's own words.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Which model it was.
    pub fn model(&self) -> Option<&ModelId> {
        self.0.model.as_ref()
    }

    /// The HTTP status, where there was one. 200 when the error came inside a stream.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The provider's own code, such as `insufficient_quota`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The provider's id of the request, to ask its support about.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What the provider wrote. It may quote the request.
    pub fn provider_message(&self) -> Option<&Text> {
        self.0.provider_message.as_ref()
    }

    /// What to do about it.
    pub fn advice(&self) -> Advice {
        Advice { scope: self.0.scope.unwrap_or_else(|| default_scope(self.0.kind)), after: self.0.after }
    }

    /// Everything that was tried, for [`ErrorKind::NoRoute`], [`ErrorKind::Interrupted`] and what a retry gave up on.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// What came before the break, for [`ErrorKind::Interrupted`].
    pub fn partial(&self) -> Option<&Text> {
        self.0.partial.as_ref()
    }

    /// Whether the same call may succeed at the same model later.
    pub fn is_temporary(&self) -> bool {
        self.advice().scope == Scope::Here
    }
}

/// Whether this is a name that a program gave, and not a sentence.
fn is_name(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a kind alone says of where a call may succeed.
fn default_scope(kind: ErrorKind) -> Scope {
    match kind {
        ErrorKind::Throttled
        | ErrorKind::Overloaded
        | ErrorKind::Network
        | ErrorKind::Protocol
        | ErrorKind::Interrupted
        | ErrorKind::Timeout(Timeout::Connect | Timeout::FirstContent | Timeout::Idle | Timeout::Provider) => {
            Scope::Here
        }
        ErrorKind::Quota
        | ErrorKind::SpendCap
        | ErrorKind::Auth
        | ErrorKind::NotFound
        | ErrorKind::ContextTooLong
        | ErrorKind::Invalid
        | ErrorKind::Unsupported
        | ErrorKind::BreakerOpen
        | ErrorKind::Output => Scope::Elsewhere,
        ErrorKind::Filtered
        | ErrorKind::Timeout(Timeout::Deadline)
        | ErrorKind::Cancelled
        | ErrorKind::NoRoute
        | ErrorKind::Template
        | ErrorKind::Config
        | ErrorKind::Backend => Scope::Nowhere,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(model) = &inner.model {
            write!(f, "{model}: ")?;
        }
        write!(f, "{}", inner.kind)?;
        match (inner.status, &inner.code) {
            (Some(status), Some(code)) => write!(f, " (HTTP {status}, {code})")?,
            (Some(status), None) => write!(f, " (HTTP {status})")?,
            (None, Some(code)) => write!(f, " ({code})")?,
            (None, None) => {}
        }
        if !inner.message.is_empty() {
            write!(f, ": {}", inner.message)?;
        }
        if let Some(id) = &inner.request_id {
            write!(f, " [request {id}]")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let mut shown = f.debug_struct("Error");
        shown.field("kind", &inner.kind).field("message", &inner.message);
        shown.field("model", &inner.model.as_ref().map(ToString::to_string)).field("status", &inner.status);
        shown.field("code", &inner.code).field("request_id", &inner.request_id).field("advice", &self.advice());
        shown.field("provider_message", &inner.provider_message).field("partial", &inner.partial);
        if !inner.attempts.is_empty() {
            shown.field("attempts", &inner.attempts);
        }
        if let Some(source) = &inner.source {
            shown.field("source", &source.to_string());
        }
        shown.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}

impl From<career_core::Error> for Error {
    /// A backend behind a layer failed.
    fn from(error: career_core::Error) -> Self {
        Error::new(ErrorKind::Backend, error.kind().to_string()).with_source(error)
    }
}

/// So that a caller of ports can use `?` on a call of a model. What the same call meets again is not
/// [`Unavailable`](career_core::ErrorKind::Unavailable), which is tried again; a backend's error keeps its kind.
impl From<Error> for career_core::Error {
    fn from(error: Error) -> Self {
        let backend = error.0.source.as_ref().and_then(|source| source.downcast_ref::<career_core::Error>());
        let kind = match error.kind() {
            ErrorKind::Invalid
            | ErrorKind::ContextTooLong
            | ErrorKind::Output
            | ErrorKind::Template
            | ErrorKind::Config => career_core::ErrorKind::Invalid,
            ErrorKind::NotFound => career_core::ErrorKind::NotFound,
            ErrorKind::Unsupported => career_core::ErrorKind::Unsupported,
            ErrorKind::Auth | ErrorKind::Filtered | ErrorKind::Quota | ErrorKind::SpendCap => {
                career_core::ErrorKind::Denied
            }
            ErrorKind::Backend => backend.map_or(career_core::ErrorKind::Unavailable, career_core::Error::kind),
            _ => career_core::ErrorKind::Unavailable,
        };
        career_core::Error::new(kind, error.to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_display_nor_debug_shows_what_anybody_wrote() {
        let error = Error::new(ErrorKind::Interrupted, "the stream broke")
            .with_provider_message("you said: secret words")
            .with_partial("secret reply");
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(!shown.contains("secret"), "{shown}");
        assert_eq!(error.partial().map(Text::as_str), Some("secret reply"));
    }

    #[test]
    fn the_first_model_and_request_id_are_believed() {
        let error = Error::new(ErrorKind::Auth, "")
            .with_model(ModelId::new("a", "1"))
            .with_model(ModelId::new("b", "2"))
            .with_request_id("r1")
            .with_request_id("r2");
        assert_eq!(error.to_string(), "a/1: not authorised [request r1]");
    }

    #[test]
    fn a_sentence_is_neither_a_code_nor_an_id() {
        for sentence in ["you said: words", "नमस्ते", "", "a\nb"] {
            let error =
                Error::new(ErrorKind::Auth, "").with_code("a_code").with_code(sentence).with_request_id(sentence);
            assert_eq!((error.code(), error.request_id()), (Some("a_code"), None), "{sentence}");
        }
    }

    #[test]
    fn only_what_may_pass_is_temporary_to_a_caller_of_ports() {
        let temporary = |error: Error| career_core::Error::from(error).is_temporary();
        for kind in [ErrorKind::Throttled, ErrorKind::Overloaded, ErrorKind::Network, ErrorKind::BreakerOpen] {
            assert!(temporary(Error::new(kind, "")), "{kind}");
        }
        for kind in [
            ErrorKind::Quota,
            ErrorKind::SpendCap,
            ErrorKind::Auth,
            ErrorKind::NotFound,
            ErrorKind::ContextTooLong,
            ErrorKind::Filtered,
            ErrorKind::Output,
        ] {
            assert!(!temporary(Error::new(kind, "")), "{kind}");
        }
        let corrupt = career_core::Error::new(career_core::ErrorKind::Corrupt, "a damaged file");
        assert_eq!(career_core::Error::from(Error::from(corrupt)).kind(), career_core::ErrorKind::Corrupt);
    }

    #[test]
    fn a_small_error_keeps_results_small() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
