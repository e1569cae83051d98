//! The port over files: reading, batches that are checked before anything is written, events.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use career_core::store::{
    Action, Batch, Capability, Claim, Committed, Count, Cursor, Document, Draft, Filter, Group, Grouping, KeyValue,
    Kind, OutboxEntry, OutboxState, Page, Query, Record, Versioned, Write,
};
use career_core::{Conflict, Error, ErrorKind, Result, Store};
use jiff::Timestamp;

use crate::files::{Change, Files};
use crate::record::{Row, file_name};

/// A store in a folder: `<folder>/<kind>/<id>.json`.
///
/// Every read looks at each file of a kind, and a commit at each file of the kinds that it touches.
#[derive(Debug, Clone)]
pub(crate) struct FolderStore {
    // One lock for all: commits come one after the other, and no reader sees half of one.
    files: Arc<Mutex<Files>>,
}

impl FolderStore {
    /// Opens a folder, makes it if it is not there, and finishes a commit that was cut off.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when it is open elsewhere; what a file system can meet.
    pub(crate) async fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let files = blocking(move || Files::open(&path)).await?;
        Ok(FolderStore { files: Arc::new(Mutex::new(files)) })
    }

    async fn with<T: Send + 'static>(&self, work: impl FnOnce(&Files) -> Result<T> + Send + 'static) -> Result<T> {
        let files = Arc::clone(&self.files);
        blocking(move || {
            // A panic leaves nothing half done in memory: all there is is on disk, and the journal mends that.
            let files = files.lock().unwrap_or_else(PoisonError::into_inner);
            files.finish_journal()?;
            work(&files)
        })
        .await
    }
}

/// Files block, and an async runtime must not. What began is not cut off either when the caller stops waiting.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(result) => result,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // Not begun: the runtime was shutting down.
        Err(Err(error)) => Err(Error::new(ErrorKind::Unavailable, "the runtime is shutting down").with_source(error)),
    }
}

#[async_trait]
impl Store for FolderStore {
    fn capabilities(&self) -> &'static [Capability] {
        // Not `Shared`: the folder is locked. Not `References`: nothing looks whether the owner of a record exists.
        &[Capability::Durable]
    }

    async fn fetch(&self, kind: &'static Kind, id: &str) -> Result<Option<Document>> {
        let name = file_name(id);
        self.with(move |files| Ok(read_one(files, kind, &name)?.map(Row::into_document))).await
    }

    async fn select(&self, kind: &'static Kind, query: &Query) -> Result<Page<Document>> {
        let query = query.clone();
        self.with(move |files| select(files, kind, &query)).await
    }

    async fn tally(&self, kind: &'static Kind, count: &Count) -> Result<Vec<Group>> {
        let count = count.clone();
        self.with(move |files| tally(files, kind, &count)).await
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        let writes = batch.into_writes()?;
        self.with(move |files| {
            let mut pending = Pending::new(files);
            let versions = writes.into_iter().map(|write| pending.apply(write)).collect::<Result<_>>()?;
            pending.write()?;
            Ok(Committed::new(versions))
        })
        .await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
        let claim = claim.clone();
        self.with(move |files| {
            let mut pending = Pending::new(files);
            let mut entries = pending.table(OutboxEntry::KIND)?.heads(&claim)?;
            for entry in &mut entries {
                // A lease is an ordinary update: the version that it gives is what `settle` will ask for.
                entry.lease(&claim.worker, claim.until());
                let update = Action::Update(Draft::of::<OutboxEntry>(entry)?, entry.version());
                pending.apply(Write::new(OutboxEntry::KIND, entry.id.to_string(), update))?;
            }
            let now = pending.now;
            pending.write()?;
            Ok(entries.into_iter().map(|entry| entry.written(now)).collect())
        })
        .await
    }

    async fn health(&self) -> Result<()> {
        self.with(|files| files.list(".").map(drop)).await
    }
}

fn read_one(files: &Files, kind: &'static Kind, name: &str) -> Result<Option<Row>> {
    // The name of a kind becomes a path.
    kind.check()?;
    files.read(kind.name, name)?.map(|text| Row::from_json(kind, name, &text)).transpose()
}

