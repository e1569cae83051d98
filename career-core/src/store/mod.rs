//! The port that keeps records, and what is said to it.
//!
//! A [`Record`] is an aggregate: a document with an id and a few typed keys. A [`Store`] gets, selects and counts
//! records by their keys, and commits batches of writes and events: all of a [`Batch`], or nothing.
//! Use it through [`StoreExt`], which is typed; implement [`Store`], which is small.
//!
//! ```
//! use career_core::store::{Batch, Query, Versioned};
//! use career_core::{Application, ApplicationStatus, Event, Result, Store, StoreExt};
//! use jiff::Timestamp;
//!
//! async fn send(store: &dyn Store, application: &mut Versioned<Application>) -> Result<usize> {
//!     application.advance(ApplicationStatus::Applied, Timestamp::now(), None)?;
//!     let (user, id) = (application.owner, application.id);
//!     let mut batch = Batch::new();
//!     batch.update(application).emit(&Event::ApplicationMoved { user, application: id, status: application.status() });
//!     store.commit(batch).await?; // all or nothing; a conflict if the application moved meanwhile
//!
//!     let sent = store.list::<Application>(&Query::owned_by(user).key("status", "applied").newest()).await?;
//!     Ok(sent.items.len())
//! }
//! ```

mod batch;
mod count;
mod ext;
mod kind;
mod outbox;
mod query;
mod records;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

pub use batch::{Action, Batch, Committed, Draft, Write};
pub use count::{Bucket, Count, Group, Grouping};
pub use ext::{Pages, StoreExt};
pub use kind::{KEY_TEXT_MAX, Key, KeyType, KeyValue, Kind, Personal, Record, RecordId, Versioned, now};
pub use outbox::{Claim, OutboxEntry, OutboxState, Rhythm, Schedule};
pub use query::{Checked, Cursor, Filter, Freshness, Order, PAGE_DEFAULT, PAGE_MAX, Page, Query, Test};
pub use records::KINDS;

use crate::{Error, ErrorKind, Result};

/// Keeps records.
///
/// # Contract
///
/// - **A commit is atomic and durable**: once it has returned, all of it is there, for every reader, and (with
///   [`Capability::Durable`]) after a crash too; when it returns an error, nothing of it is. The one exception is
///   [`ErrorKind::Indeterminate`], which says so.
/// - **Versions** begin at 1 and grow by one with every write of a record. An update or a removal of another version
///   than the one that is there is [`Conflict::Version`](crate::Conflict).
/// - **Keys** hold what [`Kind`] says: unique sets, references, types. Writes of a batch are checked in their order,
///   each as if the earlier ones had happened.
/// - **Reads** without [`Freshness::Stale`] see every commit that was acknowledged before they began.
/// - **Order** is by the key, then by the id, both by bytes for text. Pages joined by their cursors neither skip nor
///   repeat a record that stays where it is.
/// - **Events** ([`OutboxEntry`]) are given to one worker at a time, of each order key only the earliest one, in the
///   order of their commits, and none while a worker holds another of that key; dead ones stand in nobody's way.
///
/// `career_core::testkit::store` (feature `testkit`) checks an implementation against this contract.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// What it can do beyond what every store does.
    fn capabilities(&self) -> &'static [Capability];

    /// The record of this kind with this id.
    ///
    /// # Errors
    ///
    /// What the backend can meet: [`ErrorKind::Unavailable`], [`ErrorKind::Corrupt`], [`ErrorKind::Denied`].
    async fn fetch(&self, kind: &'static Kind, id: &str) -> Result<Option<Document>>;

    /// A page of records.
    ///
    /// # Errors
    ///
    /// Those of [`Query::check`]; what the backend can meet.
    async fn select(&self, kind: &'static Kind, query: &Query) -> Result<Page<Document>>;

    /// How many records, in groups.
    ///
    /// # Errors
    ///
    /// Those of [`Count::check`]; what the backend can meet.
    async fn tally(&self, kind: &'static Kind, count: &Count) -> Result<Vec<Group>>;

    /// Commits a batch: all of it, or nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] with [`Error::conflict`] saying what collided; [`ErrorKind::Invalid`] for a record that
    /// cannot be taken; [`ErrorKind::Indeterminate`] when no answer came; what else the backend can meet.
    async fn commit(&self, batch: Batch) -> Result<Committed>;

    /// Leases events that are due to a worker: of each order key only the earliest that is not dead.
    ///
    /// A backend reads the entries, [leases](OutboxEntry::lease) them, writes them back as an update of the version
    /// that it read, and gives them as [written](Versioned::written).
    ///
    /// # Errors
    ///
    /// What the backend can meet.
    async fn claim(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>>;

    /// Whether it answers.
    ///
    /// # Errors
    ///
    /// Why it does not.
    async fn health(&self) -> Result<()>;
}

/// A record as a store keeps it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// When it was first kept, to the microsecond.
    pub created: Timestamp,
    /// When it was last kept, to the microsecond.
    pub updated: Timestamp,
    /// The document, as JSON.
    pub body: String,
}

impl Document {
    /// A document as a backend read it.
    pub fn new(id: String, version: u64, created: Timestamp, updated: Timestamp, body: String) -> Self {
        Document { id, version, created, updated, body }
    }

    /// The record.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] naming the record and the field, when the document no longer parses.
    pub fn decode<T: Record>(&self) -> Result<Versioned<T>> {
        let corrupt = |what: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Corrupt, format!("{} {}: {what}", T::KIND.name, self.id))
        };
        let record: T = Error::parse_json(&self.body).map_err(|error| corrupt(&error))?;
        if record.id().to_string() == self.id {
            Ok(self.with_record(record))
        } else {
            Err(corrupt(&"it holds a record of another id"))
        }
    }

    /// A record that was read from this document.
    fn with_record<T>(&self, record: T) -> Versioned<T> {
        Versioned::new(record, self.id.clone(), self.version, self.created, self.updated)
    }
}

/// `Debug` does not show the document.
impl Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("id", &self.id).field("version", &self.version).finish_non_exhaustive()
    }
}

/// What a store can do beyond what every store does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// What was acknowledged is there after the process was killed.
    Durable,
    /// Several processes can use it at once.
    Shared,
    /// References between records are held.
    References,
}

macro_rules! forward {
    ($($pointer:ident),+) => { $(
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<S: Store + ?Sized> Store for $pointer<S> {
            fn capabilities(&self) -> &'static [Capability] {
                (**self).capabilities()
            }

            async fn fetch(&self, kind: &'static Kind, id: &str) -> Result<Option<Document>> {
                (**self).fetch(kind, id).await
            }

            async fn select(&self, kind: &'static Kind, query: &Query) -> Result<Page<Document>> {
                (**self).select(kind, query).await
            }

            async fn tally(&self, kind: &'static Kind, count: &Count) -> Result<Vec<Group>> {
                (**self).tally(kind, count).await
            }

            async fn commit(&self, batch: Batch) -> Result<Committed> {
                (**self).commit(batch).await
            }

            async fn claim(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
                (**self).claim(claim).await
            }

            async fn health(&self) -> Result<()> {
                (**self).health().await
            }
        }
    )+ };
}

forward!(Arc, Box);

const _: () = {
    const fn is_object_safe_and_shared<T: ?Sized + Send + Sync + 'static>() {}
    is_object_safe_and_shared::<dyn Store>();
};
