use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::{Sleep, sleep};

use super::*;
use crate::transport::echo::Echo;
use crate::transport::{Limits, Timeouts};
use crate::wire::{Framing, Wire as _};
use crate::{ChatStream, Delivery, Timeout};

/// A body that waits so many seconds before each chunk, and then for ever, unless it ends.
struct Script {
    steps: VecDeque<(u64, Result<Option<&'static str>>)>,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Body for Script {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let Some((seconds, _)) = self.steps.front() else { return Poll::Pending };
        if *seconds > 0 {
            let wait = self.wait.get_or_insert_with(|| Box::pin(sleep(Duration::from_secs(*seconds))));
            std::task::ready!(wait.as_mut().poll(cx));
        }
        self.wait = None;
        let (_, chunk) = self.steps.pop_front().expect("looked at above");
        Poll::Ready(chunk.map(|chunk| chunk.map(Bytes::from)))
    }
}

type Step = (u64, Result<Option<&'static str>>);

fn chunk(seconds: u64, bytes: &'static str) -> Step {
    (seconds, Ok(Some(bytes)))
}

fn reply(steps: Vec<Step>, delivery: Delivery, deadline: Option<u64>) -> Reply<Script> {
    let deadline = deadline.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let (framing, decode) = Echo(Framing::Sse).decoder("m", delivery);
    Reply::new(
        Script { steps: steps.into(), wait: None },
        Cutter::new(framing, &Limits::default(), None),
        decode,
        Watch::start(&Timeouts::default(), delivery, deadline),
        Facts { model: ModelId::new("echo", "m"), status: 200, request_id: Some("r-1".to_owned()), schema: None },
    )
}

/// The words of a reply, how it ended, and when.
async fn read(steps: Vec<Step>, delivery: Delivery, deadline: Option<u64>) -> (String, Result<()>, u64) {
    let began = Instant::now();
    let mut stream = ChatStream::new(reply(steps, delivery, deadline));
    let (mut words, mut end) = (String::new(), Ok(()));
    while let Some(event) = stream.next().await {
        match event {
            Ok(ChatEvent::Text(text)) => words.push_str(&text),
            Ok(_) => {}
            Err(error) => end = Err(error),
        }
    }
    (words, end, began.elapsed().as_secs())
}

async fn times_out(steps: Vec<Step>, delivery: Delivery, deadline: Option<u64>) -> (Timeout, String, u64) {
    let (words, end, after) = read(steps, delivery, deadline).await;
    match end.expect_err("it hangs").kind() {
        ErrorKind::Timeout(which) => (which, words, after),
        other => panic!("{other}"),
    }
}

const S: Delivery = Delivery::Streamed;

#[tokio::test(start_paused = true)]
async fn headers_pings_and_starts_are_no_first_content() {
    let pings = || (0..100).map(|_| chunk(5, ": ping\n\ndata: ...\n\n")).collect();
    assert_eq!(times_out(pings(), S, None).await, (Timeout::FirstContent, String::new(), 60));
    assert_eq!(times_out(vec![], S, None).await, (Timeout::FirstContent, String::new(), 60));
}

#[tokio::test(start_paused = true)]
async fn idle_is_counted_from_the_last_content_and_not_from_pings() {
    let mut steps = vec![chunk(20, "data: a\n\n"), chunk(25, "data: b\n\n")];
    steps.extend((0..100).map(|_| chunk(5, ": ping\n\n")));
    assert_eq!(times_out(steps, S, None).await, (Timeout::Idle, "ab".to_owned(), 75));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_while_content_flows() {
    let steps = || (0..100).map(|_| chunk(1, "data: a\n\n")).collect();
    let (which, words, after) = times_out(steps(), S, Some(10)).await;
    assert_eq!((which, after), (Timeout::Deadline, 10));
    assert!((9..=10).contains(&words.len()), "{words}");
}

#[tokio::test(start_paused = true)]
async fn a_whole_reply_is_waited_for_as_a_whole() {
    let steps = || vec![chunk(100, "{\"a\""), chunk(10, ":1}")];
    let (words, end, after) = read([steps(), vec![(5, Ok(None))]].concat(), Delivery::Whole, None).await;
    assert_eq!((words.as_str(), end.is_ok(), after), ("{\"a\":1}", true, 115));
    let hung = times_out(steps(), Delivery::Whole, None).await;
    assert_eq!(hung, (Timeout::FirstContent, String::new(), 120));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_was_away_finds_what_came_meanwhile() {
    let steps = vec![chunk(1, "data: a\n\n"), chunk(0, ": ping\n\n"), chunk(0, "data: b\n\ndata: [DONE]\n\n")];
    let mut stream = reply(steps, S, None);
    assert!(matches!(stream.next().await, Some(Ok(ChatEvent::Started(_)))));
    assert!(matches!(stream.next().await, Some(Ok(ChatEvent::Text(_)))));
    sleep(Duration::from_secs(3600)).await;
    assert!(matches!(stream.next().await, Some(Ok(ChatEvent::Text(text))) if text == "b"));
    assert!(matches!(stream.next().await, Some(Ok(ChatEvent::Done(_)))));
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_caller_takes_is_not_the_servers_silence() {
    // After a ping and a while away, the next piece still has to come over the network.
    let steps = vec![chunk(20, "data: a\n\n"), chunk(0, ": ping\n\n"), chunk(25, "data: b\n\n")];
    let mut stream = reply(steps, S, None);
    stream.watch.head(Instant::now());
    sleep(Duration::from_secs(50)).await;
    assert!(matches!(stream.next().await, Some(Ok(ChatEvent::Started(_)))));
    assert!(matches!(stream.next().await, Some(Ok(ChatEvent::Text(text))) if text == "a"));
    sleep(Duration::from_secs(3600)).await;
    assert!(matches!(stream.next().await, Some(Ok(ChatEvent::Text(text))) if text == "b"));
    let began = Instant::now();
    let error = stream.next().await.expect("an item").expect_err("nothing more comes");
    assert_eq!((error.kind(), began.elapsed().as_secs()), (ErrorKind::Timeout(Timeout::Idle), 30));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_pauses_stops_neither_the_clock_nor_others() {
    // All chunks are there at once, so the body alone never makes the reader wait.
    let mut stream = reply((0..10_000).map(|_| chunk(0, ": ping\n\n")).collect(), S, None);
    let mut turns = 0;
    let error = loop {
        match std::future::poll_fn(|cx| Poll::Ready(stream.poll_next_unpin(cx))).await {
            Poll::Ready(item) => break item.expect("an item").expect_err("no content"),
            Poll::Pending => tokio::time::advance(Duration::from_secs(1)).await,
        }
        turns += 1;
    };
    assert_eq!((error.kind(), turns), (ErrorKind::Timeout(Timeout::FirstContent), 60));
    // It woke itself, or this would hang.
    let mut steps: Vec<Step> = (0..1000).map(|_| chunk(0, ": ping\n\n")).collect();
    steps.push(chunk(0, "data: a\n\ndata: [DONE]\n\n"));
    assert_eq!(read(steps, S, None).await.2, 0);
}

#[tokio::test(start_paused = true)]
async fn the_start_is_completed_and_errors_tell_whose_they_are() {
    let mut stream = reply(vec![chunk(0, "data: a\n\ndata: !\n\ndata: b\n\n")], S, None);
    let Some(Ok(ChatEvent::Started(started))) = stream.next().await else { panic!("no start") };
    assert_eq!(started.model, ModelId::new("echo", "m"));
    assert_eq!(started.request_id.as_deref(), Some("r-1"));
    assert!(matches!(stream.next().await, Some(Ok(ChatEvent::Text(text))) if text == "a"));
    let error = stream.next().await.expect("an item").expect_err("the provider's");
    assert_eq!(error.to_string(), "echo/m: overloaded (HTTP 200): echo [request r-1]");
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_end_without_done_is_an_error_that_says_where() {
    let cut = |body| async move {
        let (_, end, _) = read(vec![chunk(0, body), (0, Ok(None))], S, None).await;
        end.expect_err("cut short").message().to_owned()
    };
    assert_eq!(cut("data: a\n\n").await, "echo was cut short");
    assert_eq!(cut("data: a\n\ndata: [DO").await, "the stream was cut short within an event");
    assert_eq!(cut("").await, "echo was cut short");
}

#[tokio::test(start_paused = true)]
async fn what_came_before_a_break_is_given_first() {
    let steps = vec![chunk(0, "data: a\n\ndata: b\n\n"), (1, Err(Error::new(ErrorKind::Network, "reset")))];
    let (words, end, _) = read(steps, S, None).await;
    assert_eq!((words.as_str(), end.expect_err("it broke").kind()), ("ab", ErrorKind::Network));
    let steps = vec![chunk(0, "data: a\n\ndata: \u{0}\n\ndata: [DONE]\n\ndata: never\n\n")];
    assert_eq!(read(steps, S, None).await.0, "a\u{0}");
}
