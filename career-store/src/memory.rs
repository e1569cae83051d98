//! A store in memory: for tests, for trying things out, and as the shortest complete backend to read.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use career_core::store::{
    Action, Batch, Capability, Claim, Committed, Count, Cursor, Document, Draft, Filter, Group, Grouping, KeyValue,
    Kind, OutboxEntry, OutboxState, Page, Query, Record, Test, Versioned, Write, now,
};
use career_core::{Conflict, Error, ErrorKind, Result, Store};
use jiff::Timestamp;

/// A store in memory. Everything is gone when it is dropped.
///
/// Reads look at every record of a kind; it is meant for thousands of records, not for millions.
///
/// ```
/// use career_core::{Conversation, StoreExt, User};
/// use career_store::MemoryStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_core::Result<()> {
/// let store = MemoryStore::new();
/// let user = User::builder().name("A student").created_at(jiff::Timestamp::now()).build();
/// store.put(&user).await?;
/// let talk = Conversation::start(user.id);
/// store.put(&talk).await?;
/// assert_eq!(store.load::<Conversation>(&talk.id).await?.owner, user.id);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    tables: HashMap<&'static str, Table>,
    // Numbers the records in the order in which they were first kept: the order of events.
    last: u64,
}

struct Table {
    kind: &'static Kind,
    rows: BTreeMap<String, Row>,
    // For each unique set of the kind, who holds which values.
    holders: Vec<HashMap<Vec<KeyValue>, String>>,
}

#[derive(Clone)]
struct Row {
    sequence: u64,
    version: u64,
    created: Timestamp,
    updated: Timestamp,
    draft: Draft,
}

/// What a write replaced, so that a batch that fails can be taken back.
struct Undo {
    kind: &'static Kind,
    id: String,
    before: Option<Row>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        MemoryStore::default()
    }

    // A panic while the lock is held leaves the state as it was: nothing panics between two steps of a write.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::References]
    }

    async fn fetch(&self, kind: &'static Kind, id: &str) -> Result<Option<Document>> {
        Ok(self.read().rows(kind).and_then(|rows| rows.get(id)).map(|row| row.document(id)))
    }

    async fn select(&self, kind: &'static Kind, query: &Query) -> Result<Page<Document>> {
        let checked = query.check(kind)?;
        let state = self.read();
        let mut found: Vec<(KeyValue, &str, &Row)> = state
            .matching(kind, &query.filters)
            .map(|(id, row)| (row.value(kind, id, &query.order.key).into_owned(), id, row))
            .filter(|(value, ..)| *value != KeyValue::Null)
            .collect();
        found.sort_unstable_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        if query.order.descending {
            found.reverse();
        }
        if let Some((value, id)) = &checked.after {
            let after = (value, id.as_str());
            found.retain(|found| {
                let place = (&found.0, found.1);
                if query.order.descending { place < after } else { place > after }
            });
        }
        let limit = query.limit as usize;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(value, id, _)| Cursor::new(kind, &query.order, value, id));
        Ok(Page::new(found.iter().map(|(_, id, row)| row.document(id)).collect(), next))
    }

    async fn tally(&self, kind: &'static Kind, count: &Count) -> Result<Vec<Group>> {
        count.check(kind)?;
        let state = self.read();
        let mut groups: BTreeMap<Vec<KeyValue>, u64> = BTreeMap::new();
        if count.groups.is_empty() {
            groups.insert(Vec::new(), 0);
        }
        for (id, row) in state.matching(kind, &count.filters) {
            let keys = count.groups.iter().map(|group| row.group(kind, id, group)).collect();
            *groups.entry(keys).or_default() += 1;
        }
        let mut groups: Vec<Group> = groups.into_iter().map(|(keys, count)| Group::new(keys, count)).collect();
        if let Some(largest) = count.largest.filter(|_| !count.groups.is_empty()) {
            // Stable: equal groups stay in the order of their keys.
            groups.sort_by_key(|group| std::cmp::Reverse(group.count));
            groups.truncate(largest as usize);
        }
        Ok(groups)
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        let writes = batch.into_writes()?;
        let at = now();
        let mut state = self.write();
        let mut undo = Vec::with_capacity(writes.len());
        let mut versions = Vec::with_capacity(writes.len());
        for write in writes {
            match state.apply(write, at, &mut undo) {
                Ok(version) => versions.push(version),
                Err(error) => {
                    undo.into_iter().rev().for_each(|undo| state.set(undo.kind, undo.id, undo.before));
                    return Err(error);
                }
            }
        }
        Ok(Committed::new(versions))
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
        let mut state = self.write();
        let mut heads = state.claimable(claim)?;
        heads.truncate(claim.limit as usize);
        let at = now();
        let mut leased = Vec::with_capacity(heads.len());
        for mut entry in heads {
            entry.lease(&claim.worker, claim.until());
            let update = Action::Update(Draft::of::<OutboxEntry>(&entry)?, entry.version());
            state.apply(Write::new(OutboxEntry::KIND, entry.id.to_string(), update), at, &mut Vec::new())?;
            leased.push(entry.written(at));
        }
        Ok(leased)
    }

    async fn health(&self) -> Result<()> {
        Ok(())
    }
}

