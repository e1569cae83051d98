//! The header of a template: what it is, which variables it takes, what it hopes of the model.

use std::collections::BTreeMap;

use career_core::{LanguageTag, Tag};
use serde::Deserialize;
use serde_json::Value;

use super::Fault;
use super::types::{FieldSpec, Type};
use crate::{ChatRequest, Effort, Message, Result};

/// Most variables of a template.
const VARIABLES_MAX: usize = 64;
/// Most bytes of a name.
const NAME_MAX: usize = 64;
/// Words that Tera keeps for itself.
const RESERVED: &[&str] = &[
    "true", "True", "false", "False", "loop", "self", "and", "or", "not", "is", "in", "continue", "break", "none",
    "None", "null", "if", "else", "elif", "for",
];

/// What stands between the two lines `+++`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Header {
    /// What it is called: lower-case letters, digits and `_`, a letter first, at most 64.
    pub name: String,
    /// Counts up with each change; from 1.
    pub version: u32,
    /// The language that it is written in.
    pub language: LanguageTag,
    /// What it is for: a slug.
    pub category: Tag,
    /// One line for whoever chooses.
    pub description: String,
    /// Topics.
    pub tags: Vec<Tag>,
    /// What it hopes of the model.
    pub hints: Hints,
    /// What it takes, by name.
    pub variables: BTreeMap<String, Variable>,
}

/// What a template hopes of the model. A request can be given other values after it is rendered.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Hints {
    /// 0 to 2.
    pub temperature: Option<f32>,
    /// Above 0 to 1.
    pub top_p: Option<f32>,
    /// Most tokens of the reply; above 0.
    pub max_output_tokens: Option<u32>,
    /// How hard to think.
    pub effort: Option<Effort>,
    /// The name of the schema that the reply is meant to follow. The caller brings the schema: `extract`, for
    /// instance, takes it from the type.
    pub output: Option<String>,
}

impl Hints {
    /// Puts them into a request.
    pub(super) fn apply(&self, mut request: ChatRequest) -> ChatRequest {
        request.temperature = self.temperature;
        request.top_p = self.top_p;
        request.max_output_tokens = self.max_output_tokens;
        request.effort = self.effort;
        request
    }
}

/// A variable of a template.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Variable {
    /// What values it takes.
    pub ty: Type,
    /// What it means.
    pub description: String,
    /// Whether it must be given.
    pub required: bool,
    /// What it is when it is not given.
    pub default: Option<Value>,
    /// A value to show it with.
    pub example: Option<Value>,
}

/// The header as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default = "one")]
    version: u32,
    language: LanguageTag,
    category: Tag,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    model: Hints,
    #[serde(default)]
    variables: BTreeMap<String, WrittenVariable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenVariable {
    #[serde(rename = "type")]
    ty: String,
    fields: Option<BTreeMap<String, FieldSpec>>,
    #[serde(default)]
    description: String,
    required: Option<bool>,
    default: Option<Value>,
    example: Option<Value>,
}

fn one() -> u32 {
    1
}

/// Reads a source: its header, the body, and the line of the file on which the body begins.
pub(super) fn read<'a>(file: &str, source: &'a str) -> Result<(Header, &'a str, usize)> {
    let wrong = |line: usize, what: &dyn std::fmt::Display| Fault::Header.at(format!("{file}:{line}: {what}"));
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut offset = 0;
    let mut lines = source.split_inclusive('\n').map(|line| {
        offset += line.len();
        (line.trim_end(), offset)
    });
    let start = match lines.next() {
        Some(("+++", start)) => start,
        _ => return Err(wrong(1, &"expected a header: a line `+++`, TOML, a line `+++`")),
    };
    let mut before = start;
    let mut end = None;
    for (number, (line, offset)) in lines.enumerate() {
        if line == "+++" {
            end = Some((before, offset, number + 3));
            break;
        }
        before = offset;
    }
    let (stop, body, line) = end.ok_or_else(|| wrong(1, &"the header is not closed by a line `+++`"))?;
    let toml = &source[start..stop];
    let written: Written = toml::from_str(toml).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            2 + toml.as_bytes()[..span.start.min(toml.len())].iter().filter(|b| **b == b'\n').count()
        });
        wrong(line, &error.message())
    })?;
    let header = check(written).map_err(|(name, what)| wrong(line_of(source, &name), &what))?;
    Ok((header, &source[body..], line))
}

/// The line of the file that a variable is declared on, or the header's first.
pub(super) fn line_of(source: &str, variable: &str) -> usize {
    let heading = format!("variables.{variable}");
    let found = source.lines().position(|line| {
        let line = line.trim_start_matches(['[', ' ']);
        line.strip_prefix(heading.as_str()).is_some_and(|rest| rest.starts_with([']', ' ', '.', '=']))
    });
    found.map_or(1, |at| at + 1)
}

/// The header, or the variable that is wrong (or none) and why.
fn check(written: Written) -> std::result::Result<Header, (String, String)> {
    let whole = |what: &str| (String::new(), what.to_owned());
    if !is_name(&written.name) {
        return Err(whole("name: expected lower-case letters, digits and `_`, a letter first, at most 64"));
    }
    if written.version == 0 {
        return Err(whole("version: expected 1 or more"));
    }
    if written.variables.len() > VARIABLES_MAX {
        return Err(whole("variables: expected at most 64"));
    }
    let trial = written.model.apply(ChatRequest::new().with(Message::user("?")));
    trial.check().map_err(|error| whole(&format!("model: {}", error.message())))?;
    let mut variables = BTreeMap::new();
    for (name, variable) in written.variables {
        let wrong = |what: String| (name.clone(), format!("variable `{name}`: {what}"));
        if !is_name(&name) || RESERVED.contains(&name.as_str()) {
            return Err((String::new(), "variables: expected names of lower-case letters, digits and `_`, a letter first, at most 64, none that Tera reserves".into()));
        }
        let ty = Type::read(&variable.ty, variable.fields).map_err(&wrong)?;
        if variable.required == Some(true) && variable.default.is_some() {
            return Err(wrong("it has a default, so it is not required".into()));
        }
        let required = variable.required.unwrap_or(variable.default.is_none());
        if !required && matches!(ty, Type::Object(_)) {
            return Err(wrong("an object is required; its fields can be optional".into()));
        }
        for (what, value) in [("default", &variable.default), ("example", &variable.example)] {
            if let Some(value) = value {
                ty.check(what, value).map_err(|(place, expected)| wrong(format!("{place}: expected {expected}")))?;
            }
        }
        let description = variable.description;
        variables
            .insert(name, Variable { ty, description, required, default: variable.default, example: variable.example });
    }
    Ok(Header {
        name: written.name,
        version: written.version,
        language: written.language,
        category: written.category,
        description: written.description,
        tags: written.tags,
        hints: written.model,
        variables,
    })
}

/// Whether it can name a template or a variable.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= NAME_MAX && name.bytes().all(allowed)
}
