//! Whether two schemas can fit the same value.

use serde_json::{Map, Value};

use super::merge::types;

type Schema = Map<String, Value>;

/// Whether it can be seen that no value fits both: by their types, their values, or a property that tells them apart.
pub(super) fn exclude(one: &Schema, other: &Schema) -> bool {
    let names = |schema: &Schema| schema.get("type").map(|names| types(names).join(" "));
    let apart = |one: &str, other: &str| {
        one.split(' ').all(|mine| {
            other.split(' ').all(|theirs| {
                mine != theirs && !matches!((mine, theirs), ("integer", "number") | ("number", "integer"))
            })
        })
    };
    if let (Some(one), Some(other)) = (names(one), names(other))
        && apart(&one, &other)
    {
        return true;
    }
    values_exclude(one, other) || requires_apart(one, other) || requires_apart(other, one)
}

fn values_exclude(one: &Schema, other: &Schema) -> bool {
    let values = |schema: &Schema| match (schema.get("const"), schema.get("enum")) {
        (Some(only), _) => Some(vec![only.clone()]),
        (None, Some(Value::Array(values))) => Some(values.clone()),
        _ => None,
    };
    match (values(one), values(other)) {
        (Some(one), Some(other)) => one.iter().all(|value| !other.contains(value)),
        _ => false,
    }
}

/// Whether both are objects, and a property that the first requires cannot be, or not be the same, in the other.
fn requires_apart(one: &Schema, other: &Schema) -> bool {
    let object = |schema: &Schema| schema.get("type").is_some_and(|name| name == "object");
    let property = |schema: &Schema, name: &str| schema.get("properties").and_then(|all| all.get(name)).cloned();
    let required = |schema: &Schema, name: &str| {
        schema.get("required").and_then(Value::as_array).is_some_and(|all| all.iter().any(|one| one == name))
    };
    let closed = other.get("additionalProperties") == Some(&Value::Bool(false));
    let names = one.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    object(one)
        && object(other)
        && names.into_iter().any(|name| match (property(one, name), property(other, name)) {
            (_, None) => closed,
            (Some(Value::Object(mine)), Some(Value::Object(theirs))) => {
                required(other, name) && values_exclude(&mine, &theirs)
            }
            _ => false,
        })
}
