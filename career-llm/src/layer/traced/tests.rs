use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span;

use super::super::common::probe::{Probe, started};
use super::*;
use crate::{Attempt, ChatModelExt, ErrorKind, OutputSchema, Started, Timeout, Usage};

/// Every span: its name, what it holds, whether it is closed; and which is entered.
#[derive(Debug, Clone, Default)]
struct Spans(Arc<Mutex<BTreeMap<u64, Seen>>>, Arc<AtomicU64>, Arc<Mutex<Vec<u64>>>);

#[derive(Debug, Clone, Default)]
struct Seen {
    name: &'static str,
    fields: BTreeMap<&'static str, String>,
    references: usize,
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

impl tracing::Subscriber for Spans {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let id = self.1.fetch_add(1, Ordering::Relaxed) + 1;
        let mut seen = Seen { name: attributes.metadata().name(), references: 1, ..Seen::default() };
        attributes.record(&mut seen);
        self.0.lock().expect("not poisoned").insert(id, seen);
        span::Id::from_u64(id)
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        if let Some(seen) = self.0.lock().expect("not poisoned").get_mut(&id.into_u64()) {
            values.record(seen);
        }
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, id: &span::Id) {
        self.2.lock().expect("not poisoned").push(id.into_u64());
    }

    fn exit(&self, _: &span::Id) {
        self.2.lock().expect("not poisoned").pop();
    }

    fn clone_span(&self, id: &span::Id) -> span::Id {
        if let Some(seen) = self.0.lock().expect("not poisoned").get_mut(&id.into_u64()) {
            seen.references += 1;
        }
        id.clone()
    }

    fn try_close(&self, id: span::Id) -> bool {
        let mut spans = self.0.lock().expect("not poisoned");
        let Some(seen) = spans.get_mut(&id.into_u64()) else { return false };
        seen.references -= 1;
        seen.references == 0
    }
}

impl Spans {
    /// The only span.
    fn only(&self) -> Seen {
        let spans = self.0.lock().expect("not poisoned");
        assert_eq!(spans.len(), 1);
        spans.values().next().expect("a span").clone()
    }
}

/// Runs it on this thread, with a clock that stands still.
fn traced(work: impl AsyncFnOnce(&Spans)) -> Spans {
    let spans = Spans::default();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    tracing::subscriber::with_default(spans.clone(), || runtime.block_on(work(&spans)));
    spans
}

fn has(seen: &Seen, field: &str, value: &str) {
    assert_eq!(seen.fields.get(field).map(String::as_str), Some(value), "{field} of {seen:?}");
}

fn ask() -> ChatRequest {
    ChatRequest::user("secret question")
        .with_system("secret orders")
        .with_max_output_tokens(50)
        .with_temperature(0.5)
        .with_effort(Effort::Low)
        .on_behalf_of("secret user")
}

#[test]
fn a_whole_reply_is_told_by_the_names_of_the_conventions_and_without_words() {
    let spans = traced(async |spans| {
        let probe = Probe::new(|_, _| {
            let mut begun = Started::new(ModelId::new("probe", "1-dated"));
            begun.request_id = Some("req-7".into());
            let mut usage = Usage::new(10, 5);
            usage.reasoning = 2;
            let mut done = Done::new(Stop::new(StopReason::End, "end_turn")).with_usage(usage);
            done.attempts = vec![Attempt::succeeded(ModelId::new("probe", "1"), Duration::ZERO, None)];
            let events = [
                (ChatEvent::Started(Box::new(begun)), 1),
                (ChatEvent::Text("secret answer".into()), 2),
                (ChatEvent::Text("more".into()), 3),
                (ChatEvent::Done(Box::new(done)), 4),
            ];
            let later = |(event, seconds)| async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                Ok(event)
            };
            Ok(ChatStream::new(futures_util::stream::iter(events).then(later)))
        });
        let mut stream = Traced::new(probe).stream(&ask()).await.expect("a stream");
        while let Some(item) = stream.next().await {
            item.expect("an event");
        }
        assert!(spans.2.lock().expect("not poisoned").is_empty(), "entered only while it is polled");
    });
    let seen = spans.only();
    assert_eq!((seen.name, seen.references), ("chat", 0), "it ends with the stream");
    for (field, value) in [
        ("otel.name", "chat 1"),
        ("otel.kind", "client"),
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "probe"),
        ("gen_ai.request.model", "1"),
        ("gen_ai.request.stream", "true"),
        ("gen_ai.request.max_tokens", "50"),
        ("gen_ai.request.temperature", "0.5"),
        ("gen_ai.request.reasoning.level", "low"),
        ("gen_ai.output.type", "text"),
        ("gen_ai.response.model", "1-dated"),
        ("gen_ai.response.id", "req-7"),
        ("gen_ai.response.time_to_first_chunk", "3.0"),
        ("gen_ai.response.finish_reasons", "[\"end_turn\"]"),
        ("gen_ai.usage.input_tokens", "10"),
        ("gen_ai.usage.output_tokens", "5"),
        ("gen_ai.usage.reasoning.output_tokens", "2"),
        ("career_llm.attempts", "1"),
    ] {
        has(&seen, field, value);
    }
    assert_eq!(seen.fields.len(), 18, "{seen:?}");
    assert!(!format!("{seen:?}").contains("secret"));
}

