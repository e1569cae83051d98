//! Providers: a wire, an address, a key and a transport.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

mod access;
#[cfg(feature = "anthropic")]
pub mod anthropic;
#[cfg(any(feature = "openai", feature = "anthropic", feature = "gemini", feature = "ollama"))]
mod config;
#[cfg(any(feature = "openai", feature = "anthropic", feature = "gemini", feature = "ollama"))]
mod env;
#[cfg(feature = "gemini")]
pub mod gemini;
#[cfg(any(feature = "openai", feature = "anthropic", feature = "gemini", feature = "ollama"))]
mod known;
#[cfg(feature = "ollama")]
pub mod ollama;
#[cfg(feature = "openai")]
pub mod openai;

pub(crate) use access::{Access, access_setters, variable};
#[cfg(feature = "anthropic")]
pub use anthropic::{ANTHROPIC, Anthropic};
#[cfg(any(feature = "openai", feature = "anthropic", feature = "gemini", feature = "ollama"))]
pub use config::ModelConfig;
#[cfg(any(feature = "openai", feature = "anthropic", feature = "gemini", feature = "ollama"))]
pub use env::{looked_for, models_from_env};
#[cfg(feature = "gemini")]
pub use gemini::{GEMINI, Gemini};
#[cfg(feature = "ollama")]
pub use ollama::{OLLAMA, Ollama};
#[cfg(feature = "openai")]
pub use openai::{
    DEEPSEEK, GROQ, LLAMA_CPP, LM_STUDIO, LookAlike, MISTRAL, OPENAI, OPENROUTER, OpenAi, OpenAiCompatible, TOGETHER,
    VLLM, XAI,
};

use crate::transport::{Endpoint, Transport};
use crate::wire::Wire;
use crate::{ChatModel, ChatRequest, ChatStream, ModelId, Result};

/// What a provider is, as a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vendor {
    /// Its name in [`ModelId::provider`], in lower case: `openai`.
    pub name: &'static str,
    /// Where it is, without a slash at the end: `https://api.openai.com/v1`. Empty when the host must say.
    pub base_url: &'static str,
    /// Variables of the environment that may hold the key; the first that is set counts.
    pub key_env: &'static [&'static str],
    /// Variables that may hold another base URL; the first that is set counts.
    pub base_url_env: &'static [&'static str],
    /// Variables that may name the model; the first that is set counts.
    pub model_env: &'static [&'static str],
    /// How the key is sent.
    pub auth: Auth,
    /// Whether it can do without a key, as servers on one's own machine can.
    pub key_optional: bool,
}

/// How a key is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Auth {
    /// As `Authorization: Bearer …`.
    Bearer,
    /// In a header of this name.
    Header(&'static str),
    /// There is no key.
    None,
}

/// A model of a provider. `Debug` shows no key.
///
/// The premade ones are made by their own builders. A provider of your own is a [`Wire`] and a [`Vendor`]:
///
/// ```
/// use career_llm::provider::{Auth, Provider, Vendor};
/// use career_llm::wire::{Decode, Encoded, Events, Frame, Framing, Wire};
/// use career_llm::{ChatEvent, ChatModel, ChatRequest, Delivery, Done, Error, ErrorKind, ModelId, Result, Started};
/// use career_llm::StopReason;
///
/// /// Sends the last message and takes the body for the reply.
/// #[derive(Debug)]
/// struct Plain;
///
/// #[derive(Debug)]
/// struct Body(ModelId);
///
/// impl Wire for Plain {
///     fn encode(&self, request: &ChatRequest, _model: &str) -> Result<Encoded> {
///         let last = request.messages.last().map(|message| message.text()).unwrap_or_default();
///         Ok(Encoded::new("/ask", serde_json::json!({ "ask": last }).to_string()))
///     }
///
///     fn decoder(&self, model: &str, _delivery: Delivery) -> (Framing, Box<dyn Decode>) {
///         (Framing::Whole, Box::new(Body(ModelId::new("plain", model))))
///     }
///
///     fn failure(&self, _: http::StatusCode, _: &http::HeaderMap, _: &[u8]) -> Error {
///         Error::new(ErrorKind::Overloaded, "")
///     }
/// }
///
/// impl Decode for Body {
///     fn frame(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()> {
///         events.push_back(ChatEvent::Started(Box::new(Started::new(self.0.clone()))));
///         events.push_back(ChatEvent::Text(frame.data.clone()));
///         events.push_back(ChatEvent::Done(Box::new(Done::new(StopReason::End))));
///         Ok(())
///     }
///
///     fn end(&mut self, _: &mut Events) -> Result<()> {
///         Err(Error::protocol("an empty reply"))
///     }
/// }
///
/// const PLAIN: Vendor = Vendor {
///     name: "plain",
///     base_url: "http://localhost:8000",
///     key_env: &["PLAIN_KEY"],
///     base_url_env: &[],
///     model_env: &[],
///     auth: Auth::Bearer,
///     key_optional: false,
/// };
///
/// let model = Provider::over(Plain, &PLAIN).model("small").api_key("not a key").build()?;
/// assert_eq!(model.id().to_string(), "plain/small");
/// assert!(!format!("{model:?}").contains("not a key"));
/// let error = Provider::over(Plain, &PLAIN).model("small").build().expect_err("without a key");
/// assert!(error.to_string().contains("PLAIN_KEY"));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Provider<W> {
    wire: W,
    endpoint: Endpoint,
    transport: Transport,
}

impl<W: Wire> Provider<W> {
    /// A provider that speaks this protocol; say the model and the key next.
    pub fn over(wire: W, vendor: &'static Vendor) -> ProviderBuilder<W> {
        ProviderBuilder { wire, access: Access::new(vendor) }
    }

    /// Where it is asked.
    pub fn base_url(&self) -> &str {
        self.endpoint.base_url()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<W: Wire> ChatModel for Provider<W> {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        let model = &self.endpoint.model;
        let encoded = request.check().and_then(|()| self.wire.encode(request, &model.model));
        let encoded = encoded.map_err(|error| error.with_model(model.clone()))?;
        self.transport.chat(&self.endpoint, &self.wire, encoded, request.delivery, request.deadline).await
    }

    fn id(&self) -> ModelId {
        self.endpoint.model.clone()
    }
}

/// Makes a [`Provider`]. `Debug` shows no key.
#[derive(Clone)]
#[must_use]
pub struct ProviderBuilder<W> {
    wire: W,
    access: Access,
}

impl<W: Wire> ProviderBuilder<W> {
    /// Which model, as the provider names it; else the one that [`models`](crate::models) has as the default.
    pub fn model(mut self, model: impl Into<Arc<str>>) -> Self {
        self.access.model = Some(model.into());
        self
    }

    access_setters!();

    /// Fills what is not set from the vendor's variables. A variable that is empty counts as not set.
    pub fn from_env(mut self) -> Self {
        self.access.fill(&access::variable);
        self
    }

    /// The provider.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the key or the model is missing, which names the variables
    /// that may hold it; when the key, a header or the address is none; when the transport cannot be made.
    pub fn build(self) -> Result<Provider<W>> {
        let default = crate::models::default_for(self.access.vendor.name);
        let (transport, endpoint) = self.access.open(default)?;
        Ok(Provider { wire: self.wire, endpoint, transport })
    }
}

impl<W: fmt::Debug> fmt::Debug for ProviderBuilder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderBuilder").field("wire", &self.wire).field("access", &self.access).finish()
    }
}

#[cfg(test)]
mod tests;
