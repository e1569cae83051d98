//! Terms as whole words, whatever their case.

use std::collections::HashMap;

/// Terms, folded, by their first letter; the longest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Matcher {
    by_first: HashMap<char, Vec<(Vec<char>, usize)>>,
}

/// The lower case of a text; a run of white space is one space.
fn folded(text: &str) -> Vec<char> {
    let mut folded: Vec<char> = Vec::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_whitespace() {
            folded.extend(c.to_lowercase());
        } else if folded.last() != Some(&' ') {
            folded.push(' ');
        }
    }
    folded
}

/// Whether there are two letters or digits in it: what is shorter would be found everywhere.
pub(super) fn is_worth_it(term: &str) -> bool {
    term.chars().filter(|c| c.is_alphanumeric()).count() >= 2
}

/// What a character is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Neither,
}

fn class(c: char) -> Class {
    // Vowel signs, viramas, nuktas and joiners of the scripts of India, and combining accents, belong to their letter;
    // not every one of them is alphabetic by itself. The dandas are punctuation.
    let sign =
        matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{963}' | '\u{971}'..='\u{dff}' | '\u{200c}' | '\u{200d}');
    if c.is_numeric() {
        Class::Digit
    } else if c.is_alphabetic() || sign {
        Class::Letter
    } else {
        Class::Neither
    }
}

/// Whether a word ends between these two.
pub(super) fn is_boundary(before: Option<char>, after: Option<char>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => class(before) == Class::Neither || class(before) != class(after),
        _ => true,
    }
}

impl Matcher {
    pub(super) fn knows(&self, term: &str) -> bool {
        let term = folded(term);
        term.first()
            .and_then(|first| self.by_first.get(first))
            .is_some_and(|known| known.iter().any(|(t, _)| *t == term))
    }

    pub(super) fn add(&mut self, term: &str, at: usize) {
        let term = folded(term);
        let Some(first) = term.first() else { return };
        let known = self.by_first.entry(*first).or_default();
        known.push((term, at));
        known.sort_by_key(|(term, _)| std::cmp::Reverse(term.len()));
    }

    /// The longest term that begins here and ends with a word: how many bytes, and which term.
    pub(super) fn at(&self, text: &str, start: usize) -> Option<(usize, usize)> {
        let rest = text.get(start..)?;
        let first = rest.chars().next()?.to_lowercase().next()?;
        let known = self.by_first.get(&first)?;
        if !is_boundary(text[..start].chars().next_back(), rest.chars().next()) {
            return None;
        }
        let ends = |term: &[char]| {
            let end = end_of(rest, term)?;
            is_boundary(rest[..end].chars().next_back(), rest[end..].chars().next()).then_some(end)
        };
        known.iter().find_map(|(term, at)| Some((ends(term)?, *at)))
    }

    /// Whether a term is in there.
    pub(super) fn finds(&self, text: &str) -> bool {
        text.char_indices().any(|(start, _)| self.at(text, start).is_some())
    }
}

/// Where this term, folded, ends at the beginning of a text.
fn end_of(text: &str, term: &[char]) -> Option<usize> {
    let mut wanted = term.iter().copied().peekable();
    let mut chars = text.char_indices().peekable();
    while let Some(&want) = wanted.peek() {
        let (_, c) = chars.next()?;
        if c.is_whitespace() {
            if want != ' ' {
                return None;
            }
            wanted.next();
            while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
            continue;
        }
        for lower in c.to_lowercase() {
            if wanted.next()? != lower {
                return None;
            }
        }
    }
    Some(chars.peek().map_or(text.len(), |(at, _)| *at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(terms: &[&str], text: &'a str) -> Vec<&'a str> {
        let mut matcher = Matcher::default();
        for (at, term) in terms.iter().enumerate() {
            matcher.add(term, at);
        }
        let mut found = Vec::new();
        let mut start = 0;
        while let Some(c) = text[start..].chars().next() {
            match matcher.at(text, start) {
                Some((length, _)) => {
                    found.push(&text[start..start + length]);
                    start += length;
                }
                None => start += c.len_utf8(),
            }
        }
        found
    }

    #[test]
    fn terms_are_whole_words_in_any_case_the_longest_first() {
        assert_eq!(found(&["ana"], "Ana's banana, ANA_2 ana7 (ana)"), ["Ana", "ANA", "ana", "ana"]);
        assert_eq!(
            found(&["Given", "Given Surname"], "given  surname, Given\nSurname, given surnameo"),
            ["given  surname", "Given\nSurname", "given"]
        );
        assert_eq!(found(&["12"], "12 a12 112 120 12a"), ["12", "12", "12"]);
        assert_eq!(found(&["ÅSA", "Straße"], "åsa STRASSE straße"), ["åsa", "straße"]);
    }

    #[test]
    fn devanagari_words_end_where_their_signs_end() {
        assert_eq!(found(&["आशा", "राम"], "आशा ने। आशाएँ राम, रामू राम।"), ["आशा", "राम", "राम"]);
        assert_eq!(found(&["विद्या"], "विद्यालय में विद्या"), ["विद्या"]);
        assert_eq!(found(&["सत"], "सत् सत"), ["सत"], "a virama belongs to its letter");
    }

    #[test]
    fn a_letter_that_grows_in_lower_case_is_no_trap() {
        assert_eq!(found(&["İz", "ab"], "İz ab İ"), ["İz", "ab"]);
    }
}
