use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::StreamExt as _;
use proptest::prelude::*;

use super::super::common::probe::{Probe, done, events, goes_on, reply, started};
use super::*;
use crate::{Attempt, ChatEvent, ChatModelExt, Done, StopReason, Timeout};

/// A nano-dollar for a token in, ten for one out.
fn price(_: &ModelId, usage: &Usage) -> Option<Cost> {
    Some(nano(usage.input + 10 * usage.output))
}

fn nano(nano: u64) -> Cost {
    Cost::from_nano_usd(nano)
}

fn ask() -> ChatRequest {
    ChatRequest::user("hello").with_max_output_tokens(20)
}

/// 10 in and 20 out: 210 at most; a whole reply of the probe is 10 in and 5 out: 60.
fn budgeted(probe: &Probe, limit: u64) -> (Arc<MemoryLedger>, Budgeted<Probe>) {
    let ledger = Arc::new(MemoryLedger::new());
    let model = Budgeted::new(probe.clone(), ledger.clone(), price)
        .with_estimate(|_| 10)
        .with_clock(|| "2026-11-21T12:00:00Z".parse().expect("a time"))
        .with_budget(Budget::in_all(Period::Day, nano(limit)));
    (ledger, model)
}

fn holds(ledger: &MemoryLedger) -> (u64, u64) {
    let spending = ledger.spending("day 2026-11-21 all");
    (spending.settled.as_nano_usd(), spending.reserved.as_nano_usd())
}

#[tokio::test]
async fn the_worst_is_reserved_and_the_truth_settled() {
    let probe = Probe::says("ok");
    let (ledger, model) = budgeted(&probe, 400);
    let mut stream = model.stream(&ask()).await.expect("within the budget");
    assert_eq!(holds(&ledger), (0, 210));
    assert_eq!(model.stream(&ask()).await.expect_err("210 + 210").kind(), ErrorKind::SpendCap);
    while let Some(event) = stream.next().await {
        let was_done = matches!(event.expect("an event"), ChatEvent::Done(_));
        assert_eq!(holds(&ledger), if was_done { (60, 0) } else { (0, 210) });
    }
    model.complete(&ask()).await.expect("60 + 210");
    assert_eq!(holds(&ledger), (120, 0));
}

#[tokio::test]
async fn an_error_names_the_limit_and_may_go_elsewhere() {
    let probe = Probe::says("ok");
    let (_, model) = budgeted(&probe, 100);
    let error = model.complete(&ask().on_behalf_of("u-17")).await.expect_err("over");
    assert_eq!(error.advice().scope, Scope::Elsewhere);
    let shown = error.to_string();
    assert!(shown.ends_with("the budget of $0.0000001 a day in all has no room for this call"), "{shown}");
    assert!(!format!("{error:?}").contains("u-17"));
    assert_eq!(probe.calls(), 0);
}

#[tokio::test]
async fn a_request_without_a_limit_is_sent_with_one() {
    let probe = Probe::says("ok");
    let (_, model) = budgeted(&probe, 1_000);
    let model = model.with_max_output_tokens(30);
    model.complete(&ChatRequest::user("hello")).await.expect("10 + 300");
    model.complete(&ask()).await.expect("10 + 200");
    let sent: Vec<_> = probe.seen().iter().map(|request| request.max_output_tokens).collect();
    assert_eq!(sent, [Some(30), Some(20)]);
}

#[tokio::test]
async fn each_caller_has_a_budget_of_their_own_and_all_share_one() {
    let (ledger, model) = budgeted(&Probe::says("ok"), 1_000);
    let model = model.with_budget(Budget::per_caller(Period::Month, nano(250)));
    let by = |caller: &str| ask().on_behalf_of(caller);
    model.complete(&by("a")).await.expect("210 of 250");
    assert_eq!(model.complete(&by("a")).await.expect_err("60 + 210").kind(), ErrorKind::SpendCap);
    model.complete(&by("b")).await.expect("of another");
    assert_eq!(ledger.spending("month 2026-11 by a").settled, nano(60));
    assert_eq!(holds(&ledger), (120, 0), "what one refused is reserved in none");
}

