//! The types of variables, and whether a value is of one.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::header::is_name;

/// How deep lists and objects go.
const DEPTH_MAX: usize = 4;

/// What values a variable takes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// `text`: words of the host's own, such as a title of a catalogue.
    Text,
    /// `untrusted`: words from outside, such as a resume, a posting, a message. They are always in a data block.
    Untrusted,
    /// `number`.
    Number,
    /// `bool`.
    Bool,
    /// `list of …`.
    List(Box<Type>),
    /// `object`, with these fields.
    Object(BTreeMap<String, Field>),
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// What values it takes.
    pub ty: Type,
    /// Whether it may be left out.
    pub optional: bool,
}

/// A field as it is written: `"text"`, `"number?"`, `"list of text"`, or a table with fields of its own.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum FieldSpec {
    /// A type alone.
    Short(String),
    /// A type with fields.
    Long {
        /// The type.
        #[serde(rename = "type")]
        ty: String,
        /// Its fields.
        fields: Option<BTreeMap<String, FieldSpec>>,
    },
}

impl Type {
    /// Reads a type as it is written, with the fields of its object.
    pub(super) fn read(text: &str, fields: Option<BTreeMap<String, FieldSpec>>) -> Result<Type, String> {
        Type::read_at(text, fields, 0)
    }

    fn read_at(text: &str, fields: Option<BTreeMap<String, FieldSpec>>, depth: usize) -> Result<Type, String> {
        if depth > DEPTH_MAX {
            return Err("type: lists and objects go 4 deep at most".into());
        }
        if let Some(of) = text.strip_prefix("list of ") {
            return Ok(Type::List(Box::new(Type::read_at(of, fields, depth + 1)?)));
        }
        let simple = match text {
            "text" => Type::Text,
            "untrusted" => Type::Untrusted,
            "number" => Type::Number,
            "bool" => Type::Bool,
            "object" | "objects" => {
                let fields =
                    fields.filter(|fields| !fields.is_empty()).ok_or("fields: expected those of the object")?;
                return fields
                    .into_iter()
                    .map(|(name, spec)| Type::field(name, spec, depth))
                    .collect::<Result<_, _>>()
                    .map(Type::Object);
            }
            _ => {
                return Err(
                    "type: expected `text`, `untrusted`, `number`, `bool`, `object` or `list of` one of them".into()
                );
            }
        };
        if fields.is_some() { Err("fields: only an object has fields".into()) } else { Ok(simple) }
    }

    fn field(name: String, spec: FieldSpec, depth: usize) -> Result<(String, Field), String> {
        if !is_name(&name) {
            return Err("fields: expected names of lower-case letters, digits and `_`, a letter first".into());
        }
        let (text, fields) = match spec {
            FieldSpec::Short(text) => (text, None),
            FieldSpec::Long { ty, fields } => (ty, fields),
        };
        let (text, optional) = text.strip_suffix('?').map_or((text.as_str(), false), |text| (text, true));
        let ty = Type::read_at(text, fields, depth + 1)?;
        if optional && matches!(ty, Type::Object(_)) {
            return Err(format!("fields.{name}: an object is not optional; its fields can be"));
        }
        Ok((name, Field { ty, optional }))
    }

    /// Whether text from outside is in it.
    pub(super) fn has_untrusted(&self) -> bool {
        match self {
            Type::Untrusted => true,
            Type::List(of) => of.has_untrusted(),
            Type::Object(fields) => fields.values().any(|field| field.ty.has_untrusted()),
            Type::Text | Type::Number | Type::Bool => false,
        }
    }

    /// Whether text that is taken for the host's own is in it.
    pub(super) fn has_text(&self) -> bool {
        match self {
            Type::Text => true,
            Type::List(of) => of.has_text(),
            Type::Object(fields) => fields.values().any(|field| field.ty.has_text()),
            Type::Untrusted | Type::Number | Type::Bool => false,
        }
    }

    /// What stands for a value that is not given.
    pub(super) fn absent(&self) -> Value {
        match self {
            Type::Text | Type::Untrusted => Value::String(String::new()),
            Type::Number => Value::Null,
            Type::Bool => Value::Bool(false),
            Type::List(_) => Value::Array(Vec::new()),
            Type::Object(_) => Value::Object(serde_json::Map::new()),
        }
    }

    /// Checks a value, and says which part of it is not what was expected.
    pub(super) fn check(&self, place: &str, value: &Value) -> Result<(), (String, String)> {
        let wrong = || Err((place.to_owned(), self.to_string()));
        match (self, value) {
            (Type::Text | Type::Untrusted, Value::String(_))
            | (Type::Number, Value::Number(_))
            | (Type::Bool, Value::Bool(_)) => Ok(()),
            (Type::List(of), Value::Array(items)) => {
                items.iter().enumerate().try_for_each(|(at, item)| of.check(&format!("{place}[{at}]"), item))
            }
            (Type::Object(fields), Value::Object(given)) => {
                if given.keys().any(|name| !fields.contains_key(name)) {
                    return Err((place.to_owned(), format!("no field but {}", names(fields))));
                }
                fields.iter().try_for_each(|(name, field)| match given.get(name) {
                    None | Some(Value::Null) if field.optional => Ok(()),
                    None => Err((format!("{place}.{name}"), field.ty.to_string())),
                    Some(value) => field.ty.check(&format!("{place}.{name}"), value),
                })
            }
            _ => wrong(),
        }
    }
}

fn names(fields: &BTreeMap<String, Field>) -> String {
    fields.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Text | Type::Untrusted => f.write_str("a text"),
            Type::Number => f.write_str("a number"),
            Type::Bool => f.write_str("true or false"),
            Type::List(_) => f.write_str("a list"),
            Type::Object(fields) => write!(f, "an object of {}", names(fields)),
        }
    }
}
