//! Typed answers: a schema asked for, an answer checked against it, and repaired where it does not fit.

mod check;
mod find;
#[cfg(all(test, feature = "testkit"))]
mod tests;

use std::fmt;
use std::ops::Deref;

use async_trait::async_trait;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use crate::schema::{Lost, SchemaMode};
use crate::{
    Attempt, ChatModel, ChatModelExt, ChatRequest, ChatResponse, Error, ErrorKind, Message, OutputSchema, Part, Result,
    Role, StopReason, Text, Usage,
};
use check::{Checker, Finding};

/// How an answer is extracted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extract {
    /// How often the model may repair its answer; 2 unless said otherwise.
    pub repairs: u32,
    /// The name of the schema, 1 to 64 letters, digits, `_`, `-`; that of the type unless said otherwise.
    pub name: Option<String>,
}

impl Default for Extract {
    fn default() -> Self {
        Extract { repairs: 2, name: None }
    }
}

impl Extract {
    /// As is usual.
    pub fn new() -> Self {
        Extract::default()
    }

    /// The model may repair its answer so often.
    #[must_use]
    pub fn repairs(mut self, repairs: u32) -> Self {
        self.repairs = repairs;
        self
    }

    /// The schema has this name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// How an answer came to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provenance {
    /// The provider held the model to the schema, and the first answer fitted.
    Native,
    /// The model was told of the schema in words, and the first answer fitted.
    Prompted,
    /// The first answer did not fit, a later one did.
    Repaired,
}

/// An answer that fits. It is its value in most places; `Debug` does not show that.
#[derive(Clone)]
#[non_exhaustive]
pub struct Extracted<T> {
    /// The answer.
    pub value: T,
    /// How it came to fit.
    pub provenance: Provenance,
    /// How often it was repaired.
    pub repairs: u32,
    /// What all calls used up together, as far as the provider said so.
    pub usage: Usage,
    /// All calls, the earlier ones first: those that gave an answer, and what layers tried before each.
    pub attempts: Vec<Attempt>,
    /// What the provider did not hold the model to. It was checked here.
    pub lost: Vec<Lost>,
    /// The reply that has the answer.
    pub response: ChatResponse,
}

impl<T> Extracted<T> {
    /// The answer alone.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Extracted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> fmt::Debug for Extracted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extracted")
            .field("provenance", &self.provenance)
            .field("repairs", &self.repairs)
            .field("usage", &self.usage)
            .field("attempts", &self.attempts)
            .field("lost", &self.lost)
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

/// Typed answers from every model.
///
/// ```
/// use career_llm::extract::{ExtractExt, Provenance};
/// use career_llm::{ChatEvent, ChatModel, ChatRequest, ChatStream, Done, Result, Started, StopReason};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Advice {
///     career: String,
///     #[schemars(range(min = 1, max = 5))]
///     fit: u8,
/// }
/// # #[derive(Debug)]
/// # struct Model;
/// # #[async_trait::async_trait]
/// # impl ChatModel for Model {
/// #     async fn stream(&self, _: &ChatRequest) -> Result<ChatStream> {
/// #         Ok(ChatStream::from_events([
/// #             Ok(ChatEvent::Started(Box::new(Started::new(self.id())))),
/// #             Ok(ChatEvent::Text("{\"career\": \"Botanist\", \"fit\": 4}".into())),
/// #             Ok(ChatEvent::Done(Box::new(Done::new(StopReason::End)))),
/// #         ]))
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let model: Box<dyn ChatModel> = Box::new(Model);
/// let request = ChatRequest::user("I love plants and fieldwork. What fits me, from 1 to 5?");
/// let advice = model.extract::<Advice>(&request).await?;
/// assert_eq!((advice.career.as_str(), advice.fit), ("Botanist", 4));
/// assert_eq!(advice.provenance, Provenance::Prompted);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait ExtractExt: ChatModel {
    /// Asks for an answer of this type, as [`Extract`] usually does it.
    ///
    /// The schema of the type takes the place of [`ChatRequest::output`], and the reply comes whole. An answer that does
    /// not fit goes back to the model with what is wrong, within the same deadline.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Output`] when no answer fitted, was cut short, or a tool was asked for instead; its message names
    /// places and keywords, never values, and [`Error::attempts`] has all calls. [`ErrorKind::Filtered`] when the model
    /// refused. Besides, any error of the model.
    async fn extract<T: JsonSchema + DeserializeOwned + Send>(&self, request: &ChatRequest) -> Result<Extracted<T>> {
        self.extract_with(request, &Extract::new()).await
    }

    /// Asks for an answer of this type.
    ///
    /// # Errors
    ///
    /// As for [`extract`](ExtractExt::extract).
    async fn extract_with<T: JsonSchema + DeserializeOwned + Send>(
        &self,
        request: &ChatRequest,
        how: &Extract,
    ) -> Result<Extracted<T>> {
        let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
        let name = how.name.clone().unwrap_or_else(|| name_of(&T::schema_name()));
        run(self, request, how, name, schema, |value| T::deserialize(value).map_err(|error| error.to_string())).await
    }

    /// Asks for an answer by a schema that is known only now: JSON Schema, draft 2020-12 unless it says another.
    ///
    /// # Errors
    ///
    /// As for [`extract`](ExtractExt::extract), and [`ErrorKind::Invalid`] when the schema is none.
    async fn extract_value(&self, request: &ChatRequest, schema: &Value, how: &Extract) -> Result<Extracted<Value>> {
        let name = how.name.clone().unwrap_or_else(|| "answer".to_owned());
        run(self, request, how, name, schema.clone(), Ok).await
    }
}

impl<M: ChatModel + ?Sized> ExtractExt for M {}

