//! A request as the body of Chat Completions.

use std::borrow::Cow;
use std::sync::Arc;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{EffortField, Images, Quirks, Schemas, StreamOptions};
use crate::schema::Dialect;
use crate::wire::Encoded;
use crate::wire::asked::{self, tool_input};
use crate::wire::openai::body::{self, Address, Fields, Given, Joined};
use crate::wire::openai::families;
use crate::{ChatRequest, Delivery, Error, ErrorKind, Image, Message, Part, Result, Role, Text, Tool, ToolChoice};

pub(super) fn encode(request: &ChatRequest, model: &str, provider: &str, quirks: &Quirks) -> Result<Encoded> {
    check(request, quirks)?;
    let dialect = match quirks.schemas {
        Schemas::Strict => Some(Dialect::OpenAiStrict),
        Schemas::Full => Some(Dialect::Full),
        Schemas::Json | Schemas::Prompted => None,
    };
    let asked = asked::ask(request.output.as_ref(), dialect);
    let system = asked::system(request, asked.words);
    let encoded =
        body::write(&Body { request, model, provider, quirks, system, schema: asked.schema.as_ref() }, request)?;
    let mut encoded = Encoded::new("/chat/completions", encoded);
    encoded.schema = asked.report.map(Arc::new);
    Ok(encoded)
}

/// What this server cannot be told at all.
fn check(request: &ChatRequest, quirks: &Quirks) -> Result<()> {
    let unsupported = |what: &str| Err(Error::new(ErrorKind::Unsupported, what));
    if !quirks.stop && !request.stop.is_empty() {
        return unsupported("stop: this provider takes no texts that end the reply");
    }
    let parts = || request.messages.iter().flat_map(|message| &message.parts);
    match quirks.images {
        Images::None if parts().any(|part| matches!(part, Part::Image(_))) => {
            unsupported("this provider takes no pictures")
        }
        Images::Inline if parts().any(|part| matches!(part, Part::Image(Image::Url(_)))) => {
            unsupported("this provider fetches no pictures: send their bytes")
        }
        _ => Ok(()),
    }
}

struct Body<'a> {
    request: &'a ChatRequest,
    model: &'a str,
    provider: &'a str,
    quirks: &'a Quirks,
    system: Option<Cow<'a, str>>,
    schema: Option<&'a Value>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Body { request, quirks, .. } = self;
        let streamed = request.delivery == Delivery::Streamed;
        let takes = families::takes(self.model);
        let mut fields = Fields::new(serializer.serialize_map(None)?, request.extra.get(self.provider));
        fields.put("model", self.model)?;
        fields.put("messages", &Messages(self))?;
        if !request.tools.is_empty() {
            fields.put("tools", &Tools(&request.tools))?;
            fields.put_some("tool_choice", choice(&request.tool_choice))?;
        }
        fields.put_some("response_format", self.format())?;
        fields.put_some(quirks.token_limit, request.max_output_tokens)?;
        if takes.sampling {
            fields.put_some("temperature", request.temperature)?;
            fields.put_some("top_p", request.top_p)?;
        }
        if !request.stop.is_empty() {
            fields.put("stop", &request.stop)?;
        }
        if let Some(field) = quirks.seed {
            fields.put_some(field, request.seed)?;
        }
        let effort = request.effort.and_then(|effort| takes.effort(effort, quirks.minimal_effort));
        match quirks.effort {
            EffortField::Unsent => {}
            EffortField::Flat => fields.put_some("reasoning_effort", effort)?,
            EffortField::Nested => fields.put_some("reasoning", effort.map(|effort| Nested { effort }))?,
        }
        fields.put("stream", &streamed)?;
        match quirks.stream_options {
            _ if !streamed => {}
            StreamOptions::Unsent => {}
            StreamOptions::Usage => {
                fields.put("stream_options", &Options { include_usage: true, include_obfuscation: None })?;
            }
            StreamOptions::UsageUnpadded => {
                fields.put("stream_options", &Options { include_usage: true, include_obfuscation: Some(false) })?;
            }
        }
        fields.end()
    }
}

impl Body<'_> {
    fn format(&self) -> Option<Format<'_>> {
        let output = self.request.output.as_ref()?;
        match (self.schema, self.quirks.schemas) {
            (Some(schema), schemas) => {
                let strict = (schemas == Schemas::Strict).then_some(true);
                Some(Format::JsonSchema { json_schema: Named { name: &output.name, strict, schema } })
            }
            // It holds the model to an object, so it would be wrong for anything else.
            (None, Schemas::Json) if output.schema["type"] == "object" => Some(Format::JsonObject),
            (None, _) => None,
        }
    }

    /// An id of a tool call that this server takes: the same for the call and its result.
    fn call_id<'b>(&self, id: &'b str) -> Cow<'b, str> {
        if !self.quirks.short_call_ids || (id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            return Cow::Borrowed(id);
        }
        let hash = Sha256::digest(id.as_bytes());
        Cow::Owned(hash.iter().take(9).map(|byte| char::from(b'a' + byte % 26)).collect())
    }
}

