//! No body makes the layer that opens sealed ones panic, and none that the key did not seal opens.
#![no_main]

use career_core::store::{Action, Draft, KeyValue, Record, Write};
use career_core::{ErrorKind, Store, User};
use career_store::MemoryStore;
use career_store::layers::{Encrypted, Keyring, SealingKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &str| {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let kept = std::sync::Arc::new(MemoryStore::new());
        let draft = Draft::new(vec![KeyValue::Null, "student".into()], body.to_owned());
        kept.commit(vec![Write::new(User::KIND, "a", Action::Put(draft))].into()).await.expect("kept");
        let store = Encrypted::new(kept, Keyring::new(SealingKey::new("k", [1; 32]), [2; 32]));
        assert_eq!(store.fetch(User::KIND, "a").await.expect_err("not sealed").kind(), ErrorKind::Corrupt);
        match store.accepting_plain().fetch(User::KIND, "a").await {
            Ok(document) => assert_eq!(document.expect("there").body, body),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt),
        }
    });
});
