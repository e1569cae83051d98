//! How much may be spent, by whom, and in what time.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

use super::Account;
use crate::models::Cost;
use crate::{Error, ErrorKind, Result};

/// How long a budget lasts before it begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

/// What becomes of a model without a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnknownPrice {
    /// Its calls fail with [`ErrorKind::Config`](crate::ErrorKind::Config).
    Refuse,
    /// Its calls cost nothing, as those of a model that runs here.
    Free,
}

/// How much may be spent in a period.
///
/// ```
/// use career_llm::layer::{Budget, Period};
/// use career_llm::models::Cost;
///
/// let budget = Budget::in_all(Period::Month, Cost::from_nano_usd(2_500_000_000));
/// assert_eq!(budget.to_string(), "$2.50 a month in all");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Budget {
    /// Whether each caller ([`on_behalf_of`](crate::ChatRequest::on_behalf_of)) has it, or all share it. Calls on
    /// nobody's behalf share one.
    pub per_caller: bool,
    /// How long it lasts.
    pub period: Period,
    /// How much.
    pub limit: Cost,
}

impl Budget {
    /// So much for each caller.
    pub const fn per_caller(period: Period, limit: Cost) -> Self {
        Budget { per_caller: true, period, limit }
    }

    /// So much for all calls together.
    pub const fn in_all(period: Period, limit: Cost) -> Self {
        Budget { per_caller: false, period, limit }
    }

    /// The account that a call at this time is billed to.
    pub(super) fn account(&self, caller: Option<&str>, at: Timestamp, zone: &TimeZone) -> Result<Account> {
        let at = at.to_zoned(zone.clone());
        let date = match self.period {
            Period::Day => at.strftime("day %Y-%m-%d").to_string(),
            Period::Month => at.strftime("month %Y-%m").to_string(),
        };
        let name = match (self.per_caller, caller) {
            (true, Some(caller)) => format!("{date} by {caller}"),
            (true, None) => format!("{date} by"),
            (false, _) => format!("{date} all"),
        };
        Ok(Account { name, limit: self.limit, ends: self.end(&at)? })
    }

    fn end(&self, at: &Zoned) -> Result<Timestamp> {
        let end = match self.period {
            Period::Day => at.start_of_day().and_then(|start| start.checked_add(1.day())),
            Period::Month => at
                .first_of_month()
                .and_then(|first| first.start_of_day())
                .and_then(|start| start.checked_add(1.month())),
        };
        end.map(|end| end.timestamp())
            .map_err(|error| Error::new(ErrorKind::Config, "the clock is beyond the calendar").with_source(error))
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = match self.period {
            Period::Day => "a day",
            Period::Month => "a month",
        };
        let whose = if self.per_caller { "for each caller" } else { "in all" };
        write!(f, "{} {period} {whose}", self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_begins_and_ends_where_the_host_lives() {
        let at: Timestamp = "2026-11-30T20:00:00Z".parse().expect("a time");
        let india = TimeZone::fixed(jiff::tz::offset(5));
        let account = |period, zone: &TimeZone| {
            let account = Budget::per_caller(period, Cost::ZERO).account(Some("u"), at, zone).expect("an account");
            format!("{} until {}", account.name, account.ends)
        };
        assert_eq!(account(Period::Day, &TimeZone::UTC), "day 2026-11-30 by u until 2026-12-01T00:00:00Z");
        assert_eq!(account(Period::Month, &TimeZone::UTC), "month 2026-11 by u until 2026-12-01T00:00:00Z");
        assert_eq!(account(Period::Day, &india), "day 2026-12-01 by u until 2026-12-01T19:00:00Z");
        assert_eq!(account(Period::Month, &india), "month 2026-12 by u until 2026-12-31T19:00:00Z");
    }

    #[test]
    fn accounts_do_not_run_together() {
        let name = |budget: Budget, caller| {
            budget.account(caller, Timestamp::UNIX_EPOCH, &TimeZone::UTC).expect("an account").name
        };
        let (each, all) = (Budget::per_caller(Period::Day, Cost::ZERO), Budget::in_all(Period::Day, Cost::ZERO));
        let names = [name(each, None), name(each, Some("")), name(each, Some("all")), name(all, Some("x"))];
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), 4, "{names:?}");
        assert_eq!(name(all, Some("x")), name(all, None));
    }
}
