//! Embedders that ask a server, against one that computes honest vectors and against ones that do not.

#![cfg(all(feature = "openai", feature = "gemini", feature = "ollama", feature = "testkit"))]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use career_llm::embed::{
    Embedder, EmbedderExt, GeminiEmbedder, HashedEmbedder, OllamaEmbedder, OpenAiEmbedder, Purpose,
};
use career_llm::provider::OPENAI;
use career_llm::testkit::embedder;
use career_llm::testkit::server::{Answer, FaultServer, Received};
use career_llm::{ErrorKind, Scope, Text};
use serde_json::{Value, json};

const DIMENSIONS: usize = 48;

fn vector(text: &Value) -> Vec<f32> {
    // Longer than 1, as Gemini's shortened ones are.
    let unit = HashedEmbedder::new(DIMENSIONS).expect("in range").vector(text.as_str().expect("a text"));
    unit.into_iter().map(|x| x * 3.0).collect()
}

/// Embeds whatever it is asked to, as each provider would; refuses empty texts and too many, as they do.
fn honest(request: &Received) -> Answer {
    let body = request.json();
    let texts: Vec<&Value> = match body["requests"].as_array() {
        Some(requests) => requests.iter().map(|request| &request["content"]["parts"][0]["text"]).collect(),
        None => body["input"].as_array().expect("texts").iter().collect(),
    };
    if texts.is_empty() || texts.len() > 256 || texts.iter().any(|text| text.as_str().is_none_or(str::is_empty)) {
        return Answer::json(400, &json!({"error": {"message": "bad input"}}));
    }
    let vectors: Vec<Vec<f32>> = texts.into_iter().map(vector).collect();
    if request.path.ends_with(":batchEmbedContents") {
        let values: Vec<Value> = vectors.iter().map(|values| json!({ "values": values })).collect();
        return Answer::json(200, &json!({ "embeddings": values }));
    }
    if request.path.ends_with("/api/embed") {
        return Answer::json(200, &json!({ "model": body["model"], "embeddings": vectors }));
    }
    let embedding = |vector: &Vec<f32>| match body["encoding_format"].as_str() {
        Some("base64") => {
            json!(STANDARD.encode(vector.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()))
        }
        _ => json!(vector),
    };
    // The last first: the order is told by the index.
    let data = vectors.iter().enumerate().rev();
    let data: Vec<Value> = data.map(|(at, vector)| json!({"index": at, "embedding": embedding(vector)})).collect();
    Answer::json(200, &json!({ "data": data }))
}

#[tokio::test]
async fn each_keeps_the_contract() {
    let server = FaultServer::answering(honest).await.expect("a port");
    let url = server.url();
    embedder::all(&HashedEmbedder::default()).await;
    let openai = OpenAiEmbedder::builder().api_key("k").base_url(&url).model("m").dimensions(DIMENSIONS).build();
    embedder::all(&openai.expect("configured")).await;
    let compatible =
        OpenAiEmbedder::compatible(&OPENAI.vendor).api_key("k").base_url(&url).model("m").dimensions(DIMENSIONS);
    embedder::all(&compatible.build().expect("configured")).await;
    let gemini = GeminiEmbedder::builder().api_key("k").base_url(&url).shortened_to(DIMENSIONS).build();
    embedder::all(&gemini.expect("configured")).await;
    let ollama = OllamaEmbedder::builder().base_url(&url).model("m").dimensions(DIMENSIONS).build();
    embedder::all(&ollama.expect("configured")).await;
    embedder::all(&std::sync::Arc::new(HashedEmbedder::default())).await;
}

#[tokio::test]
async fn what_is_asked_is_what_the_provider_documents() {
    let server = FaultServer::answering(honest).await.expect("a port");
    let openai = OpenAiEmbedder::builder().api_key("k").base_url(server.url()).shortened_to(DIMENSIONS).build();
    let openai = openai.expect("configured");
    openai.embed_one("nurse", Purpose::Query).await.expect("embedded");
    assert_eq!(openai.id().to_string(), format!("openai/text-embedding-3-small-{DIMENSIONS}"));
    let gemini = GeminiEmbedder::builder().api_key("k").base_url(server.url()).shortened_to(DIMENSIONS).build();
    let gemini = gemini.expect("configured");
    gemini.embed_one("nurse", Purpose::Query).await.expect("embedded");
    gemini.embed_one("nurse", Purpose::Document).await.expect("embedded");
    let asked = server.requests();
    assert_eq!(asked[0].path, "/embeddings");
    assert_eq!(
        asked[0].json(),
        json!({"model": "text-embedding-3-small", "input": ["nurse"], "dimensions": DIMENSIONS, "encoding_format": "base64"})
    );
    assert_eq!(asked[1].path, "/models/gemini-embedding-001:batchEmbedContents");
    assert_eq!(
        asked[1].json(),
        json!({"requests": [{"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "nurse"}]},
            "taskType": "RETRIEVAL_QUERY", "outputDimensionality": DIMENSIONS}]})
    );
    assert_eq!(asked[1].header("x-goog-api-key"), Some("k"));
    assert_eq!(asked[2].json()["requests"][0]["taskType"], "RETRIEVAL_DOCUMENT");
}

