//! A chat in the terminal, over the chain of language models that the environment allows.
//!
//! `cargo run --release --example chat` reads questions line by line; `-- "Which careers use botany?"` asks one. Replies
//! stream as they come. With no key in the environment one line says which variables it looks for, and the exit code
//! is 2. Any server that speaks OpenAI's protocol will do: `OPENAI_BASE_URL=http://localhost:8080/v1`.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::Duration;

use career_llm::{ChatEvent, ChatModel, ChatRequest, ChatResponse, Collector, Message, Result};
use clap::Parser;
use futures_util::StreamExt;

/// Who the model is to be.
const COUNSELLOR: &str = "You are a career counsellor for students and graduates in India. Answer plainly and briefly. \
    Where you are not sure of a figure, a date or a name, say so.";
/// How long a reply may take in all, whatever fails on the way.
const PATIENCE: Duration = Duration::from_secs(120);

/// Chats with the first language model that answers.
#[derive(Debug, Parser)]
struct Arguments {
    /// One question; without it questions are read line by line.
    question: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let model = match career_llm::from_env() {
        Ok(model) => model,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let mut conversation = ChatRequest::new().with_system(COUNSELLOR);
    if let Some(question) = arguments.question {
        return match ask(&model, &mut conversation, question).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(()) => ExitCode::FAILURE,
        };
    }
    eprintln!("Ask; an empty line ends.");
    for line in std::io::stdin().lock().lines() {
        match line {
            Ok(line) if line.trim().is_empty() => break,
            // What went wrong was told; the next question may fare better.
            Ok(line) => drop(ask(&model, &mut conversation, line).await),
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Asks, and keeps question and reply in the conversation if there was one. Tells what went wrong.
async fn ask(model: &dyn ChatModel, conversation: &mut ChatRequest, question: String) -> Result<(), ()> {
    let request = conversation.clone().with(Message::user(question)).within(PATIENCE);
    match stream_to_terminal(model, &request).await {
        Ok(reply) => {
            for attempt in reply.attempts.iter().filter_map(|attempt| attempt.error.as_ref()) {
                eprintln!("({attempt})");
            }
            let tokens = reply.usage.map_or(String::new(), |usage| format!(", {} tokens", usage.total()));
            eprintln!("[{}{tokens}]", reply.model);
            *conversation = request.with(reply.message);
            Ok(())
        }
        Err(error) => {
            eprintln!("\nerror: {error}");
            for attempt in error.attempts() {
                if let Some(cause) = &attempt.error {
                    eprintln!("  after {:.1?}: {cause}", attempt.took);
                    // This is the user's own conversation on the user's own screen; a server would not log it.
                    if let Some(words) = cause.provider_message() {
                        eprintln!("    {words}");
                    }
                }
            }
            Err(())
        }
    }
}

async fn stream_to_terminal(model: &dyn ChatModel, request: &ChatRequest) -> Result<ChatResponse> {
    let mut stream = model.stream(request).await?;
    let mut collector = Collector::new();
    while let Some(event) = stream.next().await {
        let event = event?;
        if let ChatEvent::Text(text) | ChatEvent::Refusal(text) = &event {
            print!("{text}");
            // A terminal that is gone cannot be told that it is.
            drop(std::io::stdout().flush());
        }
        collector.push(event);
    }
    println!();
    collector.finish()
}
