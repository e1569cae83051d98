//! Models that the environment tells of.

use std::sync::Arc;

use super::access::{Lookup, set, variable};
use super::known::Known;
#[cfg(feature = "openai")]
use super::openai::{LookAlike, OPENAI};
use crate::transport::{Timeouts, Transport};
use crate::{ChatModel, Error, Result};

/// The variable that chooses and orders providers.
const CHAIN: &str = "CAREER_LLM_CHAIN";

/// A server of one's own at OpenAI's variables.
#[cfg(feature = "openai")]
const OWN_SERVER: LookAlike = OPENAI.key_optional();

/// The models that the environment tells of, over one transport, in the order in which to ask them.
///
/// `CAREER_LLM_CHAIN` names them: `gemini,openai:gpt-5-mini,groq`, each a provider, or a provider and its model. Each
/// must have its key then.
///
/// Without it these are asked, as far as their key is set: `openai`, `anthropic`, `gemini`, `xai`, `groq`, `mistral`,
/// `deepseek`, `together`, `openrouter`; then those that need no key, as far as their address is set: `ollama`, `vllm`,
/// `llama.cpp`, `lmstudio`. The model is that of the provider's variable, such as `OPENAI_MODEL`, or its default.
///
/// `OPENAI_BASE_URL` with another host than OpenAI's is a server of one's own: `openai` is asked there over Chat
/// Completions, which all of them speak, and may go without a key.
///
/// # Errors
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config) when none is set, which names the variables; when the chain has an
/// unknown name; when one that is set lacks its model or its key, or they are none.
pub fn models_from_env() -> Result<Vec<Arc<dyn ChatModel>>> {
    models_from(&variable)
}

/// The variables that [`models_from_env`] looks for.
pub fn looked_for() -> Vec<&'static str> {
    let mut names = vec![CHAIN];
    for known in Known::all() {
        names.extend(signs(known));
        #[cfg(feature = "openai")]
        if matches!(known, Known::OpenAi) {
            names.extend(OPENAI.vendor.base_url_env);
        }
    }
    names.dedup();
    names
}

/// What tells that a provider is to be used: its key, or the address of one that needs none.
fn signs(known: Known) -> impl Iterator<Item = &'static str> {
    let vendor = known.access().vendor;
    let names = if vendor.key_optional { vendor.base_url_env } else { vendor.key_env };
    names.iter().copied()
}

/// What is meant by a provider, as far as the environment says.
#[cfg(feature = "openai")]
fn as_told(known: Known, lookup: Lookup<'_>) -> Known {
    let own = |url: String| !is_openai(&url);
    match known {
        Known::OpenAi if OPENAI.vendor.base_url_env.iter().find_map(|name| set(lookup, name)).is_some_and(own) => {
            Known::LookAlike(&OWN_SERVER)
        }
        known => known,
    }
}

/// Whether an address is OpenAI's own, which has hosts of regions too: `eu.api.openai.com`.
#[cfg(feature = "openai")]
fn is_openai(url: &str) -> bool {
    let url = reqwest::Url::parse(url).ok();
    let host = url.as_ref().and_then(reqwest::Url::host_str).unwrap_or_default();
    host == "api.openai.com" || host.ends_with(".api.openai.com")
}

#[cfg(not(feature = "openai"))]
fn as_told(known: Known, _: Lookup<'_>) -> Known {
    known
}

fn models_from(lookup: Lookup<'_>) -> Result<Vec<Arc<dyn ChatModel>>> {
    let chosen = match set(lookup, CHAIN) {
        Some(chain) => chain.split(',').enumerate().map(|(at, item)| link(at, item)).collect::<Result<_>>()?,
        None => {
            let is_told = |known: &Known| signs(*known).any(|name| set(lookup, name).is_some());
            let all = Known::all().into_iter().map(|known| as_told(known, lookup));
            all.filter(is_told).map(|known| (known, None)).collect::<Vec<_>>()
        }
    };
    if chosen.is_empty() {
        let names = looked_for().join(", ");
        return Err(Error::config(format!("no model is set up; set one of these variables: {names}")));
    }
    let transport = Transport::new(&Timeouts::default())?;
    let build = |(known, model): (Known, Option<Arc<str>>)| {
        let known = as_told(known, lookup);
        let mut access = known.access();
        access.model = model;
        access.transport = Some(transport.clone());
        access.fill(lookup);
        known.build(access)
    };
    chosen.into_iter().map(build).collect()
}

