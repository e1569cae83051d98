//! What becomes of a JSON Schema on its way to a provider.

use serde_json::Value;

use crate::OutputSchema;

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
pub fn lower(schema: &Value, dialect: Dialect) -> Lowered {
    let _ = dialect;
    Lowered { schema: Some(schema.clone()), lost: Vec::new() }
}

/// The words that tell a model of a schema, where its provider cannot.
pub fn instructions(output: &OutputSchema) -> String {
    format!(
        "Answer with one JSON value and nothing else: no words around it, no code fence. It must be valid against \
         this JSON Schema:\n{}",
        output.schema
    )
}
