//! What a store knows of a record: its kind, its id, its keys.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::text::{CareerId, ExamId};
use crate::{Error, Id, Result};

/// Most bytes that a key's text can have, so that every database can index it.
pub const KEY_TEXT_MAX: usize = 1_024;
/// Most bytes in the name of an index; PostgreSQL cuts longer names.
const INDEX_NAME_MAX: usize = 63;

/// An aggregate that a store keeps: a document with an id and a few typed keys by which it is found.
///
/// ```
/// use career_core::store::{Key, KeyValue, Kind, Personal, Record};
/// use career_core::{Id, User};
///
/// /// A note that a counsellor keeps about a student.
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Note { id: Id<Note>, about: Id<User>, text: String }
///
/// impl Record for Note {
///     const KIND: &'static Kind = &Kind::new("notes", &[Key::text("about").references("users")])
///         .indexed(&[&["about", "created"]])
///         .personal(Personal::Owner("about"));
///     type Id = Id<Note>;
///
///     fn id(&self) -> Id<Note> {
///         self.id
///     }
///
///     fn keys(&self) -> Vec<KeyValue> {
///         vec![self.about.into()]
///     }
/// }
///
/// Note::KIND.check()?;
/// # Ok::<(), career_core::Error>(())
/// ```
pub trait Record: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its kind.
    const KIND: &'static Kind;
    /// The type of its identity.
    type Id: RecordId;

    /// Its identity, unique within its kind.
    fn id(&self) -> Self::Id;

    /// The values of its keys, in the order of [`Kind::keys`].
    fn keys(&self) -> Vec<KeyValue>;
}

/// An identity that is written as text.
pub trait RecordId: fmt::Display + FromStr<Err = Error> + Clone + PartialEq + Send + Sync + 'static {}

impl<T: 'static> RecordId for Id<T> {}
impl RecordId for CareerId {}
impl RecordId for ExamId {}
impl RecordId for crate::Tag {}

