//! No text makes the reader of profiles panic, and what it accepts it writes and reads again unchanged.
#![no_main]

use career_core::Profile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(profile) = Profile::from_json(text) {
        let json = serde_json::to_string(&profile).expect("a profile serialises");
        assert_eq!(Profile::from_json(&json).expect("what was written is read"), profile);
    }
});
