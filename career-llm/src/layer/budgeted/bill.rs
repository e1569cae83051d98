//! What a call did cost.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt as _};

use super::{Desk, Reservation, UnknownPrice};
use crate::models::Cost;
use crate::{Attempt, ChatEvent, ChatStream, Done, Error, ErrorKind, ModelId, Result, Timeout, Usage};

/// The bill of one call: what it used so far. If it is dropped before it is settled, that becomes due.
pub(super) struct Bill {
    desk: Arc<Desk>,
    reservation: Option<Reservation>,
    /// Whose price counts.
    model: ModelId,
    /// The model that answers, as its provider names it.
    answering: Option<ModelId>,
    input: u64,
    /// Bytes of content that came.
    bytes: usize,
    /// What it came to, once that is known.
    spent: Option<Cost>,
}

impl Bill {
    pub(super) fn new(desk: Arc<Desk>, reservation: Reservation, model: ModelId, input: u64) -> Self {
        let reservation = Some(reservation);
        Bill { desk, reservation, model, answering: None, input, bytes: 0, spent: None }
    }

    /// Takes note of an event.
    fn note(&mut self, event: &ChatEvent) {
        match event {
            ChatEvent::Started(started) => self.answering = Some(started.model.clone()),
            ChatEvent::Text(text) | ChatEvent::Reasoning(text) | ChatEvent::Refusal(text) => self.bytes += text.len(),
            ChatEvent::ToolCall { id, name, .. } => self.bytes += id.len() + name.len(),
            ChatEvent::ToolInput { json, .. } => self.bytes += json.len(),
            ChatEvent::Opaque(_) | ChatEvent::Restarted(_) => {}
            ChatEvent::Done(done) => self.done(done),
        }
    }

    /// The reply is whole.
    fn done(&mut self, done: &Done) {
        // A layer may list the attempt that succeeded, which is this reply, or leave it out.
        let succeeded = done.attempts.iter().rfind(|attempt| attempt.error.is_none()).and_then(|attempt| attempt.usage);
        let usage = done.usage.or(succeeded).unwrap_or_else(|| self.estimated());
        let answering = self.answering.clone().unwrap_or_else(|| self.model.clone());
        self.spent = Some(self.cost(&answering, &usage).saturating_add(self.failed_attempts(&done.attempts)));
    }

    /// The call failed.
    pub(super) fn failed(&mut self, error: &Error) {
        let attempts = self.failed_attempts(error.attempts());
        // Before any content nothing is known but what the attempts say. Who hangs up on a provider that is at work
        // pays as if the call had been dropped.
        let hung_up = error.attempts().is_empty() && is_time_over(error.kind());
        let own = if self.bytes > 0 || hung_up { self.cost(&self.model, &self.estimated()) } else { Cost::ZERO };
        self.spent = Some(attempts.saturating_add(own));
    }

    fn estimated(&self) -> Usage {
        Usage::new(self.input, u64::try_from(self.bytes.div_ceil(3)).unwrap_or(u64::MAX))
    }

    fn failed_attempts(&self, attempts: &[Attempt]) -> Cost {
        let failed = attempts.iter().filter(|attempt| attempt.error.is_some());
        let costs = failed.filter_map(|attempt| Some(self.cost(&attempt.model, &attempt.usage?)));
        costs.sum()
    }

    /// By the price of that model, or else of the one that was asked: providers name models with dates that a list of
    /// prices may not have.
    fn cost(&self, model: &ModelId, usage: &Usage) -> Cost {
        if *usage == Usage::default() {
            return Cost::ZERO;
        }
        let prices = &self.desk.prices;
        let known = prices.cost(model, usage).or_else(|| prices.cost(&self.model, usage));
        match (known, self.desk.unknown) {
            (Some(cost), _) => cost,
            (None, UnknownPrice::Free) => Cost::ZERO,
            // It had one when the amount was reserved; that amount is the best that is known.
            (None, UnknownPrice::Refuse) => {
                self.reservation.as_ref().map_or(Cost::ZERO, |reservation| reservation.amount)
            }
        }
    }

    /// Settles it.
    pub(super) async fn settle(mut self) {
        let spent = self.spent.unwrap_or_else(|| self.cost(&self.model, &self.estimated()));
        // A copy, so that it becomes due when nobody waits for this.
        let Some(reservation) = self.reservation.clone() else { return };
        self.spent = Some(spent);
        self.desk.settle(reservation, spent).await;
        self.reservation = None;
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        let spent = self.spent.unwrap_or_else(|| self.cost(&self.model, &self.estimated()));
        if let Some(reservation) = self.reservation.take() {
            self.desk.owe(reservation, spent);
        }
    }
}

/// Whether a call ended since nobody waited any longer for a provider that had taken it.
fn is_time_over(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Timeout(Timeout::FirstContent | Timeout::Idle | Timeout::Deadline))
}

/// A stream whose end settles its bill.
pub(super) struct Billed {
    stream: ChatStream,
    state: State,
}

enum State {
    Open(Box<Bill>),
    Settling(Pin<Box<dyn Future<Output = ()> + Send>>, Option<Result<ChatEvent>>),
    Ended,
}

impl Billed {
    pub(super) fn new(stream: ChatStream, bill: Bill) -> Self {
        Billed { stream, state: State::Open(Box::new(bill)) }
    }
}

impl Stream for Billed {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Open(bill) => {
                    let Poll::Ready(item) = this.stream.poll_next_unpin(cx) else { return Poll::Pending };
                    match &item {
                        Some(Ok(event)) => bill.note(event),
                        Some(Err(error)) => bill.failed(error),
                        None => {}
                    }
                    if matches!(item, Some(Ok(ref event)) if !matches!(event, ChatEvent::Done(_))) {
                        return Poll::Ready(item);
                    }
                    let State::Open(bill) = std::mem::replace(&mut this.state, State::Ended) else {
                        return Poll::Ready(item);
                    };
                    this.state = State::Settling(Box::pin(bill.settle()), item);
                }
                State::Settling(settling, item) => {
                    if settling.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    let item = item.take();
                    this.state = State::Ended;
                    return Poll::Ready(item);
                }
                State::Ended => return Poll::Ready(None),
            }
        }
    }
}
