//! The request as a body.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};

use super::super::Encoded;
use super::super::asked::{ask, system, tool_input};
use super::super::families::Families;
use super::super::made::is_made;
use super::super::shared::{arguments, decimal, object, put_over, turns};
use super::NAME;
use crate::schema::Dialect;
use crate::{
    ChatRequest, Delivery, Effort, Error, ErrorKind, Image, Part, Result, Role, Text, ToolCall, ToolChoice, ToolResult,
};

/// What the models of each family take.
static MODELS: LazyLock<Families> = LazyLock::new(|| Families::read(include_str!("models.txt")));

/// The field of a signature, and of an opaque part that has one for the call after it.
pub(super) const SIGNATURE: &str = "thoughtSignature";

/// What the provider takes in place of the signature of a call that its model did not make.
const UNSIGNED: &str = "skip_thought_signature_validator";

/// What a model takes.
struct Takes {
    fields: &'static [&'static str],
}

impl Takes {
    fn of(model: &str) -> Self {
        Takes { fields: MODELS.of(model.rsplit('/').next().unwrap_or(model)) }
    }

    fn has_levels(&self) -> bool {
        self.fields.first() == Some(&"level")
    }

    fn schema_beside_tools(&self) -> bool {
        self.fields.get(5) == Some(&"both")
    }

    fn thinking(&self, effort: Effort) -> Option<Value> {
        let at = match effort {
            Effort::Minimal => 1,
            Effort::Low => 2,
            Effort::Medium => 3,
            Effort::High => 4,
        };
        let value = *self.fields.get(at)?;
        match *self.fields.first()? {
            "level" => Some(json!({"thinkingLevel": value})),
            "budget" => Some(json!({"thinkingBudget": value.parse::<u32>().ok()?})),
            _ => None,
        }
    }
}

pub(super) fn encode(request: &ChatRequest, model: &str) -> Result<Encoded> {
    let takes = Takes::of(model);
    let tools = !request.tools.is_empty() && request.tool_choice != ToolChoice::None;
    let native = !tools || takes.schema_beside_tools();
    let asked = ask(request.output.as_ref(), native.then_some(Dialect::Full));
    let mut body = Map::new();
    body.insert("contents".into(), contents(request, &takes)?);
    if let Some(system) = system(request, asked.words) {
        body.insert("systemInstruction".into(), json!({"parts": [{"text": system}]}));
    }
    if !request.tools.is_empty() {
        body.insert("tools".into(), json!([{"functionDeclarations": declarations(request)}]));
    }
    if let Some(config) = tool_choice(request) {
        body.insert("toolConfig".into(), json!({"functionCallingConfig": config}));
    }
    let mut config = generation(request);
    if let Some(thinking) = request.effort.and_then(|effort| takes.thinking(effort)) {
        config.insert("thinkingConfig".into(), thinking);
    }
    if let Some(schema) = asked.schema {
        config.insert("responseMimeType".into(), "application/json".into());
        config.insert("responseJsonSchema".into(), schema);
    }
    if !config.is_empty() {
        body.insert("generationConfig".into(), config.into());
    }
    let mut encoded = Encoded::new(path(request, model), put_over(body, request, NAME));
    encoded.schema = asked.report.map(Arc::new);
    Ok(encoded)
}

/// A name with a folder (`tunedModels/mine`) is a path already. What would leave the path is written as `%..`.
fn path(request: &ChatRequest, model: &str) -> String {
    let mut path = String::from(if model.contains('/') { "/" } else { "/models/" });
    for byte in model.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' | b'@' => path.push(char::from(byte)),
            // Writing into a string does not fail.
            _ => drop(write!(path, "%{byte:02X}")),
        }
    }
    path.push_str(match request.delivery {
        Delivery::Streamed => ":streamGenerateContent?alt=sse",
        Delivery::Whole => ":generateContent",
    });
    path
}

fn contents(request: &ChatRequest, takes: &Takes) -> Result<Value> {
    let mut contents = Vec::new();
    for (role, parts) in turns(request) {
        let parts = content(&parts, takes)?;
        if !parts.is_empty() {
            let role = match role {
                Role::User => "user",
                Role::Assistant => "model",
            };
            contents.push(json!({"role": role, "parts": parts}));
        }
    }
    Ok(contents.into())
}

