use serde_json::{Value, json};

use super::*;
use crate::schema::SchemaMode;
use crate::wire::openai::testing::{body, decode, requests, told};
use crate::{Effort, ErrorKind, Image, Message, Opaque, OutputSchema, Part, Role, Scope, ToolCall, ToolResult};

/// As OpenAI has it.
const STRICT: Quirks = {
    let mut quirks = Quirks::new();
    quirks.token_limit = "max_completion_tokens";
    quirks.stream_options = StreamOptions::UsageUnpadded;
    quirks.schemas = Schemas::Strict;
    quirks
};

fn wire() -> Completions {
    Completions::new("openai", STRICT)
}

fn with(change: impl Fn(&mut Quirks)) -> Completions {
    let mut quirks = Quirks::new();
    change(&mut quirks);
    Completions::new("openai", quirks)
}

fn stream(lines: &[&str]) -> Vec<String> {
    told(&wire(), Delivery::Streamed, lines)
}

#[test]
fn bodies_are_as_documented() {
    for (name, request) in requests("openai").into_iter().chain([("stop", ChatRequest::user("hi").with_stop("END"))]) {
        let body = body(&wire(), &request, "gpt-4.1");
        insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!(name, body) });
    }
}

#[test]
fn results_of_tools_come_before_what_else_is_said_in_however_many_turns() {
    let call = ToolCall::new("call_1", "find_career", "{}");
    let request = ChatRequest::user("Who studies plants?")
        .with(Message::new(Role::Assistant, vec![Part::ToolCall(call.clone())]))
        .with(Message::user("And hurry."))
        .with(Message::tool_results([ToolResult::of(&call, "7")]));
    let body = body(&wire(), &request, "gpt-4.1");
    let roles: Vec<_> = body["messages"].as_array().expect("turns").iter().map(|turn| &turn["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "user"]);
}

#[test]
fn a_call_that_was_cut_off_before_its_input_is_given_none() {
    let call = |reason: &str| {
        let call = r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#;
        let line = format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{call}]}},"finish_reason":"{reason}"}}]}}"#);
        stream(&[&line, "[DONE]"])
    };
    assert_eq!(call("length"), ["started openai/asked", "call 0 a f", "done Length length None"]);
    let whole = ["started openai/asked", "call 0 a f", "input 0 {}", "done ToolUse tool_calls None"];
    assert_eq!(call("tool_calls"), whole);
}

#[test]
fn fields_come_in_the_documented_order_and_unset_ones_not_at_all() {
    let request = ChatRequest::user("hi").with_max_output_tokens(9).with_extra("openai", "user", json!("u"));
    let encoded = wire().encode(&request, "m").expect("encoded");
    let expected = concat!(
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"max_completion_tokens":9,"stream":true,"#,
        r#""stream_options":{"include_usage":true,"include_obfuscation":false},"user":"u"}"#
    );
    assert_eq!(encoded.body, expected);
    assert_eq!(encoded.schema, None);
}

#[test]
fn a_schema_is_sent_as_the_server_takes_it_and_reported() {
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let request =
        ChatRequest::user("hi").with_system("Be brief.").with_output(OutputSchema::new("plan", schema.clone()));
    let sent = |schemas| {
        let wire = with(|quirks| quirks.schemas = schemas);
        let encoded = wire.encode(&request, "m").expect("encoded");
        let body: Value = serde_json::from_str(&encoded.body).expect("JSON");
        let system = body["messages"][0]["content"].as_str().expect("a system text").to_owned();
        (body["response_format"].clone(), system, encoded.schema.expect("a report").mode)
    };
    let (format, system, mode) = sent(Schemas::Full);
    assert_eq!(format, json!({"type": "json_schema", "json_schema": {"name": "plan", "schema": schema}}));
    assert_eq!((system.as_str(), mode), ("Be brief.", SchemaMode::Native));
    let (format, system, mode) = sent(Schemas::Json);
    assert_eq!((format, mode), (json!({"type": "json_object"}), SchemaMode::Prompted));
    assert!(system.starts_with("Be brief.\n\n") && system.contains("additionalProperties"), "{system}");
    let (format, _, mode) = sent(Schemas::Prompted);
    assert_eq!((format, mode), (Value::Null, SchemaMode::Prompted));
    // It would hold the model to an object.
    let list = ChatRequest::user("hi").with_output(OutputSchema::new("list", json!({"type": "array"})));
    let body = body(&with(|quirks| quirks.schemas = Schemas::Json), &list, "m");
    assert_eq!(body["response_format"], Value::Null);
    assert_eq!(body["messages"][0]["role"], "system");
}

