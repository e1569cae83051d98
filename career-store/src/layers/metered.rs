//! A span, a count and a time for each call.

use std::time::Instant;

use async_trait::async_trait;
use career_core::store::{
    Batch, Capability, Claim, Committed, Count, Document, Group, Kind, OutboxEntry, Page, Query, Record, Versioned,
    Write,
};
use career_core::{Result, Store};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug_span};

/// Tells what a store does: a span of `tracing` for each call, counts and times of `metrics`. Which subscriber and
/// which recorder take them is up to the host.
///
/// | name | what | labels |
/// |---|---|---|
/// | `store.fetch`, `store.select`, `store.tally`, `store.commit`, `store.claim`, `store.health` | spans at the level `DEBUG` | `kind`, `outcome` |
/// | `career_store_requests_total` | counter of calls | `operation`, `kind`, `outcome` |
/// | `career_store_request_seconds` | histogram of how long they took | `operation`, `kind` |
/// | `career_store_writes_total` | counter of records written, deletions too | `kind` |
///
/// The outcome is `ok`, the [`ErrorKind`](career_core::ErrorKind) in words, or `cancelled` when nobody waited for the
/// answer. The kind is a name such as `users`: of a commit that of its first write, beside which there may be others;
/// `none` where there is none. Ids, keys and documents are in none of them.
///
/// ```
/// use career_core::{StoreExt, User};
/// use career_store::MemoryStore;
/// use career_store::layers::Metered;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_core::Result<()> {
/// let store = Metered::new(MemoryStore::new());
/// let user = User::builder().name("A student").created_at(jiff::Timestamp::now()).build();
/// store.put(&user).await?; // career_store_requests_total{operation="commit", kind="users", outcome="ok"} 1
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Metered<S> {
    store: S,
}

impl<S: Store> Metered<S> {
    /// Tells what this store does.
    pub fn new(store: S) -> Self {
        Metered { store }
    }
}

/// The kind where there is none.
const NONE: &str = "none";

/// A call that is going on. It is counted when it is dropped: also when nobody waited for its end.
struct Call {
    operation: &'static str,
    kind: &'static str,
    began: Instant,
    outcome: Option<String>,
    span: Span,
}

impl Call {
    fn new(operation: &'static str, kind: &'static str, span: Span) -> Self {
        Call { operation, kind, began: Instant::now(), outcome: None, span }
    }

    async fn run<T>(mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let result = work.instrument(self.span.clone()).await;
        self.outcome = result.as_ref().err().map(|error| error.kind().to_string()).or_else(|| Some("ok".to_owned()));
        result
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| "cancelled".to_owned());
        self.span.record("outcome", outcome.as_str());
        let Call { operation, kind, began, .. } = *self;
        let seconds = began.elapsed().as_secs_f64();
        metrics::histogram!("career_store_request_seconds", "operation" => operation, "kind" => kind).record(seconds);
        let labels = [("operation", operation.to_owned()), ("kind", kind.to_owned()), ("outcome", outcome)];
        metrics::counter!("career_store_requests_total", &labels).increment(1);
    }
}

/// A call of an operation; a macro, since the name of a span is part of the program.
macro_rules! call {
    ($operation:literal, $kind:expr) => {
        Call::new($operation, $kind, debug_span!(concat!("store.", $operation), kind = $kind, outcome = Empty))
    };
}

/// The kinds that are written, each with how often.
fn written(writes: &[Write]) -> Vec<(&'static str, u64)> {
    let mut counts: Vec<(&'static str, u64)> = Vec::new();
    for write in writes {
        match counts.iter_mut().find(|(kind, _)| *kind == write.kind.name) {
            Some((_, count)) => *count += 1,
            None => counts.push((write.kind.name, 1)),
        }
    }
    counts
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Store> Store for Metered<S> {
    fn capabilities(&self) -> &'static [Capability] {
        self.store.capabilities()
    }

    async fn fetch(&self, kind: &'static Kind, id: &str) -> Result<Option<Document>> {
        call!("fetch", kind.name).run(self.store.fetch(kind, id)).await
    }

    async fn select(&self, kind: &'static Kind, query: &Query) -> Result<Page<Document>> {
        call!("select", kind.name).run(self.store.select(kind, query)).await
    }

    async fn tally(&self, kind: &'static Kind, count: &Count) -> Result<Vec<Group>> {
        call!("tally", kind.name).run(self.store.tally(kind, count)).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        let writes = match batch.into_writes() {
            Ok(writes) => writes,
            Err(error) => return call!("commit", NONE).run(async { Err(error) }).await,
        };
        let written = written(&writes);
        let first = written.first().map_or(NONE, |(kind, _)| *kind);
        let committed = call!("commit", first).run(self.store.commit(Batch::from(writes))).await?;
        for (kind, count) in written {
            metrics::counter!("career_store_writes_total", "kind" => kind).increment(count);
        }
        Ok(committed)
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
        call!("claim", OutboxEntry::KIND.name).run(self.store.claim(claim)).await
    }

    async fn health(&self) -> Result<()> {
        call!("health", NONE).run(self.store.health()).await
    }
}
