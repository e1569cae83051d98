//! The same call through each library.

use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::replies::{TOKEN, TOKENS};
use crate::{Failure, cpu};

/// What is compared. The second is the floor of a call that is not streamed.
pub(crate) const LIBRARIES: [&str; 6] =
    ["career-llm", "reqwest alone", "reqwest, borrowed serde", "async-openai", "genai", "rig"];

/// Whether one would use it instead of this library, rather than write it by hand.
pub(crate) fn is_peer(library: &str) -> bool {
    matches!(library, "async-openai" | "genai" | "rig")
}

/// Microseconds of CPU time of one call.
pub(crate) async fn measure(library: &str, mode: &str, port: u16, calls: usize) -> Result<f64, Failure> {
    let base = format!("http://127.0.0.1:{port}/v1");
    let streamed = mode == "stream";
    match library {
        "career-llm" => ours(&base, streamed, calls).await,
        "reqwest alone" => plain(&base, streamed, calls).await,
        "reqwest, borrowed serde" => borrowed(&base, streamed, calls).await,
        "async-openai" => async_openai(&base, streamed, calls).await,
        "genai" => genai(&base, streamed, calls).await,
        "rig" => rig(streamed, calls).await,
        other => Err(format!("no library is called {other}").into()),
    }
}

/// Calls again and again, and checks that all of the reply came each time.
async fn repeat(calls: usize, call: impl AsyncFn() -> Result<usize, Failure>) -> Result<f64, Failure> {
    for _ in 0..calls / 10 {
        call().await?;
    }
    let before = cpu::used()?;
    for _ in 0..calls {
        let bytes = call().await?;
        // One of them trims the space at the end.
        if bytes + 1 < TOKENS * TOKEN.len() {
            return Err(format!("expected a reply of {} bytes, got {bytes}", TOKENS * TOKEN.len()).into());
        }
    }
    Ok((cpu::used()? - before).as_secs_f64() * 1e6 / calls as f64)
}

async fn ours(base: &str, streamed: bool, calls: usize) -> Result<f64, Failure> {
    use career_llm::provider::{OPENAI, OpenAiCompatible};
    use career_llm::{ChatEvent, ChatModel, ChatModelExt, ChatRequest};

    let model = OpenAiCompatible::builder(&OPENAI).base_url(base).api_key("k").model("gpt-test").build()?;
    let request = ChatRequest::user("hi");
    repeat(calls, async || {
        if !streamed {
            return Ok(model.complete(&request).await?.text().len());
        }
        let mut bytes = 0;
        let mut stream = model.stream(&request).await?;
        while let Some(event) = stream.next().await {
            if let ChatEvent::Text(text) = event? {
                bytes += text.len();
            }
        }
        Ok(bytes)
    })
    .await
}

