//! What holds for a chain of any models, however they fail.

use proptest::prelude::*;

use super::*;
use crate::testkit::scripted::{Script, ScriptedModel};
use crate::{Attempt, ChatEvent, Collector};

use futures_util::StreamExt;

/// How a model treats one call.
#[derive(Debug, Clone)]
enum Fate {
    Answers,
    Refuses,
    Fails(ErrorKind, Option<u64>),
    Breaks(usize, ErrorKind),
    Stalls(usize),
    IsCut(usize),
    Hangs,
    IsEmpty,
}

#[derive(Debug, Clone)]
struct Case {
    /// For each model what it does with one call after the other, and how slowly, in milliseconds.
    models: Vec<Vec<(Fate, u64)>>,
    heedless: bool,
    rounds: u32,
    reserve: Option<u64>,
    deadline: u64,
    whole: bool,
    restart: bool,
    breakers: bool,
}

fn fate() -> impl Strategy<Value = Fate> {
    let kind = || {
        prop::sample::select(vec![
            ErrorKind::Throttled,
            ErrorKind::Overloaded,
            ErrorKind::Network,
            ErrorKind::Auth,
            ErrorKind::Quota,
            ErrorKind::Timeout(Timeout::Idle),
        ])
    };
    prop_oneof![
        2 => Just(Fate::Answers),
        1 => Just(Fate::Refuses),
        4 => (kind(), prop::option::of(0_u64..20)).prop_map(|(kind, after)| Fate::Fails(kind, after)),
        3 => (0_usize..4, kind()).prop_map(|(at, kind)| Fate::Breaks(at, kind)),
        1 => (0_usize..4).prop_map(Fate::Stalls),
        1 => (0_usize..4).prop_map(Fate::IsCut),
        1 => Just(Fate::Hangs),
        1 => Just(Fate::IsEmpty),
    ]
}

prop_compose! {
    fn case()(
        models in prop::collection::vec(prop::collection::vec((fate(), 0_u64..3_000), 3), 1..=4),
        (heedless, whole, restart, breakers) in any::<(bool, bool, bool, bool)>(),
        (rounds, reserve, deadline) in (1_u32..=3, prop::option::of(0_u64..8_000), 1_000_u64..30_000),
    ) -> Case {
        Case { models, heedless, rounds, reserve, deadline, whole, restart, breakers }
    }
}

/// What a model says in a call: words that no other call says.
fn words(model: usize, call: usize) -> String {
    (0..4).map(|word| format!("m{model}c{call}w{word}")).collect::<Vec<_>>().join(" ")
}

fn script(model: usize, call: usize, fate: &Fate, slow: u64) -> Script {
    let whole = Script::reply(words(model, call));
    let script = match fate {
        Fate::Answers => whole,
        Fate::Refuses => Script::refusal("no"),
        Fate::Fails(kind, after) => {
            let error = Error::new(*kind, "");
            Script::fail(after.iter().fold(error, |error, after| error.with_after(Duration::from_secs(*after))))
        }
        Fate::Breaks(at, kind) => whole.fail_after(*at, Error::new(*kind, "")),
        Fate::Stalls(at) => whole.hang_after(*at),
        Fate::IsCut(at) => whole.cut_after(*at),
        Fate::Hangs => Script::hang(),
        Fate::IsEmpty => Script::reply(""),
    };
    script.after(Duration::from_millis(slow)).each(Duration::from_millis(slow / 4))
}

/// How a call ended, as its caller saw it.
struct Seen {
    text: String,
    end: Result<Box<crate::Done>>,
    restarts: usize,
    took: Duration,
    calls: usize,
}

