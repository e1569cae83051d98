//! Server-sent events, cut out of bytes as the network delivers them.

use std::fmt;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr2};

use crate::wire::Frame;
use crate::{Error, Result, Text};

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Cuts server-sent events out of bytes, by the rules of the WHATWG's event stream: lines end in LF, CR LF or CR, lines
/// of data are joined, comments are passed over, and an event that no empty line ended is not given.
///
/// What is different: text that is no UTF-8 is an error and not mended, and there is a limit of size. The fields `id`
/// and `retry` are passed over, since no reply is resumed.
///
/// Data that is one line in one chunk is a slice of the chunk; only what spans lines or chunks is copied, and once.
///
/// ```
/// use bytes::Bytes;
/// use career_llm::transport::sse::SseDecoder;
///
/// let mut decoder = SseDecoder::new(1024);
/// decoder.push(Bytes::from_static(b"event: ping\ndata: {}\n\ndata: half"));
/// let frame = decoder.frame()?.expect("an event");
/// assert_eq!((frame.event, frame.data.as_str()), ("ping", "{}"));
/// assert!(decoder.frame()?.is_none() && decoder.is_within_event());
/// decoder.push(Bytes::from_static(b" and half\n\n"));
/// assert_eq!(decoder.frame()?.expect("an event").data, &"half and half");
/// # Ok::<(), career_llm::Error>(())
/// ```
pub struct SseDecoder {
    /// Most bytes of a line, and of the data of an event.
    limit: usize,
    chunk: Bytes,
    /// How far the chunk has been read.
    at: usize,
    /// The beginning of a line whose end is in no chunk yet.
    line: Vec<u8>,
    /// The last line ended in CR, so a LF that follows belongs to it.
    after_cr: bool,
    /// The first line has been read.
    begun: bool,
    failed: bool,
    gathered: Gathered,
    event: String,
    data: Text,
    /// `event` and `data` were given, and are of no use any more.
    given: bool,
}

/// The data of the event so far.
#[derive(Default)]
enum Gathered {
    #[default]
    Nothing,
    Line(Bytes),
    Lines(Vec<u8>),
}

/// What a line is, and where in it its value begins.
enum Field {
    Blank,
    Data(usize),
    Event(usize),
    Other,
}

impl Field {
    fn of(line: &[u8]) -> Self {
        if line.is_empty() {
            return Field::Blank;
        }
        let name = match line {
            [b'd', b'a', b't', b'a', b':', ..] => 4,
            _ => memchr(b':', line).unwrap_or(line.len()),
        };
        let value = match &line[name..] {
            [b':', b' ', ..] => name + 2,
            [b':', ..] => name + 1,
            _ => name,
        };
        match &line[..name] {
            b"data" => Field::Data(value),
            b"event" => Field::Event(value),
            _ => Field::Other,
        }
    }
}

impl SseDecoder {
    /// A decoder of one body. No line, and no event's data, may have more bytes than the limit.
    pub fn new(limit: usize) -> Self {
        SseDecoder {
            limit,
            chunk: Bytes::new(),
            at: 0,
            line: Vec::new(),
            after_cr: false,
            begun: false,
            failed: false,
            gathered: Gathered::Nothing,
            event: String::new(),
            data: Text::new(),
            given: false,
        }
    }

    /// Takes the next bytes of the body. Best when [`frame`](SseDecoder::frame) has given all that was there: what is
    /// left is copied otherwise.
    pub fn push(&mut self, chunk: Bytes) {
        self.chunk = if self.at == self.chunk.len() {
            chunk
        } else {
            let mut both = BytesMut::from(&self.chunk[self.at..]);
            both.extend_from_slice(&chunk);
            both.freeze()
        };
        self.at = 0;
    }

