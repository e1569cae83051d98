//! A call on its way to and from a cassette.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt as _};

use super::cassette::{Call, Cassette, End, Reply};
use super::error::CassetteError;
use super::summary::Summary;
use crate::layer::common::{SavedError, SavedEvent};
use crate::{ChatEvent, ChatStream, Error, ErrorKind, Result};

/// What was recorded of a call.
pub(super) fn played(call: &Call) -> Result<ChatStream> {
    let (events, end) = match &call.reply {
        Reply::Refused(error) => return Err(error.clone().into()),
        Reply::Stream { events, end } => (events.clone(), end.clone()),
    };
    let last = match end {
        End::Whole => None,
        End::Broken(error) => Some(Err((*error).into())),
        End::Dropped => Some(Err(Error::new(ErrorKind::Cancelled, "the recording ends here: nobody waited for more"))),
    };
    Ok(ChatStream::from_events(events.into_iter().map(|event| Ok(event.into())).chain(last)))
}

/// A call that is being recorded.
pub(super) struct Tape {
    cassette: Arc<Cassette>,
    key: String,
    request: Summary,
}

impl Tape {
    pub(super) fn new(cassette: Arc<Cassette>, key: String, request: Summary) -> Self {
        Tape { cassette, key, request }
    }

    /// Records that the model did not answer.
    pub(super) fn refused(self, error: &Error) -> Result<(), CassetteError> {
        self.write(Reply::Refused(SavedError::from(error)))
    }

    /// Records a stream.
    pub(super) fn record(self, stream: ChatStream) -> ChatStream {
        ChatStream::new(Taped { stream, tape: Some(self), events: Vec::new() })
    }

    fn write(self, reply: Reply) -> Result<(), CassetteError> {
        let call = Call { key: self.key, request: self.request, reply };
        self.cassette.add(call)
    }
}

/// A stream that is recorded when it ends, or is dropped.
struct Taped {
    stream: ChatStream,
    tape: Option<Tape>,
    events: Vec<SavedEvent>,
}

impl Taped {
    fn end(&mut self, end: End) -> Result<(), CassetteError> {
        let Some(tape) = self.tape.take() else { return Ok(()) };
        tape.write(Reply::Stream { events: std::mem::take(&mut self.events), end })
    }
}

impl Stream for Taped {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Poll::Ready(item) = self.stream.poll_next_unpin(cx) else { return Poll::Pending };
        let written = match &item {
            Some(Ok(event)) => {
                self.events.push(SavedEvent::from(event));
                if matches!(event, ChatEvent::Done(_)) { self.end(End::Whole) } else { Ok(()) }
            }
            Some(Err(error)) => {
                let error = Box::new(SavedError::from(error));
                self.end(End::Broken(error))
            }
            None => Ok(()),
        };
        // A recording that is not there is worse than a reply that is not: it is to be seen now.
        Poll::Ready(match written {
            Ok(()) => item,
            Err(error) => Some(Err(error.into())),
        })
    }
}

impl Drop for Taped {
    fn drop(&mut self) {
        // Nobody can be told now; the next call is.
        let cassette = self.tape.as_ref().map(|tape| tape.cassette.clone());
        if let (Some(cassette), Err(error)) = (cassette, self.end(End::Dropped)) {
            cassette.lose(error);
        }
    }
}
