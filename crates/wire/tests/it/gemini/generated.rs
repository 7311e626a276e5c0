//! Law 2 over generated conversations and answers.

use ir::{
    Arguments, AssistantPart, AssistantTurn, Authority, Budget, CallKind, Candidate, Cap, Choice,
    Counted, Extras, File, Finish, Image, Logprobs, Mode, Opaque, Output, Quirks, RawJson,
    Reasoning, Request, Response, Said, Schema, Source, Text, Thinking, Tokens, Tool, ToolCall,
    ToolResult, Toolbox, Turn, Usage, UserPart,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::Number;

use super::{GOOGLE, HERE};
use crate::laws::origin;

fn json(text: &str) -> RawJson {
    RawJson::parse(text.to_owned()).unwrap()
}

fn raw() -> impl Strategy<Value = RawJson> {
    const TEXTS: [&str; 6] = ["{}", "{\"a\": [1, 2.0]}", "true", "\"x\"", "17", "[null]"];
    proptest::sample::select(&TEXTS[..]).prop_map(json)
}

fn extras(names: &'static str) -> impl Strategy<Value = Extras> {
    proptest::collection::btree_map(names, raw(), 0..3)
        .prop_map(|map| Extras(map.into_iter().collect()))
}

fn carrier() -> impl Strategy<Value = Option<Opaque>> {
    of("[A-Za-z0-9+/]{8}").prop_map(|signature| {
        signature.map(|signature| Opaque { dialect: HERE, raw: RawJson::string(&signature) })
    })
}

fn text() -> impl Strategy<Value = UserPart> {
    (".{0,12}", extras("x[A-C]"))
        .prop_map(|(text, extras)| UserPart::Text(Text { text, cache: None, extras }))
}

fn media() -> impl Strategy<Value = UserPart> {
    let inline = ("(image/png|audio/wav|application/pdf)", "[A-Za-z0-9+/]{4,8}")
        .prop_map(|(media_type, base64)| Source::Inline { media_type, base64 });
    let url = ("https://[a-z]{1,8}", "(image/png|video/mp4)")
        .prop_map(|(url, kind)| Source::Url { url, media_type: Some(kind) });
    let source = prop_oneof![inline, url, "gs://[a-z]{1,8}".prop_map(Source::Uploaded)];
    (source, extras("(videoMetadata|displayName)")).prop_map(|(source, extras)| {
        let kind = match &source {
            Source::Inline { media_type, .. } => media_type.as_str(),
            Source::Url { media_type, .. } => media_type.as_deref().unwrap_or_default(),
            Source::Uploaded(_) => "",
        };
        if kind.starts_with("image/") {
            UserPart::Image(Image { source, detail: None, cache: None, extras })
        } else {
            UserPart::File(File { source, name: None, cache: None, extras })
        }
    })
}

fn user_part() -> impl Strategy<Value = UserPart> {
    let other = Opaque { dialect: HERE, raw: json("{\"toolResponse\":{}}") };
    prop_oneof![text(), media(), Just(UserPart::Other(other))]
}

fn call() -> impl Strategy<Value = ToolCall> {
    let arguments = prop_oneof![Just(""), Just("{}"), Just("{\"a\": 1.0}")];
    ("[a-z]{3}-[0-9]{1,3}", "[a-z_]{1,8}", arguments, carrier(), extras("x[A-C]")).prop_map(
        |(id, name, arguments, carrier, extras)| ToolCall {
            id,
            name,
            kind: CallKind::Function,
            arguments: Arguments(arguments.to_owned()),
            carrier,
            cache: None,
            extras,
        },
    )
}

fn assistant() -> impl Strategy<Value = AssistantTurn> {
    let said = (".{1,8}", carrier(), extras("x[A-C]")).prop_map(|(text, carrier, extras)| {
        AssistantPart::Text(Said { text, carrier, extras, ..Said::default() })
    });
    let thought = (".{1,8}", carrier())
        .prop_map(|(text, carrier)| AssistantPart::Reasoning(Reasoning { text, carrier }));
    let image = "[A-Za-z0-9+/]{4,8}".prop_map(|base64| {
        let source = Source::Inline { media_type: "image/png".to_owned(), base64 };
        AssistantPart::Image(Image { source, detail: None, cache: None, extras: Extras::default() })
    });
    let other = Opaque { dialect: HERE, raw: json("{\"executableCode\":{\"code\":\"1\"}}") };
    let part = prop_oneof![
        said,
        thought,
        image,
        call().prop_map(AssistantPart::ToolCall),
        Just(AssistantPart::Other(other)),
    ];
    (vec(part, 0..4), extras("x[A-C]")).prop_map(|(parts, extras)| AssistantTurn { parts, extras })
}

fn result() -> impl Strategy<Value = Turn> {
    let said = prop_oneof![
        (".{0,8}", Just(None)).prop_map(|(text, failed)| Some((text, failed))),
        (".{0,8}", Just(Some(true))).prop_map(|(text, failed)| Some((text, failed))),
        Just(Some(("{\"a\": 1}".to_owned(), None))),
        Just(None),
    ];
    ("[a-z]{3}-[0-9]{1,3}", "[a-z]{1,6}", said, vec(media(), 0..2), extras("x[A-C]")).prop_map(
        |(call, name, said, media, extras)| {
            let (text, failed) = said.unzip();
            let text = text.map(|text| UserPart::Text(Text { text, ..Text::default() }));
            let parts = text.into_iter().chain(media).collect();
            let failed = failed.flatten();
            let name = Some(name);
            Turn::Result(ToolResult { call, name, parts, failed, cache: None, extras })
        },
    )
}

/// Turns as the dialect can say them: one instruction, at the beginning; the model's turns that follow
/// each other are one.
fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let instruction = of((vec(user_part(), 0..3), extras("x[A-C]")).prop_map(|(parts, extras)| {
        Turn::Instruct { authority: Authority::System, parts, extras }
    }));
    let turn = prop_oneof![
        (vec(user_part(), 0..3), extras("x[A-C]"))
            .prop_map(|(parts, extras)| Turn::User { parts, extras }),
        assistant().prop_map(Turn::Assistant),
        result(),
    ];
    (instruction, vec(turn, 0..5)).prop_map(|(instruction, mut turns)| {
        turns.dedup_by(|later, earlier| {
            matches!((later, earlier), (Turn::Assistant(_), Turn::Assistant(_)))
        });
        instruction.into_iter().chain(turns).collect()
    })
}

