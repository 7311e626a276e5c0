//! Requests of other dialects, written for Ollama.

use expect_test::{Expect, expect};
use ir::dialect::SchemaBy;
use ir::{
    Budget, CallKind, Cap, Choice, Extras, Logprobs, Mode, Output, Quirks, Request, Seed, Thinking,
};

use super::HERE;
use crate::built::{
    assistant, at, called, eventful, file, function, image, inline, raw, request, result, schema,
    shown, text, thoughts, toolbox, user,
};

fn check(request: &Request, expected: &Expect) {
    expected.assert_eq(&shown(HERE, request, Quirks::default()));
}

#[test]
fn an_eventful_conversation() {
    check(
        &eventful(),
        &expect![[r#"
            model: "house/large"
            messages:
              {"role":"system","content":"Be brief."}
              {"role":"user","content":"What is the weather?","images":["aGk="]}
              {"role":"assistant","content":"Let me look.","thinking":"hm","tool_calls":[{"id":"functions.get:0","function":{"name":"get","arguments":{"a":1.5}}},{"id":"call_2","function":{"name":"shell","arguments":{"input":"ls -l"}}},{"id":"call_3","function":{"name":"get","arguments":{"input":"{broken"}}}]}
              {"role":"tool","content":"sunny","tool_name":"get","tool_call_id":"functions.get:0"}
              {"role":"tool","content":"no such file","tool_name":"shell","tool_call_id":"call_2"}
              {"role":"tool","content":"","images":["aGk="],"tool_name":"get","tool_call_id":"call_3"}
              {"role":"system","content":"Answer in French."}
              {"role":"user","content":"And tomorrow?"}
            stream: false
            tools:
              {"type":"function","function":{"name":"get","description":"Does get.","parameters":{"type":"object","properties":{"a":{"type":"number"}}}}}
              {"type":"function","function":{"name":"shell","parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}}
            turns[2].parts[0].carrier: only gemini understands it
            turns[2].parts[4].arguments: the arguments are no JSON object, and stand here in one
            turns[4].failed: ollama has no field for it
            turns[7].parts[1]: only gemini understands it
            toolbox.tools[2]: only gemini understands it
            Undo { answer: false, customs: ["shell"] }
        "#]],
    );
}

#[test]
fn settings_find_their_fields_or_are_losses() {
    let mut asked = request(vec![user(vec![
        text("hi"),
        image(at("https://a.example/p.png")),
        file(inline("application/pdf"), None),
    ])]);
    asked.cap = Some(Cap(100));
    asked.temperature = Some(serde_json::from_str("0.30").unwrap());
    asked.top_p = Some(serde_json::from_str("0.9").unwrap());
    asked.top_k = Some(40.into());
    asked.seed = Some(7.into());
    asked.frequency_penalty = Some(1.into());
    asked.presence_penalty = Some(1.into());
    asked.stop = vec!["END".to_owned()];
    asked.candidates = Some(2);
    asked.logprobs = Some(Logprobs { top: Some(3) });
    asked.user = Some("u1".to_owned());
    asked.mode = Mode::Stream { usage: true, extras: Extras::default() };
    asked.extras = Extras(vec![("store".to_owned(), raw("true"))]);
    check(
        &asked,
        &expect![[r#"
            model: "house/large"
            messages:
              {"role":"user","content":"hi"}
            stream: true
            options.num_predict: 100
            options.temperature: 0.3
            options.top_p: 0.9
            options.top_k: 40
            options.seed: 7
            options.frequency_penalty: 1
            options.presence_penalty: 1
            options.stop:
              "END"
            logprobs: true
            top_logprobs: 3
            turns[0].parts[1]: ollama takes pictures as bytes, and fetches no address
            turns[0].parts[2]: ollama takes no files but pictures
            candidates: ollama has no field for it
            user: ollama has no field for it
            store: ollama has no field for it
        "#]],
    );
}

#[test]
fn ids_that_were_made_here_stay_here() {
    let made = Seed(7).call_id(0);
    let mut asked = request(vec![
        user(vec![text("hi")]),
        assistant(vec![thoughts("hm", None), called(&made, "f", "{\"a\":1}", CallKind::Function)]),
        result(&made, vec![text("1")], None),
    ]);
    asked.toolbox = toolbox(vec![function("f")], Some(Choice::Required));
    check(
        &asked,
        &expect![[r#"
            model: "house/large"
            messages:
              {"role":"user","content":"hi"}
              {"role":"assistant","content":"","thinking":"hm","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}
              {"role":"tool","content":"1","tool_name":"f"}
            stream: false
            tools:
              {"type":"function","function":{"name":"f","description":"Does f.","parameters":{"type":"object","properties":{"a":{"type":"number"}}}}}
            toolbox.choice: ollama cannot demand that a tool is called
        "#]],
    );
}

#[test]
fn a_schema_is_asked_for_in_three_ways() {
    let mut asked = request(vec![user(vec![text("Where?")])]);
    asked.output = schema();
    check(
        &asked,
        &expect![[r#"
            model: "house/large"
            messages:
              {"role":"user","content":"Where?"}
            stream: false
            format.type: "object"
            format.properties: {"city":{"type":"string"}}
            format.required:
              "city"
        "#]],
    );
    let by = |schema| Quirks { schema, ..Quirks::default() };
    expect![[r#"
        model: "house/large"
        messages:
          {"role":"user","content":"Where?"}
        stream: false
        tools:
          {"type":"function","function":{"name":"give_answer","description":"Gives the answer.","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}
        output: ollama cannot demand that a tool is called
        Undo { answer: true, customs: [] }
    "#]]
    .assert_eq(&shown(HERE, &asked, by(SchemaBy::Tool)));
    expect![[r#"
        model: "house/large"
        messages:
          {"role":"system","content":"Answer with one JSON value that fits this JSON Schema, and with nothing before or after it:\n{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}"}
          {"role":"user","content":"Where?"}
        stream: false
        format: "json"
    "#]].assert_eq(&shown(HERE, &asked, by(SchemaBy::Prompt)));
    asked.output = Output::Json;
    check(
        &asked,
        &expect![[r#"
            model: "house/large"
            messages:
              {"role":"user","content":"Where?"}
            stream: false
            format: "json"
        "#]],
    );
}

#[test]
fn thinking_is_a_word_or_yes_or_no() {
    let mut all = String::new();
    for (effort, budget) in [
        (Some("high"), None),
        (Some("xhigh"), None),
        (Some("none"), None),
        (None, Some(Budget::Tokens(100))),
        (None, Some(Budget::Auto)),
        (None, Some(Budget::Off)),
        (None, None),
    ] {
        let mut asked = request(vec![user(vec![text("hi")])]);
        let effort = effort.map(str::to_owned);
        asked.thinking = Some(Thinking { effort, budget, ..Thinking::default() });
        let written = wire::write_request(HERE, &asked, Quirks::default());
        let body: serde_json::Value = serde_json::from_slice(&written.bytes).unwrap();
        all += &format!("{} {:?}\n", body["think"], written.losses);
    }
    expect![[r#"
        "high" []
        true [Loss { path: "thinking.effort", why: "ollama knows no such effort" }]
        false []
        true [Loss { path: "thinking.budget", why: "ollama counts no tokens of thoughts" }]
        true []
        false []
        null []
    "#]]
    .assert_eq(&all);
}
