//! No more requests and tokens a minute than a limiter lets pass.

mod scope;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use career_core::{RateDecision, RateLimiter};
use tokio::time::Instant;

pub use scope::LimitedBy;

use super::common::{Estimate, Failures, PATIENCE, WhenBroken, by_deadline, deadline_passed, in_time};
use crate::{ChatModel, ChatRequest, ChatStream, Error, ErrorKind, ModelId, Result, Scope};

/// Tokens of a reply whose request names no limit.
const REPLY_TOKENS: u32 = 1_000;
/// A limiter that says "later" and not when is asked again after this.
const SOON: Duration = Duration::from_millis(10);

/// Sends no more requests and tokens than limiters let pass, and waits a little for them.
///
/// A limit is a [`RateLimiter`] with its own rate, in process or in Redis, and by whom it counts: all calls of the
/// model, those of each caller ([`ChatRequest::on_behalf_of`]), or those of each caller to the model. Calls on nobody's
/// behalf share one allowance. Limits may share a limiter: their keys are apart.
///
/// # What a call costs
///
/// One request; and as many tokens as the request is estimated at, plus
/// [`max_output_tokens`](ChatRequest::max_output_tokens), 1,000 where it has none. The estimate is that of a
/// [`TokenCounter`](crate::tokens::TokenCounter) unless a host [counts itself](Limited::with_estimate). It is not
/// corrected afterwards: a limiter takes nothing back.
///
/// # Waiting
///
/// A call waits until every limit lets it pass, [10 s](Limited::with_max_wait) at most and never beyond its deadline.
/// If it would have to wait longer it fails at once with [`ErrorKind::Throttled`] that says how long. Where there is
/// more than one limit, all are looked at first, so that a call that one refuses rarely costs it the units of another.
/// A call that is larger than a limit lets pass at once can never pass: [`ErrorKind::ContextTooLong`].
///
/// # A broken limiter
///
/// While the limiter cannot be reached, or does not answer within a second, calls pass, since the provider has limits of
/// its own; each such failure is counted and [told](Limited::with_on_error). With [`WhenBroken::Refuse`] they fail
/// instead.
///
/// ```
/// use std::sync::Arc;
///
/// use career_core::{RateDecision, RateLimiter};
/// use career_llm::layer::{Limited, LimitedBy};
/// use career_llm::{ChatModelExt, ChatRequest, ErrorKind};
/// # use async_trait::async_trait;
/// # use career_llm::{ChatEvent, ChatModel, ChatStream, Done, Result, Started, StopReason};
/// # #[derive(Debug)]
/// # struct Model;
/// # #[async_trait]
/// # impl ChatModel for Model {
/// #     async fn stream(&self, _: &ChatRequest) -> Result<ChatStream> {
/// #         Ok(ChatStream::from_events([
/// #             Ok(ChatEvent::Started(Box::new(Started::new(self.id())))),
/// #             Ok(ChatEvent::Done(Box::new(Done::new(StopReason::End)))),
/// #         ]))
/// #     }
/// # }
/// # #[derive(Debug, Default)]
/// # struct Twice(std::sync::atomic::AtomicU32);
/// # #[async_trait]
/// # impl RateLimiter for Twice {
/// #     async fn check(&self, _: &str, cost: u32) -> career_core::Result<RateDecision> {
/// #         let taken = self.0.fetch_add(cost, std::sync::atomic::Ordering::Relaxed);
/// #         let hour = std::time::Duration::from_secs(3600);
/// #         Ok(if taken < 2 { RateDecision::allowed(2, 1 - taken, hour) } else { RateDecision::denied(2, 0, hour, hour) })
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let two_an_hour = Arc::new(Twice::default()); // a `MemoryLimiter` or a `RedisLimiter` of career-store
/// let model = Limited::new(Model).with_requests(LimitedBy::Caller, two_an_hour);
/// let request = ChatRequest::user("Which careers use botany?").on_behalf_of("u1");
/// model.complete(&request).await?;
/// model.complete(&request).await?;
/// let error = model.complete(&request).await.expect_err("the third in an hour");
/// assert_eq!(error.kind(), ErrorKind::Throttled);
/// assert_eq!(error.advice().after.map(|after| after.as_secs()), Some(3600));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Limited<M> {
    inner: M,
    limits: Vec<Limit>,
    max_wait: Duration,
    when_broken: WhenBroken,
    estimate: Estimate,
    failures: Failures,
}

#[derive(Debug)]
struct Limit {
    unit: Unit,
    by: LimitedBy,
    limiter: Arc<dyn RateLimiter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Requests,
    Tokens,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Requests => "requests",
            Unit::Tokens => "tokens",
        }
    }
}

/// What a call wants of a limit.
struct Claim<'a> {
    limit: &'a Limit,
    key: String,
    cost: u32,
    short: bool,
}

/// What a limiter answered.
enum Answer {
    Decided(RateDecision),
    /// It could never pass.
    TooMuch,
    /// It is broken, and the call passes.
    Passed,
}

impl<M: ChatModel> Limited<M> {
    /// No limit yet; waits up to 10 s, and passes while a limiter is broken.
    pub fn new(inner: M) -> Self {
        Limited {
            inner,
            limits: Vec::new(),
            max_wait: Duration::from_secs(10),
            when_broken: WhenBroken::Pass,
            estimate: Estimate::default(),
            failures: Failures::default(),
        }
    }

