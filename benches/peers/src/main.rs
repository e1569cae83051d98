//! What one call and one streamed reply of 400 tokens cost the client, library by library, against one server.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml [ROUNDS]`
//!
//! The server and every client are processes of their own, so that only the client's CPU time is counted. The clients
//! take turns, round by round, and medians of the rounds are shown. CPU time is read from `/proc`, so this needs
//! Linux.

mod clients;
mod cpu;
#[path = "../../llm/replies.rs"]
mod replies;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Streamed calls of one client in one round, after a tenth as many to warm up.
const STREAMED: usize = 500;
/// Calls that are not streamed, which are over so soon that fewer would measure little.
const WHOLE: usize = 5_000;
/// Rounds unless said.
const ROUNDS: usize = 7;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    match words[..] {
        ["server"] => runtime()?.block_on(async {
            println!("{}", replies::serve().await.port());
            // Until it is killed.
            std::future::pending().await
        }),
        ["client", library, mode, port] => {
            let cost = runtime()?.block_on(clients::measure(
                library,
                mode,
                port.parse()?,
                if mode == "chat" { WHOLE } else { STREAMED },
            ))?;
            println!("{cost}");
            Ok(())
        }
        [] => compare(ROUNDS),
        [rounds] => compare(rounds.parse::<usize>()?.max(1)),
        _ => Err("expected at most a number of rounds".into()),
    }
}

/// A process of this program that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn compare(rounds: usize) -> Result<(), Failure> {
    let program = std::env::current_exe()?;
    let mut server = Running(Command::new(&program).arg("server").stdout(Stdio::piped()).spawn()?);
    let mut port = String::new();
    BufReader::new(server.0.stdout.take().ok_or("the server says nothing")?).read_line(&mut port)?;
    for (mode, unit, divisor) in [("stream", "µs of CPU a token", replies::TOKENS), ("chat", "µs of CPU a call", 1)] {
        let mut costs = vec![Vec::new(); clients::LIBRARIES.len()];
        for _ in 0..rounds {
            for (library, costs) in clients::LIBRARIES.iter().zip(&mut costs) {
                let output = Command::new(&program)
                    .args(["client", library, mode, port.trim()])
                    .env("OPENAI_API_KEY", "k")
                    .env("OPENAI_BASE_URL", format!("http://127.0.0.1:{}/v1", port.trim()))
                    .output()?;
                if !output.status.success() {
                    return Err(format!("{library}: {}", String::from_utf8_lossy(&output.stderr)).into());
                }
                costs.push(String::from_utf8(output.stdout)?.trim().parse::<f64>()? / divisor as f64);
            }
        }
        // What the machine does besides differs from round to round: only costs of one round are compared.
        let beside = |round: usize| match mode {
            "chat" => costs[1][round],
            _ => {
                let peers = clients::LIBRARIES.iter().zip(&costs).filter(|(library, _)| clients::is_peer(library));
                peers.map(|(_, costs)| costs[round]).fold(f64::INFINITY, f64::min)
            }
        };
        let reference = if mode == "chat" { clients::LIBRARIES[1] } else { "the fastest of the libraries" };
        println!("{mode}: {unit}, medians of {rounds} rounds");
        for (library, costs) in clients::LIBRARIES.iter().zip(&costs) {
            let ratios = costs.iter().enumerate().map(|(round, cost)| cost / beside(round)).collect();
            println!("  {library:24} {:9.3}   {:.2} of {reference}", median(costs.clone()), median(ratios));
        }
    }
    Ok(())
}

fn median(mut costs: Vec<f64>) -> f64 {
    costs.sort_by(f64::total_cmp);
    costs[costs.len() / 2]
}
