//! What the wires with JSON of their own have in common: borrowed strings, bodies, bodies of errors.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::{ChatRequest, Error, Part, Role, Text, ToolCall};

/// A string that is borrowed from the frame where it has no escapes. (A `Cow` inside of an `Option` is not.)
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Str<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Str<'_> {
    /// As a text that shares the frame's bytes where it can.
    pub(super) fn share(&self, frame: &Text) -> Text {
        match &self.0 {
            Cow::Borrowed(piece) => frame.slice_ref(piece),
            Cow::Owned(piece) => Text::from(piece.as_str()),
        }
    }
}

impl std::ops::Deref for Str<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A frame as an object of JSON. Where it is none, the error says where, not what: serde's own words quote it.
pub(super) fn parse<'a, T: Deserialize<'a>>(frame: &'a str) -> crate::Result<T> {
    if !is_object(frame.as_bytes()) {
        return Err(Error::protocol("not an object of JSON"));
    }
    serde_json::from_str(frame).map_err(|error| {
        let what = if error.is_data() { "JSON of another shape" } else { "not JSON" };
        Error::protocol(format!("{what}, at line {} column {}", error.line(), error.column()))
    })
}

/// The body of an error as an object of JSON, if it is one of this shape.
pub(super) fn refusal<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    is_object(body).then(|| serde_json::from_slice(body).ok()).flatten()
}

/// Whether it begins as an object: serde takes a list for a struct too, and its items for the fields.
fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().starts_with(b"{")
}

/// A count as servers send it: any number, or one in a string. What is none counts as not told; it costs no reply.
pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        // `as` rounds down and saturates, which is what is wanted of `12.0` and of nonsense alike.
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().map(|number| number as u64)),
        Value::String(words) => words.trim().parse().ok(),
        _ => None,
    })
}

/// The turns of a conversation, one for each change of speaker, in each the results of tools first: that is how
/// providers want them, all together right after the calls.
pub(super) fn turns(request: &ChatRequest) -> Vec<(Role, Vec<&Part>)> {
    let mut turns: Vec<(Role, Vec<&Part>)> = Vec::new();
    for message in &request.messages {
        match turns.last_mut() {
            Some((role, parts)) if *role == message.role => parts.extend(&message.parts),
            _ => turns.push((message.role, message.parts.iter().collect())),
        }
    }
    for (_, parts) in &mut turns {
        parts.sort_by_key(|part| !matches!(part, Part::ToolResult(_)));
    }
    turns
}

/// Puts the request's own fields for a provider over its body.
pub(super) fn put_over(mut body: Map<String, Value>, request: &ChatRequest, provider: &str) -> Text {
    if let Some(extra) = request.extra.get(provider) {
        body.extend(extra.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    Value::Object(body).to_string().into()
}

/// A number as it was written: 0.7 and not the 0.699999988 that a wider float makes of it.
pub(super) fn decimal(number: f32) -> Value {
    number.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// The input of a call as the object that providers want. What is no object is kept under a name of its own, so that
/// the model sees what it wrote.
pub(super) fn arguments(call: &ToolCall) -> Value {
    match serde_json::from_str(&call.input) {
        Ok(Value::Object(object)) => Value::Object(object),
        _ if call.input.trim().is_empty() => Value::Object(Map::new()),
        Ok(other) => object("input", other),
        Err(_) => object("input", Value::from(call.input.as_str())),
    }
}

/// An object of one field.
pub(super) fn object(name: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Message, ToolResult};

    #[test]
    fn a_number_goes_out_as_it_was_written() {
        assert_eq!(decimal(0.7).to_string(), "0.7");
        assert_eq!(decimal(1.0).to_string(), "1.0");
    }

    #[test]
    fn arguments_are_always_an_object_and_nothing_is_lost() {
        let call = |input: &str| arguments(&ToolCall::new("1", "t", input));
        assert_eq!(call(r#"{"a":1}"#), json!({"a": 1}));
        assert_eq!(call(" "), json!({}));
        assert_eq!(call("[1]"), json!({"input": [1]}));
        assert_eq!(call(r#"{"a":"#), json!({"input": "{\"a\":"}));
    }

    #[test]
    fn a_count_of_any_shape_is_read_or_not_told() {
        let read = |text: &str| count(&mut serde_json::Deserializer::from_str(text)).expect("any JSON");
        let counts = ["12", "12.9", "\"12\"", "-1", "1e30", "null", "{\"a\":1}", "[1]", "true", "\"many\""].map(read);
        assert_eq!(counts[..5], [Some(12), Some(12), Some(12), Some(0), Some(u64::MAX)]);
        assert_eq!(counts[5..], [None; 5]);
    }

    #[test]
    fn turns_of_the_same_speaker_are_one_and_begin_with_the_results() {
        let result = ToolResult::of(&ToolCall::new("1", "t", ""), "");
        let said = [Message::user("a"), Message::user("b"), Message::assistant("c"), Message::user("d")];
        let request = ChatRequest::conversation(said).with(Message::tool_results([result]));
        let turns = turns(&request);
        let lengths: Vec<_> = turns.iter().map(|(role, parts)| (*role, parts.len())).collect();
        assert_eq!(lengths, [(Role::User, 2), (Role::Assistant, 1), (Role::User, 2)]);
        assert!(matches!(turns[2].1[..], [Part::ToolResult(_), Part::Text(_)]));
    }

    #[test]
    fn a_frame_that_is_no_json_is_not_quoted() {
        #[derive(Debug, Deserialize)]
        struct Named {
            #[serde(rename = "name")]
            _name: u8,
        }
        let wrong = |frame: &str| parse::<Named>(frame).expect_err("no such object").to_string();
        assert_eq!(wrong(r#"{"name":"secret"}"#), "protocol violated: JSON of another shape, at line 1 column 16");
        assert_eq!(wrong(r#"{"secret"#), "protocol violated: not JSON, at line 1 column 8");
        assert_eq!(wrong("[1]"), "protocol violated: not an object of JSON");
        assert!(refusal::<Named>(b"[1]").is_none() && refusal::<Named>(b" {\"name\":1}").is_some());
    }
}
