//! What a conversation of another dialect is brought to before it is written.

use expect_test::{Expect, expect};
use ir::dialect::Sampling;
use ir::{Dialect, Event, Inbound, PartKind, Quirks, Spot};
use serde_json::{Value, json};

/// Writes a chat request in another dialect: what came of it and what was lost.
fn check(chat: &Value, dialect: Dialect, quirks: Quirks, show: &str, expected: &Expect) {
    let request = wire::read_request(Inbound::OpenaiChat, chat.to_string().as_bytes()).unwrap();
    let written = wire::write_request(dialect, &request, quirks);
    let body: Value = serde_json::from_slice(&written.bytes).unwrap();
    let mut shown = format!("{}\n", body.pointer(show).unwrap_or(&Value::Null));
    for loss in &written.losses {
        shown += &format!("{}: {}\n", loss.path, loss.why);
    }
    expected.assert_eq(&shown);
}

fn user(said: &str) -> Value {
    json!({"role": "user", "content": said})
}

#[test]
fn a_call_that_was_interrupted_has_failed() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let chat = json!({"model": "m", "messages": [
        user("go"),
        {"role": "assistant", "content": null, "tool_calls": [call("a"), call("b"), call("c")]},
        {"role": "tool", "tool_call_id": "b", "content": "two"},
        user("never mind"),
    ]});
    check(
        &chat,
        Dialect::AnthropicMessages,
        Quirks::default(),
        "/messages/2/content",
        &expect![[r#"
            [{"type":"tool_result","tool_use_id":"b","content":[{"type":"text","text":"two"}]},{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"no result: the call was interrupted"}],"is_error":true},{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"no result: the call was interrupted"}],"is_error":true},{"type":"text","text":"never mind"}]
            turns[1]: a call without a result is told to have failed
            turns[1]: a call without a result is told to have failed
        "#]],
    );
}

