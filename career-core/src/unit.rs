//! A number from 0 to 1.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A finite number in `0..=1`: a score, a weight of a skill, a confidence.
///
/// Unlike a float it is totally ordered, since it is never NaN.
///
/// ```
/// use career_core::Unit;
///
/// assert_eq!(Unit::new(0.25)?.get(), 0.25);
/// assert!(Unit::new(1.01).is_err());
/// assert!(Unit::new(f64::NAN).is_err());
/// assert_eq!(Unit::clamped(1.7), Unit::ONE);
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Unit(f64);

impl Unit {
    /// 0.
    pub const ZERO: Unit = Unit(0.0);
    /// 1.
    pub const ONE: Unit = Unit(1.0);

    /// Checks that the number is in `0..=1`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when it is not, or is NaN.
    pub fn new(value: f64) -> Result<Self> {
        if (0.0..=1.0).contains(&value) {
            // Adding zero turns -0.0 into 0.0, so that equal values have equal bytes.
            Ok(Unit(value + 0.0))
        } else {
            Err(Error::invalid("expected a value from 0 to 1"))
        }
    }

    /// The nearest number in `0..=1`; NaN becomes 0.
    pub fn clamped(value: f64) -> Self {
        if value.is_nan() { Unit::ZERO } else { Unit(value.clamp(0.0, 1.0) + 0.0) }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Eq for Unit {}

impl PartialOrd for Unit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Unit {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl TryFrom<f64> for Unit {
    type Error = Error;

    fn try_from(value: f64) -> Result<Self> {
        Unit::new(value)
    }
}

impl From<Unit> for f64 {
    fn from(value: Unit) -> f64 {
        value.0
    }
}

impl schemars::JsonSchema for Unit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Unit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}
