//! The part of Tera that a prompt may use, as a tree. What is not listed here is refused.

use super::filters::{FILTERS, FilterRule, LITERAL_MAX};
use super::lex::{Piece, Place, Token, pieces};
use super::{Fault, Limit};
use crate::{Error, Result};

/// A part of a turn.
#[derive(Debug)]
pub(super) enum Node {
    /// So many bytes of text.
    Text(u64),
    /// `{{ value }}`.
    Print(Value),
    /// `{% if %}`: each condition with its body, then the body of `else`.
    If(Vec<(Vec<Value>, Vec<Node>)>, Vec<Node>),
    /// `{% for name in list %}`, its body, and the body of `else`.
    For { name: String, list: Value, body: Vec<Node>, otherwise: Vec<Node> },
}

/// Where a value comes from, and the filters that it passes.
#[derive(Debug)]
pub(super) struct Value {
    /// From where.
    pub(super) origin: Origin,
    /// The filters, in order.
    pub(super) filters: Vec<&'static FilterRule>,
    /// Whether it is compared with another value.
    pub(super) compared: bool,
    /// The line of the file.
    pub(super) line: usize,
}

/// From where a value comes.
#[derive(Debug)]
pub(super) enum Origin {
    /// A variable, or a field of one.
    Path(Vec<String>),
    /// `loop.index` and the like; whether it is a number.
    Loop(bool),
    /// A quoted text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
}

/// What ended a body.
#[derive(Debug, PartialEq, Clone, Copy)]
enum End {
    Whole,
    Elif,
    Else,
    Endif,
    Endfor,
}

/// Reads the body of a turn.
pub(super) fn parse(body: &str, place: Place<'_>, nesting: usize) -> Result<Vec<Node>> {
    let pieces = pieces(body, place)?;
    let mut parser = Parser { pieces: pieces.into_iter(), place, nesting, condition: Vec::new(), line: place.line };
    match parser.body(0)? {
        (nodes, End::Whole) => Ok(nodes),
        _ => Err(place.error(parser.line, Fault::Syntax, "this closes what is not open")),
    }
}

struct Parser<'a> {
    pieces: std::vec::IntoIter<Piece<'a>>,
    place: Place<'a>,
    nesting: usize,
    /// The condition of the `elif` that ended the last body.
    condition: Vec<Value>,
    /// The line of the last tag.
    line: usize,
}

