//! From the full schema to one that a provider takes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::exclude::exclude;
use super::merge::{definition, escaped, is_annotation, merge, resolve, types};
use super::restore::takes_null;
use super::{Dialect, Lost, Lowered};

/// Most objects within each other, so that every server of OpenAI's protocol takes it.
const NESTING_MAX: usize = 5;

/// Anthropic's limits: properties that are not required, and values of more than one type.
const OPTIONAL_MAX: usize = 24;
const UNIONS_MAX: usize = 16;

/// Formats that Anthropic holds the model to.
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// Keywords that hold a value to something, and that no dialect here takes.
const LIMITS: [&str; 4] = ["not", "if", "then", "else"];

/// Those that hold only values of one type.
const LIMITS_OF: [(&str, &[&str]); 4] = [
    ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ("string", &["minLength", "maxLength", "pattern", "format"]),
    ("array", &["minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "unevaluatedItems"]),
    ("object", &["minProperties", "maxProperties", "propertyNames", "dependentRequired", "dependentSchemas"]),
];

/// Longest limit that is told in a description, in bytes of JSON.
const TOLD_MAX: usize = 200;

type Schema = Map<String, Value>;

/// A lowering on its way. `None` from any of its functions: the dialect cannot say it.
#[derive(Debug)]
pub(super) struct Lowering<'a> {
    root: &'a Value,
    dialect: Dialect,
    lost: Vec<Lost>,
    /// Definitions that are referred to, lowered; `None` while that goes on.
    definitions: BTreeMap<String, Option<Value>>,
    /// References whose target is being merged into the place that refers.
    merging: Vec<String>,
    recursive: bool,
    optional: usize,
    unions: usize,
}

impl<'a> Lowering<'a> {
    pub(super) fn of(root: &'a Value, dialect: Dialect) -> Lowered {
        let mut lowering = Lowering {
            root,
            dialect,
            lost: Vec::new(),
            definitions: BTreeMap::new(),
            merging: Vec::new(),
            recursive: false,
            optional: 0,
            unions: 0,
        };
        match lowering.root() {
            Some(schema) => Lowered { schema: Some(schema), lost: lowering.lost },
            // What the prompt alone says is not lost in the lowering: SchemaMode::Prompted tells it.
            None => Lowered { schema: None, lost: Vec::new() },
        }
    }

    fn is_strict(&self) -> bool {
        self.dialect == Dialect::OpenAiStrict
    }

    fn root(&mut self) -> Option<Value> {
        let root = self.root;
        let Value::Object(mut lowered) = self.expanded(root.as_object()?, "")? else { return None };
        let definitions: Option<Schema> =
            std::mem::take(&mut self.definitions).into_iter().map(|(name, schema)| Some((name, schema?))).collect();
        let definitions = definitions?;
        let taken = if self.is_strict() {
            let mut depths = BTreeMap::new();
            let depth = lowered.values().map(|value| depth(value, &definitions, &mut depths)).max().unwrap_or(0);
            lowered.get("type").is_some_and(|name| name == "object") && depth < NESTING_MAX
        } else {
            !self.recursive && self.optional <= OPTIONAL_MAX && self.unions <= UNIONS_MAX
        };
        if !definitions.is_empty() {
            lowered.insert("$defs".to_owned(), definitions.into());
        }
        taken.then_some(lowered.into())
    }

    fn schema(&mut self, schema: &Value, pointer: &str) -> Option<Value> {
        // What `true` allows no dialect can say, and nothing is valid against `false`.
        let schema = schema.as_object()?;
        match sole_reference(schema) {
            Some(reference) => self.reference(reference, schema.get("description")),
            None => self.expanded(schema, pointer),
        }
    }

    /// A reference that stays one.
    fn reference(&mut self, reference: &str, description: Option<&Value>) -> Option<Value> {
        let lowered = if reference == "#" {
            self.recursive = true;
            json!({"$ref": "#"})
        } else {
            let name = definition(reference)?;
            match self.definitions.get(&name) {
                Some(None) => self.recursive = true,
                Some(Some(_)) => {}
                None => {
                    let target = resolve(self.root, reference)?;
                    self.definitions.insert(name.clone(), None);
                    let merging = std::mem::take(&mut self.merging);
                    let folder = if reference.starts_with("#/$defs") { "$defs" } else { "definitions" };
                    let lowered = self.schema(target, &format!("/{folder}/{}", escaped(&name)))?;
                    self.merging = merging;
                    self.definitions.insert(name.clone(), Some(lowered));
                }
            }
            json!({"$ref": format!("#/$defs/{}", escaped(&name))})
        };
        match description {
            // Nothing may stand beside a reference, but beside a choice of one it may.
            Some(description) if self.is_strict() => Some(json!({"anyOf": [lowered], "description": description})),
            _ => Some(lowered),
        }
    }

    /// A schema with what it refers to and all its parts merged into it.
    fn expanded(&mut self, schema: &Schema, pointer: &str) -> Option<Value> {
        let before = self.merging.len();
        let flat = self.flat(schema)?;
        let lowered = self.flattened(flat, pointer);
        self.merging.truncate(before);
        lowered
    }

    fn flat(&mut self, schema: &Schema) -> Option<Schema> {
        let mut flat = schema.clone();
        let mut parts = Vec::new();
        if let Some(reference) = flat.remove("$ref") {
            let reference = reference.as_str()?.to_owned();
            if self.merging.contains(&reference) {
                // It would be merged into itself without end.
                return None;
            }
            parts.push(resolve(self.root, &reference)?.clone());
            self.merging.push(reference);
        }
        if let Some(all) = flat.remove("allOf") {
            parts.extend(all.as_array()?.iter().cloned());
        }
        for part in parts {
            match part {
                Value::Bool(true) => {}
                Value::Object(part) => flat = merge(flat, self.flat(&part)?)?,
                _ => return None,
            }
        }
        Some(flat)
    }

    fn flattened(&mut self, mut schema: Schema, pointer: &str) -> Option<Value> {
        let unions = ["anyOf", "oneOf"].into_iter().filter_map(|keyword| Some((keyword, schema.remove(keyword)?)));
        match unions.collect::<Vec<_>>().as_slice() {
            [] => self.typed(schema, pointer),
            [(keyword, branches)] => self.union(schema, keyword, branches.as_array()?, pointer),
            _ => None,
        }
    }

    /// A choice of schemas. What stands beside it is merged into each.
    fn union(&mut self, beside: Schema, keyword: &str, branches: &[Value], pointer: &str) -> Option<Value> {
        let (words, held): (Schema, Schema) = beside.into_iter().partition(|(keyword, _)| is_annotation(keyword));
        let mut lowered = Vec::with_capacity(branches.len());
        let mut full = Vec::with_capacity(branches.len());
        for (at, branch) in branches.iter().enumerate() {
            let before = self.merging.len();
            let branch = if held.is_empty() {
                branch.clone()
            } else {
                let flat = self.flat(branch.as_object()?)?;
                merge(flat, held.clone())?.into()
            };
            lowered.push(self.schema(&branch, &format!("{pointer}/{keyword}/{at}"))?);
            self.merging.truncate(before);
            full.push(branch);
        }
        if keyword == "oneOf" && !self.are_exclusive(&full) {
            self.lose(pointer, keyword);
        }
        self.unions += 1;
        let mut union = Schema::new();
        keep(&words, &mut union);
        union.insert("anyOf".to_owned(), lowered.into());
        Some(union.into())
    }

    /// A schema of one type, or one type and null.
    fn typed(&mut self, mut schema: Schema, pointer: &str) -> Option<Value> {
        let names: Vec<String> = match schema.get("type") {
            Some(names) => types(names).into_iter().map(ToOwned::to_owned).collect(),
            None => implied(&schema)?,
        };
        let nullable = names.iter().any(|name| name == "null");
        let others: Vec<&String> = names.iter().filter(|name| *name != "null").collect();
        let wide = others.iter().any(|name| *name == "object" || *name == "array");
        if others.len() > 1 || (nullable && wide) {
            let branches = names.iter().map(|name| self.typed(only(&schema, name), pointer));
            let branches: Option<Vec<Value>> = branches.collect();
            self.unions += 1;
            let mut lowered = Schema::new();
            keep(&schema, &mut lowered);
            lowered.insert("anyOf".to_owned(), branches?.into());
            return Some(lowered.into());
        }
        let mut lowered = Schema::new();
        keep(&schema, &mut lowered);
        let name = others.first().map_or("null", |name| name.as_str());
        lowered.insert("type".to_owned(), if nullable && name != "null" { json!([name, "null"]) } else { json!(name) });
        self.unions += usize::from(nullable && name != "null");
        for keyword in ["enum", "const"] {
            if let Some(value) = schema.remove(keyword) {
                let values =
                    if keyword == "enum" { value.as_array()?.as_slice() } else { std::slice::from_ref(&value) };
                if values.iter().any(|value| value.is_object() || value.is_array()) {
                    return None;
                }
                lowered.insert(keyword.to_owned(), value);
            }
        }
        match name {
            "object" => self.object(&mut schema, &mut lowered, pointer)?,
            "array" => self.array(&mut schema, &mut lowered, pointer)?,
            _ => {}
        }
        self.limits(&schema, name, &mut lowered, pointer);
        Some(lowered.into())
    }

    fn object(&mut self, schema: &mut Schema, lowered: &mut Schema, pointer: &str) -> Option<()> {
        let closed = schema.remove("additionalProperties");
        if closed.as_ref().is_some_and(|closed| *closed != Value::Bool(false))
            || schema.contains_key("patternProperties")
        {
            return None;
        }
        let properties = match schema.remove("properties") {
            Some(properties) => properties,
            // An object of which nothing is known is a map, unless it says that it is empty.
            None => closed.map(|_| json!({}))?,
        };
        let required = schema.remove("required").unwrap_or_else(|| json!([]));
        let (properties, required) = (properties.as_object()?, required.as_array()?);
        if required.iter().any(|name| name.as_str().is_none_or(|name| !properties.contains_key(name))) {
            return None;
        }
        let mut closed = Schema::new();
        for (name, property) in properties {
            let mut value = self.schema(property, &format!("{pointer}/properties/{}", escaped(name)))?;
            if !required.iter().any(|required| required == name) {
                self.optional += 1;
                if self.is_strict() && !takes_null(self.root, property) {
                    value = nullable(value);
                }
            }
            closed.insert(name.clone(), value);
        }
        let required = if self.is_strict() { closed.keys().cloned().collect() } else { required.clone().into() };
        lowered.insert("required".to_owned(), required);
        lowered.insert("properties".to_owned(), closed.into());
        lowered.insert("additionalProperties".to_owned(), false.into());
        Some(())
    }

    fn array(&mut self, schema: &mut Schema, lowered: &mut Schema, pointer: &str) -> Option<()> {
        let items = match schema.remove("prefixItems") {
            Some(first) => {
                self.lose(pointer, "prefixItems");
                let rest = schema.remove("items").filter(Value::is_object);
                let mut kinds: Vec<Value> = Vec::new();
                for (at, item) in first.as_array()?.iter().chain(&rest).enumerate() {
                    let item = self.schema(item, &format!("{pointer}/prefixItems/{at}"))?;
                    if !kinds.contains(&item) {
                        kinds.push(item);
                    }
                }
                match kinds.as_slice() {
                    [] => return None,
                    [kind] => kind.clone(),
                    kinds => {
                        self.unions += 1;
                        json!({"anyOf": kinds})
                    }
                }
            }
            None => self.schema(&schema.remove("items")?, &format!("{pointer}/items"))?,
        };
        lowered.insert("items".to_owned(), items);
        Some(())
    }

    /// Tells in the description what the dialect has no keyword for.
    fn limits(&mut self, schema: &Schema, name: &str, lowered: &mut Schema, pointer: &str) {
        let mut told = Vec::new();
        let name = if name == "integer" { "number" } else { name };
        let of = LIMITS_OF.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, limits)| limits);
        let held = |keyword: &str| LIMITS.contains(&keyword) || of.contains(&keyword);
        for (keyword, value) in schema.iter().filter(|(keyword, _)| held(keyword)) {
            let (strict, number) = (self.is_strict(), value.as_u64());
            let (empty, text) = match keyword.as_str() {
                "minItems" | "minLength" | "minProperties" | "minContains" => (number == Some(0), false),
                "uniqueItems" => (*value == Value::Bool(false), false),
                "format" => (false, value.as_str().is_some_and(|name| FORMATS.contains(&name))),
                _ => (false, false),
            };
            if empty {
                continue;
            }
            if !strict && (text || (keyword == "minItems" && number == Some(1))) {
                lowered.insert(keyword.clone(), value.clone());
                continue;
            }
            self.lose(pointer, keyword);
            let shown = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            if shown.len() <= TOLD_MAX {
                told.push(format!("{keyword}: {shown}"));
            }
        }
        if !told.is_empty() {
            let told = format!("[{}]", told.join(", "));
            let words = match lowered.get("description").and_then(Value::as_str) {
                Some(words) => format!("{words} {told}"),
                None => told,
            };
            lowered.insert("description".to_owned(), words.into());
        }
    }

    fn lose(&mut self, pointer: &str, keyword: &str) {
        let lost = Lost { pointer: pointer.to_owned(), keyword: keyword.to_owned() };
        // A place that is merged into two others is lowered twice.
        if !self.lost.contains(&lost) {
            self.lost.push(lost);
        }
    }

    /// Whether no value fits two of the branches, as far as can be seen.
    fn are_exclusive(&mut self, branches: &[Value]) -> bool {
        let before = self.merging.len();
        let flat: Option<Vec<Schema>> = branches.iter().map(|branch| self.flat(branch.as_object()?)).collect();
        self.merging.truncate(before);
        let Some(flat) = flat else { return false };
        flat.iter().enumerate().all(|(at, one)| flat[at + 1..].iter().all(|other| exclude(one, other)))
    }
}