fn toolbox() -> impl Strategy<Value = Toolbox> {
    let function = ("[a-z]{1,6}", of(".{0,8}"), of(raw()), extras("x[A-C]")).prop_map(
        |(name, description, parameters, extras)| Tool::Function {
            name,
            description,
            parameters,
            strict: None,
            cache: None,
            extras,
            around: Extras::default(),
        },
    );
    let hosted = Tool::Hosted(Opaque { dialect: HERE, raw: json("{\"googleSearch\": {}}") });
    let strange = Opaque { dialect: HERE, raw: json("{\"mode\": \"VALIDATED\"}") };
    let choice = prop_oneof![
        Just(Choice::Auto),
        Just(Choice::Never),
        Just(Choice::Required),
        Just(Choice::Other(strange)),
        "[a-z]{1,6}".prop_map(Choice::Tool),
    ];
    (vec(prop_oneof![function, Just(hosted)], 1..4), of(choice))
        .prop_map(|(tools, choice)| Toolbox { tools, choice, parallel: None })
}

fn output() -> impl Strategy<Value = Output> {
    let schema = raw().prop_map(|schema| {
        Output::Schema(Schema {
            name: "answer".to_owned(),
            description: None,
            schema: Some(schema),
            strict: None,
            extras: Extras::default(),
        })
    });
    prop_oneof![Just(Output::Text), Just(Output::Json), schema]
}

