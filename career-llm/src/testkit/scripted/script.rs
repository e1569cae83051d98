//! What a scripted model does with a call.

use std::time::Duration;

use crate::{ChatEvent, Done, Error, Stop, StopReason, Text, Usage};

/// What a scripted model does with one call.
///
/// The pieces are given the same whether the reply is asked for streamed or whole; a layer must take both.
///
/// ```
/// use std::time::Duration;
///
/// use career_llm::testkit::scripted::{Piece, Script};
/// use career_llm::{Error, ErrorKind, Usage};
///
/// let slow = Script::reply("one two three").after(Duration::from_secs(2)).each(Duration::from_millis(20));
/// let billed = Script::reply("yes").with_usage(Usage::new(12, 1));
/// let broken = Script::reply("one two three").fail_after(2, Error::new(ErrorKind::Network, "reset"));
/// let stalled = Script::pieces([Piece::from("one "), Piece::Wait(Duration::from_secs(1)), Piece::Hang]);
/// ```
#[derive(Debug, Clone)]
pub struct Script {
    pub(super) before: Duration,
    pub(super) answer: Answer,
}

#[derive(Debug, Clone)]
pub(super) enum Answer {
    Taken(Vec<Piece>),
    Refused(Error),
    Silence,
}

/// A step of a script.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Piece {
    /// This comes. The first is preceded by a `Started` of the model's, unless it is one.
    Event(ChatEvent),
    /// Nothing comes for so long.
    Wait(Duration),
    /// The stream breaks.
    Fail(Error),
    /// Nothing comes any more, and the stream does not end.
    Hang,
}

impl From<ChatEvent> for Piece {
    fn from(event: ChatEvent) -> Self {
        Piece::Event(event)
    }
}

impl From<Done> for Piece {
    fn from(done: Done) -> Self {
        Piece::Event(ChatEvent::Done(Box::new(done)))
    }
}

impl From<Error> for Piece {
    fn from(error: Error) -> Self {
        Piece::Fail(error)
    }
}

impl From<&str> for Piece {
    fn from(text: &str) -> Self {
        Piece::Event(ChatEvent::Text(text.into()))
    }
}

impl Script {
    /// Says this, a word at a time, and is done.
    pub fn reply(text: impl Into<Text>) -> Self {
        let text = text.into();
        let words = text.split_inclusive(' ').map(|word| Piece::Event(ChatEvent::Text(text.slice_ref(word))));
        Script::pieces(words.chain([Piece::from(Done::new(StopReason::End))]))
    }

    /// Does this, step by step. A reply that is to be whole ends with a [`Done`].
    pub fn pieces<P: Into<Piece>>(pieces: impl IntoIterator<Item = P>) -> Self {
        Script::answering(Answer::Taken(pieces.into_iter().map(Into::into).collect()))
    }

    /// Does not take the request.
    pub fn fail(error: Error) -> Self {
        Script::answering(Answer::Refused(error))
    }

    /// Neither takes the request nor refuses it.
    pub fn hang() -> Self {
        Script::answering(Answer::Silence)
    }

    /// Asks for a tool, with this JSON for it.
    pub fn tool_call(id: impl Into<String>, name: impl Into<String>, json: impl Into<Text>) -> Self {
        let call = ChatEvent::ToolCall { index: 0, id: id.into(), name: name.into() };
        let input = ChatEvent::ToolInput { index: 0, json: json.into() };
        Script::pieces([Piece::from(call), input.into(), Piece::from(Done::new(StopReason::ToolUse))])
    }

    /// Refuses in these words, and stops as filtered.
    pub fn refusal(text: impl Into<Text>) -> Self {
        Script::pieces([ChatEvent::Refusal(text.into()).into(), Piece::from(Done::new(StopReason::Filtered))])
    }

    /// Waits so long before it takes or refuses the request.
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        self.before = time;
        self
    }

    /// Waits so long before each event.
    #[must_use]
    pub fn each(self, time: Duration) -> Self {
        self.map(|pieces| {
            let slow = |piece| match piece {
                Piece::Event(_) => [Some(Piece::Wait(time)), Some(piece)],
                _ => [Some(piece), None],
            };
            pieces.into_iter().flat_map(slow).flatten().collect()
        })
    }

    /// Breaks after so many events.
    #[must_use]
    pub fn fail_after(self, events: usize, error: Error) -> Self {
        self.then_instead(events, Some(error.into()))
    }

    /// Stalls after so many events.
    #[must_use]
    pub fn hang_after(self, events: usize) -> Self {
        self.then_instead(events, Some(Piece::Hang))
    }

    /// Just ends after so many events, as if that were all.
    #[must_use]
    pub fn cut_after(self, events: usize) -> Self {
        self.then_instead(events, None)
    }

    /// Tells at its end what it used up.
    #[must_use]
    pub fn with_usage(self, usage: Usage) -> Self {
        self.map_done(|done| done.usage = Some(usage))
    }

    /// Stops for this reason.
    #[must_use]
    pub fn stopped(self, stop: impl Into<Stop>) -> Self {
        let stop = stop.into();
        self.map_done(|done| done.stop = stop.clone())
    }

    fn answering(answer: Answer) -> Self {
        Script { before: Duration::ZERO, answer }
    }

    fn map(mut self, change: impl FnOnce(Vec<Piece>) -> Vec<Piece>) -> Self {
        if let Answer::Taken(pieces) = self.answer {
            self.answer = Answer::Taken(change(pieces));
        }
        self
    }

    fn map_done(self, change: impl Fn(&mut Done)) -> Self {
        self.map(|mut pieces| {
            for piece in &mut pieces {
                if let Piece::Event(ChatEvent::Done(done)) = piece {
                    change(done);
                }
            }
            pieces
        })
    }

    fn then_instead(self, events: usize, last: Option<Piece>) -> Self {
        self.map(|mut pieces| {
            let places = pieces.iter().enumerate().filter(|(_, piece)| matches!(piece, Piece::Event(_)));
            let end = places.map(|(at, _)| at).nth(events).unwrap_or(pieces.len());
            pieces.truncate(end);
            pieces.extend(last);
            pieces
        })
    }
}