#[test]
fn what_the_server_calls_otherwise_is_sent_so() {
    let request =
        ChatRequest::user("hi").with_system("s").with_seed(7).with_effort(Effort::Minimal).with_max_output_tokens(5);
    let sent = |change: fn(&mut Quirks)| body(&with(change), &request, "m");
    assert_eq!(sent(|_| {})["max_tokens"], 5);
    assert_eq!(sent(|_| {})["seed"], 7);
    assert_eq!(sent(|_| {})["reasoning_effort"], "low");
    assert_eq!(sent(|_| {})["stream_options"], json!({"include_usage": true}));
    assert_eq!(sent(|_| {})["messages"][0]["role"], "system");
    assert_eq!(sent(|quirks| quirks.system = SystemRole::Developer)["messages"][0]["role"], "developer");
    assert_eq!(sent(|quirks| quirks.seed = Some("random_seed"))["random_seed"], 7);
    assert_eq!(sent(|quirks| quirks.seed = None)["seed"], Value::Null);
    assert_eq!(sent(|quirks| quirks.effort = EffortField::Nested)["reasoning"], json!({"effort": "low"}));
    assert_eq!(sent(|quirks| quirks.effort = EffortField::Unsent)["reasoning_effort"], Value::Null);
    assert_eq!(sent(|quirks| quirks.stream_options = StreamOptions::Unsent)["stream_options"], Value::Null);
}

#[test]
fn a_model_that_thinks_is_not_sent_a_temperature_and_one_that_does_not_no_effort() {
    let request = ChatRequest::user("hi").with_temperature(0.5).with_top_p(0.5).with_effort(Effort::High);
    let sent = |model| {
        let body = body(&wire(), &request, model);
        [&body["temperature"], &body["top_p"], &body["reasoning_effort"]].map(|field| !field.is_null())
    };
    assert_eq!(sent("gpt-5-mini"), [false, false, true]);
    assert_eq!(sent("gpt-4.1"), [true, true, false]);
    assert_eq!(sent("unheard-of"), [true, true, true]);
}

#[test]
fn what_the_server_cannot_be_told_is_refused_for_here() {
    let picture = |image| ChatRequest::conversation([Message::new(Role::User, vec![Part::Image(image)])]);
    let url = picture(Image::Url("https://pictures.example/1.png".into()));
    let bytes = crate::ImageData(bytes::Bytes::from_static(b"x"));
    let inline = picture(Image::Bytes { media_type: "image/png".into(), data: bytes });
    let stop = ChatRequest::user("hi").with_stop("END");
    let refused = |wire: Completions, request: &ChatRequest| {
        let error = wire.encode(request, "m").expect_err("refused");
        assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Unsupported, Scope::Elsewhere));
    };
    refused(with(|quirks| quirks.stop = false), &stop);
    refused(with(|quirks| quirks.images = Images::None), &inline);
    refused(with(|quirks| quirks.images = Images::Inline), &url);
    assert!(with(|quirks| quirks.images = Images::Inline).encode(&inline, "m").is_ok());
    assert_eq!(
        body(&wire(), &url, "m")["messages"][0]["content"][0]["image_url"]["url"],
        "https://pictures.example/1.png"
    );
}

