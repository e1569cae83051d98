//! Models with what they cost and hold, from a file.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::cost::{LongRates, Price, Rates};
use crate::{Error, ModelId, Result};

/// What is known of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelInfo {
    /// Who serves it, as in [`ModelId::provider`].
    pub provider: Arc<str>,
    /// Its name without a date; `*` for every model of the provider that has no entry.
    pub id: Arc<str>,
    /// Other names of it.
    pub aliases: Vec<Arc<str>>,
    /// Most tokens of request and reply together.
    pub context: Option<u32>,
    /// Most tokens of a reply.
    pub max_output: Option<u32>,
    /// What it costs.
    pub price: Price,
}

/// Models with what they cost and hold.
///
/// [`ModelTable::builtin`] has what this library knows. A host that has a contract of its own, or newer figures, lays
/// its table over it:
///
/// ```
/// use career_llm::models::ModelTable;
/// use career_llm::{ModelId, Usage};
///
/// let ours = ModelTable::from_json(r#"{"providers": {"openai": {"source": "our contract", "models": [
///     {"id": "gpt-4o", "as_of": "2026-11-01", "input": 2, "output": 8}
/// ]}}}"#)?;
/// let table = ours.over(ModelTable::builtin());
/// let model = table.find(&ModelId::new("openai", "gpt-4o-2024-11-20")).expect("a known model");
/// assert_eq!(model.price.cost(&Usage::new(1_000_000, 0)).to_string(), "$2.00");
/// # Ok::<(), career_llm::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelTable {
    models: Vec<ModelInfo>,
    defaults: BTreeMap<Arc<str>, Arc<str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "about")]
    _about: String,
    providers: BTreeMap<Arc<str>, Provider>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    #[serde(rename = "source")]
    _source: String,
    default: Option<Arc<str>>,
    models: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Arc<str>,
    #[serde(default)]
    aliases: Vec<Arc<str>>,
    as_of: Date,
    context: Option<u32>,
    max_output: Option<u32>,
    input: f64,
    cached: Option<f64>,
    cache_write: Option<f64>,
    output: f64,
    long: Option<LongEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongEntry {
    above: u64,
    input: f64,
    cached: Option<f64>,
    cache_write: Option<f64>,
    output: f64,
}

