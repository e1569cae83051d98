//! Language models for career guidance.

#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod embed;
mod error;
mod event;
#[cfg(feature = "extract")]
pub mod extract;
mod id;
pub mod layer;
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

pub use error::{Advice, Error, ErrorKind, Result, Scope, Timeout};
pub use event::{Attempt, ChatEvent, Done, Restarted, Started, Stop, StopReason};
pub use id::ModelId;
pub use model::{ChatModel, ChatModelExt};
pub use request::{
    ChatRequest, Delivery, Effort, Image, ImageData, Message, Opaque, OutputSchema, Part, Role, STOP_MAX, Tool,
    ToolCall, ToolChoice, ToolResult,
};
pub use response::{ChatResponse, Collector};
pub use schema::SchemaReport;
pub use stream::ChatStream;
pub use text::Text;
pub use usage::Usage;
