//! Who did what with which record, and when.

use std::sync::Arc;

use async_trait::async_trait;
use career_core::store::{
    Action, Batch, Capability, Claim, Committed, Count, Document, Group, Kind, OutboxEntry, Page, Personal, Query,
    Record, Schedule, Versioned, Write,
};
use career_core::{AuditAction, AuditEntry, Error, ErrorKind, Result, Store};

/// Leaves an [`AuditEntry`] for every write, in the same commit: there is no write without its entry, and no entry
/// without its write.
///
/// Entries name records and hold nothing of them. Writes of entries, of events and of schedules leave none; events
/// that a worker claims neither.
///
/// ```
/// use career_core::store::Query;
/// use career_core::{AuditAction, AuditEntry, StoreExt, User};
/// use career_store::MemoryStore;
/// use career_store::layers::Audited;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_core::Result<()> {
/// let store = Audited::new(std::sync::Arc::new(MemoryStore::new()), "server");
/// let user = User::builder().name("A student").created_at(jiff::Timestamp::now()).build();
/// store.acting_as(format!("user {}", user.id)).put(&user).await?;
///
/// let entry = store.first::<AuditEntry>(&Query::all().key("record", user.id)).await?.expect("it was written");
/// assert_eq!((entry.action, entry.kind.as_str()), (AuditAction::Put, "users"));
/// assert_eq!(entry.actor, format!("user {}", user.id));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Audited<S> {
    store: S,
    actor: Arc<str>,
    reads: bool,
}

impl<S: Store> Audited<S> {
    /// Everything is done by this actor, as the host names them: a user's id rather than a name.
    pub fn new(store: S, actor: impl Into<String>) -> Self {
        Audited { store, actor: actor.into().into(), reads: false }
    }

    /// The same store for another actor, such as the user of one request. It costs a clone of the store: wrap an
    /// `Arc` or a pool.
    #[must_use]
    pub fn acting_as(&self, actor: impl Into<String>) -> Self
    where
        S: Clone,
    {
        Audited { store: self.store.clone(), actor: actor.into().into(), reads: self.reads }
    }

    /// Reads of personal kinds leave an entry too, one for each record that is given out; it is kept before the
    /// answer is given, and when it cannot be, the read fails. Counts leave none. Every such read waits for a commit.
    #[must_use]
    pub fn with_reads(mut self) -> Self {
        self.reads = true;
        self
    }

    fn entry(&self, action: AuditAction, kind: &Kind, id: &str) -> AuditEntry {
        AuditEntry::new(&*self.actor, action, kind.name, id)
    }

    async fn note_reads(&self, kind: &'static Kind, documents: &[Document]) -> Result<()> {
        if !self.reads || kind.personal == Personal::No || documents.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::new();
        for document in documents {
            batch.insert(&self.entry(AuditAction::Read, kind, &document.id));
        }
        self.store.commit(batch).await.map(drop)
    }
}

/// Entries about these would say nothing of a person, and entries about entries would never end.
fn leaves_entry(kind: &Kind) -> bool {
    ![AuditEntry::KIND.name, OutboxEntry::KIND.name, Schedule::KIND.name].contains(&kind.name)
}

fn action(write: &Write) -> Result<AuditAction> {
    Ok(match write.action {
        Action::Insert(_) => AuditAction::Inserted,
        Action::Put(_) => AuditAction::Put,
        Action::Update(..) => AuditAction::Updated,
        Action::Delete | Action::Remove(_) => AuditAction::Deleted,
        _ => return Err(Error::new(ErrorKind::Unsupported, "the audit has no name for this write")),
    })
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Store> Store for Audited<S> {
    fn capabilities(&self) -> &'static [Capability] {
        self.store.capabilities()
    }

    async fn fetch(&self, kind: &'static Kind, id: &str) -> Result<Option<Document>> {
        let document = self.store.fetch(kind, id).await?;
        self.note_reads(kind, document.as_slice()).await?;
        Ok(document)
    }

    async fn select(&self, kind: &'static Kind, query: &Query) -> Result<Page<Document>> {
        let page = self.store.select(kind, query).await?;
        self.note_reads(kind, &page.items).await?;
        Ok(page)
    }

    async fn tally(&self, kind: &'static Kind, count: &Count) -> Result<Vec<Group>> {
        self.store.tally(kind, count).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        let writes = batch.into_writes()?;
        let of_the_caller = writes.len();
        let entries = writes
            .iter()
            .filter(|write| leaves_entry(write.kind))
            .map(|write| Ok(self.entry(action(write)?, write.kind, &write.id)))
            .collect::<Result<Vec<_>>>()?;
        let mut batch = Batch::from(writes);
        // After the writes of the caller, so that the versions of those come first.
        for entry in &entries {
            batch.insert(entry);
        }
        let mut committed = self.store.commit(batch).await?;
        committed.versions.truncate(of_the_caller);
        Ok(committed)
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
        self.store.claim(claim).await
    }

    async fn health(&self) -> Result<()> {
        self.store.health().await
    }
}
