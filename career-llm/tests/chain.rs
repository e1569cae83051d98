//! Ten thousand calls through a chain of three models, each of which fails three times in ten, at any point: every call
//! is answered whole or gets a typed error, in time, and every attempt is accounted for.

#![cfg(feature = "testkit")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use career_llm::layer::{BreakerOptions, Fallback, Hedge, Retry};
use career_llm::testkit::scripted::{Script, ScriptedModel};
use career_llm::{
    Attempt, ChatEvent, ChatModel, ChatRequest, Collector, Delivery, Error, ErrorKind, ModelId, Text, Timeout,
};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

const CALLS: usize = 10_000;
const MODELS: usize = 3;
const DEADLINE: Duration = Duration::from_secs(20);
/// The clock ticks in whole milliseconds.
const TICK: Duration = Duration::from_millis(1);

/// What a model does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answers,
    Throttles,
    IsDown,
    Hangs,
    BreaksAfter(usize),
    StallsAfter(usize),
    IsCutAfter(usize),
}

impl Fate {
    /// Well seven times in ten.
    fn draw(rng: &mut fastrand::Rng) -> Self {
        if rng.u8(..10) < 7 {
            return Fate::Answers;
        }
        let at = rng.usize(..4);
        match rng.u8(..6) {
            0 => Fate::Throttles,
            1 => Fate::IsDown,
            2 => Fate::Hangs,
            3 => Fate::BreaksAfter(at),
            4 => Fate::StallsAfter(at),
            _ => Fate::IsCutAfter(at),
        }
    }

    fn script(self, words: &str) -> Script {
        let whole = Script::reply(words);
        let script = match self {
            Fate::Answers => whole,
            Fate::Throttles => {
                Script::fail(Error::new(ErrorKind::Throttled, "").with_status(429).with_after(Duration::from_secs(2)))
            }
            Fate::IsDown => Script::fail(Error::new(ErrorKind::Overloaded, "").with_status(529)),
            Fate::Hangs => Script::hang(),
            Fate::BreaksAfter(at) => whole.fail_after(at, Error::new(ErrorKind::Network, "reset")),
            Fate::StallsAfter(at) => whole.hang_after(at),
            Fate::IsCutAfter(at) => whole.cut_after(at),
        };
        script.after(Duration::from_millis(300)).each(Duration::from_millis(20))
    }

    /// How many words come before it fails.
    fn shows(self) -> usize {
        match self {
            Fate::BreaksAfter(at) | Fate::StallsAfter(at) | Fate::IsCutAfter(at) => at,
            Fate::Answers | Fate::Throttles | Fate::IsDown | Fate::Hangs => 0,
        }
    }

    /// The kind that the record must show. The last model has all the time that is left, the others a share of it.
    fn kind(self, delivery: Delivery, last: bool) -> ErrorKind {
        match self {
            Fate::Throttles => ErrorKind::Throttled,
            Fate::IsDown => ErrorKind::Overloaded,
            Fate::BreaksAfter(_) => ErrorKind::Network,
            Fate::IsCutAfter(_) | Fate::Answers => ErrorKind::Protocol,
            Fate::Hangs | Fate::StallsAfter(0) if delivery == Delivery::Streamed && !last => {
                ErrorKind::Timeout(Timeout::FirstContent)
            }
            Fate::Hangs | Fate::StallsAfter(_) => ErrorKind::Timeout(Timeout::Deadline),
        }
    }
}

/// Which model did what with a call, by the number of the call.
type Book = Arc<Mutex<HashMap<usize, Vec<(usize, Fate)>>>>;

fn words(model: usize, call: usize) -> String {
    (0..4).map(|word| format!("{model}.{call}.{word}")).collect::<Vec<_>>().join(" ")
}

