//! The port that does what follows from an event.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::store::Batch;
use crate::{Event, Result};

/// Does what follows from an event: a summary, an embedding, an achievement, a notification.
///
/// # Contract
///
/// - An event is given at least once. What the handler writes goes into `effects` and is committed together with the
///   word that the event was handled, so that it happens once; what it does elsewhere may happen again.
/// - Events of the same [order key](Event::order_key) are given one after the other.
/// - An error means "again later"; one of kind [`Invalid`](crate::ErrorKind::Invalid),
///   [`Corrupt`](crate::ErrorKind::Corrupt) or [`Unsupported`](crate::ErrorKind::Unsupported) means "never".
///
/// ```
/// use async_trait::async_trait;
/// use career_core::store::Batch;
/// use career_core::{Event, Handler, Notification, Result};
///
/// #[derive(Debug)]
/// struct Congratulate;
///
/// #[async_trait]
/// impl Handler for Congratulate {
///     async fn handle(&self, event: &Event, effects: &mut Batch) -> Result<()> {
///         if let Event::MilestoneCompleted { user, .. } = event {
///             let now = jiff::Timestamp::now();
///             effects.insert(&Notification::builder().user(*user).title("Well done").body("One step nearer.").at(now).build());
///         }
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Handler: Debug + Send + Sync + 'static {
    /// Handles one event.
    ///
    /// # Errors
    ///
    /// Why it could not be handled; nothing of `effects` is kept then.
    async fn handle(&self, event: &Event, effects: &mut Batch) -> Result<()>;
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Handler + ?Sized> Handler for Arc<T> {
    async fn handle(&self, event: &Event, effects: &mut Batch) -> Result<()> {
        (**self).handle(event, effects).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Handler + ?Sized> Handler for Box<T> {
    async fn handle(&self, event: &Event, effects: &mut Batch) -> Result<()> {
        (**self).handle(event, effects).await
    }
}

const _: () = {
    const fn is_object_safe_and_shared<T: ?Sized + Send + Sync + 'static>() {}
    is_object_safe_and_shared::<dyn Handler>();
};
