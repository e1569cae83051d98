//! The form of a request, without its texts.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::layer::common::{digest, hex};
use crate::{ChatRequest, Image, Message, Part, Role};

/// The form of a request: each place and what is there. Texts are lengths and the beginnings of hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Summary(BTreeMap<String, String>);

/// No more differences than this are told.
const MOST: usize = 3;

impl Summary {
    pub(super) fn of(request: &ChatRequest) -> Self {
        let mut form = BTreeMap::new();
        let mut set = |place: &str, what: Option<String>| {
            if let Some(what) = what {
                form.insert(place.to_owned(), what);
            }
        };
        fn shown<T: Display>(value: Option<T>) -> Option<String> {
            value.map(|value| value.to_string())
        }
        set("system", request.system.as_deref().map(|system| text("text", system.as_bytes())));
        for (at, message) in request.messages.iter().enumerate() {
            set(&format!("messages[{at}]"), Some(turn(message)));
        }
        for tool in &request.tools {
            let whole = format!("{}\n{}", tool.description, tool.input);
            set(&format!("tools.{}", tool.name), Some(text("a tool", whole.as_bytes())));
        }
        set("tool_choice", Some(format!("{:?}", request.tool_choice)));
        let output = request.output.as_ref();
        set("output", output.map(|output| text(&output.name, output.schema.to_string().as_bytes())));
        set("max_output_tokens", shown(request.max_output_tokens));
        set("temperature", shown(request.temperature));
        set("top_p", shown(request.top_p));
        set("seed", shown(request.seed));
        set("effort", request.effort.map(|effort| format!("{effort:?}")));
        for (at, stop) in request.stop.iter().enumerate() {
            set(&format!("stop[{at}]"), Some(text("text", stop.as_bytes())));
        }
        for (provider, fields) in &request.extra {
            for (name, value) in fields {
                set(&format!("extra.{provider}.{name}"), Some(text("a value", value.to_string().as_bytes())));
            }
        }
        Summary(form)
    }

    /// In how many places two differ.
    pub(super) fn distance(&self, other: &Summary) -> usize {
        self.differences(other).count()
    }

    /// How this one differs from a recorded one, in short.
    pub(super) fn difference(&self, recorded: &Summary) -> String {
        let all = self.distance(recorded);
        let mut told: Vec<String> = self.differences(recorded).take(MOST).collect();
        if all > MOST {
            told.push(format!("and {} more", all - MOST));
        }
        told.join("; ")
    }

    fn differences<'a>(&'a self, recorded: &'a Summary) -> impl Iterator<Item = String> + 'a {
        let mine = self.0.iter().filter_map(|(place, mine)| match recorded.0.get(place) {
            Some(theirs) if theirs == mine => None,
            Some(theirs) => Some(format!("{place}: {mine}, recorded {theirs}")),
            None => Some(format!("{place}: {mine}, recorded without")),
        });
        let theirs = self.0.keys().collect::<std::collections::BTreeSet<_>>();
        let missing = recorded.0.iter().filter(move |(place, _)| !theirs.contains(place));
        mine.chain(missing.map(|(place, theirs)| format!("{place}: nothing, recorded {theirs}")))
    }
}

fn turn(message: &Message) -> String {
    let role = match message.role {
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let parts: Vec<String> = message.parts.iter().map(part).collect();
    format!("{role}: {}", parts.join(", "))
}

fn part(part: &Part) -> String {
    match part {
        Part::Text(words) => text("text", words.as_bytes()),
        Part::Image(Image::Bytes { media_type, data }) => text(media_type, &data.0),
        Part::Image(Image::Url(url)) => text("address of a picture", url.as_bytes()),
        Part::ToolCall(call) => text(&format!("call of {}", call.name), call.input.as_bytes()),
        Part::ToolResult(result) => text(&format!("result of {}", result.name), result.content.as_bytes()),
        Part::Opaque(opaque) => text(&format!("opaque of {}", opaque.provider), opaque.value.to_string().as_bytes()),
    }
}

fn text(what: &str, bytes: &[u8]) -> String {
    format!("{what} of {} bytes ({})", bytes.len(), hex(&digest(&[bytes])[..4]))
}
