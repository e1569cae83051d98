//! The chain that the environment allows.

use crate::layer::{BreakerOptions, Fallback};
use crate::provider::models_from_env;
use crate::{ChatModel, Result};

/// A chain of every model that the environment has a key or an address for. Those that failed for a while are asked once
/// more when all others were asked, and whoever keeps failing is left alone for a while.
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
    Ok(chain(models_from_env()?))
}

fn chain(models: impl IntoIterator<Item = impl ChatModel>) -> Fallback {
    let chain = models.into_iter().fold(Fallback::new(), Fallback::then);
    chain.rounds(2).with_breakers(BreakerOptions::default())
}

#[cfg(all(test, feature = "testkit"))]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;
    use crate::testkit::scripted::{Script, ScriptedModel};
    use crate::{ChatModelExt, ChatRequest, Error, ErrorKind, ModelId};

    fn throttled(name: &str, then: Script) -> ScriptedModel {
        let error = Error::new(ErrorKind::Throttled, "").with_after(Duration::from_secs(5));
        ScriptedModel::new(ModelId::new("test", name)).then(Script::fail(error)).then(then)
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_while_another_can_answer() {
        let (first, began) = (throttled("first", Script::reply("late")), Instant::now());
        let second = ScriptedModel::new(ModelId::new("test", "second")).then(Script::reply("at once"));
        let reply = chain([first, second]).complete(&ChatRequest::user("hi")).await.expect("a reply");
        assert_eq!((reply.text().as_str(), reply.attempts.len()), ("at once", 1));
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn when_nobody_else_is_left_the_wait_that_was_asked_for_is_kept() {
        let (only, began) = (throttled("only", Script::reply("late")), Instant::now());
        let reply = chain([only]).complete(&ChatRequest::user("hi")).await.expect("a reply");
        assert_eq!(reply.text(), "late");
        assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
    }
}
