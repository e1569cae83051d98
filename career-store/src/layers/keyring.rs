//! The keys of [`Encrypted`](super::Encrypted) and what is done with them: sealing, opening, blinding.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use career_core::store::Kind;
use career_core::{Error, ErrorKind, Result};
use chacha20poly1305::aead::{Aead, Generate, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The shape of a sealed body, so that another one can follow.
const SHAPE: u8 = 1;

/// A key that seals, and the name under which sealed bodies refer to it. The secret is wiped from memory when it is
/// dropped; the array that was passed in is the caller's to wipe.
pub struct SealingKey {
    id: String,
    cipher: XChaCha20Poly1305,
}

impl SealingKey {
    /// A key of 32 random bytes. Its id is no secret: it stands in every body that the key sealed. A date will do, but
    /// two keys never share one.
    pub fn new(id: impl Into<String>, secret: [u8; 32]) -> Self {
        SealingKey { id: id.into(), cipher: XChaCha20Poly1305::new(&secret.into()) }
    }
}

/// `Debug` shows the id alone.
impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The keys of a store: one that seals, older ones that still open, and one that blinds.
#[derive(Debug)]
pub struct Keyring {
    current: SealingKey,
    older: Vec<SealingKey>,
    // Its `Debug` shows nothing of the secret.
    blind: Hmac<Sha256>,
}

impl Keyring {
    /// Seals and opens with `current`, and hides the secret keys of records, such as addresses, with `blind`.
    ///
    /// `blind` is another 32 random bytes. It is never rotated: records are found by what it made of their keys, and
    /// under another one they would not be. Who learns it can test whether an address that they guess is there; it
    /// opens nothing.
    pub fn new(current: SealingKey, blind: [u8; 32]) -> Self {
        let blind = Hmac::new_from_slice(&blind).expect("HMAC takes a key of any length");
        Keyring { current, older: Vec::new(), blind }
    }

    /// Opens what an older key sealed, too.
    #[must_use]
    pub fn and(mut self, older: SealingKey) -> Self {
        self.older.push(older);
        self
    }

    /// A body that opens with this key, for this record alone.
    pub(super) fn seal(&self, kind: &Kind, id: &str, body: &str) -> Result<String> {
        let random = |error| Error::new(ErrorKind::Unavailable, "the system gave no random bytes").with_source(error);
        let nonce =
            XNonce::try_generate().map_err(|error: chacha20poly1305::aead::common::getrandom::Error| random(error))?;
        let data = Payload { msg: body.as_bytes(), aad: &place(kind, id) };
        let data = self.current.cipher.encrypt(&nonce, data).map_err(|_| Error::invalid("too long to be sealed"))?;
        let envelope = Envelope {
            sealed: SHAPE,
            key: self.current.id.as_str().into(),
            nonce: STANDARD.encode(nonce).into(),
            data: STANDARD.encode(data).into(),
        };
        serde_json::to_string(&envelope).map_err(|error| Error::invalid("it does not serialise").with_source(error))
    }

    /// What a body holds; `None` when it is not a sealed one.
    pub(super) fn open(&self, kind: &Kind, id: &str, body: &str) -> Result<Option<Opened>> {
        let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(body) else { return Ok(None) };
        if envelope.sealed != SHAPE {
            return Err(corrupt(kind, id, "sealed in a shape that this version does not know"));
        }
        let keys = || std::iter::once(&self.current).chain(&self.older);
        let Some(key) = keys().find(|key| key.id == envelope.key) else {
            let name: String = envelope.key.chars().take(64).collect();
            return Err(corrupt(kind, id, &format!("sealed with the key {name:?}, which is not in the keyring")));
        };
        let open = || {
            let nonce = XNonce::try_from(STANDARD.decode(&*envelope.nonce).ok()?.as_slice()).ok()?;
            let data = STANDARD.decode(&*envelope.data).ok()?;
            let body = key.cipher.decrypt(&nonce, Payload { msg: &data, aad: &place(kind, id) }).ok()?;
            String::from_utf8(body).ok()
        };
        let body = open().ok_or_else(|| corrupt(kind, id, "it was tampered with, or is the body of another record"))?;
        Ok(Some(Opened { body, by_current: key.id == self.current.id }))
    }

    /// What stands in place of a secret key: equal for equal texts of one key, and nothing else can be told from it.
    pub(super) fn blind(&self, kind: &Kind, key: &str, text: &str) -> String {
        let mut mac = self.blind.clone();
        for part in [kind.name, "\0", key, "\0", text] {
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A body that was sealed.
pub(super) struct Opened {
    /// What it held.
    pub(super) body: String,
    /// Whether the key that seals now sealed it.
    pub(super) by_current: bool,
}

/// A sealed body as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    sealed: u8,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    nonce: Cow<'a, str>,
    #[serde(borrow)]
    data: Cow<'a, str>,
}

/// Sealed together with the body, so that it does not open in another place.
fn place(kind: &Kind, id: &str) -> Vec<u8> {
    format!("{}\0{id}", kind.name).into_bytes()
}

pub(super) fn corrupt(kind: &Kind, id: &str, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{} {id}: {what}", kind.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use career_core::store::Record;
    use career_core::{Roadmap, User};
    use proptest::prelude::*;

    fn keyring() -> Keyring {
        Keyring::new(SealingKey::new("2026-01", [1; 32]), [2; 32])
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_to_what_it_was(body in ".*", id in "[^\0]*") {
            let sealed = keyring().seal(User::KIND, &id, &body).expect("sealed");
            prop_assert!(sealed != keyring().seal(User::KIND, &id, &body).expect("sealed"), "a nonce is used once");
            let later = Keyring::new(SealingKey::new("2026-02", [3; 32]), [2; 32]).and(SealingKey::new("2026-01", [1; 32]));
            for (keyring, by_current) in [(keyring(), true), (later, false)] {
                let opened = keyring.open(User::KIND, &id, &sealed).expect("opens").expect("sealed");
                prop_assert_eq!((opened.body.as_str(), opened.by_current), (body.as_str(), by_current));
            }
            prop_assert!(keyring().open(Roadmap::KIND, &id, &sealed).is_err(), "another kind");
            prop_assert!(keyring().open(User::KIND, &format!("{id}x"), &sealed).is_err(), "another id");
            let same_name = Keyring::new(SealingKey::new("2026-01", [9; 32]), [2; 32]);
            prop_assert!(same_name.open(User::KIND, &id, &sealed).is_err(), "another secret");
        }

        #[test]
        fn no_body_panics_and_none_opens(
            text in ".*",
            sealed in 0..3_u8,
            key in "(2026-01|.*)",
            nonce in proptest::collection::vec(any::<u8>(), 0..40),
            data in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let opens = |body: &str| matches!(keyring().open(User::KIND, "a", body), Ok(Some(_)));
            prop_assert!(!opens(&text));
            let (nonce, data) = (STANDARD.encode(nonce), STANDARD.encode(data));
            let made = serde_json::json!({ "sealed": sealed, "key": key, "nonce": nonce, "data": data }).to_string();
            prop_assert!(!opens(&made));
            let made = serde_json::json!({ "sealed": 1, "key": "2026-01", "nonce": text, "data": data }).to_string();
            prop_assert!(!opens(&made));
        }

        #[test]
        fn a_sealed_body_that_was_changed_opens_to_nothing_else(at: prop::sample::Index, to in any::<char>()) {
            let sealed = keyring().seal(User::KIND, "a", r#"{"name":"A student"}"#).expect("sealed");
            let mut changed: Vec<char> = sealed.chars().collect();
            *at.get_mut(&mut changed) = to;
            let changed: String = changed.into_iter().collect();
            let opened = keyring().open(User::KIND, "a", &changed).ok().flatten();
            prop_assert_eq!(opened.is_some(), changed == sealed, "{}", changed);
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let keyring = keyring().and(SealingKey::new("older", [77; 32]));
        let shown = format!("{keyring:?}");
        assert!(shown.contains("2026-01") && shown.contains("older"), "{shown}");
        assert!(!shown.contains("77") && !shown.contains("1, 1"), "{shown}");
    }

    #[test]
    fn what_stands_in_place_of_a_key_is_the_same_for_ever() {
        // HMAC-SHA256 of "users\0email\0a@example.org" under 32 bytes of 2: it must never change.
        let blind = keyring().blind(User::KIND, "email", "a@example.org");
        assert_eq!(blind, "7241fb0cca2eccbea72f5b0cc9c757dd633cf56e8cc7183137f26adb64b3fcc1");
        assert_ne!(blind, keyring().blind(User::KIND, "role", "a@example.org"));
    }
}
