//! Asks one model after the other until one answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::layer::breaker::Gate;
use crate::layer::watch::may_go_on;
use crate::layer::{Backoff, BreakerOptions, State};
use crate::{ChatModel, ChatRequest, ChatStream, Delivery, Error, ErrorKind, ModelId, Result, Timeout};

mod course;
#[cfg(all(test, feature = "testkit"))]
mod laws;
mod passing;
#[cfg(all(test, feature = "testkit"))]
mod tests;

use course::Course;
use passing::Passing;

/// Asks one model after the other until one answers.
///
/// ```
/// use std::time::Duration;
///
/// use career_llm::layer::{BreakerOptions, Fallback};
/// use career_llm::{ChatModel, ChatModelExt, ChatRequest, Result};
///
/// # async fn example(first: impl ChatModel, second: impl ChatModel) -> Result<()> {
/// let model = Fallback::new()
///     .then(first)
///     .then(second)
///     .deadline(Duration::from_secs(20))
///     .with_breakers(BreakerOptions::default());
/// let reply = model.complete(&ChatRequest::user("Which careers use botany?")).await?;
/// println!("{} answered after {} failures", reply.model, reply.attempts.len());
/// # Ok(())
/// # }
/// ```
///
/// # When it goes on to the next model
///
/// - At any failure but those that are for nowhere ([`Scope::Nowhere`](crate::Scope)): a refusal by a safety filter never falls
///   through to a laxer model, and a request that is wrong is wrong everywhere. Those are returned themselves. So is a
///   reply that ended by a refusal: it is an answer. [`on`](Fallback::on) narrows this further. A chain within this one
///   that found [no route](ErrorKind::NoRoute) is a failure like others.
/// - A reply that ends without any content is a failure of kind [`Protocol`](ErrorKind::Protocol), unless it refuses,
///   wants a tool or paused.
/// - A streamed reply can be replaced unseen until its first content. So the future of
///   [`stream`](ChatModel::stream) ends when the first content of some model is here. If the stream breaks later, the
///   caller gets [`Interrupted`](ErrorKind::Interrupted) with the text so far as [`partial`](Error::partial) and the
///   cause as its source; or, with [`restart_after_content`](Fallback::restart_after_content), the event
///   [`Restarted`](crate::ChatEvent::Restarted) and another model's reply from its beginning. Two replies are never
///   spliced.
/// - A reply that is asked for whole ([`Delivery::Whole`]) is held back until its end, so it is replaced unseen
///   wherever it broke.
///
/// Each model is asked once; with [`rounds`](Fallback::rounds) those that failed for a while are asked again, none
/// before the time that its provider asked to wait.
///
/// # Time
///
/// The deadline is that of the request or that of the chain, whichever is earlier. It holds for all attempts together.
/// With `left` until then and `n` models that were not asked yet besides this one (those whose breaker is open are not
/// counted), a model has
///
/// ```text
/// max(left - n * reserve, left / (1 + n))
/// ```
///
/// for its first content, or for the whole reply if that is asked for. What a model leaves is for the others; the last
/// one has all that is left. Without a [`reserve`](Fallback::reserve) it is an equal share. Models that are asked again
/// share what is left with those that still wait to be. A streamed reply that has begun has until the deadline.
///
/// The request that a model is given carries the deadline that holds for its whole reply, so that layers within know:
/// its share when the reply is asked for whole, else the deadline itself. The chain keeps the time also when a model
/// does not. Without any deadline it waits as long as the models do.
///
/// # What it tells
///
/// The attempts that failed are in the reply ([`Done::attempts`](crate::Done), with usage where it is known); in an
/// error, all are ([`Error::attempts`]). When every model failed or the time is over, the error is
/// [`NoRoute`](ErrorKind::NoRoute); its advice is [`Scope::Here`](crate::Scope), after the shortest wait that was asked
/// for, if any model failed only for a while, and [`Scope::Nowhere`](crate::Scope) otherwise.
///
/// # With other layers
///
/// [`Breaker`](crate::layer::Breaker)s save the time of asking a model that is down; see
/// [`with_breakers`](Fallback::with_breakers). A [`Retry`](crate::layer::Retry) around a model costs time that the next
/// model would use better: two tries at most. Its tries are listed one by one; when its share of the time ends while it
/// tries, it is listed as one attempt.
#[derive(Debug, Clone)]
pub struct Fallback {
    chain: Arc<Chain>,
}

#[derive(Clone)]
struct Chain {
    routes: Vec<Route>,
    id: ModelId,
    deadline: Option<Duration>,
    reserve: Option<Duration>,
    rounds: u32,
    backoff: Backoff,
    max_wait: Duration,
    restart: bool,
    breakers: Option<BreakerOptions>,
    on: Option<Arc<GoesOn>>,
}

type GoesOn = dyn Fn(&Error) -> bool + Send + Sync;

#[derive(Clone)]
struct Route {
    model: Arc<dyn ChatModel>,
    gate: Option<Gate>,
}

impl Default for Fallback {
    fn default() -> Self {
        Fallback::new()
    }
}

