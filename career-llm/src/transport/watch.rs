//! The clock of one call.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::Timeouts;
use crate::{Delivery, Error, ErrorKind, Result, Timeout};

/// Watches the limits of time of one call.
///
/// It has one timer for the whole call, which is not moved when content comes: when it fires, it looks when content came
/// last, and only then is it set anew.
///
/// Only silence counts while somebody listens: a caller who takes a minute over what came is not the provider's fault.
/// The deadline is the caller's own, and holds all the while.
#[derive(Debug)]
pub(crate) struct Watch {
    /// From when silence is counted: the beginning of the call, or the last content.
    from: Instant,
    first: Duration,
    idle: Duration,
    deadline: Option<Instant>,
    /// Whether there was content.
    content: bool,
    /// When the caller was given something; set until the next wait.
    given: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

/// Later than any call takes.
const NEVER: Duration = Duration::from_secs(30 * 365 * 86_400);

impl Watch {
    /// A call that begins now.
    pub(crate) fn start(timeouts: &Timeouts, delivery: Delivery, deadline: Option<Instant>) -> Self {
        let first = match delivery {
            Delivery::Streamed => timeouts.first_content,
            Delivery::Whole => timeouts.whole,
        };
        let (from, idle) = (Instant::now(), timeouts.idle);
        Watch { from, first, idle, deadline, content: false, given: None, sleep: None }
    }

    /// It will come in one piece after all: the first content may take so long.
    pub(crate) fn first_within(&mut self, time: Duration) {
        self.first = time;
    }

    /// The head of the answer came, which the caller takes.
    pub(crate) fn head(&mut self, now: Instant) {
        self.given = Some(now);
    }

    /// Content came, which the caller takes.
    pub(crate) fn content(&mut self, now: Instant) {
        self.content = true;
        self.from = now;
        self.given = Some(now);
    }

    /// Whether the deadline has passed.
    ///
    /// # Errors
    ///
    /// [`Timeout::Deadline`] then.
    pub(crate) fn check_deadline(&self, now: Instant) -> Result<()> {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(error(Timeout::Deadline, None));
        }
        Ok(())
    }

    /// Waits for a limit of time to pass.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if let Some(given) = self.given.take() {
            self.from += given.elapsed();
        }
        loop {
            let (due, which, allowed) = self.due();
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
            // The first content may make the next limit come sooner. A later one is found when the timer fires.
            if sleep.deadline() > due {
                sleep.as_mut().reset(due);
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if due <= Instant::now() {
                return Poll::Ready(error(which, allowed));
            }
            sleep.as_mut().reset(due);
        }
    }

    /// Waits for work, or for a limit of time to pass.
    ///
    /// # Errors
    ///
    /// What the work gives, or [`ErrorKind::Timeout`].
    pub(crate) async fn guard<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.check_deadline(Instant::now())?;
        let mut work = pin!(work);
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Pending => self.poll(cx).map(Err),
            ready => ready,
        })
        .await
    }

    /// The next limit of time: when, which, and how long it allows.
    fn due(&self) -> (Instant, Timeout, Option<Duration>) {
        let (allowed, which) = match self.content {
            false => (self.first, Timeout::FirstContent),
            true => (self.idle, Timeout::Idle),
        };
        let due = self.from.checked_add(allowed.min(NEVER)).unwrap_or(self.from);
        match self.deadline {
            Some(deadline) if deadline <= due => (deadline, Timeout::Deadline, None),
            _ => (due, which, Some(allowed)),
        }
    }
}

fn error(which: Timeout, allowed: Option<Duration>) -> Error {
    let message = allowed.map(|allowed| format!("waited {allowed:?}")).unwrap_or_default();
    Error::new(ErrorKind::Timeout(which), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// After how many seconds which limit passes, when content comes at these seconds.
    async fn passes(
        timeouts: Timeouts,
        delivery: Delivery,
        deadline: Option<u64>,
        content: &[u64],
    ) -> (u64, ErrorKind) {
        let began = Instant::now();
        let mut watch = Watch::start(&timeouts, delivery, deadline.map(|at| began + secs(at)));
        for at in content {
            // The watch is looked at whenever the network wakes the stream.
            let waited = tokio::time::timeout_at(began + secs(*at), poll_fn(|cx| watch.poll(cx))).await;
            assert!(waited.is_err(), "{waited:?} before {at} s");
            watch.content(Instant::now());
        }
        let error = poll_fn(|cx| watch.poll(cx)).await;
        (began.elapsed().as_secs(), error.kind())
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_limit_that_passes_is_told() {
        let timeouts = Timeouts::default();
        let timeout = ErrorKind::Timeout;
        let streamed = Delivery::Streamed;
        assert_eq!(passes(timeouts, streamed, None, &[]).await, (60, timeout(Timeout::FirstContent)));
        assert_eq!(passes(timeouts, Delivery::Whole, None, &[]).await, (120, timeout(Timeout::FirstContent)));
        assert_eq!(passes(timeouts, streamed, Some(20), &[]).await, (20, timeout(Timeout::Deadline)));
        assert_eq!(passes(timeouts, streamed, Some(60), &[]).await, (60, timeout(Timeout::Deadline)));
        // Sooner than the first content would have been due, and from the last content on.
        assert_eq!(passes(timeouts, streamed, None, &[1]).await, (31, timeout(Timeout::Idle)));
        assert_eq!(passes(timeouts, streamed, None, &[50, 75, 100]).await, (130, timeout(Timeout::Idle)));
        assert_eq!(passes(timeouts, streamed, Some(90), &[50, 75]).await, (90, timeout(Timeout::Deadline)));
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_not_begun_after_the_deadline() {
        let timeouts = Timeouts::default();
        let mut watch = Watch::start(&timeouts, Delivery::Streamed, Some(Instant::now()));
        let work = async { panic!("the deadline had passed") };
        let error = watch.guard::<()>(work).await.expect_err("passed");
        assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Deadline));
    }

    #[tokio::test(start_paused = true)]
    async fn endless_limits_are_none() {
        let timeouts = Timeouts::default().with_first_content(Duration::MAX);
        assert_eq!(passes(timeouts, Delivery::Streamed, Some(7), &[]).await.0, 7);
    }
}
