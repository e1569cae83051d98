//! Users' prompt templates in a store: here, where the crates meet.

use std::sync::Arc;

use career_core::store::{Store, StoreExt};
use career_core::{Id, PromptTemplate, User};
use career_llm::ErrorKind;
use career_llm::prompts::{Fault, Limit, Registry, Stored, Verdict};
use career_store::MemoryStore;
use serde_json::json;

/// A template with these variables (TOML) and this body.
fn source(variables: &str, body: &str) -> String {
    format!("+++\nname = \"test\"\nlanguage = \"en\"\ncategory = \"test\"\n{variables}\n+++\n{body}")
}

async fn stored() -> (Stored, Arc<dyn Store>, Id<User>) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let user = User::builder().name("Student").created_at(career_core::store::now()).build();
    store.insert(&user).await.expect("kept");
    (Stored::new(Arc::clone(&store)), store, user.id)
}

const HELLO: &str = "[variables.name]\ntype = \"untrusted\"\nexample = \"Student\"";

#[tokio::test]
async fn a_template_is_checked_before_it_is_kept() {
    let (stored, _, owner) = stored().await;
    for (text, expected) in [
        (source(HELLO, "[user]\n{{ nmae }}"), Fault::UnknownVariable),
        (source(HELLO, "[user]\n{% include \"x\" %}{{ name }}"), Fault::Forbidden),
        (source("", &format!("[user]\n{}", "x".repeat(20_000))), Fault::Limit(Limit::Source)),
        (source("[variables.x]\ntype = \"text\"\nexample = \" \"", "[user]\n{{ x }}"), Fault::Blank),
    ] {
        let error = stored.save(owner, &text).await.expect_err("wrong");
        assert_eq!(Fault::of(&error), Some(expected));
    }
    assert!(stored.list(owner, None, None).await.expect("lists").items.is_empty());
}

#[tokio::test]
async fn a_changed_body_is_a_new_version_whose_counts_begin_again() {
    let (stored, _, owner) = stored().await;
    let first = stored.save(owner, &source(HELLO, "[user]\nHello {{ name }}")).await.expect("kept");
    stored.record_use(first.id).await.expect("counted");
    stored.rate(first.id, 5).await.expect("rated");
    let same = stored.save(owner, &source(HELLO, "[user]\nHello {{ name }}")).await.expect("kept");
    assert_eq!((same.id, same.version, same.used, same.rating.count), (first.id, 1, 1, 1));
    let changed = stored.save(owner, &source(HELLO, "[user]\nGood day {{ name }}")).await.expect("kept");
    assert_eq!((changed.id, changed.version, changed.used, changed.rating.count), (first.id, 2, 0, 0));
    assert_eq!(stored.open(&changed).expect("reads").header().version, 2);
}

#[tokio::test]
async fn templates_are_listed_by_owner_and_category_and_rendered_by_name() {
    let (stored, _, owner) = stored().await;
    stored.save(owner, &source(HELLO, "[user]\nHello {{ name }}")).await.expect("kept");
    let listed = |category| stored.list(owner, category, None);
    assert_eq!(listed(Some("test")).await.expect("lists").items.len(), 1);
    assert_eq!(listed(Some("other")).await.expect("lists").items.len(), 0);
    let request = stored.render(owner, "test", &json!({ "name": "Student" })).await.expect("renders");
    assert!(request.messages[0].text().contains("\nStudent\n</data-"));
    assert_eq!(stored.find(owner, "test").await.expect("found").expect("there").used, 1);
    let stranger = stored.render(Id::new(), "test", &json!({ "name": "Student" })).await.expect_err("not theirs");
    assert_eq!(Fault::of(&stranger), Some(Fault::NotFound));
    assert!(stored.delete(owner, "test").await.expect("gone"));
    assert!(!stored.delete(owner, "test").await.expect("nothing there"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counts_at_the_same_time_are_all_counted() {
    let (stored, _, owner) = stored().await;
    let id = stored.save(owner, &source(HELLO, "[user]\nHello {{ name }}")).await.expect("kept").id;
    let tasks = (0..8).map(|_| {
        let stored = stored.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                stored.record_use(id).await.expect("counted");
                stored.rate(id, 4).await.expect("rated");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("ran");
    }
    let found = stored.find(owner, "test").await.expect("found").expect("there");
    assert_eq!((found.used, found.rating.count, found.rating.stars), (80, 80, 320));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn saves_at_the_same_time_make_one_record() {
    let (stored, store, owner) = stored().await;
    let tasks = (0..6).map(|at| {
        let stored = stored.clone();
        tokio::spawn(
            async move { stored.save(owner, &source(HELLO, &format!("[user]\nHello {{{{ name }}}} {at}"))).await },
        )
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("ran").expect("kept");
    }
    let found = stored.list(owner, None, None).await.expect("lists").items;
    assert_eq!((found.len(), found[0].version), (1, 6));
    assert_eq!(store.count::<PromptTemplate>(&career_core::store::Query::all()).await.expect("counts"), 1);
}

#[tokio::test]
async fn premade_templates_are_tracked_once_and_compared() {
    let (stored, _, owner) = stored().await;
    let prompts = Registry::premade();
    let english = prompts.find("cover_letter", &career_core::LanguageTag::new("en").expect("a tag")).expect("there");
    let tracked = stored.track(english).await.expect("kept");
    assert_eq!(stored.track(english).await.expect("kept"), tracked);
    let own = stored.save(owner, &source(HELLO, "[user]\nHello {{ name }}")).await.expect("kept").id;
    assert_eq!(stored.compare(tracked, own).await.expect("compares").verdict, Verdict::Undecided);
    for _ in 0..20 {
        stored.rate(tracked, 5).await.expect("rated");
        stored.rate(own, 2).await.expect("rated");
    }
    let found = stored.compare(tracked, own).await.expect("compares");
    assert_eq!((found.verdict, found.difference), (Verdict::First, Some(3.0)));
}

#[tokio::test]
async fn wrong_stars_and_unknown_ids_are_refused() {
    let (stored, _, _) = stored().await;
    assert_eq!(stored.rate(Id::new(), 6).await.expect_err("no star").kind(), ErrorKind::Invalid);
    let error = stored.record_use(Id::new()).await.expect_err("no record");
    assert_eq!(Fault::of(&error), Some(Fault::NotFound));
}

#[tokio::test]
async fn a_record_that_was_tampered_with_is_not_opened() {
    let (stored, _, owner) = stored().await;
    let mut kept = stored.save(owner, &source(HELLO, "[user]\nHello {{ name }}")).await.expect("kept").clone();
    kept.name = "other".into();
    assert_eq!(Fault::of(&stored.open(&kept).expect_err("other name")), Some(Fault::Header));
    kept.body = source("", "[user]\n{% include \"x\" %}");
    assert_eq!(Fault::of(&stored.open(&kept).expect_err("forbidden")), Some(Fault::Forbidden));
}
