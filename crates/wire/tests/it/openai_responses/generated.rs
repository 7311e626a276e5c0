//! The laws over generated conversations.

use ir::{
    Arguments, AssistantPart, AssistantTurn, Authority, CacheMark, CallKind, Candidate, Cap,
    Choice, Event, Extras, File, Finish, Grammar, Image, Logprobs, Mode, Opaque, Output, PartKind,
    Quirks, RawJson, Reasoning, Request, Response, Said, Schema, Scope, Source, Spot, Text,
    Thinking, Tokens, Tool, ToolCall, ToolResult, Toolbox, Turn, Usage, UserPart,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Number, json};

use super::{HERE, RESPONSES};
use crate::laws::{events, fold, origin, rewritten};

fn raw() -> impl Strategy<Value = RawJson> {
    const TEXTS: [&str; 6] = ["{}", "{\"a\": [1, 2.0]}", "true", "\"x\"", "17", "[null]"];
    proptest::sample::select(&TEXTS[..]).prop_map(|text| RawJson::parse(text.to_owned()).unwrap())
}

fn extras() -> impl Strategy<Value = Extras> {
    proptest::collection::btree_map("x_[a-c]", raw(), 0..3)
        .prop_map(|map| Extras(map.into_iter().collect()))
}

fn opaque(value: &serde_json::Value) -> Opaque {
    Opaque { dialect: HERE, raw: RawJson::parse(value.to_string()).unwrap() }
}

fn mark() -> impl Strategy<Value = Option<CacheMark>> {
    of(Just(CacheMark::default()))
}

fn user_part() -> impl Strategy<Value = UserPart> {
    let bytes = "[A-Za-z0-9+/]{4,8}";
    let image = prop_oneof![
        "https://[a-z]{1,8}".prop_map(|url| Source::Url { url, media_type: None }),
        ("image/(png|jpeg)", bytes)
            .prop_map(|(media_type, base64)| Source::Inline { media_type, base64 }),
        "file-[a-z]{3}".prop_map(Source::Uploaded),
    ];
    let image =
        (image, of("low|high"), mark(), extras()).prop_map(|(source, detail, cache, extras)| {
            UserPart::Image(Image { source, detail, cache, extras })
        });
    let file = prop_oneof![
        (
            "https://[a-z]{1,8}".prop_map(|url| Source::Url { url, media_type: None }),
            of("[a-z]{3}")
        ),
        ("file-[a-z]{3}".prop_map(Source::Uploaded), of("[a-z]{3}")),
        (
            bytes
                .prop_map(|base64| Source::Inline { media_type: "application/pdf".into(), base64 }),
            of("[a-z]{3}.pdf")
        ),
        (
            ("audio/(wav|mpeg)", bytes)
                .prop_map(|(media_type, base64)| Source::Inline { media_type, base64 }),
            Just(None)
        ),
    ];
    let file = (file, mark(), extras()).prop_map(|((source, name), cache, extras)| {
        let audio =
            matches!(&source, Source::Inline { media_type, .. } if media_type.starts_with("audio"));
        UserPart::File(File { source, name, cache: cache.filter(|_| !audio), extras })
    });
    let text = (".{0,12}", mark(), extras())
        .prop_map(|(text, cache, extras)| UserPart::Text(Text { text, cache, extras }));
    let other = Just(UserPart::Other(opaque(&json!({"type": "input_smell", "smell": "moss"}))));
    prop_oneof![3 => text, 2 => image, 2 => file, 1 => other]
}

