//! The turns of a conversation.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Text;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// The person, or the host on behalf of one; results of tools too.
    User,
    /// The model.
    Assistant,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

impl Message {
    /// What the person says.
    pub fn user(text: impl Into<Text>) -> Self {
        Message { role: Role::User, parts: vec![Part::Text(text.into())] }
    }

    /// What the model said.
    pub fn assistant(text: impl Into<Text>) -> Self {
        Message { role: Role::Assistant, parts: vec![Part::Text(text.into())] }
    }

    /// A turn of any parts.
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Message { role, parts }
    }

    /// The results of tools, which the model reads as a turn of the user.
    pub fn tool_results(results: impl IntoIterator<Item = ToolResult>) -> Self {
        Message { role: Role::User, parts: results.into_iter().map(Part::ToolResult).collect() }
    }

    /// Its text parts, joined.
    pub fn text(&self) -> Text {
        let mut texts = self.parts.iter().filter_map(Part::as_text);
        match (texts.next(), texts.next()) {
            (None, _) => Text::new(),
            (Some(only), None) => only.clone(),
            (Some(first), Some(second)) => {
                let mut whole = format!("{first}{second}");
                texts.for_each(|text| whole.push_str(text));
                whole.into()
            }
        }
    }
}

/// A part of a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// Words.
    Text(Text),
    /// A picture, from the user.
    Image(Image),
    /// The model wants a tool to be run.
    ToolCall(ToolCall),
    /// What the tool gave.
    ToolResult(ToolResult),
    /// Something that only its provider understands and wants back unchanged, such as a signed thought. Other
    /// providers are not sent it.
    Opaque(Opaque),
}

impl Part {
    /// The words, if these are words.
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Part::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Image {
    /// Its bytes.
    Bytes {
        /// What they are: `image/png`, `image/jpeg`, `image/gif`, `image/webp`.
        media_type: String,
        /// They themselves, in JSON as base64.
        data: ImageData,
    },
    /// Its address, which the provider fetches. Not every provider does.
    Url(Text),
}

/// Bytes of a picture; `Debug` shows how many.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageData(pub Bytes);

impl ImageData {
    /// In base64, as it travels.
    pub fn to_base64(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(&self.0)
    }
}

impl std::fmt::Debug for ImageData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ImageData({} bytes)", self.0.len())
    }
}

impl Serialize for ImageData {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for ImageData {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use base64::Engine as _;
        let text = String::deserialize(deserializer)?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text);
        bytes.map(|bytes| ImageData(bytes.into())).map_err(serde::de::Error::custom)
    }
}

/// A model's wish that a tool be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ToolCall {
    /// The provider's id of it, which the result must carry. Where a provider gives none, one is made.
    pub id: String,
    /// Which tool.
    pub name: String,
    /// Its input as the model wrote it: JSON, if all went well. Check it against the tool's schema.
    pub input: Text,
}

impl ToolCall {
    /// A call of a tool.
    pub fn new(id: impl Into<String>, name: impl Into<String>, input: impl Into<Text>) -> Self {
        ToolCall { id: id.into(), name: name.into(), input: input.into() }
    }
}

/// What a tool gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ToolResult {
    /// The id of the call.
    pub call: String,
    /// The name of the tool; some providers ask for it again.
    pub name: String,
    /// What it gave, in words or JSON.
    pub content: Text,
    /// Whether it failed.
    #[serde(default)]
    pub failed: bool,
}

impl ToolResult {
    /// What the tool gave for a call.
    pub fn of(call: &ToolCall, content: impl Into<Text>) -> Self {
        ToolResult { call: call.id.clone(), name: call.name.clone(), content: content.into(), failed: false }
    }
}

/// A part that only its provider understands. `Debug` shows only whose.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Opaque {
    /// Whose it is, as in [`ModelId::provider`](crate::ModelId).
    pub provider: String,
    /// It itself.
    pub value: Value,
}

impl Opaque {
    /// A part of this provider's.
    pub fn new(provider: impl Into<String>, value: Value) -> Self {
        Opaque { provider: provider.into(), value }
    }
}

impl std::fmt::Debug for Opaque {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opaque").field("provider", &self.provider).finish_non_exhaustive()
    }
}
