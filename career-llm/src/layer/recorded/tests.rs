use std::path::PathBuf;

use futures_util::StreamExt as _;

use super::super::common::probe::{Probe, done, events, reply, started};
use super::*;
use crate::{ChatEvent, ChatModelExt, Delivery, Message, Restarted, StopReason, Text};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("c.jsonl")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).expect("a file")
    }
}

fn ask(text: &str) -> ChatRequest {
    ChatRequest::user(text)
}

fn cause(error: &Error) -> CassetteError {
    let source = std::error::Error::source(error).expect("a source");
    source.downcast_ref::<CassetteError>().expect("of a cassette").clone()
}

/// Everything that a call gives, with its texts.
async fn shown(model: &impl ChatModel, request: &ChatRequest) -> Vec<String> {
    let show = |item: Result<ChatEvent>| match item {
        Ok(ChatEvent::Text(text)) => format!("text {text}"),
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("{error:?} {:?}", error.partial().map(Text::as_str)),
    };
    match model.stream(request).await {
        Ok(stream) => futures_util::StreamExt::collect::<Vec<_>>(stream.map(show)).await,
        Err(error) => vec![show(Err(error))],
    }
}

#[tokio::test]
async fn what_was_recorded_is_played_event_by_event() {
    let restarted = || ChatEvent::Restarted(Box::new(Restarted::new(Error::protocol("cut").with_partial("bo"))));
    let broken = || Error::new(ErrorKind::Interrupted, "broke").with_partial("bo").with_status(200);
    let probe = Probe::new(move |at, _| {
        let text = |text: &str| Ok(ChatEvent::Text(text.into()));
        Ok(ChatStream::from_events(match at {
            0 => events(&["bota", "नि", "st"]),
            1 => vec![Ok(started()), text("bo"), Err(broken())],
            2 => vec![Ok(started()), text("bo"), Ok(restarted()), Ok(started()), text("ok"), Ok(done(StopReason::End))],
            3 => return Err(Error::new(ErrorKind::Throttled, "slow").with_after(std::time::Duration::from_secs(3))),
            _ => vec![Ok(started()), text("cut short")],
        }))
    });
    let folder = Folder::new();
    let model = Recorded::new(probe.clone(), folder.path(), RecordMode::Record).expect("a new file");
    let mut was = Vec::new();
    for _ in 0..5 {
        was.push(shown(&model, &ask("hello")).await);
    }
    drop(model);
    let played = Recorded::replay(folder.path()).expect("a cassette");
    assert_eq!((played.id(), played.unplayed()), (probe.id(), 5));
    for was in was {
        assert_eq!(shown(&played, &ask("hello").delivered(Delivery::Whole).on_behalf_of("u")).await, was);
    }
    let error = played.complete(&ask("hello")).await.expect_err("all are played");
    assert!(matches!(cause(&error), CassetteError::Exhausted { times: 5, .. }));
    assert_eq!((error.kind(), probe.calls()), (ErrorKind::Config, 5));
}

#[tokio::test]
async fn a_request_that_is_not_there_says_how_it_differs_without_words() {
    let folder = Folder::new();
    let recording = Recorded::new(Probe::says("ok"), folder.path(), RecordMode::Record).expect("a new file");
    let known = ask("my secret").with_system("secret orders").with_temperature(0.2);
    recording.complete(&known).await.expect("recorded");
    recording.complete(&ask("a").with(Message::assistant("b")).with(Message::user("c"))).await.expect("recorded");
    let model = Recorded::new(Probe::says("ok"), folder.path(), RecordMode::Replay).expect("a cassette");
    for (request, difference) in [
        (known.clone().with_temperature(0.3), "temperature: 0.3, recorded 0.2"),
        (known.clone().with_seed(1), "seed: 1, recorded without"),
        (ask("my secret").with_temperature(0.2), "system: nothing, recorded text of 13 bytes"),
        (ask("my sacred").with_system("secret orders").with_temperature(0.2), "messages[0]: user: text of 9 bytes ("),
        (known.clone().with_seed(1).with_top_p(0.5).with_max_output_tokens(9).with_stop("x"), "; and 1 more"),
    ] {
        let error = model.complete(&request).await.expect_err("not recorded");
        let shown = error.to_string();
        assert!(shown.contains(difference) && shown.contains("c.jsonl"), "{shown}");
        assert!(!format!("{shown} {error:?}").contains("secret"), "{shown}");
        assert!(matches!(cause(&error), CassetteError::Unknown { .. }));
    }
    assert!(!folder.text().contains("secret"), "requests are not on it");
}

