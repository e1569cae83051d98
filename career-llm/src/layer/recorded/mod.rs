//! Calls on a cassette, to be played again without a provider.

mod cassette;
mod error;
mod summary;
mod tape;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use self::cassette::Cassette;
pub use self::error::CassetteError;
use self::summary::Summary;
use self::tape::Tape;
use super::common::{hex, request_key};
use crate::{ChatModel, ChatRequest, ChatStream, Error, ErrorKind, ModelId, Result};

/// What a [`Recorded`] does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordMode {
    /// Plays it; one that is not on the cassette is an error.
    Replay,
    /// Asks the model, and records it after what is there.
    Record,
    /// Plays it while it is on the cassette, and asks and records otherwise.
    ReplayOrRecord,
}

/// Records calls to a file, a cassette, and plays them from it: for tests that need the replies of a real model and no
/// network.
///
/// # What is on it
///
/// A line of JSON with the version and the model, then a line for each call: a key of the request, its form (roles,
/// lengths and hashes of texts, settings), and the events of its reply, errors and
/// [`Restarted`](crate::ChatEvent::Restarted) too. The whole line is written at once, when the stream has ended or is
/// dropped; where that fails the stream does, or the next call, and nothing more is recorded.
///
/// **Replies are on the cassette as they are**, and what providers said in errors: keep it where conversations may be
/// kept, and record nothing about real people. Requests are not on it, only hashes of their texts, which somebody who
/// guesses a short text can confirm. How long things took is not kept: a call plays at once.
///
/// # Playing
///
/// A request is played by what it asks; the deadline, the [delivery](crate::Delivery) and on whose behalf it is do not
/// matter. Equal requests get the recorded replies one after another, as often as they were recorded. A cassette is for
/// one model: another one's is refused.
///
/// # Errors
///
/// A file that is none, or is cut, and a request that is not on it are of kind [`ErrorKind::Config`], a file that
/// cannot be read or written of kind [`ErrorKind::Backend`]; the [source](std::error::Error::source) is a
/// [`CassetteError`] that names the file and the line, or how the request differs from the one most like it.
///
/// The file is read and written without waiting for other tasks, as befits tests.
///
/// ```
/// use career_llm::layer::{RecordMode, Recorded};
/// use career_llm::{ChatModelExt, ChatRequest};
/// # use async_trait::async_trait;
/// # use career_llm::{ChatEvent, ChatModel, ChatStream, Done, Result, Started, StopReason};
/// # #[derive(Debug)]
/// # struct Model;
/// # #[async_trait]
/// # impl ChatModel for Model {
/// #     async fn stream(&self, _: &ChatRequest) -> Result<ChatStream> {
/// #         Ok(ChatStream::from_events([
/// #             Ok(ChatEvent::Started(Box::new(Started::new(self.id())))),
/// #             Ok(ChatEvent::Text("Botanist".into())),
/// #             Ok(ChatEvent::Done(Box::new(Done::new(StopReason::End)))),
/// #         ]))
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("botany.jsonl");
/// let request = ChatRequest::user("Which careers use botany?");
/// Recorded::new(Model, &path, RecordMode::Record)?.complete(&request).await?; // once, with a key
///
/// let model = Recorded::replay(&path)?; // ever after, without
/// assert_eq!(model.complete(&request).await?.text(), "Botanist");
///
/// let error = model.complete(&ChatRequest::user("And zoology?")).await.expect_err("not on it");
/// assert!(error.to_string().contains("messages[0]: user: text of 12 bytes"), "{error}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Recorded<M> {
    inner: M,
    mode: RecordMode,
    cassette: Arc<Cassette>,
}

/// The model that a cassette was recorded from, where it is not at hand.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Absent(ModelId);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ChatModel for Absent {
    async fn stream(&self, _: &ChatRequest) -> Result<ChatStream> {
        Err(Error::config("the model is not at hand, only its cassette").with_model(self.0.clone()))
    }

    fn id(&self) -> ModelId {
        self.0.clone()
    }
}

impl Recorded<Absent> {
    /// Plays this cassette, without the model.
    ///
    /// # Errors
    ///
    /// As for [`Recorded::new`]; a file that is not there too.
    pub fn replay(path: impl AsRef<Path>) -> Result<Self> {
        let cassette = Cassette::open(path.as_ref(), None)?;
        let inner = Absent(cassette.model().clone());
        Ok(Recorded { inner, mode: RecordMode::Replay, cassette: Arc::new(cassette) })
    }
}

impl<M: ChatModel> Recorded<M> {
    /// Opens a cassette for this model. To record, a file that is not there is made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for a file that is no cassette, is of another version or model, or has a line that is
    /// none or is cut; [`ErrorKind::Backend`] when it cannot be read or made.
    pub fn new(inner: M, path: impl AsRef<Path>, mode: RecordMode) -> Result<Self> {
        let (path, id) = (path.as_ref(), inner.id());
        let cassette = if mode == RecordMode::Replay || path.exists() {
            Cassette::open(path, Some(&id))?
        } else {
            Cassette::create(path, &id)?
        };
        Ok(Recorded { inner, mode, cassette: Arc::new(cassette) })
    }

    /// How many recorded calls have not been played.
    pub fn unplayed(&self) -> usize {
        self.cassette.unplayed()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<M: ChatModel> ChatModel for Recorded<M> {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        self.cassette.lost()?;
        let key = hex(&request_key(request, false)?);
        let summary = Summary::of(request);
        if self.mode != RecordMode::Record {
            match self.cassette.play(&key, &summary) {
                Ok(call) => return tape::played(&call),
                Err(_) if self.mode == RecordMode::ReplayOrRecord => {}
                Err(error) => return Err(Error::from(error).with_model(self.inner.id())),
            }
        }
        let tape = Tape::new(self.cassette.clone(), key, summary);
        match self.inner.stream(request).await {
            Ok(stream) => Ok(tape.record(stream)),
            Err(error) => {
                tape.refused(&error)?;
                Err(error)
            }
        }
    }

    fn id(&self) -> ModelId {
        self.inner.id()
    }
}

impl From<CassetteError> for Error {
    fn from(error: CassetteError) -> Self {
        let kind = match &error {
            CassetteError::File { .. } => ErrorKind::Backend,
            _ => ErrorKind::Config,
        };
        Error::new(kind, error.to_string()).with_source(error)
    }
}
