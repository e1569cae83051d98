//! Which of two templates people like better, and how sure that is.
//!
//! Of a rating only the count and the sum of the stars are kept. Stars are therefore taken as shares of the way from 1
//! to 5. A share between 0 and 1 varies most when it is only ever 0 or 1 (Bhatia and Davis, *A better bound on the
//! variance*, Amer. Math. Monthly 107, 2000), so Wilson's score interval for a proportion (*Probable inference*,
//! J. Amer. Stat. Assoc. 22, 1927) is wide enough for it. Two templates are compared by the interval for a difference
//! that Newcombe makes of two of Wilson's (method 10 of *Interval estimation for the difference between independent
//! proportions*, Statistics in Medicine 17, 1998). All are at 95%, and all take ratings as independent: somebody who
//! rates ten times counts as ten.

use career_core::Rating;

/// The quantile of the normal distribution for 95% on two sides.
const Z: f64 = 1.959_963_984_540_054;
/// From the least to the most stars.
const SPAN: f64 = 4.0;

/// What the ratings of a template say.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Score {
    /// How many ratings.
    pub count: u64,
    /// The mean, in stars; `None` without a rating.
    pub mean: Option<f64>,
    /// The mean is hardly below this, in stars. Lists are sorted by it: one rating of 5 stars proves little.
    pub low: f64,
    /// The mean is hardly above this, in stars.
    pub high: f64,
}

impl Score {
    /// The score of ratings.
    ///
    /// ```
    /// use career_core::Rating;
    /// use career_llm::prompts::Score;
    ///
    /// let mut one = Rating::default();
    /// one.add(5)?;
    /// let mut many = Rating::default();
    /// for stars in [5, 4, 5, 5, 4, 5, 5, 5, 4, 5] {
    ///     many.add(stars)?;
    /// }
    /// assert!(Score::of(&many).low > Score::of(&one).low);
    /// # Ok::<(), career_core::Error>(())
    /// ```
    pub fn of(rating: &Rating) -> Self {
        let share = share(rating);
        let (low, high) = wilson(share.unwrap_or(0.5), rating.count);
        Score {
            count: rating.count,
            mean: share.map(|share| 1.0 + SPAN * share),
            low: 1.0 + SPAN * low,
            high: 1.0 + SPAN * high,
        }
    }
}

/// Which of two is liked better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The first.
    First,
    /// The second.
    Second,
    /// The ratings do not tell them apart.
    Undecided,
}

/// Two templates by their ratings.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// The first.
    pub first: Score,
    /// The second.
    pub second: Score,
    /// How many stars the first is above the second, on the mean; `None` when one has no rating.
    pub difference: Option<f64>,
    /// The difference is hardly below this.
    pub low: f64,
    /// The difference is hardly above this.
    pub high: f64,
    /// What follows.
    pub verdict: Verdict,
}

impl Comparison {
    /// Compares ratings.
    pub fn of(first: &Rating, second: &Rating) -> Self {
        let scores = (Score::of(first), Score::of(second));
        let both = share(first).zip(share(second));
        let (low, high) = both.map_or((-1.0, 1.0), |(one, two)| {
            let ((l1, u1), (l2, u2)) = (wilson(one, first.count), wilson(two, second.count));
            let apart = one - two;
            (apart - (one - l1).hypot(u2 - two), apart + (u1 - one).hypot(two - l2))
        });
        let verdict = match both {
            Some(_) if low > 0.0 => Verdict::First,
            Some(_) if high < 0.0 => Verdict::Second,
            _ => Verdict::Undecided,
        };
        let difference = both.map(|(one, two)| SPAN * (one - two));
        Comparison { first: scores.0, second: scores.1, difference, low: SPAN * low, high: SPAN * high, verdict }
    }
}

/// The mean as a share of the way from 1 to 5 stars.
fn share(rating: &Rating) -> Option<f64> {
    rating.mean().map(|mean| ((mean - 1.0) / SPAN).clamp(0.0, 1.0))
}

/// Wilson's score interval.
fn wilson(share: f64, count: u64) -> (f64, f64) {
    if count == 0 {
        return (0.0, 1.0);
    }
    let n = count as f64;
    let z2 = Z * Z;
    let centre = share + z2 / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    (((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// So many ratings of 5 stars, the rest of 1: a proportion.
    fn proportion(fives: u64, of: u64) -> Rating {
        let mut rating = Rating::default();
        (0..of).for_each(|at| rating.add(if at < fives { 5 } else { 1 }).expect("a star"));
        rating
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 5e-5, "{found} is not {expected}");
    }

    #[test]
    fn the_interval_is_the_published_one_for_a_proportion() {
        // Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3.
        for (fives, of, low, high) in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)] {
            let (found_low, found_high) = wilson(fives as f64 / of as f64, of);
            near(found_low, low);
            near(found_high, high);
        }
    }

    #[test]
    fn the_difference_is_the_published_one_for_two_proportions() {
        // Newcombe, Interval estimation for the difference, 1998, table II, method 10: 56/70 and 48/80.
        let found = Comparison::of(&proportion(56, 70), &proportion(48, 80));
        near(found.low / SPAN, 0.0524);
        near(found.high / SPAN, 0.3339);
        assert_eq!((found.verdict, found.difference.map(|d| (d * 1e9).round() / 1e9)), (Verdict::First, Some(0.8)));
    }

    #[test]
    fn few_ratings_or_none_decide_nothing() {
        assert_eq!(Comparison::of(&proportion(1, 1), &proportion(0, 1)).verdict, Verdict::Undecided);
        let none = Comparison::of(&Rating::default(), &proportion(50, 50));
        assert_eq!((none.verdict, none.difference, none.low, none.high), (Verdict::Undecided, None, -4.0, 4.0));
        assert_eq!((none.first.low, none.first.high, none.first.mean), (1.0, 5.0, None));
    }

    proptest! {
        #[test]
        fn the_mean_is_within_its_interval_and_comparison_is_antisymmetric(
            one in proptest::collection::vec(1_u8..=5, 0..60), two in proptest::collection::vec(1_u8..=5, 0..60),
        ) {
            let rated = |stars: &[u8]| {
                let mut rating = Rating::default();
                stars.iter().for_each(|stars| rating.add(*stars).expect("a star"));
                rating
            };
            let (one, two) = (rated(&one), rated(&two));
            let score = Score::of(&one);
            if let Some(mean) = score.mean {
                prop_assert!(score.low <= mean + 1e-9 && mean <= score.high + 1e-9);
            }
            let (there, back) = (Comparison::of(&one, &two), Comparison::of(&two, &one));
            prop_assert!((there.low + back.high).abs() < 1e-9 && (there.high + back.low).abs() < 1e-9);
            prop_assert_eq!(there.verdict == Verdict::First, back.verdict == Verdict::Second);
        }
    }
}
