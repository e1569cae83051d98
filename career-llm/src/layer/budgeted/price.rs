//! What usage costs.

use crate::{ModelId, Usage};

/// Knows what usage costs. A function of the same form is one.
pub trait Prices: Send + Sync + 'static {
    /// What this usage of a model costs, in nano-dollars; `None` where the model's price is not known. More usage never
    /// costs less.
    fn cost(&self, model: &ModelId, usage: &Usage) -> Option<u64>;
}

impl<F: Fn(&ModelId, &Usage) -> Option<u64> + Send + Sync + 'static> Prices for F {
    fn cost(&self, model: &ModelId, usage: &Usage) -> Option<u64> {
        self(model, usage)
    }
}
