//! One event: handled, settled, tried again or given up.

use std::sync::Arc;
use std::time::Duration;

use career_core::store::{Batch, OutboxEntry, Versioned};
use career_core::{Error, ErrorKind, Handler, Result, Store, StoreExt};
use jiff::Timestamp;

use super::Settings;

pub(super) struct Delivery {
    store: Arc<dyn Store>,
    handlers: Vec<Arc<dyn Handler>>,
    settings: Settings,
    entry: Versioned<OutboxEntry>,
}

impl Delivery {
    pub(super) fn new(
        store: Arc<dyn Store>,
        handlers: Vec<Arc<dyn Handler>>,
        settings: Settings,
        entry: Versioned<OutboxEntry>,
    ) -> Self {
        Delivery { store, handlers, settings, entry }
    }

    pub(super) async fn run(mut self) {
        if self.entry.attempts > self.settings.attempts {
            // No attempt told that it failed: the handler ended the process, or the worker was stopped each time.
            let error = Error::new(ErrorKind::Unavailable, "every attempt ended without an answer");
            return self.note(&error).await;
        }
        let settled = match self.handle().await {
            Ok(mut effects) => {
                effects.settle(&self.entry);
                self.store.commit(effects).await.map(drop)
            }
            Err(error) => Err(error),
        };
        let Err(error) = settled else { return };
        // The lease was lost, or the answer was: whoever has the event now goes on with it.
        if error.kind() != ErrorKind::Indeterminate && !is_about(&error, &self.entry) {
            self.note(&error).await;
        }
    }

    async fn note(&mut self, error: &Error) {
        if let Err(error) = self.record(error).await {
            tracing::warn!(%error, event = %self.entry.id, "a failure could not be recorded; the event comes back");
        }
    }

    /// Runs the handlers on a task of their own, so that a panic is a failure and not the end, and renews the lease
    /// meanwhile.
    async fn handle(&mut self) -> Result<Batch> {
        let event = self.entry.event()?;
        let handlers = self.handlers.clone();
        let mut handling = tokio::spawn(async move {
            let mut effects = Batch::new();
            for handler in &handlers {
                handler.handle(&event, &mut effects).await?;
            }
            Ok(effects)
        });
        let stop = handling.abort_handle();
        let _stop_when_dropped = AbortOnDrop(stop);
        let limit = tokio::time::sleep(self.settings.time_limit);
        tokio::pin!(limit);
        loop {
            tokio::select! {
                handled = &mut handling => {
                    let panicked = |_| Error::new(ErrorKind::Unavailable, "the handler panicked");
                    return handled.map_err(panicked)?;
                }
                () = &mut limit => return Err(Error::new(ErrorKind::Unavailable, "the handler took too long")),
                () = tokio::time::sleep(self.settings.lease / 2) => self.renew().await?,
            }
        }
    }

    async fn renew(&mut self) -> Result<()> {
        self.entry.due = after(self.settings.lease);
        match self.store.update(&mut self.entry).await {
            // The store is away for a moment: the lease may last, and if not, the settlement will tell.
            Err(error) if error.is_temporary() => Ok(()),
            // It was renewed or it was not; whichever, if it is still this worker's, its version is there to read.
            Err(error) if error.kind() == ErrorKind::Indeterminate => {
                let there = self.store.load::<OutboxEntry>(&self.entry.id).await?;
                let ours = there.worker == self.entry.worker && there.attempts == self.entry.attempts;
                if ours {
                    self.entry = there;
                    Ok(())
                } else {
                    Err(error)
                }
            }
            result => result,
        }
    }

    async fn record(&mut self, error: &Error) -> Result<()> {
        let hopeless = matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Corrupt | ErrorKind::Unsupported);
        if hopeless || self.entry.attempts >= self.settings.attempts {
            tracing::error!(%error, event = %self.entry.id, topic = self.entry.topic, "an event was given up");
            self.entry.bury(error.to_string());
        } else {
            let at = after(self.wait());
            self.entry.retry(at, error.to_string());
        }
        self.store.update(&mut self.entry).await
    }

    fn wait(&self) -> Duration {
        let doublings = self.entry.attempts.saturating_sub(1).min(31);
        let most = self.settings.backoff.saturating_mul(1 << doublings).min(self.settings.backoff_most);
        most.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn is_about(error: &Error, entry: &OutboxEntry) -> bool {
    use career_core::Conflict::Version;
    matches!(error.conflict(), Some(Version { kind: "events", id, .. }) if *id == entry.id.to_string())
}

fn after(wait: Duration) -> Timestamp {
    Timestamp::now().checked_add(wait).unwrap_or(Timestamp::MAX)
}
