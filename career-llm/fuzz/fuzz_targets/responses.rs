//! No bytes make the wire of Responses panic, or give events out of their order.
#![no_main]

use career_llm::wire::responses::Responses;
use libfuzzer_sys::fuzz_target;

mod wire;

fuzz_target!(|bytes: &[u8]| wire::decode(&Responses::new(), bytes));
