//! Weights from feedback, and measures of rankings.

use std::collections::BTreeMap;

use career_core::*;
use career_recommend::{Candidate, Engine, Feedback, Judged, LearnOptions, evaluate, scorers};
use jiff::Timestamp;
use proptest::prelude::*;

fn candidate(id: &str, outlook: Outlook, zone: u8) -> Candidate {
    let mut candidate = Candidate::new(CandidateId::new(id).expect("one line"), id);
    (candidate.outlook, candidate.job_zone) = (Some(outlook), Some(JobZone::new(zone).expect("1 to 5")));
    candidate
}

/// Candidates that differ in outlook and in how near their job zone is, and an engine that weighs both alike.
fn engine() -> Engine {
    let all = Outlook::ALL.iter().flat_map(|outlook| (1..=5).map(move |zone| (outlook, zone)));
    Engine::builder()
        .scorer(scorers::OutlookScorer, 0.5)
        .scorer(scorers::EducationScorer, 0.5)
        .compile(all.map(|(outlook, zone)| candidate(&format!("{outlook}-{zone}"), *outlook, zone)))
        .expect("distinct")
}

fn id(text: &str) -> CandidateId {
    CandidateId::new(text).expect("one line")
}

#[test]
fn someone_who_goes_by_outlook_gets_a_heavier_outlook() {
    let engine = engine();
    let profile = Profile::builder().education(EducationLevel::Graduate).build();
    let feedback = Feedback::new(
        &profile,
        vec![id("high-demand-1"), id("growing-1"), id("high-demand-2")],
        vec![id("declining-4"), id("stable-4"), id("declining-5"), id("not there")],
    );
    let learned = engine.learn(&[feedback], &LearnOptions::default()).expect("valid");
    assert_eq!(learned.pairs, 9);
    assert!(learned.weights["outlook"] > 0.6 && learned.weights["education"] < 0.4, "{:?}", learned.weights);
    assert!(learned.agreement > learned.agreement_before);
    let mut options = RankOptions::top(1);
    options.weights = learned.weights;
    let best = engine.rank(&profile, &options).expect("valid").items[0].candidate.clone();
    assert_eq!(best, id("high-demand-4"));
}

#[test]
fn without_pairs_the_weights_stay() {
    let profile = Profile::default();
    let learned = engine().learn(&[Feedback::new(&profile, vec![id("stable-1")], vec![])], &LearnOptions::default());
    assert_eq!(learned.expect("valid").weights, BTreeMap::from([("education".into(), 0.5), ("outlook".into(), 0.5)]));
}

#[test]
fn bad_options_are_named() {
    let refuse = |change: &dyn Fn(&mut LearnOptions)| {
        let mut options = LearnOptions::default();
        change(&mut options);
        engine().learn(&[], &options).expect_err("bad option").place().field.clone()
    };
    assert_eq!(refuse(&|o| o.bounds = (0.5, 0.1)).as_deref(), Some("bounds"));
    assert_eq!(refuse(&|o| o.bounds = (f64::NAN, 0.1)).as_deref(), Some("bounds"));
    assert_eq!(refuse(&|o| o.temperature = 0.0).as_deref(), Some("temperature"));
    assert_eq!(refuse(&|o| o.l2 = -1.0).as_deref(), Some("l2"));
}

