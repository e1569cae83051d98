//! Language models: what the library adds to a call, a streamed reply and a chain of layers.
//!
//! `cargo bench -p career-benches --bench llm`. The libraries that one would use instead stand beside it in
//! `benches/peers`, where only the client's CPU time counts.

#[path = "llm/replies.rs"]
mod replies;
#[path = "shared/turns.rs"]
mod turns;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use career_llm::layer::{BreakerOptions, Budget, Budgeted, Fallback, Hedge, MemoryLedger, Period, Retry};
use career_llm::models::Cost;
use career_llm::provider::{OPENAI, OpenAiCompatible};
use career_llm::transport::Limits;
use career_llm::transport::sse::SseDecoder;
use career_llm::wire::completions::Completions;
use career_llm::wire::{Events, Wire};
use career_llm::{
    ChatEvent, ChatModel, ChatModelExt, ChatRequest, ChatStream, Delivery, Done, ModelId, Result, Started, StopReason,
    Usage,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::StreamExt;
use replies::{TOKEN, TOKENS, serve, streamed_body};
use tokio::runtime::Runtime;
use turns::alternately;

/// From the bytes of a stream to its events, without a network.
fn decoding(criterion: &mut Criterion) {
    let body = Bytes::from(streamed_body());
    let wire = Completions::new(OPENAI.vendor.name, OPENAI.quirks);
    let mut group = criterion.benchmark_group("decode a stream of 400 tokens");
    group.throughput(Throughput::Elements(TOKENS as u64));
    group.bench_function("frames alone", |bencher| {
        bencher.iter(|| {
            let mut frames = SseDecoder::new(Limits::default().frame);
            frames.push(body.clone());
            let mut count = 0;
            while let Some(frame) = frames.frame().expect("well formed") {
                black_box(frame);
                count += 1;
            }
            assert_eq!(count, TOKENS + 4);
        });
    });
    group.bench_function("frames and events", |bencher| {
        bencher.iter(|| {
            let mut frames = SseDecoder::new(Limits::default().frame);
            frames.push(body.clone());
            let (_, mut decode) = wire.decoder("gpt-test", Delivery::Streamed);
            let mut events = Events::new();
            while let Some(frame) = frames.frame().expect("well formed") {
                decode.frame(frame, &mut events).expect("well formed");
            }
            assert!(events.len() > TOKENS);
        });
    });
    group.finish();
}

/// One call over loopback, whole and streamed, beside the same bytes through reqwest alone.
fn calls(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let base = format!("http://{}/v1", runtime.block_on(serve()));
    let model = OpenAiCompatible::builder(&OPENAI).base_url(&base).api_key("k").model("gpt-test").build();
    let model = model.expect("configured");
    // With a limit of time, as anyone would set one: the timer costs microseconds on a runtime of several threads.
    let client = reqwest::Client::builder().timeout(Duration::from_secs(120)).build().expect("a client");
    let url = format!("{base}/chat/completions");
    let request = ChatRequest::user("hi");
    let ours =
        async || assert_eq!(model.complete(&request).await.expect("answered").text().len(), TOKEN.len() * TOKENS);
    let theirs = async || {
        let body = serde_json::json!({"model": "gpt-test", "messages": [{"role": "user", "content": "hi"}]});
        let response = client.post(&url).bearer_auth("k").json(&body).send().await.expect("answered");
        let reply: serde_json::Value = response.json().await.expect("JSON");
        assert_eq!(reply["choices"][0]["message"]["content"].as_str().map(str::len), Some(TOKEN.len() * TOKENS));
    };
    alternately(criterion, &runtime, "one call, whole", ("career-llm", ours), ("reqwest alone", theirs));
    let ours = async || {
        let mut stream = model.stream(&request).await.expect("answered");
        let mut bytes = 0;
        while let Some(event) = stream.next().await {
            if let ChatEvent::Text(text) = event.expect("whole") {
                bytes += text.len();
            }
        }
        assert_eq!(bytes, TOKEN.len() * TOKENS);
    };
    let theirs = async || {
        let body =
            serde_json::json!({"model": "gpt-test", "messages": [{"role": "user", "content": "hi"}], "stream": true});
        let mut response = client.post(&url).bearer_auth("k").json(&body).send().await.expect("answered");
        while let Some(chunk) = response.chunk().await.expect("whole") {
            black_box(chunk);
        }
    };
    let name = "one call, 400 tokens streamed";
    alternately(criterion, &runtime, name, ("career-llm", ours), ("reqwest alone, nothing decoded", theirs));
}

/// Answers at once, so that only the layers cost.
#[derive(Debug)]
struct AtOnce {
    pieces: usize,
}

#[async_trait]
impl ChatModel for AtOnce {
    async fn stream(&self, _request: &ChatRequest) -> Result<ChatStream> {
        let started = ChatEvent::Started(Box::new(Started::new(self.id())));
        let texts = std::iter::repeat_n(ChatEvent::Text("word ".into()), self.pieces);
        let done = ChatEvent::Done(Box::new(Done::new(StopReason::End)));
        Ok(ChatStream::from_events(std::iter::once(started).chain(texts).chain([done]).map(Ok)))
    }

    fn id(&self) -> ModelId {
        ModelId::new("bench", "at-once")
    }
}

/// A chain with a breaker, of a model that is hedged, retried and billed.
fn five_layers(model: AtOnce) -> impl ChatModel {
    let prices = |_: &ModelId, usage: &Usage| Some(Cost::from_nano_usd(usage.total()));
    let month = Budget::in_all(Period::Month, Cost::from_nano_usd(u64::MAX / 2));
    let billed = Budgeted::new(model, Arc::new(MemoryLedger::new()), prices).with_budget(month);
    Fallback::new().then(Hedge::new(Retry::new(billed))).with_breakers(BreakerOptions::default())
}

/// What a chain of five layers adds to a call.
fn layers(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let request = ChatRequest::user("hi").within(Duration::from_secs(3600));
    for (name, pieces, delivery) in
        [("a whole reply", 1, Delivery::Whole), ("400 pieces streamed", TOKENS, Delivery::Streamed)]
    {
        let request = request.clone().delivered(delivery);
        let bare = AtOnce { pieces };
        let five = five_layers(AtOnce { pieces });
        let ours = async || drop(five.stream(&request).await.expect("answered").collect().await.expect("whole"));
        let theirs = async || drop(bare.stream(&request).await.expect("answered").collect().await.expect("whole"));
        alternately(criterion, &runtime, &format!("five layers, {name}"), ("with", ours), ("without", theirs));
    }
}

criterion_group!(benches, decoding, calls, layers);
criterion_main!(benches);
