use std::collections::BTreeMap;
use std::sync::Mutex;

use career_core::Rate;

use super::super::common::probe::Probe;
use super::*;
use crate::ChatModelExt;

/// The port over the clock of tokio, which a test can stop.
#[derive(Debug)]
struct Limiter {
    rate: Rate,
    ends: Mutex<BTreeMap<String, Instant>>,
    broken: bool,
}

fn limiter(per_minute: u32, burst: u32) -> Arc<Limiter> {
    let rate = Rate::per_minute(per_minute).expect("a rate").burst(burst).expect("a burst");
    Arc::new(Limiter { rate, ends: Mutex::default(), broken: false })
}

fn broken() -> Arc<Limiter> {
    let rate = Rate::per_minute(1).expect("a rate");
    Arc::new(Limiter { rate, ends: Mutex::default(), broken: true })
}

impl Limiter {
    fn keys(&self) -> Vec<String> {
        self.ends.lock().expect("not poisoned").keys().cloned().collect()
    }

    fn left(&self) -> u32 {
        let ends = self.ends.lock().expect("not poisoned");
        let backlog = ends.values().next().map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()));
        self.rate.step(backlog, 0).expect("nothing passes").remaining
    }
}

#[async_trait]
impl RateLimiter for Limiter {
    async fn check(&self, key: &str, cost: u32) -> career_core::Result<RateDecision> {
        if self.broken {
            return Err(career_core::Error::new(career_core::ErrorKind::Unavailable, "no limiter"));
        }
        let mut ends = self.ends.lock().expect("not poisoned");
        let now = Instant::now();
        let backlog = ends.get(key).map_or(Duration::ZERO, |end| end.saturating_duration_since(now));
        let decision = self.rate.step(backlog, cost)?;
        if decision.allowed && cost > 0 {
            ends.insert(key.to_owned(), now + decision.reset_after);
        }
        Ok(decision)
    }
}

