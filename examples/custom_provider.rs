//! A provider of one's own: a protocol that the library does not know, behind the port that everything else uses.
//!
//! `cargo run --release --example custom_provider`. The made-up service takes `{"prompt": …}` at `/say` and streams lines
//! of JSON: `{"word": …}` for each word, `{"end": true, "words": n}` at the end, `{"trouble": …}` when something is
//! wrong. A wire says how to ask and how to read; connections, limits of time, cut streams and keys are the library's.
//! A server that plays the service is started, so nothing else is needed.

use career_llm::provider::{Auth, Provider, Vendor};
use career_llm::testkit::server::{Answer, FaultServer};
use career_llm::wire::{Decode, Encoded, Events, Frame, Framing, Wire, status_kind};
use career_llm::{
    ChatEvent, ChatModelExt, ChatRequest, Delivery, Done, Error, ErrorKind, ModelId, Result, Started, StopReason, Text,
    Usage,
};
use serde::Deserialize;

/// Who it is, where it is, and how it wants its key.
const WORDSMITH: Vendor = Vendor {
    name: "wordsmith",
    base_url: "https://wordsmith.example/v1",
    key_env: &["WORDSMITH_API_KEY"],
    base_url_env: &["WORDSMITH_BASE_URL"],
    model_env: &["WORDSMITH_MODEL"],
    auth: Auth::Header("x-wordsmith-key"),
    key_optional: false,
};

/// How it is asked, and how its answers are read.
#[derive(Debug, Clone)]
struct Say;

/// One line of an answer.
#[derive(Debug, Deserialize)]
struct Line {
    word: Option<Text>,
    #[serde(default)]
    end: bool,
    words: Option<u64>,
    trouble: Option<String>,
}

#[derive(Debug)]
struct Reading {
    model: ModelId,
    started: bool,
}

impl Wire for Say {
    fn encode(&self, request: &ChatRequest, _model: &str) -> Result<Encoded> {
        if !request.tools.is_empty() {
            return Err(Error::new(ErrorKind::Unsupported, "this service knows no tools"));
        }
        let mut prompt = request.system.clone().unwrap_or_default().to_string();
        for message in &request.messages {
            prompt.push('\n');
            prompt.push_str(&message.text());
        }
        Ok(Encoded::new("/say", serde_json::json!({ "prompt": prompt }).to_string()))
    }

    fn decoder(&self, model: &str, _delivery: Delivery) -> (Framing, Box<dyn Decode>) {
        // It always streams; what asks for a whole reply waits for the end.
        (Framing::Lines, Box::new(Reading { model: ModelId::new(WORDSMITH.name, model), started: false }))
    }

    fn failure(&self, status: http::StatusCode, _headers: &http::HeaderMap, body: &[u8]) -> Error {
        let error = Error::new(status_kind(status), "");
        match serde_json::from_slice(body) {
            Ok(Line { trouble: Some(trouble), .. }) => error.with_provider_message(trouble),
            _ => error,
        }
    }
}

impl Decode for Reading {
    fn frame(&mut self, frame: Frame<'_>, events: &mut Events) -> Result<()> {
        let line: Line = serde_json::from_str(frame.data)
            .map_err(|error| Error::protocol(format!("a line that is none, at column {}", error.column())))?;
        if let Some(trouble) = line.trouble {
            return Err(Error::new(ErrorKind::Overloaded, "").with_provider_message(trouble));
        }
        if !std::mem::replace(&mut self.started, true) {
            events.push_back(ChatEvent::Started(Box::new(Started::new(self.model.clone()))));
        }
        events.extend(line.word.map(ChatEvent::Text));
        if line.end {
            let done = Done::new(StopReason::End);
            let done = line.words.map_or(done.clone(), |words| done.with_usage(Usage::new(0, words)));
            events.push_back(ChatEvent::Done(Box::new(done)));
        }
        Ok(())
    }

    fn end(&mut self, _events: &mut Events) -> Result<()> {
        Err(Error::protocol("the stream was cut short"))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let service = FaultServer::start().await?;
    service
        .then(Answer::lines(["{\"word\": \"A bota\"}\n", "{\"word\": \"nist.\"}\n", "{\"end\": true, \"words\": 2}\n"]))
        .then(Answer::lines(["{\"word\": \"A bota\"}\n"]))
        .then(Answer::lines(["{\"word\": \"A\"}\n", "{\"trouble\": \"out of ink\"}\n"]))
        .then(Answer::new(401).body("{\"trouble\": \"who are you?\"}"));

    let model = Provider::over(Say, &WORDSMITH).model("quill-2").api_key("a key").base_url(service.url()).build()?;
    println!("{model:?}"); // shows no key
    let question = ChatRequest::user("Who studies plants?");
    for what in ["well", "cut short", "an error in the stream", "refused"] {
        match model.complete(&question).await {
            Ok(reply) => println!("{what}: {} ({:?})", reply.text(), reply.usage),
            Err(error) => println!("{what}: {error} | {:?}", error.provider_message().map(Text::as_str)),
        }
    }
    Ok(())
}
