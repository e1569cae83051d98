//! The values that a caller gives: checked against the declared types, with text from outside put into data blocks.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::header::Header;
use super::locale::Words;
use super::types::Type;
use super::{Fault, Limit, Limits};
use crate::{Error, Result};

/// Hexadecimal digits of a boundary: nobody finds a text that holds its own.
const BOUNDARY_DIGITS: usize = 16;
/// What a value costs besides its bytes.
const VALUE_COST: usize = 16;

/// The values as the template sees them.
pub(super) fn prepare(
    header: &Header,
    source: &str,
    given: Value,
    words: &Words,
    limits: &Limits,
) -> Result<Map<String, Value>> {
    let name = &header.name;
    let mut given = match given {
        Value::Object(given) => given,
        Value::Null => Map::new(),
        _ => return Err(Fault::WrongType.at(format!("{name}: expected an object of variables"))),
    };
    let cost = given.values().map(cost).fold(0, usize::saturating_add);
    if cost > limits.context {
        return Err(
            Fault::Limit(Limit::Context).at(format!("{name}: the variables take more than {} bytes", limits.context))
        );
    }
    if let Some(unknown) = given.keys().find(|key| !header.variables.contains_key(*key)) {
        // A key comes from the host's code; still, only what can be a name is repeated.
        let shown = if super::header::is_name(unknown) { format!("`{unknown}`") } else { "of an odd name".into() };
        return Err(Fault::UnknownVariable.at(format!("{name}: unknown variable {shown}")));
    }
    let mut values = Map::new();
    for (variable, declared) in &header.variables {
        let value = match (given.remove(variable), &declared.default) {
            (Some(value), _) if !value.is_null() => {
                declared.ty.check(variable, &value).map_err(|(place, expected)| wrong(name, &place, &expected))?;
                value
            }
            (_, Some(default)) => default.clone(),
            _ if declared.required => {
                return Err(Fault::MissingVariable.at(format!("{name}: variable `{variable}` is missing")));
            }
            _ => declared.ty.absent(),
        };
        values.insert(variable.clone(), filled(&declared.ty, value, declared.required));
    }
    let boundary = Boundary::of(header, source, &values);
    for (variable, declared) in &header.variables {
        let absent = !declared.required && declared.default.is_none();
        if let Some(value) = values.get_mut(variable)
            && !(absent && *value == declared.ty.absent())
        {
            wrap(&declared.ty, value, variable, &boundary, words);
        }
    }
    Ok(values)
}

fn wrong(name: &str, place: &str, expected: &str) -> Error {
    Fault::WrongType.at(format!("{name}: variable `{place}`: expected {expected}"))
}

fn cost(value: &Value) -> usize {
    let inside = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(cost).fold(0, usize::saturating_add),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| name.len() + cost(value)).fold(0, usize::saturating_add)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    inside.saturating_add(VALUE_COST)
}

/// The value with every optional field in its place. Blank text from outside that need not be there counts as absent.
fn filled(ty: &Type, value: Value, required: bool) -> Value {
    match (ty, value) {
        (Type::Untrusted, Value::String(text)) if !required && text.trim().is_empty() => ty.absent(),
        (Type::List(of), Value::Array(items)) => {
            Value::Array(items.into_iter().map(|item| filled(of, item, true)).collect())
        }
        (Type::Object(fields), Value::Object(mut given)) => {
            let field = |(name, field): (&String, &super::types::Field)| {
                let value = given.remove(name).filter(|value| !value.is_null());
                let value = value.map_or_else(|| field.ty.absent(), |value| filled(&field.ty, value, !field.optional));
                (name.clone(), value)
            };
            Value::Object(fields.iter().map(field).collect())
        }
        (_, value) => value,
    }
}

/// The code that marks the data blocks of one rendering. It is made from the texts, so that the same texts give the
/// same request, and it occurs in none of them.
struct Boundary(String);

impl Boundary {
    fn of(header: &Header, source: &str, values: &Map<String, Value>) -> Self {
        let mut outside = Vec::new();
        let mut all = vec![source];
        for (name, value) in values {
            if header.variables.get(name).is_some_and(|variable| variable.ty.has_untrusted()) {
                texts(value, &mut outside);
            }
            texts(value, &mut all);
        }
        let all: Vec<String> = all.into_iter().map(str::to_ascii_lowercase).collect();
        let mut counter = 0_u64;
        loop {
            let mut hash = Sha256::new();
            hash.update(counter.to_le_bytes());
            for text in &outside {
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text.as_bytes());
            }
            let mut code: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            code.truncate(BOUNDARY_DIGITS);
            if !all.iter().any(|text| text.contains(&code)) {
                return Boundary(code);
            }
            counter += 1;
        }
    }
}

fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts text from outside into data blocks, wherever the type has some. What is absent gets none.
fn wrap(ty: &Type, value: &mut Value, label: &str, boundary: &Boundary, words: &Words) {
    match (ty, value) {
        (Type::Untrusted, Value::String(text)) => {
            let code = &boundary.0;
            *text = format!("<data-{code} of=\"{label}\"> {}\n{text}\n</data-{code}>", words.block);
        }
        (Type::List(of), Value::Array(items)) => {
            items.iter_mut().for_each(|item| wrap(of, item, label, boundary, words));
        }
        (Type::Object(fields), Value::Object(given)) => {
            let fields: &BTreeMap<_, _> = fields;
            for (name, value) in given {
                if let Some(field) = fields.get(name) {
                    let absent = field.optional && *value == field.ty.absent();
                    if !absent {
                        wrap(&field.ty, value, name, boundary, words);
                    }
                }
            }
        }
        _ => {}
    }
}
