//! A span for each call.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_util::{Stream, StreamExt as _};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};

use super::common::kind_name;
use crate::{
    ChatEvent, ChatModel, ChatRequest, ChatStream, Delivery, Done, Effort, Error, ModelId, Result, Stop, StopReason,
};

/// A span of `tracing` for each call, by the names of OpenTelemetry's conventions for generative AI.
///
/// The span is named `chat`, at the level `INFO`; it begins with the call and ends with the stream. What the model
/// within does is in it. It never holds a prompt, a reply, a key, or on whose behalf the call is.
///
/// | field | what |
/// |---|---|
/// | `otel.name`, `otel.kind` | `chat <model>` and `client`, as bridges to OpenTelemetry read them |
/// | `otel.status_code` | `ERROR` when it failed |
/// | `gen_ai.operation.name` | `chat` |
/// | `gen_ai.provider.name` | the provider, by the conventions' name where they have one (`gcp.gemini`, `x_ai`, `mistral_ai`, …) |
/// | `gen_ai.request.model` | the model that is asked |
/// | `gen_ai.request.stream` | true when the reply is to come piece by piece |
/// | `gen_ai.request.max_tokens`, `.temperature`, `.top_p`, `.seed`, `.reasoning.level` | where the request says so |
/// | `gen_ai.output.type` | `json` when a schema is to be followed, `text` otherwise |
/// | `gen_ai.response.model`, `gen_ai.response.id` | which model answers, and the provider's id |
/// | `gen_ai.response.time_to_first_chunk` | seconds until the first content, of a reply that comes piece by piece |
/// | `gen_ai.response.finish_reasons` | a list of one: the provider's word, or `stop`, `length`, `tool_calls`, `content_filter`, `pause`; `error` when there was no end |
/// | `gen_ai.usage.input_tokens`, `.output_tokens`, `.cache_read.input_tokens`, `.cache_write.input_tokens`, `.reasoning.output_tokens` | where the provider says so; the last three above 0 |
/// | `error.type` | the [`ErrorKind`](crate::ErrorKind) in a word such as `throttled`, `timeout_idle`; `cancelled` when nobody waited for the end |
/// | `http.response.status_code` | of an error, where it has one |
/// | `career_llm.attempts` | how many attempts layers within list |
///
/// ```
/// use career_llm::layer::Traced;
/// use career_llm::{ChatModelExt, ChatRequest};
/// # use async_trait::async_trait;
/// # use career_llm::{ChatEvent, ChatModel, ChatStream, Done, Result, Started, StopReason};
/// # #[derive(Debug)]
/// # struct Model;
/// # #[async_trait]
/// # impl ChatModel for Model {
/// #     async fn stream(&self, _: &ChatRequest) -> Result<ChatStream> {
/// #         Ok(ChatStream::from_events([
/// #             Ok(ChatEvent::Started(Box::new(Started::new(self.id())))),
/// #             Ok(ChatEvent::Done(Box::new(Done::new(StopReason::End)))),
/// #         ]))
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let model = Traced::new(Model);
/// model.complete(&ChatRequest::user("Which careers use botany?")).await?;
/// // INFO chat{gen_ai.operation.name="chat" gen_ai.response.finish_reasons=["stop"] …}
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Traced<M> {
    inner: M,
}

impl<M: ChatModel> Traced<M> {
    /// Tells what this model does.
    pub fn new(inner: M) -> Self {
        Traced { inner }
    }
}

/// A call that is going on; it tells its end also when it is dropped.
struct Call {
    span: Span,
    began: Instant,
    streamed: bool,
    /// Whether content came.
    content: bool,
    ended: bool,
}

impl Call {
    fn new(id: &ModelId, request: &ChatRequest) -> Self {
        let streamed = request.delivery == Delivery::Streamed;
        let span = info_span!(
            "chat",
            otel.name = %format_args!("chat {}", id.model),
            otel.kind = "client",
            otel.status_code = Empty,
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = provider_name(&id.provider),
            gen_ai.request.model = &*id.model,
            gen_ai.request.stream = streamed,
            gen_ai.request.max_tokens = request.max_output_tokens,
            gen_ai.request.temperature = request.temperature.map(f64::from),
            gen_ai.request.top_p = request.top_p.map(f64::from),
            gen_ai.request.seed = request.seed,
            gen_ai.request.reasoning.level = request.effort.map(effort_name),
            gen_ai.output.type = if request.output.is_some() { "json" } else { "text" },
            gen_ai.response.model = Empty,
            gen_ai.response.id = Empty,
            gen_ai.response.time_to_first_chunk = Empty,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
            gen_ai.usage.cache_write.input_tokens = Empty,
            gen_ai.usage.reasoning.output_tokens = Empty,
            error.type = Empty,
            http.response.status_code = Empty,
            career_llm.attempts = Empty,
        );
        Call { span, began: Instant::now(), streamed, content: false, ended: false }
    }

