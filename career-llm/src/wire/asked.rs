//! What is said to a model besides the conversation, in every protocol: the system text, the schema, the tools' input.

use std::borrow::Cow;

use serde_json::Value;

use crate::schema::{Dialect, SchemaMode, SchemaReport, instructions, lower};
use crate::{ChatRequest, OutputSchema};

/// A schema on its way: what is sent of it, what the system text says with it, and the report.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) schema: Option<Value>,
    pub(super) words: Option<String>,
    pub(super) report: Option<SchemaReport>,
}

/// Lowers the schema of a request to a dialect; with none, or where the dialect cannot say it, the prompt must, and there
/// it stands in full.
pub(super) fn ask(output: Option<&OutputSchema>, dialect: Option<Dialect>) -> Asked {
    let Some(output) = output else { return Asked::default() };
    let lowered = dialect.map(|dialect| lower(&output.schema, dialect));
    match lowered {
        Some(lowered) if lowered.schema.is_some() => Asked {
            schema: lowered.schema,
            words: None,
            report: Some(SchemaReport { mode: SchemaMode::Native, lost: lowered.lost }),
        },
        _ => Asked {
            schema: None,
            words: Some(instructions(output)),
            report: Some(SchemaReport { mode: SchemaMode::Prompted, lost: Vec::new() }),
        },
    }
}

/// The system text with the words of a prompted schema after it.
pub(super) fn system(request: &ChatRequest, words: Option<String>) -> Option<Cow<'_, str>> {
    match (request.system.as_deref().filter(|text| !text.is_empty()), words) {
        (None, words) => words.map(Cow::Owned),
        (Some(text), None) => Some(Cow::Borrowed(text)),
        (Some(text), Some(words)) => Some(Cow::Owned(format!("{text}\n\n{words}"))),
    }
}

/// The schema of a tool's input with the type that providers insist on.
pub(super) fn tool_input(input: &Value) -> Cow<'_, Value> {
    match input {
        Value::Object(fields) if !fields.contains_key("type") => {
            let mut fields = fields.clone();
            fields.insert("type".to_owned(), "object".into());
            Cow::Owned(fields.into())
        }
        said => Cow::Borrowed(said),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tools_input_is_said_to_be_an_object_where_it_says_no_type() {
        assert_eq!(*tool_input(&json!({"properties": {}})), json!({"properties": {}, "type": "object"}));
        assert!(matches!(tool_input(&json!({"type": "object"})), Cow::Borrowed(_)));
    }

    #[test]
    fn the_words_of_a_schema_follow_the_hosts() {
        let request = ChatRequest::user("hi");
        assert_eq!(system(&request, None), None);
        assert_eq!(system(&request, Some("b".into())).as_deref(), Some("b"));
        let request = request.with_system("a");
        assert_eq!(system(&request, Some("b".into())).as_deref(), Some("a\n\nb"));
        assert!(matches!(system(&request, None), Some(Cow::Borrowed("a"))));
        assert_eq!(system(&ChatRequest::user("hi").with_system(""), None), None);
    }
}
