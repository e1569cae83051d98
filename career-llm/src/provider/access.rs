//! What it takes to reach a provider, whatever is asked of it.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Auth, Vendor};
use crate::transport::{Endpoint, Limits, Timeouts, Transport};
use crate::{Error, ModelId, Result};

/// Gives the value of a variable of the environment, if it is set.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What was said so far of how a provider is reached. `Debug` shows no key.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) vendor: &'static Vendor,
    pub(crate) model: Option<Arc<str>>,
    pub(crate) key: Option<SecretString>,
    pub(crate) base_url: Option<String>,
    pub(crate) headers: Vec<(String, SecretString)>,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    pub(crate) transport: Option<Transport>,
}

impl Access {
    pub(crate) fn new(vendor: &'static Vendor) -> Self {
        Access {
            vendor,
            model: None,
            key: None,
            base_url: None,
            headers: Vec::new(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            transport: None,
        }
    }

    /// Fills what is not set from the vendor's variables.
    pub(crate) fn fill(&mut self, lookup: Lookup<'_>) {
        let first = |names: &[&str]| names.iter().find_map(|name| set(lookup, name));
        if self.key.is_none() {
            self.key = first(self.vendor.key_env).map(SecretString::from);
        }
        if self.base_url.is_none() {
            self.base_url = first(self.vendor.base_url_env).map(|url| self.address(url));
        }
        if self.model.is_none() {
            self.model = first(self.vendor.model_env).map(Arc::from);
        }
    }

    /// Checks all of it once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for what is missing or wrong.
    pub(crate) fn open(self, default_model: Option<&'static str>) -> Result<(Transport, Endpoint)> {
        let vendor = self.vendor;
        let missing = |what: &str, names: &[&str]| {
            let set = if names.is_empty() { String::new() } else { format!(", or set {}", names.join(" or ")) };
            Error::config(format!("{}: give {what}{set}", vendor.name))
        };
        let model = self.model.filter(|model| !model.trim().is_empty()).or_else(|| default_model.map(Arc::from));
        let model = ModelId::new(vendor.name, model.ok_or_else(|| missing("a model", vendor.model_env))?);
        let base_url = self.base_url.as_deref().unwrap_or(vendor.base_url);
        if base_url.is_empty() {
            return Err(missing("a base URL", vendor.base_url_env).with_model(model));
        }
        let mut endpoint = Endpoint::new(model.clone(), base_url)?;
        endpoint.timeouts = self.timeouts;
        endpoint.limits = self.limits;
        match (vendor.auth, &self.key) {
            (Auth::Bearer, Some(key)) => {
                // An empty key would hide behind the word before it.
                let value = match key.expose_secret() {
                    key if key.trim().is_empty() => SecretString::default(),
                    key => format!("Bearer {key}").into(),
                };
                endpoint.header("authorization", &value)?;
            }
            (Auth::Header(name), Some(key)) => endpoint.header(name, key)?,
            (Auth::None, Some(_)) => {
                let message = format!("{}: takes no key; if a proxy before it does, give a header", vendor.name);
                return Err(Error::config(message).with_model(model));
            }
            (Auth::Bearer | Auth::Header(_), None) if !vendor.key_optional => {
                return Err(missing("an API key", vendor.key_env).with_model(model));
            }
            (_, None) => {}
        }
        for (name, value) in &self.headers {
            endpoint.header(name, value)?;
        }
        let transport = match self.transport {
            Some(transport) => transport,
            None => Transport::new(&endpoint.timeouts)?,
        };
        Ok((transport, endpoint))
    }

    /// The address of a server that can do without a key may be told as its host alone (`gpu`, `gpu:8080`), as its own
    /// variables do. What is not told is the vendor's then. A key that is needed never goes to a scheme that was guessed.
    fn address(&self, told: String) -> String {
        let Some((scheme, home)) = self.vendor.base_url.split_once("://") else { return told };
        if !self.vendor.key_optional || told.contains("://") {
            return told;
        }
        let split = |address: &str| -> (String, String) {
            let (authority, path) = address.split_at(address.find('/').unwrap_or(address.len()));
            (authority.to_owned(), path.to_owned())
        };
        let (home, home_path) = split(home);
        let (mut authority, mut path) = split(told.trim().trim_end_matches('/'));
        if path.is_empty() {
            path = home_path;
        }
        // Where a server listens, when it listens everywhere, is no address to call.
        if let Some(rest) = authority.strip_prefix("0.0.0.0") {
            authority = format!("127.0.0.1{rest}");
        } else if authority.starts_with(':') {
            authority = format!("127.0.0.1{authority}");
        }
        // The colons of an address of version 6 stand within brackets.
        let has_port = authority.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
        match home.rsplit_once(':') {
            Some((_, port)) if !has_port => format!("{scheme}://{authority}:{port}{path}"),
            _ => format!("{scheme}://{authority}{path}"),
        }
    }
}

/// What every builder over an [`Access`] can be told besides its model: one place, so that all take the same.
macro_rules! access_setters {
    () => {
        /// The key. Only visible ASCII; it goes into a header that no log shows.
        pub fn api_key(mut self, key: impl Into<secrecy::SecretString>) -> Self {
            self.access.key = Some(key.into());
            self
        }

        /// Another address than the vendor's, such as a proxy's; with or without a slash at the end.
        pub fn base_url(mut self, url: impl Into<String>) -> Self {
            self.access.base_url = Some(url.into());
            self
        }

        /// One more header for each request. It stands in place of one of the same name that would be sent otherwise.
        pub fn header(mut self, name: &str, value: impl Into<secrecy::SecretString>) -> Self {
            self.access.headers.push((name.to_owned(), value.into()));
            self
        }

        /// How long a call may take where. [`Timeouts::whole`](crate::transport::Timeouts) counts for embeddings.
        pub fn timeouts(mut self, timeouts: $crate::transport::Timeouts) -> Self {
            self.access.timeouts = timeouts;
            self
        }

        /// How much is taken.
        pub fn limits(mut self, limits: $crate::transport::Limits) -> Self {
            self.access.limits = limits;
            self
        }

        /// A transport to share; else it makes its own.
        pub fn transport(mut self, transport: $crate::transport::Transport) -> Self {
            self.access.transport = Some(transport);
            self
        }
    };
}

pub(crate) use access_setters;

/// A variable of the environment.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A variable that is set to something, without the spaces and line breaks around it that files of variables leave there.
pub(crate) fn set(lookup: Lookup<'_>, name: &str) -> Option<String> {
    lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("provider", &self.vendor.name)
            .field("model", &self.model)
            .field("key", &self.key.as_ref().map(|_| "set"))
            // It may hold a key until it is checked.
            .field("base_url", &self.base_url.as_ref().map(|_| "set"))
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("timeouts", &self.timeouts)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
