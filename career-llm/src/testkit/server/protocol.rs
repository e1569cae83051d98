//! Good answers, and refusals, in the protocol of each provider.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Answer, Received};

/// The name of the model that answers.
const MODEL: &str = "test-model";

/// Tokens of every request, as these answers count them. Each piece of a reply is a token.
const INPUT_TOKENS: u64 = 9;

/// A protocol that the server can answer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// OpenAI Chat Completions, and what is compatible with it.
    Completions,
    /// OpenAI Responses.
    Responses,
    /// Anthropic Messages.
    Messages,
    /// Gemini.
    GenerateContent,
    /// Ollama's own.
    Ollama,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Protocol; 5] =
        [Protocol::Completions, Protocol::Responses, Protocol::Messages, Protocol::GenerateContent, Protocol::Ollama];

    /// The protocol of a request, by its path.
    pub fn of(request: &Received) -> Option<Self> {
        let path = request.path.split('?').next().unwrap_or_default();
        match path {
            _ if path.ends_with("/chat/completions") => Some(Protocol::Completions),
            _ if path.ends_with("/responses") => Some(Protocol::Responses),
            _ if path.ends_with("/messages") => Some(Protocol::Messages),
            _ if path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent") => {
                Some(Protocol::GenerateContent)
            }
            _ if path.ends_with("/api/chat") => Some(Protocol::Ollama),
            _ => None,
        }
    }

    /// These pieces as the request wants them, streamed or whole; 404 where its protocol is not known.
    pub fn answer_to(request: &Received, pieces: &[&str]) -> Answer {
        match Protocol::of(request) {
            Some(protocol) if request.wants_stream() => protocol.stream(pieces),
            Some(protocol) => protocol.whole(&pieces.concat()),
            None => Answer::new(404),
        }
    }

    /// These pieces as a stream.
    pub fn stream(self, pieces: &[&str]) -> Answer {
        self.streamed(self.frames(pieces))
    }

    /// Events, as [`frames`](Protocol::frames) gives them, as a stream.
    pub fn streamed(self, frames: impl IntoIterator<Item = Bytes>) -> Answer {
        match self {
            Protocol::Ollama => Answer::lines(frames),
            _ => self.identified(Answer::sse(frames)),
        }
    }

    /// A stream whose first event is an error.
    pub fn error_in_stream(self, status: u16, code: &str, message: &str) -> Answer {
        self.streamed([self.error_frame(status, code, message)])
    }

    /// A refusal in the shape of this protocol: its code where it has one, and its words.
    pub fn error(self, status: u16, code: &str, message: &str) -> Answer {
        self.identified(Answer::error(status, &self.error_body(status, code, message)))
    }

    /// The body of a refusal in the shape of this protocol.
    pub fn error_body(self, status: u16, code: &str, message: &str) -> Value {
        match self {
            Protocol::Completions | Protocol::Responses => {
                let class = match status {
                    429 => "requests",
                    400..=499 => "invalid_request_error",
                    _ => "server_error",
                };
                json!({"error": {"message": message, "type": class, "param": null, "code": code}})
            }
            Protocol::Messages => {
                json!({"type": "error", "error": {"type": code, "message": message}, "request_id": "req-1"})
            }
            Protocol::GenerateContent => json!({"error": {"code": status, "message": message, "status": code}}),
            Protocol::Ollama => json!({"error": message}),
        }
    }

    /// An error as an event of a stream, of the status that it would have had before the stream began.
    pub fn error_frame(self, status: u16, code: &str, message: &str) -> Bytes {
        let body = self.error_body(status, code, message);
        match self {
            Protocol::Responses => {
                let flat = json!({"type": "error", "code": code, "message": message, "param": null});
                event("error", &flat)
            }
            Protocol::Messages => event("error", &body),
            Protocol::Completions => data(&body),
            Protocol::GenerateContent => data_crlf(&body),
            Protocol::Ollama => line(&body),
        }
    }

    /// Status, headers and body of a whole reply.
    pub fn whole(self, text: &str) -> Answer {
        let body = match self {
            Protocol::Completions => json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1_767_225_600, "model": MODEL,
                "choices": [{
                    "index": 0, "message": {"role": "assistant", "content": text, "refusal": null},
                    "logprobs": null, "finish_reason": "stop",
                }],
                "usage": {"prompt_tokens": INPUT_TOKENS, "completion_tokens": 1, "total_tokens": INPUT_TOKENS + 1},
            }),
            Protocol::Responses => response("completed", Some((text, 1))),
            Protocol::Messages => json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": MODEL,
                "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn", "stop_sequence": null,
                "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": 1},
            }),
            Protocol::GenerateContent => candidate(text, 1, Some("STOP")),
            Protocol::Ollama => chat_line(text, Some(1)),
        };
        self.identified(Answer::json(200, &body))
    }

    /// These pieces as events of a stream, the closing ones too: each a server-sent event, or a line.
    pub fn frames(self, pieces: &[&str]) -> Vec<Bytes> {
        match self {
            Protocol::Completions => completions(pieces),
            Protocol::Responses => responses(pieces),
            Protocol::Messages => messages(pieces),
            Protocol::GenerateContent => generate_content(pieces),
            Protocol::Ollama => ollama(pieces),
        }
    }

    /// With the id of the request in the header that the provider uses.
    fn identified(self, answer: Answer) -> Answer {
        match self {
            Protocol::Completions | Protocol::Responses => answer.header("x-request-id", "req-1"),
            Protocol::Messages => answer.header("request-id", "req-1"),
            Protocol::GenerateContent | Protocol::Ollama => answer,
        }
    }
}