/// A kind of record: the name of its collection, and its keys.
///
/// Besides the keys that it declares every kind has three: `id` (text), `created` and `updated` (times, kept by the
/// store).
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kind {
    /// The name of the collection, and of its table: lower-case letters, digits and `_`, at most 24 characters.
    pub name: &'static str,
    /// The keys.
    pub keys: &'static [Key],
    /// Sets of keys that no two records share. A record that lacks one of the keys of a set is not compared.
    pub unique: &'static [&'static [&'static str]],
    /// Sets of keys by which records are often found, the most telling key first.
    pub indexes: &'static [&'static [&'static str]],
    /// Whose data it is.
    pub personal: Personal,
}

impl Kind {
    /// A kind with these keys and nothing else.
    pub const fn new(name: &'static str, keys: &'static [Key]) -> Self {
        Kind { name, keys, unique: &[], indexes: &[], personal: Personal::No }
    }

    /// Sets of keys that no two records share.
    #[must_use]
    pub const fn unique(mut self, unique: &'static [&'static [&'static str]]) -> Self {
        self.unique = unique;
        self
    }

    /// Sets of keys by which records are often found.
    #[must_use]
    pub const fn indexed(mut self, indexes: &'static [&'static [&'static str]]) -> Self {
        self.indexes = indexes;
        self
    }

    /// Whose data it is.
    #[must_use]
    pub const fn personal(mut self, personal: Personal) -> Self {
        self.personal = personal;
        self
    }

    /// What a key holds, and whether a record may lack it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a name that is no key of this kind.
    pub fn key(&self, name: &str) -> Result<(KeyType, bool)> {
        if let Some(key) = self.keys.iter().find(|key| key.name == name) {
            return Ok((key.holds, key.optional));
        }
        match name {
            "id" => Ok((KeyType::Text, false)),
            "created" | "updated" => Ok((KeyType::Time, false)),
            _ => Err(Error::invalid(format!("{} have no such key", self.name)).at_field(name)),
        }
    }

    /// Checks that the kind is sound: names, and that its sets name its keys. Stores call it for the kinds of hosts.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let name_is_fine = |name: &str| {
            name.len() <= 24
                && name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let bad = |what: &str| Err(Error::invalid("expected lower-case letters, digits and `_`").at_field(what));
        if !name_is_fine(self.name) {
            return bad(self.name);
        }
        for (n, key) in self.keys.iter().enumerate() {
            if !name_is_fine(key.name) {
                return bad(key.name);
            }
            let reserved = ["id", "version", "created", "updated", "body", "seq"].contains(&key.name);
            if reserved || self.keys[..n].iter().any(|other| other.name == key.name) {
                return Err(Error::invalid("this name of a key is taken").at_field(key.name));
            }
            if key.references.is_some() && key.holds != KeyType::Text {
                return Err(Error::invalid("a key that refers to records holds text").at_field(key.name));
            }
        }
        let declared = |name: &&&str| self.keys.iter().any(|key| key.name == **name);
        if let Some(name) = self.unique.iter().flat_map(|set| set.iter()).find(|name| !declared(name)) {
            return Err(Error::invalid("no such key is declared").at_field(*name));
        }
        self.indexes.iter().flat_map(|set| set.iter()).try_for_each(|name| self.key(name).map(drop))?;
        let index_name = |set: &[&str]| self.name.len() + set.iter().map(|name| name.len() + 1).sum::<usize>() + 7;
        if self.unique.iter().chain(self.indexes).any(|set| index_name(set) > INDEX_NAME_MAX) {
            return Err(Error::invalid("the names of its indexes are too long").at_field(self.name));
        }
        Ok(())
    }

    /// The values of a record's keys fit the kind.
    pub(crate) fn check_values(&self, values: &[KeyValue]) -> Result<()> {
        if values.len() != self.keys.len() {
            let (found, expected) = (values.len(), self.keys.len());
            return Err(Error::invalid(format!("{found} key values, {} have {expected} keys", self.name)));
        }
        self.keys.iter().zip(values).try_for_each(|(key, value)| value.fits(key.holds, key.optional, key.name))
    }
}

/// A key of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: KeyType,
    /// Whether a record may lack it.
    pub optional: bool,
    /// The kind of record whose id it holds; a store sees to it that the record exists.
    pub references: Option<&'static str>,
    /// Whether it tells who a person is, such as an address. A layer that encrypts hides it; it can then be asked for
    /// by equality alone.
    pub secret: bool,
}

impl Key {
    const fn new(name: &'static str, holds: KeyType) -> Self {
        Key { name, holds, optional: false, references: None, secret: false }
    }

    /// A key that holds text.
    pub const fn text(name: &'static str) -> Self {
        Key::new(name, KeyType::Text)
    }

    /// A key that holds a whole number.
    pub const fn int(name: &'static str) -> Self {
        Key::new(name, KeyType::Int)
    }

    /// A key that holds a time, to the microsecond.
    pub const fn time(name: &'static str) -> Self {
        Key::new(name, KeyType::Time)
    }

    /// A record may lack it.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// It holds the id of a record of this kind, which must exist, and which cannot be deleted meanwhile.
    #[must_use]
    pub const fn references(mut self, kind: &'static str) -> Self {
        self.references = Some(kind);
        self
    }

    /// It tells who a person is.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyType {
    /// Text, compared by its bytes in UTF-8; at most [`KEY_TEXT_MAX`] bytes, without the character U+0000.
    Text,
    /// A whole number of 64 bits.
    Int,
    /// A time to the microsecond.
    Time,
}

/// Whose data a kind of record is, so that it can be exported, erased and encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Personal {
    /// Nobody's.
    No,
    /// The record is the person; its id is the user's.
    User,
    /// The person's whose id this key holds.
    Owner(&'static str),
    /// Of the owner of the record that this key refers to.
    Through(&'static str),
}

/// The value of a key. `Debug` does not show text: it may be what a person wrote.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyValue {
    /// None.
    Null,
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// A time, to the microsecond.
    Time(Timestamp),
}

impl KeyValue {
    /// A time as databases keep it, in microseconds of the Unix epoch, if it is in range.
    pub fn from_micros(micros: i64) -> Option<Self> {
        // `Timestamp::from_microsecond` does not reach into the last second of the calendar; the parts do.
        let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).ok()?;
        Timestamp::new(micros.div_euclid(1_000_000), nanos).ok().map(KeyValue::Time)
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let KeyValue::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let KeyValue::Int(number) = self { Some(*number) } else { None }
    }

    /// The time, if it is one.
    pub fn as_time(&self) -> Option<Timestamp> {
        if let KeyValue::Time(time) = self { Some(*time) } else { None }
    }

    pub(crate) fn fits(&self, holds: KeyType, optional: bool, name: &str) -> Result<()> {
        let expected = match (self, holds) {
            (KeyValue::Null, _) if optional => return Ok(()),
            (KeyValue::Text(text), KeyType::Text) if text.len() <= KEY_TEXT_MAX && !text.contains('\0') => {
                return Ok(());
            }
            (KeyValue::Int(_), KeyType::Int) | (KeyValue::Time(_), KeyType::Time) => return Ok(()),
            (_, KeyType::Text) => "expected at most 1024 bytes of text without the character U+0000",
            (_, KeyType::Int) => "expected a whole number",
            (_, KeyType::Time) => "expected a time",
        };
        Err(Error::invalid(expected).at_field(name))
    }
}

impl fmt::Debug for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyValue::Null => f.write_str("Null"),
            KeyValue::Int(number) => write!(f, "Int({number})"),
            KeyValue::Text(text) => write!(f, "Text({} bytes)", text.len()),
            KeyValue::Time(time) => write!(f, "Time({time})"),
        }
    }
}

impl From<&str> for KeyValue {
    fn from(text: &str) -> Self {
        KeyValue::Text(text.to_owned())
    }
}

impl From<String> for KeyValue {
    fn from(text: String) -> Self {
        KeyValue::Text(text)
    }
}

impl From<i32> for KeyValue {
    fn from(number: i32) -> Self {
        KeyValue::Int(number.into())
    }
}

impl From<i64> for KeyValue {
    fn from(number: i64) -> Self {
        KeyValue::Int(number)
    }
}

