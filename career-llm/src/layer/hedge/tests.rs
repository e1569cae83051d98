use super::*;
use crate::testkit::scripted::{Script, ScriptedModel};
use crate::{ChatModelExt, Delivery};

const SECOND: Duration = Duration::from_secs(1);

fn model(name: &str) -> ScriptedModel {
    ScriptedModel::new(ModelId::new("test", name))
}

fn slow(text: &str, seconds: u32) -> Script {
    Script::reply(text).after(seconds * SECOND)
}

fn broken(seconds: u32) -> Script {
    Script::fail(Error::new(ErrorKind::Overloaded, "")).after(seconds * SECOND)
}

async fn ask(model: &impl ChatModel) -> (Result<crate::ChatResponse>, Duration) {
    let began = Instant::now();
    (model.complete(&ChatRequest::user("x")).await, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_quick_answer_is_asked_for_once() {
    let (first, second) = (model("1").then(slow("quick", 1)), model("2"));
    let (reply, took) = ask(&Hedge::new(first).or(second.clone())).await;
    let reply = reply.expect("a reply");
    assert_eq!((reply.text().as_str(), reply.attempts.len(), second.calls(), took), ("quick", 0, 0, SECOND));
}

#[tokio::test(start_paused = true)]
async fn the_first_content_wins_and_the_loser_is_cancelled_and_listed_without_usage() {
    let (first, second) = (model("1").then(slow("slow", 9)), model("2").then(slow("quick", 1)));
    let (reply, took) = ask(&Hedge::new(first.clone()).or(second)).await;
    let reply = reply.expect("a reply");
    assert_eq!((reply.text().as_str(), took, first.abandoned()), ("quick", 3 * SECOND, 1));
    assert_eq!(reply.attempts.len(), 1);
    let lost = &reply.attempts[0];
    assert_eq!((&*lost.model.model, lost.usage, lost.took), ("1", None, 3 * SECOND));
    assert_eq!(lost.error.as_ref().map(Error::kind), Some(ErrorKind::Cancelled));
}

#[tokio::test(start_paused = true)]
async fn the_same_model_is_asked_again_when_no_other_is_named_and_so_often_at_most() {
    let only = model("1").forever(Script::hang());
    let hedge = Hedge::new(only.clone()).delay(SECOND).at_most(3);
    let (reply, took) = ask(&in_a_minute(hedge)).await;
    assert!(reply.is_err());
    assert_eq!((only.calls(), took), (4, 60 * SECOND));
}

/// Gives each call a minute.
fn in_a_minute(model: impl ChatModel) -> impl ChatModel {
    crate::layer::Fallback::new().then(model).deadline(60 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn a_failure_waits_for_the_other_and_is_no_reason_to_ask_again() {
    let (first, second) = (model("1").then(broken(3)), model("2").then(slow("late", 6)));
    let (reply, took) = ask(&Hedge::new(first).or(second)).await;
    let reply = reply.expect("the second");
    assert_eq!((reply.text().as_str(), reply.attempts.len(), took), ("late", 1, 8 * SECOND));

    let (first, second) = (model("1").then(broken(1)), model("2"));
    let (reply, took) = ask(&Hedge::new(first).or(second.clone())).await;
    assert_eq!(reply.expect_err("the first failed").kind(), ErrorKind::Overloaded);
    assert_eq!((second.calls(), took), (0, SECOND));
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_all_are_listed() {
    let (first, second) = (model("1").then(broken(5)), model("2").then(broken(1)));
    let (reply, _) = ask(&Hedge::new(first).or(second)).await;
    let error = reply.expect_err("both failed");
    let names: Vec<&str> = error.attempts().iter().map(|attempt| &*attempt.model.model).collect();
    assert_eq!(names, ["2", "1"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_one_ends_all() {
    let refused = Script::fail(Error::new(ErrorKind::Filtered, "")).after(SECOND);
    let (first, second) = (model("1").then(slow("lax", 9)), model("2").then(refused));
    let (reply, took) = ask(&Hedge::new(first.clone()).or(second)).await;
    let error = reply.expect_err("refused");
    assert_eq!((error.kind(), error.attempts().len(), first.abandoned()), (ErrorKind::Filtered, 2, 1));
    assert_eq!(took, 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_found_no_route_is_a_model_like_others() {
    let unpaid = Script::fail(Error::new(ErrorKind::Quota, "")).after(3 * SECOND);
    let chain = crate::layer::Fallback::new().then(model("1").then(unpaid));
    let (reply, took) = ask(&Hedge::new(chain).or(model("2").then(slow("late", 6)))).await;
    let reply = reply.expect("the second");
    assert_eq!((reply.text().as_str(), reply.attempts.len(), took), ("late", 1, 8 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_streamed_reply_that_has_begun_is_not_raced_any_more() {
    let (first, second) = (model("1").then(Script::reply("one two three").each(SECOND)), model("2"));
    let request = ChatRequest::user("x").delivered(Delivery::Streamed);
    let reply = Hedge::new(first).or(second.clone()).stream(&request).await.expect("began").collect().await;
    assert_eq!((reply.expect("whole").text().as_str(), second.calls()), ("one two three", 0));
}