fn data(value: &Value) -> Bytes {
    format!("data: {value}\n\n").into()
}

/// As Gemini ends its lines.
fn data_crlf(value: &Value) -> Bytes {
    format!("data: {value}\r\n\r\n").into()
}

fn event(name: &str, value: &Value) -> Bytes {
    format!("event: {name}\ndata: {value}\n\n").into()
}

/// An event whose name is its type.
fn typed(value: &Value) -> Bytes {
    event(value["type"].as_str().unwrap_or_default(), value)
}

fn line(value: &Value) -> Bytes {
    format!("{value}\n").into()
}

fn completions(pieces: &[&str]) -> Vec<Bytes> {
    let chunk = |choices: &Value, usage: &Value| {
        data(&json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_767_225_600, "model": MODEL,
            "choices": choices, "usage": usage,
        }))
    };
    let choice = |delta: Value, finish: Value| json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
    let mut frames = vec![chunk(&choice(json!({"role": "assistant", "content": ""}), Value::Null), &Value::Null)];
    frames.extend(pieces.iter().map(|piece| chunk(&choice(json!({"content": piece}), Value::Null), &Value::Null)));
    frames.push(chunk(&choice(json!({}), json!("stop")), &Value::Null));
    let output = pieces.len() as u64;
    let usage = json!({
        "prompt_tokens": INPUT_TOKENS, "completion_tokens": output, "total_tokens": INPUT_TOKENS + output,
    });
    frames.push(chunk(&json!([]), &usage));
    frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
    frames
}

/// A response object of this status, with the text and how many tokens it is if it is whole.
fn response(status: &str, said: Option<(&str, u64)>) -> Value {
    let output = said.map(|(text, _)| message(text, "completed"));
    let usage = said.map(|(_, tokens)| {
        json!({
            "input_tokens": INPUT_TOKENS, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": tokens, "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": INPUT_TOKENS + tokens,
        })
    });
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_767_225_600, "status": status, "model": MODEL,
        "error": null, "incomplete_details": null, "output": Vec::from_iter(output), "usage": usage,
    })
}

fn message(text: &str, status: &str) -> Value {
    let content = if status == "completed" { json!([output_text(text)]) } else { json!([]) };
    json!({"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content})
}

fn output_text(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn responses(pieces: &[&str]) -> Vec<Bytes> {
    let text = pieces.concat();
    let at = |kind: &str, field: &str, value: Value| json!({"type": kind, "item_id": "msg_1", "output_index": 0, "content_index": 0, field: value});
    let item = |kind: &str, item: Value| json!({"type": kind, "output_index": 0, "item": item});
    let mut events = vec![
        json!({"type": "response.created", "response": response("in_progress", None)}),
        json!({"type": "response.in_progress", "response": response("in_progress", None)}),
        item("response.output_item.added", message("", "in_progress")),
        at("response.content_part.added", "part", output_text("")),
    ];
    events.extend(pieces.iter().map(|piece| at("response.output_text.delta", "delta", json!(piece))));
    events.push(at("response.output_text.done", "text", json!(text)));
    events.push(at("response.content_part.done", "part", output_text(&text)));
    events.push(item("response.output_item.done", message(&text, "completed")));
    let whole = response("completed", Some((&text, pieces.len() as u64)));
    events.push(json!({"type": "response.completed", "response": whole}));
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
    }
    events.iter().map(typed).collect()
}

fn messages(pieces: &[&str]) -> Vec<Bytes> {
    let begun = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": 1},
    });
    let mut events = vec![
        json!({"type": "message_start", "message": begun}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "ping"}),
    ];
    events.extend(pieces.iter().map(
        |piece| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}),
    ));
    events.push(json!({"type": "content_block_stop", "index": 0}));
    events.push(json!({
        "type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
        "usage": {"output_tokens": pieces.len()},
    }));
    events.push(json!({"type": "message_stop"}));
    events.iter().map(typed).collect()
}

fn candidate(text: &str, tokens: u64, finish: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"parts": [{"text": text}], "role": "model"}, "index": 0});
    if let Some(reason) = finish {
        candidate["finishReason"] = json!(reason);
    }
    json!({
        "candidates": [candidate], "modelVersion": MODEL, "responseId": "resp-1",
        "usageMetadata": {
            "promptTokenCount": INPUT_TOKENS, "candidatesTokenCount": tokens, "totalTokenCount": INPUT_TOKENS + tokens,
        },
    })
}

fn generate_content(pieces: &[&str]) -> Vec<Bytes> {
    let mut frames: Vec<Bytes> =
        (1..).zip(pieces).map(|(tokens, piece)| data_crlf(&candidate(piece, tokens, None))).collect();
    frames.push(data_crlf(&candidate("", pieces.len() as u64, Some("STOP"))));
    frames
}

/// A line of Ollama; the last one has how many tokens were said.
fn chat_line(text: &str, done: Option<u64>) -> Value {
    let mut line = json!({
        "model": MODEL, "created_at": "2026-01-01T00:00:00.000000Z",
        "message": {"role": "assistant", "content": text}, "done": done.is_some(),
    });
    if let Some(tokens) = done {
        line["done_reason"] = json!("stop");
        line["total_duration"] = json!(2_000_000);
        line["prompt_eval_count"] = json!(INPUT_TOKENS);
        line["eval_count"] = json!(tokens);
    }
    line
}

fn ollama(pieces: &[&str]) -> Vec<Bytes> {
    let mut frames: Vec<Bytes> = pieces.iter().map(|piece| line(&chat_line(piece, None))).collect();
    frames.push(line(&chat_line("", Some(pieces.len() as u64))));
    frames
}
