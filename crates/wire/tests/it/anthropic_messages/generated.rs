//! The laws over generated conversations, as the dialect can say them.

use ir::{
    Arguments, AssistantPart, AssistantTurn, Authority, Budget, CacheMark, CallKind, Cap, Choice,
    Citation, Extras, File, Image, Mode, Opaque, Output, Quirks, RawJson, Reasoning, Request, Said,
    Schema, Source, Text, Thinking, Tool, ToolCall, ToolResult, Toolbox, Turn, UserPart,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Number, Value, json};

use super::{HERE, MESSAGES};
use crate::laws::origin;

fn raw() -> impl Strategy<Value = RawJson> {
    const TEXTS: [&str; 5] = ["{}", "{\"a\": [1, 2.0]}", "true", "\"x\"", "17"];
    proptest::sample::select(&TEXTS[..]).prop_map(|text| RawJson::parse(text.to_owned()).unwrap())
}

fn here(value: &Value) -> Opaque {
    Opaque { dialect: HERE, raw: RawJson::parse(value.to_string()).unwrap() }
}

fn extras() -> impl Strategy<Value = Extras> {
    proptest::collection::btree_map("x_[a-c]", raw(), 0..3)
        .prop_map(|map| Extras(map.into_iter().collect()))
}

fn cache() -> impl Strategy<Value = Option<CacheMark>> {
    of(of("5m|1h").prop_map(|ttl| CacheMark { ttl }))
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        "https://[a-z]{1,8}".prop_map(|url| Source::Url { url, media_type: None }),
        ("image/png|application/pdf|text/plain", vec(any::<u8>(), 0..6)).prop_map(
            |(media_type, bytes)| {
                use base64::Engine as _;
                let base64 = base64::engine::general_purpose::STANDARD.encode(bytes);
                Source::Inline { media_type, base64 }
            }
        ),
        "file_[a-z]{3}".prop_map(Source::Uploaded),
    ]
}

fn user_part() -> impl Strategy<Value = UserPart> {
    let text = (".{0,12}", cache(), extras())
        .prop_map(|(text, cache, extras)| UserPart::Text(Text { text, cache, extras }));
    let image = (source(), cache(), extras()).prop_map(|(source, cache, extras)| {
        UserPart::Image(Image { source, detail: None, cache, extras })
    });
    let file =
        (source(), of(".{1,8}"), cache(), extras()).prop_map(|(source, name, cache, extras)| {
            UserPart::File(File { source, name, cache, extras })
        });
    let other = json!({"type": "container_upload", "file_id": "file_1"});
    prop_oneof![text, image, file, Just(UserPart::Other(here(&other)))]
}

fn citation() -> impl Strategy<Value = Citation> {
    ("https://[a-z]{1,5}", "[a-z]{0,5}").prop_map(|(url, quote)| Citation {
        url: Some(url.clone()),
        title: Some("t".to_owned()),
        quote: Some(quote.clone()),
        span: None,
        raw: here(&json!({
            "type": "web_search_result_location", "url": url, "title": "t",
            "cited_text": quote, "encrypted_index": "Eo8B",
        })),
    })
}

fn said_part() -> impl Strategy<Value = AssistantPart> {
    let text = (".{0,12}", vec(citation(), 0..2), cache(), extras()).prop_map(
        |(text, citations, cache, extras)| {
            AssistantPart::Text(Said { text, citations, carrier: None, cache, extras })
        },
    );
    let thoughts = (".{0,12}", of("[A-Za-z0-9+/]{1,9}")).prop_map(|(text, signature)| {
        let carrier = signature.map(|text| here(&json!(text)));
        AssistantPart::Reasoning(Reasoning { text, carrier })
    });
    let hidden = Reasoning {
        text: String::new(),
        carrier: Some(here(&json!({"type": "redacted_thinking", "data": "AA=="}))),
    };
    let caller = json!({"caller": {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}});
    let call =
        (("toolu_[a-z]{3}", "[a-z_]{1,8}"), "\\{\"a\":[0-9]\\}", any::<bool>(), cache(), extras())
            .prop_map(move |((id, name), arguments, program, cache, extras)| {
                AssistantPart::ToolCall(ToolCall {
                    id,
                    name,
                    kind: CallKind::Function,
                    arguments: Arguments(arguments),
                    carrier: program.then(|| here(&caller)),
                    cache,
                    extras,
                })
            });
    let other = json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "n", "input": {}});
    prop_oneof![
        text,
        thoughts,
        Just(AssistantPart::Reasoning(hidden)),
        call,
        Just(AssistantPart::Other(here(&other))),
    ]
}

fn instruct((parts, extras): (Vec<UserPart>, Extras)) -> Turn {
    Turn::Instruct { authority: Authority::System, parts, extras }
}

fn turn() -> impl Strategy<Value = Turn> {
    let parts = || vec(user_part(), 0..3);
    let result = ("toolu_[a-z]{3}", parts(), of(any::<bool>()), cache(), extras()).prop_map(
        |(call, parts, failed, cache, extras)| {
            Turn::Result(ToolResult { call, name: None, parts, failed, cache, extras })
        },
    );
    prop_oneof![
        (parts(), extras()).prop_map(|(parts, extras)| Turn::User { parts, extras }),
        (vec(said_part(), 0..4), extras())
            .prop_map(|(parts, extras)| Turn::Assistant(AssistantTurn { parts, extras })),
        result,
        Just(Turn::Other(here(&json!({"role": "narrator", "content": "x"})))),
    ]
}

