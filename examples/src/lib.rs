//! What the examples share: the bundled profiles, and a ranking as a table.
//!
//! The examples themselves are in this package's folder, one file or folder each.

pub mod keep;

use std::fmt::Write as _;
use std::path::Path;

use career_core::{Error, ErrorKind, Evidence, Profile, Ranking, Recommendation, Result};

/// The README's example, kept true by being compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// The guide's examples of prompts, kept true as well.
#[cfg(doctest)]
#[doc = include_str!("../../docs/prompts.md")]
pub struct Prompts;

/// The guide's examples of language models, kept true as well.
#[cfg(doctest)]
#[doc = include_str!("../../docs/language-models.md")]
pub struct LanguageModels;

/// The profile that is used when none is given: a grade-11 student with physics, chemistry and mathematics.
pub const DEFAULT_PROFILE: &str = include_str!("../profiles/student-pcm.json");

/// Reads a profile from a file.
///
/// # Errors
///
/// [`ErrorKind::Io`] when the file cannot be read, [`ErrorKind::Invalid`] naming the field when it is no profile; both
/// name the file.
pub fn read_profile(path: &Path) -> Result<Profile> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::new(ErrorKind::Io, format!("cannot be read: {e}")).in_file(name.clone()))?;
    Profile::from_json(&text).map_err(|e| e.in_file(name))
}

/// A score as a bar of ten cells.
pub fn bar(share: f64) -> String {
    let full = (share * 10.0).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(10 - full.min(10)))
}

/// A ranking as a table: place, title, score, and a bar for each component.
pub fn table(ranking: &Ranking, components: &[&str]) -> String {
    let width = ranking.items.iter().map(|item| item.title.chars().count()).max().unwrap_or(0).max(6);
    let mut out = format!("     {:width$}  score  conf.", "career");
    for name in components {
        let _ = write!(out, "  {name:<10}");
    }
    out.push('\n');
    for (at, item) in ranking.items.iter().enumerate() {
        let tie = if item.tied { "=" } else { " " };
        let _ = write!(
            out,
            "{:>3}{tie} {:width$}  {:.3}  {:.2} ",
            at + 1,
            item.title,
            item.score().get(),
            item.confidence().get()
        );
        for name in components {
            let part = item.breakdown.components.iter().find(|part| &*part.name == *name);
            let _ = write!(out, "  {}", part.map_or_else(|| "no evid.  ".to_owned(), |part| bar(part.score.get())));
        }
        out.push('\n');
    }
    out
}

/// Why a career stands where it stands, a line for each component.
pub fn reasons(item: &Recommendation) -> String {
    let mut out = String::new();
    for part in &item.breakdown.components {
        let inner: Vec<&Evidence> = part.parts.iter().map(|part| &part.evidence).collect();
        let text = if inner.is_empty() {
            part.evidence.to_string()
        } else {
            inner.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        let _ = writeln!(out, "       {:<9} +{:.3}  {text}", part.name, part.contribution);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_ten_cells() {
        for share in [0.0, 0.04, 0.5, 0.96, 1.0] {
            assert_eq!(bar(share).chars().count(), 10, "{share}");
        }
        assert_eq!(bar(0.5), "█████░░░░░");
    }
}