#[test]
fn a_call_and_its_result_keep_one_id_where_ids_must_be_short() {
    let call = ToolCall::new("call_of_another_provider", "t", "{}");
    let short = ToolCall::new("aB3456789", "t", "{}");
    let request = ChatRequest::user("hi")
        .with(Message::new(Role::Assistant, vec![Part::ToolCall(call.clone()), Part::ToolCall(short.clone())]))
        .with(Message::tool_results([ToolResult::of(&call, "1"), ToolResult::of(&short, "2")]));
    let body = body(&with(|quirks| quirks.short_call_ids = true), &request, "m");
    let calls = &body["messages"][1]["tool_calls"];
    let made = calls[0]["id"].as_str().expect("an id");
    assert!(made.len() == 9 && made.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{made}");
    assert_eq!(body["messages"][2]["tool_call_id"], made);
    assert_eq!((&calls[1]["id"], &body["messages"][3]["tool_call_id"]), (&json!("aB3456789"), &json!("aB3456789")));
}

#[test]
fn thoughts_go_back_to_whom_they_came_from() {
    let wire = with(|quirks| quirks.reasoning_back = true);
    let lines = [
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"Let me "}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":null,"reasoning_content":"see."}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"Yes."},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ];
    let events = decode(&wire, Delivery::Streamed, &lines).expect("whole");
    let opaque = events.into_iter().find_map(|event| match event {
        crate::ChatEvent::Opaque(opaque) => Some(*opaque),
        _ => None,
    });
    let opaque = opaque.expect("the thoughts");
    assert_eq!(opaque.value, json!({"reasoning_content": "Let me see."}));
    let turn = |opaque| Message::new(Role::Assistant, vec![Part::Opaque(opaque), Part::Text("Yes.".into())]);
    let sent = |opaque| body(&wire, &ChatRequest::user("hi").with(turn(opaque)), "m")["messages"][1].clone();
    let back = json!({"role": "assistant", "content": "Yes.", "reasoning_content": "Let me see."});
    assert_eq!(sent(opaque.clone()), back);
    let of_another = Opaque::new("another", opaque.value);
    assert_eq!(sent(of_another), json!({"role": "assistant", "content": "Yes."}));
}

#[test]
fn a_stream_of_openai() {
    let chunk = |rest: &str| {
        format!(
            r#"{{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1763740000,"model":"gpt-4.1-2025-04-14","service_tier":"default","system_fingerprint":"fp_1",{rest}}}"#
        )
    };
    let delta = |delta: &str| {
        chunk(&format!(
            r#""choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":null}}],"usage":null"#
        ))
    };
    let lines = [
        delta(r#"{"role":"assistant","content":"","refusal":null}"#),
        delta(r#"{"content":"Bota"}"#),
        delta(r#"{"content":"nist"}"#),
        delta(r#"{"content":", \"forester\""}"#),
        delta(r#"{"content":" और माली"}"#),
        chunk(r#""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null"#),
        chunk(concat!(
            r#""choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"#,
            r#""prompt_tokens_details":{"cached_tokens":8,"audio_tokens":0},"#,
            r#""completion_tokens_details":{"reasoning_tokens":4,"audio_tokens":0}}"#
        )),
        "[DONE]".into(),
    ];
    let lines = lines.each_ref().map(String::as_str);
    let whole = [
        "started openai/gpt-4.1-2025-04-14",
        "text Bota",
        "text nist",
        "text , \"forester\"",
        "text  और माली",
        "done End stop Some([19, 8, 0, 10, 4])",
    ];
    assert_eq!(stream(&lines), whole);
    // Without the mark at the end, and without the usage, it is whole; without the reason it is not.
    assert_eq!(stream(&lines[..7]), whole);
    assert_eq!(stream(&lines[..6]).last().map(String::as_str), Some("done End stop None"));
    assert_eq!(stream(&lines[..5]), ["error: protocol violated: the reply was cut short"]);
    assert_eq!(stream(&[]), ["error: protocol violated: the reply was cut short"]);
    assert_eq!(stream(&["[DONE]"]), ["error: protocol violated: the reply ended before it began"]);
}

#[test]
fn pieces_are_slices_of_what_the_network_delivered() {
    let line = crate::Text::from(r#"{"choices":[{"index":0,"delta":{"content":"hello"}}]}"#);
    let (_, mut decoder) = wire().decoder("m", Delivery::Streamed);
    let mut events = crate::wire::Events::new();
    // The first time it is parsed, then it is known.
    for _ in 0..2 {
        decoder.frame(crate::wire::Frame::new("", &line), &mut events).expect("taken");
        let Some(crate::ChatEvent::Text(piece)) = events.pop_back() else { panic!("expected a text") };
        assert_eq!(piece.as_ptr(), line[line.find("hello").expect("there")..].as_ptr());
    }
}

#[test]
fn tools_in_a_stream_and_as_servers_mangle_them() {
    let delta = |call: &str| format!(r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{call}]}}}}]}}"#);
    let end = |reason: &str| format!(r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
    let run = |calls: &[&str], reason: &str| {
        let mut lines: Vec<_> = calls.iter().map(|call| delta(call)).collect();
        lines.push(end(reason));
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        stream(&lines).split_off(1)
    };
    let two = [
        r#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}"#,
        r#"{"index":0,"function":{"arguments":"{\"x\":"}}"#,
        r#"{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}"#,
        r#"{"index":0,"function":{"arguments":"1}"}}"#,
    ];
    let expected =
        ["call 0 a f", "input 0 {\"x\":", "call 1 b g", "input 0 1}", "input 1 {}", "done ToolUse tool_calls None"];
    assert_eq!(run(&two, "tool_calls"), expected);
    // All counted as the first, arguments as objects, another reason.
    let same = [
        r#"{"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}}"#,
        r#"{"index":0,"id":"b","function":{"name":"f","arguments":{"x":2}}}"#,
    ];
    let expected = ["call 0 a f", "input 0 {\"x\":1}", "call 1 b f", "input 1 {\"x\":2}", "done ToolUse stop None"];
    assert_eq!(run(&same, "stop"), expected);
    // Neither numbers nor ids.
    let bare = [r#"{"function":{"name":"f","arguments":"{"}}"#, r#"{"function":{"arguments":"}"}}"#];
    assert_eq!(run(&bare, "stop"), ["call 0 made f", "input 0 {", "input 0 }", "done ToolUse stop None"]);
    // The name again with every piece.
    let again = [
        r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}"#,
        r#"{"index":0,"id":"a","function":{"name":"f","arguments":"}"}}"#,
    ];
    assert_eq!(run(&again, "tool_calls"), ["call 0 a f", "input 0 {", "input 0 }", "done ToolUse tool_calls None"]);
    let orphan = delta(r#"{"index":0,"function":{"arguments":"{}"}}"#);
    assert_eq!(stream(&[&orphan]), ["error: protocol violated: a piece of a tool call that never began"]);
}

#[test]
fn what_servers_send_besides_is_tolerated() {
    let run = |lines: &[&str]| stream(lines).split_off(1);
    // An empty reason and an empty usage with every chunk, a second choice, numbers for words.
    let lines = [
        r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":""}],"usage":{}}"#,
        r#"{"choices":[{"index":1,"delta":{"content":"not asked for"}}],"usage":null}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"b","tool_calls":null},"finish_reason":"new_reason"}],"usage":[]}"#,
    ];
    assert_eq!(run(&lines), ["text a", "text b", "done Other new_reason None"]);
    // The usage apart, and the thoughts on top of the reply's tokens.
    let lines = [
        r#"{"choices":[{"delta":{"reasoning":"hm"}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"length"}],"x_groq":{"id":"r","usage":{"prompt_tokens":3,"completion_tokens":4}}}"#,
    ];
    assert_eq!(run(&lines), ["reasoning hm", "done Length length Some([3, 0, 0, 4, 0])"]);
    let lines = [
        r#"{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":14,"completion_tokens_details":{"reasoning_tokens":10}}}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":15,"completion_tokens_details":{"reasoning_tokens":10}}}"#,
        "[DONE]",
    ];
    assert_eq!(run(&lines), ["text a", "done End stop Some([3, 0, 0, 12, 10])"]);
    // Parts of thoughts and words.
    let lines = [
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"a"}]},"finish_reason":"stop"}]}"#,
    ];
    assert_eq!(run(&lines), ["reasoning hm", "text a", "done End stop None"]);
    // A refusal; the cached tokens elsewhere; the mark without a reason.
    let lines = [
        r#"{"choices":[{"delta":{"refusal":"I cannot"}}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_cache_hit_tokens":5}}"#,
        "[DONE]",
    ];
    assert_eq!(run(&lines), ["refusal I cannot", "done Filtered - Some([9, 5, 0, 2, 0])"]);
    // The reply so far beside each piece; the whole reply at once.
    let lines = [
        r#"{"choices":[{"delta":{"content":"a"},"message":{"content":"a"}}]}"#,
        r#"{"choices":[{"delta":{"content":"b"},"message":{"content":"ab"},"finish_reason":"stop"}]}"#,
    ];
    assert_eq!(run(&lines), ["text a", "text b", "done End stop None"]);
    let lines = [r#"{"choices":[{"message":{"content":"ab"},"finish_reason":"stop"}]}"#];
    assert_eq!(run(&lines), ["text ab", "done End stop None"]);
    // What a filter says of the prompt before the model is named.
    let lines = [
        r#"{"choices":[],"model":"","prompt_filter_results":[]}"#,
        r#"{"model":"gpt-4.1","choices":[{"delta":{"content":"a"},"finish_reason":"content_filter"}]}"#,
    ];
    assert_eq!(stream(&lines), ["started openai/gpt-4.1", "text a", "done Filtered content_filter None"]);
}

