//! Equal questions, answered once.

mod flight;
mod kept;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use career_core::Cache;
use tokio::time::Instant;

use self::flight::{Arrival, Flights, Lead, Seat};
use self::kept::{Keeping, Kept};
use super::common::{Failures, PATIENCE, digest, hex, in_time, request_key};
use crate::{Attempt, ChatModel, ChatRequest, ChatStream, ModelId, Result, Usage};

/// The version of what is kept; another one is not read.
const VERSION: &str = "1";
/// The provider that a hit names in its attempts.
const PROVIDER: &str = "cache";

/// Keeps replies in a [`Cache`], and answers equal requests from it.
///
/// Two requests are equal when everything that is asked is, the model too; the deadline, the
/// [delivery](crate::Delivery) and on whose behalf they are do not matter, the last unless it is
/// [per caller](CachedReplies::with_per_caller).
///
/// # What is kept
///
/// Whole replies that ended by themselves ([`StopReason::End`](crate::StopReason::End)), for [an
/// hour](CachedReplies::with_time_to_live) unless said: never an error, a refusal, an empty one, one that was cut or
/// filtered, one larger than [256 KiB](CachedReplies::with_max_bytes); one that asks for tools only
/// [where that is chosen](CachedReplies::with_tool_calls).
///
/// A request that wants variety is neither answered from the cache nor kept: one whose temperature is above
/// [0.3](CachedReplies::with_max_temperature), unless it has a seed. One that names no temperature is kept: who sets
/// this layer wants equal questions to have equal answers.
///
/// # A hit
///
/// It is a stream like another: `Started`, the pieces joined, `Done`. Its usage is zero, since it used nothing up, and
/// the one attempt that it lists is of the model `cache/<namespace>`, so that hosts, budgets and logs tell it apart:
/// [`CachedReplies::is_hit`]. It has no request id.
///
/// # At once
///
/// Of equal requests under way at once only one goes out; the others wait for its reply, 10 s at most and no longer
/// than half of the time that they have left. If it is dropped, one of them goes out in its place. If it fails, or its
/// reply may not be kept, each of them asks for itself, and none inherits an error that is another's.
///
/// # A broken cache
///
/// It never breaks a reply: what cannot be read is asked for, what cannot be kept is not. A second is the most that it
/// is waited for. Every failure is counted and [told](CachedReplies::with_on_error).
///
/// # Personal data
///
/// Replies are kept as they are, and often tell of the person who asked. Whether the cache seals them, who may read
/// it and how long it keeps them is the host's duty; this layer within [`Redacted`](crate::layer::Redacted) sees
/// pseudonyms alone. With `per_caller`, [`forget`](CachedReplies::forget) erases what is kept for one of them.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use career_llm::layer::CachedReplies;
/// use career_llm::{ChatModelExt, ChatRequest};
/// # use std::collections::HashMap;
/// # use std::sync::Mutex;
/// # use async_trait::async_trait;
/// # use bytes::Bytes;
/// # use career_llm::{ChatEvent, ChatModel, ChatStream, Done, Result, Started, StopReason};
/// # #[derive(Debug)]
/// # struct Model;
/// # #[async_trait]
/// # impl ChatModel for Model {
/// #     async fn stream(&self, _: &ChatRequest) -> Result<ChatStream> {
/// #         Ok(ChatStream::from_events([
/// #             Ok(ChatEvent::Started(Box::new(Started::new(self.id())))),
/// #             Ok(ChatEvent::Text("Botanist".into())),
/// #             Ok(ChatEvent::Done(Box::new(Done::new(StopReason::End)))),
/// #         ]))
/// #     }
/// # }
/// # #[derive(Debug, Default)]
/// # struct Memory(Mutex<HashMap<String, Bytes>>);
/// # #[async_trait]
/// # impl career_core::Cache for Memory {
/// #     async fn get(&self, key: &str) -> career_core::Result<Option<Bytes>> {
/// #         Ok(self.0.lock().expect("not poisoned").get(key).cloned())
/// #     }
/// #     async fn put(&self, key: &str, value: Bytes, _: Duration) -> career_core::Result<()> {
/// #         self.0.lock().expect("not poisoned").insert(key.into(), value);
/// #         Ok(())
/// #     }
/// #     async fn remove(&self, _: &str) -> career_core::Result<()> { Ok(()) }
/// #     async fn remove_prefix(&self, _: &str) -> career_core::Result<u64> { Ok(0) }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let cache = Arc::new(Memory::default()); // a `MemoryCache` or a `RedisCache` of career-store
/// let model = CachedReplies::new(Model, cache, "career-paths/v2").with_time_to_live(Duration::from_secs(600));
/// let request = ChatRequest::user("Which careers use botany?");
/// let first = model.complete(&request).await?;
/// let second = model.complete(&request).await?;
/// assert_eq!(second.text(), first.text());
/// assert!(!CachedReplies::is_hit(&first.attempts) && CachedReplies::is_hit(&second.attempts));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CachedReplies<M> {
    inner: M,
    /// Which replies are kept.
    rules: Rules,
    per_caller: bool,
    max_temperature: f32,
    max_wait: Duration,
    flights: Flights,
    shelf: Arc<Shelf>,
}

