//! Embedders: text in, vectors out that lie near each other when the texts mean alike.
//!
//! | embedder | what it needs | feature |
//! |---|---|---|
//! | [`HashedEmbedder`] | nothing: words and parts of words are hashed | |
//! | `OpenAiEmbedder` | OpenAI, or any server that speaks `/embeddings` | `openai` |
//! | `GeminiEmbedder` | Gemini | `gemini` |
//! | `OllamaEmbedder` | an Ollama server | `ollama` |
//! | `LocalEmbedder` | a sentence encoder in a folder; runs here | `local` |
//!
//! Vectors of different embedders cannot be compared: keep [`Embedder::id`] with them.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Error, ModelId, Result, Text};

#[cfg(feature = "gemini")]
mod gemini;
mod hashed;
#[cfg(feature = "http")]
mod known;
#[cfg(feature = "local")]
mod local;
#[cfg(feature = "ollama")]
mod ollama;
#[cfg(feature = "openai")]
mod openai;
#[cfg(feature = "http")]
mod remote;

#[cfg(feature = "gemini")]
pub use gemini::{GeminiEmbedder, GeminiEmbeddings};
pub use hashed::HashedEmbedder;
#[cfg(feature = "local")]
pub use local::LocalEmbedder;
#[cfg(feature = "ollama")]
pub use ollama::{OllamaEmbedder, OllamaEmbeddings};
#[cfg(feature = "openai")]
pub use openai::{OpenAiEmbedder, OpenAiEmbeddings};
#[cfg(feature = "http")]
pub use remote::{EmbedWire, EmbedderBuilder, RemoteEmbedder};

/// What a vector is for. Some models embed a question and what answers it differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// To be kept and found.
    Document,
    /// To find with.
    Query,
}

/// Turns texts into vectors.
///
/// # Contract
///
/// - One vector for each text, in the order of the texts; none for none.
/// - Each has [`dimensions`](Embedder::dimensions) finite numbers and length 1, whatever the text: an empty one too.
/// - The same text for the same purpose gives the same vector, whatever stands beside it (up to rounding).
///
/// `career_llm::testkit::embedder` (feature `testkit`) checks an implementation against this contract.
///
/// ```
/// use career_llm::embed::{Embedder, EmbedderExt, HashedEmbedder, Purpose};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_llm::Result<()> {
/// let embedder = HashedEmbedder::default();
/// let nurse = embedder.embed_one("staff nurse in a ward", Purpose::Document).await?;
/// let near = embedder.embed_one("nursing", Purpose::Query).await?;
/// let far = embedder.embed_one("welding", Purpose::Query).await?;
/// let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
/// assert!(cosine(&nurse, &near) > cosine(&nurse, &far));
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Embedder: Debug + Send + Sync + 'static {
    /// Which model this is.
    fn id(&self) -> ModelId;

    /// How many numbers each vector has.
    fn dimensions(&self) -> usize;

    /// The vectors of these texts.
    ///
    /// # Errors
    ///
    /// Those of a call of a model; [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) when what came back breaks the
    /// contract. All or none.
    async fn embed(&self, texts: &[Text], purpose: Purpose) -> Result<Vec<Vec<f32>>>;
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<T: Embedder + ?Sized> Embedder for $pointer<T> {
            fn id(&self) -> ModelId {
                (**self).id()
            }

            fn dimensions(&self) -> usize {
                (**self).dimensions()
            }

            async fn embed(&self, texts: &[Text], purpose: Purpose) -> Result<Vec<Vec<f32>>> {
                (**self).embed(texts, purpose).await
            }
        }
    )*};
}

forward!(Arc, Box);

/// What every embedder can do besides.
#[async_trait]
pub trait EmbedderExt: Embedder {
    /// The vector of one text.
    ///
    /// # Errors
    ///
    /// As for [`Embedder::embed`].
    async fn embed_one<'t>(&self, text: &'t str, purpose: Purpose) -> Result<Vec<f32>> {
        let mut vectors = self.embed(&[Text::from(text)], purpose).await?;
        match (vectors.pop(), vectors.is_empty()) {
            (Some(vector), true) => Ok(vector),
            _ => Err(Error::protocol("expected one vector for one text").with_model(self.id())),
        }
    }
}

impl<T: Embedder + ?Sized> EmbedderExt for T {}

/// Makes the length 1; whether it could, which it cannot for zeros or what is not finite.
pub(crate) fn normalise(vector: &mut [f32]) -> bool {
    let length = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    if !(length.is_finite() && length > 0.0) {
        return false;
    }
    for x in vector {
        *x = (f64::from(*x) / length) as f32;
    }
    true
}
