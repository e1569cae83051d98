//! Records that are read again and again come from memory, and are as fresh as the store's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use career_core::store::{Batch, Record};
use career_core::testkit::store::{self, fixtures};
use career_core::{Cache, Error, ErrorKind, Id, Result, Store, StoreExt, User};
use career_store::MemoryStore;
use career_store::bus::{Bus, LocalBus};
use career_store::cache::MemoryCache;
use career_store::layers::Cached;

use super::probe::Probe;

fn probe() -> Arc<Probe> {
    Arc::new(Probe::over(Arc::new(MemoryStore::new())))
}

fn shared() -> Arc<MemoryCache> {
    Arc::new(MemoryCache::new(1 << 24))
}

async fn name(store: &dyn Store, id: Id<User>) -> String {
    store.load::<User>(&id).await.expect("there").name.clone()
}

async fn rename(store: &dyn Store, user: &User, name: &str) {
    let mut user = user.clone();
    user.name = name.into();
    store.put(&user).await.expect("kept");
}

#[tokio::test]
async fn the_suite_passes() {
    assert_eq!(store::all(&Cached::new(MemoryStore::new())).await.skipped, []);
    let all = Cached::new(MemoryStore::new()).shared(shared()).told_by(Arc::new(LocalBus::new())).capacity(100_000);
    assert_eq!(store::all(&all).await.skipped, []);
}

#[tokio::test]
async fn what_was_read_is_not_asked_for_again_until_it_is_written() {
    let probe = probe();
    let store = Cached::new(probe.clone());
    let (user, other) = (fixtures::user(), fixtures::user());
    store.insert(&user).await.expect("new");
    store.insert(&other).await.expect("new");
    for _ in 0..5 {
        assert_eq!(store.load::<User>(&user.id).await.expect("there").version(), 1);
        store.load::<User>(&other.id).await.expect("there");
    }
    assert_eq!(probe.fetches(), 2);
    rename(&store, &user, "new name").await;
    assert_eq!((name(&store, user.id).await.as_str(), probe.fetches()), ("new name", 3));
    store.delete::<User>(&user.id).await.expect("gone");
    assert!(store.get::<User>(&user.id).await.expect("asked").is_none());
    assert!(store.get::<User>(&user.id).await.expect("asked").is_none());
    assert_eq!(probe.fetches(), 5, "what is not there is asked for each time");
}

