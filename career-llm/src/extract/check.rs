//! A value against the full schema.

use std::collections::BTreeSet;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use crate::schema::restore;
use crate::{Error, Result};

/// Most findings that are told, to the model and in errors.
const FINDINGS_MAX: usize = 10;

/// Longest limit of a schema that is told to the model, in bytes.
const LIMIT_MAX: usize = 120;

/// What is wrong with a value, without the value. `Debug` and `Display` show no word of the model.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// JSON pointer into the value; keys may be the model's.
    pointer: String,
    /// The same with `*` for every key that is not in the schema.
    place: String,
    keyword: String,
    /// What the schema says there, where that is short.
    limit: Option<String>,
}

impl Finding {
    /// That no JSON was found.
    pub(super) fn no_json() -> Self {
        Finding::of_whole("no JSON value")
    }

    /// That the value could not be read as the type, though it fits the schema.
    pub(super) fn not_the_type() -> Self {
        Finding::of_whole("does not fit the type")
    }

    fn of_whole(keyword: &str) -> Self {
        Finding { pointer: String::new(), place: String::new(), keyword: keyword.to_owned(), limit: None }
    }

    /// For the model.
    pub(super) fn told(&self) -> String {
        let place = if self.pointer.is_empty() { "the whole value" } else { &self.pointer };
        match &self.limit {
            Some(limit) => format!("- {place}: `{}` (the schema says {limit})", self.keyword),
            None => format!("- {place}: `{}`", self.keyword),
        }
    }
}

impl std::fmt::Debug for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Finding({self})")
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = if self.place.is_empty() { "/" } else { &self.place };
        write!(f, "{place}: {}", self.keyword)
    }
}

/// A schema that values are checked against.
#[derive(Debug)]
pub(super) struct Checker {
    schema: Value,
    validator: Validator,
    names: BTreeSet<String>,
}

impl Checker {
    /// Checks against this schema; formats too.
    pub(super) fn new(schema: Value) -> Result<Self> {
        let validator = jsonschema::options().should_validate_formats(true).build(&schema);
        let validator = validator.map_err(|error| Error::invalid(format!("the schema of the output: {error}")))?;
        let mut names = BTreeSet::new();
        collect_names(&schema, &mut names);
        Ok(Checker { schema, validator, names })
    }

    /// The schema in full.
    pub(super) fn schema(&self) -> &Value {
        &self.schema
    }

    /// The value as it was meant, if it fits; else what is wrong.
    pub(super) fn check(&self, value: &Value) -> Result<Value, Vec<Finding>> {
        let value = restore(&self.schema, value);
        let mut findings = Vec::new();
        for error in self.validator.iter_errors(&value) {
            self.find(&error, &value, &mut findings);
            if findings.len() >= FINDINGS_MAX {
                findings.truncate(FINDINGS_MAX);
                break;
            }
        }
        if findings.is_empty() { Ok(value) } else { Err(findings) }
    }

    /// What is wrong; of a choice, what is wrong in the branch that was most likely meant.
    fn find(&self, error: &ValidationError<'_>, value: &Value, findings: &mut Vec<Finding>) {
        let context = match error.kind() {
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => &context[..],
            _ => &[],
        };
        let deepest = |branch: &[ValidationError<'_>]| branch.iter().map(|error| depth(error)).max();
        let here = depth(error);
        let meant = context.iter().filter(|branch| deepest(branch).is_some_and(|depth| depth > here)).min_by_key(
            // Where only deep places are wrong, the branch itself was right.
            |branch| (branch.iter().filter(|error| depth(error) == here).count(), branch.len()),
        );
        if let Some(branch) = meant {
            branch.iter().for_each(|error| self.find(error, value, findings));
            return;
        }
        let finding = self.finding(error, value);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }

    fn finding(&self, error: &ValidationError<'_>, value: &Value) -> Finding {
        let pointer = error.instance_path().as_str().to_owned();
        let mut place = String::new();
        let mut at = Some(value);
        for segment in pointer.split('/').skip(1) {
            let name = segment.replace("~1", "/").replace("~0", "~");
            // Digits are the place in a list, or a key that the model wrote: a number of a phone, perhaps.
            let known = at.is_some_and(Value::is_array) || self.names.contains(&name);
            place.push('/');
            place.push_str(if known { segment } else { "*" });
            at = at.and_then(|value| {
                value.as_array().map_or_else(|| value.get(&name), |all| all.get(name.parse::<usize>().ok()?))
            });
        }
        let said = match error.kind() {
            ValidationErrorKind::Required { property } => Some(property),
            _ => self.schema.pointer(error.schema_path().as_str()),
        };
        let limit = said.map(Value::to_string).filter(|limit| limit.len() <= LIMIT_MAX);
        Finding { pointer, place, keyword: error.kind().keyword().to_owned(), limit }
    }
}

fn depth(error: &ValidationError<'_>) -> usize {
    error.instance_path().as_str().matches('/').count()
}

/// All names of properties in a schema.
fn collect_names(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                names.extend(properties.keys().cloned());
            }
            map.values().for_each(|value| collect_names(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_names(value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn findings(schema: &Value, value: &Value) -> Vec<Finding> {
        Checker::new(schema.clone()).expect("a schema").check(value).expect_err("it does not fit")
    }

    #[test]
    fn a_finding_has_the_place_and_the_limit_and_no_value() {
        let schema = json!({"type": "object", "properties": {"fit": {"type": "integer", "maximum": 5}}, "required": ["fit", "why"],
            "additionalProperties": {"type": "string"}});
        let found = findings(&schema, &json!({"fit": 77, "my secret": 1}));
        let mut shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        shown.sort();
        assert_eq!(shown, ["/*: type", "/: required", "/fit: maximum"]);
        let told: Vec<String> = found.iter().map(Finding::told).collect();
        assert!(told.contains(&"- /fit: `maximum` (the schema says 5)".to_owned()), "{told:?}");
        assert!(told.contains(&"- the whole value: `required` (the schema says \"why\")".to_owned()), "{told:?}");
        assert!(!format!("{found:?}{told:?}").contains("77"));
        assert!(!format!("{found:?}").contains("secret"));
    }

    #[test]
    fn digits_are_shown_of_a_list_and_not_of_a_key() {
        let schema = json!({"additionalProperties": {"type": "array", "items": {"type": "string"}}});
        let found = findings(&schema, &json!({"5550100": ["a", 1]}));
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/*/1: type"]);
        assert_eq!(found[0].told(), "- /5550100/1: `type` (the schema says \"string\")", "the model may be told");
    }

    #[test]
    fn of_a_choice_the_branch_that_was_meant_is_told() {
        let branch = |kind: &str| json!({"type": "object", "properties": {"kind": {"const": kind}, "in": {"properties": {"n": {"type": "integer"}}}}});
        let schema = json!({"oneOf": [branch("a"), branch("b")]});
        let found = findings(&schema, &json!({"kind": "b", "in": {"n": "x"}}));
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/in/n: type"]);
        let found = findings(&json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), &json!(1));
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/: anyOf"]);
    }

    #[test]
    fn nulls_for_missing_properties_are_as_if_missing() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        let checker = Checker::new(schema).expect("a schema");
        assert_eq!(checker.check(&json!({"a": null})), Ok(json!({})));
    }

    #[test]
    fn not_more_is_told_than_helps() {
        let schema = json!({"type": "array", "items": {"type": "string"}});
        assert_eq!(findings(&schema, &vec![1; 50].into()).len(), FINDINGS_MAX);
        assert!(Checker::new(json!({"type": 7})).is_err());
    }
}
