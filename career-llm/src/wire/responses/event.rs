//! Events of Responses, and a whole response, as they come: borrowed, and of any shape.

use serde::Deserialize;
use serde_json::Value;

use crate::Usage;
use crate::wire::openai::loose::{Count, Json, List, Object, Present, Word};
use crate::wire::openai::tally::{InputDetails, OutputDetails};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Word<'a>,
    pub(super) output_index: Count,
    pub(super) summary_index: Count,
    #[serde(borrow)]
    pub(super) delta: Word<'a>,
    #[serde(borrow)]
    pub(super) arguments: Json<'a>,
    #[serde(borrow)]
    pub(super) item: Object<Item<'a>>,
    #[serde(borrow)]
    pub(super) response: Object<Response<'a>>,
    pub(super) error: Present,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) model: Word<'a>,
    #[serde(borrow)]
    pub(super) status: Word<'a>,
    pub(super) error: Object<Failure>,
    #[serde(borrow)]
    pub(super) incomplete_details: Object<Details<'a>>,
    #[serde(borrow)]
    pub(super) output: Option<List<Item<'a>>>,
    pub(super) usage: Object<Tally>,
}

/// What failed, for the one who reads failures.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Failure {
    code: Value,
    #[serde(rename = "type")]
    class: Value,
    message: Value,
}

impl Failure {
    pub(super) fn into_value(self) -> Value {
        serde_json::json!({ "code": self.code, "type": self.class, "message": self.message })
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Details<'a> {
    #[serde(borrow)]
    pub(super) reason: Word<'a>,
}

/// A message, a call of a tool, a thought, or what else there may be.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Item<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Word<'a>,
    #[serde(borrow)]
    pub(super) call_id: Word<'a>,
    #[serde(borrow)]
    pub(super) name: Word<'a>,
    #[serde(borrow)]
    pub(super) arguments: Json<'a>,
    #[serde(borrow)]
    pub(super) content: List<Piece<'a>>,
    #[serde(borrow)]
    pub(super) summary: List<Piece<'a>>,
    pub(super) encrypted_content: Present,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Piece<'a> {
    #[serde(borrow)]
    pub(super) text: Word<'a>,
    #[serde(borrow)]
    pub(super) refusal: Word<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Tally {
    input_tokens: Count,
    output_tokens: Count,
    input_tokens_details: Object<InputDetails>,
    output_tokens_details: Object<OutputDetails>,
}

impl Tally {
    /// The usage; `None` when it says nothing.
    pub(super) fn usage(&self) -> Option<Usage> {
        if self.input_tokens.0.is_none() && self.output_tokens.0.is_none() {
            return None;
        }
        let of = |count: Count| count.0.unwrap_or(0);
        let mut usage = Usage::new(of(self.input_tokens), of(self.output_tokens));
        if let Some(details) = &self.input_tokens_details.0 {
            usage.cached = of(details.cached_tokens);
            usage.cache_write = of(details.cache_write_tokens);
        }
        usage.reasoning = self.output_tokens_details.0.as_ref().map_or(0, |details| of(details.reasoning_tokens));
        Some(usage)
    }
}

/// The item of an event as it is, to be sent back.
#[derive(Deserialize)]
pub(super) struct RawItem {
    pub(super) item: Value,
}

/// The items of a response as they are.
#[derive(Deserialize)]
pub(super) struct RawOutput {
    pub(super) output: Vec<Value>,
}
