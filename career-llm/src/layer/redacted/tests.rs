use proptest::prelude::*;
use serde_json::json;

use super::super::common::probe::{Probe, done, reply, started};
use super::*;
use crate::{
    Attempt, ChatModelExt, Error, ErrorKind, Message, Opaque, OutputSchema, Part, Restarted, Role, StopReason, Tool,
    ToolCall, ToolResult,
};

fn student() -> Pseudonyms {
    Pseudonyms::new().person("Given Surname").person("आशा").school("Hill School").term(TermKind::Place, "Pune")
}

/// What is sent for a text, and what comes back when the model repeats it in these pieces.
fn round_trip(hidden: &Pseudonyms, text: &str, cuts: &[usize]) -> (String, String) {
    let request = ChatRequest::user(text);
    let mut redaction = Redaction::new(hidden, &request);
    let sent = rewrite::request(&mut redaction, &request).messages[0].text().to_string();
    let mut restoring = Restoring::new(redaction.into_table(), false);
    let mut back = String::new();
    let mut push = |item: Option<Result<ChatEvent>>| {
        if let Some(Ok(ChatEvent::Text(text))) = item {
            back.push_str(&text);
        }
    };
    let mut start = 0;
    let ends = cuts.iter().map(|cut| cut % (sent.len() + 1)).collect::<std::collections::BTreeSet<_>>();
    for end in ends.into_iter().filter(|end| sent.is_char_boundary(*end)).chain([sent.len()]) {
        push(restoring.take(Ok(ChatEvent::Text(sent[start..end].into()))));
        start = end;
    }
    push(restoring.take(Ok(done(StopReason::End))));
    while let Some(item) = restoring.next() {
        push(Some(item));
    }
    (sent, back)
}

fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "Given",
            "given",
            "GIVEN SURNAME",
            "Given  Surname",
            "Surname",
            "आशा",
            "आशाएँ",
            "hill school",
            "Pune",
            "Puneri",
            "a@b.org",
            "आशाa@b.org",
            "given.surname@x.in",
            "98765 43210",
            "+91-98765-43210",
            "2345 6789 0123",
            "ABCDE1234F",
            "[NAME_1]",
            "[NAME_1_2]",
            "[NAME_",
            "[",
            "]",
            "[QXA]",
            "[QYA]",
            "[EMAIL_1]",
            "_1]",
            " ",
            ",",
            "\n",
            "x",
            "7",
            "_",
            "ा",
            "İ",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// What goes out comes back, however the reply is cut; nothing that is hidden goes out.
    #[test]
    fn what_goes_out_comes_back_and_nothing_hidden_goes_out(text in words(), cuts in prop::collection::vec(0_usize..200, 0..20)) {
        let hidden = student();
        let (sent, back) = round_trip(&hidden, &text, &cuts);
        prop_assert_eq!(&back, &text, "sent {}", sent);
        prop_assert!(!hidden.matcher.finds(&sent), "sent {}", sent);
        for detector in hidden.detectors.iter() {
            prop_assert!(detector.spans(&sent).is_empty(), "{:?} in {}", detector, sent);
        }
    }

    /// Also when a term is the word of a placeholder, or its number.
    #[test]
    fn placeholders_hold_no_terms(text in words(), terms in prop::collection::vec("NAME|term|1_2|12|QA|[a-c]{2}|[0-9]{2}|_1|name_1", 1..6)) {
        let hidden = terms.iter().fold(Pseudonyms::new(), |all, term| all.term(TermKind::Name, term).term(TermKind::Other, term));
        let text = format!("{text} {} {text} {}", terms.join(" "), terms.join("-").to_uppercase());
        let (sent, back) = round_trip(&hidden, &text, &[3, 50, 51]);
        prop_assert_eq!(&back, &text, "sent {}", sent);
        prop_assert!(!hidden.matcher.finds(&sent), "sent {}", sent);
    }
}

