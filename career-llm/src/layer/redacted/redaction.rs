//! One request's placeholders.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::pseudonyms::{Pseudonyms, TermKind};
use super::restore::Table;
use super::rewrite;
use crate::ChatRequest;

/// Replaces what is hidden, and remembers by what.
pub(super) struct Redaction<'a> {
    hidden: &'a Pseudonyms,
    /// What stands in brackets in the request: no placeholder of ours.
    taken: HashSet<String>,
    /// The placeholder of each spelling.
    by_spelling: HashMap<String, String>,
    /// How many spellings of each term there are besides the host's.
    spellings: HashMap<usize, usize>,
    /// How many of each kind there are.
    numbers: BTreeMap<TermKind, usize>,
    table: Table,
}

/// A placeholder is no longer than this, so nothing longer in brackets looks like one.
const LONGEST: usize = 64;

/// What was found at a place.
enum Found {
    Term(usize),
    Detected(TermKind),
}

impl<'a> Redaction<'a> {
    pub(super) fn new(hidden: &'a Pseudonyms, request: &ChatRequest) -> Self {
        let mut taken = HashSet::new();
        rewrite::request_with(
            &mut |text| {
                taken.extend(brackets(text).map(str::to_owned));
                None
            },
            request,
        );
        let mut numbers = BTreeMap::new();
        for (kind, _) in hidden.terms.iter() {
            *numbers.entry(*kind).or_default() += 1;
        }
        Redaction {
            hidden,
            taken,
            by_spelling: HashMap::new(),
            spellings: HashMap::new(),
            numbers,
            table: Table::default(),
        }
    }

    /// What goes back.
    pub(super) fn into_table(self) -> Table {
        self.table
    }

    /// The text with placeholders; `None` when there is nothing to hide in it.
    pub(super) fn redact(&mut self, text: &str) -> Option<String> {
        let found = self.find(text);
        if found.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len() + 16);
        let mut end = 0;
        for (start, stop, what) in found {
            self.redact_gap(&text[end..start], &mut out);
            let placeholder = self.placeholder(&text[start..stop], &what);
            out.push_str(&placeholder);
            end = stop;
        }
        self.redact_gap(&text[end..], &mut out);
        Some(out)
    }

    /// What stands beside a placeholder may have become a whole word.
    fn redact_gap(&mut self, gap: &str, out: &mut String) {
        out.push_str(&self.redact(gap).map_or(Cow::Borrowed(gap), Cow::Owned));
    }

    /// What is to be hidden, from left to right, the longest at each place.
    fn find(&self, text: &str) -> Vec<(usize, usize, Found)> {
        let mut detected: BTreeMap<usize, (usize, TermKind)> = BTreeMap::new();
        for detector in self.hidden.detectors.iter() {
            for (start, end) in detector.spans(text) {
                let longest = detected.entry(start).or_insert((end, detector.kind()));
                if end > longest.0 {
                    *longest = (end, detector.kind());
                }
            }
        }
        let mut found = Vec::new();
        let mut pos = 0;
        for (start, _) in text.char_indices() {
            if start < pos {
                continue;
            }
            let term = self.hidden.matcher.at(text, start).map(|(length, at)| (start + length, Found::Term(at)));
            let other = detected.get(&start).map(|(end, kind)| (*end, Found::Detected(*kind)));
            let (end, what) = match (term, other) {
                (Some(term), Some(other)) if other.0 > term.0 => other,
                (Some(term), _) => term,
                (None, Some(other)) => other,
                (None, None) => continue,
            };
            found.push((start, end, what));
            pos = end;
        }
        found
    }

    /// The placeholder of a spelling.
    fn placeholder(&mut self, spelling: &str, what: &Found) -> String {
        if let Some(known) = self.by_spelling.get(spelling) {
            return known.clone();
        }
        let (label, number) = match what {
            Found::Term(at) => self.number_of_term(*at, spelling),
            Found::Detected(kind) => {
                let number = self.numbers.entry(*kind).or_default();
                *number += 1;
                (kind.label(), number.to_string())
            }
        };
        let placeholder = self.free(label, &number);
        self.by_spelling.insert(spelling.to_owned(), placeholder.clone());
        self.table.insert(placeholder.clone(), spelling);
        placeholder
    }

    /// Its place among those of its kind, and which spelling of it this is.
    fn number_of_term(&mut self, at: usize, spelling: &str) -> (&'static str, String) {
        let (kind, term) = &self.hidden.terms[at];
        let place = self.hidden.terms[..=at].iter().filter(|(other, _)| other == kind).count();
        if spelling == term {
            return (kind.label(), place.to_string());
        }
        let others = self.spellings.entry(at).or_insert(1);
        *others += 1;
        (kind.label(), format!("{place}_{others}"))
    }

    /// A placeholder that is not in the request, is not another's, and holds no term.
    fn free(&self, label: &str, number: &str) -> String {
        let is_free = |placeholder: &String| {
            !self.taken.contains(placeholder)
                && !self.table.knows(placeholder)
                && !self.hidden.matcher.finds(placeholder)
        };
        let usual = std::iter::once(format!("[{label}_{number}]"));
        // Both the word and the number may be what is to be hidden. These are one word of letters, each another one.
        let letters: String = number.bytes().map(|byte| char::from(b'A' + byte % 26)).collect();
        let others = (0_usize..).map(|n| format!("[Q{letters}{}]", word(n)));
        // One of them is free: the request and the terms are finite.
        usual.chain(others).find(is_free).unwrap_or_default()
    }
}

/// `A`, `B` … `Z`, `AB` …: a word for each number.
fn word(mut number: usize) -> String {
    let mut word = String::new();
    loop {
        word.push(char::from(b'A' + u8::try_from(number % 26).unwrap_or(0)));
        number /= 26;
        if number == 0 {
            return word;
        }
    }
}

/// What could be a placeholder in a text: from an opening bracket to the next closing one.
fn brackets(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('[').filter_map(|(start, _)| {
        let end = text.as_bytes()[start..].iter().take(LONGEST).position(|byte| *byte == b']')?;
        Some(&text[start..=start + end])
    })
}
