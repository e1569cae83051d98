//! The laws of the engine, for made-up candidates and profiles of every kind.

mod support;

use std::sync::Arc;

use career_core::{Constraints, Profile, RankOptions, Ranking, Unit};
use career_recommend::{Candidate, Engine, Scorer, scorers};
use proptest::prelude::*;
use support::*;

fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { cases: count, failure_persistence: None, ..ProptestConfig::default() }
}

fn everything() -> RankOptions {
    RankOptions::top(usize::MAX)
}

fn bytes(ranking: &Ranking) -> Vec<u8> {
    serde_json::to_vec(ranking).expect("a ranking serialises")
}

/// A profile with options that it can be held to.
fn request() -> impl Strategy<Value = (Profile, Constraints)> {
    profile().prop_flat_map(|profile| {
        let constraints = prop_oneof![Just(Constraints::default()), constraints(profile.clone())];
        (Just(profile), constraints)
    })
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn the_fast_path_equals_the_definition(
        candidates in candidates(1..400), scorers in weighted_scorers(), (profile, constraints) in request(),
        top in 0..12_usize, diversity in unit(),
    ) {
        let engine = Engine::builder().scorers(scorers).compile(&candidates).expect("distinct");
        let options = RankOptions::top(top).with_constraints(constraints).with_diversity(diversity);
        let fast = engine.rank(&profile, &options).expect("valid");
        let plain = engine.rank_by_definition(&profile, &options).expect("valid");
        prop_assert_eq!(fast, plain);
    }

    #[test]
    fn the_fast_path_equals_the_definition_where_a_few_bits_decide(
        candidates in candidates(50..400), later in candidates(1..70), (profile, constraints) in request(), top in 1..12_usize,
        chosen in proptest::sample::subsequence((0..6_usize).collect::<Vec<_>>(), 1..=3),
    ) {
        let all: [Arc<dyn Scorer>; 6] = [
            Arc::new(scorers::StreamScorer), Arc::new(scorers::OutlookScorer), Arc::new(scorers::EducationScorer),
            Arc::new(scorers::ExperienceScorer), Arc::new(scorers::WorkLifeScorer), Arc::new(scorers::MobilityScorer),
        ];
        let some = chosen.into_iter().map(|at| (all[at].clone(), 1.0 + at as f64));
        let mut engine = Engine::builder().scorers(some).compile(&candidates).expect("distinct");
        // Some of them have no place in the order of ids yet.
        later.iter().for_each(|candidate| drop(engine.insert(candidate)));
        let options = RankOptions::top(top).with_constraints(constraints);
        let fast = engine.rank(&profile, &options).expect("valid");
        prop_assert_eq!(fast, engine.rank_by_definition(&profile, &options).expect("valid"));
    }

    #[test]
    fn changes_leave_what_a_fresh_engine_has(
        candidates in candidates(1..300), later in candidates(1..300), profile in profile(),
        steps in proptest::collection::vec((0..3_u8, 0..300_usize), 1..300),
    ) {
        let mut engine = Engine::builder().scorers(scorers::all()).compile(&candidates).expect("distinct");
        let mut expected: std::collections::BTreeMap<_, Candidate> =
            candidates.iter().map(|candidate| (candidate.id.clone(), candidate.clone())).collect();
        for (step, at) in steps {
            let candidate = &later[at % later.len()];
            if step == 0 {
                prop_assert_eq!(engine.remove(candidate.id.as_str()), expected.remove(&candidate.id));
            } else {
                let old = engine.insert(candidate);
                prop_assert_eq!(old, expected.insert(candidate.id.clone(), candidate.clone()));
            }
            prop_assert_eq!(engine.len(), expected.len());
        }
        let options = RankOptions::top(7);
        let fresh = Engine::builder().scorers(scorers::all()).compile(expected.values()).expect("distinct");
        let ranked = engine.rank(&profile, &options).expect("valid");
        prop_assert_eq!(&ranked, &fresh.rank(&profile, &options).expect("valid"));
        engine.compact();
        prop_assert_eq!(ranked, engine.rank(&profile, &options).expect("valid"));
    }

    #[test]
    fn scores_are_bounded_and_explained_to_the_total(
        candidates in candidates(1..60), scorers in weighted_scorers(), profile in profile(),
    ) {
        let engine = Engine::builder().scorers(scorers).compile(&candidates).expect("distinct");
        for item in engine.rank(&profile, &everything()).expect("valid").items {
            let parts = &item.breakdown.components;
            let sum: f64 = parts.iter().map(|part| part.contribution).sum();
            prop_assert!((sum - item.score().get()).abs() < 1e-12, "{} is not {}", sum, item.score());
            let with: f64 = parts.iter().map(|part| part.weight).sum();
            let all: f64 = engine.weights().map(|(_, weight)| weight).sum();
            prop_assert!((item.confidence().get() - with / all).abs() < 1e-12);
            prop_assert_eq!(parts.len() + item.breakdown.without_evidence.len(), engine.weights().count());
            for part in parts.iter().filter(|part| !part.parts.is_empty()) {
                let sum: f64 = part.parts.iter().map(|part| part.contribution).sum();
                prop_assert!((sum - part.score.get()).abs() < 1e-12);
            }
            let again: career_core::ScoreBreakdown =
                serde_json::from_str(&item.breakdown.to_json().expect("finite")).expect("parses");
            prop_assert_eq!(again.components.len(), parts.len());
        }
    }

    #[test]
    fn the_order_of_the_catalogue_does_not_matter(
        candidates in candidates(1..200), (profile, constraints) in request(), seed in any::<u64>(),
    ) {
        let mut shuffled = candidates.clone();
        // A fixed walk through the list stands in for a random permutation.
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, (seed as usize).wrapping_mul(at).wrapping_add(at / 3) % (at + 1));
        }
        let options = RankOptions::top(9).with_constraints(constraints);
        let one = Engine::compile(&candidates).expect("distinct").rank(&profile, &options).expect("valid");
        let two = Engine::compile(&shuffled).expect("distinct").rank(&profile, &options).expect("valid");
        prop_assert_eq!(bytes(&one), bytes(&two));
    }

    #[test]
    fn equal_scores_stand_in_the_order_of_their_ids(candidates in candidates(2..80), profile in profile()) {
        let mut same = candidates;
        let first = same[0].clone();
        for candidate in &mut same {
            let (id, title) = (candidate.id.clone(), candidate.title.clone());
            *candidate = first.clone();
            (candidate.id, candidate.title) = (id, title);
        }
        let ranking = Engine::compile(&same).expect("distinct").rank(&profile, &RankOptions::top(5)).expect("valid");
        let ids: Vec<&str> = ranking.items.iter().map(|item| item.candidate.as_str()).collect();
        let mut sorted: Vec<&str> = same.iter().map(|candidate| candidate.id.as_str()).collect();
        sorted.sort_unstable();
        prop_assert_eq!(&ids[..], &sorted[..ids.len()]);
        prop_assert!(ranking.items.iter().skip(1).all(|item| item.tied), "equals are tied");
    }

    #[test]
    fn weights_have_no_scale(candidates in candidates(1..80), profile in profile(), power in -300..300_i32) {
        let scale = 2f64.powi(power);
        let scaled = scorers::all().into_iter().map(|(scorer, weight)| (scorer, weight * scale));
        let one = Engine::builder().scorers(scorers::all()).compile(&candidates).expect("distinct");
        let two = Engine::builder().scorers(scaled).compile(&candidates).expect("distinct");
        let few = RankOptions::top(3);
        prop_assert_eq!(two.rank(&profile, &few).expect("valid"), two.rank_by_definition(&profile, &few).expect("valid"));
        let (one, two) = (one.rank(&profile, &everything()), two.rank(&profile, &everything()));
        // A power of two scales every term without rounding, so not a bit may differ.
        let scores = |ranking: Ranking| -> Vec<_> {
            ranking.items.into_iter().map(|item| (item.candidate.clone(), item.score(), item.confidence())).collect()
        };
        prop_assert_eq!(scores(one.expect("valid")), scores(two.expect("valid")));
    }

    #[test]
    fn a_scorer_that_rates_higher_never_lowers_the_total(
        candidate in candidate(), profile in profile(), fixed in unit(), more in unit(),
    ) {
        let total = |value: Unit| {
            let engine = Engine::builder().scorers(scorers::all()).scorer(Fixed(value), 0.3).compile([&candidate]);
            engine.expect("one").rank(&profile, &RankOptions::top(1)).expect("valid").items[0].score()
        };
        let (low, high) = (fixed.min(more), fixed.max(more));
        prop_assert!(total(low) <= total(high));
    }

    #[test]
    fn a_value_is_the_value_of_the_score(candidate in candidate(), profile in profile()) {
        for (scorer, _) in scorers::all() {
            let value = scorer.value(&profile, &candidate);
            prop_assert_eq!(value, scorer.score(&profile, &candidate).map(|score| score.value), "{}", scorer.name());
        }
    }

    #[test]
    fn a_better_skill_never_lowers_a_score(candidate in candidate(), profile in profile(), at in 0..8_usize) {
        let mut better = profile.clone();
        let Some(mut skill) = profile.skills.get(at).cloned() else { return Ok(()) };
        skill.level = career_core::SkillLevel::HIGHEST;
        better.skills.set(skill);
        let value = |profile: &Profile| scorers::SkillScorer.value(profile, &candidate);
        prop_assert!(value(&profile) <= value(&better));
    }

    #[test]
    fn what_is_left_out_and_what_is_ranked_are_all(candidates in candidates(1..120), (profile, constraints) in request()) {
        let engine = Engine::compile(&candidates).expect("distinct");
        let ranking = engine.rank(&profile, &everything().with_constraints(constraints)).expect("valid");
        let mut ids: Vec<&str> = ranking.items.iter().map(|item| item.candidate.as_str()).collect();
        ids.extend(ranking.excluded.listed.iter().map(|out| out.candidate.as_str()));
        ids.sort_unstable();
        let mut all: Vec<&str> = candidates.iter().map(|candidate| candidate.id.as_str()).collect();
        all.sort_unstable();
        prop_assert_eq!(ids, all);
        prop_assert_eq!(ranking.excluded.total() as usize, ranking.excluded.listed.len());
    }
}

