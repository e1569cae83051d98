//! OpenAI, and everyone who looks like it.
//!
//! A look-alike is one constant, here or in a host:
//!
//! ```
//! use career_llm::provider::{LookAlike, OpenAiCompatible};
//! use career_llm::{ChatModel, ModelId};
//!
//! const SCHOOL: LookAlike = LookAlike::new("school", "https://llm.school.example/v1").key_env(&["SCHOOL_LLM_KEY"]);
//!
//! # fn main() -> career_llm::Result<()> {
//! let model = OpenAiCompatible::builder(&SCHOOL).model("tutor-8b").api_key("a key").build()?;
//! assert_eq!(model.id(), ModelId::new("school", "tutor-8b"));
//! # Ok(())
//! # }
//! ```

use super::{Auth, Provider, ProviderBuilder, Vendor};
use crate::Result;
use crate::wire::completions::{Completions, EffortField, Images, Quirks, Schemas, StreamOptions};
use crate::wire::responses::Responses;

/// OpenAI over Responses.
pub type OpenAi = Provider<Responses>;

/// A server that speaks Chat Completions.
pub type OpenAiCompatible = Provider<Completions>;

/// OpenAI over Responses: `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `OPENAI_MODEL`.
const RESPONSES: Vendor = OPENAI.vendor;

impl Provider<Responses> {
    /// OpenAI, yet to be set up.
    pub fn builder() -> ProviderBuilder<Responses> {
        Provider::over(Responses::new(), &RESPONSES)
    }

    /// OpenAI by `OPENAI_API_KEY`, `OPENAI_BASE_URL` and `OPENAI_MODEL`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the key is missing or the address is none.
    pub fn from_env() -> Result<Self> {
        Self::builder().from_env().build()
    }
}

impl Provider<Completions> {
    /// A look-alike, yet to be set up.
    pub fn builder(like: &'static LookAlike) -> ProviderBuilder<Completions> {
        Provider::over(Completions::new(like.vendor.name, like.quirks), &like.vendor)
    }

    /// A look-alike by its variables.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when a key is needed and missing, there is no model, or the
    /// address is none.
    pub fn from_env(like: &'static LookAlike) -> Result<Self> {
        Self::builder(like).from_env().build()
    }
}

/// A server that looks like OpenAI: who it is, and in what it differs.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct LookAlike {
    /// Its name, address and variables.
    pub vendor: Vendor,
    /// In what it differs.
    pub quirks: Quirks,
}

impl LookAlike {
    /// A server under a name, with the address up to `/chat/completions`. It asks for a key as a bearer token, and does
    /// what [`Quirks::new`] says.
    pub const fn new(name: &'static str, base_url: &'static str) -> Self {
        let vendor = Vendor {
            name,
            base_url,
            key_env: &[],
            base_url_env: &[],
            model_env: &[],
            auth: Auth::Bearer,
            key_optional: false,
        };
        LookAlike { vendor, quirks: Quirks::new() }
    }

    /// The variables of its key; the first that is set counts.
    #[must_use]
    pub const fn key_env(mut self, names: &'static [&'static str]) -> Self {
        self.vendor.key_env = names;
        self
    }

    /// The variables of another address.
    #[must_use]
    pub const fn base_url_env(mut self, names: &'static [&'static str]) -> Self {
        self.vendor.base_url_env = names;
        self
    }

    /// The variables of the model.
    #[must_use]
    pub const fn model_env(mut self, names: &'static [&'static str]) -> Self {
        self.vendor.model_env = names;
        self
    }

    /// It works without a key, too.
    #[must_use]
    pub const fn key_optional(mut self) -> Self {
        self.vendor.key_optional = true;
        self
    }

    /// In what it differs.
    #[must_use]
    pub const fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }
}

/// OpenAI over Chat Completions, and gateways before it that know no Responses.
///
/// The system text is sent as `system`: OpenAI reads it as `developer` where a model wants that, and a gateway may not
/// know the newer name. Newer models of OpenAI take tools only over Responses, so there [`OpenAi`] is the one to use.
pub const OPENAI: LookAlike = LookAlike::new("openai", "https://api.openai.com/v1")
    .key_env(&["OPENAI_API_KEY"])
    .base_url_env(&["OPENAI_BASE_URL"])
    .model_env(&["OPENAI_MODEL"])
    .quirks({
        let mut quirks = Quirks::new();
        quirks.token_limit = "max_completion_tokens";
        quirks.stream_options = StreamOptions::UsageUnpadded;
        quirks.schemas = Schemas::Strict;
        quirks
    });

