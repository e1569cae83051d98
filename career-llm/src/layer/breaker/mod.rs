//! Stops asking a model that keeps failing.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{Stream, StreamExt};

use crate::{ChatEvent, ChatModel, ChatRequest, ChatStream, ModelId, Result};

mod gate;
#[cfg(all(test, feature = "testkit"))]
mod tests;
mod window;

pub(super) use gate::{Gate, Permit};

/// When a [`Breaker`] opens, and for how long.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BreakerOptions {
    /// How far back it looks. 30 seconds.
    pub window: Duration,
    /// It opens at so many failures in the window, above 0. 5.
    pub failures: u32,
    /// And when they are at least this share of the calls in it, 0 to 1. 0.5.
    pub share: f64,
    /// How long it stays open before it lets one call try, and how long it waits for that before another may. 15
    /// seconds.
    pub open_for: Duration,
    /// The longest that it stays open because the provider asks to wait. 5 minutes.
    pub open_at_most: Duration,
    /// A call that had no time left (by its deadline, or its share of a chain's) is a failure of the provider's only
    /// when it had been given at least this long. 5 seconds.
    pub slow: Duration,
    /// Whether throttling (HTTP 429) counts. If so, and the provider says how long to wait, the breaker opens at once
    /// for so long. No.
    pub throttled: bool,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        BreakerOptions {
            window: Duration::from_secs(30),
            failures: 5,
            share: 0.5,
            open_for: Duration::from_secs(15),
            open_at_most: Duration::from_secs(300),
            slow: Duration::from_secs(5),
            throttled: false,
        }
    }
}

impl BreakerOptions {
    /// Opens at so many failures in the window.
    #[must_use]
    pub fn with_failures(mut self, failures: u32) -> Self {
        self.failures = failures;
        self
    }

    /// Opens when they are at least this share of the calls, 0 to 1.
    #[must_use]
    pub fn with_share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Looks so far back.
    #[must_use]
    pub fn with_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Stays open for so long.
    #[must_use]
    pub fn with_open_for(mut self, time: Duration) -> Self {
        self.open_for = time;
        self
    }

    /// Counts throttling.
    #[must_use]
    pub fn with_throttled(mut self, throttled: bool) -> Self {
        self.throttled = throttled;
        self
    }
}

/// Whether a breaker lets calls through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It does.
    Closed,
    /// It does not.
    Open,
    /// One call may try, or is trying, whether the model is well again.
    HalfOpen,
}

/// Stops asking a model that keeps failing, and tries now and then whether it is well again.
///
/// - Only what is the provider's fault counts: overload, no or a broken connection, its timeouts, a violated protocol,
///   and with [`BreakerOptions::throttled`] throttling. A wrong key, a refused request, a used-up quota count neither
///   way.
/// - A call is a success when its `Done` came, and a failure when it broke, be it in the middle of the stream. One that
///   was dropped, since nobody waits any more, is neither.
/// - When it is open, a call fails at once with [`BreakerOpen`](crate::ErrorKind::BreakerOpen), which says when to
///   come back and sends a chain [elsewhere](crate::Scope::Elsewhere). After [`BreakerOptions::open_for`] one call is
///   let through, and another whenever as long went by without its end: a success closes the breaker, a failure opens
///   it again.
///
/// A clone is the same breaker. In a [`Fallback`](crate::layer::Fallback) use its
/// [`with_breakers`](crate::layer::Fallback::with_breakers): it also tells the breaker when a model did not begin within
/// its share of the deadline, which from the inside looks as if nobody waited.
///
/// ```
/// use career_llm::ChatModel;
/// use career_llm::layer::{Breaker, State};
///
/// # fn example(model: impl ChatModel) {
/// let model = Breaker::new(model);
/// assert_eq!(model.state(), State::Closed);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Breaker<M> {
    model: M,
    gate: Gate,
}

impl<M: ChatModel> Breaker<M> {
    /// With the default options.
    pub fn new(model: M) -> Self {
        Breaker::with(model, BreakerOptions::default())
    }

    /// With these options.
    pub fn with(model: M, options: BreakerOptions) -> Self {
        Breaker { model, gate: Gate::new(options) }
    }

    /// Whether it lets calls through now.
    pub fn state(&self) -> State {
        self.gate.state()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<M: ChatModel> ChatModel for Breaker<M> {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        let mut permit = self.gate.enter().map_err(|error| error.with_model(self.model.id()))?;
        match self.model.stream(request).await {
            Ok(stream) => Ok(ChatStream::new(Guarded { stream, permit })),
            Err(error) => {
                permit.failed(&error);
                Err(error)
            }
        }
    }

    fn id(&self) -> ModelId {
        self.model.id()
    }
}

/// A stream whose end the breaker hears of.
struct Guarded {
    stream: ChatStream,
    permit: Permit,
}

impl Stream for Guarded {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.stream.poll_next_unpin(cx);
        match &polled {
            Poll::Ready(Some(Ok(ChatEvent::Done(_)))) => self.permit.succeeded(),
            Poll::Ready(Some(Err(error))) => self.permit.failed(error),
            _ => {}
        }
        polled
    }
}