#[tokio::test]
async fn the_next_day_is_another_account() {
    let day = Arc::new(AtomicU64::new(21));
    let today = day.clone();
    let (ledger, model) = budgeted(&Probe::says("ok"), 250);
    let model = model
        .with_clock(move || format!("2026-11-{}T12:00:00Z", today.load(Ordering::Relaxed)).parse().expect("a time"));
    model.complete(&ask()).await.expect("210 of 250");
    model.complete(&ask()).await.expect_err("60 + 210");
    day.store(22, Ordering::Relaxed);
    model.complete(&ask()).await.expect("a new day");
    let accounts = ledger.accounts();
    assert_eq!(accounts.len(), 1, "the old account is forgotten: {accounts:?}");
}

#[tokio::test]
async fn what_attempts_used_is_settled_too_and_once() {
    let other = ModelId::new("other", "1");
    let failed = |usage| {
        let mut attempt = Attempt::failed(
            ModelId::new("other", "1"),
            Default::default(),
            Error::protocol("the stream was cut short"),
        );
        attempt.usage = usage;
        attempt
    };
    let mut whole = Done::new(StopReason::End).with_usage(Usage::new(10, 5));
    let succeeded = Attempt::succeeded(other, Default::default(), whole.usage);
    whole.attempts = vec![failed(Some(Usage::new(7, 0))), failed(None), succeeded];
    let attempts = whole.attempts[..2].to_vec();
    let probe = Probe::new(move |at, _| match at {
        0 => Ok(ChatStream::from_events([Ok(started()), Ok(ChatEvent::Done(Box::new(whole.clone())))])),
        1 => Err(Error::new(ErrorKind::NoRoute, "").with_attempts(attempts.clone())),
        2 => Err(Error::new(ErrorKind::Overloaded, "")),
        _ => Err(Error::new(ErrorKind::Timeout(Timeout::FirstContent), "")),
    });
    let (ledger, model) = budgeted(&probe, 1_000);
    model.complete(&ask()).await.expect("whole");
    assert_eq!(holds(&ledger), (60 + 7, 0));
    model.complete(&ask()).await.expect_err("no route");
    assert_eq!(holds(&ledger), (67 + 7, 0));
    model.complete(&ask()).await.expect_err("overloaded");
    assert_eq!(holds(&ledger), (74, 0), "a failed call without usage costs nothing");
    model.complete(&ask()).await.expect_err("too slow");
    assert_eq!(holds(&ledger), (84, 0), "the provider may have read it");
}

#[tokio::test]
async fn what_was_said_before_a_break_is_estimated() {
    let probe = Probe::new(|at, _| {
        let text = Ok(ChatEvent::Text("123456".into())); // two tokens
        Ok(match at {
            0 => ChatStream::from_events([Ok(started()), text, Err(Error::protocol("cut"))]),
            1 => ChatStream::from_events([Ok(started()), text]),
            2 => ChatStream::from_events([
                Ok(started()),
                text,
                Ok(ChatEvent::Done(Box::new(Done::new(StopReason::End)))),
            ]),
            _ => ChatStream::from_events([Ok(started()), Err(Error::protocol("cut"))]),
        })
    });
    let (ledger, model) = budgeted(&probe, 10_000);
    for (call, settled) in [30, 60, 90, 90].into_iter().enumerate() {
        let _ = model.complete(&ask()).await;
        assert_eq!(holds(&ledger), (settled, 0), "call {call}");
    }
}