#[tokio::test]
async fn what_is_missing_is_recorded_where_that_is_chosen() {
    let folder = Folder::new();
    let probe = Probe::new(|at, _| Ok(reply(&[["zero", "one", "two"][at]])));
    let open = || Recorded::new(probe.clone(), folder.path(), RecordMode::ReplayOrRecord).expect("a cassette");
    let first = open();
    assert_eq!(first.complete(&ask("a")).await.expect("asked").text(), "zero");
    assert_eq!(first.complete(&ask("a")).await.expect("asked again").text(), "one");
    let second = open();
    for text in ["zero", "one", "two"] {
        assert_eq!(second.complete(&ask("a")).await.expect("answered").text(), text);
    }
    assert_eq!((probe.calls(), folder.text().lines().count()), (3, 4));
}

#[tokio::test]
async fn a_stream_that_nobody_waited_for_is_recorded_as_far_as_it_came() {
    let folder = Folder::new();
    let model = Recorded::new(Probe::says("ok"), folder.path(), RecordMode::Record).expect("a new file");
    let mut stream = model.stream(&ask("a")).await.expect("a stream");
    stream.next().await;
    stream.next().await;
    drop(stream);
    let mut played = Recorded::replay(folder.path()).expect("a cassette").stream(&ask("a")).await.expect("a stream");
    assert!(matches!(played.next().await, Some(Ok(ChatEvent::Started(_)))));
    assert!(matches!(played.next().await, Some(Ok(ChatEvent::Text(_)))));
    let error = played.next().await.expect("an item").expect_err("no more");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[tokio::test]
async fn a_file_that_is_no_cassette_is_refused_by_line() {
    let folder = Folder::new();
    let model = Recorded::new(Probe::says("secret नमस्ते"), folder.path(), RecordMode::Record).expect("a new file");
    model.complete(&ask("a")).await.expect("recorded");
    model.complete(&ask("b")).await.expect("recorded");
    let whole = folder.text();
    assert!(matches!(whole.lines().count(), 3));
    let opened = |text: &[u8]| {
        std::fs::write(folder.path(), text).expect("written");
        let error = Recorded::replay(folder.path()).expect_err("no cassette");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Config);
        cause(&error)
    };
    let second = whole.find('\n').expect("a line") + 1;
    let third = second + whole[second..].find('\n').expect("a line") + 1;
    for cut in third + 1..whole.len() {
        assert!(matches!(opened(&whole.as_bytes()[..cut]), CassetteError::Cut { line: 3, .. }), "cut at {cut}");
    }
    assert!(matches!(
        opened(whole.replacen("\"reply\"", "\"rely\"", 1).as_bytes()),
        CassetteError::Line { line: 2, column: 2.., .. }
    ));
    assert!(matches!(
        opened(whole.replacen("\"cassette\":1", "\"cassette\":2", 1).as_bytes()),
        CassetteError::Header { .. }
    ));
    assert!(matches!(opened(b""), CassetteError::Header { .. }));
    assert!(matches!(opened(&whole.as_bytes()[second..]), CassetteError::Header { .. }));
    std::fs::write(folder.path(), &whole).expect("written");
    assert_eq!(Recorded::replay(folder.path()).expect("whole again").unplayed(), 2);
    let nowhere = Recorded::replay(folder.0.path().join("other")).expect_err("no file");
    assert_eq!(nowhere.kind(), ErrorKind::Backend);
}

#[tokio::test]
async fn a_cassette_is_of_one_model() {
    let folder = Folder::new();
    Recorded::new(Probe::says("ok"), folder.path(), RecordMode::Record).expect("a new file");
    let other = Absent(ModelId::new("other", "2"));
    for mode in [RecordMode::Replay, RecordMode::Record, RecordMode::ReplayOrRecord] {
        let error = Recorded::new(other.clone(), folder.path(), mode).expect_err("another's");
        assert!(error.to_string().ends_with("recorded from probe/1, not from other/2"), "{error}");
    }
}
