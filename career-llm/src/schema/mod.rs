//! What becomes of a JSON Schema on its way to a provider, and of the answer on its way back.

mod exclude;
mod lower;
mod merge;
mod restore;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::OutputSchema;

pub use restore::restore;

/// What a provider's structured output can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// JSON Schema in full, as far as a grammar can hold it (Ollama, llama.cpp, vLLM, Gemini's `responseJsonSchema`).
    Full,
    /// OpenAI's strict mode: root an object, every object closed, every property required (what is optional becomes
    /// nullable), no `oneOf` or `allOf`, nothing beside `$ref`, nesting at most 5, no maps.
    OpenAiStrict,
    /// Anthropic's: every object closed, optional properties allowed; limits of numbers, lengths and patterns move to
    /// the descriptions.
    Anthropic,
}

/// A constraint that the provider does not hold the model to. The full schema is still checked here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lost {
    /// JSON pointer into the full schema.
    pub pointer: String,
    /// The keyword, such as `minimum`.
    pub keyword: String,
}

/// How the model was told of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SchemaMode {
    /// The provider holds the model to it.
    Native,
    /// It stands in the prompt, and the model may keep to it or not.
    Prompted,
}

/// What became of a schema on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaReport {
    /// How the model was told.
    pub mode: SchemaMode,
    /// What the provider does not hold the model to.
    pub lost: Vec<Lost>,
}

/// A schema as a provider takes it, and what that cost.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Lowered {
    /// The schema to send; `None` when the dialect cannot say it at all, and the prompt must.
    pub schema: Option<Value>,
    /// What is lost in it.
    pub lost: Vec<Lost>,
}

/// Lowers a schema to a dialect.
///
/// What a dialect cannot hold a model to is told to the model in the description of its place, and reported as
/// [`Lost`]. Where schemas had to be merged (`allOf`, keywords beside a `$ref`), the pointer is that of the one that
/// they were merged into. Objects that do not say whether they are open are closed. A dialect cannot say at all: maps
/// and other objects of unknown properties, values of any kind, references to anywhere but `$defs` and the root, and
/// what its own limits forbid.
///
/// An answer to a lowered schema may have nulls where a property is to be missing: [`restore`] takes them out.
///
/// ```
/// use career_llm::schema::{Dialect, lower, restore};
/// use serde_json::json;
///
/// let schema = json!({
///     "type": "object",
///     "properties": {"career": {"type": "string"}, "fit": {"type": "integer", "maximum": 5}},
///     "required": ["career"],
/// });
/// let lowered = lower(&schema, Dialect::OpenAiStrict);
/// assert_eq!((lowered.lost[0].pointer.as_str(), lowered.lost[0].keyword.as_str()), ("/properties/fit", "maximum"));
/// assert_eq!(
///     lowered.schema,
///     Some(json!({
///         "type": "object",
///         "properties": {
///             "career": {"type": "string"},
///             "fit": {"type": ["integer", "null"], "description": "[maximum: 5]"},
///         },
///         "required": ["career", "fit"],
///         "additionalProperties": false,
///     }))
/// );
/// assert_eq!(restore(&schema, &json!({"career": "Botanist", "fit": null})), json!({"career": "Botanist"}));
/// ```
pub fn lower(schema: &Value, dialect: Dialect) -> Lowered {
    match dialect {
        Dialect::Full => {
            let mut schema = schema.clone();
            // Some servers refuse a keyword that they do not know, and this one says nothing to a model.
            schema.as_object_mut().map(|root| root.remove("$schema"));
            Lowered { schema: Some(schema), lost: Vec::new() }
        }
        Dialect::OpenAiStrict | Dialect::Anthropic => lower::Lowering::of(schema, dialect),
    }
}

/// The words that tell a model of a schema, where its provider cannot.
pub fn instructions(output: &OutputSchema) -> String {
    format!(
        "Answer with one JSON value and nothing else: no words around it, no code fence. It must be valid against \
         this JSON Schema:\n{}",
        output.schema
    )
}
