//! Asks the same model again when it failed for a while.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep_until};

use crate::layer::Backoff;
use crate::layer::watch::{Resumed, Tried, open};
use crate::{ChatModel, ChatRequest, ChatStream, Error, ModelId, Result};

#[cfg(all(test, feature = "testkit"))]
mod tests;

/// Asks the same model again when it failed for a while: the one retry loop of this crate.
///
/// - Only what may succeed at the same model ([`Scope::Here`](crate::Scope)) is tried again, and only before the first
///   content; a reply that is asked for whole is held back, so it is tried again wherever it broke. A reply without
///   any content counts as broken, unless it refuses or wants a tool.
/// - Between tries it waits with full jitter ([`Backoff`]). A provider that said how long to wait is not asked before,
///   and a random bit of the first backoff later.
/// - When that is longer than [`max_wait`](Retry::max_wait) or than the deadline leaves, it gives up at once, so that
///   a chain around it can go on.
/// - The tries that failed are in [`Done::attempts`](crate::Done) of the reply; when it gives up after more than one,
///   all are in [`Error::attempts`] of the last error.
///
/// Within a [`Fallback`](crate::layer::Fallback) make few tries, two at most: another model answers sooner than this one
/// recovers, and the waits use up the deadline of the whole chain. A [`Breaker`](crate::layer::Breaker) belongs inside,
/// so that it sees each try, and ends the loop when it opens.
///
/// ```
/// use career_llm::layer::Retry;
/// use career_llm::{ChatModel, ChatModelExt, ChatRequest, Result};
///
/// # async fn example(model: impl ChatModel) -> Result<()> {
/// let model = Retry::new(model).attempts(4);
/// println!("{}", model.complete(&ChatRequest::user("Which careers use botany?")).await?.text());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Retry<M> {
    model: M,
    attempts: u32,
    backoff: Backoff,
    max_wait: Duration,
}

impl<M: ChatModel> Retry<M> {
    /// At most 3 tries, with the default [`Backoff`], and no wait above 10 seconds.
    pub fn new(model: M) -> Self {
        Retry { model, attempts: 3, backoff: Backoff::default(), max_wait: Duration::from_secs(10) }
    }

    /// How often it asks at most, the first time included; 0 is taken for 1.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long it waits when the provider does not say.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// The longest that it waits for a provider that says how long.
    #[must_use]
    pub fn max_wait(mut self, time: Duration) -> Self {
        self.max_wait = time;
        self
    }

    /// When to ask again after so many failures; `None` to give up.
    fn next(&self, failures: u32, error: &Error, request: &ChatRequest) -> Option<Instant> {
        let advice = error.advice();
        if failures >= self.attempts || !error.is_temporary() || advice.after.is_some_and(|after| after > self.max_wait)
        {
            return None;
        }
        let wait = match advice.after {
            // All who were told the same time would come back together.
            Some(after) => after.saturating_add(self.backoff.wait(1)),
            None => self.backoff.wait(failures),
        };
        let ready = Instant::now().checked_add(wait)?;
        request.deadline.is_none_or(|deadline| ready < deadline).then_some(ready)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<M: ChatModel> ChatModel for Retry<M> {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        let mut tried = Tried::default();
        let mut failures = 0;
        loop {
            let began = Instant::now();
            let broken = match open(&self.model, request).await {
                Ok(opened) => return Ok(Resumed::stream(opened, tried, &self.model, began)),
                Err(broken) => broken,
            };
            failures += 1;
            let next = self.next(failures, &broken.error, request);
            if next.is_none() && failures == 1 && broken.usage.is_none() {
                return Err(broken.error);
            }
            tried.add(|| self.model.id(), began, &broken.error, broken.usage);
            let Some(ready) = next else { return Err(broken.error.with_attempts(tried.take())) };
            sleep_until(ready).await;
        }
    }

    fn id(&self) -> ModelId {
        self.model.id()
    }
}
