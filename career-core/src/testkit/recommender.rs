//! What every [`Recommender`] holds. Call [`all`], or the functions one by one.

use crate::{CandidateId, Constraints, Profile, RankOptions, Ranking, Recommender};

async fn rank(recommender: &dyn Recommender, profile: &Profile, options: &RankOptions) -> Ranking {
    recommender.recommend(profile, options).await.expect("a valid request is answered")
}

/// Runs the whole suite. The recommender must know at least three candidates.
///
/// # Panics
///
/// When a promise of the port is broken.
pub async fn all(recommender: &dyn Recommender, profile: &Profile) {
    order(recommender, profile).await;
    top_is_a_prefix(recommender, profile).await;
    equal_input_gives_equal_bytes(recommender, profile).await;
    contributions_add_up(recommender, profile).await;
    exclusion_is_reported(recommender, profile).await;
    bad_weights_are_refused(recommender, profile).await;
}

/// Best first, ties by id, never more than asked for.
///
/// # Panics
///
/// When the order is another.
pub async fn order(recommender: &dyn Recommender, profile: &Profile) {
    let ranking = rank(recommender, profile, &RankOptions::top(usize::MAX)).await;
    assert!(ranking.items.len() >= 3, "the suite needs at least three candidates");
    for pair in ranking.items.windows(2) {
        let (a, b) = (&pair[0], &pair[1]);
        assert!(
            a.score() > b.score() || (a.score() == b.score() && a.candidate < b.candidate),
            "{} ({}) stands before {} ({})",
            a.candidate,
            a.score(),
            b.candidate,
            b.score()
        );
    }
    assert!(rank(recommender, profile, &RankOptions::top(2)).await.items.len() == 2, "two were asked for");
    assert!(rank(recommender, profile, &RankOptions::top(0)).await.items.is_empty(), "none was asked for");
}

/// The best k are the first k of the best n.
///
/// # Panics
///
/// When they are not.
pub async fn top_is_a_prefix(recommender: &dyn Recommender, profile: &Profile) {
    let whole = rank(recommender, profile, &RankOptions::top(usize::MAX)).await;
    let part = rank(recommender, profile, &RankOptions::top(3)).await;
    assert_eq!(part.items[..], whole.items[..3]);
}

/// The same request twice gives the same bytes.
///
/// # Panics
///
/// When it does not.
pub async fn equal_input_gives_equal_bytes(recommender: &dyn Recommender, profile: &Profile) {
    let options = RankOptions::top(10);
    let bytes = |ranking: Ranking| serde_json::to_vec(&ranking).expect("a ranking serialises");
    assert_eq!(bytes(rank(recommender, profile, &options).await), bytes(rank(recommender, profile, &options).await));
}

/// The contributions, added in order, are the score.
///
/// # Panics
///
/// When they are not.
pub async fn contributions_add_up(recommender: &dyn Recommender, profile: &Profile) {
    for item in rank(recommender, profile, &RankOptions::top(usize::MAX)).await.items {
        let sum: f64 = item.breakdown.components.iter().map(|part| part.contribution).sum();
        assert!(
            (sum - item.score().get()).abs() < 1e-12,
            "contributions of {} add up to {sum}, its score is {}",
            item.candidate,
            item.score()
        );
    }
}

/// What the exclude list names is counted, listed, and not ranked.
///
/// # Panics
///
/// When it is ranked or not reported.
pub async fn exclusion_is_reported(recommender: &dyn Recommender, profile: &Profile) {
    let best = rank(recommender, profile, &RankOptions::top(1)).await.items.remove(0).candidate;
    let constraints = Constraints::builder().exclude([best.clone()].into()).build();
    let ranking = rank(recommender, profile, &RankOptions::top(usize::MAX).with_constraints(constraints)).await;
    assert!(ranking.find(best.as_str()).is_none(), "{best} is excluded and ranked");
    assert_eq!(ranking.excluded.total(), 1);
    let listed: Vec<&CandidateId> = ranking.excluded.listed.iter().map(|e| &e.candidate).collect();
    assert_eq!(listed, [&best]);
}

/// A weight that is negative, not finite, or of no scorer is an error.
///
/// # Panics
///
/// When it is taken.
pub async fn bad_weights_are_refused(recommender: &dyn Recommender, profile: &Profile) {
    for (name, weight) in [("no such scorer", 1.0), ("stream", -1.0), ("stream", f64::NAN), ("stream", f64::INFINITY)] {
        let options = RankOptions::top(1).with_weight(name, weight);
        let error = recommender.recommend(profile, &options).await.expect_err("a bad weight must be refused");
        assert_eq!(error.kind(), crate::ErrorKind::Invalid, "{name} = {weight}");
    }
}
