//! The port that finds what lies nearest in meaning: vectors with an id and metadata, searched by cosine.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Error, Result};

/// Most bytes in the id of an [`Embedding`].
pub const ID_MAX: usize = 512;

/// Names and values that are kept with a vector and that a search can be limited to.
pub type Metadata = BTreeMap<String, String>;

/// A vector under an id.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Embedding {
    /// Unique in the index; 1 to [`ID_MAX`] bytes, without NUL.
    pub id: String,
    /// Finite numbers, not all zero, as many as the index has dimensions. The length does not matter: only the
    /// direction is compared.
    pub vector: Vec<f32>,
    /// What a filter can ask for; without NUL.
    pub metadata: Metadata,
}

/// What to search for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VectorQuery {
    /// Finite numbers, not all zero, as many as the index has dimensions.
    pub vector: Vec<f32>,
    /// At most so many are found.
    pub top: usize,
    /// Only what has all of these pairs is found.
    pub filter: Metadata,
}

/// One that was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Neighbour {
    /// The id it was kept under.
    pub id: String,
    /// The cosine of the angle to what was searched for, in `-1..=1`: 1 is the same direction, 0 is unrelated.
    pub similarity: f32,
    /// The metadata it was kept with.
    pub metadata: Metadata,
}

/// Keeps vectors and finds the nearest by cosine.
///
/// # Contract
///
/// - What is found comes best first, equal similarities in the order of their ids (by bytes). A backend that
///   searches an approximate index may miss some of the best of many; it never misplaces what it found, and a
///   search with a filter is exact.
/// - A write is all or none, and whoever searches after it returned sees it.
/// - Ids and metadata are data: any Unicode text without NUL comes back as it was given.
///
/// `career_core::testkit::vector` (feature `testkit`) checks an implementation against this contract.
///
/// ```
/// use career_core::{Embedding, Neighbour, Result, VectorIndex, VectorQuery};
///
/// async fn alike(index: &dyn VectorIndex, meaning: Vec<f32>) -> Result<Vec<Neighbour>> {
///     let nurse = Embedding::new("nurse", vec![0.9, 0.1, 0.4]).with("kind", "career");
///     index.upsert(vec![nurse]).await?;
///     index.nearest(&VectorQuery::new(meaning, 5).only("kind", "career")).await
/// }
/// ```
#[async_trait]
pub trait VectorIndex: Debug + Send + Sync + 'static {
    /// How many numbers each vector has.
    fn dimensions(&self) -> usize;

    /// Keeps all of these or none. An id that is there already gets the new vector and the new metadata; of two
    /// with the same id the later stays.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) naming the field, such as `[2].vector`, when
    /// [`Embedding::check`] refuses it; what else a backend can meet.
    async fn upsert(&self, embeddings: Vec<Embedding>) -> Result<()>;

    /// Removes these ids and tells how many of them were there.
    ///
    /// # Errors
    ///
    /// What a backend can meet; an id that is not there is none.
    async fn delete(&self, ids: &[String]) -> Result<u64>;

    /// Removes all that have all of these pairs and tells how many they were.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for an empty filter, so that nobody empties an index by
    /// accident; what else a backend can meet.
    async fn delete_where(&self, filter: &Metadata) -> Result<u64>;

    /// Finds the nearest, best first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) naming the field when [`VectorQuery::check`] refuses the
    /// query; what else a backend can meet.
    async fn nearest(&self, query: &VectorQuery) -> Result<Vec<Neighbour>>;

    /// Counts those that have all of these pairs; with an empty filter, all.
    ///
    /// # Errors
    ///
    /// What a backend can meet.
    async fn count(&self, filter: &Metadata) -> Result<u64>;
}

impl Embedding {
    /// A vector under an id, without metadata.
    pub fn new(id: impl Into<String>, vector: impl Into<Vec<f32>>) -> Self {
        Embedding { id: id.into(), vector: vector.into(), metadata: Metadata::new() }
    }

    /// Adds a pair to the metadata.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Checks what every index asks of an embedding.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) naming `id`, `vector` or `metadata`.
    pub fn check(&self, dimensions: usize) -> Result<()> {
        if self.id.is_empty() || self.id.len() > ID_MAX || self.id.contains('\0') {
            return Err(Error::invalid(format!("expected 1 to {ID_MAX} bytes without NUL")).at_field("id"));
        }
        check_vector(&self.vector, dimensions)?;
        check_metadata(&self.metadata, "metadata")
    }

    /// Checks all that are to be kept; what an index calls before it writes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) naming the first field that does not fit, such as
    /// `[2].vector`.
    pub fn check_all(embeddings: &[Embedding], dimensions: usize) -> Result<()> {
        embeddings.iter().enumerate().try_for_each(|(n, embedding)| {
            embedding.check(dimensions).map_err(|error| error.at_field(format!("[{n}]")))
        })
    }

    /// Keeps of embeddings with the same id the last; for backends whose statements cannot write one row twice.
    #[must_use]
    pub fn last_of_each(embeddings: Vec<Embedding>) -> Vec<Embedding> {
        let mut seen = HashSet::with_capacity(embeddings.len());
        let is_last: Vec<bool> = embeddings.iter().rev().map(|embedding| seen.insert(embedding.id.as_str())).collect();
        drop(seen);
        embeddings.into_iter().zip(is_last.into_iter().rev()).filter_map(|(e, last)| last.then_some(e)).collect()
    }
}

