//! No bytes make a cassette panic: it is read with a call for each line after the first, or refused by its place.
#![no_main]

use career_llm::ErrorKind;
use career_llm::layer::Recorded;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("career-llm-fuzz-{}.jsonl", std::process::id()));
    std::fs::write(&path, bytes).expect("room for a small file");
    match Recorded::replay(&path) {
        Ok(cassette) => {
            let lines = bytes.split(|byte| *byte == b'\n').count() - 1;
            assert_eq!(cassette.unplayed(), lines - 1);
        }
        // Text that is no UTF-8 is told as a file that cannot be read.
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Config | ErrorKind::Backend), "{error}"),
    }
});
