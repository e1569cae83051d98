//! What the layers share that ask more than once: reading a reply as far as it must be held back, and the record of
//! what was tried.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt};
use tokio::time::Instant;

use crate::{
    Attempt, ChatEvent, ChatModel, ChatRequest, ChatStream, Delivery, Done, Error, ErrorKind, ModelId, Result, Scope,
    StopReason, Usage,
};

/// A reply that began: its first content is here, or all of it.
pub(super) struct Opened {
    /// What was held back, in order.
    pub(super) held: Vec<ChatEvent>,
    /// What is to come; nothing, when the last that is held is `Done`.
    pub(super) rest: ChatStream,
}

impl Opened {
    /// Whether all of the reply is here, so that it cannot fail any more.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.held.last(), Some(ChatEvent::Done(_)))
    }
}

/// A call that failed before anything of it was shown.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) error: Error,
    pub(super) usage: Option<Usage>,
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Broken { error, usage: None }
    }
}

/// Asks, and holds the reply back as far as a failure can be hidden: to its first content when it is streamed, to its
/// end when it is asked for whole.
///
/// A reply that ends without any content is a failure too, unless it stopped to refuse, for a tool or to be asked
/// again: nobody is helped by an empty answer.
pub(super) async fn open(model: &(impl ChatModel + ?Sized), request: &ChatRequest) -> Result<Opened, Broken> {
    let mut rest = model.stream(request).await?;
    let mut held = Vec::with_capacity(4);
    let mut shown = false;
    while let Some(event) = rest.next().await {
        let event = event?;
        match &event {
            // Nothing was shown yet, so the caller need not hear that it is void.
            ChatEvent::Restarted(_) => {
                held.clear();
                shown = false;
                continue;
            }
            ChatEvent::Done(done) if !shown && !may_be_empty(done) => {
                let error = Error::protocol("the reply is empty").with_model(model.id());
                return Err(Broken { error, usage: done.usage });
            }
            event => shown |= is_shown(event),
        }
        let done = matches!(event, ChatEvent::Done(_));
        held.push(event);
        if done || (shown && request.delivery == Delivery::Streamed) {
            break;
        }
    }
    Ok(Opened { held, rest })
}

/// Whether another model may answer in place of one that failed like this. A chain that found no route is a model that
/// failed, whatever else may be done about it.
pub(super) fn may_go_on(error: &Error) -> bool {
    error.advice().scope != Scope::Nowhere || error.kind() == ErrorKind::NoRoute
}

/// Whether somebody would notice this event. An empty piece of text is nothing yet.
fn is_shown(event: &ChatEvent) -> bool {
    match event {
        ChatEvent::Text(text) | ChatEvent::Reasoning(text) | ChatEvent::Refusal(text) => !text.is_empty(),
        ChatEvent::Done(_) => false,
        event => event.is_content(),
    }
}

fn may_be_empty(done: &Done) -> bool {
    matches!(done.stop.reason, StopReason::Filtered | StopReason::ToolUse | StopReason::Paused)
}

/// The record of what was tried and failed, the earlier first.
#[derive(Debug, Default)]
pub(super) struct Tried(Vec<Attempt>);

impl Tried {
    /// One more failure. What a layer within tried and listed is taken over try by try, so that the record names
    /// models and not layers.
    pub(super) fn add(&mut self, asked: impl FnOnce() -> ModelId, began: Instant, error: &Error, usage: Option<Usage>) {
        if error.attempts().is_empty() {
            let model = error.model().cloned().unwrap_or_else(asked);
            let mut attempt = Attempt::failed(model, began.elapsed(), error.clone());
            attempt.usage = usage;
            self.0.push(attempt);
        } else {
            self.0.extend(error.attempts().iter().cloned());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole record, which is empty afterwards.
    pub(super) fn take(&mut self) -> Vec<Attempt> {
        std::mem::take(&mut self.0)
    }

    /// Puts the record into the end of a reply, before what a layer within tried.
    pub(super) fn put_into(&mut self, done: &mut Done) {
        if !self.0.is_empty() {
            self.0.append(&mut done.attempts);
            done.attempts = self.take();
        }
    }
}

/// A reply that began, from its beginning on, with the record of what was tried before it.
pub(super) struct Resumed {
    held: std::vec::IntoIter<ChatEvent>,
    rest: ChatStream,
    tried: Tried,
    /// Who answers and since when; only kept when there is a record to add to.
    call: Option<(ModelId, Instant)>,
}

impl Resumed {
    pub(super) fn stream(
        opened: Opened,
        tried: Tried,
        model: &(impl ChatModel + ?Sized),
        began: Instant,
    ) -> ChatStream {
        let call = (!tried.is_empty()).then(|| (model.id(), began));
        ChatStream::new(Resumed { held: opened.held.into_iter(), rest: opened.rest, tried, call })
    }
}

impl Stream for Resumed {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let item = match this.held.next() {
            Some(event) => Ok(event),
            None => match this.rest.poll_next_unpin(cx) {
                Poll::Ready(Some(item)) => item,
                other => return other,
            },
        };
        Poll::Ready(Some(match item {
            Ok(ChatEvent::Done(mut done)) => {
                this.tried.put_into(&mut done);
                Ok(ChatEvent::Done(done))
            }
            Err(error) => Err(match this.call.take() {
                Some((model, began)) => {
                    this.tried.add(|| model, began, &error, None);
                    error.with_attempts(this.tried.take())
                }
                None => error,
            }),
            item => item,
        }))
    }
}
