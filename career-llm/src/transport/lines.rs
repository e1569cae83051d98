//! Lines of JSON, cut out of bytes as the network delivers them.

use std::fmt;

use bytes::{Bytes, BytesMut};
use memchr::memchr;

use crate::wire::Frame;
use crate::{Error, Result, Text};

/// Cuts lines out of bytes. They end in LF or CR LF; those of white space alone are passed over, and the last one need
/// not end.
///
/// A line within one chunk is a slice of the chunk; only what spans chunks is copied, and once.
///
/// ```
/// use bytes::Bytes;
/// use career_llm::transport::lines::LineDecoder;
///
/// let mut decoder = LineDecoder::new(1024);
/// decoder.push(Bytes::from_static(b"{\"a\":1}\n\n{\"b\""));
/// assert_eq!(decoder.frame()?.expect("a line").data, &"{\"a\":1}");
/// assert!(decoder.frame()?.is_none());
/// decoder.push(Bytes::from_static(b":2}"));
/// assert!(decoder.frame()?.is_none());
/// assert_eq!(decoder.last()?.expect("the last line").data, &"{\"b\":2}");
/// # Ok::<(), career_llm::Error>(())
/// ```
pub struct LineDecoder {
    limit: usize,
    chunk: Bytes,
    /// How far the chunk has been read.
    at: usize,
    /// The beginning of a line whose end is in no chunk yet.
    line: Vec<u8>,
    failed: bool,
    data: Text,
}

impl LineDecoder {
    /// A decoder of one body. No line may have more bytes than the limit.
    pub fn new(limit: usize) -> Self {
        LineDecoder { limit, chunk: Bytes::new(), at: 0, line: Vec::new(), failed: false, data: Text::new() }
    }

    /// Takes the next bytes of the body. Best when [`frame`](LineDecoder::frame) has given all that was there: what is
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

    /// The next line that is whole; `None` when more bytes are needed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) for what is no UTF-8 or above the limit. Nothing is given
    /// after that.
    pub fn frame(&mut self) -> Result<Option<Frame<'_>>> {
        let found = self.advance();
        self.give(found)
    }

    /// The body ended: what came after the last end of a line.
    ///
    /// # Errors
    ///
    /// As for [`frame`](LineDecoder::frame).
    pub fn last(&mut self) -> Result<Option<Frame<'_>>> {
        let line = Bytes::from(std::mem::take(&mut self.line));
        let found = if self.failed { Ok(false) } else { self.take(line) };
        self.give(found)
    }

    fn give(&mut self, found: Result<bool>) -> Result<Option<Frame<'_>>> {
        self.failed |= found.is_err();
        Ok(found?.then_some(Frame::new("", &self.data)))
    }

    /// Reads until a line is whole or the chunk is at its end.
    fn advance(&mut self) -> Result<bool> {
        self.data = Text::new();
        while !self.failed {
            let start = self.at;
            let Some(length) = memchr(b'\n', &self.chunk[start..]) else {
                self.line.extend_from_slice(&self.chunk[start..]);
                self.at = 0;
                self.chunk = Bytes::new();
                return self.allow(self.line.len()).map(|()| false);
            };
            self.at = start + length + 1;
            self.allow(self.line.len() + length)?;
            let line = if self.line.is_empty() {
                self.chunk.slice(start..start + length)
            } else {
                self.line.extend_from_slice(&self.chunk[start..start + length]);
                Bytes::from(std::mem::take(&mut self.line))
            };
            if self.take(line)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps a line, unless there is nothing in it.
    fn take(&mut self, mut line: Bytes) -> Result<bool> {
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        if line.trim_ascii().is_empty() {
            return Ok(false);
        }
        self.data = Text::try_from(line).map_err(|_| Error::protocol("a line is no UTF-8"))?;
        Ok(true)
    }

    fn allow(&self, bytes: usize) -> Result<()> {
        if bytes <= self.limit {
            return Ok(());
        }
        Err(Error::protocol(format!("a line is longer than the limit of {} bytes (Limits::frame)", self.limit)))
    }
}

impl fmt::Debug for LineDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.line.len() + self.chunk.len() - self.at;
        f.debug_struct("LineDecoder").field("limit", &self.limit).field("waiting", &waiting).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    /// The lines of a body cut into these chunks, and whether it failed.
    fn decode<'a>(limit: usize, chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, bool) {
        let mut decoder = LineDecoder::new(limit);
        let mut lines = Vec::new();
        for chunk in chunks {
            decoder.push(Bytes::copy_from_slice(chunk));
            loop {
                match decoder.frame() {
                    Ok(Some(frame)) => lines.push(frame.data.to_string()),
                    Ok(None) => break,
                    Err(_) => return (lines, true),
                }
            }
        }
        match decoder.last() {
            Ok(last) => lines.extend(last.map(|frame| frame.data.to_string())),
            Err(_) => return (lines, true),
        }
        (lines, false)
    }

    #[test]
    fn a_body_is_the_same_lines_wherever_it_is_split() {
        let body = "{\"a\":\"नमस्ते\"}\r\n\n  \r\n{\"b\":2}\n\r\n[3]".as_bytes();
        let whole = (vec!["{\"a\":\"नमस्ते\"}".to_owned(), "{\"b\":2}".to_owned(), "[3]".to_owned()], false);
        for first in 0..=body.len() {
            for second in first..=body.len() {
                let chunks = [&body[..first], &body[first..second], &body[second..]];
                assert_eq!(decode(100, chunks), whole, "split at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_line_within_a_chunk_is_a_slice_of_it() {
        let chunk = Bytes::from(b"one line\nanother\n".to_vec());
        let mut decoder = LineDecoder::new(100);
        decoder.push(chunk.clone());
        let line = decoder.frame().expect("lines").expect("a line");
        assert_eq!(line.data.as_ptr(), chunk.as_ptr());
    }

    #[test]
    fn what_is_too_long_or_no_utf8_is_an_error_and_the_end() {
        let mut decoder = LineDecoder::new(4);
        decoder.push(Bytes::from_static(b"1234\n12345"));
        assert_eq!(decoder.frame().expect("a line").expect("within").data, &"1234");
        let error = decoder.frame().expect_err("above the limit");
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.to_string().contains("limit of 4 bytes"), "{error}");
        decoder.push(Bytes::from_static(b"\n1\n"));
        assert!(decoder.frame().expect("nothing").is_none() && decoder.last().expect("nothing").is_none());
        assert_eq!(decode(10, [&b"1\n\xff\n2\n"[..]]), (vec!["1".to_owned()], true));
    }

    proptest! {
        #[test]
        fn any_split_is_the_whole(
            body in proptest::collection::vec(proptest::sample::select(b"{\"a\n\r \xc3\xa4".to_vec()), 0..64),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
            limit in 1_usize..16,
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
            prop_assert_eq!(decode(limit, chunks), decode(limit, [&body[..]]));
        }
    }
}
