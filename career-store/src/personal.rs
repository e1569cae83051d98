//! All data of a person: exported as one document, or erased.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use career_core::store::{
    Action, Batch, Count, Document, Draft, KINDS, KeyValue, Kind, OutboxEntry, PAGE_MAX, Personal, Query, Record, Write,
};
use career_core::{
    AuditAction, AuditEntry, BlobStore, Cache, Conflict, Error, ErrorKind, Id, Metadata, Result, Resume, Sha256Hex,
    Store, User, VectorIndex,
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The metadata by which a vector is a person's: `owner`, the user's id.
pub const VECTOR_OWNER: &str = "owner";

/// How many records are deleted in one commit.
const DELETE_AT_ONCE: usize = 500;
/// How often erasing begins again when the person's records grew meanwhile.
const ERASE_ATTEMPTS: u32 = 5;

/// What a cache keeps about a person is under this prefix, so that it can be erased.
///
/// ```
/// use career_core::Id;
/// use career_store::personal::cache_prefix;
///
/// let user = Id::new();
/// assert_eq!(cache_prefix(user), format!("user/{user}/"));
/// ```
pub fn cache_prefix(user: Id<User>) -> String {
    format!("user/{user}/")
}

/// Everywhere that data of a person may be.
///
/// Records are found by what their kinds say ([`Personal`]), vectors by the metadata [`VECTOR_OWNER`], cache entries
/// by [`cache_prefix`], files by the resumes that were read from them.
///
/// ```
/// use std::sync::Arc;
///
/// use career_core::{Store, StoreExt, User};
/// use career_store::MemoryStore;
/// use career_store::personal::PersonalData;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_core::Result<()> {
/// let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
/// let user = User::builder().name("A student").created_at(jiff::Timestamp::now()).build();
/// store.put(&user).await?;
///
/// let data = PersonalData::of(Arc::clone(&store));
/// let document = data.export(user.id, "the student, by the settings page").await?;
/// assert_eq!(document["records"]["users"][0]["name"], "A student");
///
/// let erased = data.erase(user.id, "the student, by the settings page").await?;
/// assert_eq!(erased.records["users"], 1);
/// assert!(store.get::<User>(&user.id).await?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct PersonalData {
    store: Arc<dyn Store>,
    kinds: Vec<&'static Kind>,
    vectors: Vec<Arc<dyn VectorIndex>>,
    blobs: Option<Arc<dyn BlobStore>>,
    caches: Vec<Arc<dyn Cache>>,
}

/// What was erased.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Erased {
    /// How many records of each kind, the events on their way among them.
    pub records: BTreeMap<&'static str, u64>,
    /// How many vectors.
    pub vectors: u64,
    /// How many files; one that another person uploaded too stays.
    pub files: u64,
    /// How many cache entries, as far as the caches count.
    pub cache_entries: u64,
}

impl Erased {
    fn is_nothing(&self) -> bool {
        *self == Erased::default()
    }
}

impl PersonalData {
    /// What a store holds, of the kinds of this library.
    pub fn of(store: Arc<dyn Store>) -> Self {
        PersonalData { store, kinds: KINDS.to_vec(), vectors: Vec::new(), blobs: None, caches: Vec::new() }
    }

    /// And of a kind of the host's own. Kinds that it refers to come first.
    #[must_use]
    pub fn kind(mut self, kind: &'static Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// And what a vector index holds.
    #[must_use]
    pub fn vectors(mut self, index: Arc<dyn VectorIndex>) -> Self {
        self.vectors.push(index);
        self
    }

    /// And the files that resumes were read from.
    #[must_use]
    pub fn blobs(mut self, blobs: Arc<dyn BlobStore>) -> Self {
        self.blobs = Some(blobs);
        self
    }

    /// And what a cache holds.
    #[must_use]
    pub fn cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.caches.push(cache);
        self
    }

