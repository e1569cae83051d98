//! The store in PostgreSQL keeps the contract of the port, and its faults are typed errors.

mod servers;

use career_core::testkit::store;
use career_core::{Id, Tag, User};
use career_store::PgStore;

/// A store in a schema of its own.
async fn store(url: &str) -> PgStore {
    let schema = Tag::new(format!("test-{}", Id::<User>::new())).expect("a slug");
    PgStore::builder(url).expect("a url").schema(schema).connections(8).open().await.expect("opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes() {
    let Some(url) = servers::postgres() else { return };
    assert_eq!(store::all(&store(&url).await).await.skipped, []);
}
