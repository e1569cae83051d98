use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

use futures_util::StreamExt as _;

use super::super::common::probe::{Probe, done, goes_on, reply, started};
use super::*;
use crate::{ChatEvent, ChatModelExt, Delivery, Error, ErrorKind, Opaque, Restarted, StopReason};

/// A cache in memory that can be broken (1) or hang (2).
#[derive(Default)]
struct Memory {
    values: Mutex<BTreeMap<String, (Bytes, Instant)>>,
    state: AtomicU8,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory")
    }
}

impl Memory {
    async fn check(&self) -> career_core::Result<()> {
        match self.state.load(Ordering::Relaxed) {
            0 => Ok(()),
            1 => Err(career_core::Error::new(career_core::ErrorKind::Unavailable, "no cache")),
            _ => std::future::pending().await,
        }
    }

    fn keys(&self) -> Vec<String> {
        self.values.lock().expect("not poisoned").keys().cloned().collect()
    }
}

#[async_trait]
impl Cache for Memory {
    async fn get(&self, key: &str) -> career_core::Result<Option<Bytes>> {
        self.check().await?;
        let values = self.values.lock().expect("not poisoned");
        Ok(values.get(key).filter(|(_, until)| *until > Instant::now()).map(|(value, _)| value.clone()))
    }

    async fn put(&self, key: &str, value: Bytes, time_to_live: Duration) -> career_core::Result<()> {
        self.check().await?;
        self.values.lock().expect("not poisoned").insert(key.to_owned(), (value, Instant::now() + time_to_live));
        Ok(())
    }

    async fn remove(&self, key: &str) -> career_core::Result<()> {
        self.values.lock().expect("not poisoned").remove(key);
        Ok(())
    }

    async fn remove_prefix(&self, prefix: &str) -> career_core::Result<u64> {
        let mut values = self.values.lock().expect("not poisoned");
        let before = values.len();
        values.retain(|key, _| !key.starts_with(prefix));
        Ok((before - values.len()) as u64)
    }
}

fn cached(probe: &Probe) -> (Arc<Memory>, CachedReplies<Probe>) {
    let memory = Arc::new(Memory::default());
    (memory.clone(), CachedReplies::new(probe.clone(), memory, "test"))
}

fn ask() -> ChatRequest {
    ChatRequest::user("hello")
}

fn events_of(events: Vec<ChatEvent>) -> Probe {
    Probe::new(move |_, _| Ok(ChatStream::from_events(events.clone().into_iter().map(Ok))))
}

async fn shown(stream: ChatStream) -> Vec<String> {
    let events: Vec<_> = futures_util::StreamExt::collect(stream).await;
    let show = |event: Result<ChatEvent>| match event.expect("an event") {
        ChatEvent::Text(text) => format!("text {text}"),
        ChatEvent::Reasoning(text) => format!("reasoning {text}"),
        ChatEvent::ToolCall { index, id, name } => format!("tool {index} {id} {name}"),
        ChatEvent::ToolInput { index, json } => format!("input {index} {json}"),
        ChatEvent::Started(started) => format!("started {} {:?}", started.model, started.request_id),
        ChatEvent::Done(done) => {
            let attempts: Vec<_> = done.attempts.iter().map(|attempt| attempt.model.to_string()).collect();
            format!("done {:?} {:?} {attempts:?}", done.stop.reason, done.usage.map(|usage| usage.total()))
        }
        other => format!("{other:?}"),
    };
    events.into_iter().map(show).collect()
}

#[tokio::test(start_paused = true)]
async fn an_equal_request_is_answered_from_the_cache_until_its_time_is_over() {
    let probe = Probe::new(|_, _| Ok(reply(&["Bota", "nist"])));
    let (_, model) = cached(&probe);
    let first = model.complete(&ask()).await.expect("asked");
    let equal = ask().delivered(Delivery::Streamed).within(Duration::from_secs(9)).on_behalf_of("u");
    let second = model.complete(&equal).await.expect("kept");
    assert_eq!((second.text(), second.model), (first.text(), first.model));
    assert!(!CachedReplies::is_hit(&first.attempts) && CachedReplies::is_hit(&second.attempts));
    assert_eq!((first.usage, second.usage), (Some(Usage::new(10, 5)), Some(Usage::default())));
    assert_eq!(probe.calls(), 1);
    model.complete(&ask().with_system("other")).await.expect("asked");
    assert_eq!(probe.calls(), 2);
    tokio::time::advance(Duration::from_secs(3_601)).await;
    model.complete(&ask()).await.expect("asked anew");
    assert_eq!(probe.calls(), 3);
}

