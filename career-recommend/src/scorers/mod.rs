//! The scorers that come with the crate, one file each. The formula stands in the doc of each, with its source.

mod education;
mod experience;
mod interest;
mod location;
mod outlook;
mod salary;
mod semantic;
mod skill;
mod stream;
mod values;
mod work;

pub use education::EducationScorer;
pub use experience::ExperienceScorer;
pub use interest::InterestScorer;
pub use location::LocationScorer;
pub use outlook::OutlookScorer;
pub use salary::SalaryScorer;
pub use semantic::SemanticScorer;
pub use skill::SkillScorer;
pub(crate) use skill::mastery;
pub use stream::StreamScorer;
pub(crate) use stream::affinity;
pub use values::ValuesScorer;
pub(crate) use values::values_are_flat;
pub use work::{MobilityScorer, WorkLifeScorer};

use std::sync::Arc;

use crate::Scorer;

/// The default scorers and weights: stream 0.3, interest 0.4, skill 0.2, salary 0.1.
pub fn defaults() -> Vec<(Arc<dyn Scorer>, f64)> {
    vec![
        (Arc::new(StreamScorer), 0.3),
        (Arc::new(InterestScorer::default()), 0.4),
        (Arc::new(SkillScorer), 0.2),
        (Arc::new(SalaryScorer), 0.1),
    ]
}

/// Every scorer of this crate: the default four at their weights, the others at 0.1 each.
pub fn all() -> Vec<(Arc<dyn Scorer>, f64)> {
    let mut scorers = defaults();
    let more: [Arc<dyn Scorer>; 8] = [
        Arc::new(WorkLifeScorer),
        Arc::new(MobilityScorer),
        Arc::new(LocationScorer),
        Arc::new(EducationScorer),
        Arc::new(OutlookScorer),
        Arc::new(ValuesScorer),
        Arc::new(ExperienceScorer),
        Arc::new(SemanticScorer),
    ];
    scorers.extend(more.into_iter().map(|scorer| (scorer, 0.1)));
    scorers
}

/// How far `value` falls short of `wish` on a scale of `steps` steps: 1 for not at all, 0 for the whole scale.
pub(crate) fn shortfall(value: u8, wish: u8, steps: u8) -> f64 {
    1.0 - f64::from(wish.saturating_sub(value)) / f64::from(steps)
}
