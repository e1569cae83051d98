use proptest::prelude::*;

use super::*;
use crate::ErrorKind;

/// The events of a body, whether its end is within one, and whether it failed.
#[derive(Debug, Clone, PartialEq, Default)]
struct Decoded {
    events: Vec<(String, String)>,
    within: bool,
    failed: bool,
}

fn decode<'a>(limit: usize, chunks: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let mut decoder = SseDecoder::new(limit);
    let mut decoded = Decoded::default();
    for chunk in chunks {
        decoder.push(Bytes::copy_from_slice(chunk));
        loop {
            match decoder.frame() {
                Ok(Some(frame)) => decoded.events.push((frame.event.to_owned(), frame.data.to_string())),
                Ok(None) => break,
                Err(_) => return Decoded { failed: true, ..decoded },
            }
        }
    }
    decoded.within = decoder.is_within_event();
    decoded
}

/// The rules of the specification, step by step and without haste.
fn by_the_book(body: &str) -> Vec<(String, String)> {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body).replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = body.split('\n').collect();
    lines.pop(); // what no line end follows
    let (mut events, mut data, mut event) = (Vec::new(), String::new(), String::new());
    for line in lines {
        if line.is_empty() {
            if data.is_empty() {
                event.clear();
                continue;
            }
            data.pop();
            events.push((std::mem::take(&mut event), std::mem::take(&mut data)));
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => data.extend([value, "\n"]),
            "event" => event = value.to_owned(),
            _ => {}
        }
    }
    events
}

/// Names and data of events.
type Expected<'a> = &'a [(&'a str, &'a str)];

fn events(expected: Expected<'_>) -> Vec<(String, String)> {
    expected.iter().map(|(event, data)| ((*event).to_owned(), (*data).to_owned())).collect()
}

