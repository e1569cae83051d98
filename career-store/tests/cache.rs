//! The caches against the suite of their port, and what each adds to it.

#![cfg(any(feature = "cache", feature = "redis"))]

#[cfg(feature = "redis")]
mod servers;

use std::time::Duration;

use bytes::Bytes;
use career_core::{Cache, testkit};

const LONG: Duration = Duration::from_secs(3600);

async fn suite(cache: &dyn Cache) {
    testkit::cache::all(cache, async |time| tokio::time::sleep(time).await).await;
}

#[cfg(feature = "cache")]
mod memory {
    use std::sync::Arc;

    use career_store::cache::MemoryCache;

    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        suite(&MemoryCache::new(16 << 20)).await;
    }

    #[tokio::test]
    async fn keeps_the_contract_behind_a_box_and_an_arc() {
        let boxed: Box<dyn Cache> = Box::new(MemoryCache::new(16 << 20));
        suite(&boxed).await;
        let shared: Arc<dyn Cache> = Arc::new(MemoryCache::new(16 << 20));
        suite(&shared).await;
    }

    #[tokio::test]
    async fn stays_within_its_capacity() {
        let cache = MemoryCache::new(100_000);
        for n in 0..1000 {
            cache.put(&n.to_string(), Bytes::from(vec![0; 10_000]), LONG).await.expect("kept");
        }
        let mut kept = 0;
        for n in 0..1000 {
            kept += usize::from(cache.get(&n.to_string()).await.expect("answered").is_some());
        }
        // A moment's excess is allowed until the next maintenance; a hundred times the capacity is not.
        assert!(kept <= 100, "{kept} values of 10 kB in 100 kB");
    }

    #[tokio::test]
    async fn counts_what_it_removes_and_shows_no_values() {
        let cache = MemoryCache::new(1 << 20);
        for key in ["a:1", "a:2", "b:1"] {
            cache.put(key, Bytes::from_static(b"private"), LONG).await.expect("kept");
        }
        assert_eq!(cache.remove_prefix("a:").await.expect("removed"), 2);
        assert_eq!(cache.remove_prefix("a:").await.expect("removed"), 0);
        let text = format!("{cache:?}");
        assert!(!text.contains("private") && !text.contains("b:1"), "{text}");
    }
}

#[cfg(feature = "redis")]
mod redis {
    use career_core::{Id, User};
    use career_store::{cache::RedisCache, redis::Redis};

    use super::*;

    async fn connect() -> Option<Redis> {
        let prefix = format!("cache-test-{}:", Id::<User>::new());
        Some(Redis::connect(&servers::redis()?, &prefix).await.expect("the server answers"))
    }

    #[tokio::test]
    async fn keeps_the_contract() {
        let Some(redis) = connect().await else { return };
        suite(&RedisCache::new(&redis)).await;
    }

    #[tokio::test]
    async fn keeps_the_contract_under_a_prefix_full_of_patterns() {
        let Some(redis) = connect().await else { return };
        suite(&RedisCache::new(&redis.with_prefix("*[a-z]?\\:"))).await;
    }

    #[tokio::test]
    async fn is_shared_by_those_with_the_same_prefix_and_hidden_from_others() {
        let Some(redis) = connect().await else { return };
        let (one, two) = (RedisCache::new(&redis), RedisCache::new(&redis.clone()));
        let other = RedisCache::new(&redis.with_prefix("other:"));
        one.put("k", Bytes::from_static(b"v"), LONG).await.expect("kept");
        assert_eq!(two.get("k").await.expect("answered").as_deref(), Some(b"v".as_slice()));
        assert_eq!(other.get("k").await.expect("answered"), None);

        other.put("k", Bytes::from_static(b"w"), LONG).await.expect("kept");
        assert_eq!(two.remove_prefix("k").await.expect("removed"), 1);
        assert_eq!(one.get("k").await.expect("answered"), None);
        assert!(other.get("k").await.expect("answered").is_some());
    }
}
