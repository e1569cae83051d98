//! No bytes make the wire of Chat Completions panic, or give events out of their order.
#![no_main]

use career_llm::wire::completions::{Completions, Quirks};
use libfuzzer_sys::fuzz_target;

mod wire;

fuzz_target!(|bytes: &[u8]| wire::decode(&Completions::new("fuzz", Quirks::new()), bytes));
