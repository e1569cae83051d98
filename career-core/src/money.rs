//! Money and pay: integer amounts with their currency and period.
//!
//! There are no floats here and no conversion between currencies: combining two amounts of different
//! currencies is an error, so that a figure never means something else than it says.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::macros::named_enum;
use crate::profile::ExperienceLevel;
use crate::{Error, ErrorKind, Result};

/// Months in a year of pay.
pub const MONTHS_PER_YEAR: i64 = 12;
/// Hours in a year of full-time pay: 52 weeks of 40 hours.
pub const HOURS_PER_YEAR: i64 = 2080;

/// A currency by its ISO 4217 code, such as `INR`.
///
/// ```
/// use career_core::Currency;
///
/// assert_eq!(Currency::INR.minor_digits(), 2);
/// assert_eq!("JPY".parse::<Currency>()?.minor_digits(), 0);
/// assert!("ABC".parse::<Currency>().is_err());
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The Indian rupee.
    pub const INR: Currency = Currency(*b"INR");
    /// The United States dollar.
    pub const USD: Currency = Currency(*b"USD");
    /// The euro.
    pub const EUR: Currency = Currency(*b"EUR");

    /// The three-letter code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII codes are ever stored")
    }

    /// Decimal digits of the minor unit: 2 for paise and cents, 0 for the yen.
    pub fn minor_digits(self) -> u32 {
        iso_currency::Currency::from_code(self.code()).and_then(iso_currency::Currency::exponent).map_or(0, u32::from)
    }

    fn minor_per_major(self) -> i64 {
        10_i64.pow(self.minor_digits())
    }
}

impl std::str::FromStr for Currency {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self> {
        let known = iso_currency::Currency::from_code(code).is_some();
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(bytes) if known && code.is_ascii() => Ok(Currency(bytes)),
            _ => Err(Error::invalid("expected an ISO 4217 currency code such as INR")),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = Error;

    fn try_from(code: String) -> Result<Self> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl schemars::JsonSchema for Currency {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 code" })
    }
}

named_enum! {
    /// What stretch of work a rate of pay is for.
    #[non_exhaustive]
    pub enum Period {
        /// A year.
        Year = "year",
        /// A month.
        Month = "month",
        /// An hour.
        Hour = "hour",
    }
}

/// An amount of money: an integer number of minor units (paise, cents) of one currency.
///
/// In JSON it is written in major units where it is whole, else in minor ones:
/// `{"major":600000,"currency":"INR"}` or `{"minor":1750,"currency":"USD"}`.
///
/// ```
/// use career_core::{Currency, Money};
///
/// let fee = Money::major(1_500, Currency::INR)?;
/// assert_eq!(fee.minor_units(), 150_000);
/// assert_eq!(fee.checked_add(fee)?.to_string(), "INR 3000");
/// assert!(fee.checked_add(Money::major(1, Currency::USD)?).is_err());
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "MoneyText", into = "MoneyText")]
#[schemars(with = "MoneyText")]
pub struct Money {
    minor: i64,
    currency: Currency,
}

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct MoneyText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    major: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minor: Option<i64>,
    currency: Currency,
}

impl TryFrom<MoneyText> for Money {
    type Error = Error;

    fn try_from(text: MoneyText) -> Result<Self> {
        match (text.major, text.minor) {
            (Some(major), None) => Money::major(major, text.currency),
            (None, Some(minor)) => Ok(Money::minor(minor, text.currency)),
            _ => Err(Error::invalid("expected exactly one of `major` and `minor`")),
        }
    }
}

impl From<Money> for MoneyText {
    fn from(money: Money) -> Self {
        let per_major = money.currency.minor_per_major();
        let whole = money.minor % per_major == 0;
        MoneyText {
            major: whole.then_some(money.minor / per_major),
            minor: (!whole).then_some(money.minor),
            currency: money.currency,
        }
    }
}

impl Money {
    /// An amount in minor units.
    pub const fn minor(minor: i64, currency: Currency) -> Self {
        Money { minor, currency }
    }

    /// An amount in major units.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] when it does not fit in 64 bits of minor units.
    pub fn major(major: i64, currency: Currency) -> Result<Self> {
        major
            .checked_mul(currency.minor_per_major())
            .map(|minor| Money { minor, currency })
            .ok_or_else(|| Error::invalid("the amount is too large"))
    }

