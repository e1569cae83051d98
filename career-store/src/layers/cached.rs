//! Records that are read again and again come from memory.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use career_core::store::{
    Batch, Capability, Claim, Committed, Count, Document, Group, Kind, OutboxEntry, Page, Query, Record, Versioned,
};
use career_core::{Cache, Id, Result, Store};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::AbortHandle;

use super::shared::Shared;
use super::stripes::{Place, Stamp, Stripes};
use crate::bus::Bus;

/// What is kept in memory unless it is said.
const CAPACITY: u64 = 64 << 20;
const TIME_TO_LIVE: Duration = Duration::from_secs(30);
/// moka refuses a longer life.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long a slow clock of the shared cache is put up with.
const SLACK: Duration = Duration::from_secs(1);
/// What an entry takes besides its key and its body, roughly.
const OVERHEAD: usize = 200;
/// Word of more records than this is word of all of them.
const MOST_WORDS: usize = 10_000;

/// Keeps documents that were fetched in memory, and gives them again without asking the store.
///
/// Only [`fetch`](Store::fetch) is answered from memory, and with it `get`, `load` and `modify`; lists and counts go to
/// the store. Records that are not there and events are not kept.
///
/// # How fresh
///
/// - **On this node a read is as fresh as the store's**, as long as all writes of the node go through this layer:
///   whatever was committed through it is seen by every read that begins afterwards. A commit that failed, or that
///   nobody waited for, is followed by a read of the store too.
/// - **What other nodes commit** is seen after the [time to live](Cached::time_to_live), 30 s unless said, at the
///   latest; usually within milliseconds when all of them are [told by a bus](Cached::told_by). A commit whose outcome
///   was never learned and that takes effect later counts as another node's, here too. With a
///   [shared cache](Cached::shared) that the other node could not reach when it committed, it takes up to twice as
///   long.
/// - A version that is old is never written over a newer one: the commit is a conflict, and `modify` then reads anew.
///
/// ```
/// use std::sync::Arc;
///
/// use career_core::{StoreExt, User};
/// use career_store::MemoryStore;
/// use career_store::bus::LocalBus;
/// use career_store::layers::Cached;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_core::Result<()> {
/// let store = Cached::new(MemoryStore::new()).capacity(16 << 20).told_by(Arc::new(LocalBus::new()));
/// let user = User::builder().name("A student").created_at(jiff::Timestamp::now()).build();
/// store.put(&user).await?;
/// store.load::<User>(&user.id).await?; // from the store
/// let mut user = store.load::<User>(&user.id).await?; // from memory
/// user.name = "Another name".into();
/// store.update(&mut user).await?;
/// assert_eq!(store.load::<User>(&user.id).await?.name, "Another name");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Cached<S> {
    store: S,
    capacity: u64,
    time_to_live: Duration,
    local: Arc<Local>,
    shared: Option<Shared>,
    bus: Option<Arc<dyn Bus>>,
    listener: Option<Listener>,
}

impl<S: Store> Cached<S> {
    /// Keeps up to 64 MiB, for 30 s each.
    pub fn new(store: S) -> Self {
        let local = Arc::new(Local::new(CAPACITY, TIME_TO_LIVE));
        let (capacity, time_to_live) = (CAPACITY, TIME_TO_LIVE);
        Cached { store, capacity, time_to_live, local, shared: None, bus: None, listener: None }
    }

    /// Keeps up to this many bytes; what is used little goes first.
    #[must_use]
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.capacity = bytes;
        self.anew()
    }

    /// Keeps a document for at most this long, a year at most: how old an answer can be when another node wrote. Nodes
    /// that share a cache have the same.
    #[must_use]
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = time_to_live.min(LONGEST);
        self.anew()
    }

    /// Asks this cache before the store, and keeps documents there for other nodes: as they are, unless this layer is
    /// over sealed ones. It serves one store alone; a prefix of its own keeps two apart. While it does not answer with
    /// success, the store is asked.
    #[must_use]
    pub fn shared(mut self, cache: Arc<dyn Cache>) -> Self {
        self.shared = Some(Shared(cache));
        self
    }

    /// Tells other nodes of every commit, and hears of theirs.
    ///
    /// # Panics
    ///
    /// Outside of a runtime of tokio: a task there hears the bus until this layer is dropped.
    #[must_use]
    pub fn told_by(mut self, bus: Arc<dyn Bus>) -> Self {
        self.bus = Some(bus);
        self.anew()
    }

    /// Empty, with what was set.
    fn anew(mut self) -> Self {
        self.local = Arc::new(Local::new(self.capacity, self.time_to_live));
        self.listener = self.bus.as_deref().map(|bus| Listener::new(bus, self.local.clone()));
        self
    }

    /// The document, from the shared cache if there is one that can be trusted, or else from the store.
    async fn fetch_beyond(&self, kind: &'static Kind, id: &str, key: &str, place: Place) -> Result<Option<Document>> {
        match &self.shared {
            Some(shared) if self.local.stripes.trusts_shared(place) => {
                shared.fetch(&self.store, kind, id, key, self.time_to_live).await
            }
            _ => self.store.fetch(kind, id).await,
        }
    }

    /// Whatever came of a commit: nobody finds these records as they were.
    async fn forget(&self, keys: &[String]) -> bool {
        for key in keys {
            self.local.documents.invalidate(key).await;
        }
        match &self.shared {
            Some(shared) => shared.forget(keys).await,
            None => true,
        }
    }

    async fn tell(&self, keys: Vec<String>) {
        let Some(bus) = &self.bus else { return };
        let word = if keys.len() > MOST_WORDS { Bytes::new() } else { Word::of(&self.local.node, keys) };
        // Who did not hear it finds out when what it keeps has had its time.
        drop(bus.publish(word).await);
    }
}

