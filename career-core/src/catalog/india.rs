//! The built-in catalogue.

use std::sync::LazyLock;

use super::Catalog;

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[ $( ($name, include_str!(concat!("../../data/india/", $name))) ),+ ]
    };
}

/// File name and text of every file of the catalogue.
pub(super) const FILES: &[(&str, &str)] = files![
    "allied-health.json",
    "business.json",
    "computing-data.json",
    "design-architecture.json",
    "education-social.json",
    "engineering.json",
    "exams.json",
    "finance.json",
    "hospitality-sports.json",
    "law-public-service.json",
    "life-sciences-agriculture.json",
    "media-arts.json",
    "medicine.json",
    "physical-sciences.json",
    "skilled-trades.json",
    "transport.json",
];

static INDIA: LazyLock<Catalog> = LazyLock::new(|| {
    FILES
        .iter()
        .try_fold(Catalog::loader(), |loader, (name, text)| loader.json(name, text))
        .and_then(super::CatalogLoader::finish)
        .expect("the built-in files are checked by the tests of this crate")
});

impl Catalog {
    /// The built-in catalogue for students in India, parsed on first use.
    ///
    /// Careers over all streams, written for this project, with the entrance exams that lead to them. **The figures
    /// are indicative**: each career says of which year they are and what they rest on. They are an editor's
    /// estimates, not statistics; a host that has better ones loads its own catalogue.
    ///
    /// ```
    /// use career_core::Catalog;
    ///
    /// let catalog = Catalog::india();
    /// let scientist = catalog.career("data-scientist").expect("is in the catalogue");
    /// assert!(scientist.exams.iter().all(|exam| catalog.exam(exam.as_str()).is_some()));
    /// ```
    pub fn india() -> &'static Catalog {
        &INDIA
    }
}
