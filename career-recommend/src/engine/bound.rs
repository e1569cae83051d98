//! What is known of a scorer's values from columns alone.

use career_core::{Currency, ExperienceLevel, HeldSkill, Profile, Tag, Unit};

/// A group of small codes in the word of bits that each candidate has: one bit for each value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Streams,
    JobZone,
    Outlook,
    StressBalance,
    TravelRemote,
    Seniority,
}

impl Field {
    /// The lowest bit of the group.
    pub(crate) const fn shift(self) -> u32 {
        match self {
            Field::Streams => 0,
            Field::JobZone => 8,
            Field::Outlook => 13,
            Field::StressBalance => 17,
            Field::TravelRemote => 24,
            Field::Seniority => 31,
        }
    }

    /// How many bits it has, at most 8.
    pub(crate) const fn width(self) -> u32 {
        match self {
            Field::Streams => 8,
            Field::JobZone => 5,
            Field::Outlook => 4,
            Field::StressBalance | Field::TravelRemote => 7,
            Field::Seniority => 3,
        }
    }

    const fn flag(self) -> Flag {
        match self {
            Field::Streams => Flag::Streams,
            Field::JobZone => Flag::JobZone,
            Field::Outlook => Flag::Outlook,
            Field::StressBalance => Flag::Stress,
            Field::TravelRemote => Flag::Travel,
            Field::Seniority => Flag::Seniority,
        }
    }
}

/// The bit that says whether a candidate has a thing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    Streams = 40,
    JobZone,
    Outlook,
    Stress,
    Balance,
    Hours,
    Travel,
    Remote,
    Seniority,
    Riasec,
    Tags,
    Skills,
    Pay,
    Location,
    Values,
    Embedding,
}

impl Flag {
    pub(crate) const fn bit(self) -> u64 {
        1 << self as u32
    }
}

/// When a candidate gives evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// If and only if it has any of these flags.
    Any(u64),
    /// Only if it has any of these flags, and perhaps not even then.
    Perhaps(u64),
    /// Unknown.
    Unknown,
}

impl When {
    /// Whether a candidate with at least the flags `all` surely gives evidence.
    pub(crate) fn certain(self, all: u64) -> bool {
        matches!(self, When::Any(mask) if all & mask != 0)
    }

    /// Whether a candidate with at most the flags `some` can give evidence.
    pub(crate) fn possible(self, some: u64) -> bool {
        match self {
            When::Any(mask) | When::Perhaps(mask) => some & mask != 0,
            When::Unknown => true,
        }
    }
}

/// An upper bound of a scorer's values for one profile, from columns alone.
///
/// A bound only decides which candidates the engine looks at; what it returns is always the scorer's own value.
/// A host's scorer returns [`unknown`](Bound::unknown), [`no_evidence`](Bound::no_evidence) or
/// [`at_most`](Bound::at_most).
#[derive(Debug, Clone)]
pub struct Bound(pub(crate) Kind);

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    NoEvidence,
    Constant {
        max: f32,
        when: When,
    },
    /// `exact` when the value depends on nothing but these bits and flags.
    Table {
        shift: u32,
        mask: u64,
        table: Box<[f32; 256]>,
        when: When,
        exact: bool,
    },
    Interest {
        types: f32,
        topics: f32,
        direction: Option<[f32; 6]>,
        tags: Vec<Tag>,
    },
    Skills {
        held: Vec<HeldSkill>,
    },
    Pay {
        wish: f32,
        currency: Currency,
        level: ExperienceLevel,
    },
}

impl Bound {
    /// Nothing is known: any value, with evidence or without. Always right.
    pub fn unknown() -> Self {
        Bound(Kind::Constant { max: 1.0, when: When::Unknown })
    }

    /// For this profile the scorer gives no evidence, whatever the candidate.
    pub fn no_evidence() -> Self {
        Bound(Kind::NoEvidence)
    }

    /// For this profile no candidate gets more than this.
    pub fn at_most(max: Unit) -> Self {
        Bound(Kind::Constant { max: round_up(max.get()), when: When::Unknown })
    }

    /// Any value, with evidence exactly when the candidate has the flag.
    pub(crate) fn one_if(flag: Flag) -> Self {
        Bound(Kind::Constant { max: 1.0, when: When::Any(flag.bit()) })
    }

    /// Any value, with evidence only when the candidate has the flag.
    pub(crate) fn one_maybe(flag: Flag) -> Self {
        Bound(Kind::Constant { max: 1.0, when: When::Perhaps(flag.bit()) })
    }

    /// The best value over the set bits of a field, with evidence exactly when the field is known.
    pub(crate) fn table(field: Field, best: impl Fn(u8) -> f64) -> Self {
        Bound::table_of(field, [field.flag()].into_iter(), true, best)
    }

    /// The best value over the set bits of a field, with evidence exactly when any of the flags is there. `exact` says
    /// that the value depends on nothing else.
    pub(crate) fn table_of(
        field: Field,
        flags: impl Iterator<Item = Flag>,
        exact: bool,
        best: impl Fn(u8) -> f64,
    ) -> Self {
        let any = flags.fold(0, |mask, flag| mask | flag.bit());
        if any == 0 {
            return Bound::no_evidence();
        }
        let mut table = Box::new([0.0; 256]);
        for (bits, value) in table.iter_mut().enumerate().take(1 << field.width()) {
            *value = round_up(best(bits as u8));
        }
        let mask = (1 << field.width()) - 1;
        Bound(Kind::Table { shift: field.shift(), mask, table, when: When::Any(any), exact })
    }

    pub(crate) fn interest(types: f64, topics: f64, profile: &Profile) -> Self {
        let direction = profile.riasec.as_ref().and_then(career_core::Riasec::direction);
        if direction.is_none() && profile.tags.is_empty() {
            return Bound::no_evidence();
        }
        let largest = types.max(topics);
        let (types, topics) = (types / largest, topics / largest);
        if types.min(topics) < LEAST_WEIGHT {
            return Bound::unknown();
        }
        let direction = direction.map(|direction| direction.map(|x| x as f32));
        Bound(Kind::Interest { types: types as f32, topics: topics as f32, direction, tags: profile.tags.clone() })
    }

    pub(crate) fn skills(profile: &Profile) -> Self {
        if profile.skills.is_empty() {
            return Bound::no_evidence();
        }
        Bound(Kind::Skills { held: profile.skills.to_vec() })
    }

    pub(crate) fn pay(profile: &Profile) -> Self {
        match profile.salary {
            None => Bound::no_evidence(),
            Some(wish) => Bound(Kind::Pay {
                wish: round_down(wish.yearly().0 as f64),
                currency: wish.currency(),
                level: profile.experience_level(),
            }),
        }
    }
}

/// A weight that is a smaller share than this of the largest cannot be told from 0 in bounds.
pub(crate) const LEAST_WEIGHT: f64 = 1e-20;

/// The nearest `f32` that is not below.
pub(crate) fn round_up(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) < value { near.next_up() } else { near }
}

/// The nearest `f32` that is not above.
pub(crate) fn round_down(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) > value { near.next_down() } else { near }
}
