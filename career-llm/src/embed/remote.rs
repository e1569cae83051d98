//! Embedders that ask a server.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};

use super::{Embedder, Purpose, known, normalise};
use crate::provider::{Access, Vendor, access_setters};
use crate::transport::{Endpoint, Transport};
use crate::wire::Encoded;
use crate::{Error, ModelId, Result, Text};

/// Most bytes of text in one request, a long text alone besides: well under what providers take.
const BYTES_AT_ONCE: usize = 200_000;
/// What is sent in place of a text without a visible character, which providers refuse.
const NOTHING: Text = Text::from_static(".");

/// A provider's protocol for embeddings, as pure functions on bytes.
pub trait EmbedWire: fmt::Debug + Send + Sync + 'static {
    /// Most texts in one request.
    const MOST: usize;

    /// Encodes texts for this model. With `shortened_to` the provider is asked for vectors of so many numbers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for what this protocol cannot say.
    fn encode(&self, model: &str, texts: &[Text], purpose: Purpose, shortened_to: Option<usize>) -> Result<Encoded>;

    /// The vectors of so many texts, in the order of the texts.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) for a body that is not the protocol's, or has not one vector
    /// for each text.
    fn decode(&self, body: &[u8], texts: usize) -> Result<Vec<Vec<f32>>>;

    /// What an answer of another status than 2xx says.
    fn failure(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error;
}

/// An embedder that asks a server. `Debug` shows no key.
///
/// Texts go out in as many requests as the provider's limits need, one after the other. Vectors are brought to length
/// 1. A text without a visible character is embedded as a full stop.
#[derive(Debug, Clone)]
pub struct RemoteEmbedder<W> {
    wire: W,
    endpoint: Endpoint,
    transport: Transport,
    dimensions: usize,
    shortened_to: Option<usize>,
}

impl<W: EmbedWire> RemoteEmbedder<W> {
    /// An embedder that speaks this protocol; say the model and the key next.
    pub fn over(wire: W, vendor: &'static Vendor) -> EmbedderBuilder<W> {
        EmbedderBuilder { wire, access: Access::new(vendor), dimensions: None, shortened_to: None }
    }

    async fn embed_batch(&self, texts: &[Text], purpose: Purpose) -> Result<Vec<Vec<f32>>> {
        let encoded = self.wire.encode(&self.endpoint.model.model, texts, purpose, self.shortened_to)?;
        let failure = |status, headers: &HeaderMap, body: &[u8]| self.wire.failure(status, headers, body);
        let body = self.transport.fetch(&self.endpoint, encoded, &failure, None).await?;
        let mut vectors = self.wire.decode(&body, texts.len())?;
        for vector in &mut vectors {
            let (expected, found) = (self.dimensions, vector.len());
            if expected != found {
                return Err(Error::protocol(format!("expected vectors of {expected} numbers, found {found}")));
            }
            if !normalise(vector) {
                return Err(Error::protocol("a vector without a direction"));
            }
        }
        Ok(vectors)
    }
}

#[async_trait]
impl<W: EmbedWire> Embedder for RemoteEmbedder<W> {
    fn id(&self) -> ModelId {
        match self.shortened_to {
            // Shortened vectors cannot be compared with whole ones.
            Some(numbers) => {
                ModelId::new(&*self.endpoint.model.provider, format!("{}-{numbers}", self.endpoint.model.model))
            }
            None => self.endpoint.model.clone(),
        }
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    async fn embed(&self, texts: &[Text], purpose: Purpose) -> Result<Vec<Vec<f32>>> {
        let visible = |text: &Text| if text.trim().is_empty() { NOTHING } else { text.clone() };
        let texts: Vec<Text> = texts.iter().map(visible).collect();
        let mut vectors = Vec::with_capacity(texts.len());
        while vectors.len() < texts.len() {
            let rest = &texts[vectors.len()..];
            let mut bytes = 0;
            let fits = |text: &&Text| {
                bytes += text.len();
                bytes <= BYTES_AT_ONCE
            };
            let count = rest.iter().take(W::MOST).take_while(fits).count().max(1);
            let batch = self.embed_batch(&rest[..count], purpose).await;
            vectors.extend(batch.map_err(|error| error.with_model(self.endpoint.model.clone()))?);
        }
        Ok(vectors)
    }
}

/// Makes a [`RemoteEmbedder`]. `Debug` shows no key.
#[derive(Clone)]
#[must_use]
pub struct EmbedderBuilder<W> {
    wire: W,
    access: Access,
    dimensions: Option<usize>,
    shortened_to: Option<usize>,
}

impl<W: EmbedWire> EmbedderBuilder<W> {
    /// Which model, as the provider names it; else the one that the table of this crate has as the default.
    pub fn model(mut self, model: impl Into<Arc<str>>) -> Self {
        self.access.model = Some(model.into());
        self
    }

