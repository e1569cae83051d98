//! A host's own scorer beside the built-in ones: here, how soon one earns.
//!
//! `cargo run --release --example custom_scorer`

use career_core::{Catalog, Evidence, Profile, RankOptions, Result, Unit};
use career_examples::{DEFAULT_PROFILE, table};
use career_recommend::{Candidate, Engine, Score, Scorer, scorers};

/// Prefers careers that are reached in few years of study after class 12.
#[derive(Debug)]
struct EarnsSoon {
    /// Years from which on the score is 0.
    patience: u8,
}

impl Scorer for EarnsSoon {
    fn name(&self) -> &str {
        "earns-soon"
    }

    fn score(&self, _: &Profile, candidate: &Candidate) -> Option<Score> {
        let years = candidate.years_of_study?;
        let value = Unit::clamped(1.0 - f64::from(years) / f64::from(self.patience));
        Some(Score::new(value, Evidence::Note { text: format!("takes {years} years of study after class 12") }))
    }
}

fn main() -> Result<()> {
    let profile = Profile::from_json(DEFAULT_PROFILE)?;
    let engine = Engine::builder()
        .scorers(scorers::defaults())
        .scorer(EarnsSoon { patience: 8 }, 0.3)
        .compile(Catalog::india().careers())?;
    let ranking = engine.rank(&profile, &RankOptions::top(10))?;
    let names: Vec<&str> = engine.weights().map(|(name, _)| name).collect();
    print!("{}", table(&ranking, &names));
    if let Some(best) = ranking.items.first() {
        print!("\n{}\n{}", best.title, best.breakdown.to_text());
    }
    Ok(())
}