#[test]
fn a_reply_in_one_piece_has_no_first_chunk() {
    let spans = traced(async |_| {
        let request = ask().with_output(OutputSchema::new("o", serde_json::json!({})));
        Traced::new(Probe::says("ok")).complete(&request).await.expect("whole");
    });
    let seen = spans.only();
    has(&seen, "gen_ai.request.stream", "false");
    has(&seen, "gen_ai.output.type", "json");
    has(&seen, "gen_ai.response.finish_reasons", "[\"stop\"]");
    assert!(!seen.fields.contains_key("gen_ai.response.time_to_first_chunk"));
}

#[test]
fn a_failure_is_told_by_its_kind_alone() {
    let failure = || {
        Error::new(ErrorKind::Throttled, "own words")
            .with_status(429)
            .with_provider_message("secret")
            .with_request_id("r")
    };
    let refused = traced(async |_| {
        Traced::new(Probe::new(move |_, _| Err(failure()))).complete(&ask()).await.expect_err("throttled");
    });
    let broken = traced(async |_| {
        let probe = Probe::new(|_, _| {
            let error = Error::new(ErrorKind::Timeout(Timeout::Idle), "").with_partial("secret");
            Ok(ChatStream::from_events([Ok(started()), Ok(ChatEvent::Text("secret".into())), Err(error)]))
        });
        Traced::new(probe).complete(&ask()).await.expect_err("idle");
    });
    for (spans, kind) in [(&refused, "throttled"), (&broken, "timeout_idle")] {
        let seen = spans.only();
        has(&seen, "error.type", kind);
        has(&seen, "otel.status_code", "ERROR");
        has(&seen, "gen_ai.response.finish_reasons", "[\"error\"]");
        assert!(seen.references == 0 && !format!("{seen:?}").contains("secret"), "{seen:?}");
    }
    has(&refused.only(), "http.response.status_code", "429");
    has(&refused.only(), "gen_ai.response.id", "r");
}

#[test]
fn what_nobody_waits_for_is_cancelled() {
    let spans = traced(async |spans| {
        let mut stream = Traced::new(Probe::says("ok")).stream(&ask()).await.expect("a stream");
        stream.next().await;
        assert!(spans.only().references > 0, "open");
    });
    has(&spans.only(), "error.type", "cancelled");
    assert_eq!(spans.only().references, 0);
}

#[test]
fn providers_have_the_names_of_the_conventions() {
    for (ours, theirs) in [("gemini", "gcp.gemini"), ("xai", "x_ai"), ("mistral", "mistral_ai"), ("openai", "openai")] {
        assert_eq!(provider_name(ours), theirs);
    }
    let reasons = [StopReason::End, StopReason::Length, StopReason::ToolUse, StopReason::Filtered];
    let words: Vec<_> = reasons.into_iter().map(Stop::from).map(|stop| finish_reason(&stop).to_owned()).collect();
    assert_eq!(words, ["stop", "length", "tool_calls", "content_filter"]);
}