/// The reference, if nothing but words stands beside it.
fn sole_reference(schema: &Schema) -> Option<&str> {
    let mut held = schema.iter().filter(|(keyword, _)| !is_annotation(keyword));
    let (keyword, value) = held.next().filter(|_| held.next().is_none())?;
    match keyword.as_str() {
        "$ref" => value.as_str(),
        "allOf" => match value.as_array()?.as_slice() {
            [Value::Object(only)] => sole_reference(only),
            _ => None,
        },
        _ => None,
    }
}

/// Keeps the words that a model reads.
fn keep(schema: &Schema, lowered: &mut Schema) {
    for keyword in ["title", "description"] {
        if let Some(words) = schema.get(keyword) {
            lowered.insert(keyword.to_owned(), words.clone());
        }
    }
}

/// The types that a schema without `type` allows, by its other keywords.
fn implied(schema: &Schema) -> Option<Vec<String>> {
    let values = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice);
    if let Some(values) = values.or_else(|| schema.get("const").map(std::slice::from_ref)) {
        let mut names: Vec<String> = Vec::new();
        for value in values {
            let name = type_of(value).to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        return Some(names);
    }
    let name = [("properties", "object"), ("items", "array"), ("prefixItems", "array")]
        .into_iter()
        .find(|(keyword, _)| schema.contains_key(*keyword));
    name.map(|(_, name)| vec![name.to_owned()])
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The schema for values of one of its types.
fn only(schema: &Schema, name: &str) -> Schema {
    let mut only = schema.clone();
    only.retain(|keyword, _| !is_annotation(keyword));
    only.insert("type".to_owned(), name.into());
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let fits = |value: &&Value| type_of(value) == name || (name == "number" && value.is_number());
        only.insert("enum".to_owned(), values.iter().filter(fits).cloned().collect());
    }
    only
}

