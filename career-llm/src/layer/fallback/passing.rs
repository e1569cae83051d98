//! A reply of a chain from its first content on.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, Sleep, sleep_until};

use super::course::{Course, Lead, Leg};
use crate::layer::breaker::Permit;
use crate::layer::watch::Broken;
use crate::{ChatEvent, ChatRequest, ChatStream, Error, ErrorKind, Restarted, Result, Scope, Timeout};

/// Passes on the events of the model that leads; what happens when it breaks is decided here.
pub(super) struct Passing {
    /// `None` while another model is looked for, and after the end.
    course: Option<Course>,
    held: std::vec::IntoIter<ChatEvent>,
    rest: Option<ChatStream>,
    leg: Leg,
    began: Instant,
    permit: Option<Permit>,
    /// What was said, for an error. Not kept when the reply is whole already.
    said: String,
    whole: bool,
    /// The deadline; looked at only when there is nothing to pass on.
    clock: Option<Pin<Box<Sleep>>>,
    /// The request, when another model may begin anew.
    again: Option<ChatRequest>,
    search: Option<Pin<Box<dyn Future<Output = Search> + Send>>>,
}

/// What came of looking for another model.
struct Search {
    course: Course,
    request: ChatRequest,
    because: Error,
    found: Result<Lead>,
}

impl Passing {
    pub(super) fn new(course: Course, lead: Lead, again: Option<ChatRequest>) -> Self {
        let Lead { opened, leg, began, permit } = lead;
        let whole = opened.is_whole();
        let clock = course.until.filter(|_| !whole).map(|until| Box::pin(sleep_until(until)));
        let (held, rest) = (opened.held.into_iter(), Some(opened.rest));
        let (course, said) = (Some(course), String::new());
        Passing { course, held, rest, leg, began, permit, said, whole, clock, again, search: None }
    }

    fn lead(&mut self, lead: Lead) {
        let Lead { opened, leg, began, permit } = lead;
        self.whole = opened.is_whole();
        self.held = opened.held.into_iter();
        self.rest = Some(opened.rest);
        (self.leg, self.began, self.permit) = (leg, began, permit);
        self.said.clear();
    }

    /// Notes an event on its way out.
    fn pass(&mut self, mut event: ChatEvent) -> ChatEvent {
        match &mut event {
            ChatEvent::Text(text) if !self.whole => self.said.push_str(text),
            // A chain within began anew.
            ChatEvent::Restarted(_) => self.said.clear(),
            ChatEvent::Done(done) => {
                if let Some(permit) = &mut self.permit {
                    permit.succeeded();
                }
                if let Some(course) = &mut self.course {
                    course.tried.put_into(done);
                }
            }
            _ => {}
        }
        event
    }

    /// The model that led broke: looks for another one if it may, or gives the error that tells.
    fn broke(&mut self, error: Error) -> Option<Error> {
        self.rest = None;
        if let Some(mut permit) = self.permit.take() {
            permit.failed(&error);
        }
        let Some(mut course) = self.course.take() else { return Some(error) };
        let broken = Broken { error: course.in_time(error), usage: None };
        let goes_on = course.failed(self.leg, self.began, &broken);
        let because = broken.error;
        match self.again.take() {
            Some(request) if goes_on && !course.is_over() => {
                self.search = Some(Box::pin(async move {
                    let found = course.advance(&request).await;
                    Search { course, request, because, found }
                }));
                None
            }
            _ => Some(self.told(because, &mut course)),
        }
    }

    /// The error for a reply that broke after its first content.
    fn told(&mut self, cause: Error, course: &mut Course) -> Error {
        let attempts = course.tried.take();
        let said = std::mem::take(&mut self.said);
        let (kind, advice) = (cause.kind(), cause.advice());
        // A refusal in the middle of a reply stays a refusal.
        if advice.scope == Scope::Nowhere && !matches!(kind, ErrorKind::Timeout(_) | ErrorKind::NoRoute) {
            return cause.with_partial(said).with_attempts(attempts);
        }
        let mut error = Error::new(ErrorKind::Interrupted, "the reply broke after its first content")
            .with_scope(advice.scope)
            .with_partial(said)
            .with_attempts(attempts);
        if let Some(after) = advice.after {
            error = error.with_after(after);
        }
        if let Some(model) = cause.model() {
            error = error.with_model(model.clone());
        }
        error.with_source(cause)
    }

    /// The search for another model ended: what the caller hears first.
    fn searched(&mut self, search: Search) -> Result<ChatEvent> {
        let Search { mut course, request, because, found } = search;
        match found {
            Ok(lead) => {
                self.course = Some(course);
                self.again = Some(request);
                self.lead(lead);
                Ok(ChatEvent::Restarted(Box::new(Restarted::new(because))))
            }
            Err(error) => {
                // Its record is of the whole call; what broke the shown reply is the cause when nobody could begin anew.
                let attempts = error.attempts().to_vec();
                let cause = if error.kind() == ErrorKind::NoRoute { because } else { error };
                Err(self.told(cause, &mut course).with_attempts(attempts))
            }
        }
    }
}

impl Stream for Passing {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(search) = &mut this.search {
                let search = ready!(search.as_mut().poll(cx));
                this.search = None;
                return Poll::Ready(Some(this.searched(search)));
            }
            if let Some(event) = this.held.next() {
                return Poll::Ready(Some(Ok(this.pass(event))));
            }
            let Some(rest) = &mut this.rest else { return Poll::Ready(None) };
            let error = match rest.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(event))) => return Poll::Ready(Some(Ok(this.pass(event)))),
                Poll::Ready(Some(Err(error))) => error,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => match &mut this.clock {
                    Some(clock) => {
                        ready!(clock.as_mut().poll(cx));
                        Error::new(ErrorKind::Timeout(Timeout::Deadline), "in the middle of the reply")
                    }
                    None => return Poll::Pending,
                },
            };
            if let Some(error) = this.broke(error) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}
