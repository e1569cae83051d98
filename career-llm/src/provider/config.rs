//! Models that a configuration tells of.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::access::{Lookup, set, variable};
use super::known::Known;
use crate::transport::{Limits, Timeouts, Transport};
use crate::{ChatModel, Error, Result};

/// A model as a configuration tells of it. Neither `Debug` nor serialisation shows the key or a header.
///
/// ```
/// use career_llm::provider::ModelConfig;
///
/// let config: ModelConfig = serde_json::from_str(
///     r#"{
///         "provider": "openai-compatible",
///         "model": "tutor-8b",
///         "base_url": "http://gpu.school.example:8000/v1",
///         "timeouts": { "first_content": "2m", "idle": "45s" }
///     }"#,
/// )?;
/// assert_eq!(config.model.as_deref(), Some("tutor-8b"));
/// assert!(serde_json::from_str::<ModelConfig>(r#"{ "provider": "openai", "modle": "m" }"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelConfig {
    /// `openai`, `anthropic`, `gemini`, `ollama`; a look-alike of OpenAI by its name, such as `groq`; or
    /// `openai-compatible` with a base URL.
    pub provider: String,
    /// Which model; else the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Another address than the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The key; better named by `api_key_env`. Without both the provider's own variables are read.
    #[serde(default, skip_serializing)]
    pub api_key: Option<SecretString>,
    /// The variable of the environment that holds the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// How long a call may take where.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// How much is taken.
    #[serde(default)]
    pub limits: Limits,
    /// More headers, which may be secret as well.
    #[serde(default, skip_serializing)]
    pub headers: BTreeMap<String, SecretString>,
}

impl ModelConfig {
    /// The default model of a provider, with the key of its variables.
    pub fn new(provider: impl Into<String>) -> Self {
        ModelConfig {
            provider: provider.into(),
            model: None,
            base_url: None,
            api_key: None,
            api_key_env: None,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            headers: BTreeMap::new(),
        }
    }

    /// The model.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a provider that is not in this build, which lists those that
    /// are; for a key told twice, or in a variable that is not set; and as for
    /// [`ProviderBuilder::build`](super::ProviderBuilder::build).
    pub fn build(&self) -> Result<Arc<dyn ChatModel>> {
        self.build_with(&variable, None)
    }

    /// The model, over a transport that others use too.
    ///
    /// # Errors
    ///
    /// As for [`build`](ModelConfig::build).
    pub fn build_over(&self, transport: &Transport) -> Result<Arc<dyn ChatModel>> {
        self.build_with(&variable, Some(transport.clone()))
    }

    fn build_with(&self, lookup: Lookup<'_>, transport: Option<Transport>) -> Result<Arc<dyn ChatModel>> {
        let known = Known::named(&self.provider)?;
        let mut access = known.access();
        access.key = match (&self.api_key, &self.api_key_env) {
            (Some(_), Some(_)) => {
                let message = format!("{}: give `api_key` or `api_key_env`, not both", access.vendor.name);
                return Err(Error::config(message));
            }
            (Some(key), None) => Some(key.clone()),
            (None, Some(name)) => {
                let unset = || {
                    let name = shown(name);
                    Error::config(format!("{}: the variable of `api_key_env` is not set: {name}", access.vendor.name))
                };
                Some(set(lookup, name).ok_or_else(unset)?.into())
            }
            (None, None) => access.vendor.key_env.iter().find_map(|name| set(lookup, name)).map(Into::into),
        };
        access.model = self.model.as_deref().map(Arc::from);
        access.base_url.clone_from(&self.base_url);
        access.timeouts = self.timeouts;
        access.limits = self.limits;
        access.headers = self.headers.clone().into_iter().collect();
        access.transport = transport;
        known.build(access)
    }
}

/// A name of a variable, if it looks like one: what is in its place by mistake may be the key itself.
fn shown(variable: &str) -> &str {
    let usual = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if variable.bytes().all(usual) { variable } else { "…" }
}

impl fmt::Debug for ModelConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address that holds a key by mistake is refused when the model is made, not before.
        let base_url = self.base_url.as_deref().map(|url| if url.contains(['@', '?']) { "…" } else { url });
        f.debug_struct("ModelConfig")
            .field("provider", &self.provider)
            .field("model", &self.model)
            .field("base_url", &base_url)
            .field("api_key", &self.api_key.as_ref().map(|_| "set"))
            .field("api_key_env", &self.api_key_env.as_deref().map(shown))
            .field("timeouts", &self.timeouts)
            .field("limits", &self.limits)
            .field("headers", &self.headers.keys())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn config(json: &str) -> ModelConfig {
        serde_json::from_str(json).expect("a configuration")
    }

    fn build(json: &str, variables: &[(&str, &str)]) -> Result<String> {
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        config(json).build_with(&lookup, None).map(|model| model.id().to_string())
    }

    #[test]
    fn no_way_to_write_it_shows_a_key() {
        let config = config(
            r#"{"provider": "openai", "api_key": "hunter2", "base_url": "https://hunter2@a.example",
                "headers": {"x-extra": "hunter2"}}"#,
        );
        let shown = format!("{config:?} {config:#?}");
        assert!(!shown.contains("hunter2") && shown.contains("x-extra"), "{shown}");
        let json = serde_json::to_string(&ModelConfig { base_url: None, ..config }).expect("JSON");
        assert!(!json.contains("hunter2"), "{json}");
    }

    #[cfg(feature = "openai")]
    #[test]
    fn a_key_in_the_place_of_its_variable_is_not_shown() {
        let json = r#"{"provider": "groq", "model": "m", "api_key_env": "gsk_hunter2"}"#;
        let error = build(json, &[]).expect_err("no such variable");
        let shown = format!("{error} {error:?} {:?}", config(json));
        assert!(shown.contains("groq") && shown.contains("`api_key_env`") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn an_unknown_provider_is_told_what_there_is() {
        let error = build(r#"{"provider": "skynet"}"#, &[]).expect_err("unknown");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("this build has: "), "{error}");
    }

    #[cfg(feature = "openai")]
    #[test]
    fn the_key_is_where_the_configuration_says() {
        let own = [("GROQ_API_KEY", "k"), ("MY_KEY", "k"), ("GROQ_MODEL", "not read")];
        assert_eq!(build(r#"{"provider": "groq", "model": "m"}"#, &own).expect("its own variable"), "groq/m");
        let named = r#"{"provider": "groq", "model": "m", "api_key_env": "MY_KEY"}"#;
        assert_eq!(build(named, &own).expect("the variable named"), "groq/m");
        let error = build(named, &own[..1]).expect_err("not set");
        assert!(error.to_string().contains("MY_KEY"), "{error}");
        let error = build(r#"{"provider": "groq", "model": "m"}"#, &[]).expect_err("no key");
        assert!(error.to_string().contains("GROQ_API_KEY"), "{error}");
        let twice = r#"{"provider": "groq", "model": "m", "api_key": "k", "api_key_env": "MY_KEY"}"#;
        assert!(build(twice, &own).expect_err("twice").to_string().contains("not both"));
    }

    #[cfg(feature = "openai")]
    #[test]
    fn a_server_without_a_name_needs_an_address_and_no_key() {
        let error = build(r#"{"provider": "openai-compatible", "model": "m"}"#, &[]).expect_err("no address");
        assert!(error.to_string().contains("give a base URL"), "{error}");
        let told = r#"{"provider": "openai-compatible", "model": "m", "base_url": "http://gpu:8000/v1"}"#;
        assert_eq!(build(told, &[]).expect("all is told"), "openai-compatible/m");
    }
}
