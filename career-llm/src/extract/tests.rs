use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::testkit::scripted::{Piece, Script, ScriptedModel};
use crate::{ChatEvent, Delivery, Done, ModelId, SchemaReport, Scope, Started, Timeout};

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Advice {
    career: String,
    #[schemars(range(min = 1, max = 5))]
    fit: u8,
    #[serde(default)]
    why: Vec<String>,
}

const GOOD: &str = r#"{"career": "Botanist", "fit": 4}"#;
const UNFIT: &str = r#"{"career": "a secret word", "fit": 77}"#;

fn id() -> ModelId {
    ModelId::new("test", "one")
}

fn ask() -> ChatRequest {
    ChatRequest::user("What fits me?")
}

fn native(reply: &str, lost: Vec<Lost>) -> Script {
    let mut started = Started::new(id());
    started.schema = Some(Arc::new(SchemaReport { mode: SchemaMode::Native, lost }));
    Script::pieces([
        Piece::Event(ChatEvent::Started(Box::new(started))),
        Piece::from(reply),
        Piece::from(Done::new(StopReason::End).with_usage(Usage::new(10, 5))),
    ])
}

#[tokio::test]
async fn a_first_answer_that_fits_is_native_or_prompted() -> Result<()> {
    let lost = vec![Lost { pointer: "/properties/fit".into(), keyword: "maximum".into() }];
    let model = ScriptedModel::new(id()).then(native(GOOD, lost.clone())).then(Script::reply(format!("Sure! {GOOD}")));
    let advice = model.extract::<Advice>(&ask()).await?;
    assert_eq!((advice.provenance, advice.repairs, advice.usage), (Provenance::Native, 0, Usage::new(10, 5)));
    assert_eq!(advice.lost, lost);
    assert_eq!(advice.into_inner(), Advice { career: "Botanist".into(), fit: 4, why: vec![] });
    let advice = model.extract::<Advice>(&ask()).await?;
    assert_eq!((advice.provenance, advice.fit), (Provenance::Prompted, 4));
    let asked = &model.requests()[0];
    let output = asked.output.as_ref().expect("a schema");
    assert_eq!((output.name.as_str(), asked.delivery), ("Advice", Delivery::Whole));
    assert_eq!(output.schema["properties"]["fit"]["maximum"], json!(5));
    Ok(())
}

#[tokio::test]
async fn an_answer_that_does_not_fit_goes_back_with_places_and_keywords() -> Result<()> {
    let model = ScriptedModel::new(id())
        .then(native(r#"{"career": 7, "fit": 9}"#, vec![]))
        .then(native("I am sorry, I have no answer.", vec![]))
        .then(native(GOOD, vec![]));
    let boxed: Box<dyn ChatModel> = Box::new(model.clone());
    let advice = boxed.extract::<Advice>(&ask()).await?;
    assert_eq!((advice.provenance, advice.repairs), (Provenance::Repaired, 2));
    assert_eq!(advice.usage, Usage::new(30, 15), "of all three calls");
    assert_eq!(advice.attempts.iter().map(|call| call.usage).collect::<Vec<_>>(), [Some(Usage::new(10, 5)); 3]);
    let last = &model.requests()[2];
    assert_eq!(
        last.messages.iter().map(|message| message.role).collect::<Vec<_>>(),
        [Role::User, Role::Assistant, Role::User, Role::Assistant, Role::User,]
    );
    let told = last.messages[2].text();
    assert!(told.contains("- /fit: `maximum` (the schema says 5)"), "{told}");
    assert!(told.contains("- /career: `type` (the schema says \"string\")"), "{told}");
    assert!(last.messages[4].text().contains("no JSON value"), "{}", last.messages[4].text());
    Ok(())
}

#[tokio::test]
async fn after_the_last_repair_the_error_names_places_and_no_values() {
    let model = ScriptedModel::new(id()).forever(Script::reply(UNFIT));
    let error = model.extract_with::<Advice>(&ask(), &Extract::new().repairs(1)).await.expect_err("it never fits");
    assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Output, Scope::Elsewhere));
    assert_eq!(error.message(), "after 1 repairs: /fit: maximum");
    assert_eq!((model.calls(), error.attempts().len()), (2, 2));
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[tokio::test]
async fn the_one_that_fits_is_taken_of_several() -> Result<()> {
    let model = ScriptedModel::new(id()).then(Script::reply(format!("As in [1], not {UNFIT} but {GOOD}, {{}}.")));
    assert_eq!(model.extract::<Advice>(&ask()).await?.fit, 4);
    Ok(())
}

#[tokio::test]
async fn what_asking_again_would_not_help_is_told_at_once() {
    let cut = Script::reply(r#"{"career": "Bota"#).stopped(StopReason::Length);
    let model = ScriptedModel::new(id())
        .then(cut)
        .then(Script::refusal("secret reasons"))
        .then(Script::tool_call("1", "look", "{}"));
    let error = model.extract::<Advice>(&ask()).await.expect_err("cut");
    assert_eq!(error.kind(), ErrorKind::Output);
    assert!(error.message().contains("max_output_tokens"), "{error}");
    let error = model.extract::<Advice>(&ask()).await.expect_err("refused");
    assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Filtered, Scope::Nowhere));
    assert!(!format!("{error:?}").contains("secret"));
    let error = model.extract::<Advice>(&ask()).await.expect_err("a tool");
    assert!(error.message().contains("tool"), "{error}");
    assert_eq!(model.calls(), 3);
}