/// A part of the model's, with what its item says beside it.
fn said() -> impl Strategy<Value = (AssistantPart, Option<&'static str>)> {
    let shell = |kind: &'static str| {
        let shells: [Option<&'static str>; 2] = match kind {
            "message" => [None, Some(r#"{"type":"message","id":"msg_1","status":"completed"}"#)],
            "function_call" => [None, Some(r#"{"type":"function_call","id":"fc_1"}"#)],
            _ => [None, Some(r#"{"type":"custom_tool_call","status":"incomplete"}"#)],
        };
        proptest::sample::select(shells.to_vec())
    };
    let text = (".{0,12}", shell("message"))
        .prop_map(|(text, shell)| (AssistantPart::Text(Said { text, ..Said::default() }), shell));
    let refusal = (".{0,12}", shell("message"))
        .prop_map(|(text, shell)| (AssistantPart::Refusal(text), shell));
    let call = |kind: CallKind, named| {
        ("call_[a-z]{3}", "[a-z_]{1,8}", ".{0,10}", shell(named)).prop_map(
            move |(id, name, arguments, shell)| {
                let call = ToolCall {
                    id,
                    name,
                    kind,
                    arguments: Arguments(arguments),
                    carrier: None,
                    cache: None,
                    extras: Extras::default(),
                };
                (AssistantPart::ToolCall(call), shell)
            },
        )
    };
    let thoughts = ".{1,8}".prop_map(|text| {
        let item = json!({
            "type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA",
            "summary": [{"type": "summary_text", "text": text}],
        });
        (AssistantPart::Reasoning(Reasoning { text, carrier: Some(opaque(&item)) }), None)
    });
    let other =
        Just((AssistantPart::Other(opaque(&json!({"type": "shell_call", "id": "sh_1"}))), None));
    prop_oneof![
        3 => text,
        1 => refusal,
        2 => call(CallKind::Function, "function_call"),
        1 => call(CallKind::Custom, "custom_tool_call"),
        2 => thoughts,
        1 => other,
    ]
}

fn assistant() -> impl Strategy<Value = AssistantTurn> {
    vec(said(), 1..5).prop_map(|said| {
        let mut turn = AssistantTurn::default();
        for (at, (part, shell)) in said.into_iter().enumerate() {
            let shell = shell.map(|text| RawJson::parse(text.to_owned()).unwrap());
            turn.extras.0.extend(shell.map(|raw| (format!("item_{at}"), raw)));
            turn.parts.push(part);
        }
        turn
    })
}

/// A turn of an answer, in which thoughts are named beside the item they carry.
fn answered() -> impl Strategy<Value = AssistantTurn> {
    assistant().prop_map(|mut turn| {
        let mut kept = turn.extras;
        turn.extras = Extras::default();
        for (at, part) in turn.parts.iter().enumerate() {
            let key = format!("item_{at}");
            if matches!(part, AssistantPart::Reasoning(_)) {
                kept.set(&key, opaque(&json!({"type": "reasoning", "id": "rs_1"})).raw);
            }
            turn.extras.0.extend(kept.get(&key).cloned().map(|raw| (key, raw)));
        }
        turn
    })
}

/// Whether a part says something, or shows by what stands beside it that it is of this dialect: in a
/// stream any other is left out, or said as other dialects mean it.
fn shown(at: usize, part: &AssistantPart, turn: &AssistantTurn) -> bool {
    let said = match part {
        AssistantPart::Text(said) => &said.text,
        AssistantPart::Refusal(text) => text,
        AssistantPart::ToolCall(call) => call.arguments.0.trim(),
        _ => return true,
    };
    !said.is_empty() || turn.extras.get(&format!("item_{at}")).is_some()
}

fn turn() -> impl Strategy<Value = Turn> {
    let parts = || vec(user_part(), 1..3);
    prop_oneof![
        (any::<bool>(), parts(), extras()).prop_map(|(system, parts, extras)| Turn::Instruct {
            authority: if system { Authority::System } else { Authority::Developer },
            parts,
            extras,
        }),
        (parts(), extras()).prop_map(|(parts, extras)| Turn::User { parts, extras }),
        ("call_[0-9]{3}", parts(), extras()).prop_map(|(call, parts, extras)| {
            let (name, failed, cache) = (None, None, None);
            Turn::Result(ToolResult { call, name, parts, failed, cache, extras })
        }),
        Just(Turn::Other(opaque(&json!({"type": "item_reference", "id": "msg_7"})))),
    ]
}

/// Turns of the model stand between others: two in a row are one.
fn turns() -> impl Strategy<Value = Vec<Turn>> {
    vec((of(assistant()), turn()), 0..4).prop_map(|turns| {
        let turns = turns.into_iter();
        turns.flat_map(|(said, turn)| said.map(Turn::Assistant).into_iter().chain([turn])).collect()
    })
}

fn toolbox() -> impl Strategy<Value = Toolbox> {
    let function = ("[a-z]{1,6}", of(".{0,8}"), of(raw()), of(any::<bool>()), extras()).prop_map(
        |(name, description, parameters, strict, extras)| Tool::Function {
            name,
            description,
            parameters,
            strict,
            cache: None,
            extras,
            around: Extras::default(),
        },
    );
    let custom = ("[A-Z]{1,6}", of(".{0,8}"), extras())
        .prop_map(|(name, description, extras)| Tool::Custom { name, description, extras });
    let hosted = Just(Tool::Hosted(opaque(&json!({"type": "web_search"}))));
    let allowed = json!({"type": "allowed_tools", "mode": "auto", "tools": []});
    let choice = prop_oneof![
        Just(Choice::Auto),
        Just(Choice::Never),
        Just(Choice::Required),
        "[a-z]{1,6}".prop_map(Choice::Tool),
        Just(Choice::Other(opaque(&allowed))),
    ];
    (vec(prop_oneof![function, custom, hosted], 1..4), of(choice), of(any::<bool>()))
        .prop_map(|(tools, choice, parallel)| Toolbox { tools, choice, parallel })
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

fn thinking() -> impl Strategy<Value = Thinking> {
    (of("low|high|none"), of(Just(true)), extras()).prop_map(|(effort, shown, extras)| Thinking {
        effort,
        budget: None,
        shown,
        extras,
    })
}

prop_compose! {
    fn request()(
        (model, turns, toolbox, output) in ("[a-z/0-9.-]{1,12}", turns(), of(toolbox()), output()),
        mode in prop_oneof![
            Just(Mode::Whole),
            extras().prop_map(|extras| Mode::Stream { usage: true, extras }),
        ],
        (cap, temperature, top_p, user) in (of(any::<u64>().prop_map(Cap)), number(), number(), of("[a-z]{1,5}")),
        (thinking, logprobs, extras) in (of(thinking()), of(of(0_u64..20).prop_map(|top| Logprobs { top })), extras()),
    ) -> Request {
        Request { spoken: HERE, model, turns, toolbox, output, mode, cap, temperature, top_p, top_k: None, frequency_penalty: None, presence_penalty: None, seed: None, stop: Vec::new(), candidates: None, thinking, logprobs, user, extras }
    }
}

prop_compose! {
    fn response()(
        (id, model, created, turn) in (of("resp_[a-z]{3}"), of("[a-z]{1,6}"), of(1_u64..9), answered()),
        (finish, counts, extras) in (0_usize..4, of((0_u64..9, 0_u64..9, 0_u64..9)), extras()),
    ) -> Response {
        let called = turn.parts.iter().any(|part| matches!(part, AssistantPart::ToolCall(_)));
        let done = if called { Finish::ToolCalls } else { Finish::Stop };
        let finish = [done.clone(), done, Finish::Length, Finish::ContentFilter].into_iter().nth(finish);
        let usage = counts.map(|(input, output, of_each)| Usage {
            input: Tokens(input + of_each),
            cached_input: Tokens(of_each),
            output: Tokens(output + of_each),
            reasoning: Tokens(of_each),
            ..Usage::default()
        });
        let candidates = vec![Candidate { turn, finish, extras: Extras::default() }];
        Response { spoken: HERE, id, model, created, candidates, usage, extras }
    }
}

/// Spells an answer as the events of a stream.
fn unfolded(response: &Response) -> Vec<Event> {
    let Response { id, model, created, .. } = response.clone();
    let mut events = vec![Event::Start { id, model, created }];
    let candidate = &response.candidates[0];
    let turn = &candidate.turn;
    for (at, part) in (0_u32..).zip(&turn.parts) {
        let key = format!("item_{at}");
        let shell = turn.extras.get(&key).cloned();
        events.extend(shell.map(|raw| Event::Note(Scope::Turn(0), key, raw)));
        let spot = Spot { candidate: 0, part: at };
        let (kind, text) = match part {
            AssistantPart::Text(said) => (PartKind::Text, said.text.as_str()),
            AssistantPart::Refusal(text) => (PartKind::Refusal, text.as_str()),
            AssistantPart::Reasoning(said) => (PartKind::Reasoning, said.text.as_str()),
            AssistantPart::ToolCall(call) => {
                let (id, name, kind) = (call.id.clone(), call.name.clone(), call.kind);
                (PartKind::ToolCall { id, name, kind }, call.arguments.0.as_str())
            }
            AssistantPart::Other(opaque) => (PartKind::Other(opaque.clone()), ""),
            AssistantPart::Image(_) => continue,
        };
        events.push(Event::Open(spot, kind));
        if let AssistantPart::Reasoning(Reasoning { carrier: Some(carrier), .. }) = part {
            events.push(Event::Carry(spot, carrier.clone()));
        }
        events.extend(text.chars().map(|letter| Event::Delta(spot, letter.to_string())));
        events.push(Event::Close(spot));
    }
    let noted = response.extras.iter();
    events
        .extend(noted.map(|(name, raw)| Event::Note(Scope::Answer, name.to_owned(), raw.clone())));
    events.extend(response.usage.clone().map(Event::Usage));
    events.push(Event::Stop { candidate: 0, finish: candidate.finish.clone() });
    events.push(Event::Finish);
    events
}

proptest! {
    #[test]
    fn law_2_a_conversation_survives_being_written(request in request()) {
        let written = wire::write_request(HERE, &request, Quirks::default());
        prop_assert_eq!(written.losses, []);
        let read = wire::read_request(RESPONSES, &written.bytes).unwrap();
        prop_assert_eq!(read, request);
    }

    #[test]
    fn law_2_an_answer_survives_being_written(response in response()) {
        let written = wire::write_response(RESPONSES, &response);
        let read = wire::read_response(&origin(HERE), &written).unwrap();
        prop_assert_eq!(read, response);
    }

    #[test]
    fn law_4_an_answer_survives_being_streamed(response in response()) {
        let mut response = response;
        let turn = &response.candidates[0].turn;
        prop_assume!(turn.parts.iter().enumerate().all(|(at, part)| shown(at, part, turn)));
        let own = |part: &AssistantPart| {
            matches!(part, AssistantPart::Reasoning(_) | AssistantPart::Other(_))
        };
        if turn.extras.is_empty() && !turn.parts.iter().any(own) {
            // Nothing shows that it is of this dialect, so what is noted of it is not written.
            response.extras = Extras::default();
        }
        let written = rewritten(RESPONSES, &unfolded(&response));
        let read = events(HERE, &[written]);
        let mut grammar = Grammar::default();
        read.iter().for_each(|event| grammar.step(event).unwrap());
        prop_assert_eq!(fold(HERE, &read).unwrap(), response);
    }

    #[test]
    fn law_6_no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..200), text in "[{}\\[\\]\",:a-z0-9 \\\\]{0,80}") {
        for body in [bytes.as_slice(), text.as_bytes()] {
            let _ = wire::read_request(RESPONSES, body);
            let _ = wire::read_response(&origin(HERE), body);
        }
    }
}