    /// Lets this limiter limit requests. Their keys begin with `llm requests`.
    #[must_use]
    pub fn with_requests(mut self, by: LimitedBy, limiter: Arc<dyn RateLimiter>) -> Self {
        self.limits.push(Limit { unit: Unit::Requests, by, limiter });
        self
    }

    /// Lets this limiter limit tokens. Their keys begin with `llm tokens`.
    #[must_use]
    pub fn with_tokens(mut self, by: LimitedBy, limiter: Arc<dyn RateLimiter>) -> Self {
        self.limits.push(Limit { unit: Unit::Tokens, by, limiter });
        self
    }

    /// Waits at most this long for all limits together; zero never waits.
    #[must_use]
    pub fn with_max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = max_wait;
        self
    }

    /// What becomes of a call while a limiter is broken.
    #[must_use]
    pub fn with_when_broken(mut self, when_broken: WhenBroken) -> Self {
        self.when_broken = when_broken;
        self
    }

    /// Counts the tokens of a request, without its reply, in place of a
    /// [`TokenCounter`](crate::tokens::TokenCounter).
    #[must_use]
    pub fn with_estimate(mut self, estimate: impl Fn(&ChatRequest) -> u64 + Send + Sync + 'static) -> Self {
        self.estimate = Estimate::by(estimate);
        self
    }

    /// Tells this of every failure of a limiter that lets a call pass.
    #[must_use]
    pub fn with_on_error(mut self, told: impl Fn(&career_core::Error) + Send + Sync + 'static) -> Self {
        self.failures.tell(told);
        self
    }

    /// How many checks failed and let a call pass.
    pub fn failures(&self) -> u64 {
        self.failures.count()
    }

    /// Waits until the call may go out.
    async fn pass(&self, request: &ChatRequest) -> Result<()> {
        if self.limits.is_empty() {
            return Ok(());
        }
        let id = self.inner.id();
        let mut claims: Vec<Claim<'_>> = self.limits.iter().map(|limit| self.claim(limit, &id, request)).collect();
        if claims.len() > 1 {
            for claim in &mut claims {
                let looked = self.check(request, &id, claim.limit, &claim.key, 0).await?;
                claim.short = matches!(looked, Answer::Decided(decision) if decision.remaining < claim.cost);
            }
            claims.sort_by_key(|claim| !claim.short);
        }
        let began = Instant::now();
        for claim in &claims {
            self.take(request, &id, claim, began).await?;
        }
        Ok(())
    }

    fn claim<'a>(&self, limit: &'a Limit, id: &ModelId, request: &ChatRequest) -> Claim<'a> {
        let cost = match limit.unit {
            Unit::Requests => 1,
            Unit::Tokens => {
                let reply = request.max_output_tokens.unwrap_or(REPLY_TOKENS);
                u32::try_from(self.estimate.of(request, id).saturating_add(reply.into())).unwrap_or(u32::MAX)
            }
        };
        Claim { limit, key: limit.by.key(limit.unit.name(), id, request.on_behalf_of.as_deref()), cost, short: false }
    }

    /// Takes the units of a claim, when they are there.
    async fn take(&self, request: &ChatRequest, id: &ModelId, claim: &Claim<'_>, began: Instant) -> Result<()> {
        let limited = || format!("{} {}", claim.limit.unit.name(), claim.limit.by);
        loop {
            let decision = match self.check(request, id, claim.limit, &claim.key, claim.cost).await? {
                Answer::Decided(decision) if decision.allowed => return Ok(()),
                Answer::Decided(decision) => decision,
                Answer::Passed => return Ok(()),
                Answer::TooMuch => {
                    let message = format!("{} at once: more than the limit of {}", claim.cost, limited());
                    return Err(Error::new(ErrorKind::ContextTooLong, message)
                        .with_model(id.clone())
                        .with_scope(Scope::Elsewhere));
                }
            };
            let wait = decision.retry_after.unwrap_or(SOON).max(Duration::from_millis(1));
            let patience = self.max_wait.saturating_sub(began.elapsed());
            let patience = request.time_left().map_or(patience, |left| left.min(patience));
            if wait > patience {
                let message = format!("the limit of {}", limited());
                return Err(Error::new(ErrorKind::Throttled, message).with_model(id.clone()).with_after(wait));
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn check(&self, request: &ChatRequest, id: &ModelId, limit: &Limit, key: &str, cost: u32) -> Result<Answer> {
        match by_deadline(request, || id.clone(), in_time(PATIENCE, limit.limiter.check(key, cost))).await? {
            Ok(decision) => Ok(Answer::Decided(decision)),
            Err(error) if error.kind() == career_core::ErrorKind::Invalid => Ok(Answer::TooMuch),
            Err(error) if self.when_broken == WhenBroken::Pass => {
                self.failures.note("limited", &error);
                Ok(Answer::Passed)
            }
            Err(error) => Err(Error::from(error).with_model(id.clone())),
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<M: ChatModel> ChatModel for Limited<M> {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        self.pass(request).await?;
        if request.time_left() == Some(Duration::ZERO) {
            return Err(deadline_passed(self.inner.id()));
        }
        self.inner.stream(request).await
    }

    fn id(&self) -> ModelId {
        self.inner.id()
    }
}