#[test]
fn somebody_speaks_beside_the_instructions() {
    let chat = json!({"model": "m", "messages": [{"role": "system", "content": "Say hello."}]});
    check(
        &chat,
        Dialect::AnthropicMessages,
        Quirks::default(),
        "/messages",
        &expect![[r#"
        [{"role":"user","content":[{"type":"text","text":"Say hello."}]}]
        turns[0]: said as the user's, since nobody else speaks
    "#]],
    );
    let chat = json!({"model": "m", "messages": [
        {"role": "system", "content": "Say hello."}, {"role": "user", "content": ""},
    ]});
    check(
        &chat,
        Dialect::Gemini,
        Quirks::default(),
        "/contents",
        &expect![[r#"
        [{"parts":[{"text":"Say hello."}],"role":"user"}]
        turns[0]: said as the user's, since nobody else speaks
    "#]],
    );
}

#[test]
fn a_user_that_is_an_address_goes_as_a_digest() {
    let chat = json!({"model": "m", "messages": [user("hi")], "user": "ann@example.org"});
    check(
        &chat,
        Dialect::AnthropicMessages,
        Quirks::default(),
        "/metadata",
        &expect![[r#"
        {"user_id":"user_f027bb0955c51646"}
        user: too long, or somebody's address: a digest goes in its place
    "#]],
    );
}

#[test]
fn what_a_model_refuses_of_sampling_is_left_out() {
    let chat = json!({"model": "m", "messages": [user("hi")], "temperature": 0.5, "top_p": 0.9});
    let none = Quirks { sampling: Sampling::None, ..Quirks::default() };
    check(
        &chat,
        Dialect::AnthropicMessages,
        none,
        "/temperature",
        &expect![[r#"
        null
        temperature: the model does not take it, or not while it thinks
        top_p: the model does not take it, or not while it thinks
    "#]],
    );
    let one = Quirks { sampling: Sampling::One, ..Quirks::default() };
    check(
        &chat,
        Dialect::BedrockConverse,
        one,
        "/inferenceConfig",
        &expect![[r#"
        {"temperature":0.5}
        top_p: the model does not take it, or not while it thinks
    "#]],
    );
}

#[test]
fn efforts_are_said_in_words_every_model_knows() {
    let anthropic = |thinking: Value| {
        let body = json!({"model": "m", "max_tokens": 64_000, "thinking": thinking,
            "messages": [user("hi")]});
        let read = wire::read_request(Inbound::AnthropicMessages, body.to_string().as_bytes());
        let written = wire::write_request(Dialect::OpenaiChat, &read.unwrap(), Quirks::default());
        let body: Value = serde_json::from_slice(&written.bytes).unwrap();
        (body["reasoning_effort"].clone(), written.losses.len())
    };
    assert_eq!(anthropic(json!({"type": "disabled"})), (Value::Null, 1));
    assert_eq!(anthropic(json!({"type": "enabled", "budget_tokens": 31_999})), (json!("high"), 1));
    assert_eq!(anthropic(json!({"type": "enabled", "budget_tokens": 4_000})), (json!("low"), 0));
}

#[test]
fn json_mode_hears_its_word() {
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "list colours"}]}],
        "generationConfig": {"responseMimeType": "application/json"}});
    let read = wire::read_request(Inbound::Gemini, body.to_string().as_bytes()).unwrap();
    let written = wire::write_request(Dialect::OpenaiChat, &read, Quirks::default());
    assert!(String::from_utf8(written.bytes).unwrap().contains("JSON object"));
}

#[test]
fn bytes_are_spelled_for_everybody() {
    let body = json!({"contents": [{"role": "user", "parts": [
        {"inlineData": {"mimeType": "image/jpg", "data": "_9j_-w"}}]}]});
    let read = wire::read_request(Inbound::Gemini, body.to_string().as_bytes()).unwrap();
    let written = wire::write_request(Dialect::AnthropicMessages, &read, Quirks::default());
    let body: Value = serde_json::from_slice(&written.bytes).unwrap();
    let source = json!({"type": "base64", "media_type": "image/jpeg", "data": "/9j/+w=="});
    assert_eq!(body.pointer("/messages/0/content/0/source"), Some(&source));
}

#[test]
fn a_tool_with_a_long_name_is_called_by_it_again() {
    let long = format!("mcp__{}", "x".repeat(90));
    let body = json!({"model": "m", "max_tokens": 9, "messages": [user("go")],
        "tools": [{"name": long, "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "tool", "name": long}});
    let read = wire::read_request(Inbound::AnthropicMessages, body.to_string().as_bytes()).unwrap();
    let written = wire::write_request(Dialect::OpenaiChat, &read, Quirks::default());
    let body: Value = serde_json::from_slice(&written.bytes).unwrap();
    let name = body["tools"][0]["function"]["name"].as_str().unwrap().to_owned();
    assert!(name.len() <= 64 && name != long);
    assert_eq!(body["tool_choice"]["function"]["name"], json!(name));
    let kind = PartKind::ToolCall { id: "c".into(), name, kind: ir::CallKind::Function };
    let mut event = Event::Open(Spot { candidate: 0, part: 0 }, kind);
    written.renamed.event(&mut event);
    let Event::Open(_, PartKind::ToolCall { name, .. }) = event else { panic!("{event:?}") };
    assert_eq!(name, long);
}

#[test]
fn unsigned_thoughts_come_back_as_whose_they_are() {
    let chat = r#"{"id":"c","choices":[{"index":0,"finish_reason":"stop","message":
        {"role":"assistant","reasoning_content":"hm","content":"so"}}]}"#;
    let origin = crate::laws::origin(Dialect::OpenaiChat);
    let answer = wire::read_response(&origin, chat.as_bytes()).unwrap();
    for inbound in [Inbound::AnthropicMessages, Inbound::OpenaiResponses] {
        let said: Value = serde_json::from_slice(&wire::write_response(inbound, &answer)).unwrap();
        let back = match inbound {
            Inbound::AnthropicMessages => json!({"model": "m", "max_tokens": 9, "messages": [
                user("go"), {"role": "assistant", "content": said["content"]}, user("on")]}),
            _ => {
                let mut input = vec![user("go")];
                input.extend(said["output"].as_array().unwrap().iter().cloned());
                input.push(user("on"));
                json!({"model": "m", "input": input})
            }
        };
        let bytes = back.to_string();
        let head = wire::head::read(inbound, bytes.as_bytes(), None).unwrap();
        assert!(head.look().enveloped && !bytes.contains("\"signature\":\"\""), "{bytes}");
        let read = wire::read_request(inbound, bytes.as_bytes()).unwrap();
        // Its own providers never see the thoughts; those that made them may.
        let own = wire::write_request(inbound.dialect(), &read, Quirks::default());
        assert!(!String::from_utf8(own.bytes).unwrap().contains("hm"));
        let details = ir::dialect::ThoughtsField::ReasoningContent;
        let quirks = Quirks { thoughts: details, ..Quirks::default() };
        let made = wire::write_request(Dialect::OpenaiChat, &read, quirks);
        assert!(String::from_utf8(made.bytes).unwrap().contains("\"reasoning_content\":\"hm\""));
    }
}
