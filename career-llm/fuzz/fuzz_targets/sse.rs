//! No bytes make the decoder of server-sent events panic, and however they are split it gives the same events.
#![no_main]

use bytes::Bytes;
use career_llm::transport::sse::SseDecoder;
use libfuzzer_sys::fuzz_target;

/// The events of a body, and whether its end is within one; `None` for that when it failed.
fn decode(chunks: impl IntoIterator<Item = Bytes>) -> (Vec<(String, String)>, Option<bool>) {
    let mut decoder = SseDecoder::new(64);
    let mut events = Vec::new();
    for chunk in chunks {
        decoder.push(chunk);
        loop {
            match decoder.frame() {
                Ok(Some(frame)) => events.push((frame.event.to_owned(), frame.data.to_string())),
                Ok(None) => break,
                Err(_) => return (events, None),
            }
        }
    }
    let within = decoder.is_within_event();
    (events, Some(within))
}

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (lengths, body) = input;
    let mut rest = Bytes::from(body);
    let whole = decode([rest.clone()]);
    let mut chunks: Vec<Bytes> =
        lengths.iter().map(|length| rest.split_to(rest.len().min(usize::from(*length)))).collect();
    chunks.push(rest);
    assert_eq!(decode(chunks), whole);
});
