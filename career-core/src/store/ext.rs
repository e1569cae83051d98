//! The typed face of a store.

use std::future::Future;
use std::marker::PhantomData;

use super::batch::Batch;
use super::count::Count;
use super::kind::{Record, Versioned};
use super::query::{Cursor, Page, Query};
use super::{Document, Store};
use crate::{Conflict, Error, Result};

/// How often [`StoreExt::modify`] tries before it gives up.
const MODIFY_ATTEMPTS: u32 = 32;

/// Everything convenient over a [`Store`]; every store has it.
///
/// ```
/// use career_core::{Id, Milestone, Result, Roadmap, Store, StoreExt, UserProfile};
///
/// async fn tick(store: &dyn Store, roadmap: Id<Roadmap>, milestone: Id<Milestone>) -> Result<f64> {
///     // Read, change, write; again when someone else was faster.
///     let roadmap = store
///         .modify::<Roadmap>(&roadmap, |roadmap| roadmap.complete(milestone, jiff::Timestamp::now()).map(drop))
///         .await?;
///     Ok(roadmap.progress().get())
/// }
/// ```
pub trait StoreExt: Store {
    /// The record with this id, if there is one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) naming the record when it no longer parses; those of
    /// [`Store::fetch`].
    fn get<T: Record>(&self, id: &T::Id) -> impl Future<Output = Result<Option<Versioned<T>>>> + Send {
        let id = id.to_string();
        async move { self.fetch(T::KIND, &id).await?.map(|document| document.decode()).transpose() }
    }

    /// The record with this id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is none; those of [`StoreExt::get`].
    fn load<T: Record>(&self, id: &T::Id) -> impl Future<Output = Result<Versioned<T>>> + Send {
        async move {
            let found = self.get(id).await?;
            found.ok_or_else(|| Error::not_found(format_args!("{} {id}", T::KIND.name)))
        }
    }

    /// Makes or replaces a record, and gives its version.
    ///
    /// # Errors
    ///
    /// Those of [`Store::commit`].
    fn put<T: Record>(&self, record: &T) -> impl Future<Output = Result<u64>> + Send {
        let mut batch = Batch::new();
        batch.put(record);
        commit_one(self, batch)
    }

    /// Makes a record, and gives its version, which is 1.
    ///
    /// # Errors
    ///
    /// [`Conflict::Exists`] when it is there; those of [`Store::commit`].
    fn insert<T: Record>(&self, record: &T) -> impl Future<Output = Result<u64>> + Send {
        let mut batch = Batch::new();
        batch.insert(record);
        commit_one(self, batch)
    }

    /// Replaces a record; it is then at its new version.
    ///
    /// # Errors
    ///
    /// [`Conflict::Version`] naming both versions when it has moved since it was read; those of [`Store::commit`].
    fn update<T: Record>(&self, record: &mut Versioned<T>) -> impl Future<Output = Result<()>> + Send {
        let mut batch = Batch::new();
        batch.update(record);
        async move {
            let version = commit_one(self, batch).await?;
            record.moved_to(version);
            Ok(())
        }
    }

    /// Reads a record, changes it and writes it back; begins again when it moved meanwhile, so that no change of
    /// anyone is lost.
    ///
    /// # Errors
    ///
    /// What `change` gives, and then nothing is written; [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there
    /// is no such record; [`Conflict::Version`] when it moved again and again; those of [`Store::commit`].
    fn modify<T: Record>(
        &self,
        id: &T::Id,
        mut change: impl FnMut(&mut T) -> Result<()> + Send,
    ) -> impl Future<Output = Result<Versioned<T>>> + Send {
        async move {
            let mut attempt = 1;
            loop {
                let mut record = self.load::<T>(id).await?;
                change(&mut record)?;
                match self.update(&mut record).await {
                    Ok(()) => return Ok(record),
                    Err(error)
                        if attempt < MODIFY_ATTEMPTS
                            && matches!(error.conflict(), Some(Conflict::Version { found: Some(_), .. })) =>
                    {
                        attempt += 1;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// Deletes the record with this id, if there is one.
    ///
    /// # Errors
    ///
    /// [`Conflict::Referenced`] when another record refers to it; those of [`Store::commit`].
    fn delete<T: Record>(&self, id: &T::Id) -> impl Future<Output = Result<()>> + Send {
        let mut batch = Batch::new();
        batch.delete::<T>(id);
        async move { self.commit(batch).await.map(drop) }
    }

    /// A page of records.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) naming the first record that no longer parses; those of
    /// [`Store::select`].
    fn list<T: Record>(&self, query: &Query) -> impl Future<Output = Result<Page<Versioned<T>>>> + Send {
        async move {
            let page = self.select(T::KIND, query).await?;
            Ok(Page::new(decode_all(&page.items)?, page.next))
        }
    }

    /// The first record of a query.
    ///
    /// # Errors
    ///
    /// Those of [`StoreExt::list`].
    fn first<T: Record>(&self, query: &Query) -> impl Future<Output = Result<Option<Versioned<T>>>> + Send {
        let query = query.clone().limit(1);
        async move { Ok(self.list(&query).await?.items.pop()) }
    }

    /// Page after page of a query, to its end.
    fn pages<T: Record>(&self, query: Query) -> Pages<'_, Self, T> {
        Pages { store: self, next: Some(query), kind: PhantomData }
    }

    /// How many records of a query there are; its limit does not matter.
    ///
    /// # Errors
    ///
    /// Those of [`Store::tally`].
    fn count<T: Record>(&self, query: &Query) -> impl Future<Output = Result<u64>> + Send {
        let count = Count::of(query.clone());
        async move { Ok(self.tally(T::KIND, &count).await?.first().map_or(0, |group| group.count)) }
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

async fn commit_one<S: Store + ?Sized>(store: &S, batch: Batch) -> Result<u64> {
    let committed = store.commit(batch).await?;
    let version = committed.versions.first().copied().flatten();
    version.ok_or_else(|| Error::new(crate::ErrorKind::Corrupt, "the store gave no version of what it wrote"))
}

fn decode_all<T: Record>(documents: &[Document]) -> Result<Vec<Versioned<T>>> {
    documents.iter().map(Document::decode).collect()
}

/// The pages of a query, one after the other.
#[derive(Debug)]
pub struct Pages<'a, S: ?Sized, T> {
    store: &'a S,
    next: Option<Query>,
    kind: PhantomData<fn() -> T>,
}

impl<S: Store + ?Sized, T: Record> Pages<'_, S, T> {
    /// The records of the next page; `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of [`StoreExt::list`].
    pub async fn next(&mut self) -> Result<Option<Vec<Versioned<T>>>> {
        let Some(query) = &self.next else { return Ok(None) };
        // Only a page that was given is behind: after an error the same page is asked for again.
        let Page { items, next } = self.store.list(query).await?;
        self.next = next.map(|cursor: Cursor| query.clone().after(Some(cursor)));
        Ok(Some(items))
    }
}
