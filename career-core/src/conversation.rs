//! Conversations, their messages and summaries.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::macros::named_enum;
use crate::{Fact, Id, Unit, User};

/// A conversation of a person with the counsellor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Conversation {
    /// Identity.
    pub id: Id<Conversation>,
    /// Whose it is.
    pub owner: Id<User>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
}

impl Conversation {
    /// A conversation that begins now.
    pub fn start(owner: Id<User>) -> Self {
        Conversation { id: Id::new(), owner, title: None, started_at: Timestamp::now() }
    }
}

named_enum! {
    /// Who wrote a message.
    #[non_exhaustive]
    pub enum Author {
        /// The person.
        Student = "student",
        /// The counsellor of this library.
        Counsellor = "counsellor",
        /// A human counsellor.
        Human = "human",
    }
}

named_enum! {
    /// Whether a message is whole.
    #[non_exhaustive]
    pub enum MessageStatus {
        /// Whole.
        Complete = "complete",
        /// Cut off; what is there was really said.
        Partial = "partial",
        /// Nothing came of it.
        Failed = "failed",
    }
}

/// What a reply rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceRef {
    /// What kind of thing: `career`, `exam`, `message`, `profile`.
    pub kind: String,
    /// Its identity.
    pub id: String,
    /// Its title.
    pub title: String,
}

impl SourceRef {
    /// A thing of a kind, by id and title.
    pub fn new(kind: impl Into<String>, id: impl Into<String>, title: impl Into<String>) -> Self {
        SourceRef { kind: kind.into(), id: id.into(), title: title.into() }
    }
}

/// Something learnt from a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExtractedFact {
    /// What.
    pub fact: Fact,
    /// How sure.
    pub confidence: Unit,
}

impl ExtractedFact {
    /// A fact and how sure it is.
    pub const fn new(fact: Fact, confidence: Unit) -> Self {
        ExtractedFact { fact, confidence }
    }
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Message {
    /// Identity.
    #[builder(default = Id::new())]
    pub id: Id<Message>,
    /// In which conversation.
    pub conversation: Id<Conversation>,
    /// Its place there, from 1, without gaps.
    pub sequence: u64,
    /// Who wrote it.
    pub author: Author,
    /// What was written.
    pub text: String,
    /// Whether it is whole.
    pub status: MessageStatus,
    /// The identity that the client gave it, so that sending it twice keeps it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub sources: Vec<SourceRef>,
    /// What was learnt from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub extracted: Vec<ExtractedFact>,
    /// When it was written.
    pub at: Timestamp,
}

/// What a stretch of a conversation came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Summary {
    /// Identity.
    #[builder(default = Id::new())]
    pub id: Id<Summary>,
    /// Of which conversation.
    pub conversation: Id<Conversation>,
    /// The sequence of the last message that it covers.
    pub through: u64,
    /// The summary.
    pub text: String,
    /// When it was made.
    pub at: Timestamp,
}