fn body(streamed: bool) -> Value {
    let mut body = json!({"model": "gpt-test", "messages": [{"role": "user", "content": "hi"}], "stream": streamed});
    if streamed {
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

/// What one writes by hand without a thought of speed.
async fn plain(base: &str, streamed: bool, calls: usize) -> Result<f64, Failure> {
    use eventsource_stream::Eventsource;

    let client = reqwest::Client::new();
    let url = format!("{base}/chat/completions");
    repeat(calls, async || {
        let response = client.post(&url).bearer_auth("k").json(&body(streamed)).send().await?;
        if !streamed {
            let reply: Value = response.json().await?;
            return Ok(reply["choices"][0]["message"]["content"].as_str().map_or(0, str::len));
        }
        let mut bytes = 0;
        let mut events = response.bytes_stream().eventsource();
        while let Some(event) = events.next().await {
            let event = event?;
            if event.data == "[DONE]" {
                break;
            }
            let chunk: Value = serde_json::from_str(&event.data)?;
            bytes += chunk["choices"][0]["delta"]["content"].as_str().map_or(0, str::len);
        }
        Ok(bytes)
    })
    .await
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Delta<'a>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<std::borrow::Cow<'a, str>>,
}

/// What one writes by hand for speed alone: no error is looked for, nothing but the text is read.
async fn borrowed(base: &str, streamed: bool, calls: usize) -> Result<f64, Failure> {
    let client = reqwest::Client::new();
    let url = format!("{base}/chat/completions");
    repeat(calls, async || {
        let mut response = client.post(&url).bearer_auth("k").json(&body(streamed)).send().await?;
        if !streamed {
            let reply: Value = serde_json::from_slice(&response.bytes().await?)?;
            return Ok(reply["choices"][0]["message"]["content"].as_str().map_or(0, str::len));
        }
        let mut bytes = 0;
        let mut received: Vec<u8> = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            received.extend_from_slice(&chunk);
            let mut at = 0;
            while let Some(end) = memchr::memchr(b'\n', &received[at..]) {
                let line = &received[at..at + end];
                at += end + 1;
                let Some(data) = line.strip_prefix(b"data: ").filter(|data| *data != b"[DONE]") else { continue };
                let chunk: Chunk<'_> = serde_json::from_slice(data)?;
                for text in chunk.choices.into_iter().filter_map(|choice| choice.delta.content) {
                    bytes += text.into_owned().len();
                }
            }
            received.drain(..at);
        }
        Ok(bytes)
    })
    .await
}

async fn async_openai(base: &str, streamed: bool, calls: usize) -> Result<f64, Failure> {
    use async_openai::Client;
    use async_openai::config::OpenAIConfig;
    use async_openai::types::chat::{
        ChatCompletionRequestMessage, ChatCompletionRequestUserMessage, CreateChatCompletionRequest,
    };

    let client = Client::with_config(OpenAIConfig::new().with_api_base(base).with_api_key("k"));
    repeat(calls, async || {
        let message: ChatCompletionRequestMessage = ChatCompletionRequestUserMessage::from("hi").into();
        let request =
            CreateChatCompletionRequest { model: "gpt-test".into(), messages: vec![message], ..Default::default() };
        if !streamed {
            let reply = client.chat().create(request).await?;
            return Ok(reply.choices[0].message.content.as_ref().map_or(0, String::len));
        }
        let mut bytes = 0;
        let mut stream = client.chat().create_stream(request).await?;
        while let Some(chunk) = stream.next().await {
            bytes += chunk?
                .choices
                .iter()
                .filter_map(|choice| choice.delta.content.as_ref())
                .map(String::len)
                .sum::<usize>();
        }
        Ok(bytes)
    })
    .await
}

async fn genai(base: &str, streamed: bool, calls: usize) -> Result<f64, Failure> {
    use genai::adapter::AdapterKind;
    use genai::chat::{ChatMessage, ChatRequest, ChatStreamEvent};
    use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
    use genai::{Client, ModelIden, ServiceTarget};

    let endpoint = format!("{base}/");
    let resolver = ServiceTargetResolver::from_resolver_fn(
        move |target: ServiceTarget| -> Result<ServiceTarget, genai::resolver::Error> {
            Ok(ServiceTarget {
                endpoint: Endpoint::from_owned(endpoint.clone()),
                auth: AuthData::from_single("k"),
                model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
            })
        },
    );
    let client = Client::builder().with_service_target_resolver(resolver).build()?;
    repeat(calls, async || {
        let request = ChatRequest::default().append_message(ChatMessage::user("hi"));
        if !streamed {
            let reply = client.exec_chat("gpt-test", request, None).await?;
            return Ok(reply.first_text().map_or(0, str::len));
        }
        let mut bytes = 0;
        let mut stream = client.exec_chat_stream("gpt-test", request, None).await?.stream;
        while let Some(event) = stream.next().await {
            if let ChatStreamEvent::Chunk(chunk) = event? {
                bytes += chunk.content.len();
            }
        }
        Ok(bytes)
    })
    .await
}

/// Reads its key and its address from the environment, where the parent process puts them.
async fn rig(streamed: bool, calls: usize) -> Result<f64, Failure> {
    use rig_core::completion::CompletionRequest;
    use rig_core::providers::openai::OpenAI;
    use rig_core::streaming::{Item, StreamEvent};

    let model = OpenAI::from_env()?.chat("gpt-test");
    repeat(calls, async || {
        if !streamed {
            return Ok(model.call(CompletionRequest::new("hi")).await?.text().len());
        }
        let mut bytes = 0;
        let mut stream = model.stream(CompletionRequest::new("hi"))?;
        while let Some(item) = stream.next().await {
            if let Item::Event(StreamEvent::Text { text, .. }) = item? {
                bytes += text.len();
            }
        }
        Ok(bytes)
    })
    .await
}
