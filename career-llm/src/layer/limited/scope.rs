//! By whom a limit counts.

use std::fmt;

use crate::ModelId;

/// By whom a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitedBy {
    /// All calls of the model together.
    Model,
    /// The calls of each caller, whatever model they go to, as far as those share a limiter.
    Caller,
    /// The calls of each caller to the model.
    CallerAndModel,
}

impl LimitedBy {
    /// The key of a limiter. The caller, whose id may be anything, comes last; a model is preceded by its length, so
    /// that no two of them make the same key.
    pub(super) fn key(self, unit: &str, id: &ModelId, caller: Option<&str>) -> String {
        let model = || {
            let id = id.to_string();
            format!("{}:{id}", id.len())
        };
        // "by x" is somebody's, "by" alone is nobody's.
        let caller = || caller.map_or_else(|| "by".to_owned(), |caller| format!("by {caller}"));
        match self {
            LimitedBy::Model => format!("llm {unit} model {}", model()),
            LimitedBy::Caller => format!("llm {unit} caller {}", caller()),
            LimitedBy::CallerAndModel => format!("llm {unit} both {} {}", model(), caller()),
        }
    }
}

impl fmt::Display for LimitedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LimitedBy::Model => "of the model",
            LimitedBy::Caller => "of each caller",
            LimitedBy::CallerAndModel => "of each caller to the model",
        })
    }
}
