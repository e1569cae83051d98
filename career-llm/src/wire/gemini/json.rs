//! The JSON of replies, borrowed from the frame where it can be.

use serde::Deserialize;
use serde_json::Value;

use super::super::shared::{Str, count};
use super::failure::Status;
use crate::Usage;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chunk<'a> {
    #[serde(borrow, default)]
    pub(super) candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow, default)]
    pub(super) prompt_feedback: Option<Feedback<'a>>,
    #[serde(default)]
    pub(super) usage_metadata: Option<Counts>,
    #[serde(borrow, default)]
    pub(super) model_version: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) response_id: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) error: Option<Status<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Feedback<'a> {
    #[serde(borrow, default)]
    pub(super) block_reason: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) block_reason_message: Option<Str<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    #[serde(default)]
    pub(super) index: Option<u32>,
    #[serde(borrow, default)]
    pub(super) content: Option<Content<'a>>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) finish_message: Option<Str<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow, default)]
    pub(super) parts: Option<Vec<Part<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<Str<'a>>,
    #[serde(default)]
    pub(super) thought: Option<bool>,
    #[serde(borrow, default)]
    pub(super) thought_signature: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) function_call: Option<FunctionCall<'a>>,
    #[serde(default)]
    pub(super) executable_code: Option<Value>,
    #[serde(default)]
    pub(super) code_execution_result: Option<Value>,
    #[serde(default)]
    pub(super) inline_data: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct FunctionCall<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) name: Option<Str<'a>>,
    #[serde(default)]
    pub(super) args: Option<Value>,
}

/// Tokens so far. The counts of the last chunk that has any hold.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Counts {
    #[serde(deserialize_with = "count")]
    pub(super) prompt_token_count: Option<u64>,
    #[serde(deserialize_with = "count")]
    pub(super) tool_use_prompt_token_count: Option<u64>,
    #[serde(deserialize_with = "count")]
    pub(super) cached_content_token_count: Option<u64>,
    #[serde(deserialize_with = "count")]
    pub(super) candidates_token_count: Option<u64>,
    #[serde(deserialize_with = "count")]
    pub(super) thoughts_token_count: Option<u64>,
}

impl Counts {
    pub(super) fn replace(&mut self, newer: Counts) {
        self.prompt_token_count = newer.prompt_token_count.or(self.prompt_token_count);
        self.tool_use_prompt_token_count = newer.tool_use_prompt_token_count.or(self.tool_use_prompt_token_count);
        self.cached_content_token_count = newer.cached_content_token_count.or(self.cached_content_token_count);
        self.candidates_token_count = newer.candidates_token_count.or(self.candidates_token_count);
        self.thoughts_token_count = newer.thoughts_token_count.or(self.thoughts_token_count);
    }

    /// The provider's count of the reply is without its thoughts; that of the prompt is with what was cached.
    pub(super) fn usage(self) -> Usage {
        let prompt = self.prompt_token_count.unwrap_or(0);
        let reasoning = self.thoughts_token_count.unwrap_or(0);
        Usage {
            input: prompt.saturating_add(self.tool_use_prompt_token_count.unwrap_or(0)),
            cached: self.cached_content_token_count.unwrap_or(0),
            cache_write: 0,
            output: self.candidates_token_count.unwrap_or(0).saturating_add(reasoning),
            reasoning,
        }
    }
}
