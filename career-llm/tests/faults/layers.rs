//! Faults as layers see them: nothing of a call is shown by them, and a chain of providers answers through them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use career_core::Cache;
use career_llm::layer::{
    Breaker, Budgeted, CachedReplies, Fallback, Hedge, Limited, MemoryLedger, Pseudonyms, RecordMode, Recorded,
    Redacted, Retry,
};
use career_llm::models::Cost;
use career_llm::testkit::server::{Answer, Fault, FaultServer, Protocol};
use career_llm::transport::{Limits, Timeouts};
use career_llm::{ChatModel, Collector, ErrorKind, ModelId, Usage};
use futures_util::StreamExt as _;

use super::silent::{PROMPT, REPLY, Shown, follow, request};
use super::support::{DELIVERIES, KEY, configured, impatient, question};

/// A cache that forgets at once: what is looked at is the layer over it.
#[derive(Debug)]
struct Forgetful;

#[async_trait]
impl Cache for Forgetful {
    async fn get(&self, _: &str) -> career_core::Result<Option<Bytes>> {
        Ok(None)
    }

    async fn put(&self, _: &str, _: Bytes, _: Duration) -> career_core::Result<()> {
        Ok(())
    }

    async fn remove(&self, _: &str) -> career_core::Result<()> {
        Ok(())
    }

    async fn remove_prefix(&self, prefix: &str) -> career_core::Result<u64> {
        career_core::cache::check_prefix(prefix)?;
        Ok(0)
    }
}

/// A model, and each layer around it.
fn layers(model: &Arc<dyn ChatModel>, other: &Arc<dyn ChatModel>, folder: &std::path::Path) -> Vec<Box<dyn ChatModel>> {
    let price = |_: &ModelId, usage: &Usage| Some(Cost::from_nano_usd(usage.total()));
    let student = Pseudonyms::new().person(PROMPT).school(REPLY);
    vec![
        Box::new(Retry::new(Arc::clone(model)).attempts(2).max_wait(Duration::from_millis(60))),
        Box::new(Breaker::new(Arc::clone(model))),
        Box::new(Hedge::new(Arc::clone(model)).delay(Duration::from_millis(20)).or(Arc::clone(other))),
        Box::new(Fallback::new().then(Arc::clone(model)).then(Arc::clone(other))),
        Box::new(Fallback::new().then(Arc::clone(model)).then(Arc::clone(other)).restart_after_content(true)),
        Box::new(Limited::new(Arc::clone(model))),
        Box::new(Budgeted::new(Arc::clone(model), Arc::new(MemoryLedger::new()), price)),
        Box::new(CachedReplies::new(Arc::clone(model), Arc::new(Forgetful), "test")),
        Box::new(Redacted::new(Arc::clone(model), student)),
        #[cfg(feature = "trace")]
        Box::new(career_llm::layer::Traced::new(Arc::clone(model))),
        Box::new(
            Recorded::new(Arc::clone(model), folder.join(model.id().provider.as_ref()), RecordMode::Record)
                .expect("a cassette"),
        ),
    ]
}

#[tokio::test]
async fn nothing_of_a_call_is_shown_by_a_layer() {
    let mut shown = Shown::default();
    let folder = tempfile::tempdir().expect("a folder");
    let server = FaultServer::answering(move |request| {
        let protocol = Protocol::of(request).expect("a known path");
        match (request.body.len() + request.path.len()) % 4 {
            0 => protocol.error(429, "rate_limit_exceeded", &format!("You said {PROMPT}, with {KEY}.")),
            1 => Fault::Cut.answer(request, &[REPLY, REPLY, REPLY]),
            2 => Answer::new(200).header("content-type", "application/json").body(format!("{PROMPT} {REPLY}")),
            _ => Protocol::answer_to(request, &[REPLY, REPLY]),
        }
    });
    let server = server.await.expect("a server");
    for (protocol, next) in Protocol::ALL.into_iter().zip(Protocol::ALL.into_iter().cycle().skip(1)).step_by(2) {
        let [model, other] = [protocol, next].map(|protocol| {
            let model: Arc<dyn ChatModel> = configured(protocol, &server.url(), impatient(), Limits::default()).into();
            model
        });
        for layer in layers(&model, &other, folder.path()) {
            shown.debug(&layer);
            for delivery in DELIVERIES {
                for more in 0..4 {
                    // Every length of the request meets another fault.
                    let request = request().with_system(format!("{PROMPT}{}", "x".repeat(more))).delivered(delivery);
                    follow(&mut shown, &*layer, &request).await;
                }
            }
            shown.debug(&layer);
            shown.check();
            shown = Shown::default();
        }
    }
}

#[tokio::test]
async fn a_chain_of_all_providers_answers_whole_or_says_why_not() {
    let patience = Duration::from_millis(600);
    let timeouts = Timeouts::default().with_first_content(patience).with_whole(patience).with_idle(patience);
    let mut chain = Fallback::new().deadline(Duration::from_secs(60));
    let mut servers = Vec::new();
    for (seed, protocol) in (1..).zip(Protocol::ALL) {
        let server = FaultServer::with_failures(0.5, seed).await.expect("a server");
        chain = chain.then(configured(protocol, &server.url(), timeouts, Limits::default()));
        servers.push(server);
    }
    let whole = FaultServer::REPLY.concat();
    let (mut answered, mut rescued, mut asked) = (0, 0, 0);
    for call in 0..40 {
        let mut collector = Collector::new();
        let mut said = String::new();
        let failed = match chain.stream(&question(DELIVERIES[call % 2])).await {
            Err(error) => Some(error),
            Ok(mut stream) => loop {
                match stream.next().await {
                    Some(Ok(event)) => collector.push(event),
                    Some(Err(error)) => {
                        said = collector.text().to_string();
                        break Some(error);
                    }
                    None => break None,
                }
            },
        };
        match failed {
            None => {
                let reply = collector.finish().expect("it ended");
                assert_eq!(reply.text(), *whole, "{call}");
                assert!(reply.attempts.iter().all(|attempt| attempt.error.is_some()), "{call}");
                answered += 1;
                rescued += usize::from(!reply.attempts.is_empty());
                asked += reply.attempts.len() + 1;
            }
            // A piece was heard, so that nobody else may go on.
            Some(error) if error.kind() == ErrorKind::Interrupted => {
                assert!(whole.starts_with(&said) && !said.is_empty(), "{call}: {said}");
                assert_eq!(error.partial().map(ToString::to_string), Some(said), "{call}");
                asked += error.attempts().len();
            }
            Some(error) => {
                assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::NoRoute, 5), "{call}: {error:?}");
                asked += 5;
            }
        }
    }
    let requests: usize = servers.iter().map(|server| server.requests().len()).sum();
    assert!(requests <= asked, "{requests} requests, of which {asked} are told");
    assert!(answered >= 30 && rescued >= 10, "{answered} answered, {rescued} of them by another than the first");
}