impl<'a> Parser<'a> {
    fn body(&mut self, depth: usize) -> Result<(Vec<Node>, End)> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            match piece {
                Piece::Text(text) => nodes.push(Node::Text(text.len() as u64)),
                Piece::Print(tokens, line) => {
                    self.line = line;
                    let mut tag = self.tag(tokens, line);
                    let value = tag.value()?;
                    tag.end()?;
                    nodes.push(Node::Print(value));
                }
                Piece::Tag(tokens, line) => {
                    self.line = line;
                    let mut tag = self.tag(tokens, line);
                    let end = match tag.word() {
                        Some("if") => {
                            let condition = tag.condition()?;
                            nodes.push(self.branches(condition, depth, line)?);
                            continue;
                        }
                        Some("for") => {
                            nodes.push(self.repeated(tag, depth, line)?);
                            continue;
                        }
                        Some("elif") => {
                            self.condition = tag.condition()?;
                            return Ok((nodes, End::Elif));
                        }
                        Some("else") => End::Else,
                        Some("endif") => End::Endif,
                        Some("endfor") => End::Endfor,
                        Some(word) => {
                            let what = format!("`{}` is not allowed in a prompt; `if` and `for` are", brief(word));
                            return Err(self.place.error(line, Fault::Forbidden, what));
                        }
                        None => return Err(self.place.error(line, Fault::Syntax, "expected `if` or `for`")),
                    };
                    tag.end()?;
                    return Ok((nodes, end));
                }
            }
        }
        Ok((nodes, End::Whole))
    }

    /// Tera reads an `elif` as an `if` inside of the one before: each goes one deeper.
    fn branches(&mut self, condition: Vec<Value>, mut depth: usize, line: usize) -> Result<Node> {
        let mut branches = Vec::new();
        let mut condition = Some(condition);
        loop {
            let (nodes, end) = self.inner(depth, line)?;
            let otherwise = match condition.take() {
                Some(condition) => {
                    branches.push((condition, nodes));
                    Vec::new()
                }
                None if end == End::Endif => nodes,
                None => return Err(self.place.error(line, Fault::Syntax, "expected `endif` after its `else`")),
            };
            match end {
                End::Elif => {
                    depth += 1;
                    condition = Some(std::mem::take(&mut self.condition));
                }
                End::Else => {}
                End::Endif => return Ok(Node::If(branches, otherwise)),
                End::Whole | End::Endfor => {
                    return Err(self.place.error(line, Fault::Syntax, "this `if` has no `endif`"));
                }
            }
        }
    }

    fn repeated(&mut self, mut tag: Tag<'a>, depth: usize, line: usize) -> Result<Node> {
        let name = tag.name()?;
        if tag.word() != Some("in") {
            return Err(tag.error(Fault::Syntax, "expected `for name in list`"));
        }
        let list = tag.value()?;
        tag.end()?;
        let (body, end) = self.inner(depth, line)?;
        let (otherwise, end) = if end == End::Else { self.inner(depth, line)? } else { (Vec::new(), end) };
        if end != End::Endfor {
            return Err(self.place.error(line, Fault::Syntax, "this `for` has no `endfor`"));
        }
        Ok(Node::For { name, list, body, otherwise })
    }

    fn inner(&mut self, depth: usize, line: usize) -> Result<(Vec<Node>, End)> {
        if depth >= self.nesting {
            return Err(self.place.error(line, Fault::Limit(Limit::Nesting), too_deep(self.nesting)));
        }
        self.body(depth + 1)
    }

    fn tag(&self, tokens: Vec<Token<'a>>, line: usize) -> Tag<'a> {
        Tag { tokens: tokens.into_iter().peekable(), line, place: self.place, nesting: self.nesting }
    }
}

/// What is left of a tag.
struct Tag<'a> {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token<'a>>>,
    line: usize,
    place: Place<'a>,
    nesting: usize,
}

impl<'a> Tag<'a> {
    fn error(&self, fault: Fault, what: impl std::fmt::Display) -> Error {
        self.place.error(self.line, fault, what)
    }

