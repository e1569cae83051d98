//! The transport against a server that sends the bytes it is told, whatever they are.

use std::net::SocketAddr;

use futures_util::StreamExt as _;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::echo::Echo;
use super::*;
use crate::provider::{Auth, Provider, Vendor};
use crate::{ChatEvent, ChatModel, ChatRequest, ModelId, Scope, Text, Timeout};

const ECHO: Vendor = Vendor {
    name: "echo",
    base_url: "",
    key_env: &["ECHO_KEY"],
    base_url_env: &["ECHO_URL"],
    model_env: &[],
    auth: Auth::Bearer,
    key_optional: false,
};

/// Reads one request: its head, and its body as long as the head says.
async fn request(socket: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    loop {
        let head = seen.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        let text = String::from_utf8_lossy(&seen).to_ascii_lowercase();
        let length = text.split_once("content-length: ").and_then(|(_, rest)| rest.split("\r\n").next()?.parse().ok());
        if head.is_some_and(|head| seen.len() >= head + length.unwrap_or(0)) {
            return String::from_utf8(seen).expect("UTF-8");
        }
        if socket.read_buf(&mut seen).await.expect("a request") == 0 {
            return String::new();
        }
    }
}

/// Serves each connection one answer of the bytes given, then closes it; gives the requests.
async fn serve(answers: Vec<String>) -> (SocketAddr, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let served = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            requests.push(request(&mut socket).await);
            socket.write_all(answer.as_bytes()).await.expect("room");
            socket.shutdown().await.expect("an open socket");
        }
        requests
    });
    (address, served)
}

fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn transport() -> Transport {
    Transport::configured(&Timeouts::default(), ClientBuilder::no_proxy).expect("a transport")
}

fn echo(address: SocketAddr) -> Provider<Echo> {
    let builder = Provider::over(Echo(Framing::Sse), &ECHO).model("m").api_key("hunter2").transport(transport());
    builder.base_url(format!("http://{address}/v1/")).build().expect("a provider")
}

/// Asks once a server that answers so.
async fn ask(answer: String, delivery: Delivery) -> (Result<Text>, String) {
    let (address, served) = serve(vec![answer]).await;
    let request = ChatRequest::user("hi").delivered(delivery);
    let reply = match echo(address).stream(&request).await {
        Ok(stream) => stream.collect().await.map(|reply| reply.text()),
        Err(error) => Err(error),
    };
    (reply, served.await.expect("no panic").remove(0))
}

async fn fails(answer: String, delivery: Delivery) -> Error {
    ask(answer, delivery).await.0.expect_err("a failure")
}

const STREAM: &str = "data: Bota\n\ndata: nist\n\ndata: [DONE]\n\n";

#[tokio::test]
async fn a_request_goes_out_with_its_headers_and_a_stream_comes_back() {
    let (reply, request) = ask(answer("200 OK\r\ncontent-type: text/event-stream", STREAM), Delivery::Streamed).await;
    assert_eq!(reply.expect("a reply"), "Botanist");
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    assert_eq!(body, r#"{"model":"m","say":"hi"}"#);
    let head = head.to_ascii_lowercase();
    let agent = concat!("user-agent: career-llm/", env!("CARGO_PKG_VERSION"));
    let accept = "accept: text/event-stream, application/json";
    for line in ["post /v1/echo?x=1 http/1.1", "authorization: bearer hunter2", "x-echo: 1", agent, accept] {
        assert!(head.lines().any(|found| found == line), "no `{line}` in {head}");
    }
    assert!(!head.contains("accept-encoding"), "{head}");
}

#[tokio::test]
async fn a_whole_reply_is_read_as_one() {
    let (reply, request) = ask(answer("200 OK\r\ncontent-type: application/json", "{}"), Delivery::Whole).await;
    assert_eq!(reply.expect("a reply"), "{}");
    assert!(request.to_ascii_lowercase().contains("accept: application/json\r\n"), "{request}");
}

#[tokio::test]
async fn json_in_place_of_a_stream_is_read_as_a_whole() {
    let json = || answer("200 OK\r\ncontent-type: application/json; charset=utf-8", "{}");
    assert_eq!(ask(json(), Delivery::Streamed).await.0.expect("a reply"), "{}");
    let error = fails(answer("200 OK\r\ncontent-type: application/json", "!"), Delivery::Streamed).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Overloaded, Some(200)));
}

#[tokio::test]
async fn a_page_is_no_reply() {
    let page = answer("200 OK\r\ncontent-type: text/html; charset=utf-8\r\nx-request-id: r-7", "<p>secret</p>");
    let error = fails(page, Delivery::Streamed).await;
    assert_eq!(
        error.to_string(),
        "echo/m: protocol violated (HTTP 200): an answer of the type text/html [request r-7]"
    );
}

#[tokio::test]
async fn a_refusal_is_told_with_all_that_the_provider_says_of_it() {
    let head = "429 Too Many Requests\r\nretry-after: 2.5\r\nrequest-id: req_9\r\ncf-ray: ray";
    let error = fails(answer(head, "slow down"), Delivery::Streamed).await;
    assert_eq!(error.to_string(), "echo/m: throttled (HTTP 429): echo [request req_9]");
    assert_eq!(error.provider_message().map(Text::as_str), Some("slow down"));
    assert_eq!(error.advice().after, Some(Duration::from_millis(2500)));
    assert_eq!(error.advice().scope, Scope::Here);
}

