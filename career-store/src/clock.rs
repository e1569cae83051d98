//! The time as databases keep it.

use career_core::store::KeyValue;
use jiff::Timestamp;

/// A time that was kept as microseconds of the Unix epoch, if it is in range.
pub(crate) fn from_micros(micros: i64) -> Option<Timestamp> {
    KeyValue::from_micros(micros).and_then(|value| value.as_time())
}
