//! What usage costs.

use crate::models::{Cost, ModelTable};
use crate::{ModelId, Usage};

/// Knows what usage costs. A [`ModelTable`] does, and a function of the same form.
pub trait Prices: Send + Sync + 'static {
    /// What this usage of a model costs; `None` where the model's price is not known. More usage never
    /// costs less.
    fn cost(&self, model: &ModelId, usage: &Usage) -> Option<Cost>;
}

impl<F: Fn(&ModelId, &Usage) -> Option<Cost> + Send + Sync + 'static> Prices for F {
    fn cost(&self, model: &ModelId, usage: &Usage) -> Option<Cost> {
        self(model, usage)
    }
}

impl Prices for ModelTable {
    fn cost(&self, model: &ModelId, usage: &Usage) -> Option<Cost> {
        self.find(model).map(|info| info.price.cost(usage))
    }
}

impl Prices for &'static ModelTable {
    fn cost(&self, model: &ModelId, usage: &Usage) -> Option<Cost> {
        (**self).find(model).map(|info| info.price.cost(usage))
    }
}
