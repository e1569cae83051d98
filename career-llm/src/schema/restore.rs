//! The way back: an answer to a lowered schema as one to the full schema.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::merge::{resolve, types};

/// Takes out of an answer the nulls that stand for missing properties.
///
/// A null goes where its property may be missing and may not be null. In `anyOf` and `oneOf` the first branch that the
/// answer fits tells; limits of numbers, lengths and patterns do not count for that. Everything else stays as it is,
/// right or wrong.
///
/// ```
/// use career_llm::schema::restore;
/// use serde_json::json;
///
/// let schema = json!({"properties": {"a": {"type": "string"}, "b": {"type": ["string", "null"]}}});
/// assert_eq!(restore(&schema, &json!({"a": null, "b": null, "c": null})), json!({"b": null, "c": null}));
/// ```
pub fn restore(schema: &Value, answer: &Value) -> Value {
    Matcher::new(schema).restore(&[schema], answer)
}

/// Whether a null fits a schema of this document.
pub(super) fn takes_null(root: &Value, schema: &Value) -> bool {
    Matcher::new(root).fits(schema, &Value::Null)
}

/// Tells which branch a value is meant for. What was found out is kept by address, so that branches within branches
/// take no more than the product of both sizes.
struct Matcher<'a> {
    root: &'a Value,
    known: HashMap<(usize, usize), bool>,
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value) as usize
}

fn list<'a>(schema: &'a Map<String, Value>, keyword: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten()
}

fn requires(schema: &Map<String, Value>, name: &str) -> bool {
    list(schema, "required").any(|required| required == name)
}

/// The schema of a property, and whether it is one that the schema names.
fn property<'a>(schema: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    schema
        .get("properties")
        .and_then(|properties| properties.get(name))
        .or_else(|| schema.get("additionalProperties").filter(|_| !schema.contains_key("patternProperties")))
}

fn item(schema: &Map<String, Value>, at: usize) -> Option<&Value> {
    schema.get("prefixItems").and_then(|items| items.get(at)).or_else(|| schema.get("items"))
}

fn is_type(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("string", Value::String(_)) => true,
        ("array", Value::Array(_)) | ("object", Value::Object(_)) | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => {
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        _ => false,
    }
}

impl<'a> Matcher<'a> {
    fn new(root: &'a Value) -> Self {
        Matcher { root, known: HashMap::new() }
    }

    /// Whether a value fits, if nulls count as missing where they may.
    fn fits(&mut self, schema: &Value, value: &Value) -> bool {
        let key = (address(schema), address(value));
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        // A schema that comes back to itself at the same value says nothing new.
        self.known.insert(key, false);
        let fits = match schema {
            Value::Bool(any) => *any,
            Value::Object(schema) => self.fits_object(schema, value),
            _ => true,
        };
        self.known.insert(key, fits);
        fits
    }

    fn fits_object(&mut self, schema: &Map<String, Value>, value: &Value) -> bool {
        let root = self.root;
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
            && let Some(target) = resolve(root, reference)
            && !self.fits(target, value)
        {
            return false;
        }
        if schema.get("type").is_some_and(|names| !types(names).iter().any(|name| is_type(name, value)))
            || schema.get("const").is_some_and(|only| only != value)
            || schema.get("enum").is_some_and(|_| !list(schema, "enum").any(|one| one == value))
        {
            return false;
        }
        if !list(schema, "allOf").all(|part| self.fits(part, value)) {
            return false;
        }
        for keyword in ["anyOf", "oneOf"] {
            if schema.contains_key(keyword) && !list(schema, keyword).any(|branch| self.fits(branch, value)) {
                return false;
            }
        }
        match value {
            Value::Object(object) => {
                list(schema, "required").filter_map(Value::as_str).all(|name| object.contains_key(name))
                    && object.iter().all(|(name, value)| {
                        let missing = value.is_null() && !requires(schema, name);
                        property(schema, name).is_none_or(|property| {
                            self.fits(property, value) || (missing && *property != Value::Bool(false))
                        })
                    })
            }
            Value::Array(items) => {
                items.iter().enumerate().all(|(at, value)| item(schema, at).is_none_or(|item| self.fits(item, value)))
            }
            _ => true,
        }
    }

    fn restore(&mut self, schemas: &[&'a Value], value: &Value) -> Value {
        let views = self.views(schemas, value);
        match value {
            Value::Object(object) => {
                let mut restored = Map::new();
                for (name, value) in object {
                    let properties: Vec<&Value> = views.iter().filter_map(|view| property(view, name)).collect();
                    let required = views.iter().any(|view| requires(view, name));
                    let refused = properties.iter().any(|property| !self.fits(property, value));
                    if value.is_null() && !required && refused {
                        continue;
                    }
                    restored.insert(name.clone(), self.restore(&properties, value));
                }
                Value::Object(restored)
            }
            Value::Array(items) => {
                let restored = items.iter().enumerate().map(|(at, value)| {
                    let schemas: Vec<&Value> = views.iter().filter_map(|view| item(view, at)).collect();
                    self.restore(&schemas, value)
                });
                restored.collect()
            }
            _ => value.clone(),
        }
    }

    /// All schemas that hold for a value: those given, what they refer to, and the branch that it is meant for.
    fn views(&mut self, schemas: &[&'a Value], value: &Value) -> Vec<&'a Map<String, Value>> {
        let mut views = Vec::new();
        let mut seen = HashSet::new();
        let mut open: Vec<&'a Value> = schemas.to_vec();
        while let Some(schema) = open.pop() {
            let Some(object) = schema.as_object().filter(|_| seen.insert(address(schema))) else { continue };
            views.push(object);
            if let Some(target) = object.get("$ref").and_then(Value::as_str).and_then(|to| resolve(self.root, to)) {
                open.push(target);
            }
            open.extend(list(object, "allOf"));
            for keyword in ["anyOf", "oneOf"] {
                open.extend(list(object, keyword).find(|branch| self.fits(branch, value)));
            }
        }
        views
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_branch_that_the_answer_is_meant_for_tells() {
        let schema = json!({"oneOf": [
            {"properties": {"kind": {"const": "a"}, "note": {"type": ["string", "null"]}}, "required": ["kind"]},
            {"properties": {"kind": {"const": "b"}, "note": {"type": "string"}}, "required": ["kind"]},
        ]});
        assert_eq!(restore(&schema, &json!({"kind": "a", "note": null})), json!({"kind": "a", "note": null}));
        assert_eq!(restore(&schema, &json!({"kind": "b", "note": null})), json!({"kind": "b"}));
        assert_eq!(restore(&schema, &json!({"kind": "c", "note": null})), json!({"kind": "c", "note": null}));
    }

    #[test]
    fn what_must_be_there_stays_to_be_found_wrong() {
        let schema = json!({"properties": {"a": {"type": "string"}}, "required": ["a"]});
        assert_eq!(restore(&schema, &json!({"a": null})), json!({"a": null}));
    }

    #[test]
    fn references_in_a_circle_end() {
        let schema = json!({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#"}]}}});
        assert_eq!(restore(&schema, &json!({"x": [null]})), json!({"x": [null]}));
    }

    #[test]
    fn branches_within_branches_take_no_time() {
        let both =
            json!({"anyOf": [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}, "b": false}}]});
        let mut deep = json!({"a": 1, "b": 2});
        for _ in 0..100 {
            deep = json!({"a": deep, "b": 1});
        }
        assert_eq!(restore(&both, &deep), deep);
    }
}
