//! Words and parts of words, hashed: no model, no download, the same everywhere.

use async_trait::async_trait;

use super::{Embedder, Purpose, normalise};
use crate::{Error, ModelId, Result, Text};

/// Changes whenever the same text would give another vector.
const VERSION: &str = "words-and-trigrams-2";
/// What a whole word weighs beside all of its trigrams together, which weigh 1.
const WORD: f32 = 0.6;

/// Feature hashing of words and their trigrams (K. Weinberger and others, "Feature Hashing for Large Scale Multitask
/// Learning", 2009): each adds its weight, with a sign from its hash, to the place that its hash names.
///
/// Deterministic on every machine, needs nothing, takes microseconds. Texts are near when they share words or parts of
/// words, which also holds for inflections, compounds and misspellings; it knows no synonyms. A word that comes `n`
/// times counts `1 + ln n`. Case and the order of words are ignored; a word is letters, digits and the marks of Indian
/// scripts.
///
/// ```
/// use career_llm::embed::{Embedder, HashedEmbedder};
///
/// assert_eq!(HashedEmbedder::default().dimensions(), 384);
/// assert!(HashedEmbedder::new(0).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedEmbedder {
    dimensions: usize,
}

impl HashedEmbedder {
    /// The least number of dimensions: with fewer, unrelated words fall together.
    pub const MIN: usize = 16;
    /// The largest number of dimensions.
    pub const MAX: usize = 16_384;

    /// Vectors of so many numbers, from [`MIN`](Self::MIN) to [`MAX`](Self::MAX).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) outside of that range.
    pub fn new(dimensions: usize) -> Result<Self> {
        if !(Self::MIN..=Self::MAX).contains(&dimensions) {
            return Err(Error::invalid(format!("dimensions: expected {} to {}", Self::MIN, Self::MAX)));
        }
        Ok(HashedEmbedder { dimensions })
    }

    /// The vector of a text, at once.
    pub fn vector(&self, text: &str) -> Vec<f32> {
        let mut features: Vec<(u64, f32)> = Vec::new();
        let lower = text.to_lowercase();
        for word in lower.split(|letter| !is_word(letter)).filter(|word| !word.is_empty()) {
            features.push((hash(b'w', word.as_bytes()), WORD));
            // With its ends marked, so that a beginning is not taken for a middle.
            let marked: Vec<char> = std::iter::once('^').chain(word.chars()).chain(['$']).collect();
            let share = 1.0 / (marked.len() as f32 - 2.0).max(1.0).sqrt();
            for trigram in marked.windows(3) {
                let mut bytes = [0_u8; 12];
                for (place, letter) in bytes.chunks_exact_mut(4).zip(trigram) {
                    place.copy_from_slice(&u32::from(*letter).to_le_bytes());
                }
                features.push((hash(b't', &bytes), share));
            }
        }
        if features.is_empty() {
            // Nothing that is a word; still a direction, and the same one for the same text.
            features.push((hash(b'o', text.as_bytes()), 1.0));
        }
        // By weight too, so that the order of the words does not matter, not even for rounding.
        features.sort_unstable_by(|(one, mine), (other, theirs)| one.cmp(other).then(mine.total_cmp(theirs)));
        let mut vector = vec![0.0; self.dimensions];
        for same in features.chunk_by(|a, b| a.0 == b.0) {
            let feature = same[0].0;
            let count = same.len() as f32;
            // A part weighs less in a long word: of those that it comes in, the mean counts.
            let weight = same.iter().map(|(_, weight)| weight).sum::<f32>() / count * (1.0 + count.ln());
            let sign = if feature >> 63 == 0 { 1.0 } else { -1.0 };
            vector[(feature % self.dimensions as u64) as usize] += sign * weight;
        }
        if !normalise(&mut vector) {
            // Everything cancelled out, which takes at least two features in every place that is used.
            vector[(hash(b'o', text.as_bytes()) % self.dimensions as u64) as usize] = 1.0;
        }
        vector
    }
}

