//! The premade providers by name.

use std::sync::Arc;

#[cfg(feature = "openai")]
use super::openai::{self, LookAlike};
use super::{Access, ProviderBuilder};
use crate::wire::Wire;
use crate::{ChatModel, Error, Result};

/// A server that looks like OpenAI and has no name here: its address must be told.
#[cfg(feature = "openai")]
const COMPATIBLE: LookAlike = LookAlike::new("openai-compatible", "").key_optional();

/// Every name, and the feature that brings it.
const NAMES: [(&str, &str); 14] = [
    ("openai", "openai"),
    ("anthropic", "anthropic"),
    ("gemini", "gemini"),
    ("xai", "openai"),
    ("groq", "openai"),
    ("mistral", "openai"),
    ("deepseek", "openai"),
    ("together", "openai"),
    ("openrouter", "openai"),
    ("ollama", "ollama"),
    ("vllm", "openai"),
    ("llama.cpp", "openai"),
    ("lmstudio", "openai"),
    ("openai-compatible", "openai"),
];

/// A premade provider.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    #[cfg(feature = "openai")]
    OpenAi,
    #[cfg(feature = "openai")]
    LookAlike(&'static LookAlike),
    #[cfg(feature = "anthropic")]
    Anthropic,
    #[cfg(feature = "gemini")]
    Gemini,
    #[cfg(feature = "ollama")]
    Ollama,
}

impl Known {
    /// All of this build, in the order in which they are asked unless the host says another: first what is hosted, then
    /// what is handed on, then what runs here.
    pub(super) fn all() -> Vec<Known> {
        vec![
            #[cfg(feature = "openai")]
            Known::OpenAi,
            #[cfg(feature = "anthropic")]
            Known::Anthropic,
            #[cfg(feature = "gemini")]
            Known::Gemini,
            #[cfg(feature = "openai")]
            Known::LookAlike(&openai::XAI),
            #[cfg(feature = "openai")]
            Known::LookAlike(&openai::GROQ),
            #[cfg(feature = "openai")]
            Known::LookAlike(&openai::MISTRAL),
            #[cfg(feature = "openai")]
            Known::LookAlike(&openai::DEEPSEEK),
            #[cfg(feature = "openai")]
            Known::LookAlike(&openai::TOGETHER),
            #[cfg(feature = "openai")]
            Known::LookAlike(&openai::OPENROUTER),
            #[cfg(feature = "ollama")]
            Known::Ollama,
            #[cfg(feature = "openai")]
            Known::LookAlike(&openai::VLLM),
            #[cfg(feature = "openai")]
            Known::LookAlike(&openai::LLAMA_CPP),
            #[cfg(feature = "openai")]
            Known::LookAlike(&openai::LM_STUDIO),
            #[cfg(feature = "openai")]
            Known::LookAlike(&COMPATIBLE),
        ]
    }

    /// The one of this name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) that lists what there is, or tells the feature that is off. What was
    /// asked for is not shown unless it is a name: it may be a key in the wrong place.
    pub(super) fn named(name: &str) -> Result<Known> {
        let all = Known::all();
        if let Some(known) = all.iter().find(|known| known.access().vendor.name == name) {
            return Ok(*known);
        }
        let there: Vec<_> = all.iter().map(|known| known.access().vendor.name).collect();
        let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
        Err(Error::config(match NAMES.iter().find(|(known, _)| *known == name) {
            Some((name, feature)) => {
                format!("the provider {name} needs the feature `{feature}`; this build has: {there}")
            }
            None => format!("no provider of this name; this build has: {there}"),
        }))
    }

    /// What it takes to reach it, with nothing said yet.
    pub(super) fn access(self) -> Access {
        match self {
            #[cfg(feature = "openai")]
            Known::OpenAi => openai::OpenAi::builder().access,
            #[cfg(feature = "openai")]
            Known::LookAlike(like) => openai::OpenAiCompatible::builder(like).access,
            #[cfg(feature = "anthropic")]
            Known::Anthropic => super::anthropic::Anthropic::builder().access,
            #[cfg(feature = "gemini")]
            Known::Gemini => super::gemini::Gemini::builder().access,
            #[cfg(feature = "ollama")]
            Known::Ollama => super::ollama::Ollama::builder().access,
        }
    }

    /// A model of it.
    ///
    /// # Errors
    ///
    /// As for [`ProviderBuilder::build`].
    pub(super) fn build(self, access: Access) -> Result<Arc<dyn ChatModel>> {
        match self {
            #[cfg(feature = "openai")]
            Known::OpenAi => model(openai::OpenAi::builder(), access),
            #[cfg(feature = "openai")]
            Known::LookAlike(like) => model(openai::OpenAiCompatible::builder(like), access),
            #[cfg(feature = "anthropic")]
            Known::Anthropic => model(super::anthropic::Anthropic::builder(), access),
            #[cfg(feature = "gemini")]
            Known::Gemini => model(super::gemini::Gemini::builder(), access),
            #[cfg(feature = "ollama")]
            Known::Ollama => model(super::ollama::Ollama::builder(), access),
        }
    }
}

fn model<W: Wire>(builder: ProviderBuilder<W>, access: Access) -> Result<Arc<dyn ChatModel>> {
    Ok(Arc::new(ProviderBuilder { access, ..builder }.build()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn every_provider_is_found_by_its_name() {
        for known in Known::all() {
            let name = known.access().vendor.name;
            let found = Known::named(name).expect("it is there");
            assert_eq!(found.access().vendor.name, name);
            assert!(NAMES.iter().any(|(there, _)| *there == name), "{name} is in no list");
        }
        let features = [
            ("openai", cfg!(feature = "openai")),
            ("anthropic", cfg!(feature = "anthropic")),
            ("gemini", cfg!(feature = "gemini")),
            ("ollama", cfg!(feature = "ollama")),
        ];
        let on = |feature: &str| features.contains(&(feature, true));
        for (name, feature) in NAMES {
            match Known::named(name) {
                Ok(_) => assert!(on(feature), "{name}"),
                Err(error) => assert!(!on(feature) && error.to_string().contains(feature), "{error}"),
            }
        }
    }

    #[test]
    fn what_is_no_name_is_not_shown() {
        let error = Known::named("sk-hunter2").expect_err("no name");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn what_runs_on_ones_own_machine_costs_nothing() {
        for known in Known::all() {
            let vendor = known.access().vendor;
            if vendor.base_url.contains("://localhost") {
                let price = crate::models::price(&crate::ModelId::new(vendor.name, "any")).expect(vendor.name);
                let cost = price.cost(&crate::Usage::new(1_000_000, 1_000_000));
                assert_eq!(cost, crate::models::Cost::from_nano_usd(0), "{}", vendor.name);
            }
        }
    }
}