impl VectorQuery {
    /// The `top` nearest of all.
    pub fn new(vector: impl Into<Vec<f32>>, top: usize) -> Self {
        VectorQuery { vector: vector.into(), top, filter: Metadata::new() }
    }

    /// Only what has this pair, besides those asked for before.
    #[must_use]
    pub fn only(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.filter.insert(key.into(), value.into());
        self
    }

    /// Checks what every index asks of a query.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) naming `vector` or `filter`.
    pub fn check(&self, dimensions: usize) -> Result<()> {
        check_vector(&self.vector, dimensions)?;
        check_metadata(&self.filter, "filter")
    }
}

impl Neighbour {
    /// One that was found; `similarity` is brought into `-1..=1`, which rounding may have left.
    pub fn new(id: impl Into<String>, similarity: f32, metadata: Metadata) -> Self {
        Neighbour { id: id.into(), similarity: similarity.clamp(-1.0, 1.0), metadata }
    }
}

/// Checks the filter of a count or, when `for_deletion`, of a deletion.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) naming `filter`: for NUL, or an empty filter for deletion.
pub fn check_filter(filter: &Metadata, for_deletion: bool) -> Result<()> {
    if for_deletion && filter.is_empty() {
        return Err(Error::invalid("expected at least one pair: an empty filter would delete all").at_field("filter"));
    }
    check_metadata(filter, "filter")
}

fn check_vector(vector: &[f32], dimensions: usize) -> Result<()> {
    let problem = if vector.len() != dimensions {
        format!("expected {dimensions} numbers, found {}", vector.len())
    } else if !vector.iter().all(|number| number.is_finite()) {
        "expected finite numbers".to_owned()
    } else if vector.iter().all(|&number| number == 0.0) {
        "expected a number other than 0: a vector of zeros has no direction".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid(problem).at_field("vector"))
}

/// Not every database can keep NUL in text, so none has to.
fn check_metadata(metadata: &Metadata, field: &str) -> Result<()> {
    if metadata.iter().any(|(key, value)| key.contains('\0') || value.contains('\0')) {
        return Err(Error::invalid("expected text without NUL").at_field(field));
    }
    Ok(())
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: VectorIndex + ?Sized> VectorIndex for Arc<T> {
    fn dimensions(&self) -> usize {
        (**self).dimensions()
    }

    async fn upsert(&self, embeddings: Vec<Embedding>) -> Result<()> {
        (**self).upsert(embeddings).await
    }

    async fn delete(&self, ids: &[String]) -> Result<u64> {
        (**self).delete(ids).await
    }

    async fn delete_where(&self, filter: &Metadata) -> Result<u64> {
        (**self).delete_where(filter).await
    }

    async fn nearest(&self, query: &VectorQuery) -> Result<Vec<Neighbour>> {
        (**self).nearest(query).await
    }

    async fn count(&self, filter: &Metadata) -> Result<u64> {
        (**self).count(filter).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: VectorIndex + ?Sized> VectorIndex for Box<T> {
    fn dimensions(&self) -> usize {
        (**self).dimensions()
    }

    async fn upsert(&self, embeddings: Vec<Embedding>) -> Result<()> {
        (**self).upsert(embeddings).await
    }

    async fn delete(&self, ids: &[String]) -> Result<u64> {
        (**self).delete(ids).await
    }

    async fn delete_where(&self, filter: &Metadata) -> Result<u64> {
        (**self).delete_where(filter).await
    }

    async fn nearest(&self, query: &VectorQuery) -> Result<Vec<Neighbour>> {
        (**self).nearest(query).await
    }

    async fn count(&self, filter: &Metadata) -> Result<u64> {
        (**self).count(filter).await
    }
}

const _: () = {
    const fn is_object_safe_and_shared<T: ?Sized + Send + Sync + 'static>() {}
    is_object_safe_and_shared::<dyn VectorIndex>();
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn field(result: Result<()>) -> Option<String> {
        let error = result.expect_err("must be refused");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.place().field.clone()
    }

    #[test]
    fn a_refusal_names_the_field() {
        let good = || Embedding::new("a", [1.0, 0.0]);
        assert!(Embedding::check_all(&[good()], 2).is_ok());
        let names = |bad: Embedding| field(Embedding::check_all(&[good(), bad], 2)).expect("names the field");
        assert_eq!(names(Embedding::new("a", [1.0])), "[1].vector");
        assert_eq!(names(Embedding::new("a", [1.0, f32::NAN])), "[1].vector");
        assert_eq!(names(Embedding::new("a", [0.0, -0.0])), "[1].vector");
        assert_eq!(names(Embedding::new("", [1.0, 0.0])), "[1].id");
        assert_eq!(names(Embedding::new("x".repeat(ID_MAX + 1), [1.0, 0.0])), "[1].id");
        assert_eq!(names(good().with("k", "a\0b")), "[1].metadata");
        assert_eq!(field(VectorQuery::new([1.0, 0.0], 1).only("\0", "v").check(2)).as_deref(), Some("filter"));
        assert_eq!(field(check_filter(&Metadata::new(), true)).as_deref(), Some("filter"));
        assert!(check_filter(&Metadata::new(), false).is_ok());
    }

    #[test]
    fn of_equal_ids_the_last_stays() {
        let all = [("a", 1.0), ("b", 2.0), ("a", 3.0)].map(|(id, x)| Embedding::new(id, [x]));
        let kept = Embedding::last_of_each(all.to_vec());
        assert_eq!(kept, [Embedding::new("b", [2.0]), Embedding::new("a", [3.0])]);
    }
}
