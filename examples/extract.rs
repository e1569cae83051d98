//! A typed answer from any language model: facts about a student out of what she wrote.
//!
//! `cargo run --release --example extract` asks the chain that the environment allows. Without a key it runs against a
//! scripted model, whose first answer breaks the schema and is repaired, so that you see what happens then; the output
//! says which of the two it was.

use std::process::ExitCode;
use std::time::Duration;

use career_llm::extract::ExtractExt;
use career_llm::testkit::scripted::{Script, ScriptedModel};
use career_llm::{ChatModel, ChatRequest, ModelId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is to be found.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Facts {
    /// The class that the student is in, from 1 to 12.
    #[schemars(range(min = 1, max = 12))]
    class: Option<u8>,
    /// Subjects that the student likes.
    likes: Vec<String>,
    /// Subjects that the student finds hard.
    finds_hard: Vec<String>,
    /// What the student wants to know, in one sentence.
    question: String,
}

const MESSAGE: &str = "I am in class 11 with biology. I love botany and drawing, physics is hard for me. \
    Can I work with plants without becoming a doctor?";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let model: Box<dyn ChatModel> = match career_llm::from_env() {
        Ok(chain) => Box::new(chain),
        Err(error) => {
            eprintln!("{error}");
            eprintln!("so a scripted model answers:");
            Box::new(scripted())
        }
    };
    let request = ChatRequest::user(MESSAGE)
        .with_system("Find the facts in what a student writes. Leave out what is not said.")
        .within(Duration::from_secs(60));
    let found = model.extract::<Facts>(&request).await?;
    println!("{}", serde_json::to_string_pretty(&found.value).expect("it came from JSON"));
    println!("{:?}, {} repair(s), by {}", found.provenance, found.repairs, found.response.model);
    Ok(())
}

/// Answers as a weak model would: first with a class that does not exist, then, when told, rightly.
fn scripted() -> ScriptedModel {
    let answer = |class: u8| {
        serde_json::json!({
            "class": class, "likes": ["botany", "drawing"], "finds_hard": ["physics"],
            "question": "Which careers with plants need no medical degree?"
        })
        .to_string()
    };
    ScriptedModel::new(ModelId::new("scripted", "weak"))
        .then(Script::reply(answer(111)))
        .then(Script::reply(answer(11)))
}
