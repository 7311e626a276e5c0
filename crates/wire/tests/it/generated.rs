//! The laws over generated conversations.

use ir::{
    Arguments, AssistantPart, AssistantTurn, Authority, Budget, CacheMark, CallKind, Cap, Choice,
    Dialect, Extras, File, Image, Inbound, Logprobs, Mode, Opaque, Output, Quirks, RawJson,
    Reasoning, Request, Said, Schema, Source, Text, Thinking, Tool, ToolCall, ToolResult, Toolbox,
    Turn, UserPart,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Number, json};

use crate::laws::origin;

const CHAT: Dialect = Dialect::OpenaiChat;

fn raw() -> impl Strategy<Value = RawJson> {
    const TEXTS: [&str; 6] = ["{}", "{\"a\": [1, 2.0]}", "true", "\"x\"", "17", "[null]"];
    proptest::sample::select(&TEXTS[..]).prop_map(|text| RawJson::parse(text.to_owned()).unwrap())
}

fn extras() -> impl Strategy<Value = Extras> {
    proptest::collection::btree_map("x_[a-c]", raw(), 0..3)
        .prop_map(|map| Extras(map.into_iter().collect()))
}

fn mark() -> impl Strategy<Value = Option<CacheMark>> {
    of(of("5m|1h").prop_map(|ttl| CacheMark { ttl }))
}

fn text() -> impl Strategy<Value = Text> {
    (".{0,12}", mark(), extras()).prop_map(|(text, cache, extras)| Text { text, cache, extras })
}

fn file() -> impl Strategy<Value = UserPart> {
    let inline = |media_type: &str| {
        let media_type = media_type.to_owned();
        "[A-Za-z0-9+/]{4,8}".prop_map(move |base64| {
            let media_type = media_type.clone();
            Source::Inline { media_type, base64 }
        })
    };
    let place = prop_oneof![
        (inline("application/pdf"), of("[a-z]{1,4}")),
        (inline("audio/mp3"), Just(None)),
        (inline("video/mp4"), Just(None)),
        ("https://[a-z]{1,8}".prop_map(|url| Source::Url { url, media_type: None }), of("[a-z]")),
        ("file-[a-z]{1,4}".prop_map(Source::Uploaded), of("[a-z]")),
    ];
    (place, mark(), extras()).prop_map(|((source, name), cache, extras)| {
        UserPart::File(File { source, name, cache, extras })
    })
}

fn user_part() -> impl Strategy<Value = UserPart> {
    let source = prop_oneof![
        "https://[a-z]{1,8}".prop_map(|url| Source::Url { url, media_type: None }),
        ("image/(png|jpeg)", "[A-Za-z0-9+/]{4,8}")
            .prop_map(|(media_type, base64)| Source::Inline { media_type, base64 }),
    ];
    let image =
        (source, of("low|high"), mark(), extras()).prop_map(|(source, detail, cache, extras)| {
            UserPart::Image(Image { source, detail, cache, extras })
        });
    let other = json!({"type": "input_audio", "input_audio": {"data": "AA=="}});
    let other = Opaque { dialect: CHAT, raw: RawJson::parse(other.to_string()).unwrap() };
    prop_oneof![text().prop_map(UserPart::Text), image, file(), Just(UserPart::Other(other))]
}

fn call() -> impl Strategy<Value = ToolCall> {
    let carrier = || of(Just(Opaque { dialect: CHAT, raw: object("{\"google\":{}}") }));
    let named = ("call_[a-z]{3}", "[a-z_]{1,8}", ".{0,10}", any::<bool>());
    (named, carrier(), mark(), extras()).prop_map(
        |((id, name, arguments, custom), carrier, cache, extras)| ToolCall {
            id,
            name,
            kind: if custom { CallKind::Custom } else { CallKind::Function },
            arguments: Arguments(arguments),
            carrier,
            cache,
            extras,
        },
    )
}

fn object(text: &str) -> RawJson {
    RawJson::parse(text.to_owned()).unwrap()
}

fn said(Text { text, cache, extras }: Text) -> AssistantPart {
    AssistantPart::Text(Said { text, cache, extras, ..Said::default() })
}

/// Thoughts as a plain field says them, or as details do, which may repeat the plain field.
fn thoughts() -> impl Strategy<Value = Reasoning> {
    let details = |(text, signature): (String, String)| {
        let detail = json!([{"type": "reasoning.text", "text": text, "signature": signature}]);
        let carrier = Opaque { dialect: CHAT, raw: object(&detail.to_string()) };
        Reasoning { text, carrier: Some(carrier) }
    };
    prop_oneof![
        ".{0,8}".prop_map(|text| Reasoning { text, carrier: None }),
        (".{0,8}", "[a-z]{0,4}").prop_map(details),
    ]
}

/// An assistant's turn as the dialect can say it: thoughts, then content, then a refusal, then calls.
fn assistant() -> impl Strategy<Value = AssistantTurn> {
    (of(thoughts()), vec(text(), 0..3), of(".{0,8}"), vec(call(), 0..3), extras()).prop_map(
        |(thoughts, texts, refusal, calls, extras)| {
            let parts = thoughts
                .map(AssistantPart::Reasoning)
                .into_iter()
                .chain(texts.into_iter().map(said))
                .chain(refusal.map(AssistantPart::Refusal))
                .chain(calls.into_iter().map(AssistantPart::ToolCall))
                .collect();
            AssistantTurn { parts, extras }
        },
    )
}

