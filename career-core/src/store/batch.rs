//! What is written together: all of it or nothing.

use jiff::Timestamp;

use super::kind::{KeyType, KeyValue, Kind, Record, Versioned};
use super::outbox::OutboxEntry;
use crate::{Error, Event, Result};

/// Writes and events that a store commits together: all of them, or none.
///
/// ```
/// use career_core::store::Batch;
/// use career_core::{AchievementRule, Event, EventKind, Id};
/// use jiff::Timestamp;
///
/// let user = Id::new();
/// let rule = AchievementRule::new("first-milestone", "First milestone", EventKind::MilestoneCompleted, 1);
/// let achievement = rule.award(user, 1, Timestamp::now()).expect("it happened once");
///
/// let mut batch = Batch::new();
/// batch.insert(&achievement).emit(&Event::AchievementAwarded { user, achievement: achievement.id });
/// assert_eq!(batch.len(), 2);
/// ```
#[derive(Debug, Default)]
pub struct Batch {
    writes: Vec<Write>,
    // Kept until the batch is committed, so that writes can be chained; `into_writes` is the only way in.
    failed: Option<Error>,
}

/// One write of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Write {
    /// The kind of the record.
    pub kind: &'static Kind,
    /// Its id.
    pub id: String,
    /// What is done with it.
    pub action: Action,
}

impl Write {
    /// A write of a record.
    pub fn new(kind: &'static Kind, id: impl Into<String>, action: Action) -> Self {
        Write { kind, id: id.into(), action }
    }
}

/// What is done with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// It is made; it must not be there yet.
    Insert(Draft),
    /// It is made or replaced, whatever is there.
    Put(Draft),
    /// It is replaced; it must be at this version.
    Update(Draft, u64),
    /// It goes, if it is there.
    Delete,
    /// It goes; it must be at this version.
    Remove(u64),
}

/// What is to be kept of a record.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Draft {
    /// The values of its keys, in the order of [`Kind::keys`].
    pub keys: Vec<KeyValue>,
    /// The document, as JSON.
    pub body: String,
}

impl Draft {
    /// The keys and the document of a record.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when the record does not serialise, when its keys do not fit
    /// its kind, and for text with the character U+0000, which not every database can keep.
    pub fn of<T: Record>(record: &T) -> Result<Self> {
        let body = serde_json::to_string(record)
            .map_err(|error| Error::invalid("the record does not serialise").with_source(error))?;
        if has_nul(&body) {
            return Err(Error::invalid("expected text without the character U+0000"));
        }
        KeyValue::Text(record.id().to_string()).fits(KeyType::Text, false, "id")?;
        let keys = record.keys();
        T::KIND.check_values(&keys)?;
        Ok(Draft { keys, body })
    }

    /// Keys and a document made by a layer.
    pub fn new(keys: Vec<KeyValue>, body: String) -> Self {
        Draft { keys, body }
    }
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft").field("keys", &self.keys).field("bytes", &self.body.len()).finish()
    }
}