/// Which replies are kept.
#[derive(Debug, Clone, Copy)]
struct Rules {
    tool_calls: bool,
    max_bytes: usize,
}

/// Where replies are kept.
#[derive(Debug)]
struct Shelf {
    cache: Arc<dyn Cache>,
    namespace: Arc<str>,
    time_to_live: Duration,
    failures: Failures,
}

impl Shelf {
    /// The reply under this key, unless there is none or it cannot be had.
    async fn get(&self, key: &str, patience: Duration) -> Option<Kept> {
        let bytes = self.within(patience, self.cache.get(key)).await??;
        match Kept::from_bytes(&bytes) {
            Ok(kept) => Some(kept),
            Err(error) => {
                self.note(career_core::ErrorKind::Corrupt, &error.to_string());
                None
            }
        }
    }

    async fn put(&self, key: &str, kept: &Kept) {
        match kept.to_bytes() {
            Ok(bytes) => {
                self.within(PATIENCE, self.cache.put(key, Bytes::from(bytes), self.time_to_live)).await;
            }
            Err(error) => self.note(career_core::ErrorKind::Invalid, &error.to_string()),
        }
    }

    /// What the cache answers, unless it fails or takes too long.
    async fn within<T>(&self, patience: Duration, work: impl Future<Output = career_core::Result<T>>) -> Option<T> {
        match in_time(patience, work).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.failures.note("cached replies", &error);
                None
            }
        }
    }

    fn note(&self, kind: career_core::ErrorKind, message: &str) {
        self.failures.note("cached replies", &career_core::Error::new(kind, message));
    }
}

impl CachedReplies<()> {
    /// Whether a reply with these attempts came from a cache.
    pub fn is_hit(attempts: &[Attempt]) -> bool {
        attempts.iter().any(|attempt| attempt.error.is_none() && &*attempt.model.provider == PROVIDER)
    }
}

impl<M: ChatModel> CachedReplies<M> {
    /// Keeps replies in this cache for an hour, under keys that begin with `llm-replies/<namespace>/`.
    ///
    /// The namespace says what for and in which version: replies of another prompt, or of tools that mean something
    /// else, are to be in another one. It is not empty.
    pub fn new(inner: M, cache: Arc<dyn Cache>, namespace: impl Into<Arc<str>>) -> Self {
        let shelf = Shelf {
            cache,
            namespace: namespace.into(),
            time_to_live: Duration::from_secs(60 * 60),
            failures: Failures::default(),
        };
        CachedReplies {
            inner,
            rules: Rules { tool_calls: false, max_bytes: 256 << 10 },
            per_caller: false,
            max_temperature: 0.3,
            max_wait: Duration::from_secs(10),
            flights: Flights::default(),
            shelf: Arc::new(shelf),
        }
    }

    /// Keeps a reply this long.
    #[must_use]
    pub fn with_time_to_live(self, time_to_live: Duration) -> Self {
        self.anew(|shelf| shelf.time_to_live = time_to_live)
    }

    /// Whether each caller ([`on_behalf_of`](ChatRequest::on_behalf_of)) has replies of their own. Needed where a
    /// reply depends on who asks in a way that the request does not show.
    #[must_use]
    pub fn with_per_caller(mut self, per_caller: bool) -> Self {
        self.per_caller = per_caller;
        self
    }

    /// Above this temperature a request without a seed wants variety, and is not answered from the cache.
    #[must_use]
    pub fn with_max_temperature(mut self, temperature: f32) -> Self {
        self.max_temperature = temperature;
        self
    }

    /// Whether replies that ask for tools are kept.
    #[must_use]
    pub fn with_tool_calls(mut self, tool_calls: bool) -> Self {
        self.rules.tool_calls = tool_calls;
        self
    }