#[tokio::test]
async fn nothing_is_kept_longer_than_its_time_or_without_room() {
    for (capacity, time_to_live, expected) in [(1 << 20, 60_000, 1), (0, 60_000, 3), (1 << 20, 1, 3)] {
        let probe = probe();
        let user = fixtures::user();
        probe.insert(&user).await.expect("new");
        let time_to_live = Duration::from_millis(time_to_live);
        let store = Cached::new(probe.clone()).capacity(capacity).time_to_live(time_to_live);
        for _ in 0..3 {
            store.load::<User>(&user.id).await.expect("there");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(probe.fetches(), expected, "{capacity} bytes for {time_to_live:?}");
        assert!(!format!("{store:?}").contains(&user.id.to_string()));
    }
}

#[tokio::test]
async fn a_read_that_was_overtaken_by_a_commit_is_not_kept() {
    for with_shared in [false, true] {
        let probe = probe();
        let cached = || Cached::new(probe.clone());
        let kept = shared();
        let store = Arc::new(if with_shared { cached().shared(kept.clone()) } else { cached() });
        let user = fixtures::user();
        probe.insert(&user).await.expect("new");
        let held = probe.hold_fetches().await;
        let slow = tokio::spawn({
            let (store, id) = (store.clone(), user.id);
            async move { name(&store, id).await }
        });
        while probe.fetches() == 0 {
            tokio::task::yield_now().await;
        }
        rename(&store, &user, "new name").await;
        drop(held);
        assert_eq!(slow.await.expect("no panic"), "A student", "it began before the commit");
        assert_eq!(name(&store, user.id).await, "new name");
        // Nor is it found by another node, which has not kept anything yet.
        assert_eq!(name(&cached().shared(kept), user.id).await, "new name");
    }
}

#[tokio::test]
async fn while_a_commit_is_under_way_the_store_is_asked() {
    let probe = probe();
    let store = Arc::new(Cached::new(probe.clone()));
    let user = fixtures::user();
    store.insert(&user).await.expect("new");
    assert_eq!(name(&store, user.id).await, "A student");
    let held = probe.hold_commits().await;
    let writer = tokio::spawn({
        let (store, user) = (store.clone(), user.clone());
        async move { rename(&store, &user, "new name").await }
    });
    while name(&probe, user.id).await != "new name" {
        tokio::task::yield_now().await;
    }
    assert_eq!(name(&store, user.id).await, "new name", "who asks the store sees it, so everyone does");
    drop(held);
    writer.await.expect("written");
    assert_eq!(name(&store, user.id).await, "new name");
}

#[tokio::test]
async fn a_commit_that_failed_or_that_nobody_waited_for_is_seen_if_it_happened() {
    for with_shared in [false, true] {
        let probe = probe();
        let store = Cached::new(probe.clone());
        let store = if with_shared { store.shared(shared()) } else { store };
        let user = fixtures::user();
        store.insert(&user).await.expect("new");
        assert_eq!(name(&store, user.id).await, "A student");

        probe.answer(ErrorKind::Indeterminate);
        let mut changed = user.clone();
        changed.name = "no answer".into();
        assert_eq!(store.put(&changed).await.expect_err("no answer").kind(), ErrorKind::Indeterminate);
        assert_eq!(name(&store, user.id).await, "no answer");

        let held = probe.hold_commits().await;
        let unfinished = tokio::time::timeout(Duration::from_millis(20), rename(&store, &user, "cancelled"));
        assert!(unfinished.await.is_err());
        drop(held);
        assert_eq!(name(&store, user.id).await, "cancelled");
        let asked = probe.fetches();
        assert_eq!(name(&store, user.id).await, "cancelled");
        assert_eq!(probe.fetches(), asked, "and kept again");
    }
}

#[tokio::test]
async fn nodes_share_what_they_read_and_forget_what_one_wrote() {
    let (probe, kept) = (probe(), shared());
    let node = || Cached::new(probe.clone()).shared(kept.clone());
    let (a, b) = (node(), node());
    let user = fixtures::user();
    a.insert(&user).await.expect("new");
    let first = a.fetch(User::KIND, &user.id.to_string()).await.expect("asked");
    let second = b.fetch(User::KIND, &user.id.to_string()).await.expect("asked");
    assert!(first == second && first.is_some());
    assert_eq!(probe.fetches(), 1, "the second node found it in the shared cache");
    rename(&a, &user, "new name").await;
    assert_eq!(name(&node(), user.id).await, "new name");
    assert_eq!(probe.fetches(), 2);
    assert_eq!(name(&a, user.id).await, "new name");
    assert_eq!(probe.fetches(), 2);
}

/// A cache that takes what is put and, when told so, forgets nothing or answers nothing.
#[derive(Debug)]
struct Stubborn {
    inner: MemoryCache,
    removes: AtomicBool,
    answers: AtomicBool,
}

impl Stubborn {
    fn check(&self, flag: &AtomicBool) -> Result<()> {
        if flag.load(Ordering::SeqCst) { Ok(()) } else { Err(Error::new(ErrorKind::Unavailable, "not now")) }
    }
}

#[async_trait]
impl Cache for Stubborn {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.check(&self.answers)?;
        self.inner.get(key).await
    }

    async fn put(&self, key: &str, value: Bytes, time_to_live: Duration) -> Result<()> {
        self.check(&self.answers)?;
        self.inner.put(key, value, time_to_live).await
    }

    async fn remove(&self, key: &str) -> Result<()> {
        self.check(&self.removes)?;
        self.inner.remove(key).await
    }

    async fn remove_prefix(&self, prefix: &str) -> Result<u64> {
        self.inner.remove_prefix(prefix).await
    }
}