/// One link of the chain: a name, or a name and a model, which may have a colon itself.
fn link(at: usize, item: &str) -> Result<(Known, Option<Arc<str>>)> {
    let (name, model) = match item.split_once(':') {
        Some((name, model)) => (name.trim(), Some(Arc::from(model.trim()))),
        None => (item.trim(), None),
    };
    let known =
        Known::named(name).map_err(|error| Error::config(format!("{CHAIN}, link {}: {}", at + 1, error.message())))?;
    Ok((known, model))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn models(variables: &[(&str, &str)]) -> Result<Vec<String>> {
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Ok(models_from(&lookup)?.iter().map(|model| model.id().to_string()).collect())
    }

    #[test]
    fn with_nothing_set_the_error_names_what_was_looked_for() {
        let error = models(&[]).expect_err("nothing is set");
        assert_eq!(error.kind(), ErrorKind::Config);
        let names = looked_for();
        assert!(names.iter().all(|name| error.to_string().contains(name)), "{error}");
        assert_eq!(names[0], "CAREER_LLM_CHAIN");
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{names:?}");
    }

    #[test]
    fn an_unknown_name_in_the_chain_is_told_by_its_place() {
        let error = models(&[("CAREER_LLM_CHAIN", "sk-hunter2")]).expect_err("unknown");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("link 1") && !shown.contains("hunter2"), "{shown}");
    }

    #[cfg(feature = "openai")]
    #[test]
    fn whoever_has_a_key_is_asked_in_the_order_that_is_told() {
        let keys = [
            ("VLLM_BASE_URL", "http://gpu:8000/v1"),
            ("VLLM_MODEL", "tutor"),
            ("GROQ_API_KEY", "k"),
            ("GROQ_MODEL", "llama"),
            ("OPENAI_API_KEY", "k"),
            ("OPENAI_MODEL", "big"),
            ("XAI_API_KEY", ""),
        ];
        assert_eq!(models(&keys).expect("three"), ["openai/big", "groq/llama", "vllm/tutor"]);
        let chain = |chain| models(&[&keys[..], &[("CAREER_LLM_CHAIN", chain)]].concat());
        let expected = ["groq/llama", "openai/small", "vllm/a:b"];
        assert_eq!(chain("groq, openai:small ,vllm:a:b").expect("three"), expected);
        assert!(chain("groq,,openai").expect_err("an empty link").to_string().contains("link 2"));
        let error = chain("groq,xai:m").expect_err("without a key");
        assert!(error.to_string().contains("XAI_API_KEY"), "{error}");
    }

    #[cfg(feature = "openai")]
    #[test]
    fn a_server_of_ones_own_needs_no_key() {
        let at = |url| [("OPENAI_BASE_URL", url), ("OPENAI_MODEL", "tutor")];
        assert_eq!(models(&at("http://localhost:8080/v1")).expect("one"), ["openai/tutor"]);
        assert_eq!(models(&at("https://api.openai.com.proxy.example/v1")).expect("one"), ["openai/tutor"]);
        for own in ["https://api.openai.com/v1", "https://eu.api.openai.com/v1"] {
            let chain = [&at(own)[..], &[("CAREER_LLM_CHAIN", "openai")]].concat();
            let error = models(&chain).expect_err("OpenAI itself needs one");
            assert!(error.to_string().contains("OPENAI_API_KEY"), "{error}");
        }
        let chain = [&at("http://localhost:8080/v1")[..], &[("CAREER_LLM_CHAIN", "openai:other")]].concat();
        assert_eq!(models(&chain).expect("one"), ["openai/other"]);
    }
}
