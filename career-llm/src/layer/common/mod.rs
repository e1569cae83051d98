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

use crate::{ChatRequest, Error, ErrorKind, ModelId, Result, Timeout, tokens};

/// What becomes of a call when the backend that a layer asks first is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenBroken {
    /// The call goes out as if the backend had agreed, and the failure is counted and told.
    Pass,
    /// The call fails with [`ErrorKind::Backend`](crate::ErrorKind::Backend).
    Refuse,
}

/// How the tokens of a request are counted: as those of its model, unless a host counts itself.
#[derive(Clone, Default)]
pub(super) struct Estimate(Option<Arc<Count>>);

/// Counts the tokens of a request.
type Count = dyn Fn(&ChatRequest) -> u64 + Send + Sync;

impl Estimate {
    /// By the host.
    pub(super) fn by(count: impl Fn(&ChatRequest) -> u64 + Send + Sync + 'static) -> Self {
        Estimate(Some(Arc::new(count)))
    }

    /// The tokens of a request at this model.
    pub(super) fn of(&self, request: &ChatRequest, model: &ModelId) -> u64 {
        self.0.as_ref().map_or_else(|| tokens::count(request, model), |count| count(request))
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

/// How long a backend may take that a call can do without.
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
