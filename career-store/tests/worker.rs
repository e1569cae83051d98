//! The worker: at least once, in order, with backoff, and with an end.

#![cfg(feature = "worker")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use career_core::store::{Action, Batch, Claim, Draft, OutboxEntry, Query, Record, Rhythm, Schedule, Write};
use career_core::testkit::store::fixtures;
use career_core::{Error, ErrorKind, Event, Handler, Notification, Result, Store, StoreExt, Tag, User};
use career_store::worker::DeadLetters;
use career_store::{MemoryStore, Worker};

const SHORT: Duration = Duration::from_millis(1);

/// Does what a test says, with the number of the event and of the call.
struct Does<F>(F, AtomicU64);

impl<F> std::fmt::Debug for Does<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Does")
    }
}

#[async_trait]
impl<F: AsyncDo> Handler for Does<F> {
    async fn handle(&self, event: &Event, effects: &mut Batch) -> Result<()> {
        let Event::Custom { payload, key, .. } = event else { return Err(Error::invalid("not of this test")) };
        let call = self.1.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.run(payload.as_u64().expect("a number"), key.clone(), call, effects).await
    }
}

#[async_trait]
trait AsyncDo: Send + Sync + 'static {
    async fn run(&self, number: u64, key: String, call: u64, effects: &mut Batch) -> Result<()>;
}

#[async_trait]
impl<F: Fn(u64, String, u64, &mut Batch) -> (Duration, Result<()>) + Send + Sync + 'static> AsyncDo for F {
    async fn run(&self, number: u64, key: String, call: u64, effects: &mut Batch) -> Result<()> {
        let (wait, result) = self(number, key, call, effects);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        result
    }
}

fn does<F: Fn(u64, String, u64, &mut Batch) -> (Duration, Result<()>) + Send + Sync + 'static>(f: F) -> Does<F> {
    Does(f, AtomicU64::new(0))
}

fn at_once(result: Result<()>) -> (Duration, Result<()>) {
    (Duration::ZERO, result)
}

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable, "not now")
}

async fn emit(store: &dyn Store, events: impl IntoIterator<Item = (&'static str, u64)>) {
    let mut batch = Batch::new();
    for (key, number) in events {
        batch.emit(&fixtures::event("t", key, number));
    }
    store.commit(batch).await.expect("emitted");
}

fn store() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

fn worker(store: &Arc<dyn Store>, handler: impl Handler) -> Worker {
    Worker::new(Arc::clone(store)).on("t", handler).poll(SHORT).backoff(SHORT, SHORT)
}

async fn waiting(store: &dyn Store) -> u64 {
    store.count::<OutboxEntry>(&Query::all()).await.expect("counted")
}

/// Polls until a condition holds; a test that waits in vain fails after a minute.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..6_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: waited for a minute");
}

fn notify(user: career_core::Id<User>, title: impl Into<String>) -> Notification {
    Notification::builder().user(user).title(title).body("-").at(jiff::Timestamp::now()).build()
}

#[tokio::test]
async fn what_a_handler_writes_happens_once_with_the_settlement() {
    let store = store();
    let user = fixtures::kept_user(&*store).await;
    // The first call writes and then fails; the second succeeds.
    let handler = does(move |number, _, call, effects: &mut Batch| {
        effects.insert(&notify(user, format!("{number} by call {call}")));
        at_once(if call == 1 { Err(unavailable()) } else { Ok(()) })
    });
    emit(&*store, [("k", 7)]).await;
    let running = worker(&store, handler).spawn();
    until("the event is settled", async || waiting(&*store).await == 0).await;
    running.stop().await;
    let kept = store.list::<Notification>(&Query::owned_by(user)).await.expect("listed").items;
    assert_eq!(kept.iter().map(|n| n.title.as_str()).collect::<Vec<_>>(), ["7 by call 2"]);
}

