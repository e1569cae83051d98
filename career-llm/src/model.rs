//! The port to a language model.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{ChatRequest, ChatResponse, ChatStream, Delivery, ModelId, Result};

/// Something that answers a conversation: a provider's model, or a layer over one.
///
/// # Contract
///
/// - The future ends when the provider took the request or refused it; a layer may wait longer, for the first content.
/// - The stream keeps to [`ChatEvent`](crate::ChatEvent): one `Started`, content, one `Done`.
/// - The deadline of the request holds for all of it.
/// - An error tells its kind, whose it is and what to do; it never shows what a person wrote.
/// - Dropping the future or the stream stops the call.
///
/// ```
/// use career_llm::{ChatEvent, ChatModel, ChatModelExt, ChatRequest, ChatStream, Done, Result, Started, StopReason};
/// # use async_trait::async_trait;
///
/// #[derive(Debug)]
/// struct Parrot;
///
/// #[async_trait]
/// impl ChatModel for Parrot {
///     async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
///         let last = request.messages.last().map(|message| message.text()).unwrap_or_default();
///         Ok(ChatStream::from_events([
///             Ok(ChatEvent::Started(Box::new(Started::new(self.id())))),
///             Ok(ChatEvent::Text(last)),
///             Ok(ChatEvent::Done(Box::new(Done::new(StopReason::End)))),
///         ]))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let model: Box<dyn ChatModel> = Box::new(Parrot);
/// assert_eq!(model.complete(&ChatRequest::user("hello")).await?.text(), "hello");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait ChatModel: Debug + Send + Sync + 'static {
    /// Asks, and gives the reply as it comes.
    ///
    /// # Errors
    ///
    /// Any of [`ErrorKind`](crate::ErrorKind), before the first piece. Later ones come in the stream.
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream>;

    /// Which model this is, for logs, prices and attempts. A model of your own is named after its type unless it says.
    fn id(&self) -> ModelId {
        ModelId::new("custom", std::any::type_name::<Self>())
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<T: ChatModel + ?Sized> ChatModel for $pointer<T> {
            async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
                (**self).stream(request).await
            }

            fn id(&self) -> ModelId {
                (**self).id()
            }
        }
    )*};
}

forward!(Arc, Box);

/// What every model can do besides, made from its stream.
#[async_trait]
pub trait ChatModelExt: ChatModel {
    /// Asks, and waits for the whole reply. It is asked for in one piece, whatever the request says.
    ///
    /// # Errors
    ///
    /// As for [`ChatModel::stream`].
    async fn complete(&self, request: &ChatRequest) -> Result<ChatResponse> {
        if request.delivery == Delivery::Whole {
            return self.stream(request).await?.collect().await;
        }
        self.stream(&request.clone().delivered(Delivery::Whole)).await?.collect().await
    }
}

impl<T: ChatModel + ?Sized> ChatModelExt for T {}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_model<T: ChatModel + ?Sized>() {}

    #[test]
    fn the_port_is_object_safe_and_forwarded() {
        is_model::<dyn ChatModel>();
        is_model::<Arc<dyn ChatModel>>();
        is_model::<Box<dyn ChatModel>>();
    }
}
