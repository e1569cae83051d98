//! Word between nodes: the port [`Bus`], and the one within a process.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use career_core::Result;
use tokio::sync::broadcast;

/// How many messages a slow subscriber may be behind before it misses some.
pub(crate) const BACKLOG: usize = 1024;

/// Tells every node what one of them says, such as which records changed.
///
/// # Contract
///
/// - Every subscriber hears what is published after it subscribed, its own messages too, each publisher's in order.
/// - Nothing is kept: a message may be missed when a connection breaks. Every subscriber then gets one **empty
///   message**, once it hears again: it may have missed some. Whoever publishes an empty message says the same.
/// - A subscriber that is too slow gets [`RecvError::Lagged`](broadcast::error::RecvError::Lagged), which means
///   the same as an empty message.
#[async_trait]
pub trait Bus: Debug + Send + Sync + 'static {
    /// Tells everyone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`](career_core::ErrorKind::Unavailable) when the backend cannot be reached: others
    /// may not have heard it.
    async fn publish(&self, message: Bytes) -> Result<()>;

    /// Hears everyone from now on.
    fn subscribe(&self) -> broadcast::Receiver<Bytes>;
}

/// A bus within one process.
///
/// ```
/// use bytes::Bytes;
/// use career_store::bus::{Bus, LocalBus};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_core::Result<()> {
/// let bus = LocalBus::new();
/// let mut heard = bus.subscribe();
/// bus.publish(Bytes::from_static(b"profile 7")).await?;
/// assert_eq!(heard.recv().await.expect("not lagging"), "profile 7");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LocalBus {
    sender: broadcast::Sender<Bytes>,
}

impl LocalBus {
    /// A bus that its clones share.
    pub fn new() -> Self {
        LocalBus { sender: broadcast::Sender::new(BACKLOG) }
    }
}

impl Default for LocalBus {
    fn default() -> Self {
        LocalBus::new()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Bus for LocalBus {
    async fn publish(&self, message: Bytes) -> Result<()> {
        // It fails only when nobody listens, which is fine.
        drop(self.sender.send(message));
        Ok(())
    }

    fn subscribe(&self) -> broadcast::Receiver<Bytes> {
        self.sender.subscribe()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Bus + ?Sized> Bus for Arc<T> {
    async fn publish(&self, message: Bytes) -> Result<()> {
        (**self).publish(message).await
    }

    fn subscribe(&self) -> broadcast::Receiver<Bytes> {
        (**self).subscribe()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Bus + ?Sized> Bus for Box<T> {
    async fn publish(&self, message: Bytes) -> Result<()> {
        (**self).publish(message).await
    }

    fn subscribe(&self) -> broadcast::Receiver<Bytes> {
        (**self).subscribe()
    }
}

const _: () = {
    const fn is_object_safe_and_shared<T: ?Sized + Send + Sync + 'static>() {}
    is_object_safe_and_shared::<dyn Bus>();
};
