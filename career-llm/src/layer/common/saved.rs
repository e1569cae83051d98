//! Events and errors as they are kept: in a cache, in a cassette.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::schema::{Lost, SchemaMode};
use crate::{
    Attempt, ChatEvent, Done, Error, ErrorKind, ModelId, Opaque, Restarted, SchemaReport, Scope, Started, Stop, Text,
    Timeout, Usage,
};

/// A model, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::layer) struct SavedModel {
    provider: Arc<str>,
    model: Arc<str>,
}

impl From<&ModelId> for SavedModel {
    fn from(id: &ModelId) -> Self {
        SavedModel { provider: id.provider.clone(), model: id.model.clone() }
    }
}

impl From<SavedModel> for ModelId {
    fn from(saved: SavedModel) -> Self {
        ModelId::new(saved.provider, saved.model)
    }
}

/// An event, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::layer) enum SavedEvent {
    Started {
        model: SavedModel,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        schema: Option<SavedReport>,
    },
    Text(Text),
    Reasoning(Text),
    Refusal(Text),
    ToolCall {
        index: u32,
        id: String,
        name: String,
    },
    ToolInput {
        index: u32,
        json: Text,
    },
    Opaque(Opaque),
    Restarted {
        because: SavedError,
    },
    Done {
        stop: Stop,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attempts: Vec<SavedAttempt>,
    },
}

/// What became of a schema, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::layer) struct SavedReport {
    native: bool,
    /// Pointer and keyword of each.
    lost: Vec<(String, String)>,
}

/// One try, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::layer) struct SavedAttempt {
    model: SavedModel,
    took_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<SavedError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

/// An error, as it is kept: everything but its source, of which only the words are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::layer) struct SavedError {
    kind: Kind,
    message: String,
    scope: SavedScope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<SavedModel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider_message: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<SavedAttempt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partial: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedScope {
    Nowhere,
    Elsewhere,
    Here,
}

/// A kind by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
struct Kind(ErrorKind);

/// Every kind and its name.
const KINDS: [(ErrorKind, &str); 25] = [
    (ErrorKind::Throttled, "throttled"),
    (ErrorKind::Overloaded, "overloaded"),
    (ErrorKind::Quota, "quota"),
    (ErrorKind::SpendCap, "spend_cap"),
    (ErrorKind::Auth, "auth"),
    (ErrorKind::NotFound, "not_found"),
    (ErrorKind::ContextTooLong, "context_too_long"),
    (ErrorKind::Filtered, "filtered"),
    (ErrorKind::Invalid, "invalid"),
    (ErrorKind::Unsupported, "unsupported"),
    (ErrorKind::Timeout(Timeout::Connect), "timeout_connect"),
    (ErrorKind::Timeout(Timeout::FirstContent), "timeout_first_content"),
    (ErrorKind::Timeout(Timeout::Idle), "timeout_idle"),
    (ErrorKind::Timeout(Timeout::Deadline), "timeout_deadline"),
    (ErrorKind::Timeout(Timeout::Provider), "timeout_provider"),
    (ErrorKind::Network, "network"),
    (ErrorKind::Protocol, "protocol"),
    (ErrorKind::Cancelled, "cancelled"),
    (ErrorKind::Interrupted, "interrupted"),
    (ErrorKind::BreakerOpen, "breaker_open"),
    (ErrorKind::NoRoute, "no_route"),
    (ErrorKind::Output, "output"),
    (ErrorKind::Template, "template"),
    (ErrorKind::Config, "config"),
    (ErrorKind::Backend, "backend"),
];

/// A kind in one word of lower case, the same for ever.
pub(in crate::layer) fn kind_name(kind: ErrorKind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("other", |(_, name)| name)
}

impl From<Kind> for &'static str {
    fn from(kind: Kind) -> Self {
        kind_name(kind.0)
    }
}

