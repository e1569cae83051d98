use futures_util::StreamExt;

use super::*;
use crate::layer::{Breaker, Retry};
use crate::testkit::scripted::{Piece, Script, ScriptedModel};
use crate::{ChatEvent, ChatModelExt, Scope, StopReason, Text, Usage};

const SECOND: Duration = Duration::from_secs(1);

fn model(name: &str) -> ScriptedModel {
    ScriptedModel::new(ModelId::new("test", name))
}

fn error(kind: ErrorKind) -> Error {
    Error::new(kind, "")
}

fn fail(kind: ErrorKind) -> Script {
    Script::fail(error(kind))
}

fn ask() -> ChatRequest {
    ChatRequest::user("x")
}

fn kinds(attempts: &[crate::Attempt]) -> Vec<(&str, Option<ErrorKind>)> {
    attempts.iter().map(|it| (&*it.model.model, it.error.as_ref().map(Error::kind))).collect()
}

/// Every event of a streamed reply in a word, then how it ended.
async fn play(model: &impl ChatModel, request: &ChatRequest) -> (Vec<String>, Result<Box<crate::Done>>) {
    let mut told = Vec::new();
    let mut stream = match model.stream(request).await {
        Ok(stream) => stream,
        Err(error) => return (told, Err(error)),
    };
    loop {
        match stream.next().await {
            Some(Ok(ChatEvent::Done(done))) => return (told, Ok(done)),
            Some(Ok(ChatEvent::Started(started))) => told.push(format!("<{}>", started.model.model)),
            Some(Ok(ChatEvent::Text(text))) => told.push(text.to_string()),
            Some(Ok(ChatEvent::Restarted(restarted))) => {
                told.push(format!("<restarted: {}>", restarted.because.kind()));
            }
            Some(Ok(other)) => told.push(format!("{other:?}")),
            Some(Err(error)) => return (told, Err(error)),
            None => panic!("a stream ends with done or an error"),
        }
    }
}

#[tokio::test]
async fn a_chain_of_nothing_is_a_mistake_of_the_hosts() {
    assert_eq!(Fallback::new().complete(&ask()).await.expect_err("empty").kind(), ErrorKind::Config);
}

#[tokio::test]
async fn it_is_named_after_its_models() {
    let chain = Fallback::new().then(model("a")).then(model("b"));
    assert_eq!(chain.id(), ModelId::new("fallback", "test/a+test/b"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_before_the_first_content_is_not_seen() {
    let began = model("b").then(Script::reply("one two").fail_after(0, error(ErrorKind::Overloaded)));
    let chain = Fallback::new()
        .then(model("a").then(fail(ErrorKind::Network)))
        .then(began)
        .then(model("c").then(Script::reply("")))
        .then(model("d").then(Script::reply("one two").with_usage(Usage::new(3, 2))));
    let (told, done) = play(&chain, &ask()).await;
    let done = done.expect("whole");
    assert_eq!(told, ["<d>", "one ", "two"]);
    assert_eq!(done.usage, Some(Usage::new(3, 2)), "the usage is that of the reply alone");
    let failed = [("a", ErrorKind::Network), ("b", ErrorKind::Overloaded), ("c", ErrorKind::Protocol)];
    assert_eq!(kinds(&done.attempts), failed.map(|(name, kind)| (name, Some(kind))));
}

#[tokio::test(start_paused = true)]
async fn after_the_first_content_the_caller_gets_what_came_and_the_cause() {
    let cause = error(ErrorKind::Overloaded).with_after(3 * SECOND);
    let chain = Fallback::new()
        .then(model("a").then(fail(ErrorKind::Network)))
        .then(model("b").then(Script::reply("one two three").fail_after(2, cause)))
        .then(model("c").then(Script::reply("never asked")));
    let (told, end) = play(&chain, &ask()).await;
    let error = end.expect_err("interrupted");
    assert_eq!(told, ["<b>", "one ", "two "]);
    assert_eq!((error.kind(), error.partial().map(Text::as_str)), (ErrorKind::Interrupted, Some("one two ")));
    assert_eq!((error.advice().scope, error.advice().after), (Scope::Here, Some(3 * SECOND)));
    assert_eq!(kinds(error.attempts()), [("a", Some(ErrorKind::Network)), ("b", Some(ErrorKind::Overloaded))]);
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Error>());
    assert_eq!(source.map(Error::kind), Some(ErrorKind::Overloaded));
}

#[tokio::test(start_paused = true)]
async fn if_chosen_another_model_begins_anew_and_says_so() {
    let chain = |last: Script| {
        Fallback::new()
            .then(model("a").then(Script::reply("one two").cut_after(1)))
            .then(model("b").then(fail(ErrorKind::Network)))
            .then(model("c").then(last))
            .restart_after_content(true)
    };
    let (told, done) = play(&chain(Script::reply("three four")), &ask()).await;
    assert_eq!(told, ["<a>", "one ", "<restarted: protocol violated>", "<c>", "three ", "four"]);
    let failed = [("a", Some(ErrorKind::Protocol)), ("b", Some(ErrorKind::Network))];
    assert_eq!(kinds(&done.expect("whole").attempts), failed);

    let (told, end) = play(&chain(fail(ErrorKind::Auth)), &ask()).await;
    let error = end.expect_err("nobody could begin anew");
    assert_eq!(told, ["<a>", "one "], "what was shown stands");
    assert_eq!((error.kind(), error.partial().map(Text::as_str)), (ErrorKind::Interrupted, Some("one ")));
    assert_eq!(kinds(error.attempts()), [failed[0], failed[1], ("c", Some(ErrorKind::Auth))]);

    let (_, end) = play(&chain(fail(ErrorKind::Filtered)), &ask()).await;
    let error = end.expect_err("refused");
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Filtered, 3));
    assert_eq!(error.partial().map(Text::as_str), Some("one "));

    let reply = chain(Script::reply("three")).stream(&ask()).await.expect("began").collect().await.expect("whole");
    assert_eq!((reply.text().as_str(), &*reply.model.model), ("three", "c"));
}

