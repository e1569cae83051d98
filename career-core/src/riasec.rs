//! Holland's six types of interest, RIASEC.
//!
//! J. L. Holland, *Making Vocational Choices* (3rd ed., 1997): people and work environments are described by how
//! strongly they show six types, and fit is how alike the two profiles are.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::macros::named_enum;
use crate::{Error, Result};

named_enum! {
    /// One of Holland's six types.
    #[expect(clippy::exhaustive_enums, reason = "the theory has exactly six")]
    pub enum HollandType {
        /// Hands, tools, machines, animals, outdoors.
        Realistic = "realistic",
        /// Ideas, research, analysis.
        Investigative = "investigative",
        /// Forms, designs, patterns, expression.
        Artistic = "artistic",
        /// Helping, teaching, serving.
        Social = "social",
        /// Starting, leading, persuading.
        Enterprising = "enterprising",
        /// Records, rules, order.
        Conventional = "conventional",
    }
}

impl HollandType {
    /// The letter: R, I, A, S, E or C.
    pub const fn letter(self) -> char {
        ['R', 'I', 'A', 'S', 'E', 'C'][self as usize]
    }
}

/// Six interest values, each in `0..=1`, in the order R, I, A, S, E, C.
///
/// JSON: `{"r":0.2,"i":0.9,"a":0.4,"s":0.3,"e":0.2,"c":0.5}`.
///
/// ```
/// use career_core::{HollandType, Riasec};
///
/// let me = Riasec::new([0.2, 0.9, 0.4, 0.3, 0.2, 0.5])?;
/// assert_eq!(me.code(3), "ICA");
/// assert_eq!(me.get(HollandType::Investigative), 0.9);
/// assert!((me.pearson(&me).expect("not flat") - 1.0).abs() < 1e-12);
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "RiasecText", into = "RiasecText")]
#[schemars(with = "RiasecText")]
pub struct Riasec([f32; 6]);

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct RiasecText {
    r: f32,
    i: f32,
    a: f32,
    s: f32,
    e: f32,
    c: f32,
}

impl TryFrom<RiasecText> for Riasec {
    type Error = Error;

    fn try_from(RiasecText { r, i, a, s, e, c }: RiasecText) -> Result<Self> {
        Riasec::new([r, i, a, s, e, c])
    }
}

impl From<Riasec> for RiasecText {
    fn from(Riasec([r, i, a, s, e, c]): Riasec) -> Self {
        RiasecText { r, i, a, s, e, c }
    }
}

impl Riasec {
    /// Six values in `0..=1`, in the order R, I, A, S, E, C.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) naming the letter whose value is outside, or NaN.
    pub fn new(values: [f32; 6]) -> Result<Self> {
        Riasec::scaled(values, 0.0, 1.0)
    }

    /// Six values on another scale, brought to `0..=1`: `low` becomes 0 and `high` becomes 1.
    ///
    /// O*NET's occupational interests run from 1 to 7, a 60-item inventory gives sums from 0 to 40.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) naming the letter whose value is outside `low..=high`.
    pub fn scaled(values: [f32; 6], low: f32, high: f32) -> Result<Self> {
        for (kind, value) in HollandType::ALL.iter().zip(values) {
            if !(low..=high).contains(&value) {
                let letter = kind.letter().to_ascii_lowercase();
                return Err(Error::invalid(format!("expected a value from {low} to {high}")).at_field(letter));
            }
        }
        Ok(Riasec(values.map(|value| (value - low) / (high - low) + 0.0)))
    }

    /// The value of one type.
    pub const fn get(&self, kind: HollandType) -> f32 {
        self.0[kind as usize]
    }

    /// All six, in the order R, I, A, S, E, C.
    pub const fn values(&self) -> &[f32; 6] {
        &self.0
    }

    /// The letters of the strongest types, strongest first; equal values in the order R, I, A, S, E, C.
    pub fn code(&self, letters: usize) -> String {
        let mut kinds = HollandType::ALL.to_vec();
        kinds.sort_by(|a, b| self.get(*b).total_cmp(&self.get(*a)));
        kinds.into_iter().take(letters).map(HollandType::letter).collect()
    }

    /// The direction of the profile: the six values less their mean, scaled to length 1.
    ///
    /// The dot product of two directions is Pearson's r of the two profiles. `None` for a flat profile (all six
    /// within one part in a million of each other), which points nowhere.
    pub fn direction(&self) -> Option<[f64; 6]> {
        let values = self.0.map(f64::from);
        let mean = values.iter().sum::<f64>() / 6.0;
        let centred = values.map(|value| value - mean);
        let length = centred.iter().map(|value| value * value).sum::<f64>().sqrt();
        (length > 1e-6).then(|| centred.map(|value| value / length))
    }

    /// Pearson's correlation with another profile, in `-1..=1`; `None` when either is flat.
    pub fn pearson(&self, other: &Riasec) -> Option<f64> {
        let (a, b) = (self.direction()?, other.direction()?);
        Some(dot(&a, &b))
    }
}

/// The dot product of two directions, kept within `-1..=1`.
fn dot(a: &[f64; 6], b: &[f64; 6]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>().clamp(-1.0, 1.0)
}

impl fmt::Debug for Riasec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Riasec({:?})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pearson_matches_a_worked_example() {
        // numpy.corrcoef([1,2,3,4,5,6], [2,1,4,3,6,5])[0,1] = 0.8285714285714286
        let a = Riasec::scaled([1., 2., 3., 4., 5., 6.], 0., 7.).expect("in range");
        let b = Riasec::scaled([2., 1., 4., 3., 6., 5.], 0., 7.).expect("in range");
        assert!((a.pearson(&b).expect("not flat") - 0.828_571_428_571_428_6).abs() < 1e-6);
    }

    #[test]
    fn a_flat_profile_has_no_correlation() {
        let flat = Riasec::new([0.4; 6]).expect("in range");
        assert_eq!(flat.pearson(&Riasec::new([0., 0.2, 0.4, 0.6, 0.8, 1.]).expect("in range")), None);
        assert_eq!(flat.code(3), "RIA");
    }

    #[test]
    fn the_letter_out_of_range_is_named() {
        let error = Riasec::new([0.1, 0.2, 1.5, 0.1, 0.1, 0.1]).expect_err("a is too high");
        assert_eq!(error.place().field.as_deref(), Some("a"));
        assert!(Riasec::new([f32::NAN, 0., 0., 0., 0., 0.]).is_err());
    }
}
