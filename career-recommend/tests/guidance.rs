//! Guidance over the built-in catalogue: gaps, counterfactuals, comparison, variety, ties, constraints, fairness.

use std::collections::BTreeSet;
use std::sync::Arc;

use career_core::*;
use career_recommend::{Candidate, Change, CounterfactualOptions, Engine, GapState, SkillGap, scorers};

const PROFILES: [&str; 4] = [
    include_str!("../../examples/profiles/student-pcm.json"),
    include_str!("../../examples/profiles/student-pcb.json"),
    include_str!("../../examples/profiles/student-commerce.json"),
    include_str!("../../examples/profiles/graduate-changing-field.json"),
];

fn india() -> Engine {
    Engine::compile(Catalog::india().careers()).expect("ids are unique")
}

fn profile(at: usize) -> Profile {
    Profile::from_json(PROFILES[at]).expect("valid")
}

fn top(engine: &Engine, profile: &Profile, count: usize) -> Vec<String> {
    let ranking = engine.rank(profile, &RankOptions::top(count)).expect("valid");
    ranking.items.iter().map(|item| item.candidate.to_string()).collect()
}

#[test]
fn what_a_counsellor_would_expect_is_near_the_top() {
    let engine = india();
    let expected: [&[&str]; 4] = [
        &["software-developer", "data-scientist", "machine-learning-engineer", "game-developer"],
        &["general-physician", "paediatrician", "nurse", "clinical-psychologist", "occupational-therapist"],
        &["marketing-manager", "sales-manager", "event-manager", "public-relations-specialist"],
        &["ux-designer", "graphic-designer", "web-developer", "game-designer"],
    ];
    for (at, names) in expected.iter().enumerate() {
        let best = top(&engine, &profile(at), 10);
        let there = names.iter().filter(|name| best.iter().any(|id| id == *name)).count();
        assert!(there >= 2, "of {names:?} only {there} are among {best:?}");
    }
    // Nobody is sent where the stream does not lead while others fit.
    for at in 0..3 {
        let profile = profile(at);
        for id in top(&engine, &profile, 10) {
            let streams = engine.candidate(&id).expect("ranked").streams;
            assert!(streams.contains(profile.stream.expect("has one")), "{id} is open to {streams}");
        }
    }
}

#[tokio::test]
async fn the_engine_keeps_the_contract_of_the_port() {
    let engine = Arc::new(india());
    let boxed: Box<dyn Recommender> = Box::new(engine.clone());
    for at in 0..PROFILES.len() {
        testkit::recommender::all(&*engine, &profile(at)).await;
        testkit::recommender::all(&engine, &profile(at)).await;
        testkit::recommender::all(&boxed, &profile(at)).await;
    }
    testkit::recommender::all(&*engine, &Profile::default()).await;
}

#[test]
fn who_a_person_is_never_enters_a_score() {
    // A profile has no field for any of these; what a host keeps beside it must not count either. Neither must
    // what the person writes about themselves, which tells as much.
    let engine = Engine::builder().scorers(scorers::all()).compile(Catalog::india().careers()).expect("ids are unique");
    let with = |name: &str, gender: &str, photo: &str, religion: &str, caste: &str, college: &str| {
        let mut profile = profile(3);
        for (key, value) in [
            ("name", name),
            ("gender", gender),
            ("photograph", photo),
            ("religion", religion),
            ("caste", caste),
            ("college", college),
        ] {
            profile.metadata.insert(key.into(), value.into());
        }
        profile.summary = Some(format!("{name}, {gender}, {religion}, {caste}, studied at {college}"));
        let ranking = engine.rank(&profile, &RankOptions::top(usize::MAX)).expect("valid");
        serde_json::to_vec(&ranking).expect("serialises")
    };
    let one = with("A", "female", "a.jpg", "one", "one", "First College");
    for (at, other) in [
        with("B", "female", "a.jpg", "one", "one", "First College"),
        with("A", "male", "a.jpg", "one", "one", "First College"),
        with("A", "female", "b.jpg", "one", "one", "First College"),
        with("A", "female", "a.jpg", "two", "one", "First College"),
        with("A", "female", "a.jpg", "one", "two", "First College"),
        with("A", "female", "a.jpg", "one", "one", "Second College"),
        with("B", "male", "b.jpg", "two", "two", "Second College"),
    ]
    .iter()
    .enumerate()
    {
        assert!(one == *other, "swap {at} changed the ranking");
    }
}