impl ModelTable {
    /// What this library knows, each entry with its date.
    pub fn builtin() -> &'static ModelTable {
        static BUILTIN: std::sync::LazyLock<ModelTable> = std::sync::LazyLock::new(|| {
            ModelTable::from_json(include_str!("models.json")).expect("the tests read the same file")
        });
        &BUILTIN
    }

    /// Reads a table: for each provider its `source`, perhaps its `default` model, and its `models`. A model has its
    /// `id`, perhaps `aliases`, `context` and `max_output` in tokens, the day `as_of`, and dollars for a million
    /// tokens: `input`, `output`, perhaps `cached` and `cache_write`, and perhaps all four again in `long`, with the
    /// tokens of input `above` which they hold. The file `models.json` of this crate is one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with the entry named, when it is no such table, a price is
    /// below 0 or finer than a millionth of a dollar, a name is twice in it, or a default is not in it.
    pub fn from_json(json: &str) -> Result<ModelTable> {
        let file: File = serde_json::from_str(json).map_err(|error| wrong("models", &error))?;
        let mut table = ModelTable::default();
        for (provider, listed) in file.providers {
            for (at, entry) in listed.models.into_iter().enumerate() {
                let name = entry.get("id").and_then(Value::as_str).unwrap_or("without id");
                let place = format!("{provider}.models[{at}] ({name})");
                let model = Entry::deserialize(Value::Object(entry)).map_err(|error| wrong(&place, &error))?;
                let model = model.into_model(&provider).map_err(|message| wrong(&place, &message))?;
                let twice = |id: &Arc<str>| table.named(&provider, id).is_some();
                if twice(&model.id) || model.aliases.iter().any(twice) {
                    return Err(wrong(&place, &"the name is taken"));
                }
                table.models.push(model);
            }
            if let Some(default) = listed.default {
                if table.named(&provider, &default).is_none() {
                    return Err(wrong(&format!("{provider}.default"), &"no such model in the table"));
                }
                table.defaults.insert(provider, default);
            }
        }
        Ok(table)
    }

    /// This table, and what only the other has.
    #[must_use]
    pub fn over(mut self, other: &ModelTable) -> ModelTable {
        let own: Vec<ModelInfo> = std::mem::take(&mut self.models);
        let hidden = |model: &ModelInfo| own.iter().any(|mine| mine.provider == model.provider && mine.id == model.id);
        let rest: Vec<ModelInfo> = other.models.iter().filter(|model| !hidden(model)).cloned().collect();
        self.models = own.into_iter().chain(rest).collect();
        for (provider, default) in &other.defaults {
            self.defaults.entry(Arc::clone(provider)).or_insert_with(|| Arc::clone(default));
        }
        self
    }

    /// What is known of a model: by its name or an alias; else as the model of the longest name that this one begins
    /// with, when only a version follows (`-2026-03-17`, `-20251001`, `-0309`, `@001`, `-latest`); else as any model of
    /// its provider, where those are alike. A model of another size or price is never taken for its namesake.
    pub fn find(&self, id: &ModelId) -> Option<&ModelInfo> {
        if let Some(model) = self.named(&id.provider, &id.model) {
            return Some(model);
        }
        let dated = self.of(&id.provider).enumerate().flat_map(|(at, model)| {
            let names = std::iter::once(&model.id).chain(&model.aliases);
            names
                .filter(|name| id.model.strip_prefix(&***name).is_some_and(is_version))
                // Of equal names the first counts, as above: it is the host's own.
                .map(move |name| ((name.len(), Reverse(at)), model))
        });
        let longest = dated.max_by_key(|(rank, _)| *rank).map(|(_, model)| model);
        longest.or_else(|| self.of(&id.provider).find(|model| &*model.id == "*"))
    }

    /// The model to take of a provider when nobody chose one.
    pub fn default_for(&self, provider: &str) -> Option<&str> {
        self.defaults.get(provider).map(|id| &**id)
    }

    /// All of them.
    pub fn models(&self) -> impl Iterator<Item = &ModelInfo> {
        self.models.iter()
    }

    fn of(&self, provider: &str) -> impl Iterator<Item = &ModelInfo> {
        self.models.iter().filter(move |model| &*model.provider == provider)
    }

    fn named(&self, provider: &str, id: &str) -> Option<&ModelInfo> {
        self.of(provider).find(|model| &*model.id == id || model.aliases.iter().any(|alias| &**alias == id))
    }
}

impl Entry {
    fn into_model(self, provider: &Arc<str>) -> Result<ModelInfo, String> {
        if self.id.is_empty() {
            return Err("id: expected a name".to_owned());
        }
        let mut price = Price::new(rates(self.input, self.cached, self.cache_write, self.output)?, self.as_of);
        if let Some(long) = self.long {
            let rates = rates(long.input, long.cached, long.cache_write, long.output)?;
            price.long = Some(LongRates { above: long.above, rates });
        }
        Ok(ModelInfo {
            provider: Arc::clone(provider),
            id: self.id,
            aliases: self.aliases,
            context: self.context,
            max_output: self.max_output,
            price,
        })
    }
}

fn rates(input: f64, cached: Option<f64>, cache_write: Option<f64>, output: f64) -> Result<Rates, String> {
    let input = micro(input)?;
    Ok(Rates {
        input,
        cached: cached.map_or(Ok(input), micro)?,
        cache_write: cache_write.map_or(Ok(input), micro)?,
        output: micro(output)?,
    })
}

/// Dollars as millionths. A million dollars for a million tokens is beyond any price, and exact in a double.
fn micro(dollars: f64) -> Result<u64, String> {
    let micro = (dollars * 1e6).round();
    if !(0.0..=1e12).contains(&micro) || (micro - dollars * 1e6).abs() > 1e-3 {
        return Err("expected dollars for a million tokens, from 0, with at most 6 decimals".to_owned());
    }
    Ok(micro as u64)
}

