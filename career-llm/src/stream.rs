//! The stream of a reply, and what it keeps to.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt};

use crate::{ChatEvent, ChatResponse, Collector, Error, Result};

/// The pieces of a reply as they come.
///
/// Whatever is inside, it keeps to the order that [`ChatEvent`] tells: a stream that ends without
/// [`ChatEvent::Done`] gives an error of kind [`Protocol`](crate::ErrorKind::Protocol) instead of ending as if it were
/// whole, and after `Done` or an error nothing comes. Dropping it stops the call.
pub struct ChatStream {
    inner: Option<Pin<Box<dyn Stream<Item = Result<ChatEvent>> + Send>>>,
}

impl ChatStream {
    /// A stream of pieces.
    pub fn new(stream: impl Stream<Item = Result<ChatEvent>> + Send + 'static) -> Self {
        ChatStream { inner: Some(Box::pin(stream)) }
    }

    /// The stream of these pieces, which are there already.
    pub fn from_events(events: impl IntoIterator<Item = Result<ChatEvent>, IntoIter: Send + 'static>) -> Self {
        ChatStream::new(futures_util::stream::iter(events))
    }

    /// Waits for the whole reply.
    ///
    /// # Errors
    ///
    /// The error that the stream gives.
    pub async fn collect(mut self) -> Result<ChatResponse> {
        let mut collector = Collector::new();
        while let Some(event) = self.next().await {
            collector.push(event?);
        }
        collector.finish()
    }
}

impl Stream for ChatStream {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let Poll::Ready(item) = inner.as_mut().poll_next(cx) else { return Poll::Pending };
        let item = item.unwrap_or_else(|| Err(Error::protocol("the stream was cut short")));
        if matches!(item, Ok(ChatEvent::Done(_)) | Err(_)) {
            // What holds the connection is let go now, not when the caller drops this.
            self.inner = None;
        }
        Poll::Ready(Some(item))
    }
}

impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatStream").field("ended", &self.inner.is_none()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Done, ErrorKind, StopReason};

    #[tokio::test]
    async fn a_stream_that_just_ends_was_cut_short() {
        let mut stream = ChatStream::from_events([Ok(ChatEvent::Text("half".into()))]);
        assert!(matches!(stream.next().await, Some(Ok(ChatEvent::Text(_)))));
        let error = stream.next().await.expect("an item").expect_err("cut short");
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(stream.next().await.is_none());
    }

    #[tokio::test]
    async fn nothing_comes_after_done_or_an_error() {
        let done = || Ok(ChatEvent::Done(Box::new(Done::new(StopReason::End))));
        let mut stream = ChatStream::from_events([done(), done()]);
        assert!(stream.next().await.is_some() && stream.next().await.is_none());
        let mut stream = ChatStream::from_events([Err(Error::protocol("x")), done()]);
        assert!(stream.next().await.is_some() && stream.next().await.is_none());
    }
}