    /// The next event that is whole; `None` when more bytes are needed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) for what is no UTF-8 or above the limit. Nothing is given
    /// after that.
    pub fn frame(&mut self) -> Result<Option<Frame<'_>>> {
        match self.advance() {
            Ok(true) => Ok(Some(Frame::new(&self.event, &self.data))),
            Ok(false) => Ok(None),
            Err(error) => {
                self.failed = true;
                Err(error)
            }
        }
    }

    /// Whether bytes of an event were read that is not whole. At the end of a body it tells that the body was cut.
    pub fn is_within_event(&self) -> bool {
        let named = !self.given && !self.event.is_empty();
        named || !self.line.is_empty() || !matches!(self.gathered, Gathered::Nothing)
    }

    /// Reads until an event is whole or the chunk is at its end.
    fn advance(&mut self) -> Result<bool> {
        if std::mem::take(&mut self.given) {
            self.event.clear();
            self.data = Text::new();
        }
        if self.failed {
            return Ok(false);
        }
        loop {
            if self.after_cr && self.at < self.chunk.len() {
                self.after_cr = false;
                self.at += usize::from(self.chunk[self.at] == b'\n');
            }
            let start = self.at;
            let rest = &self.chunk[start..];
            // Most events are one line and an empty one.
            let found = if rest.first() == Some(&b'\n') { Some(0) } else { memchr2(b'\n', b'\r', rest) };
            let Some(length) = found else {
                self.line.extend_from_slice(rest);
                self.at = 0;
                self.chunk = Bytes::new();
                return self.allow(self.line.len()).map(|()| false);
            };
            let end = start + length;
            self.at = end + 1;
            self.after_cr = self.chunk[end] == b'\r';
            self.allow(self.line.len() + length)?;
            if self.line.is_empty() {
                let start = start + self.bom(&self.chunk[start..end]);
                self.begun = true;
                match Field::of(&self.chunk[start..end]) {
                    Field::Data(value) => self.gather(self.chunk.slice(start + value..end))?,
                    Field::Event(value) => name(&mut self.event, &self.chunk[start + value..end])?,
                    Field::Blank if self.dispatch()? => return Ok(true),
                    Field::Blank | Field::Other => {}
                }
            } else {
                self.line.extend_from_slice(&self.chunk[start..end]);
                let line = Bytes::from(std::mem::take(&mut self.line));
                let line = line.slice(self.bom(&line)..);
                self.begun = true;
                match Field::of(&line) {
                    Field::Data(value) => self.gather(line.slice(value..))?,
                    Field::Event(value) => name(&mut self.event, &line[value..])?,
                    // A byte order mark alone.
                    Field::Blank | Field::Other => {}
                }
            }
        }
    }

    /// How much of the first line is a byte order mark.
    fn bom(&self, line: &[u8]) -> usize {
        if !self.begun && line.starts_with(BOM) { BOM.len() } else { 0 }
    }

    fn gather(&mut self, value: Bytes) -> Result<()> {
        self.gathered = match std::mem::take(&mut self.gathered) {
            Gathered::Nothing => Gathered::Line(value),
            Gathered::Line(first) => {
                self.allow(first.len() + 1 + value.len())?;
                Gathered::Lines([&first[..], b"\n", &value[..]].concat())
            }
            Gathered::Lines(mut lines) => {
                self.allow(lines.len() + 1 + value.len())?;
                lines.push(b'\n');
                lines.extend_from_slice(&value);
                Gathered::Lines(lines)
            }
        };
        Ok(())
    }

    /// An empty line came: the event is whole, if it has data.
    fn dispatch(&mut self) -> Result<bool> {
        let data = match std::mem::take(&mut self.gathered) {
            Gathered::Nothing => {
                self.event.clear();
                return Ok(false);
            }
            Gathered::Line(line) => line,
            Gathered::Lines(lines) => lines.into(),
        };
        self.data = Text::try_from(data).map_err(|_| Error::protocol("the data of an event is no UTF-8"))?;
        self.given = true;
        Ok(true)
    }

    fn allow(&self, bytes: usize) -> Result<()> {
        if bytes <= self.limit {
            return Ok(());
        }
        Err(Error::protocol(format!("an event is longer than the limit of {} bytes (Limits::frame)", self.limit)))
    }
}

/// The last name given to an event counts.
fn name(event: &mut String, value: &[u8]) -> Result<()> {
    let value = std::str::from_utf8(value).map_err(|_| Error::protocol("the name of an event is no UTF-8"))?;
    event.clear();
    event.push_str(value);
    Ok(())
}

impl fmt::Debug for SseDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.line.len() + self.chunk.len() - self.at;
        f.debug_struct("SseDecoder").field("limit", &self.limit).field("waiting", &waiting).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