/// The field `system`, then anything, instructions in place among it.
fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let system = (vec(user_part(), 0..3), Just(Extras::default())).prop_map(instruct);
    let later = (vec(user_part(), 0..3), extras()).prop_map(instruct);
    let rest = (turn(), vec(prop_oneof![4 => turn(), 1 => later], 0..5));
    (of(system), rest)
        .prop_map(|(system, (first, rest))| system.into_iter().chain([first]).chain(rest).collect())
}

fn toolbox() -> impl Strategy<Value = Toolbox> {
    let function = ("[a-z]{1,6}", of(".{0,8}"), of(raw()), of(any::<bool>()), cache(), extras())
        .prop_map(|(name, description, parameters, strict, cache, extras)| Tool::Function {
            name,
            description,
            parameters,
            strict,
            cache,
            extras,
            around: Extras::default(),
        });
    let hosted = json!({"type": "web_search_20250305", "name": "web_search"});
    let tool = prop_oneof![3 => function, 1 => Just(Tool::Hosted(here(&hosted)))];
    let choice = prop_oneof![
        Just(Choice::Auto),
        Just(Choice::Never),
        Just(Choice::Required),
        "[a-z]{1,6}".prop_map(Choice::Tool),
    ];
    let chosen = of((choice, of(any::<bool>()))).prop_map(Option::unzip);
    (vec(tool, 1..3), chosen).prop_map(|(tools, (choice, parallel))| Toolbox {
        tools,
        choice,
        parallel: parallel.flatten(),
    })
}

fn output() -> impl Strategy<Value = Output> {
    let schema = (of(raw()), extras()).prop_map(|(schema, extras)| {
        let name = "answer".to_owned();
        Output::Schema(Schema { name, description: None, schema, strict: None, extras })
    });
    prop_oneof![Just(Output::Text), schema]
}

fn thinking() -> impl Strategy<Value = Thinking> {
    let budget = prop_oneof![
        Just(Budget::Off),
        Just(Budget::Auto),
        (1_024_u64..4_096).prop_map(Budget::Tokens)
    ];
    prop_oneof![
        "low|max".prop_map(|word| Thinking { effort: Some(word), ..Thinking::default() }),
        (of("low|max"), budget, of(any::<bool>()), extras()).prop_map(
            |(effort, budget, shown, extras)| Thinking {
                effort,
                budget: Some(budget),
                shown,
                extras
            }
        ),
    ]
}

fn number() -> impl Strategy<Value = Option<Number>> {
    of((0_i32..20).prop_map(|tenths| Number::from_f64(f64::from(tenths) / 10.0).unwrap()))
}

prop_compose! {
    fn request()(
        (model, turns, toolbox, output) in ("[a-z/0-9.-]{1,12}", turns(), of(toolbox()), output()),
        stream in any::<bool>(),
        (cap, temperature, top_p, top_k) in (any::<u64>(), number(), number(), of(any::<u32>().prop_map(Number::from))),
        (stop, thinking, user, mut extras) in (vec(".{1,4}", 0..3), of(thinking()), of("[a-z]{1,4}"), extras()),
        (config, metadata) in (any::<bool>(), any::<bool>()),
    ) -> Request {
        let more = |text: &str| RawJson::parse(text.to_owned()).unwrap();
        if config {
            extras.set("output_config", more("{\"task_budget\":{\"total\":9}}"));
        }
        if metadata {
            extras.set("metadata", more("{\"task\":\"rag\"}"));
        }
        let mode = if stream { Mode::Stream { usage: true, extras: Extras::default() } } else { Mode::Whole };
        Request { spoken: HERE, model, turns, toolbox, output, mode, cap: Some(Cap(cap)), temperature, top_p, top_k, frequency_penalty: None, presence_penalty: None, seed: None, stop, candidates: None, thinking, logprobs: None, user, extras }
    }
}

proptest! {
    #[test]
    fn law_2_a_conversation_survives_being_written(request in request()) {
        let written = wire::write_request(HERE, &request, Quirks::default());
        prop_assert_eq!(written.losses, []);
        let read = wire::read_request(MESSAGES, &written.bytes).unwrap();
        prop_assert_eq!(joined(read), joined(request));
    }

    #[test]
    fn law_6_no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..200), text in "[{}\\[\\]\",:a-z0-9 \\\\]{0,80}") {
        for body in [bytes.as_slice(), text.as_bytes()] {
            let _ = wire::read_request(MESSAGES, body);
            let _ = wire::head::read(MESSAGES, body, None);
            let _ = wire::read_response(&origin(HERE), body);
            let _ = wire::read_failure(&origin(HERE), 500, &|_| None, body);
        }
    }
}

/// Words in a message with results that say nothing are not there, since they share it.
fn joined(mut request: Request) -> Request {
    let mut after_result = false;
    request.turns.retain(|turn| {
        let silent =
            matches!(turn, Turn::User { parts, extras } if parts.is_empty() && extras.is_empty());
        let dropped = silent && after_result;
        after_result = matches!(turn, Turn::Result(_)) || (dropped && after_result);
        !dropped
    });
    request
}
