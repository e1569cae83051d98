//! The transport: sends what a wire encoded, cuts what comes back into frames, and watches the clock.
//!
//! Everything is HTTP/1.1 or HTTP/2 over rustls with the roots of the system, through the system's proxy if there is one.
//! Redirects are not followed, since a key would go with them. Nothing is retried here: that is for a layer.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::poll_fn;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use tokio::time::Instant;

mod advice;
mod cutter;
mod endpoint;
pub mod lines;
mod network;
mod reply;
pub mod sse;
mod timeouts;
mod watch;

pub(crate) use endpoint::Endpoint;
pub use timeouts::{Limits, Timeouts};

use self::cutter::{Cutter, Whole};
use self::reply::{Body, Facts, Reply};
use self::watch::Watch;
use crate::wire::{Encoded, Framing, Wire};
use crate::{ChatStream, Delivery, Error, ErrorKind, Result};

/// Most bytes that are read of an answer that is an error.
const REFUSAL_MAX: usize = 64 << 10;
/// How long is waited for the body of an answer that is an error.
const REFUSAL_TIME: Duration = Duration::from_secs(5);

/// What an answer of another status than 2xx says.
pub(crate) type Failure<'a> = &'a (dyn Fn(StatusCode, &HeaderMap, &[u8]) -> Error + Sync);

/// Sends requests and keeps connections. A clone shares them.
///
/// Every provider makes its own unless it is given one. Models that one program uses together should share one. Its
/// connections belong to the runtime that it is first used in.
#[derive(Clone)]
pub struct Transport {
    client: Client,
}

impl Transport {
    /// A transport that waits for a connection as long as these say.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when TLS cannot be set up, for instance because the system has no root certificates.
    pub fn new(timeouts: &Timeouts) -> Result<Self> {
        Transport::configured(timeouts, |client| client)
    }

    /// A transport with settings of the host's own: a proxy, a root certificate, an identity.
    ///
    /// ```
    /// use career_llm::transport::{Timeouts, Transport};
    ///
    /// let transport = Transport::configured(&Timeouts::default(), |client| client.no_proxy().https_only(true))?;
    /// # Ok::<(), career_llm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the client cannot be made of them.
    pub fn configured(timeouts: &Timeouts, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Self> {
        let client = Client::builder()
            .connect_timeout(timeouts.connect)
            .tcp_nodelay(true)
            // A model that thinks for minutes sends nothing, and routers forget silent connections.
            .tcp_keepalive(Duration::from_secs(30))
            .referer(false);
        let client = settings(client).redirect(Policy::none()).build();
        let client =
            client.map_err(|error| Error::config("the HTTP client cannot be made").with_source(error.without_url()))?;
        Ok(Transport { client })
    }

    /// Asks a model. The future ends with the head of the answer; the body is read by the stream.
    pub(crate) async fn chat(
        &self,
        endpoint: &Endpoint,
        wire: &dyn Wire,
        encoded: Encoded,
        delivery: Delivery,
        deadline: Option<Instant>,
    ) -> Result<ChatStream> {
        let model = &*endpoint.model.model;
        let schema = encoded.schema.clone();
        let asked = wire.decoder(model, delivery);
        let mut watch = Watch::start(&endpoint.timeouts, delivery, deadline);
        let failure: Failure<'_> = &|status, headers, body| wire.failure(status, headers, body);
        let (response, mut facts) =
            self.send(endpoint, encoded, cutter::accepted(asked.0), failure, &mut watch).await?;
        facts.schema = schema;
        let chosen = cutter::for_wire(wire, model, response.headers(), asked);
        let (framing, decode) = chosen.map_err(|error| facts.tell(error))?;
        if framing == Framing::Whole {
            watch.first_within(endpoint.timeouts.whole);
        }
        watch.head(Instant::now());
        let cutter = Cutter::new(framing, &endpoint.limits, response.content_length());
        Ok(ChatStream::new(Reply::new(response, cutter, decode, watch, facts)))
    }

    /// Asks for something else than a reply, such as embeddings: the whole body of a successful answer.
    ///
    /// # Errors
    ///
    /// What `failure` says of another status than 2xx; time, network and protocol as for a reply.
    pub(crate) async fn fetch(
        &self,
        endpoint: &Endpoint,
        encoded: Encoded,
        failure: Failure<'_>,
        deadline: Option<Instant>,
    ) -> Result<Bytes> {
        let mut watch = Watch::start(&endpoint.timeouts, Delivery::Whole, deadline);
        let accept = cutter::accepted(Framing::Whole);
        let (mut response, facts) = self.send(endpoint, encoded, accept, failure, &mut watch).await?;
        let mut whole = Whole::new(endpoint.limits.body, response.content_length());
        let read = watch.guard(async {
            while let Some(chunk) = poll_fn(|cx| response.poll_chunk(cx)).await? {
                whole.push(chunk)?;
            }
            Ok(())
        });
        read.await.map_err(|error| facts.tell(error))?;
        Ok(whole.into_bytes())
    }

    /// Sends a request, and gives the head of a successful answer.
    async fn send(
        &self,
        endpoint: &Endpoint,
        encoded: Encoded,
        accept: &'static str,
        failure: Failure<'_>,
        watch: &mut Watch,
    ) -> Result<(Response, Facts)> {
        let mut request = endpoint.request(encoded, accept)?;
        let agent = HeaderValue::from_static(concat!("career-llm/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().entry(USER_AGENT).or_insert(agent);
        let sent = async { self.client.execute(request).await.map_err(network::unsent) };
        let response = watch.guard(sent).await.map_err(|error| error.with_model(endpoint.model.clone()))?;
        let facts = Facts {
            model: endpoint.model.clone(),
            status: response.status().as_u16(),
            request_id: advice::request_id(response.headers()).map(str::to_owned),
            schema: None,
        };
        if response.status().is_success() {
            return Ok((response, facts));
        }
        Err(facts.tell(refusal(response, failure, watch).await))
    }
}

/// What an answer of another status than 2xx says.
async fn refusal(mut response: Response, failure: Failure<'_>, watch: &mut Watch) -> Error {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    if status.is_redirection() {
        let message = "redirected, and redirects are not followed: set the base URL to where it leads";
        return Error::new(ErrorKind::NotFound, message);
    }
    let mut body = Vec::new();
    let read = watch.guard(async {
        while let Some(chunk) = poll_fn(|cx| response.poll_chunk(cx)).await? {
            let room = REFUSAL_MAX - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if body.len() == REFUSAL_MAX {
                break;
            }
        }
        Ok(())
    });
    // The status says the most. What can be read of the body in time is added to it.
    let _ = tokio::time::timeout(REFUSAL_TIME, read).await;
    let error = failure(status, &headers, &body).with_status(status.as_u16());
    match (error.advice().after, advice::wait(status, &headers, SystemTime::now())) {
        (None, Some(wait)) => error.with_after(wait),
        _ => error,
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod echo;
#[cfg(test)]
mod tests;
