//! What is asked of a model.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{Error, Message, Part, Result, Role, Text};

/// Most stop sequences: what the strictest provider takes.
pub const STOP_MAX: usize = 4;

/// A tool that the model may ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tool {
    /// Letters, digits, `_` and `-`; at most 64.
    pub name: String,
    /// When to use it and what it gives.
    pub description: String,
    /// JSON Schema of its input; an object.
    pub input: Value,
}

impl Tool {
    /// A tool.
    pub fn new(name: impl Into<String>, description: impl Into<String>, input: Value) -> Self {
        Tool { name: name.into(), description: description.into(), input }
    }
}

/// Whether the model must use a tool.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolChoice {
    /// It decides.
    #[default]
    Auto,
    /// It must not.
    None,
    /// It must use one.
    Required,
    /// It must use this one.
    Named(String),
}

/// A JSON Schema that the reply is to follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OutputSchema {
    /// Letters, digits, `_` and `-`; at most 64.
    pub name: String,
    /// The schema in full. What a provider cannot take is taken out on the way, and reported.
    pub schema: Value,
}

impl OutputSchema {
    /// A schema under a name.
    pub fn new(name: impl Into<String>, schema: Value) -> Self {
        OutputSchema { name: name.into(), schema }
    }
}

/// How hard a reasoning model thinks before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Effort {
    /// As little as it can.
    Minimal,
    /// A little.
    Low,
    /// As much as is usual.
    Medium,
    /// A lot.
    High,
}

/// How the reply is to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Delivery {
    /// Piece by piece, as it is made.
    #[default]
    Streamed,
    /// In one piece. It costs less, and nothing is shown that may be taken back.
    Whole,
}

/// What is asked of a model. `Debug` shows no text, no picture, no opaque part and no value of [`extra`](Self::extra).
///
/// What is not set is left to the provider. A clone shares all texts.
///
/// ```
/// use std::time::Duration;
///
/// use career_llm::{ChatRequest, Message};
///
/// let request = ChatRequest::user("Which careers use botany?")
///     .with_system("You are a career counsellor. Answer in two sentences.")
///     .with_max_output_tokens(200)
///     .within(Duration::from_secs(20));
/// assert_eq!(request.messages, [Message::user("Which careers use botany?")]);
/// ```
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ChatRequest {
    /// Who the model is to be and what it must keep to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<Text>,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// Tools that the model may ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Whether it must.
    #[serde(default)]
    pub tool_choice: ToolChoice,
    /// The schema that the reply is to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputSchema>,
    /// Most tokens of the reply, above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// 0 (the likeliest word) to 2 (anything). Models that take none are not sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// Only words of this share of probability, above 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f32>,
    /// Texts that end the reply; at most [`STOP_MAX`], none empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<Text>,
    /// How hard to think.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// For replies that repeat, where a provider can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// On whose behalf: an opaque id, never a name. Layers limit and bill by it; it is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// How the reply is to arrive.
    #[serde(default)]
    pub delivery: Delivery,
    /// Fields for one provider's body, by its name: they are put in as they are, in place of what is there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Map<String, Value>>,
    /// When the reply must be there in full.
    #[serde(skip)]
    pub deadline: Option<Instant>,
}

impl ChatRequest {
    /// Nothing asked yet.
    pub fn new() -> Self {
        ChatRequest::default()
    }

    /// One question.
    pub fn user(text: impl Into<Text>) -> Self {
        ChatRequest::new().with(Message::user(text))
    }

    /// A conversation so far.
    pub fn conversation(messages: impl IntoIterator<Item = Message>) -> Self {
        ChatRequest { messages: messages.into_iter().collect(), ..ChatRequest::default() }
    }

    /// One more turn.
    #[must_use]
    pub fn with(mut self, message: Message) -> Self {
        self.messages.push(message);
        self
    }

    /// Who the model is to be.
    #[must_use]
    pub fn with_system(mut self, text: impl Into<Text>) -> Self {
        self.system = Some(text.into());
        self
    }