/// Whether a JSON text has the escape of U+0000, rather than a backslash that someone wrote before `u0000`.
fn has_nul(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let before = json.as_bytes()[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        before % 2 == 0
    })
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Batch::default()
    }

    fn write<T: Record>(&mut self, record: &T, action: impl FnOnce(Draft) -> Action) -> &mut Self {
        let id = record.id().to_string();
        match Draft::of(record) {
            Ok(draft) => self.writes.push(Write::new(T::KIND, id, action(draft))),
            Err(error) => {
                self.failed.get_or_insert(error.in_file(format!("{} {id}", T::KIND.name)));
            }
        }
        self
    }

    /// Makes a record. The commit fails with [`Conflict::Exists`](crate::Conflict) when it is there.
    pub fn insert<T: Record>(&mut self, record: &T) -> &mut Self {
        self.write(record, Action::Insert)
    }

    /// Makes or replaces a record, whatever is there.
    pub fn put<T: Record>(&mut self, record: &T) -> &mut Self {
        self.write(record, Action::Put)
    }

    /// Replaces a record. The commit fails with [`Conflict::Version`](crate::Conflict) when it has moved since it was
    /// read.
    pub fn update<T: Record>(&mut self, record: &Versioned<T>) -> &mut Self {
        if !self.keeps_its_id(record) {
            return self;
        }
        let version = record.version();
        self.write(&**record, |draft| Action::Update(draft, version))
    }

    /// Deletes a record, if it is there.
    pub fn delete<T: Record>(&mut self, id: &T::Id) -> &mut Self {
        self.writes.push(Write::new(T::KIND, id.to_string(), Action::Delete));
        self
    }

    /// Deletes a record. The commit fails with [`Conflict::Version`](crate::Conflict) when it has moved since it was
    /// read.
    pub fn remove<T: Record>(&mut self, record: &Versioned<T>) -> &mut Self {
        if self.keeps_its_id(record) {
            self.writes.push(Write::new(T::KIND, record.id().to_string(), Action::Remove(record.version())));
        }
        self
    }

    /// The version that was read is that of the record that was read; under another id it says nothing.
    fn keeps_its_id<T: Record>(&mut self, record: &Versioned<T>) -> bool {
        let same = record.id().to_string() == record.id_as_read();
        if !same {
            let error = Error::invalid("expected the id under which the record was read").at_field("id");
            self.failed.get_or_insert(error.in_file(format!("{} {}", T::KIND.name, record.id_as_read())));
        }
        same
    }

    /// Emits an event: it is handled at least once, if and only if the batch is committed.
    pub fn emit(&mut self, event: &Event) -> &mut Self {
        self.emit_at(event, Timestamp::now())
    }

    /// Emits an event that is not handled before this time.
    pub fn emit_at(&mut self, event: &Event, due: Timestamp) -> &mut Self {
        match OutboxEntry::new(event, due) {
            Ok(entry) => self.insert(&entry),
            Err(error) => {
                self.failed.get_or_insert(error);
                self
            }
        }
    }

    /// The event was handled: together with the other writes of this batch, so that they happen once even though it
    /// may be delivered again.
    pub fn settle(&mut self, entry: &Versioned<OutboxEntry>) -> &mut Self {
        self.remove(entry)
    }

    /// A write that a layer or an importer made.
    pub fn push(&mut self, write: Write) -> &mut Self {
        self.writes.push(write);
        self
    }

    /// How many writes there are, the events among them.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.failed.is_none()
    }

    /// The writes, in order. A backend begins its commit with it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for the first record that could not be taken, see
    /// [`Draft::of`]; the kind and the id of the record are its place.
    pub fn into_writes(self) -> Result<Vec<Write>> {
        self.failed.map_or(Ok(self.writes), Err)
    }
}

impl From<Vec<Write>> for Batch {
    fn from(writes: Vec<Write>) -> Self {
        Batch { writes, failed: None }
    }
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed {
    /// The version at which each record now is, in the order of the writes; `None` where it was deleted.
    pub versions: Vec<Option<u64>>,
}

impl Committed {
    /// The versions, in the order of the writes.
    pub fn new(versions: Vec<Option<u64>>) -> Self {
        Committed { versions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Personal;
    use crate::{Id, Roadmap};
    use proptest::prelude::*;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Odd {
        id: Id<Odd>,
        text: String,
    }

    impl Record for Odd {
        const KIND: &'static Kind = &Kind::new("odd", &[]).personal(Personal::No);
        type Id = Id<Odd>;

        fn id(&self) -> Id<Odd> {
            self.id
        }

        fn keys(&self) -> Vec<KeyValue> {
            Vec::new()
        }
    }

    proptest! {
        #[test]
        fn only_the_character_itself_is_refused(text in r"[\\u0\x00a]{0,12}") {
            let odd = Odd { id: Id::new(), text: text.clone() };
            prop_assert_eq!(Draft::of(&odd).is_err(), text.contains('\0'), "{:?}", text);
        }
    }

    #[test]
    fn what_cannot_be_taken_is_told_at_the_commit_with_its_place() {
        let odd = Odd { id: Id::new(), text: "\0".into() };
        let mut batch = Batch::new();
        batch.put(&odd).delete::<Roadmap>(&Id::new());
        let error = batch.into_writes().expect_err("cannot be kept").to_string();
        assert!(error.starts_with(&format!("odd {}: expected text", odd.id)), "{error}");
    }
}
