use serde_json::{Value, json};

use super::*;

fn strict(schema: &Value) -> Lowered {
    lower(schema, Dialect::OpenAiStrict)
}

fn object(properties: impl Into<Value>, required: &[&str]) -> Value {
    let properties: Value = properties.into();
    json!({"type": "object", "properties": properties, "required": required})
}

fn lost(lowered: &Lowered) -> Vec<(&str, &str)> {
    lowered.lost.iter().map(|lost| (lost.pointer.as_str(), lost.keyword.as_str())).collect()
}

#[test]
fn what_a_dialect_cannot_say_is_left_to_the_prompt() {
    let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let cases = [
        ("a list at the root", json!({"type": "array", "items": {"type": "string"}})),
        ("a choice at the root", json!({"anyOf": [object(json!({}), &[]), object(json!({}), &[])]})),
        ("a map", object(json!({"a": map}), &[])),
        ("numbered keys", object(json!({"a": {"type": "object", "patternProperties": {"^\\d$": {}}}}), &[])),
        ("anything", object(json!({"a": true}), &[])),
        ("anything in a list", object(json!({"a": {"type": "array"}}), &[])),
        ("an object of unknown properties", object(json!({"a": {"type": "object"}}), &[])),
        ("a reference elsewhere", object(json!({"a": {"$ref": "https://example.org/a"}}), &[])),
        ("a reference to nothing", object(json!({"a": {"$ref": "#/$defs/a"}}), &[])),
        ("parts that contradict", object(json!({"a": {"allOf": [{"type": "string"}, {"type": "null"}]}}), &[])),
    ];
    for (what, schema) in cases {
        assert_eq!(strict(&schema), Lowered { schema: None, lost: Vec::new() }, "{what}");
        assert_eq!(lower(&schema, Dialect::Full).schema, Some(schema), "{what}");
    }
}

#[test]
fn five_objects_within_each_other_and_no_more() {
    let nested = |depth: usize| {
        let leaf = object(json!({"x": {"type": "string"}}), &["x"]);
        (1..depth).fold(leaf, |inner, _| object(json!({"in": {"type": "array", "items": inner}}), &["in"]))
    };
    assert!(strict(&nested(5)).schema.is_some());
    assert!(strict(&nested(6)).schema.is_none());
    assert!(lower(&nested(6), Dialect::Anthropic).schema.is_some());
}

#[test]
fn a_definition_may_hold_itself_where_the_dialect_lets_it() {
    let step = object(json!({"title": {"type": "string"}, "next": {"$ref": "#/$defs/Step"}}), &["title"]);
    let schema = json!({"type": "object", "properties": {"first": {"$ref": "#/$defs/Step", "description": "Go."}},
        "required": ["first"], "$defs": {"Step": step, "Unused": {"type": "array"}}});
    let lowered = strict(&schema).schema.expect("it can be said");
    assert_eq!(
        lowered,
        json!({
            "type": "object",
            "properties": {"first": {"anyOf": [{"$ref": "#/$defs/Step"}], "description": "Go."}},
            "required": ["first"],
            "additionalProperties": false,
            "$defs": {"Step": {
                "type": "object",
                "properties": {"title": {"type": "string"}, "next": {"anyOf": [{"$ref": "#/$defs/Step"}, {"type": "null"}]}},
                "required": ["next", "title"],
                "additionalProperties": false,
            }},
        })
    );
    assert_eq!(lower(&schema, Dialect::Anthropic).schema, None);
}

#[test]
fn a_reference_that_holds_itself_and_more_is_left_to_the_prompt() {
    let node = object(json!({"in": {"$ref": "#/$defs/Node", "required": ["x"]}}), &[]);
    let schema = json!({"$ref": "#/$defs/Node", "$defs": {"Node": node}});
    assert_eq!(strict(&schema).schema, None);
}

