//! The cache that the nodes of [`Cached`](super::Cached) share.
//!
//! A cache can be written by a node that read the store before a commit and was slow since. So every document in it
//! carries the ticket that was there before it was read; a commit removes the ticket, and the next reader makes
//! another one before it reads. A document whose ticket is not the present one is nobody's: whatever was read before
//! a commit is not found after it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use career_core::store::{Document, Kind};
use career_core::{Cache, Id, Result, Store};
use futures_util::future::{join, ready};
use futures_util::stream::{self, StreamExt as _};

use crate::clock;

/// How many removals are on their way at once.
const AT_ONCE: usize = 64;

#[derive(Debug, Clone)]
pub(super) struct Shared(pub(super) Arc<dyn Cache>);

impl Shared {
    /// The document, from the cache or else from the store. A cache that fails is passed by.
    pub(super) async fn fetch(
        &self,
        store: &dyn Store,
        kind: &'static Kind,
        id: &str,
        key: &str,
        time_to_live: Duration,
    ) -> Result<Option<Document>> {
        let (ticket_key, document_key) = keys(key);
        let (ticket, kept) = join(self.0.get(&ticket_key), self.0.get(&document_key)).await;
        let ticket = match ticket {
            Ok(Some(ticket)) => ticket,
            Ok(None) => {
                // Any id will do: no two are the same.
                let ticket = Bytes::from(Id::<Document>::new().to_string());
                if self.0.put(&ticket_key, ticket.clone(), time_to_live).await.is_err() {
                    return store.fetch(kind, id).await;
                }
                ticket
            }
            Err(_) => return store.fetch(kind, id).await,
        };
        if let Ok(Some(kept)) = kept
            && let Some(document) = unpack(&kept, &ticket, id)
        {
            return Ok(Some(document));
        }
        let found = store.fetch(kind, id).await?;
        if let Some(document) = &found {
            // When it cannot be kept, the next reader asks the store.
            drop(self.0.put(&document_key, pack(document, &ticket), time_to_live).await);
        }
        Ok(found)
    }

    /// Forgets these records; whether the cache took all of it.
    pub(super) async fn forget(&self, records: &[String]) -> bool {
        // The documents would do no harm, but what was deleted should not lie about.
        let keys: Vec<String> = records.iter().flat_map(|key| <[String; 2]>::from(keys(key))).collect();
        let removals = keys.into_iter().map(|key| {
            let cache = self.0.clone();
            async move { cache.remove(&key).await.is_ok() }
        });
        // The first that fails is enough to know: a cache that is silent should not hold up a commit that is done.
        stream::iter(removals).buffer_unordered(AT_ONCE).all(ready).await
    }
}

fn keys(key: &str) -> (String, String) {
    (format!("store:ticket:{key}"), format!("store:document:{key}"))
}

/// The ticket, the version and the times in one line, and the document after it.
fn pack(document: &Document, ticket: &[u8]) -> Bytes {
    let Document { version, created, updated, body, .. } = document;
    let numbers = format!(" {version} {} {}\n", created.as_microsecond(), updated.as_microsecond());
    [ticket, numbers.as_bytes(), body.as_bytes()].concat().into()
}

/// The document, unless it has another ticket.
fn unpack(kept: &[u8], ticket: &[u8], id: &str) -> Option<Document> {
    let (numbers, body) = std::str::from_utf8(kept.strip_prefix(ticket)?).ok()?.strip_prefix(' ')?.split_once('\n')?;
    let mut numbers = numbers.split(' ');
    let version = numbers.next()?.parse().ok()?;
    let mut time = || clock::from_micros(numbers.next()?.parse().ok()?);
    let (created, updated) = (time()?, time()?);
    numbers.next().is_none().then(|| Document::new(id.to_owned(), version, created, updated, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_document_comes_back_by_its_ticket_alone(
            body: String,
            version: u64,
            micros in -1_000_000_000_000_000..1_000_000_000_000_000_i64,
            ticket in "[a-z0-9-]{1,8}",
            other in "[a-z0-9-]{0,8}",
        ) {
            let time = clock::from_micros(micros).expect("in range");
            let document = Document::new("a".to_owned(), version, time, clock::from_micros(micros / 7).expect("in range"), body);
            let packed = pack(&document, ticket.as_bytes());
            prop_assert!(unpack(&packed, ticket.as_bytes(), "a") == Some(document));
            prop_assert!(other == ticket || unpack(&packed, other.as_bytes(), "a").is_none());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "t [0-9 -]{0,20}\n.*") {
            let _ = unpack(&bytes, b"t", "a");
            let _ = unpack(text.as_bytes(), b"t", "a");
        }
    }
}
