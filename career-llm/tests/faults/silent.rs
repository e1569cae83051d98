//! No `Debug`, no `Display` and no cause shows a key, a prompt or a reply.

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::time::Duration;

use bytes::Bytes;
use career_llm::provider::anthropic::Anthropic;
use career_llm::provider::gemini::Gemini;
use career_llm::provider::ollama::Ollama;
use career_llm::provider::openai::{GROQ, OpenAi, OpenAiCompatible};
use career_llm::provider::{ModelConfig, ProviderBuilder};
use career_llm::testkit::server::{Answer, Fault, FaultServer, Protocol};
use career_llm::transport::Limits;
use career_llm::transport::lines::LineDecoder;
use career_llm::transport::sse::SseDecoder;
use career_llm::wire::Wire;
use career_llm::{
    ChatEvent, ChatRequest, Collector, Delivery, Error, Image, ImageData, Message, Opaque, OutputSchema, Part, Role,
    Tool, ToolCall, ToolResult,
};
use futures_util::StreamExt as _;
use serde_json::json;

use super::support::{DELIVERIES, KEY, configured, impatient};

/// What a person writes, and what a model writes.
pub(crate) const PROMPT: &str = "prompt-5e67 नमस्ते";
pub(crate) const REPLY: &str = "reply-5e67 नमस्ते";

/// Everything that was shown, to be looked through at the end.
#[derive(Default)]
pub(crate) struct Shown(String);

impl Shown {
    pub(crate) fn debug(&mut self, thing: &impl Debug) {
        writeln!(self.0, "{thing:?}\n{thing:#?}").expect("a string takes everything");
    }

    /// An error and all that is behind it.
    fn error(&mut self, error: &Error) {
        self.debug(error);
        writeln!(self.0, "{error}").expect("a string takes everything");
        let mut next = error.source();
        while let Some(source) = next {
            writeln!(self.0, "{source} {source:?}").expect("a string takes everything");
            next = source.source();
        }
        self.debug(&career_core::Error::from(error.clone()));
    }

    #[track_caller]
    pub(crate) fn check(&self) {
        let secrets = [KEY.into(), "5e67".to_owned(), "नम".into(), "\\u{928}".into(), bytes_of("नम")];
        let lines = self.0.lines().filter(|line| secrets.iter().any(|secret| line.contains(secret)));
        let told: Vec<&str> = lines.take(5).collect();
        assert!(told.is_empty(), "{told:#?}");
    }
}

/// How the derived `Debug` of bytes would show a text.
fn bytes_of(text: &str) -> String {
    let bytes = format!("{:?}", text.as_bytes());
    bytes.trim_matches(['[', ']']).to_owned()
}

/// A request with the prompt wherever one can be.
pub(crate) fn request() -> ChatRequest {
    let call = ToolCall::new("call-1", "find_careers", json!({"field": PROMPT}).to_string());
    let picture =
        Image::Bytes { media_type: "image/png".into(), data: ImageData(Bytes::from_static(PROMPT.as_bytes())) };
    ChatRequest::user(PROMPT)
        .with_system(PROMPT)
        .with(Message::new(Role::User, vec![Part::Image(picture)]))
        .with(Message::new(
            Role::Assistant,
            vec![Part::ToolCall(call.clone()), Part::Opaque(Opaque::new("x", json!(PROMPT)))],
        ))
        .with(Message::tool_results([ToolResult::of(&call, PROMPT)]))
        .with_tool(Tool::new("find_careers", "Finds careers.", json!({"type": "object"})))
        .with_output(OutputSchema::new("plan", json!({"type": "object"})))
}

/// Asks, and shows all that comes.
pub(crate) async fn follow(shown: &mut Shown, model: &dyn career_llm::ChatModel, request: &ChatRequest) {
    let mut collector = Collector::new();
    match model.stream(request).await {
        Err(error) => shown.error(&error),
        Ok(mut stream) => {
            while let Some(event) = stream.next().await {
                shown.debug(&stream);
                match event {
                    Ok(event) => {
                        shown.debug(&event);
                        if let ChatEvent::Restarted(restarted) = &event {
                            shown.error(&restarted.because);
                        }
                        collector.push(event);
                        shown.debug(&collector);
                    }
                    Err(error) => shown.error(&error.with_partial(collector.text())),
                }
            }
            match collector.finish() {
                Ok(reply) => shown.debug(&reply),
                Err(error) => shown.error(&error),
            }
        }
    }
}