#[tokio::test]
async fn of_a_refusal_only_so_much_is_read_and_a_cut_one_still_counts() {
    let error = fails(answer("500 Oops", &"x".repeat(1 << 20)), Delivery::Streamed).await;
    assert_eq!(error.provider_message().map(|message| message.len()), Some(REFUSAL_MAX));
    let cut = "HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\nhalf".to_owned();
    let error = fails(cut, Delivery::Streamed).await;
    assert_eq!(error.provider_message().map(Text::as_str), Some("half"));
    assert_eq!(error.status(), Some(500));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (elsewhere, never) = serve(vec![String::new()]).await;
    let head = format!("307 Temporary Redirect\r\nlocation: http://{elsewhere}/");
    let error = fails(answer(&head, ""), Delivery::Streamed).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(307)));
    assert!(!never.is_finished());
    never.abort();
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_a_network_failure() {
    let type_ = "content-type: text/event-stream";
    let by_length = format!("HTTP/1.1 200 OK\r\n{type_}\r\ncontent-length: 999\r\n\r\ndata: a\n\n");
    let by_chunks = format!("HTTP/1.1 200 OK\r\n{type_}\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n");
    for cut in [by_length, by_chunks] {
        let error = fails(cut, Delivery::Streamed).await;
        assert_eq!((error.kind(), error.message()), (ErrorKind::Network, "the answer was cut short"));
    }
    let until_close = format!("HTTP/1.1 200 OK\r\n{type_}\r\n\r\ndata: a\n\n");
    assert_eq!(fails(until_close, Delivery::Streamed).await.kind(), ErrorKind::Protocol);
    let error = fails(String::new(), Delivery::Streamed).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Network, None));
}

#[tokio::test]
async fn no_connection_is_told_by_what_hinders_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let refused = echo(address).stream(&ChatRequest::user("hi")).await.expect_err("nobody listens");
    assert_eq!(refused.to_string(), "echo/m: network failure: the connection was refused");

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        socket.write_all(b"this is no TLS at all").await.expect("room");
        // Read what came, so that closing the socket is no reset.
        let _ = socket.read(&mut [0; 4096]).await;
    });
    let model = Provider::over(Echo(Framing::Sse), &ECHO).model("m").api_key("hunter2").transport(transport());
    let model = model.base_url(format!("https://{address}")).build().expect("a provider");
    let error = model.stream(&ChatRequest::user("hi")).await.expect_err("no TLS");
    served.await.expect("no panic");
    assert_eq!(error.to_string(), "echo/m: network failure: TLS was not agreed on");
    let shown = format!("{error:?} {error:#?} {refused:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("127.0.0.1"), "{shown}");
}

#[tokio::test]
async fn no_answer_in_time_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut model = echo(listener.local_addr().expect("an address"));
    let request = ChatRequest::user("hi").within(Duration::from_millis(20));
    let error = model.stream(&request).await.expect_err("nobody answers");
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Deadline));
    assert_eq!(error.model(), Some(&ModelId::new("echo", "m")));
    model = {
        let timeouts = Timeouts::default().with_first_content(Duration::from_millis(20));
        let builder = Provider::over(Echo(Framing::Sse), &ECHO).model("m").api_key("k").transport(transport());
        builder.timeouts(timeouts).base_url(model.base_url()).build().expect("a provider")
    };
    let error = model.stream(&ChatRequest::user("hi")).await.expect_err("nobody answers");
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::FirstContent));
}

#[tokio::test]
async fn a_connection_serves_again_when_a_stream_is_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        for _ in 0..3 {
            request(&mut socket).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
            let body = format!("{head}{:x}\r\n{STREAM}\r\n0\r\n\r\n", STREAM.len());
            socket.write_all(body.as_bytes()).await.expect("room");
        }
    });
    let model = echo(address);
    for _ in 0..3 {
        let mut stream = model.stream(&ChatRequest::user("hi")).await.expect("a stream");
        while let Some(event) = stream.next().await {
            if let ChatEvent::Started(started) = event.expect("an event") {
                assert_eq!(started.model, model.id());
            }
        }
        // The connection goes back to the others in its own time.
        tokio::task::yield_now().await;
    }
    served.await.expect("one connection served all");
}

#[tokio::test]
async fn anything_else_can_be_fetched_with_the_same_errors() {
    let (address, served) = serve(vec![answer("200 OK", "[1]"), answer("429 Slow\r\nretry-after: 1", "no")]).await;
    let mut endpoint = Endpoint::new(ModelId::new("echo", "e"), &format!("http://{address}")).expect("an endpoint");
    endpoint.header("x-api-key", &SecretString::from("hunter2")).expect("a header");
    let failure: Failure<'_> = &|status, _, _| Error::new(ErrorKind::Quota, status.to_string());
    let transport = transport();
    let body = transport.fetch(&endpoint, Encoded::new("/embed", "{}"), failure, None).await.expect("a body");
    assert_eq!(&*body, b"[1]");
    let error = transport.fetch(&endpoint, Encoded::new("/embed", "{}"), failure, None).await.expect_err("refused");
    assert_eq!((error.kind(), error.advice().after), (ErrorKind::Quota, Some(Duration::from_secs(1))));
    assert_eq!(error.model().map(ToString::to_string).as_deref(), Some("echo/e"));
    assert!(served.await.expect("no panic")[0].contains("x-api-key: hunter2"));
}
