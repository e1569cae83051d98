//! Tokens of a text, guessed from its letters.

/// How many tokens a text most likely has, rather too many than too few, whatever the tokenizer.
///
/// What tokenizers made for many languages have in common: a common word of Latin letters is one token and a rarer one
/// a token for about four letters; the space before a word is part of it; digits and signs are mostly alone; a letter of
/// another script is a token in the worse of them, and an emoji three.
pub(super) fn estimate(text: &str) -> u64 {
    // In halves of a token.
    let mut halves = 0_u64;
    let mut letters = 0_u64;
    let mut spaces = 0_u64;
    for c in text.chars() {
        if c.is_ascii_alphabetic() {
            letters += 1;
            spaces = 0;
            // The first, the fifth, the ninth letter of a word.
            halves += if letters % 4 == 1 { 2 } else { 0 };
            continue;
        }
        letters = 0;
        if c == ' ' {
            // The first goes with the word; more of them are a token for some.
            halves += if spaces % 8 == 1 { 2 } else { 0 };
            spaces += 1;
            continue;
        }
        spaces = 0;
        halves += match c {
            '\0'..='\u{7f}' => 2,
            // Latin with accents, Greek, Cyrillic, Armenian, Hebrew, Arabic.
            '\u{80}'..='\u{7ff}' => 2,
            // Scripts of India, Thailand and their neighbours; signs.
            '\u{800}'..='\u{2dff}' => 3,
            // Chinese, Japanese, Korean.
            '\u{2e80}'..='\u{ffff}' => 4,
            // Emoji and rare letters.
            _ => 6,
        };
    }
    halves.div_ceil(2)
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
        assert_eq!(estimate("{\"a\": 1}"), 7);
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
