//! Which models there are, what they cost and how much they hold: data, with its sources and dates.

mod cost;
mod table;

pub use cost::{Cost, LongRates, Price, Rates};
pub use table::{ModelInfo, ModelTable};

use crate::ModelId;

/// What a model costs by public list prices, where they are known. A table of your own is a [`ModelTable`].
pub fn price(model: &ModelId) -> Option<&'static Price> {
    ModelTable::builtin().find(model).map(|model| &model.price)
}

/// Most tokens of request and reply together, where that is known.
pub fn window(model: &ModelId) -> Option<u32> {
    ModelTable::builtin().find(model).and_then(|model| model.context)
}

/// The model to take of a provider when nobody chose one.
///
/// ```
/// assert!(career_llm::models::default_for("anthropic").is_some());
/// assert_eq!(career_llm::models::default_for("ollama"), None, "what is there is up to the host");
/// ```
pub fn default_for(provider: &str) -> Option<&'static str> {
    ModelTable::builtin().default_for(provider)
}