fn models(book: &Book, seed: u64) -> Vec<ScriptedModel> {
    let model = |at: usize| {
        let book = Arc::clone(book);
        let rng = Mutex::new(fastrand::Rng::with_seed(seed + at as u64));
        ScriptedModel::new(ModelId::new("test", at.to_string())).answering(move |request| {
            let call = request.messages[0].text().parse().expect("the number of the call");
            let fate = Fate::draw(&mut rng.lock().unwrap_or_else(PoisonError::into_inner));
            book.lock().unwrap_or_else(PoisonError::into_inner).entry(call).or_default().push((at, fate));
            fate.script(&words(at, call))
        })
    };
    (0..MODELS).map(model).collect()
}

/// How a call ended for its caller.
struct Seen {
    call: usize,
    shown: String,
    restarts: usize,
    attempts: Vec<Attempt>,
    error: Option<Error>,
    took: Duration,
}

async fn call(chain: &impl ChatModel, call: usize, delivery: Delivery) -> Seen {
    let request = ChatRequest::user(call.to_string()).delivered(delivery);
    let (began, mut collector, mut restarts) = (Instant::now(), Collector::new(), 0);
    let end = match chain.stream(&request).await {
        Err(error) => Err(error),
        Ok(mut events) => loop {
            match events.next().await.expect("a stream ends with done or an error") {
                Ok(ChatEvent::Done(done)) => break Ok(done.attempts),
                Ok(event) => {
                    restarts += usize::from(matches!(event, ChatEvent::Restarted(_)));
                    collector.push(event);
                }
                Err(error) => break Err(error),
            }
        },
    };
    let (took, shown) = (began.elapsed(), collector.text().to_string());
    match end {
        Ok(attempts) => Seen { call, shown, restarts, attempts, error: None, took },
        Err(error) => Seen { call, shown, restarts, attempts: error.attempts().to_vec(), error: Some(error), took },
    }
}

/// Two hundred calls a second.
async fn all(chain: &impl ChatModel, calls: usize, delivery: Delivery) -> Vec<Seen> {
    let paced = |number: usize| async move {
        tokio::time::sleep(Duration::from_millis(5) * number as u32).await;
        call(chain, number, delivery).await
    };
    let seen: Vec<Seen> = stream::iter(0..calls).map(paced).buffer_unordered(calls).collect().await;
    assert_eq!(seen.len(), calls);
    seen
}

fn fates(book: &Book, call: usize) -> Vec<(usize, Fate)> {
    book.lock().unwrap_or_else(PoisonError::into_inner).get(&call).cloned().unwrap_or_default()
}

/// Whatever the chain is made of.
fn check(seen: &Seen) {
    assert!(seen.took <= DEADLINE + TICK, "{:?}", seen.took);
    assert!(seen.attempts.iter().all(|attempt| attempt.error.is_some()));
    let of_one_model = |text: &str| (0..MODELS).any(|model| words(model, seen.call).starts_with(text));
    assert!(of_one_model(&seen.shown), "spliced: {}", seen.shown);
    match &seen.error {
        None => assert!((0..MODELS).any(|model| words(model, seen.call) == seen.shown), "cut short: {}", seen.shown),
        Some(error) if seen.shown.is_empty() => assert_eq!(error.kind(), ErrorKind::NoRoute, "{error}"),
        Some(error) => {
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
            assert_eq!(error.partial().map(Text::as_str), Some(seen.shown.as_str()));
        }
    }
}

