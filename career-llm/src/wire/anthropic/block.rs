//! Blocks of a reply while they grow.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::shared::parse;
use crate::{Result, Text};

/// A block of the reply that is not whole yet. What has a person's or a model's words in it is silent in `Debug`.
#[derive(Debug)]
pub(super) enum Block {
    Text,
    Thinking(Thought),
    Tool {
        call: u32,
        begun: Option<Text>,
        said: bool,
    },
    /// What only the provider understands: a safety-encrypted thought, or what its own tools did.
    Other(Other),
}

#[derive(Default)]
pub(super) struct Thought {
    pub(super) text: String,
    pub(super) signature: String,
}

pub(super) struct Other {
    pub(super) fields: Map<String, Value>,
    pub(super) input: String,
}

impl std::fmt::Debug for Thought {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Thought").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Other {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Other").finish_non_exhaustive()
    }
}

impl Other {
    /// Adds a piece of a kind that is not known here: strings to the field of the same name, citations to theirs.
    pub(super) fn grow(&mut self, frame: &Text) -> Result<()> {
        #[derive(Deserialize)]
        struct Piece {
            #[serde(default)]
            delta: Map<String, Value>,
        }
        for (name, value) in parse::<Piece>(frame)?.delta {
            match (name.as_str(), value) {
                ("type", _) => {}
                ("partial_json", Value::String(piece)) => self.input.push_str(&piece),
                ("citation", citation) => {
                    match self.fields.entry("citations").or_insert_with(|| Value::Array(vec![])) {
                        Value::Array(citations) => citations.push(citation),
                        other => *other = Value::Array(vec![citation]),
                    }
                }
                (_, Value::String(piece)) => match self.fields.get_mut(&name) {
                    Some(Value::String(whole)) => whole.push_str(&piece),
                    _ => drop(self.fields.insert(name, piece.into())),
                },
                (_, value) => drop(self.fields.insert(name, value)),
            }
        }
        Ok(())
    }

    pub(super) fn whole(mut self) -> Map<String, Value> {
        if let Ok(input) = serde_json::from_str::<Value>(&self.input) {
            self.fields.insert("input".to_owned(), input);
        }
        self.fields
    }
}