/// A number above [`i64::MAX`] is kept as that.
impl From<u64> for KeyValue {
    fn from(number: u64) -> Self {
        KeyValue::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// What is finer than a microsecond is cut off.
impl From<Timestamp> for KeyValue {
    fn from(time: Timestamp) -> Self {
        KeyValue::from_micros(time.as_microsecond()).unwrap_or(KeyValue::Time(time))
    }
}

impl<T> From<Id<T>> for KeyValue {
    fn from(id: Id<T>) -> Self {
        KeyValue::Text(id.to_string())
    }
}

impl<T: Into<KeyValue>> From<Option<T>> for KeyValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(KeyValue::Null, Into::into)
    }
}

/// The time as stores keep it: now, cut to the microsecond.
pub fn now() -> Timestamp {
    KeyValue::from(Timestamp::now()).as_time().unwrap_or(Timestamp::MAX)
}

/// A record as it was read: with its version, so that a write can tell whether it has moved since.
///
/// It reads and changes like the record itself; [`StoreExt::update`](crate::StoreExt::update) writes it back.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    record: T,
    id: String,
    version: u64,
    created: Timestamp,
    updated: Timestamp,
}

impl<T> Versioned<T> {
    pub(crate) fn new(record: T, id: String, version: u64, created: Timestamp, updated: Timestamp) -> Self {
        Versioned { record, id, version, created, updated }
    }

    /// The id under which it was read.
    pub(crate) fn id_as_read(&self) -> &str {
        &self.id
    }

    /// The version that was read: 1 when the record was made, one more with every write.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// When the store first kept it.
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// When the store last kept it.
    pub fn updated(&self) -> Timestamp {
        self.updated
    }

    /// The record alone.
    pub fn into_inner(self) -> T {
        self.record
    }

    pub(crate) fn moved_to(&mut self, version: u64) {
        self.version = version;
    }

    /// The same record after a backend wrote it once more, at this time.
    #[must_use]
    pub fn written(self, at: Timestamp) -> Self {
        Versioned { version: self.version + 1, updated: at, ..self }
    }
}

impl<T> Deref for Versioned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}

impl<T> DerefMut for Versioned<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::KINDS;

    #[test]
    fn every_kind_of_the_library_is_sound_and_refers_to_earlier_ones() {
        for (n, kind) in KINDS.iter().enumerate() {
            kind.check().unwrap_or_else(|error| panic!("{}: {error}", kind.name));
            for key in kind.keys {
                let Some(target) = key.references else { continue };
                assert!(KINDS[..n].iter().any(|k| k.name == target), "{}.{} refers to {target}", kind.name, key.name);
            }
        }
    }

    #[test]
    fn an_unsound_kind_is_refused_by_name() {
        const UNSOUND: &[(Kind, &str)] = &[
            (Kind::new("Notes", &[]), "Notes"),
            (Kind::new("notes", &[Key::text("a b")]), "a b"),
            (Kind::new("notes", &[Key::text("id")]), "taken"),
            (Kind::new("notes", &[Key::text("a"), Key::int("a")]), "taken"),
            (Kind::new("notes", &[Key::int("a").references("users")]), "holds text"),
            (Kind::new("notes", &[]).unique(&[&["created"]]), "created"),
            (Kind::new("notes", &[]).indexed(&[&["nothing"]]), "no such key"),
        ];
        for (kind, says) in UNSOUND {
            let error = kind.check().expect_err("unsound").to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn times_are_cut_to_the_microsecond_to_the_ends_of_the_calendar() {
        for time in [
            Timestamp::MIN,
            Timestamp::MAX,
            Timestamp::UNIX_EPOCH,
            "1969-12-31T23:59:59.9999999Z".parse().expect("one"),
        ] {
            let kept = KeyValue::from(time).as_time().expect("a time");
            assert_eq!(kept.as_microsecond(), time.as_microsecond());
            assert_eq!(KeyValue::from_micros(kept.as_microsecond()), Some(kept.into()));
        }
        assert_eq!(KeyValue::from_micros(i64::MAX), None);
    }

    #[test]
    fn values_are_held_to_their_keys_and_text_stays_private() {
        const KIND: Kind = Kind::new("notes", &[Key::text("a"), Key::int("b").optional()]);
        assert!(KIND.check_values(&["x".into(), KeyValue::Null]).is_ok());
        assert!(KIND.check_values(&["x".into()]).is_err());
        assert!(KIND.check_values(&[KeyValue::Null, KeyValue::Null]).is_err());
        assert!(KIND.check_values(&["a\0b".into(), KeyValue::Null]).is_err());
        assert!(KIND.check_values(&["x".repeat(KEY_TEXT_MAX).into(), KeyValue::Null]).is_ok());
        assert!(KIND.check_values(&["x".repeat(KEY_TEXT_MAX + 1).into(), KeyValue::Null]).is_err());
        assert!(KIND.check_values(&["x".into(), "y".into()]).is_err());
        assert_eq!(format!("{:?}", KeyValue::from("secret")), "Text(6 bytes)");
    }
}