#[tokio::test]
async fn a_refusal_stays_one_when_something_that_fits_stands_before_it() {
    let refusal = Script::pieces([
        Piece::from(GOOD),
        Piece::Event(ChatEvent::Refusal("on second thoughts, no".into())),
        Piece::from(Done::new(StopReason::End)),
    ]);
    let model = ScriptedModel::new(id()).then(Script::reply(GOOD).stopped(StopReason::Filtered)).then(refusal);
    for _ in 0..2 {
        let error = model.extract::<Advice>(&ask()).await.expect_err("refused");
        assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Filtered, Scope::Nowhere));
        assert_eq!(error.attempts().len(), 1);
    }
}

#[tokio::test]
async fn a_number_that_may_be_cut_off_is_not_taken_for_whole() -> Result<()> {
    let schema = json!({"type": "integer"});
    let model =
        ScriptedModel::new(id()).then(Script::reply("12").stopped(StopReason::Length)).then(Script::reply("12"));
    let error = model.extract_value(&ask(), &schema, &Extract::new()).await.expect_err("it may be 123");
    assert!(error.message().contains("max_output_tokens"), "{error}");
    assert_eq!(model.extract_value(&ask(), &schema, &Extract::new()).await?.value, json!(12));
    Ok(())
}

#[tokio::test]
async fn a_whole_answer_counts_even_if_the_words_after_it_were_cut() -> Result<()> {
    let model = ScriptedModel::new(id()).then(Script::reply(format!("{GOOD} I hope th")).stopped(StopReason::Length));
    assert_eq!(model.extract::<Advice>(&ask()).await?.fit, 4);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn one_deadline_holds_for_all_calls() {
    let model = ScriptedModel::new(id()).forever(Script::reply(UNFIT).after(Duration::from_secs(2)));
    let error = model.extract::<Advice>(&ask().within(Duration::from_secs(3))).await.expect_err("no time");
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Deadline));
    assert_eq!(error.attempts().len(), 2, "the answer that did not fit is not forgotten");
}

#[tokio::test]
async fn what_fits_the_schema_and_not_the_type_is_repaired_too() -> Result<()> {
    #[derive(Debug)]
    struct Even(u64);
    impl<'de> Deserialize<'de> for Even {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let number = u64::deserialize(deserializer)?;
            if number % 2 == 0 { Ok(Even(number)) } else { Err(serde::de::Error::custom(format!("{number} is odd"))) }
        }
    }
    impl JsonSchema for Even {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Even<u64>".into()
        }
        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({"type": "integer"})
        }
    }
    let model =
        ScriptedModel::new(id()).then(Script::reply("13")).then(Script::reply("14")).forever(Script::reply("15"));
    let even = model.extract::<Even>(&ask()).await?;
    assert_eq!((even.0, even.repairs), (14, 1));
    assert_eq!(model.requests()[0].output.as_ref().map(|output| output.name.as_str()), Some("Even_u64_"));
    assert!(model.requests()[1].messages[2].text().contains("13 is odd"));
    let error = model.extract::<Even>(&ask()).await.expect_err("odd");
    assert_eq!(error.message(), "after 2 repairs: /: does not fit the type");
    Ok(())
}

#[tokio::test]
async fn a_schema_known_only_now_does_as_well() -> Result<()> {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string", "format": "date"}},
        "required": ["b"]});
    let model = ScriptedModel::new(id())
        .then(Script::reply(r#"{"a": null, "b": "tomorrow"}"#))
        .then(Script::reply(r#"{"a": null, "b": "2026-11-21"}"#));
    let value = model.extract_value(&ask(), &schema, &Extract::new().name("when")).await?;
    assert_eq!((value.value.clone(), value.repairs), (json!({"b": "2026-11-21"}), 1));
    assert!(!format!("{value:?}").contains("2026"));
    let error = model.extract_value(&ask(), &json!({"type": 1}), &Extract::new()).await.expect_err("no schema");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    Ok(())
}

#[tokio::test]
async fn a_model_that_said_nothing_is_asked_in_one_turn() -> Result<()> {
    let silent = Script::pieces([Piece::from(Done::new(StopReason::End))]);
    let model = ScriptedModel::new(id()).then(silent).then(Script::reply(GOOD));
    model.extract::<Advice>(&ask()).await?;
    assert_eq!(model.requests()[1].messages.len(), 1);
    assert_eq!(model.requests()[1].messages[0].parts.len(), 2);
    Ok(())
}