fn thinking() -> impl Strategy<Value = Thinking> {
    let budget = prop_oneof![
        Just(Budget::Off),
        Just(Budget::Auto),
        (1..100_000_u64).prop_map(Budget::Tokens),
    ];
    (of("(low|high)"), of(budget), of(any::<bool>()), extras("x[A-C]"))
        .prop_map(|(effort, budget, shown, extras)| Thinking { effort, budget, shown, extras })
}

fn number() -> impl Strategy<Value = Option<Number>> {
    of((0_i32..20).prop_map(|tenths| Number::from_f64(f64::from(tenths) / 10.0).unwrap()))
}

prop_compose! {
    fn request()(
        (turns, toolbox, output, thinking) in (turns(), of(toolbox()), output(), of(thinking())),
        (temperature, top_p, top_k, seed) in (number(), number(), number(), number()),
        (frequency_penalty, presence_penalty, cap) in (number(), number(), of(any::<u64>().prop_map(Cap))),
        (stop, candidates, logprobs) in (vec(".{1,4}", 0..3), of(1_u64..4), of(of(0_u64..5))),
        extras in extras("(generationConfig.x|safetySettings|labels)[A-C]"),
    ) -> Request {
        Request {
            spoken: HERE, model: String::new(), turns, toolbox, output, mode: Mode::Whole, cap,
            temperature, top_p, top_k, frequency_penalty, presence_penalty, seed, stop, candidates,
            thinking, logprobs: logprobs.map(|top| Logprobs { top }), user: None, extras,
        }
    }
}

/// Reading puts the extras of the settings after those of the request.
fn ordered(mut request: Request) -> Request {
    request.extras.0.sort_by_key(|(name, _)| (name.starts_with("generationConfig."), name.clone()));
    request
}

prop_compose! {
    fn candidate()(
        turn in assistant(),
        finish in of(prop_oneof![
            Just(Finish::Length),
            Just(Finish::ContentFilter),
            Just(Finish::Other("LANGUAGE".to_owned())),
        ]),
        extras in extras("x[A-C]"),
    ) -> Candidate {
        Candidate { turn, finish, extras }
    }
}

prop_compose! {
    fn response()(
        (id, model) in (of("[a-z]{4}"), of("[a-z]{4}")),
        candidates in vec(candidate(), 0..3),
        counts in of((0..1_000_u64, 0..1_000_u64, 0..1_000_u64, 0..1_000_u64)),
        (extras, beside) in (extras("x[A-C]"), extras("x[A-C]")),
    ) -> Response {
        let usage = counts.map(|(prompt, cached, candidates, thoughts)| Usage {
            input: Tokens(prompt + cached),
            cached_input: Tokens(cached),
            cache_write: Tokens(0),
            output: Tokens(candidates + thoughts),
            reasoning: Tokens(thoughts),
            counted: Counted::Reported,
            extras: beside,
        });
        Response { spoken: HERE, id, model, created: None, candidates, usage, extras }
    }
}

proptest! {
    #[test]
    fn law_2_a_conversation_survives_being_written(request in request()) {
        let request = ordered(request);
        let written = wire::write_request(HERE, &request, Quirks::default());
        prop_assert_eq!(written.losses, []);
        let read = wire::read_request(GOOGLE, &written.bytes).unwrap();
        prop_assert_eq!(read, request);
    }

    #[test]
    fn law_2_an_answer_survives_being_written(response in response()) {
        let bytes = wire::write_response(GOOGLE, &response);
        let read = wire::read_response(&origin(HERE), &bytes).unwrap();
        prop_assert_eq!(read, response);
    }

    #[test]
    fn law_6_no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..200), text in "[{}\\[\\]\",:a-z0-9 \\\\]{0,80}") {
        for body in [bytes.as_slice(), text.as_bytes()] {
            let _ = wire::read_request(GOOGLE, body);
            let _ = wire::head::read(GOOGLE, body, None);
            let _ = wire::read_response(&origin(HERE), body);
            let _ = wire::read_failure(&origin(HERE), 500, &|_| None, body);
        }
    }
}