#[tokio::test]
async fn nothing_of_a_call_is_shown_whatever_becomes_of_it() {
    let mut shown = Shown::default();
    shown.debug(&request());
    // Not every protocol takes these.
    shown.debug(&request().with_stop(PROMPT));
    shown.debug(&Part::Image(Image::Url(PROMPT.into())));
    for protocol in Protocol::ALL {
        for delivery in DELIVERIES {
            let server = FaultServer::start().await.expect("a server");
            let model = configured(protocol, &server.url(), impatient(), Limits::default());
            shown.debug(&model);
            let good =
                if delivery == Delivery::Whole { protocol.whole(REPLY) } else { protocol.stream(&[REPLY, REPLY]) };
            let half = good.body_bytes().len() / 2;
            let quoting = format!("You said {PROMPT}, with {KEY}.");
            let mut answers = vec![
                good.clone(),
                good.clone().cut_after(half),
                good.clone().in_pieces_of(5),
                good.replace_header("content-type", "text/html"),
                protocol.error(200, "server_error", &quoting),
                protocol.error_in_stream(500, "server_error", &quoting),
                Answer::new(200).header("content-type", "application/json").body(quoting.clone()),
                Answer::new(200).header("content-type", "text/event-stream").body(format!("data: {quoting}\n\n")),
                Answer::new(200)
                    .header("content-type", "text/event-stream")
                    .body(format!("event: {quoting}\ndata: {{\n\n")),
                Answer::raw().body(quoting.clone()),
            ];
            for status in [400, 401, 429, 529] {
                answers.push(protocol.error(status, "invalid_request_error", &quoting));
                // A code that is a sentence, and a page.
                answers.push(protocol.error(status, &quoting, &quoting));
                answers.push(Answer::new(status).body(quoting.clone()));
            }
            for answer in answers {
                shown.debug(&answer);
                server.then(answer);
                follow(&mut shown, &*model, &request().delivered(delivery)).await;
            }
            server.requests().iter().for_each(|request| shown.debug(request));
            shown.debug(&server);
            shown.check();
            shown = Shown::default();
        }
    }
}

#[tokio::test]
async fn nothing_of_any_injected_fault_is_shown() {
    let mut shown = Shown::default();
    for protocol in Protocol::ALL {
        for fault in Fault::ALL {
            let server =
                FaultServer::answering(move |request| fault.answer(request, &[REPLY])).await.expect("a server");
            let model = configured(protocol, &server.url(), impatient(), Limits::default());
            for delivery in DELIVERIES {
                follow(&mut shown, &*model, &request().delivered(delivery)).await;
            }
        }
    }
    let late = request().within(Duration::ZERO);
    follow(&mut shown, &*configured(Protocol::ALL[0], "http://127.0.0.1:1", impatient(), Limits::default()), &late)
        .await;
    shown.check();
}

#[test]
fn nothing_of_how_a_model_is_configured_is_shown() {
    fn show<W: Wire + Clone>(shown: &mut Shown, builder: ProviderBuilder<W>) {
        let builder = builder.model("test-model").api_key(KEY).header("x-other", KEY).base_url("http://127.0.0.1:1");
        shown.debug(&builder);
        let model = builder.build().expect("a provider");
        shown.debug(&model);
        shown.debug(&model.clone());
    }
    let mut shown = Shown::default();
    show(&mut shown, OpenAiCompatible::builder(&GROQ));
    show(&mut shown, OpenAi::builder());
    show(&mut shown, Anthropic::builder());
    show(&mut shown, Gemini::builder());
    show(&mut shown, Ollama::builder());
    let config = json!({"provider": "groq", "model": "test-model", "api_key": KEY, "headers": {"x-other": KEY}});
    let config: ModelConfig = serde_json::from_value(config).expect("a configuration");
    shown.debug(&config);
    shown.0.push_str(&serde_json::to_string(&config).expect("JSON"));
    // A key that cannot be sent, a variable that is none.
    for wrong in [format!("{KEY}\n"), format!("{KEY} नमस्ते")] {
        shown.error(&OpenAi::builder().model("test-model").api_key(wrong).build().expect_err("no header"));
    }
    for url in [format!("http://user:{KEY}@localhost"), format!("http://localhost?key={KEY}"), format!("{KEY} नमस्ते")]
    {
        let wrong = OpenAi::builder().model("test-model").api_key(KEY).base_url(url).build();
        shown.error(&wrong.expect_err("no address"));
    }
    shown.check();
}

#[test]
fn nothing_that_waits_in_a_decoder_is_shown() {
    let mut shown = Shown::default();
    for protocol in Protocol::ALL {
        for delivery in DELIVERIES {
            let encoded = super::cut::encode(protocol, &request().delivered(delivery)).expect("a body");
            shown.debug(&encoded);
        }
        let mut decode = super::cut::decoder(protocol, Delivery::Streamed).1;
        let mut events = career_llm::wire::Events::new();
        let (mut sse, mut lines) = (SseDecoder::new(1 << 20), LineDecoder::new(1 << 20));
        for frame in protocol.frames(&[REPLY, REPLY]) {
            let (half, rest) = frame.split_at(frame.len() / 2);
            for bytes in [half, rest] {
                if protocol == Protocol::Ollama {
                    lines.push(Bytes::copy_from_slice(bytes));
                    while let Some(frame) = lines.frame().expect("a line") {
                        shown.debug(&frame);
                        decode.frame(frame, &mut events).expect("an event");
                    }
                } else {
                    sse.push(Bytes::copy_from_slice(bytes));
                    while let Some(frame) = sse.frame().expect("an event") {
                        shown.debug(&frame);
                        decode.frame(frame, &mut events).expect("an event");
                    }
                }
                shown.debug(&(&sse, &lines, &decode, &events));
            }
        }
    }
    shown.check();
}
