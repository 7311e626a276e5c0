//! What is no YAML, what configurations do not need of it, and how much is too much.

use expect_test::expect;

use super::{check, read};

#[test]
fn two_documents_are_one_too_many() {
    check(
        "server: {}\n---\nserver: {}\n",
        expect![[r#"
        c.yaml:2:1: a second document starts here
          help: keep one document in a file"#]],
    );
}

#[test]
fn a_tag_is_refused() {
    check(
        "version: !!str 1.10\nextra: !secret x\n",
        expect![[r#"
        c.yaml:1:16: version: tags such as `!!str` are not supported
          help: quote the value to make it text
        c.yaml:2:16: extra: tags such as `!secret` are not supported
          help: remove it; the value of a variable is written `${NAME}`"#]],
    );
}

#[test]
fn an_unknown_alias_is_refused() {
    check(
        "version: *v\n",
        expect![[r#"
        c.yaml:1:10: version: unknown alias `*v`
          help: put `&v` in front of what it stands for, or quote it"#]],
    );
}

#[test]
fn an_alias_inside_of_itself_is_refused() {
    check(
        "extra: &a [*a]\n",
        expect![[r#"c.yaml:1:12: extra[0]: an alias inside of what it stands for"#]],
    );
}

#[test]
fn a_syntax_error_is_told_with_what_came_before_it() {
    check(
        "version: a\nversion: b\nextra: a: b\n",
        expect![[r#"
        c.yaml:2:1: version: duplicate key, first written in line 1
        c.yaml:3:9: mapping values are not allowed in this context
          help: quote a text that holds `: `"#]],
    );
    check("extra: [1, 2\n", expect![[r#"c.yaml:1:8: extra[1]: unclosed bracket '['"#]]);
    check(
        "server:\n\tport: 1\n",
        expect![[r#"
        c.yaml:2:2: server: tabs disallowed within this context (block indentation)
          help: indent with spaces"#]],
    );
    check(
        "extra: {key: ${NAME}}\n",
        expect![[r#"
        c.yaml:1:15: extra: while parsing a flow mapping, did not find expected ',' or '}'
          help: between brackets quote a text that holds one, such as "${NAME}""#]],
    );
    check(
        "extra: @x\n",
        expect![[r#"
        c.yaml:1:8: extra: unexpected character: `@'
          help: quote a text that starts so"#]],
    );
}

#[test]
fn a_quotation_is_short_and_shows_no_escapes() {
    let long = "x".repeat(100);
    check(
        &format!("server: {{metrics: {long}}}\n"),
        expect![[
            r#"c.yaml:1:19: server.metrics: expected true or false, found the text `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…`"#
        ]],
    );
    check(
        "server: {metrics: \"a\\e[31m\\nb\"}\n",
        expect![[
            r#"c.yaml:1:19: server.metrics: expected true or false, found the text `a\u{1b}[31m…`"#
        ]],
    );
}

#[test]
fn a_billion_laughs_are_not_laughed() {
    let mut text = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let below = format!("*l{}, ", level - 1).repeat(10);
        text.push_str(&format!("l{level}: &l{level} [{below}]\n"));
    }
    check(
        &text,
        expect![[r#"
            c.yaml:5:45: l4[7]: the document holds more than 100000 values
              help: aliases count as often as they are used"#]],
    );
}

#[test]
fn a_long_text_many_times_over_is_too_much() {
    let text = format!("extra:\n- &a {}\n{}", "x".repeat(1 << 20), "- *a\n".repeat(1000));
    check(
        &text,
        expect![[r#"
            c.yaml:17:3: extra[15]: the document holds more than 16 MiB of text
              help: aliases count as often as they are used"#]],
    );
}

#[test]
fn what_lies_too_deep_is_refused() {
    check(
        &format!("extra: {}{}", "[".repeat(64), "]".repeat(64)),
        expect![[
            r#"c.yaml:1:71: extra[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: maps and lists lie more than 64 deep in each other"#
        ]],
    );
    let text = "a: &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n\
                b: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n";
    check(
        text,
        expect![[
            r#"c.yaml:2:36: b[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: maps and lists lie more than 64 deep in each other"#
        ]],
    );
}

#[test]
fn problems_are_json_too() {
    let problems = read("tsaks: {}\n").unwrap_err();
    expect![[r#"[{"file":"c.yaml","at":{"line":1,"column":1},"path":"tsaks","message":"unknown key","help":"did you mean `tasks`?"}]"#]].assert_eq(&serde_json::to_string(&problems).unwrap());
}
