//! What is found without being named.

use super::matcher::is_boundary;
use super::pseudonyms::TermKind;

/// Something that is found by its form.
///
/// All of them find rather too much than too little: what is replaced by mistake comes back in the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Detector {
    /// `name@example.org`, in any script, and handles of payment such as `name@bank`.
    Email,
    /// Phone numbers: of mobiles in India (ten digits from 6, 7, 8 or 9, also after 0, 91, +91, 0091), of landlines
    /// there (eleven digits from 0), and with `+` of anywhere (8 to 15 digits). Digits of the scripts of India too, with
    /// blanks, hyphens, dots and brackets between groups of at least three.
    Phone,
    /// Numbers like those of Aadhaar: 12 digits from 2 on, together or in fours.
    Aadhaar,
    /// Numbers like those of PAN: five letters, four digits, a letter.
    Pan,
    /// Addresses in the web.
    Url,
}

impl Detector {
    pub(super) fn kind(self) -> TermKind {
        match self {
            Detector::Email => TermKind::Email,
            Detector::Phone => TermKind::Phone,
            Detector::Aadhaar | Detector::Pan => TermKind::Id,
            Detector::Url => TermKind::Url,
        }
    }

    /// Where it is in a text: start and end of each, by start.
    pub(super) fn spans(self, text: &str) -> Vec<(usize, usize)> {
        match self {
            Detector::Email => emails(text),
            Detector::Phone => runs(text).iter().flat_map(|run| numbers(run, is_phone)).collect(),
            Detector::Aadhaar => runs(text).iter().flat_map(|run| numbers(run, is_aadhaar)).collect(),
            Detector::Pan => pans(text),
            Detector::Url => urls(text),
        }
    }
}

fn emails(text: &str) -> Vec<(usize, usize)> {
    let in_name = |c: char| c.is_alphanumeric() || (!c.is_ascii() && !c.is_whitespace()) || "._%+-".contains(c);
    let in_host = |c: char| c.is_alphanumeric() || (!c.is_ascii() && !c.is_whitespace()) || ".-".contains(c);
    let mut spans = Vec::new();
    for (at, _) in text.match_indices('@') {
        let name = text[..at].chars().rev().take_while(|c| in_name(*c)).map(char::len_utf8).sum::<usize>();
        let host = &text[at + 1..];
        let host = &host[..host.chars().take_while(|c| in_host(*c)).map(char::len_utf8).sum::<usize>()];
        let host = host.trim_end_matches(['.', '-', '।']);
        let top = host.rsplit('.').next().unwrap_or(host);
        // With a dot the last part has two letters, without one it is a bank of at least three.
        let least = if host.contains('.') { 2 } else { 3 };
        if name > 0 && top.chars().filter(|c| c.is_alphabetic()).count() >= least {
            spans.push((at - name, at + 1 + host.len()));
        }
    }
    spans
}

fn pans(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let fits = |part: &[u8]| {
        part.iter()
            .enumerate()
            .all(|(at, byte)| if (5..9).contains(&at) { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() })
    };
    let mut spans = Vec::new();
    for (start, part) in bytes.windows(10).enumerate() {
        // Ten ASCII bytes begin and end at characters.
        if !fits(part) {
            continue;
        }
        let (before, after) = (text[..start].chars().next_back(), text[start + 10..].chars().next());
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        if apart(before) && apart(after) {
            spans.push((start, start + 10));
        }
    }
    spans
}

fn urls(text: &str) -> Vec<(usize, usize)> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (start, _) in text.char_indices() {
        if spans.last().is_some_and(|(_, end)| start < *end) {
            continue;
        }
        let rest = &text.as_bytes()[start..];
        let begins = |word: &str| rest.get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()));
        let Some(scheme) = ["https://", "http://", "www."].into_iter().find(|word| begins(word)) else { continue };
        if !is_boundary(text[..start].chars().next_back(), text[start..].chars().next()) {
            continue;
        }
        let stops = |c: char| c.is_whitespace() || "<>\"'`(){}[]|\\".contains(c);
        let end = text[start..].find(stops).map_or(text.len(), |length| start + length);
        let end = start + text[start..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '।']).len();
        if end > start + scheme.len() {
            spans.push((start, end));
        }
    }
    spans
}

/// Groups of digits with no more than separators of numbers between them.
struct Run {
    /// Of each group: where it is, and its digits.
    groups: Vec<(usize, usize, Vec<u8>)>,
    /// Where a `+` stands before a group, and an opening bracket perhaps between.
    plus: Vec<Option<usize>>,
}

/// The value of a digit, of the scripts of India too.
fn digit(c: char) -> Option<u8> {
    const ZEROS: [u32; 10] = [0x30, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66];
    let code = u32::from(c);
    ZEROS.iter().find_map(|zero| u8::try_from(code.checked_sub(*zero)?).ok().filter(|value| *value < 10))
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut end = 0;
    while let Some((start, c)) = chars.next() {
        let Some(value) = digit(c) else { continue };
        let mut digits = vec![value];
        let mut stop = start + c.len_utf8();
        while let Some((at, c)) = chars.next_if(|(_, c)| digit(*c).is_some()) {
            digits.extend(digit(c));
            stop = at + c.len_utf8();
        }
        let between = &text[end..start];
        let joins = between.chars().count() <= 3
            && between.chars().all(|c| " -.()/\u{a0}\u{2009}\u{2010}\u{2011}\u{2012}\u{2013}".contains(c));
        let before = text[..start].trim_end_matches(['(', ' ']);
        let plus =
            before.ends_with(['+', '\u{ff0b}']).then(|| before.char_indices().next_back().map(|(at, _)| at)).flatten();
        match runs.last_mut().filter(|_| joins && end > 0) {
            Some(run) => {
                run.groups.push((start, stop, digits));
                run.plus.push(plus);
            }
            None => runs.push(Run { groups: vec![(start, stop, digits)], plus: vec![plus] }),
        }
        end = stop;
    }
    runs
}