#[tokio::test]
async fn an_event_that_always_fails_is_given_up_listed_and_revived() {
    let store = store();
    let broken = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let calls = Arc::new(AtomicU64::new(0));
    let handler = {
        let (broken, calls) = (Arc::clone(&broken), Arc::clone(&calls));
        does(move |number, _, _, _: &mut Batch| {
            calls.fetch_add(1, Ordering::SeqCst);
            at_once(if number == 1 && broken.load(Ordering::SeqCst) { Err(unavailable()) } else { Ok(()) })
        })
    };
    emit(&*store, [("k", 1), ("k", 2)]).await;
    let worker = worker(&store, handler).attempts(3);
    let running = worker.clone().spawn();
    until("only the dead one is left", async || {
        let dead = DeadLetters::of(&*store).list(None).await.expect("listed").items;
        dead.len() == 1 && waiting(&*store).await == 1
    })
    .await;
    running.stop().await;
    assert_eq!(calls.load(Ordering::SeqCst), 4, "three attempts at the first, one at the second");

    let letters = DeadLetters::of(&*store);
    let letter = letters.list(None).await.expect("listed").items.remove(0);
    assert_eq!((letter.attempts, letter.last_error.as_deref()), (3, Some("not now")));
    assert_eq!(letters.count().await.expect("counted")[0].count, 1);
    assert_eq!(worker.drain().await.expect("drained"), 0, "a dead event is not tried");

    broken.store(false, Ordering::SeqCst);
    assert_eq!(letters.revive_all().await.expect("revived"), 1);
    assert_eq!(worker.drain().await.expect("drained"), 1);
    assert_eq!(waiting(&*store).await, 0);
    assert_eq!(letters.revive(letter.id).await.expect_err("gone").kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_hopeless_event_is_given_up_at_once_and_can_be_thrown_away() {
    let store = store();
    emit(&*store, [("k", 1)]).await;
    let handled = worker(&store, does(|_, _, _, _: &mut Batch| at_once(Err(Error::invalid("never"))))).drain().await;
    assert_eq!(handled.expect("drained"), 1);
    let letters = DeadLetters::of(&*store);
    let letter = letters.list(None).await.expect("listed").items.remove(0);
    assert_eq!(letter.attempts, 1);
    letters.discard(letter.id).await.expect("discarded");
    assert_eq!(waiting(&*store).await, 0);

    emit(&*store, [("k", 2)]).await;
    let alive = store.first::<OutboxEntry>(&Query::all()).await.expect("asked").expect("there");
    assert_eq!(letters.discard(alive.id).await.expect_err("not dead").kind(), ErrorKind::IllegalState);
}

#[tokio::test]
async fn an_event_whose_handling_never_ends_is_given_up_too() {
    let store = store();
    emit(&*store, [("k", 1)]).await;
    // Workers that took it and were killed: nobody said that it failed.
    let far = jiff::SignedDuration::from_hours(1);
    for n in 0..3 {
        let claim = Claim::new("killed", 1, SHORT).at(jiff::Timestamp::now() + far * (n + 1));
        assert_eq!(store.claim(&claim).await.expect("claimed").len(), 1);
    }
    let mut entry = store.first::<OutboxEntry>(&Query::all()).await.expect("asked").expect("there");
    entry.due = jiff::Timestamp::now();
    store.update(&mut entry).await.expect("its lease has ended");
    let handler = does(|_, _, _, _: &mut Batch| panic!("it must not be tried again"));
    assert_eq!(worker(&store, handler).attempts(3).drain().await.expect("drained"), 1);
    let letter = DeadLetters::of(&*store).list(None).await.expect("listed").items.remove(0);
    assert_eq!(letter.last_error.as_deref(), Some("every attempt ended without an answer"));
}

#[tokio::test]
async fn a_worker_whose_handle_is_dropped_stops() {
    let store = store();
    drop(worker(&store, does(|_, _, _, _: &mut Batch| at_once(Ok(())))).spawn());
    tokio::time::sleep(Duration::from_millis(50)).await;
    emit(&*store, [("k", 1)]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(waiting(&*store).await, 1, "nobody takes it");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_given_up_whole() {
    let store = store();
    let id = career_core::Id::<OutboxEntry>::new();
    let keys = vec!["t".into(), "k".into(), "waiting".into(), fixtures::at(0).into()];
    let unread = Action::Insert(Draft::new(keys, r#"{"of":"another version"}"#.into()));
    store.commit(vec![Write::new(OutboxEntry::KIND, id.to_string(), unread)].into()).await.expect("kept");
    emit(&*store, [("k", 1)]).await;
    let handled = worker(&store, does(|_, _, _, _: &mut Batch| at_once(Ok(())))).drain().await.expect("drained");
    assert_eq!(handled, 2, "the one after it is handled");
    let letters = DeadLetters::of(&*store).list(None).await.expect("listed").items;
    assert_eq!(letters.iter().map(|letter| letter.id).collect::<Vec<_>>(), [id]);
    assert_eq!(letters[0].payload, r#"{"of":"another version"}"#, "nothing of it is lost");
}

#[tokio::test]
async fn a_schedule_that_cannot_fire_does_not_stop_the_others() {
    let store = store();
    let name = |name| Tag::new(name).expect("a slug");
    let never = Schedule::new(name("never"), Rhythm::Cron("0 0 31 2 *".into()), fixtures::at(0));
    store.put(&never).await.expect("kept");
    let unread = Action::Insert(Draft::new(vec![fixtures::at(1).into()], "{}".into()));
    store.commit(vec![Write::new(Schedule::KIND, "unread", unread)].into()).await.expect("kept");
    store.put(&Schedule::new(name("good"), Rhythm::EverySeconds(60), fixtures::at(2))).await.expect("kept");
    emit(&*store, [("k", 1)]).await;
    let times: Arc<Mutex<Vec<jiff::Timestamp>>> = Arc::default();
    let worker = Worker::new(Arc::clone(&store)).on("schedule-fired", Fired(Arc::clone(&times)));
    let worker = worker.schedule(name("unread"), Rhythm::EverySeconds(60)).expect("it comes round");
    assert_eq!(worker.drain().await.expect("drained"), 2, "the schedule's event and the other");
    assert_eq!(*times.lock().expect("no panic"), [fixtures::at(2)]);
}

#[tokio::test]
async fn a_handler_that_panics_has_failed_and_harms_nobody() {
    let store = store();
    emit(&*store, [("a", 1), ("b", 2)]).await;
    let handler = does(|number, _, call, _: &mut Batch| {
        assert!(number != 1 || call > 2, "this handler panics once");
        at_once(Ok(()))
    });
    let running = worker(&store, handler).concurrency(1).spawn();
    until("both are settled", async || waiting(&*store).await == 0).await;
    running.stop().await;
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_stopped() {
    let store = store();
    emit(&*store, [("k", 1)]).await;
    let handler =
        does(|_, _, call, _: &mut Batch| (if call == 1 { Duration::from_secs(3_600) } else { Duration::ZERO }, Ok(())));
    let running = worker(&store, handler).time_limit(Duration::from_millis(50)).spawn();
    until("the second attempt settles it", async || waiting(&*store).await == 0).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_keep_the_order_of_each_key() {
    let store = store();
    let keys = ["a", "b", "c", "d", "e"];
    emit(&*store, (0..100).flat_map(|n| keys.map(|key| (key, n)))).await;
    let seen: Arc<Mutex<HashMap<String, Vec<u64>>>> = Arc::default();
    let running: Vec<_> = (0..4)
        .map(|_| {
            let seen = Arc::clone(&seen);
            let handler = does(move |number, key, call, _: &mut Batch| {
                if call % 7 == 0 {
                    return at_once(Err(unavailable()));
                }
                seen.lock().expect("no panic").entry(key).or_default().push(number);
                at_once(Ok(()))
            });
            worker(&store, handler).attempts(1_000).spawn()
        })
        .collect();
    until("all are settled", async || waiting(&*store).await == 0).await;
    for worker in running {
        worker.stop().await;
    }
    let seen = seen.lock().expect("no panic");
    for key in keys {
        assert_eq!(seen[key], (0..100).collect::<Vec<u64>>(), "of {key} each once, in order");
    }
}

#[tokio::test]
async fn a_lease_is_renewed_while_the_handler_runs() {
    let store = store();
    emit(&*store, [("k", 1)]).await;
    let calls = Arc::new(AtomicU64::new(0));
    let slow = || {
        let calls = Arc::clone(&calls);
        does(move |_, _, _, _: &mut Batch| {
            calls.fetch_add(1, Ordering::SeqCst);
            (Duration::from_millis(600), Ok(()))
        })
    };
    let lease = Duration::from_millis(200);
    let (first, second) = (worker(&store, slow()).lease(lease).spawn(), worker(&store, slow()).lease(lease).spawn());
    until("it is settled", async || waiting(&*store).await == 0).await;
    first.stop().await;
    second.stop().await;
    assert_eq!(calls.load(Ordering::SeqCst), 1, "three leases long, and nobody else took it");
}

#[tokio::test]
async fn stopping_finishes_what_was_begun_and_begins_nothing() {
    let store = store();
    emit(&*store, [("a", 1), ("b", 2)]).await;
    let begun = Arc::new(tokio::sync::Notify::new());
    let handler = {
        let begun = Arc::clone(&begun);
        does(move |_, _, _, _: &mut Batch| {
            begun.notify_one();
            (Duration::from_millis(100), Ok(()))
        })
    };
    let running = worker(&store, handler).concurrency(1).spawn();
    begun.notified().await;
    running.stop().await;
    assert_eq!(waiting(&*store).await, 1, "one was finished, the other not begun");
}

#[tokio::test]
async fn what_outlasts_the_grace_comes_back() {
    let store = store();
    emit(&*store, [("a", 1)]).await;
    let begun = Arc::new(tokio::sync::Notify::new());
    let handler = {
        let begun = Arc::clone(&begun);
        does(move |_, _, _, _: &mut Batch| {
            begun.notify_one();
            (Duration::from_secs(3_600), Ok(()))
        })
    };
    let lease = Duration::from_millis(20);
    let running = worker(&store, handler).lease(lease).grace(SHORT).spawn();
    begun.notified().await;
    running.stop().await;
    let next = worker(&store, does(|_, _, _, _: &mut Batch| at_once(Ok(())))).spawn();
    until("another worker handles it", async || waiting(&*store).await == 0).await;
    next.stop().await;
}

#[tokio::test]
async fn events_without_a_handler_go_or_are_caught() {
    let store = store();
    emit(&*store, [("k", 1)]).await;
    assert_eq!(Worker::new(Arc::clone(&store)).drain().await.expect("drained"), 1);
    assert_eq!(waiting(&*store).await, 0);

    emit(&*store, [("k", 2)]).await;
    let caught = Arc::new(AtomicU64::new(0));
    let handler = {
        let caught = Arc::clone(&caught);
        does(move |number, _, _, _: &mut Batch| {
            caught.store(number, Ordering::SeqCst);
            at_once(Ok(()))
        })
    };
    Worker::new(Arc::clone(&store)).otherwise(handler).drain().await.expect("drained");
    assert_eq!(caught.load(Ordering::SeqCst), 2);
}

#[derive(Debug, Default)]
struct Fired(Arc<Mutex<Vec<jiff::Timestamp>>>);

#[async_trait]
impl Handler for Fired {
    async fn handle(&self, event: &Event, _: &mut Batch) -> Result<()> {
        if let Event::ScheduleFired { due, .. } = event {
            self.0.lock().expect("no panic").push(*due);
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_fires_once_however_many_workers_there_are() {
    let store = store();
    let name = Tag::new("every-second").expect("a slug");
    let times: Arc<Mutex<Vec<jiff::Timestamp>>> = Arc::default();
    let running: Vec<_> = (0..5)
        .map(|_| {
            let worker = Worker::new(Arc::clone(&store)).on("schedule-fired", Fired(Arc::clone(&times)));
            worker.poll(SHORT).schedule(name.clone(), Rhythm::EverySeconds(1)).expect("it comes round").spawn()
        })
        .collect();
    until("it came round three times", async || times.lock().expect("no panic").len() >= 3).await;
    for worker in running {
        worker.stop().await;
    }
    let mut fired = times.lock().expect("no panic").clone();
    let all = fired.len();
    fired.sort_unstable();
    fired.dedup();
    assert_eq!(fired.len(), all, "each time once");
    let kept = store.load::<Schedule>(&name).await.expect("there");
    assert!(kept.last >= fired.last().copied());
}

#[tokio::test]
async fn a_schedule_that_was_missed_is_made_up_for_once_and_one_that_changed_is_taken_over() {
    let store = store();
    let name = Tag::new("daily").expect("a slug");
    let long_ago = fixtures::at(0);
    store.put(&Schedule::new(name.clone(), Rhythm::EverySeconds(60), long_ago)).await.expect("kept");
    let times: Arc<Mutex<Vec<jiff::Timestamp>>> = Arc::default();
    let worker = Worker::new(Arc::clone(&store)).on("schedule-fired", Fired(Arc::clone(&times)));
    let same = worker.clone().schedule(name.clone(), Rhythm::EverySeconds(60)).expect("it comes round");
    assert_eq!(same.drain().await.expect("drained"), 1);
    assert_eq!(*times.lock().expect("no panic"), [long_ago], "once, for all the times that passed");

    let other = worker.clone().schedule(name.clone(), Rhythm::Cron("0 9 * * MON".into())).expect("it comes round");
    assert_eq!(other.drain().await.expect("drained"), 0);
    assert_eq!(store.load::<Schedule>(&name).await.expect("there").rhythm, Rhythm::Cron("0 9 * * MON".into()));
    let bad = worker.schedule(name, Rhythm::Cron("often".into()));
    assert_eq!(bad.expect_err("no expression").kind(), ErrorKind::Invalid);
}
