//! A record as a file: what the store keeps about it, its keys by name, its document as it came.

use std::collections::BTreeMap;

use career_core::store::{Document, Draft, KeyType, KeyValue, Kind};
use career_core::{Error, ErrorKind, Result};
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// The longest name that is made of an id alone. File systems allow 255 bytes.
const NAME_MAX: usize = 200;

/// A record as it is worked with.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    /// Its place in the order in which records were first kept, which is the order of events.
    pub(crate) sequence: u64,
    pub(crate) version: u64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) draft: Draft,
}

/// A record as it is written.
#[derive(serde::Serialize, serde::Deserialize)]
struct Stored {
    // The name of the file does not always tell the id.
    id: String,
    sequence: u64,
    version: u64,
    created: Timestamp,
    updated: Timestamp,
    keys: BTreeMap<String, Value>,
    // Raw: parsing numbers and writing them again need not give the same text.
    body: Box<RawValue>,
}

impl Row {
    /// Reads what [`Row::to_json`] wrote.
    pub(crate) fn from_json(kind: &Kind, file: &str, text: &str) -> Result<Self> {
        let corrupt = |what: String| Error::new(ErrorKind::Corrupt, format!("{}/{file}: {what}", kind.name));
        let mut stored: Stored = Error::parse_json(text).map_err(|error| corrupt(error.to_string()))?;
        let mut keys = Vec::with_capacity(kind.keys.len());
        for key in kind.keys {
            // By name, so that a kind can gain an optional key, and its keys another order.
            let value = match (key.holds, stored.keys.remove(key.name)) {
                (_, None | Some(Value::Null)) if key.optional => Some(KeyValue::Null),
                (KeyType::Text, Some(Value::String(text))) => Some(text.into()),
                (KeyType::Int, Some(Value::Number(number))) => number.as_i64().map(Into::into),
                (KeyType::Time, Some(Value::String(text))) => text.parse::<Timestamp>().ok().map(Into::into),
                _ => None,
            };
            keys.push(value.ok_or_else(|| corrupt(format!("its key `{}` is not what it should be", key.name)))?);
        }
        let Stored { id, sequence, version, created, updated, body, .. } = stored;
        let draft = Draft::new(keys, Box::<str>::from(body).into());
        Ok(Row { id, sequence, version, created, updated, draft })
    }

    /// The text of its file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] when the document is no JSON.
    pub(crate) fn to_json(&self, kind: &Kind) -> Result<String> {
        let json = |value: &KeyValue| match value {
            KeyValue::Text(text) => text.as_str().into(),
            KeyValue::Int(number) => (*number).into(),
            KeyValue::Time(time) => time.to_string().into(),
            _ => Value::Null,
        };
        let keys = kind.keys.iter().zip(&self.draft.keys).map(|(key, value)| (key.name.to_owned(), json(value)));
        let (sequence, version) = (self.sequence, self.version);
        let write = || {
            serde_json::to_string_pretty(&Stored {
                id: self.id.clone(),
                sequence,
                version,
                created: self.created,
                updated: self.updated,
                keys: keys.collect(),
                body: RawValue::from_string(self.draft.body.clone())?,
            })
        };
        write().map_err(|e| Error::invalid("expected a document in JSON").with_source(e).in_file(&self.id))
    }

    /// The value of a key: one that the kind declares, or one of the three that every kind has.
    pub(crate) fn value(&self, kind: &Kind, key: &str) -> KeyValue {
        match kind.keys.iter().position(|declared| declared.name == key) {
            Some(at) => self.draft.keys.get(at).cloned().unwrap_or(KeyValue::Null),
            None => match key {
                "id" => self.id.as_str().into(),
                "created" => self.created.into(),
                "updated" => self.updated.into(),
                _ => KeyValue::Null,
            },
        }
    }

    /// The record as the port gives it.
    pub(crate) fn into_document(self) -> Document {
        Document::new(self.id, self.version, self.created, self.updated, self.draft.body)
    }
}

/// The name of the file of an id, which may be any text.
pub(crate) fn file_name(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            // Capital letters too: to some file systems they are the small ones.
            _ => name += &format!("%{byte:02x}"),
        }
    }
    if name.len() > NAME_MAX {
        // No short id gives a `~`, so the two sorts of names cannot meet.
        name.truncate(NAME_MAX - 100);
        name.push('~');
        Sha256::digest(id).iter().for_each(|byte| name += &format!("{byte:02x}"));
    }
    name + ".json"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_have_safe_names_of_their_own() {
        assert_eq!(file_name("data-scientist"), "data-scientist.json");
        assert_eq!(file_name("../A"), "%2e%2e%2f%41.json");
        let long = "x".repeat(1_000);
        let ids = ["", ".", "a", "A", "a/b", "a\\b", "a%2fb", "é", "e\u{301}", "con:", &long, &format!("{long}y")];
        let names: BTreeSet<String> = ids.iter().map(|id| file_name(id)).collect();
        assert_eq!(names.len(), ids.len());
        for name in names {
            assert!(name.len() <= 255 && !name.contains(['/', '\\', ':']), "{name}");
            assert_eq!(name, name.to_lowercase());
        }
    }

    #[test]
    fn a_file_keeps_the_document_to_the_letter_and_the_keys_by_name() {
        const KIND: &Kind = &Kind::new(
            "notes",
            &[
                career_core::store::Key::text("about"),
                career_core::store::Key::int("stars").optional(),
                career_core::store::Key::time("at"),
            ],
        );
        let time: Timestamp = "2026-11-21T15:30:00.000001Z".parse().expect("a time");
        let body = r#"{"b":0.30000000000000004,"a":1e400,"c":18446744073709551616}"#;
        let draft = Draft::new(vec!["a \"pupil\"".into(), KeyValue::Null, time.into()], body.into());
        let row = Row { id: "N 1".into(), sequence: 7, version: 3, created: time, updated: time, draft };
        let text = row.to_json(KIND).expect("written");
        let back = Row::from_json(KIND, "n.json", &text).expect("read");
        assert_eq!((back.id.as_str(), back.sequence, back.version, &back.draft), ("N 1", 7, 3, &row.draft));
        assert_eq!((back.created, back.updated), (time, time));

        let damaged = text.replace("\"at\": \"2026", "\"at\": \"someday");
        let error = Row::from_json(KIND, "n.json", &damaged).expect_err("damaged");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().starts_with("notes/n.json: its key `at`"), "{error}");
        assert_eq!(Row::from_json(KIND, "n.json", &text[..40]).expect_err("cut off").kind(), ErrorKind::Corrupt);
    }
}
