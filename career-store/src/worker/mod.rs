//! The worker that handles events and fires schedules.
//!
//! Commits emit events; a worker claims them from the store under a lease, gives each to its handlers, and commits
//! what these wrote together with the settlement. So an event is handled at least once, and what its handler writes
//! to the store happens once. Any number of workers, in any number of processes, share one store.

mod dead;
mod delivery;
mod schedule;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use career_core::store::{Claim, OutboxEntry, Rhythm, Versioned};
use career_core::{Event, Handler, Id, Result, Store, Tag};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub use dead::DeadLetters;
use delivery::Delivery;
use schedule::Schedules;
pub use schedule::next_time;

/// How often schedules are looked at while every place is taken.
const WHEN_FULL: Duration = Duration::from_secs(1);
/// The longest rest between two looks for events.
const POLL_MOST: Duration = Duration::from_secs(86_400);

/// Handles events and fires schedules.
///
/// ```
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use career_core::store::Batch;
/// use career_core::{Event, EventKind, Handler, Id, Result, Store};
/// use career_store::{MemoryStore, Worker};
///
/// #[derive(Debug)]
/// struct Print;
///
/// #[async_trait]
/// impl Handler for Print {
///     async fn handle(&self, event: &Event, _: &mut Batch) -> Result<()> {
///         println!("{}", event.topic());
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
/// let running = Worker::new(Arc::clone(&store)).on(EventKind::ProfileChanged.as_str(), Print).spawn();
///
/// let mut batch = Batch::new();
/// batch.emit(&Event::ProfileChanged { user: Id::new() });
/// store.commit(batch).await?; // printed soon after
///
/// running.stop().await; // what is being handled is finished
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Worker {
    store: Arc<dyn Store>,
    handlers: HashMap<String, Vec<Arc<dyn Handler>>>,
    fallback: Vec<Arc<dyn Handler>>,
    schedules: Vec<(Tag, Rhythm)>,
    settings: Settings,
}

#[derive(Debug, Clone)]
struct Settings {
    name: String,
    concurrency: u32,
    lease: Duration,
    time_limit: Duration,
    attempts: u32,
    backoff: Duration,
    backoff_most: Duration,
    poll: Duration,
    grace: Duration,
}

