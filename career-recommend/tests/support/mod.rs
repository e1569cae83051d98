//! Strategies that make candidates and profiles, with every field sometimes missing.

use std::sync::Arc;

use career_core::*;
use career_recommend::{Candidate, Pay, Scorer, scorers};
use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

pub(crate) fn unit() -> impl Strategy<Value = Unit> {
    prop_oneof![Just(Unit::ZERO), Just(Unit::ONE), (0..=100_u32).prop_map(|n| Unit::clamped(f64::from(n) / 100.0))]
}

pub(crate) fn riasec() -> impl Strategy<Value = Riasec> {
    // Few steps, so that flat profiles and equal scores come up.
    prop_oneof![
        9 => [0..5_u8, 0..5, 0..5, 0..5, 0..5, 0..5].prop_map(|v| Riasec::new(v.map(|v| f32::from(v) / 4.0)).expect("in range")),
        1 => Just(Riasec::new([0.5; 6]).expect("in range")),
    ]
}

pub(crate) fn level() -> impl Strategy<Value = SkillLevel> {
    (1..=5_u8).prop_map(|level| SkillLevel::new(level).expect("1 to 5"))
}

fn skill_names(max: usize) -> impl Strategy<Value = Vec<SkillName>> {
    btree_set(0..30_u8, 0..=max)
        .prop_map(|set| set.into_iter().map(|n| SkillName::new(format!("Skill {n}")).expect("one line")).collect())
}

pub(crate) fn needs() -> impl Strategy<Value = Skills<SkillNeed>> {
    skill_names(8).prop_flat_map(|names| {
        let count = names.len();
        (Just(names), vec((unit(), level()), count)).prop_map(|(names, rest)| {
            let need = |(name, (importance, level))| SkillNeed::new(name, SkillKind::Technical, importance, level);
            Skills::new(names.into_iter().zip(rest).map(need).collect()).expect("distinct")
        })
    })
}

pub(crate) fn held() -> impl Strategy<Value = Skills<HeldSkill>> {
    skill_names(8).prop_flat_map(|names| {
        let count = names.len();
        (Just(names), vec(level(), count)).prop_map(|(names, levels)| {
            Skills::new(names.into_iter().zip(levels).map(|(n, l)| HeldSkill::new(n, l)).collect()).expect("distinct")
        })
    })
}

fn tags() -> impl Strategy<Value = Vec<Tag>> {
    vec((0..12_u8).prop_map(|n| Tag::new(format!("topic-{n}")).expect("a slug")), 0..5)
}

fn places() -> impl Strategy<Value = Vec<PlaceName>> {
    subsequence(vec!["Pune", "Delhi", "Kochi"], 0..=2)
        .prop_map(|names| names.into_iter().map(|n| PlaceName::new(n).expect("one line")).collect())
}

fn values() -> impl Strategy<Value = WorkValues> {
    [unit(), unit(), unit(), unit(), unit(), unit()].prop_map(
        |[achievement, independence, recognition, relationships, support, conditions]| WorkValues {
            achievement,
            independence,
            recognition,
            relationships,
            support,
            conditions,
        },
    )
}

fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![5 => Just(Currency::INR), 1 => Just(Currency::USD)]
}

pub(crate) fn range() -> impl Strategy<Value = PayRange> {
    (currency(), select(Period::ALL), 0..50_i64, of(0..50_i64)).prop_map(|(currency, period, min, more)| {
        PayRange::new(currency, period, min * 10_000, more.map(|more| (min + more) * 10_000)).expect("in order")
    })
}

fn pay() -> impl Strategy<Value = Pay> {
    let bands = (currency(), [0..40_i64, 0..40, 0..40, 0..40, 0..40, 0..40]).prop_map(|(currency, steps)| {
        let [a, b, c, d, e, f] = steps.map(|step| step * 20_000);
        let (mut low, mut high) = (a, a + b);
        let mut bands = [(low, high); 3];
        for (band, (more_low, more_high)) in bands[1..].iter_mut().zip([(c, d), (e, f)]) {
            low += more_low;
            high = high.max(low) + more_high;
            *band = (low, high);
        }
        Pay::Bands(SalaryBands::new(currency, Period::Year, 2025, bands).expect("in order"))
    });
    prop_oneof![3 => bands, 1 => range().prop_map(Pay::Range)]
}

fn streams() -> impl Strategy<Value = StreamSet> {
    subsequence(Stream::ALL.to_vec(), 0..=4).prop_map(|streams| streams.into_iter().collect())
}

