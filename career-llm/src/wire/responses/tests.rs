use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::schema::SchemaMode;
use crate::wire::openai::testing::{body, decode, feed, requests, told};
use crate::wire::{Events, Frame};
use crate::{Effort, ErrorKind, Message, Part, Role, Scope, Text, ToolCall, ToolResult};

fn stream(lines: &[&str]) -> Vec<String> {
    told(&Responses::new(), Delivery::Streamed, lines)
}

fn whole(body: &str) -> Vec<String> {
    told(&Responses::new(), Delivery::Whole, &[body])
}

#[test]
fn bodies_are_as_documented() {
    for (name, request) in requests("openai") {
        let body = body(&Responses::new(), &request, "gpt-5-mini");
        insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!(name, body) });
    }
}

#[test]
fn fields_come_in_the_documented_order_and_unset_ones_not_at_all() {
    let request = ChatRequest::user("hi").with_system("Be brief.").with_effort(Effort::Low).delivered(Delivery::Whole);
    let encoded = Responses::new().encode(&request, "gpt-5").expect("encoded");
    let expected = concat!(
        r#"{"model":"gpt-5","instructions":"Be brief.","input":[{"role":"user","content":"hi"}],"#,
        r#""reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"],"store":false,"stream":false}"#
    );
    assert_eq!((encoded.path.as_str(), encoded.body.as_str()), ("/responses", expected));
}

#[test]
fn only_a_model_that_thinks_is_asked_for_its_thoughts() {
    let sent = |model, effort: Option<Effort>| {
        let mut request = ChatRequest::user("hi").with_temperature(0.5);
        request.effort = effort;
        let body = body(&Responses::new(), &request, model);
        [&body["include"], &body["reasoning"], &body["temperature"]].map(|field| !field.is_null())
    };
    assert_eq!(sent("gpt-5", None), [true, false, false]);
    assert_eq!(sent("gpt-5", Some(Effort::High)), [true, true, false]);
    assert_eq!(sent("gpt-4.1", Some(Effort::High)), [false, false, true]);
    assert_eq!(sent("unheard-of", None), [false, false, true]);
    assert_eq!(sent("unheard-of", Some(Effort::High)), [true, true, true]);
}

#[test]
fn what_the_protocol_cannot_say_is_refused_for_here() {
    let error = Responses::new().encode(&ChatRequest::user("hi").with_stop("END"), "m").expect_err("no such field");
    assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Unsupported, Scope::Elsewhere));
}

#[test]
fn a_schema_is_sent_strict_and_reported() {
    let schema = json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false});
    let request = ChatRequest::user("hi").with_output(crate::OutputSchema::new("plan", schema.clone()));
    let encoded = Responses::new().encode(&request, "m").expect("encoded");
    let body: Value = serde_json::from_str(&encoded.body).expect("JSON");
    let format = json!({"type": "json_schema", "name": "plan", "strict": true, "schema": schema});
    assert_eq!(body["text"]["format"], format);
    assert_eq!(encoded.schema.expect("a report").mode, SchemaMode::Native);
}

const CREATED: &str = concat!(
    r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","#,
    r#""created_at":1763740000,"status":"in_progress","error":null,"incomplete_details":null,"instructions":null,"#,
    r#""model":"gpt-5-mini-2025-08-07","output":[],"tools":[],"usage":null}}"#
);
const COMPLETED: &str = concat!(
    r#"{"type":"response.completed","sequence_number":99,"response":{"id":"resp_1","status":"completed","error":null,"#,
    r#""model":"gpt-5-mini-2025-08-07","output":[{"type":"message","content":[{"type":"output_text","text":"again"}]}],"#,
    r#""usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":30},"output_tokens":87,"#,
    r#""output_tokens_details":{"reasoning_tokens":64},"total_tokens":123}}}"#
);

