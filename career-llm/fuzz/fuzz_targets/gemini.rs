//! No bytes make the wire of Gemini panic, or give events out of their order.
#![no_main]

use career_llm::wire::gemini::GenerateContent;
use libfuzzer_sys::fuzz_target;

mod wire;

fuzz_target!(|bytes: &[u8]| wire::decode(&GenerateContent::new(), bytes));