#[test]
fn limits_are_told_and_reported_and_numbers_widths_are_not() {
    let schema = object(
        json!({
            "score": {"type": "integer", "format": "uint8", "minimum": 1, "maximum": 9, "description": "How well."},
            "code": {"type": ["string", "null"], "pattern": "^[A-Z]+$", "format": "date"},
            "tags": {"type": "array", "items": {"type": "string", "minLength": 0}, "minItems": 1, "maxItems": 3},
        }),
        &["score", "code", "tags"],
    );
    let openai = strict(&schema);
    assert_eq!(
        lost(&openai),
        [
            ("/properties/code", "format"),
            ("/properties/code", "pattern"),
            ("/properties/score", "maximum"),
            ("/properties/score", "minimum"),
            ("/properties/tags", "maxItems"),
            ("/properties/tags", "minItems"),
        ]
    );
    let properties = &openai.schema.expect("it can be said")["properties"];
    let score = json!({"type": "integer", "description": "How well. [maximum: 9, minimum: 1]"});
    assert_eq!(properties["score"], score);
    let anthropic = lower(&schema, Dialect::Anthropic);
    assert!(!lost(&anthropic).contains(&("/properties/code", "format")), "{:?}", anthropic.lost);
    let properties = &anthropic.schema.expect("it can be said")["properties"];
    assert_eq!(properties["tags"]["minItems"], json!(1));
    assert_eq!(properties["code"]["format"], json!("date"));
    assert_eq!(properties["code"]["description"], json!("[pattern: ^[A-Z]+$]"));
}

#[test]
fn a_choice_of_one_is_a_choice_of_any_and_lost_only_where_two_could_fit() {
    let choice = |branches: Value| strict(&object(json!({"a": {"oneOf": branches}}), &["a"]));
    let tagged = |tag: &str| object(json!({"kind": {"const": tag}}), &["kind"]);
    let keyed = |key: &str| json!({"type": "object", "properties": {key: {"type": "string"}}, "required": [key], "additionalProperties": false});
    for exclusive in [
        json!([{"type": "string"}, {"type": "integer"}]),
        json!([{"const": "a"}, {"enum": ["b", "c"]}]),
        json!([tagged("a"), tagged("b"), {"type": "null"}]),
        json!([keyed("a"), keyed("b")]),
    ] {
        let lowered = choice(exclusive);
        assert!(lowered.schema.is_some() && lowered.lost.is_empty(), "{lowered:?}");
    }
    for open in [
        json!([{"type": "number"}, {"type": "integer"}]),
        json!([tagged("a"), tagged("a")]),
        json!([object(json!({"a": {"type": "string"}}), &["a"]), object(json!({"b": {"type": "string"}}), &["b"])]),
    ] {
        assert_eq!(lost(&choice(open)), [("/properties/a", "oneOf")]);
    }
}

#[test]
fn what_stands_beside_a_choice_is_merged_into_each() {
    let branch = |key: &str| json!({"properties": {key: {"type": "string"}}, "required": [key]});
    let mut both = object(json!({"name": {"type": "string"}}), &["name"]);
    both["oneOf"] = json!([branch("school"), branch("college")]);
    let lowered = strict(&object(json!({"who": both}), &["who"])).schema.expect("it can be said");
    let branches = lowered.pointer("/properties/who/anyOf").and_then(Value::as_array).expect("a choice");
    let required: Vec<&Value> = branches.iter().map(|branch| &branch["required"]).collect();
    assert_eq!(required, [&json!(["name", "school"]), &json!(["college", "name"])]);
}

#[test]
fn anthropics_limits_of_complexity_are_kept() {
    let optional = |count: usize| {
        let properties = (0..count).map(|at| (format!("p{at}"), json!({"type": "string"}))).collect();
        object(Value::Object(properties), &[])
    };
    assert!(lower(&optional(24), Dialect::Anthropic).schema.is_some());
    assert!(lower(&optional(25), Dialect::Anthropic).schema.is_none());
    assert!(strict(&optional(25)).schema.is_some());
}