impl Fallback {
    /// A chain of no models yet; asked like this it fails with [`ErrorKind::Config`].
    pub fn new() -> Self {
        Fallback {
            chain: Arc::new(Chain {
                routes: Vec::new(),
                id: ModelId::new("fallback", ""),
                deadline: None,
                reserve: None,
                rounds: 1,
                backoff: Backoff::default(),
                max_wait: Duration::from_secs(10),
                restart: false,
                breakers: None,
                on: None,
            }),
        }
    }

    /// One more model, to be asked when those before it failed.
    #[must_use]
    pub fn then(self, model: impl ChatModel) -> Self {
        self.with(|chain| {
            let gate = chain.breakers.clone().map(Gate::new);
            chain.routes.push(Route { model: Arc::new(model), gate });
            let names: Vec<String> = chain.routes.iter().map(|route| route.model.id().to_string()).collect();
            chain.id = ModelId::new("fallback", names.join("+"));
        })
    }

    /// How long a call may take in all, from when it is made; the deadline of a request may be earlier.
    #[must_use]
    pub fn deadline(self, time: Duration) -> Self {
        self.with(|chain| chain.deadline = Some(time))
    }

    /// How much time to keep for each model that was not asked yet. See [the formula](Fallback#time).
    #[must_use]
    pub fn reserve(self, time: Duration) -> Self {
        self.with(|chain| chain.reserve = Some(time))
    }

    /// How often a model is asked at most in one call, while it fails only for a while; 0 is taken for 1. Between the
    /// times it waits with full jitter, and as long as the provider asks to.
    #[must_use]
    pub fn rounds(self, rounds: u32) -> Self {
        self.with(|chain| chain.rounds = rounds)
    }

    /// How long to wait before a model is asked again whose provider did not say.
    #[must_use]
    pub fn backoff(self, backoff: Backoff) -> Self {
        self.with(|chain| chain.backoff = backoff)
    }

    /// A model whose provider asks to wait longer than this is not asked again in the same call. 10 seconds.
    #[must_use]
    pub fn max_wait(self, time: Duration) -> Self {
        self.with(|chain| chain.max_wait = time)
    }

    /// Goes on to the next model only at errors for which this is true; others are returned. It is not asked about
    /// errors for nowhere, which always are.
    #[must_use]
    pub fn on(self, goes_on: impl Fn(&Error) -> bool + Send + Sync + 'static) -> Self {
        self.with(|chain| chain.on = Some(Arc::new(goes_on)))
    }

    /// When a streamed reply breaks after its first content, begins anew with another model, and says so by
    /// [`ChatEvent::Restarted`](crate::ChatEvent::Restarted). The event comes when the other model has content; if
    /// none has, what was shown stands, and the error is [`ErrorKind::Interrupted`].
    ///
    /// A reply that stalls breaks by the idle timeout of its model; let that be well below the deadline.
    #[must_use]
    pub fn restart_after_content(self, restart: bool) -> Self {
        self.with(|chain| chain.restart = restart)
    }

    /// Puts a breaker of its own before each model, those already named and those to come. A model that did not begin
    /// within its share of the deadline counts as failed, if that was at least [`BreakerOptions::slow`].
    #[must_use]
    pub fn with_breakers(self, options: BreakerOptions) -> Self {
        self.with(|chain| {
            for route in &mut chain.routes {
                route.gate = Some(Gate::new(options.clone()));
            }
            chain.breakers = Some(options);
        })
    }

    /// The models in their order, each with the state of the breaker that [`with_breakers`](Fallback::with_breakers)
    /// put before it.
    pub fn models(&self) -> impl Iterator<Item = (ModelId, Option<State>)> {
        self.chain.routes.iter().map(|route| (route.model.id(), route.gate.as_ref().map(Gate::state)))
    }

    fn with(mut self, change: impl FnOnce(&mut Chain)) -> Self {
        change(Arc::make_mut(&mut self.chain));
        self
    }
}

impl Chain {
    /// When a call that is made now must be over.
    fn until(&self, request: &ChatRequest) -> Option<Instant> {
        let own = self.deadline.and_then(|time| Instant::now().checked_add(time));
        match (own, request.deadline) {
            (Some(own), Some(asked)) => Some(own.min(asked)),
            (own, asked) => own.or(asked),
        }
    }

    /// Whether another model may answer in place of one that failed like this.
    fn goes_on(&self, error: &Error) -> bool {
        may_go_on(error) && self.on.as_ref().is_none_or(|on| on(error))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ChatModel for Fallback {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        if self.chain.routes.is_empty() {
            return Err(Error::config("the chain has no model"));
        }
        let mut course = Course::new(Arc::clone(&self.chain), request);
        if course.is_over() {
            return Err(Error::new(ErrorKind::Timeout(Timeout::Deadline), "it passed before a model was asked"));
        }
        let lead = course.advance(request).await?;
        let again = (self.chain.restart && request.delivery == Delivery::Streamed).then(|| request.clone());
        Ok(ChatStream::new(Passing::new(course, lead, again)))
    }

    fn id(&self) -> ModelId {
        self.chain.id.clone()
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let models: Vec<_> = self.routes.iter().map(|route| &route.model).collect();
        f.debug_struct("Chain")
            .field("models", &models)
            .field("deadline", &self.deadline)
            .field("reserve", &self.reserve)
            .field("rounds", &self.rounds)
            .field("restart", &self.restart)
            .field("breakers", &self.breakers)
            .finish_non_exhaustive()
    }
}