fn read_all(files: &Files, kind: &'static Kind) -> Result<Vec<Row>> {
    kind.check()?;
    files.list(kind.name)?.iter().filter_map(|name| read_one(files, kind, name).transpose()).collect()
}

fn matching(files: &Files, kind: &'static Kind, filters: &[Filter]) -> Result<Vec<Row>> {
    let mut rows = read_all(files, kind)?;
    rows.retain(|row| filters.iter().all(|filter| filter.test.holds_for(&row.value(kind, &filter.key))));
    Ok(rows)
}

fn select(files: &Files, kind: &'static Kind, query: &Query) -> Result<Page<Document>> {
    let checked = query.check(kind)?;
    let descending = query.order.descending;
    // Where each record stands: by the key, then by the id. Those without the key stand nowhere.
    let mut found: Vec<(KeyValue, String, Row)> = matching(files, kind, &query.filters)?
        .into_iter()
        .map(|row| (row.value(kind, &query.order.key), row.id.clone(), row))
        .filter(|(value, ..)| *value != KeyValue::Null)
        .collect();
    if let Some((value, id)) = &checked.after {
        let after = (value, id);
        found.retain(|(value, id, _)| if descending { (value, id) < after } else { (value, id) > after });
    }
    found.sort_unstable_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    if descending {
        found.reverse();
    }
    let more = found.len() > query.limit as usize;
    found.truncate(query.limit as usize);
    let next = found.last().filter(|_| more).map(|(value, id, _)| Cursor::new(kind, &query.order, value, id));
    Ok(Page::new(found.into_iter().map(|(.., row)| row.into_document()).collect(), next))
}

fn tally(files: &Files, kind: &'static Kind, count: &Count) -> Result<Vec<Group>> {
    count.check(kind)?;
    let group = |row: &Row, group: &Grouping| match group {
        Grouping::Key(key) => Ok(row.value(kind, key)),
        Grouping::Time(key, bucket) => Ok(row.value(kind, key).as_time().map(|time| bucket.start(time)).into()),
        _ => Err(Error::new(ErrorKind::Unsupported, "this grouping is not known")),
    };
    let mut groups: BTreeMap<Vec<KeyValue>, u64> = BTreeMap::new();
    if count.groups.is_empty() {
        // Of nothing there are none: one group, even so.
        groups.insert(Vec::new(), 0);
    }
    for row in matching(files, kind, &count.filters)? {
        let keys = count.groups.iter().map(|by| group(&row, by)).collect::<Result<_>>()?;
        *groups.entry(keys).or_default() += 1;
    }
    let mut groups: Vec<Group> = groups.into_iter().map(|(keys, count)| Group::new(keys, count)).collect();
    if let Some(largest) = count.largest.filter(|_| !count.groups.is_empty()) {
        // A stable sort: equal groups stay in the order of their keys.
        groups.sort_by_key(|group| Reverse(group.count));
        groups.truncate(largest as usize);
    }
    Ok(groups)
}

/// A batch on its way. Every write is checked against what the earlier ones left and kept in memory, so that a batch
/// that fails has nothing to take back.
struct Pending<'a> {
    files: &'a Files,
    tables: BTreeMap<&'static str, Table>,
    now: Timestamp,
}

/// The records of a kind as they will be.
struct Table {
    kind: &'static Kind,
    rows: BTreeMap<String, Row>,
    changed: BTreeSet<String>,
}

impl<'a> Pending<'a> {
    fn new(files: &'a Files) -> Self {
        // To the microsecond, as the port keeps times: what is read back then equals what was written.
        let now = Timestamp::now();
        let now = KeyValue::from(now).as_time().unwrap_or(now);
        Pending { files, tables: BTreeMap::new(), now }
    }

    fn table(&mut self, kind: &'static Kind) -> Result<&mut Table> {
        if !self.tables.contains_key(kind.name) {
            let rows = read_all(self.files, kind)?.into_iter().map(|row| (row.id.clone(), row)).collect();
            self.tables.insert(kind.name, Table { kind, rows, changed: BTreeSet::new() });
        }
        Ok(self.tables.get_mut(kind.name).expect("it was put there"))
    }

