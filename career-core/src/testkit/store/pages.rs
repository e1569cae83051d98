//! Queries, orders and pages.

use super::assert_kind;
use super::fixtures::{at, interaction, kept_conversation, kept_user, message};
use crate::store::{Action, Batch, Cursor, Draft, KeyValue, Query, Record, Write};
use crate::{ErrorKind, Id, Interaction, InteractionKind, Message, Store, StoreExt, User};

async fn candidates(store: &dyn Store, query: Query) -> Vec<String> {
    let page = store.list::<Interaction>(&query).await.expect("listed");
    page.items.iter().map(|item| item.candidate.to_string()).collect()
}

/// Interactions of a new user: at 0, 10, 20, … seconds, alternately saved and viewed.
async fn interactions(store: &dyn Store, names: &[&str]) -> Id<User> {
    let user = kept_user(store).await;
    let mut batch = Batch::new();
    for (n, name) in (0..).zip(names) {
        let kind = if n % 2 == 0 { InteractionKind::Saved } else { InteractionKind::Viewed };
        batch.insert(&interaction(user, kind, name, at(n * 10)));
    }
    store.commit(batch).await.expect("kept");
    user
}

/// Each filter lets through what it says, and filters hold together.
///
/// # Panics
///
/// When one does not.
pub async fn filters_choose(store: &dyn Store) {
    let user = interactions(store, &["a", "b", "c", "d", "b"]).await;
    let mine = || Query::owned_by(user).ascending("at");
    assert_eq!(candidates(store, mine()).await, ["a", "b", "c", "d", "b"]);
    assert_eq!(candidates(store, mine().key("candidate", "b")).await, ["b", "b"]);
    assert_eq!(candidates(store, mine().key("candidate", "b").key("kind", "saved")).await, ["b"]);
    assert_eq!(candidates(store, mine().any("candidate", ["a", "d", "z"])).await, ["a", "d"]);
    assert_eq!(candidates(store, mine().any("candidate", Vec::<&str>::new())).await, [""; 0]);
    assert_eq!(candidates(store, mine().during("at", at(10)..at(30))).await, ["b", "c"]);
    assert_eq!(candidates(store, mine().at_least("candidate", "c")).await, ["c", "d"]);
    assert_eq!(candidates(store, mine().below("candidate", "b")).await, ["a"]);
    assert_eq!(candidates(store, Query::owned_by(Id::new())).await, [""; 0]);

    let conversation = kept_conversation(store).await;
    let mut named = message(conversation.id, 1, "named");
    named.client_id = Some("c-1".into());
    let unnamed = message(conversation.id, 2, "unnamed");
    let mut batch = Batch::new();
    batch.insert(&named).insert(&unnamed);
    store.commit(batch).await.expect("kept");
    let of_it = || Query::all().key("conversation", conversation.id);
    let only = |query: Query| async move {
        let page = store.list::<Message>(&query).await.expect("listed");
        page.items.iter().map(|message| message.sequence).collect::<Vec<_>>()
    };
    assert_eq!(only(of_it().missing("client_id")).await, [2]);
    assert_eq!(only(of_it().at_least("client_id", "")).await, [1]);
    assert_eq!(only(of_it().ascending("client_id")).await, [1], "records without the key of the order are left out");
    assert_eq!(only(of_it().at_least("sequence", 2)).await, [2]);
    assert_eq!(only(of_it().any("id", [unnamed.id])).await, [2]);
}

/// Order is by the key and then by the id, by bytes, both ways.
///
/// # Panics
///
/// When it is another.
pub async fn order_is_by_key_then_id(store: &dyn Store) {
    let names = ["b", "a", "B", "é", "z", "10", "9", "a", "_", "क"];
    let user = interactions(store, &names).await;
    let mut sorted = names;
    sorted.sort_unstable();
    let mine = || Query::owned_by(user);
    assert_eq!(candidates(store, mine().ascending("candidate")).await, sorted);
    let up = store.list::<Interaction>(&mine().ascending("candidate")).await.expect("listed").items;
    let mut down = store.list::<Interaction>(&mine().descending("candidate")).await.expect("listed").items;
    down.reverse();
    assert!(up == down, "the same order, upside down");
    let equal: Vec<String> = up.iter().filter(|i| i.candidate.as_str() == "a").map(|i| i.id.to_string()).collect();
    assert!(equal.len() == 2 && equal[0] < equal[1], "equal keys stand by their ids");
    let by_id = store.list::<Interaction>(&mine()).await.expect("listed").items;
    assert!(by_id.windows(2).all(|pair| pair[0].id.to_string() < pair[1].id.to_string()));
    let newest = store.list::<Interaction>(&mine().newest().limit(3)).await.expect("listed").items;
    assert!(newest.windows(2).all(|p| (p[0].created(), p[0].id) > (p[1].created(), p[1].id)));
}

