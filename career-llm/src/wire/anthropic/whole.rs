//! The reply in one piece.

use super::super::shared::parse;
use super::super::{Decode, Events, Frame};
use super::decode::{Streamed, stop};
use super::failure::{Refusal, inside};
use super::json::{Body, Message};
use crate::{Error, Result, Text};

/// Decodes a body in one piece.
#[derive(Debug)]
pub(super) struct Whole {
    streamed: Streamed,
}

impl Whole {
    pub(super) fn new(model: &str) -> Self {
        Whole { streamed: Streamed::new(model) }
    }
}

impl Decode for Whole {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()> {
        let body: Body<'_> = parse(frame.data)?;
        if let Some(error) = body.error {
            return Err(inside(&Refusal { error, request_id: body.request_id }));
        }
        let content = body.content.ok_or_else(|| Error::protocol("a message without content"))?;
        let streamed = &mut self.streamed;
        streamed.begin(Some(Message { model: body.model, usage: body.usage }), events)?;
        for fields in content {
            // A whole block is one that begins with all that it has.
            streamed.block_begins(0, fields, events)?;
            streamed.block_ends(0, events);
        }
        if let Some(reason) = body.stop_reason.as_deref() {
            streamed.stop = Some(stop(reason));
        }
        streamed.explanation = body.stop_details.and_then(|details| details.explanation).map(Text::from);
        streamed.done(events);
        Ok(())
    }

    fn end(&mut self, _: &mut Events) -> Result<()> {
        Err(Error::protocol("an empty body"))
    }
}