#[tokio::test]
async fn a_dropped_stream_is_settled_by_estimate_with_the_next_call() {
    let (ledger, model) = budgeted(&Probe::new(|_, _| Ok(reply(&["123", "456"]))), 10_000);
    let mut stream = model.stream(&ask()).await.expect("a stream");
    stream.next().await;
    stream.next().await; // one token
    drop(stream);
    assert_eq!(holds(&ledger), (0, 210), "not yet");
    model.flush().await.expect("settled");
    assert_eq!(holds(&ledger), (20, 0));

    let hangs = Probe::new(|_, _| Ok(ChatStream::new(futures_util::stream::pending())));
    let (ledger, model) = budgeted(&hangs, 10_000);
    let asked = ask();
    let mut call = Box::pin(model.stream(&asked));
    assert!(goes_on(&mut call).await, "under way");
    drop(call);
    model.flush().await.expect("settled");
    assert_eq!(holds(&ledger), (10, 0), "the provider may have read it");
}

#[tokio::test]
async fn a_model_without_a_price_is_refused_or_free() {
    let probe = Probe::says("ok");
    let ledger = Arc::new(MemoryLedger::new());
    let unknown = || {
        Budgeted::new(probe.clone(), ledger.clone(), |_: &ModelId, _: &Usage| None)
            .with_budget(Budget::in_all(Period::Day, nano(1)))
    };
    let error = unknown().complete(&ask()).await.expect_err("no price");
    assert_eq!((error.kind(), probe.calls()), (ErrorKind::Config, 0));
    unknown().with_unknown_price(UnknownPrice::Free).complete(&ask()).await.expect("free");
    assert_eq!(ledger.accounts(), []);
}

#[tokio::test]
async fn an_answer_without_usage_of_its_own_costs_nothing_whoever_gave_it() {
    let kept = || {
        let usage = Done::new(StopReason::End).with_usage(Usage::default());
        ChatStream::from_events([Ok(started()), Ok(ChatEvent::Done(Box::new(usage)))])
    };
    let (ledger, model) = budgeted(&Probe::new(move |_, _| Ok(kept())), 1_000);
    model.complete(&ask()).await.expect("from a cache within");
    assert_eq!(holds(&ledger), (0, 0));
}

/// A ledger that can be broken.
#[derive(Debug)]
struct Fragile(Arc<MemoryLedger>, Arc<AtomicBool>);

#[async_trait]
impl Ledger for Fragile {
    async fn reserve(&self, reservation: &Reservation) -> career_core::Result<Outcome> {
        self.check()?;
        self.0.reserve(reservation).await
    }

    async fn settle(&self, reservation: &Reservation, spent: Cost) -> career_core::Result<()> {
        self.check()?;
        self.0.settle(reservation, spent).await
    }
}

