//! Streams that end too early, at every byte.

use bytes::Bytes;
use career_llm::testkit::server::{Answer, FaultServer, Length, Protocol, Step};
use career_llm::transport::lines::LineDecoder;
use career_llm::transport::sse::SseDecoder;
use career_llm::wire::anthropic::Messages;
use career_llm::wire::completions::{Completions, Quirks};
use career_llm::wire::gemini::GenerateContent;
use career_llm::wire::responses::Responses;
use career_llm::wire::{Decode, Encoded, Events, Framing, Wire, ollama};
use career_llm::{ChatEvent, ChatRequest, ChatResponse, Collector, Delivery, ErrorKind, Result, Scope, StopReason};

use super::support::{DELIVERIES, ask, failure, model};

/// A reply as it was streamed: a thought, words of several alphabets, a call of a tool, and counts.
pub(crate) fn recorded(protocol: Protocol) -> &'static [u8] {
    match protocol {
        Protocol::Completions => include_bytes!("../data/completions.sse"),
        Protocol::Responses => include_bytes!("../data/responses.sse"),
        Protocol::Messages => include_bytes!("../data/anthropic.sse"),
        Protocol::GenerateContent => include_bytes!("../data/gemini.sse"),
        _ => include_bytes!("../data/ollama.ndjson"),
    }
}

/// What it says.
pub(crate) const TEXT: &str = "नमस्ते! A botanist 🌱 studies plants.\nShall I look?";

/// Checks that a reply is the recorded one; its counts may be missing where they come after its end.
#[track_caller]
pub(crate) fn check(reply: &ChatResponse, protocol: Protocol) {
    assert_eq!(reply.text(), TEXT, "{protocol:?}");
    assert_eq!(reply.reasoning, "The student asks about plants.", "{protocol:?}");
    let calls: Vec<_> = reply.tool_calls().collect();
    assert_eq!((calls.len(), calls[0].name.as_str()), (1, "find_careers"), "{protocol:?}");
    let input: serde_json::Value = serde_json::from_str(&calls[0].input).expect("JSON");
    assert_eq!(input, serde_json::json!({"field": "botany", "limit": 3}), "{protocol:?}");
    assert_eq!(reply.stop.reason, StopReason::ToolUse, "{protocol:?}");
}

/// What decodes a protocol.
pub(crate) fn decoder(protocol: Protocol, delivery: Delivery) -> (Framing, Box<dyn Decode>) {
    wire(protocol).decoder("test-model", delivery)
}

/// What a protocol makes of a request.
pub(crate) fn encode(protocol: Protocol, request: &ChatRequest) -> Result<Encoded> {
    wire(protocol).encode(request, "test-model")
}

fn wire(protocol: Protocol) -> Box<dyn Wire> {
    match protocol {
        Protocol::Completions => Box::new(Completions::new("groq", Quirks::default())),
        Protocol::Responses => Box::new(Responses::default()),
        Protocol::Messages => Box::new(Messages::default()),
        Protocol::GenerateContent => Box::new(GenerateContent::default()),
        _ => Box::new(ollama::Chat::default()),
    }
}

/// Frames and decodes these bytes, which came in these pieces, as the transport does.
fn decode(protocol: Protocol, pieces: &[&[u8]]) -> Result<ChatResponse> {
    let (framing, mut decode) = decoder(protocol, Delivery::Streamed);
    let mut events = Events::new();
    match framing {
        Framing::Lines => {
            let mut lines = LineDecoder::new(1 << 20);
            for piece in pieces {
                lines.push(Bytes::copy_from_slice(piece));
                while let Some(frame) = lines.frame()? {
                    decode.frame(frame, &mut events)?;
                    if is_whole(&events) {
                        return collect(events);
                    }
                }
            }
            if let Some(frame) = lines.last()? {
                decode.frame(frame, &mut events)?;
            }
        }
        _ => {
            let mut sse = SseDecoder::new(1 << 20);
            for piece in pieces {
                sse.push(Bytes::copy_from_slice(piece));
                while let Some(frame) = sse.frame()? {
                    decode.frame(frame, &mut events)?;
                    if is_whole(&events) {
                        return collect(events);
                    }
                }
            }
        }
    }
    if !is_whole(&events) {
        decode.end(&mut events)?;
    }
    collect(events)
}

fn is_whole(events: &Events) -> bool {
    matches!(events.back(), Some(ChatEvent::Done(_)))
}

fn collect(events: Events) -> Result<ChatResponse> {
    let mut collector = Collector::new();
    for event in events {
        collector.push(event);
    }
    collector.finish()
}

#[test]
fn the_recorded_replies_are_whole_and_count_alike() {
    for protocol in Protocol::ALL {
        let reply = decode(protocol, &[recorded(protocol)]).expect("a reply");
        check(&reply, protocol);
        let usage = reply.usage.expect("counts");
        assert_eq!((usage.input, usage.output), (31, 47), "{protocol:?}: {usage:?}");
    }
}