impl State {
    fn rows(&self, kind: &Kind) -> Option<&BTreeMap<String, Row>> {
        self.tables.get(kind.name).map(|table| &table.rows)
    }

    fn table(&mut self, kind: &'static Kind) -> &mut Table {
        self.tables.entry(kind.name).or_insert_with(|| Table {
            kind,
            rows: BTreeMap::new(),
            holders: vec![HashMap::new(); kind.unique.len()],
        })
    }

    fn matching<'a>(&'a self, kind: &'static Kind, filters: &'a [Filter]) -> impl Iterator<Item = (&'a str, &'a Row)> {
        let rows = self.rows(kind).into_iter().flatten().map(|(id, row)| (id.as_str(), row));
        rows.filter(move |(id, row)| filters.iter().all(|f| f.test.holds_for(&row.value(kind, id, &f.key))))
    }

    /// The earliest event of each order key that is not dead, if it is due; in the order of commits.
    fn claimable(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
        let alive = Filter::new("state", Test::OneOf(vec![waiting(), leased()]));
        let mut rows: Vec<(&str, &Row)> = self.matching(OutboxEntry::KIND, std::slice::from_ref(&alive)).collect();
        rows.sort_unstable_by_key(|(_, row)| row.sequence);
        let value = |(id, row): (&str, &Row), key| row.value(OutboxEntry::KIND, id, key).into_owned();
        let is_due = |row| value(row, "due").as_time().is_some_and(|due| due <= claim.now);
        // Keys whose head was seen; from the beginning those of which a worker has an event, be it a later one.
        let held = rows.iter().filter(|row| value(**row, "state") == leased() && !is_due(**row));
        let mut taken: HashSet<KeyValue> = held.map(|row| value(*row, "order_key")).collect();
        let mut heads = Vec::new();
        for (id, row) in rows {
            if taken.insert(value((id, row), "order_key")) && is_due((id, row)) {
                heads.push(OutboxEntry::read(&row.document(id))?);
            }
        }
        Ok(heads)
    }

    fn apply(&mut self, write: Write, now: Timestamp, undo: &mut Vec<Undo>) -> Result<Option<u64>> {
        let Write { kind, id, action, .. } = write;
        let before = self.table(kind).rows.get(&id).cloned();
        let found = before.as_ref().map(|row| row.version);
        let expected = |expected: u64| match found {
            Some(found) if found == expected => Ok(()),
            found => Err(Conflict::Version { kind: kind.name, id: id.clone(), expected, found }),
        };
        let draft = match action {
            Action::Insert(_) if found.is_some() => return Err(Conflict::Exists { kind: kind.name, id }.into()),
            Action::Insert(draft) | Action::Put(draft) => Some(draft),
            Action::Update(draft, version) => {
                expected(version)?;
                Some(draft)
            }
            Action::Remove(version) => {
                expected(version)?;
                None
            }
            Action::Delete => None,
            _ => return Err(Error::new(ErrorKind::Unsupported, "this write is not known")),
        };
        let after = match draft {
            Some(draft) => {
                self.check_keys(kind, &id, &draft)?;
                self.last += 1;
                let (sequence, created) = before.as_ref().map_or((self.last, now), |row| (row.sequence, row.created));
                Some(Row { sequence, version: found.unwrap_or(0) + 1, created, updated: now, draft })
            }
            None => {
                self.check_unreferenced(kind, &id)?;
                None
            }
        };
        let version = after.as_ref().map(|row| row.version);
        self.set(kind, id.clone(), after);
        undo.push(Undo { kind, id, before });
        Ok(version)
    }

    fn check_keys(&mut self, kind: &'static Kind, id: &str, draft: &Draft) -> Result<()> {
        let table = self.table(kind);
        for (set, holders) in kind.unique.iter().zip(&table.holders) {
            let holder = shared_values(kind, set, draft).and_then(|values| holders.get(&values));
            if holder.is_some_and(|holder| holder != id) {
                return Err(Conflict::Unique { kind: kind.name, id: id.to_owned(), keys: set }.into());
            }
        }
        for (key, value) in kind.keys.iter().zip(&draft.keys) {
            let (Some(references), Some(target)) = (key.references, value.as_text()) else { continue };
            let itself = references == kind.name && target == id;
            if !itself && !self.tables.get(references).is_some_and(|table| table.rows.contains_key(target)) {
                let missing = Conflict::Missing { kind: kind.name, id: id.to_owned(), key: key.name, references };
                return Err(missing.into());
            }
        }
        Ok(())
    }

    fn check_unreferenced(&self, kind: &'static Kind, id: &str) -> Result<()> {
        let itself = |table: &Table, other: &str| table.kind.name == kind.name && other == id;
        let refers = |table: &Table, at: usize| {
            table.rows.iter().any(|(other, row)| row.draft.keys[at].as_text() == Some(id) && !itself(table, other))
        };
        for table in self.tables.values() {
            for (at, key) in table.kind.keys.iter().enumerate() {
                if key.references == Some(kind.name) && refers(table, at) {
                    return Err(Conflict::Referenced { kind: kind.name, id: id.to_owned() }.into());
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, kind: &'static Kind, id: String, row: Option<Row>) {
        let table = self.table(kind);
        let before = table.rows.remove(&id);
        for (set, holders) in kind.unique.iter().zip(&mut table.holders) {
            if let Some(values) = before.as_ref().and_then(|row| shared_values(kind, set, &row.draft)) {
                holders.remove(&values);
            }
            if let Some(values) = row.as_ref().and_then(|row| shared_values(kind, set, &row.draft)) {
                holders.insert(values, id.clone());
            }
        }
        if let Some(row) = row {
            table.rows.insert(id, row);
        }
    }
}

/// The values of a unique set, unless the record lacks one of them.
fn shared_values(kind: &Kind, set: &[&str], draft: &Draft) -> Option<Vec<KeyValue>> {
    let value = |name: &&str| {
        let at = kind.keys.iter().position(|key| key.name == *name)?;
        draft.keys.get(at).filter(|value| **value != KeyValue::Null).cloned()
    };
    set.iter().map(value).collect()
}

fn waiting() -> KeyValue {
    OutboxState::Waiting.as_str().into()
}

fn leased() -> KeyValue {
    OutboxState::Leased.as_str().into()
}

impl Row {
    fn document(&self, id: &str) -> Document {
        Document::new(id.to_owned(), self.version, self.created, self.updated, self.draft.body.clone())
    }

    fn value<'a>(&'a self, kind: &Kind, id: &str, key: &str) -> Cow<'a, KeyValue> {
        match kind.keys.iter().position(|declared| declared.name == key) {
            Some(at) => Cow::Borrowed(&self.draft.keys[at]),
            None => Cow::Owned(match key {
                "created" => self.created.into(),
                "updated" => self.updated.into(),
                _ => id.into(),
            }),
        }
    }

    fn group(&self, kind: &Kind, id: &str, group: &Grouping) -> KeyValue {
        match group {
            Grouping::Time(key, bucket) => {
                self.value(kind, id, key).as_time().map_or(KeyValue::Null, |time| bucket.start(time).into())
            }
            Grouping::Key(key) => self.value(kind, id, key).into_owned(),
            _ => KeyValue::Null,
        }
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.tables.iter().map(|(name, table)| (name, table.rows.len()))).finish()
    }
}
