//! No bytes make the decoder of lines panic, and however they are split it gives the same lines.
#![no_main]

use bytes::Bytes;
use career_llm::transport::lines::LineDecoder;
use libfuzzer_sys::fuzz_target;

/// The lines of a body, and whether it failed.
fn decode(chunks: impl IntoIterator<Item = Bytes>) -> (Vec<String>, bool) {
    let mut decoder = LineDecoder::new(64);
    let mut lines = Vec::new();
    for chunk in chunks {
        decoder.push(chunk);
        loop {
            match decoder.frame() {
                Ok(Some(frame)) => lines.push(frame.data.to_string()),
                Ok(None) => break,
                Err(_) => return (lines, true),
            }
        }
    }
    match decoder.last() {
        Ok(last) => lines.extend(last.map(|frame| frame.data.to_string())),
        Err(_) => return (lines, true),
    }
    (lines, false)
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