    /// Everything about a person as one JSON document: `user`, `exported_at`, `records` by kind, and `files` with
    /// their content in base64 (`null` when a file is gone). Vectors and caches hold nothing that is not made from these. An audit entry is kept,
    /// which names the user's id and who asked.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is nothing; [`ErrorKind::Corrupt`] naming a record whose document is no JSON;
    /// what the store and the files can meet.
    pub async fn export(&self, user: Id<User>, actor: &str) -> Result<Value> {
        let found = self.find(user).await?;
        if found.values().all(Vec::is_empty) {
            return Err(Error::not_found(format_args!("data of user {user}")));
        }
        let mut records = serde_json::Map::new();
        for (kind, documents) in &found {
            let parse = |document: &Document| {
                serde_json::from_str::<Value>(&document.body).map_err(|_| {
                    let message = format!("{kind} {}: expected a JSON document", document.id);
                    Error::new(ErrorKind::Corrupt, message)
                })
            };
            if !documents.is_empty() {
                records.insert((*kind).to_owned(), documents.iter().map(parse).collect::<Result<_>>()?);
            }
        }
        let mut files = Vec::new();
        if let Some(blobs) = &self.blobs {
            for hash in self.files(user).await?.into_keys() {
                let content = blobs.get(&hash).await?.map(|content| STANDARD.encode(content));
                files.push(json!({ "sha256": hash, "content": content }));
            }
        }
        let mut batch = Batch::new();
        batch.insert(&AuditEntry::new(actor, AuditAction::Exported, User::KIND.name, user.to_string()));
        self.store.commit(batch).await?;
        Ok(json!({ "user": user, "exported_at": Timestamp::now(), "records": records, "files": files }))
    }

