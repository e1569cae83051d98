//! People who use a host, their roles, keys and sessions.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::macros::{checked_string, named_enum};
use crate::{Error, Id, Result};

fn email(text: &str) -> Result<String> {
    let text = text.trim();
    let fits = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !domain.contains('@')
            && domain.split('.').all(|label| !label.is_empty())
            && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
    });
    if fits && text.len() <= 254 { Ok(text.to_lowercase()) } else { Err(Error::invalid("expected an email address")) }
}

fn sha256(text: &str) -> Result<String> {
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Error::invalid("expected a SHA-256 hash: 64 hexadecimal digits"))
    }
}

checked_string! {
    /// An email address, in lower case.
    pub struct Email(email);
}

checked_string! {
    /// A SHA-256 hash in hexadecimal.
    pub struct Sha256Hex(sha256);
}

named_enum! {
    /// What a user may do.
    #[derive(Default)]
    #[non_exhaustive]
    pub enum Role {
        /// Seeks guidance.
        #[default]
        Student = "student",
        /// Gives guidance.
        Counsellor = "counsellor",
        /// Runs the host.
        Admin = "admin",
    }
}

/// Someone who uses the host. Kept apart from the profile, so that who it is never enters a score.
///
/// `Debug` shows neither name nor address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct User {
    /// Identity.
    #[builder(default = Id::new())]
    pub id: Id<User>,
    /// What to call them.
    pub name: String,
    /// Where to write to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// What they may do.
    #[serde(default)]
    #[builder(default)]
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A key with which a program acts for a user. The key itself is never kept, only its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ApiKey {
    /// Identity.
    #[builder(default = Id::new())]
    pub id: Id<ApiKey>,
    /// For whom it acts.
    pub owner: Id<User>,
    /// What it is called.
    pub label: String,
    /// The hash of the key.
    pub hash: Sha256Hex,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Since when no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it is good at this moment.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none_or(|at| now < at) && self.expires_at.is_none_or(|at| now < at)
    }
}

/// A sign-in that lasts until it expires or is revoked. Holds the hash of its token, never the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Session {
    /// Identity.
    #[builder(default = Id::new())]
    pub id: Id<Session>,
    /// Whose it is.
    pub owner: Id<User>,
    /// The hash of the token.
    pub token_hash: Sha256Hex,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Since when no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl Session {
    /// Whether it is good at this moment.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now < self.expires_at && self.revoked_at.is_none_or(|at| now < at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_lowered() {
        assert_eq!(Email::new(" A.B@Example.org ").expect("fine").as_str(), "a.b@example.org");
        for bad in ["", "a", "@b.c", "a@b", "a@b..c", "a b@c.d", "a@b@c.d"] {
            assert!(Email::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_name_and_no_address() {
        let user = User::builder().name("Somebody").email(Email::new("z@example.org").expect("fine"));
        let text = format!("{:?}", user.created_at(Timestamp::UNIX_EPOCH).build());
        assert!(!text.contains("Somebody") && !text.contains("example"), "{text}");
    }

    #[test]
    fn a_session_ends_when_it_expires_or_is_revoked() {
        let at = |s| Timestamp::from_second(s).expect("in range");
        let hash = Sha256Hex::new("0".repeat(64)).expect("64 digits");
        let mut session =
            Session::builder().owner(Id::new()).token_hash(hash).created_at(at(0)).expires_at(at(100)).build();
        assert!(session.is_valid_at(at(99)) && !session.is_valid_at(at(100)));
        session.revoked_at = Some(at(50));
        assert!(session.is_valid_at(at(49)) && !session.is_valid_at(at(50)));
    }
}
