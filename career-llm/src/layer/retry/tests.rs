use futures_util::StreamExt;

use super::*;
use crate::testkit::scripted::{Script, ScriptedModel};
use crate::{ChatEvent, ChatModelExt, Delivery, ErrorKind, Scope, StopReason, Timeout, Usage};

const SECOND: Duration = Duration::from_secs(1);

fn model() -> ScriptedModel {
    ScriptedModel::new(ModelId::new("test", "one"))
}

fn overloaded() -> Error {
    Error::new(ErrorKind::Overloaded, "")
}

fn ask() -> ChatRequest {
    ChatRequest::user("x")
}

#[tokio::test(start_paused = true)]
async fn it_asks_again_until_it_is_answered_and_tells_what_failed() {
    let inner = model().then(Script::fail(overloaded())).then(Script::fail(overloaded())).then(Script::reply("yes"));
    let reply = Retry::new(inner.clone()).complete(&ask()).await.expect("the third time");
    assert_eq!(reply.text(), "yes");
    assert_eq!((reply.attempts.len(), inner.calls()), (2, 3));
    assert!(reply.attempts.iter().all(|attempt| attempt.error.as_ref().is_some_and(Error::is_temporary)));
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_after_its_tries_with_all_of_them() {
    let inner = model().forever(Script::fail(overloaded()));
    let error = Retry::new(inner.clone()).attempts(4).complete(&ask()).await.expect_err("never well");
    assert_eq!((error.kind(), error.attempts().len(), inner.calls()), (ErrorKind::Overloaded, 4, 4));
    let error = Retry::new(inner.clone()).attempts(0).complete(&ask()).await.expect_err("never well");
    assert_eq!((error.attempts().len(), inner.calls()), (0, 5), "one try is no record");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_is_not_tried_again() {
    for kind in [ErrorKind::Auth, ErrorKind::Quota, ErrorKind::Filtered, ErrorKind::BreakerOpen, ErrorKind::Invalid] {
        let inner = model().forever(Script::fail(Error::new(kind, "")));
        let error = Retry::new(inner.clone()).complete(&ask()).await.expect_err("refused");
        assert_eq!((error.kind(), inner.calls()), (kind, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_not_asked_before_it_wants_to_be() {
    let inner = model().then(Script::fail(overloaded().with_after(5 * SECOND))).then(Script::reply("yes"));
    let retry = Retry::new(inner).backoff(Backoff::new(SECOND, SECOND));
    let began = Instant::now();
    retry.complete(&ask()).await.expect("the second time");
    assert!((5 * SECOND..=6 * SECOND).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_at_once_when_the_wait_is_too_long() {
    let told = |seconds| model().forever(Script::fail(overloaded().with_after(seconds * SECOND)));
    let (long, late) = (told(11), told(5));
    let began = Instant::now();
    assert!(Retry::new(long.clone()).complete(&ask()).await.is_err());
    assert!(Retry::new(late.clone()).complete(&ask().within(4 * SECOND)).await.is_err());
    assert_eq!((long.calls(), late.calls(), began.elapsed()), (1, 1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_streamed_reply_is_tried_again_before_its_first_content_only() {
    let broken = |at| Script::reply("one two").fail_after(at, Error::new(ErrorKind::Network, "reset"));
    let inner = model().then(broken(0)).then(broken(1));
    let mut stream = Retry::new(inner.clone()).stream(&ask()).await.expect("began");
    let mut texts = 0;
    let error = loop {
        match stream.next().await.expect("an end") {
            Ok(ChatEvent::Text(_)) => texts += 1,
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!((texts, error.kind(), error.attempts().len(), inner.calls()), (1, ErrorKind::Network, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_whole_reply_is_tried_again_wherever_it_broke() {
    let inner = model().then(Script::reply("one two").cut_after(2)).then(Script::reply("one two"));
    let request = ask().delivered(Delivery::Whole);
    let reply = Retry::new(inner).stream(&request).await.expect("held").collect().await.expect("whole");
    assert_eq!((reply.text().as_str(), reply.attempts.len()), ("one two", 1));
}

#[tokio::test(start_paused = true)]
async fn an_empty_reply_is_a_failure_whose_usage_is_kept_and_a_refusal_is_none() {
    let empty = Script::reply("").with_usage(Usage::new(7, 0));
    let inner = model().then(empty).then(Script::refusal(""));
    let reply = Retry::new(inner).complete(&ask()).await.expect("an answer");
    assert_eq!(reply.stop.reason, StopReason::Filtered);
    assert_eq!(reply.attempts[0].usage, Some(Usage::new(7, 0)));
    assert_eq!(reply.attempts[0].error.as_ref().map(Error::kind), Some(ErrorKind::Protocol));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_kept_and_ends_the_loop() {
    let inner = model().then(Script::fail(overloaded())).then(Script::hang());
    let began = Instant::now();
    let error = Retry::new(inner).complete(&ask().within(20 * SECOND)).await.expect_err("too late");
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Deadline));
    assert_eq!(error.advice().scope, Scope::Nowhere);
    assert_eq!((error.attempts().len(), began.elapsed()), (2, 20 * SECOND));
}