    fn note(&mut self, event: &ChatEvent) {
        match event {
            ChatEvent::Started(started) => {
                self.span.record("gen_ai.response.model", &*started.model.model);
                if let Some(id) = &started.request_id {
                    self.span.record("gen_ai.response.id", id.as_str());
                }
            }
            ChatEvent::Done(done) => self.done(done),
            event if !self.content && event.is_content() => {
                self.content = true;
                if self.streamed {
                    self.span.record("gen_ai.response.time_to_first_chunk", self.began.elapsed().as_secs_f64());
                }
            }
            _ => {}
        }
    }

    fn done(&mut self, done: &Done) {
        self.ended = true;
        self.finish(finish_reason(&done.stop));
        if let Some(usage) = done.usage {
            self.span.record("gen_ai.usage.input_tokens", usage.input);
            self.span.record("gen_ai.usage.output_tokens", usage.output);
            let parts = [
                ("gen_ai.usage.cache_read.input_tokens", usage.cached),
                ("gen_ai.usage.cache_write.input_tokens", usage.cache_write),
                ("gen_ai.usage.reasoning.output_tokens", usage.reasoning),
            ];
            for (field, tokens) in parts.into_iter().filter(|(_, tokens)| *tokens > 0) {
                self.span.record(field, tokens);
            }
        }
        self.attempts(done.attempts.len());
    }

    fn failed(&mut self, error: &Error) {
        self.ended = true;
        self.finish("error");
        self.span.record("otel.status_code", "ERROR");
        self.span.record("error.type", kind_name(error.kind()));
        if let Some(status) = error.status() {
            self.span.record("http.response.status_code", status);
        }
        if let Some(id) = error.request_id() {
            self.span.record("gen_ai.response.id", id);
        }
        self.attempts(error.attempts().len());
    }

    fn attempts(&self, count: usize) {
        if count > 0 {
            self.span.record("career_llm.attempts", count);
        }
    }

    /// A list of one, as text: spans of `tracing` hold no lists.
    fn finish(&self, reason: &str) {
        let mut list = String::with_capacity(reason.len() + 4);
        // Writing to a string cannot fail.
        let _ = write!(list, "[{reason:?}]");
        self.span.record("gen_ai.response.finish_reasons", list.as_str());
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.ended {
            self.finish("error");
            self.span.record("error.type", "cancelled");
        }
    }
}

/// The name that the conventions give a provider.
fn provider_name(provider: &str) -> &str {
    match provider {
        "gemini" | "google" => "gcp.gemini",
        "vertex" => "gcp.vertex_ai",
        "xai" => "x_ai",
        "mistral" => "mistral_ai",
        "moonshot" => "moonshot_ai",
        "azure" => "azure.ai.openai",
        "bedrock" => "aws.bedrock",
        // Among others `openai`, `anthropic`, `groq`, `deepseek`, `cohere`, `perplexity`.
        other => other,
    }
}

fn effort_name(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
    }
}

fn finish_reason(stop: &Stop) -> &str {
    stop.raw.as_deref().unwrap_or(match stop.reason {
        StopReason::End => "stop",
        StopReason::Length => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::Filtered => "content_filter",
        StopReason::Paused => "pause",
        StopReason::Other => "other",
    })
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<M: ChatModel> ChatModel for Traced<M> {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        let mut call = Call::new(&self.inner.id(), request);
        match self.inner.stream(request).instrument(call.span.clone()).await {
            Ok(stream) => Ok(ChatStream::new(TracedStream { stream, call })),
            Err(error) => {
                call.failed(&error);
                Err(error)
            }
        }
    }

    fn id(&self) -> ModelId {
        self.inner.id()
    }
}

/// A stream in its span.
struct TracedStream {
    // Before the call, so that what it does when it is dropped is in the span.
    stream: ChatStream,
    call: Call,
}

impl Stream for TracedStream {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let item = this.call.span.in_scope(|| this.stream.poll_next_unpin(cx));
        match &item {
            Poll::Ready(Some(Ok(event))) => this.call.note(event),
            Poll::Ready(Some(Err(error))) => this.call.failed(error),
            Poll::Ready(None) | Poll::Pending => {}
        }
        item
    }
}
