use futures_util::StreamExt;
use tokio::time::advance;

use super::*;
use crate::testkit::scripted::{Script, ScriptedModel};
use crate::{ChatModelExt, Error, ErrorKind, Scope, Timeout};

const SECOND: Duration = Duration::from_secs(1);

fn model() -> ScriptedModel {
    ScriptedModel::new(ModelId::new("test", "one"))
}

fn fail(kind: ErrorKind) -> Script {
    Script::fail(Error::new(kind, ""))
}

fn ask() -> ChatRequest {
    ChatRequest::user("x")
}

/// Opens at two failures in ten seconds, for five.
fn options() -> BreakerOptions {
    BreakerOptions::default().with_failures(2).with_window(10 * SECOND).with_open_for(5 * SECOND)
}

/// A breaker that two failures have opened.
async fn opened(inner: &ScriptedModel) -> Breaker<ScriptedModel> {
    inner.push(fail(ErrorKind::Overloaded));
    inner.push(fail(ErrorKind::Overloaded));
    let breaker = Breaker::with(inner.clone(), options());
    for _ in 0..2 {
        assert_eq!(breaker.state(), State::Closed);
        assert!(breaker.complete(&ask()).await.is_err());
    }
    assert_eq!(breaker.state(), State::Open);
    breaker
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_asks_nobody_and_says_when_to_come_back() {
    let inner = model();
    let breaker = opened(&inner).await;
    advance(2 * SECOND).await;
    let error = breaker.complete(&ask()).await.expect_err("open");
    assert_eq!((error.kind(), inner.calls()), (ErrorKind::BreakerOpen, 2));
    assert_eq!((error.advice().scope, error.advice().after), (Scope::Elsewhere, Some(3 * SECOND)));
    assert_eq!(error.model(), Some(&inner.id()));
}

#[tokio::test(start_paused = true)]
async fn one_call_at_a_time_tries_and_its_success_closes() {
    let inner = model();
    let breaker = opened(&inner).await;
    inner.push(Script::reply("well").after(SECOND));
    advance(5 * SECOND).await;
    assert_eq!(breaker.state(), State::HalfOpen);
    let request = ask();
    let (first, second) = tokio::join!(breaker.complete(&request), breaker.complete(&request));
    assert_eq!(first.expect("let through").text(), "well");
    assert_eq!(second.expect_err("not let through").kind(), ErrorKind::BreakerOpen);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_try_that_fails_opens_it_for_as_long_again() {
    let inner = model();
    let breaker = opened(&inner).await;
    inner.push(fail(ErrorKind::Network));
    advance(5 * SECOND).await;
    assert_eq!(breaker.complete(&ask()).await.expect_err("still ill").kind(), ErrorKind::Network);
    advance(4 * SECOND).await;
    assert_eq!(breaker.state(), State::Open);
    advance(SECOND).await;
    assert_eq!(breaker.state(), State::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn a_try_that_is_dropped_or_says_nothing_of_the_provider_lets_the_next_one_try() {
    let inner = model();
    let breaker = opened(&inner).await;
    inner.push(Script::reply("one two").hang_after(1));
    inner.push(fail(ErrorKind::Invalid));
    inner.push(Script::reply("well"));
    advance(5 * SECOND).await;
    let mut stream = breaker.stream(&ask()).await.expect("let through");
    assert!(stream.next().await.is_some());
    assert_eq!(breaker.stream(&ask()).await.expect_err("one tries").kind(), ErrorKind::BreakerOpen);
    drop(stream);
    assert_eq!(breaker.complete(&ask()).await.expect_err("let through").kind(), ErrorKind::Invalid);
    assert_eq!(breaker.complete(&ask()).await.expect("let through").text(), "well");
}

#[tokio::test(start_paused = true)]
async fn a_try_that_nobody_reads_does_not_keep_others_out_for_ever() {
    let inner = model();
    let breaker = opened(&inner).await;
    inner.push(Script::reply("one two"));
    inner.push(Script::reply("well"));
    advance(5 * SECOND).await;
    let _unread = breaker.stream(&ask()).await.expect("let through");
    advance(4 * SECOND).await;
    assert_eq!(breaker.stream(&ask()).await.expect_err("one tries").kind(), ErrorKind::BreakerOpen);
    advance(SECOND).await;
    assert_eq!(breaker.complete(&ask()).await.expect("let through").text(), "well");
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn only_what_is_the_providers_fault_counts() {
    let faults = [
        ErrorKind::Overloaded,
        ErrorKind::Network,
        ErrorKind::Protocol,
        ErrorKind::Timeout(Timeout::Connect),
        ErrorKind::Timeout(Timeout::FirstContent),
        ErrorKind::Timeout(Timeout::Idle),
        ErrorKind::Timeout(Timeout::Provider),
    ];
    let others = [
        ErrorKind::Throttled,
        ErrorKind::Quota,
        ErrorKind::SpendCap,
        ErrorKind::Auth,
        ErrorKind::NotFound,
        ErrorKind::ContextTooLong,
        ErrorKind::Filtered,
        ErrorKind::Invalid,
        ErrorKind::Unsupported,
        ErrorKind::Timeout(Timeout::Deadline),
        ErrorKind::Cancelled,
    ];
    for (kind, state) in
        faults.map(|kind| (kind, State::Open)).into_iter().chain(others.map(|kind| (kind, State::Closed)))
    {
        let breaker = Breaker::with(model().forever(fail(kind)), options());
        for _ in 0..2 {
            assert!(breaker.complete(&ask()).await.is_err());
        }
        assert_eq!(breaker.state(), state, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_counts_when_the_provider_had_time_enough() {
    for (seconds, state) in [(4, State::Closed), (5, State::Open)] {
        let breaker = Breaker::with(model().forever(Script::hang()), options().with_failures(1));
        assert!(breaker.complete(&ask().within(seconds * SECOND)).await.is_err());
        assert_eq!(breaker.state(), state, "{seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_counts_when_chosen_and_its_wait_is_kept() {
    let throttled = Script::fail(Error::new(ErrorKind::Throttled, "").with_after(7 * SECOND));
    let breaker = Breaker::with(model().then(throttled), options().with_throttled(true));
    assert!(breaker.complete(&ask()).await.is_err());
    let error = breaker.complete(&ask()).await.expect_err("open");
    assert_eq!((error.kind(), error.advice().after), (ErrorKind::BreakerOpen, Some(7 * SECOND)));
}

#[tokio::test(start_paused = true)]
async fn it_opens_only_at_a_share_of_the_calls_and_forgets_old_ones() {
    let inner = model();
    let breaker = Breaker::with(inner.clone(), options().with_share(0.5));
    for script in [Script::reply("a"), Script::reply("b"), Script::reply("c"), fail(ErrorKind::Network)] {
        inner.push(script);
        let _ = breaker.complete(&ask()).await;
    }
    inner.push(fail(ErrorKind::Network));
    assert!(breaker.complete(&ask()).await.is_err());
    assert_eq!(breaker.state(), State::Closed, "2 of 5");
    advance(11 * SECOND).await;
    inner.push(fail(ErrorKind::Network));
    assert!(breaker.complete(&ask()).await.is_err());
    assert_eq!(breaker.state(), State::Closed, "1 of 1");
    inner.push(fail(ErrorKind::Network));
    assert!(breaker.complete(&ask()).await.is_err());
    assert_eq!(breaker.state(), State::Open, "2 of 2");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_in_the_middle_is_a_failure() {
    let inner = model().then(Script::reply("one two").cut_after(1));
    let breaker = Breaker::with(inner, options().with_failures(1));
    assert!(breaker.stream(&ask()).await.expect("began").collect().await.is_err());
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_is_neither() {
    let breaker = Breaker::with(model().forever(Script::reply("one two").hang_after(1)), options().with_failures(1));
    for _ in 0..9 {
        let mut stream = breaker.stream(&ask()).await.expect("began");
        assert!(stream.next().await.is_some());
        drop(stream);
        let waited = tokio::time::timeout(60 * SECOND, breaker.complete(&ask())).await;
        assert!(waited.is_err());
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_a_call_of_an_earlier_phase_tells_is_old_news() {
    let inner = model().then(Script::fail(Error::new(ErrorKind::Network, "")).after(9 * SECOND));
    let breaker = Breaker::with(inner.clone(), options());
    let old = tokio::spawn({
        let breaker = breaker.clone();
        async move { breaker.complete(&ask()).await }
    });
    tokio::task::yield_now().await;
    for _ in 0..2 {
        inner.push(fail(ErrorKind::Network));
        assert!(breaker.complete(&ask()).await.is_err());
    }
    inner.push(Script::reply("well"));
    advance(6 * SECOND).await;
    assert!(breaker.complete(&ask()).await.is_ok());
    assert!(old.await.expect("ran").is_err());
    inner.push(fail(ErrorKind::Network));
    assert!(breaker.complete(&ask()).await.is_err());
    assert_eq!(breaker.state(), State::Closed, "one failure since it closed");
}
