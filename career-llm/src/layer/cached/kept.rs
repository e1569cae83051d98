//! A reply as it is kept, and the stream that keeps it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};

use super::flight::Lead;
use super::{Rules, Shelf};
use crate::layer::common::SavedEvent;
use crate::{Attempt, ChatEvent, ChatStream, Result, StopReason, Usage};

/// A whole reply, its pieces joined.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Kept(Vec<SavedEvent>);

impl Kept {
    pub(super) fn from_bytes(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    pub(super) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// As a stream that used nothing up.
    pub(super) fn replay(&self, attempt: &Attempt) -> ChatStream {
        let mut events: Vec<Result<ChatEvent>> = self.0.iter().cloned().map(|event| Ok(event.into())).collect();
        for event in &mut events {
            match event {
                Ok(ChatEvent::Started(started)) => started.request_id = None,
                Ok(ChatEvent::Done(done)) => {
                    done.usage = Some(Usage::default());
                    done.attempts = vec![attempt.clone()];
                }
                _ => {}
            }
        }
        ChatStream::from_events(events)
    }
}

/// A stream that is kept when it is whole.
pub(super) struct Keeping {
    stream: ChatStream,
    state: State,
}

enum State {
    /// What came so far, as long as it may be kept.
    Open(Option<Box<Draft>>),
    Putting(Pin<Box<dyn Future<Output = ()> + Send>>, Option<Result<ChatEvent>>),
    Ended,
}

/// A reply that may be kept.
struct Draft {
    events: Vec<ChatEvent>,
    /// The text of the piece that goes on, at the end of `events`.
    tail: String,
    bytes: usize,
    rules: Rules,
    lead: Lead,
    key: String,
    shelf: Arc<Shelf>,
}

impl Keeping {
    pub(super) fn new(stream: ChatStream, rules: Rules, lead: Lead, key: String, shelf: Arc<Shelf>) -> Self {
        let draft = Draft { events: Vec::new(), tail: String::new(), bytes: 0, rules, lead, key, shelf };
        Keeping { stream, state: State::Open(Some(Box::new(draft))) }
    }
}

impl Draft {
    /// Takes note of an event, and says whether the reply may still be kept.
    fn note(&mut self, event: &ChatEvent) -> bool {
        let joins = match (self.events.last(), event) {
            (Some(ChatEvent::Text(_)), ChatEvent::Text(text))
            | (Some(ChatEvent::Reasoning(_)), ChatEvent::Reasoning(text)) => Some(text),
            (Some(ChatEvent::ToolInput { index: a, .. }), ChatEvent::ToolInput { index: b, json }) if a == b => {
                Some(json)
            }
            _ => None,
        };
        if let Some(text) = joins {
            self.tail.push_str(text);
            self.bytes += text.len();
            return self.bytes <= self.rules.max_bytes;
        }
        self.close();
        let (text, keeps) = match event {
            ChatEvent::Started(_) => (None, true),
            ChatEvent::Text(text) | ChatEvent::Reasoning(text) => (Some(text), true),
            ChatEvent::ToolInput { json, .. } => (Some(json), self.rules.tool_calls),
            ChatEvent::ToolCall { .. } => (None, self.rules.tool_calls),
            ChatEvent::Opaque(opaque) => {
                self.bytes += opaque.value.to_string().len();
                (None, true)
            }
            ChatEvent::Refusal(_) => (None, false),
            ChatEvent::Restarted(_) => {
                // What came before is void, and the new beginning is all that there is.
                self.events.clear();
                self.bytes = 0;
                return true;
            }
            ChatEvent::Done(done) => (
                None,
                match done.stop.reason {
                    StopReason::End => self.says_something(),
                    StopReason::ToolUse => self.rules.tool_calls,
                    _ => false,
                },
            ),
        };
        if let Some(text) = text {
            self.tail.push_str(text);
            self.bytes += text.len();
        }
        self.events.push(event.clone());
        keeps && self.bytes <= self.rules.max_bytes
    }

    /// Whether somebody is helped by it. A chain takes an empty reply for a failure, and would for as long as it is kept.
    fn says_something(&self) -> bool {
        self.events.iter().any(|event| match event {
            ChatEvent::Text(text) => !text.is_empty(),
            event => matches!(event, ChatEvent::ToolCall { .. }),
        })
    }

    /// Puts the joined text where it belongs.
    fn close(&mut self) {
        let whole = std::mem::take(&mut self.tail);
        if let Some(ChatEvent::Text(text) | ChatEvent::Reasoning(text) | ChatEvent::ToolInput { json: text, .. }) =
            self.events.last_mut()
        {
            *text = whole.into();
        }
    }

    /// Keeps it, and gives it to those who wait.
    async fn keep(self) {
        let kept = Arc::new(Kept(self.events.iter().map(SavedEvent::from).collect()));
        self.lead.land(kept.clone());
        self.shelf.put(&self.key, &kept).await;
    }
}

impl Stream for Keeping {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Open(draft) => {
                    let Poll::Ready(item) = this.stream.poll_next_unpin(cx) else { return Poll::Pending };
                    let keeps = match (&item, draft.as_mut()) {
                        (Some(Ok(event)), Some(draft)) => draft.note(event),
                        _ => false,
                    };
                    if let Some(draft) = draft.take_if(|_| !keeps) {
                        // Those who wait are let go now, not when this stream ends.
                        draft.lead.give_up();
                    }
                    if !matches!(item, Some(Ok(ChatEvent::Done(_)))) {
                        return Poll::Ready(item);
                    }
                    let State::Open(Some(draft)) = std::mem::replace(&mut this.state, State::Ended) else {
                        return Poll::Ready(item);
                    };
                    this.state = State::Putting(Box::pin(draft.keep()), item);
                }
                State::Putting(putting, item) => {
                    if putting.as_mut().poll(cx).is_pending() {
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