prop_compose! {
    pub(crate) fn candidate()(
        riasec in of(riasec()), skills in needs(), tags in tags(), pay in of(pay()), streams in streams(),
        work in of((select(Stress::ALL), select(Balance::ALL), select(Travel::ALL), select(Remote::ALL), 20..70_u8)),
        parts in 0..32_u8,
        locations in places(),
        zone in of(1..=5_u8), years in of(prop_oneof![0..12_u8, 60..70_u8]), outlook in of(select(Outlook::ALL)),
        values in of(values()), seniority in of(select(ExperienceLevel::ALL)),
        embedding in of(vec(-1.0..1.0_f32, 2..=3)),
    ) -> Candidate {
        let mut candidate = Candidate::new(CandidateId::new("unnamed").expect("one line"), "Unnamed");
        candidate.riasec = riasec;
        candidate.skills = skills;
        candidate.tags = tags;
        candidate.pay = pay;
        candidate.streams = streams;
        let keep = |bit: u8| parts & (1 << bit) != 0;
        if let Some((stress, balance, travel, remote, hours)) = work {
            candidate.stress = keep(0).then_some(stress);
            candidate.balance = keep(1).then_some(balance);
            candidate.travel = keep(2).then_some(travel);
            candidate.remote = keep(3).then_some(remote);
            candidate.hours = keep(4).then_some(hours);
        }
        candidate.locations = locations;
        candidate.job_zone = zone.map(|zone| JobZone::new(zone).expect("1 to 5"));
        candidate.years_of_study = years;
        candidate.outlook = outlook;
        candidate.values = values.map(Box::new);
        candidate.seniority = seniority;
        candidate.embedding = embedding.map(Into::into);
        candidate
    }
}

/// Candidates with ids of their own, in no order of their ids.
pub(crate) fn candidates(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Candidate>> {
    vec(candidate(), count).prop_map(|mut candidates| {
        for (at, candidate) in candidates.iter_mut().enumerate() {
            candidate.id = CandidateId::new(format!("c{:04}", at * 7919 % 10_007)).expect("one line");
            candidate.title = format!("Candidate {at}").into();
            candidate.family = (at % 3 != 0).then(|| format!("family {}", at % 5).into());
        }
        candidates
    })
}

prop_compose! {
    fn preferences()(
        remote in of(select(Remote::ALL)), travel in of(select(Travel::ALL)), max_hours in of(30..60_u8),
        max_stress in of(select(Stress::ALL)), min_balance in of(select(Balance::ALL)),
    ) -> WorkPreferences {
        WorkPreferences::builder().maybe_remote(remote).maybe_travel(travel).maybe_max_hours(max_hours)
            .maybe_max_stress(max_stress).maybe_min_balance(min_balance).build()
    }
}

prop_compose! {
    pub(crate) fn profile()(
        education in of(select(EducationLevel::ALL)), stream in of(select(Stream::ALL)), tags in tags(),
        riasec in of(riasec()), skills in held(), experience in of(select(ExperienceLevel::ALL)), years in of(0..20_u8),
        salary in of(range()), work in preferences(), locations in places(), relocate in of(any::<bool>()),
        values in of(values()), embedding in of(vec(-1.0..1.0_f32, 3)),
    ) -> Profile {
        Profile::builder().maybe_education(education).maybe_stream(stream).tags(tags).maybe_riasec(riasec).skills(skills)
            .maybe_experience(experience).maybe_years(years).maybe_salary(salary).work(work).locations(locations)
            .maybe_relocate(relocate).maybe_values(values).maybe_embedding(embedding).build()
    }
}

prop_compose! {
    /// Constraints that the profile can be held to.
    pub(crate) fn constraints(profile: Profile)(
        floor in of(range()), stream in any::<bool>(), locations in any::<bool>(), remote_only in any::<bool>(),
        max_stress in of(select(Stress::ALL)), max_years in of(0..12_u8), exclude in btree_set(0..40_usize, 0..4),
    ) -> Constraints {
        let id = |at: usize| CandidateId::new(format!("c{:04}", at * 7919 % 10_007)).expect("one line");
        Constraints::builder().maybe_salary_floor(floor).stream_possible(stream && profile.stream.is_some())
            .within_locations(locations && !profile.locations.is_empty()).remote_only(remote_only)
            .maybe_max_stress(max_stress).maybe_max_years_of_study(max_years)
            .exclude(exclude.into_iter().map(id).collect()).build()
    }
}

/// A scorer of which the engine knows nothing.
#[derive(Debug)]
pub(crate) struct TitleLength;

impl Scorer for TitleLength {
    fn name(&self) -> &str {
        "title-length"
    }

    fn score(&self, _: &Profile, candidate: &Candidate) -> Option<career_recommend::Score> {
        let length = candidate.title.len();
        let text = format!("{length} letters");
        (!length.is_multiple_of(5))
            .then(|| career_recommend::Score::new(Unit::clamped(length as f64 / 16.0), Evidence::Note { text }))
    }
}

/// Some of all scorers, one of a host's own among them, with weights.
pub(crate) fn weighted_scorers() -> impl Strategy<Value = Vec<(Arc<dyn Scorer>, f64)>> {
    let own: (Arc<dyn Scorer>, f64) = (Arc::new(TitleLength), 0.1);
    let all: Vec<_> = scorers::all().into_iter().chain([own]).collect();
    let count = all.len();
    (subsequence(all, 1..=count), vec(prop_oneof![1 => Just(0.0), 9 => 0.01..2.0], count)).prop_map(
        |(some, weights)| {
            let mut some: Vec<_> =
                some.into_iter().zip(weights).map(|((scorer, _), weight)| (scorer, weight)).collect();
            if some.iter().all(|(_, weight)| *weight == 0.0) {
                some[0].1 = 1.0;
            }
            some
        },
    )
}
