//! The time as databases keep it.

use career_core::store::KeyValue;
use jiff::Timestamp;

/// A time that was kept as microseconds of the Unix epoch; one out of range is the nearest in range.
pub(crate) fn from_micros(micros: i64) -> Timestamp {
    let nearest = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    KeyValue::from_micros(micros).and_then(|value| value.as_time()).unwrap_or(nearest)
}
