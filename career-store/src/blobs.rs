//! Files by the hash of their content, over the crate `object_store`: in memory, in a folder, in a bucket.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path as FilePath;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use career_core::{BlobStore, Error, ErrorKind, Result, Sha256Hex};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};

/// Keeps files in an object store, under `aa/bb/<hash>` for a hash that starts with `aabb`.
///
/// Every put writes, even what is there already: that mends a damaged file, and costs nobody a look beforehand.
/// Every get reads the whole file and checks its hash. Cloning it shares the store.
///
/// ```
/// use bytes::Bytes;
/// use career_core::BlobStore;
/// use career_store::blobs::Blobs;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_core::Result<()> {
/// let files = Blobs::memory();
/// let hash = files.put(Bytes::from_static(b"abc")).await?;
/// assert!(hash.as_str().starts_with("ba7816bf"));
/// assert_eq!(files.get(&hash).await?.as_deref(), Some(b"abc".as_slice()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// Empty, or ends with a slash.
    prefix: Arc<str>,
}

impl Blobs {
    /// In the memory of this process, until the last clone is dropped.
    pub fn memory() -> Self {
        Blobs { store: Arc::new(InMemory::new()), prefix: "".into() }
    }

    /// In this folder, which is made when it is not there.
    ///
    /// A put writes aside, flushes to the disk (`fsync` of the file and of its folder) and renames: a file is there
    /// whole or not at all, and survives a loss of power. A crash may leave a part aside, named `<hash>#<number>`
    /// and never read. A deletion is not flushed: after a loss of power, delete again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Denied`] when the folder may not be made or read, [`ErrorKind::Io`] for what else can happen to a
    /// file.
    pub fn folder(path: impl AsRef<FilePath>) -> Result<Self> {
        let path = path.as_ref();
        std::fs::create_dir_all(path).map_err(|error| {
            Error::new(io_kind(&error), "the folder of the files cannot be made").with_source(error)
        })?;
        let store = LocalFileSystem::new_with_prefix(path).map_err(failed)?.with_fsync(true);
        Ok(Blobs { store: Arc::new(store), prefix: "".into() })
    }

    /// In a bucket of Amazon S3, or of what speaks its protocol (MinIO, Ceph, Cloudflare R2, ...).
    ///
    /// A request that fails for a moment is sent again, up to three times. Whether the bucket exists is found by the
    /// first use.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for options that do not fit, such as `http://` without
    /// [`with_http`](S3Options::with_http).
    #[cfg(feature = "s3")]
    pub fn s3(options: &S3Options) -> Result<Self> {
        Blobs::over(Arc::new(options.open()?), "")
    }

