//! OpenAI's `/embeddings`, and what is compatible with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::Purpose;
use super::remote::{EmbedWire, EmbedderBuilder, RemoteEmbedder, one_for_each, parse};
use crate::provider::{OPENAI, Vendor};
use crate::wire::completions::{Completions, Quirks};
use crate::wire::{Encoded, Wire};
use crate::{Error, Result, Text};

/// Embeddings as OpenAI has them. A question and a document are embedded alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenAiEmbeddings {
    /// Whether vectors are asked for in base64, which OpenAI knows and not every compatible server.
    base64: bool,
}

/// An embedding model of OpenAI's, or of a server that speaks its protocol.
///
/// ```no_run
/// use career_llm::embed::OpenAiEmbedder;
/// use career_llm::provider::LM_STUDIO;
///
/// # fn main() -> career_llm::Result<()> {
/// let hosted = OpenAiEmbedder::builder().from_env().build()?; // OPENAI_API_KEY, OPENAI_EMBEDDING_MODEL
/// let here = OpenAiEmbedder::compatible(&LM_STUDIO.vendor).model("bge-small").dimensions(384).build()?;
/// # Ok(())
/// # }
/// ```
pub type OpenAiEmbedder = RemoteEmbedder<OpenAiEmbeddings>;

impl OpenAiEmbedder {
    /// OpenAI's own.
    pub fn builder() -> EmbedderBuilder<OpenAiEmbeddings> {
        RemoteEmbedder::over(OpenAiEmbeddings { base64: true }, &OPENAI.vendor)
    }

    /// Another server's.
    pub fn compatible(vendor: &'static Vendor) -> EmbedderBuilder<OpenAiEmbeddings> {
        RemoteEmbedder::over(OpenAiEmbeddings { base64: false }, vendor)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [Text],
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
    encoding_format: &'static str,
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow)]
    data: Vec<Datum<'a>>,
}

#[derive(Deserialize)]
struct Datum<'a> {
    index: Option<usize>,
    #[serde(borrow)]
    embedding: Vector<'a>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Vector<'a> {
    Base64(#[serde(borrow)] std::borrow::Cow<'a, str>),
    Numbers(Vec<f32>),
}

impl Vector<'_> {
    fn numbers(self) -> Result<Vec<f32>> {
        match self {
            Vector::Numbers(numbers) => Ok(numbers),
            Vector::Base64(text) => {
                let bytes =
                    STANDARD.decode(text.as_bytes()).map_err(|_| Error::protocol("a vector that is no base64"))?;
                let (numbers, rest) = bytes.as_chunks::<4>();
                if !rest.is_empty() {
                    return Err(Error::protocol("a vector of broken numbers"));
                }
                Ok(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
            }
        }
    }
}

impl EmbedWire for OpenAiEmbeddings {
    const MOST: usize = 256;

    fn encode(&self, model: &str, texts: &[Text], _: Purpose, shortened_to: Option<usize>) -> Result<Encoded> {
        let encoding_format = if self.base64 { "base64" } else { "float" };
        let body = Body { model, input: texts, dimensions: shortened_to, encoding_format };
        let body = serde_json::to_string(&body)
            .map_err(|error| Error::invalid("texts that are no JSON").with_source(error))?;
        Ok(Encoded::new("/embeddings", body))
    }

    fn decode(&self, body: &[u8], texts: usize) -> Result<Vec<Vec<f32>>> {
        let reply: Reply<'_> = parse(body)?;
        let mut data = reply.data;
        // Where all tell their place they may come in any order.
        if data.iter().all(|datum| datum.index.is_some()) {
            data.sort_by_key(|datum| datum.index);
            if data.iter().enumerate().any(|(at, datum)| datum.index != Some(at)) {
                return Err(Error::protocol("a vector is missing or comes twice"));
            }
        }
        one_for_each(data.into_iter().map(|datum| datum.embedding.numbers()).collect::<Result<_>>()?, texts)
    }

    fn failure(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        Completions::new(OPENAI.vendor.name, Quirks::new()).failure(status, headers, body)
    }
}
