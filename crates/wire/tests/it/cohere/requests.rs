//! Requests of other dialects, written for Cohere.

use expect_test::{Expect, expect};
use ir::dialect::SchemaBy;
use ir::{
    Budget, CallKind, Cap, Choice, Citation, Dialect, Extras, Logprobs, Mode, Opaque, Output,
    Quirks, Request, Said, Thinking,
};

use super::HERE;
use crate::built::{
    assistant, at, called, custom, eventful, file, foreign, function, image, inline, raw, request,
    result, schema, shown, text, thoughts, toolbox, user,
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
              {"role":"system","content":[{"type":"text","text":"Be brief."}]}
              {"role":"user","content":[{"type":"text","text":"What is the weather?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]}
              {"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Let me look."}],"tool_calls":[{"id":"functions.get:0","type":"function","function":{"name":"get","arguments":"{\"a\":1.50}"}},{"id":"call_2","type":"function","function":{"name":"shell","arguments":"{\"input\":\"ls -l\"}"}},{"id":"call_3","type":"function","function":{"name":"get","arguments":"{broken"}}]}
              {"role":"tool","tool_call_id":"functions.get:0","content":[{"type":"text","text":"sunny"}]}
              {"role":"tool","tool_call_id":"call_2","content":[{"type":"text","text":"no such file"}]}
              {"role":"tool","tool_call_id":"call_3","content":[{"type":"text","text":"(no result)"}]}
              {"role":"system","content":[{"type":"text","text":"Answer in French."}]}
              {"role":"user","content":[{"type":"text","text":"And tomorrow?"}]}
            stream: false
            tools:
              {"type":"function","function":{"name":"get","description":"Does get.","parameters":{"type":"object","properties":{"a":{"type":"number"}}}}}
              {"type":"function","function":{"name":"shell","parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}}
            turns[2].parts[0].carrier: only gemini understands it
            turns[4].failed: cohere_v2 has no field for it
            turns[5].parts[0]: only the user shows pictures here
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
        file(inline("text/plain"), Some("notes.txt")),
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
    asked.thinking = Some(Thinking { effort: Some("low".to_owned()), ..Thinking::default() });
    asked.extras = Extras(vec![("store".to_owned(), raw("true"))]);
    check(
        &asked,
        &expect![[r#"
            model: "house/large"
            messages:
              {"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"https://a.example/p.png"}}]}
            stream: true
            documents:
              {"data":{"title":"notes.txt","text":"hi"}}
            max_tokens: 100
            temperature: 0.3
            p: 0.9
            k: 40
            frequency_penalty: 1
            presence_penalty: 1
            seed: 7
            stop_sequences:
              "END"
            logprobs: true
            thinking: {"type":"enabled","token_budget":4096}
            turns[0].parts[3]: cohere_v2 takes no files but texts that are sent along
            candidates: cohere_v2 has no field for it
            logprobs.top: cohere_v2 has no field for it
            user: cohere_v2 has no field for it
            store: cohere_v2 has no field for it
        "#]],
    );
}

#[test]
fn own_plans_thoughts_and_citations_go_back() {
    let own = |text: &str| Opaque { dialect: Dialect::CohereV2, raw: raw(text) };
    let cited = |raw: Opaque| Citation { url: None, title: None, quote: None, span: None, raw };
    let spoken = Said {
        text: "Ruby.".to_owned(),
        // One citation with two sources was read into two.
        citations: vec![
            cited(own("{\"start\":0}")),
            cited(own("{\"start\":0}")),
            cited(foreign("1")),
        ],
        ..Said::default()
    };
    let mut asked = request(vec![
        user(vec![text("hi")]),
        assistant(vec![
            thoughts("I will call f.", Some(own("{\"tool_plan\":true}"))),
            thoughts("hm", None),
            ir::AssistantPart::Text(spoken),
            called("t1", "f", "", CallKind::Function),
        ]),
        result("t1", Vec::new(), None),
        assistant(Vec::new()),
    ]);
    asked.thinking = Some(Thinking { budget: Some(Budget::Off), ..Thinking::default() });
    check(
        &asked,
        &expect![[r#"
            model: "house/large"
            messages:
              {"role":"user","content":[{"type":"text","text":"hi"}]}
              {"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Ruby."}],"tool_plan":"I will call f.","tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{}"}}],"citations":[{"start":0}]}
              {"role":"tool","tool_call_id":"t1","content":[{"type":"text","text":"(no result)"}]}
            stream: false
            thinking: {"type":"disabled"}
            turns[1].parts[2].citations[2]: only gemini understands it
        "#]],
    );
}

#[test]
fn what_says_nothing_is_left_out_or_said_in_words() {
    check(
        &request(vec![
            crate::built::instruct(""),
            user(vec![text(""), text("hi")]),
            user(vec![file(inline("text/plain"), None)]),
            assistant(vec![ir::AssistantPart::Refusal(String::new())]),
            result("c", vec![text("")], None),
        ]),
        &expect![[r#"
            model: "house/large"
            messages:
              {"role":"user","content":[{"type":"text","text":"hi"}]}
              {"role":"user","content":[{"type":"text","text":"(no message)"}]}
              {"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"(no result)"}]}
            stream: false
            documents:
              {"data":{"text":"hi"}}
        "#]],
    );
}

#[test]
fn one_tool_is_demanded_by_offering_it_alone() {
    let mut strict = function("f");
    if let ir::Tool::Function { strict, .. } = &mut strict {
        *strict = Some(true);
    }
    let mut asked = request(vec![user(vec![text("hi")])]);
    let one = Some(Choice::Tool("f".to_owned()));
    asked.toolbox = toolbox(vec![strict, function("g"), custom("h")], one);
    check(
        &asked,
        &expect![[r#"
            model: "house/large"
            messages:
              {"role":"user","content":[{"type":"text","text":"hi"}]}
            stream: false
            tools:
              {"type":"function","function":{"name":"f","description":"Does f.","parameters":{"type":"object","properties":{"a":{"type":"number"}}}}}
            tool_choice: "REQUIRED"
            strict_tools: true
        "#]],
    );
    let Some(own) = &mut asked.toolbox else { panic!("there is one") };
    own.choice = Some(Choice::Never);
    own.parallel = Some(false);
    own.tools.truncate(2);
    check(
        &asked,
        &expect![[r#"
            model: "house/large"
            messages:
              {"role":"user","content":[{"type":"text","text":"hi"}]}
            stream: false
            tools:
              {"type":"function","function":{"name":"f","description":"Does f.","parameters":{"type":"object","properties":{"a":{"type":"number"}}}}}
              {"type":"function","function":{"name":"g","description":"Does g.","parameters":{"type":"object","properties":{"a":{"type":"number"}}}}}
            tool_choice: "NONE"
            toolbox.parallel: cohere_v2 has no field for it
            toolbox.tools[0].strict: tools are strict together here, or not at all
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
              {"role":"user","content":[{"type":"text","text":"Where?"}]}
            stream: false
            response_format: {"type":"json_object","json_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}
        "#]],
    );
    let by = |schema| Quirks { schema, ..Quirks::default() };
    expect![[r#"
        model: "house/large"
        messages:
          {"role":"user","content":[{"type":"text","text":"Where?"}]}
        stream: false
        tools:
          {"type":"function","function":{"name":"give_answer","description":"Gives the answer.","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}
        tool_choice: "REQUIRED"
        Undo { answer: true, customs: [] }
    "#]]
    .assert_eq(&shown(HERE, &asked, by(SchemaBy::Tool)));
    expect![[r#"
        model: "house/large"
        messages:
          {"role":"system","content":"Answer with one JSON value that fits this JSON Schema, and with nothing before or after it:\n{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}"}
          {"role":"user","content":[{"type":"text","text":"Where?"}]}
        stream: false
        response_format: {"type":"json_object"}
    "#]].assert_eq(&shown(HERE, &asked, by(SchemaBy::Prompt)));
    asked.output = Output::Json;
    check(
        &asked,
        &expect![[r#"
            model: "house/large"
            messages:
              {"role":"user","content":[{"type":"text","text":"Where?"}]}
            stream: false
            response_format: {"type":"json_object"}
        "#]],
    );
}