#[tokio::test]
async fn many_texts_go_out_in_as_many_requests_as_the_provider_takes() {
    let server = FaultServer::answering(honest).await.expect("a port");
    let gemini = GeminiEmbedder::builder().api_key("k").base_url(server.url()).shortened_to(DIMENSIONS).build();
    let texts: Vec<Text> = (0..250).map(|n| Text::from(format!("text {n}"))).collect();
    let vectors = gemini.expect("configured").embed(&texts, Purpose::Document).await.expect("embedded");
    assert_eq!(vectors.len(), 250);
    let counts: Vec<usize> = server
        .requests()
        .iter()
        .map(|request| request.json()["requests"].as_array().expect("requests").len())
        .collect();
    assert_eq!(counts, [100, 100, 50]);
}

#[tokio::test]
async fn long_texts_share_a_request_only_as_far_as_it_goes() {
    let server = FaultServer::answering(honest).await.expect("a port");
    let embedder = OllamaEmbedder::builder().base_url(server.url()).model("m").dimensions(DIMENSIONS).build();
    let texts = [90_000, 90_000, 90_000, 300_000, 2].map(|bytes| Text::from("a ".repeat(bytes / 2)));
    let vectors = embedder.expect("configured").embed(&texts, Purpose::Document).await.expect("embedded");
    assert_eq!(vectors.len(), 5);
    let counts = server.requests().into_iter().map(|request| request.json()["input"].as_array().map_or(0, Vec::len));
    assert_eq!(counts.collect::<Vec<_>>(), [2, 1, 1, 1]);
}

#[tokio::test]
async fn an_answer_that_breaks_the_contract_is_an_error_and_never_a_wrong_vector() {
    let answers = [
        (json!({"data": []}), "expected 1 vectors, found 0"),
        (json!({"data": [{"index": 0, "embedding": [1.0]}]}), "expected vectors of 3 numbers, found 1"),
        (json!({"data": [{"index": 1, "embedding": [1.0, 0.0, 0.0]}]}), "missing or comes twice"),
        (json!({"data": [{"index": 0, "embedding": [0.0, 0.0, 0.0]}]}), "without a direction"),
        (json!({"data": [{"index": 0, "embedding": "AAA="}]}), "broken numbers"),
        (json!({"data": [{"index": 0, "embedding": "?"}]}), "no base64"),
        (json!({"nothing": true}), "expected embeddings as JSON"),
    ];
    let server = FaultServer::start().await.expect("a port");
    let embedder = OpenAiEmbedder::builder().api_key("k").base_url(server.url()).model("m").dimensions(3).build();
    let embedder = embedder.expect("configured");
    for (answer, says) in answers {
        server.then(Answer::json(200, &answer));
        let error = embedder.embed_one("nurse", Purpose::Query).await.expect_err(says);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(error.model().map(ToString::to_string).as_deref(), Some("openai/m"));
    }
    server.then(Answer::json(429, &json!({"error": {"message": "slow down"}})).header("retry-after", "3"));
    let error = embedder.embed_one("nurse", Purpose::Query).await.expect_err("throttled");
    assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Throttled, Scope::Here));
    assert_eq!(error.advice().after.map(|after| after.as_secs()), Some(3));
    assert_eq!(error.provider_message().map(Text::as_str), Some("slow down"));
}

#[test]
fn what_is_missing_is_told_before_anything_is_sent() {
    let error = OpenAiEmbedder::builder().api_key("k").model("unknown").build().expect_err("no dimensions");
    assert!(error.to_string().contains("dimensions"), "{error}");
    let error = OpenAiEmbedder::builder().build().expect_err("no key");
    assert!(error.to_string().contains("OPENAI_API_KEY"), "{error}");
    let debug = format!("{:?}", OpenAiEmbedder::builder().api_key("sesame").build().expect("configured"));
    assert!(!debug.contains("sesame"), "{debug}");
}
