//! What the server was asked.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// A request as it came. `Debug` shows neither what is in the headers nor the body: there are the key and the prompt.
#[derive(Clone)]
#[non_exhaustive]
pub struct Received {
    /// Such as `POST`.
    pub method: String,
    /// The path with what follows it, such as `/v1/models/x:streamGenerateContent?alt=sse`.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Received {
    /// What a header says, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Whether the reply is wanted piece by piece, in any [`Protocol`](super::Protocol).
    pub fn wants_stream(&self) -> bool {
        if self.path.contains("enerateContent") {
            return self.path.contains(":streamGenerateContent");
        }
        // Ollama streams unless it is told not to; the others do the reverse.
        self.json()["stream"].as_bool().unwrap_or_else(|| self.path.ends_with("/api/chat"))
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.keys().map(http::HeaderName::as_str).collect();
        f.debug_struct("Received")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &names)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}
