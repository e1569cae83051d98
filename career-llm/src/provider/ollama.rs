//! Ollama.

use super::{Auth, Provider, ProviderBuilder, Vendor};
use crate::Result;
use crate::wire::ollama::Chat;

/// The variable that Ollama itself reads.
const HOST: &str = "OLLAMA_HOST";

/// The port that Ollama listens on.
const PORT: u16 = 11_434;

/// A server on this machine, and what its variables are called. It asks for no key; one that is given goes along.
pub const OLLAMA: Vendor = Vendor {
    name: "ollama",
    base_url: "http://localhost:11434",
    key_env: &["OLLAMA_API_KEY"],
    base_url_env: &[HOST],
    model_env: &["OLLAMA_MODEL"],
    auth: Auth::Bearer,
    key_optional: true,
};

/// A model that an Ollama server runs.
///
/// ```no_run
/// use career_llm::provider::Ollama;
///
/// # fn main() -> career_llm::Result<()> {
/// let model = Ollama::builder().model("llama3.2").build()?;
/// let elsewhere = Ollama::builder().base_url("http://10.0.0.7:11434").model("llama3.2").build()?;
/// # Ok(())
/// # }
/// ```
///
/// The window of tokens is set with each call by the size of the request; to hold it, put a wire of your own under:
///
/// ```no_run
/// use career_llm::provider::{OLLAMA, Provider};
/// use career_llm::wire::ollama::Chat;
///
/// # fn main() -> career_llm::Result<()> {
/// let model = Provider::over(Chat::new().with_context(16_384), &OLLAMA).model("llama3.2").build()?;
/// # Ok(())
/// # }
/// ```
pub type Ollama = Provider<Chat>;

impl Ollama {
    /// Nothing set yet but this machine's address.
    pub fn builder() -> ProviderBuilder<Chat> {
        Provider::over(Chat::new(), &OLLAMA)
    }

    /// A model by the environment: `OLLAMA_HOST` as Ollama itself reads it, with or without scheme and port;
    /// `OLLAMA_MODEL`; `OLLAMA_API_KEY` where the server asks for one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) that names the variable which is missing or wrong.
    pub fn from_env() -> Result<Self> {
        let builder = Ollama::builder();
        let builder = match std::env::var(HOST) {
            Ok(host) if !host.trim().is_empty() => builder.base_url(address(&host)),
            _ => builder,
        };
        builder.from_env().build()
    }
}

/// The address that a value such as `0.0.0.0` or `gpu-box:8080` stands for.
fn address(host: &str) -> String {
    let host = host.trim().trim_end_matches('/');
    if host.contains("://") {
        return host.to_owned();
    }
    // What a server listens on when it listens everywhere is no address to call.
    let host = match host.strip_prefix("0.0.0.0") {
        Some(rest) => format!("127.0.0.1{rest}"),
        None => host.strip_prefix(':').map_or_else(|| host.to_owned(), |port| format!("127.0.0.1:{port}")),
    };
    let (authority, path) = match host.split_once('/') {
        Some((authority, path)) => (authority, format!("/{path}")),
        None => (host.as_str(), String::new()),
    };
    // The colons of an address of version 6 stand within brackets.
    let port = authority.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
    if port { format!("http://{authority}{path}") } else { format!("http://{authority}:{PORT}{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_as_ollama_reads_it() {
        let read = [
            ("localhost", "http://localhost:11434"),
            ("0.0.0.0", "http://127.0.0.1:11434"),
            ("0.0.0.0:8080", "http://127.0.0.1:8080"),
            (":8080", "http://127.0.0.1:8080"),
            ("gpu-box:80/", "http://gpu-box:80"),
            ("gpu-box/llm", "http://gpu-box:11434/llm"),
            ("[::1]", "http://[::1]:11434"),
            ("[::1]:99", "http://[::1]:99"),
            ("https://llm.example.com/", "https://llm.example.com"),
        ];
        for (host, url) in read {
            assert_eq!(address(host), url, "{host}");
        }
    }
}
