//! Events: claimed, settled, tried again, given up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::assert_kind;
use super::concurrency::join_all;
use super::fixtures::{event, user};
use crate::store::{Action, Batch, Claim, Draft, OutboxEntry, Query, Record, Rhythm, Schedule, Versioned, Write};
use crate::{Conflict, ErrorKind, Event, Id, Store, StoreExt, Tag, User};

const LEASE: Duration = Duration::from_secs(60);

async fn emit(store: &dyn Store, events: &[Event]) {
    let mut batch = Batch::new();
    for event in events.iter() {
        batch.emit(event);
    }
    store.commit(batch).await.expect("emitted");
}

async fn claim(store: &dyn Store, limit: u32, now: Timestamp) -> Vec<Versioned<OutboxEntry>> {
    store.claim(&Claim::new("the suite", limit, LEASE).at(now)).await.expect("claimed")
}

async fn settle(store: &dyn Store, entries: &[Versioned<OutboxEntry>]) {
    let mut batch = Batch::new();
    for entry in entries.iter() {
        batch.settle(entry);
    }
    store.commit(batch).await.expect("settled");
}

fn number(entry: &OutboxEntry) -> u64 {
    match entry.event().expect("an event") {
        Event::Custom { payload, .. } => payload.as_u64().expect("a number"),
        other => panic!("another event: {other:?}"),
    }
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(seconds)
}

/// An event is given once, with what it says, and is gone when it was settled.
///
/// # Panics
///
/// When it is not so.
pub async fn events_come_once_and_go_when_settled(store: &dyn Store) {
    let user: Id<User> = Id::new();
    emit(store, &[Event::ProfileChanged { user }]).await;
    let now = later(1);
    let entries = claim(store, 10, now).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].event().expect("an event"), Event::ProfileChanged { user });
    assert_eq!((entries[0].attempts, entries[0].worker.as_deref()), (1, Some("the suite")));
    assert_eq!(claim(store, 10, now).await, [], "it is leased");
    settle(store, &entries).await;
    assert_eq!(claim(store, 10, later(10_000)).await, [], "it was settled");
    assert_eq!(store.count::<OutboxEntry>(&Query::all()).await.expect("counted"), 0);
}

/// A commit that fails emits nothing; one that does something emits with it.
///
/// # Panics
///
/// When it is not so.
pub async fn a_failed_commit_emits_nothing(store: &dyn Store) {
    let user = user();
    let with_event = |number| {
        let mut batch = Batch::new();
        batch.emit(&event("together", "k", number)).insert(&user);
        batch
    };
    store.commit(with_event(1)).await.expect("new");
    assert_kind(store.commit(with_event(2)).await, ErrorKind::Conflict);
    let entries = claim(store, 10, later(1)).await;
    assert_eq!(entries.iter().map(|entry| number(entry)).collect::<Vec<_>>(), [1]);
    settle(store, &entries).await;
}

/// Of each key the earliest event is given, the next when it was settled, not while it waits to be tried again; other
/// keys do not wait for it.
///
/// # Panics
///
/// When the order is another.
pub async fn each_key_is_handled_in_order(store: &dyn Store) {
    emit(store, &[event("t", "a", 1), event("t", "a", 2), event("t", "b", 3), event("t", "a", 4)]).await;
    let now = later(1);
    let mut first = claim(store, 10, now).await;
    let mut numbers: Vec<u64> = first.iter().map(|entry| number(entry)).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 3], "the heads of two keys");
    assert_eq!(claim(store, 10, now).await, [], "the others wait for them");

    first.sort_by_key(|entry| number(entry));
    let mut failed = first.remove(0);
    failed.retry(now + SignedDuration::from_secs(5), "it did not work");
    store.update(&mut failed).await.expect("its lease is good");
    settle(store, &first).await;
    assert_eq!(claim(store, 10, now).await, [], "the head is not due yet");

    let again = claim(store, 10, now + SignedDuration::from_secs(5)).await;
    assert_eq!(again.len(), 1);
    assert_eq!((number(&again[0]), again[0].attempts), (1, 2));
    assert_eq!(again[0].last_error.as_deref(), Some("it did not work"));
    settle(store, &again).await;
    for expected in [2, 4] {
        let next = claim(store, 10, now).await;
        assert_eq!(next.iter().map(|entry| number(entry)).collect::<Vec<_>>(), [expected]);
        settle(store, &next).await;
    }
}

/// A lease that has ended is given to another worker; the first one cannot settle any more.
///
/// # Panics
///
/// When it can.
pub async fn a_lease_ends_and_the_late_worker_learns_it(store: &dyn Store) {
    emit(store, &[event("t", "k", 1)]).await;
    let now = later(1);
    let late = claim(store, 1, now).await;
    assert_eq!(claim(store, 1, now + SignedDuration::from_secs(59)).await, []);
    let second = claim(store, 1, now + SignedDuration::from_secs(61)).await;
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].attempts, 2);
    let user = user();
    let mut batch = Batch::new();
    batch.insert(&user).settle(&late[0]);
    let error = assert_kind(store.commit(batch).await, ErrorKind::Conflict);
    assert!(matches!(error.conflict(), Some(Conflict::Version { kind: "events", .. })), "{error}");
    assert!(store.get::<User>(&user.id).await.expect("asked").is_none(), "the work of the late worker is not kept");
    settle(store, &second).await;
}