#[tokio::test]
async fn a_hit_is_a_stream_of_joined_pieces() {
    let text = |text: &str| ChatEvent::Text(text.into());
    let opaque = || ChatEvent::Opaque(Box::new(Opaque::new("probe", serde_json::json!({"sign": 1}))));
    let mut begun = crate::Started::new(ModelId::new("probe", "1-dated"));
    begun.request_id = Some("r".into());
    let (_, model) = cached(&events_of(vec![
        ChatEvent::Started(Box::new(begun)),
        ChatEvent::Reasoning("h".into()),
        ChatEvent::Reasoning("m".into()),
        opaque(),
        text("a"),
        text(""),
        text("ब"),
        done(StopReason::End),
    ]));
    model.complete(&ask()).await.expect("asked");
    let hit = shown(model.stream(&ask()).await.expect("kept")).await;
    assert_eq!(
        hit,
        [
            "started probe/1-dated None",
            "reasoning hm",
            "Opaque(Opaque { provider: \"probe\", .. })",
            "text aब",
            "done End Some(0) [\"cache/test\"]"
        ]
    );
}

#[tokio::test]
async fn only_whole_replies_that_ended_by_themselves_are_kept() {
    let text = || ChatEvent::Text("some text".into());
    let tool = [
        ChatEvent::ToolCall { index: 0, id: "1".into(), name: "look".into() },
        ChatEvent::ToolInput { index: 0, json: "{".into() },
        ChatEvent::ToolInput { index: 0, json: "}".into() },
    ];
    let restarted = ChatEvent::Restarted(Box::new(Restarted::new(Error::protocol(""))));
    let unkept = [
        vec![started(), text(), done(StopReason::Length)],
        vec![started(), text(), done(StopReason::Filtered)],
        vec![started(), text(), done(StopReason::Other)],
        vec![started(), ChatEvent::Refusal("no".into()), done(StopReason::End)],
        vec![started(), text()],
        vec![started(), ChatEvent::Text("".into()), done(StopReason::End)],
        vec![started(), ChatEvent::Reasoning("hm".into()), done(StopReason::End)],
        [vec![started()], tool.to_vec(), vec![done(StopReason::ToolUse)]].concat(),
    ];
    for events in unkept {
        let probe = events_of(events.clone());
        let (memory, model) = cached(&probe);
        let first = model.complete(&ask()).await.is_ok();
        assert_eq!(model.complete(&ask()).await.is_ok(), first);
        assert_eq!((probe.calls(), memory.keys().len()), (2, 0), "{events:?}");
    }
    let probe = events_of([vec![started()], tool.to_vec(), vec![done(StopReason::ToolUse)]].concat());
    let model = cached(&probe).1.with_tool_calls(true);
    model.complete(&ask()).await.expect("asked");
    let hit = shown(model.stream(&ask()).await.expect("kept")).await;
    assert_eq!(hit[1..3], ["tool 0 1 look", "input 0 {}"]);

    let (_, model) = cached(&events_of(vec![started(), text(), restarted, started(), text(), done(StopReason::End)]));
    model.complete(&ask()).await.expect("asked");
    let hit = shown(model.stream(&ask()).await.expect("kept")).await;
    assert_eq!(hit[..2], ["started probe/1 None", "text some text"], "what is void is not kept");
    assert_eq!(hit.len(), 3);

    let probe = events_of(vec![started(), text(), text(), done(StopReason::End)]);
    let model = cached(&probe).1.with_max_bytes(17);
    model.complete(&ask()).await.expect("18 bytes");
    model.complete(&ask()).await.expect("18 bytes");
    assert_eq!(probe.calls(), 2);
}

#[tokio::test]
async fn who_wants_variety_gets_it() {
    let probe = Probe::says("ok");
    let (memory, model) = cached(&probe);
    for (request, kept) in [
        (ask().with_temperature(0.9), false),
        (ask().with_temperature(f32::INFINITY), false),
        (ask().with_temperature(0.9).with_seed(7), true),
        (ask().with_temperature(0.3), true),
        (ask(), true),
    ] {
        let before = memory.keys().len();
        model.complete(&request).await.expect("asked");
        assert_eq!(memory.keys().len() > before, kept, "{:?} {:?}", request.temperature, request.seed);
    }
}

#[tokio::test]
async fn callers_can_have_replies_of_their_own_that_can_be_forgotten() {
    let probe = Probe::says("ok");
    let (memory, model) = cached(&probe);
    let model = model.with_per_caller(true);
    for caller in ["a", "b", "a"] {
        model.complete(&ask().on_behalf_of(caller)).await.expect("answered");
    }
    model.complete(&ask()).await.expect("nobody's");
    assert_eq!((probe.calls(), memory.keys().len()), (3, 3));
    assert_eq!(model.forget("a").await.expect("forgotten"), 1);
    assert_eq!(model.clear().await.expect("forgotten"), 2);
    assert_eq!(memory.keys().len(), 0);
}

#[tokio::test]
async fn other_models_namespaces_and_versions_do_not_mix() {
    let memory = Arc::new(Memory::default());
    for namespace in ["v1", "v2"] {
        let probe = Probe::says("ok");
        CachedReplies::new(probe.clone(), memory.clone(), namespace).complete(&ask()).await.expect("asked");
        assert_eq!(probe.calls(), 1, "{namespace}");
    }
    let (_, model) = cached(&Probe::says("ok"));
    let key = |model_name: &str| model.key(&ModelId::new("p", model_name), &ask()).expect("a key");
    assert_ne!(key("1"), key("2"));
}