/// A schema that takes null too.
fn nullable(schema: Value) -> Value {
    let Value::Object(mut schema) = schema else { return schema };
    if let Some(Value::Array(branches)) = schema.get_mut("anyOf") {
        branches.push(json!({"type": "null"}));
        return schema.into();
    }
    let plain = schema.get("type").and_then(Value::as_str).filter(|name| *name != "object" && *name != "array");
    if let Some(name) = plain.filter(|_| !schema.contains_key("const")).map(ToOwned::to_owned) {
        schema.insert("type".to_owned(), json!([name, "null"]));
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.push(Value::Null);
        }
        return schema.into();
    }
    let mut union = Schema::new();
    if let Some(description) = schema.remove("description") {
        union.insert("description".to_owned(), description);
    }
    union.insert("anyOf".to_owned(), json!([schema, {"type": "null"}]));
    union.into()
}

/// How many objects are within each other. A definition within itself is counted once.
fn depth(value: &Value, definitions: &Schema, known: &mut BTreeMap<String, usize>) -> usize {
    match value {
        Value::Array(values) => values.iter().map(|value| depth(value, definitions, known)).max().unwrap_or(0),
        Value::Object(schema) => {
            if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(definition) {
                if let Some(known) = known.get(&name) {
                    return *known;
                }
                known.insert(name.clone(), 0);
                let depth = definitions.get(&name).map_or(0, |target| depth(target, definitions, known));
                known.insert(name, depth);
                return depth;
            }
            let within = schema.values().map(|value| depth(value, definitions, known)).max().unwrap_or(0);
            within + usize::from(schema.get("type").is_some_and(|name| name == "object"))
        }
        _ => 0,
    }
}
