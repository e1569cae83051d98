//! Events that were given up.

use career_core::store::{Count, Cursor, Group, OutboxEntry, Page, Query, Record, Versioned};
use career_core::{Error, ErrorKind, Id, Result, Store, StoreExt};
use jiff::Timestamp;

/// The events that were given up after too many attempts: to be looked at, tried anew, or thrown away.
///
/// ```
/// use career_core::Store;
/// use career_store::worker::DeadLetters;
///
/// async fn after_the_repair(store: &dyn Store) -> career_core::Result<u64> {
///     let letters = DeadLetters::of(store);
///     for letter in letters.list(None).await?.items {
///         println!("{} {}: {}", letter.id, letter.topic, letter.last_error.as_deref().unwrap_or("?"));
///     }
///     letters.revive_all().await
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct DeadLetters<'a> {
    store: &'a dyn Store,
}

impl<'a> DeadLetters<'a> {
    /// Those of a store.
    pub fn of(store: &'a dyn Store) -> Self {
        DeadLetters { store }
    }

    fn query() -> Query {
        Query::all().key("state", "dead").oldest()
    }

    /// A page of them, the oldest first, each with its event, its attempts and its last error.
    ///
    /// # Errors
    ///
    /// What the store can meet.
    pub async fn list(&self, after: Option<Cursor>) -> Result<Page<Versioned<OutboxEntry>>> {
        self.store.list(&Self::query().after(after)).await
    }

    /// How many there are of each topic.
    ///
    /// # Errors
    ///
    /// What the store can meet.
    pub async fn count(&self) -> Result<Vec<Group>> {
        self.store.tally(OutboxEntry::KIND, &Count::of(Self::query()).by("topic")).await
    }

    /// Tries one anew, with all its attempts before it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when it is not there, [`ErrorKind::IllegalState`] when it is not dead, what the store
    /// can meet.
    pub async fn revive(&self, id: Id<OutboxEntry>) -> Result<()> {
        let mut letter = self.load(id).await?;
        letter.revive(Timestamp::now());
        self.store.update(&mut letter).await
    }

    /// Tries all of them anew; how many.
    ///
    /// # Errors
    ///
    /// What the store can meet; those before it were revived.
    pub async fn revive_all(&self) -> Result<u64> {
        let mut revived = 0;
        let mut after = None;
        loop {
            let page = self.list(after).await?;
            for mut letter in page.items {
                letter.revive(Timestamp::now());
                match self.store.update(&mut letter).await {
                    Ok(()) => revived += 1,
                    // Someone else revived it or threw it away.
                    Err(error) if error.kind() == ErrorKind::Conflict => {}
                    Err(error) => return Err(error),
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(revived);
            }
        }
    }

    /// Throws one away.
    ///
    /// # Errors
    ///
    /// Those of [`DeadLetters::revive`].
    pub async fn discard(&self, id: Id<OutboxEntry>) -> Result<()> {
        let letter = self.load(id).await?;
        let mut batch = career_core::store::Batch::new();
        batch.remove(&letter);
        self.store.commit(batch).await.map(drop)
    }

    async fn load(&self, id: Id<OutboxEntry>) -> Result<Versioned<OutboxEntry>> {
        let letter = self.store.load::<OutboxEntry>(&id).await?;
        if letter.state != career_core::store::OutboxState::Dead {
            return Err(Error::new(ErrorKind::IllegalState, format!("events {id} is not dead")));
        }
        Ok(letter)
    }
}
