//! The chain that the environment allows.

use crate::Result;
use crate::layer::{BreakerOptions, Fallback, Retry};
use crate::provider::models_from_env;

/// A chain of every model that the environment has a key or an address for, each asked again once when it was only
/// throttled or overloaded, and left alone for a while when it keeps failing.
///
/// `CAREER_LLM_CHAIN` chooses and orders: `gemini,openai:gpt-5-mini,groq`. Without it the order is that of
/// [`models_from_env`]. For another way to compose them take the models from there.
///
/// # Errors
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config) when there is none, which names the variables that are looked for, or
/// when what is set is wrong.
///
/// ```no_run
/// use career_llm::{ChatModelExt, ChatRequest};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> career_llm::Result<()> {
/// let model = career_llm::from_env()?;
/// println!("{}", model.complete(&ChatRequest::user("Who studies plants?")).await?.text());
/// # Ok(())
/// # }
/// ```
pub fn from_env() -> Result<Fallback> {
    let chain =
        models_from_env()?.into_iter().fold(Fallback::new(), |chain, model| chain.then(Retry::new(model).attempts(2)));
    Ok(chain.with_breakers(BreakerOptions::default()))
}
