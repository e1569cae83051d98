//! What a call costs.

use std::fmt;
use std::iter::Sum;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::Usage;

/// An amount in US dollars, in whole billionths of one.
///
/// ```
/// use career_llm::models::Cost;
///
/// let cost = Cost::from_nano_usd(12_300_000);
/// assert_eq!(cost.to_string(), "$0.0123");
/// let more = Cost::from_usd(2).and_then(|two| cost.checked_add(two));
/// assert_eq!(more, Some(Cost::from_nano_usd(2_012_300_000)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cost(u64);

impl Cost {
    /// Nothing.
    pub const ZERO: Cost = Cost(0);

    /// The largest amount: eighteen thousand million dollars.
    pub const MAX: Cost = Cost(u64::MAX);

    /// So many billionths of a dollar.
    pub const fn from_nano_usd(nano: u64) -> Self {
        Cost(nano)
    }

    /// So many dollars; `None` above [`MAX`](Cost::MAX).
    pub const fn from_usd(dollars: u64) -> Option<Self> {
        match dollars.checked_mul(1_000_000_000) {
            Some(nano) => Some(Cost(nano)),
            None => None,
        }
    }

    /// In billionths of a dollar.
    pub const fn as_nano_usd(self) -> u64 {
        self.0
    }

    /// Both together, if that can be said.
    #[must_use]
    pub const fn checked_add(self, other: Cost) -> Option<Cost> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Cost(sum)),
            None => None,
        }
    }

    /// What is left of this without the other; `None` when that is more.
    #[must_use]
    pub const fn checked_sub(self, other: Cost) -> Option<Cost> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Cost(rest)),
            None => None,
        }
    }

    /// Both together, at most [`MAX`](Cost::MAX).
    #[must_use]
    pub const fn saturating_add(self, other: Cost) -> Cost {
        Cost(self.0.saturating_add(other.0))
    }

    /// What is left of this without the other, at least nothing.
    #[must_use]
    pub const fn saturating_sub(self, other: Cost) -> Cost {
        Cost(self.0.saturating_sub(other.0))
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Cost>>(costs: I) -> Cost {
        costs.fold(Cost::ZERO, Cost::saturating_add)
    }
}

impl fmt::Display for Cost {
    /// In full, with at least the cents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:09}", self.0 % 1_000_000_000);
        let shown = fraction.trim_end_matches('0');
        f.pad(&format!("${}.{shown:0<2}", self.0 / 1_000_000_000))
    }
}

/// What tokens cost, in millionths of a US dollar for a million tokens: 2_500_000 is $2.50 for a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Rates {
    /// Tokens of the request that the cache did not touch.
    pub input: u64,
    /// Tokens of the request that were read from the provider's cache.
    pub cached: u64,
    /// Tokens of the request that were written into it.
    pub cache_write: u64,
    /// Tokens of the reply, thoughts included.
    pub output: u64,
}

impl Rates {
    /// So much in and out, with and without the cache.
    pub const fn new(input: u64, output: u64) -> Self {
        Rates { input, cached: input, cache_write: input, output }
    }

    fn cost(&self, usage: &Usage) -> Cost {
        let plain = usage.input.saturating_sub(usage.cached).saturating_sub(usage.cache_write);
        let parts = [
            (plain, self.input),
            (usage.cached, self.cached),
            (usage.cache_write, self.cache_write),
            (usage.output, self.output),
        ];
        // A millionth of a dollar for a million tokens is a thousandth of a billionth for one. Beyond
        // u128 it is beyond all measure anyway.
        let thousandths = parts.iter().try_fold(0_u128, |sum, (tokens, rate)| {
            sum.checked_add(u128::from(*tokens).checked_mul(u128::from(*rate))?)
        });
        let nano = thousandths.map_or(u128::MAX, |sum| sum.div_ceil(1000));
        Cost(u64::try_from(nano).unwrap_or(u64::MAX))
    }
}

/// Rates of requests with a long input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LongRates {
    /// Above how many tokens of input they hold, for the whole request.
    pub above: u64,
    /// They themselves.
    pub rates: Rates,
}

/// What a model costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Price {
    /// What tokens cost.
    pub rates: Rates,
    /// What they cost in requests with a long input, where that differs.
    pub long: Option<LongRates>,
    /// When this was the price.
    pub as_of: Date,
}

impl Price {
    /// A price of this day.
    pub const fn new(rates: Rates, as_of: Date) -> Self {
        Price { rates, long: None, as_of }
    }

    /// What a call cost, rounded up to a billionth of a dollar; [`Cost::MAX`] when it is beyond all measure.
    ///
    /// ```
    /// use career_llm::models::price;
    /// use career_llm::{ModelId, Usage};
    ///
    /// let price = price(&ModelId::new("groq", "llama-3.1-8b-instant")).expect("a known model");
    /// assert_eq!(price.cost(&Usage::new(1_000_000, 1_000_000)).to_string(), "$0.13");
    /// ```
    pub fn cost(&self, usage: &Usage) -> Cost {
        let long = self.long.filter(|long| usage.input > long.above);
        long.map_or(self.rates, |long| long.rates).cost(usage)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price() -> Price {
        let rates = Rates { input: 2_000_000, cached: 200_000, cache_write: 2_500_000, output: 10_000_000 };
        let long = LongRates { above: 1000, rates: Rates::new(4_000_000, 15_000_000) };
        Price { long: Some(long), ..Price::new(rates, jiff::civil::date(2026, 1, 1)) }
    }

    #[test]
    fn each_kind_of_token_has_its_rate() {
        let usage = Usage { input: 1000, cached: 300, cache_write: 200, output: 10, reasoning: 4 };
        assert_eq!(price().cost(&usage).as_nano_usd(), 500 * 2000 + 300 * 200 + 200 * 2500 + 10 * 10_000);
    }

    #[test]
    fn a_long_input_makes_the_whole_request_dearer() {
        assert_eq!(price().cost(&Usage::new(1000, 1)).as_nano_usd(), 2_000_000 + 10_000);
        assert_eq!(price().cost(&Usage::new(1001, 1)).as_nano_usd(), 1001 * 4000 + 15_000);
    }

    #[test]
    fn the_least_part_is_rounded_up_and_the_greatest_sum_saturates() {
        let tiny = Price::new(Rates::new(1, 0), jiff::civil::date(2026, 1, 1));
        assert_eq!(tiny.cost(&Usage::new(1, 0)), Cost::from_nano_usd(1));
        let huge = Price::new(Rates::new(u64::MAX, u64::MAX), jiff::civil::date(2026, 1, 1));
        assert_eq!(huge.cost(&Usage::new(u64::MAX, u64::MAX)), Cost::MAX);
    }

    #[test]
    fn amounts_are_shown_in_full() {
        for (nano, shown) in [
            (0, "$0.00"),
            (1, "$0.000000001"),
            (500_000_000, "$0.50"),
            (12_300_000, "$0.0123"),
            (u64::MAX, "$18446744073.709551615"),
        ] {
            assert_eq!(Cost::from_nano_usd(nano).to_string(), shown);
        }
        assert_eq!(Cost::from_usd(u64::MAX), None);
    }

    proptest! {
        /// More tokens of a kind never cost less, as long as the rates do not fall with length.
        #[test]
        fn more_tokens_never_cost_less(input in 0_u64..5000, output in 0_u64..5000, more in 0_u64..5000) {
            let cost = |input, output| price().cost(&Usage::new(input, output));
            prop_assert!(cost(input + more, output) >= cost(input, output));
            prop_assert!(cost(input, output + more) >= cost(input, output));
        }
    }
}
