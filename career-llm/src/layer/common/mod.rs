//! What several layers need.

mod key;
#[cfg(test)]
pub(super) mod probe;
mod saved;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(super) use key::{digest, hex, request_key};
#[cfg(feature = "trace")]
pub(super) use saved::kind_name;
pub(super) use saved::{SavedError, SavedEvent, SavedModel};

use crate::{ChatRequest, Error, ErrorKind, Image, Message, ModelId, Part, Result, Timeout};

/// What becomes of a call when the backend that a layer asks first is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenBroken {
    /// The call goes out as if the backend had agreed, and the failure is counted and told.
    Pass,
    /// The call fails with [`ErrorKind::Backend`](crate::ErrorKind::Backend).
    Refuse,
}

/// What a picture is taken for: more than the providers' usual sizes take.
const IMAGE_TOKENS: usize = 1_600;
/// What a turn, a tool or a schema takes besides its words.
const OVERHEAD_TOKENS: usize = 8;

/// How many tokens a request is, at most, without a vocabulary: a token for every three bytes of text, names and
/// schemas begun, 8 for every turn, tool and schema, and 1,600 for a picture.
///
/// English text comes to about four bytes a token, Devanagari to three or more in the vocabularies of this decade;
/// text that is mostly rare signs can come to less than three, and is then more tokens than this.
pub(super) fn input_tokens(request: &ChatRequest) -> u64 {
    let text = |text: &str| text.len().div_ceil(3);
    let part = |part: &Part| match part {
        Part::Text(words) => text(words),
        Part::Image(Image::Bytes { .. } | Image::Url(_)) => IMAGE_TOKENS,
        Part::ToolCall(call) => text(&call.id) + text(&call.name) + text(&call.input),
        Part::ToolResult(result) => text(&result.call) + text(&result.name) + text(&result.content),
        Part::Opaque(opaque) => text(&opaque.value.to_string()),
    };
    let turn = |message: &Message| OVERHEAD_TOKENS + message.parts.iter().map(part).sum::<usize>();
    let turns: usize = request.messages.iter().map(turn).sum();
    let system = request.system.as_ref().map_or(0, |words| OVERHEAD_TOKENS + text(words));
    let tools = request
        .tools
        .iter()
        .map(|tool| OVERHEAD_TOKENS + text(&tool.name) + text(&tool.description) + text(&tool.input.to_string()));
    let output = request
        .output
        .as_ref()
        .map_or(0, |output| OVERHEAD_TOKENS + text(&output.name) + text(&output.schema.to_string()));
    u64::try_from(system + turns + tools.sum::<usize>() + output).unwrap_or(u64::MAX)
}

/// How a host counts the tokens of a request.
#[derive(Clone)]
pub(super) struct Estimate(pub(super) Arc<dyn Fn(&ChatRequest) -> u64 + Send + Sync>);

impl Default for Estimate {
    fn default() -> Self {
        Estimate(Arc::new(input_tokens))
    }
}

impl fmt::Debug for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Estimate")
    }
}

/// Is told of a failure.
type Told = dyn Fn(&career_core::Error) + Send + Sync;

/// Failures that fail no call: counted, and told to whoever wants to know.
#[derive(Default)]
pub(super) struct Failures {
    count: AtomicU64,
    told: Option<Box<Told>>,
}

impl Failures {
    /// Tells this from now on.
    pub(super) fn tell(&mut self, told: impl Fn(&career_core::Error) + Send + Sync + 'static) {
        self.told = Some(Box::new(told));
    }

    /// Takes note of a failure in a layer.
    pub(super) fn note(&self, layer: &'static str, error: &career_core::Error) {
        self.count.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "trace")]
        tracing::warn!(layer, error.type = %error.kind(), "a backend failed");
        #[cfg(not(feature = "trace"))]
        let _ = layer;
        if let Some(told) = &self.told {
            told(error);
        }
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failures").field("count", &self.count()).finish_non_exhaustive()
    }
}

/// Waits for a backend, until the deadline of the request.
pub(super) async fn by_deadline<T>(
    request: &ChatRequest,
    model: impl FnOnce() -> ModelId,
    work: impl Future<Output = T>,
) -> Result<T> {
    let Some(deadline) = request.deadline else { return Ok(work.await) };
    tokio::time::timeout_at(deadline, work).await.map_err(|_| deadline_passed(model()))
}

/// How long a backend may take that a call does not depend on.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// What a backend answers; one that does not in time counts as broken.
pub(super) async fn in_time<T>(
    patience: Duration,
    work: impl Future<Output = career_core::Result<T>>,
) -> career_core::Result<T> {
    let late = |_| career_core::Error::new(career_core::ErrorKind::Unavailable, "the backend did not answer in time");
    tokio::time::timeout(patience, work).await.map_err(late)?
}

/// The deadline passed before the model was asked.
pub(super) fn deadline_passed(model: ModelId) -> Error {
    Error::new(ErrorKind::Timeout(Timeout::Deadline), "before the model was asked").with_model(model)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{ImageData, OutputSchema, Role, Tool};

    #[test]
    fn everything_that_is_sent_counts() {
        let plain = ChatRequest::user("123456789");
        assert_eq!(input_tokens(&plain), 8 + 3);
        let picture = Image::Bytes { media_type: "image/png".into(), data: ImageData(bytes::Bytes::new()) };
        let more = [
            plain.clone().with_system("abc"),
            plain.clone().with_tool(Tool::new("t", "", json!({}))),
            plain.clone().with_output(OutputSchema::new("o", json!({}))),
            plain.clone().with(Message::user("")),
        ];
        for request in more {
            assert!(input_tokens(&request) > input_tokens(&plain), "{request:?}");
        }
        let seen = plain.with(Message::new(Role::User, vec![Part::Image(picture)]));
        assert_eq!(input_tokens(&seen), 8 + 3 + 8 + 1_600);
    }
}
