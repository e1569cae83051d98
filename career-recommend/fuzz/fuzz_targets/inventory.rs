//! No text makes the reader of inventory forms or of answers panic.
#![no_main]

use career_recommend::Inventory;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Inventory::short().score_text(text);
    if let Ok(form) = Inventory::from_json(text) {
        let answers = vec![3; form.items.len()];
        assert!(form.score(&answers).expect("as many answers as items").flat);
    }
});