#[tokio::test(start_paused = true)]
async fn a_whole_reply_is_replaced_wherever_it_broke() {
    let chain = Fallback::new()
        .then(model("a").then(Script::reply("one two").cut_after(2)))
        .then(model("b").then(Script::reply("three four")));
    let reply = chain.complete(&ask()).await.expect("the second");
    assert_eq!((reply.text().as_str(), kinds(&reply.attempts)), ("three four", vec![("a", Some(ErrorKind::Protocol))]));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_never_falls_through_whatever_the_host_says() {
    let lax = model("lax").forever(Script::reply("anything"));
    let mid = Script::reply("one two").fail_after(1, error(ErrorKind::Filtered));
    for script in [fail(ErrorKind::Filtered), mid] {
        let chain = Fallback::new().then(model("a").forever(script)).then(lax.clone()).on(|_| true);
        for request in [ask(), ask().delivered(Delivery::Whole)] {
            let (_, end) = play(&chain.clone().restart_after_content(true), &request).await;
            assert_eq!(end.expect_err("refused").kind(), ErrorKind::Filtered);
        }
    }
    let chain = Fallback::new().then(model("a").forever(Script::refusal("no"))).then(lax.clone());
    assert_eq!(chain.complete(&ask()).await.expect("an answer").stop.reason, StopReason::Filtered);
    let silent = Script::reply("").stopped(StopReason::Filtered);
    let chain = Fallback::new().then(model("a").forever(silent)).then(lax.clone());
    assert_eq!(play(&chain, &ask()).await.1.expect("an answer").stop.reason, StopReason::Filtered);
    assert_eq!(lax.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_request_is_told_itself() {
    let second = model("b");
    let chain = Fallback::new().then(model("a")).then(second.clone());
    let error = chain.complete(&ChatRequest::new()).await.expect_err("no message");
    assert_eq!((error.kind(), error.advice().scope, second.calls()), (ErrorKind::Invalid, Scope::Nowhere, 0));
}

#[tokio::test(start_paused = true)]
async fn the_host_chooses_where_it_goes_on() {
    let second = model("b").forever(Script::reply("b"));
    let chain = Fallback::new()
        .then(model("a").then(fail(ErrorKind::Auth)).then(fail(ErrorKind::Quota)))
        .then(second.clone())
        .on(|error| error.kind() != ErrorKind::Auth);
    assert_eq!(chain.complete(&ask()).await.expect_err("a mistake to be seen").kind(), ErrorKind::Auth);
    assert_eq!(chain.complete(&ask()).await.expect("the second").text(), "b");
}

#[tokio::test(start_paused = true)]
async fn when_all_failed_every_attempt_is_told_and_when_to_come_back() {
    let told = |seconds| Script::fail(error(ErrorKind::Throttled).with_after(seconds * SECOND));
    let all = [told(9), told(4), fail(ErrorKind::Auth)];
    let names = ["a", "b", "c"];
    let chain =
        names.into_iter().zip(all).fold(Fallback::new(), |chain, (name, script)| chain.then(model(name).then(script)));
    let error = chain.complete(&ask()).await.expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::NoRoute);
    assert_eq!((error.advice().scope, error.advice().after), (Scope::Here, Some(4 * SECOND)));
    let throttled = Some(ErrorKind::Throttled);
    assert_eq!(kinds(error.attempts()), [("a", throttled), ("b", throttled), ("c", Some(ErrorKind::Auth))]);
    assert!(error.to_string().ends_with("test/a throttled; test/b throttled; test/c not authorised"), "{error}");

    let chain = Fallback::new().then(model("a").then(fail(ErrorKind::Quota)));
    assert_eq!(chain.complete(&ask()).await.expect_err("nobody").advice().scope, Scope::Nowhere);
}

#[tokio::test(start_paused = true)]
async fn one_deadline_is_shared_by_the_documented_formula() {
    let hang = || model("h").forever(Script::hang());
    let took = |error: &Error| error.attempts().iter().map(|it| it.took.as_secs()).collect::<Vec<_>>();
    for request in [ask(), ask().delivered(Delivery::Whole)] {
        let chain = || Fallback::new().then(hang()).then(hang()).then(hang()).deadline(30 * SECOND);
        for (chain, expected) in [
            (chain(), [10, 10, 10]),
            (chain().reserve(4 * SECOND), [22, 4, 4]),
            (chain().reserve(20 * SECOND), [10, 10, 10]),
        ] {
            let began = Instant::now();
            let error = chain.stream(&request).await.expect_err("nobody");
            assert_eq!((error.kind(), took(&error)), (ErrorKind::NoRoute, expected.to_vec()));
            assert_eq!(began.elapsed(), 30 * SECOND);
        }
        let quick =
            Fallback::new().then(model("a").then(fail(ErrorKind::Auth).after(3 * SECOND))).then(hang()).then(hang());
        let error = quick.deadline(33 * SECOND).stream(&request).await.expect_err("nobody");
        assert_eq!(took(&error), [3, 15, 15], "what one leaves is for the others");
    }
}

#[tokio::test(start_paused = true)]
async fn the_chain_keeps_the_time_when_a_model_does_not() {
    let heedless = || model("h").heedless().forever(Script::reply("one two").after(9 * SECOND).each(9 * SECOND));
    for request in [ask(), ask().delivered(Delivery::Whole)] {
        let began = Instant::now();
        let (_, end) = play(&Fallback::new().then(heedless()).then(heedless()), &request.within(20 * SECOND)).await;
        let kind = end.expect_err("too late").kind();
        assert!(matches!(kind, ErrorKind::NoRoute), "{kind}");
        assert_eq!(began.elapsed(), 20 * SECOND);
    }
    let began = Instant::now();
    let (told, end) = play(&Fallback::new().then(heedless()), &ask().within(20 * SECOND)).await;
    assert_eq!((told.len(), began.elapsed()), (2, 20 * SECOND));
    assert_eq!(end.expect_err("in the middle").kind(), ErrorKind::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_model_is_told_the_deadline_that_holds_for_its_reply() {
    let (first, second) = (model("a"), model("b"));
    let chain = Fallback::new().then(first.clone()).then(second.clone()).deadline(20 * SECOND);
    for request in [ask().within(4 * SECOND), ask(), ask().delivered(Delivery::Whole)] {
        first.push(Script::hang());
        second.push(Script::reply("x"));
        let began = Instant::now();
        chain.stream(&request).await.expect("the second").collect().await.expect("whole");
        let told = |model: &ScriptedModel| model.requests().pop().and_then(|it| it.deadline).map(|it| it - began);
        let all = if request.deadline.is_some() { 4 * SECOND } else { 20 * SECOND };
        let share = if request.delivery == Delivery::Whole { all / 2 } else { all };
        assert_eq!((told(&first), told(&second)), (Some(share), Some(all)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_has_begun_has_until_the_deadline() {
    let steady = Script::reply("a b c d e f g h").each(2 * SECOND);
    let chain = Fallback::new().then(model("a").then(steady)).then(model("b")).deadline(20 * SECOND);
    let reply = chain.stream(&ask()).await.expect("began").collect().await.expect("longer than its share");
    assert_eq!(reply.text(), "a b c d e f g h");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_asks_nobody() {
    let first = model("a");
    let chain = Fallback::new().then(first.clone());
    let error = chain.complete(&ask().within(Duration::ZERO)).await.expect_err("too late");
    assert_eq!((error.kind(), first.calls()), (ErrorKind::Timeout(Timeout::Deadline), 0));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_kept_a_deadline_of_its_own_is_replaced() {
    let own = model("a").then(fail(ErrorKind::Timeout(Timeout::Deadline)));
    let chain = Fallback::new().then(own).then(model("b").then(Script::reply("b")));
    assert_eq!(chain.complete(&ask()).await.expect("the second").text(), "b");
}

#[tokio::test(start_paused = true)]
async fn in_later_rounds_nobody_is_asked_before_it_wants_to_be() {
    let told = |seconds| Script::fail(error(ErrorKind::Throttled).with_after(seconds * SECOND));
    let (first, second) =
        (model("a").then(told(7)).then(Script::reply("a")), model("b").then(told(3)).then(fail(ErrorKind::Auth)));
    let gone = model("c").then(fail(ErrorKind::Quota));
    let long = model("d").then(told(11));
    let chain = Fallback::new().then(first).then(second.clone()).then(gone.clone()).then(long.clone()).rounds(2);
    let began = Instant::now();
    let reply = chain.complete(&ask()).await.expect("the first, asked again");
    assert_eq!((reply.text().as_str(), began.elapsed()), ("a", 7 * SECOND));
    assert_eq!((reply.attempts.len(), second.calls(), gone.calls(), long.calls()), (5, 2, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_for_what_would_be_too_late() {
    let first = model("a").forever(Script::fail(error(ErrorKind::Throttled).with_after(7 * SECOND)));
    let chain = Fallback::new().then(first.clone()).rounds(9).deadline(6 * SECOND);
    let began = Instant::now();
    let error = chain.complete(&ask()).await.expect_err("nobody");
    assert_eq!((error.advice().after, began.elapsed(), first.calls()), (Some(7 * SECOND), Duration::ZERO, 1));
    let chain = Fallback::new().then(first.clone()).rounds(3);
    assert_eq!(chain.complete(&ask()).await.expect_err("nobody").attempts().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn layers_within_are_told_try_by_try_and_a_chain_within_is_a_model_like_others() {
    let retried = Retry::new(model("a").forever(fail(ErrorKind::Overloaded))).attempts(2);
    let inner = Fallback::new().then(retried).then(model("b").forever(fail(ErrorKind::Auth)));
    let chain = Fallback::new().then(inner.clone()).then(model("c").forever(Script::reply("c")));
    let reply = chain.complete(&ask()).await.expect("the last");
    let (overloaded, auth) = (Some(ErrorKind::Overloaded), Some(ErrorKind::Auth));
    assert_eq!(kinds(&reply.attempts), [("a", overloaded), ("a", overloaded), ("b", auth)]);
    assert_eq!(inner.complete(&ask()).await.expect_err("nobody").attempts().len(), 3);
    let answered = Fallback::new().then(model("d").forever(fail(ErrorKind::Auth))).then(chain);
    assert_eq!(answered.complete(&ask()).await.expect("the last").attempts.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn breakers_spare_a_model_that_does_not_begin_in_its_share() {
    let hung = model("a").forever(Script::hang());
    let options = BreakerOptions::default().with_failures(2);
    let chain = Fallback::new()
        .then(hung.clone())
        .with_breakers(options)
        .then(model("b").forever(Script::reply("b")))
        .deadline(20 * SECOND);
    for request in [ask(), ask().delivered(Delivery::Whole), ask()] {
        let reply = chain.stream(&request).await.expect("the second").collect().await.expect("whole");
        assert_eq!(reply.attempts.len(), 1);
    }
    assert_eq!(hung.calls(), 2);
    let states: Vec<_> = chain.models().map(|(id, state)| (id.model.to_string(), state)).collect();
    assert_eq!(states, [("a".to_owned(), Some(State::Open)), ("b".to_owned(), Some(State::Closed))]);
}

#[tokio::test(start_paused = true)]
async fn when_every_breaker_is_open_it_says_so_at_once_and_until_when() {
    let down = || model("a").forever(fail(ErrorKind::Overloaded));
    let options = BreakerOptions::default().with_failures(1).with_open_for(8 * SECOND);
    let chain = Fallback::new().then(down()).then(Breaker::with(down(), options.clone())).with_breakers(options);
    assert!(chain.complete(&ask()).await.is_err());
    tokio::time::advance(2 * SECOND).await;
    let error = chain.complete(&ask()).await.expect_err("nobody");
    assert_eq!((error.advice().scope, error.advice().after), (Scope::Here, Some(6 * SECOND)));
    assert!(error.attempts().iter().all(|it| it.error.as_ref().map(Error::kind) == Some(ErrorKind::BreakerOpen)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_waits_for_stops_the_model() {
    let slow = model("a").forever(Script::reply("one two").each(SECOND));
    let chain = Fallback::new().then(slow.clone()).deadline(20 * SECOND);
    drop(chain.stream(&ask()).await.expect("began"));
    assert!(tokio::time::timeout(SECOND / 2, chain.stream(&ask())).await.is_err());
    assert_eq!(slow.abandoned(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_is_not_asked_gets_no_share() {
    let options = BreakerOptions::default().with_failures(1);
    let (first, second) = (model("a").then(fail(ErrorKind::Auth)).then(Script::hang()), model("b"));
    second.push(fail(ErrorKind::Overloaded));
    let chain = Fallback::new().then(first).then(second).with_breakers(options).deadline(10 * SECOND);
    assert!(chain.complete(&ask()).await.is_err());
    let error = chain.complete(&ask()).await.expect_err("nobody");
    assert_eq!(error.attempts()[0].took, 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_began_anew_within_passes_through_and_only_what_came_since_is_partial() {
    let inner = Fallback::new()
        .then(model("a").then(Script::reply("one two").cut_after(1)))
        .then(model("b").then(Script::reply("three four").cut_after(1)))
        .restart_after_content(true);
    let chain = Fallback::new().then(Retry::new(Breaker::new(inner))).then(model("c"));
    let (told, end) = play(&chain, &ask()).await;
    assert_eq!(told, ["<a>", "one ", "<restarted: protocol violated>", "<b>", "three "]);
    let error = end.expect_err("broke again");
    assert_eq!(error.partial().map(Text::as_str), Some("three "));
    let protocol = Some(ErrorKind::Protocol);
    assert_eq!(kinds(error.attempts()), [("a", protocol), ("b", protocol)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_content_is_held_back_and_comes_in_its_place() {
    let opaque = || ChatEvent::Opaque(Box::new(crate::Opaque::new("test", serde_json::json!("signed"))));
    let broken = Script::pieces([Piece::from(opaque()), "".into(), Piece::Fail(error(ErrorKind::Network))]);
    let whole = [Piece::from(opaque()), "one".into(), opaque().into(), crate::Done::new(StopReason::End).into()];
    let chain = Fallback::new().then(model("a").then(broken)).then(model("b").then(Script::pieces(whole)));
    let (told, end) = play(&chain, &ask()).await;
    let kept = format!("{:?}", opaque());
    assert_eq!(told, ["<b>", kept.as_str(), "one", kept.as_str()]);
    assert_eq!(end.expect("whole").attempts.len(), 1);
}
