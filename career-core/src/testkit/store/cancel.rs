//! Commits that nobody waits for any more.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::fixtures::{kept_conversation, message};
use crate::store::{Batch, Query};
use crate::{Message, Store, StoreExt};

/// Drops commits of two records at many moments, each followed by a write that is waited for. Of every batch both
/// records are there or none, and what is acknowledged afterwards stays: no connection is left inside a transaction.
///
/// It needs a clock, which the caller has: `sleep` is its runtime's.
///
/// # Panics
///
/// When half a batch is there, or an acknowledged write is gone.
pub async fn cancelled_commits<S: Future<Output = ()>>(store: &dyn Store, sleep: impl Fn(Duration) -> S) {
    let conversation = kept_conversation(store).await;
    let mut acknowledged = Vec::new();
    for round in 0..60_u64 {
        let pair = [3 * round, 3 * round + 1].map(|sequence| message(conversation.id, sequence, "a pair"));
        let mut batch = Batch::new();
        batch.insert(&pair[0]).insert(&pair[1]);
        {
            // Dropped at the end of this block, wherever it stands.
            let mut commit = pin!(store.commit(batch));
            let mut timer = pin!(sleep(Duration::from_micros(round * 40)));
            std::future::poll_fn(|context| {
                if commit.as_mut().poll(context).is_ready() { Poll::Ready(()) } else { timer.as_mut().poll(context) }
            })
            .await;
        }
        let single = message(conversation.id, 3 * round + 2, "single");
        store.put(&single).await.expect("the store goes on");
        acknowledged.push(single.id);
    }
    // A batch that fails takes its own transaction back, and nobody else's.
    let mut failing = Batch::new();
    failing.insert(&message(conversation.id, 2, "taken")).put(&conversation);
    store.commit(failing).await.expect_err("this sequence is taken");

    for id in &acknowledged {
        assert!(store.get::<Message>(id).await.expect("asked").is_some(), "an acknowledged write is gone");
    }
    let of_it = Query::all().key("conversation", conversation.id).limit(1_000);
    let there = store.list::<Message>(&of_it).await.expect("listed").items;
    let pairs = there.iter().filter(|message| message.text == "a pair").count();
    assert!(pairs.is_multiple_of(2), "half a batch is there");
    assert_eq!(there.len() - pairs, acknowledged.len());
}
