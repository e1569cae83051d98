//! The same stream in every way that servers and proxies put it.

use bytes::Bytes;
use career_llm::testkit::server::{Answer, FaultServer, Length, Protocol};
use career_llm::transport::{Limits, Timeouts};
use career_llm::{Delivery, ErrorKind, Scope};

use super::cut::{TEXT, check, recorded};
use super::support::{SSE, ask, failure, model, outcome, outcome_in, words};

/// The recorded stream with LF alone at the ends of its lines.
fn plain(protocol: Protocol) -> String {
    std::str::from_utf8(recorded(protocol)).expect("UTF-8").replace("\r\n", "\n")
}

/// The data of every event on as many lines as can be: JSON may be broken wherever it has a comma outside of a string.
fn many_lines(stream: &str) -> String {
    let mut out = String::new();
    for line in stream.split_inclusive('\n') {
        let data = line.starts_with("data: {");
        let (mut quoted, mut escaped) = (false, false);
        for c in line.chars() {
            out.push(c);
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = !quoted,
                ',' if data && !quoted => out.push_str("\ndata: "),
                _ => {}
            }
        }
    }
    out
}

#[tokio::test]
async fn lines_may_end_and_be_put_in_any_way_that_the_standard_allows() {
    for protocol in SSE {
        let plain = plain(protocol);
        let ways = [
            ("LF", plain.clone()),
            ("CR LF", plain.replace('\n', "\r\n")),
            ("CR", plain.replace('\n', "\r")),
            ("byte order mark", format!("\u{feff}{plain}")),
            ("no space", plain.replace("data: ", "data:").replace("event: ", "event:")),
            ("comments", plain.replace("data: ", ": a comment: data\n:\ndata: ")),
            ("ids", plain.replace("data: ", "id: 7\nretry: 10\nunheard: of\ndata: ")),
            ("empty events", plain.replace("\n\n", "\n\n\n\n: ping\n\n")),
            ("many lines", many_lines(&plain)),
            ("many lines, CR LF", many_lines(&plain).replace('\n', "\r\n")),
        ];
        let server = FaultServer::start().await.expect("a server");
        let model = model(protocol, &server.url());
        for (way, stream) in ways {
            for size in [7, 100_000] {
                server.then(protocol.streamed([Bytes::from(stream.clone())]).in_pieces_of(size));
                let reply = ask(&*model, Delivery::Streamed).await;
                check(&reply.unwrap_or_else(|error| panic!("{protocol:?}, {way}, {size}: {error:?}")), protocol);
            }
        }
    }
}

#[tokio::test]
async fn lines_of_json_may_end_in_cr_lf_and_have_empty_ones_between() {
    let plain = plain(Protocol::Ollama);
    for stream in [plain.replace('\n', "\r\n"), plain.replace('\n', "\n\n \n"), plain.trim_end().to_owned()] {
        for size in [7, 100_000] {
            let answer = Answer::lines([Bytes::from(stream.clone())]).in_pieces_of(size);
            check(&outcome(Protocol::Ollama, answer, Delivery::Streamed).await.expect("a reply"), Protocol::Ollama);
        }
    }
}

#[tokio::test]
async fn a_character_may_come_in_several_packets() {
    for protocol in Protocol::ALL {
        let bytes = Bytes::from_static(recorded(protocol));
        let first = bytes.windows(3).position(|window| window == "न".as_bytes()).expect("it begins in Devanagari");
        let server = FaultServer::start().await.expect("a server");
        let model = model(protocol, &server.url());
        // In the middle of each of the first characters.
        for at in first..first + 6 {
            server.then(protocol.streamed([bytes.slice(..at), bytes.slice(at..)]));
            let reply = ask(&*model, Delivery::Streamed).await.expect("a reply");
            assert_eq!(reply.text(), TEXT, "{protocol:?} {at}");
        }
    }
}

#[tokio::test]
async fn what_is_no_utf8_is_refused_and_not_mended() {
    for protocol in Protocol::ALL {
        let good = recorded(protocol);
        let at = good.windows(3).position(|window| window == "न".as_bytes()).expect("it begins in Devanagari");
        for wrong in [&b"\xff"[..], b"\xe0\xa4", b"\xed\xa0\x80", b"\xc0\xaf"] {
            let stream = [&good[..at], wrong, &good[at + 3..]].concat();
            let error = failure(protocol, protocol.streamed([Bytes::from(stream)]), Delivery::Streamed).await;
            assert_eq!(
                (error.kind(), error.advice().scope),
                (ErrorKind::Protocol, Scope::Here),
                "{protocol:?}: {error:?}"
            );
        }
        let whole = String::from_utf8(protocol.whole("marked").body_bytes().to_vec()).expect("UTF-8");
        let at = whole.find("marked").expect("there");
        let body = [&whole.as_bytes()[..at], b"\xff", &whole.as_bytes()[at..]].concat();
        let answer = Answer::new(200).header("content-type", "application/json").body(body);
        let error = failure(protocol, answer, Delivery::Whole).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{protocol:?}");
    }
}

#[tokio::test]
async fn an_event_of_ten_megabytes_is_refused_unless_the_host_allows_it() {
    let long = "न".repeat(10 * 1024 * 1024 / 3);
    for protocol in Protocol::ALL {
        let answer = protocol.stream(&[&long, "!"]);
        let error = failure(protocol, answer.clone(), Delivery::Streamed).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{protocol:?}");
        assert!(error.message().contains("Limits::frame"), "{error}");
        let limits = Limits::default().with_frame(64 << 20);
        let reply =
            outcome_in(protocol, answer, Delivery::Streamed, Timeouts::default(), limits).await.expect("allowed");
        assert_eq!(reply.text().len(), long.len() + 1, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_whole_reply_has_a_limit_of_its_own() {
    let long = "न".repeat(100_000);
    for protocol in Protocol::ALL {
        let (small, enough) = (Limits::default().with_body(200_000), Limits::default().with_body(400_000));
        let reply = outcome_in(protocol, protocol.whole(&long), Delivery::Whole, Timeouts::default(), enough).await;
        assert_eq!(reply.expect("allowed").text().len(), long.len(), "{protocol:?}");
        // Where the length is told, and where it is not.
        let answers = [protocol.whole(&long), protocol.whole(&long).length(Length::UntilClose)];
        for answer in answers {
            let error = outcome_in(protocol, answer, Delivery::Whole, Timeouts::default(), small).await;
            let error = error.expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::Protocol, "{protocol:?}");
            assert!(error.message().contains("Limits::body"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_line_that_never_ends_is_refused_before_it_fills_the_memory() {
    for protocol in Protocol::ALL {
        let endless = protocol.streamed(std::iter::repeat_n(Bytes::from(vec![b'x'; 1 << 20]), 16));
        let error = failure(protocol, endless, Delivery::Streamed).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_refusal_without_end_is_not_read_to_its_end() {
    for protocol in Protocol::ALL {
        let pages = std::iter::repeat_n("busy ".repeat(100_000), 20);
        let answer = pages.fold(Answer::new(503), Answer::body);
        let error = failure(protocol, answer, Delivery::Streamed).await;
        assert_eq!(error.kind(), ErrorKind::Overloaded, "{protocol:?}");
        assert!(words(&error).is_none_or(|words| words.len() <= 4096), "{protocol:?}");
    }
}