impl Worker {
    /// A worker of this store that handles nothing yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let settings = Settings {
            name: format!("worker-{}", Id::<Event>::new()),
            concurrency: 8,
            lease: Duration::from_secs(60),
            time_limit: Duration::from_secs(600),
            attempts: 10,
            backoff: Duration::from_secs(1),
            backoff_most: Duration::from_secs(3_600),
            poll: Duration::from_millis(250),
            grace: Duration::from_secs(30),
        };
        Worker { store, handlers: HashMap::new(), fallback: Vec::new(), schedules: Vec::new(), settings }
    }

    /// Handles the events of a [topic](Event::topic). Several handlers of one topic are run in order and succeed or
    /// fail together.
    #[must_use]
    pub fn on(mut self, topic: impl Into<String>, handler: impl Handler) -> Self {
        self.handlers.entry(topic.into()).or_default().push(Arc::new(handler));
        self
    }

    /// Handles the events of topics that have no handler. Without it they are settled and gone: give every worker
    /// of a store the same handlers.
    #[must_use]
    pub fn otherwise(mut self, handler: impl Handler) -> Self {
        self.fallback.push(Arc::new(handler));
        self
    }

    /// Emits [`Event::ScheduleFired`] at these times, once however many workers there are. Times that passed while no
    /// worker ran are made up for once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](career_core::ErrorKind::Invalid) for a rhythm that never comes round.
    pub fn schedule(mut self, name: Tag, rhythm: Rhythm) -> Result<Self> {
        next_time(&rhythm, jiff::Timestamp::now())?;
        self.schedules.push((name, rhythm));
        Ok(self)
    }

    /// Its name in the store, unique unless said.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// How many events it handles at once; 8 unless said, at least 1.
    #[must_use]
    pub fn concurrency(mut self, events: u32) -> Self {
        self.settings.concurrency = events.max(1);
        self
    }

    /// For how long an event is its own before another worker may take it; 60 s unless said, at least 10 ms. The lease
    /// is renewed while the handler runs.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease.max(Duration::from_millis(10));
        self
    }

    /// How long a handler may take before it is stopped, which counts as a failure; 10 minutes unless said.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.settings.time_limit = limit;
        self
    }

    /// How often an event is tried before it is given up, see [`DeadLetters`]; 10 unless said, at least 1.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts.max(1);
        self
    }

    /// How long it waits after the first failure and at most, doubling between; each wait is a random time from half
    /// of that to all of it. 1 s and an hour unless said.
    #[must_use]
    pub fn backoff(mut self, first: Duration, most: Duration) -> Self {
        self.settings.backoff = first;
        self.settings.backoff_most = most;
        self
    }

    /// How often it looks for events when there were none; 250 ms unless said, from 1 ms to
    /// a day.
    #[must_use]
    pub fn poll(mut self, every: Duration) -> Self {
        self.settings.poll = every.clamp(Duration::from_millis(1), POLL_MOST);
        self
    }

    /// How long what is being handled may go on after the worker was told to stop; 30 s unless said. What is not done
    /// then is handled again when its lease ends.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// Runs until it is told to stop, on a task of its own.
    pub fn spawn(self) -> Running {
        let (stop, stopped) = watch::channel(false);
        Running { stop, task: tokio::spawn(self.run(stopped)) }
    }

    /// Handles what is due, fires the schedules that are due, and what follows from that, until nothing is; gives how
    /// many events were handled or failed. For hosts that have no task in the background, and for tests.
    ///
    /// # Errors
    ///
    /// What the store can meet. A handler's failure is no error: the event is tried again when it is due.
    pub async fn drain(&self) -> Result<u64> {
        let mut schedules = Schedules::of(self).await?;
        let mut handled = 0;
        loop {
            schedules.fire_due(&*self.store).await?;
            let entries = self.claim(self.settings.concurrency).await?;
            if entries.is_empty() {
                return Ok(handled);
            }
            handled += entries.len() as u64;
            let mut tasks: JoinSet<()> = entries.into_iter().map(|entry| self.deliver(entry)).collect();
            while tasks.join_next().await.is_some() {}
        }
    }

    async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut tasks: JoinSet<()> = JoinSet::new();
        let mut schedules = None;
        while !*stopped.borrow() {
            let found = match self.round(&mut schedules, &mut tasks).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%error, worker = self.settings.name, "the store does not answer the worker");
                    0
                }
            };
            let full = tasks.len() >= self.settings.concurrency as usize;
            // Found less than there was room for: nothing more is due. A settled event may make the next of its key
            // due, so the end of a task is a reason to look again.
            let rest = if full {
                WHEN_FULL
            } else if found > 0 {
                Duration::ZERO
            } else {
                self.rest()
            };
            tokio::select! {
                changed = stopped.changed() => if changed.is_err() { break },
                Some(_) = tasks.join_next() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
        let finish = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.settings.grace, finish).await.is_err() {
            tracing::warn!(worker = self.settings.name, "handlers were stopped; their events come back");
            tasks.shutdown().await;
        }
    }

    /// Fires what is due, claims what there is room for; how many events were claimed.
    async fn round(&self, schedules: &mut Option<Schedules>, tasks: &mut JoinSet<()>) -> Result<usize> {
        let schedules = match schedules {
            Some(schedules) => schedules,
            None => schedules.insert(Schedules::of(self).await?),
        };
        schedules.fire_due(&*self.store).await?;
        let room = self.settings.concurrency.saturating_sub(u32::try_from(tasks.len()).unwrap_or(u32::MAX));
        if room == 0 {
            return Ok(0);
        }
        let entries = self.claim(room).await?;
        let found = entries.len();
        for entry in entries {
            tasks.spawn(self.deliver(entry));
        }
        Ok(found)
    }

    async fn claim(&self, limit: u32) -> Result<Vec<Versioned<OutboxEntry>>> {
        self.store.claim(&Claim::new(&*self.settings.name, limit, self.settings.lease)).await
    }

    fn deliver(&self, entry: Versioned<OutboxEntry>) -> impl Future<Output = ()> + Send + 'static {
        let handlers = self.handlers.get(&entry.topic).unwrap_or(&self.fallback).clone();
        Delivery::new(Arc::clone(&self.store), handlers, self.settings.clone(), entry).run()
    }

    /// Workers that began together do not all ask together.
    fn rest(&self) -> Duration {
        self.settings.poll.mul_f64(0.75 + fastrand::f64() / 2.0)
    }
}

/// A worker that runs. It stops taking events when this is dropped; [`Running::stop`] waits for what was begun.
#[derive(Debug)]
#[must_use = "the worker stops when this is dropped"]
pub struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Takes no more events, and waits until those that are being handled are done, or the grace has passed. A call to
    /// the store that is on its way is waited for first.
    pub async fn stop(self) {
        // Nobody listens any more when the task has ended by itself, and then there is nothing to stop.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await
            && error.is_panic()
        {
            tracing::error!("the worker had panicked");
        }
    }
}
