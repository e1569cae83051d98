//! The request as a body.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};

use super::super::Encoded;
use super::super::asked::{ask, system, tool_input};
use super::super::families::Families;
use super::super::shared::{arguments, decimal, put_over, turns};
use super::{DEFAULT_MAX_TOKENS, NAME, VERSION};
use crate::models::ModelTable;
use crate::schema::Dialect;
use crate::{ChatRequest, Delivery, Effort, Image, ModelId, Part, Role, Text, ToolChoice};

/// What the models of each family take.
static MODELS: LazyLock<Families> = LazyLock::new(|| Families::read(include_str!("models.txt")));

/// Fewest tokens that a budget of thinking may have.
const BUDGET_MIN: u32 = 1_024;

/// What a model takes.
struct Takes {
    thinking: &'static str,
    effort: bool,
    sampling: bool,
    schema: bool,
}

impl Takes {
    fn of(model: &str) -> Self {
        let fields = MODELS.of(model);
        let field = |at: usize| fields.get(at).copied().unwrap_or("-");
        Takes {
            thinking: field(0),
            effort: field(1) == "effort",
            sampling: field(2) == "sampling",
            schema: field(3) == "schema",
        }
    }
}

pub(super) fn encode(request: &ChatRequest, model: &str) -> Encoded {
    let takes = Takes::of(model);
    let known = || ModelTable::builtin().find(&ModelId::new(NAME, model))?.max_output;
    let max_tokens = request.max_output_tokens.or_else(known).unwrap_or(DEFAULT_MAX_TOKENS);
    let asked = ask(request.output.as_ref(), takes.schema.then_some(Dialect::Anthropic));
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    body.insert("max_tokens".into(), max_tokens.into());
    body.insert("messages".into(), messages(request));
    if request.delivery == Delivery::Streamed {
        body.insert("stream".into(), true.into());
    }
    if let Some(system) = system(request, asked.words) {
        body.insert("system".into(), system.into());
    }
    if !request.tools.is_empty() {
        body.insert("tools".into(), tools(request));
    }
    if let Some(choice) = tool_choice(request) {
        body.insert("tool_choice".into(), choice);
    }
    if !request.stop.is_empty() {
        body.insert("stop_sequences".into(), request.stop.iter().map(Text::as_str).collect());
    }
    let thinking = thinking(request, &takes, max_tokens);
    if takes.sampling && thinking.is_none() {
        sampling(request, &mut body);
    }
    if let Some(thinking) = thinking {
        body.insert("thinking".into(), thinking);
    }
    let mut config = Map::new();
    if let Some(effort) = request.effort.filter(|_| takes.effort) {
        config.insert("effort".into(), level(effort).into());
    }
    if let Some(schema) = asked.schema {
        config.insert("format".into(), json!({"type": "json_schema", "schema": schema}));
    }
    if !config.is_empty() {
        body.insert("output_config".into(), config.into());
    }
    let mut encoded = Encoded::new("/v1/messages", put_over(body, request, NAME));
    encoded.headers.push(("anthropic-version", VERSION.to_owned()));
    encoded.schema = asked.report.map(Arc::new);
    encoded
}

fn messages(request: &ChatRequest) -> Value {
    let turns = turns(request).into_iter().filter_map(|(role, parts)| {
        let content: Vec<Value> = parts.into_iter().filter_map(block).collect();
        let role = match role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        (!content.is_empty()).then(|| json!({"role": role, "content": content}))
    });
    turns.collect()
}

fn block(part: &Part) -> Option<Value> {
    Some(match part {
        // The provider refuses empty texts.
        Part::Text(text) if text.is_empty() => return None,
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image(Image::Bytes { media_type, data }) => json!({
            "type": "image",
            "source": {"type": "base64", "media_type": media_type, "data": data.to_base64()},
        }),
        Part::Image(Image::Url(url)) => json!({"type": "image", "source": {"type": "url", "url": url}}),
        Part::ToolCall(call) => json!({
            "type": "tool_use",
            "id": id(&call.id),
            "name": call.name,
            "input": arguments(call),
        }),
        Part::ToolResult(result) => {
            let mut block = json!({
                "type": "tool_result",
                "tool_use_id": id(&result.call),
                "content": result.content,
            });
            if result.failed {
                block["is_error"] = true.into();
            }
            block
        }
        Part::Opaque(opaque) if opaque.provider == NAME => opaque.value.clone(),
        Part::Opaque(_) => return None,
    })
}

/// The id of a call in the letters that this provider takes; other providers' ids may have more.
fn id(id: &str) -> Cow<'_, str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if id.chars().all(allowed) {
        return id.into();
    }
    id.chars().map(|c| if allowed(c) { c } else { '_' }).collect::<String>().into()
}

fn tools(request: &ChatRequest) -> Value {
    let tools = request.tools.iter().map(|tool| {
        let mut said = json!({"name": tool.name, "input_schema": tool_input(&tool.input)});
        if !tool.description.is_empty() {
            said["description"] = tool.description.as_str().into();
        }
        said
    });
    tools.collect()
}

fn tool_choice(request: &ChatRequest) -> Option<Value> {
    match &request.tool_choice {
        ToolChoice::Auto => None,
        ToolChoice::None if request.tools.is_empty() => None,
        ToolChoice::None => Some(json!({"type": "none"})),
        ToolChoice::Required => Some(json!({"type": "any"})),
        ToolChoice::Named(name) => Some(json!({"type": "tool", "name": name})),
    }
}

fn level(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
    }
}

fn thinking(request: &ChatRequest, takes: &Takes, max_tokens: u32) -> Option<Value> {
    let forced = matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Named(_));
    let effort = request.effort.filter(|effort| *effort != Effort::Minimal && !forced)?;
    match takes.thinking {
        "adaptive" => Some(json!({"type": "adaptive"})),
        "budget" => {
            let wanted = match effort {
                Effort::Minimal | Effort::Low => 2_048,
                Effort::Medium => 8_192,
                Effort::High => 16_384,
            };
            let budget = wanted.min(max_tokens / 2);
            (budget >= BUDGET_MIN).then(|| json!({"type": "enabled", "budget_tokens": budget}))
        }
        _ => None,
    }
}

fn sampling(request: &ChatRequest, body: &mut Map<String, Value>) {
    if let Some(temperature) = request.temperature {
        body.insert("temperature".into(), decimal(temperature.min(1.0)));
    } else if let Some(share) = request.top_p {
        body.insert("top_p".into(), decimal(share));
    }
}
