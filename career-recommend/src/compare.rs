//! Two to five candidates side by side, field by field.

use std::fmt::Write as _;

use career_core::{Error, ErrorKind, Profile, RankOptions, Recommendation, Result};
use serde::{Deserialize, Serialize};

use crate::{Candidate, Engine, GapState, SkillGap};

/// One field of every candidate compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ComparedField {
    /// The field.
    pub field: String,
    /// Its value for each candidate, in their order; `None` where it is unknown.
    pub values: Vec<Option<String>>,
    /// Which candidates have the best value, by their place; empty where no value is better than another or all are
    /// equal.
    pub best: Vec<usize>,
}

/// Candidates side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// Ids, in the order asked for.
    pub ids: Vec<String>,
    /// Titles.
    pub titles: Vec<String>,
    /// The fields.
    pub fields: Vec<ComparedField>,
}

impl Comparison {
    /// The comparison as a Markdown table, the best values in bold.
    pub fn to_markdown(&self) -> String {
        let mut out = format!("| | {} |\n|---|{}\n", self.titles.join(" | "), "---|".repeat(self.titles.len()));
        for field in &self.fields {
            let _ = write!(out, "| {} |", field.field);
            for (at, value) in field.values.iter().enumerate() {
                let value = value.as_deref().unwrap_or("unknown").replace('|', "\\|");
                let mark = if field.best.contains(&at) { "**" } else { "" };
                let _ = write!(out, " {mark}{value}{mark} |");
            }
            out.push('\n');
        }
        out
    }
}

/// A value as text, and as a number where more is better.
type Cell = Option<(String, Option<f64>)>;

impl Engine {
    /// Compares two to five candidates for a person.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for fewer than two or more than five ids, [`ErrorKind::Conflict`] for one that stands
    /// twice, [`ErrorKind::NotFound`] for one that is not there.
    pub fn compare(&self, profile: &Profile, ids: &[&str], options: &RankOptions) -> Result<Comparison> {
        if !(2..=5).contains(&ids.len()) {
            return Err(Error::invalid("expected two to five candidates to compare").at_field("ids"));
        }
        let mut rows: Vec<(&Candidate, Recommendation)> = Vec::with_capacity(ids.len());
        for (at, id) in ids.iter().enumerate() {
            if ids[..at].contains(id) {
                return Err(
                    Error::new(ErrorKind::Conflict, "this candidate stands twice").at_field(format!("ids[{at}]"))
                );
            }
            let missing = || Error::not_found("the candidate").at_field(format!("ids[{at}]"));
            let candidate = self.candidate(id).ok_or_else(missing)?;
            rows.push((candidate, self.score(profile, id, options)?.ok_or_else(missing)?));
        }
        let mut fields = Vec::new();
        let mut add = |field: &str, cell: &dyn Fn(&Candidate, &Recommendation) -> Cell| {
            let cells: Vec<Cell> = rows.iter().map(|(candidate, scored)| cell(candidate, scored)).collect();
            fields.push(compared(field, cells));
        };
        add("score", &|_, scored| number(format!("{:.3}", scored.score().get()), scored.score().get()));
        for (name, _) in self.weights() {
            add(&format!("{name} score"), &|_, scored| {
                let part = scored.breakdown.components.iter().find(|part| &*part.name == name)?;
                number(format!("{:.3}", part.score.get()), part.score.get())
            });
        }
        add("category", &|c, _| text(c.family.as_deref()?));
        add("streams", &|c, _| (!c.streams.is_empty()).then(|| c.streams.to_string()).and_then(text));
        add("interests", &|c, _| text(c.riasec?.code(3)));
        add("skills there", &|c, _| {
            let gap = SkillGap::to(profile, &c.skills);
            let (have, all) = (gap.of(GapState::Have).count(), gap.items.len());
            (all > 0).then(|| (format!("{have} of {all}"), Some(gap.coverage.get())))
        });
        add("usual pay", &|c, _| {
            let band = c.pay?.at(profile.experience_level());
            // Pay in several currencies has no order, so none is marked.
            let one = rows.iter().all(|(other, _)| {
                other.pay.is_none_or(|pay| pay.at(profile.experience_level()).currency() == band.currency())
            });
            let (low, high) = band.yearly();
            Some((band.to_string(), one.then(|| (low + high.unwrap_or(low)) as f64)))
        });
        add("years of study", &|c, _| c.years_of_study.and_then(|y| number(y.to_string(), -f64::from(y))));
        add("job zone", &|c, _| text(c.job_zone?.get().to_string()));
        add("stress", &|c, _| c.stress.and_then(|s| number(s.to_string(), -f64::from(s as u8))));
        add("work-life balance", &|c, _| c.balance.and_then(|b| number(b.to_string(), f64::from(b as u8))));
        add("hours a week, up to", &|c, _| c.hours.and_then(|h| number(h.to_string(), -f64::from(h))));
        add("travel", &|c, _| text(c.travel?.to_string()));
        add("remote", &|c, _| text(c.remote?.to_string()));
        add("places", &|c, _| {
            let places: Vec<&str> = c.locations.iter().map(career_core::PlaceName::as_str).collect();
            (!places.is_empty()).then(|| places.join(", ")).and_then(text)
        });
        add("outlook", &|c, _| c.outlook.and_then(|o| number(o.to_string(), f64::from(o as u8))));
        let titles = rows.iter().map(|(candidate, _)| candidate.title.to_string()).collect();
        Ok(Comparison { ids: ids.iter().map(|id| (*id).to_owned()).collect(), titles, fields })
    }
}

fn text(text: impl Into<String>) -> Cell {
    Some((text.into(), None))
}

fn number(text: String, better: f64) -> Cell {
    Some((text, Some(better)))
}

fn compared(field: &str, cells: Vec<Cell>) -> ComparedField {
    let numbers: Vec<Option<f64>> = cells.iter().map(|cell| cell.as_ref().and_then(|(_, number)| *number)).collect();
    let most = numbers.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let best: Vec<usize> = (0..numbers.len()).filter(|at| numbers[*at] == Some(most)).collect();
    let best = if best.len() == numbers.len() { Vec::new() } else { best };
    let values = cells.into_iter().map(|cell| cell.map(|(text, _)| text)).collect();
    ComparedField { field: field.to_owned(), values, best }
}
