//! What every [`Cache`] holds. Call [`all`], or the functions one by one.
//!
//! The cache must have room for some megabytes, and be the suite's alone: it uses the empty key, and keys around
//! `suite:`. Time passes through `sleep`, a closure such as `async |time| tokio::time::sleep(time).await`.

use std::time::Duration;

use bytes::Bytes;

use crate::{Cache, ErrorKind};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(100);

async fn get(cache: &dyn Cache, key: &str) -> Option<Bytes> {
    cache.get(key).await.expect("the cache answers")
}

async fn put(cache: &dyn Cache, key: &str, value: impl Into<Bytes>, time_to_live: Duration) {
    cache.put(key, value.into(), time_to_live).await.expect("the cache keeps");
}

/// Runs the whole suite; takes less than a second when values expire when they should.
///
/// # Panics
///
/// When a promise of the port is broken.
pub async fn all(cache: &dyn Cache, sleep: impl AsyncFn(Duration)) {
    any_key_and_any_bytes(cache).await;
    the_last_value_counts(cache).await;
    removed_is_gone(cache).await;
    prefixes_are_literal(cache).await;
    many_go_with_their_prefix(cache).await;
    the_empty_prefix_is_refused(cache).await;
    values_expire(cache, &sleep).await;
    a_new_value_has_its_own_time(cache, &sleep).await;
}

/// Any text is a key and any bytes are a value.
///
/// # Panics
///
/// When a value comes back as another.
pub async fn any_key_and_any_bytes(cache: &dyn Cache) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let long = "k".repeat(2000);
    let keys = ["suite:plain", "suite:with space\n", "suite:करियर 🎓", "suite:*?[a-c]\\{}\"'%_", "suite:\0", &long, ""];
    for (n, key) in keys.iter().enumerate() {
        let value = [every_byte.as_slice(), &n.to_le_bytes()].concat();
        put(cache, key, value, LONG).await;
    }
    for (n, key) in keys.iter().enumerate() {
        let value = [every_byte.as_slice(), &n.to_le_bytes()].concat();
        assert_eq!(get(cache, key).await.as_deref(), Some(value.as_slice()), "{key:?}");
        cache.remove(key).await.expect("the cache removes");
    }
    put(cache, "suite:empty", Bytes::new(), LONG).await;
    assert_eq!(get(cache, "suite:empty").await, Some(Bytes::new()), "an empty value is a value");
    let large = vec![7_u8; 1_000_000];
    put(cache, "suite:large", large.clone(), LONG).await;
    assert_eq!(get(cache, "suite:large").await.as_deref(), Some(large.as_slice()));
}

/// A put replaces what was there.
///
/// # Panics
///
/// When the old value is answered.
pub async fn the_last_value_counts(cache: &dyn Cache) {
    for n in 0..20_u8 {
        put(cache, "suite:last", vec![n], LONG).await;
        assert_eq!(get(cache, "suite:last").await.as_deref(), Some([n].as_slice()));
    }
    put(cache, "suite:last", "new", Duration::ZERO).await;
    assert_eq!(get(cache, "suite:last").await, None, "a time of zero forgets");
}

/// What was removed is not answered, and what was not there can be removed.
///
/// # Panics
///
/// When it is answered.
pub async fn removed_is_gone(cache: &dyn Cache) {
    put(cache, "suite:removed", "a", LONG).await;
    put(cache, "suite:stays", "b", LONG).await;
    for _ in 0..2 {
        cache.remove("suite:removed").await.expect("the cache removes");
        assert_eq!(get(cache, "suite:removed").await, None);
    }
    assert_eq!(get(cache, "suite:stays").await.as_deref(), Some(b"b".as_slice()));
}

/// A prefix means itself: no character of it is a pattern.
///
/// # Panics
///
/// When a value goes that should stay, or stays.
pub async fn prefixes_are_literal(cache: &dyn Cache) {
    for prefix in
        ["suite:p*", "suite:p?", "suite:p[a-z]", "suite:p[^a]", "suite:p\\", "suite:p\\*", "suite:p]", "suite:pé"]
    {
        let with = [prefix.to_owned(), format!("{prefix}1"), format!("{prefix}:ü*")];
        let without = ["suite:p", "suite:pa", "suite:pb1", "suite:q", "x-suite:p*1"];
        for key in with.iter().map(String::as_str).chain(without) {
            put(cache, key, "v", LONG).await;
        }
        cache.remove_prefix(prefix).await.expect("the cache removes");
        for key in &with {
            assert_eq!(get(cache, key).await, None, "{key:?} starts with {prefix:?}");
        }
        for key in without {
            assert!(get(cache, key).await.is_some(), "{key:?} does not start with {prefix:?}");
        }
    }
    cache.remove_prefix("suite:no such prefix").await.expect("nothing to remove is fine");
}

/// All of 3,000 values go with their prefix.
///
/// # Panics
///
/// When one stays.
pub async fn many_go_with_their_prefix(cache: &dyn Cache) {
    let keys: Vec<String> = (0..3000).map(|n| format!("suite:many:{n}")).collect();
    for key in &keys {
        put(cache, key, "v", LONG).await;
    }
    cache.remove_prefix("suite:many:").await.expect("the cache removes");
    for key in &keys {
        assert_eq!(get(cache, key).await, None, "{key}");
    }
}

/// The empty prefix is an error, and nothing goes.
///
/// # Panics
///
/// When it is taken.
pub async fn the_empty_prefix_is_refused(cache: &dyn Cache) {
    put(cache, "suite:kept", "v", LONG).await;
    let error = cache.remove_prefix("").await.expect_err("the empty prefix must be refused");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(get(cache, "suite:kept").await.is_some());
}

/// A value is gone after its time, and others stay.
///
/// # Panics
///
/// When it is there after ten seconds.
pub async fn values_expire(cache: &dyn Cache, sleep: &impl AsyncFn(Duration)) {
    put(cache, "suite:stays", "v", LONG).await;
    put(cache, "suite:stays forever", "v", Duration::MAX).await;
    put(cache, "suite:expires", "v", SHORT).await;
    gone(cache, "suite:expires", sleep).await;
    assert!(get(cache, "suite:stays").await.is_some());
    assert!(get(cache, "suite:stays forever").await.is_some(), "the longest time there is must be taken");
}

/// A new value is kept for its own time, longer or shorter than that of the old one.
///
/// # Panics
///
/// When it is kept for the time of the old one.
pub async fn a_new_value_has_its_own_time(cache: &dyn Cache, sleep: &impl AsyncFn(Duration)) {
    put(cache, "suite:longer", "old", SHORT).await;
    put(cache, "suite:longer", "new", LONG).await;
    put(cache, "suite:shorter", "old", LONG).await;
    put(cache, "suite:shorter", "new", SHORT).await;
    gone(cache, "suite:shorter", sleep).await;
    sleep(SHORT).await;
    assert_eq!(get(cache, "suite:longer").await.as_deref(), Some(b"new".as_slice()));
}

async fn gone(cache: &dyn Cache, key: &str, sleep: &impl AsyncFn(Duration)) {
    // The bound is generous: a loaded machine is late, and only a broken cache is ten seconds late.
    for _ in 0..200 {
        if get(cache, key).await.is_none() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("{key} was put for {SHORT:?} and is there after ten seconds");
}
