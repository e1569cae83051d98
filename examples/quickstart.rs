//! Ranks the built-in catalogue for a student, with the reasons.
//!
//! `cargo run --release --example quickstart` shows a bundled profile; `-- --profile FILE.json --top N --json` ranks
//! any profile and prints JSON. `-- --db FILE` keeps the profile and every ranking in a SQLite file, and takes the
//! profile from there the next time. A bad profile is one clear error that names the field, and exit code 2.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use career_core::{Catalog, Constraints, Profile, RankOptions, Ranking, Result, SavedRanking, Stress};
use career_examples::{DEFAULT_PROFILE, keep, read_profile, reasons, table};
use career_recommend::{CounterfactualOptions, Engine, GapState};
use career_store::SqliteStore;
use clap::Parser;
use serde_json::{Value, json};

/// Ranks careers for a profile and says why.
#[derive(Debug, Parser)]
struct Arguments {
    /// The profile, as JSON; see examples/profiles for some.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Keeps the profile and the ranking in this SQLite file, made if it is not there; in memory without it.
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
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

async fn run(arguments: &Arguments) -> Result<String> {
    let given = arguments.profile.as_deref().map(read_profile).transpose()?;
    let store = match &arguments.db {
        Some(path) => SqliteStore::open(path).await?,
        None => SqliteStore::in_memory().await?,
    };
    // Without a profile of one's own, the bundled one shows what constraints do.
    let no_profile = given.is_none();
    let person = keep::profile(&store, given, DEFAULT_PROFILE).await?;
    let profile = &person.profile.profile;
    let shown = no_profile && !person.was_there && !arguments.json;
    let constraints = Constraints::builder()
        .stream_possible(arguments.stream_possible || (shown && profile.stream.is_some()))
        .maybe_max_stress(arguments.max_stress)
        .maybe_max_years_of_study(arguments.max_years.or(shown.then_some(7)))
        .build();
    let options = RankOptions::top(arguments.top).with_constraints(constraints);
    let engine = Engine::compile(Catalog::india().careers())?;
    let ranking = engine.rank(profile, &options)?;
    let (before, rankings) = keep::ranking(&store, &person.profile, &ranking).await?;
    let output = if arguments.json {
        as_json(profile, &ranking)
    } else {
        as_text(&engine, profile, &options, &ranking).map(|text| match &arguments.db {
            Some(path) => text + &kept(path, &person, before.as_ref(), rankings),
            None => text,
        })
    };
    store.close().await;
    output
}

/// What the file now holds, and what was best the last time.
fn kept(path: &Path, person: &keep::Kept, before: Option<&SavedRanking>, rankings: u64) -> String {
    let mut out =
        format!("\nKept in {}: the profile at version {}, rankings: {rankings}\n", path.display(), person.version);
    if let Some(best) = before.and_then(|before| before.ranking.items.first()) {
        out += &format!("     The last time {} was best, with {:.3}\n", best.title, best.score());
    }
    out
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
