use futures_util::StreamExt;
use tokio::time::Instant;

use super::*;
use crate::{ChatModelExt, Done, Scope, StopReason, Usage};

fn model() -> ScriptedModel {
    ScriptedModel::new(ModelId::new("test", "one"))
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn scripts_are_taken_in_order_and_then_the_one_for_ever() {
    let model = model().then(Script::reply("first")).then(Script::reply("second")).forever(Script::reply("again"));
    for expected in ["first", "second", "again", "again"] {
        assert_eq!(model.complete(&ChatRequest::user("x")).await.expect("a reply").text(), expected);
    }
}

#[tokio::test]
async fn a_script_used_up_is_an_error_that_no_chain_hides() {
    let error = model().complete(&ChatRequest::user("x")).await.expect_err("no script");
    assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Config, Scope::Nowhere));
    assert_eq!(error.model(), Some(&ModelId::new("test", "one")));
}

#[tokio::test]
async fn a_reply_is_a_function_of_its_request_and_requests_are_kept() {
    let model = model().answering(|request| Script::reply(request.messages[0].text()));
    assert_eq!(model.complete(&ChatRequest::user("parrot")).await.expect("a reply").text(), "parrot");
    assert_eq!(model.requests()[0].messages[0].text(), "parrot");
    assert!(!format!("{model:?}").contains("parrot"), "{model:?}");
}

#[tokio::test]
async fn a_reply_comes_word_by_word_with_usage_and_stop() {
    let script = Script::reply("one two").with_usage(Usage::new(3, 2)).stopped(StopReason::Length);
    let mut stream = model().then(script).stream(&ChatRequest::user("x")).await.expect("taken");
    assert!(matches!(stream.next().await, Some(Ok(ChatEvent::Started(_)))));
    assert!(matches!(stream.next().await, Some(Ok(ChatEvent::Text(text))) if text == "one "));
    assert!(matches!(stream.next().await, Some(Ok(ChatEvent::Text(text))) if text == "two"));
    let Some(Ok(ChatEvent::Done(done))) = stream.next().await else { panic!("expected the end") };
    assert_eq!((done.usage, done.stop.reason), (Some(Usage::new(3, 2)), StopReason::Length));
}

#[tokio::test]
async fn tools_and_refusals_are_told() {
    let model = model().then(Script::tool_call("1", "look", "{\"x\":1}")).then(Script::refusal("no"));
    let reply = model.complete(&ChatRequest::user("x")).await.expect("a call");
    assert_eq!(reply.tool_calls().next().map(|call| call.input.as_str()), Some("{\"x\":1}"));
    let reply = model.complete(&ChatRequest::user("x")).await.expect("a refusal");
    assert_eq!((reply.refusal.as_deref(), reply.stop.reason), (Some("no"), StopReason::Filtered));
}

#[tokio::test(start_paused = true)]
async fn waits_take_their_time_and_no_more() {
    let model = model().then(Script::reply("one two").after(SECOND).each(2 * SECOND)).then(Script::reply("x"));
    let began = Instant::now();
    model.complete(&ChatRequest::user("x")).await.expect("a reply");
    assert_eq!(began.elapsed(), 7 * SECOND, "one before the headers, two before each word and before the end");
    model.complete(&ChatRequest::user("x")).await.expect("a reply");
    assert_eq!(began.elapsed(), 7 * SECOND);
}

#[tokio::test]
async fn it_breaks_or_just_ends_where_it_is_told() {
    let reset = Error::new(ErrorKind::Network, "reset");
    let whole = Script::reply("one two three");
    let model = model().then(whole.clone().fail_after(1, reset)).then(whole.cut_after(2));
    for (words, kind) in [(1, ErrorKind::Network), (2, ErrorKind::Protocol)] {
        let stream = model.stream(&ChatRequest::user("x")).await.expect("taken");
        let events: Vec<_> = StreamExt::collect(stream).await;
        assert_eq!(events.iter().filter(|event| matches!(event, Ok(ChatEvent::Text(_)))).count(), words);
        assert_eq!(events.last().and_then(|last| last.as_ref().err()).map(Error::kind), Some(kind));
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_every_silence() {
    let scripts = [
        Script::hang(),
        Script::reply("x").after(9 * SECOND),
        Script::reply("one two").hang_after(1),
        Script::reply("one two").each(3 * SECOND),
    ];
    for script in scripts {
        let began = Instant::now();
        let request = ChatRequest::user("x").within(5 * SECOND);
        let error = model().then(script).complete(&request).await.expect_err("too late");
        assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Deadline));
        assert_eq!(began.elapsed(), 5 * SECOND);
    }
    let heedless = model().heedless().then(Script::reply("x").after(9 * SECOND));
    let reply = heedless.complete(&ChatRequest::user("x").within(5 * SECOND)).await;
    assert_eq!(reply.expect("late, and still").text(), "x");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_before_its_end_is_counted() {
    let model = model().forever(Script::reply("one two").each(SECOND));
    let request = ChatRequest::user("x");
    let waited = tokio::time::timeout(SECOND / 2, model.complete(&request)).await;
    assert!(waited.is_err());
    assert_eq!(model.abandoned(), 1);
    let mut stream = model.stream(&request).await.expect("taken");
    assert!(stream.next().await.is_some());
    drop(stream);
    assert_eq!(model.abandoned(), 2);
    model.complete(&request).await.expect("whole");
    assert_eq!((model.abandoned(), model.calls()), (2, 3));
}

#[tokio::test]
async fn a_reply_may_begin_with_a_started_of_its_own() {
    let started = ChatEvent::Started(Box::new(Started::new(ModelId::new("test", "one-2026"))));
    let script = Script::pieces([Piece::from(started), "hi".into(), Done::new(StopReason::End).into()]);
    let reply = model().then(script).complete(&ChatRequest::user("x")).await.expect("a reply");
    assert_eq!(reply.model, ModelId::new("test", "one-2026"));
}
