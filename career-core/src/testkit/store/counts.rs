//! Counts.

use super::assert_kind;
use super::fixtures::{at, interaction, kept_user};
use crate::store::{Batch, Bucket, Count, Group, KeyValue, Query, Record};
use crate::{ErrorKind, Id, Interaction, InteractionKind, Store, StoreExt, User};

async fn interactions(store: &dyn Store, what: &[(&str, i64)]) -> Id<User> {
    let user = kept_user(store).await;
    let mut batch = Batch::new();
    for (candidate, seconds) in what {
        batch.insert(&interaction(user, InteractionKind::Viewed, candidate, at(*seconds)));
    }
    store.commit(batch).await.expect("kept");
    user
}

/// Groups by a key, by time, by both; in the order of their keys; the counts of all groups are the count.
///
/// # Panics
///
/// When one is another.
pub async fn groups_by_key_and_time(store: &dyn Store) {
    let day = 86_400;
    // 1970-01-01 was a Thursday; times before it fall into their stretch too.
    let what = [("a", 0), ("a", 3_599), ("b", 3_600), ("a", 4 * day), ("a", 31 * day), ("b", -1), ("b", 400 * day)];
    let user = interactions(store, &what).await;
    let tally = async |count: Count| store.tally(Interaction::KIND, &count).await.expect("counted");
    let mine = || Count::of(Query::owned_by(user));

    assert_eq!(tally(mine()).await, [Group::new(vec![], 7)]);
    assert_eq!(tally(Count::of(Query::owned_by(Id::new()))).await, [Group::new(vec![], 0)]);
    assert_eq!(tally(Count::of(Query::owned_by(Id::new())).by("kind")).await, []);
    assert_eq!(store.count::<Interaction>(&Query::owned_by(user).key("candidate", "b")).await.expect("counted"), 3);
    let by_name = tally(mine().by("candidate")).await;
    assert_eq!(by_name, [Group::new(vec!["a".into()], 4), Group::new(vec!["b".into()], 3)]);

    for bucket in [Bucket::Hour, Bucket::Day, Bucket::Week, Bucket::Month, Bucket::Year] {
        let mut expected: Vec<Group> = Vec::new();
        let mut starts: Vec<_> = what.iter().map(|(_, seconds)| bucket.start(at(*seconds))).collect();
        starts.sort_unstable();
        for start in starts {
            match expected.last_mut() {
                Some(last) if last.keys == [KeyValue::from(start)] => last.count += 1,
                _ => expected.push(Group::new(vec![start.into()], 1)),
            }
        }
        assert_eq!(tally(mine().by_time("at", bucket)).await, expected, "{bucket:?}");
    }

    let both = tally(mine().by("candidate").by_time("at", Bucket::Year)).await;
    let year = |y: &str| KeyValue::from(format!("{y}-01-01T00:00:00Z").parse::<jiff::Timestamp>().expect("a time"));
    let expected = [
        Group::new(vec!["a".into(), year("1970")], 4),
        Group::new(vec!["b".into(), year("1969")], 1),
        Group::new(vec!["b".into(), year("1970")], 1),
        Group::new(vec!["b".into(), year("1971")], 1),
    ];
    assert_eq!(both, expected);
    let wrong = Count::of(Query::all()).by_time("candidate", Bucket::Day);
    assert_kind(store.tally(Interaction::KIND, &wrong).await, ErrorKind::Invalid);
}

/// The largest groups come first, equal ones by their keys, as many as were asked for; records without the key are a
/// group.
///
/// # Panics
///
/// When it is not so.
pub async fn the_largest_groups_come_first(store: &dyn Store) {
    let user = interactions(store, &[("c", 0), ("b", 1), ("a", 2), ("c", 3), ("b", 4), ("c", 5)]).await;
    let count = Count::of(Query::owned_by(user)).by("candidate").largest(2);
    let groups = store.tally(Interaction::KIND, &count).await.expect("counted");
    assert_eq!(groups, [Group::new(vec!["c".into()], 3), Group::new(vec!["b".into()], 2)]);
    let none = Count::of(Query::owned_by(user)).by("candidate").largest(0);
    assert_eq!(store.tally(Interaction::KIND, &none).await.expect("counted"), []);
    let whole = Count::of(Query::owned_by(user)).largest(0);
    assert_eq!(store.tally(Interaction::KIND, &whole).await.expect("counted"), [Group::new(vec![], 6)]);

    let mut users = [super::fixtures::user(), super::fixtures::user(), super::fixtures::user()];
    users[1].email = None;
    users[2].email = None;
    let mut batch = Batch::new();
    for user in users.iter() {
        batch.insert(user);
    }
    store.commit(batch).await.expect("kept");
    let these = Query::all().any("id", users.iter().map(|user| user.id));
    let groups = store.tally(User::KIND, &Count::of(these).by("role")).await.expect("counted");
    assert_eq!(groups, [Group::new(vec!["student".into()], 3)]);
    let these = Query::all().any("id", users[1..].iter().map(|user| user.id));
    let groups = store.tally(User::KIND, &Count::of(these).by("email")).await.expect("counted");
    assert_eq!(groups, [Group::new(vec![KeyValue::Null], 2)]);
}
