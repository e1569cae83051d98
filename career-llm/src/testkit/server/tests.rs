use std::io::ErrorKind as Io;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

async fn connect(server: &FaultServer) -> TcpStream {
    TcpStream::connect(server.address()).await.expect("it listens")
}

async fn post(socket: &mut TcpStream, path: &str, body: &str) {
    let request =
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nX-Api-Key: k\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    socket.write_all(request.as_bytes()).await.expect("sent");
}

/// All that comes until the server closes.
async fn rest(socket: &mut TcpStream) -> std::io::Result<String> {
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.map(|_| answer)
}

/// What a server answers to one request; it must close after it.
async fn ask(server: &FaultServer, path: &str, body: &str) -> String {
    let mut socket = connect(server).await;
    post(&mut socket, path, body).await;
    socket.shutdown().await.expect("half closed");
    rest(&mut socket).await.expect("an end")
}

#[tokio::test]
async fn answers_come_in_order_on_one_connection_and_requests_are_remembered() {
    let server = FaultServer::start().await.expect("a server");
    server.then(Answer::new(429).header("retry-after", "2").body("slow")).then(Answer::json(200, &json!({})));
    let mut socket = connect(&server).await;
    post(&mut socket, "/a", "{\"n\":1}").await;
    post(&mut socket, "/b", "").await;
    socket.shutdown().await.expect("half closed");
    let answers = rest(&mut socket).await.expect("an end");
    assert_eq!(
        answers,
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 2\r\ncontent-length: 4\r\n\r\nslow\
         HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    );
    let requests = server.requests();
    assert_eq!((requests[0].method.as_str(), requests[0].path.as_str(), requests.len()), ("POST", "/a", 2));
    assert_eq!(server.connections(), 1);
    assert_eq!((requests[0].header("x-api-key"), &requests[0].json()["n"]), (Some("k"), &json!(1)));
}

#[tokio::test]
async fn nothing_queued_is_said_aloud() {
    let server = FaultServer::start().await.expect("a server");
    assert!(ask(&server, "/", "").await.starts_with("HTTP/1.1 501 "));
}

#[tokio::test]
async fn a_length_is_told_as_it_was_asked_to_be() {
    let two = || Answer::new(200).body("ab").body("c");
    let server = FaultServer::start().await.expect("a server");
    server
        .then(two().length(Length::Said(9)))
        .then(two().length(Length::Chunked))
        .then(two().length(Length::UntilClose));
    assert!(ask(&server, "/", "").await.ends_with("content-length: 9\r\n\r\nabc"));
    assert!(ask(&server, "/", "").await.ends_with("chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"));
    assert!(ask(&server, "/", "").await.ends_with("connection: close\r\n\r\nabc"));
}

#[tokio::test]
async fn a_cut_ends_a_body_in_its_middle_and_tells_the_whole_length() {
    let server = FaultServer::start().await.expect("a server");
    server.then(Answer::new(200).body("abcdef").cut_after(2)).then(Answer::sse(["ab", "cd"]).cut_after(3));
    assert!(ask(&server, "/", "").await.ends_with("content-length: 6\r\n\r\nab"));
    assert!(ask(&server, "/", "").await.ends_with("\r\n\r\n3\r\nabc\r\n"));
}

#[tokio::test]
async fn a_reset_is_one() {
    let server = FaultServer::start().await.expect("a server");
    server.then(Answer::new(200).length(Length::Said(9)).step(Step::Reset));
    let mut socket = connect(&server).await;
    post(&mut socket, "/", "").await;
    assert_eq!(rest(&mut socket).await.map_err(|error| error.kind()), Err(Io::ConnectionReset));
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_goes_and_is_counted() {
    let server = FaultServer::start().await.expect("a server");
    server.then(Answer::hanging()).then(Answer::pinging(Duration::from_millis(1)));
    for path in ["/silent", "/pings"] {
        let mut socket = connect(&server).await;
        post(&mut socket, path, "").await;
        if path == "/pings" {
            let mut some = [0; 200];
            socket.read_exact(&mut some).await.expect("pings come");
        }
    }
    server.hung_up(2).await;
}

#[tokio::test]
async fn a_server_that_is_dropped_takes_its_connections_with_it() {
    let server = FaultServer::start().await.expect("a server");
    server.then(Answer::hanging());
    let mut socket = connect(&server).await;
    post(&mut socket, "/", "").await;
    drop(server);
    assert!(matches!(rest(&mut socket).await.as_deref(), Ok("") | Err(_)));
}

#[test]
fn a_request_tells_its_protocol_and_whether_it_wants_a_stream() {
    let request = |path: &str, body: &str| Received {
        method: "POST".into(),
        path: path.into(),
        headers: http::HeaderMap::new(),
        body: body.to_owned().into(),
    };
    let known = [
        ("/v1/chat/completions", r#"{"stream":true}"#, Protocol::Completions, true),
        ("/v1/responses", "{}", Protocol::Responses, false),
        ("/v1/messages", r#"{"stream":false}"#, Protocol::Messages, false),
        ("/v1beta/models/m:generateContent", "{}", Protocol::GenerateContent, false),
        ("/v1beta/models/m:streamGenerateContent?alt=sse", "{}", Protocol::GenerateContent, true),
        ("/api/chat", "{}", Protocol::Ollama, true),
        ("/api/chat", r#"{"stream":false}"#, Protocol::Ollama, false),
    ];
    for (path, body, protocol, streamed) in known {
        let request = request(path, body);
        assert_eq!((Protocol::of(&request), request.wants_stream()), (Some(protocol), streamed), "{path} {body}");
    }
    assert_eq!(Protocol::of(&request("/v1/embeddings", "")), None);
}

/// Which of a hundred requests get no whole reply.
async fn failures(share: f64, seed: u64) -> Vec<usize> {
    let server = FaultServer::with_failures(share, seed).await.expect("a server");
    let mut failed = Vec::new();
    for number in 0..100 {
        let answer = ask(&server, "/v1/chat/completions", "{}").await;
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
        let reply: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        if reply["choices"][0]["message"]["content"] != FaultServer::REPLY.concat() {
            failed.push(number);
        }
    }
    failed
}

#[tokio::test]
async fn failures_follow_from_the_seed_and_come_about_as_often_as_asked() {
    let (once, again, other) = (failures(0.3, 7).await, failures(0.3, 7).await, failures(0.3, 8).await);
    assert_eq!(once, again);
    assert_ne!(once, other);
    assert!((15..=45).contains(&once.len()), "{once:?}");
    assert_eq!((failures(0.0, 7).await.len(), failures(1.0, 7).await.len()), (0, 100));
}

#[test]
fn a_body_survives_being_cut_into_pieces() {
    let answer = Answer::openai_stream(&["नम", "स्ते"]);
    let whole = answer.body_bytes();
    for size in [1, 7, 100_000] {
        assert_eq!(answer.clone().in_pieces_of(size).body_bytes(), whole);
    }
}

#[test]
fn no_debug_shows_a_body_or_a_header() {
    let answer =
        Answer::new(200).header("x", "secret").body("secret").step(Step::Repeat("secret".into(), Duration::ZERO));
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", http::HeaderValue::from_static("secret"));
    let request = Received { method: "POST".into(), path: "/".into(), headers, body: "secret".into() };
    let shown = format!("{answer:?} {request:?}");
    assert!(!shown.contains("secret") && shown.contains("authorization"), "{shown}");
}
