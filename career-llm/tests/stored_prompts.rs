//! What a store of prompts does when the store beneath loses races and fails: a mock takes the turns that a real one
//! cannot be made to take. With a real store the same is tested where the crates meet.

#![cfg(feature = "prompts")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use career_core::store::{
    Action, Batch, Capability, Claim, Committed, Count, Document, Group, Kind, OutboxEntry, Page, Query, Store,
    Versioned, now,
};
use career_core::{Conflict, Id, PromptTemplate, Result, User};
use career_llm::ErrorKind;
use career_llm::prompts::Stored;
use mockall::mock;

mock! {
    #[derive(Debug)]
    Backend {}

    #[async_trait]
    impl Store for Backend {
        fn capabilities(&self) -> &'static [Capability];
        async fn fetch(&self, kind: &'static Kind, id: &str) -> Result<Option<Document>>;
        async fn select(&self, kind: &'static Kind, query: &Query) -> Result<Page<Document>>;
        async fn tally(&self, kind: &'static Kind, count: &Count) -> Result<Vec<Group>>;
        async fn commit(&self, batch: Batch) -> Result<Committed>;
        async fn claim(&self, claim: &Claim) -> Result<Vec<Versioned<OutboxEntry>>>;
        async fn health(&self) -> Result<()>;
    }
}

const SOURCE: &str = "+++\nname = \"mine\"\nlanguage = \"en\"\ncategory = \"own\"\n+++\n[user]\nHello.";

fn taken() -> career_core::Error {
    Conflict::Unique { kind: "prompts", id: "other".into(), keys: &["owner", "name"] }.into()
}

fn nothing_found() -> Result<Page<Document>> {
    Ok(Page::new(Vec::new(), None))
}

#[tokio::test]
async fn a_save_that_loses_races_looks_again_each_time() {
    let mut backend = MockBackend::new();
    // Somebody else inserted it between the look and the write, twice; then the write goes through.
    backend.expect_select().times(3).returning(|_, _| nothing_found());
    let mut tries = 0;
    let written = Arc::new(Mutex::new(None));
    let commit = {
        let written = written.clone();
        move |batch: Batch| {
            tries += 1;
            if tries < 3 {
                return Err(taken());
            }
            let write = batch.into_writes()?.pop().expect("one write");
            let Action::Insert(draft) = write.action else { panic!("a new name is inserted") };
            *written.lock().expect("not poisoned") = Some(Document::new(write.id, 1, now(), now(), draft.body));
            Ok(Committed::new(vec![Some(1)]))
        }
    };
    backend.expect_commit().times(3).returning(commit);
    backend.expect_fetch().times(1).returning(move |_, _| Ok(written.lock().expect("not poisoned").take()));
    let kept = Stored::new(Arc::new(backend)).save(Id::<User>::new(), SOURCE).await.expect("kept at last");
    assert_eq!((kept.name.as_str(), kept.version), ("mine", 1));
}

#[tokio::test]
async fn a_save_that_always_loses_gives_up_and_says_why() {
    let mut backend = MockBackend::new();
    backend.expect_select().times(8).returning(|_, _| nothing_found());
    backend.expect_commit().times(8).returning(|_| Err(taken()));
    let error = Stored::new(Arc::new(backend)).save(Id::<User>::new(), SOURCE).await.expect_err("never won");
    assert_eq!(error.kind(), ErrorKind::Backend);
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<career_core::Error>());
    assert!(matches!(cause.and_then(career_core::Error::conflict), Some(Conflict::Unique { .. })), "{error:?}");
}

#[tokio::test]
async fn a_store_that_fails_is_asked_once_and_its_error_is_kept() {
    let down = || career_core::Error::new(career_core::ErrorKind::Unavailable, "the pool is exhausted");
    let mut backend = MockBackend::new();
    backend.expect_select().times(1).returning(move |_, _| Err(down()));
    backend.expect_commit().never();
    let error = Stored::new(Arc::new(backend)).save(Id::<User>::new(), SOURCE).await.expect_err("down");
    assert_eq!(error.kind(), ErrorKind::Backend);

    let mut backend = MockBackend::new();
    backend.expect_fetch().times(1).returning(move |_, _| Err(down()));
    backend.expect_commit().never();
    let error = Stored::new(Arc::new(backend)).record_use(Id::<PromptTemplate>::new()).await.expect_err("down");
    assert_eq!(error.kind(), ErrorKind::Backend);
    assert!(std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("pool is exhausted")));
}

#[tokio::test]
async fn nothing_is_asked_of_the_store_for_a_template_that_is_wrong() {
    // A mock without expectations fails at any call.
    let stored = Stored::new(Arc::new(MockBackend::new()));
    let error = stored.save(Id::<User>::new(), &SOURCE.replace("Hello.", "{{ nobody }}")).await.expect_err("wrong");
    assert_eq!(error.kind(), ErrorKind::Template);
    assert_eq!(stored.rate(Id::new(), 6).await.expect_err("no rating").kind(), ErrorKind::Invalid);
}
