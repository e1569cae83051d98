//! A chain of three providers on a server that fails 30 % of the requests: 10,000 calls over real connections.

#![cfg(all(feature = "openai", feature = "anthropic", feature = "gemini", feature = "testkit"))]

use std::sync::Arc;
use std::time::Duration;

use career_llm::layer::{Backoff, Fallback};
use career_llm::provider::{Anthropic, GROQ, Gemini, OpenAiCompatible};
use career_llm::testkit::server::FaultServer;
use career_llm::transport::{Timeouts, Transport};
use career_llm::{ChatModel, ChatRequest, ChatResponse, Delivery, Error, ErrorKind, StopReason};
use tokio::task::JoinSet;

const CALLS: usize = 10_000;
/// At once: enough to meet each other, few enough for a small machine.
const AT_ONCE: usize = 50;
/// Far more than any call needs; a hung request is given up long before.
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Count {
    answered: usize,
    after_failures: usize,
    no_route: usize,
    interrupted: usize,
}

fn chain(server: &FaultServer) -> Fallback {
    // A server that hangs is given up soon; one that is only slow on a busy machine is not.
    let patience = Timeouts::default()
        .with_first_content(Duration::from_secs(2))
        .with_idle(Duration::from_secs(2))
        .with_whole(Duration::from_secs(2));
    let transport = Transport::configured(&patience, reqwest::ClientBuilder::no_proxy).expect("a transport");
    let (url, key) = (server.url(), "a key");
    let gemini = Gemini::builder().model("m").base_url(&url).api_key(key).timeouts(patience);
    let groq = OpenAiCompatible::builder(&GROQ).model("m").base_url(&url).api_key(key).timeouts(patience);
    let anthropic = Anthropic::builder().model("m").base_url(&url).api_key(key).timeouts(patience);
    Fallback::new()
        .then(gemini.transport(transport.clone()).build().expect("configured"))
        .then(groq.transport(transport.clone()).build().expect("configured"))
        .then(anthropic.transport(transport).build().expect("configured"))
        .rounds(2)
        .backoff(Backoff::default())
        .deadline(DEADLINE)
}

async fn call(model: &dyn ChatModel, delivery: Delivery) -> Result<ChatResponse, Error> {
    let request = ChatRequest::user("Who studies plants?").delivered(delivery);
    // A call that passed its deadline by far would hang the test; it is told as what it is.
    let answered = async { model.stream(&request).await?.collect().await };
    tokio::time::timeout(DEADLINE * 2, answered).await.expect("the deadline is kept")
}

fn judge(result: Result<ChatResponse, Error>, count: &mut Count) {
    let whole = FaultServer::REPLY.concat();
    match result {
        Ok(reply) => {
            assert_eq!(reply.text(), whole.as_str(), "a reply is whole and nobody else's");
            assert_eq!(reply.stop.reason, StopReason::End);
            assert!(reply.attempts.iter().all(|attempt| attempt.error.is_some()), "{reply:?}");
            count.answered += 1;
            count.after_failures += usize::from(!reply.attempts.is_empty());
        }
        Err(error) => {
            let attempts = error.attempts();
            assert!(!attempts.is_empty() && attempts.iter().all(|attempt| attempt.error.is_some()), "{error:?}");
            match error.kind() {
                ErrorKind::NoRoute => {
                    assert!(attempts.len() >= 3, "each was tried: {error:?}");
                    count.no_route += 1;
                }
                ErrorKind::Interrupted => {
                    let partial = error.partial().expect("what came");
                    assert!(!partial.is_empty() && whole.starts_with(partial.as_str()), "{error:?}");
                    count.interrupted += 1;
                }
                _ => panic!("neither an answer nor a typed end: {error:?}"),
            }
        }
    }
}

async fn storm(delivery: Delivery, seed: u64) -> Count {
    let server = FaultServer::with_failures(0.3, seed).await.expect("a port");
    let model = Arc::new(chain(&server));
    let mut count = Count::default();
    let mut running = JoinSet::new();
    for _ in 0..CALLS / 2 {
        if running.len() == AT_ONCE {
            judge(running.join_next().await.expect("running").expect("no panic"), &mut count);
        }
        let model = model.clone();
        running.spawn(async move { call(&*model, delivery).await });
    }
    while let Some(result) = running.join_next().await {
        judge(result.expect("no panic"), &mut count);
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_replies_come_whole_or_end_in_a_list_of_attempts() {
    let count = storm(Delivery::Whole, 11).await;
    assert_eq!(count.answered + count.no_route, CALLS / 2, "{count:?}");
    assert_eq!(count.interrupted, 0, "a whole reply can always move on");
    // All three fail in one round for 2.7 % of the calls, and in both for far fewer.
    assert!(count.answered > CALLS / 2 * 98 / 100, "{count:?}");
    assert!(count.after_failures > CALLS / 2 * 20 / 100, "the faults were there: {count:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_come_whole_or_say_where_they_broke() {
    let count = storm(Delivery::Streamed, 12).await;
    assert_eq!(count.answered + count.no_route + count.interrupted, CALLS / 2, "{count:?}");
    assert!(count.answered > CALLS / 2 * 90 / 100, "{count:?}");
    assert!(count.after_failures > CALLS / 2 * 20 / 100 && count.interrupted > 0, "the faults were there: {count:?}");
}
