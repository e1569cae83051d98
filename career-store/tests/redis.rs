//! The connection to Redis: what its faults mean, and the bus over it.

#![cfg(feature = "redis")]

mod servers;

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use career_core::{Cache, ErrorKind, Id, Rate, RateLimiter, User};
use career_store::bus::{Bus, LocalBus};
use career_store::cache::RedisCache;
use career_store::limiter::RedisLimiter;
use career_store::redis::{Redis, RedisBus};
use tokio::sync::broadcast;
use tokio::time::{sleep, timeout};

const LONG: Duration = Duration::from_secs(3600);

fn prefix() -> String {
    format!("redis-test-{}:", Id::<User>::new())
}

async fn hear(heard: &mut broadcast::Receiver<Bytes>) -> Bytes {
    timeout(Duration::from_secs(20), heard.recv()).await.expect("something is heard in time").expect("not lagging")
}

/// Stands between a client and the server, and breaks what is between them when told so.
struct Wire {
    address: SocketAddr,
    broken: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    fn to(server: &str) -> Self {
        let server = server.strip_prefix("redis://").expect("a plain address").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let wire =
            Wire { address: listener.local_addr().expect("bound"), broken: Arc::default(), streams: Arc::default() };
        let (broken, streams) = (wire.broken.clone(), wire.streams.clone());
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if broken.load(Ordering::SeqCst) {
                    continue;
                }
                let far = TcpStream::connect(&server).expect("the server answers");
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let mut from = from.try_clone().expect("a handle");
                    let mut to = to.try_clone().expect("a handle");
                    thread::spawn(move || {
                        drop(io::copy(&mut from, &mut to));
                        drop(to.shutdown(Shutdown::Both));
                    });
                }
                streams.lock().expect("not poisoned").extend([near, far]);
            }
        });
        wire
    }

    fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    fn cut(&self) {
        self.broken.store(true, Ordering::SeqCst);
        for stream in self.streams.lock().expect("not poisoned").drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    fn mend(&self) {
        self.broken.store(false, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn addresses_and_passwords_are_checked_and_not_shown() {
    for bad in ["", "127.0.0.1", "http://127.0.0.1:1", "redis://:hush@", "rediss://127.0.0.1:1"] {
        let error = Redis::connect(bad, "").await.expect_err("not an address");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}: {error:?}");
        assert!(!format!("{error:?}").contains("hush"));
    }
    let Some(server) = servers::redis() else { return };
    let error =
        Redis::connect(&server.replace("redis://", "redis://nobody:hush@"), "").await.expect_err("a wrong password");
    assert_eq!(error.kind(), ErrorKind::Denied, "{error:?}");
    assert!(!format!("{error:?}").contains("hush"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    // Bound and not listened to by anyone who speaks: dropped, so that it refuses.
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let error = Redis::connect(&format!("redis://{address}"), "").await.expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_unavailable() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("bound");
    let error = Redis::connect(&format!("redis://{address}"), "").await.expect_err("it says nothing");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
}

#[tokio::test]
async fn a_broken_connection_is_unavailable_and_mends() {
    let Some(server) = servers::redis() else { return };
    let wire = Wire::to(&server);
    let redis = Redis::connect(&wire.url(), &prefix()).await.expect("the server answers");
    let cache = RedisCache::new(&redis);
    let limiter = RedisLimiter::new(&redis, Rate::per_hour(100).expect("in range"));
    cache.put("k", Bytes::from_static(b"v"), LONG).await.expect("kept");

    wire.cut();
    for _ in 0..2 {
        let results = [
            cache.get("k").await.map(drop),
            cache.put("k", Bytes::new(), LONG).await,
            cache.remove("k").await,
            cache.remove_prefix("k").await.map(drop),
            limiter.check("k", 1).await.map(drop),
        ];
        for result in results {
            assert_eq!(result.expect_err("the wire is cut").kind(), ErrorKind::Unavailable);
        }
    }

    wire.mend();
    for _ in 0..100 {
        if cache.get("k").await.is_ok() {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(cache.get("k").await.expect("mended").as_deref(), Some(b"v".as_slice()), "nothing was done meanwhile");
    assert_eq!(limiter.check("k", 1).await.expect("mended").remaining, 99);
}

#[tokio::test]
async fn a_bus_tells_everyone_on_its_channel() {
    let Some(server) = servers::redis() else { return };
    let prefix = prefix();
    let redis = Redis::connect(&server, &prefix).await.expect("the server answers");
    let elsewhere = Redis::connect(&server, &prefix).await.expect("the server answers");
    let bus = RedisBus::connect(&redis, "changes").await.expect("listens");
    let far = RedisBus::connect(&elsewhere, "changes").await.expect("listens");
    let other = RedisBus::connect(&elsewhere, "other").await.expect("listens");
    let mut receivers = [bus.subscribe(), far.subscribe(), bus.subscribe()];
    let mut unheard = other.subscribe();

    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    bus.publish(every_byte.clone().into()).await.expect("told");
    for n in 0..100_u8 {
        bus.publish(vec![n].into()).await.expect("told");
    }
    for heard in &mut receivers {
        assert_eq!(hear(heard).await, every_byte);
        for n in 0..100_u8 {
            assert_eq!(hear(heard).await, [n].as_slice());
        }
    }
    assert_eq!(unheard.try_recv(), Err(broadcast::error::TryRecvError::Empty));
}

#[tokio::test]
async fn after_a_gap_a_bus_says_that_something_may_be_missed() {
    let Some(server) = servers::redis() else { return };
    let (wire, prefix) = (Wire::to(&server), prefix());
    let here = Redis::connect(&wire.url(), &prefix).await.expect("the server answers");
    let there = Redis::connect(&server, &prefix).await.expect("the server answers");
    let bus = RedisBus::connect(&here, "changes").await.expect("listens");
    let far = RedisBus::connect(&there, "changes").await.expect("listens");
    let mut heard = bus.subscribe();
    far.publish(Bytes::from_static(b"before")).await.expect("told");
    assert_eq!(hear(&mut heard).await, "before");

    wire.cut();
    far.publish(Bytes::from_static(b"missed")).await.expect("told");
    let error = bus.publish(Bytes::from_static(b"not told")).await.expect_err("the wire is cut");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    sleep(Duration::from_millis(500)).await;
    assert!(heard.is_empty(), "nothing is said while there is nothing to hear");

    wire.mend();
    assert_eq!(hear(&mut heard).await, "", "the gap is told once, first");
    far.publish(Bytes::from_static(b"after")).await.expect("told");
    assert_eq!(hear(&mut heard).await, "after");
}

#[tokio::test]
async fn a_dropped_bus_ends_what_is_heard() {
    let Some(server) = servers::redis() else { return };
    let redis = Redis::connect(&server, &prefix()).await.expect("the server answers");
    let bus = RedisBus::connect(&redis, "changes").await.expect("listens");
    let mut heard = bus.subscribe();
    drop(bus);
    let ended = timeout(Duration::from_secs(20), heard.recv()).await.expect("it ends in time");
    assert_eq!(ended, Err(broadcast::error::RecvError::Closed));
}

#[tokio::test]
async fn a_local_bus_behind_a_box_and_an_arc() {
    let local = LocalBus::new();
    let boxed: Box<dyn Bus> = Box::new(local.clone());
    let shared: Arc<dyn Bus> = Arc::new(local);
    local_bus(&boxed, &shared).await;
}

async fn local_bus(one: &impl Bus, two: &impl Bus) {
    one.publish(Bytes::from_static(b"nobody listens")).await.expect("told");
    let (mut a, mut b) = (one.subscribe(), two.subscribe());
    two.publish(Bytes::from_static(b"m")).await.expect("told");
    assert_eq!((hear(&mut a).await, hear(&mut b).await), (Bytes::from_static(b"m"), Bytes::from_static(b"m")));
}
