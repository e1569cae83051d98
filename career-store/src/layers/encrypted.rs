//! What is personal is sealed before it is kept.

use async_trait::async_trait;
use career_core::store::{
    Action, Batch, Capability, Claim, Committed, Count, Cursor, Document, Draft, Filter, Group, Grouping, Key,
    KeyValue, Kind, OutboxEntry, Page, Personal, Query, Record, Test, Versioned, Write,
};
use career_core::{Error, ErrorKind, Result, Store};

pub use super::keyring::{Keyring, SealingKey};
use super::keyring::{Opened, corrupt};

/// How many records [`Encrypted::rotate`] looks at in one step.
const ROTATION_PAGE: u32 = 100;

/// Seals the bodies of personal kinds with XChaCha20-Poly1305, so that who reads the database, a backup of it or a
/// shared cache beneath this layer learns nothing of what people wrote.
///
/// - A body is sealed for its record: moved to another one, or changed, it is [`ErrorKind::Corrupt`].
/// - What stays visible are ids, versions, times, how long a body is, and keys, by which the database finds records.
///   Those that are [`secret`](Key::secret) are kept as HMAC-SHA256 of their text: they are found by equality alone.
///   A range or an order of one is [`ErrorKind::Unsupported`]; a group of one is named by the hash.
///   A key that refers to a record stays as it is, whatever it says of itself.
/// - Kinds that are nobody's are kept as they are, and so are events: what a host puts into one can be read.
/// - An older state of a record, put back by who can write to the database, is not noticed.
///
/// Switched on over data that is there, it is [`accepting_plain`](Encrypted::accepting_plain) until
/// [`rotate`](Encrypted::rotate) has been through every kind.
///
/// ```
/// use std::sync::Arc;
///
/// use career_core::store::{Query, Record};
/// use career_core::{Email, Store, StoreExt, User};
/// use career_store::MemoryStore;
/// use career_store::layers::{Encrypted, Keyring, SealingKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_core::Result<()> {
/// # let (secret, blind) = ([1; 32], [2; 32]);
/// let kept = Arc::new(MemoryStore::new());
/// let store = Encrypted::new(kept.clone(), Keyring::new(SealingKey::new("2026-01", secret), blind));
/// let user = User::builder()
///     .name("A student")
///     .email(Email::new("asha@example.org")?)
///     .created_at(jiff::Timestamp::now())
///     .build();
/// store.put(&user).await?;
///
/// let found = store.first::<User>(&Query::all().key("email", "asha@example.org")).await?.expect("by its address");
/// assert_eq!(found.name, "A student");
/// let body = kept.fetch(User::KIND, &user.id.to_string()).await?.expect("there").body;
/// assert!(!body.contains("A student") && !body.contains("example.org"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Encrypted<S> {
    store: S,
    keyring: Keyring,
    accepts_plain: bool,
}

/// What a step of [`Encrypted::rotate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// How many records were sealed anew.
    pub rewritten: u64,
    /// Where to go on; `None` at the end.
    pub next: Option<Cursor>,
}

impl<S: Store> Encrypted<S> {
    /// Seals and opens with these keys.
    pub fn new(store: S, keyring: Keyring) -> Self {
        Encrypted { store, keyring, accepts_plain: false }
    }

    /// Reads bodies that are not sealed, too, and finds records by keys that are not hidden: for data from before this
    /// layer, until it is rotated. Meanwhile who can write to the database can put a body of their own in, and two
    /// records can share a secret key that is unique, one from before and one from after.
    #[must_use]
    pub fn accepting_plain(mut self) -> Self {
        self.accepts_plain = true;
        self
    }

    /// Looks at a page of records and seals those anew that an older key sealed, or none. Call it from `None` until
    /// [`Rotation::next`] is `None`; then the older keys are no longer needed for this kind, and every node may stop
    /// [`accepting_plain`](Encrypted::accepting_plain). All nodes have the new key before any seals with it.
    ///
    /// A record that is rewritten is at a new version; who had read it before sees a conflict when writing it. One that
    /// moves meanwhile is left alone: it was just sealed anew by who wrote it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] naming the first record that does not open or parse; those of the store.
    pub async fn rotate<T: Record>(&self, after: Option<Cursor>) -> Result<Rotation> {
        if !is_sealed(T::KIND) {
            return Ok(Rotation { rewritten: 0, next: None });
        }
        let page = self.store.select(T::KIND, &Query::all().limit(ROTATION_PAGE).after(after)).await?;
        let mut writes = Vec::new();
        for document in page.items {
            let (document, by_current) = self.open(T::KIND, document)?;
            if !by_current {
                // Parsed for its keys; the body stays as it is, with what a newer version may have added to it.
                let keys = Draft::of::<T>(&*document.decode::<T>()?)?.keys;
                let update = Action::Update(Draft::new(keys, document.body), document.version);
                writes.push(self.seal(Write::new(T::KIND, document.id, update))?);
            }
        }
        Ok(Rotation { rewritten: self.rewrite(writes).await?, next: page.next })
    }

