//! An explainable weighted compatibility engine: what fits whom, and why.
//!
//! ```
//! use career_core::{Catalog, Profile, RankOptions};
//! use career_recommend::Engine;
//!
//! let engine = Engine::compile(Catalog::india().careers())?;
//! let profile = Profile::from_json(r#"{ "stream": "pcb", "tags": ["medicine", "helping-people"] }"#)?;
//! for item in engine.rank(&profile, &RankOptions::top(5))?.items {
//!     println!("{}: {:.2}\n{}", item.title, item.score(), item.breakdown.to_text());
//! }
//! # Ok::<(), career_core::Error>(())
//! ```
//!
//! # What it promises
//!
//! - **One definition.** `total = Σ wᵢ·sᵢ / Σ wᵢ` over the [`scorers`] with evidence. A [`Scorer`] is one plain
//!   function, and a host's own stands beside the built-in ones. [`Engine::rank_by_definition`] is that and nothing
//!   more; [`Engine::rank`] gives the same and is fast.
//! - **Every number explained.** Contributions add up to the score, each with its evidence; what a constraint left out
//!   is returned with the constraint that did it.
//! - **Nothing that should not count.** A profile has no field for a name, gender, photograph, religion, caste or
//!   college, and metadata is never read.
//! - **Equal input, equal bytes.** Whatever the order of the catalogue and the number of cores.
//!
//! # Map
//!
//! | item | what it does |
//! |---|---|
//! | [`Engine`] | compiles [`Candidate`]s and ranks them; inserts, removes, replaces; ranks many profiles on all cores |
//! | [`scorers`] | stream, interest, skill, salary, work-life, remote and travel, location, education, outlook, values, experience, semantic |
//! | [`Engine::skill_gap`], [`SkillGap`] | have, partly, missing, ordered by gain |
//! | [`Engine::counterfactuals`] | the cheapest changes that bring a candidate among the best |
//! | [`Engine::compare`] | two to five candidates side by side |
//! | [`Inventory`] | interest forms, their scores, and the occupations that fit |
//! | [`Engine::learn`] | weights from likes and dislikes |
//! | [`evaluate()`], [`Judged`] | nDCG, recall, MRR, coverage, diversity |
//!
//! Formulas with their sources are in the doc of each scorer and together in `docs/scoring.md` of the workspace.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod candidate;
mod compare;
mod counterfactual;
pub mod diversify;
mod engine;
mod evaluate;
mod gap;
mod inventory;
mod learn;
mod scorer;
pub mod scorers;

pub use candidate::{Candidate, Pay};
pub use compare::{ComparedField, Comparison};
pub use counterfactual::{Change, Counterfactual, CounterfactualOptions};
pub use engine::{Bound, Engine, EngineBuilder, Memory, Work};
pub use evaluate::{Judged, Measures, evaluate};
pub use gap::{GapItem, GapState, SkillGap};
pub use inventory::{Fit, FitBands, InterestMatch, Inventory, InventoryItem, InventoryResult};
pub use learn::{Feedback, LearnOptions, LearnedWeights};
pub use scorer::{Score, Scorer};
