//! An answer as a stream of events.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use tokio::time::Instant;

use super::cutter::Cutter;
use super::network;
use super::watch::Watch;
use crate::wire::{Decode, Events};
use crate::{ChatEvent, Error, ErrorKind, ModelId, Result, SchemaReport};

/// How many chunks in a row without an event are read before others get their turn.
const TURN: u32 = 64;

/// Where the bytes of an answer come from.
pub(super) trait Body: Send + Unpin + 'static {
    /// The next bytes; `None` at the end.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>>;
}

impl Body for reqwest::Response {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        // This future holds nothing but the answer: when it is not ready it can be dropped and made anew, so that none
        // has to be kept in a box.
        pin!(self.chunk()).poll(cx).map_err(network::broken)
    }
}

/// What is known of an answer besides its body.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) model: ModelId,
    pub(super) status: u16,
    pub(super) request_id: Option<String>,
    pub(super) schema: Option<Arc<SchemaReport>>,
}

impl Facts {
    /// An error in this answer.
    pub(super) fn tell(&self, error: Error) -> Error {
        let error = error.with_model(self.model.clone());
        let error = if error.status().is_none() { error.with_status(self.status) } else { error };
        match &self.request_id {
            Some(id) => error.with_request_id(id.as_str()),
            None => error,
        }
    }

    /// Completes what the decoder could not know.
    fn complete(&mut self, started: &mut crate::Started) {
        started.model.provider = self.model.provider.clone();
        if started.model.model.is_empty() {
            started.model.model = self.model.model.clone();
        }
        if started.request_id.is_none() {
            started.request_id.clone_from(&self.request_id);
        }
        if started.schema.is_none() {
            started.schema = self.schema.take();
        }
    }
}

/// An answer as it is read: chunk by chunk, and from each chunk all of its events.
pub(super) struct Reply<B> {
    body: B,
    cutter: Cutter,
    decode: Box<dyn Decode>,
    watch: Watch,
    facts: Facts,
    events: Events,
    started: bool,
    /// What comes after the events.
    then: Then,
}

#[derive(Debug)]
enum Then {
    Read,
    Fail(Error),
    End,
}

impl<B: Body> Reply<B> {
    pub(super) fn new(body: B, cutter: Cutter, decode: Box<dyn Decode>, watch: Watch, facts: Facts) -> Self {
        let events = Events::with_capacity(8);
        Reply { body, cutter, decode, watch, facts, events, started: false, then: Then::Read }
    }

    /// Reads on, once.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match self.body.poll_chunk(cx) {
            Poll::Ready(Ok(Some(chunk))) => Poll::Ready(self.take(chunk, cx)),
            Poll::Ready(Ok(None)) => Poll::Ready(self.end()),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.watch.poll(cx).map(Err),
        }
    }

    /// Decodes all frames of a chunk.
    fn take(&mut self, chunk: Bytes, cx: &mut Context<'_>) -> Result<()> {
        let result = self.decode(chunk);
        self.notice();
        if matches!(self.then, Then::End) {
            self.drain(cx);
            return Ok(());
        }
        let now = Instant::now();
        if self.events.iter().any(ChatEvent::is_content) {
            self.watch.content(now);
        }
        result.and_then(|()| self.watch.check_deadline(now))
    }

    fn decode(&mut self, chunk: Bytes) -> Result<()> {
        self.cutter.push(chunk)?;
        while let Some(frame) = self.cutter.frame()? {
            self.decode.frame(frame, &mut self.events)?;
            if matches!(self.events.back(), Some(ChatEvent::Done(_))) {
                self.then = Then::End;
                break;
            }
        }
        Ok(())
    }

    /// The body ended.
    fn end(&mut self) -> Result<()> {
        self.then = Then::End;
        let result = self.last();
        self.notice();
        result
    }

    fn last(&mut self) -> Result<()> {
        if let Some(frame) = self.cutter.last()? {
            self.decode.frame(frame, &mut self.events)?;
            if matches!(self.events.back(), Some(ChatEvent::Done(_))) {
                return Ok(());
            }
        }
        self.decode.end(&mut self.events).map_err(|error| {
            if error.kind() == ErrorKind::Protocol && self.cutter.is_within_event() {
                return Error::protocol("the stream was cut short within an event");
            }
            error
        })
    }

    /// Completes the first event.
    fn notice(&mut self) {
        if self.started {
            return;
        }
        let started = self.events.iter_mut().find_map(|event| match event {
            ChatEvent::Started(started) => Some(started),
            _ => None,
        });
        if let Some(started) = started {
            self.started = true;
            self.facts.complete(started);
        }
    }

    /// Reads what is there of the end of a body whose reply is whole, so that the connection can serve again.
    fn drain(&mut self, cx: &mut Context<'_>) {
        for _ in 0..TURN {
            if !matches!(self.body.poll_chunk(cx), Poll::Ready(Ok(Some(_)))) {
                return;
            }
        }
    }
}

impl<B: Body> Stream for Reply<B> {
    type Item = Result<ChatEvent>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let mut read = 0;
        loop {
            if let Some(event) = this.events.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            match std::mem::replace(&mut this.then, Then::Read) {
                Then::Read => {}
                Then::Fail(error) => {
                    this.then = Then::End;
                    return Poll::Ready(Some(Err(this.facts.tell(error))));
                }
                Then::End => {
                    this.then = Then::End;
                    return Poll::Ready(None);
                }
            }
            if read == TURN {
                // A server that sends nothing but pings, without a pause, must stop neither its clock nor other tasks.
                match this.watch.poll(cx) {
                    Poll::Ready(error) => this.then = Then::Fail(error),
                    Poll::Pending => {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                }
                continue;
            }
            match this.read(cx) {
                Poll::Ready(Ok(())) => read += 1,
                Poll::Ready(Err(error)) => this.then = Then::Fail(error),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests;