    /// One more tool.
    #[must_use]
    pub fn with_tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Whether the model must use one.
    #[must_use]
    pub fn with_tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = choice;
        self
    }

    /// The schema that the reply is to follow.
    #[must_use]
    pub fn with_output(mut self, schema: OutputSchema) -> Self {
        self.output = Some(schema);
        self
    }

    /// Most tokens of the reply.
    #[must_use]
    pub fn with_max_output_tokens(mut self, tokens: u32) -> Self {
        self.max_output_tokens = Some(tokens);
        self
    }

    /// 0 to 2.
    #[must_use]
    pub fn with_temperature(mut self, temperature: f32) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Above 0 to 1.
    #[must_use]
    pub fn with_top_p(mut self, share: f32) -> Self {
        self.top_p = Some(share);
        self
    }

    /// One more text that ends the reply.
    #[must_use]
    pub fn with_stop(mut self, text: impl Into<Text>) -> Self {
        self.stop.push(text.into());
        self
    }

    /// How hard to think.
    #[must_use]
    pub fn with_effort(mut self, effort: Effort) -> Self {
        self.effort = Some(effort);
        self
    }

    /// For replies that repeat.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// On whose behalf: an opaque id.
    #[must_use]
    pub fn on_behalf_of(mut self, id: impl Into<String>) -> Self {
        self.on_behalf_of = Some(id.into());
        self
    }

    /// How the reply is to arrive.
    #[must_use]
    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// A field for one provider's body.
    #[must_use]
    pub fn with_extra(mut self, provider: impl Into<String>, field: impl Into<String>, value: Value) -> Self {
        self.extra.entry(provider.into()).or_default().insert(field.into(), value);
        self
    }

    /// The reply must be there in full so long from now. Longer than the clock goes is no deadline.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.deadline = Instant::now().checked_add(time);
        self
    }

    /// How long is left; `None` without a deadline, zero when it has passed.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Checks what every provider would refuse.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), for nowhere: no turn, an empty turn, a number out of its
    /// range, too many or empty stop texts, a name of a tool or schema that is none, a tool twice or unknown, a
    /// result without its call.
    pub fn check(&self) -> Result<()> {
        let invalid = |message: &str| Err(Error::invalid(message));
        if self.messages.is_empty() {
            return invalid("expected at least one message");
        }
        if self.max_output_tokens == Some(0) {
            return invalid("max_output_tokens: expected above 0");
        }
        if self.temperature.is_some_and(|t| !(0.0..=2.0).contains(&t)) {
            return invalid("temperature: expected 0 to 2");
        }
        if self.top_p.is_some_and(|p| !(p > 0.0 && p <= 1.0)) {
            return invalid("top_p: expected above 0 to 1");
        }
        if self.stop.len() > STOP_MAX || self.stop.iter().any(|text| text.is_empty()) {
            return invalid("stop: expected at most 4 texts, none empty");
        }
        let mut names = std::collections::BTreeSet::new();
        for (at, tool) in self.tools.iter().enumerate() {
            if !is_name(&tool.name) || !names.insert(tool.name.as_str()) {
                return Err(Error::invalid(format!(
                    "tools[{at}].name: expected 1 to 64 of letters, digits, `_`, `-`, each name once"
                )));
            }
            if !tool.input.is_object() {
                return Err(Error::invalid(format!("tools[{at}].input: expected a schema of an object")));
            }
        }
        match &self.tool_choice {
            ToolChoice::Required if self.tools.is_empty() => return invalid("tool_choice: there is no tool"),
            ToolChoice::Named(name) if !names.contains(name.as_str()) => return invalid("tool_choice: no such tool"),
            _ => {}
        }
        if self.output.as_ref().is_some_and(|output| !is_name(&output.name) || !output.schema.is_object()) {
            return invalid("output: expected a schema under a name of 1 to 64 letters, digits, `_`, `-`");
        }
        self.check_messages()
    }

    fn check_messages(&self) -> Result<()> {
        let mut called = std::collections::BTreeSet::new();
        for (at, message) in self.messages.iter().enumerate() {
            let wrong = |what: &str| Err(Error::invalid(format!("messages[{at}]: {what}")));
            if message.parts.is_empty() {
                return wrong("expected at least one part");
            }
            for part in &message.parts {
                match (part, message.role) {
                    (Part::ToolCall(call), Role::Assistant) => {
                        called.insert(call.id.as_str());
                    }
                    (Part::ToolCall(_) | Part::Opaque(_), Role::User) => return wrong("only the model says this"),
                    (Part::ToolResult(_) | Part::Image(_), Role::Assistant) => return wrong("only the user says this"),
                    (Part::ToolResult(result), Role::User) if !called.contains(result.call.as_str()) => {
                        return wrong("the result of a call that is not before it");
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for ChatRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // By name, so that a field that is added cannot be forgotten.
        let ChatRequest {
            system,
            messages,
            tools,
            tool_choice,
            output,
            max_output_tokens,
            temperature,
            top_p,
            stop,
            effort,
            seed,
            on_behalf_of,
            delivery,
            extra,
            deadline,
        } = self;
        // A host may put anything there: a prompt, a person, a key of a tool.
        let extra: BTreeMap<&String, Vec<&String>> =
            extra.iter().map(|(provider, fields)| (provider, fields.keys().collect())).collect();
        f.debug_struct("ChatRequest")
            .field("system", system)
            .field("messages", messages)
            .field("tools", tools)
            .field("tool_choice", tool_choice)
            .field("output", output)
            .field("max_output_tokens", max_output_tokens)
            .field("temperature", temperature)
            .field("top_p", top_p)
            .field("stop", stop)
            .field("effort", effort)
            .field("seed", seed)
            .field("on_behalf_of", on_behalf_of)
            .field("delivery", delivery)
            .field("extra", &extra)
            .field("deadline", deadline)
            .finish()
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::{Image, ImageData, Opaque, Scope, ToolCall, ToolResult};

    #[test]
    fn what_every_provider_would_refuse_is_refused_here_and_nowhere_sent() {
        let ok = ChatRequest::user("hi");
        let call = ToolCall::new("1", "look", "{}");
        let wrong = [
            (ChatRequest::new(), "expected at least one message"),
            (ok.clone().with_temperature(f32::NAN), "temperature"),
            (ok.clone().with_top_p(0.0), "top_p"),
            (ok.clone().with_max_output_tokens(0), "max_output_tokens"),
            (ok.clone().with_stop(""), "stop"),
            (ok.clone().with_tool(Tool::new("a b", "", json!({}))), "tools[0].name"),
            (ok.clone().with_tool(Tool::new("a", "", json!(1))), "tools[0].input"),
            (ok.clone().with_tool_choice(ToolChoice::Required), "tool_choice"),
            (ok.clone().with(Message::new(Role::User, vec![Part::ToolCall(call.clone())])), "messages[1]"),
            (ok.clone().with(Message::tool_results([ToolResult::of(&call, "")])), "messages[1]"),
            (ok.clone().with_output(OutputSchema::new("", json!({}))), "output"),
        ];
        assert!(ok.check().is_ok());
        for (request, place) in wrong {
            let error = request.check().expect_err(place);
            assert!(error.to_string().contains(place), "{error}");
            assert_eq!(error.advice().scope, Scope::Nowhere);
        }
    }

    #[test]
    fn more_time_than_the_clock_has_is_no_deadline() {
        assert_eq!(ChatRequest::user("hi").within(Duration::MAX).time_left(), None);
        assert!(ChatRequest::user("hi").within(Duration::from_secs(9)).time_left().is_some());
    }

    #[test]
    fn a_request_survives_json_and_its_debug_is_silent() {
        let picture = Image::Bytes { media_type: "image/png".into(), data: ImageData(Bytes::from_static(b"secret")) };
        let request = ChatRequest::user("secret")
            .with_system("secret")
            .with_stop("secret")
            .with_extra("x", "user", json!("secret"))
            .with(Message::new(Role::User, vec![Part::Image(picture)]))
            .with(Message::new(Role::Assistant, vec![Part::Opaque(Opaque::new("x", json!("secret")))]));
        assert!(!format!("{request:?}").contains("secret"), "{request:?}");
        let back: ChatRequest = serde_json::from_value(serde_json::to_value(&request).expect("JSON")).expect("back");
        assert_eq!(back, request);
    }
}
