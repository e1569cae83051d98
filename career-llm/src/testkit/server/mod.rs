//! A server that answers as it is told, also wrongly.
//!
//! It speaks HTTP/1.1 on 127.0.0.1 by hand, so that it can break the protocol on purpose: cut a body in the middle, hang
//! before the headers, tell a wrong length, reset the connection.

mod answer;
mod connection;
mod fault;
mod protocol;
mod received;

use std::collections::VecDeque;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub use answer::{Answer, Length, Step};
pub use fault::Fault;
pub use protocol::Protocol;
pub use received::Received;

use crate::{Error, ErrorKind, Result};

/// A server on 127.0.0.1 that gives the answers it was told to give, and remembers what it was asked. It stops when
/// it is dropped.
///
/// ```
/// use career_llm::testkit::server::{Answer, FaultServer};
/// # #[cfg(feature = "openai")]
/// use career_llm::{ChatModelExt, ChatRequest, provider::openai::{GROQ, OpenAiCompatible}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_llm::Result<()> {
/// let server = FaultServer::start().await?;
/// server.then(Answer::new(429).header("retry-after", "2")).then(Answer::openai_reply("A botanist."));
///
/// # #[cfg(feature = "openai")] {
/// let model = OpenAiCompatible::builder(&GROQ).model("test-model").api_key("a key").base_url(server.url()).build()?;
/// let question = ChatRequest::user("Who studies plants?");
/// let error = model.complete(&question).await.expect_err("the first answer is a refusal");
/// assert_eq!(error.advice().after.map(|wait| wait.as_secs()), Some(2));
/// assert_eq!(model.complete(&question).await?.text(), "A botanist.");
/// assert_eq!(server.requests()[1].header("authorization"), Some("Bearer a key"));
/// # }
/// # Ok(())
/// # }
/// ```
pub struct FaultServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// Chooses an answer.
type Choose = Box<dyn Fn(&Received) -> Answer + Send + Sync>;

struct Shared {
    queued: Mutex<VecDeque<Answer>>,
    otherwise: Choose,
    received: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    hung_up: watch::Sender<usize>,
}

impl FaultServer {
    /// A server that gives the answers queued by [`then`](FaultServer::then), and 501 when there is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Backend`] when no port can be had.
    pub async fn start() -> Result<Self> {
        FaultServer::answering(|_| Answer::new(501).body("no answer is queued")).await
    }

    /// A server that chooses its answer by the request. What is queued comes before.
    ///
    /// # Errors
    ///
    /// As for [`start`](FaultServer::start).
    pub async fn answering(choose: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Result<Self> {
        let no_port = |error| Error::new(ErrorKind::Backend, "no port on 127.0.0.1").with_source(error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(no_port)?;
        let address = listener.local_addr().map_err(no_port)?;
        let shared = Arc::new(Shared {
            queued: Mutex::default(),
            otherwise: Box::new(choose),
            received: Mutex::default(),
            connections: AtomicUsize::new(0),
            hung_up: watch::Sender::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(FaultServer { address, shared, accepting })
    }

    /// A server that answers every known [`Protocol`] with [`REPLY`](FaultServer::REPLY), but for a share of the
    /// requests from 0 (none) to 1 (all), which meet a random [`Fault`]. Which they are follows from the seed and the
    /// order in which the requests come.
    ///
    /// # Errors
    ///
    /// As for [`start`](FaultServer::start).
    pub async fn with_failures(share: f64, seed: u64) -> Result<Self> {
        let random = Mutex::new(fastrand::Rng::with_seed(seed));
        FaultServer::answering(move |request| match fault::draw(&mut lock(&random), share) {
            Some(fault) => fault.answer(request, &FaultServer::REPLY),
            None => Protocol::answer_to(request, &FaultServer::REPLY),
        })
        .await
    }

    /// What a server [`with_failures`](FaultServer::with_failures) says when all goes well, in pieces.
    pub const REPLY: [&str; 4] = ["A bota", "nist ", "studies ", "plants."];

    /// Queues an answer for the next request that has none yet.
    pub fn then(&self, answer: Answer) -> &Self {
        lock(&self.shared.queued).push_back(answer);
        self
    }

    /// Its address, such as `http://127.0.0.1:40123`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was asked, the earlier ones first.
    pub fn requests(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// How many connections were made to it. A client that keeps one makes no second.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Waits until so many clients hung up on it while it did not answer: at [`Step::Hang`], or at
    /// [`Step::Repeat`].
    pub async fn hung_up(&self, clients: usize) {
        // The sender lives as long as this server, so waiting cannot fail.
        self.shared.hung_up.subscribe().wait_for(|count| *count >= clients).await.ok();
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for FaultServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Shared {
    /// Remembers the request and gives its answer.
    fn answer(&self, request: Received) -> Answer {
        let queued = lock(&self.queued).pop_front();
        let answer = queued.unwrap_or_else(|| (self.otherwise)(&request));
        lock(&self.received).push(request);
        answer
    }

    fn count_hung_up(&self) {
        self.hung_up.send_modify(|count| *count += 1);
    }
}

/// The connections are tasks of a set that ends with this task, so none outlives the server.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // A connection that broke before it was accepted, or a process out of descriptors: the next one may do.
            Ok((socket, _)) = listener.accept() => {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                connections.spawn(connection::serve(socket, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
            else => tokio::task::yield_now().await,
        }
    }
}

/// A test that panicked elsewhere leaves the data as it is; it is whole after every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
