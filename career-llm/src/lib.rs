//! Language models for career guidance: one port with providers behind it and layers over it, a fallback that keeps
//! answering, typed answers, prompts, tokens and embeddings.
//!
//! ```
//! use std::time::Duration;
//!
//! use career_llm::layer::{BreakerOptions, Fallback};
//! use career_llm::{ChatModel, ChatModelExt, ChatRequest, Result};
//!
//! async fn answer(first: impl ChatModel, second: impl ChatModel, question: &str) -> Result<String> {
//!     let chain = Fallback::new()
//!         .then(first) // such as Gemini::from_env()?
//!         .then(second)
//!         .with_breakers(BreakerOptions::default())
//!         .deadline(Duration::from_secs(20));
//!     let request = ChatRequest::user(question).with_system("You are a career counsellor.");
//!     let reply = chain.complete(&request).await?;
//!     Ok(format!("{} says: {}", reply.model, reply.text()))
//! }
//! ```
//!
//! `from_env()` is the chain that the keys in the environment allow. A reply streams by [`ChatModel::stream`], and comes
//! in one piece by [`ChatModelExt::complete`].
//!
//! # What it keeps to
//!
//! - **It keeps answering.** One deadline holds for all attempts; a failure before the first content is hidden; when nobody
//!   answers the error lists every attempt, and the host answers from its own facts.
//! - **No silent end.** A stream that was cut is an error, and what was shown is never replaced without a word.
//! - **Errors say what to do.** Kind, model, status, request id, the provider's own message, and where the call may succeed.
//!   An error inside of a stream is the same error as by status.
//! - **Nothing leaks.** No `Debug` and no `Display` of an error shows a key, a prompt or a reply.
//!
//! # Map
//!
//! | module | what is there |
//! |---|---|
//! | crate root | the port [`ChatModel`], [`ChatRequest`] in, [`ChatEvent`]s or a [`ChatResponse`] out, [`Error`] |
//! | `provider` | OpenAI and who looks like it, Anthropic, Gemini, Ollama; by builder, environment, configuration |
//! | [`layer`] | fallback, retry, breaker, hedge, limits, budgets, cached replies, pseudonyms, traces, cassettes |
//! | `extract` | typed answers: schema, check, repair |
//! | [`schema`] | what becomes of a schema on its way to a provider |
//! | `prompts` | templates, checked when read, with a premade set in English and Hindi |
//! | [`tokens`], [`models`] | counting and trimming; windows and prices as data |
//! | [`embed`] | text to vectors |
//! | [`wire`], `transport` | protocols as pure functions on bytes, and what sends them |
//! | `testkit` | a scripted model, a server that breaks as told, cassettes, the suite for embedders |
//!
//! # Features
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `openai` | yes | `OpenAi` (Responses), `OpenAiCompatible` (Chat Completions and all its look-alikes) |
//! | `anthropic`, `gemini`, `ollama` | yes | these providers |
//! | `extract` | yes | typed answers |
//! | `prompts` | yes | prompt templates |
//! | `http` | by the providers | the transport alone, for a provider of your own |
//! | `tiktoken` | no | exact counts for OpenAI's encodings |
//! | `local` | no | a sentence encoder that runs here, from a folder |
//! | `trace` | no | the layer `Traced` |
//! | `testkit` | no | what tests need |
//!
//! TLS is rustls with the roots of the system; `http` is not built without it.

#![warn(clippy::print_stdout, clippy::print_stderr)]

#[cfg(any(feature = "openai", feature = "anthropic", feature = "gemini", feature = "ollama"))]
mod chain;
pub mod embed;
mod error;
mod event;
#[cfg(feature = "extract")]
pub mod extract;
mod id;
pub mod layer;
mod message;
mod model;
pub mod models;
#[cfg(feature = "prompts")]
pub mod prompts;
#[cfg(feature = "http")]
pub mod provider;
mod request;
mod response;
pub mod schema;
mod stream;
#[cfg(feature = "testkit")]
pub mod testkit;
mod text;
pub mod tokens;
#[cfg(feature = "http")]
pub mod transport;
mod usage;
pub mod wire;

#[cfg(any(feature = "openai", feature = "anthropic", feature = "gemini", feature = "ollama"))]
pub use chain::from_env;
pub use error::{Advice, Error, ErrorKind, Result, Scope, Timeout};
pub use event::{Attempt, ChatEvent, Done, Restarted, Started, Stop, StopReason};
pub use id::ModelId;
pub use message::{Image, ImageData, Message, Opaque, Part, Role, ToolCall, ToolResult};
pub use model::{ChatModel, ChatModelExt};
pub use request::{ChatRequest, Delivery, Effort, OutputSchema, STOP_MAX, Tool, ToolChoice};
pub use response::{ChatResponse, Collector};
pub use schema::SchemaReport;
pub use stream::ChatStream;
pub use text::Text;
pub use usage::Usage;
