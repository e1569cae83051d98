//! Tokens of a text, guessed from its letters.

/// How many tokens a text most likely has, rather too many than too few, whatever the tokenizer.
///
/// What tokenizers made for many languages have in common: a common word of Latin letters is one token and a rarer one
/// a token for about four letters; the space before a word is part of it; a digit is alone, and of signs there are two in
/// a token; a letter of another script is more than a token in the worst of them, and an emoji three.
pub(super) fn estimate(text: &str) -> u64 {
    // In quarters of a token.
    let mut quarters = 0_u64;
    let mut run = (Kind::Other, 0_u64);
    for c in text.chars() {
        let kind = match c {
            ' ' => Kind::Space,
            _ if c.is_ascii_alphabetic() => Kind::Letter,
            _ if c.is_ascii_punctuation() => Kind::Sign,
            _ => Kind::Other,
        };
        run = (kind, if kind == run.0 { run.1 + 1 } else { 1 });
        quarters += match (kind, run.1) {
            // The first, the fifth, the ninth letter of a word.
            (Kind::Letter, at) => token_if(at % 4 == 1),
            // The first space goes with the word; more of them are a token for some.
            (Kind::Space, at) => token_if(at % 8 == 2),
            // Signs that stand together are often one token.
            (Kind::Sign, at) => token_if(at % 2 == 1),
            (Kind::Other, _) => quarters_of(c),
        };
    }
    quarters.div_ceil(4)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Space,
    Sign,
    Other,
}

fn token_if(yes: bool) -> u64 {
    if yes { 4 } else { 0 }
}

fn quarters_of(c: char) -> u64 {
    match c {
        // Digits and what is not seen; Latin with accents, Greek, Cyrillic, Hebrew, Arabic.
        '\0'..='\u{7ff}' => 4,
        // Devanagari.
        '\u{900}'..='\u{97f}' => 5,
        // Other scripts of India and its neighbours; signs; Chinese, Japanese, Korean.
        '\u{800}'..='\u{ffff}' => 6,
        // Emoji and rare letters.
        _ => 12,
    }
}

/// More tokens than a text can have: every tokenizer in use covers at least a byte with a token.
pub(super) fn bound(text: &str) -> u64 {
    text.len() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_guessed_for_plain_words() {
        assert_eq!(estimate(""), 0);
        assert_eq!(estimate("the next step"), 3);
        assert_eq!(estimate("counselling"), 3);
        assert_eq!(estimate("2026"), 4);
        assert_eq!(estimate("{\"a\": 1}"), 5);
        assert_eq!(estimate("नमस्ते"), 8);
    }

    proptest! {
        /// The guess is never above what is possible.
        #[test]
        fn a_guess_is_at_most_the_bound(text in any::<String>()) {
            prop_assert!(estimate(&text) <= bound(&text) , "{} > {}", estimate(&text), bound(&text));
        }

        /// More text is never fewer tokens.
        #[test]
        fn a_longer_text_has_no_fewer_tokens(text in any::<String>(), more in any::<String>()) {
            let longer = format!("{text}{more}");
            prop_assert!(estimate(&longer) >= estimate(&text));
        }
    }
}