impl Fragile {
    fn check(&self) -> career_core::Result<()> {
        if self.1.load(Ordering::Relaxed) {
            return Err(career_core::Error::new(career_core::ErrorKind::Unavailable, "no ledger"));
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_broken_ledger_refuses_calls_and_breaks_no_reply() {
    let (ledger, broken) = (Arc::new(MemoryLedger::new()), Arc::new(AtomicBool::new(false)));
    let fragile = || Arc::new(Fragile(ledger.clone(), broken.clone()));
    let probe = Probe::says("ok");
    let model = Budgeted::new(probe.clone(), fragile(), price)
        .with_estimate(|_| 10)
        .with_clock(|| "2026-11-21T12:00:00Z".parse().expect("a time"))
        .with_budget(Budget::in_all(Period::Day, nano(1_000)));
    let stream = model.stream(&ask()).await.expect("reserved");
    broken.store(true, Ordering::Relaxed);
    assert_eq!(stream.collect().await.expect("whole").text(), "ok");
    assert_eq!((holds(&ledger), model.failures()), ((0, 210), 1));
    assert_eq!(model.stream(&ask()).await.expect_err("no ledger").kind(), ErrorKind::Backend);
    broken.store(false, Ordering::Relaxed);
    model.flush().await.expect("settled");
    assert_eq!(holds(&ledger), (60, 0));

    broken.store(true, Ordering::Relaxed);
    let open = Budgeted::new(probe, fragile(), price)
        .with_budget(Budget::in_all(Period::Day, nano(1)))
        .with_when_broken(WhenBroken::Pass);
    open.complete(&ask()).await.expect("passes");
    assert!(open.failures() >= 1);
}

/// A ledger whose answers are a moment late.
#[derive(Debug)]
struct Late(Arc<MemoryLedger>);

#[async_trait]
impl Ledger for Late {
    async fn reserve(&self, reservation: &Reservation) -> career_core::Result<Outcome> {
        let outcome = self.0.reserve(reservation).await;
        tokio::task::yield_now().await;
        outcome
    }

    async fn settle(&self, reservation: &Reservation, spent: Cost) -> career_core::Result<()> {
        tokio::task::yield_now().await;
        self.0.settle(reservation, spent).await
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_while_the_ledger_is_asked_leaves_nothing_reserved() {
    let ledger = Arc::new(MemoryLedger::new());
    let model = Budgeted::new(Probe::says("ok"), Arc::new(Late(ledger.clone())), price)
        .with_estimate(|_| 10)
        .with_clock(|| "2026-11-21T12:00:00Z".parse().expect("a time"))
        .with_budget(Budget::in_all(Period::Day, nano(1_000)));
    let asked = ask();
    let mut reserving = Box::pin(model.stream(&asked));
    assert!(goes_on(&mut reserving).await && holds(&ledger) == (0, 210));
    drop(reserving);
    model.flush().await.expect("given back");
    assert_eq!(holds(&ledger), (0, 0), "nobody was asked");

    let mut settling = model.stream(&asked).await.expect("a stream");
    settling.next().await;
    settling.next().await;
    assert!(goes_on(&mut settling.next()).await && holds(&ledger) == (0, 210));
    drop(settling);
    let mut flushing = Box::pin(model.flush());
    assert!(goes_on(&mut flushing).await);
    drop(flushing);
    model.flush().await.expect("settled");
    assert_eq!(holds(&ledger), (60, 0), "once, and what the provider counted");
}

/// A ledger that never answers what is settled, and what is reserved only unless it hangs.
#[derive(Debug)]
struct Stuck(Arc<MemoryLedger>, AtomicBool);

#[async_trait]
impl Ledger for Stuck {
    async fn reserve(&self, reservation: &Reservation) -> career_core::Result<Outcome> {
        if self.1.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.0.reserve(reservation).await
    }

    async fn settle(&self, _: &Reservation, _: Cost) -> career_core::Result<()> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_hangs_holds_back_no_reply() {
    let ledger = Arc::new(MemoryLedger::new());
    let stuck = Arc::new(Stuck(ledger.clone(), AtomicBool::new(false)));
    let model = Budgeted::new(Probe::says("ok"), stuck.clone(), price)
        .with_estimate(|_| 10)
        .with_clock(|| "2026-11-21T12:00:00Z".parse().expect("a time"))
        .with_budget(Budget::in_all(Period::Day, nano(1_000)));
    let request = ask().within(std::time::Duration::from_secs(20));
    for (call, failures) in [(1, 1), (2, 3)] {
        assert_eq!(model.complete(&request).await.expect("whole").text(), "ok", "call {call}");
        assert_eq!((holds(&ledger), model.failures()), ((0, 210 * call), failures), "what is due stays reserved");
    }
    assert!(request.time_left() >= Some(std::time::Duration::from_secs(17)));
    stuck.1.store(true, Ordering::Relaxed);
    assert_eq!(model.complete(&ask()).await.expect_err("refused").kind(), ErrorKind::Backend);
}

#[tokio::test]
async fn settling_happens_once_and_a_lost_reservation_counts_as_spent() {
    let ledger = MemoryLedger::new();
    let at: Timestamp = "2026-11-21T12:00:00Z".parse().expect("a time");
    let reserve = |limit, at| {
        let account = Budget::in_all(Period::Month, nano(limit)).account(None, at, &TimeZone::UTC).expect("an account");
        Reservation::new(vec![account], nano(10), at, LONGEST_CALL)
    };
    let first = reserve(25, at);
    ledger.reserve(&first).await.expect("answered");
    ledger.settle(&first, nano(3)).await.expect("answered");
    ledger.settle(&first, nano(3)).await.expect("answered");
    let lost = reserve(25, at);
    assert_eq!(ledger.reserve(&lost).await.expect("answered"), Outcome::Reserved);
    assert_eq!(ledger.spending("month 2026-11 all"), Spending { settled: nano(3), reserved: nano(10) });
    let later = reserve(23, at.checked_add(LONGEST_CALL).expect("a time"));
    assert_eq!(ledger.reserve(&later).await.expect("answered"), Outcome::Reserved);
    assert_eq!(ledger.spending("month 2026-11 all"), Spending { settled: nano(13), reserved: nano(10) });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// However many tasks ask at once and whatever becomes of their calls, what is settled and reserved never passes
    /// the limit, and in the end nothing is reserved and what is settled is what was used.
    #[test]
    fn never_more_than_the_limit(
        limit in 0_u64..3_000,
        calls in prop::collection::vec((1_u32..40, 0_u64..40, 0_u8..4), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let probe = Probe::new(|_, request| {
                let limit = u64::from(request.max_output_tokens.expect("a limit"));
                let (used, end) = (request.seed.expect("how many").min(limit), request.temperature.expect("how"));
                let done = Done::new(StopReason::End).with_usage(Usage::new(10, used));
                match end {
                    0.0 => Err(Error::new(ErrorKind::Network, "")),
                    1.0 => Ok(ChatStream::from_events([Ok(started())])),
                    _ => Ok(ChatStream::from_events([Ok(started()), Ok(ChatEvent::Done(Box::new(done)))])),
                }
            });
            let (ledger, model) = budgeted(&probe, limit);
            let model = Arc::new(model);
            let tasks: Vec<_> = calls.into_iter().map(|(most, used, end)| {
                let (model, ledger) = (model.clone(), ledger.clone());
                tokio::spawn(async move {
                    let request =
                        ask().with_max_output_tokens(most).with_seed(used).with_temperature(f32::from(end) / 1.0);
                    let stream = model.stream(&request).await;
                    let within = |(settled, reserved)| settled + reserved <= limit;
                    assert!(within(holds(&ledger)));
                    let spent = match stream {
                        Ok(stream) if end == 3 => {
                            drop(stream); // the input is settled
                            10
                        }
                        Ok(stream) => {
                            stream.collect().await.map_or(0, |whole| price(&whole.model, &whole.usage.expect("usage")).expect("a price").as_nano_usd())
                        }
                        Err(_) => 0,
                    };
                    assert!(within(holds(&ledger)));
                    spent
                })
            }).collect();
            let mut spent = 0;
            for task in tasks {
                spent += task.await.expect("no panic");
            }
            model.flush().await.expect("settled");
            assert_eq!(holds(&ledger), (spent, 0));
        });
    }
}

#[tokio::test]
async fn no_text_is_shown_and_the_pieces_pass_unchanged() {
    let (_, model) = budgeted(&Probe::new(|_, _| Ok(ChatStream::from_events(events(&["a", "b"])))), 1_000);
    let mut stream = model.stream(&ask()).await.expect("a stream");
    let mut kinds = Vec::new();
    while let Some(event) = stream.next().await {
        kinds.push(format!("{:?}", event.expect("an event")));
    }
    let end = format!("{:?}", done(StopReason::End));
    assert_eq!(kinds, [format!("{:?}", started()), "Text(Text(1 bytes))".into(), "Text(Text(1 bytes))".into(), end]);
    assert!(format!("{model:?}").starts_with("Budgeted"));
}

#[test]
fn the_list_of_prices_is_one() {
    let table = crate::models::ModelTable::builtin();
    let (known, usage) = (ModelId::new("groq", "llama-3.1-8b-instant"), Usage::new(1_000, 1_000));
    let expected = crate::models::price(&known).expect("a known model").cost(&usage);
    assert_eq!(Prices::cost(&table, &known, &usage), Some(expected));
    assert_eq!(table.clone().cost(&known, &usage), Some(expected));
    assert_eq!(Prices::cost(&table, &ModelId::new("nobody", "1"), &usage), None);
}