#[test]
fn a_gap_orders_what_to_learn_by_what_it_gains() {
    let engine = india();
    let profile = profile(0);
    let options = RankOptions::default();
    let gap = engine.skill_gap(&profile, "data-scientist", &options).expect("valid").expect("is there");
    assert!(gap.items.windows(2).all(|pair| pair[0].gain >= pair[1].gain));
    let before = engine.score(&profile, "data-scientist", &options).expect("valid").expect("is there").score().get();
    for item in &gap.items {
        let expected = match item.held {
            None => GapState::Missing,
            Some(held) if held < item.needed => GapState::Partly,
            Some(_) => GapState::Have,
        };
        assert_eq!(item.state, expected, "{}", item.skill);
        let mut learned = profile.clone();
        learned.skills.set(HeldSkill::new(item.skill.clone(), item.needed.max(item.held.unwrap_or(item.needed))));
        let after = engine.score(&learned, "data-scientist", &options).expect("valid").expect("is there").score().get();
        assert!((after - before - item.gain).abs() < 1e-12, "{}: {after} - {before} is not {}", item.skill, item.gain);
    }
    assert!(gap.of(GapState::Missing).count() > 0 && gap.items[0].gain > 0.0);
    assert_eq!(engine.skill_gap(&profile, "no-such-career", &options).expect("valid"), None);
    // Against a list of needs the gains and the coverage make up the whole.
    let plain = SkillGap::to(&profile, &engine.candidate("data-scientist").expect("is there").skills);
    let whole = plain.coverage.get() + plain.items.iter().map(|item| item.gain).sum::<f64>();
    assert!((whole - 1.0).abs() < 1e-12, "{whole}");
    let job = Job::builder()
        .title("Tester")
        .company("Made-up Ltd")
        .skills(engine.candidate("nurse").expect("is there").skills.clone());
    assert_eq!(
        SkillGap::to(&profile, &job.build().skills).items.len(),
        engine.candidate("nurse").expect("is there").skills.len()
    );
}

#[test]
fn counterfactuals_work_and_none_of_their_changes_can_be_left_out() {
    let engine = india();
    let wanted = CounterfactualOptions::default();
    let mut found_some = 0;
    for (at, id) in [
        (0, "architect"),
        (0, "robotics-engineer"),
        (1, "biotechnologist"),
        (2, "chartered-accountant"),
        (3, "animator"),
    ] {
        let profile = profile(at);
        let options = RankOptions::default();
        let answers = engine.counterfactuals(&profile, id, &wanted, &options).expect("valid");
        let there = top(&engine, &profile, wanted.top).iter().any(|best| best == id);
        assert!(!there || answers.is_empty(), "{id} is there already");
        found_some += usize::from(!answers.is_empty());
        assert!(answers.windows(2).all(|pair| pair[0].cost <= pair[1].cost));
        for answer in &answers {
            assert!(answer.place <= wanted.top && answer.score > answer.score_before);
            assert_eq!(answer.cost, answer.changes.iter().map(Change::cost).sum::<u32>());
            for left_out in 0..answer.changes.len() {
                let mut profile = profile.clone();
                for (n, change) in answer.changes.iter().enumerate().filter(|(n, _)| *n != left_out) {
                    match change {
                        Change::Skill { skill, to, .. } => drop(profile.skills.set(HeldSkill::new(skill.clone(), *to))),
                        Change::Subject { stream, .. } => profile.stream = Some(*stream),
                        Change::Salary { to, .. } => profile.salary = Some(*to),
                        other => panic!("change {n} of {id} cannot matter to the default scorers: {other}"),
                    }
                }
                assert!(
                    !top(&engine, &profile, wanted.top).iter().any(|best| best == id),
                    "{id}: {left_out} is not needed"
                );
            }
        }
    }
    assert!(found_some >= 3, "answers for {found_some} of 5");
}

