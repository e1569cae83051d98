//! The port that keeps uploaded files under the hash of their content.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Result, Sha256Hex};

/// Keeps files under the SHA-256 hash of their content.
///
/// # Contract
///
/// - What was put is there, whole, until it is deleted; where the backend keeps files outside of the process, after that has ended too.
/// - Equal content is kept once, however often and by whoever it is put; a delete removes it for all of them.
/// - What is read back has the hash it is asked by, or is an error.
///
/// `career_core::testkit::blob` (feature `testkit`) checks an implementation against this contract.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use career_core::{BlobStore, Error, Result, Sha256Hex};
///
/// /// Keeps an upload; the answer goes into the record of whose it is.
/// async fn keep(files: &dyn BlobStore, upload: Bytes) -> Result<Sha256Hex> {
///     files.put(upload).await
/// }
///
/// async fn open(files: &dyn BlobStore, hash: &Sha256Hex) -> Result<Bytes> {
///     files.get(hash).await?.ok_or_else(|| Error::not_found("the file"))
/// }
/// ```
#[async_trait]
pub trait BlobStore: Debug + Send + Sync + 'static {
    /// Keeps the content and answers its hash. What is there already is not kept twice.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the backend cannot be reached,
    /// [`ErrorKind::Denied`](crate::ErrorKind::Denied) when it refuses; what else it can meet. It is safe to put
    /// the content again.
    async fn put(&self, content: Bytes) -> Result<Sha256Hex>;

    /// The content with this hash.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when what is kept there has another hash; otherwise as
    /// for [`put`](BlobStore::put).
    async fn get(&self, hash: &Sha256Hex) -> Result<Option<Bytes>>;

    /// Removes the content with this hash, and says whether it was there. Of two deletes at once, both may say so.
    ///
    /// # Errors
    ///
    /// As for [`put`](BlobStore::put). It is safe to delete again.
    async fn delete(&self, hash: &Sha256Hex) -> Result<bool>;
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: BlobStore + ?Sized> BlobStore for Arc<T> {
    async fn put(&self, content: Bytes) -> Result<Sha256Hex> {
        (**self).put(content).await
    }

    async fn get(&self, hash: &Sha256Hex) -> Result<Option<Bytes>> {
        (**self).get(hash).await
    }

    async fn delete(&self, hash: &Sha256Hex) -> Result<bool> {
        (**self).delete(hash).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: BlobStore + ?Sized> BlobStore for Box<T> {
    async fn put(&self, content: Bytes) -> Result<Sha256Hex> {
        (**self).put(content).await
    }

    async fn get(&self, hash: &Sha256Hex) -> Result<Option<Bytes>> {
        (**self).get(hash).await
    }

    async fn delete(&self, hash: &Sha256Hex) -> Result<bool> {
        (**self).delete(hash).await
    }
}

const _: () = {
    const fn is_object_safe_and_shared<T: ?Sized + Send + Sync + 'static>() {}
    is_object_safe_and_shared::<dyn BlobStore>();
};