    /// Commits all of them, or else each that has not moved; says how many.
    async fn rewrite(&self, writes: Vec<Write>) -> Result<u64> {
        let is_conflict = |error: &Error| error.kind() == ErrorKind::Conflict;
        match self.store.commit(Batch::from(writes.clone())).await {
            Ok(_) => return Ok(writes.len() as u64),
            Err(error) if is_conflict(&error) => {}
            Err(error) => return Err(error),
        }
        let mut rewritten = 0;
        for write in writes {
            match self.store.commit(Batch::from(vec![write])).await {
                Ok(_) => rewritten += 1,
                Err(error) if matches!(error.conflict(), Some(career_core::Conflict::Version { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(rewritten)
    }

    /// The document with its body opened, and whether the current key sealed it.
    fn open(&self, kind: &Kind, mut document: Document) -> Result<(Document, bool)> {
        match self.keyring.open(kind, &document.id, &document.body)? {
            Some(Opened { body, by_current }) => {
                document.body = body;
                Ok((document, by_current))
            }
            None if self.accepts_plain => Ok((document, false)),
            None => Err(corrupt(kind, &document.id, "its body is not sealed")),
        }
    }

    fn seal(&self, mut write: Write) -> Result<Write> {
        match &mut write.action {
            Action::Insert(draft) | Action::Put(draft) | Action::Update(draft, _) => {
                draft.body = self.keyring.seal(write.kind, &write.id, &draft.body)?;
                for (key, value) in write.kind.keys.iter().zip(&mut draft.keys) {
                    if is_hidden(key) {
                        *value = self.hide(write.kind, key.name, value)?;
                    }
                }
            }
            Action::Delete | Action::Remove(_) => {}
            _ => return Err(Error::new(ErrorKind::Unsupported, "this write cannot be sealed")),
        }
        Ok(write)
    }

    fn hide(&self, kind: &Kind, key: &str, value: &KeyValue) -> Result<KeyValue> {
        match value {
            KeyValue::Null => Ok(KeyValue::Null),
            KeyValue::Text(text) => Ok(self.keyring.blind(kind, key, text).into()),
            _ => Err(unsupported("a secret key that is sealed holds text", key)),
        }
    }

    /// The filters as the store beneath understands them.
    fn hide_in(&self, kind: &Kind, filters: &[Filter]) -> Result<Vec<Filter>> {
        filters.iter().map(|filter| self.hide_in_one(kind, filter)).collect()
    }

    fn hide_in_one(&self, kind: &Kind, filter: &Filter) -> Result<Filter> {
        let key = &*filter.key;
        if !hides(kind, key) {
            return Ok(filter.clone());
        }
        let values = match &filter.test {
            Test::Missing => return Ok(filter.clone()),
            Test::Is(value) => std::slice::from_ref(value),
            Test::OneOf(values) => values,
            _ => return Err(unsupported("a secret key that is sealed is found by equality alone", key)),
        };
        let mut hidden = values.iter().map(|value| self.hide(kind, key, value)).collect::<Result<Vec<_>>>()?;
        if self.accepts_plain {
            hidden.extend_from_slice(values);
        }
        let test = match <[KeyValue; 1]>::try_from(hidden) {
            Ok([value]) => Test::Is(value),
            Err(hidden) => Test::OneOf(hidden),
        };
        Ok(Filter::new(filter.key.clone(), test))
    }
}

fn is_sealed(kind: &Kind) -> bool {
    kind.personal != Personal::No
}

/// A key that refers must name its record, or the store could not hold the reference.
fn is_hidden(key: &Key) -> bool {
    key.secret && key.references.is_none()
}

fn hides(kind: &Kind, key: &str) -> bool {
    is_sealed(kind) && kind.keys.iter().any(|declared| declared.name == key && is_hidden(declared))
}

fn unsupported(what: &str, key: &str) -> Error {
    Error::new(ErrorKind::Unsupported, what).at_field(key)
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Store> Store for Encrypted<S> {
    fn capabilities(&self) -> &'static [Capability] {
        self.store.capabilities()
    }

    async fn fetch(&self, kind: &'static Kind, id: &str) -> Result<Option<Document>> {
        match self.store.fetch(kind, id).await? {
            Some(document) if is_sealed(kind) => Ok(Some(self.open(kind, document)?.0)),
            found => Ok(found),
        }
    }

    async fn select(&self, kind: &'static Kind, query: &Query) -> Result<Page<Document>> {
        if !is_sealed(kind) {
            return self.store.select(kind, query).await;
        }
        query.check(kind)?;
        if hides(kind, &query.order.key) {
            return Err(unsupported("a secret key that is sealed has no order", &query.order.key));
        }
        let mut hidden = query.clone();
        hidden.filters = self.hide_in(kind, &query.filters)?;
        let page = self.store.select(kind, &hidden).await?;
        let items = page.items.into_iter().map(|document| Ok(self.open(kind, document)?.0));
        Ok(Page::new(items.collect::<Result<_>>()?, page.next))
    }

    async fn tally(&self, kind: &'static Kind, count: &Count) -> Result<Vec<Group>> {
        if !is_sealed(kind) {
            return self.store.tally(kind, count).await;
        }
        count.check(kind)?;
        for group in &count.groups {
            if let Grouping::Time(key, _) = group
                && hides(kind, key)
            {
                return Err(unsupported("a secret key that is sealed holds text", key));
            }
        }
        let mut hidden = count.clone();
        hidden.filters = self.hide_in(kind, &count.filters)?;
        self.store.tally(kind, &hidden).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        let seal = |write: Write| if is_sealed(write.kind) { self.seal(write) } else { Ok(write) };
        let writes = batch.into_writes()?.into_iter().map(seal).collect::<Result<Vec<_>>>()?;
        self.store.commit(Batch::from(writes)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
        self.store.claim(claim).await
    }

    async fn health(&self) -> Result<()> {
        self.store.health().await
    }
}
