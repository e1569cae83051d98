//! No bytes make the wire of Ollama panic, or give events out of their order.
#![no_main]

use career_llm::wire::ollama::Chat;
use libfuzzer_sys::fuzz_target;

mod wire;

fuzz_target!(|bytes: &[u8]| wire::decode(&Chat::new(), bytes));
