//! Ollama's `/api/embed`.

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::Purpose;
use super::remote::{EmbedWire, EmbedderBuilder, RemoteEmbedder, one_for_each, parse};
use crate::provider::OLLAMA;
use crate::wire::{Encoded, Wire, ollama};
use crate::{Error, Result, Text};

/// Embeddings as Ollama has them. A question and a document are embedded alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OllamaEmbeddings;

/// An embedding model on an Ollama server. Longer texts than the model takes are cut by the server.
///
/// ```no_run
/// use career_llm::embed::OllamaEmbedder;
///
/// # fn main() -> career_llm::Result<()> {
/// let embedder = OllamaEmbedder::builder().from_env().build()?; // OLLAMA_HOST, OLLAMA_EMBEDDING_MODEL
/// # Ok(())
/// # }
/// ```
pub type OllamaEmbedder = RemoteEmbedder<OllamaEmbeddings>;

impl OllamaEmbedder {
    /// Nothing set yet but the address on this machine.
    pub fn builder() -> EmbedderBuilder<OllamaEmbeddings> {
        RemoteEmbedder::over(OllamaEmbeddings, &OLLAMA)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [Text],
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
struct Reply {
    embeddings: Vec<Vec<f32>>,
}

impl EmbedWire for OllamaEmbeddings {
    const MOST: usize = 64;

    fn encode(&self, model: &str, texts: &[Text], _: Purpose, shortened_to: Option<usize>) -> Result<Encoded> {
        let body = serde_json::to_string(&Body { model, input: texts, dimensions: shortened_to });
        let body = body.map_err(|error| Error::invalid("texts that are no JSON").with_source(error))?;
        Ok(Encoded::new("/api/embed", body))
    }

    fn decode(&self, body: &[u8], texts: usize) -> Result<Vec<Vec<f32>>> {
        one_for_each(parse::<Reply>(body)?.embeddings, texts)
    }

    fn failure(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        ollama::Chat::new().failure(status, headers, body)
    }
}