#[test]
fn the_last_word_on_a_candidate_counts() {
    let at = |s| Timestamp::from_second(s).expect("in range");
    let user = Id::new();
    let did = |kind, candidate: &str, when| {
        Interaction::builder().user(user).kind(kind).candidate(id(candidate)).at(at(when)).build()
    };
    let interactions = [
        did(InteractionKind::Liked, "a", 1),
        did(InteractionKind::Disliked, "a", 2),
        did(InteractionKind::Saved, "b", 5),
        did(InteractionKind::Disliked, "b", 4),
        did(InteractionKind::Viewed, "c", 9),
    ];
    let profile = Profile::default();
    let feedback = Feedback::from_interactions(&profile, &interactions);
    assert_eq!((feedback.liked, feedback.disliked), (vec![id("b")], vec![id("a")]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn weights_keep_their_bounds_and_equal_input_gives_equal_weights(
        likes in proptest::collection::vec((0..4_usize, 1..=5_u8, any::<bool>()), 0..12),
        low in 0.0..0.4, width in 0.0..0.6, l2 in 0.0..5.0,
    ) {
        let engine = engine();
        let profile = Profile::builder().education(EducationLevel::Grade12).build();
        let of = |wanted: bool| likes.iter().filter(|l| l.2 == wanted).map(|l| id(&format!("{}-{}", Outlook::ALL[l.0], l.1))).collect();
        let mut options = LearnOptions::default();
        (options.bounds, options.l2, options.steps) = ((low, low + width + 0.01), l2, 300);
        let learn = || engine.learn(&[Feedback::new(&profile, of(true), of(false))], &options).expect("valid");
        let learned = learn();
        prop_assert_eq!(&learned, &learn());
        for weight in learned.weights.values() {
            prop_assert!((options.bounds.0..=options.bounds.1).contains(weight), "{} is out of {:?}", weight, options.bounds);
        }
    }

    #[test]
    fn measures_are_shares(order in proptest::sample::subsequence((0..12).collect::<Vec<u8>>(), 0..12).prop_shuffle(),
                           relevant in proptest::collection::btree_map(0..12_u8, 0.0..3.0, 0..6), k in 0..15_usize) {
        let judged = Judged::new(
            order.iter().map(|n| id(&n.to_string())).collect(),
            relevant.iter().map(|(n, gain)| (id(&n.to_string()), *gain)),
        );
        for value in [judged.ndcg(k), judged.recall(k), judged.precision(k), Some(judged.reciprocal_rank())].into_iter().flatten() {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&value));
        }
        let mut best: Vec<_> = judged.relevant.clone().into_iter().collect();
        best.sort_by(|a, b| b.1.total_cmp(&a.1));
        let ideal = Judged::new(best.iter().map(|(id, _)| id.clone()).collect(), best.clone());
        if k > 0 && !best.is_empty() {
            prop_assert!((ideal.ndcg(k).expect("relevant") - 1.0).abs() < 1e-12);
        }
    }
}

#[test]
fn measures_match_a_worked_example() {
    // Ranking c a d b, gains a 3, b 2, e 1. DCG@4 = 3/log2(3) + 2/log2(5), ideal 3 + 2/log2(3) + 1/2.
    let judged = Judged::new(["c", "a", "d", "b"].map(id).to_vec(), [(id("a"), 3.0), (id("b"), 2.0), (id("e"), 1.0)]);
    let expected = (3.0 / 3f64.log2() + 2.0 / 5f64.log2()) / (3.0 + 2.0 / 3f64.log2() + 0.5);
    assert!((judged.ndcg(4).expect("relevant") - expected).abs() < 1e-12);
    assert_eq!((judged.recall(4), judged.precision(4), judged.reciprocal_rank()), (Some(2.0 / 3.0), Some(0.5), 0.5));
    assert_eq!((judged.recall(1), judged.precision(1), judged.precision(0)), (Some(0.0), Some(0.0), None));
    let unlabelled = Judged::new(vec![id("z")], []);
    let measures = evaluate(&[judged, unlabelled], 2, 20, |a, b| if a < b { 0.2 } else { 0.6 });
    assert_eq!((measures.judged, measures.mrr, measures.recall), (1, 0.5, 1.0 / 3.0));
    // c a of the first and z of the second of 20; the one pair stands as (c, a).
    assert_eq!((measures.coverage, measures.diversity), (3.0 / 20.0, 0.4));
    let none = evaluate(&[], 5, 0, |_, _| 1.0);
    assert_eq!((none.judged, none.ndcg, none.coverage), (0, 0.0, 0.0));
}