    /// How many numbers its vectors have, where the table of this crate does not know the model.
    pub fn dimensions(mut self, numbers: usize) -> Self {
        self.dimensions = Some(numbers);
        self
    }

    /// Asks the provider for shorter vectors, which some models give at little loss.
    pub fn shortened_to(mut self, numbers: usize) -> Self {
        self.shortened_to = Some(numbers);
        self
    }

    access_setters!();

    /// Fills what is not set from the vendor's variables; the model from a variable of its own, which is named after
    /// the vendor: `OPENAI_EMBEDDING_MODEL`, `MISTRAL_EMBEDDING_MODEL`.
    pub fn from_env(self) -> Self {
        self.fill(&crate::provider::variable)
    }

    fn fill(mut self, lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        // The vendor's own variable names a model that chats.
        let model = self.access.model.take();
        self.access.fill(lookup);
        self.access.model = model.or_else(|| lookup(&model_env(self.access.vendor)).map(Arc::from));
        self
    }

    /// The embedder.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the key, the model or the length of its vectors is missing,
    /// or something that was set is wrong.
    pub fn build(self) -> Result<RemoteEmbedder<W>> {
        let vendor = self.access.vendor;
        let default = known::default_for(vendor.name).map(|known| known.model.as_str());
        if default.is_none() && self.access.model.as_ref().is_none_or(|model| model.trim().is_empty()) {
            return Err(Error::config(format!("{}: give a model, or set {}", vendor.name, model_env(vendor))));
        }
        let (transport, endpoint) = self.access.open(default)?;
        let ModelId { provider, model } = &endpoint.model;
        let dimensions = self.shortened_to.or(self.dimensions).or_else(|| known::dimensions(provider, model));
        let dimensions = dimensions.filter(|numbers| *numbers > 0).ok_or_else(|| {
            Error::config("give the number of dimensions, which is not known of this model")
                .with_model(endpoint.model.clone())
        })?;
        Ok(RemoteEmbedder { wire: self.wire, endpoint, transport, dimensions, shortened_to: self.shortened_to })
    }
}

/// The variable that may name an embedding model of this vendor.
fn model_env(vendor: &Vendor) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("{}_EMBEDDING_MODEL", vendor.name.chars().map(upper).collect::<String>())
}

impl<W: fmt::Debug> fmt::Debug for EmbedderBuilder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbedderBuilder").field("wire", &self.wire).field("access", &self.access).finish()
    }
}

/// A body as JSON.
#[cfg(any(feature = "openai", feature = "gemini", feature = "ollama"))]
pub(super) fn parse<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T> {
    // The parser's own words may quote the body.
    serde_json::from_slice(body).map_err(|error| {
        Error::protocol(format!("expected embeddings as JSON, at line {} column {}", error.line(), error.column()))
    })
}

/// Checks that there is one vector for each text.
#[cfg(any(feature = "openai", feature = "gemini", feature = "ollama"))]
pub(super) fn one_for_each(vectors: Vec<Vec<f32>>, texts: usize) -> Result<Vec<Vec<f32>>> {
    if vectors.len() == texts {
        return Ok(vectors);
    }
    Err(Error::protocol(format!("expected {texts} vectors, found {}", vectors.len())))
}

#[cfg(all(test, feature = "openai"))]
mod tests {
    use crate::embed::Embedder;
    use crate::embed::OpenAiEmbedder;
    use crate::provider::{GROQ, MISTRAL};

    #[test]
    fn the_model_comes_from_the_variable_of_its_own_vendor() {
        let set = |name: &str| match name {
            "OPENAI_EMBEDDING_MODEL" => Some("text-embedding-3-large".to_owned()),
            "MISTRAL_API_KEY" | "OPENAI_API_KEY" | "GROQ_API_KEY" => Some("k".to_owned()),
            "OPENAI_MODEL" | "MISTRAL_MODEL" | "GROQ_MODEL" => Some("one-that-chats".to_owned()),
            _ => None,
        };
        let hosted = OpenAiEmbedder::builder().fill(&set).build().expect("configured");
        assert_eq!((hosted.id().to_string().as_str(), hosted.dimensions()), ("openai/text-embedding-3-large", 3072));
        let other = OpenAiEmbedder::compatible(&MISTRAL.vendor).fill(&set).build().expect("configured");
        assert_eq!(other.id().to_string(), "mistral/mistral-embed");
        let error = OpenAiEmbedder::compatible(&GROQ.vendor).fill(&set).dimensions(3).build().expect_err("no model");
        assert!(error.message().contains("set GROQ_EMBEDDING_MODEL"), "{error}");
    }
}