fn content(parts: &[&Part], takes: &Takes) -> Result<Vec<Value>> {
    let mut said = Vec::with_capacity(parts.len());
    let mut signature = None;
    // Of calls made at once the provider signs the first.
    let mut unsigned = takes.has_levels().then(|| Value::from(UNSIGNED));
    for part in parts {
        said.push(match part {
            Part::Text(text) if text.is_empty() => continue,
            Part::Text(text) => json!({"text": text}),
            Part::Image(image) => picture(image)?,
            Part::ToolCall(call) => {
                let signature = signature.take().or_else(|| unsigned.take());
                unsigned = None;
                function_call(call, signature)
            }
            Part::ToolResult(result) => function_response(result),
            Part::Opaque(opaque) if opaque.provider != NAME => continue,
            Part::Opaque(opaque) => match opaque.value.as_object() {
                // A signature alone belongs to the call after it.
                Some(fields) if fields.len() == 1 && fields.contains_key(SIGNATURE) => {
                    signature = fields.get(SIGNATURE).cloned();
                    continue;
                }
                _ => opaque.value.clone(),
            },
        });
    }
    Ok(said)
}

fn picture(image: &Image) -> Result<Value> {
    match image {
        Image::Bytes { media_type, data } => {
            Ok(json!({"inlineData": {"mimeType": media_type, "data": data.to_base64()}}))
        }
        Image::Url(url) if url.starts_with("gs://") || url.contains("generativelanguage.googleapis.com/") => {
            Ok(json!({"fileData": {"fileUri": url}}))
        }
        Image::Url(_) => Err(Error::new(ErrorKind::Unsupported, "a picture by an address outside of the provider")),
    }
}

fn function_call(call: &ToolCall, signature: Option<Value>) -> Value {
    let mut said = json!({"name": call.name, "args": arguments(call)});
    if !is_made(&call.id) {
        said["id"] = call.id.as_str().into();
    }
    let mut part = object("functionCall", said);
    if let Some(signature) = signature {
        part[SIGNATURE] = signature;
    }
    part
}

fn function_response(result: &ToolResult) -> Value {
    let content = || match serde_json::from_str(&result.content) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        _ => Value::from(result.content.as_str()),
    };
    let response = object(if result.failed { "error" } else { "output" }, content());
    let mut said = json!({"name": result.name, "response": response});
    if !is_made(&result.call) {
        said["id"] = result.call.as_str().into();
    }
    object("functionResponse", said)
}

fn declarations(request: &ChatRequest) -> Value {
    let tools = request.tools.iter().map(|tool| {
        json!({
            "name": tool.name,
            "description": tool.description,
            "parametersJsonSchema": tool_input(&tool.input),
        })
    });
    tools.collect()
}

fn tool_choice(request: &ChatRequest) -> Option<Value> {
    match &request.tool_choice {
        ToolChoice::Auto => None,
        ToolChoice::None if request.tools.is_empty() => None,
        ToolChoice::None => Some(json!({"mode": "NONE"})),
        ToolChoice::Required => Some(json!({"mode": "ANY"})),
        ToolChoice::Named(name) => Some(json!({"mode": "ANY", "allowedFunctionNames": [name]})),
    }
}

fn generation(request: &ChatRequest) -> Map<String, Value> {
    let mut config = Map::new();
    if let Some(tokens) = request.max_output_tokens {
        config.insert("maxOutputTokens".into(), tokens.into());
    }
    if let Some(temperature) = request.temperature {
        config.insert("temperature".into(), decimal(temperature));
    }
    if let Some(share) = request.top_p {
        config.insert("topP".into(), decimal(share));
    }
    if !request.stop.is_empty() {
        config.insert("stopSequences".into(), request.stop.iter().map(Text::as_str).collect());
    }
    if let Some(seed) = request.seed {
        config.insert("seed".into(), (seed & 0x7fff_ffff).into());
    }
    config
}
