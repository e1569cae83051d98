//! When two requests ask the same.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{ChatRequest, Delivery, Error, ErrorKind, Result};

/// A digest of SHA-256.
type Digest = [u8; 32];

/// What a request asks, as a digest: of its JSON with the keys of every object in order, besides the deadline, the
/// delivery and, unless it matters `per_caller`, on whose behalf it is.
pub(in crate::layer) fn request_key(request: &ChatRequest, per_caller: bool) -> Result<Digest> {
    let mut asked = request.clone().delivered(Delivery::default());
    if !per_caller {
        asked.on_behalf_of = None;
    }
    let value = serde_json::to_value(&asked)
        .map_err(|error| Error::new(ErrorKind::Invalid, "the request is no JSON").with_source(error))?;
    let mut json = String::new();
    write(&value, &mut json);
    Ok(digest(&[json.as_bytes()]))
}

/// The digest of these, each with its length, so that no two lists are alike.
pub(in crate::layer) fn digest(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// In hexadecimal digits.
pub(in crate::layer) fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// As JSON with sorted keys, whatever order the map of `serde_json` keeps.
fn write(value: &Value, json: &mut String) {
    match value {
        Value::Array(items) => {
            json.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                write(item, json);
            }
            json.push(']');
        }
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            json.push('{');
            for (at, (name, field)) in fields.into_iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                json.push_str(&Value::from(name.as_str()).to_string());
                json.push(':');
                write(field, json);
            }
            json.push('}');
        }
        plain => json.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::{Message, OutputSchema};

    fn key(request: &ChatRequest) -> Digest {
        request_key(request, false).expect("a key")
    }

    #[test]
    fn what_is_asked_makes_the_key_and_how_it_arrives_does_not() {
        let base = ChatRequest::user("hello").with_temperature(0.2);
        let same = base.clone().within(Duration::from_secs(1)).delivered(Delivery::Whole).on_behalf_of("u1");
        assert_eq!(key(&base), key(&same));
        assert_ne!(request_key(&base, true).expect("a key"), request_key(&same, true).expect("a key"));
        let others = [
            base.clone().with_temperature(0.3),
            base.clone().with_system("x"),
            base.clone().with_seed(0),
            base.clone().with(Message::user("")),
            base.clone().with_extra("openai", "store", json!(false)),
            ChatRequest::conversation([Message::assistant("hello")]).with_temperature(0.2),
        ];
        for other in others {
            assert_ne!(key(&base), key(&other), "{other:?}");
        }
    }

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let with = |schema: &str| {
            let schema = serde_json::from_str(schema).expect("JSON");
            key(&ChatRequest::user("x").with_output(OutputSchema::new("o", schema)))
        };
        assert_eq!(with(r#"{"a":1,"b":{"d":[1,2],"c":"x"}}"#), with(r#"{"b":{"c":"x","d":[1,2]},"a":1}"#));
        assert_ne!(with(r#"{"a":[1,2]}"#), with(r#"{"a":[2,1]}"#));
    }

    #[test]
    fn parts_of_a_digest_do_not_run_together() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