async fn run(case: &Case) -> Seen {
    let mut models = Vec::new();
    let mut chain = Fallback::new().rounds(case.rounds).restart_after_content(case.restart);
    if let Some(reserve) = case.reserve {
        chain = chain.reserve(Duration::from_millis(reserve));
    }
    if case.breakers {
        chain = chain.with_breakers(BreakerOptions::default().with_failures(1));
    }
    for (at, fates) in case.models.iter().enumerate() {
        let mut model = ScriptedModel::new(ModelId::new("test", format!("m{at}")));
        for (call, (fate, slow)) in fates.iter().enumerate() {
            model = model.then(script(at, call, fate, *slow));
        }
        if case.heedless {
            model = model.heedless();
        }
        models.push(model.clone());
        chain = chain.then(model);
    }
    let delivery = if case.whole { Delivery::Whole } else { Delivery::Streamed };
    let request = ChatRequest::user("x").delivered(delivery).within(Duration::from_millis(case.deadline));
    let began = Instant::now();
    let mut collector = Collector::new();
    let mut restarts = 0;
    let end = match chain.stream(&request).await {
        Err(error) => Err(error),
        Ok(mut stream) => loop {
            match stream.next().await {
                Some(Ok(ChatEvent::Done(done))) => break Ok(done),
                Some(Err(error)) => break Err(error),
                Some(Ok(event)) => {
                    restarts += usize::from(matches!(event, ChatEvent::Restarted(_)));
                    collector.push(event);
                }
                None => panic!("a stream ends with done or an error"),
            }
        },
    };
    let calls = models.iter().map(ScriptedModel::calls).sum();
    Seen { text: collector.text().to_string(), end, restarts, took: began.elapsed(), calls }
}

/// The attempts that reached a model: a breaker that was open let none through.
fn asked(attempts: &[Attempt]) -> usize {
    let open = |it: &&Attempt| it.error.as_ref().is_some_and(|error| error.kind() == ErrorKind::BreakerOpen);
    attempts.len() - attempts.iter().filter(open).count()
}

fn check(case: &Case, seen: &Seen) -> Result<(), TestCaseError> {
    let texts: Vec<String> =
        (0..case.models.len()).flat_map(|model| (0..3).map(move |call| words(model, call))).collect();
    let attempts = match &seen.end {
        Ok(done) => {
            let refused = seen.text.is_empty() && done.stop.reason == crate::StopReason::Filtered;
            prop_assert!(refused || texts.contains(&seen.text), "not one model's whole reply: {}", seen.text);
            prop_assert_eq!(seen.calls, asked(&done.attempts) + 1);
            &done.attempts[..]
        }
        Err(error) => {
            match error.kind() {
                ErrorKind::NoRoute => prop_assert!(seen.text.is_empty(), "shown and not said to be partial"),
                ErrorKind::Interrupted => {
                    prop_assert!(!case.whole);
                    prop_assert_eq!(error.partial().map(crate::Text::as_str), Some(seen.text.as_str()));
                    prop_assert!(texts.iter().any(|text| text.starts_with(&seen.text)), "mixed: {}", seen.text);
                }
                kind => prop_assert!(false, "not a typed end: {kind}"),
            }
            prop_assert_eq!(seen.calls, asked(error.attempts()));
            error.attempts()
        }
    };
    prop_assert!(attempts.iter().all(|attempt| attempt.error.is_some()));
    prop_assert!(attempts.len() <= case.models.len() * case.rounds as usize);
    prop_assert!(seen.restarts == 0 || case.restart && !case.whole);
    // The clock ticks in whole milliseconds.
    prop_assert!(seen.took <= Duration::from_millis(case.deadline + 1), "{:?}", seen.took);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// A call ends in one model's whole reply or in a typed error with every attempt; never in a splice, never too late.
    #[test]
    fn a_call_is_answered_whole_or_told_why_not_and_in_time(case in case()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let seen = runtime.expect("a runtime").block_on(run(&case));
        check(&case, &seen)?;
    }

    /// If any model would answer within its share, somebody does.
    #[test]
    fn whoever_can_answer_does(
        failing in prop::collection::vec(
            prop_oneof![
                Just(Fate::Fails(ErrorKind::Auth, None)), Just(Fate::Hangs), Just(Fate::IsEmpty), Just(Fate::Stalls(0)),
                Just(Fate::IsCut(0)), Just(Fate::Breaks(0, ErrorKind::Overloaded)),
            ], 0..4),
        whole in any::<bool>(), heedless in any::<bool>(),
    ) {
        let mut models: Vec<Vec<(Fate, u64)>> = failing.iter().map(|fate| vec![(fate.clone(), 100)]).collect();
        models.push(vec![(Fate::Answers, 1_000)]);
        let case = Case {
            models, heedless, rounds: 1, reserve: Some(3_000), deadline: 15_000, whole, restart: false, breakers: false,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let seen = runtime.expect("a runtime").block_on(run(&case));
        prop_assert_eq!(seen.text, words(failing.len(), 0));
        prop_assert_eq!(seen.end.map(|done| done.attempts.len()).ok(), Some(failing.len()));
    }
}
