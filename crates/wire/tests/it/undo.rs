//! Taking back in an answer what the client did not ask for: whole, streamed, and alike.

use expect_test::{Expect, expect};
use ir::{
    AssistantPart, AssistantTurn, CallKind, Candidate, Dialect, Event, Extras, Finish, Fold,
    Grammar, PartKind, RawJson, Reasoning, Response, Said, Scope, Spot,
};
use wire::{Undo, Undoing};

use crate::openai_chat::call;

fn undo() -> Undo {
    Undo { answer: true, customs: vec!["sum".to_owned()] }
}

/// Tells calls as a stream does, their arguments in pieces, all open to the end.
fn told(parts: &[AssistantPart]) -> Vec<Event> {
    let mut out = vec![Event::Start { id: None, model: None, created: None }];
    let spot = |part| Spot { candidate: 0, part };
    for (part, said) in (0..).zip(parts) {
        let (kind, text) = match said {
            AssistantPart::Text(said) => (PartKind::Text, said.text.clone()),
            AssistantPart::Reasoning(said) => (PartKind::Reasoning, said.text.clone()),
            AssistantPart::ToolCall(call) => {
                let (id, name, kind) = (call.id.clone(), call.name.clone(), call.kind);
                (PartKind::ToolCall { id, name, kind }, call.arguments.0.clone())
            }
            other => panic!("{other:?}"),
        };
        out.push(Event::Open(spot(part), kind));
        for letter in text.chars() {
            out.push(Event::Delta(spot(part), letter.to_string()));
        }
    }
    out.extend((0..).zip(parts).map(|(part, _)| Event::Close(spot(part))));
    let word = RawJson::string("stop");
    out.push(Event::Note(Scope::Candidate(0), "finish_reason".to_owned(), word));
    out.push(Event::Stop { candidate: 0, finish: Some(Finish::ToolCalls) });
    out.push(Event::Finish);
    out
}

/// Takes back in the whole answer and in the stream, and shows what both say.
fn check(parts: Vec<AssistantPart>, expected: &Expect) {
    let (mut undoing, mut grammar) = (Undoing::new(undo()), Grammar::default());
    let (mut fold, mut out) = (Fold::new(Dialect::OpenaiChat), Vec::new());
    told(&parts).into_iter().for_each(|event| undoing.event(event, &mut out));
    for event in out {
        grammar.step(&event).unwrap();
        fold.push(event);
    }
    let streamed = fold.finish().unwrap();
    let candidate = Candidate {
        turn: AssistantTurn { parts, extras: Extras::default() },
        finish: Some(Finish::ToolCalls),
        extras: Extras(vec![("finish_reason".to_owned(), RawJson::string("stop"))]),
    };
    let mut whole = Response {
        spoken: Dialect::OpenaiChat,
        id: None,
        model: None,
        created: None,
        candidates: vec![candidate],
        usage: None,
        extras: Extras::default(),
    };
    undo().response(&mut whole);
    assert_eq!(streamed, whole);
    let candidate = &whole.candidates[0];
    let mut shown: String = candidate.turn.parts.iter().map(shown).collect();
    shown += &format!("{:?} {:?}\n", candidate.finish, candidate.extras.get("finish_reason"));
    expected.assert_eq(&shown);
}

fn shown(part: &AssistantPart) -> String {
    match part {
        AssistantPart::Text(said) => format!("text {:?}\n", said.text),
        AssistantPart::Reasoning(said) => format!("thoughts {:?}\n", said.text),
        AssistantPart::ToolCall(call) => {
            format!("{:?} {} {:?}\n", call.kind, call.name, call.arguments.0)
        }
        other => panic!("{other:?}"),
    }
}

fn tool(name: &str, arguments: &str) -> AssistantPart {
    AssistantPart::ToolCall(call(name, name, arguments))
}

