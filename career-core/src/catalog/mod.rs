//! A validated set of careers and exams.

mod csv;
#[cfg(feature = "india")]
mod india;
mod json;

use std::collections::{BTreeSet, HashMap};
use std::io::Read;

use serde::{Deserialize, Serialize};

use crate::{Career, CareerId, CategoryId, Error, ErrorKind, Exam, ExamId, Place, Result};

/// A category of careers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Category {
    /// Identity within the catalogue.
    pub id: CategoryId,
    /// Usual name.
    pub title: String,
}

impl Category {
    /// A category.
    pub fn new(id: CategoryId, title: impl Into<String>) -> Self {
        Category { id, title: title.into() }
    }
}

/// Careers and exams that hold together: ids are unique, every reference resolves, and a name means one career
/// unless it is declared to mean several.
///
/// ```
/// use career_core::Catalog;
///
/// let catalog = Catalog::loader()
///     .json("crafts.json", r#"{"careers": [
///         {"id": "potter", "title": "Potter", "aliases": ["ceramic artist"], "alternatives": ["weaver"]},
///         {"id": "weaver", "title": "Weaver"}
///     ]}"#)?
///     .finish()?;
/// assert_eq!(catalog.find("Ceramic Artist")[0].id.as_str(), "potter");
///
/// let error = Catalog::loader()
///     .json("crafts.json", r#"{"careers": [{"id": "potter", "title": "Potter", "alternatives": ["weaver"]}]}"#)?
///     .finish()
///     .unwrap_err();
/// assert_eq!(error.to_string(), "crafts.json: row 1: field `alternatives[0]`: no career has the id `weaver`");
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Catalog {
    careers: Vec<Career>,
    exams: Vec<Exam>,
    categories: Vec<Category>,
    by_id: HashMap<CareerId, usize>,
    exam_by_id: HashMap<ExamId, usize>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Catalog {
    /// A catalogue of these careers and exams, without categories or ambiguous names.
    ///
    /// # Errors
    ///
    /// As [`CatalogLoader::finish`].
    pub fn new(careers: Vec<Career>, exams: Vec<Exam>) -> Result<Self> {
        let mut loader = Catalog::loader();
        let row = |at: usize| Place { row: Some(at as u64 + 1), ..Place::default() };
        loader.careers = careers.into_iter().enumerate().map(|(at, career)| (row(at), career)).collect();
        loader.exams = exams.into_iter().enumerate().map(|(at, exam)| (row(at), exam)).collect();
        loader.finish()
    }

    /// Collects files and makes a catalogue of them.
    pub fn loader() -> CatalogLoader {
        CatalogLoader::default()
    }

    /// The careers, in the order in which they were loaded.
    pub fn careers(&self) -> &[Career] {
        &self.careers
    }

    /// The exams, in the order in which they were loaded.
    pub fn exams(&self) -> &[Exam] {
        &self.exams
    }

    /// The categories, in the order in which they were loaded.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// The career of this id.
    pub fn career(&self, id: &str) -> Option<&Career> {
        self.by_id.get(id).map(|at| &self.careers[*at])
    }

    /// The exam of this id.
    pub fn exam(&self, id: &str) -> Option<&Exam> {
        self.exam_by_id.get(id).map(|at| &self.exams[*at])
    }

    /// The careers of this id, title or alias, without regard to case: one, or several for a name that was
    /// declared ambiguous, or none.
    pub fn find(&self, name: &str) -> Vec<&Career> {
        let named = self.by_name.get(&name.trim().to_lowercase());
        match named {
            Some(careers) => careers.iter().map(|at| &self.careers[*at]).collect(),
            None => self.career(name.trim()).into_iter().collect(),
        }
    }

    /// The careers that an exam leads to.
    pub fn careers_after<'a>(&'a self, exam: &'a ExamId) -> impl Iterator<Item = &'a Career> {
        self.careers.iter().filter(move |career| career.exams.contains(exam))
    }
}

/// Collects the files of a catalogue; [`finish`](CatalogLoader::finish) checks them together.
#[derive(Debug, Clone, Default)]
pub struct CatalogLoader {
    careers: Vec<(Place, Career)>,
    exams: Vec<(Place, Exam)>,
    categories: Vec<(Place, Category)>,
    ambiguous: BTreeSet<String>,
}

impl CatalogLoader {
    /// Adds a JSON document: an object with any of `category`, `careers`, `exams`, `ambiguous_names`.
    ///
    /// A category given there is the category of the careers in the document that name none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] naming the file, the row (counted from 1 within its list) and the field.
    pub fn json(mut self, file: &str, text: &str) -> Result<Self> {
        json::load(&mut self, file, text).map_err(|e| e.in_file(file))?;
        Ok(self)
    }

    /// Adds careers from CSV with a header row; see `docs/catalogue.md` of the workspace for the columns.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] naming the file, the row (the line of the record, the header being line 1) and
    /// the column; [`ErrorKind::Io`] when reading fails.
    pub fn csv(mut self, file: &str, reader: impl Read) -> Result<Self> {
        csv::load(&mut self, file, reader).map_err(|e| e.in_file(file))?;
        Ok(self)
    }

    /// Declares that a title or alias may mean several careers.
    #[must_use]
    pub fn ambiguous(mut self, name: &str) -> Self {
        self.ambiguous.insert(name.trim().to_lowercase());
        self
    }

    /// Checks all that was added, together.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] for an id or an undeclared name that stands twice, [`ErrorKind::NotFound`] for a
    /// reference that does not resolve, [`ErrorKind::Invalid`] for a career that is its own alternative; each
    /// naming file, row and field.
    pub fn finish(self) -> Result<Catalog> {
        let CatalogLoader { careers, exams, categories, ambiguous } = self;
        let by_id = index(careers.iter().map(|(place, career)| (place, career.id.clone())), "career")?;
        let exam_by_id = index(exams.iter().map(|(place, exam)| (place, exam.id.clone())), "exam")?;
        let category_by_id =
            index(categories.iter().map(|(place, category)| (place, category.id.clone())), "category")?;
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, (place, career)) in careers.iter().enumerate() {
            let fail = |kind, message: String, field: String| Err(at_place(Error::new(kind, message), place, field));
            let aliases = career.aliases.iter().enumerate().map(|(n, alias)| (alias, format!("aliases[{n}]")));
            for (name, field) in std::iter::once((&career.title, "title".to_owned())).chain(aliases) {
                let key = name.trim().to_lowercase();
                if key.is_empty() {
                    return fail(ErrorKind::Invalid, "expected a name".into(), field);
                }
                let ids = by_name.entry(key.clone()).or_default();
                if ids.contains(&at) {
                    return fail(ErrorKind::Conflict, format!("the name `{name}` stands twice"), field);
                }
                if let Some(other) = ids.first().filter(|_| !ambiguous.contains(&key)) {
                    let other = &careers[*other].1.id;
                    let message = format!("the name `{name}` also means `{other}` and is not declared ambiguous");
                    return fail(ErrorKind::Conflict, message, field);
                }
                ids.push(at);
            }
            for (n, id) in career.alternatives.iter().enumerate() {
                let field = format!("alternatives[{n}]");
                if *id == career.id {
                    return fail(ErrorKind::Invalid, "a career is not its own alternative".into(), field);
                }
                if !by_id.contains_key(id) {
                    return fail(ErrorKind::NotFound, format!("no career has the id `{id}`"), field);
                }
            }
            for (n, id) in career.exams.iter().enumerate() {
                if !exam_by_id.contains_key(id) {
                    return fail(ErrorKind::NotFound, format!("no exam has the id `{id}`"), format!("exams[{n}]"));
                }
            }
            if let Some(id) = career.category.as_ref().filter(|id| !category_by_id.contains_key(*id)) {
                return fail(ErrorKind::NotFound, format!("no category has the id `{id}`"), "category".into());
            }
        }
        Ok(Catalog {
            careers: careers.into_iter().map(|(_, career)| career).collect(),
            exams: exams.into_iter().map(|(_, exam)| exam).collect(),
            categories: categories.into_iter().map(|(_, category)| category).collect(),
            by_id,
            exam_by_id,
            by_name,
        })
    }
}

/// Positions by id; an id that stands twice is a conflict at the second place.
fn index<'a, K>(ids: impl Iterator<Item = (&'a Place, K)>, what: &str) -> Result<HashMap<K, usize>>
where
    K: std::hash::Hash + Eq + std::fmt::Display + Clone,
{
    let mut map = HashMap::new();
    for (at, (place, id)) in ids.enumerate() {
        if map.insert(id.clone(), at).is_some() {
            let message = format!("the {what} id `{id}` stands twice");
            return Err(at_place(Error::new(ErrorKind::Conflict, message), place, "id".into()));
        }
    }
    Ok(map)
}

fn at_place(mut error: Error, place: &Place, field: String) -> Error {
    if let Some(file) = &place.file {
        error = error.in_file(file);
    }
    if let Some(row) = place.row {
        error = error.at_row(row);
    }
    error.at_field(field)
}
