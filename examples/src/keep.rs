//! Keeping a person's profile and rankings in a store, whichever it is.

use career_core::store::{Batch, Query};
use career_core::{Profile, Ranking, Result, SavedRanking, Store, StoreExt, User, UserProfile};
use jiff::Timestamp;

/// The person of a store, and what was kept.
#[derive(Debug)]
pub struct Kept {
    /// The profile, as it now is in the store.
    pub profile: UserProfile,
    /// The version of the profile.
    pub version: u64,
    /// Whether the profile was there before.
    pub was_there: bool,
}

/// Keeps a profile for the one person of a small store; without one, gives the profile that is there, or keeps
/// `otherwise`.
///
/// # Errors
///
/// What the store can meet.
pub async fn profile(store: &dyn Store, given: Option<Profile>, otherwise: &str) -> Result<Kept> {
    let before = store.first::<UserProfile>(&Query::all().oldest()).await?;
    match (before, given) {
        (Some(kept), None) => Ok(Kept { version: kept.version(), profile: kept.into_inner(), was_there: true }),
        (Some(mut kept), Some(given)) => {
            kept.profile = given;
            store.update(&mut kept).await?;
            Ok(Kept { version: kept.version(), profile: kept.into_inner(), was_there: true })
        }
        (None, given) => {
            let user = User::builder().name("You").created_at(Timestamp::now()).build();
            let profile = UserProfile::new(user.id, given.map_or_else(|| Profile::from_json(otherwise), Ok)?);
            let mut batch = Batch::new();
            batch.insert(&user).insert(&profile);
            store.commit(batch).await?;
            Ok(Kept { profile, version: 1, was_there: false })
        }
    }
}

/// Keeps a ranking; the one that was shown before, if there was one, and how many there are now.
///
/// # Errors
///
/// What the store can meet.
pub async fn ranking(store: &dyn Store, of: &UserProfile, ranking: &Ranking) -> Result<(Option<SavedRanking>, u64)> {
    let mine = Query::owned_by(of.owner);
    let before = store.first::<SavedRanking>(&mine.clone().newest()).await?;
    store.insert(&SavedRanking::new(of.owner, ranking.clone())).await?;
    Ok((before.map(career_core::store::Versioned::into_inner), store.count::<SavedRanking>(&mine).await?))
}
