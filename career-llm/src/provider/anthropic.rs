//! Anthropic.

use super::{Auth, Provider, ProviderBuilder, Vendor};
use crate::Result;
use crate::wire::anthropic::Messages;

/// Anthropic's own servers, and what their variables are called.
pub const ANTHROPIC: Vendor = Vendor {
    name: "anthropic",
    base_url: "https://api.anthropic.com",
    key_env: &["ANTHROPIC_API_KEY"],
    base_url_env: &["ANTHROPIC_BASE_URL"],
    model_env: &["ANTHROPIC_MODEL"],
    auth: Auth::Header("x-api-key"),
    key_optional: false,
};

/// A Claude model at Anthropic.
///
/// ```no_run
/// use career_llm::provider::Anthropic;
///
/// # fn main() -> career_llm::Result<()> {
/// let model = Anthropic::from_env()?; // ANTHROPIC_API_KEY; ANTHROPIC_MODEL and ANTHROPIC_BASE_URL where set
/// let other = Anthropic::builder().api_key("...").model("claude-haiku-4-5").build()?;
/// # Ok(())
/// # }
/// ```
pub type Anthropic = Provider<Messages>;

impl Anthropic {
    /// Nothing set yet but where Anthropic is.
    pub fn builder() -> ProviderBuilder<Messages> {
        Provider::over(Messages::new(), &ANTHROPIC)
    }

    /// A model by the environment: `ANTHROPIC_API_KEY`, and `ANTHROPIC_MODEL` and `ANTHROPIC_BASE_URL` where they are
    /// set.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) that names the variable which is missing or wrong.
    pub fn from_env() -> Result<Self> {
        Anthropic::builder().from_env().build()
    }
}
