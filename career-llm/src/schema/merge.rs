//! References, and two schemas that hold at once as one.

use serde_json::{Map, Value};

/// Keywords that hold nobody to anything.
const ANNOTATIONS: [&str; 13] = [
    "$schema",
    "$id",
    "$anchor",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Whether a keyword holds nobody to anything.
pub(super) fn is_annotation(keyword: &str) -> bool {
    ANNOTATIONS.contains(&keyword)
}

/// What a reference within the document means.
pub(super) fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(&decoded(reference.strip_prefix('#')?)?)
}

/// The name that a reference to a definition has.
pub(super) fn definition(reference: &str) -> Option<String> {
    let name = reference.strip_prefix("#/$defs/").or_else(|| reference.strip_prefix("#/definitions/"))?;
    let name = decoded(name)?;
    (!name.contains('/')).then(|| name.replace("~1", "/").replace("~0", "~"))
}

/// A segment of a JSON pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Without its percent escapes.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (hex, after) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The schema of what fits both; `None` when that cannot be said in one. The words of the first win.
pub(super) fn merge(mut one: Map<String, Value>, other: Map<String, Value>) -> Option<Map<String, Value>> {
    let closed = |schema: &Map<String, Value>| schema.contains_key("additionalProperties");
    if (closed(&one) || closed(&other)) && !same_properties(&one, &other) {
        // What one of them says of other properties would hold for those of the other too.
        return None;
    }
    let clash = |one: &Map<String, Value>, other: &Map<String, Value>| {
        one.contains_key("prefixItems") && !other.contains_key("prefixItems") && other.contains_key("items")
    };
    if clash(&one, &other) || clash(&other, &one) {
        // Beside `prefixItems`, `items` means only those after them.
        return None;
    }
    for (keyword, value) in other {
        let Some(mine) = one.remove(&keyword) else {
            one.insert(keyword, value);
            continue;
        };
        let both = match keyword.as_str() {
            word if is_annotation(word) => mine,
            _ if mine == value => mine,
            "type" => both_types(&mine, &value)?,
            "enum" => both_enums(&mine, &value)?,
            "required" => both_lists(mine, value)?,
            "properties" => both_properties(mine, value)?,
            "items" => both_schemas(mine, value)?,
            "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => larger(mine, value)?,
            "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => larger(value, mine)?,
            _ => return None,
        };
        one.insert(keyword, both);
    }
    Some(one)
}

fn same_properties(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let names = |schema: &Map<String, Value>| {
        let properties = schema.get("properties").and_then(Value::as_object);
        properties.map(|properties| properties.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
    };
    let says =
        |schema: &Map<String, Value>| ["properties", "additionalProperties"].iter().any(|k| schema.contains_key(*k));
    !says(one) || !says(other) || names(one) == names(other)
}

fn both_types(one: &Value, other: &Value) -> Option<Value> {
    let mut both: Vec<&str> = Vec::new();
    for mine in types(one) {
        for theirs in types(other) {
            let name = match (mine, theirs) {
                ("integer", "number") | ("number", "integer") => "integer",
                _ if mine == theirs => mine,
                _ => continue,
            };
            // An integer is a number too, so it may be found twice.
            if !both.contains(&name) {
                both.push(name);
            }
        }
    }
    match both.as_slice() {
        [] => None,
        [only] => Some((*only).into()),
        many => Some(many.to_vec().into()),
    }
}

/// The types that a value of `type` names.
pub(super) fn types(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn both_enums(one: &Value, other: &Value) -> Option<Value> {
    let (one, other) = (one.as_array()?, other.as_array()?);
    let both: Vec<Value> = one.iter().filter(|value| other.contains(value)).cloned().collect();
    (!both.is_empty()).then(|| both.into())
}

fn both_lists(one: Value, other: Value) -> Option<Value> {
    let (Value::Array(mut one), Value::Array(other)) = (one, other) else { return None };
    for value in other {
        if !one.contains(&value) {
            one.push(value);
        }
    }
    Some(one.into())
}

fn both_properties(one: Value, other: Value) -> Option<Value> {
    let (Value::Object(mut one), Value::Object(other)) = (one, other) else { return None };
    for (name, value) in other {
        let both = match one.remove(&name) {
            Some(mine) => both_schemas(mine, value)?,
            None => value,
        };
        one.insert(name, both);
    }
    Some(one.into())
}

fn both_schemas(one: Value, other: Value) -> Option<Value> {
    match (one, other) {
        (Value::Bool(true), schema) | (schema, Value::Bool(true)) => Some(schema),
        (Value::Object(one), Value::Object(other)) => merge(one, other).map(Value::Object),
        _ => None,
    }
}

fn larger(one: Value, other: Value) -> Option<Value> {
    let one_is = one.as_f64()? >= other.as_f64()?;
    Some(if one_is { one } else { other })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(one: &Value, other: &Value) -> Option<Value> {
        merge(one.as_object()?.clone(), other.as_object()?.clone()).map(Value::Object)
    }

    #[test]
    fn both_hold_in_the_merged_one() {
        let one = json!({"type": ["number", "null"], "minimum": 1, "description": "mine"});
        let other = json!({"type": "integer", "minimum": 3, "maximum": 9, "description": "theirs"});
        let both = json!({"type": "integer", "minimum": 3, "maximum": 9, "description": "mine"});
        assert_eq!(merged(&one, &other), Some(both));
        assert_eq!(merged(&json!({"enum": [1, 2]}), &json!({"enum": [2, 3]})), Some(json!({"enum": [2]})));
        let numbers = json!({"type": ["integer", "number"]});
        assert_eq!(merged(&json!({"type": "integer"}), &numbers), Some(json!({"type": "integer"})));
    }

    #[test]
    fn what_contradicts_is_not_merged() {
        let closed = json!({"properties": {"a": true}, "additionalProperties": false});
        assert_eq!(merged(&closed, &json!({"properties": {"b": true}})), None);
        assert_eq!(merged(&json!({"type": "string"}), &json!({"type": "array"})), None);
        assert_eq!(merged(&json!({"pattern": "a"}), &json!({"pattern": "b"})), None);
        let first = json!({"prefixItems": [{"type": "string"}]});
        assert_eq!(merged(&first, &json!({"items": {"maxLength": 3}})), None, "the first item is bound by both");
    }

    #[test]
    fn a_reference_may_be_escaped_twice() {
        let root = json!({"$defs": {"a/b c": {"type": "null"}}});
        assert_eq!(resolve(&root, "#/$defs/a~1b%20c"), Some(&json!({"type": "null"})));
        assert_eq!(definition("#/$defs/a~1b%20c").as_deref(), Some("a/b c"));
        assert_eq!((definition("#/$defs/a/b"), definition("#/properties/a")), (None, None));
        assert_eq!(resolve(&root, "#/%f"), None);
        assert_eq!(resolve(&root, "https://example.org/#/$defs"), None);
    }
}