impl Default for HashedEmbedder {
    /// 384 dimensions.
    fn default() -> Self {
        HashedEmbedder { dimensions: 384 }
    }
}

#[async_trait]
impl Embedder for HashedEmbedder {
    fn id(&self) -> ModelId {
        ModelId::new("hashed", format!("{VERSION}-{}", self.dimensions))
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    async fn embed(&self, texts: &[Text], _purpose: Purpose) -> Result<Vec<Vec<f32>>> {
        Ok(texts.iter().map(|text| self.vector(text)).collect())
    }
}

/// Letters, digits, and the marks of Indian scripts, of which Unicode calls some no letters (virama, nukta), with the
/// joiners between them.
fn is_word(letter: char) -> bool {
    letter.is_alphanumeric()
        || matches!(letter, '\u{900}'..='\u{963}' | '\u{966}'..='\u{dff}' | '\u{200c}' | '\u{200d}')
}

/// FNV-1a of 64 bits (G. Fowler, L. C. Noll, K.-P. Vo) over a kind and bytes, mixed at the end so that the low bits,
/// which name the place, depend on all (the finaliser of MurmurHash3, A. Appleby).
fn hash(kind: u8, bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in std::iter::once(&kind).chain(bytes) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cosine(a: &str, b: &str) -> f32 {
        let embedder = HashedEmbedder::default();
        embedder.vector(a).iter().zip(embedder.vector(b)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn what_shares_words_or_parts_of_words_is_near() {
        assert!(cosine("software engineer", "Software Engineering") > 0.5);
        assert!(cosine("software engineer", "sofware enginer") > 0.4);
        assert!(cosine("software engineer", "kindergarten teacher") < 0.2);
        assert!(cosine("नर्स की नौकरी", "नर्सिंग की पढ़ाई") > cosine("नर्स की नौकरी", "वकील"));
    }

    #[test]
    fn marks_of_devanagari_do_not_cut_words() {
        let words: Vec<&str> = "क्षेत्र, पढ़ाई।".split(|c| !is_word(c)).filter(|w| !w.is_empty()).collect();
        assert_eq!(words, ["क्षेत्र", "पढ़ाई"]);
    }

    #[test]
    fn the_hash_is_the_one_that_was_published() {
        // FNV-1a of "a" is af63dc4c8601ec8c; the finaliser is tried on it by hand.
        let mut expected = 0xaf63_dc4c_8601_ec8c_u64;
        expected = (expected ^ (expected >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        expected = (expected ^ (expected >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        assert_eq!(hash(b'a', b""), expected ^ (expected >> 33));
    }

    #[test]
    fn a_part_of_two_words_weighs_the_same_in_either_order() {
        let embedder = HashedEmbedder::default();
        assert_eq!(embedder.vector("nursing internationalising"), embedder.vector("internationalising nursing"));
    }

    proptest! {
        #[test]
        fn the_order_of_words_does_not_matter(mut words in proptest::collection::vec("[a-c]{1,7}", 1..8)) {
            let embedder = HashedEmbedder::default();
            let forwards = embedder.vector(&words.join(" "));
            words.reverse();
            prop_assert_eq!(forwards, embedder.vector(&words.join(" ")));
        }

        #[test]
        fn every_text_has_a_direction_that_case_does_not_change(text in ".{0,60}", dimensions in 16_usize..600) {
            let embedder = HashedEmbedder::new(dimensions).expect("in range");
            let vector = embedder.vector(&text);
            let length = vector.iter().map(|x| x * x).sum::<f32>();
            prop_assert!((length - 1.0).abs() < 1e-4, "{length}");
            if text.is_ascii() && text.chars().any(char::is_alphanumeric) {
                prop_assert_eq!(vector, embedder.vector(&text.to_uppercase()));
            }
        }
    }
}