#[test]
fn every_rule_of_the_event_stream_is_kept() {
    let cases: [(&str, Expected<'_>, bool); 14] = [
        ("data: one\n\ndata: two\n\n", &[("", "one"), ("", "two")], false),
        ("data:no space\r\n\r\ndata:  two spaces\r\r", &[("", "no space"), ("", " two spaces")], false),
        ("data: a\ndata: b\ndata:\ndata: c\n\n", &[("", "a\nb\n\nc")], false),
        ("data\n\ndata:\n\ndata\ndata\n\n", &[("", ""), ("", ""), ("", "\n")], false),
        ("event: first\nevent: last\ndata: x\n\ndata: y\n\n", &[("last", "x"), ("", "y")], false),
        ("event: named\n\ndata: x\n\n", &[("", "x")], false),
        ("event: named\nevent\ndata: x\n\n", &[("", "x")], false),
        ("\u{feff}data: x\n\n\u{feff}data: y\n\n", &[("", "x")], false),
        ("\u{feff}\n\ndata: x\n\n", &[("", "x")], false),
        (": ping\n\n:\n\ndata: x\n: ping\n\n", &[("", "x")], false),
        ("id: 7\nretry: 10\ndata: x\nDATA: y\ndatas: z\n data: z\n\n", &[("", "x")], false),
        ("data: x\n\ndata: cut", &[("", "x")], true),
        ("data: x\n\ndata: cut\n", &[("", "x")], true),
        ("data: नमस्ते: {\"a\":1}\n\nevent: cut\n", &[("", "नमस्ते: {\"a\":1}")], true),
    ];
    for (body, expected, within) in cases {
        let decoded = decode(100, [body.as_bytes()]);
        assert_eq!(decoded, Decoded { events: events(expected), within, failed: false }, "{body:?}");
        assert_eq!(by_the_book(body), events(expected), "{body:?}");
    }
}

#[test]
fn a_body_is_the_same_events_wherever_it_is_split() {
    let body =
        "\u{feff}event: é\r\ndata: नम\r\n: c\ndata:b\r\r\n\ndata: {\"x\":[1]}\n\nevent\rdata\r\rdata: cut".as_bytes();
    let whole = decode(100, [body]);
    assert_eq!(whole.events, events(&[("é", "नम\nb"), ("", "{\"x\":[1]}"), ("", "")]));
    for first in 0..=body.len() {
        for second in first..=body.len() {
            let chunks = [&body[..first], &body[first..second], &body[second..]];
            assert_eq!(decode(100, chunks), whole, "split at {first} and {second}");
        }
    }
    assert_eq!(decode(100, body.chunks(1)), whole);
}

#[test]
fn an_event_is_given_as_soon_as_it_is_whole() {
    let mut decoder = SseDecoder::new(100);
    decoder.push(Bytes::from_static(b"data: x\r\n\r"));
    assert_eq!(decoder.frame().expect("events").expect("an event").data, &"x");
    decoder.push(Bytes::from_static(b"\ndata: y\n\n"));
    assert_eq!(decoder.frame().expect("events").expect("an event").data, &"y");
}

#[test]
fn a_line_within_a_chunk_is_a_slice_of_it() {
    let chunk = Bytes::from(b"event: e\ndata: some words\n\n".to_vec());
    let mut decoder = SseDecoder::new(100);
    decoder.push(chunk.clone());
    let frame = decoder.frame().expect("events").expect("an event");
    assert_eq!(frame.data.as_ptr(), chunk[15..].as_ptr());
}

#[test]
fn what_was_not_taken_is_kept() {
    let mut decoder = SseDecoder::new(100);
    decoder.push(Bytes::from_static(b"data: x\n\ndata: y"));
    assert!(decoder.frame().expect("events").is_some());
    decoder.push(Bytes::from_static(b"z\n\n"));
    assert_eq!(decoder.frame().expect("events").expect("an event").data, &"yz");
}

#[test]
fn what_is_too_long_is_an_error_that_names_the_limit_and_the_end() {
    let long = [
        b"data: 1234567\n\n".as_slice(),
        b"data: 1234567",
        b": 3456789012345",
        b"data: 123456\ndata: 123456\n\n",
        b"data: 12345\ndata: 1\ndata: 123456\n\n",
    ];
    for body in long {
        assert!(decode(12, [body]).failed && decode(12, body.chunks(1)).failed, "{body:?}");
    }
    assert!(!decode(12, [b"data: 123456\n\ndata: 12345\ndata: 12345\n\n".as_slice()]).failed);
    let mut decoder = SseDecoder::new(12);
    decoder.push(Bytes::from_static(b"data: 1234567\n\ndata: x\n\n"));
    let error = decoder.frame().expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("limit of 12 bytes"), "{error}");
    decoder.push(Bytes::from_static(b"data: x\n\n"));
    assert!(decoder.frame().expect("nothing").is_none());
}

#[test]
fn text_that_is_no_utf8_is_an_error_and_comments_are_not_text() {
    assert!(decode(100, [b"data: \xff\n\n".as_slice()]).failed);
    assert!(decode(100, [b"event: \xff\ndata: x\n\n".as_slice()]).failed);
    assert_eq!(decode(100, [b": \xff\n\xff: x\ndata: x\n\n".as_slice()]).events, events(&[("", "x")]));
}

#[test]
fn no_debug_shows_what_was_read() {
    let mut decoder = SseDecoder::new(100);
    decoder.push(Bytes::from_static(b"data: secret\n\ndata: secret"));
    assert!(decoder.frame().expect("events").is_some());
    assert!(!format!("{decoder:?}").contains("secret"), "{decoder:?}");
}

/// Bodies made of what matters to the rules, so that most have events.
fn body() -> impl Strategy<Value = String> {
    let pieces = ["data", ":", " ", "\n", "\r", "\r\n", "\n\n", "event", "data: x", "id", "\u{feff}", "é", "x"];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_body_is_read_by_the_book(body in prop_oneof![body(), any::<String>()]) {
        let decoded = decode(usize::MAX, [body.as_bytes()]);
        prop_assert!(!decoded.failed);
        prop_assert_eq!(decoded.events, by_the_book(&body));
    }

    #[test]
    fn any_split_is_the_whole(
        body in prop_oneof![body().prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..80)],
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
        limit in 1_usize..40,
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
        prop_assert_eq!(decode(limit, chunks), decode(limit, [&body[..]]));
    }
}