fn is_version(rest: &str) -> bool {
    let Some(version) = rest.strip_prefix(['-', '@']) else { return false };
    let digits = version.bytes().filter(u8::is_ascii_digit).count();
    version == "latest" || (digits >= 3 && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
}

fn wrong(place: &str, problem: &dyn std::fmt::Display) -> Error {
    Error::config(format!("table of models: {place}: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn found(provider: &str, model: &str) -> Option<&'static str> {
        ModelTable::builtin().find(&ModelId::new(provider, model)).map(|model| &*model.id)
    }

    #[test]
    fn the_table_of_this_crate_is_whole() {
        let table = ModelTable::builtin();
        for provider in ["openai", "anthropic", "gemini", "xai", "groq", "mistral", "deepseek"] {
            let default = table.default_for(provider).expect(provider);
            let model = table.find(&ModelId::new(provider, default)).expect(provider);
            assert!(model.context.is_some() && model.price.rates.output > model.price.rates.input, "{provider}");
        }
        for model in table.models() {
            let rates = model.price.rates;
            assert!(rates.cached <= rates.input && rates.cache_write >= rates.input, "{}", model.id);
            assert!(model.price.long.is_none_or(|long| long.rates.input >= rates.input), "{}", model.id);
            assert!(model.price.as_of >= jiff::civil::date(2026, 7, 1), "{}", model.id);
        }
    }

    #[test]
    fn a_version_is_its_model_and_another_size_is_not() {
        assert_eq!(found("openai", "gpt-5-mini-2025-08-07"), Some("gpt-5-mini"));
        assert_eq!(found("openai", "gpt-4o-2024-05-13"), Some("gpt-4o-2024-05-13"));
        assert_eq!(found("anthropic", "claude-haiku-4-5-20251001"), Some("claude-haiku-4-5"));
        assert_eq!(found("mistral", "mistral-large-latest"), Some("mistral-large-2512"));
        assert_eq!(found("openai", "gpt-5-pro"), None);
        assert_eq!(found("anthropic", "claude-opus-5-9"), None);
        assert_eq!(found("groq", "gpt-5"), None);
        assert_eq!(found("ollama", "llama3.2:3b"), Some("*"));
    }

    #[test]
    fn a_wrong_entry_is_named() {
        let table = |entry: &str| format!(r#"{{"providers": {{"p": {{"source": "s", "models": [{entry}]}}}}}}"#);
        let entry =
            |more: &str| table(&format!(r#"{{"id": "m", "as_of": "2026-01-01", "input": 1, "output": 1{more}}}"#));
        assert!(ModelTable::from_json(&entry("")).is_ok());
        let good = r#"{"id": "m", "as_of": "2026-01-01", "input": 1, "output": 1}"#;
        for (json, part) in [
            (entry(r#", "cached": -1"#), "p.models[0] (m)"),
            (entry(r#", "cached": 0.0000001"#), "6 decimals"),
            (entry(r#", "price": 1"#), "unknown field"),
            (table(r#"{"id": "m"}"#), "p.models[0] (m): missing field"),
            (table(&format!("{good}, {good}")), "p.models[1] (m): the name is taken"),
            ("{".to_owned(), "models"),
            (r#"{"providers": {"p": {"source": "", "default": "x", "models": []}}}"#.to_owned(), "p.default"),
        ] {
            let error = ModelTable::from_json(&json).expect_err(part);
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.message().contains(part), "{error} has no {part}");
        }
    }

    #[test]
    fn a_table_hides_only_what_it_has_itself() {
        let ours = r#"{"providers": {"openai": {"source": "ours", "default": "gpt-4o", "models": [
            {"id": "gpt-4o", "as_of": "2026-11-01", "context": 1000, "input": 0, "output": 0}]}}}"#;
        let table = ModelTable::from_json(ours).expect("a table").over(ModelTable::builtin());
        let context = |model: &str| table.find(&ModelId::new("openai", model)).and_then(|model| model.context);
        assert_eq!((context("gpt-4o"), context("gpt-4o-mini")), (Some(1000), Some(128_000)));
        assert_eq!((table.default_for("openai"), table.default_for("nobody")), (Some("gpt-4o"), None));
        assert_eq!(table.models().count(), ModelTable::builtin().models().count());
    }

    #[test]
    fn a_name_of_ones_own_hides_the_same_name_with_a_version_too() {
        let ours = r#"{"providers": {"openai": {"source": "ours", "models": [
            {"id": "ours", "aliases": ["gpt-4o-mini"], "as_of": "2026-11-01", "input": 0, "output": 0}]}}}"#;
        let table = ModelTable::from_json(ours).expect("a table").over(ModelTable::builtin());
        for name in ["gpt-4o-mini", "gpt-4o-mini-2024-07-18"] {
            let found = table.find(&ModelId::new("openai", name)).map(|model| &*model.id);
            assert_eq!(found, Some("ours"), "{name}");
        }
    }
}
