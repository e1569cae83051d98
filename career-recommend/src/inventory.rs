//! An interest inventory: questions in, six Holland values out, and the occupations that fit them.

use std::sync::LazyLock;

use career_core::{CandidateId, Error, HollandType, Result, Riasec};
use serde::{Deserialize, Serialize};

use crate::Candidate;

/// One activity to rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct InventoryItem {
    /// The type that it belongs to.
    #[serde(rename = "type")]
    pub kind: HollandType,
    /// The activity.
    pub text: String,
}

/// A form: the activities to rate and the five answers.
///
/// Two forms come with the crate, **written for this project**: scored in the manner of the O*NET Interest Profiler
/// (items in the order R R I I A A S S E E C C, repeated; answers 1 to 5 count 0 to 4), but not its items, and not
/// validated as a psychological test. A host loads another form with [`from_json`](Inventory::from_json).
///
/// ```
/// use career_core::HollandType;
/// use career_recommend::Inventory;
///
/// let form = Inventory::short();
/// let answers: Vec<u8> =
///     form.items.iter().map(|item| if item.kind == HollandType::Artistic { 5 } else { 2 }).collect();
/// let result = form.score(&answers)?;
/// assert_eq!(result.sums, [5, 5, 20, 5, 5, 5]);
/// assert!(result.riasec.code(1) == "A" && !result.flat);
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "InventoryText")]
#[non_exhaustive]
pub struct Inventory {
    /// Identity.
    pub id: String,
    /// Title.
    pub title: String,
    /// Its language, as a BCP 47 tag.
    pub language: String,
    /// What the form is and where it comes from.
    pub note: String,
    /// What is asked of each activity.
    pub question: String,
    /// What the answers 1 to 5 mean.
    pub answers: [String; 5],
    /// The activities, as many of each type.
    pub items: Vec<InventoryItem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InventoryText {
    id: String,
    title: String,
    language: String,
    note: String,
    question: String,
    answers: [String; 5],
    items: Vec<InventoryItem>,
}

impl TryFrom<InventoryText> for Inventory {
    type Error = Error;

    fn try_from(text: InventoryText) -> Result<Self> {
        let InventoryText { id, title, language, note, question, answers, items } = text;
        let of = |kind: HollandType| items.iter().filter(|item| item.kind == kind).count();
        let each = of(HollandType::Realistic);
        if each == 0 || HollandType::ALL.iter().any(|kind| of(*kind) != each) {
            return Err(
                Error::invalid("expected as many items of each of the six types, at least one").at_field("items")
            );
        }
        if let Some(at) = items.iter().position(|item| item.text.trim().is_empty()) {
            return Err(Error::invalid("expected a text").at_field(format!("items[{at}].text")));
        }
        Ok(Inventory { id, title, language, note, question, answers, items })
    }
}

/// Answers 0 to 4 for each item.
const MOST: u32 = 4;

/// A profile whose strongest and weakest type differ by less than this share of the scale says little.
const FLAT: f32 = 0.1;

static LONG: LazyLock<Inventory> = LazyLock::new(|| built_in(include_str!("../data/inventory-60.json")));
static SHORT: LazyLock<Inventory> = LazyLock::new(|| built_in(include_str!("../data/inventory-30.json")));

fn built_in(text: &str) -> Inventory {
    Inventory::from_json(text).expect("the built-in forms are checked by the tests of this crate")
}

impl Inventory {
    /// The built-in form of 60 activities, ten of each type.
    pub fn long() -> &'static Inventory {
        &LONG
    }

