//! A span, a count and a time for each call.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use career_core::store::{Batch, Claim, Query, Record};
use career_core::testkit::store::{self, fixtures};
use career_core::{Event, Id, Job, Store, StoreExt, User};
use career_store::MemoryStore;
use career_store::layers::Metered;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tracing::field::{Field, Visit};
use tracing::span;

use super::probe::Probe;

/// Runs it on this thread, and gives what was recorded: counters by name and labels, and how many times of each
/// histogram.
fn recorded(work: impl Future<Output = ()>) -> BTreeMap<String, u64> {
    let recorder = DebuggingRecorder::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    metrics::with_local_recorder(&recorder, || runtime.block_on(work));
    let mut counts = BTreeMap::new();
    for (key, _, _, value) in recorder.snapshotter().snapshot().into_vec() {
        let labels: Vec<String> =
            key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = key.key().name().trim_start_matches("career_store_");
        let count = match value {
            DebugValue::Counter(count) => count,
            DebugValue::Histogram(times) => {
                assert!(times.iter().all(|time| (0.0..5.0).contains(&time.0)), "{name}: {times:?}");
                times.len() as u64
            }
            DebugValue::Gauge(_) => panic!("{name} is a gauge"),
        };
        counts.insert(format!("{name} {}", labels.join(" ")), count);
    }
    counts
}

#[tokio::test]
async fn the_suite_passes() {
    assert_eq!(store::all(&Metered::new(MemoryStore::new())).await.skipped, []);
}

#[test]
fn every_call_is_counted_by_what_became_of_it() {
    let counts = recorded(async {
        let store = Metered::new(MemoryStore::new());
        let user = fixtures::user();
        let job = Job::builder().title("Nurse").company("A hospital").build();
        let mut batch = Batch::new();
        batch.insert(&user).insert(&job).emit(&Event::ProfileChanged { user: user.id });
        batch.put(&user);
        store.commit(batch).await.expect("kept");
        store.insert(&user).await.expect_err("a conflict");
        let mut nul = fixtures::user();
        nul.name = "\0".into();
        store.put(&nul).await.expect_err("invalid");
        store.commit(Batch::new()).await.expect("nothing to do");
        store.load::<User>(&user.id).await.expect("there");
        assert!(store.get::<User>(&Id::new()).await.expect("asked").is_none());
        store.list::<Job>(&Query::all()).await.expect("listed");
        store.list::<Job>(&Query::all().limit(0)).await.expect_err("invalid");
        store.count::<User>(&Query::all()).await.expect("counted");
        store.claim(&Claim::new("w", 1, Duration::from_secs(1))).await.expect("claimed");
        store.health().await.expect("well");
    });
    let expected = [
        ("request_seconds operation=claim kind=events", 1),
        ("request_seconds operation=commit kind=none", 2),
        ("request_seconds operation=commit kind=users", 2),
        ("request_seconds operation=fetch kind=users", 2),
        ("request_seconds operation=health kind=none", 1),
        ("request_seconds operation=select kind=jobs", 2),
        ("request_seconds operation=tally kind=users", 1),
        ("requests_total operation=claim kind=events outcome=ok", 1),
        ("requests_total operation=commit kind=none outcome=invalid", 1),
        ("requests_total operation=commit kind=none outcome=ok", 1),
        ("requests_total operation=commit kind=users outcome=conflict", 1),
        ("requests_total operation=commit kind=users outcome=ok", 1),
        ("requests_total operation=fetch kind=users outcome=ok", 2),
        ("requests_total operation=health kind=none outcome=ok", 1),
        ("requests_total operation=select kind=jobs outcome=invalid", 1),
        ("requests_total operation=select kind=jobs outcome=ok", 1),
        ("requests_total operation=tally kind=users outcome=ok", 1),
        ("writes_total kind=events", 1),
        ("writes_total kind=jobs", 1),
        ("writes_total kind=users", 2),
    ];
    assert_eq!(counts, expected.map(|(name, count)| (name.to_owned(), count)).into());
}

#[test]
fn a_call_that_nobody_waited_for_is_counted_too() {
    let counts = recorded(async {
        let probe = Arc::new(Probe::over(Arc::new(MemoryStore::new())));
        let store = Metered::new(probe.clone());
        let _held = probe.hold_fetches().await;
        let fetch = store.fetch(User::KIND, "a");
        assert!(tokio::time::timeout(Duration::from_millis(10), fetch).await.is_err());
    });
    assert_eq!(counts.get("requests_total operation=fetch kind=users outcome=cancelled"), Some(&1), "{counts:?}");
}

/// The name of a span and its fields.
type Kept = (String, BTreeMap<String, String>);

#[derive(Debug, Default, Clone)]
struct Spans(Arc<Mutex<Vec<Kept>>>);

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl tracing::Subscriber for Spans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("career_store")
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut fields = BTreeMap::new();
        span.record(&mut Fields(&mut fields));
        let mut spans = self.0.lock().expect("no panic");
        spans.push((span.metadata().name().to_owned(), fields));
        span::Id::from_u64(spans.len() as u64)
    }

    fn record(&self, span: &span::Id, values: &span::Record<'_>) {
        let at = usize::try_from(span.into_u64()).expect("small") - 1;
        values.record(&mut Fields(&mut self.0.lock().expect("no panic")[at].1));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn spans_say_the_kind_and_the_outcome_and_nothing_personal() {
    let spans = Spans::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    tracing::subscriber::with_default(spans.clone(), || {
        runtime.block_on(async {
            let store = Metered::new(MemoryStore::new());
            let user = fixtures::user();
            store.insert(&user).await.expect("kept");
            store.insert(&user).await.expect_err("a conflict");
            store.load::<User>(&user.id).await.expect("there");
            store.health().await.expect("well");
        });
    });
    let spans: Vec<String> = spans.0.lock().expect("no panic").iter().map(|span| format!("{span:?}")).collect();
    let expected = [
        r#"("store.commit", {"kind": "\"users\"", "outcome": "\"ok\""})"#,
        r#"("store.commit", {"kind": "\"users\"", "outcome": "\"conflict\""})"#,
        r#"("store.fetch", {"kind": "\"users\"", "outcome": "\"ok\""})"#,
        r#"("store.health", {"kind": "\"none\"", "outcome": "\"ok\""})"#,
    ];
    assert_eq!(spans, expected);
}
