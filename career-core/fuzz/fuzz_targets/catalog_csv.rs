//! No bytes make the loader of catalogue tables panic.
#![no_main]

use career_core::{Catalog, CatalogLoader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Catalog::loader().csv("fuzz.csv", bytes).and_then(CatalogLoader::finish);
});
