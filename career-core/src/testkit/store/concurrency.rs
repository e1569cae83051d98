//! Many at once. The futures are joined on one task; a backend's own tests add threads and processes.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use super::fixtures::{kept_conversation, message, user};
use crate::store::Query;
use crate::{Conflict, Message, Store, StoreExt, User};

/// Runs futures side by side and gives their answers in order.
pub(crate) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut all_done = true;
        for (future, output) in futures.iter_mut().zip(&mut outputs).filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(value) => *output = Some(value),
                Poll::Pending => all_done = false,
            }
        }
        if all_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

/// Every one of many read-change-writes of one record counts.
///
/// # Panics
///
/// When one was lost.
pub async fn no_update_is_lost(store: &dyn Store) {
    let mut counter = user();
    counter.name = "0".into();
    store.insert(&counter).await.expect("new");
    let writers = (0..8).map(|_| async {
        for _ in 0..5 {
            loop {
                let add = |user: &mut User| {
                    user.name = (user.name.parse::<u32>().expect("a number") + 1).to_string();
                    Ok(())
                };
                match store.modify::<User>(&counter.id, add).await {
                    Ok(_) => break,
                    // So many at one record may wear out the attempts of one of them.
                    Err(error) => assert!(matches!(error.conflict(), Some(Conflict::Version { .. })), "{error}"),
                }
            }
        }
    });
    join_all(writers).await;
    let end = store.load::<User>(&counter.id).await.expect("there");
    assert_eq!((end.name.as_str(), end.version()), ("40", 41));
}

/// Of many inserts of one id, and of one unique key, one wins and the others are conflicts.
///
/// # Panics
///
/// When another number wins.
pub async fn one_of_many_inserts_wins(store: &dyn Store) {
    let contested = user();
    let results = join_all((0..10).map(|_| store.insert(&contested))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "one id");

    let conversation = kept_conversation(store).await;
    let messages: Vec<Message> = (0..10).map(|n| message(conversation.id, 1, n.to_string())).collect();
    let results = join_all(messages.iter().map(|message| store.insert(message))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "one sequence");
    for error in results.into_iter().filter_map(Result::err) {
        assert!(matches!(error.conflict(), Some(Conflict::Unique { kind: "messages", .. })), "{error}");
    }
    let there = store.count::<Message>(&Query::all().key("conversation", conversation.id)).await.expect("counted");
    assert_eq!(there, 1);
}
