//! The filters that a prompt may use.

/// Most bytes of a quoted text in a tag: what a filter is given cannot multiply into much.
pub(super) const LITERAL_MAX: usize = 64;

/// What a filter takes and gives.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Shape {
    /// Text.
    Text,
    /// A number.
    Number,
    /// A list of texts or numbers.
    ListOfPlain,
    /// Text or a list.
    Measured,
}

/// A filter that a prompt may use.
#[derive(Debug)]
pub(super) struct FilterRule {
    /// Tera's name of it.
    pub(super) name: &'static str,
    /// What it takes.
    pub(super) takes: Shape,
    /// What it gives.
    pub(super) gives: Shape,
    /// The arguments that it may have, and whether each is a text.
    pub(super) arguments: &'static [(&'static str, bool)],
}

const fn filter(
    name: &'static str,
    takes: Shape,
    gives: Shape,
    arguments: &'static [(&'static str, bool)],
) -> FilterRule {
    FilterRule { name, takes, gives, arguments }
}

/// Every filter that a prompt may use: none makes much out of little, none reads anything but its value.
pub(super) const FILTERS: &[FilterRule] = &[
    filter("upper", Shape::Text, Shape::Text, &[]),
    filter("lower", Shape::Text, Shape::Text, &[]),
    filter("trim", Shape::Text, Shape::Text, &[]),
    filter("capitalize", Shape::Text, Shape::Text, &[]),
    filter("title", Shape::Text, Shape::Text, &[]),
    filter("truncate", Shape::Text, Shape::Text, &[("length", false), ("end", true)]),
    filter("wordcount", Shape::Text, Shape::Number, &[]),
    filter("length", Shape::Measured, Shape::Number, &[]),
    filter("join", Shape::ListOfPlain, Shape::Text, &[("sep", true)]),
    filter("round", Shape::Number, Shape::Number, &[("precision", false)]),
    filter("abs", Shape::Number, Shape::Number, &[]),
];

impl FilterRule {
    /// The arguments in words.
    pub(super) fn argument_list(&self) -> String {
        if self.arguments.is_empty() {
            return "no arguments".to_owned();
        }
        let kind = |text: bool| match (text, self.name) {
            (true, _) => "text of at most 64 bytes",
            (false, "round") => "number from 0 to 9",
            (false, _) => "whole number",
        };
        self.arguments.iter().map(|(name, text)| format!("`{name}=` {}", kind(*text))).collect::<Vec<_>>().join(" and ")
    }
}
