//! Requests of other dialects, written for Bedrock.

use expect_test::{Expect, expect};
use ir::dialect::{AdditionalFields, CacheMarks, SchemaBy};
use ir::{
    Budget, CacheMark, CallKind, Cap, Choice, Citation, Dialect, Extras, Logprobs, Mode, Opaque,
    Output, Quirks, Request, Said, Source, Text, Thinking, Turn, UserPart,
};

use super::HERE;
use crate::built::{
    assistant, at, called, eventful, file, function, image, inline, raw, request, result, said,
    schema, shown, text, thoughts, toolbox, user,
};

fn check(request: &Request, expected: &Expect) {
    expected.assert_eq(&shown(HERE, request, Quirks::default()));
}

#[test]
fn roles_alternate_and_foreign_things_are_losses() {
    check(
        &eventful(),
        &expect![[r#"
            messages:
              {"role":"user","content":[{"text":"What is the weather?"},{"image":{"format":"png","source":{"bytes":"aGk="}}}]}
              {"role":"assistant","content":[{"text":"Let me look."},{"toolUse":{"toolUseId":"call_26b11359279f1206","name":"get","input":{"a":1.5}}},{"toolUse":{"toolUseId":"call_2","name":"shell","input":{"input":"ls -l"}}},{"toolUse":{"toolUseId":"call_3","name":"get","input":{"input":"{broken"}}}]}
              {"role":"user","content":[{"toolResult":{"toolUseId":"call_26b11359279f1206","content":[{"text":"sunny"}]}},{"toolResult":{"toolUseId":"call_2","content":[{"text":"no such file"}],"status":"error"}},{"toolResult":{"toolUseId":"call_3","content":[{"image":{"format":"jpeg","source":{"bytes":"aGk="}}}]}},{"text":"Answer in French."},{"text":"And tomorrow?"}]}
            system:
              {"text":"Be brief."}
            toolConfig.tools:
              {"toolSpec":{"name":"get","description":"Does get.","inputSchema":{"json":{"type":"object","properties":{"a":{"type":"number"}}}}}}
              {"toolSpec":{"name":"shell","inputSchema":{"json":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}}}
            toolConfig.toolChoice: {"auto":{}}
            turns[2].parts[0]: only gemini understands it
            turns[2].parts[4].arguments: the arguments are no JSON object, and stand here in one
            turns[6]: instructions stand only at the beginning here; said as the user's
            turns[7].parts[1]: only gemini understands it
            toolbox.tools[2]: only gemini understands it
            Undo { answer: false, customs: ["shell"] }
        "#]],
    );
}

#[test]
fn settings_find_their_fields_or_are_losses() {
    let mut asked = request(vec![user(vec![text("hi")])]);
    asked.cap = Some(Cap(100));
    asked.temperature = Some(serde_json::from_str("1.7").unwrap());
    asked.top_p = Some(serde_json::from_str("0.90").unwrap());
    asked.top_k = Some(40.into());
    asked.seed = Some(7.into());
    asked.frequency_penalty = Some(1.into());
    asked.presence_penalty = Some(1.into());
    asked.stop = vec!["END".to_owned(), "\n".to_owned()];
    asked.candidates = Some(2);
    asked.logprobs = Some(Logprobs { top: None });
    asked.user = Some("u1".to_owned());
    asked.mode = Mode::Stream { usage: true, extras: Extras::default() };
    asked.extras = Extras(vec![("store".to_owned(), raw("true"))]);
    check(
        &asked,
        &expect![[r#"
            messages:
              {"role":"user","content":[{"text":"hi"}]}
            inferenceConfig.maxTokens: 100
            inferenceConfig.temperature: 1
            inferenceConfig.topP: 0.9
            inferenceConfig.stopSequences:
              "END"
            additionalModelRequestFields: {"top_k":40}
            frequency_penalty: bedrock_converse has no field for it
            presence_penalty: bedrock_converse has no field for it
            seed: bedrock_converse has no field for it
            candidates: bedrock_converse has no field for it
            logprobs: bedrock_converse has no field for it
            user: bedrock_converse has no field for it
            temperature: bedrock_converse takes no more than 1
            stop: a blank text ends no answer here
            store: bedrock_converse has no field for it
        "#]],
    );
}

#[test]
fn files_have_formats_and_names_that_are_taken() {
    let asked = request(vec![
        user(vec![
            file(inline("application/pdf"), Some("Über  my_report.pdf")),
            file(inline("application/pdf"), Some("Über  my_report.pdf")),
            file(inline("text/x-rust; charset=utf-8"), None),
        ]),
        assistant(vec![said("Read.")]),
        user(vec![
            file(at("s3://bucket/film.mp4"), Some("film")),
            image(at("s3://bucket/a.b/picture.JPG")),
            image(at("https://a.example/picture.png")),
            image(Source::Uploaded("file-1".to_owned())),
            image(inline("image/tiff")),
            file(inline("audio/wav"), None),
            text("What is this?"),
        ]),
    ]);
    check(
        &asked,
        &expect![[r#"
            messages:
              {"role":"user","content":[{"document":{"format":"pdf","name":"ber my report pdf","source":{"bytes":"aGk="}}},{"document":{"format":"pdf","name":"ber my report pdf 2","source":{"bytes":"aGk="}}},{"document":{"format":"txt","name":"document","source":{"bytes":"aGk="}}},{"text":"(no message)"}]}
              {"role":"assistant","content":[{"text":"Read."}]}
              {"role":"user","content":[{"video":{"format":"mp4","source":{"s3Location":{"uri":"s3://bucket/film.mp4"}}}},{"image":{"format":"jpeg","source":{"s3Location":{"uri":"s3://bucket/a.b/picture.JPG"}}}},{"audio":{"format":"wav","source":{"bytes":"aGk="}}},{"text":"What is this?"}]}
            turns[2].parts[2]: bedrock_converse takes bytes or a place in S3, and no other address
            turns[2].parts[3]: only the provider it was uploaded to has it
            turns[2].parts[4]: bedrock_converse has no format for image/tiff
        "#]],
    );
}

#[test]
fn what_is_missing_or_blank_is_mended() {
    let asked = request(vec![
        assistant(vec![said("Hello, who are you?")]),
        user(vec![text("  ")]),
        assistant(vec![thoughts("unsigned", None)]),
        user(vec![text("Me.")]),
    ]);
    check(
        &asked,
        &expect![[r#"
            messages:
              {"role":"user","content":[{"text":"(no message)"}]}
              {"role":"assistant","content":[{"text":"Hello, who are you?"}]}
              {"role":"user","content":[{"text":"Me."}]}
            turns[2].parts[0]: thoughts without a signature are not taken back
            turns[0]: a conversation begins with the user's here, so one was put
        "#]],
    );
    check(
        &request(vec![crate::built::instruct("Say hi.")]),
        &expect![[r#"
            messages:
              {"role":"user","content":[{"text":"Say hi."}]}
            turns[0]: said as the user's, since nobody else speaks
        "#]],
    );
}

#[test]
fn own_thoughts_and_citations_go_back() {
    let own = |text: &str| Opaque { dialect: Dialect::BedrockConverse, raw: raw(text) };
    let cited = |raw: Opaque| Citation { url: None, title: None, quote: None, span: None, raw };
    let spoken = Said {
        text: "Ruby.".to_owned(),
        citations: vec![
            cited(own(r#"{"title":"facts"}"#)),
            cited(crate::built::foreign(r#"{"url":"x"}"#)),
        ],
        ..Said::default()
    };
    let mut asked = request(vec![
        user(vec![text("hi")]),
        assistant(vec![
            thoughts("hm", Some(own(r#"{"signature":"c2ln"}"#))),
            thoughts("", Some(own(r#"{"redactedContent":"YQ=="}"#))),
            ir::AssistantPart::Text(spoken),
            called("t1", "f", "", CallKind::Function),
        ]),
        result("t1", Vec::new(), None),
    ]);
    asked.thinking = Some(Thinking { budget: Some(Budget::Tokens(2048)), ..Thinking::default() });
    check(
        &asked,
        &expect![[r#"
            messages:
              {"role":"user","content":[{"text":"hi"}]}
              {"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"c2ln"}}},{"reasoningContent":{"redactedContent":"YQ=="}},{"citationsContent":{"content":[{"text":"Ruby."}],"citations":[{"title":"facts"}]}},{"toolUse":{"toolUseId":"t1","name":"f","input":{}}}]}
              {"role":"user","content":[{"toolResult":{"toolUseId":"t1","content":[]}}]}
            toolConfig.tools:
              {"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}
            additionalModelRequestFields: {"thinking":{"type":"enabled","budget_tokens":2048}}
            turns[1].parts[2].citations[1]: only gemini understands it
        "#]],
    );
}

#[test]
fn cache_marks_stand_after_what_they_mark() {
    let mark = Some(CacheMark { ttl: Some("1h".to_owned()) });
    let marked = |said: &str| {
        UserPart::Text(Text {
            text: said.to_owned(),
            cache: mark.clone(),
            extras: Extras::default(),
        })
    };
    let mut tool = function("f");
    if let ir::Tool::Function { cache, .. } = &mut tool {
        *cache = Some(CacheMark::default());
    }
    let instructed = Turn::Instruct {
        authority: ir::Authority::Developer,
        parts: vec![marked("Be kind.")],
        extras: Extras::default(),
    };
    let mut asked = request(vec![instructed, user(vec![marked("hi"), text("there")])]);
    asked.toolbox = toolbox(vec![tool], Some(Choice::Tool("f".to_owned())));
    let by = |cache_marks| shown(HERE, &asked, Quirks { cache_marks, ..Quirks::default() });
    expect![[r#"
        messages:
          {"role":"user","content":[{"text":"hi"},{"cachePoint":{"type":"default","ttl":"1h"}},{"text":"there"}]}
        system:
          {"text":"Be kind."}
          {"cachePoint":{"type":"default","ttl":"1h"}}
        toolConfig.tools:
          {"toolSpec":{"name":"f","description":"Does f.","inputSchema":{"json":{"type":"object","properties":{"a":{"type":"number"}}}}}}
          {"cachePoint":{"type":"default"}}
        toolConfig.toolChoice: {"tool":{"name":"f"}}
    "#]].assert_eq(&by(CacheMarks::CachePoint));
    expect![[r#"
        messages:
          {"role":"user","content":[{"text":"hi"},{"cachePoint":{"type":"default"}},{"text":"there"}]}
        system:
          {"text":"Be kind."}
          {"cachePoint":{"type":"default"}}
        toolConfig.tools:
          {"toolSpec":{"name":"f","description":"Does f.","inputSchema":{"json":{"type":"object","properties":{"a":{"type":"number"}}}}}}
        toolConfig.toolChoice: {"tool":{"name":"f"}}
        turns[0].parts[0].cache.ttl: the model takes no time for it
        turns[1].parts[0].cache.ttl: the model takes no time for it
        toolbox.tools[0].cache: the model takes no cache points among tools
    "#]].assert_eq(&by(CacheMarks::CachePointText));
    expect![[r#"
        messages:
          {"role":"user","content":[{"text":"hi"},{"text":"there"}]}
        system:
          {"text":"Be kind."}
        toolConfig.tools:
          {"toolSpec":{"name":"f","description":"Does f.","inputSchema":{"json":{"type":"object","properties":{"a":{"type":"number"}}}}}}
        toolConfig.toolChoice: {"tool":{"name":"f"}}
        turns[0].parts[0].cache: the model takes no cache points
        turns[1].parts[0].cache: the model takes no cache points
        toolbox.tools[0].cache: the model takes no cache points
    "#]].assert_eq(&by(CacheMarks::None));
}

#[test]
fn a_schema_is_asked_for_in_three_ways() {
    let mut asked = request(vec![user(vec![text("Where?")])]);
    asked.output = schema();
    check(
        &asked,
        &expect![[r#"
            messages:
              {"role":"user","content":[{"text":"Where?"}]}
            outputConfig: {"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"],\"additionalProperties\":false}","name":"city"}}}}
            output.schema: objects of a schema take no further fields here
        "#]],
    );
    let by = |schema| Quirks { schema, ..Quirks::default() };
    let tool = shown(HERE, &asked, by(SchemaBy::Tool));
    expect![[r#"
        messages:
          {"role":"user","content":[{"text":"Where?"}]}
        toolConfig.tools:
          {"toolSpec":{"name":"give_answer","description":"Gives the answer.","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}}
        toolConfig.toolChoice: {"tool":{"name":"give_answer"}}
        Undo { answer: true, customs: [] }
    "#]]
    .assert_eq(&tool);
    let prompt = shown(HERE, &asked, by(SchemaBy::Prompt));
    expect![[r#"
        messages:
          {"role":"user","content":[{"text":"Where?"}]}
        system:
          {"text":"Answer with one JSON value that fits this JSON Schema, and with nothing before or after it:\n{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}"}
    "#]].assert_eq(&prompt);
    asked.toolbox = toolbox(vec![function("f")], None);
    let beside = shown(HERE, &asked, by(SchemaBy::Tool));
    expect![[r#"
        messages:
          {"role":"user","content":[{"text":"Where?"}]}
        toolConfig.tools:
          {"toolSpec":{"name":"f","description":"Does f.","inputSchema":{"json":{"type":"object","properties":{"a":{"type":"number"}}}}}}
          {"toolSpec":{"name":"give_answer","description":"Gives the answer.","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}}
        toolConfig.toolChoice: {"any":{}}
        Undo { answer: true, customs: [] }
    "#]]
    .assert_eq(&beside);
    asked.toolbox = None;
    asked.output = Output::Json;
    check(
        &asked,
        &expect![[r#"
            messages:
              {"role":"user","content":[{"text":"Where?"}]}
            system:
              {"text":"Answer with one JSON value that fits this JSON Schema, and with nothing before or after it:\n{\"type\":\"object\"}"}
            output: bedrock_converse has no JSON mode: the model is asked in words
        "#]],
    );
}

#[test]
fn no_call_is_forbidden_by_leaving_the_tools_out() {
    let mut asked = request(vec![user(vec![text("hi")])]);
    asked.toolbox = toolbox(vec![function("f")], Some(Choice::Never));
    check(
        &asked,
        &expect![[r#"
            messages:
              {"role":"user","content":[{"text":"hi"}]}
        "#]],
    );
    asked.turns.push(assistant(vec![called("c", "f", "{}", CallKind::Function)]));
    asked.turns.push(result("c", vec![text("1")], None));
    check(
        &asked,
        &expect![[r#"
            messages:
              {"role":"user","content":[{"text":"hi"}]}
              {"role":"assistant","content":[{"toolUse":{"toolUseId":"c","name":"f","input":{}}}]}
              {"role":"user","content":[{"toolResult":{"toolUseId":"c","content":[{"text":"1"}]}}]}
            toolConfig.tools:
              {"toolSpec":{"name":"f","description":"Does f.","inputSchema":{"json":{"type":"object","properties":{"a":{"type":"number"}}}}}}
            toolbox.choice: bedrock_converse cannot forbid calls where some were made already
        "#]],
    );
    asked.toolbox = None;
    check(
        &asked,
        &expect![[r#"
            messages:
              {"role":"user","content":[{"text":"hi"}]}
              {"role":"assistant","content":[{"toolUse":{"toolUseId":"c","name":"f","input":{}}}]}
              {"role":"user","content":[{"toolResult":{"toolUseId":"c","content":[{"text":"1"}]}}]}
            toolConfig.tools:
              {"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}
        "#]],
    );
}

#[test]
fn thinking_is_said_in_the_words_of_the_models_maker() {
    let thinking = |effort: Option<&str>, budget| {
        let effort = effort.map(str::to_owned);
        let mut asked = request(vec![user(vec![text("hi")])]);
        asked.thinking = Some(Thinking { effort, budget, ..Thinking::default() });
        asked.cap = Some(Cap(9_000));
        asked.temperature = Some(serde_json::from_str("0.5").unwrap());
        asked.top_k = Some(5.into());
        asked
    };
    let told = |asked: &Request, additional| {
        let quirks = Quirks { additional, ..Quirks::default() };
        let written = wire::write_request(HERE, asked, quirks);
        let body: serde_json::Value = serde_json::from_slice(&written.bytes).unwrap();
        println!("{} body: {body}", HERE.name());
        let losses: Vec<&str> = written.losses.iter().map(|loss| loss.path.as_str()).collect();
        format!("{} {losses:?}\n", body["additionalModelRequestFields"])
    };
    let mut all = String::new();
    for additional in [
        AdditionalFields::Thinking,
        AdditionalFields::Adaptive,
        AdditionalFields::ReasoningEffort,
        AdditionalFields::ReasoningConfig,
    ] {
        all += &format!("{additional:?}\n");
        all += &told(&thinking(Some("high"), None), additional);
        all += &told(&thinking(Some("minimal"), None), additional);
        all += &told(&thinking(None, Some(Budget::Tokens(100))), additional);
        all += &told(&thinking(None, Some(Budget::Auto)), additional);
        all += &told(&thinking(None, Some(Budget::Off)), additional);
        let mut forced = thinking(Some("low"), None);
        forced.toolbox = toolbox(vec![function("f")], Some(Choice::Required));
        all += &told(&forced, additional);
        let mut tight = thinking(Some("low"), None);
        tight.cap = Some(Cap(1_000));
        all += &told(&tight, additional);
        let mut going = thinking(Some("low"), None);
        going.turns.push(assistant(vec![called("c", "f", "{}", CallKind::Function)]));
        going.turns.push(result("c", vec![text("1")], None));
        all += &told(&going, additional);
    }
    expect![[r#"
        Thinking
        {"thinking":{"type":"enabled","budget_tokens":6750}} ["top_k", "temperature"]
        {"thinking":{"type":"enabled","budget_tokens":1024}} ["top_k", "temperature"]
        {"thinking":{"type":"enabled","budget_tokens":1024}} ["top_k", "temperature"]
        {"thinking":{"type":"enabled","budget_tokens":6750}} ["top_k", "temperature"]
        {"thinking":{"type":"disabled"},"top_k":5} []
        {"top_k":5} ["thinking"]
        {"top_k":5} ["thinking"]
        {"top_k":5} ["thinking"]
        Adaptive
        {"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}} ["top_k", "temperature"]
        {"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}} ["top_k", "temperature"]
        {"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}} ["top_k", "temperature"]
        {"thinking":{"type":"adaptive"}} ["top_k", "temperature"]
        {"thinking":{"type":"disabled"},"top_k":5} []
        {"top_k":5} ["thinking"]
        {"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}} ["top_k", "temperature"]
        {"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}} ["top_k", "temperature"]
        ReasoningEffort
        {"reasoning_effort":"high"} ["top_k"]
        {"reasoning_effort":"low"} ["top_k"]
        {"reasoning_effort":"low"} ["top_k"]
        null ["top_k"]
        null ["thinking", "top_k"]
        {"reasoning_effort":"low"} ["top_k"]
        {"reasoning_effort":"low"} ["top_k"]
        {"reasoning_effort":"low"} ["top_k"]
        ReasoningConfig
        {"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"},"inferenceConfig":{"topK":5}} []
        {"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"},"inferenceConfig":{"topK":5}} []
        {"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"},"inferenceConfig":{"topK":5}} []
        {"reasoningConfig":{"type":"enabled","maxReasoningEffort":"medium"},"inferenceConfig":{"topK":5}} []
        {"reasoningConfig":{"type":"disabled"},"inferenceConfig":{"topK":5}} []
        {"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"},"inferenceConfig":{"topK":5}} []
        {"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"},"inferenceConfig":{"topK":5}} []
        {"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"},"inferenceConfig":{"topK":5}} []
    "#]].assert_eq(&all);
}
