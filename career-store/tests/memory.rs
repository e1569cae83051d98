//! The store in memory keeps the contract of the port.

use std::sync::Arc;

use career_core::Store;
use career_core::store::Capability;
use career_core::testkit::store;
use career_store::MemoryStore;

#[tokio::test]
async fn the_suite_passes() {
    let report = store::all(&MemoryStore::new()).await;
    assert_eq!((report.ran, report.skipped.as_slice()), (34, [].as_slice()));
    assert!(!MemoryStore::new().capabilities().contains(&Capability::Durable));
}

#[tokio::test]
async fn a_box_and_an_arc_are_stores_too() {
    let boxed: Box<dyn Store> = Box::new(MemoryStore::new());
    let shared: Arc<dyn Store> = Arc::new(boxed);
    assert_eq!(store::all(&shared).await.skipped, []);
}
