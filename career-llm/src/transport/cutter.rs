//! How the body of an answer is cut into frames, by what it says that it is.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::Limits;
use super::lines::LineDecoder;
use super::sse::SseDecoder;
use crate::wire::{Decode, Frame, Framing, Wire};
use crate::{Delivery, Error, Result, Text};

/// What is accepted as an answer that is framed like this.
pub(super) fn accepted(framing: Framing) -> &'static str {
    match framing {
        Framing::Sse => "text/event-stream, application/json",
        Framing::Lines => "application/x-ndjson, application/json",
        Framing::Whole => "application/json",
    }
}

/// Chooses by the content type of an answer how it is read: what was asked for, or what came in its place.
///
/// An answer without a content type, or of plain text or bytes, is taken for what was asked for. JSON in place of events is
/// one whole: an error, or a reply of a server that does not stream. Lines of JSON are often called just JSON.
///
/// # Errors
///
/// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) that names the content type, when it is neither; or the encoding,
/// when it is compressed, which was not asked for.
pub(super) fn choose(
    headers: &HeaderMap,
    asked: (Framing, Box<dyn Decode>),
    other: impl FnOnce(Delivery) -> (Framing, Box<dyn Decode>),
) -> Result<(Framing, Box<dyn Decode>)> {
    if let Some(encoding) = headers.get(CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        return Err(Error::protocol(format!("the answer is compressed by {}", shown(encoding.as_bytes()))));
    }
    let Some(content_type) = headers.get(CONTENT_TYPE) else { return Ok(asked) };
    let essence = content_type.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let is = |name: &str| essence.eq_ignore_ascii_case(name.as_bytes());
    let came = if is("text/plain") || is("application/octet-stream") || essence.is_empty() {
        return Ok(asked);
    } else if is("text/event-stream") {
        Framing::Sse
    } else if is("application/x-ndjson") || is("application/ndjson") || is("application/jsonl") {
        Framing::Lines
    } else if is("application/json") || essence.to_ascii_lowercase().ends_with(b"+json") {
        if asked.0 == Framing::Lines {
            return Ok(asked);
        }
        Framing::Whole
    } else {
        return Err(Error::protocol(format!("an answer of the type {}", shown(essence))));
    };
    if came == asked.0 {
        return Ok(asked);
    }
    let found = other(if came == Framing::Whole { Delivery::Whole } else { Delivery::Streamed });
    if found.0 == came {
        return Ok(found);
    }
    Err(Error::protocol(format!("an answer of the type {}, which was not asked for", shown(essence))))
}

/// As [`choose`] for a wire and a model.
pub(super) fn for_wire(
    wire: &dyn Wire,
    model: &str,
    headers: &HeaderMap,
    asked: (Framing, Box<dyn Decode>),
) -> Result<(Framing, Box<dyn Decode>)> {
    choose(headers, asked, |delivery| wire.decoder(model, delivery))
}

/// The beginning of a header's value, as far as it can be shown.
fn shown(value: &[u8]) -> String {
    value.iter().take(80).map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '?' }).collect()
}

/// Cuts one body into frames.
#[derive(Debug)]
pub(super) enum Cutter {
    Sse(SseDecoder),
    Lines(LineDecoder),
    Whole(Whole),
}

impl Cutter {
    /// For a body whose length may be known.
    pub(super) fn new(framing: Framing, limits: &Limits, length: Option<u64>) -> Self {
        match framing {
            Framing::Sse => Cutter::Sse(SseDecoder::new(limits.frame)),
            Framing::Lines => Cutter::Lines(LineDecoder::new(limits.frame)),
            Framing::Whole => Cutter::Whole(Whole::new(limits.body, length)),
        }
    }

    pub(super) fn push(&mut self, chunk: Bytes) -> Result<()> {
        match self {
            Cutter::Sse(decoder) => decoder.push(chunk),
            Cutter::Lines(decoder) => decoder.push(chunk),
            Cutter::Whole(whole) => whole.push(chunk)?,
        }
        Ok(())
    }

    /// The next frame of what is there.
    pub(super) fn frame(&mut self) -> Result<Option<Frame<'_>>> {
        match self {
            Cutter::Sse(decoder) => decoder.frame(),
            Cutter::Lines(decoder) => decoder.frame(),
            Cutter::Whole(_) => Ok(None),
        }
    }

    /// The body ended: its last frame.
    pub(super) fn last(&mut self) -> Result<Option<Frame<'_>>> {
        match self {
            Cutter::Sse(_) => Ok(None),
            Cutter::Lines(decoder) => decoder.last(),
            Cutter::Whole(whole) => whole.last(),
        }
    }

    /// Whether what was read ends within an event.
    pub(super) fn is_within_event(&self) -> bool {
        matches!(self, Cutter::Sse(decoder) if decoder.is_within_event())
    }
}

/// A body in one piece. One chunk is taken as it is; more are put together.
pub(super) struct Whole {
    limit: usize,
    length: Option<u64>,
    first: Bytes,
    all: BytesMut,
    text: Text,
}