#[test]
fn a_counterfactual_may_give_up_a_constraint_or_take_a_subject() {
    let engine = india();
    let mut profile = profile(0);
    let constraints =
        Constraints::builder().exclude([CandidateId::new("software-developer").expect("valid")].into()).build();
    let options = RankOptions::default().with_constraints(constraints);
    let answers = engine
        .counterfactuals(&profile, "software-developer", &CounterfactualOptions::default(), &options)
        .expect("valid");
    assert_eq!(answers[0].changes, [Change::Drop { constraint: ConstraintKind::Exclude }]);
    // Someone who cares for biology and has PCM finds that biology is what is missing.
    profile.riasec = Some(Riasec::new([0.5, 0.9, 0.1, 0.9, 0.2, 0.3]).expect("in range"));
    profile.tags = ["medicine", "biology", "helping-people"].map(|tag| Tag::new(tag).expect("a slug")).to_vec();
    profile.skills = Skills::default();
    let answers = engine
        .counterfactuals(&profile, "general-physician", &CounterfactualOptions::default(), &RankOptions::default())
        .expect("valid");
    let subject = Change::Subject { subject: Subject::new("biology").expect("a slug"), stream: Stream::Pcmb };
    assert!(answers.iter().any(|answer| answer.changes.contains(&subject)), "{answers:?}");
}

#[test]
fn comparison_marks_the_better_value_and_refuses_bad_requests() {
    let engine = india();
    let options = RankOptions::default();
    let comparison =
        engine.compare(&profile(0), &["software-developer", "architect", "nurse"], &options).expect("valid");
    let field = |name: &str| comparison.fields.iter().find(|field| field.field == name).expect("is compared");
    assert_eq!(field("score").best, [0]);
    for (at, id) in comparison.ids.iter().enumerate() {
        let score = engine.score(&profile(0), id, &options).expect("valid").expect("is there").score();
        assert_eq!(field("score").values[at].as_deref(), Some(format!("{:.3}", score.get()).as_str()));
        let years = engine.candidate(id).expect("is there").years_of_study.map(|years| years.to_string());
        assert_eq!(field("years of study").values[at], years);
    }
    assert_eq!(field("places").values, [None, None, None]);
    assert!(comparison.to_markdown().starts_with("| | Software Developer | Architect | "));
    let kind = |ids: &[&str]| engine.compare(&profile(0), ids, &options).expect_err("bad request").kind();
    assert_eq!(kind(&["nurse"]), ErrorKind::Invalid);
    assert_eq!(kind(&["nurse", "nurse"]), ErrorKind::Conflict);
    assert_eq!(kind(&["nurse", "wizard"]), ErrorKind::NotFound);
}

#[test]
fn diversity_brings_more_families_to_the_top() {
    let engine = india();
    let profile = profile(0);
    let families = |diversity: f64| {
        let options = RankOptions::top(10).with_diversity(Unit::clamped(diversity));
        let ranking = engine.rank(&profile, &options).expect("valid");
        assert_eq!(ranking.items.len(), 10);
        let family = |item: &Recommendation| engine.candidate(item.candidate.as_str()).and_then(|c| c.family.clone());
        (ranking.items[0].candidate.clone(), ranking.items.iter().map(family).collect::<BTreeSet<_>>().len())
    };
    let (plain, some) = (families(0.0), families(0.5));
    assert_eq!(plain.0, some.0, "the best stays first");
    assert!(some.1 > plain.1, "{} families, then {}", plain.1, some.1);
}

#[test]
fn near_ties_follow_from_the_uncertainty_of_the_weights() {
    let engine = india();
    let tied = |uncertainty: f64| {
        let mut options = RankOptions::top(50);
        options.weight_uncertainty = Unit::clamped(uncertainty);
        let ranking = engine.rank(&profile(0), &options).expect("valid");
        assert!(!ranking.items[0].tied, "the first has nobody before it");
        ranking.items.iter().filter(|item| item.tied).count()
    };
    assert!(tied(0.0) <= tied(0.05) && tied(0.05) <= tied(0.5), "more doubt, more ties");
    assert!(tied(0.0) < tied(0.5));
    let make = |id: &str, outlook: Outlook, zone: u8| {
        let mut candidate = Candidate::new(CandidateId::new(id).expect("one line"), id);
        (candidate.outlook, candidate.job_zone) = (Some(outlook), Some(JobZone::new(zone).expect("1 to 5")));
        candidate
    };
    let engine = Engine::builder()
        .scorer(scorers::OutlookScorer, 1.0)
        .scorer(scorers::EducationScorer, 1.0)
        .compile([make("a", Outlook::Growing, 3), make("b", Outlook::Stable, 4)])
        .expect("distinct");
    // By hand, with equal weights: outlook 2/3 and 1/3, nearness to zone 4 0.75 and 1, so the differences are 1/3 and
    // -1/4, D = 1/24, and with uncertainty u the standard error is u * sqrt(2) * 0.5 * 7/24 = u * 0.2062. The two are
    // tied from u = 0.2020 on.
    let graduate = Profile::builder().education(EducationLevel::Graduate).build();
    let tied = |uncertainty: f64| {
        let mut options = RankOptions::top(2);
        options.weight_uncertainty = Unit::clamped(uncertainty);
        engine.rank(&graduate, &options).expect("valid").items[1].tied
    };
    assert!(!tied(0.20) && tied(0.21));
}

