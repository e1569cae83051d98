//! No bytes make the loader of catalogue documents panic.
#![no_main]

use career_core::{Catalog, CatalogLoader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Catalog::loader().json("fuzz.json", text).and_then(CatalogLoader::finish);
});