/// The name of a type as a name of a schema.
fn name_of(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = name.chars().map(allowed).take(64).collect();
    if name.is_empty() { "answer".to_owned() } else { name }
}

async fn run<T, M: ChatModel + ?Sized>(
    model: &M,
    request: &ChatRequest,
    how: &Extract,
    name: String,
    schema: Value,
    read: impl Fn(Value) -> Result<T, String> + Send + Sync,
) -> Result<Extracted<T>> {
    let checker = Checker::new(schema)?;
    let mut request = request.clone().with_output(OutputSchema::new(name, checker.schema().clone()));
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut usage = Usage::default();
    let mut repairs = 0;
    loop {
        let began = Instant::now();
        let response = match model.complete(&request).await {
            Ok(response) => response,
            Err(error) if attempts.is_empty() => return Err(error),
            Err(error) => {
                attempts.extend_from_slice(error.attempts());
                attempts.push(Attempt::failed(model.id(), began.elapsed(), error.clone()));
                return Err(error.with_attempts(attempts));
            }
        };
        usage += response.usage.unwrap_or_default();
        attempts.extend_from_slice(&response.attempts);
        attempts.push(Attempt::succeeded(response.model.clone(), began.elapsed(), response.usage));
        if let Some(error) = refused(&response) {
            return Err(error.with_model(response.model).with_attempts(attempts));
        }
        let wrong = match answer(&checker, &response, &read) {
            Ok(value) => return Ok(extracted(value, repairs, usage, attempts, response)),
            Err(wrong) => wrong,
        };
        if let Some(error) = hopeless(&response) {
            return Err(error.with_model(response.model).with_attempts(attempts));
        }
        if repairs == how.repairs || request.time_left().is_some_and(|left| left.is_zero()) {
            return Err(gave_up(&wrong.findings, repairs).with_model(response.model).with_attempts(attempts));
        }
        repairs += 1;
        ask_again(&mut request, &response, &wrong);
    }
}

/// What is wrong with a reply.
struct Wrong {
    findings: Vec<Finding>,
    /// Why the type would not take it. It may quote the model, so only the model gets it.
    reason: Option<Text>,
}

/// The first value in a reply that fits; else what is wrong with the one that is most likely meant, the longest.
fn answer<T>(
    checker: &Checker,
    response: &ChatResponse,
    read: &impl Fn(Value) -> Result<T, String>,
) -> Result<T, Wrong> {
    let mut nearest = (0, Wrong { findings: vec![Finding::no_json()], reason: None });
    let cut = response.stop.reason == StopReason::Length;
    // Of a number that is cut off one cannot tell: `12` may be the beginning of `123`.
    let whole = |candidate: &Value| !(cut && candidate.is_number());
    for candidate in find::candidates(&response.text()).filter(whole) {
        let wrong = match checker.check(&candidate) {
            Ok(value) => match read(value) {
                Ok(value) => return Ok(value),
                Err(reason) => Wrong { findings: vec![Finding::not_the_type()], reason: Some(reason.into()) },
            },
            Err(findings) => Wrong { findings, reason: None },
        };
        let length = candidate.to_string().len();
        if length > nearest.0 {
            nearest = (length, wrong);
        }
    }
    Err(nearest.1)
}

fn extracted<T>(value: T, repairs: u32, usage: Usage, attempts: Vec<Attempt>, response: ChatResponse) -> Extracted<T> {
    let native = response.schema.as_ref().is_some_and(|report| report.mode == SchemaMode::Native);
    let provenance = match (repairs, native) {
        (0, true) => Provenance::Native,
        (0, false) => Provenance::Prompted,
        _ => Provenance::Repaired,
    };
    let lost = response.schema.as_ref().map(|report| report.lost.clone()).unwrap_or_default();
    Extracted { value, provenance, repairs, usage, attempts, lost, response }
}

/// A refusal, which is none the less one when something that fits stands before it.
fn refused(response: &ChatResponse) -> Option<Error> {
    if response.stop.reason != StopReason::Filtered && response.refusal.is_none() {
        return None;
    }
    let error = Error::new(ErrorKind::Filtered, "the model, or a filter of its provider, refused to answer");
    Some(match &response.refusal {
        Some(refusal) => error.with_provider_message(refusal.clone()),
        None => error,
    })
}

/// Why asking again would not help.
fn hopeless(response: &ChatResponse) -> Option<Error> {
    let message = match response.stop.reason {
        StopReason::Length => "the reply was cut at the limit of tokens: raise max_output_tokens",
        _ if response.tool_calls().next().is_some() => "the model asked for a tool instead of answering",
        _ => return None,
    };
    Some(Error::new(ErrorKind::Output, message))
}

fn gave_up(findings: &[Finding], repairs: u32) -> Error {
    let places: Vec<String> = findings.iter().map(ToString::to_string).collect();
    Error::new(ErrorKind::Output, format!("after {repairs} repairs: {}", places.join("; ")))
}

/// Puts the reply and what is wrong with it at the end of the conversation.
fn ask_again(request: &mut ChatRequest, response: &ChatResponse, wrong: &Wrong) {
    let mut words = String::from("Your answer does not fit the JSON Schema. Wrong by JSON pointer and keyword:\n");
    for finding in &wrong.findings {
        words.push_str(&finding.told());
        words.push('\n');
    }
    if let Some(reason) = &wrong.reason {
        words.push_str(reason);
        words.push('\n');
    }
    words.push_str("Answer again with the whole corrected JSON value and nothing else.");
    if !response.message.parts.is_empty() {
        request.messages.push(response.message.clone());
    }
    match request.messages.last_mut() {
        // The model said nothing: two turns of the user in a row would not do for some.
        Some(last) if last.role == Role::User => last.parts.push(Part::Text(words.into())),
        _ => request.messages.push(Message::user(words)),
    }
}