impl Whole {
    pub(super) fn new(limit: usize, length: Option<u64>) -> Self {
        Whole { limit, length, first: Bytes::new(), all: BytesMut::new(), text: Text::new() }
    }

    pub(super) fn push(&mut self, chunk: Bytes) -> Result<()> {
        let so_far = self.first.len() + self.all.len();
        if chunk.len() > self.limit.saturating_sub(so_far) {
            return Err(Error::protocol(format!(
                "an answer longer than the limit of {} bytes (Limits::body)",
                self.limit
            )));
        }
        if so_far == 0 {
            self.first = chunk;
            return Ok(());
        }
        if self.all.is_empty() {
            // What the server says of the length is believed as far as the limit.
            let length = self.length.and_then(|length| usize::try_from(length).ok()).unwrap_or(0).min(self.limit);
            self.all.reserve(length.max(so_far + chunk.len()));
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.all.extend_from_slice(&chunk);
        Ok(())
    }

    pub(super) fn into_bytes(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }

    fn last(&mut self) -> Result<Option<Frame<'_>>> {
        let body = std::mem::replace(self, Whole::new(self.limit, None)).into_bytes();
        if body.trim_ascii().is_empty() {
            return Ok(None);
        }
        self.text = Text::try_from(body).map_err(|_| Error::protocol("the answer is no UTF-8"))?;
        Ok(Some(Frame::new("", &self.text)))
    }
}

impl std::fmt::Debug for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let so_far = self.first.len() + self.all.len();
        f.debug_struct("Whole").field("limit", &self.limit).field("bytes", &so_far).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::wire::Events;

    #[derive(Debug)]
    struct Nothing;

    impl Decode for Nothing {
        fn frame(&mut self, _: Frame<'_>, _: &mut Events) -> Result<()> {
            Ok(())
        }

        fn end(&mut self, _: &mut Events) -> Result<()> {
            Ok(())
        }
    }

    /// How an answer of this type is read, of a wire that streams in this way.
    fn chosen(content_type: Option<&str>, asked: Delivery, stream: Framing) -> Result<Framing> {
        let decoder = |delivery| match delivery {
            Delivery::Streamed => (stream, Box::new(Nothing) as Box<dyn Decode>),
            Delivery::Whole => (Framing::Whole, Box::new(Nothing) as Box<dyn Decode>),
        };
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).expect("a value"));
        }
        choose(&headers, decoder(asked), decoder).map(|(framing, _)| framing)
    }

    #[test]
    fn an_answer_is_read_as_what_it_says_that_it_is() {
        use Delivery::{Streamed, Whole};
        use Framing::{Lines, Sse};
        let cases = [
            (None, Streamed, Sse, Some(Sse)),
            (Some("text/event-stream; charset=utf-8"), Streamed, Sse, Some(Sse)),
            (Some("TEXT/Event-Stream"), Streamed, Sse, Some(Sse)),
            (Some("text/plain"), Streamed, Sse, Some(Sse)),
            (Some("text/plain"), Whole, Sse, Some(Framing::Whole)),
            (Some("application/json"), Streamed, Sse, Some(Framing::Whole)),
            (Some("application/problem+json"), Streamed, Sse, Some(Framing::Whole)),
            (Some("application/json"), Streamed, Lines, Some(Lines)),
            (Some("application/x-ndjson"), Streamed, Lines, Some(Lines)),
            (Some("application/x-ndjson"), Whole, Lines, Some(Lines)),
            (Some("text/event-stream"), Whole, Sse, Some(Sse)),
            (Some("application/x-ndjson"), Streamed, Sse, None),
            (Some("text/event-stream"), Streamed, Lines, None),
            (Some("text/html"), Streamed, Sse, None),
            (Some("text/html"), Whole, Sse, None),
        ];
        for (content_type, asked, stream, expected) in cases {
            let found = chosen(content_type, asked, stream);
            assert_eq!(found.as_ref().ok().copied(), expected, "{content_type:?} {asked:?} {stream:?}");
            if let (Err(error), Some(content_type)) = (found, content_type) {
                assert!(error.to_string().contains(content_type), "{error}");
            }
        }
    }

    #[test]
    fn what_is_compressed_is_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let asked = (Framing::Whole, Box::new(Nothing) as Box<dyn Decode>);
        let error = choose(&headers, asked, |_| unreachable!()).expect_err("compressed");
        assert!(error.to_string().contains("gzip"), "{error}");
    }

    #[test]
    fn a_whole_body_of_one_chunk_is_not_copied_and_none_is_above_the_limit() {
        let chunk = Bytes::from(b"{}".to_vec());
        let mut whole = Whole::new(4, Some(u64::MAX));
        whole.push(chunk.clone()).expect("within");
        assert_eq!(whole.last().expect("UTF-8").expect("a frame").data.as_ptr(), chunk.as_ptr());
        whole.push(chunk.clone()).expect("within");
        whole.push(chunk.clone()).expect("within");
        let error = whole.push(chunk).expect_err("above");
        assert!(error.to_string().contains("limit of 4 bytes"), "{error}");
        assert_eq!(whole.last().expect("UTF-8").expect("a frame").data, &"{}{}");
        assert!(whole.last().expect("empty").is_none());
    }
}
