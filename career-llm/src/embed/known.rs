//! Embedding models whose vectors have a known length.

use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "as_of")]
    _as_of: jiff::civil::Date,
    models: Vec<Known>,
}

/// A model of the table.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    provider: String,
    pub(super) model: String,
    pub(super) dimensions: usize,
    #[serde(default)]
    default: bool,
}

static TABLE: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let table: Table = serde_json::from_str(include_str!("models.json")).expect("a test reads the table");
    table.models
});

/// The model that a provider's embedder uses unless told.
pub(super) fn default_for(provider: &str) -> Option<&'static Known> {
    TABLE.iter().find(|known| known.default && known.provider == provider)
}

/// How many numbers the vectors of a model have. A tag after a colon, such as Ollama's `:latest`, does not matter.
pub(super) fn dimensions(provider: &str, model: &str) -> Option<usize> {
    let name = model.split(':').next().unwrap_or(model);
    TABLE.iter().find(|known| known.provider == provider && known.model == name).map(|known| known.dimensions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_has_one_default_for_each_provider() {
        for provider in ["openai", "gemini", "ollama", "mistral"] {
            assert_eq!(
                TABLE.iter().filter(|known| known.default && known.provider == provider).count(),
                1,
                "{provider}"
            );
        }
        assert_eq!(dimensions("ollama", "nomic-embed-text:latest"), Some(768));
        assert_eq!(dimensions("openai", "nomic-embed-text"), None);
    }
}
