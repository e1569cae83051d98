//! What every [`BlobStore`] holds. Call [`all`], or the functions one by one. The store must not hold what is put
//! here beforehand.

use bytes::Bytes;

use super::store::concurrency::join_all;
use crate::{BlobStore, Sha256Hex};

// From FIPS 180-2, appendix B, and the hash of nothing.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

async fn put(store: &dyn BlobStore, content: &[u8]) -> Sha256Hex {
    store.put(Bytes::copy_from_slice(content)).await.expect("the store keeps")
}

async fn get(store: &dyn BlobStore, hash: &Sha256Hex) -> Option<Bytes> {
    store.get(hash).await.expect("the store answers")
}

async fn delete(store: &dyn BlobStore, hash: &Sha256Hex) -> bool {
    store.delete(hash).await.expect("the store deletes")
}

/// Runs the whole suite.
///
/// # Panics
///
/// When a promise of the port is broken.
pub async fn all(store: &dyn BlobStore) {
    hashes_are_known(store).await;
    any_bytes(store).await;
    equal_content_is_kept_once(store).await;
    deleted_is_gone(store).await;
    many_at_once(store).await;
}

/// The hash is the SHA-256 of the content.
///
/// # Panics
///
/// When it is another.
pub async fn hashes_are_known(store: &dyn BlobStore) {
    for (content, hash) in [(b"abc".as_slice(), ABC), (b"", NOTHING)] {
        let hash = Sha256Hex::new(hash).expect("a hash");
        assert_eq!(get(store, &hash).await, None, "nothing was put");
        assert_eq!(put(store, content).await, hash);
        assert_eq!(get(store, &hash).await.as_deref(), Some(content));
        assert!(delete(store, &hash).await);
    }
}

/// Any bytes come back, ten megabytes of them too.
///
/// # Panics
///
/// When they do not.
pub async fn any_bytes(store: &dyn BlobStore) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    for content in [every_byte.clone(), every_byte.repeat(40_000), b"\r\n\0".to_vec()] {
        let hash = put(store, &content).await;
        assert!(get(store, &hash).await.is_some_and(|found| found == content), "{} bytes", content.len());
        assert!(delete(store, &hash).await);
    }
}

/// What is put twice is there once, and gone after one delete.
///
/// # Panics
///
/// When it is not.
pub async fn equal_content_is_kept_once(store: &dyn BlobStore) {
    let first = put(store, b"twice").await;
    let other = put(store, b"other").await;
    assert_eq!(put(store, b"twice").await, first);
    assert_ne!(first, other);
    assert_eq!(get(store, &first).await.as_deref(), Some(b"twice".as_slice()));
    assert!(delete(store, &first).await);
    assert_eq!(get(store, &first).await, None);
    assert_eq!(get(store, &other).await.as_deref(), Some(b"other".as_slice()));
    assert!(delete(store, &other).await);
}

/// What was deleted is not answered, a second delete says that nothing was there, and it can be put again.
///
/// # Panics
///
/// When it is answered.
pub async fn deleted_is_gone(store: &dyn BlobStore) {
    for _ in 0..2 {
        let hash = put(store, b"deleted").await;
        assert!(delete(store, &hash).await);
        assert_eq!(get(store, &hash).await, None);
        assert!(!delete(store, &hash).await, "it was gone already");
    }
}

/// Many puts at once, of equal and of other content, are all there.
///
/// # Panics
///
/// When one is not.
pub async fn many_at_once(store: &dyn BlobStore) {
    let contents: Vec<String> = (0..24).map(|n| format!("content {}", n % 8)).collect();
    let hashes = join_all(contents.iter().map(|content| put(store, content.as_bytes()))).await;
    for (content, hash) in contents.iter().zip(&hashes) {
        assert_eq!(get(store, hash).await.as_deref(), Some(content.as_bytes()));
    }
    for hash in &hashes[..8] {
        assert!(delete(store, hash).await);
    }
}