/// Pages of any size, joined by their cursors, are the whole; the last one says that it is.
///
/// # Panics
///
/// When they are not.
pub async fn pages_join_without_gap_or_double(store: &dyn Store) {
    let names: Vec<String> = (0..23).map(|n| format!("candidate-{}", n % 5)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let user = interactions(store, &names).await;
    for order in ["id", "candidate", "at", "created", "kind"] {
        for descending in [false, true] {
            let base = Query::owned_by(user);
            let base = if descending { base.descending(order) } else { base.ascending(order) };
            let whole = store.list::<Interaction>(&base.clone().limit(100)).await.expect("listed");
            assert!(whole.next.is_none(), "all of it fits");
            assert_eq!(whole.items.len(), 23);
            for size in [1, 5, 22, 23] {
                let mut joined = Vec::new();
                let mut pages = store.pages::<Interaction>(base.clone().limit(size));
                while let Some(items) = pages.next().await.expect("a page") {
                    assert!(items.len() <= size as usize && !items.is_empty());
                    joined.extend(items);
                }
                assert!(joined == whole.items, "by {order}, {size} at a time");
            }
        }
    }
    let none = store.list::<Interaction>(&Query::owned_by(Id::new()).limit(1)).await.expect("listed");
    assert!(none.items.is_empty() && none.next.is_none());
}

/// After a page that failed the same page is asked for again, and the end is not where it failed.
///
/// # Panics
///
/// When a page is skipped.
pub async fn pages_go_on_after_an_error(store: &dyn Store) {
    let user = interactions(store, &["a", "b", "c"]).await;
    let broken = interaction(user, InteractionKind::Liked, "d", at(100));
    let keys = vec![user.into(), "liked".into(), "d".into(), at(100).into()];
    let write = |body: String| {
        let put = Action::Put(Draft::new(keys.clone(), body));
        Write::new(Interaction::KIND, broken.id.to_string(), put)
    };
    store.commit(vec![write("{}".into())].into()).await.expect("a store does not look into documents");
    let mut pages = store.pages::<Interaction>(Query::owned_by(user).ascending("at").limit(3));
    assert_eq!(pages.next().await.expect("a page").expect("there is one").len(), 3);
    assert_kind(pages.next().await, ErrorKind::Corrupt);
    let mended = serde_json::to_string(&broken).expect("it serialises");
    store.commit(vec![write(mended)].into()).await.expect("mended");
    assert_eq!(pages.next().await.expect("a page").expect("it is not the end").len(), 1);
    assert!(pages.next().await.expect("the end").is_none());
}

/// Writes between two pages neither repeat nor skip a record that was there all the time.
///
/// # Panics
///
/// When they do.
pub async fn pages_stay_put_while_others_write(store: &dyn Store) {
    let user = interactions(store, &["b", "d", "f", "h", "j"]).await;
    let query = Query::owned_by(user).ascending("candidate").limit(2);
    let first = store.list::<Interaction>(&query).await.expect("listed");
    assert_eq!(first.items.iter().map(|i| i.candidate.as_str()).collect::<Vec<_>>(), ["b", "d"]);

    let mut batch = Batch::new();
    batch.insert(&interaction(user, InteractionKind::Liked, "a", at(1)));
    batch.insert(&interaction(user, InteractionKind::Liked, "e", at(1)));
    batch.delete::<Interaction>(&first.items[1].id).delete::<Interaction>(&first.items[0].id);
    store.commit(batch).await.expect("written");

    let cursor = first.next.expect("there is more");
    let resent = Cursor::from_text(cursor.as_str());
    let rest = candidates(store, query.after(Some(resent)).limit(10)).await;
    assert_eq!(rest, ["e", "f", "h", "j"], "what was there and what came, nothing twice");
}

/// A query that does not fit its kind is refused by the name of what is wrong.
///
/// # Panics
///
/// When it is answered.
pub async fn bad_queries_are_refused(store: &dyn Store) {
    let bad = [
        (Query::all().key("colour", "red"), "colour"),
        (Query::all().key("candidate; DROP TABLE interactions", "x"), "candidate; DROP TABLE interactions"),
        (Query::all().key("candidate", 1), "candidate"),
        (Query::all().key("candidate", KeyValue::Null), "candidate"),
        (Query::all().key("candidate", "a\0"), "candidate"),
        (Query::all().ascending("body"), "body"),
        (Query::all().limit(0), "limit"),
        (Query::all().limit(1_001), "limit"),
        (Query::all().after(Some(Cursor::from_text("zzz"))), "after"),
    ];
    for (query, field) in bad {
        let error = assert_kind(store.list::<Interaction>(&query).await, ErrorKind::Invalid);
        assert_eq!(error.place().field.as_deref(), Some(field), "{error}");
    }
}
