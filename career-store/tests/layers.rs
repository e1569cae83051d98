//! Every layer keeps the contract of the port, and does what is its own.

#[path = "layers/audited.rs"]
mod audited;
#[cfg(feature = "cache")]
#[path = "layers/cached.rs"]
mod cached;
#[cfg(feature = "encrypt")]
#[path = "layers/encrypted.rs"]
mod encrypted;
#[cfg(feature = "metrics")]
#[path = "layers/metered.rs"]
mod metered;
#[path = "layers/probe.rs"]
mod probe;
#[cfg(all(feature = "cache", feature = "redis"))]
mod servers;

/// All of them at once.
#[cfg(all(feature = "cache", feature = "encrypt", feature = "metrics", feature = "sqlite"))]
#[tokio::test]
async fn the_suite_passes_on_a_stack() {
    use std::sync::Arc;

    use career_store::SqliteStore;
    use career_store::bus::LocalBus;
    use career_store::cache::MemoryCache;
    use career_store::layers::{Audited, Cached, Encrypted, Keyring, Metered, SealingKey};

    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = SqliteStore::open(folder.path().join("career.db")).await.expect("opens");
    let audited = Audited::new(sqlite, "the suite");
    let sealed = Encrypted::new(audited, Keyring::new(SealingKey::new("2026-01", [1; 32]), [2; 32]));
    let cached = Cached::new(sealed).shared(Arc::new(MemoryCache::new(1 << 26))).told_by(Arc::new(LocalBus::new()));
    assert_eq!(career_core::testkit::store::all(&Metered::new(cached)).await.skipped, []);
}
