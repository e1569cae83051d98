//! A small protocol for the tests of the transport.

use http::{HeaderMap, StatusCode};

use crate::wire::{Decode, Encoded, Events, Frame, Framing, Wire};
use crate::{ChatEvent, ChatRequest, Delivery, Done, Error, ErrorKind, Message, ModelId, Result, Started, StopReason};

/// Data of a frame is a piece of text; `[DONE]` ends the reply, and `!` is a failure of the provider's. A whole body is a
/// piece of text and the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Echo(pub(super) Framing);

#[derive(Debug, Default)]
pub(super) struct Decoder {
    whole: bool,
    started: bool,
}

impl Wire for Echo {
    fn encode(&self, request: &ChatRequest, model: &str) -> Result<Encoded> {
        let words = request.messages.last().map(Message::text).unwrap_or_default();
        let mut encoded = Encoded::new("/echo?x=1", serde_json::json!({ "model": model, "say": words }).to_string());
        encoded.headers.push(("x-echo", "1".to_owned()));
        Ok(encoded)
    }

    fn decoder(&self, _: &str, delivery: Delivery) -> (Framing, Box<dyn Decode>) {
        match delivery {
            Delivery::Streamed => (self.0, Box::new(Decoder::default())),
            Delivery::Whole => (Framing::Whole, Box::new(Decoder { whole: true, started: false })),
        }
    }

    fn failure(&self, _: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        assert!(headers.contains_key("content-length"), "the wire sees the headers");
        Error::new(ErrorKind::Throttled, "echo").with_provider_message(String::from_utf8_lossy(body))
    }
}

impl Decode for Decoder {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()> {
        if !self.started {
            self.started = true;
            events.push_back(ChatEvent::Started(Box::new(Started::new(ModelId::new("", "")))));
        }
        match frame.data.as_str() {
            "[DONE]" => self.end_with(events),
            "!" => return Err(Error::new(ErrorKind::Overloaded, "echo")),
            "..." => {}
            _ => events.push_back(ChatEvent::Text(frame.data.clone())),
        }
        if self.whole {
            self.end_with(events);
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Events) -> Result<()> {
        Err(Error::protocol("echo was cut short"))
    }
}

impl Decoder {
    fn end_with(&self, events: &mut Events) {
        events.push_back(ChatEvent::Done(Box::new(Done::new(StopReason::End))));
    }
}