#[test]
fn the_answer_is_a_text() {
    check(
        vec![tool("give_answer", "{\"color\":\"blue\"}")],
        &expect![[r#"
            text "{\"color\":\"blue\"}"
            Some(Stop) None
        "#]],
    );
}

#[test]
fn beside_other_calls_the_end_stays() {
    let text = AssistantPart::Text(Said { text: "So:".to_owned(), ..Said::default() });
    check(
        vec![text, tool("give_answer", "{}"), tool("look", "{}")],
        &expect![[r#"
            thoughts "So:"
            text "{}"
            Function look "{}"
            Some(ToolCalls) Some("stop")
        "#]],
    );
}

fn text(text: &str) -> AssistantPart {
    AssistantPart::Text(Said { text: text.to_owned(), ..Said::default() })
}

#[test]
fn texts_around_the_answer_are_thoughts() {
    let thoughts = AssistantPart::Reasoning(Reasoning { text: "hm".to_owned(), carrier: None });
    check(
        vec![
            text("<thinking>blue</thinking>"),
            thoughts,
            tool("give_answer", "{\"color\":\"blue\"}"),
            text("There."),
        ],
        &expect![[r#"
            thoughts "<thinking>blue</thinking>"
            thoughts "hm"
            text "{\"color\":\"blue\"}"
            thoughts "There."
            Some(Stop) None
        "#]],
    );
}

#[test]
fn texts_without_an_answer_are_texts() {
    check(
        vec![text("I must look."), tool("look", "{}"), text("Wait.")],
        &expect![[r#"
        text "I must look."
        Function look "{}"
        text "Wait."
        Some(ToolCalls) Some("stop")
    "#]],
    );
}

#[test]
fn a_text_waits_until_it_is_known_what_it_is() {
    let (mut undoing, mut out) = (Undoing::new(undo()), Vec::new());
    let told = told(&[text("So"), tool("give_answer", "{}")]);
    let answers = told.iter().position(
        |event| matches!(event, Event::Open(_, PartKind::ToolCall { name, .. }) if name == "give_answer"),
    );
    for (at, event) in told.into_iter().enumerate() {
        undoing.event(event, &mut out);
        assert_eq!(out.len() == 1, Some(at) < answers);
    }
    let (mut undoing, mut out) = (Undoing::new(Undo { answer: false, ..undo() }), Vec::new());
    undoing.event(Event::Open(Spot { candidate: 0, part: 0 }, PartKind::Text), &mut out);
    assert_eq!(out.len(), 1);
}

#[test]
fn free_text_is_free_again() {
    check(
        vec![tool("sum", "{\"input\":\"4 + \\\"4\\\"\"}"), tool("sum", "4 + 4"), tool("sum", "")],
        &expect![[r#"
            Custom sum "4 + \"4\""
            Custom sum "4 + 4"
            Custom sum ""
            Some(ToolCalls) Some("stop")
        "#]],
    );
}

#[test]
fn a_tool_of_free_text_of_the_same_name_is_left_alone() {
    let AssistantPart::ToolCall(mut called) = tool("sum", "4 + 4") else { unreachable!() };
    called.kind = CallKind::Custom;
    check(
        vec![AssistantPart::ToolCall(called)],
        &expect![[r#"
            Custom sum "4 + 4"
            Some(ToolCalls) Some("stop")
        "#]],
    );
}

#[test]
fn a_stream_that_breaks_off_within_a_call_fails_as_it_did() {
    let mut undoing = Undoing::new(undo());
    let (mut grammar, mut out) = (Grammar::default(), Vec::new());
    let failure = ir::Failure::new(ir::Kind::StreamCut, "cut");
    let told = told(&[tool("sum", "{\"input\":\"4\"}")]);
    for event in told.into_iter().take(6).chain([Event::Fail(failure)]) {
        undoing.event(event, &mut out);
    }
    out.iter().for_each(|event| grammar.step(event).unwrap());
    assert!(grammar.ended());
    assert!(!out.iter().any(|event| matches!(event, Event::Delta(..))));
}
