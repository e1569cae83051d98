//! In what the servers differ, as data.

/// What a server takes and how it calls it. [`Quirks::new`] is what most of them have in common.
///
/// ```
/// use career_llm::wire::completions::{Images, Quirks, Schemas};
///
/// const OLD: Quirks = {
///     let mut quirks = Quirks::new();
///     quirks.schemas = Schemas::Prompted;
///     quirks.images = Images::None;
///     quirks
/// };
/// assert_eq!(OLD.token_limit, "max_tokens");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// The field for the limit of tokens: `max_tokens`, or the newer `max_completion_tokens`.
    pub token_limit: &'static str,
    /// Whose words the system text is.
    pub system: SystemRole,
    /// What is asked of a stream.
    pub stream_options: StreamOptions,
    /// How the model is told of a schema.
    pub schemas: Schemas,
    /// How hard to think. Where it is not sent it is lost: it is no more than a wish.
    pub effort: EffortField,
    /// Whether the least effort may be `minimal`; otherwise it is sent as `low`. Families of models that are known to
    /// call it otherwise are asked for in their own word.
    pub minimal_effort: bool,
    /// The field for the seed. Where there is none it is lost: it is no more than a wish.
    pub seed: Option<&'static str>,
    /// Whether texts that end the reply are taken. Where not, a request with some is refused here.
    pub stop: bool,
    /// Which pictures are taken. A request with others is refused here.
    pub images: Images,
    /// Whether ids of tool calls must be nine letters and digits. Others, of another provider's turn, are replaced.
    pub short_call_ids: bool,
    /// Whether the model wants its `reasoning_content` back with its turns.
    pub reasoning_back: bool,
}

impl Quirks {
    /// What most servers have in common.
    pub const fn new() -> Self {
        Quirks {
            token_limit: "max_tokens",
            system: SystemRole::System,
            stream_options: StreamOptions::Usage,
            schemas: Schemas::Full,
            effort: EffortField::Flat,
            minimal_effort: false,
            seed: Some("seed"),
            stop: true,
            images: Images::Any,
            short_call_ids: false,
            reasoning_back: false,
        }
    }
}

impl Default for Quirks {
    fn default() -> Self {
        Quirks::new()
    }
}

/// Whose words the system text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SystemRole {
    /// `system`, which all servers know.
    System,
    /// `developer`, which newer models of OpenAI know.
    Developer,
}

impl SystemRole {
    pub(super) fn name(self) -> &'static str {
        match self {
            SystemRole::System => "system",
            SystemRole::Developer => "developer",
        }
    }
}

/// What is asked of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamOptions {
    /// Nothing: the server refuses the field, or sends the usage unasked.
    Unsent,
    /// `include_usage`.
    Usage,
    /// `include_usage`, and no padding of the chunks, which only makes them longer.
    UsageUnpadded,
}

/// How the model is told of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Schemas {
    /// `json_schema` with `strict`, lowered to OpenAI's dialect.
    Strict,
    /// `json_schema` with the full schema.
    Full,
    /// `json_object` holds it to JSON, and the prompt tells the schema.
    Json,
    /// Only the prompt.
    Prompted,
}

/// How an effort is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EffortField {
    /// Not at all.
    Unsent,
    /// `reasoning_effort`.
    Flat,
    /// `reasoning: {effort}`.
    Nested,
}

/// Which pictures are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Images {
    /// None.
    None,
    /// Those that travel along.
    Inline,
    /// Addresses too.
    Any,
}