    fn word(&mut self) -> Option<&'a str> {
        let found = self.tokens.next_if(|token| matches!(token, Token::Ident(_)))?;
        if let Token::Ident(word) = found { Some(word) } else { None }
    }

    fn is_word(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| *token == Token::Ident(word)).is_some()
    }

    fn is_op(&mut self, op: &'static str) -> bool {
        self.tokens.next_if(|token| *token == Token::Op(op)).is_some()
    }

    fn name(&mut self) -> Result<String> {
        match self.word() {
            Some(name) if super::header::is_name(name) => Ok(name.to_owned()),
            _ => Err(self.error(Fault::Syntax, "expected a name of lower-case letters, digits and `_`")),
        }
    }

    fn end(&mut self) -> Result<()> {
        match self.tokens.next() {
            None => Ok(()),
            Some(token) => Err(self.unexpected(&token)),
        }
    }

    fn unexpected(&self, token: &Token<'_>) -> Error {
        match token {
            Token::Op(op) => self.error(Fault::Forbidden, format_args!("`{op}` is not allowed here in a prompt")),
            Token::Ident(word) => {
                self.error(Fault::Forbidden, format_args!("`{}` is not allowed here in a prompt", brief(word)))
            }
            Token::Text(_) | Token::Number(_) => self.error(Fault::Syntax, "a value is not expected here"),
        }
    }

    /// The values that a condition looks at, and its end.
    fn condition(&mut self) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        self.either(&mut values, 0)?;
        self.end()?;
        Ok(values)
    }

    fn either(&mut self, values: &mut Vec<Value>, depth: usize) -> Result<()> {
        if depth > self.nesting {
            return Err(self.error(Fault::Limit(Limit::Nesting), too_deep(self.nesting)));
        }
        loop {
            self.is_word("not");
            if self.is_op("(") {
                self.either(values, depth + 1)?;
                if !self.is_op(")") {
                    return Err(self.error(Fault::Syntax, "expected `)`"));
                }
            } else {
                self.comparison(values)?;
            }
            if !self.is_word("and") && !self.is_word("or") {
                return Ok(());
            }
        }
    }

    fn comparison(&mut self, values: &mut Vec<Value>) -> Result<()> {
        let mut left = self.value()?;
        let is_comparison = ["==", "!=", "<=", ">=", "<", ">"].iter().any(|op| self.is_op(op));
        if is_comparison {
            let mut right = self.value()?;
            (left.compared, right.compared) = (true, true);
            values.extend([left, right]);
        } else {
            values.push(left);
        }
        Ok(())
    }

    /// A value with its filters.
    fn value(&mut self) -> Result<Value> {
        let line = self.line;
        let origin = match self.tokens.next() {
            Some(Token::Ident("true" | "false")) => Origin::Bool,
            Some(Token::Ident("loop")) => self.loop_field()?,
            Some(Token::Ident(name)) => self.path(name)?,
            Some(Token::Text(bytes)) if bytes <= LITERAL_MAX => Origin::Text,
            Some(Token::Text(_)) => return Err(self.error(Fault::Forbidden, "a quoted text of more than 64 bytes")),
            Some(Token::Number(_)) => Origin::Number,
            Some(token) => return Err(self.unexpected(&token)),
            None => return Err(self.error(Fault::Syntax, "expected a variable")),
        };
        let mut filters = Vec::new();
        while self.is_op("|") {
            filters.push(self.filter()?);
        }
        Ok(Value { origin, filters, compared: false, line })
    }

    fn path(&mut self, name: &str) -> Result<Origin> {
        let mut path = vec![brief(name)];
        if self.tokens.peek() == Some(&Token::Op("(")) {
            return Err(self.error(Fault::Forbidden, "a prompt calls no functions"));
        }
        while self.is_op(".") {
            path.push(self.name()?);
        }
        Ok(Origin::Path(path))
    }

    fn loop_field(&mut self) -> Result<Origin> {
        let field = if self.is_op(".") { self.word() } else { None };
        match field {
            Some("index" | "index0" | "length") => Ok(Origin::Loop(true)),
            Some("first" | "last") => Ok(Origin::Loop(false)),
            _ => Err(self.error(Fault::Syntax, "`loop` has `index`, `index0`, `first`, `last` and `length`")),
        }
    }

    fn filter(&mut self) -> Result<&'static FilterRule> {
        let name = self.word().unwrap_or_default();
        let Some(rule) = FILTERS.iter().find(|rule| rule.name == name) else {
            let known = FILTERS.iter().map(|rule| rule.name).collect::<Vec<_>>().join(", ");
            return Err(
                self.error(Fault::Forbidden, format_args!("unknown filter `{}`; there are {known}", brief(name)))
            );
        };
        let mut given = Vec::new();
        if self.is_op("(") {
            while !self.is_op(")") {
                let argument = self.word().unwrap_or_default();
                let known = rule.arguments.iter().find(|(name, _)| *name == argument);
                let fits = self.is_op("=")
                    && match self.tokens.next() {
                        Some(Token::Text(bytes)) => known.is_some_and(|(_, text)| *text) && bytes <= LITERAL_MAX,
                        Some(Token::Number(digits)) => {
                            // More decimals than a number has would make it none.
                            let most = if rule.name == "round" { 1 } else { 6 };
                            known.is_some_and(|(_, text)| !text) && digits.len() <= most && !digits.contains('.')
                        }
                        _ => false,
                    };
                if !fits || given.contains(&argument) {
                    let what = format!("`{name}` takes {}", rule.argument_list());
                    return Err(self.error(Fault::Forbidden, what));
                }
                given.push(argument);
                if !self.is_op(",") && self.tokens.peek() != Some(&Token::Op(")")) {
                    return Err(self.error(Fault::Syntax, "expected `)`"));
                }
            }
        }
        if rule.name == "truncate" && !given.contains(&"length") {
            return Err(self.error(Fault::Syntax, "`truncate` needs `length`"));
        }
        Ok(rule)
    }
}

fn too_deep(nesting: usize) -> String {
    format!("nested more than {nesting} deep")
}

/// A word short enough for a message.
fn brief(word: &str) -> String {
    word.chars().take(64).collect()
}