#[cfg(feature = "extract")]
mod derived {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use schemars::{JsonSchema, schema_for};
    use serde::{Deserialize, Serialize};

    use super::*;

    /// A plan.
    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Plan {
        /// What it is called.
        title: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        summary: Option<String>,
        /// The first of them.
        first: Step,
        steps: Vec<Step>,
        route: Option<Route>,
        #[serde(default)]
        level: Level,
        pair: (i32, String),
        #[schemars(range(min = 0.0, max = 1.0))]
        fit: f64,
        months: Option<u16>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    struct Step {
        what: String,
        #[serde(default)]
        after: Vec<Step>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "by", rename_all = "snake_case")]
    enum Route {
        Degree { name: String, years: Option<u8> },
        Exam(Exam),
        None,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    struct Exam {
        code: String,
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Level {
        /// Just begun.
        #[default]
        Entry,
        Senior {
            years: u8,
        },
        Other(String),
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Scores {
        by_name: BTreeMap<String, f32>,
    }

    fn schema<T: JsonSchema>() -> Value {
        schema_for!(T).to_value()
    }

    /// A value that fits a lowered schema, chosen by the bytes.
    fn sample(root: &Value, schema: &Value, choices: &mut dyn Iterator<Item = u8>, depth: usize) -> Value {
        let pick =
            |count: usize, choices: &mut dyn Iterator<Item = u8>| usize::from(choices.next().unwrap_or(0)) % count;
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = merge::resolve(root, reference).expect("a definition");
            return sample(root, target, choices, depth);
        }
        if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
            let last = branches.len() - 1;
            let at = if depth > 6 { last } else { pick(branches.len(), choices) };
            return sample(root, &branches[at], choices, depth);
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values[pick(values.len(), choices)].clone();
        }
        let names = merge::types(&schema["type"]);
        match names[pick(names.len(), choices)] {
            "null" => Value::Null,
            "boolean" => (pick(2, choices) == 0).into(),
            "integer" => pick(200, choices).into(),
            "number" => json!(0.5),
            "string" => ["", "a", "b"][pick(3, choices)].into(),
            "array" => {
                let count = if depth > 4 { 0 } else { pick(3, choices) };
                (0..count).map(|_| sample(root, &schema["items"], choices, depth + 1)).collect()
            }
            _ => {
                let properties = schema["properties"].as_object().expect("properties");
                let optional =
                    |name: &str| !schema["required"].as_array().is_some_and(|all| all.iter().any(|n| n == name));
                let mut object = serde_json::Map::new();
                for (name, property) in properties {
                    if !(optional(name) && pick(2, choices) == 0) {
                        object.insert(name.clone(), sample(root, property, choices, depth + 1));
                    }
                }
                object.into()
            }
        }
    }