/// What this node keeps.
struct Local {
    node: String,
    documents: moka::future::Cache<String, Kept>,
    stripes: Stripes,
}

/// A document, and the stamp of its stripe from before it was read.
#[derive(Clone)]
struct Kept {
    stamp: Stamp,
    document: Arc<Document>,
}

impl Local {
    fn new(capacity: u64, time_to_live: Duration) -> Self {
        let weight = |key: &String, kept: &Kept| {
            u32::try_from(key.len() + kept.document.body.len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        let documents = moka::future::Cache::builder().max_capacity(capacity).weigher(weight);
        let documents = documents.time_to_live(time_to_live).build();
        Local { node: Id::<Local>::new().to_string(), documents, stripes: Stripes::new() }
    }

    async fn hear(&self, word: &[u8]) {
        match serde_json::from_slice::<Word>(word) {
            // Its own commits are behind it already.
            Ok(word) if word.node == self.node => {}
            Ok(word) => {
                for key in word.changed {
                    self.stripes.changed(self.stripes.place(&key));
                    self.documents.invalidate(&key).await;
                }
            }
            // An empty message, or one of another version: anything may have changed.
            Err(_) => self.forget_all(),
        }
    }

    fn forget_all(&self) {
        self.stripes.all_changed();
        self.documents.invalidate_all();
    }
}

/// `Debug` shows nothing of what is kept.
impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let documents = self.documents.entry_count();
        f.debug_struct("Local").field("node", &self.node).field("documents", &documents).finish_non_exhaustive()
    }
}

/// Which records a node changed.
#[derive(Serialize, Deserialize)]
struct Word {
    node: String,
    changed: Vec<String>,
}

impl Word {
    fn of(node: &str, changed: Vec<String>) -> Bytes {
        // An empty message stands for any change.
        serde_json::to_vec(&Word { node: node.to_owned(), changed }).unwrap_or_default().into()
    }
}

/// The task that hears the bus; it ends with this.
#[derive(Debug)]
struct Listener(AbortHandle);

impl Listener {
    fn new(bus: &dyn Bus, local: Arc<Local>) -> Self {
        // From here on nothing is missed, even if the task begins later.
        let mut words = bus.subscribe();
        let task = tokio::spawn(async move {
            loop {
                match words.recv().await {
                    Ok(word) => local.hear(&word).await,
                    Err(RecvError::Lagged(_)) => local.forget_all(),
                    Err(RecvError::Closed) => return,
                }
            }
        });
        Listener(task.abort_handle())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Workers lease events past this layer's sight, and nobody reads one twice.
fn is_kept(kind: &Kind) -> bool {
    kind.name != OutboxEntry::KIND.name
}

/// The name of a record. A kind's name has no `:`, so that no two are the same.
fn key(kind: &Kind, id: &str) -> String {
    format!("{}:{id}", kind.name)
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Store> Store for Cached<S> {
    fn capabilities(&self) -> &'static [Capability] {
        self.store.capabilities()
    }

    async fn fetch(&self, kind: &'static Kind, id: &str) -> Result<Option<Document>> {
        if !is_kept(kind) {
            return self.store.fetch(kind, id).await;
        }
        let key = key(kind, id);
        let Local { documents, stripes, .. } = &*self.local;
        let place = stripes.place(&key);
        // While it is being written, what is kept may be old already, and what is read may be old at once.
        let Some(stamp) = stripes.stamp(place) else { return self.store.fetch(kind, id).await };
        if let Some(kept) = documents.get(&key).await
            && kept.stamp == stamp
        {
            return Ok(Some((*kept.document).clone()));
        }
        let found = self.fetch_beyond(kind, id, &key, place).await?;
        if let Some(document) = &found
            && stripes.stamp(place) == Some(stamp)
        {
            // A commit that begins just now does no harm: no read after it takes a document of an earlier stamp.
            documents.insert(key, Kept { stamp, document: Arc::new(document.clone()) }).await;
        }
        Ok(found)
    }

    async fn select(&self, kind: &'static Kind, query: &Query) -> Result<Page<Document>> {
        self.store.select(kind, query).await
    }

    async fn tally(&self, kind: &'static Kind, count: &Count) -> Result<Vec<Group>> {
        self.store.tally(kind, count).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        let writes = batch.into_writes()?;
        let mut keys: Vec<String> = writes.iter().filter(|w| is_kept(w.kind)).map(|w| key(w.kind, &w.id)).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return self.store.commit(Batch::from(writes)).await;
        }
        let writing = self.local.stripes.writing(keys.iter().map(String::as_str), self.time_to_live + SLACK);
        let result = self.store.commit(Batch::from(writes)).await;
        if self.forget(&keys).await {
            writing.settled();
        } else {
            drop(writing);
        }
        self.tell(keys).await;
        result
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
        self.store.claim(claim).await
    }

    async fn health(&self) -> Result<()> {
        self.store.health().await
    }
}