/// xAI Grok. Its reasoning models refuse `stop`.
pub const XAI: LookAlike = LookAlike::new("xai", "https://api.x.ai/v1")
    .key_env(&["XAI_API_KEY"])
    .base_url_env(&["XAI_BASE_URL"])
    .model_env(&["XAI_MODEL"])
    .quirks({
        let mut quirks = Quirks::new();
        quirks.token_limit = "max_completion_tokens";
        quirks.schemas = Schemas::Strict;
        quirks.stop = false;
        quirks
    });

/// Groq.
pub const GROQ: LookAlike = LookAlike::new("groq", "https://api.groq.com/openai/v1")
    .key_env(&["GROQ_API_KEY"])
    .base_url_env(&["GROQ_BASE_URL"])
    .model_env(&["GROQ_MODEL"])
    .quirks({
        let mut quirks = Quirks::new();
        quirks.token_limit = "max_completion_tokens";
        quirks.schemas = Schemas::Strict;
        quirks
    });

/// Mistral. It refuses every field that it does not know.
pub const MISTRAL: LookAlike = LookAlike::new("mistral", "https://api.mistral.ai/v1")
    .key_env(&["MISTRAL_API_KEY"])
    .base_url_env(&["MISTRAL_BASE_URL"])
    .model_env(&["MISTRAL_MODEL"])
    .quirks({
        let mut quirks = Quirks::new();
        quirks.stream_options = StreamOptions::Unsent;
        quirks.schemas = Schemas::Strict;
        quirks.effort = EffortField::Unsent;
        quirks.seed = Some("random_seed");
        quirks.short_call_ids = true;
        quirks
    });

/// DeepSeek. It holds a model to JSON, not to a schema, and wants the thoughts back that came before calls of tools.
pub const DEEPSEEK: LookAlike = LookAlike::new("deepseek", "https://api.deepseek.com/v1")
    .key_env(&["DEEPSEEK_API_KEY"])
    .base_url_env(&["DEEPSEEK_BASE_URL"])
    .model_env(&["DEEPSEEK_MODEL"])
    .quirks({
        let mut quirks = Quirks::new();
        quirks.schemas = Schemas::Json;
        quirks.seed = None;
        quirks.images = Images::None;
        quirks.reasoning_back = true;
        quirks
    });

/// Together.
pub const TOGETHER: LookAlike = LookAlike::new("together", "https://api.together.xyz/v1")
    .key_env(&["TOGETHER_API_KEY"])
    .base_url_env(&["TOGETHER_BASE_URL"])
    .model_env(&["TOGETHER_MODEL"]);

/// OpenRouter, which hands on to many providers: what all of them take is sent.
pub const OPENROUTER: LookAlike = LookAlike::new("openrouter", "https://openrouter.ai/api/v1")
    .key_env(&["OPENROUTER_API_KEY"])
    .base_url_env(&["OPENROUTER_BASE_URL"])
    .model_env(&["OPENROUTER_MODEL"])
    .quirks({
        let mut quirks = Quirks::new();
        quirks.schemas = Schemas::Strict;
        quirks.effort = EffortField::Nested;
        quirks.minimal_effort = true;
        quirks
    });

/// vLLM, on this machine unless its address is set.
pub const VLLM: LookAlike = LookAlike::new("vllm", "http://localhost:8000/v1")
    .key_env(&["VLLM_API_KEY"])
    .base_url_env(&["VLLM_BASE_URL"])
    .model_env(&["VLLM_MODEL"])
    .key_optional();

/// llama.cpp's server, on this machine unless its address is set.
pub const LLAMA_CPP: LookAlike = LookAlike::new("llama.cpp", "http://localhost:8080/v1")
    .key_env(&["LLAMA_API_KEY"])
    .base_url_env(&["LLAMA_BASE_URL"])
    .model_env(&["LLAMA_MODEL"])
    .key_optional()
    .quirks({
        let mut quirks = Quirks::new();
        quirks.effort = EffortField::Unsent;
        quirks.images = Images::Inline;
        quirks
    });

