//! What holds for every stream.

use proptest::prelude::*;

use super::*;
use crate::Text;
use crate::wire::openai::testing::feed;
use crate::wire::{Events, Frame};

fn wire() -> Completions {
    Completions::new("p", Quirks::new())
}

/// The parser alone, with nothing learnt.
#[derive(Debug)]
struct Slow(decode::Decoder);

impl Decode for Slow {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()> {
        self.0.parse(frame, events)
    }

    fn end(&mut self, events: &mut Events) -> Result<()> {
        self.0.end(events)
    }
}

/// Chunks as they come, each with a place for words.
const CHUNKS: [&str; 12] = [
    r#"{"id":"1","choices":[{"index":0,"delta":{"content":"@"},"finish_reason":null}],"usage":null}"#,
    r#"{"id":"1","choices":[{"index":0,"delta":{"content":"@"}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"content":"@"},"finish_reason":"stop"}]}"#,
    r#"{"choices":[{"index":0,"delta":{"content":"@"},"finish_reason":""}],"usage":{"prompt_tokens":1}}"#,
    r#"{"choices":[{"index":1,"delta":{"content":"@"}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"content":"@","reasoning":"hm"}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"content":"@","refusal":"no"}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"content":"@","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]}}]}"#,
    r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
    r#"{"choices":[{"index":0,"message":{"content":"@"},"delta":{"content":"@"},"finish_reason":"@"}]}"#,
    r#"{"error":{"message":"@"}}"#,
    "[DONE]",
];

fn chunk() -> impl Strategy<Value = Text> {
    // Mostly what is learnt, and what is like it and must not be.
    let template = prop_oneof![2 => 0..2_usize, 2 => 5..8_usize, 1 => 2..CHUNKS.len()];
    let words = r#"[a-c न"\\,:{}\[\]\x00-\x1f]{0,6}"#;
    (template, words, any::<bool>()).prop_map(|(at, words, escaped)| {
        // Escaped as a server would, or spliced in as nobody should.
        let words = if escaped { serde_json::json!(words).to_string().trim_matches('"').to_owned() } else { words };
        CHUNKS[at].replace('@', &words).into()
    })
}

proptest! {
    #[test]
    fn the_quick_way_gives_what_parsing_gives(frames in proptest::collection::vec(chunk(), 0..12)) {
        let new = || decode::Decoder::new("p".into(), "m", Delivery::Streamed, true);
        prop_assert_eq!(feed(&mut new(), &frames), feed(&mut Slow(new()), &frames));
    }

    #[test]
    fn no_bytes_make_it_panic(
        frames in proptest::collection::vec(any::<String>(), 0..4),
        body in any::<Vec<u8>>(),
        whole in any::<bool>(),
    ) {
        let delivery = if whole { Delivery::Whole } else { Delivery::Streamed };
        let frames: Vec<_> = frames.into_iter().map(Text::from).collect();
        feed(&mut *wire().decoder("m", delivery).1, &frames);
        let error = wire().failure(StatusCode::BAD_REQUEST, &HeaderMap::new(), &body);
        prop_assert_eq!(error.status(), Some(400));
    }

    /// A piece of a chunk cut out or put in elsewhere.
    #[test]
    fn no_mangled_chunk_makes_it_panic(at in 0..CHUNKS.len(), cut in 0..90_usize, long in 0..9_usize, put in ".{0,3}") {
        let mut line = CHUNKS[at].to_owned();
        let cut = cut.min(line.len());
        line.replace_range(cut..(cut + long).min(line.len()), &put);
        for delivery in [Delivery::Streamed, Delivery::Whole] {
            let mut decoder = wire().decoder("m", delivery).1;
            feed(&mut *decoder, &[Text::from(CHUNKS[0]), Text::from(line.as_str())]);
        }
    }

    /// Done comes last and once, and nothing that comes after is decoded.
    #[test]
    fn done_ends_the_reply(frames in proptest::collection::vec(chunk(), 0..12)) {
        let mut decoder = wire().decoder("m", Delivery::Streamed).1;
        let told = feed(&mut *decoder, &frames);
        let done = told.iter().position(|event| event.starts_with("done"));
        prop_assert!(done.is_none_or(|at| at + 1 == told.len()), "{:?}", told);
        prop_assert!(told.iter().skip(1).all(|event| !event.starts_with("started")), "{:?}", told);
        let last = told.last().expect("an event or an error");
        prop_assert!(last.starts_with("done") || last.starts_with("error"), "{:?}", told);
    }
}