    /// In any object store, under this prefix, which may be empty.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a prefix that is not a path of plain names between slashes.
    pub fn over(store: Arc<dyn ObjectStore>, prefix: &str) -> Result<Self> {
        let prefix = Path::parse(prefix).map_err(|error| failed(error.into()))?;
        let prefix = if prefix.as_ref().is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Blobs { store, prefix: prefix.into() })
    }

    fn path(&self, hash: &Sha256Hex) -> Path {
        let hash = hash.as_str();
        Path::from(format!("{}{}/{}/{hash}", self.prefix, &hash[..2], &hash[2..4]))
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Where it is, not how it is opened.
        f.debug_struct("Blobs").field("store", &self.store.to_string()).field("prefix", &self.prefix).finish()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl BlobStore for Blobs {
    async fn put(&self, content: Bytes) -> Result<Sha256Hex> {
        let hash = hash(&content)?;
        self.store.put(&self.path(&hash), content.into()).await.map_err(failed)?;
        Ok(hash)
    }

    async fn get(&self, wanted: &Sha256Hex) -> Result<Option<Bytes>> {
        let found = match self.store.get(&self.path(wanted)).await {
            Ok(found) => found,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let content = found.bytes().await.map_err(failed)?;
        if hash(&content)? != *wanted {
            return Err(Error::new(ErrorKind::Corrupt, format!("the content of {wanted} has another hash")));
        }
        Ok(Some(content))
    }

    async fn delete(&self, hash: &Sha256Hex) -> Result<bool> {
        let path = self.path(hash);
        let was_there = match self.store.head(&path).await {
            Ok(_) => true,
            Err(object_store::Error::NotFound { .. }) => false,
            Err(error) => return Err(failed(error)),
        };
        // Even when it was not there: the answer to a head does not tell a missing bucket from a missing file.
        match self.store.delete(&path).await {
            Ok(()) => Ok(was_there),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

/// Where a bucket is and how to open it.
///
/// Without a key, the role of the machine is asked for one (web identity, ECS, EC2). `Debug` does not show the key.
///
/// ```
/// use career_store::blobs::{Blobs, S3Options};
///
/// let options = S3Options::new("career-files")
///     .with_endpoint("http://127.0.0.1:9000")
///     .with_http()
///     .with_key("minio", "minio-secret");
/// let files = Blobs::s3(&options)?;
/// assert!(!format!("{options:?}").contains("minio-secret"));
/// # Ok::<(), career_core::Error>(())
/// ```
#[cfg(feature = "s3")]
#[derive(Clone)]
pub struct S3Options {
    bucket: String,
    endpoint: Option<String>,
    region: String,
    key: Option<(String, String)>,
    http: bool,
}

#[cfg(feature = "s3")]
impl S3Options {
    /// This bucket of Amazon S3, in the region `us-east-1`.
    pub fn new(bucket: impl Into<String>) -> Self {
        S3Options { bucket: bucket.into(), endpoint: None, region: "us-east-1".to_owned(), key: None, http: false }
    }

    /// At this URL instead of Amazon's. The bucket is named in the path.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// In this region, such as `ap-south-1`.
    #[must_use]
    pub fn with_region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Signs requests with this access key and its secret.
    #[must_use]
    pub fn with_key(mut self, access_key: impl Into<String>, secret: impl Into<String>) -> Self {
        self.key = Some((access_key.into(), secret.into()));
        self
    }

    /// Allows an endpoint without TLS.
    #[must_use]
    pub fn with_http(mut self) -> Self {
        self.http = true;
        self
    }

    fn open(&self) -> Result<object_store::aws::AmazonS3> {
        if self.bucket.is_empty() {
            return Err(Error::invalid("expected the name of a bucket").at_field("bucket"));
        }
        if !self.http && self.endpoint.as_ref().is_some_and(|endpoint| !endpoint.starts_with("https://")) {
            return Err(
                Error::invalid("expected an endpoint with https, or plain http to be allowed").at_field("endpoint")
            );
        }
        let mut builder = object_store::aws::AmazonS3Builder::new()
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_allow_http(self.http)
            // A delete of one file needs no bulk request, which some look-alikes do not know.
            .with_disable_bulk_delete(true)
            .with_retry(object_store::RetryConfig {
                max_retries: 3,
                retry_timeout: std::time::Duration::from_secs(30),
                ..Default::default()
            });
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some((access_key, secret)) = &self.key {
            builder = builder.with_access_key_id(access_key).with_secret_access_key(secret);
        }
        builder.build().map_err(|error| Error::invalid("expected options of S3 that fit together").with_source(error))
    }
}

#[cfg(feature = "s3")]
impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Options")
            .field("bucket", &self.bucket)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

fn hash(content: &[u8]) -> Result<Sha256Hex> {
    let digits = Sha256::digest(content).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Sha256Hex::new(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect::<String>())
}

/// The error and its causes.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Whether the file is missing, and not the whole bucket.
fn is_absent(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { source, .. } if !source.to_string().contains("NoSuchBucket"))
}

/// What an error of the driver means to a caller.
fn failed(error: object_store::Error) -> Error {
    use object_store::Error as Driver;
    let (kind, message) = match &error {
        Driver::NotFound { .. } => (ErrorKind::NotFound, "the bucket of the files does not exist"),
        Driver::PermissionDenied { .. } | Driver::Unauthenticated { .. } => {
            (ErrorKind::Denied, "the store of the files refuses")
        }
        Driver::InvalidPath { .. } => (ErrorKind::Invalid, "expected a path of plain names between slashes"),
        Driver::NotSupported { .. } | Driver::NotImplemented { .. } => {
            (ErrorKind::Unsupported, "the store of the files cannot do this")
        }
        other => match chain(other).find_map(cause_kind) {
            Some(kind @ ErrorKind::Unavailable) => (kind, "the store of the files does not answer"),
            Some(kind @ ErrorKind::Denied) => (kind, "the store of the files refuses"),
            _ => (ErrorKind::Io, "the store of the files failed"),
        },
    };
    Error::new(kind, message).with_source(error)
}

fn cause_kind(cause: &(dyn StdError + 'static)) -> Option<ErrorKind> {
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return Some(io_kind(error));
    }
    #[cfg(feature = "s3")]
    {
        use object_store::client::{HttpError, HttpErrorKind};
        if let Some(error) = cause.downcast_ref::<HttpError>() {
            return Some(match error.kind() {
                HttpErrorKind::Decode => ErrorKind::Io,
                _ => ErrorKind::Unavailable,
            });
        }
        // The driver keeps the status to itself, and says it.
        let text = cause.to_string();
        if ["status code: 5", "status code: 429", "SlowDown", "InternalError"].iter().any(|sign| text.contains(sign)) {
            return Some(ErrorKind::Unavailable);
        }
    }
    None
}

fn io_kind(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Denied,
        _ => ErrorKind::Io,
    }
}