#[test]
fn every_constraint_says_what_it_left_out_and_why() {
    let engine = india();
    let mut profile = profile(1);
    let only = |constraints: Constraints, profile: &Profile| {
        let ranking = engine.rank(profile, &RankOptions::top(3).with_constraints(constraints)).expect("valid");
        assert!(ranking.excluded.total() > 0 && ranking.excluded.counts.len() == 1);
        let out = ranking.excluded.listed[0].clone();
        (out.constraint, engine.candidate(out.candidate.as_str()).expect("is there").clone(), out.reason)
    };
    let (kind, candidate, reason) = only(Constraints::builder().max_stress(Stress::Low).build(), &profile);
    assert_eq!((kind, candidate.stress > Some(Stress::Low)), (ConstraintKind::MaxStress, true));
    assert!(reason.contains("at most low"), "{reason}");
    let (kind, candidate, _) = only(Constraints::builder().stream_possible(true).build(), &profile);
    assert_eq!((kind, candidate.streams.contains(Stream::Pcb)), (ConstraintKind::StreamPossible, false));
    let (kind, candidate, reason) = only(Constraints::builder().max_years_of_study(3).build(), &profile);
    assert_eq!((kind, candidate.years_of_study > Some(3)), (ConstraintKind::MaxYearsOfStudy, true));
    assert!(reason.contains("at most 3"), "{reason}");
    let (kind, candidate, _) = only(Constraints::builder().remote_only(true).build(), &profile);
    assert_eq!((kind, candidate.remote == Some(Remote::Full)), (ConstraintKind::RemoteOnly, false));
    let floor = PayRange::new(Currency::INR, Period::Month, 60_000, None).expect("valid");
    let (kind, candidate, reason) = only(Constraints::builder().salary_floor(floor).build(), &profile);
    let band = candidate.pay.expect("has bands").at(ExperienceLevel::Junior);
    assert_eq!((kind, band.yearly().1 < Some(720_000)), (ConstraintKind::SalaryFloor, true));
    assert!(reason.contains("the floor is INR 60000"), "{reason}");
    // A constraint that needs what the profile does not have is an error that says so.
    profile.stream = None;
    let options = RankOptions::top(3).with_constraints(Constraints::builder().stream_possible(true).build());
    let error = engine.rank(&profile, &options).expect_err("no stream");
    assert_eq!(error.to_string(), "field `constraints.stream_possible`: the constraint needs a stream in the profile");
}

#[test]
fn bad_engines_are_refused() {
    let one = || Candidate::new(CandidateId::new("a").expect("one line"), "A");
    assert_eq!(Engine::compile([one(), one()]).expect_err("one id").kind(), ErrorKind::Conflict);
    let build = |weight: f64| Engine::builder().scorer(scorers::SkillScorer, weight).compile([one()]);
    for weight in [-0.1, f64::NAN, f64::INFINITY, 0.0] {
        assert_eq!(build(weight).expect_err("bad weight").kind(), ErrorKind::Invalid, "{weight}");
    }
    let twice = Engine::builder().scorer(scorers::SkillScorer, 1.0).scorer(scorers::SkillScorer, 1.0).compile([one()]);
    assert_eq!(twice.expect_err("one name").kind(), ErrorKind::Conflict);
    let empty = Engine::compile(Vec::<Candidate>::new()).expect("none is fine");
    assert!(empty.is_empty() && empty.rank(&Profile::default(), &RankOptions::top(3)).expect("valid").items.is_empty());
}

#[test]
fn a_profile_without_evidence_is_ranked_with_no_confidence() {
    let ranking = india().rank(&Profile::default(), &RankOptions::top(2)).expect("valid");
    assert_eq!(ranking.items.len(), 2);
    for item in ranking.items {
        assert_eq!((item.score(), item.confidence()), (Unit::ZERO, Unit::ZERO));
        assert_eq!(item.breakdown.without_evidence.len(), 4);
    }
}
