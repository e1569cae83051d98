//! A model of each wire against a server, and what is asked of it.

use std::time::Duration;

use career_llm::provider::ProviderBuilder;
use career_llm::provider::anthropic::Anthropic;
use career_llm::provider::gemini::Gemini;
use career_llm::provider::ollama::Ollama;
use career_llm::provider::openai::{GROQ, OpenAi, OpenAiCompatible};
use career_llm::testkit::server::{Answer, FaultServer, Protocol};
use career_llm::transport::{Limits, Timeouts, Transport};
use career_llm::wire::Wire;
use career_llm::{ChatEvent, ChatModel, ChatRequest, ChatResponse, Delivery, Error, Result};
use futures_util::StreamExt as _;

/// The key of every model here.
pub(crate) const KEY: &str = "key-5e67";

/// Both ways for a reply to arrive.
pub(crate) const DELIVERIES: [Delivery; 2] = [Delivery::Streamed, Delivery::Whole];

/// The protocols of server-sent events.
pub(crate) const SSE: [Protocol; 4] =
    [Protocol::Completions, Protocol::Responses, Protocol::Messages, Protocol::GenerateContent];

/// The name of the provider that speaks a protocol here.
pub(crate) fn provider(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Completions => "groq",
        Protocol::Responses => "openai",
        Protocol::Messages => "anthropic",
        Protocol::GenerateContent => "gemini",
        _ => "ollama",
    }
}

/// How long is waited by the tests in which nothing comes: long enough for a request to reach its server on a machine
/// that does much else.
pub(crate) const SHORT: Duration = Duration::from_millis(250);

/// Waits a short time for the first content, and then for long.
pub(crate) fn impatient() -> Timeouts {
    Timeouts::default().with_first_content(SHORT).with_whole(SHORT)
}

thread_local! {
    /// Whatever proxy the machine has, it is not asked about its own address. To read the system's certificates takes
    /// longer than most of these tests, so they share what has read them.
    static SHARED: Transport = transport(&Timeouts::default());
}

fn transport(timeouts: &Timeouts) -> Transport {
    Transport::configured(timeouts, reqwest::ClientBuilder::no_proxy).expect("a transport")
}

/// Does the same for every protocol, at the same time: most of it is waiting.
pub(crate) async fn each<F: Future<Output = ()>>(test: impl Fn(Protocol) -> F) {
    futures_util::future::join_all(Protocol::ALL.map(test)).await;
}

/// A model of this protocol at this address.
pub(crate) fn model(protocol: Protocol, url: &str) -> Box<dyn ChatModel> {
    configured(protocol, url, Timeouts::default(), Limits::default())
}

/// A model with limits of its own.
pub(crate) fn configured(protocol: Protocol, url: &str, timeouts: Timeouts, limits: Limits) -> Box<dyn ChatModel> {
    fn build<W: Wire>(
        builder: ProviderBuilder<W>,
        url: &str,
        timeouts: Timeouts,
        limits: Limits,
    ) -> Box<dyn ChatModel> {
        let transport = match timeouts.connect == Timeouts::default().connect {
            true => SHARED.with(Transport::clone),
            false => transport(&timeouts),
        };
        let builder = builder.model("test-model").api_key(KEY).base_url(url).timeouts(timeouts).limits(limits);
        let builder = builder.transport(transport);
        Box::new(builder.build().expect("a provider"))
    }
    match protocol {
        Protocol::Completions => build(OpenAiCompatible::builder(&GROQ), url, timeouts, limits),
        Protocol::Responses => build(OpenAi::builder(), url, timeouts, limits),
        Protocol::Messages => build(Anthropic::builder(), url, timeouts, limits),
        Protocol::GenerateContent => build(Gemini::builder(), url, timeouts, limits),
        _ => build(Ollama::builder(), url, timeouts, limits),
    }
}

/// A question for this delivery.
pub(crate) fn question(delivery: Delivery) -> ChatRequest {
    ChatRequest::user("Who studies plants?").delivered(delivery)
}

/// Asks a model and waits for all of it.
pub(crate) async fn ask(model: &dyn ChatModel, delivery: Delivery) -> Result<ChatResponse> {
    model.stream(&question(delivery)).await?.collect().await
}

/// What a model of this protocol makes of an answer.
pub(crate) async fn outcome(protocol: Protocol, answer: Answer, delivery: Delivery) -> Result<ChatResponse> {
    outcome_in(protocol, answer, delivery, Timeouts::default(), Limits::default()).await
}

/// What a model of this protocol makes of an answer, when it waits so long and takes so much.
pub(crate) async fn outcome_in(
    protocol: Protocol,
    answer: Answer,
    delivery: Delivery,
    timeouts: Timeouts,
    limits: Limits,
) -> Result<ChatResponse> {
    let server = FaultServer::start().await.expect("a server");
    server.then(answer);
    let result = ask(&*configured(protocol, &server.url(), timeouts, limits), delivery).await;
    // Nothing is asked twice behind the caller's back: that is for a layer.
    assert_eq!(server.requests().len(), 1, "{protocol:?}");
    result
}

/// The error that a model of this protocol makes of an answer.
pub(crate) async fn failure(protocol: Protocol, answer: Answer, delivery: Delivery) -> Error {
    match outcome(protocol, answer, delivery).await {
        Err(error) => error,
        Ok(reply) => panic!("{protocol:?} {delivery:?}: expected an error, found {reply:?}"),
    }
}

/// The words that came before the stream ended, and the error, if it ended so.
pub(crate) async fn heard(model: &dyn ChatModel) -> (String, Option<Error>) {
    let mut words = String::new();
    let mut stream = match model.stream(&question(Delivery::Streamed)).await {
        Ok(stream) => stream,
        Err(error) => return (words, Some(error)),
    };
    while let Some(event) = stream.next().await {
        match event {
            Ok(ChatEvent::Text(text)) => words.push_str(&text),
            Ok(_) => {}
            Err(error) => {
                assert!(stream.next().await.is_none(), "nothing comes after an error");
                return (words, Some(error));
            }
        }
    }
    (words, None)
}

/// What the provider wrote.
pub(crate) fn words(error: &Error) -> Option<&str> {
    error.provider_message().map(career_llm::Text::as_str)
}