#[tokio::test(start_paused = true)]
async fn of_equal_requests_at_once_one_goes_out() {
    let probe = Probe::new(|_, _| {
        let piece = |event, after| async move {
            tokio::time::sleep(Duration::from_secs(after)).await;
            Ok(event)
        };
        let events = [(started(), 1), (ChatEvent::Text("ok".into()), 1), (done(StopReason::End), 1)];
        Ok(ChatStream::new(futures_util::stream::iter(events).then(move |(event, after)| piece(event, after))))
    });
    let (memory, model) = cached(&probe);
    // The reply goes from one to the other, also where the cache is broken.
    memory.state.store(1, Ordering::Relaxed);
    let asked = ask();
    let replies = futures_util::future::join_all((0..50).map(|_| model.complete(&asked))).await;
    assert!(replies.iter().all(|reply| reply.as_ref().is_ok_and(|reply| reply.text() == "ok")));
    assert_eq!(probe.calls(), 1);
    let hits = replies.iter().flatten().filter(|reply| CachedReplies::is_hit(&reply.attempts)).count();
    assert_eq!(hits, 49);
}

#[tokio::test(start_paused = true)]
async fn when_the_first_fails_the_others_ask_for_themselves() {
    let probe = Probe::new(|at, _| if at == 0 { Err(Error::new(ErrorKind::Auth, "")) } else { Ok(reply(&["ok"])) });
    let (_, model) = cached(&probe);
    let asked = ask();
    let replies = futures_util::future::join_all((0..4).map(|_| model.complete(&asked))).await;
    assert_eq!(replies.iter().filter(|reply| reply.is_ok()).count(), 3);
    assert_eq!(probe.calls(), 4);

    let slow = Probe::new(|_, _| Ok(ChatStream::new(futures_util::stream::pending())));
    let (_, model) = cached(&slow);
    let first = model.stream(&asked).await.expect("under way");
    let mut second = Box::pin(model.stream(&asked));
    assert!(goes_on(&mut second).await, "waits");
    drop(first);
    second.await.expect("asks for itself");
    assert_eq!(slow.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn when_the_first_is_dropped_one_of_the_others_goes_out_in_its_place() {
    let probe = Probe::new(|at, _| match at {
        0 => Ok(ChatStream::new(futures_util::stream::pending())),
        _ => Ok(reply(&["ok"])),
    });
    let (_, model) = cached(&probe);
    let asked = ask();
    let first = model.stream(&asked).await.expect("under way");
    let others = futures_util::future::join_all((0..20).map(|_| model.complete(&asked)));
    let drops = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(first);
    };
    let (replies, ()) = tokio::join!(others, drops);
    assert!(replies.iter().all(|reply| reply.as_ref().is_ok_and(|reply| reply.text() == "ok")));
    assert_eq!(probe.calls(), 2, "the first, and one for all others");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_another_longer_than_half_of_what_is_left() {
    let slow = Probe::new(|_, _| Ok(ChatStream::new(futures_util::stream::pending())));
    let (_, model) = cached(&slow);
    let _first = model.stream(&ask()).await.expect("under way");
    for (request, waited) in [(ask().within(Duration::from_secs(6)), 3), (ask(), 10)] {
        let began = Instant::now();
        let _stream = model.stream(&request).await.expect("asks for itself");
        assert_eq!(began.elapsed().as_secs(), waited);
    }
    assert_eq!(slow.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_broken_cache_breaks_no_reply() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let probe = Probe::says("ok");
    let (memory, model) = cached(&probe);
    let model = model.with_on_error(move |error| tell.lock().expect("not poisoned").push(error.kind()));
    for (state, failures) in [(1, 2), (2, 4)] {
        memory.state.store(state, Ordering::Relaxed);
        assert_eq!(model.complete(&ask()).await.expect("asked").text(), "ok");
        assert_eq!(model.failures(), failures, "one to read, one to keep");
    }
    memory.state.store(0, Ordering::Relaxed);
    model.complete(&ask()).await.expect("kept now");
    let key = memory.keys().remove(0);
    memory.put(&key, Bytes::from_static(b"[{\"text\":"), Duration::from_secs(9)).await.expect("kept");
    assert_eq!(model.complete(&ask()).await.expect("asked").text(), "ok");
    assert_eq!(told.lock().expect("not poisoned").last(), Some(&career_core::ErrorKind::Corrupt));
    assert_eq!(probe.calls(), 4);
}

#[tokio::test]
async fn neither_keys_nor_debug_show_who_asks_or_what() {
    let (memory, model) = cached(&Probe::says("secret words"));
    let model = model.with_per_caller(true);
    model.complete(&ChatRequest::user("secret words").on_behalf_of("secret id")).await.expect("kept");
    let shown = format!("{model:?} {:?}", memory.keys());
    assert!(!shown.contains("secret"), "{shown}");
}
