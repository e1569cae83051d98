//! No bytes make the wire of Anthropic panic, or give events out of their order.
#![no_main]

use career_llm::wire::anthropic::Messages;
use libfuzzer_sys::fuzz_target;

mod wire;

fuzz_target!(|bytes: &[u8]| wire::decode(&Messages::new(), bytes));