    /// The built-in form of 30 activities, five of each type, all of them in the long form too.
    pub fn short() -> &'static Inventory {
        &SHORT
    }

    /// Reads a form from JSON with the fields of this type.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](career_core::ErrorKind::Invalid) when it is no such JSON, when a text is empty, or when
    /// the types do not have as many items each.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|e| Error::invalid(format!("not an inventory: {e}")).with_source(e))
    }

    /// How many items there are of each type.
    pub fn items_per_type(&self) -> usize {
        self.items.len() / HollandType::ALL.len()
    }

    /// Scores answers from 1 to 5, one for each item.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](career_core::ErrorKind::Invalid) for another number of answers, or naming the answer that
    /// is not from 1 to 5.
    pub fn score(&self, answers: &[u8]) -> Result<InventoryResult> {
        if answers.len() != self.items.len() {
            let message = format!("expected {} answers, found {}", self.items.len(), answers.len());
            return Err(Error::invalid(message).at_field("answers"));
        }
        let mut sums = [0_u32; 6];
        for (at, (answer, item)) in answers.iter().zip(&self.items).enumerate() {
            if !(1..=5).contains(answer) {
                return Err(Error::invalid("expected an answer from 1 to 5").at_field(format!("answers[{at}]")));
            }
            sums[item.kind as usize] += u32::from(*answer) - 1;
        }
        let most = (self.items_per_type() as u32 * MOST) as f32;
        let riasec = Riasec::scaled(sums.map(|sum| sum as f32), 0.0, most)?;
        let values = riasec.values();
        let spread = values.iter().copied().fold(0.0, f32::max) - values.iter().copied().fold(1.0, f32::min);
        Ok(InventoryResult { sums, riasec, flat: spread < FLAT })
    }

    /// Scores answers written as digits, such as `51234…`; blanks between them are passed over.
    ///
    /// # Errors
    ///
    /// As [`score`](Inventory::score).
    pub fn score_text(&self, answers: &str) -> Result<InventoryResult> {
        let digits = answers.chars().filter(|c| !c.is_whitespace());
        // Whatever is no digit becomes 0, which `score` refuses with its place.
        let answers: Vec<u8> = digits.map(|c| c.to_digit(10).map_or(0, |digit| digit as u8)).collect();
        self.score(&answers)
    }
}

/// What the answers come to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InventoryResult {
    /// Sums in the order R, I, A, S, E, C: 0 to 40 for ten items a type, 0 to 20 for five.
    pub sums: [u32; 6],
    /// The same on `0..=1`.
    pub riasec: Riasec,
    /// Whether the strongest and the weakest type differ by less than a tenth of the scale: such a profile tells
    /// occupations hardly apart, and a counsellor should ask again.
    pub flat: bool,
}

/// How well an occupation's interests fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "there are three bands and what is below them")]
pub enum Fit {
    /// Below the other bands.
    Low,
    /// Good.
    Good,
    /// Great.
    Great,
    /// Best.
    Best,
}

/// The least correlation of each band.
///
/// The defaults are the critical values of Pearson's r for six pairs (four degrees of freedom, one-tailed): 0.729
/// at 5 %, 0.608 at 10 %; above 0 counts as good.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FitBands {
    /// From here on best.
    pub best: f64,
    /// From here on great.
    pub great: f64,
    /// From here on good.
    pub good: f64,
}

impl Default for FitBands {
    fn default() -> Self {
        FitBands { best: 0.729, great: 0.608, good: 0.0 }
    }
}

impl FitBands {
    /// Bands with these bounds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](career_core::ErrorKind::Invalid) unless `-1 <= good <= great <= best <= 1`.
    pub fn new(best: f64, great: f64, good: f64) -> Result<Self> {
        if -1.0 <= good && good <= great && great <= best && best <= 1.0 {
            Ok(FitBands { best, great, good })
        } else {
            Err(Error::invalid("expected -1 <= good <= great <= best <= 1"))
        }
    }

    /// The band of a correlation.
    pub fn fit(&self, r: f64) -> Fit {
        match r {
            r if r >= self.best => Fit::Best,
            r if r >= self.great => Fit::Great,
            r if r >= self.good => Fit::Good,
            _ => Fit::Low,
        }
    }
}

/// An occupation whose interests were compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InterestMatch {
    /// Who.
    pub candidate: CandidateId,
    /// Its title.
    pub title: String,
    /// Pearson's r of the six values.
    pub r: f64,
    /// Its band.
    pub fit: Fit,
}

impl InventoryResult {
    /// Occupations by how well their interests fit, best first, equals in the order of their ids. Those without
    /// interest values, or with six alike, are left out; none is left when the answers are all alike.
    pub fn matches<'a>(
        &self,
        candidates: impl IntoIterator<Item = &'a Candidate>,
        bands: &FitBands,
    ) -> Vec<InterestMatch> {
        let compare = |candidate: &Candidate| {
            let r = self.riasec.pearson(candidate.riasec.as_ref()?)?;
            let (id, title) = (candidate.id.clone(), candidate.title.to_string());
            Some(InterestMatch { candidate: id, title, r, fit: bands.fit(r) })
        };
        let mut matches: Vec<InterestMatch> = candidates.into_iter().filter_map(compare).collect();
        matches.sort_by(|a, b| b.r.total_cmp(&a.r).then_with(|| a.candidate.cmp(&b.candidate)));
        matches
    }
}