#[derive(Debug)]
struct Fixed(Unit);

impl Scorer for Fixed {
    fn name(&self) -> &str {
        "fixed"
    }

    fn score(&self, _: &Profile, _: &Candidate) -> Option<career_recommend::Score> {
        Some(career_recommend::Score::new(self.0, career_core::Evidence::Note { text: "fixed".into() }))
    }
}

#[test]
fn thousands_of_skills_are_added_up_without_loss() {
    use career_core::{CandidateId, HeldSkill, SkillKind, SkillLevel, SkillName, SkillNeed, Skills};
    let name = |n: usize| SkillName::new(format!("Skill {n}")).expect("one line");
    let needs = |from: usize| {
        let need = |n| SkillNeed::new(name(n), SkillKind::Technical, Unit::clamped(0.5), SkillLevel::LOWEST);
        Skills::new((from..from + 3_000).map(need).collect()).expect("distinct")
    };
    let candidates: Vec<Candidate> = (0..200)
        .map(|at| {
            let mut candidate = Candidate::new(CandidateId::new(format!("c{at:03}")).expect("one line"), "C");
            candidate.skills = needs(at * 5);
            candidate
        })
        .collect();
    let engine = Engine::compile(&candidates).expect("distinct");
    // Whoever starts at skill 500 is met whole; the sums of its neighbours come close.
    let held = (500..3_500).map(|n| HeldSkill::new(name(n), SkillLevel::HIGHEST)).collect();
    let profile = Profile::builder().skills(Skills::new(held).expect("distinct")).build();
    let ranking = engine.rank(&profile, &RankOptions::top(3)).expect("valid");
    assert_eq!(ranking.items[0].candidate.as_str(), "c100");
    assert_eq!(ranking, engine.rank_by_definition(&profile, &RankOptions::top(3)).expect("valid"));
}

