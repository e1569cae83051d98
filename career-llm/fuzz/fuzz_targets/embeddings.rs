//! No bytes make a reply of embeddings panic, and it gives one vector for each text or an error.
#![no_main]

use career_llm::embed::{EmbedWire, GeminiEmbeddings, OllamaEmbeddings, OpenAiEmbeddings};
use http::{HeaderMap, StatusCode};
use libfuzzer_sys::fuzz_target;

fn decode(wire: &impl EmbedWire, texts: usize, body: &[u8]) {
    let told = match wire.decode(body, texts) {
        Ok(vectors) => {
            assert_eq!(vectors.len(), texts);
            return;
        }
        Err(error) => error,
    };
    let refused = wire.failure(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), body);
    let _ = format!("{told} {told:?} {refused} {refused:?}");
}

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (texts, body) = (usize::from(input.0), input.1);
    decode(&OpenAiEmbeddings::default(), texts, &body);
    decode(&GeminiEmbeddings, texts, &body);
    decode(&OllamaEmbeddings, texts, &body);
});
