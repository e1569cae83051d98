//! A request as the body of Responses.

use std::borrow::Cow;
use std::sync::Arc;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::schema::Dialect;
use crate::wire::Encoded;
use crate::wire::asked::{self, tool_input};
use crate::wire::openai::body::{self, Address, Fields, Given, Joined};
use crate::wire::openai::families;
use crate::{ChatRequest, Delivery, Error, ErrorKind, Message, Part, Result, Role, Text, Tool, ToolChoice};

pub(super) fn encode(request: &ChatRequest, model: &str, provider: &str) -> Result<Encoded> {
    if !request.stop.is_empty() {
        return Err(Error::new(ErrorKind::Unsupported, "stop: this protocol takes no texts that end the reply"));
    }
    let asked = asked::ask(request.output.as_ref(), Some(Dialect::OpenAiStrict));
    let system = asked::system(request, asked.words);
    let body = Body { request, model, provider, system: system.as_deref(), schema: asked.schema.as_ref() };
    let mut encoded = Encoded::new("/responses", body::write(&body, request)?);
    encoded.schema = asked.report.map(Arc::new);
    Ok(encoded)
}

struct Body<'a> {
    request: &'a ChatRequest,
    model: &'a str,
    provider: &'a str,
    system: Option<&'a str>,
    schema: Option<&'a Value>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = self.request;
        let takes = families::takes(self.model);
        let streamed = request.delivery == Delivery::Streamed;
        let effort = request.effort.and_then(|effort| takes.effort(effort, false));
        let mut fields = Fields::new(serializer.serialize_map(None)?, request.extra.get(self.provider));
        fields.put("model", self.model)?;
        fields.put_some("instructions", self.system)?;
        fields.put("input", &Items(self))?;
        if !request.tools.is_empty() {
            fields.put("tools", &Tools(&request.tools))?;
            fields.put_some("tool_choice", choice(&request.tool_choice))?;
        }
        if let (Some(schema), Some(output)) = (self.schema, &request.output) {
            let format = Format { kind: "json_schema", name: &output.name, strict: true, schema };
            fields.put("text", &Words { format })?;
        }
        fields.put_some("reasoning", effort.map(|effort| Reasoning { effort }))?;
        // A model that does not think refuses to be asked for its thoughts.
        if takes.thinks.unwrap_or(effort.is_some()) {
            fields.put("include", &["reasoning.encrypted_content"])?;
        }
        fields.put_some("max_output_tokens", request.max_output_tokens)?;
        if takes.sampling {
            fields.put_some("temperature", request.temperature)?;
            fields.put_some("top_p", request.top_p)?;
        }
        fields.put("store", &false)?;
        fields.put("stream", &streamed)?;
        if streamed {
            fields.put("stream_options", &Options { include_obfuscation: false })?;
        }
        fields.end()
    }
}

struct Items<'a>(&'a Body<'a>);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(None)?;
        for turns in self.0.request.messages.chunk_by(|one, next| one.role == next.role) {
            results(turns, &mut items)?;
            for message in turns {
                match message.role {
                    Role::User => user(message, &mut items)?,
                    Role::Assistant => assistant(message, self.0.provider, &mut items)?,
                }
            }
        }
        items.end()
    }
}

/// What tools gave. It comes right after the calls, whatever else the person says, and in however many turns.
fn results<S: SerializeSeq>(turns: &[Message], items: &mut S) -> Result<(), S::Error> {
    for part in turns.iter().flat_map(|message| &message.parts) {
        if let Part::ToolResult(result) = part {
            let call_id = &result.call;
            items.serialize_element(&Output { kind: "function_call_output", call_id, output: Given(result) })?;
        }
    }
    Ok(())
}

/// What the person says.
fn user<S: SerializeSeq>(message: &Message, items: &mut S) -> Result<(), S::Error> {
    if message.parts.iter().any(|part| matches!(part, Part::Image(_))) {
        items.serialize_element(&Turn { role: "user", content: Mixed(&message.parts) })?;
    } else if message.parts.iter().any(|part| matches!(part, Part::Text(_))) {
        items.serialize_element(&Turn { role: "user", content: Joined(&message.parts) })?;
    }
    Ok(())
}

/// What the model said, item by item: its thoughts stand before what came of them.
fn assistant<S: SerializeSeq>(message: &Message, provider: &str, items: &mut S) -> Result<(), S::Error> {
    for part in &message.parts {
        match part {
            Part::Text(_) => {
                items.serialize_element(&Turn { role: "assistant", content: Joined(std::slice::from_ref(part)) })?;
            }
            Part::ToolCall(call) => items.serialize_element(&Call {
                kind: "function_call",
                call_id: &call.id,
                name: &call.name,
                arguments: body::input(&call.input),
            })?,
            // Only an item is one of this protocol's; others of this provider are of its other protocol.
            Part::Opaque(opaque) if opaque.provider == provider && opaque.value["type"].is_string() => {
                items.serialize_element(&opaque.value)?;
            }
            _ => {}
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct Turn<T> {
    role: &'static str,
    content: T,
}

struct Mixed<'a>(&'a [Part]);

impl Serialize for Mixed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().filter_map(|part| match part {
            Part::Text(text) => Some(Piece::InputText { text }),
            Part::Image(image) => Some(Piece::InputImage { image_url: Address(image) }),
            _ => None,
        }))
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Piece<'a> {
    InputText { text: &'a Text },
    InputImage { image_url: Address<'a> },
}

#[derive(Serialize)]
struct Call<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    call_id: &'a str,
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct Output<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    call_id: &'a str,
    output: Given<'a>,
}

struct Tools<'a>(&'a [Tool]);

impl Serialize for Tools<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|tool| Function {
            kind: "function",
            name: &tool.name,
            description: &tool.description,
            parameters: tool_input(&tool.input),
            strict: false,
        }))
    }
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    parameters: Cow<'a, Value>,
    /// Unsaid it would be true, and the schema of a host's tool is rarely of the strict dialect.
    strict: bool,
}

fn choice(choice: &ToolChoice) -> Option<Choice<'_>> {
    match choice {
        ToolChoice::Auto => None,
        ToolChoice::None => Some(Choice::Word("none")),
        ToolChoice::Required => Some(Choice::Word("required")),
        ToolChoice::Named(name) => Some(Choice::Function { kind: "function", name }),
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Choice<'a> {
    Word(&'static str),
    Function {
        #[serde(rename = "type")]
        kind: &'static str,
        name: &'a str,
    },
}

#[derive(Serialize)]
struct Words<'a> {
    format: Format<'a>,
}

#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    strict: bool,
    schema: &'a Value,
}

#[derive(Serialize)]
struct Reasoning {
    effort: &'static str,
}

#[derive(Serialize)]
struct Options {
    include_obfuscation: bool,
}
