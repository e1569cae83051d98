//! Tokens: how many a request has, and how a conversation is kept within them.

mod estimate;
#[cfg(feature = "tiktoken")]
mod exact;
mod trim;

pub use trim::{Prioritized, Trimmed, trim};

use crate::{ChatRequest, Image, Message, ModelId, Part, Tool};

/// Tokens of a picture: what the largest costs at Anthropic. At OpenAI it is at most 1,445, at Gemini 1,120.
const IMAGE: u64 = 1600;

/// Tokens around a message: its role and its limits.
const MESSAGE: u64 = 4;

/// Tokens with which a reply begins.
const REPLY: u64 = 3;

/// Tokens around a tool, a call of one and its result, besides their words: names of fields and quotes.
const TOOL: u64 = 12;

/// Tokens of the instructions on tools that Anthropic puts before the system text.
const TOOLS_ANTHROPIC: u64 = 350;

/// Counts tokens as a model does.
///
/// With the feature `tiktoken`, text for OpenAI's models of known encodings (up to GPT-5, and GPT-OSS wherever it is
/// served) is counted exactly. All other text is estimated: for prose in English and Hindi, source code, JSON and
/// emoji, the estimate is at most a tenth below what OpenAI's encodings `cl100k` and `o200k` give, and mostly above:
/// by half in English, up to five times in the scripts of India, where tokenizers differ most. It can be further below
/// for text that is none, such as keys and base64; [`at_most`](TokenCounter::at_most) never is.
///
/// What stands around the text is not published by most providers and counted by rule: 4 tokens for a message and 3
/// for the beginning of the reply; 12 for a tool, a call and a result besides their texts; 350 once for tools at
/// Anthropic; 1,600 for a picture; a schema as its JSON. So a count of a request is close, and not a bill.
///
/// ```
/// use career_llm::tokens::TokenCounter;
/// use career_llm::{ChatRequest, ModelId};
///
/// let counter = TokenCounter::new(&ModelId::new("gemini", "gemini-3.8-flash"));
/// assert!(!counter.is_exact());
/// assert_eq!(counter.text("Which careers use botany?"), 8);
/// assert_eq!(counter.request(&ChatRequest::user("Which careers use botany?")), 15);
/// ```
#[derive(Debug, Clone)]
pub struct TokenCounter {
    model: ModelId,
    #[cfg(feature = "tiktoken")]
    encoding: Option<exact::Encoding>,
}

impl TokenCounter {
    /// Counts as this model does.
    pub fn new(model: &ModelId) -> Self {
        TokenCounter {
            model: model.clone(),
            #[cfg(feature = "tiktoken")]
            encoding: exact::Encoding::of(&model.model),
        }
    }

    /// Whether text is counted, not estimated.
    pub fn is_exact(&self) -> bool {
        #[cfg(feature = "tiktoken")]
        return self.encoding.is_some();
        #[cfg(not(feature = "tiktoken"))]
        return false;
    }

    /// Tokens of a text.
    pub fn text(&self, text: &str) -> u64 {
        #[cfg(feature = "tiktoken")]
        if let Some(count) = self.encoding.and_then(|encoding| encoding.count(text)) {
            return count;
        }
        estimate::estimate(text)
    }

    /// What no tokenizer in use exceeds for a text: its bytes.
    pub fn at_most(&self, text: &str) -> u64 {
        estimate::bound(text)
    }

    /// Tokens of a message, with what stands around it.
    pub fn message(&self, message: &Message) -> u64 {
        MESSAGE + message.parts.iter().map(|part| self.part(part)).sum::<u64>()
    }

    /// Tokens of a request.
    pub fn request(&self, request: &ChatRequest) -> u64 {
        self.around(request) + request.messages.iter().map(|message| self.message(message)).sum::<u64>()
    }

    /// Tokens of a request without its messages: the system text, tools, the schema and the beginning of the reply.
    pub(crate) fn around(&self, request: &ChatRequest) -> u64 {
        let system = request.system.as_ref().map_or(0, |system| MESSAGE + self.text(system));
        let tools: u64 = request.tools.iter().map(|tool| self.tool(tool)).sum();
        let anthropic = !request.tools.is_empty() && &*self.model.provider == "anthropic";
        let schema = request.output.as_ref().map_or(0, |output| self.text(&output.schema.to_string()));
        REPLY + system + tools + schema + if anthropic { TOOLS_ANTHROPIC } else { 0 }
    }

    fn tool(&self, tool: &Tool) -> u64 {
        TOOL + self.text(&tool.name) + self.text(&tool.description) + self.text(&tool.input.to_string())
    }

    fn part(&self, part: &Part) -> u64 {
        match part {
            Part::Text(text) => self.text(text),
            Part::Image(Image::Bytes { .. } | Image::Url(_)) => IMAGE,
            Part::ToolCall(call) => TOOL + self.text(&call.name) + self.text(&call.input),
            Part::ToolResult(result) => TOOL + self.text(&result.name) + self.text(&result.content),
            // Other providers are not sent it.
            Part::Opaque(opaque) if *opaque.provider != *self.model.provider => 0,
            Part::Opaque(opaque) => self.text(&opaque.value.to_string()),
        }
    }
}

/// Tokens of a request at a model. Who counts more than once keeps a [`TokenCounter`].
pub fn count(request: &ChatRequest, model: &ModelId) -> u64 {
    TokenCounter::new(model).request(request)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Opaque, OutputSchema, Role, ToolCall, ToolResult};

    fn counter(provider: &str) -> TokenCounter {
        TokenCounter::new(&ModelId::new(provider, "some-model"))
    }

    #[test]
    fn everything_that_is_sent_counts() {
        let bare = ChatRequest::user("one two");
        let base = counter("x").request(&bare);
        assert_eq!(base, REPLY + MESSAGE + 2);
        let more = |request: ChatRequest| counter("x").request(&request) - base;
        assert_eq!(more(bare.clone().with_system("one two ten")), MESSAGE + 3);
        assert_eq!(more(bare.clone().with_output(OutputSchema::new("a", json!({})))), 1);
        let call = ToolCall::new("1", "look", "{}");
        let result = Message::tool_results([ToolResult::of(&call, "one two")]);
        let called = Message::new(Role::Assistant, vec![Part::ToolCall(call)]);
        assert_eq!(more(bare.clone().with(called).with(result)), 2 * (MESSAGE + TOOL + 1) + 1 + 2);
        let picture = Message::new(Role::User, vec![Part::Image(Image::Url("https://example.org/a.png".into()))]);
        assert_eq!(more(bare.with(picture)), MESSAGE + IMAGE);
    }

    #[test]
    fn tools_cost_more_at_anthropic_and_opaque_parts_only_at_their_own() {
        let tool = ChatRequest::user("x").with_tool(Tool::new("look", "one", json!({})));
        assert_eq!(counter("anthropic").request(&tool) - counter("x").request(&tool), TOOLS_ANTHROPIC);
        let thought = Message::new(Role::Assistant, vec![Part::Opaque(Opaque::new("a", json!("one")))]);
        assert_eq!((counter("b").message(&thought), counter("a").message(&thought)), (MESSAGE, MESSAGE + 3));
    }
}
