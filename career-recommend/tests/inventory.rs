//! The interest inventory: forms, scores, fits.

use career_core::{CandidateId, Catalog, ErrorKind, HollandType, Riasec};
use career_recommend::{Candidate, Fit, FitBands, Inventory};
use proptest::prelude::*;

fn answers(form: &Inventory, value: impl Fn(HollandType) -> u8) -> Vec<u8> {
    form.items.iter().map(|item| value(item.kind)).collect()
}

#[test]
fn the_forms_have_the_order_of_the_interest_profiler() {
    let letters = |form: &Inventory| form.items.iter().map(|item| item.kind.letter()).collect::<String>();
    assert_eq!(letters(Inventory::long()), "RRIIAASSEECC".repeat(5));
    assert_eq!(letters(Inventory::short()), "RRIIAASSEECC".repeat(2) + "RIASEC");
    assert_eq!((Inventory::long().items_per_type(), Inventory::short().items_per_type()), (10, 5));
    for form in [Inventory::long(), Inventory::short()] {
        assert!(form.note.to_lowercase().contains("written for this project"), "{}", form.note);
    }
    let long: Vec<&str> = Inventory::long().items.iter().map(|item| item.text.as_str()).collect();
    assert!(Inventory::short().items.iter().all(|item| long.contains(&item.text.as_str())));
    let mut sorted = long.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), long.len(), "no activity stands twice");
}

#[test]
fn sums_run_from_0_to_40_and_from_0_to_20() {
    let result = Inventory::long().score(&answers(Inventory::long(), |_| 5)).expect("valid");
    assert_eq!((result.sums, result.flat), ([40; 6], true));
    let result = Inventory::short().score(&answers(Inventory::short(), |_| 1)).expect("valid");
    assert_eq!((result.sums, result.flat), ([0; 6], true));
    // Sums of this made-up answer sheet were worked out apart from this code.
    let text = "554412332145 455521321234 534511242254 345322311144 544413222355";
    let result = Inventory::long().score_text(text).expect("valid");
    assert_eq!((result.sums, result.flat), ([33, 33, 6, 15, 7, 33], false));
}

#[test]
fn bad_answers_are_named() {
    let form = Inventory::short();
    assert_eq!(
        form.score(&[3; 29]).expect_err("one short").to_string(),
        "field `answers`: expected 30 answers, found 29"
    );
    let mut given = vec![3; 30];
    given[7] = 6;
    assert_eq!(form.score(&given).expect_err("6").to_string(), "field `answers[7]`: expected an answer from 1 to 5");
    let error = form.score_text(&format!("{}x", "3".repeat(29))).expect_err("x");
    assert_eq!(error.place().field.as_deref(), Some("answers[29]"));
}

#[test]
fn flat_answers_match_nothing_and_clear_ones_match_their_kind() {
    let candidates: Vec<Candidate> = Catalog::india().careers().iter().map(Candidate::from).collect();
    let form = Inventory::long();
    let all_same = form.score(&answers(form, |_| 4)).expect("valid");
    assert!(all_same.flat && all_same.matches(&candidates, &FitBands::default()).is_empty());
    let artist = form.score(&answers(form, |kind| if kind == HollandType::Artistic { 5 } else { 2 })).expect("valid");
    let matches = artist.matches(&candidates, &FitBands::default());
    assert_eq!(matches.len(), candidates.len());
    assert!(matches.windows(2).all(|pair| pair[0].r >= pair[1].r && pair[0].fit >= pair[1].fit));
    assert_eq!(matches[0].fit, Fit::Best);
    let first = Catalog::india().career(matches[0].candidate.as_str()).expect("is there");
    assert_eq!(first.riasec.expect("has one").code(1), "A");
}

#[test]
fn bands_are_closed_below_and_must_be_in_order() {
    let bands = FitBands::default();
    let fits = [0.73, 0.729, 0.7, 0.608, 0.6, 0.0, -0.01].map(|r| bands.fit(r));
    assert_eq!(fits, [Fit::Best, Fit::Best, Fit::Great, Fit::Great, Fit::Good, Fit::Good, Fit::Low]);
    assert!(FitBands::new(0.5, 0.6, 0.0).is_err() && FitBands::new(0.9, f64::NAN, 0.0).is_err());
    assert_eq!(FitBands::new(0.9, 0.5, -0.5).expect("in order").fit(-0.4), Fit::Good);
}

#[test]
fn bad_forms_are_refused() {
    let form = |items: &str| {
        format!(
            r#"{{"id":"x","title":"X","language":"en","note":"n","question":"q","answers":["1","2","3","4","5"],"items":[{items}]}}"#
        )
    };
    let item = |kind: &str| format!(r#"{{"type":"{kind}","text":"do it"}}"#);
    let all: Vec<String> = HollandType::ALL.iter().map(|kind| item(kind.as_str())).collect();
    assert!(Inventory::from_json(&form(&all.join(","))).is_ok());
    for items in [all[..5].join(","), format!("{},{}", all.join(","), item("social")), String::new(), item("heroic")] {
        assert_eq!(Inventory::from_json(&form(&items)).expect_err("unbalanced").kind(), ErrorKind::Invalid);
    }
    assert!(Inventory::from_json("{").is_err());
}

proptest! {
    #[test]
    fn matching_does_not_depend_on_how_freely_one_answers(raw in proptest::collection::vec(1..=4_u8, 60)) {
        // Answering everything one step higher moves all sums alike, and correlation does not see it.
        let form = Inventory::long();
        let (low, high) = (form.score(&raw).expect("valid"), form.score(&raw.iter().map(|a| a + 1).collect::<Vec<_>>()).expect("valid"));
        let mut candidate = Candidate::new(CandidateId::new("x").expect("one line"), "X");
        candidate.riasec = Some(Riasec::new([0.1, 0.9, 0.4, 0.3, 0.6, 0.2]).expect("in range"));
        let r = |result: career_recommend::InventoryResult| result.matches([&candidate], &FitBands::default()).first().map(|m| m.r);
        match (r(low), r(high)) {
            (Some(a), Some(b)) => prop_assert!((a - b).abs() < 1e-5, "{} is not {}", a, b),
            (a, b) => prop_assert_eq!(a.is_some(), b.is_some()),
        }
    }

    #[test]
    fn no_text_makes_the_scorer_panic(text in ".{0,80}") {
        let _ = Inventory::short().score_text(&text);
        let _ = Inventory::from_json(&text);
    }
}
