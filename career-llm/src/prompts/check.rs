//! Whether a body uses its variables as they are declared.

use std::collections::{BTreeMap, BTreeSet};

use super::Fault;
use super::filters::Shape;
use super::header::Variable;
use super::lex::Place;
use super::syntax::{Node, Origin, Value};
use super::types::Type;
use crate::{Error, Result};

/// Checks turns one after the other, and notes which variables they use.
#[derive(Debug)]
pub(super) struct Checker<'a> {
    variables: &'a BTreeMap<String, Variable>,
    place: Place<'a>,
    used: BTreeSet<&'a str>,
}

/// The type of a value in a scope, and whether it may be absent.
#[derive(Clone, Copy)]
struct Known<'t> {
    ty: &'t Type,
    absent: bool,
}

const TEXT: Type = Type::Text;
const NUMBER: Type = Type::Number;
const BOOL: Type = Type::Bool;

impl<'a> Checker<'a> {
    /// Nothing is checked yet.
    pub(super) fn new(variables: &'a BTreeMap<String, Variable>, place: Place<'a>) -> Self {
        Checker { variables, place, used: BTreeSet::new() }
    }

    /// Checks a turn. `guarded`: whether text from outside may be printed in it.
    pub(super) fn turn(&mut self, nodes: &[Node], guarded: bool) -> Result<()> {
        self.nodes(nodes, guarded, &mut Vec::new())
    }

    /// A declared variable that no turn used.
    pub(super) fn unused(&self) -> Option<&'a str> {
        self.variables.keys().map(String::as_str).find(|name| !self.used.contains(name))
    }

    fn nodes<'t>(&mut self, nodes: &[Node], guarded: bool, scope: &mut Vec<(String, Known<'t>)>) -> Result<()>
    where
        'a: 't,
    {
        for node in nodes {
            match node {
                Node::Text(_) => {}
                Node::Print(value) => self.print(value, guarded, scope)?,
                Node::If(branches, otherwise) => {
                    for (condition, body) in branches {
                        self.condition(condition, scope)?;
                        self.nodes(body, guarded, scope)?;
                    }
                    self.nodes(otherwise, guarded, scope)?;
                }
                Node::For { name, list, body, otherwise } => {
                    let of = match self.value(list, scope)? {
                        Known { ty: Type::List(of), .. } if list.filters.is_empty() => of,
                        _ => return Err(self.wrong(list, "expected a list to loop over")),
                    };
                    if self.variables.contains_key(name) || scope.iter().any(|(taken, _)| taken == name) {
                        return Err(self.wrong(list, format_args!("`{name}` has a meaning already")));
                    }
                    self.nodes(otherwise, guarded, scope)?;
                    scope.push((name.clone(), Known { ty: of, absent: false }));
                    self.nodes(body, guarded, scope)?;
                    scope.pop();
                }
            }
        }
        Ok(())
    }

    fn print<'t>(&mut self, value: &Value, guarded: bool, scope: &[(String, Known<'t>)]) -> Result<()>
    where
        'a: 't,
    {
        match self.value(value, scope)?.ty {
            Type::Text | Type::Number | Type::Bool => Ok(()),
            Type::Untrusted if guarded => Ok(()),
            Type::Untrusted => {
                Err(self.error(value, Fault::Forbidden, "text from outside belongs in a turn of the user"))
            }
            Type::List(_) => Err(self.wrong(value, "a list is not printed: loop over it, or `join` it")),
            Type::Object(_) => Err(self.wrong(value, "an object is not printed: print its fields")),
        }
    }

    fn condition<'t>(&mut self, values: &[Value], scope: &[(String, Known<'t>)]) -> Result<()>
    where
        'a: 't,
    {
        let mut left: Option<&'t Type> = None;
        for value in values {
            let known = self.value(value, scope)?;
            if !value.compared {
                continue;
            }
            if !matches!(known.ty, Type::Text | Type::Number | Type::Bool) {
                return Err(self.wrong(value, "only texts, numbers, `true` and `false` are compared"));
            }
            if known.absent && *known.ty == Type::Number {
                return Err(self.wrong(value, "a number that may be absent is not compared: give it a default"));
            }
            match left.take() {
                None => left = Some(known.ty),
                Some(ty) if ty == known.ty => {}
                Some(_) => return Err(self.wrong(value, "values of two types are not compared")),
            }
        }
        Ok(())
    }

    /// The type of a value after its filters.
    fn value<'t>(&mut self, value: &Value, scope: &[(String, Known<'t>)]) -> Result<Known<'t>>
    where
        'a: 't,
    {
        let plain = |ty| Known { ty, absent: false };
        let mut known = match &value.origin {
            Origin::Path(path) => self.path(path, value, scope)?,
            Origin::Loop(_) if scope.is_empty() => {
                return Err(self.error(value, Fault::UnknownVariable, "`loop` outside of a loop"));
            }
            Origin::Loop(number) => plain(if *number { &NUMBER } else { &BOOL }),
            Origin::Text => plain(&TEXT),
            Origin::Number => plain(&NUMBER),
            Origin::Bool => plain(&BOOL),
        };
        for rule in &value.filters {
            let fits = match (rule.takes, known.ty) {
                (Shape::Text | Shape::Measured, Type::Text) | (Shape::Measured, Type::List(_)) => true,
                (Shape::ListOfPlain, Type::List(of)) => matches!(**of, Type::Text | Type::Number),
                (Shape::Number, Type::Number) => !known.absent,
                _ => false,
            };
            if !fits {
                let what = if known.ty.has_untrusted() {
                    format!("`{}` is not for text from outside, which stays in its data block", rule.name)
                } else {
                    format!("`{}` does not take this", rule.name)
                };
                return Err(self.wrong(value, what));
            }
            known = plain(if rule.gives == Shape::Number { &NUMBER } else { &TEXT });
        }
        Ok(known)
    }

    fn path<'t>(&mut self, path: &[String], value: &Value, scope: &[(String, Known<'t>)]) -> Result<Known<'t>>
    where
        'a: 't,
    {
        let [root, fields @ ..] = path else {
            return Err(self.error(value, Fault::Syntax, "expected a variable"));
        };
        let local = scope.iter().find(|(name, _)| name == root).map(|(_, known)| *known);
        let mut known = match (local, self.variables.get_key_value(root)) {
            (Some(known), _) => known,
            (None, Some((name, variable))) => {
                self.used.insert(name);
                Known { ty: &variable.ty, absent: !variable.required && variable.default.is_none() }
            }
            (None, None) => {
                return Err(self.error(value, Fault::UnknownVariable, format_args!("unknown variable `{root}`")));
            }
        };
        let mut walked = root.clone();
        for name in fields {
            let found = match known.ty {
                Type::Object(fields) => fields.get(name),
                _ => return Err(self.wrong(value, format_args!("`{walked}` has no fields"))),
            };
            let Some(field) = found else {
                return Err(self.error(
                    value,
                    Fault::UnknownVariable,
                    format_args!("unknown field `{name}` of `{walked}`"),
                ));
            };
            known = Known { ty: &field.ty, absent: field.optional };
            walked = format!("{walked}.{name}");
        }
        Ok(known)
    }

    fn wrong(&self, value: &Value, what: impl std::fmt::Display) -> Error {
        self.error(value, Fault::WrongType, what)
    }

    fn error(&self, value: &Value, fault: Fault, what: impl std::fmt::Display) -> Error {
        self.place.error(value.line, fault, what)
    }
}
