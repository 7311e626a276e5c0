//! The laws over generated conversations.

use ir::{
    Arguments, AssistantPart, AssistantTurn, Authority, CallKind, Cap, Choice, Dialect, Extras,
    Image, ImageSource, Mode, Opaque, Output, RawJson, Reasoning, Request, Schema, Text, Tool,
    ToolCall, ToolResult, Toolbox, Turn, UserPart,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Number, json};

const CHAT: Dialect = Dialect::OpenaiChat;

fn raw() -> impl Strategy<Value = RawJson> {
    const TEXTS: [&str; 6] = ["{}", "{\"a\": [1, 2.0]}", "true", "\"x\"", "17", "[null]"];
    proptest::sample::select(&TEXTS[..]).prop_map(|text| RawJson::parse(text.to_owned()).unwrap())
}

fn extras() -> impl Strategy<Value = Extras> {
    proptest::collection::btree_map("x_[a-c]", raw(), 0..3)
        .prop_map(|map| Extras(map.into_iter().collect()))
}

fn text() -> impl Strategy<Value = Text> {
    (".{0,12}", extras()).prop_map(|(text, extras)| Text { text, extras })
}

fn user_part() -> impl Strategy<Value = UserPart> {
    let source = prop_oneof![
        "https://[a-z]{1,8}".prop_map(ImageSource::Url),
        ("image/(png|jpeg)", "[A-Za-z0-9+/]{4,8}")
            .prop_map(|(media_type, base64)| ImageSource::Inline { media_type, base64 }),
    ];
    let image = (source, of("low|high"), extras())
        .prop_map(|(source, detail, extras)| UserPart::Image(Image { source, detail, extras }));
    let other = json!({"type": "input_audio", "input_audio": {"data": "AA=="}});
    let other = Opaque { dialect: CHAT, raw: RawJson::parse(other.to_string()).unwrap() };
    prop_oneof![text().prop_map(UserPart::Text), image, Just(UserPart::Other(other))]
}

fn call() -> impl Strategy<Value = ToolCall> {
    ("call_[a-z]{3}", "[a-z_]{1,8}", ".{0,10}", any::<bool>(), extras()).prop_map(
        |(id, name, arguments, custom, extras)| ToolCall {
            id,
            name,
            kind: if custom { CallKind::Custom } else { CallKind::Function },
            arguments: Arguments(arguments),
            extras,
        },
    )
}

/// An assistant's turn as the dialect can say it: thoughts, then content, then a refusal, then calls.
fn assistant() -> impl Strategy<Value = AssistantTurn> {
    (of(".{0,8}"), vec(text(), 0..3), of(".{0,8}"), vec(call(), 0..3), extras()).prop_map(
        |(thoughts, texts, refusal, calls, extras)| {
            let thoughts =
                thoughts.map(|text| AssistantPart::Reasoning(Reasoning { text, carrier: None }));
            let parts = thoughts
                .into_iter()
                .chain(texts.into_iter().map(AssistantPart::Text))
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
        ("call_[a-z]{3}", parts(), extras())
            .prop_map(|(call, parts, extras)| Turn::Result(ToolResult { call, parts, extras })),
    ]
}

fn toolbox() -> impl Strategy<Value = Toolbox> {
    let tool = ("[a-z]{1,6}", of(".{0,8}"), of(raw()), of(any::<bool>()), extras(), extras())
        .prop_map(|(name, description, parameters, strict, extras, around)| Tool::Function {
            name,
            description,
            parameters,
            strict,
            extras,
            around,
        });
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

prop_compose! {
    fn request()(
        (model, turns, toolbox, output) in ("[a-z/0-9.-]{1,12}", vec(turn(), 0..5), of(toolbox()), output()),
        mode in prop_oneof![
            Just(Mode::Whole),
            (any::<bool>(), extras()).prop_map(|(usage, extras)| Mode::Stream { usage, extras }),
        ],
        (cap, temperature, top_p, seed) in (of(any::<u64>().prop_map(Cap)), number(), number(), of(any::<i64>().prop_map(Number::from))),
        (stop, candidates, effort, extras) in (vec(".{1,4}", 0..3), of(1_u64..4), of("low|high"), extras()),
    ) -> Request {
        Request { spoken: CHAT, model, turns, toolbox, output, mode, cap, temperature, top_p, seed, stop, candidates, effort, extras }
    }
}

proptest! {
    #[test]
    fn law_2_a_conversation_survives_being_written(request in request()) {
        let written = wire::write_request(CHAT, &request);
        prop_assert_eq!(written.losses, []);
        let read = wire::read_request(CHAT, &written.bytes).unwrap();
        prop_assert_eq!(read, request);
    }

    #[test]
    fn law_6_no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..200), text in "[{}\\[\\]\",:a-z0-9 \\\\]{0,80}") {
        for body in [bytes.as_slice(), text.as_bytes()] {
            let _ = wire::read_request(CHAT, body);
            let _ = wire::read_head(CHAT, body);
            let _ = wire::read_response(CHAT, body);
            let _ = wire::read_failure(CHAT, 500, &|_| None, body);
        }
    }
}