    #[test]
    fn a_derived_plan_goes_through_and_only_its_limits_are_lost() {
        let lowered = strict(&schema::<Plan>());
        assert!(lowered.schema.is_some());
        let keywords: std::collections::BTreeSet<&str> =
            lowered.lost.iter().map(|lost| lost.keyword.as_str()).collect();
        let expected = ["maxItems", "maximum", "minItems", "minimum", "prefixItems"];
        assert_eq!(keywords.into_iter().collect::<Vec<_>>(), expected, "{:?}", lowered.lost);
        for lost in &lowered.lost {
            let place = schema::<Plan>().pointer(&lost.pointer).map(Value::is_object);
            assert_eq!(place, Some(true), "{lost:?}");
        }
        assert_eq!(lower(&schema::<Plan>(), Dialect::Anthropic).schema, None, "it holds itself");
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    struct Flat {
        name: String,
        #[serde(flatten)]
        route: Route,
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    struct Routes {
        routes: Vec<Flat>,
    }

    #[test]
    fn a_flattened_choice_is_one_of_whole_objects() {
        let lowered = strict(&schema::<Routes>());
        let branches =
            lowered.schema.as_ref().and_then(|schema| schema.pointer("/$defs/Flat/anyOf")).expect("a choice");
        assert_eq!(branches[1]["required"], json!(["by", "code", "name"]));
        assert!(!lost(&lowered).iter().any(|(_, keyword)| *keyword == "oneOf"), "told apart by `by`");
    }

    #[test]
    fn a_derived_map_is_left_to_the_prompt() {
        assert_eq!(strict(&schema::<Scores>()).schema, None);
        assert_eq!(strict(&schema::<BTreeMap<String, String>>()).schema, None);
        assert_eq!(strict(&schema::<Vec<String>>()).schema, None);
        assert_eq!(strict(&schema::<Route>()).schema, None, "a choice at the root");
    }

    fn laws_hold<T: JsonSchema>(dialect: Dialect, bytes: Vec<u8>) -> Result<(), TestCaseError> {
        let full = schema::<T>();
        let lowered = lower(&full, dialect);
        let to = lowered.schema.expect("it can be said");
        let mut choices = bytes.into_iter();
        let answer = sample(&to, &to, &mut choices, 0);
        prop_assert!(jsonschema::is_valid(&to, &answer), "the sample fits: {answer} {to}");
        let restored = restore(&full, &answer);
        let lost: Vec<&str> = lowered.lost.iter().map(|lost| lost.keyword.as_str()).collect();
        let validator = jsonschema::validator_for(&full).expect("a schema");
        for error in validator.iter_errors(&restored) {
            let keyword = error.kind().keyword();
            // What is wrong in a branch, or in a tuple, is not reported by its own keyword alone.
            let nested = matches!(keyword, "anyOf" | "oneOf") || error.instance_path().as_str().starts_with("/pair/");
            prop_assert!(nested || lost.contains(&keyword), "{keyword} at {}: {restored}", error.instance_path());
        }
        if lost.is_empty() {
            prop_assert!(validator.is_valid(&restored));
        }
        prop_assert_eq!(restore(&full, &restored), restored);
        Ok(())
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    struct Lossless {
        route: Route,
        routes: Vec<Option<Route>>,
        #[serde(default)]
        words: Vec<String>,
        #[serde(default)]
        flag: bool,
        note: Option<String>,
        step: Untagged,
        #[serde(flatten)]
        more: Exam,
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(untagged)]
    enum Untagged {
        Word(String),
        One(Exam),
        Many {
            exams: Vec<Exam>,
            #[serde(default)]
            open: bool,
        },
    }

    proptest! {
        /// What the provider holds the model to is valid here, but for what was reported lost.
        #[test]
        fn an_answer_to_the_lowered_schema_fits_the_full_one(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            laws_hold::<Plan>(Dialect::OpenAiStrict, bytes.clone())?;
            laws_hold::<Lossless>(Dialect::OpenAiStrict, bytes.clone())?;
            laws_hold::<Routes>(Dialect::OpenAiStrict, bytes.clone())?;
            laws_hold::<Routes>(Dialect::Anthropic, bytes.clone())?;
            laws_hold::<Lossless>(Dialect::Anthropic, bytes)?;
        }

        /// What is valid stays as it is.
        #[test]
        fn restoring_a_valid_value_changes_nothing(months in any::<Option<u16>>(), years in any::<Option<u8>>(), text in ".{0,8}") {
            let plan = Plan {
                title: text.clone(), summary: None, level: Level::Other(text.clone()), pair: (1, text.clone()), fit: 0.5, months,
                first: Step { what: text.clone(), after: vec![Step { what: text.clone(), after: Vec::new() }] },
                steps: Vec::new(), route: Some(Route::Degree { name: text, years }),
            };
            let value = serde_json::to_value(&plan).expect("JSON");
            let back: Plan = serde_json::from_value(restore(&schema::<Plan>(), &value)).expect("a plan");
            prop_assert_eq!(back, plan);
        }
    }
}
