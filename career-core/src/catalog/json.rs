//! Catalogue documents in JSON.

use serde::Deserialize;
use serde_path_to_error::Segment;

use super::{CatalogLoader, Category};
use crate::{Career, Error, Exam, Place, Result};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    category: Option<Category>,
    #[serde(default)]
    careers: Vec<Career>,
    #[serde(default)]
    exams: Vec<Exam>,
    #[serde(default)]
    ambiguous_names: Vec<String>,
}

pub(super) fn load(loader: &mut CatalogLoader, file: &str, text: &str) -> Result<()> {
    let mut json = serde_json::Deserializer::from_str(text);
    let document: Document = serde_path_to_error::deserialize(&mut json).map_err(locate)?;
    json.end().map_err(|e| Error::invalid(format!("unexpected text after the document: {e}")))?;
    let place = |row: usize| Place { file: Some(file.to_owned()), row: Some(row as u64 + 1), field: None };
    let category = document.category.as_ref().map(|category| category.id.clone());
    for (row, mut career) in document.careers.into_iter().enumerate() {
        career.category = career.category.or_else(|| category.clone());
        loader.careers.push((place(row), career));
    }
    loader.exams.extend(document.exams.into_iter().enumerate().map(|(row, exam)| (place(row), exam)));
    loader.categories.extend(document.category.map(|category| (place(0), category)));
    loader.ambiguous.extend(document.ambiguous_names.iter().map(|name| name.trim().to_lowercase()));
    Ok(())
}

/// Turns the path `careers[3].salary.entry` into row 4 and the field `salary.entry`.
fn locate(error: serde_path_to_error::Error<serde_json::Error>) -> Error {
    let mut segments = error.path().iter();
    let list = matches!(segments.next(), Some(Segment::Map { key }) if key == "careers" || key == "exams");
    let row = match segments.next() {
        Some(Segment::Seq { index }) if list => Some(*index),
        _ => None,
    };
    let path = error.path().to_string();
    let message = Error::from_json(error);
    let Some(row) = row else { return message };
    let field = path.split_once("].").map(|(_, rest)| rest);
    let error = Error::invalid(message.message()).at_row(row as u64 + 1);
    match field {
        Some(field) => error.at_field(field),
        None => error,
    }
}
