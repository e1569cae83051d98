//! Which families of models take what.

use std::sync::LazyLock;

use super::super::families::Families;
use crate::Effort;

static FAMILIES: LazyLock<Families> = LazyLock::new(|| Families::read(include_str!("families.txt")));

/// What a model takes, as far as it is known. What is not known is sent, and the provider may refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Takes {
    /// Temperature and top_p.
    pub(crate) sampling: bool,
    /// Whether it thinks, and then takes an effort; `None` when that is not known.
    pub(crate) thinks: Option<bool>,
    /// The word for its least effort.
    least: Option<&'static str>,
}

/// What a model of this name takes. A gateway's prefix, such as `openai/`, does not count.
pub(crate) fn takes(model: &str) -> Takes {
    let name = model.rsplit('/').next().unwrap_or(model);
    match *FAMILIES.of(name) {
        [sampling, "-"] => Takes { sampling: sampling == "yes", thinks: Some(false), least: None },
        [sampling, least] => Takes { sampling: sampling == "yes", thinks: Some(true), least: Some(least) },
        _ => Takes { sampling: true, thinks: None, least: None },
    }
}

impl Takes {
    /// The word for an effort; the least one is `minimal` or `low` where the family is not known.
    pub(crate) fn effort(&self, effort: Effort, minimal: bool) -> Option<&'static str> {
        let word = match effort {
            // The one that has but one effort.
            _ if self.least == Some("high") => "high",
            Effort::Minimal => self.least.unwrap_or(if minimal { "minimal" } else { "low" }),
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
        };
        (self.thinks != Some(false)).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_family_counts_and_an_unknown_model_is_sent_everything() {
        let takes = |model| {
            let takes = takes(model);
            (takes.sampling, takes.thinks)
        };
        assert_eq!(takes("gpt-5-mini"), (false, Some(true)));
        assert_eq!(takes("gpt-5-chat-latest"), (true, Some(false)));
        assert_eq!(takes("openai/o3"), (false, Some(true)));
        assert_eq!(takes("gpt-4.1"), (true, Some(false)));
        assert_eq!(takes("llama-3.3-70b"), (true, None));
    }

    #[test]
    fn the_least_effort_has_another_word_in_each_family() {
        let words =
            |model| [Effort::Minimal, Effort::Low, Effort::High].map(|effort| takes(model).effort(effort, false));
        assert_eq!(words("gpt-5-nano"), [Some("minimal"), Some("low"), Some("high")]);
        assert_eq!(words("gpt-5.6-luna"), [Some("none"), Some("low"), Some("high")]);
        assert_eq!(words("gpt-6.1-sol"), [Some("low"), Some("low"), Some("high")]);
        assert_eq!(words("gpt-5-pro"), [Some("high"); 3]);
        assert_eq!(words("gpt-4.1"), [None; 3]);
        assert_eq!(words("unheard-of"), [Some("low"), Some("low"), Some("high")]);
        assert_eq!(takes("unheard-of").effort(Effort::Minimal, true), Some("minimal"));
    }
}
