//! One call on its way through a chain.

use std::fmt::Write as _;
use std::sync::Arc;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Chain, Route};
use crate::layer::State;
use crate::layer::breaker::Permit;
use crate::layer::watch::{Broken, Opened, Tried, open};
use crate::{Attempt, ChatRequest, Delivery, Error, ErrorKind, Result, Scope, Timeout};

/// One call on its way through a chain: who was asked, who may be asked again, how much time is left.
pub(super) struct Course {
    pub(super) chain: Arc<Chain>,
    pub(super) until: Option<Instant>,
    pub(super) tried: Tried,
    /// The first model that was not asked yet.
    next: usize,
    again: Vec<Again>,
    /// The request with another deadline than the caller gave it.
    timed: Option<ChatRequest>,
}

/// A model that may be asked again.
struct Again {
    leg: Leg,
    ready: Instant,
}

/// Which model is asked, and for the how manieth time, from 1.
#[derive(Clone, Copy)]
pub(super) struct Leg {
    route: usize,
    time: u32,
}

/// A model that leads: its first content, or its whole reply, is here.
pub(super) struct Lead {
    pub(super) opened: Opened,
    pub(super) leg: Leg,
    pub(super) began: Instant,
    pub(super) permit: Option<Permit>,
}

impl Course {
    pub(super) fn new(chain: Arc<Chain>, request: &ChatRequest) -> Self {
        let until = chain.until(request);
        Course { chain, until, tried: Tried::default(), next: 0, again: Vec::new(), timed: None }
    }

