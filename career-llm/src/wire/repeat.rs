//! The quick way through frames that repeat but for one string.

use crate::Text;

/// Remembers a frame and where in it a JSON string stood that changes from frame to frame.
///
/// Most frames of a stream are the same bytes but for the piece of text. When a frame begins and ends as the one before
/// and what is between has no quote, no backslash and no control character, then parsing it would give the same
/// document with that piece: the parser reaches the piece inside of the same string, stays in it, and leaves it at the
/// same place. So it need not be parsed.
#[derive(Debug, Default)]
pub struct Repeat {
    line: Text,
    /// Where the string's content begins in `line`, and how many bytes follow its end.
    before: usize,
    after: usize,
}

impl Repeat {
    /// Remembers that `piece`, a slice of `line`, is the content of the string that changes.
    ///
    /// Only what was borrowed from the line unescaped counts; anything else is forgotten.
    pub fn learn(&mut self, line: &Text, piece: &str) {
        let start = (piece.as_ptr() as usize).wrapping_sub(line.as_ptr() as usize);
        let quoted = start > 0
            && line.get(start..start.wrapping_add(piece.len())).is_some_and(|found| found == piece)
            && line.as_bytes()[start - 1] == b'"'
            && line.as_bytes().get(start + piece.len()) == Some(&b'"');
        if quoted {
            *self = Repeat { line: line.clone(), before: start, after: line.len() - start - piece.len() };
        } else {
            *self = Repeat::default();
        }
    }

    /// The piece of this line, if it is like the one that was learnt.
    pub fn piece(&self, line: &Text) -> Option<Text> {
        let end = line.len().checked_sub(self.after).filter(|end| *end >= self.before && self.before > 0)?;
        let (known, new) = (self.line.as_bytes(), line.as_bytes());
        let same = new[..self.before] == known[..self.before] && new[end..] == known[known.len() - self.after..];
        if !same {
            return None;
        }
        // Both cuts stand beside a quote, so they are between characters.
        let piece = line.get(self.before..end)?;
        let plain = piece.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
        plain.then(|| line.slice_ref(piece))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn line(piece: &str) -> Text {
        json!({"id": "x", "d": {"content": piece}, "n": null}).to_string().into()
    }

    fn learnt() -> Repeat {
        let line = line("hello");
        let at = line.find("hello").expect("there");
        let mut repeat = Repeat::default();
        repeat.learn(&line, &line[at..at + 5]);
        repeat
    }

    #[test]
    fn what_differs_elsewhere_is_not_taken_for_the_same() {
        let repeat = learnt();
        assert_eq!(repeat.piece(&line("world")).as_deref(), Some("world"));
        assert_eq!(repeat.piece(&line("")).as_deref(), Some(""));
        assert_eq!(repeat.piece(&line("a \"quote\"")), None);
        assert_eq!(repeat.piece(&line("a\\b\n")), None);
        assert_eq!(repeat.piece(&line("x").replace("\"x\"", "\"y\"").into()), None);
        assert_eq!(repeat.piece(&Text::from("{}")), None);
        assert_eq!(Repeat::default().piece(&line("x")), None);
    }

    proptest! {
        /// The quick way gives what parsing gives, or nothing; whatever was spliced into the line.
        #[test]
        fn the_quick_way_is_parsing(noise in r#"[a-z"\\,:{}\u{7f}-\u{ff}\x00-\x1f]{0,24}"#) {
            let plain = line("hello");
            let raw: Text = plain.replace("hello", &noise).into();
            if let Some(piece) = learnt().piece(&raw) {
                let parsed: Value = serde_json::from_str(&raw).expect("the quick way took it");
                prop_assert_eq!(parsed, json!({"id": "x", "d": {"content": piece.as_str()}, "n": null}));
            }
        }
    }
}
