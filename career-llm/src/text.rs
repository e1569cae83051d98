//! Text of a conversation: cheap to share, silent in logs.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use bytestring::ByteString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text that a person or a model wrote.
///
/// A clone or a slice shares the bytes; the tokens of a stream are slices of what the network delivered. `Debug`
/// shows only the length, so that a request or a reply never gets into a log by accident; `Display` and
/// [`as_str`](Text::as_str) show it.
///
/// ```
/// use career_llm::Text;
///
/// let text = Text::from("my marks are low");
/// assert_eq!(format!("{text:?}"), "Text(16 bytes)");
/// assert_eq!(text.to_string(), "my marks are low");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(ByteString);

impl Text {
    /// The empty text.
    pub const fn new() -> Self {
        Text(ByteString::new())
    }

    /// A text of the program's own.
    pub const fn from_static(text: &'static str) -> Self {
        Text(ByteString::from_static(text))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A part of this text that shares its bytes.
    ///
    /// # Panics
    ///
    /// When the part is not borrowed from this text.
    #[must_use]
    pub fn slice_ref(&self, part: &str) -> Self {
        Text(self.0.slice_ref(part))
    }

    /// The bytes that it shares.
    pub fn into_bytes(self) -> Bytes {
        self.0.into_bytes()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(ByteString::from(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text(ByteString::from(text))
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Text::from(text.as_str())
    }
}

impl From<std::borrow::Cow<'_, str>> for Text {
    fn from(text: std::borrow::Cow<'_, str>) -> Self {
        Text::from(text.into_owned())
    }
}

impl TryFrom<Bytes> for Text {
    type Error = std::str::Utf8Error;

    fn try_from(bytes: Bytes) -> Result<Self, std::str::Utf8Error> {
        ByteString::try_from(bytes).map(Text)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Text::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_shares_bytes_and_no_debug_shows_them() {
        let whole = Text::try_from(Bytes::from_static("नमस्ते student".as_bytes())).expect("UTF-8");
        let part = whole.slice_ref(&whole[19..]);
        assert_eq!(part, "student");
        assert_eq!(part.as_ptr(), whole[19..].as_ptr());
        assert_eq!(format!("{whole:?} {part:#?}"), "Text(26 bytes) Text(7 bytes)");
    }

    #[test]
    fn bytes_that_are_no_utf8_are_refused() {
        assert!(Text::try_from(Bytes::from_static(b"\xff")).is_err());
    }
}
