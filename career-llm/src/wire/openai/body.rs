//! Bodies, written straight from the request.

use std::fmt::{self, Display};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use crate::{ChatRequest, Error, ErrorKind, Image, Part, Result, Text, ToolResult};

/// Fields of the body that come in order, those of the host over them.
pub(crate) struct Fields<'a, M> {
    map: M,
    over: Option<&'a Map<String, Value>>,
}

impl<'a, M: SerializeMap> Fields<'a, M> {
    pub(crate) fn new(map: M, over: Option<&'a Map<String, Value>>) -> Self {
        Fields { map, over }
    }

    /// A field, unless the host has its own.
    pub(crate) fn put<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), M::Error> {
        match self.over {
            Some(over) if over.contains_key(name) => Ok(()),
            _ => self.map.serialize_entry(name, value),
        }
    }

    /// A field, if there is anything in it.
    pub(crate) fn put_some<T: Serialize>(&mut self, name: &'static str, value: Option<T>) -> Result<(), M::Error> {
        value.map_or(Ok(()), |value| self.put(name, &value))
    }

    /// The host's fields, and the end.
    pub(crate) fn end(mut self) -> Result<M::Ok, M::Error> {
        for (name, value) in self.over.into_iter().flatten() {
            self.map.serialize_entry(name, value)?;
        }
        self.map.end()
    }
}

/// Writes a body.
pub(crate) fn write(body: &impl Serialize, request: &ChatRequest) -> Result<Text> {
    let wrong = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(ErrorKind::Invalid, "the request cannot be written as JSON").with_source(error)
    };
    let mut bytes = Vec::with_capacity(weight(request));
    serde_json::to_writer(&mut bytes, body).map_err(|error| wrong(error.into()))?;
    Text::try_from(bytes::Bytes::from(bytes)).map_err(|error| wrong(error.into()))
}

/// About how long the body will be.
fn weight(request: &ChatRequest) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let said = parts.map(|part| match part {
        Part::Text(text) => text.len() + 64,
        Part::Image(Image::Bytes { data, .. }) => data.0.len() / 3 * 4 + 128,
        Part::ToolResult(result) => result.content.len() + 128,
        _ => 256,
    });
    512 + said.sum::<usize>() + request.system.as_ref().map_or(0, |text| text.len()) + request.tools.len() * 512
}

/// The text parts, joined, with nothing copied.
pub(crate) struct Joined<'a>(pub(crate) &'a [Part]);

impl Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().filter_map(Part::as_text).try_for_each(|text| f.write_str(text))
    }
}

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [Part::Text(only)] => serializer.serialize_str(only),
            _ => serializer.collect_str(self),
        }
    }
}

/// The address of a picture; of one that travels along, its bytes as a `data:` address.
pub(crate) struct Address<'a>(pub(crate) &'a Image);

impl Serialize for Address<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Image::Url(url) => serializer.serialize_str(url),
            Image::Bytes { media_type, data } => serializer
                .collect_str(&format_args!("data:{media_type};base64,{}", Base64Display::new(&data.0, &STANDARD))),
        }
    }
}

/// What a tool gave. These protocols have no field for a failure, so it is said in words.
pub(crate) struct Given<'a>(pub(crate) &'a ToolResult);

impl Serialize for Given<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.failed {
            true => serializer.collect_str(&format_args!("The tool failed: {}", self.0.content)),
            false => serializer.serialize_str(&self.0.content),
        }
    }
}

/// JSON of a tool's input; an empty one is an empty object.
pub(crate) fn input(input: &Text) -> &str {
    if input.trim().is_empty() { "{}" } else { input }
}