    /// Keeps no reply with more bytes of content than this.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.rules.max_bytes = bytes;
        self
    }

    /// Waits at most this long for an equal request under way.
    #[must_use]
    pub fn with_max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = max_wait;
        self
    }

    /// Tells this of every failure of the cache.
    #[must_use]
    pub fn with_on_error(self, told: impl Fn(&career_core::Error) + Send + Sync + 'static) -> Self {
        self.anew(|shelf| shelf.failures.tell(told))
    }

    /// How often the cache failed.
    pub fn failures(&self) -> u64 {
        self.shelf.failures.count()
    }

    /// Forgets what is kept for a caller, where replies are kept per caller, and says how many went.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Backend`](crate::ErrorKind::Backend) when the cache fails; some may be there still.
    pub async fn forget(&self, caller: &str) -> Result<u64> {
        Ok(self.shelf.cache.remove_prefix(&self.prefix(Some(caller))).await?)
    }

    /// Forgets everything in the namespace and in those whose names go on from it with a slash, and says how many
    /// replies went.
    ///
    /// # Errors
    ///
    /// As for [`forget`](CachedReplies::forget).
    pub async fn clear(&self) -> Result<u64> {
        Ok(self.shelf.cache.remove_prefix(&format!("llm-replies/{}/", self.shelf.namespace)).await?)
    }

    /// While it is built nobody else has the shelf.
    fn anew(mut self, change: impl FnOnce(&mut Shelf)) -> Self {
        if let Some(shelf) = Arc::get_mut(&mut self.shelf) {
            change(shelf);
        }
        self
    }

    fn prefix(&self, caller: Option<&str>) -> String {
        let namespace = &self.shelf.namespace;
        match caller {
            // Hashed, so that keys do not show who asks, and may hold any id.
            Some(caller) => format!("llm-replies/{namespace}/by/{}/", hex(&digest(&[caller.as_bytes()])[..16])),
            None => format!("llm-replies/{namespace}/all/"),
        }
    }

    fn key(&self, id: &ModelId, request: &ChatRequest) -> Result<String> {
        let asked = request_key(request, self.per_caller)?;
        let whole = digest(&[VERSION.as_bytes(), id.provider.as_bytes(), id.model.as_bytes(), &asked]);
        let caller = request.on_behalf_of.as_deref().filter(|_| self.per_caller);
        Ok(format!("{}{}", self.prefix(caller), hex(&whole)))
    }

    fn wants_variety(&self, request: &ChatRequest) -> bool {
        let warm = request.temperature.is_some_and(|temperature| temperature > self.max_temperature);
        warm && request.seed.is_none()
    }

    /// How long an equal request under way is waited for.
    fn patience(&self, request: &ChatRequest) -> Duration {
        request.time_left().map_or(self.max_wait, |left| (left / 2).min(self.max_wait))
    }

    fn replay(&self, kept: &Kept, began: Instant) -> ChatStream {
        let cache = ModelId::new(PROVIDER, self.shelf.namespace.clone());
        kept.replay(&Attempt::succeeded(cache, began.elapsed(), Some(Usage::default())))
    }

    /// Asks, and keeps the reply.
    async fn lead(&self, request: &ChatRequest, lead: Lead, key: String, began: Instant) -> Result<ChatStream> {
        let patience = request.time_left().map_or(PATIENCE, |left| left.min(PATIENCE));
        if let Some(kept) = self.shelf.get(&key, patience).await {
            let kept = Arc::new(kept);
            let replay = self.replay(&kept, began);
            lead.land(kept);
            return Ok(replay);
        }
        match self.inner.stream(request).await {
            Ok(stream) => Ok(ChatStream::new(Keeping::new(stream, self.rules, lead, key, self.shelf.clone()))),
            Err(error) => {
                lead.give_up();
                Err(error)
            }
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<M: ChatModel> ChatModel for CachedReplies<M> {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        if self.wants_variety(request) {
            return self.inner.stream(request).await;
        }
        let began = Instant::now();
        let key = self.key(&self.inner.id(), request)?;
        let patience = self.patience(request);
        loop {
            let flight = match self.flights.board(&key) {
                Seat::Leads(lead) => return self.lead(request, lead, key, began).await,
                Seat::Follows(flight) => flight,
            };
            match flight.landed(patience.saturating_sub(began.elapsed())).await {
                Arrival::Reply(kept) => return Ok(self.replay(&kept, began)),
                Arrival::Nothing => return self.inner.stream(request).await,
                // One of those who waited leads now, and the others wait on.
                Arrival::Dropped => {}
            }
        }
    }

    fn id(&self) -> ModelId {
        self.inner.id()
    }
}
