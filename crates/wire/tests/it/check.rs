//! What is wrong with a request in every dialect.

use expect_test::{Expect, expect};
use ir::{
    AssistantPart, Dialect, Extras, File, Image, Request, Source, ToolResult, Turn, UserPart,
};

use crate::openai_chat::{assistant, call, extra, opaque, request, text, user};

const FROM: Dialect = Dialect::OpenaiResponses;

fn check(request: &Request, expected: &Expect) {
    let shown = wire::check(request).map_or_else(|error| error.to_string(), |()| "fine".to_owned());
    expected.assert_eq(&shown);
}

fn calls(id: &str) -> Turn {
    assistant(vec![AssistantPart::ToolCall(call(id, "look", "{}"))])
}

fn result(call: &str, part: UserPart) -> Turn {
    let (call, extras) = (call.to_owned(), Extras::default());
    Turn::Result(ToolResult {
        call,
        name: None,
        parts: vec![part],
        failed: None,
        cache: None,
        extras,
    })
}

fn image(base64: &str) -> UserPart {
    let source = Source::Inline { media_type: "image/png".into(), base64: base64.to_owned() };
    UserPart::Image(Image { source, detail: None, cache: None, extras: Extras::default() })
}

fn says(part: UserPart) -> Request {
    request(FROM, vec![Turn::User { parts: vec![text("?"), part], extras: Extras::default() }])
}

#[test]
fn a_result_needs_its_call() {
    let asked = |turns| request(FROM, turns);
    check(&asked(vec![calls("a"), result("a", text("x")), calls("b")]), &expect!["fine"]);
    check(
        &asked(vec![user("?"), result("a", text("x")), calls("a")]),
        &expect![[
            r#"turns[1]: answers the tool call "a", which no turn before it makes (byte 0)"#
        ]],
    );
    let hosted = assistant(vec![AssistantPart::Other(opaque(FROM, "{}"))]);
    check(&asked(vec![hosted, result("a", text("x"))]), &expect!["fine"]);
    check(&asked(vec![Turn::Other(opaque(FROM, "{}")), result("a", text("x"))]), &expect!["fine"]);
    let mut stored = asked(vec![result("a", text("x"))]);
    stored.extras = extra("previous_response_id", "\"resp_1\"");
    check(&stored, &expect!["fine"]);
}

#[test]
fn two_calls_have_two_ids() {
    check(
        &request(FROM, vec![calls("a"), calls("a")]),
        &expect![[r#"turns[1].parts[0]: has the id "a" of a tool call before it (byte 0)"#]],
    );
    check(&request(FROM, vec![calls(""), calls("")]), &expect!["fine"]);
}

#[test]
fn bytes_are_base64() {
    for fine in ["", "AAAA", "AA==", "AAA=", "AAA", "-_-_"] {
        wire::check(&says(image(fine))).unwrap();
    }
    for broken in ["A", "AA=", "A===", "AA A", "é", "data:image/png;base64,AAAA"] {
        let error = wire::check(&says(image(broken))).unwrap_err();
        assert_eq!(error.to_string(), "turns[0].parts[1]: expected base64 (byte 0)", "{broken}");
    }
    let source = Source::Inline { media_type: "application/pdf".into(), base64: "%PDF".into() };
    let file = File { source, name: None, cache: None, extras: Extras::default() };
    check(&says(UserPart::File(file)), &expect!["turns[0].parts[1]: expected base64 (byte 0)"]);
    check(
        &request(FROM, vec![calls("a"), result("a", image("%"))]),
        &expect!["turns[1].parts[0]: expected base64 (byte 0)"],
    );
}
