//! Pseudonyms out, names back.

mod detect;
mod matcher;
mod pseudonyms;
mod redaction;
mod restore;
mod rewrite;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_util::{Stream, StreamExt as _};

pub use self::detect::Detector;
pub use self::pseudonyms::{Pseudonyms, PseudonymsOf, TermKind};
use self::redaction::Redaction;
use self::restore::Restoring;
use super::common::by_deadline;
use crate::{ChatEvent, ChatModel, ChatRequest, ChatStream, ModelId, Result, Text};

/// Sends pseudonyms in place of names, and puts the names back into the reply.
///
/// The names of a student, a school, addresses: the host says them ([`Pseudonyms`]); emails, phone numbers, Aadhaar and
/// PAN numbers are found besides ([`Detector`]). Each is sent as a placeholder such as `[NAME_1]`. What the model
/// answers with a placeholder reaches the caller with the name, piece by piece: of a stream only what may be the
/// beginning of a placeholder is held back.
///
/// # What is replaced
///
/// - Everywhere in the request: the system text, all turns, what goes into tools and what came out of them, the words
///   in descriptions, examples and enums of tools and schemas, stop texts, and the texts of
///   [`extra`](ChatRequest::extra). In JSON, where a number is replaced, its place is taken by a string.
/// - Terms are found as whole words, whatever their case and the white space in them; in any script, where words are
///   written apart. A letter next to a digit is the end of a word, and so is `_`.
/// - The longest match counts; each spelling has a placeholder of its own, so that every reply gets back what was
///   written: `[NAME_1]` for "Given", `[NAME_1_2]` for "GIVEN".
/// - A placeholder is one that the request does not hold, and that holds no term. Those of terms are the same for every
///   call with the same terms; those that are found are numbered as they come, the same while a conversation grows at
///   its end.
///
/// # What is not
///
/// Pictures and their addresses, names of tools and of properties, ids of calls, [`Part::Opaque`](crate::Part::Opaque)
/// (a provider wants it back unchanged, and it was made from what this layer sent), words with a term glued to other
/// letters, and a term in another normalisation of Unicode: say it in each. Terms with fewer than two letters or digits
/// are not looked for. A model can still guess who somebody is from what else is said.
///
/// # In the reply
///
/// Names come back in text, refusals, shown thoughts and the input of tools; in the latter, and in text that follows a
/// [schema](ChatRequest::output), escaped as JSON needs it. Errors' partial texts and provider messages too. A
/// placeholder that the model changed stays as the model wrote it; a [note](Redacted::with_note) helps.
///
/// ```
/// use career_llm::layer::{Pseudonyms, Redacted};
/// use career_llm::{ChatModelExt, ChatRequest};
/// # use async_trait::async_trait;
/// # use career_llm::{ChatEvent, ChatModel, ChatStream, Done, Result, Started, StopReason};
/// # #[derive(Debug)]
/// # struct Parrot;
/// # #[async_trait]
/// # impl ChatModel for Parrot {
/// #     async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
/// #         let asked = request.messages[0].text();
/// #         assert_eq!(asked, "I am [NAME_1] from [SCHOOL_1], call [PHONE_1]");
/// #         Ok(ChatStream::from_events([
/// #             Ok(ChatEvent::Started(Box::new(Started::new(self.id())))),
/// #             Ok(ChatEvent::Text("Dear [NA".into())),
/// #             Ok(ChatEvent::Text("ME_1], hello".into())),
/// #             Ok(ChatEvent::Done(Box::new(Done::new(StopReason::End)))),
/// #         ]))
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let student = Pseudonyms::new().person("Given Surname").school("Hill School");
/// let model = Redacted::new(Parrot, student);
/// let request = ChatRequest::user("I am Given Surname from Hill School, call 98765 43210");
/// // The model is sent "I am [NAME_1] from [SCHOOL_1], call [PHONE_1]".
/// assert_eq!(model.complete(&request).await?.text(), "Dear Given Surname, hello");
/// # Ok(())
/// # }
/// ```
pub struct Redacted<M> {
    inner: M,
    source: Arc<dyn PseudonymsOf>,
    note: Option<Text>,
}

impl<M: ChatModel> Redacted<M> {
    /// Hides these terms: the same for every call, or those that a host says for each.
    pub fn new(inner: M, source: impl PseudonymsOf) -> Self {
        Redacted { inner, source: Arc::new(source), note: None }
    }

    /// Adds this to the system text of requests in which something was replaced, such as "Words like `[NAME_1]` stand
    /// for names. Use them as they are."
    #[must_use]
    pub fn with_note(mut self, note: impl Into<Text>) -> Self {
        self.note = Some(note.into());
        self
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<M: ChatModel> ChatModel for Redacted<M> {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        let terms = by_deadline(request, || self.inner.id(), self.source.of(request)).await??;
        let mut redaction = Redaction::new(&terms, request);
        let mut sent = rewrite::request(&mut redaction, request);
        let table = redaction.into_table();
        if table.is_empty() {
            return self.inner.stream(request).await;
        }
        if let Some(note) = &self.note {
            sent.system = Some(match sent.system.take() {
                Some(system) => format!("{system}\n\n{note}").into(),
                None => note.clone(),
            });
        }
        let json = request.output.is_some();
        match self.inner.stream(&sent).await {
            Ok(stream) => Ok(ChatStream::new(RestoredStream { stream, restoring: Restoring::new(table, json) })),
            Err(error) => Err(restore::error(&table, &error, json)),
        }
    }

    fn id(&self) -> ModelId {
        self.inner.id()
    }
}

impl<M: fmt::Debug> fmt::Debug for Redacted<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the source: it holds what is hidden.
        f.debug_struct("Redacted").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// A stream with the names put back.
struct RestoredStream {
    stream: ChatStream,
    restoring: Restoring,
}

impl Stream for RestoredStream {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(item) = this.restoring.next() {
                return Poll::Ready(Some(item));
            }
            match this.stream.poll_next_unpin(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(item)) => {
                    if let Some(passed) = this.restoring.take(item) {
                        return Poll::Ready(Some(passed));
                    }
                }
            }
        }
    }
}