impl TryFrom<String> for Kind {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, &'static str> {
        let known = KINDS.iter().find(|(_, known)| *known == name);
        known.map(|(kind, _)| Kind(*kind)).ok_or("expected the name of a kind of error")
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl From<&Error> for SavedError {
    fn from(error: &Error) -> Self {
        let advice = error.advice();
        SavedError {
            kind: Kind(error.kind()),
            message: error.message().to_owned(),
            scope: match advice.scope {
                Scope::Nowhere => SavedScope::Nowhere,
                Scope::Elsewhere => SavedScope::Elsewhere,
                Scope::Here => SavedScope::Here,
            },
            model: error.model().map(SavedModel::from),
            status: error.status(),
            code: error.code().map(str::to_owned),
            request_id: error.request_id().map(str::to_owned),
            provider_message: error.provider_message().cloned(),
            after_ms: advice.after.map(millis),
            attempts: error.attempts().iter().map(SavedAttempt::from).collect(),
            partial: error.partial().cloned(),
            source: std::error::Error::source(error).map(ToString::to_string),
        }
    }
}

impl From<SavedError> for Error {
    fn from(saved: SavedError) -> Self {
        let scope = match saved.scope {
            SavedScope::Nowhere => Scope::Nowhere,
            SavedScope::Elsewhere => Scope::Elsewhere,
            SavedScope::Here => Scope::Here,
        };
        let attempts = saved.attempts.into_iter().map(Attempt::from).collect();
        let mut error = Error::new(saved.kind.0, saved.message).with_scope(scope).with_attempts(attempts);
        if let Some(model) = saved.model {
            error = error.with_model(model.into());
        }
        if let Some(status) = saved.status {
            error = error.with_status(status);
        }
        if let Some(code) = saved.code {
            error = error.with_code(code);
        }
        if let Some(id) = saved.request_id {
            error = error.with_request_id(id);
        }
        if let Some(message) = saved.provider_message {
            error = error.with_provider_message(message);
        }
        if let Some(after) = saved.after_ms {
            error = error.with_after(Duration::from_millis(after));
        }
        if let Some(partial) = saved.partial {
            error = error.with_partial(partial);
        }
        if let Some(source) = saved.source {
            error = error.with_source(source);
        }
        error
    }
}

impl From<&Attempt> for SavedAttempt {
    fn from(attempt: &Attempt) -> Self {
        SavedAttempt {
            model: SavedModel::from(&attempt.model),
            took_ms: millis(attempt.took),
            error: attempt.error.as_ref().map(SavedError::from),
            usage: attempt.usage,
        }
    }
}

impl From<SavedAttempt> for Attempt {
    fn from(saved: SavedAttempt) -> Self {
        let mut attempt = Attempt::succeeded(saved.model.into(), Duration::from_millis(saved.took_ms), saved.usage);
        attempt.error = saved.error.map(Error::from);
        attempt
    }
}

impl From<&SchemaReport> for SavedReport {
    fn from(report: &SchemaReport) -> Self {
        let lost = report.lost.iter().map(|lost| (lost.pointer.clone(), lost.keyword.clone()));
        SavedReport { native: report.mode == SchemaMode::Native, lost: lost.collect() }
    }
}

impl From<SavedReport> for SchemaReport {
    fn from(saved: SavedReport) -> Self {
        let lost = saved.lost.into_iter().map(|(pointer, keyword)| Lost { pointer, keyword });
        let mode = if saved.native { SchemaMode::Native } else { SchemaMode::Prompted };
        SchemaReport { mode, lost: lost.collect() }
    }
}

impl From<&ChatEvent> for SavedEvent {
    fn from(event: &ChatEvent) -> Self {
        match event {
            ChatEvent::Started(started) => SavedEvent::Started {
                model: SavedModel::from(&started.model),
                request_id: started.request_id.clone(),
                schema: started.schema.as_deref().map(SavedReport::from),
            },
            ChatEvent::Text(text) => SavedEvent::Text(text.clone()),
            ChatEvent::Reasoning(text) => SavedEvent::Reasoning(text.clone()),
            ChatEvent::Refusal(text) => SavedEvent::Refusal(text.clone()),
            ChatEvent::ToolCall { index, id, name } => {
                SavedEvent::ToolCall { index: *index, id: id.clone(), name: name.clone() }
            }
            ChatEvent::ToolInput { index, json } => SavedEvent::ToolInput { index: *index, json: json.clone() },
            ChatEvent::Opaque(opaque) => SavedEvent::Opaque((**opaque).clone()),
            ChatEvent::Restarted(restarted) => SavedEvent::Restarted { because: SavedError::from(&restarted.because) },
            ChatEvent::Done(done) => SavedEvent::Done {
                stop: done.stop.clone(),
                usage: done.usage,
                attempts: done.attempts.iter().map(SavedAttempt::from).collect(),
            },
        }
    }
}

impl From<SavedEvent> for ChatEvent {
    fn from(saved: SavedEvent) -> Self {
        match saved {
            SavedEvent::Started { model, request_id, schema } => {
                let mut started = Started::new(model.into());
                started.request_id = request_id;
                started.schema = schema.map(|report| Arc::new(report.into()));
                ChatEvent::Started(Box::new(started))
            }
            SavedEvent::Text(text) => ChatEvent::Text(text),
            SavedEvent::Reasoning(text) => ChatEvent::Reasoning(text),
            SavedEvent::Refusal(text) => ChatEvent::Refusal(text),
            SavedEvent::ToolCall { index, id, name } => ChatEvent::ToolCall { index, id, name },
            SavedEvent::ToolInput { index, json } => ChatEvent::ToolInput { index, json },
            SavedEvent::Opaque(opaque) => ChatEvent::Opaque(Box::new(opaque)),
            SavedEvent::Restarted { because } => ChatEvent::Restarted(Box::new(Restarted::new(because.into()))),
            SavedEvent::Done { stop, usage, attempts } => {
                let mut done = Done::new(stop);
                done.usage = usage;
                done.attempts = attempts.into_iter().map(Attempt::from).collect();
                ChatEvent::Done(Box::new(done))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::StopReason;

    fn through(event: &ChatEvent) -> ChatEvent {
        let json = serde_json::to_string(&SavedEvent::from(event)).expect("JSON");
        serde_json::from_str::<SavedEvent>(&json).expect("an event").into()
    }

    fn error() -> Error {
        Error::new(ErrorKind::Timeout(Timeout::Idle), "own words")
            .with_model(ModelId::new("a", "1"))
            .with_status(200)
            .with_code("c")
            .with_request_id("r")
            .with_provider_message("words")
            .with_scope(Scope::Elsewhere)
            .with_after(Duration::from_millis(1_500))
            .with_partial("so far")
            .with_attempts(vec![Attempt::failed(
                ModelId::new("b", "2"),
                Duration::from_millis(7),
                Error::new(ErrorKind::Auth, ""),
            )])
            .with_source("the cause")
    }

    #[test]
    fn every_event_comes_back_as_it_was() {
        let mut started = Started::new(ModelId::new("a", "1"));
        started.request_id = Some("r".into());
        let lost = Lost { pointer: "/x".into(), keyword: "minimum".into() };
        started.schema = Some(Arc::new(SchemaReport { mode: SchemaMode::Prompted, lost: vec![lost] }));
        let mut done = Done::new(Stop::new(StopReason::Paused, "pause_turn")).with_usage(Usage::new(3, 4));
        done.attempts = vec![Attempt::failed(ModelId::new("b", "2"), Duration::from_millis(9), error())];
        let events = [
            ChatEvent::Started(Box::new(started)),
            ChatEvent::Text("नमस्ते".into()),
            ChatEvent::Reasoning("r".into()),
            ChatEvent::Refusal("n".into()),
            ChatEvent::ToolCall { index: 1, id: "i".into(), name: "t".into() },
            ChatEvent::ToolInput { index: 1, json: "{\"a\":".into() },
            ChatEvent::Opaque(Box::new(Opaque::new("a", json!({"s": [1, null]})))),
            ChatEvent::Restarted(Box::new(Restarted::new(error()))),
            ChatEvent::Done(Box::new(done)),
        ];
        for event in events {
            let back = through(&event);
            assert_eq!(SavedEvent::from(&back), SavedEvent::from(&event));
            assert_eq!(format!("{back:?}"), format!("{event:?}"));
        }
    }

    #[test]
    fn an_error_comes_back_with_all_that_is_asked_of_it() {
        let (was, back) = (error(), Error::from(SavedError::from(&error())));
        assert_eq!(back.to_string(), was.to_string());
        assert_eq!(format!("{back:?}"), format!("{was:?}"));
        assert_eq!(back.partial().map(Text::as_str), Some("so far"));
        assert_eq!(back.provider_message().map(Text::as_str), Some("words"));
        assert_eq!(back.advice(), was.advice());
        assert_eq!(std::error::Error::source(&back).map(ToString::to_string).as_deref(), Some("the cause"));
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = KINDS.iter().map(|(_, name)| name).collect();
        assert_eq!(names.len(), KINDS.len());
        for (kind, name) in KINDS {
            assert_eq!(kind_name(kind), name);
            assert_eq!(Kind::try_from(name.to_owned()), Ok(Kind(kind)));
        }
        assert!(Kind::try_from("other".to_owned()).is_err());
    }
}