    /// The amount in minor units.
    pub const fn minor_units(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Mismatch`] for different currencies, [`ErrorKind::Invalid`] on overflow.
    pub fn checked_add(self, other: Money) -> Result<Money> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or_else(|| Error::invalid("the amount is too large"))?;
        Ok(Money { minor, ..self })
    }

    /// The difference.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Mismatch`] for different currencies, [`ErrorKind::Invalid`] on overflow.
    pub fn checked_sub(self, other: Money) -> Result<Money> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or_else(|| Error::invalid("the amount is too large"))?;
        Ok(Money { minor, ..self })
    }

    /// Which is more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Mismatch`] for different currencies.
    pub fn compare(self, other: Money) -> Result<Ordering> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    fn same_currency(self, other: Money) -> Result<()> {
        if self.currency == other.currency {
            Ok(())
        } else {
            let message = format!("amounts in {} and {} cannot be combined", self.currency, other.currency);
            Err(Error::new(ErrorKind::Mismatch, message))
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_major = self.currency.minor_per_major().unsigned_abs();
        let (major, minor) = (self.minor.unsigned_abs() / per_major, self.minor.unsigned_abs() % per_major);
        let sign = if self.minor < 0 { "-" } else { "" };
        write!(f, "{} {sign}{major}", self.currency)?;
        if minor != 0 {
            write!(f, ".{minor:0width$}", width = self.currency.minor_digits() as usize)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A range of pay: at least, and perhaps at most, so much a period. Whole major units of one currency.
///
/// JSON: `{"currency":"INR","period":"year","min":600000,"max":1200000}`; `max` may be missing.
///
/// ```
/// use career_core::{Currency, PayRange, Period};
///
/// let wish = PayRange::new(Currency::INR, Period::Month, 50_000, Some(80_000))?;
/// assert_eq!(wish.yearly(), (600_000, Some(960_000)));
/// assert!(PayRange::new(Currency::INR, Period::Year, 2, Some(1)).is_err());
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "PayRangeText", into = "PayRangeText")]
#[schemars(with = "PayRangeText")]
pub struct PayRange {
    currency: Currency,
    period: Period,
    min: i64,
    max: Option<i64>,
}

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct PayRangeText {
    currency: Currency,
    #[serde(default = "per_year")]
    period: Period,
    #[serde(default)]
    min: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<i64>,
}

fn per_year() -> Period {
    Period::Year
}

impl TryFrom<PayRangeText> for PayRange {
    type Error = Error;

    fn try_from(text: PayRangeText) -> Result<Self> {
        PayRange::new(text.currency, text.period, text.min, text.max)
    }
}

impl From<PayRange> for PayRangeText {
    fn from(PayRange { currency, period, min, max }: PayRange) -> Self {
        PayRangeText { currency, period, min, max }
    }
}

/// Largest amount of pay that is taken, in major units: a bound that keeps every conversion exact.
pub const PAY_MAX: i64 = 1_000_000_000_000;

impl PayRange {
    /// A range in major units of the currency.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] naming the field unless `0 <= min <= max <=` [`PAY_MAX`].
    pub fn new(currency: Currency, period: Period, min: i64, max: Option<i64>) -> Result<Self> {
        if !(0..=PAY_MAX).contains(&min) {
            return Err(Error::invalid("expected an amount that is not negative").at_field("min"));
        }
        if max.is_some_and(|max| max < min || max > PAY_MAX) {
            return Err(Error::invalid("expected an amount that is not below `min`").at_field("max"));
        }
        Ok(PayRange { currency, period, min, max })
    }

    /// The currency.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The period.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// The least, in major units a period.
    pub const fn min(&self) -> i64 {
        self.min
    }

    /// The most, in major units a period; `None` is open.
    pub const fn max(&self) -> Option<i64> {
        self.max
    }

    /// The range in major units a year, at [`MONTHS_PER_YEAR`] and [`HOURS_PER_YEAR`].
    pub fn yearly(&self) -> (i64, Option<i64>) {
        let times = match self.period {
            Period::Year => 1,
            Period::Month => MONTHS_PER_YEAR,
            Period::Hour => HOURS_PER_YEAR,
        };
        (self.min * times, self.max.map(|max| max * times))
    }
}

impl fmt::Display for PayRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max {
            Some(max) => write!(f, "{} {} to {} a {}", self.currency, self.min, max, self.period),
            None => write!(f, "{} {} or more a {}", self.currency, self.min, self.period),
        }
    }
}

