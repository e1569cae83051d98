//! Gemini's `batchEmbedContents`.

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::Purpose;
use super::remote::{EmbedWire, EmbedderBuilder, RemoteEmbedder, one_for_each, parse};
use crate::provider::GEMINI;
use crate::wire::{Encoded, Wire, gemini};
use crate::{Error, Result, Text};

/// Embeddings as Gemini has them: a question and a document are embedded each in their own way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GeminiEmbeddings;

/// An embedding model of Gemini's. Shortened vectors, which Gemini does not bring to length 1, are brought to it here.
///
/// ```no_run
/// use career_llm::embed::GeminiEmbedder;
///
/// # fn main() -> career_llm::Result<()> {
/// let embedder = GeminiEmbedder::builder().from_env().shortened_to(768).build()?; // GEMINI_API_KEY
/// # Ok(())
/// # }
/// ```
pub type GeminiEmbedder = RemoteEmbedder<GeminiEmbeddings>;

impl GeminiEmbedder {
    /// Nothing set yet but where Gemini is.
    pub fn builder() -> EmbedderBuilder<GeminiEmbeddings> {
        RemoteEmbedder::over(GeminiEmbeddings, &GEMINI)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    requests: Vec<Request<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    model: &'a str,
    content: Content<'a>,
    task_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<usize>,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: [Part<'a>; 1],
}

#[derive(Serialize)]
struct Part<'a> {
    text: &'a Text,
}

#[derive(Deserialize)]
struct Reply {
    embeddings: Vec<Values>,
}

#[derive(Deserialize)]
struct Values {
    values: Vec<f32>,
}

impl EmbedWire for GeminiEmbeddings {
    const MOST: usize = 100;

    fn encode(&self, model: &str, texts: &[Text], purpose: Purpose, shortened_to: Option<usize>) -> Result<Encoded> {
        let name = format!("models/{model}");
        let task_type = match purpose {
            Purpose::Document => "RETRIEVAL_DOCUMENT",
            Purpose::Query => "RETRIEVAL_QUERY",
        };
        let request = |text| Request {
            model: &name,
            content: Content { parts: [Part { text }] },
            task_type,
            output_dimensionality: shortened_to,
        };
        let body = serde_json::to_string(&Body { requests: texts.iter().map(request).collect() });
        let body = body.map_err(|error| Error::invalid("texts that are no JSON").with_source(error))?;
        Ok(Encoded::new(format!("/{name}:batchEmbedContents"), body))
    }

    fn decode(&self, body: &[u8], texts: usize) -> Result<Vec<Vec<f32>>> {
        let reply: Reply = parse(body)?;
        one_for_each(reply.embeddings.into_iter().map(|embedding| embedding.values).collect(), texts)
    }

    fn failure(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        gemini::GenerateContent::new().failure(status, headers, body)
    }
}
