//! The port for what may be forgotten: values under keys, for a while.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

/// Keeps bytes under keys for a while, for everyone who shares the cache.
///
/// # Contract
///
/// - It may forget anything at any time; a value is kept elsewhere or can be made again.
/// - It never answers what was replaced, removed or has expired, once that call was acknowledged.
/// - Keys and values are any text and any bytes, the empty ones too. Keys are compared byte by byte.
///
/// `career_core::testkit::cache` (feature `testkit`) checks an implementation against this contract.
///
/// # Example
///
/// A cache that remembers nothing keeps the contract:
///
/// ```
/// use std::time::Duration;
///
/// use career_core::{Cache, Result};
/// # use async_trait::async_trait;
/// # use bytes::Bytes;
///
/// #[derive(Debug)]
/// struct Forgetful;
///
/// #[async_trait]
/// impl Cache for Forgetful {
///     async fn get(&self, _key: &str) -> Result<Option<Bytes>> {
///         Ok(None)
///     }
///
///     async fn put(&self, _key: &str, _value: Bytes, _time_to_live: Duration) -> Result<()> {
///         Ok(())
///     }
///
///     async fn remove(&self, _key: &str) -> Result<()> {
///         Ok(())
///     }
///
///     async fn remove_prefix(&self, prefix: &str) -> Result<u64> {
///         career_core::cache::check_prefix(prefix)?;
///         Ok(0)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let cache: Box<dyn Cache> = Box::new(Forgetful);
/// cache.put("summary:7", Bytes::from_static(b"..."), Duration::from_secs(60)).await?;
/// assert_eq!(cache.get("summary:7").await?, None);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Cache: Debug + Send + Sync + 'static {
    /// The value under this key, unless it was forgotten.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the backend cannot be reached; what else it
    /// can meet.
    async fn get(&self, key: &str) -> Result<Option<Bytes>>;

    /// Keeps a value for at most this long, in place of the one that was there.
    ///
    /// A backend may round the time down to a whole millisecond, and may shorten a long one. A time of zero forgets
    /// the key.
    ///
    /// # Errors
    ///
    /// As for [`get`](Cache::get). The value that was there may then be there still.
    async fn put(&self, key: &str, value: Bytes, time_to_live: Duration) -> Result<()>;

    /// Forgets the value under this key; nothing happens when there is none.
    ///
    /// # Errors
    ///
    /// As for [`get`](Cache::get). The value may then be there still.
    async fn remove(&self, key: &str) -> Result<()>;

    /// Forgets every value whose key starts with this prefix, and says how many went, as far as the backend can
    /// count. What is put under such a key while this runs may stay.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for the empty prefix, which would forget what others keep
    /// here; otherwise as for [`get`](Cache::get), and some of the values may then be gone.
    async fn remove_prefix(&self, prefix: &str) -> Result<u64>;
}

/// What every [`Cache::remove_prefix`] asks of its prefix: that it is not empty.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when it is.
pub fn check_prefix(prefix: &str) -> Result<()> {
    if prefix.is_empty() { Err(crate::Error::invalid("expected a prefix that is not empty")) } else { Ok(()) }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Cache + ?Sized> Cache for Arc<T> {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        (**self).get(key).await
    }

    async fn put(&self, key: &str, value: Bytes, time_to_live: Duration) -> Result<()> {
        (**self).put(key, value, time_to_live).await
    }

    async fn remove(&self, key: &str) -> Result<()> {
        (**self).remove(key).await
    }

    async fn remove_prefix(&self, prefix: &str) -> Result<u64> {
        (**self).remove_prefix(prefix).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Cache + ?Sized> Cache for Box<T> {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        (**self).get(key).await
    }

    async fn put(&self, key: &str, value: Bytes, time_to_live: Duration) -> Result<()> {
        (**self).put(key, value, time_to_live).await
    }

    async fn remove(&self, key: &str) -> Result<()> {
        (**self).remove(key).await
    }

    async fn remove_prefix(&self, prefix: &str) -> Result<u64> {
        (**self).remove_prefix(prefix).await
    }
}

const _: () = {
    const fn is_object_safe_and_shared<T: ?Sized + Send + Sync + 'static>() {}
    is_object_safe_and_shared::<dyn Cache>();
};
