//! Tokens of a text by OpenAI's own encodings.

use std::collections::HashSet;

use tiktoken_rs::CoreBPE;
use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

/// An encoding of OpenAI's. It is loaded when it first counts, and stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// GPT-3.5 and GPT-4.
    Cl100k,
    /// GPT-4o and later; GPT-OSS.
    O200k,
}

impl Encoding {
    /// That of a model, where it is known.
    pub(super) fn of(model: &str) -> Option<Encoding> {
        // A provider that serves it puts its maker before its name.
        let name = model.rsplit('/').next().unwrap_or(model);
        match get_tokenizer(name)? {
            Tokenizer::Cl100kBase => Some(Encoding::Cl100k),
            Tokenizer::O200kBase | Tokenizer::O200kHarmony => Some(Encoding::O200k),
            _ => None,
        }
    }

    /// Tokens of a text; `None` for one that the encoding's own pattern gives up on, such as a million spaces.
    pub(super) fn count(self, text: &str) -> Option<u64> {
        // What looks like a special token is text here, as in a request.
        self.encoder().encode(text, &HashSet::new()).ok().map(|(tokens, _)| tokens.len() as u64)
    }

    fn encoder(self) -> &'static CoreBPE {
        match self {
            Encoding::Cl100k => tiktoken_rs::cl100k_base_singleton(),
            Encoding::O200k => tiktoken_rs::o200k_base_singleton(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::estimate::{bound, estimate};
    use super::*;

    const SAMPLES: [(&str, &str); 7] = [
        (
            "English",
            "I finished school with biology and chemistry, and I love spending weekends in the forest identifying \
             plants. My parents would like me to become an engineer, but honestly I can't imagine sitting at a desk \
             all day. Which careers would let me work outdoors, and what should I study over the next three years?",
        ),
        (
            "Hindi",
            "मैंने जीव विज्ञान और रसायन विज्ञान के साथ बारहवीं पास की है। मुझे पौधों के बारे में पढ़ना और जंगल में समय बिताना बहुत पसंद है। \
             मेरे माता-पिता चाहते हैं कि मैं इंजीनियर बनूँ, लेकिन मुझे कार्यालय में बैठना अच्छा नहीं लगता। मुझे क्या करना चाहिए?",
        ),
        (
            "code",
            "fn rank(scores: &BTreeMap<String, f64>) -> Vec<&str> {\n    let mut names: Vec<_> = scores.iter().collect();\n    \
             names.sort_by(|a, b| b.1.total_cmp(a.1).then_with(|| a.0.cmp(b.0)));\n    names.into_iter().map(|(name, _)| \
             name.as_str()).collect()\n}\n",
        ),
        (
            "JSON",
            r#"{"career":"Botanist","fit":4,"skills":[{"name":"plant identification","level":3},{"name":"statistics","level":2}],"salary":{"currency":"INR","from":420000,"to":960000}}"#,
        ),
        ("emoji", "Great job! 🎉🎉 Keep going 💪🏽 and enjoy your studies 📚👩🏾‍🔬✨ see you 👋🏻"),
        ("Tamil", "எனக்கு தாவரங்கள் மிகவும் பிடிக்கும். நான் எந்த வேலைக்கு படிக்க வேண்டும்?"),
        ("Chinese", "我喜欢植物和野外工作,我应该学习什么专业,将来可以从事哪些职业?"),
    ];

    #[test]
    fn text_is_counted_as_the_encodings_do() {
        assert_eq!(Encoding::O200k.count("hello world"), Some(2));
        assert_eq!(Encoding::Cl100k.count("<|endoftext|>").map(|count| count > 1), Some(true), "it is text");
        assert_eq!(Encoding::O200k.count(""), Some(0));
    }

    #[test]
    fn a_model_has_its_encoding_wherever_it_is_served() {
        assert_eq!(Encoding::of("gpt-4o-mini-2024-07-18"), Some(Encoding::O200k));
        assert_eq!(Encoding::of("gpt-4-turbo"), Some(Encoding::Cl100k));
        assert_eq!(Encoding::of("openai/gpt-oss-120b"), Some(Encoding::O200k));
        assert_eq!(Encoding::of("claude-sonnet-5-5"), None);
        assert_eq!(Encoding::of("gpt-99"), None);
    }

    #[test]
    fn an_estimate_is_at_most_a_tenth_below_the_true_count_and_not_far_above() {
        for (what, text) in SAMPLES {
            for encoding in [Encoding::Cl100k, Encoding::O200k] {
                let (guess, truth) = (estimate(text), encoding.count(text).expect("a count"));
                assert!(guess * 10 >= truth * 9, "{what} {encoding:?}: {guess} for {truth}");
                assert!(guess <= truth * 5, "{what} {encoding:?}: {guess} for {truth}");
                assert!(truth <= bound(text), "{what}");
            }
        }
        let english = SAMPLES[0].1;
        assert!(estimate(english) * 2 <= Encoding::O200k.count(english).expect("a count") * 3, "English is near");
    }

    #[test]
    fn a_text_that_the_pattern_gives_up_on_makes_no_panic() {
        assert_eq!(Encoding::O200k.count(&" ".repeat(1_100_000)), None);
        assert_eq!(Encoding::O200k.count(&"a".repeat(800)), Some(100), "eight letters in a token");
    }

    proptest::proptest! {
        /// No text has more tokens than the bound says.
        #[test]
        fn the_bound_holds(text in proptest::prelude::any::<String>()) {
            for encoding in [Encoding::Cl100k, Encoding::O200k] {
                proptest::prop_assert!(encoding.count(&text).is_none_or(|count| count <= bound(&text)));
            }
        }
    }
}
