//! A model that follows a script.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use tokio::time::{Instant, sleep_until};

use crate::{ChatEvent, ChatModel, ChatRequest, ChatStream, Error, ErrorKind, ModelId, Result, Started, Timeout};

mod script;
#[cfg(test)]
mod tests;

use script::Answer;
pub use script::{Piece, Script};

/// A model that answers by a script, and remembers what it was asked.
///
/// Each call takes the next script, in the order in which the calls are made; when all are taken, the one for ever,
/// if there is one. Where neither is, the call fails with an error of kind [`Config`](ErrorKind::Config), which no
/// chain hides. Waits are of tokio's clock, so a test that pauses it takes no time.
///
/// It keeps the contract of [`ChatModel`], the deadline too, unless it is made [`heedless`](ScriptedModel::heedless). A
/// clone is the same model: keep one to look at what was asked.
///
/// ```
/// use career_llm::testkit::scripted::{Script, ScriptedModel};
/// use career_llm::{ChatModelExt, ChatRequest, Error, ErrorKind, ModelId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_llm::Result<()> {
/// let model = ScriptedModel::new(ModelId::new("test", "one"))
///     .then(Script::fail(Error::new(ErrorKind::Overloaded, "")))
///     .then(Script::reply("Become a botanist."));
/// let request = ChatRequest::user("What should I become?");
/// assert_eq!(model.complete(&request).await.err().map(|error| error.kind()), Some(ErrorKind::Overloaded));
/// assert_eq!(model.complete(&request).await?.text(), "Become a botanist.");
/// assert_eq!(model.calls(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ScriptedModel {
    id: ModelId,
    heedless: bool,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    plan: Mutex<Plan>,
    requests: Mutex<Vec<ChatRequest>>,
    abandoned: AtomicUsize,
}

#[derive(Default)]
struct Plan {
    next: VecDeque<Script>,
    then: Option<Arc<Answering>>,
}

type Answering = dyn Fn(&ChatRequest) -> Script + Send + Sync;

impl ScriptedModel {
    /// A model of this name, without a script yet.
    pub fn new(id: ModelId) -> Self {
        ScriptedModel { id, heedless: false, shared: Arc::default() }
    }

    /// One more call is answered by this.
    #[must_use]
    pub fn then(self, script: Script) -> Self {
        self.push(script);
        self
    }

    /// Every call after those that have a script of their own is answered by this.
    #[must_use]
    pub fn forever(self, script: Script) -> Self {
        self.answering(move |_| script.clone())
    }

    /// Every call after those that have a script of their own is answered by what this makes of its request.
    #[must_use]
    pub fn answering(self, script: impl Fn(&ChatRequest) -> Script + Send + Sync + 'static) -> Self {
        locked(&self.shared.plan).then = Some(Arc::new(script));
        self
    }

    /// Breaks the contract: no deadline is kept. For the tests of what must hold even then.
    #[must_use]
    pub fn heedless(mut self) -> Self {
        self.heedless = true;
        self
    }

    /// One more call is answered by this; for a model that is in use already.
    pub fn push(&self, script: Script) {
        locked(&self.shared.plan).next.push_back(script);
    }

    /// What was asked, the earlier first.
    pub fn requests(&self) -> Vec<ChatRequest> {
        locked(&self.shared.requests).clone()
    }

    /// How many calls were made.
    pub fn calls(&self) -> usize {
        locked(&self.shared.requests).len()
    }

    /// How many calls were dropped before their end.
    pub fn abandoned(&self) -> usize {
        self.shared.abandoned.load(Ordering::Relaxed)
    }

    /// How many scripts were not taken yet; the one for ever is not among them.
    pub fn remaining(&self) -> usize {
        locked(&self.shared.plan).next.len()
    }

    fn take(&self, request: &ChatRequest) -> Result<Script> {
        locked(&self.shared.requests).push(request.clone());
        let mut plan = locked(&self.shared.plan);
        if let Some(script) = plan.next.pop_front() {
            return Ok(script);
        }
        let then = plan.then.clone().ok_or_else(|| Error::config("the script of this model is used up"))?;
        // The function may look at the model itself.
        drop(plan);
        Ok(then(request))
    }
}

/// What is behind these locks is whole at any time, also when a test panicked while it held one.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call that is going on.
struct Call {
    id: ModelId,
    deadline: Option<Instant>,
    shared: Arc<Shared>,
    ended: bool,
}

impl Call {
    fn end(&mut self, error: Error) -> Error {
        self.ended = true;
        error.with_model(self.id.clone())
    }

    /// Waits, at most until the deadline.
    async fn wait(&mut self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        if self.deadline.is_some_and(|deadline| deadline <= until) {
            return Err(self.silence().await);
        }
        if !time.is_zero() {
            sleep_until(until).await;
        }
        Ok(())
    }

    /// Waits for the deadline; without one, for ever.
    async fn silence(&mut self) -> Error {
        match self.deadline {
            Some(deadline) => sleep_until(deadline).await,
            None => std::future::pending().await,
        }
        self.end(Error::new(ErrorKind::Timeout(Timeout::Deadline), ""))
    }

    /// The next piece, once it is there.
    async fn next(&mut self, pieces: &mut VecDeque<Piece>) -> Option<Result<ChatEvent>> {
        loop {
            let waited = match pieces.pop_front() {
                Some(Piece::Event(event)) => {
                    self.ended = matches!(event, ChatEvent::Done(_));
                    return Some(Ok(event));
                }
                Some(Piece::Fail(error)) => return Some(Err(self.end(error))),
                Some(Piece::Wait(time)) => self.wait(time).await,
                Some(Piece::Hang) => Err(self.silence().await),
                None => {
                    self.ended = true;
                    return None;
                }
            };
            if let Err(error) = waited {
                return Some(Err(error));
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.abandoned.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ChatModel for ScriptedModel {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        request.check().map_err(|error| error.with_model(self.id.clone()))?;
        let script = self.take(request).map_err(|error| error.with_model(self.id.clone()))?;
        let deadline = request.deadline.filter(|_| !self.heedless);
        let mut call = Call { id: self.id.clone(), deadline, shared: Arc::clone(&self.shared), ended: false };
        call.wait(script.before).await?;
        let mut pieces = match script.answer {
            Answer::Taken(pieces) => VecDeque::from(pieces),
            Answer::Refused(error) => return Err(call.end(error)),
            Answer::Silence => return Err(call.silence().await),
        };
        if !matches!(pieces.front(), Some(Piece::Event(ChatEvent::Started(_)))) {
            pieces.push_front(ChatEvent::Started(Box::new(Started::new(self.id.clone()))).into());
        }
        Ok(ChatStream::new(stream::unfold((call, pieces), |(mut call, mut pieces)| async move {
            let item = call.next(&mut pieces).await?;
            Some((item, (call, pieces)))
        })))
    }

    fn id(&self) -> ModelId {
        self.id.clone()
    }
}

impl fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (calls, remaining) = (self.calls(), self.remaining());
        f.debug_struct("ScriptedModel")
            .field("id", &self.id)
            .field("calls", &calls)
            .field("remaining", &remaining)
            .finish_non_exhaustive()
    }
}