fn turn() -> impl Strategy<Value = Turn> {
    let parts = || vec(user_part(), 0..3);
    prop_oneof![
        (any::<bool>(), parts(), extras()).prop_map(|(system, parts, extras)| Turn::Instruct {
            authority: if system { Authority::System } else { Authority::Developer },
            parts,
            extras,
        }),
        (parts(), extras()).prop_map(|(parts, extras)| Turn::User { parts, extras }),
        assistant().prop_map(Turn::Assistant),
        ("call_[a-z]{3}", of("[a-z]{1,4}"), parts(), mark(), extras()).prop_map(
            |(call, name, parts, cache, extras)| Turn::Result(ToolResult {
                call,
                name,
                parts,
                failed: None,
                cache,
                extras
            })
        ),
    ]
}

fn toolbox() -> impl Strategy<Value = Toolbox> {
    let named = ("[a-z]{1,6}", of(".{0,8}"));
    let function = (named.clone(), of(raw()), of(any::<bool>()), mark(), extras(), extras())
        .prop_map(|((name, description), parameters, strict, cache, extras, around)| {
            Tool::Function { name, description, parameters, strict, cache, extras, around }
        });
    let custom = (named, extras()).prop_map(|((name, description), extras)| Tool::Custom {
        name,
        description,
        extras,
    });
    let tool = prop_oneof![function, custom];
    let choice = prop_oneof![
        Just(Choice::Auto),
        Just(Choice::Never),
        Just(Choice::Required),
        "[a-z]{1,6}".prop_map(Choice::Tool),
    ];
    (vec(tool, 1..3), of(choice), of(any::<bool>())).prop_map(|(tools, choice, parallel)| Toolbox {
        tools,
        choice,
        parallel,
    })
}

fn output() -> impl Strategy<Value = Output> {
    let schema = ("[a-z]{1,6}", of(".{0,6}"), of(raw()), of(any::<bool>()), extras()).prop_map(
        |(name, description, schema, strict, extras)| {
            Output::Schema(Schema { name, description, schema, strict, extras })
        },
    );
    prop_oneof![Just(Output::Text), Just(Output::Json), schema]
}

fn number() -> impl Strategy<Value = Option<Number>> {
    of((0_i32..20).prop_map(|tenths| Number::from_f64(f64::from(tenths) / 10.0).unwrap()))
}

/// Thinking as the word says it, or as the object does, which always says whether it is shown.
fn thinking() -> impl Strategy<Value = Thinking> {
    let effort = || of("none|low|high|max");
    let on = prop_oneof![Just(Budget::Off), Just(Budget::Auto)];
    let object = prop_oneof![
        (effort(), of((1_u64..9_000).prop_map(Budget::Tokens))),
        (Just(None), on.prop_map(Some)),
    ];
    prop_oneof![
        "low|high".prop_map(|effort| Thinking { effort: Some(effort), ..Thinking::default() }),
        (object, any::<bool>(), extras()).prop_map(|((effort, budget), shown, extras)| Thinking {
            effort,
            budget,
            shown: Some(shown),
            extras
        }),
    ]
}

prop_compose! {
    fn request()(
        (model, turns, toolbox, output) in ("[a-z/0-9.-]{1,12}", vec(turn(), 0..5), of(toolbox()), output()),
        mode in prop_oneof![
            Just(Mode::Whole),
            (any::<bool>(), extras()).prop_map(|(usage, extras)| Mode::Stream { usage, extras }),
        ],
        (cap, temperature, top_p, seed) in (of(any::<u64>().prop_map(Cap)), number(), number(), of(any::<i64>().prop_map(Number::from))),
        (top_k, frequency_penalty, presence_penalty) in (number(), number(), number()),
        (logprobs, user) in (of(of(0_u64..9).prop_map(|top| Logprobs { top })), of("[a-z]{1,4}")),
        (stop, candidates, thinking, extras) in (vec(".{1,4}", 0..3), of(1_u64..4), of(thinking()), extras()),
    ) -> Request {
        Request { spoken: Dialect::OpenaiChat, model, turns, toolbox, output, mode, cap, temperature, top_p, top_k, frequency_penalty, presence_penalty, seed, stop, candidates, thinking, logprobs, user, extras }
    }
}

proptest! {
    #[test]
    fn law_2_a_conversation_survives_being_written(request in request()) {
        let written = wire::write_request(Dialect::OpenaiChat, &request, Quirks::default());
        prop_assert_eq!(written.losses, []);
        let read = wire::read_request(Inbound::OpenaiChat, &written.bytes).unwrap();
        prop_assert_eq!(read, request);
    }

    #[test]
    fn law_6_no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..200), text in "[{}\\[\\]\",:a-z0-9 \\\\]{0,80}") {
        for body in [bytes.as_slice(), text.as_bytes()] {
            let _ = wire::read_request(Inbound::OpenaiChat, body);
            let _ = wire::head::read(Inbound::OpenaiChat, body, None);
            let _ = wire::read_response(&origin(CHAT), body);
            let _ = wire::read_failure(&origin(CHAT), 500, &|_| None, body);
        }
    }
}
