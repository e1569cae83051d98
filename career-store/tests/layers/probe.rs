//! A store that counts what it is asked, and can be made to wait, to fail, and to be overtaken.

#![cfg_attr(
    not(all(feature = "cache", feature = "encrypt")),
    expect(dead_code, reason = "each layer's tests use some of it")
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use career_core::store::{
    Batch, Capability, Claim, Committed, Count, Document, Group, Kind, OutboxEntry, Page, Query, Versioned, Write,
};
use career_core::{Error, ErrorKind, Result, Store};
use career_store::MemoryStore;
use tokio::sync::{RwLock, RwLockWriteGuard};

#[derive(Debug)]
pub(crate) struct Probe {
    inner: Arc<MemoryStore>,
    fetches: AtomicUsize,
    fetch_gate: RwLock<()>,
    commit_gate: RwLock<()>,
    meanwhile: Mutex<Option<Vec<Write>>>,
    answer: Mutex<Option<ErrorKind>>,
}

impl Probe {
    pub(crate) fn over(inner: Arc<MemoryStore>) -> Self {
        Probe {
            inner,
            fetches: AtomicUsize::new(0),
            fetch_gate: RwLock::new(()),
            commit_gate: RwLock::new(()),
            meanwhile: Mutex::new(None),
            answer: Mutex::new(None),
        }
    }

    /// How often a record was fetched.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Fetches have read and wait with their answers until the guard is dropped.
    pub(crate) async fn hold_fetches(&self) -> RwLockWriteGuard<'_, ()> {
        self.fetch_gate.write().await
    }

    /// Commits have written and wait with their answers until the guard is dropped.
    pub(crate) async fn hold_commits(&self) -> RwLockWriteGuard<'_, ()> {
        self.commit_gate.write().await
    }

    /// Someone else writes this after the next page was read.
    pub(crate) fn meanwhile(&self, writes: Vec<Write>) {
        *self.meanwhile.lock().expect("no panic") = Some(writes);
    }

    /// The next commit is done and then answers with this error.
    pub(crate) fn answer(&self, kind: ErrorKind) {
        *self.answer.lock().expect("no panic") = Some(kind);
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Store for Probe {
    fn capabilities(&self) -> &'static [Capability] {
        self.inner.capabilities()
    }

    async fn fetch(&self, kind: &'static Kind, id: &str) -> Result<Option<Document>> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let found = self.inner.fetch(kind, id).await;
        // As a database would: others go on between the read and its answer.
        tokio::task::yield_now().await;
        drop(self.fetch_gate.read().await);
        found
    }

    async fn select(&self, kind: &'static Kind, query: &Query) -> Result<Page<Document>> {
        let page = self.inner.select(kind, query).await;
        let writes = self.meanwhile.lock().expect("no panic").take();
        if let Some(writes) = writes {
            self.inner.commit(writes.into()).await?;
        }
        page
    }

    async fn tally(&self, kind: &'static Kind, count: &Count) -> Result<Vec<Group>> {
        self.inner.tally(kind, count).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        tokio::task::yield_now().await;
        let committed = self.inner.commit(batch).await;
        tokio::task::yield_now().await;
        drop(self.commit_gate.read().await);
        let answer = self.answer.lock().expect("no panic").take();
        answer.map_or(committed, |kind| Err(Error::new(kind, "no answer came")))
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
        self.inner.claim(claim).await
    }

    async fn health(&self) -> Result<()> {
        self.inner.health().await
    }
}