#[test]
fn a_stream_of_thoughts_and_words() {
    let lines = [
        CREATED,
        r#"{"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1","status":"in_progress"}}"#,
        r#"{"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}"#,
        r#"{"type":"response.reasoning_summary_part.added","sequence_number":3,"item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}"#,
        r#"{"type":"response.reasoning_summary_text.delta","sequence_number":4,"item_id":"rs_1","output_index":0,"summary_index":0,"delta":"Hm."}"#,
        r#"{"type":"response.reasoning_summary_part.added","sequence_number":5,"item_id":"rs_1","output_index":0,"summary_index":1,"part":{"type":"summary_text","text":""}}"#,
        r#"{"type":"response.reasoning_summary_text.delta","sequence_number":6,"item_id":"rs_1","output_index":0,"summary_index":1,"delta":"Yes."}"#,
        r#"{"type":"response.output_item.done","sequence_number":7,"output_index":0,"item":{"encrypted_content":"gAAA","id":"rs_1","summary":[],"type":"reasoning"}}"#,
        r#"{"type":"response.output_item.added","sequence_number":8,"output_index":1,"item":{"id":"msg_1","type":"message","status":"in_progress","content":[],"role":"assistant"}}"#,
        r#"{"type":"response.content_part.added","sequence_number":9,"item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","annotations":[],"text":""}}"#,
        r#"{"type":"response.output_text.delta","sequence_number":10,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"Bota","logprobs":[]}"#,
        r#"{"type":"response.output_text.delta","sequence_number":11,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"nist \"माली\"","logprobs":[]}"#,
        r#"{"type":"response.output_text.done","sequence_number":12,"item_id":"msg_1","output_index":1,"content_index":0,"text":"Botanist"}"#,
        r#"{"type":"response.a_thing_to_come","sequence_number":13,"delta":"not text"}"#,
        COMPLETED,
    ];
    let expected = [
        "started openai/gpt-5-mini-2025-08-07",
        "reasoning Hm.",
        "reasoning \n\n",
        "reasoning Yes.",
        r#"opaque openai {"encrypted_content":"gAAA","id":"rs_1","summary":[],"type":"reasoning"}"#,
        "text Bota",
        "text nist \"माली\"",
        "done End completed Some([36, 30, 0, 87, 64])",
    ];
    assert_eq!(stream(&lines), expected);
    // The end is the response's own, not the connection's and not another protocol's mark.
    let cut = ["error: protocol violated: the reply was cut short"];
    assert_eq!(stream(&lines[..14]), cut);
    let mut marked = lines;
    marked[14] = "[DONE]";
    assert_eq!(stream(&marked), cut);
}