    /// Checks a write and keeps it; the version at which the record will be.
    fn apply(&mut self, write: Write) -> Result<Option<u64>> {
        let Write { kind, id, action, .. } = write;
        let now = self.now;
        let table = self.table(kind)?;
        let found = table.rows.get(&id).map(|row| row.version);
        let expect = |expected: u64| match found {
            Some(found) if found == expected => Ok(()),
            found => Err(Conflict::Version { kind: kind.name, id: id.clone(), expected, found }),
        };
        let draft = match action {
            Action::Insert(_) if found.is_some() => return Err(Conflict::Exists { kind: kind.name, id }.into()),
            Action::Insert(draft) | Action::Put(draft) => Some(draft),
            Action::Update(draft, version) => expect(version).map(|()| Some(draft))?,
            Action::Remove(version) => expect(version).map(|()| None)?,
            Action::Delete => None,
            // To take a write for another would lose data: what is not known is refused.
            _ => return Err(Error::new(ErrorKind::Unsupported, "this write is not known")),
        };
        let version = match draft {
            Some(draft) => Some(table.set(&id, draft, now)?),
            None => {
                table.rows.remove(&id);
                None
            }
        };
        table.changed.insert(id);
        Ok(version)
    }

    /// Writes what changed: all of it, or nothing.
    fn write(self) -> Result<()> {
        let mut changes = Vec::new();
        for Table { kind, rows, changed } in self.tables.values() {
            for id in changed {
                let text = rows.get(id).map(|row| row.to_json(kind)).transpose()?;
                changes.push(Change { folder: kind.name.to_owned(), name: file_name(id), text });
            }
        }
        self.files.change(&changes)
    }
}

impl Table {
    fn set(&mut self, id: &str, draft: Draft, now: Timestamp) -> Result<u64> {
        let row = match self.rows.get(id) {
            Some(before) => Row { version: before.version + 1, updated: now, draft, ..before.clone() },
            None => {
                // After all that are there; of those that are gone nobody asks any more.
                let sequence = self.rows.values().map(|row| row.sequence).max().unwrap_or(0) + 1;
                Row { id: id.to_owned(), sequence, version: 1, created: now, updated: now, draft }
            }
        };
        for keys in self.kind.unique {
            if self.is_shared(&row, keys) {
                return Err(Conflict::Unique { kind: self.kind.name, id: id.to_owned(), keys }.into());
            }
        }
        let version = row.version;
        self.rows.insert(id.to_owned(), row);
        Ok(version)
    }

    /// Whether another record has the same values of these keys. One that lacks any of them shares with nobody.
    fn is_shared(&self, row: &Row, keys: &[&str]) -> bool {
        let values: Vec<KeyValue> = keys.iter().map(|key| row.value(self.kind, key)).collect();
        let shares = |other: &Row| keys.iter().zip(&values).all(|(key, value)| other.value(self.kind, key) == *value);
        !values.contains(&KeyValue::Null) && self.rows.values().any(|other| other.id != row.id && shares(other))
    }

    /// The events that a worker may take: of each order key the earliest that is not dead, if it is due, and if no
    /// other of the key is being handled (a dead one before it may just have been revived).
    fn heads(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>> {
        let text = |row: &Row, key: &str| row.value(self.kind, key);
        let is = |row: &Row, state: OutboxState| text(row, "state") == state.as_str().into();
        let is_due = |row: &Row| row.value(self.kind, "due").as_time().is_some_and(|due| due <= claim.now);
        let mut alive: Vec<&Row> = self.rows.values().filter(|row| !is(row, OutboxState::Dead)).collect();
        alive.sort_unstable_by_key(|row| row.sequence);
        let leased = alive.iter().filter(|row| is(row, OutboxState::Leased) && !is_due(row));
        // Once a key is in here, nothing more of it is given.
        let mut taken: HashSet<KeyValue> = leased.map(|row| text(row, "order_key")).collect();
        let heads = alive.into_iter().filter(|row| taken.insert(text(row, "order_key")) && is_due(row));
        heads.take(claim.limit as usize).map(|row| OutboxEntry::read(&row.clone().into_document())).collect()
    }
}
