//! HTTP/1.1 by hand: reads requests, does the steps of their answers.

use std::io;
use std::str;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Shared;
use super::answer::{Answer, Length, Step};
use super::received::Received;

/// Longest head of a request, in bytes.
const HEAD_MAX: usize = 64 * 1024;

/// Longest body of a request, in bytes.
const BODY_MAX: usize = 64 * 1024 * 1024;

/// Answers the requests of a connection until either side closes it.
pub(super) async fn serve(mut socket: TcpStream, shared: Arc<Shared>) {
    let mut buffer = BytesMut::new();
    // A client that goes away in the middle is part of every test of time limits: nobody need be told.
    while let Ok(Some(request)) = read(&mut socket, &mut buffer).await {
        let answer = shared.answer(request);
        match perform(&mut socket, &answer, &shared).await {
            Ok(true) => {}
            Ok(false) | Err(_) => break,
        }
    }
}

/// The next request; `None` when the client is done.
async fn read(socket: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<Option<Received>> {
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break buffer.split_to(end + 4);
        }
        if buffer.len() > HEAD_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a head too long"));
        }
        if socket.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let Some((mut request, length)) = parse(&head) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a request with a length"));
    };
    while buffer.len() < length {
        if socket.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    request.body = buffer.split_to(length).freeze();
    Ok(Some(request))
}

/// Line and headers of a request, and how long its body is. Chunked requests are not taken: nobody here sends any.
fn parse(head: &[u8]) -> Option<(Received, usize)> {
    let mut lines = str::from_utf8(head).ok()?.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    let length = match headers.get(http::header::CONTENT_LENGTH) {
        Some(length) => length.to_str().ok()?.parse().ok().filter(|length| *length <= BODY_MAX)?,
        None if headers.contains_key(http::header::TRANSFER_ENCODING) => return None,
        None => 0,
    };
    Some((Received { method, path, headers, body: Bytes::new() }, length))
}

/// Does the steps; whether another request may follow.
async fn perform(socket: &mut TcpStream, answer: &Answer, shared: &Shared) -> io::Result<bool> {
    for step in &answer.first {
        if !take(socket, step, false, shared).await? {
            return Ok(false);
        }
    }
    let chunked = answer.head.is_some() && answer.length == Length::Chunked;
    if let Some((status, headers)) = &answer.head {
        socket.write_all(head(*status, headers, answer).as_bytes()).await?;
    }
    for step in &answer.steps {
        if !take(socket, step, chunked, shared).await? {
            return Ok(false);
        }
    }
    if chunked {
        socket.write_all(b"0\r\n\r\n").await?;
    }
    let stays = answer.head.is_some() && answer.length != Length::UntilClose;
    if !stays {
        socket.shutdown().await?;
    }
    Ok(stays)
}

fn head(status: u16, headers: &[(String, String)], answer: &Answer) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason.unwrap_or("Unnamed"));
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&match answer.length {
        Length::Right => format!("content-length: {}\r\n\r\n", answer.body_bytes().len()),
        Length::Said(length) => format!("content-length: {length}\r\n\r\n"),
        Length::Chunked => "transfer-encoding: chunked\r\n\r\n".to_owned(),
        Length::UntilClose => "connection: close\r\n\r\n".to_owned(),
    });
    head
}

/// Does one step; whether the next one may follow.
async fn take(socket: &mut TcpStream, step: &Step, chunked: bool, shared: &Shared) -> io::Result<bool> {
    match step {
        Step::Send(bytes) => send(socket, bytes, chunked).await?,
        Step::Pause(time) => tokio::time::sleep(*time).await,
        Step::Repeat(bytes, every) => {
            while send(socket, bytes, chunked).await.is_ok() && !gone(socket, Some(*every)).await {}
            shared.count_hung_up();
            return Ok(false);
        }
        Step::Hang => {
            gone(socket, None).await;
            shared.count_hung_up();
            return Ok(false);
        }
        Step::Cut => {
            socket.shutdown().await?;
            return Ok(false);
        }
        Step::Reset => {
            socket.set_zero_linger()?;
            return Ok(false);
        }
    }
    Ok(true)
}

async fn send(socket: &mut TcpStream, bytes: &[u8], chunked: bool) -> io::Result<()> {
    match (chunked, bytes.is_empty()) {
        // An empty chunk is the end of the body.
        (_, true) => Ok(()),
        (false, false) => socket.write_all(bytes).await,
        (true, false) => {
            let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
            socket.write_all(&chunk).await
        }
    }
}

/// Waits until the client hung up, or at most so long; whether it did.
async fn gone(socket: &mut TcpStream, at_most: Option<std::time::Duration>) -> bool {
    let closed = async {
        let mut ignored = [0; 1024];
        // Whatever it still sends is not listened to.
        while !matches!(socket.read(&mut ignored).await, Ok(0) | Err(_)) {}
    };
    match at_most {
        None => {
            closed.await;
            true
        }
        Some(time) => tokio::time::timeout(time, closed).await.is_ok(),
    }
}