/// An event that is due later is given then.
///
/// # Panics
///
/// When it is given before.
pub async fn events_are_not_given_before_they_are_due(store: &dyn Store) {
    let due = later(3_600);
    let mut batch = Batch::new();
    batch.emit_at(&event("t", "k", 1), due);
    store.commit(batch).await.expect("emitted");
    assert_eq!(claim(store, 10, due - SignedDuration::from_secs(1)).await, []);
    let entries = claim(store, 10, due).await;
    assert_eq!(entries.len(), 1);
    settle(store, &entries).await;
}

/// A dead event is listed, is not given, lets the ones after it pass, and is given again when revived.
///
/// # Panics
///
/// When it is not so.
pub async fn the_dead_stand_in_nobodys_way_and_can_be_revived(store: &dyn Store) {
    emit(store, &[event("t", "k", 1), event("t", "k", 2)]).await;
    let now = later(1);
    let mut poison = claim(store, 1, now).await.remove(0);
    poison.bury("it never works");
    store.update(&mut poison).await.expect("its lease is good");
    let next = claim(store, 10, now + SignedDuration::from_secs(100)).await;
    assert_eq!(next.iter().map(|entry| number(entry)).collect::<Vec<_>>(), [2]);
    settle(store, &next).await;

    emit(store, &[event("t", "k", 3)]).await;
    let held = claim(store, 10, now).await;
    let mut dead = store.list::<OutboxEntry>(&Query::all().key("state", "dead")).await.expect("listed").items;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].last_error.as_deref(), Some("it never works"));
    dead[0].revive(now);
    store.update(&mut dead[0]).await.expect("revived");
    assert_eq!(claim(store, 10, now).await, [], "a worker holds a later one of its key");
    settle(store, &held).await;
    let again = claim(store, 10, now).await;
    assert_eq!(again.iter().map(|entry| number(entry)).collect::<Vec<_>>(), [1]);
    settle(store, &again).await;
}

/// An event whose document does not parse is given like others, as what it is, and stops none.
///
/// # Panics
///
/// When it stops them, or is lost.
pub async fn an_event_that_cannot_be_read_stops_no_other(store: &dyn Store) {
    let id: Id<OutboxEntry> = Id::new();
    let keys = vec!["t".into(), "k".into(), "waiting".into(), later(-10).into()];
    let write = Write::new(OutboxEntry::KIND, id.to_string(), Action::Insert(Draft::new(keys, "{}".into())));
    store.commit(vec![write].into()).await.expect("a store does not look into documents");
    emit(store, &[event("t", "another", 1)]).await;
    let mut entries = claim(store, 10, later(1)).await;
    assert_eq!(entries.len(), 2);
    entries.sort_by_key(|entry| entry.id != id);
    assert_eq!(entries[0].id, id);
    assert_kind(entries[0].event(), ErrorKind::Corrupt);
    assert_eq!(entries[0].payload, "{}");
    assert_eq!(number(&entries[1]), 1);
    settle(store, &entries).await;
}

/// Many workers that claim at once get every event, each of them once.
///
/// # Panics
///
/// When one is missing or given twice.
pub async fn many_workers_share_without_doubles(store: &dyn Store) {
    let events: Vec<Event> = (0..60).map(|n| event("t", &format!("key-{}", n % 20), n)).collect();
    emit(store, &events).await;
    let now = later(1);
    let workers = (0..6).map(|_| async {
        let mut taken = Vec::new();
        // Another worker may hold the heads of all keys for a moment; a few empty answers are not the end.
        let mut empty = 0;
        while empty < 50 {
            let entries = claim(store, 3, now).await;
            empty = if entries.is_empty() { empty + 1 } else { 0 };
            taken.extend(entries.iter().map(|entry| number(entry)));
            settle(store, &entries).await;
        }
        taken
    });
    let mut taken: Vec<u64> = join_all(workers).await.into_iter().flatten().collect();
    taken.extend(claim(store, 1_000, now).await.iter().map(|entry| number(entry)));
    taken.sort_unstable();
    assert_eq!(taken, (0..60).collect::<Vec<u64>>());
    assert_eq!(store.count::<OutboxEntry>(&Query::all()).await.expect("counted"), 0);
}

/// A schedule that many try to fire fires once.
///
/// # Panics
///
/// When it fires more often, or not.
pub async fn a_schedule_fires_once(store: &dyn Store) {
    let due = later(-10);
    let name = Tag::new(format!("daily-{}", Id::<User>::new())).expect("a slug");
    store.put(&Schedule::new(name.clone(), Rhythm::EverySeconds(60), due)).await.expect("kept");
    let read = store.load::<Schedule>(&name).await.expect("there");
    let next = due + SignedDuration::from_secs(60);
    let attempts = (0..5).map(|_| async {
        let mut batch = Batch::new();
        Schedule::fire(&mut read.clone(), next, &mut batch);
        store.commit(batch).await
    });
    let fired = join_all(attempts).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(fired, 1);
    let entries = claim(store, 10, later(1)).await;
    assert_eq!(entries.len(), 1);
    let kept = store.load::<Schedule>(&name).await.expect("there");
    let as_kept = kept.last.expect("it fired");
    assert_eq!(entries[0].event().expect("an event"), Event::ScheduleFired { schedule: name, due: as_kept });
    assert_eq!((as_kept, kept.next), (due, next));
    settle(store, &entries).await;
}