async fn the_books_balance(delivery: Delivery, restart: bool, seed: u64) {
    let book = Book::default();
    let chain = models(&book, seed).into_iter().fold(Fallback::new().deadline(DEADLINE), Fallback::then);
    let chain = chain.restart_after_content(restart);
    let (mut answered, mut by_another) = (0, 0);
    for seen in all(&chain, CALLS, delivery).await {
        check(&seen);
        let fates = fates(&book, seen.call);
        let failed = fates.iter().filter(|(_, fate)| *fate != Fate::Answers);
        let expected: Vec<(String, ErrorKind)> =
            failed.map(|(at, fate)| (at.to_string(), fate.kind(delivery, *at == MODELS - 1))).collect();
        let told = |attempt: &Attempt| {
            (attempt.model.model.to_string(), attempt.error.as_ref().map_or(ErrorKind::Config, Error::kind))
        };
        assert_eq!(seen.attempts.iter().map(told).collect::<Vec<_>>(), expected, "call {}: {fates:?}", seen.call);
        let (_, last) = fates.last().copied().expect("somebody was asked");
        assert_eq!(seen.error.is_none(), last == Fate::Answers);
        if seen.error.is_none() {
            assert_eq!(fates.len(), 1 + seen.attempts.len());
            answered += 1;
            by_another += usize::from(!seen.attempts.is_empty());
        } else {
            // It ends at the last model, or where something was shown that cannot be taken back, or with the time.
            let shown = delivery == Delivery::Streamed && last.shows() > 0;
            assert!(
                fates.len() == MODELS || shown && !restart || seen.took >= DEADLINE,
                "call {}: {fates:?}",
                seen.call
            );
        }
        assert!(seen.restarts == 0 || restart && delivery == Delivery::Streamed);
    }
    // One in 37 meets three failures in a row. What is lost besides: a stream that broke after it was shown, and, when
    // that begins anew, one that stalled, for a scripted model has no idle timeout.
    let least = match (delivery, restart) {
        (Delivery::Streamed, false) => 8_300,
        (Delivery::Streamed, true) => 9_200,
        _ => 9_500,
    };
    assert!((least..CALLS).contains(&answered), "{answered} answered");
    assert!(by_another > 1_000, "{by_another} answered by another model");
}

#[tokio::test(start_paused = true)]
async fn whole_replies_are_answered_or_told_and_the_books_balance() {
    the_books_balance(Delivery::Whole, false, 1).await;
}

#[tokio::test(start_paused = true)]
async fn streamed_replies_are_answered_or_told_and_the_books_balance() {
    the_books_balance(Delivery::Streamed, false, 2).await;
}

#[tokio::test(start_paused = true)]
async fn streamed_replies_that_begin_anew_are_answered_or_told_and_the_books_balance() {
    the_books_balance(Delivery::Streamed, true, 3).await;
}

/// With every layer there is at once, what a caller may rely on stays. A try within a call that ran out of time or lost
/// to another is part of that call's attempt, so there are no more attempts than tries, and no model that was asked is
/// left out.
async fn the_layers_together_keep_what_each_promises(delivery: Delivery) {
    let book = Book::default();
    let mut chain = Fallback::new().deadline(DEADLINE).rounds(2).with_breakers(BreakerOptions::default());
    for model in models(&book, 4) {
        chain = chain.then(Hedge::new(Retry::new(model).attempts(2)).delay(Duration::from_secs(1)));
    }
    let (calls, mut answered) = (CALLS / 2, 0);
    for seen in all(&chain, calls, delivery).await {
        check(&seen);
        let fates = fates(&book, seen.call);
        let kind = |attempt: &&Attempt| attempt.error.as_ref().map(Error::kind);
        let told = seen.attempts.iter().filter(|attempt| kind(attempt) != Some(ErrorKind::BreakerOpen)).count();
        let answer = usize::from(seen.error.is_none());
        assert!(told + answer <= fates.len(), "call {}: {told} attempts of {fates:?}", seen.call);
        for (model, _) in &fates {
            let named = seen.attempts.iter().any(|attempt| *attempt.model.model == *model.to_string());
            let answers = seen.error.is_none() && seen.shown == words(*model, seen.call);
            assert!(named || answers, "call {}: {model} is not told of {fates:?}", seen.call);
        }
        answered += answer;
    }
    assert!(answered > calls * 8 / 10, "{answered} answered");
}

#[tokio::test(start_paused = true)]
async fn the_layers_together_keep_what_each_promises_streamed() {
    the_layers_together_keep_what_each_promises(Delivery::Streamed).await;
}

#[tokio::test(start_paused = true)]
async fn the_layers_together_keep_what_each_promises_whole() {
    the_layers_together_keep_what_each_promises(Delivery::Whole).await;
}