#[tokio::test]
async fn a_shared_cache_that_fails_is_passed_by() {
    let kept = Arc::new(Stubborn { inner: MemoryCache::new(1 << 20), removes: true.into(), answers: true.into() });
    let probe = probe();
    let store = Cached::new(probe.clone()).shared(kept.clone());
    let user = fixtures::user();
    store.insert(&user).await.expect("new");
    assert_eq!(name(&store, user.id).await, "A student");

    kept.removes.store(false, Ordering::SeqCst);
    rename(&store, &user, "new name").await;
    let asked = probe.fetches();
    assert_eq!(name(&store, user.id).await, "new name", "what could not be removed is not read");
    assert_eq!(probe.fetches(), asked + 1);
    let elsewhere = Cached::new(probe.clone()).shared(kept.clone());
    assert_eq!(name(&elsewhere, user.id).await, "A student", "another node may be late, for a while");

    kept.answers.store(false, Ordering::SeqCst);
    let unanswered = Cached::new(probe.clone()).shared(kept);
    assert_eq!(name(&unanswered, user.id).await, "new name");
}

/// Waits until a node sees the name; far less than the time to live.
async fn sees(store: &dyn Store, id: Id<User>, expected: &str) {
    let seen = async {
        while name(store, id).await != expected {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), seen).await.expect("it was told");
}

#[tokio::test]
async fn nodes_on_a_bus_see_each_others_writes() {
    let (probe, bus) = (probe(), Arc::new(LocalBus::new()));
    let (a, b) = (Cached::new(probe.clone()).told_by(bus.clone()), Cached::new(probe.clone()).told_by(bus.clone()));
    let (user, other) = (fixtures::user(), fixtures::user());
    a.insert(&user).await.expect("new");
    a.insert(&other).await.expect("new");
    for round in 0..20 {
        let (writer, reader) = if round % 2 == 0 { (&a, &b) } else { (&b, &a) };
        name(reader, user.id).await;
        let new = format!("round {round}");
        rename(writer, &user, &new).await;
        assert_eq!(name(writer, user.id).await, new, "at once where it was written");
        sees(reader, user.id, &new).await;
    }
    // Another record stayed where it was.
    name(&b, other.id).await;
    let asked = probe.fetches();
    name(&b, other.id).await;
    assert_eq!(probe.fetches(), asked);

    // Past this layer, and only then told that something may have been missed.
    rename(&probe, &user, "past it").await;
    assert_eq!(name(&b, user.id).await, "round 19");
    bus.publish(Bytes::new()).await.expect("told");
    sees(&b, user.id, "past it").await;
    rename(&probe, &user, "again").await;
    bus.publish(Bytes::from_static(b"not a word")).await.expect("told");
    sees(&b, user.id, "again").await;
}

#[tokio::test]
async fn a_batch_too_long_to_be_told_is_told_as_anything() {
    let (probe, bus) = (probe(), Arc::new(LocalBus::new()));
    let (a, b) = (Cached::new(probe.clone()).told_by(bus.clone()), Cached::new(probe.clone()).told_by(bus.clone()));
    let user = fixtures::user();
    a.insert(&user).await.expect("new");
    name(&b, user.id).await;
    let mut words = bus.subscribe();
    let mut batch = Batch::new();
    for _ in 0..10_000 {
        batch.delete::<User>(&Id::new());
    }
    let mut changed = user.clone();
    changed.name = "new name".into();
    batch.put(&changed);
    a.commit(batch).await.expect("kept");
    assert_eq!(words.recv().await.expect("told"), "");
    sees(&b, user.id, "new name").await;
}

