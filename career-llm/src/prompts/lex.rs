//! A template's body in pieces: text, and the tokens of each tag. It finds tags where Tera finds them.

use super::Fault;
use crate::Result;

/// A part of a body.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'a> {
    /// Text as it is.
    Text(&'a str),
    /// `{{ … }}`.
    Print(Vec<Token<'a>>, usize),
    /// `{% … %}`.
    Tag(Vec<Token<'a>>, usize),
}

/// A token inside of a tag.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    /// A name or a word of the language.
    Ident(&'a str),
    /// A quoted text: how many bytes it has at most.
    Text(usize),
    /// A number.
    Number(&'a str),
    /// Anything else.
    Op(&'static str),
}

/// Every operator, the longer ones first. Those that no prompt may use are here so that the message can name them.
const OPERATORS: &[&str] = &[
    "...", "//", "**", "==", "!=", ">=", "<=", "</", "?.", "?[", "+", "-", "*", "/", "%", "!", ".", ",", ":", "~", "|",
    "=", ">", "<", "(", ")", "[", "]", "{", "}", "@",
];

/// What a position in the source is told as: `career_path.md:12`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The file.
    pub(super) file: &'a str,
    /// The line of the file on which the text begins, from 1.
    pub(super) line: usize,
}

impl Place<'_> {
    /// An error on this line.
    pub(super) fn error(&self, line: usize, fault: Fault, what: impl std::fmt::Display) -> crate::Error {
        fault.at(format!("{}:{line}: {what}", self.file))
    }
}

/// Cuts a body into pieces; their lines are those of the file.
pub(super) fn pieces<'a>(body: &'a str, place: Place<'_>) -> Result<Vec<Piece<'a>>> {
    let mut found = Vec::new();
    let mut rest = body;
    let mut line = place.line;
    while !rest.is_empty() {
        let start = opening(rest).unwrap_or(rest.len());
        let (text, after) = rest.split_at(start);
        line += newlines(text);
        if !text.is_empty() {
            found.push(Piece::Text(text));
        }
        rest = after;
        if rest.is_empty() {
            break;
        }
        let opened = line;
        let inner = if rest.as_bytes().get(2) == Some(&b'-') { 3 } else { 2 };
        if rest.starts_with("{#") {
            let Some(end) = rest[inner..].find("#}") else {
                return Err(place.error(line, Fault::Syntax, "a comment is not closed"));
            };
            line += newlines(&rest[..inner + end]);
            rest = &rest[inner + end + 2..];
            continue;
        }
        let (kind, close) =
            if rest.starts_with("{{") { (Piece::Print as fn(_, _) -> _, "}}") } else { (Piece::Tag as _, "%}") };
        let (tokens, after) = tokens(&rest[inner..], close, &mut line, place)?;
        found.push(kind(tokens, opened));
        rest = after;
    }
    Ok(found)
}

/// Where the next tag or comment opens.
fn opening(text: &str) -> Option<usize> {
    text.as_bytes().windows(2).position(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'\n').count()
}

/// The tokens up to the closing mark, and what comes after it.
fn tokens<'a>(text: &'a str, close: &str, line: &mut usize, place: Place<'_>) -> Result<(Vec<Token<'a>>, &'a str)> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        *line += newlines(&rest[..rest.len() - trimmed.len()]);
        rest = trimmed;
        if let Some(after) = rest.strip_prefix('-').unwrap_or(rest).strip_prefix(close) {
            return Ok((found, after));
        }
        let Some(first) = rest.bytes().next() else {
            return Err(place.error(*line, Fault::Syntax, format_args!("expected `{close}`")));
        };
        let taken = match first {
            b'"' | b'\'' | b'`' => {
                let Some(end) = end_of_string(rest, first) else {
                    return Err(place.error(*line, Fault::Syntax, "a quoted text is not closed"));
                };
                found.push(Token::Text(end - 2));
                end
            }
            b'0'..=b'9' => {
                let mut point = false;
                let digits =
                    |byte: &u8| byte.is_ascii_digit() || (*byte == b'.' && !std::mem::replace(&mut point, true));
                let end = rest.bytes().take_while(digits).count();
                found.push(Token::Number(&rest[..end]));
                end
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                let end = rest.bytes().take_while(|byte| *byte == b'_' || byte.is_ascii_alphanumeric()).count();
                found.push(Token::Ident(&rest[..end]));
                end
            }
            _ => {
                let Some(op) = OPERATORS.iter().find(|op| rest.starts_with(**op)) else {
                    return Err(place.error(*line, Fault::Syntax, "a character that means nothing in a tag"));
                };
                found.push(Token::Op(op));
                op.len()
            }
        };
        *line += newlines(&rest[..taken]);
        rest = &rest[taken..];
    }
}

/// The end of a quoted text, its closing quote included.
fn end_of_string(text: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place { file: "f", line: 1 };

    #[test]
    fn quotes_hide_closing_marks_and_lines_are_counted() {
        let found = pieces("a\n{{- \"}}\\\"\" -}}\n{# {{ x }} #}{% if\nx %}", PLACE).expect("reads");
        assert_eq!(
            found,
            [
                Piece::Text("a\n"),
                Piece::Print(vec![Token::Text(4)], 2),
                Piece::Text("\n"),
                Piece::Tag(vec![Token::Ident("if"), Token::Ident("x")], 3),
            ]
        );
    }

    #[test]
    fn what_is_not_closed_is_told_with_its_line() {
        for (body, what) in [
            ("\n{{ x", "f:2: expected `}}`"),
            ("\n\n{% if x", "f:3: expected `%}`"),
            ("{# x", "f:1: a comment is not closed"),
            ("{{ \"x }}", "f:1: a quoted text is not closed"),
            ("{{ § }}", "f:1: a character that means nothing in a tag"),
        ] {
            assert_eq!(pieces(body, PLACE).expect_err(body).message(), what);
        }
    }
}
