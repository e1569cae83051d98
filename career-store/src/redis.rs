//! The connection to Redis that the cache, the limiter and the bus share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use career_core::{Error, ErrorKind, Result};
use futures_util::StreamExt;
use redis::aio::{ConnectionManager, ConnectionManagerConfig, PubSubSink, PubSubStream};
use redis::io::tcp::TcpSettings;
use redis::{Client, IntoConnectionInfo, RedisError, ServerErrorKind};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::bus::{BACKLOG, Bus};

/// How long a connection may take, and an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// After how long without a message the bus asks whether the server is still there.
const QUIET: Duration = Duration::from_secs(10);
/// How long the bus waits before it connects again: at first, and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A connection to one Redis server (7 or later), and a prefix for all keys.
///
/// Cloning it shares the connection, over which many commands are under way at once. When it breaks, the commands
/// under way fail with [`ErrorKind::Unavailable`], and it is made again for the next. A command that is not answered
/// within 2 seconds fails so too; whether it was done is then not known, which neither cache nor limiter minds.
///
/// ```no_run
/// use career_store::redis::Redis;
///
/// # async fn example() -> career_core::Result<()> {
/// let redis = Redis::connect("redis://user:secret@127.0.0.1:6379/0", "career:").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Redis {
    client: Client,
    manager: ConnectionManager,
    prefix: Arc<str>,
}

impl Redis {
    /// Connects. The address is `redis://[user:password@]host[:port][/database]`, or `unix:///path`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for an address that cannot be read, [`ErrorKind::Denied`] for a wrong password,
    /// [`ErrorKind::Unavailable`] when the server does not answer within some seconds.
    pub async fn connect(address: &str, prefix: &str) -> Result<Self> {
        let info = address.into_connection_info().map_err(failed)?;
        let settings = TcpSettings::default().set_nodelay(true);
        // A peer that vanished acknowledges nothing: the kernel then ends the connection, and it is made again.
        #[cfg(target_os = "linux")]
        let settings = settings.set_user_timeout(PATIENCE * 2);
        let client = Client::open(info.set_tcp_settings(settings)).map_err(failed)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        let manager = ConnectionManager::new_with_config(client.clone(), config).await.map_err(failed)?;
        let redis = Redis { client, manager, prefix: prefix.into() };
        // A server that wants a password lets anyone connect, and refuses the first command.
        let () = redis::cmd("PING").exec_async(&mut redis.connection()).await.map_err(failed)?;
        Ok(redis)
    }

    /// The same connection, with keys under a longer prefix.
    #[must_use]
    pub fn with_prefix(&self, prefix: &str) -> Self {
        Redis { prefix: format!("{}{prefix}", self.prefix).into(), ..self.clone() }
    }

    pub(crate) fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    pub(crate) fn connection(&self) -> ConnectionManager {
        self.manager.clone()
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the address: it may hold the password.
        f.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// What an error of the driver means to a caller.
pub(crate) fn failed(error: RedisError) -> Error {
    use redis::ErrorKind as Kind;
    let (kind, message) = match (error.kind(), error.code()) {
        (Kind::InvalidClientConfig, _) => (ErrorKind::Invalid, "expected the address of a Redis server"),
        (Kind::AuthenticationFailed | Kind::Server(ServerErrorKind::NoPerm), _)
        | (_, Some("NOAUTH" | "WRONGPASS" | "DENIED")) => (ErrorKind::Denied, "Redis refuses"),
        (Kind::Io | Kind::ClusterConnectionNotFound, _) => (ErrorKind::Unavailable, "Redis does not answer"),
        // A replica that refuses to write was the primary a moment ago, or will be.
        (
            Kind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::TryAgain,
            ),
            _,
        )
        | (_, Some("BUSY" | "OOM" | "NOREPLICAS")) => (ErrorKind::Unavailable, "Redis is not ready"),
        _ => (ErrorKind::Io, "Redis failed"),
    };
    Error::new(kind, message).with_source(error)
}

/// A bus over a channel of Redis.
///
/// It listens on a connection of its own. When that breaks, which is found within some 12 seconds, it connects again,
/// ever less often, up to every 5 seconds; subscribers then get an empty message. Dropping it ends the listening.
///
/// ```no_run
/// use bytes::Bytes;
/// use career_store::bus::Bus;
/// use career_store::redis::{Redis, RedisBus};
///
/// # async fn example() -> career_core::Result<()> {
/// let redis = Redis::connect("redis://127.0.0.1:6379", "career:").await?;
/// let bus = RedisBus::connect(&redis, "changes").await?;
/// let mut heard = bus.subscribe();
/// bus.publish(Bytes::from_static(b"profile 7")).await?;
/// assert_eq!(heard.recv().await.expect("not lagging"), "profile 7");
/// # Ok(())
/// # }
/// ```
pub struct RedisBus {
    redis: Redis,
    channel: String,
    sender: broadcast::Sender<Bytes>,
    listener: JoinHandle<()>,
}

impl RedisBus {
    /// Listens to this channel, under the prefix of the connection. What is published from now on is heard.
    ///
    /// # Errors
    ///
    /// As for [`Redis::connect`].
    pub async fn connect(redis: &Redis, channel: &str) -> Result<Self> {
        let channel = redis.key(channel);
        let sender = broadcast::Sender::new(BACKLOG);
        let first = listen(&redis.client, &channel).await?;
        let listener = tokio::spawn(forward(redis.client.clone(), channel.clone(), sender.clone(), first));
        Ok(RedisBus { redis: redis.clone(), channel, sender, listener })
    }
}

impl fmt::Debug for RedisBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBus").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Drop for RedisBus {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Bus for RedisBus {
    async fn publish(&self, message: Bytes) -> Result<()> {
        redis::cmd("PUBLISH")
            .arg(&self.channel)
            .arg(&message[..])
            .exec_async(&mut self.redis.connection())
            .await
            .map_err(failed)
    }