/// The longest numbers of a form in a run, from left to right. The form is asked with the lengths of the groups, all
/// digits, and whether there is a plus.
fn numbers(run: &Run, is_number: fn(&[usize], &[u8], bool) -> bool) -> Vec<(usize, usize)> {
    /// No number has more groups, or it is a list of numbers.
    const MOST: usize = 6;
    let mut spans = Vec::new();
    let mut first = 0;
    while first < run.groups.len() {
        let most = MOST.min(run.groups.len() - first);
        let fits = |count: &usize| {
            let groups = &run.groups[first..first + count];
            let lengths: Vec<usize> = groups.iter().map(|(_, _, digits)| digits.len()).collect();
            let digits: Vec<u8> = groups.iter().flat_map(|(_, _, digits)| digits).copied().collect();
            is_number(&lengths, &digits, run.plus[first].is_some())
        };
        match (1..=most).rev().find(fits) {
            Some(count) => {
                let (start, _, _) = run.groups[first];
                let (_, end, _) = run.groups[first + count - 1];
                spans.push((run.plus[first].unwrap_or(start), end));
                first += count;
            }
            None => first += 1,
        }
    }
    spans
}

fn is_phone(lengths: &[usize], digits: &[u8], plus: bool) -> bool {
    if plus {
        return (8..=15).contains(&digits.len());
    }
    // The prefix may be a group of its own; the others are of three at least, or marks in a row would be a number.
    let prefixed: &[&[u8]] = &[&[], &[0], &[9, 1], &[0, 9, 1], &[0, 0, 9, 1]];
    let mobile = prefixed.iter().any(|prefix| {
        let own = digits.strip_prefix(*prefix).is_some_and(|rest| rest.len() == 10 && rest[0] >= 6);
        let groups = if lengths.first() == Some(&prefix.len()) { &lengths[1..] } else { lengths };
        own && groups.len() <= 4 && groups.iter().all(|length| *length >= 3)
    });
    let landline =
        digits.len() == 11 && digits[0] == 0 && lengths.len() <= 3 && lengths.iter().all(|length| *length >= 3);
    mobile || landline
}

fn is_aadhaar(lengths: &[usize], digits: &[u8], plus: bool) -> bool {
    !plus && digits.len() == 12 && digits[0] >= 2 && (lengths == [12] || lengths == [4, 4, 4])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(detector: Detector, text: &str) -> Vec<&str> {
        detector.spans(text).into_iter().map(|(start, end)| &text[start..end]).collect()
    }

    #[test]
    fn emails_and_handles() {
        let text = "a.b+c@ex-ample.co.in, <x@y.org>. pay given@okbank! at @home, a@b, आशा@उदाहरण.भारत।";
        let emails = ["a.b+c@ex-ample.co.in", "x@y.org", "given@okbank", "आशा@उदाहरण.भारत"];
        assert_eq!(found(Detector::Email, text), emails);
    }

    #[test]
    fn phone_numbers_of_india_and_of_the_world() {
        for number in [
            "9876543210",
            "98765 43210",
            "98765-43210",
            "987 654 3210",
            "09876543210",
            "0 98765 43210",
            "919876543210",
            "91 98765 43210",
            "+919876543210",
            "+91-98765-43210",
            "+91 (98765) 43210",
            "0091 98765 43210",
            "०९८७६५४३२१०",
            "९८७६५ ४३२१०",
            "080-2345 6789",
            "+1 (415) 555-2671",
            "+442071838750",
            "+49 30 1234567",
        ] {
            let text = format!("call {number}, or not");
            assert_eq!(found(Detector::Phone, &text), [number], "{text}");
        }
    }

    #[test]
    fn what_is_no_phone_number() {
        for text in [
            "marks 85 90 78 88 92",
            "1234567890",
            "2026-11-21 19:30",
            "salary 12,50,000",
            "98765",
            "5876543210",
            "98765432101234",
            "+91",
            "class 10, 12",
        ] {
            assert_eq!(found(Detector::Phone, text), Vec::<&str>::new(), "{text}");
        }
        assert_eq!(found(Detector::Phone, "roll 12 9876543210 7 98765 43210"), ["9876543210", "98765 43210"]);
    }

    #[test]
    fn numbers_of_documents() {
        assert_eq!(found(Detector::Aadhaar, "2345 6789 0123 and 234567890123"), ["2345 6789 0123", "234567890123"]);
        assert_eq!(found(Detector::Aadhaar, "1345 6789 0123, 23456 7890123, 2345678901234"), Vec::<&str>::new());
        assert_eq!(found(Detector::Pan, "ABCDE1234F, abcde1234f xABCDE1234F ABCDE12345"), ["ABCDE1234F", "abcde1234f"]);
    }

    #[test]
    fn addresses_in_the_web() {
        let text = "see HTTPS://a.example/x?y=1, (www.b.example). http:// and xhttp://c";
        assert_eq!(found(Detector::Url, text), ["HTTPS://a.example/x?y=1", "www.b.example"]);
    }
}
