//! Asks a second time when the first answer is slow to begin.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep};

use crate::layer::watch::{Broken, Opened, Resumed, Tried, may_go_on, open};
use crate::{ChatModel, ChatRequest, ChatStream, Error, ErrorKind, ModelId, Result, Timeout};

#[cfg(all(test, feature = "testkit"))]
mod tests;

/// Asks a second time when the first answer is slow to begin, and takes the one that begins first.
///
/// - When no first content came within [`delay`](Hedge::delay) (of a reply asked for whole: when it is not there), the
///   same call is made again: at the next of the [`or`](Hedge::or) models, or at the same one. After as long again the
///   next, up to [`at_most`](Hedge::at_most).
/// - The first content wins. The others are dropped, which cancels them; what they used up is not known. They are in
///   the record of attempts as [`Cancelled`](ErrorKind::Cancelled), without usage: a bill may be higher than the sum.
/// - When one fails while another runs, the other is waited for. A failure for nowhere ([`Scope::Nowhere`](crate::Scope),
///   such as a refusal) ends all of them: another model would only be laxer. When all fail, it is the last one's error, with
///   every attempt.
/// - A failure is no reason to ask again; for that there are [`Retry`](crate::layer::Retry) and
///   [`Fallback`](crate::layer::Fallback).
///
/// It trades tokens for time: set the delay near the 95th percentile of the time to first content, and one call in
/// twenty is made twice.
///
/// ```
/// use std::time::Duration;
///
/// use career_llm::ChatModel;
/// use career_llm::layer::Hedge;
///
/// # fn example(large: impl ChatModel, small: impl ChatModel) -> impl ChatModel {
/// Hedge::new(large).delay(Duration::from_secs(3)).or(small)
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Hedge<M> {
    model: M,
    others: Vec<Arc<dyn ChatModel>>,
    delay: Duration,
    at_most: u32,
}

/// A call that is going on.
struct Running {
    call: u32,
    began: Instant,
}

impl<M: ChatModel> Hedge<M> {
    /// Asks once more after 2 seconds.
    pub fn new(model: M) -> Self {
        Hedge { model, others: Vec::new(), delay: Duration::from_secs(2), at_most: 1 }
    }

    /// How long to wait for the first content before asking again.
    #[must_use]
    pub fn delay(mut self, time: Duration) -> Self {
        self.delay = time;
        self
    }

    /// One more model to ask in place of the same again, the earlier first; when all were asked, they are asked from
    /// the first one on.
    #[must_use]
    pub fn or(mut self, model: impl ChatModel) -> Self {
        self.others.push(Arc::new(model));
        self
    }

    /// How often it asks again at most; 0 never.
    #[must_use]
    pub fn at_most(mut self, hedges: u32) -> Self {
        self.at_most = hedges;
        self
    }

    fn asked(&self, call: u32) -> &dyn ChatModel {
        match (call.checked_sub(1), self.others.len()) {
            (None, _) | (_, 0) => &self.model,
            (Some(hedge), others) => &*self.others[hedge as usize % others],
        }
    }

    async fn call(&self, call: u32, request: &ChatRequest) -> (u32, Result<Opened, Broken>) {
        (call, open(self.asked(call), request).await)
    }

    /// Lists the calls that nobody waits for any more.
    fn abandon(&self, running: &[Running], tried: &mut Tried) {
        for loser in running {
            let error =
                Error::new(ErrorKind::Cancelled, "another call ended first; what this one used up is not known");
            tried.add(|| self.asked(loser.call).id(), loser.began, &error, None);
        }
    }
}

/// Whether no other call may answer in place of this one.
fn ends_all(error: &Error) -> bool {
    !may_go_on(error) && error.kind() != ErrorKind::Timeout(Timeout::Deadline)
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<M: ChatModel> ChatModel for Hedge<M> {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        let mut calls = FuturesUnordered::new();
        let mut running = vec![Running { call: 0, began: Instant::now() }];
        let mut tried = Tried::default();
        let mut next = 1;
        calls.push(self.call(0, request));
        let timer = sleep(self.delay);
        tokio::pin!(timer);
        loop {
            let (call, result) = tokio::select! {
                biased;
                Some(ended) = calls.next() => ended,
                () = &mut timer, if next <= self.at_most => {
                    running.push(Running { call: next, began: Instant::now() });
                    calls.push(self.call(next, request));
                    next += 1;
                    timer.as_mut().reset(Instant::now() + self.delay);
                    continue;
                }
            };
            let Some(at) = running.iter().position(|running| running.call == call) else { continue };
            let began = running.swap_remove(at).began;
            let model = self.asked(call);
            let error = match result {
                Ok(opened) => {
                    self.abandon(&running, &mut tried);
                    return Ok(Resumed::stream(opened, tried, model, began));
                }
                Err(broken) if tried.is_empty() && running.is_empty() && broken.usage.is_none() => {
                    return Err(broken.error);
                }
                Err(broken) => {
                    tried.add(|| model.id(), began, &broken.error, broken.usage);
                    broken.error
                }
            };
            if running.is_empty() || ends_all(&error) {
                self.abandon(&running, &mut tried);
                return Err(error.with_attempts(tried.take()));
            }
        }
    }

    fn id(&self) -> ModelId {
        self.model.id()
    }
}
