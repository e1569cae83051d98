//! The store in a SQLite file keeps the contract of the port, and its faults are typed errors.

use career_core::testkit::store;
use career_store::SqliteStore;

#[tokio::test]
async fn the_suite_passes_on_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path().join("career.db")).await.expect("opens");
    assert_eq!(store::all(&store).await.skipped, []);
}

#[tokio::test]
async fn the_suite_passes_in_memory() {
    let store = SqliteStore::in_memory().await.expect("opens");
    assert_eq!(store::all(&store).await.skipped, []);
}