    /// Whether the deadline has passed.
    pub(super) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }

    /// Goes on from model to model until one leads.
    pub(super) async fn advance(&mut self, request: &ChatRequest) -> Result<Lead> {
        while let Some(leg) = self.pick().await {
            let began = Instant::now();
            match self.ask(leg, request).await {
                Ok((opened, permit)) => return Ok(Lead { opened, leg, began, permit }),
                Err(broken) => {
                    if !self.failed(leg, began, &broken) {
                        return Err(broken.error.with_attempts(self.tried.take()));
                    }
                }
            }
            if self.is_over() {
                break;
            }
        }
        Err(self.no_route())
    }

    /// Notes a failure, and says whether another model may answer in its place.
    pub(super) fn failed(&mut self, leg: Leg, began: Instant, broken: &Broken) -> bool {
        let chain = Arc::clone(&self.chain);
        let error = &broken.error;
        self.tried.add(|| chain.routes[leg.route].model.id(), began, error, broken.usage);
        // When the time is over there is no other model any more, and that is told as no route.
        if matches!(error.kind(), ErrorKind::Timeout(_)) && self.is_over() {
            return true;
        }
        if !chain.goes_on(error) {
            return false;
        }
        if leg.time < chain.rounds && passes(error) {
            let wait = error.advice().after.unwrap_or_default();
            let ready = Instant::now().checked_add(wait.max(chain.backoff.wait(leg.time)));
            if let Some(ready) = ready.filter(|_| wait <= chain.max_wait) {
                self.again.push(Again { leg: Leg { time: leg.time + 1, ..leg }, ready });
            }
        }
        true
    }

    /// Who is next: those not asked yet in their order, then who may be asked again, the soonest first.
    async fn pick(&mut self) -> Option<Leg> {
        if self.next < self.chain.routes.len() {
            self.next += 1;
            return Some(Leg { route: self.next - 1, time: 1 });
        }
        let (soonest, _) = self.again.iter().enumerate().min_by_key(|(_, again)| again.ready)?;
        let Again { leg, ready } = self.again.remove(soonest);
        if self.until.is_some_and(|until| until <= ready) {
            return None;
        }
        if ready > Instant::now() {
            sleep_until(ready).await;
        }
        Some(leg)
    }

    async fn ask(&mut self, leg: Leg, request: &ChatRequest) -> Result<(Opened, Option<Permit>), Broken> {
        let limit = self.limit(leg);
        let deadline = if request.delivery == Delivery::Whole { limit } else { self.until };
        let request = if deadline == request.deadline {
            request
        } else {
            let timed = self.timed.get_or_insert_with(|| request.clone());
            timed.deadline = deadline;
            timed
        };
        let Route { model, gate } = &self.chain.routes[leg.route];
        let mut permit = match gate {
            Some(gate) => Some(gate.enter().map_err(|error| error.with_model(model.id()))?),
            None => None,
        };
        let result = match limit {
            Some(limit) => match timeout_at(limit, open(&**model, request)).await {
                Ok(result) => result,
                Err(_) => Err(late(request.delivery).with_model(model.id()).into()),
            },
            None => open(&**model, request).await,
        };
        let mut broken = match result {
            Ok(opened) => {
                if let Some(permit) = permit.as_mut().filter(|_| opened.is_whole()) {
                    permit.succeeded();
                }
                return Ok((opened, permit));
            }
            Err(broken) => broken,
        };
        if let Some(permit) = &mut permit {
            let cut = limit.is_some_and(|limit| limit <= Instant::now());
            if cut && matches!(broken.error.kind(), ErrorKind::Timeout(_)) {
                permit.ran_out_of_time();
            } else {
                permit.failed(&broken.error);
            }
        }
        broken.error = self.in_time(broken.error);
        Err(broken)
    }

    /// A deadline that passed for one model only is one that another may keep.
    pub(super) fn in_time(&self, error: Error) -> Error {
        let passed = error.kind() == ErrorKind::Timeout(Timeout::Deadline);
        if passed && !self.is_over() { error.with_scope(Scope::Here) } else { error }
    }

    /// Until when a model has time.
    fn limit(&self, leg: Leg) -> Option<Instant> {
        let until = self.until?;
        let closed = |route: &&Route| route.gate.as_ref().is_none_or(|gate| gate.state() != State::Open);
        let others =
            if leg.time == 1 { self.chain.routes[self.next..].iter().filter(closed).count() } else { self.again.len() };
        if others == 0 {
            return Some(until);
        }
        let others = u32::try_from(others).unwrap_or(u32::MAX);
        let now = Instant::now();
        let left = until.saturating_duration_since(now);
        let equal = left / others.saturating_add(1);
        let share = match self.chain.reserve {
            Some(reserve) if leg.time == 1 => left.saturating_sub(reserve.saturating_mul(others)).max(equal),
            _ => equal,
        };
        Some(now + share)
    }

    /// Every model failed, or the time is over.
    pub(super) fn no_route(&mut self) -> Error {
        let attempts = self.tried.take();
        let errors = || attempts.iter().filter_map(|attempt| attempt.error.as_ref());
        let after = errors().filter(|error| passes(error)).filter_map(|error| error.advice().after).min();
        let scope = if errors().any(passes) { Scope::Here } else { Scope::Nowhere };
        let cause = errors().next_back().cloned();
        let mut error = Error::new(ErrorKind::NoRoute, summary(&attempts, self.is_over())).with_scope(scope);
        if let Some(after) = after {
            error = error.with_after(after);
        }
        if let Some(cause) = cause {
            error = error.with_source(cause);
        }
        error.with_attempts(attempts)
    }
}

/// Whether this failure passes with time. An open breaker does, though the way there is elsewhere for now.
fn passes(error: &Error) -> bool {
    error.is_temporary() || error.kind() == ErrorKind::BreakerOpen
}

fn late(delivery: Delivery) -> Error {
    let limit = if delivery == Delivery::Whole { Timeout::Deadline } else { Timeout::FirstContent };
    Error::new(ErrorKind::Timeout(limit), "its share of the deadline passed")
}

/// In words: who failed how.
fn summary(attempts: &[Attempt], over: bool) -> String {
    const SHOWN: usize = 8;
    let mut text = String::from(if over { "the deadline passed" } else { "none is left to ask" });
    for (at, attempt) in attempts.iter().enumerate().take(SHOWN) {
        let kind = attempt.error.as_ref().map(|error| error.kind().to_string()).unwrap_or_default();
        let mark = if at == 0 { ':' } else { ';' };
        // Writing to a string does not fail.
        let _ = write!(text, "{mark} {} {kind}", attempt.model);
    }
    if let Some(more @ 1..) = attempts.len().checked_sub(SHOWN) {
        let _ = write!(text, "; and {more} more");
    }
    text
}