#[test]
fn every_prefix_of_a_stream_is_an_error_or_the_whole_reply() {
    for protocol in Protocol::ALL {
        let whole = recorded(protocol);
        // What must have come for the reply to be whole.
        let last_words = match protocol {
            Protocol::Completions => "\"finish_reason\":\"tool_calls\"",
            Protocol::Responses => "event: response.completed",
            Protocol::Messages => "\"stop_reason\":\"tool_use\"",
            Protocol::GenerateContent => "\"finishReason\":\"STOP\"",
            _ => "\"done\":true",
        };
        let text = std::str::from_utf8(whole).expect("UTF-8");
        let enough = text.find(last_words).expect("an end");
        let mut whole_replies = 0;
        for length in 0..=whole.len() {
            match decode(protocol, &[&whole[..length]]) {
                Ok(reply) => {
                    assert!(length > enough, "{protocol:?}: whole after {length} bytes of {}", whole.len());
                    check(&reply, protocol);
                    whole_replies += 1;
                }
                Err(error) => {
                    assert_eq!(
                        (error.kind(), error.advice().scope),
                        (ErrorKind::Protocol, Scope::Here),
                        "{protocol:?}"
                    );
                    assert!(length < whole.len(), "{protocol:?}: {error:?}");
                }
            }
        }
        // Where the protocol has a last word, nothing less will do but the line's own end.
        if matches!(protocol, Protocol::Responses | Protocol::Ollama) {
            assert!(whole_replies <= 2, "{protocol:?}: {whole_replies}");
        }
    }
}

#[test]
fn a_stream_split_at_any_byte_is_the_same_reply() {
    for protocol in Protocol::ALL {
        let whole = recorded(protocol);
        for at in 0..=whole.len() {
            let (before, after) = whole.split_at(at);
            let reply =
                decode(protocol, &[before, after]).unwrap_or_else(|error| panic!("{protocol:?} {at}: {error:?}"));
            check(&reply, protocol);
        }
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        check(&decode(protocol, &bytes).expect("a reply"), protocol);
    }
}

/// The recorded stream under the headers of its protocol.
fn answer(protocol: Protocol) -> Answer {
    protocol.streamed([Bytes::from_static(recorded(protocol))])
}

/// Bytes at which the stream is cut on real sockets: some in every part of it, all beside its last events.
fn cuts(length: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(97).chain(length.saturating_sub(8)..length)
}

#[tokio::test]
async fn a_cut_connection_is_an_error_or_the_whole_reply() {
    for protocol in Protocol::ALL {
        let server = FaultServer::start().await.expect("a server");
        let model = model(protocol, &server.url());
        let length = recorded(protocol).len();
        for cut in cuts(length) {
            // Chunks that do not end, an end that cannot be told from a cut, and a length that is not reached.
            let said = Length::Said(length as u64);
            for told in [Length::Chunked, Length::UntilClose, said] {
                server.then(answer(protocol).length(told).cut_after(cut));
                match ask(&*model, Delivery::Streamed).await {
                    Ok(reply) => check(&reply, protocol),
                    Err(error) => {
                        let at = format!("{protocol:?} {told:?} {cut}: {error:?}");
                        assert!(matches!(error.kind(), ErrorKind::Network | ErrorKind::Protocol), "{at}");
                        assert_eq!((error.advice().scope, error.status()), (Scope::Here, Some(200)), "{at}");
                        assert!(error.model().is_some(), "{at}");
                    }
                }
            }
        }
        for told in [Length::Chunked, Length::UntilClose, Length::Right] {
            server.then(answer(protocol).length(told));
            check(&ask(&*model, Delivery::Streamed).await.expect("a reply"), protocol);
        }
    }
}

#[tokio::test]
async fn a_reset_in_the_middle_is_a_broken_network() {
    for protocol in Protocol::ALL {
        let begun = answer(protocol).cut_after(300);
        let reset = protocol.streamed([begun.body_bytes()]).step(Step::Pause(std::time::Duration::from_millis(20)));
        let error = failure(protocol, reset.step(Step::Reset), Delivery::Streamed).await;
        assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Network, Scope::Here), "{protocol:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_whole_reply_that_is_cut_is_an_error_at_every_byte() {
    for protocol in Protocol::ALL {
        let server = FaultServer::start().await.expect("a server");
        let model = model(protocol, &server.url());
        let whole = protocol.whole("नमस्ते, a botanist.");
        let length = whole.body_bytes().len();
        for cut in (0..length).step_by(7).chain([length - 1]) {
            for told in [Length::Right, Length::UntilClose] {
                server.then(whole.clone().length(told).cut_after(cut));
                let error = ask(&*model, Delivery::Whole).await.expect_err("cut");
                assert!(
                    matches!(error.kind(), ErrorKind::Network | ErrorKind::Protocol),
                    "{protocol:?} {cut}: {error:?}"
                );
            }
        }
        server.then(whole);
        assert_eq!(ask(&*model, Delivery::Whole).await.expect("a reply").text(), "नमस्ते, a botanist.");
    }
}

#[tokio::test]
async fn an_empty_answer_is_no_reply() {
    for protocol in Protocol::ALL {
        for delivery in DELIVERIES {
            for empty in [Answer::new(200), protocol.streamed([]), protocol.stream(&["x"]).keep_steps(0)] {
                let error = failure(protocol, empty, delivery).await;
                assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Protocol, Scope::Here), "{protocol:?}");
            }
        }
    }
}

#[test]
fn counts_that_come_late_do_not_hold_up_the_end() {
    let whole = std::str::from_utf8(recorded(Protocol::Completions)).expect("UTF-8");
    let without = &whole[..whole.rfind("data: {").expect("the counts")];
    let reply = decode(Protocol::Completions, &[without.as_bytes(), b"data: [DONE]\n\n"]).expect("a reply");
    assert_eq!(reply.usage, None);
    check(&reply, Protocol::Completions);
}