    /// Erases everything about a person; an audit entry stays, which names the user's id and who asked.
    ///
    /// It goes in several commits, those who refer before those who are referred to, the user last. When it is cut
    /// off, call it again: what is gone stays gone, and the rest follows.
    ///
    /// # Errors
    ///
    /// [`Conflict::Referenced`] when a record of another person, or of a kind that was not named, refers to one of
    /// this person's; what the backends can meet.
    pub async fn erase(&self, user: Id<User>, actor: &str) -> Result<Erased> {
        let stub = AuditEntry::new(actor, AuditAction::Erased, User::KIND.name, user.to_string());
        // An actor that cannot be kept is told before anything is gone.
        Draft::of(&stub)?;
        let mut erased = Erased::default();
        let mut order_keys = BTreeSet::from([user.to_string()]);
        let mut attempt = 1;
        loop {
            self.erase_derived(user, &mut erased).await?;
            match self.erase_records(user, &stub, &mut order_keys, &mut erased).await {
                // The person was still writing: what came meanwhile goes in another round.
                Err(error)
                    if attempt < ERASE_ATTEMPTS && matches!(error.conflict(), Some(Conflict::Referenced { .. })) =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        // Handlers that were running may have left something; nothing new can refer to the user any more.
        self.erase_events(&order_keys, &mut erased).await?;
        self.erase_derived(user, &mut erased).await?;
        Ok(erased)
    }

    /// What is made from the records: vectors, and what caches hold.
    async fn erase_derived(&self, user: Id<User>, erased: &mut Erased) -> Result<()> {
        for index in &self.vectors {
            let owner = Metadata::from([(VECTOR_OWNER.to_owned(), user.to_string())]);
            erased.vectors += index.delete_where(&owner).await?;
        }
        for cache in &self.caches {
            erased.cache_entries += cache.remove_prefix(&cache_prefix(user)).await?;
        }
        Ok(())
    }

    async fn erase_events(&self, order_keys: &BTreeSet<String>, erased: &mut Erased) -> Result<()> {
        let order_keys: Vec<String> = order_keys.iter().cloned().collect();
        let events = self.ids_with_key(OutboxEntry::KIND, "order_key", &order_keys).await?;
        self.delete(OutboxEntry::KIND, &events, erased).await
    }

    async fn erase_records(
        &self,
        user: Id<User>,
        stub: &AuditEntry,
        order_keys: &mut BTreeSet<String>,
        erased: &mut Erased,
    ) -> Result<()> {
        let mut found = self.find_ids(user).await?;
        // Before the records, which are the only ones who know which files there are; after they were looked for, so
        // that a resume that comes in between is not deleted without its file.
        erased.files += self.erase_files(user).await?;
        order_keys.extend(found.values().flatten().cloned());
        self.erase_events(order_keys, erased).await?;
        let users = found.remove(User::KIND.name).unwrap_or_default();
        for kind in self.kinds.iter().rev() {
            self.delete(kind, &found.remove(kind.name).unwrap_or_default(), erased).await?;
        }
        if erased.is_nothing() && users.is_empty() {
            return Ok(());
        }
        let mut last = Batch::new();
        last.delete::<User>(&user).insert(stub);
        self.store.commit(last).await?;
        *erased.records.entry(User::KIND.name).or_default() += users.len() as u64;
        Ok(())
    }

    async fn delete(&self, kind: &'static Kind, ids: &[String], erased: &mut Erased) -> Result<()> {
        for some in ids.chunks(DELETE_AT_ONCE) {
            let deletes = some.iter().map(|id| Write::new(kind, id.clone(), Action::Delete));
            self.store.commit(deletes.collect::<Vec<_>>().into()).await?;
            *erased.records.entry(kind.name).or_default() += some.len() as u64;
        }
        Ok(())
    }

    /// A file goes unless someone else uploaded the same.
    async fn erase_files(&self, user: Id<User>) -> Result<u64> {
        let Some(blobs) = &self.blobs else { return Ok(0) };
        let mut erased = 0;
        for (hash, own) in self.files(user).await? {
            let of_all = Count::of(Query::all().key("source", hash.as_str()));
            let all = self.store.tally(Resume::KIND, &of_all).await?.first().map_or(0, |group| group.count);
            if all <= own && blobs.delete(&hash).await? {
                erased += 1;
            }
        }
        Ok(erased)
    }

    /// The files of a person's resumes, and how many of the resumes each has.
    async fn files(&self, user: Id<User>) -> Result<BTreeMap<Sha256Hex, u64>> {
        let by_source = Count::of(Query::owned_by(user)).by("source");
        let groups = self.store.tally(Resume::KIND, &by_source).await?;
        let file = |group: &career_core::store::Group| {
            let hash = Sha256Hex::new(group.keys.first()?.as_text()?).ok()?;
            Some((hash, group.count))
        };
        Ok(groups.iter().filter_map(file).collect())
    }

    /// The ids of the person's records of every kind, those referred to before those that refer. Documents are not
    /// read: one that is damaged, or sealed with a key that is gone, is erased all the same.
    async fn find_ids(&self, user: Id<User>) -> Result<BTreeMap<&'static str, Vec<String>>> {
        let mut found: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for kind in &self.kinds {
            let (key, values) = match kind.personal {
                Personal::User => ("id", vec![user.to_string()]),
                Personal::Owner(key) => (key, vec![user.to_string()]),
                Personal::Through(key) => {
                    let target = kind.keys.iter().find(|k| k.name == key).and_then(|k| k.references);
                    (key, target.and_then(|target| found.get(target)).cloned().unwrap_or_default())
                }
                _ => continue,
            };
            found.insert(kind.name, self.ids_with_key(kind, key, &values).await?);
        }
        Ok(found)
    }

    async fn ids_with_key(&self, kind: &'static Kind, key: &'static str, values: &[String]) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for some in values.chunks(PAGE_MAX as usize) {
            let these = Query::all().any(key, some.iter().map(|value| KeyValue::from(value.as_str())));
            let groups = self.store.tally(kind, &Count::of(these).by("id")).await?;
            ids.extend(groups.iter().filter_map(|group| group.keys.first()?.as_text().map(str::to_owned)));
        }
        Ok(ids)
    }

    /// The person's records.
    async fn find(&self, user: Id<User>) -> Result<BTreeMap<&'static str, Vec<Document>>> {
        let mut found = BTreeMap::new();
        for (name, ids) in self.find_ids(user).await? {
            let Some(kind) = self.kinds.iter().find(|kind| kind.name == name) else { continue };
            let mut documents = Vec::new();
            for some in ids.chunks(PAGE_MAX as usize) {
                let these = Query::all().any("id", some.iter().map(|id| KeyValue::from(id.as_str()))).limit(PAGE_MAX);
                documents.extend(self.store.select(kind, &these).await?.items);
            }
            found.insert(name, documents);
        }
        Ok(found)
    }
}
