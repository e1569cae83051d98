//! Google's Gemini.

use super::{Auth, Provider, ProviderBuilder, Vendor};
use crate::Result;
use crate::wire::gemini::GenerateContent;

/// The Gemini API, and what its variables are called.
pub const GEMINI: Vendor = Vendor {
    name: "gemini",
    base_url: "https://generativelanguage.googleapis.com/v1beta",
    key_env: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    base_url_env: &["GEMINI_BASE_URL"],
    model_env: &["GEMINI_MODEL"],
    auth: Auth::Header("x-goog-api-key"),
    key_optional: false,
};

/// A Gemini model.
///
/// ```no_run
/// use career_llm::provider::Gemini;
///
/// # fn main() -> career_llm::Result<()> {
/// let model = Gemini::from_env()?; // GEMINI_API_KEY, else GOOGLE_API_KEY
/// let other = Gemini::builder().api_key("...").model("gemini-2.5-flash").build()?;
/// # Ok(())
/// # }
/// ```
pub type Gemini = Provider<GenerateContent>;

impl Gemini {
    /// Nothing set yet but where Gemini is.
    pub fn builder() -> ProviderBuilder<GenerateContent> {
        Provider::over(GenerateContent::new(), &GEMINI)
    }

    /// A model by the environment: `GEMINI_API_KEY`, else `GOOGLE_API_KEY`; `GEMINI_MODEL` and `GEMINI_BASE_URL` where
    /// they are set.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) that names the variable which is missing or wrong.
    pub fn from_env() -> Result<Self> {
        Gemini::builder().from_env().build()
    }
}
