//! Ranks the built-in catalogue for a student, with the reasons.
//!
//! `cargo run --release --example quickstart` shows a bundled profile; `-- --profile FILE.json --top N --json` ranks
//! any profile and prints JSON. A bad profile is one clear error that names the field, and exit code 2.

use std::path::PathBuf;
use std::process::ExitCode;

use career_core::{Catalog, Constraints, Profile, RankOptions, Ranking, Result, Stress};
use career_examples::{DEFAULT_PROFILE, read_profile, reasons, table};
use career_recommend::{CounterfactualOptions, Engine, GapState};
use clap::Parser;
use serde_json::{Value, json};

/// Ranks careers for a profile and says why.
#[derive(Debug, Parser)]
struct Arguments {
    /// The profile, as JSON; see examples/profiles for some.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// How many careers to show.
    #[arg(long, default_value_t = 10)]
    top: usize,
    /// Prints the ranking as JSON.
    #[arg(long)]
    json: bool,
    /// Leaves out careers that the stream does not lead to.
    #[arg(long)]
    stream_possible: bool,
    /// Leaves out careers with more stress than this: low, medium or high.
    #[arg(long, value_name = "LEVEL")]
    max_stress: Option<Stress>,
    /// Leaves out careers with more years of study after class 12 than this.
    #[arg(long, value_name = "YEARS")]
    max_years: Option<u8>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(output) => {
            print!("{output}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<String> {
    let profile = match &arguments.profile {
        Some(path) => read_profile(path)?,
        None => Profile::from_json(DEFAULT_PROFILE)?,
    };
    // Without a profile of one's own, the bundled one shows what constraints do.
    let shown = arguments.profile.is_none() && !arguments.json;
    let constraints = Constraints::builder()
        .stream_possible(arguments.stream_possible || (shown && profile.stream.is_some()))
        .maybe_max_stress(arguments.max_stress)
        .maybe_max_years_of_study(arguments.max_years.or(shown.then_some(7)))
        .build();
    let options = RankOptions::top(arguments.top).with_constraints(constraints);
    let engine = Engine::compile(Catalog::india().careers())?;
    let ranking = engine.rank(&profile, &options)?;
    if arguments.json { as_json(&profile, &ranking) } else { as_text(&engine, &profile, &options, &ranking) }
}

/// `{"profile", "ranking": [{"career", "title", "score", "confidence", "components", …}], "excluded"}`.
fn as_json(profile: &Profile, ranking: &Ranking) -> Result<String> {
    let value = |part: serde_json::Result<Value>| {
        part.map_err(|e| career_core::Error::invalid("the ranking has a value that JSON cannot hold").with_source(e))
    };
    let document = json!({
        "profile": value(serde_json::to_value(profile))?,
        "ranking": value(serde_json::to_value(&ranking.items))?,
        "excluded": value(serde_json::to_value(&ranking.excluded.listed))?,
    });
    Ok(format!("{document:#}\n"))
}

fn as_text(engine: &Engine, profile: &Profile, options: &RankOptions, ranking: &Ranking) -> Result<String> {
    let names: Vec<&str> = engine.weights().map(|(name, _)| name).collect();
    let mut out = format!("{} careers considered, = marks a near tie with the one above\n\n", ranking.considered);
    out += &table(ranking, &names);
    out += "\nWhy\n";
    for (at, item) in ranking.items.iter().take(3).enumerate() {
        out += &format!("{:>3}. {}\n{}", at + 1, item.title, reasons(item));
    }
    if ranking.excluded.total() > 0 {
        let counts: Vec<String> = ranking.excluded.counts.iter().map(|(kind, n)| format!("{n} by {kind}")).collect();
        out += &format!("\nLeft out: {}, such as\n", counts.join(", "));
        for kind in ranking.excluded.counts.keys() {
            for exclusion in ranking.excluded.listed.iter().filter(|out| out.constraint == *kind).take(3) {
                out += &format!("     {}: {}\n", exclusion.title, exclusion.reason);
            }
        }
    }
    let Some(first) = ranking.items.first() else { return Ok(out) };
    if let Some(gap) = engine.skill_gap(profile, first.candidate.as_str(), options)? {
        out += &format!("\nSkill gap to {}: {:.0} % there\n", first.title, gap.coverage.get() * 100.0);
        for item in gap.items.iter().filter(|item| item.state != GapState::Have).take(5) {
            let held = item.held.map_or_else(|| "not there".to_owned(), |held| format!("level {held}"));
            out += &format!("     {:<32} {held}, needs level {}: score +{:.3}\n", item.skill, item.needed, item.gain);
        }
    }
    // The best career outside the top that some change can bring in.
    let mut wider = options.clone().without_explanations();
    wider.top = options.top.saturating_mul(2).max(options.top.saturating_add(10));
    let mut wanted = CounterfactualOptions::default();
    (wanted.top, wanted.limit) = (options.top, 1);
    for item in engine.rank(profile, &wider)?.items.iter().skip(options.top) {
        let answers = engine.counterfactuals(profile, item.candidate.as_str(), &wanted, options)?;
        if let Some(answer) = answers.first() {
            out +=
                &format!("\nWhat would bring {} into the top {}, to place {}\n", item.title, options.top, answer.place);
            answer.changes.iter().for_each(|change| out += &format!("     {change}\n"));
            break;
        }
    }
    Ok(out)
}