#[test]
fn an_error_inside_of_a_stream_is_the_same_error() {
    let start = r#"{"choices":[{"delta":{"content":"a"}}]}"#;
    let fails = |line: &str, kind: ErrorKind, code: Option<&str>| {
        for delivery in [Delivery::Streamed, Delivery::Whole] {
            let lines = if delivery == Delivery::Whole { vec![line] } else { vec![start, line] };
            let error = decode(&wire(), delivery, &lines).expect_err("an error");
            assert_eq!((error.kind(), error.code(), error.status()), (kind, code, Some(200)), "{line}");
        }
    };
    fails(
        r#"{"error":{"message":"m","code":"server_is_overloaded"}}"#,
        ErrorKind::Overloaded,
        Some("server_is_overloaded"),
    );
    fails(
        r#"{"error":{"code":502,"message":"m"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
        ErrorKind::Overloaded,
        Some("502"),
    );
    fails(r#"{"code":"rate_limit_exceeded","error":"m"}"#, ErrorKind::Throttled, Some("rate_limit_exceeded"));
    fails(r#"{"object":"error","message":"m","code":400}"#, ErrorKind::Invalid, Some("400"));
    fails(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}"#, ErrorKind::Overloaded, Some("error"));

    let (_, mut decoder) = wire().decoder("m", Delivery::Streamed);
    let named = decoder.frame(crate::wire::Frame::new("error", &"busy".into()), &mut crate::wire::Events::new());
    assert_eq!(named.expect_err("an error").provider_message().map(ToString::to_string), Some("busy".into()));
}

#[test]
fn a_whole_reply_is_one_frame() {
    let reply = concat!(
        r#"{"id":"1","object":"chat.completion","model":"gpt-4.1","choices":[{"index":0,"message":{"role":"assistant","#,
        r#""content":"Let me look.","refusal":null,"reasoning_content":"hm","tool_calls":[{"id":"a","type":"function","#,
        r#""function":{"name":"f","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"#,
        r#""usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}"#
    );
    let whole = |body: &str| told(&wire(), Delivery::Whole, &[body]);
    let expected = [
        "started openai/gpt-4.1",
        "reasoning hm",
        "text Let me look.",
        "call 0 a f",
        "input 0 {}",
        "done ToolUse tool_calls Some([5, 0, 0, 7, 0])",
    ];
    assert_eq!(whole(reply), expected);
    assert_eq!(whole(r#"{"choices":[]}"#), ["error: protocol violated: the reply has no choices"]);
    assert_eq!(whole(r#"{"id":"1"}"#), ["error: protocol violated: the reply has no choices"]);
    let page = whole("<html>");
    assert!(page[0].contains("found no JSON (line 1, column 1)"), "{page:?}");
    assert_eq!(told(&wire(), Delivery::Whole, &[]), ["error: protocol violated: the reply was cut short"]);
}