/// Three bands of usual pay: at entry, in mid-career, as a senior. Whole major units of one currency.
///
/// Each band is `[min, max]` with `min <= max`, and neither end falls from one band to the next.
/// `as_of` is the year of the estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "SalaryBandsText", into = "SalaryBandsText")]
#[schemars(with = "SalaryBandsText")]
pub struct SalaryBands {
    currency: Currency,
    period: Period,
    as_of: i16,
    bands: [(i64, i64); 3],
}

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct SalaryBandsText {
    currency: Currency,
    period: Period,
    as_of: i16,
    entry: (i64, i64),
    mid: (i64, i64),
    senior: (i64, i64),
}

impl TryFrom<SalaryBandsText> for SalaryBands {
    type Error = Error;

    fn try_from(text: SalaryBandsText) -> Result<Self> {
        SalaryBands::new(text.currency, text.period, text.as_of, [text.entry, text.mid, text.senior])
    }
}

impl From<SalaryBands> for SalaryBandsText {
    fn from(SalaryBands { currency, period, as_of, bands: [entry, mid, senior] }: SalaryBands) -> Self {
        SalaryBandsText { currency, period, as_of, entry, mid, senior }
    }
}

impl SalaryBands {
    /// Bands in the order entry, mid, senior.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] naming the band whose ends are out of order or fall below the band before, or
    /// `as_of` when the year is not from 1900 to 2200.
    pub fn new(currency: Currency, period: Period, as_of: i16, bands: [(i64, i64); 3]) -> Result<Self> {
        if !(1900..=2200).contains(&as_of) {
            return Err(Error::invalid("expected a year from 1900 to 2200").at_field("as_of"));
        }
        let mut before = (0, 0);
        for (name, (min, max)) in ["entry", "mid", "senior"].into_iter().zip(bands) {
            PayRange::new(currency, period, min, Some(max)).map_err(|e| e.at_field(name))?;
            if min < before.0 || max < before.1 {
                return Err(Error::invalid("expected a band that is not below the band before it").at_field(name));
            }
            before = (min, max);
        }
        Ok(SalaryBands { currency, period, as_of, bands })
    }

    /// The currency.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The year of the estimate.
    pub const fn as_of(&self) -> i16 {
        self.as_of
    }

    /// The band of an experience level: junior people are paid by the entry band.
    pub fn band(&self, level: ExperienceLevel) -> PayRange {
        let (min, max) = self.bands[level as usize];
        PayRange { currency: self.currency, period: self.period, min, max: Some(max) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_round_trips_in_the_unit_that_is_whole() {
        for (minor, text) in
            [(60_000_000, r#"{"major":600000,"currency":"INR"}"#), (-175, r#"{"minor":-175,"currency":"INR"}"#)]
        {
            let money = Money::minor(minor, Currency::INR);
            assert_eq!(serde_json::to_string(&money).expect("serialises"), text);
            assert_eq!(serde_json::from_str::<Money>(text).expect("parses"), money);
        }
        assert!(serde_json::from_str::<Money>(r#"{"major":1,"minor":2,"currency":"INR"}"#).is_err());
        assert_eq!(Money::minor(-175, Currency::INR).to_string(), "INR -1.75");
        assert_eq!(Money::minor(5, "JPY".parse().expect("known")).to_string(), "JPY 5");
    }

    #[test]
    fn currencies_do_not_mix_and_overflow_is_an_error() {
        let (inr, usd) = (Money::minor(1, Currency::INR), Money::minor(1, Currency::USD));
        assert_eq!(inr.checked_sub(usd).expect_err("differs").kind(), ErrorKind::Mismatch);
        assert_eq!(inr.compare(usd).expect_err("differs").kind(), ErrorKind::Mismatch);
        assert!(Money::minor(i64::MAX, Currency::INR).checked_add(inr).is_err());
        assert!(Money::major(i64::MAX, Currency::INR).is_err());
    }

    #[test]
    fn bands_name_the_one_that_falls() {
        let error =
            SalaryBands::new(Currency::INR, Period::Year, 2025, [(1, 5), (2, 4), (3, 9)]).expect_err("mid falls");
        assert_eq!(error.place().field.as_deref(), Some("mid"));
        let error =
            SalaryBands::new(Currency::INR, Period::Year, 2025, [(6, 5), (7, 8), (9, 9)]).expect_err("reversed");
        assert_eq!(error.place().field.as_deref(), Some("entry.max"));
    }
}
