//! What holds for every wire, whatever it is sent.

use career_llm::wire::{Events, Frame, Framing, Wire};
use career_llm::{ChatEvent, Delivery, Text};
use http::{HeaderMap, StatusCode};

/// Decodes bytes as a stream of frames (a line for each, with the name of the event before a tab), as a whole reply, and as
/// an error of several statuses.
///
/// # Panics
///
/// When the events are not in their order: one start, content, one end.
pub fn decode(wire: &dyn Wire, input: &[u8]) {
    for status in [StatusCode::BAD_REQUEST, StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
        let error = wire.failure(status, &HeaderMap::new(), input);
        let _ = format!("{error} {error:?}");
    }
    let Ok(input) = std::str::from_utf8(input) else { return };
    for delivery in [Delivery::Streamed, Delivery::Whole] {
        let (framing, mut decode) = wire.decoder("m", delivery);
        let frames: Vec<&str> = if framing == Framing::Whole { vec![input] } else { input.lines().collect() };
        let mut events = Events::new();
        let mut result = Ok(());
        for frame in frames {
            let (event, data) = frame.split_once('\t').unwrap_or(("", frame));
            result = decode.frame(Frame::new(event, &Text::from(data)), &mut events);
            if result.is_err() || is_done(&events) {
                break;
            }
        }
        if result.is_ok() && !is_done(&events) {
            result = decode.end(&mut events);
        }
        for (at, event) in events.iter().enumerate() {
            assert_eq!(matches!(event, ChatEvent::Started(_)), at == 0, "a start at {at}");
            let last = at + 1 == events.len();
            assert!(last || !matches!(event, ChatEvent::Done(_)), "an end at {at}");
        }
        assert!(result.is_err() || is_done(&events), "neither an end nor an error");
    }
}

fn is_done(events: &Events) -> bool {
    matches!(events.back(), Some(ChatEvent::Done(_)))
}