#[test]
fn pieces_are_slices_of_what_the_network_delivered() {
    let line = Text::from(r#"{"type":"response.output_text.delta","delta":"hello"}"#);
    let (_, mut decoder) = Responses::new().decoder("m", Delivery::Streamed);
    let mut events = crate::wire::Events::new();
    decoder.frame(crate::wire::Frame::new("response.output_text.delta", &line), &mut events).expect("taken");
    let Some(crate::ChatEvent::Text(piece)) = events.pop_back() else { panic!("expected a text") };
    assert_eq!(piece.as_ptr(), line[line.find("hello").expect("there")..].as_ptr());
}

#[test]
fn tools_in_a_stream_and_as_servers_mangle_them() {
    let added = |at: u8, id: &str| {
        format!(
            r#"{{"type":"response.output_item.added","output_index":{at},"item":{{"id":"fc_{at}","type":"function_call","call_id":"{id}","name":"f","arguments":""}}}}"#
        )
    };
    let delta = |at: u8, json: &str| {
        format!(
            r#"{{"type":"response.function_call_arguments.delta","item_id":"fc_{at}","output_index":{at},"delta":{json}}}"#
        )
    };
    let done = |at: u8, id: &str| {
        format!(
            r#"{{"type":"response.output_item.done","output_index":{at},"item":{{"id":"fc_{at}","type":"function_call","call_id":"{id}","name":"f","arguments":"{{\"x\":1}}"}}}}"#
        )
    };
    let run = |lines: &[String]| {
        let mut lines: Vec<_> = lines.iter().map(String::as_str).collect();
        lines.push(r#"{"type":"response.completed","response":{"status":"completed"}}"#);
        stream(&lines).split_off(1)
    };
    // Mixed; the place in the output is not the number of the call. One gets no input at all.
    let mixed = [added(1, "a"), added(3, "b"), delta(1, r#""{\"x\":""#), delta(1, r#""1}""#), done(1, "a")];
    let expected =
        ["call 0 a f", "call 1 b f", "input 0 {\"x\":", "input 0 1}", "input 1 {}", "done ToolUse completed None"];
    assert_eq!(run(&mixed), expected);
    // All at once, at the end.
    let late = [done(0, "a"), done(1, "b")];
    let expected =
        ["call 0 a f", "input 0 {\"x\":1}", "call 1 b f", "input 1 {\"x\":1}", "done ToolUse completed None"];
    assert_eq!(run(&late), expected);
    let orphan = stream(&[&delta(0, r#""{}""#)]);
    assert_eq!(orphan, ["error: protocol violated: a piece of a tool call that never began"]);
}

#[test]
fn why_it_stopped_is_told() {
    let end = |end: &str| stream(&[CREATED, end]).pop().expect("an end");
    let incomplete = |reason: &str| {
        end(&format!(
            r#"{{"type":"response.incomplete","response":{{"status":"incomplete","incomplete_details":{{"reason":"{reason}"}},"usage":null}}}}"#
        ))
    };
    assert_eq!(incomplete("max_output_tokens"), "done Length max_output_tokens None");
    assert_eq!(incomplete("content_filter"), "done Filtered content_filter None");
    assert_eq!(incomplete("a_new_one"), "done Other a_new_one None");
    let bare = end(r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":null}}"#);
    assert_eq!(bare, "done Other incomplete None");
    let refusal = [CREATED, r#"{"type":"response.refusal.delta","output_index":0,"delta":"I cannot."}"#, COMPLETED];
    let told = stream(&refusal);
    assert_eq!(told[1..], ["refusal I cannot.", "done Filtered completed Some([36, 30, 0, 87, 64])"]);
}

#[test]
fn an_error_inside_of_a_stream_is_the_same_error() {
    let rows = [
        (
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"m"}}}"#,
            ErrorKind::Overloaded,
            "server_error",
        ),
        (
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"m"}}}"#,
            ErrorKind::Throttled,
            "rate_limit_exceeded",
        ),
        (
            r#"{"type":"error","sequence_number":3,"error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"m","param":"input"}}"#,
            ErrorKind::ContextTooLong,
            "context_length_exceeded",
        ),
        (
            r#"{"type":"error","sequence_number":3,"code":"insufficient_quota","message":"m","param":null}"#,
            ErrorKind::Quota,
            "insufficient_quota",
        ),
        (r#"{"error":{"code":429,"message":"m"}}"#, ErrorKind::Throttled, "429"),
    ];
    for (line, kind, code) in rows {
        let error = decode(&Responses::new(), Delivery::Streamed, &[CREATED, line]).expect_err("an error");
        assert_eq!((error.kind(), error.code(), error.status()), (kind, Some(code), Some(200)), "{line}");
        assert_eq!(error.provider_message().map(Text::as_str), Some("m"), "{line}");
    }
    let unknown = r#"{"type":"response.cancelled","response":{"status":"cancelled"}}"#;
    let error = decode(&Responses::new(), Delivery::Streamed, &[unknown]).expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[test]
fn a_whole_response_is_one_frame() {
    let body = concat!(
        r#"{"id":"resp_1","object":"response","status":"completed","error":null,"incomplete_details":null,"#,
        r#""model":"gpt-5","output":[{"id":"rs_0","type":"reasoning","summary":[{"type":"summary_text","text":"Hm."},"#,
        r#"{"type":"summary_text","text":"Yes."}]},{"encrypted_content":"gAAA","summary":[],"type":"reasoning"},"#,
        r#"{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":"Let me look.","#,
        r#""annotations":[]}]},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"web_search_call"}],"#,
        r#""usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}}"#
    );
    let expected = [
        "started openai/gpt-5",
        "reasoning Hm.",
        "reasoning \n\n",
        "reasoning Yes.",
        r#"opaque openai {"encrypted_content":"gAAA","summary":[],"type":"reasoning"}"#,
        "text Let me look.",
        "call 0 a f",
        "input 0 {}",
        "done ToolUse completed Some([3, 0, 0, 4, 0])",
    ];
    assert_eq!(whole(body), expected);
    let refused =
        r#"{"status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"No."}]}]}"#;
    assert_eq!(whole(refused), ["started openai/asked", "refusal No.", "done Filtered completed None"]);
    let failed = r#"{"status":"failed","output":[],"error":{"code":"server_error","message":"secret"}}"#;
    assert_eq!(whole(failed), ["error: overloaded (HTTP 200, server_error)"]);
    let error = r#"{"error":{"code":"insufficient_quota","message":"secret"}}"#;
    assert_eq!(whole(error), ["error: quota used up (HTTP 200, insufficient_quota)"]);
    assert_eq!(whole("{}"), ["error: protocol violated: the response has no output"]);
    assert_eq!(whole(r#"{"status":"queued","output":[]}"#).len(), 1);
    assert_eq!(told(&Responses::new(), Delivery::Whole, &[]), ["error: protocol violated: the reply was cut short"]);
}

#[test]
fn an_event_of_that_name_is_an_error_whatever_is_in_it() {
    let (_, mut decoder) = Responses::new().decoder("m", Delivery::Streamed);
    let error = decoder.frame(Frame::new("error", &"busy".into()), &mut Events::new()).expect_err("an error");
    assert_eq!((error.kind(), error.provider_message().map(Text::as_str)), (ErrorKind::Overloaded, Some("busy")));
}

#[test]
fn results_of_tools_come_before_what_else_is_said_in_however_many_turns() {
    let call = ToolCall::new("call_1", "find_career", "{}");
    let request = ChatRequest::user("Who studies plants?")
        .with(Message::new(Role::Assistant, vec![Part::ToolCall(call.clone())]))
        .with(Message::user("And hurry."))
        .with(Message::tool_results([ToolResult::of(&call, "7")]));
    let body = body(&Responses::new(), &request, "gpt-5-mini");
    let kinds: Vec<_> = body["input"].as_array().expect("items").iter().map(|item| &item["type"]).collect();
    assert_eq!(kinds, [&json!(null), &json!("function_call"), &json!("function_call_output"), &json!(null)]);
}

#[test]
fn a_call_that_was_cut_off_before_its_input_is_given_none() {
    let lines = |end: &str| {
        stream(&[
            r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","call_id":"a","name":"f"}}"#,
            end,
        ])
    };
    let cut = r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}"#;
    assert_eq!(lines(cut), ["started openai/asked", "call 0 a f", "done Length max_output_tokens None"]);
    let whole = r#"{"type":"response.completed","response":{"status":"completed"}}"#;
    assert_eq!(lines(whole), ["started openai/asked", "call 0 a f", "input 0 {}", "done ToolUse completed None"]);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(frames in proptest::collection::vec(any::<String>(), 0..4), whole in any::<bool>()) {
        let delivery = if whole { Delivery::Whole } else { Delivery::Streamed };
        let frames: Vec<_> = frames.into_iter().map(Text::from).collect();
        feed(&mut *Responses::new().decoder("m", delivery).1, &frames);
    }

    /// A piece of an event cut out or put in elsewhere.
    #[test]
    fn no_mangled_event_makes_it_panic(cut in 0..500_usize, long in 0..9_usize, put in ".{0,3}", first in any::<bool>()) {
        let mut line = if first { CREATED } else { COMPLETED }.to_owned();
        let cut = cut.min(line.len());
        line.replace_range(cut..(cut + long).min(line.len()), &put);
        for delivery in [Delivery::Streamed, Delivery::Whole] {
            feed(&mut *Responses::new().decoder("m", delivery).1, &[Text::from(line.as_str())]);
        }
    }
}