    fn subscribe(&self) -> broadcast::Receiver<Bytes> {
        self.sender.subscribe()
    }
}

type Listening = (PubSubSink, PubSubStream);

async fn listen(client: &Client, channel: &str) -> Result<Listening> {
    let subscribed = timeout(PATIENCE, async {
        let (mut sink, stream) = client.get_async_pubsub().await?.split();
        sink.subscribe(channel).await?;
        Ok((sink, stream))
    });
    match subscribed.await {
        Ok(listening) => listening.map_err(failed),
        Err(late) => Err(Error::new(ErrorKind::Unavailable, "Redis does not answer").with_source(late)),
    }
}

/// Passes messages on for as long as the bus lives, over one connection after another.
async fn forward(client: Client, channel: String, sender: broadcast::Sender<Bytes>, mut listening: Listening) {
    loop {
        pass_on(&sender, &mut listening).await;
        let mut wait = BACKOFF.0;
        listening = loop {
            sleep(wait).await;
            match listen(&client, &channel).await {
                Ok(listening) => break listening,
                Err(_) => wait = (wait * 2).min(BACKOFF.1),
            }
        };
        // What was published in between is lost.
        drop(sender.send(Bytes::new()));
    }
}

/// Passes messages on until the connection ends.
async fn pass_on(sender: &broadcast::Sender<Bytes>, (sink, stream): &mut Listening) {
    loop {
        match timeout(QUIET, stream.next()).await {
            Ok(Some(message)) => drop(sender.send(Bytes::copy_from_slice(message.get_payload_bytes()))),
            Ok(None) => return,
            // A connection whose other end vanished is as quiet as one on which nothing is said.
            Err(_) => match timeout(PATIENCE, sink.ping::<redis::Value>()).await {
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(error: impl Into<RedisError>) -> ErrorKind {
        failed(error.into()).kind()
    }

    fn from_server(code: &str) -> RedisError {
        redis::make_extension_error(code.to_owned(), None)
    }

    #[test]
    fn errors_of_the_driver_have_a_meaning() {
        assert_eq!(kind(std::io::Error::from(std::io::ErrorKind::TimedOut)), ErrorKind::Unavailable);
        assert_eq!(kind(from_server("OOM")), ErrorKind::Unavailable);
        assert_eq!(kind((redis::ErrorKind::Server(ServerErrorKind::BusyLoading), "")), ErrorKind::Unavailable);
        assert_eq!(kind((redis::ErrorKind::Server(ServerErrorKind::ClusterDown), "")), ErrorKind::Unavailable);
        assert_eq!(kind(from_server("NOAUTH")), ErrorKind::Denied);
        assert_eq!(kind((redis::ErrorKind::AuthenticationFailed, "")), ErrorKind::Denied);
        assert_eq!(kind((redis::ErrorKind::Server(ServerErrorKind::NoPerm), "")), ErrorKind::Denied);
        assert_eq!(kind(from_server("WRONGTYPE")), ErrorKind::Io);
    }
}
