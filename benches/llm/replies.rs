//! A reply of 400 tokens, and a server that gives it on loopback.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Tokens of the reply.
pub(crate) const TOKENS: usize = 400;
/// Each token.
pub(crate) const TOKEN: &str = "word ";

/// Serves the reply to whoever asks, streamed or whole as asked for.
pub(crate) async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer(socket));
        }
    });
    address
}

/// Answers until the client goes away, which ends the reading or the writing.
async fn answer(mut socket: TcpStream) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let (whole, streamed) = (http("application/json", &whole_body()), http("text/event-stream", &streamed_body()));
    let mut received = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = socket.read(&mut chunk).await?;
        if count == 0 {
            return Ok(());
        }
        received.extend_from_slice(&chunk[..count]);
        let Some(head) = received.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let headers = String::from_utf8_lossy(&received[..head]).to_lowercase();
        let length = headers.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let end = head + 4 + length.unwrap_or(0_usize);
        if received.len() < end {
            continue;
        }
        let body: Value = serde_json::from_slice(&received[head + 4..end]).unwrap_or_default();
        received.drain(..end);
        let reply = if body["stream"] == true { &streamed } else { &whole };
        socket.write_all(reply.as_bytes()).await?;
    }
}

fn http(content_type: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn usage() -> Value {
    json!({"prompt_tokens": 10, "completion_tokens": TOKENS, "total_tokens": TOKENS + 10})
}

fn whole_body() -> String {
    let message = json!({"role": "assistant", "content": TOKEN.repeat(TOKENS), "refusal": null});
    let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"});
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-test", "choices": [choice],
        "usage": usage()})
    .to_string()
}

/// The reply as Chat Completions streams it.
pub(crate) fn streamed_body() -> String {
    let chunk = |choices: Value, usage: Option<Value>| {
        let mut chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
            "model": "gpt-test", "system_fingerprint": "fp", "choices": choices});
        if let Some(usage) = usage {
            chunk["usage"] = usage;
        }
        format!("data: {chunk}\n\n")
    };
    let choice = |delta: Value, finish: Value| {
        chunk(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]), None)
    };
    let mut body = choice(json!({"role": "assistant", "content": ""}), Value::Null);
    for _ in 0..TOKENS {
        body += &choice(json!({"content": TOKEN}), Value::Null);
    }
    body += &choice(json!({}), json!("stop"));
    body += &chunk(json!([]), Some(usage()));
    body += "data: [DONE]\n\n";
    body
}
