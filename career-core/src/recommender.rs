//! The port that ranks.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Profile, RankOptions, Ranking, Result};

/// Ranks what a person could become, with reasons.
///
/// # Contract
///
/// - Items come best first; equal scores in the order of their ids; at most [`RankOptions::top`] of them.
/// - Equal input gives an equal ranking.
/// - With [`RankOptions::explain`], the contributions of an item's components, added in order, are its score.
/// - What a constraint leaves out is counted in [`Ranking::excluded`](Ranking) and never among the items.
///
/// `career_core::testkit::recommender` (feature `testkit`) checks an implementation against this contract.
#[async_trait]
pub trait Recommender: Debug + Send + Sync + 'static {
    /// Ranks for one person.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a weight that is not a finite number of at least 0
    /// or names no scorer; what else a backend can meet.
    async fn recommend(&self, profile: &Profile, options: &RankOptions) -> Result<Ranking>;
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Recommender + ?Sized> Recommender for Arc<T> {
    async fn recommend(&self, profile: &Profile, options: &RankOptions) -> Result<Ranking> {
        (**self).recommend(profile, options).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Recommender + ?Sized> Recommender for Box<T> {
    async fn recommend(&self, profile: &Profile, options: &RankOptions) -> Result<Ranking> {
        (**self).recommend(profile, options).await
    }
}

const _: () = {
    const fn is_object_safe_and_shared<T: ?Sized + Send + Sync + 'static>() {}
    is_object_safe_and_shared::<dyn Recommender>();
};