#[test]
fn spellings_have_placeholders_of_their_own_and_terms_keep_theirs() {
    let sent = |text: &str| round_trip(&student(), text, &[]).0;
    assert_eq!(
        sent("Surname, given, GIVEN, Given, given of Hill School"),
        "[NAME_3], [NAME_2_2], [NAME_2_3], [NAME_2], [NAME_2_2] of [SCHOOL_1]"
    );
    assert_eq!(sent("Given Surname (given.surname@x.in, b@y.in), आशा"), "[NAME_1] ([EMAIL_1], [EMAIL_2]), [NAME_4]");
    assert_eq!(sent("nothing to hide: Givenness"), "nothing to hide: Givenness");
    assert_eq!(sent("[NAME_2] is Given"), "[NAME_2] is [QYA]");
}

fn everything() -> ChatRequest {
    let call = ToolCall::new("c1", "look_up", r#"{"who":"Given","phone":9876543210,"marks":[85,90]}"#);
    let result = ToolResult::of(&call, r#"{"Given":"from \"Pune\"","n":9876543210}"#);
    let said = Message::new(
        Role::Assistant,
        vec![
            Part::Text("Hello Given".into()),
            Part::Opaque(Opaque::new("p", json!("kept"))),
            Part::ToolCall(call.clone()),
        ],
    );
    let schema = json!({
        "title": "Plan of Given",
        "type": "object",
        "properties": {"description": {"type": "string", "enum": ["Given", "x"]}, "given": {"const": "Pune"}},
        "required": ["given"]
    });
    ChatRequest::conversation([
        Message::user("I am Given"),
        said,
        Message::tool_results([
            result,
            ToolResult::of(&call, "Given, in words"),
            ToolResult::of(&call, r#""of \u0906\u0936\u093e""#),
        ]),
    ])
    .with_system("You talk to Given of Hill School")
    .with_tool(Tool::new("look_up", "Finds Given", schema.clone()))
    .with_output(OutputSchema::new("plan", schema))
    .with_stop("Given:")
    .with_extra("openai", "metadata", json!({"of": ["Given"], "n": 9876543210_u64}))
    .on_behalf_of("u1")
}

#[tokio::test]
async fn no_text_of_a_request_shows_what_is_hidden() {
    let probe = Probe::says("ok");
    let model = Redacted::new(probe.clone(), student()).with_note("Keep such words.");
    model.complete(&everything()).await.expect("answered");
    let sent = probe.seen().remove(0);
    let call = ToolCall::new("c1", "look_up", r#"{"marks":[85,90],"phone":"[PHONE_1]","who":"[NAME_2]"}"#);
    assert_eq!(sent.system.as_deref(), Some("You talk to [NAME_2] of [SCHOOL_1]\n\nKeep such words."));
    let parts = &sent.messages[1].parts;
    assert_eq!(parts[0], Part::Text("Hello [NAME_2]".into()));
    assert_eq!(parts[1], Part::Opaque(Opaque::new("p", json!("kept"))));
    let Part::ToolCall(sent_call) = &parts[2] else { panic!("a call") };
    let same_json = |a: &str, b: &str| {
        let parsed = |text| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(parsed(a), parsed(b));
    };
    same_json(&sent_call.input, &call.input);
    let Part::ToolResult(result) = &sent.messages[2].parts[0] else { panic!("a result") };
    same_json(&result.content, r#"{"[NAME_2]":"from \"[PLACE_1]\"","n":"[PHONE_1]"}"#);
    assert_eq!(sent.messages[2].parts[1], Part::ToolResult(ToolResult::of(&call, "[NAME_2], in words")));
    assert_eq!(sent.messages[2].parts[2], Part::ToolResult(ToolResult::of(&call, r#""of [NAME_4]""#)));
    let schema = json!({
        "title": "Plan of [NAME_2]",
        "type": "object",
        "properties": {"description": {"type": "string", "enum": ["[NAME_2]", "x"]}, "given": {"const": "[PLACE_1]"}},
        "required": ["given"]
    });
    assert_eq!(sent.tools[0], Tool::new("look_up", "Finds [NAME_2]", schema.clone()));
    assert_eq!(sent.output, Some(OutputSchema::new("plan", schema)));
    assert_eq!(sent.stop, ["[NAME_2]:"]);
    assert_eq!(sent.extra["openai"]["metadata"], json!({"of": ["[NAME_2]"], "n": 9876543210_u64}));
}

#[tokio::test]
async fn a_request_with_nothing_to_hide_is_sent_as_it_is() {
    let probe = Probe::new(|_, _| Ok(reply(&["[NAME_1]"])));
    let model = Redacted::new(probe.clone(), student()).with_note("Keep such words.");
    let request = ChatRequest::user("Which careers use botany?").with_system("You are kind.");
    assert_eq!(model.complete(&request).await.expect("answered").text(), "[NAME_1]");
    assert_eq!(probe.seen()[0].system, request.system);
}

async fn restored(request: ChatRequest, events: Vec<Result<ChatEvent>>) -> Vec<String> {
    let events = std::sync::Mutex::new(Some(events));
    let probe = Probe::new(move |_, _| {
        Ok(ChatStream::from_events(events.lock().expect("not poisoned").take().expect("one call")))
    });
    let hidden = student().term(TermKind::Name, "A \"Q\" B");
    let stream = Redacted::new(probe, hidden).stream(&request).await.expect("a stream");
    let items: Vec<_> = futures_util::StreamExt::collect(stream).await;
    let show = |item: Result<ChatEvent>| match item {
        Ok(ChatEvent::Text(text)) => format!("text {text}"),
        Ok(ChatEvent::Reasoning(text)) => format!("reasoning {text}"),
        Ok(ChatEvent::Refusal(text)) => format!("refusal {text}"),
        Ok(ChatEvent::ToolInput { index, json }) => format!("input {index} {json}"),
        Ok(ChatEvent::ToolCall { index, .. }) => format!("tool {index}"),
        Ok(ChatEvent::Restarted(restarted)) => format!("restarted {}", restarted.because.partial().expect("partial")),
        Ok(ChatEvent::Started(_)) => "started".to_owned(),
        Ok(ChatEvent::Done(done)) => {
            let attempt = done.attempts.first().and_then(|attempt| attempt.error.as_ref()?.partial().cloned());
            format!("done {}", attempt.unwrap_or_default())
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => format!(
            "error {} {}",
            error.partial().cloned().unwrap_or_default(),
            error.provider_message().cloned().unwrap_or_default()
        ),
    };
    items.into_iter().map(show).collect()
}

fn text(text: &str) -> Result<ChatEvent> {
    Ok(ChatEvent::Text(text.into()))
}

#[tokio::test]
async fn only_what_may_begin_a_placeholder_is_held_back() {
    let asked = || ChatRequest::user("Given Surname");
    let events = vec![
        Ok(started()),
        text("a"),
        text("b [NA"),
        text("ME_1] c"),
        text(" [x"),
        text("] [NAME_9"),
        text("9] [NAME"),
        Ok(done(StopReason::End)),
    ];
    let out = restored(asked(), events).await;
    assert_eq!(
        out,
        [
            "started",
            "text a",
            "text b ",
            "text Given Surname c",
            "text  [x",
            "text ] [NAME_9",
            "text 9] ",
            "text [NAME",
            "done "
        ]
    );
}

#[tokio::test]
async fn every_channel_is_restored_by_itself() {
    let input = |index, json: &str| Ok(ChatEvent::ToolInput { index, json: json.into() });
    let call = |index| Ok(ChatEvent::ToolCall { index, id: "i".into(), name: "n".into() });
    let out = restored(
        ChatRequest::user("A \"Q\" B and Given"),
        vec![
            Ok(started()),
            Ok(ChatEvent::Reasoning("think [NAME".into())),
            text("say [NAME_"),
            Ok(ChatEvent::Reasoning("_5]".into())),
            text("5]. [NA"),
            call(0),
            call(1),
            input(0, "{\"a\":\"[NAME"),
            input(1, "[NAME_2]"),
            input(0, "_5]\"}"),
            text("ME_2]"),
            Ok(ChatEvent::Refusal("[NAME_2]".into())),
            Ok(done(StopReason::End)),
        ],
    )
    .await;
    assert_eq!(
        out,
        [
            "started",
            "reasoning think ",
            "text say ",
            "reasoning A \"Q\" B",
            "text A \"Q\" B. ",
            "text [NA",
            "tool 0",
            "tool 1",
            "input 0 {\"a\":\"",
            "input 1 Given",
            "input 0 A \\\"Q\\\" B\"}",
            "text ME_2]",
            "refusal Given",
            "done "
        ]
    );
    let asked = ChatRequest::user("A \"Q\" B").with_output(OutputSchema::new("o", json!({})));
    let out = restored(asked, vec![Ok(started()), text("{\"a\":\"[NAME_5]\"}"), Ok(done(StopReason::End))]).await;
    assert_eq!(out[1], "text {\"a\":\"A \\\"Q\\\" B\"}", "text that is JSON");
}

#[tokio::test]
async fn errors_and_restarts_are_restored_and_nothing_that_came_is_lost() {
    let broken =
        || Error::new(ErrorKind::Interrupted, "").with_partial("to [NAME_2]").with_provider_message("[NAME_2]?");
    let failed = Attempt::failed(ModelId::new("a", "1"), std::time::Duration::ZERO, broken());
    let mut end = crate::Done::new(StopReason::End);
    end.attempts = vec![failed];
    let out = restored(
        ChatRequest::user("Given"),
        vec![
            Ok(started()),
            text("void [NAME"),
            Ok(ChatEvent::Restarted(Box::new(Restarted::new(broken())))),
            Ok(started()),
            text("_2]"),
            Ok(ChatEvent::Done(Box::new(end))),
        ],
    )
    .await;
    assert_eq!(out, ["started", "text void ", "restarted to Given", "started", "text _2]", "done to Given"]);
    let out = restored(ChatRequest::user("Given"), vec![Ok(started()), text("dear [NAME"), Err(broken())]).await;
    assert_eq!(out, ["started", "text dear ", "text [NAME", "error to Given Given?"]);

    let probe = Probe::new(move |_, _| Err(broken()));
    let error = Redacted::new(probe, student()).complete(&ChatRequest::user("Given")).await.expect_err("broken");
    assert_eq!(error.provider_message().map(Text::as_str), Some("Given?"));
}

#[tokio::test]
async fn without_terms_the_call_is_not_sent() {
    struct Nobody;
    #[async_trait]
    impl PseudonymsOf for Nobody {
        async fn of(&self, _: &ChatRequest) -> Result<Pseudonyms> {
            Err(Error::new(ErrorKind::Backend, "no store"))
        }
    }
    let probe = Probe::says("ok");
    let error = Redacted::new(probe.clone(), Nobody).complete(&ChatRequest::user("Given")).await.expect_err("no terms");
    assert_eq!((error.kind(), probe.calls()), (ErrorKind::Backend, 0));
}

#[test]
fn debug_shows_no_term() {
    let model = Redacted::new(Probe::says("ok"), student());
    let shown = format!("{model:?} {:?}", student());
    assert!(!shown.contains("Given") && shown.ends_with("Pseudonyms(6 terms)"), "{shown}");
}

#[test]
fn many_addresses_take_no_more_than_their_share() {
    // A quadratic search would take a minute here.
    let text: String = (0..5_000).map(|n| format!("[NAME_{n}] a{n}@b.org ")).collect();
    let (sent, back) = round_trip(&student(), &text, &[]);
    assert_eq!(back, text);
    assert!(!sent.contains('@'));
}
