//! What work is like: hours, place, stress, travel, values, styles, outlook.

use serde::{Deserialize, Serialize};

use crate::macros::named_enum;
use crate::{Error, Result, Unit};

named_enum! {
    /// How stressful the work usually is.
    #[non_exhaustive]
    pub enum Stress {
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
    }
}

named_enum! {
    /// How well the work usually leaves room for life.
    #[non_exhaustive]
    pub enum Balance {
        /// Poor.
        Poor = "poor",
        /// Moderate.
        Moderate = "moderate",
        /// Good.
        Good = "good",
        /// Excellent.
        Excellent = "excellent",
    }
}

named_enum! {
    /// How much one travels for the work.
    #[non_exhaustive]
    pub enum Travel {
        /// Not at all.
        None = "none",
        /// A few times a year.
        Rare = "rare",
        /// Some days a month.
        Some = "some",
        /// Most weeks.
        Frequent = "frequent",
    }
}

named_enum! {
    /// How much of the work can be done from elsewhere.
    #[non_exhaustive]
    pub enum Remote {
        /// None of it.
        None = "none",
        /// Part of it.
        Partial = "partial",
        /// All of it.
        Full = "full",
    }
}

named_enum! {
    /// Where demand for the work is heading.
    #[non_exhaustive]
    pub enum Outlook {
        /// Fewer openings each year.
        Declining = "declining",
        /// About the same.
        Stable = "stable",
        /// More each year.
        Growing = "growing",
        /// More openings than people.
        HighDemand = "high-demand",
    }
}

named_enum! {
    /// Where the work is done.
    #[non_exhaustive]
    pub enum Environment {
        /// An office.
        Office = "office",
        /// From home.
        Home = "home",
        /// A laboratory.
        Lab = "lab",
        /// Visits and surveys out in the field.
        Field = "field",
        /// A factory or plant.
        Factory = "factory",
        /// A workshop.
        Workshop = "workshop",
        /// A hospital.
        Hospital = "hospital",
        /// A clinic or practice.
        Clinic = "clinic",
        /// A classroom.
        Classroom = "classroom",
        /// A studio.
        Studio = "studio",
        /// A stage or set.
        Stage = "stage",
        /// A shop or salon.
        Shop = "shop",
        /// A kitchen.
        Kitchen = "kitchen",
        /// A hotel or restaurant.
        Hotel = "hotel",
        /// A court.
        Court = "court",
        /// A farm.
        Farm = "farm",
        /// A construction or project site.
        Site = "site",
        /// A road or rail vehicle.
        Vehicle = "vehicle",
        /// A ship.
        Ship = "ship",
        /// An aircraft.
        Aircraft = "aircraft",
        /// Outdoors.
        Outdoors = "outdoors",
        /// A military or police base.
        Base = "base",
    }
}

/// Usual hours of work a week.
///
/// JSON: `[40, 48]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "(u8, u8)", into = "(u8, u8)")]
#[schemars(with = "(u8, u8)")]
pub struct WeeklyHours {
    low: u8,
    high: u8,
}

impl WeeklyHours {
    /// From `low` to `high` hours a week.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) unless `1 <= low <= high <= 168`.
    pub fn new(low: u8, high: u8) -> Result<Self> {
        if 1 <= low && low <= high && high <= 168 {
            Ok(WeeklyHours { low, high })
        } else {
            Err(Error::invalid("expected two numbers of hours a week, the lower first, from 1 to 168"))
        }
    }

    /// The lower end.
    pub const fn low(self) -> u8 {
        self.low
    }

    /// The upper end.
    pub const fn high(self) -> u8 {
        self.high
    }
}

impl TryFrom<(u8, u8)> for WeeklyHours {
    type Error = Error;

    fn try_from((low, high): (u8, u8)) -> Result<Self> {
        WeeklyHours::new(low, high)
    }
}

impl From<WeeklyHours> for (u8, u8) {
    fn from(hours: WeeklyHours) -> Self {
        (hours.low, hours.high)
    }
}

/// What the work is usually like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WorkConditions {
    /// Usual hours a week.
    pub hours_per_week: WeeklyHours,
    /// Where it is done, the main place first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub environments: Vec<Environment>,
    /// How stressful it is.
    pub stress: Stress,
    /// How much room it leaves for life.
    pub balance: Balance,
    /// How much one travels.
    pub travel: Travel,
    /// How much can be done from elsewhere.
    pub remote: Remote,
}

/// How far work meets six needs, or how much a person wants each, 0 to 1.
///
/// The six are the work values of the Minnesota Theory of Work Adjustment (R. V. Dawis and L. H. Lofquist, 1984)
/// in the names that O*NET uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "the theory has exactly six")]
pub struct WorkValues {
    /// Results that show, use of one's abilities.
    pub achievement: Unit,
    /// Working on one's own and deciding.
    pub independence: Unit,
    /// Advancement, prestige, leadership.
    pub recognition: Unit,
    /// Friendly colleagues, serving others.
    pub relationships: Unit,
    /// Management that stands behind its people.
    pub support: Unit,
    /// Job security and good working conditions.
    pub conditions: Unit,
}

impl WorkValues {
    /// The six in the order of the fields.
    pub const fn to_array(&self) -> [Unit; 6] {
        [self.achievement, self.independence, self.recognition, self.relationships, self.support, self.conditions]
    }

    /// Names of the six in the order of [`to_array`](WorkValues::to_array).
    pub const NAMES: [&'static str; 6] =
        ["achievement", "independence", "recognition", "relationships", "support", "conditions"];
}

named_enum! {
    /// A personal style that matters for doing the work well: O*NET's sixteen work styles.
    #[non_exhaustive]
    pub enum WorkStyle {
        /// Sets and reaches hard goals.
        AchievementOrientation = "achievement-orientation",
        /// Goes on in the face of obstacles.
        Persistence = "persistence",
        /// Takes on duties and challenges.
        Initiative = "initiative",
        /// Leads and takes charge.
        Leadership = "leadership",
        /// Is pleasant and helpful with others.
        Cooperation = "cooperation",
        /// Is sensitive to others' needs and feelings.
        ConcernForOthers = "concern-for-others",
        /// Likes to work with people rather than alone.
        SocialOrientation = "social-orientation",
        /// Keeps calm and in control.
        SelfControl = "self-control",
        /// Takes criticism and stress calmly.
        StressTolerance = "stress-tolerance",
        /// Is open to change and variety.
        Adaptability = "adaptability",
        /// Is reliable and fulfils duties.
        Dependability = "dependability",
        /// Is careful and thorough.
        AttentionToDetail = "attention-to-detail",
        /// Is honest and ethical.
        Integrity = "integrity",
        /// Guides oneself with little supervision.
        Independence = "independence",
        /// Thinks creatively.
        Innovation = "innovation",
        /// Analyses and reasons.
        AnalyticalThinking = "analytical-thinking",
    }
}
