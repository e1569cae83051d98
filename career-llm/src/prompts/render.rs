//! Rendering within limits: what it will cost is counted first, then Tera writes into a bounded buffer.

use std::io::{self, Write};

use serde_json::{Map, Value};
use tera::Tera;
use tokio::time::Instant;

use super::lex::Place;
use super::syntax::{self, Node, Origin};
use super::{Fault, Limit, Limits};
use crate::{Error, Result};

/// How many tags are counted between two looks at the clock.
const TAGS_PER_LOOK: u64 = 256;

/// Counts what a rendering would cost if every branch were taken. Each tag is passed as often as Tera may pass it.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    name: &'a str,
    limits: &'a Limits,
    started: Instant,
    iterations: u64,
    work: u64,
    tags: u64,
}

impl<'a> Meter<'a> {
    /// Nothing is counted yet; the time starts.
    pub(super) fn new(name: &'a str, limits: &'a Limits) -> Self {
        Meter { name, limits, started: Instant::now(), iterations: 0, work: 0, tags: 0 }
    }

    /// Counts one turn.
    pub(super) fn turn(&mut self, nodes: &[Node], values: &Map<String, Value>) -> Result<()> {
        self.in_time()?;
        self.nodes(nodes, values, &mut Vec::new())
    }

    fn nodes<'v>(
        &mut self,
        nodes: &[Node],
        values: &'v Map<String, Value>,
        scope: &mut Vec<(String, &'v Value)>,
    ) -> Result<()> {
        for node in nodes {
            match node {
                Node::Text(bytes) => self.spend(*bytes)?,
                Node::Print(value) => self.value(value, values, scope)?,
                Node::If(branches, otherwise) => {
                    for (condition, body) in branches {
                        condition.iter().try_for_each(|value| self.value(value, values, scope))?;
                        self.nodes(body, values, scope)?;
                    }
                    self.nodes(otherwise, values, scope)?;
                }
                Node::For { name, list, body, otherwise } => {
                    self.spend(0)?;
                    let items = find(list, values, scope).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                    self.nodes(otherwise, values, scope)?;
                    for item in items {
                        self.iterations += 1;
                        if self.iterations > self.limits.iterations {
                            return Err(self.over(Limit::Iterations, self.limits.iterations, "loop iterations"));
                        }
                        scope.push((name.clone(), item));
                        let counted = self.nodes(body, values, scope);
                        scope.pop();
                        counted?;
                    }
                }
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &syntax::Value, values: &Map<String, Value>, scope: &[(String, &Value)]) -> Result<()> {
        let bytes = find(value, values, scope).map_or(0, |found| size(found, !value.filters.is_empty()));
        self.spend(bytes.saturating_mul(1 + value.filters.len() as u64))
    }

    fn spend(&mut self, bytes: u64) -> Result<()> {
        self.work = self.work.saturating_add(bytes).saturating_add(1);
        self.tags += 1;
        if self.work > self.limits.work {
            return Err(self.over(Limit::Work, self.limits.work, "steps and bytes of work"));
        }
        if self.tags.is_multiple_of(TAGS_PER_LOOK) { self.in_time() } else { Ok(()) }
    }

    fn in_time(&self) -> Result<()> {
        if self.started.elapsed() < self.limits.time {
            return Ok(());
        }
        Err(self.over(Limit::Time, self.limits.time.as_millis() as u64, "milliseconds"))
    }

    fn over(&self, limit: Limit, most: u64, what: &str) -> Error {
        Fault::Limit(limit).at(format!("{}: more than {most} {what}", self.name))
    }

    /// Lets Tera write a turn.
    pub(super) fn write(
        &self,
        tera: &Tera,
        turn: &str,
        values: &tera::Context,
        written: usize,
        place: Place<'_>,
    ) -> Result<String> {
        let mut output =
            Bounded { meter: self, room: self.limits.output.saturating_sub(written), text: Vec::new(), passed: None };
        let rendered = tera.render_to(turn, values, &mut output);
        if let Some(limit) = output.passed {
            return match limit {
                Limit::Time => self.in_time().map(|()| String::new()),
                _ => Err(self.over(limit, self.limits.output as u64, "bytes of output")),
            };
        }
        rendered.map_err(|error| {
            // Tera's own words may quote a value.
            let line = match error.kind() {
                tera::ErrorKind::RenderingError(report) => place.line + report.span().start_line.saturating_sub(1),
                _ => place.line,
            };
            place.error(line, Fault::WrongType, "this cannot be rendered with these values")
        })?;
        let text = output.text;
        self.in_time()?;
        String::from_utf8(text).map_err(|_| place.error(place.line, Fault::Syntax, "the output is no UTF-8"))
    }
}

/// The value at the origin of an expression.
fn find<'v>(value: &syntax::Value, values: &'v Map<String, Value>, scope: &[(String, &'v Value)]) -> Option<&'v Value> {
    let Origin::Path(path) = &value.origin else { return None };
    let (root, fields) = path.split_first()?;
    let local = scope.iter().find(|(name, _)| name == root).map(|(_, value)| *value);
    let root = local.or_else(|| values.get(root))?;
    fields.iter().try_fold(root, |value, field| value.get(field))
}

/// How many bytes an expression handles. A list costs something only where a filter goes through it.
fn size(value: &Value, filtered: bool) -> u64 {
    match value {
        Value::String(text) => text.len() as u64,
        Value::Array(items) if filtered => items.iter().map(|item| 64 + size(item, false)).sum(),
        _ => 8,
    }
}

/// A buffer that takes no more than its room, and nothing after the time is over.
struct Bounded<'a> {
    meter: &'a Meter<'a>,
    room: usize,
    text: Vec<u8>,
    passed: Option<Limit>,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.len() + bytes.len() > self.room {
            self.passed = Some(Limit::Output);
        } else if self.meter.in_time().is_err() {
            self.passed = Some(Limit::Time);
        }
        if self.passed.is_some() {
            return Err(io::Error::other("a limit of the template is passed"));
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
