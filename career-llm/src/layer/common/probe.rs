//! A model for tests: answers what a function says, and remembers what it was asked.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::{ChatEvent, ChatModel, ChatRequest, ChatStream, Done, ModelId, Result, Started, StopReason, Usage};

type Answer = dyn Fn(usize, &ChatRequest) -> Result<ChatStream> + Send + Sync;

/// A clone shares what it remembers.
#[derive(Clone)]
pub(in crate::layer) struct Probe {
    answer: Arc<Answer>,
    seen: Arc<Mutex<Vec<ChatRequest>>>,
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

impl Probe {
    /// Answers by the count of the call, from 0, and the request.
    pub(in crate::layer) fn new(
        answer: impl Fn(usize, &ChatRequest) -> Result<ChatStream> + Send + Sync + 'static,
    ) -> Self {
        Probe { answer: Arc::new(answer), seen: Arc::default() }
    }

    /// Always says the same.
    pub(in crate::layer) fn says(text: &'static str) -> Self {
        Probe::new(move |_, _| Ok(reply(&[text])))
    }

    /// What it was asked.
    pub(in crate::layer) fn seen(&self) -> Vec<ChatRequest> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often it was asked.
    pub(in crate::layer) fn calls(&self) -> usize {
        self.seen().len()
    }
}

#[async_trait]
impl ChatModel for Probe {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        let at = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(request.clone());
            seen.len() - 1
        };
        tokio::task::yield_now().await;
        (self.answer)(at, request)
    }

    fn id(&self) -> ModelId {
        ModelId::new("probe", "1")
    }
}

/// A reply has started.
pub(in crate::layer) fn started() -> ChatEvent {
    ChatEvent::Started(Box::new(Started::new(ModelId::new("probe", "1"))))
}

/// A reply is whole; 10 tokens in, 5 out.
pub(in crate::layer) fn done(reason: StopReason) -> ChatEvent {
    ChatEvent::Done(Box::new(Done::new(reason).with_usage(Usage::new(10, 5))))
}

/// The events of a reply of these pieces.
pub(in crate::layer) fn events(pieces: &[&str]) -> Vec<Result<ChatEvent>> {
    let mut events = vec![Ok(started())];
    events.extend(pieces.iter().map(|piece| Ok(ChatEvent::Text((*piece).into()))));
    events.push(Ok(done(StopReason::End)));
    events
}

/// A reply of these pieces.
pub(in crate::layer) fn reply(pieces: &[&str]) -> ChatStream {
    ChatStream::from_events(events(pieces))
}

/// Polls it once, and says whether it goes on.
pub(in crate::layer) async fn goes_on<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_pending())).await
}