/// LM Studio, on this machine unless its address is set.
pub const LM_STUDIO: LookAlike = LookAlike::new("lmstudio", "http://localhost:1234/v1")
    .key_env(&["LMSTUDIO_API_KEY"])
    .base_url_env(&["LMSTUDIO_BASE_URL"])
    .model_env(&["LMSTUDIO_MODEL"])
    .key_optional()
    .quirks({
        let mut quirks = Quirks::new();
        quirks.images = Images::Inline;
        quirks
    });

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::Wire;
    use crate::{
        ChatRequest, Effort, Image, ImageData, Message, Opaque, OutputSchema, Part, Role, Tool, ToolCall, ToolResult,
    };

    const ALL: [&LookAlike; 10] =
        [&OPENAI, &XAI, &GROQ, &MISTRAL, &DEEPSEEK, &TOGETHER, &OPENROUTER, &VLLM, &LLAMA_CPP, &LM_STUDIO];

    #[test]
    fn every_look_alike_is_someone_else_at_an_address_of_its_own() {
        let mut names = std::collections::BTreeSet::new();
        for like in ALL {
            let vendor = &like.vendor;
            assert!(names.insert(vendor.name) && names.insert(vendor.base_url), "{vendor:?}");
            assert!(!vendor.base_url.ends_with('/') && !vendor.key_env.is_empty(), "{vendor:?}");
            // Without a key only what runs here; and a key never goes over an open line to elsewhere.
            let here = vendor.base_url.starts_with("http://localhost:");
            assert_eq!(vendor.key_optional, here, "{vendor:?}");
            assert!(here || vendor.base_url.starts_with("https://"), "{vendor:?}");
        }
    }

    #[test]
    fn a_provider_is_named_after_its_vendor_and_shows_no_key() {
        let model = OpenAiCompatible::builder(&GROQ).model("m").api_key("a secret").build().expect("it has all");
        assert_eq!(crate::ChatModel::id(&model), crate::ModelId::new("groq", "m"));
        assert!(!format!("{model:?}").contains("secret"));
        let model = OpenAi::builder().model("m").api_key("a secret").build().expect("it has all");
        assert_eq!(crate::ChatModel::id(&model), crate::ModelId::new("openai", "m"));
    }

    /// Everything that every look-alike can be asked at once.
    fn request(provider: &str) -> ChatRequest {
        let call = ToolCall::new("call_1", "find_career", "{\"name\":\"botanist\"}");
        let tool = Tool::new("find_career", "Finds a career by its name.", json!({"type": "object"}));
        let thoughts = Opaque::new(provider, json!({"reasoning_content": "Let me look."}));
        let schema = json!({"additionalProperties": false, "properties": {}, "required": [], "type": "object"});
        ChatRequest::user("Which careers use botany?")
            .with(Message::new(Role::Assistant, vec![Part::Opaque(thoughts), Part::ToolCall(call.clone())]))
            .with(Message::tool_results([ToolResult::of(&call, "{\"id\":7}")]))
            .with_system("You are a counsellor.")
            .with_tool(tool)
            .with_output(OutputSchema::new("careers", schema))
            .with_temperature(0.2)
            .with_seed(7)
            .with_effort(Effort::Minimal)
            .with_max_output_tokens(300)
    }

    #[test]
    fn each_look_alike_is_asked_in_its_own_words() {
        for like in ALL {
            let name = like.vendor.name;
            let request = request(name);
            let encoded = Completions::new(name, like.quirks).encode(&request, "some-model").expect("encoded");
            let mut body: serde_json::Value = serde_json::from_str(&encoded.body).expect("JSON");
            // How a schema is put in words is not of the wire.
            let words = request.output.as_ref().map(crate::schema::instructions).expect("a schema");
            let system = body["messages"][0]["content"].as_str().expect("a system text");
            body["messages"][0]["content"] = system.replace(&words, "[the schema in words]").into();
            insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!(name, body) });
        }
    }

    #[test]
    fn what_a_look_alike_cannot_be_told_is_refused() {
        let picture = |image| ChatRequest::conversation([Message::new(Role::User, vec![Part::Image(image)])]);
        let data = ImageData(bytes::Bytes::from_static(b"x"));
        let inline = picture(Image::Bytes { media_type: "image/png".into(), data });
        let url = picture(Image::Url("https://pictures.example/1.png".into()));
        let stop = ChatRequest::user("hi").with_stop("END");
        let refuse = |request: &ChatRequest| {
            let wire = |like: &LookAlike| Completions::new(like.vendor.name, like.quirks);
            let refused = ALL.iter().filter(|like| wire(like).encode(request, "m").is_err());
            refused.map(|like| like.vendor.name).collect::<Vec<_>>()
        };
        assert_eq!(refuse(&inline), ["deepseek"]);
        assert_eq!(refuse(&url), ["deepseek", "llama.cpp", "lmstudio"]);
        assert_eq!(refuse(&stop), ["xai"]);
    }
}