fn ask() -> ChatRequest {
    ChatRequest::user("1234").with_max_output_tokens(9) // 3 + 4 + 4 + 9 = 20 tokens
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_its_turn_and_no_longer_than_it_may() {
    let probe = Probe::says("ok");
    let model = Limited::new(probe.clone()).with_requests(LimitedBy::Model, limiter(60, 2));
    let began = Instant::now();
    for _ in 0..4 {
        model.complete(&ask()).await.expect("passes");
    }
    assert_eq!(began.elapsed().as_secs(), 2, "two at once, then one a second");

    let impatient = Limited::new(probe.clone())
        .with_requests(LimitedBy::Model, limiter(6, 1))
        .with_max_wait(Duration::from_secs(9));
    impatient.complete(&ask()).await.expect("the first");
    let error = impatient.complete(&ask()).await.expect_err("ten seconds are too long");
    assert_eq!((error.kind(), error.advice().after), (ErrorKind::Throttled, Some(Duration::from_secs(10))));
    assert_eq!(error.advice().scope, Scope::Here);
    assert_eq!(error.to_string(), "probe/1: throttled: the limit of requests of the model");
    assert_eq!(probe.calls(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_never_waited_past() {
    let model = Limited::new(Probe::says("ok"))
        .with_requests(LimitedBy::Model, limiter(6, 1))
        .with_max_wait(Duration::from_secs(60));
    model.complete(&ask()).await.expect("the first");
    let began = Instant::now();
    let error = model.complete(&ask().within(Duration::from_secs(5))).await.expect_err("ten seconds, five left");
    assert_eq!((error.kind(), began.elapsed()), (ErrorKind::Throttled, Duration::ZERO));
    model.complete(&ask().within(Duration::from_secs(11))).await.expect("ten seconds, eleven left");
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_the_request_and_the_reply_that_it_allows() {
    let tokens = limiter(60, 50);
    let model =
        Limited::new(Probe::says("ok")).with_tokens(LimitedBy::Model, tokens.clone()).with_max_wait(Duration::ZERO);
    model.complete(&ask()).await.expect("20 of 50");
    assert_eq!(tokens.left(), 30);
    let error = model.complete(&ask().with_max_output_tokens(40)).await.expect_err("51 at once");
    assert_eq!((error.kind(), error.advice().scope), (ErrorKind::ContextTooLong, Scope::Elsewhere));
    assert_eq!(error.to_string(), "probe/1: request too long: 51 at once: more than the limit of tokens of the model");
    let own = Limited::new(Probe::says("ok")).with_tokens(LimitedBy::Model, tokens.clone()).with_estimate(|_| 1);
    own.complete(&ask()).await.expect("10 of 30");
    assert_eq!(tokens.left(), 20);
}

#[tokio::test(start_paused = true)]
async fn what_one_limit_refuses_costs_the_other_nothing() {
    let requests = limiter(1, 5);
    let model = Limited::new(Probe::says("ok"))
        .with_requests(LimitedBy::Model, requests.clone())
        .with_tokens(LimitedBy::Model, limiter(1, 20))
        .with_max_wait(Duration::ZERO);
    model.complete(&ask()).await.expect("20 of 20");
    for _ in 0..3 {
        assert_eq!(model.complete(&ask()).await.expect_err("no tokens").kind(), ErrorKind::Throttled);
    }
    assert_eq!(requests.left(), 4);
}

#[tokio::test(start_paused = true)]
async fn callers_are_limited_each_for_themselves() {
    let shared = limiter(1, 1);
    let model =
        Limited::new(Probe::says("ok")).with_requests(LimitedBy::Caller, shared.clone()).with_max_wait(Duration::ZERO);
    for request in [ask(), ask().on_behalf_of(""), ask().on_behalf_of("a"), ask().on_behalf_of("b")] {
        model.complete(&request).await.expect("the first of each");
        assert_eq!(model.complete(&request).await.expect_err("the second").kind(), ErrorKind::Throttled);
    }
    assert_eq!(shared.keys().len(), 4);
}

#[test]
fn keys_do_not_run_together() {
    let key = |by: LimitedBy, provider: &str, model: &str, caller: Option<&str>| {
        by.key("tokens", &ModelId::new(provider, model), caller)
    };
    let keys = [
        key(LimitedBy::Model, "p", "m", None),
        key(LimitedBy::Caller, "p", "m", None),
        key(LimitedBy::Caller, "p", "m", Some("x")),
        key(LimitedBy::CallerAndModel, "p", "m", Some("x")),
        key(LimitedBy::CallerAndModel, "p", "m by", Some("x")),
        key(LimitedBy::CallerAndModel, "p", "m", Some("by x")),
        key(LimitedBy::CallerAndModel, "p", "m", None),
    ];
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len(), "{keys:?}");
}

#[tokio::test]
async fn a_broken_limiter_lets_pass_aloud_or_refuses() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let open = Limited::new(Probe::says("ok"))
        .with_requests(LimitedBy::Model, broken())
        .with_on_error(move |error| tell.lock().expect("not poisoned").push(error.kind()));
    open.complete(&ask()).await.expect("passes");
    assert_eq!(open.failures(), 1);
    assert_eq!(*told.lock().expect("not poisoned"), [career_core::ErrorKind::Unavailable]);

    let probe = Probe::says("ok");
    let closed =
        Limited::new(probe.clone()).with_requests(LimitedBy::Model, broken()).with_when_broken(WhenBroken::Refuse);
    assert_eq!(closed.complete(&ask()).await.expect_err("refused").kind(), ErrorKind::Backend);
    assert_eq!((probe.calls(), closed.failures()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_hangs_is_a_broken_one() {
    #[derive(Debug)]
    struct Stuck;
    #[async_trait]
    impl RateLimiter for Stuck {
        async fn check(&self, _: &str, _: u32) -> career_core::Result<RateDecision> {
            std::future::pending().await
        }
    }
    let began = Instant::now();
    let model = Limited::new(Probe::says("ok")).with_requests(LimitedBy::Model, Arc::new(Stuck));
    model.complete(&ask().within(Duration::from_secs(20))).await.expect("passes");
    assert_eq!((model.failures(), began.elapsed().as_secs()), (1, 1));
    let model = model.with_when_broken(WhenBroken::Refuse);
    assert_eq!(model.complete(&ask()).await.expect_err("refused").kind(), ErrorKind::Backend);
}

#[tokio::test(start_paused = true)]
async fn nobody_passes_twice_however_many_come_at_once() {
    let probe = Probe::says("ok");
    let model = Arc::new(
        Limited::new(probe.clone())
            .with_requests(LimitedBy::Model, limiter(60, 3))
            .with_tokens(LimitedBy::Model, limiter(6_000, 200))
            .with_max_wait(Duration::from_secs(5)),
    );
    let asked = ask();
    let calls = (0..20).map(|_| model.complete(&asked));
    let passed = futures_util::future::join_all(calls).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(passed, 8, "three at once and one a second for five seconds");
    assert_eq!(probe.calls(), passed);
}
