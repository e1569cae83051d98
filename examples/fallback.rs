//! A chain of three providers over a server that fails on purpose, with every attempt shown.
//!
//! `cargo run --release --example fallback` makes 12 calls while 40 % of the requests fail: throttled, overloaded, hung,
//! cut in the middle, an error inside of a 200. `-- --calls N --failures SHARE --seed S` for others; `--failures 1` shows
//! what is told when nobody answers. Nothing leaves this machine, and no key is needed.

use std::process::ExitCode;
use std::time::Duration;

use career_llm::layer::{BreakerOptions, Fallback};
use career_llm::provider::{Anthropic, GROQ, Gemini, OpenAiCompatible};
use career_llm::testkit::server::FaultServer;
use career_llm::transport::Timeouts;
use career_llm::{Attempt, ChatModelExt, ChatRequest, ErrorKind, Result};
use clap::Parser;

/// Calls a chain of three providers that fail now and then.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many calls to make.
    #[arg(long, default_value_t = 12)]
    calls: usize,
    /// Which share of the requests fails, from 0 to 1.
    #[arg(long, default_value_t = 0.4)]
    failures: f64,
    /// Which of them: the same seed, the same faults.
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !(0.0..=1.0).contains(&arguments.failures) {
        eprintln!("error: --failures: expected 0 to 1");
        return ExitCode::from(2);
    }
    match run(&arguments).await {
        Ok(answered) => {
            println!("{answered} of {} calls were answered", arguments.calls);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<usize> {
    let server = FaultServer::with_failures(arguments.failures, arguments.seed).await?;
    // Shorter than one would choose: a hung request is to be given up while you watch.
    let patience =
        Timeouts::default().with_first_content(Duration::from_millis(300)).with_whole(Duration::from_millis(300));
    let (url, key) = (server.url(), "no key is needed here");
    let chain = Fallback::new()
        .then(Gemini::builder().model("first").base_url(&url).api_key(key).timeouts(patience).build()?)
        .then(OpenAiCompatible::builder(&GROQ).model("second").base_url(&url).api_key(key).timeouts(patience).build()?)
        .then(Anthropic::builder().model("third").base_url(&url).api_key(key).timeouts(patience).build()?)
        .with_breakers(BreakerOptions::default())
        .deadline(Duration::from_secs(2));
    let mut answered = 0;
    for call in 1..=arguments.calls {
        match chain.complete(&ChatRequest::user("Who studies plants?")).await {
            Ok(reply) => {
                answered += 1;
                println!("call {call}: {} says: {}", reply.model, reply.text());
                show(&reply.attempts);
            }
            Err(error) if error.kind() == ErrorKind::NoRoute => {
                println!("call {call}: {error}");
                show(error.attempts());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(answered)
}

fn show(attempts: &[Attempt]) {
    for attempt in attempts {
        if let Some(error) = &attempt.error {
            println!("    before, after {:.0?}: {error}", attempt.took);
        }
    }
}
