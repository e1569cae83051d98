//! Counting records: how many, and how many of each key and of each stretch of time.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::kind::{KeyType, KeyValue, Kind};
use super::query::{Filter, Freshness, Query, check_filters};
use crate::{Error, Result};

/// What is counted, and in what groups.
///
/// ```
/// use career_core::store::{Bucket, Count, Query};
///
/// // The ten careers most often saved, week by week.
/// let trend = Count::of(Query::all().key("kind", "saved")).by("candidate").by_time("at", Bucket::Week).largest(10);
/// assert_eq!(trend.groups.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Count {
    /// Which records.
    pub filters: Vec<Filter>,
    /// By what they are grouped; not at all gives one group, of all of them.
    pub groups: Vec<Grouping>,
    /// Only the largest groups, this many; else all, in the order of their keys.
    pub largest: Option<u32>,
    /// How fresh the answer must be.
    pub freshness: Freshness,
}

/// By what records are grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grouping {
    /// By the value of a key; records that lack it form a group of their own.
    Key(Cow<'static, str>),
    /// By the stretch of time in which a key falls, in UTC.
    Time(Cow<'static, str>, Bucket),
}

impl Count {
    /// Counts the records of a query; its order, limit and cursor do not matter.
    pub fn of(query: Query) -> Self {
        Count { filters: query.filters, groups: Vec::new(), largest: None, freshness: query.freshness }
    }

    /// One group for each value of the key.
    #[must_use]
    pub fn by(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.groups.push(Grouping::Key(key.into()));
        self
    }

    /// One group for each stretch of time that has any record.
    #[must_use]
    pub fn by_time(mut self, key: impl Into<Cow<'static, str>>, bucket: Bucket) -> Self {
        self.groups.push(Grouping::Time(key.into(), bucket));
        self
    }

    /// Only the largest groups, equal ones in the order of their keys.
    #[must_use]
    pub fn largest(mut self, groups: u32) -> Self {
        self.largest = Some(groups);
        self
    }

    /// Checks it against the kind. Every backend begins with it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a key that the kind does not have, a value of another
    /// type than the key's, a bucket over a key that is no time.
    pub fn check(&self, kind: &Kind) -> Result<()> {
        check_filters(&self.filters, kind)?;
        for group in &self.groups {
            match group {
                Grouping::Key(key) => drop(kind.key(key)?),
                Grouping::Time(key, _) if kind.key(key)?.0 == KeyType::Time => {}
                Grouping::Time(key, _) => {
                    return Err(Error::invalid("expected a key that holds times").at_field(&**key));
                }
            }
        }
        Ok(())
    }
}

/// A stretch of time, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bucket {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

impl Bucket {
    /// When the stretch began in which this time falls.
    ///
    /// ```
    /// use career_core::store::Bucket;
    ///
    /// let time = "2026-11-21T15:30:00Z".parse()?;
    /// assert_eq!(Bucket::Week.start(time).to_string(), "2026-11-16T00:00:00Z");
    /// assert_eq!(Bucket::Month.start(time).to_string(), "2026-11-01T00:00:00Z");
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn start(self, time: Timestamp) -> Timestamp {
        let zoned = time.to_zoned(TimeZone::UTC);
        let day = zoned.date();
        let start = match self {
            Bucket::Hour => day.at(zoned.hour(), 0, 0, 0),
            Bucket::Day => day.at(0, 0, 0, 0),
            // A time in the first days of the calendar has no Monday before it; its day stands for the week.
            Bucket::Week => {
                day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days()).unwrap_or(day).at(0, 0, 0, 0)
            }
            Bucket::Month => day.first_of_month().at(0, 0, 0, 0),
            Bucket::Year => day.first_of_year().at(0, 0, 0, 0),
        };
        start.to_zoned(TimeZone::UTC).map_or(time, |start: Zoned| start.timestamp())
    }
}

/// A group and how many records it has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// What its records share, in the order of [`Count::groups`]; of a time the start of the stretch.
    pub keys: Vec<KeyValue>,
    /// How many records.
    pub count: u64,
}

impl Group {
    /// A group.
    pub fn new(keys: Vec<KeyValue>, count: u64) -> Self {
        Group { keys, count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interaction;
    use crate::store::Record;

    #[test]
    fn buckets_begin_where_the_calendar_says() {
        let start = |bucket: Bucket, time: &str| bucket.start(time.parse().expect("a time")).to_string();
        assert_eq!(start(Bucket::Hour, "2024-02-29T23:59:59.999999Z"), "2024-02-29T23:00:00Z");
        assert_eq!(start(Bucket::Day, "1969-12-31T23:59:59Z"), "1969-12-31T00:00:00Z");
        assert_eq!(start(Bucket::Week, "2024-03-03T12:00:00Z"), "2024-02-26T00:00:00Z");
        assert_eq!(start(Bucket::Week, "2024-03-04T00:00:00Z"), "2024-03-04T00:00:00Z");
        assert_eq!(start(Bucket::Month, "2024-02-29T00:00:00Z"), "2024-02-01T00:00:00Z");
        assert_eq!(start(Bucket::Year, "2024-12-31T23:59:59Z"), "2024-01-01T00:00:00Z");
    }

    #[test]
    fn only_times_fall_into_buckets() {
        let count = Count::of(Query::all()).by_time("candidate", Bucket::Day);
        assert_eq!(count.check(Interaction::KIND).expect_err("no time").place().field.as_deref(), Some("candidate"));
        assert!(
            Count::of(Query::all()).by("candidate").by_time("created", Bucket::Day).check(Interaction::KIND).is_ok()
        );
    }
}
