//! What the indexes on databases share: names, metadata as JSON, refusals.

use std::fmt::Display;

use career_core::{Error, ErrorKind, Metadata, Result, Tag};

/// Checks the name of a collection and its number of dimensions.
///
/// 48 characters leave room for what PostgreSQL's names of 63 bytes add before and after.
pub(super) fn check_collection(collection: &str, dimensions: usize, max: usize) -> Result<()> {
    if collection.len() > 48 || Tag::new(collection).is_err() {
        let expected = "expected a slug: lower-case letters, digits and single hyphens, 1 to 48 characters";
        return Err(Error::invalid(expected).at_field("collection"));
    }
    if !(1..=max).contains(&dimensions) {
        return Err(Error::invalid(format!("expected 1 to {max}")).at_field("dimensions"));
    }
    Ok(())
}

/// The refusal of a collection that was made with another number of dimensions.
pub(super) fn other_dimensions(collection: &str, made_with: i64) -> Error {
    Error::invalid(format!("collection {collection} was made with {made_with} dimensions")).at_field("dimensions")
}

/// The ids that an index can hold at all: databases end text at NUL or refuse it.
pub(super) fn without_nul(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).filter(|id| !id.contains('\0')).collect()
}

/// An object of strings.
pub(super) fn metadata_to_json(metadata: &Metadata) -> String {
    serde_json::Value::from_iter(metadata.iter().map(|(key, value)| (key.as_str(), value.as_str()))).to_string()
}

/// Reads what [`metadata_to_json`] wrote; `collection` and `id` are named when it is damaged.
pub(super) fn metadata_from_json(json: &str, collection: &str, id: &str) -> Result<Metadata> {
    // Not the parser's own words: they may quote what a person wrote.
    serde_json::from_str(json).map_err(|_| corrupt(collection, id, "its metadata is not an object of strings"))
}

/// A row that cannot be read.
pub(super) fn corrupt(collection: &str, id: &str, why: impl Display) -> Error {
    let message = format!("vector {id} of collection {collection} cannot be read: {why}");
    Error::new(ErrorKind::Corrupt, message)
}
