//! Ollama.

use super::{Auth, Provider, ProviderBuilder, Vendor};
use crate::Result;
use crate::wire::ollama::Chat;

/// A server on this machine, and what its variables are called. It asks for no key; one that is given goes along.
pub const OLLAMA: Vendor = Vendor {
    name: "ollama",
    base_url: "http://localhost:11434",
    key_env: &["OLLAMA_API_KEY"],
    base_url_env: &["OLLAMA_HOST"],
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
        Ollama::builder().from_env().build()
    }
}
