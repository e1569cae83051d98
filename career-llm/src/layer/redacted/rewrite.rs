//! Every text of a request.

use serde_json::{Map, Value};

use super::redaction::Redaction;
use crate::{ChatRequest, Part, Text};

/// Gives what a text becomes, or nothing if it stays.
type Rewrite<'a> = dyn FnMut(&str) -> Option<String> + 'a;

/// The request with placeholders.
pub(super) fn request(redaction: &mut Redaction<'_>, request: &ChatRequest) -> ChatRequest {
    request_with(&mut |text| redaction.redact(text), request)
}

/// The request with each of its texts rewritten.
pub(super) fn request_with(rewrite: &mut Rewrite<'_>, request: &ChatRequest) -> ChatRequest {
    let mut request = request.clone();
    if let Some(system) = &mut request.system {
        plain(rewrite, system);
    }
    for part in request.messages.iter_mut().flat_map(|message| &mut message.parts) {
        match part {
            Part::Text(text) => plain(rewrite, text),
            Part::ToolCall(call) => data(rewrite, &mut call.input),
            Part::ToolResult(result) => data(rewrite, &mut result.content),
            Part::Image(_) | Part::Opaque(_) => {}
        }
    }
    for tool in &mut request.tools {
        if let Some(description) = rewrite(&tool.description) {
            tool.description = description;
        }
        schema(rewrite, &mut tool.input, false);
    }
    if let Some(output) = &mut request.output {
        schema(rewrite, &mut output.schema, false);
    }
    for stop in &mut request.stop {
        plain(rewrite, stop);
    }
    for field in request.extra.values_mut().flat_map(Map::values_mut) {
        strings(rewrite, field);
    }
    request
}

fn plain(rewrite: &mut Rewrite<'_>, text: &mut Text) {
    if let Some(new) = rewrite(text) {
        *text = new.into();
    }
}

/// JSON if it is an object, a list or a string, or else words.
fn data(rewrite: &mut Rewrite<'_>, text: &mut Text) {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_) | Value::String(_))) => {
            if values(rewrite, &mut value) {
                *text = value.to_string().into();
            }
        }
        _ => plain(rewrite, text),
    }
}

/// Every string, name of a field and number; says whether one changed.
fn values(rewrite: &mut Rewrite<'_>, value: &mut Value) -> bool {
    match value {
        Value::String(text) => match rewrite(text) {
            Some(new) => {
                *text = new;
                true
            }
            None => false,
        },
        Value::Number(number) => match rewrite(&number.to_string()) {
            // A placeholder is no number.
            Some(new) => {
                *value = Value::String(new);
                true
            }
            None => false,
        },
        Value::Array(items) => items.iter_mut().fold(false, |changed, item| values(rewrite, item) | changed),
        Value::Object(map) => {
            let mut changed = false;
            let fields = std::mem::take(map);
            for (name, mut field) in fields {
                changed |= values(rewrite, &mut field);
                let new = rewrite(&name);
                changed |= new.is_some();
                map.insert(new.unwrap_or(name), field);
            }
            changed
        }
        Value::Null | Value::Bool(_) => false,
    }
}

/// Every string.
fn strings(rewrite: &mut Rewrite<'_>, value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(new) = rewrite(text) {
                *text = new;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strings(rewrite, item)),
        Value::Object(map) => map.values_mut().for_each(|field| strings(rewrite, field)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The words of a schema: its keywords, names and references are the program's own. `named` within the map of names to
/// schemas that some keywords hold.
fn schema(rewrite: &mut Rewrite<'_>, value: &mut Value, named: bool) {
    const WORDS: [&str; 8] = ["title", "description", "$comment", "enum", "const", "default", "examples", "example"];
    const NAMED: [&str; 5] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];
    match value {
        Value::Object(map) => {
            for (name, field) in map {
                if !named && WORDS.contains(&name.as_str()) {
                    strings(rewrite, field);
                } else {
                    schema(rewrite, field, !named && NAMED.contains(&name.as_str()));
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| schema(rewrite, item, false)),
        _ => {}
    }
}
