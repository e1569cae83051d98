//! Vector indexes: the suite of the port on each, and what is particular to each.

use career_core::testkit::vector as suite;
use career_store::vectors::MemoryVectors;

#[tokio::test]
async fn memory_holds_the_contract() {
    for dimensions in [3, 16, 384] {
        suite::all(&MemoryVectors::new(dimensions)).await;
    }
}