#[tokio::test]
async fn a_layer_that_is_dropped_hears_no_more() {
    let bus = Arc::new(LocalBus::new());
    let store = Cached::new(MemoryStore::new()).told_by(bus.clone()).capacity(1 << 20);
    tokio::task::yield_now().await;
    let held = Arc::strong_count(&bus);
    drop(store);
    assert_eq!(Arc::strong_count(&bus), held - 1);
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn nodes_share_a_redis() {
    use career_store::cache::RedisCache;
    use career_store::redis::{Redis, RedisBus};

    let Some(url) = super::servers::redis() else { return };
    let prefix = format!("layers-test-{}:", Id::<User>::new());
    let probe = probe();
    let node = async || {
        let redis = Redis::connect(&url, &prefix).await.expect("it answers");
        let bus = RedisBus::connect(&redis, "changes").await.expect("it answers");
        Cached::new(probe.clone()).shared(Arc::new(RedisCache::new(&redis))).told_by(Arc::new(bus))
    };
    let (a, b) = (node().await, node().await);
    let user = fixtures::user();
    a.insert(&user).await.expect("new");
    name(&a, user.id).await;
    name(&b, user.id).await;
    assert_eq!(probe.fetches(), 1, "the second node found it in Redis");
    for round in 0..20 {
        let (writer, reader) = if round % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let new = format!("round {round}");
        rename(writer, &user, &new).await;
        assert_eq!(name(writer, user.id).await, new, "at once where it was written");
        sees(reader, user.id, &new).await;
    }
    assert_eq!(store::all(&a).await.skipped, []);
}

/// Readers and writers of a few records, on threads of their own: nobody reads what is older than what was
/// acknowledged before they began.
async fn nobody_reads_what_is_old(store: Arc<dyn Store>) {
    const RECORDS: usize = 3;
    let users: Arc<Vec<User>> = Arc::new((0..RECORDS).map(|_| fixtures::user()).collect());
    let acknowledged: Arc<Vec<AtomicU64>> = Arc::new((0..RECORDS).map(|_| AtomicU64::new(1)).collect());
    for user in users.iter() {
        store.insert(user).await.expect("new");
    }
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (store, users, acknowledged) = (store.clone(), users.clone(), acknowledged.clone());
            tokio::spawn(async move {
                for round in 0..400 {
                    let at = (writer + round) % RECORDS;
                    let put = store.put(&users[at]);
                    if round % 7 == 0 {
                        // Sometimes nobody waits to the end.
                        drop(tokio::time::timeout(Duration::from_micros(50), put).await);
                    } else {
                        acknowledged[at].fetch_max(put.await.expect("kept"), Ordering::SeqCst);
                    }
                    let before = acknowledged[at].load(Ordering::SeqCst);
                    let seen = store.load::<User>(&users[at].id).await.expect("there").version();
                    assert!(seen >= before, "its own write: {seen}, acknowledged {before}");
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let readers: Vec<_> = (0..4)
        .map(|reader| {
            let (store, users, acknowledged, done) = (store.clone(), users.clone(), acknowledged.clone(), done.clone());
            tokio::spawn(async move {
                let mut reads = 0_usize;
                while !done.load(Ordering::SeqCst) {
                    let at = (reader + reads) % RECORDS;
                    let before = acknowledged[at].load(Ordering::SeqCst);
                    let seen = store.load::<User>(&users[at].id).await.expect("there").version();
                    assert!(seen >= before, "{seen}, acknowledged {before}");
                    reads += 1;
                    if reads.is_multiple_of(8) {
                        tokio::task::yield_now().await;
                    }
                }
                reads
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no old read");
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        assert!(reader.await.expect("no old read") > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_beside_writers_never_read_what_is_old() {
    let probe = probe();
    nobody_reads_what_is_old(Arc::new(Cached::new(probe.clone()))).await;
    nobody_reads_what_is_old(Arc::new(Cached::new(probe.clone()).shared(shared()))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn other_nodes_at_one_shared_cache_make_nobody_read_what_is_old() {
    let (probe, kept) = (probe(), shared());
    let a = Cached::new(probe.clone()).shared(kept.clone());
    let user = fixtures::user();
    a.insert(&user).await.expect("new");
    let done = Arc::new(AtomicBool::new(false));
    // The other node reads all the time, with nothing of its own kept, so that it writes to the shared cache late.
    let other = tokio::spawn({
        let (probe, kept, done, id) = (probe.clone(), kept.clone(), done.clone(), user.id);
        async move {
            while !done.load(Ordering::SeqCst) {
                let fresh = Cached::new(probe.clone()).shared(kept.clone()).capacity(0);
                fresh.load::<User>(&id).await.expect("there");
            }
        }
    });
    for _ in 0..2_000 {
        let version = a.put(&user).await.expect("kept");
        assert_eq!(a.load::<User>(&user.id).await.expect("there").version(), version);
    }
    done.store(true, Ordering::SeqCst);
    other.await.expect("no panic");
}