#[test]
fn weights_of_any_ratio_lose_nobody() {
    use career_core::{CandidateId, EducationLevel, JobZone, Outlook};
    let candidates: Vec<Candidate> = (0..200_usize)
        .map(|at| {
            let mut candidate = Candidate::new(CandidateId::new(format!("c{at:03}")).expect("one line"), "C");
            // Some have evidence for the heavy scorer alone, some for the light one alone.
            if at % 2 == 0 {
                candidate.outlook = Some(Outlook::ALL[at % 3]);
            } else {
                candidate.job_zone = Some(JobZone::new(1 + (at % 5) as u8).expect("1 to 5"));
            }
            candidate
        })
        .collect();
    let profile = Profile::builder().education(EducationLevel::Graduate).build();
    for light in [1e-10, 1e-50, 1e-300] {
        let engine = Engine::builder()
            .scorer(scorers::OutlookScorer, 1.0)
            .scorer(scorers::EducationScorer, light)
            .scorer(TitleLength, light * light)
            .compile(&candidates)
            .expect("distinct");
        let options = RankOptions::top(3);
        let ranking = engine.rank(&profile, &options).expect("valid");
        assert_eq!(ranking, engine.rank_by_definition(&profile, &options).expect("valid"), "{light}");
        // The best meets the education fully; the title, lighter still, can take off no more than its own share.
        assert!(ranking.items[0].score().get() >= 1.0 - light, "{light}");
    }
}
