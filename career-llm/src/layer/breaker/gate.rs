//! The state of a breaker, and what a call holds of it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::window::Window;
use super::{BreakerOptions, State};
use crate::{Error, ErrorKind, Timeout};

/// An open breaker tries again at least once a year: beyond that clocks may overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// A breaker without its model. A clone is the same one.
#[derive(Clone)]
pub(in crate::layer) struct Gate(Arc<Inner>);

struct Inner {
    options: BreakerOptions,
    now: Mutex<Now>,
}

struct Now {
    phase: Phase,
    /// Counts the changes of phase: what a call of an earlier one tells is old news.
    epoch: u64,
    window: Window,
}

#[derive(Clone, Copy)]
enum Phase {
    Closed,
    /// Until then; from then on half-open.
    Open(Instant),
    /// Half-open, and a call tries; another may from then on, should this one not have ended.
    Trying(Instant),
}

/// What a call holds while it runs. Dropped without a verdict it counts as neither, and the next call may try.
pub(in crate::layer) struct Permit {
    gate: Gate,
    epoch: u64,
    began: Instant,
    judged: bool,
}

impl Gate {
    pub(in crate::layer) fn new(options: BreakerOptions) -> Self {
        let window = Window::new(options.window);
        Gate(Arc::new(Inner { options, now: Mutex::new(Now { phase: Phase::Closed, epoch: 0, window }) }))
    }

    pub(in crate::layer) fn state(&self) -> State {
        match self.lock().phase {
            Phase::Closed => State::Closed,
            Phase::Open(until) if Instant::now() < until => State::Open,
            Phase::Open(_) | Phase::Trying(_) => State::HalfOpen,
        }
    }

    /// Lets a call through, or says that it must not.
    pub(in crate::layer) fn enter(&self) -> Result<Permit, Error> {
        let began = Instant::now();
        let mut now = self.lock();
        match now.phase {
            Phase::Closed => {}
            Phase::Open(until) if began < until => {
                let error = Error::new(ErrorKind::BreakerOpen, "it failed too often of late and is not asked");
                return Err(error.with_after(until - began));
            }
            Phase::Open(_) => now.change(Phase::Trying(self.next_try(began))),
            Phase::Trying(next) if began < next => {
                return Err(Error::new(ErrorKind::BreakerOpen, "another call tries whether it is well again"));
            }
            // A stream that nobody reads never ends. The epoch stays: whichever of them ends first tells.
            Phase::Trying(_) => now.phase = Phase::Trying(self.next_try(began)),
        }
        Ok(Permit { gate: self.clone(), epoch: now.epoch, began, judged: false })
    }

    fn next_try(&self, now: Instant) -> Instant {
        now + self.0.options.open_for.min(LONGEST)
    }

    /// What is behind the lock is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The reply is whole.
    pub(in crate::layer) fn succeeded(&mut self) {
        self.judge(|_, now| match now.phase {
            Phase::Trying(_) => {
                now.window.clear();
                now.change(Phase::Closed);
            }
            _ => now.window.success(),
        });
    }

    /// The call failed, by whosever fault.
    pub(in crate::layer) fn failed(&mut self, error: &Error) {
        let after = error.advice().after;
        match error.kind() {
            ErrorKind::Timeout(Timeout::Deadline) => self.ran_out_of_time(),
            ErrorKind::Throttled => self.judge(|options, now| {
                if options.throttled {
                    now.failure(options, after, after.is_some());
                } else {
                    now.leave();
                }
            }),
            ErrorKind::Overloaded
            | ErrorKind::Timeout(_)
            | ErrorKind::Network
            | ErrorKind::Protocol
            | ErrorKind::Interrupted
            | ErrorKind::NoRoute => self.judge(|options, now| now.failure(options, after, false)),
            _ => self.judge(|_, now| now.leave()),
        }
    }

    /// The caller gave it no more time.
    pub(in crate::layer) fn ran_out_of_time(&mut self) {
        let given = self.began.elapsed();
        self.judge(|options, now| if given >= options.slow { now.failure(options, None, false) } else { now.leave() });
    }

    fn judge(&mut self, verdict: impl FnOnce(&BreakerOptions, &mut Now)) {
        if std::mem::replace(&mut self.judged, true) {
            return;
        }
        let mut now = self.gate.lock();
        if now.epoch == self.epoch {
            verdict(&self.gate.0.options, &mut now);
        }
    }
}

impl Now {
    fn change(&mut self, phase: Phase) {
        self.phase = phase;
        self.epoch += 1;
    }

    fn failure(&mut self, options: &BreakerOptions, after: Option<Duration>, at_once: bool) {
        self.window.failure();
        let (failures, share) = self.window.failures();
        let too_many = failures >= options.failures.max(1) && share >= options.share;
        if too_many || at_once || matches!(self.phase, Phase::Trying(_)) {
            let asked = after.unwrap_or_default().min(options.open_at_most);
            let time = if at_once { asked } else { asked.max(options.open_for) };
            self.change(Phase::Open(Instant::now() + time.min(LONGEST)));
        }
    }

    /// Neither well nor ill: if this call tried, the next one may.
    fn leave(&mut self) {
        if matches!(self.phase, Phase::Trying(_)) {
            self.change(Phase::Open(Instant::now()));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.judge(|_, now| now.leave());
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("state", &self.state()).field("options", &self.0.options).finish()
    }
}