struct Messages<'a>(&'a Body<'a>);

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let body = self.0;
        let mut turns = serializer.serialize_seq(None)?;
        if let Some(system) = &body.system {
            turns.serialize_element(&System { role: body.quirks.system.name(), content: system })?;
        }
        for same in body.request.messages.chunk_by(|one, next| one.role == next.role) {
            // Results come right after the calls, whatever else the person says, and in however many turns.
            for part in same.iter().flat_map(|message| &message.parts) {
                if let Part::ToolResult(result) = part {
                    let tool_call_id = body.call_id(&result.call);
                    turns.serialize_element(&Tooled { role: "tool", tool_call_id, content: Given(result) })?;
                }
            }
            for message in same {
                match message.role {
                    Role::Assistant => {
                        if let Some(turn) = said(body, message) {
                            turns.serialize_element(&turn)?;
                        }
                    }
                    Role::User => {
                        if let Some(content) = content(&message.parts) {
                            turns.serialize_element(&User { role: "user", content })?;
                        }
                    }
                }
            }
        }
        turns.end()
    }
}

#[derive(Serialize)]
struct System<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct User<'a> {
    role: &'static str,
    content: Content<'a>,
}

#[derive(Serialize)]
struct Tooled<'a> {
    role: &'static str,
    tool_call_id: Cow<'a, str>,
    content: Given<'a>,
}

#[derive(Serialize)]
struct Assistant<'a> {
    role: &'static str,
    content: Option<Joined<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<Calls<'a>>,
}

/// A turn of the model, unless nothing of it is for this server.
fn said<'a>(body: &'a Body<'a>, message: &'a Message) -> Option<Assistant<'a>> {
    let has = |is: fn(&Part) -> bool| message.parts.iter().any(is);
    let text = has(|part| matches!(part, Part::Text(_)));
    let calls = has(|part| matches!(part, Part::ToolCall(_)));
    let mut opaque = message.parts.iter().filter_map(|part| match part {
        Part::Opaque(opaque) if opaque.provider == body.provider => opaque.value["reasoning_content"].as_str(),
        _ => None,
    });
    (text || calls).then(|| Assistant {
        role: "assistant",
        content: text.then_some(Joined(&message.parts)),
        reasoning_content: opaque.next().filter(|_| body.quirks.reasoning_back),
        tool_calls: calls.then_some(Calls(body, &message.parts)),
    })
}

/// What the person says; `None` when these are only results of tools.
fn content(parts: &[Part]) -> Option<Content<'_>> {
    if parts.iter().any(|part| matches!(part, Part::Image(_))) {
        Some(Content::Mixed(parts))
    } else if parts.iter().any(|part| matches!(part, Part::Text(_))) {
        Some(Content::Words(Joined(parts)))
    } else {
        None
    }
}

enum Content<'a> {
    Words(Joined<'a>),
    Mixed(&'a [Part]),
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = match self {
            Content::Words(words) => return words.serialize(serializer),
            Content::Mixed(parts) => parts,
        };
        serializer.collect_seq(parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(Piece::Text { text }),
            Part::Image(image) => Some(Piece::ImageUrl { image_url: Url { url: Address(image) } }),
            _ => None,
        }))
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Piece<'a> {
    Text { text: &'a Text },
    ImageUrl { image_url: Url<'a> },
}

#[derive(Serialize)]
struct Url<'a> {
    url: Address<'a>,
}

struct Calls<'a>(&'a Body<'a>, &'a [Part]);

impl Serialize for Calls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(Call {
                id: self.0.call_id(&call.id),
                kind: "function",
                function: Called { name: &call.name, arguments: body::input(&call.input) },
            }),
            _ => None,
        }))
    }
}

#[derive(Serialize)]
struct Call<'a> {
    id: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Called<'a>,
}

#[derive(Serialize)]
struct Called<'a> {
    name: &'a str,
    arguments: &'a str,
}

struct Tools<'a>(&'a [Tool]);

impl Serialize for Tools<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|tool| Offered {
            kind: "function",
            function: Function {
                name: &tool.name,
                description: &tool.description,
                parameters: tool_input(&tool.input),
            },
        }))
    }
}

#[derive(Serialize)]
struct Offered<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    parameters: Cow<'a, Value>,
}

fn choice(choice: &ToolChoice) -> Option<Choice<'_>> {
    match choice {
        ToolChoice::Auto => None,
        ToolChoice::None => Some(Choice::Word("none")),
        ToolChoice::Required => Some(Choice::Word("required")),
        ToolChoice::Named(name) => Some(Choice::Function { kind: "function", function: Name { name } }),
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Choice<'a> {
    Word(&'static str),
    Function {
        #[serde(rename = "type")]
        kind: &'static str,
        function: Name<'a>,
    },
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format<'a> {
    JsonSchema { json_schema: Named<'a> },
    JsonObject,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
    schema: &'a Value,
}

#[derive(Serialize)]
struct Nested {
    effort: &'static str,
}

#[derive(Serialize)]
struct Options {
    include_usage: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_obfuscation: Option<bool>,
}
