//! Keys that are unknown, missing, doubled or none.

use expect_test::expect;

use super::check;

#[test]
fn an_unknown_key_is_told_with_the_one_that_was_meant() {
    check(
        "tsaks: {}\n",
        expect![[r#"
        c.yaml:1:1: tsaks: unknown key
          help: did you mean `tasks`?"#]],
    );
}

#[test]
fn an_unknown_key_like_no_other_lists_the_known() {
    check(
        "server: {colour: red}\n",
        expect![[r#"
        c.yaml:1:10: server.colour: unknown key
          help: one of `port`, `workers`, `metrics`, `timeout`, `ratio`, `limits`"#]],
    );
}

#[test]
fn a_missing_key_is_told_with_what_it_is_for() {
    check(
        "providers:\n  p:\n    auth: none\n",
        expect![[r#"
        c.yaml:2:3: providers.p.base_url: missing key
          help: Where the provider answers"#]],
    );
}

#[test]
fn a_misspelled_required_key_is_told_once() {
    check(
        "tasks:\n  t:\n    model: [m]\n",
        expect![[r#"
        c.yaml:3:5: tasks.t.model: unknown key
          help: did you mean `models`?"#]],
    );
}

#[test]
fn a_duplicate_key_names_the_first() {
    check(
        "server:\n  port: 1\n  metrics: true\n  port: 2\n",
        expect![[r#"c.yaml:4:3: server.port: duplicate key, first written in line 2"#]],
    );
}

#[test]
fn a_merge_key_is_refused() {
    check(
        "tasks:\n  a: &a {models: [m]}\n  b:\n    <<: *a\n    prefer: fast\n",
        expect![[r#"
        c.yaml:4:5: tasks.b["<<"]: merge keys (`<<`) are not supported
          help: write the keys out where they are needed; a whole value can be an alias"#]],
    );
}

#[test]
fn a_key_that_is_a_list_is_refused() {
    check(
        "server:\n  ? [a, b]\n  : 1\n",
        expect![[r#"c.yaml:2:5: server: a map or a list cannot be a key"#]],
    );
}

#[test]
fn a_key_that_is_missing_is_refused() {
    check(
        "server:\n  : 1\n",
        expect![[r#"c.yaml:2:3: server: a key is missing in front of the `:`"#]],
    );
}

#[test]
fn a_key_of_a_map_by_number_must_be_one() {
    check(
        "on_status: {x: retry}\n",
        expect![[r#"
        c.yaml:1:13: on_status.x: unknown key
          help: keys are whole numbers here"#]],
    );
}

#[test]
fn a_number_too_big_for_a_key_is_told_at_it() {
    check(
        "on_status:\n  200: retry\n  70000: retry\n",
        expect![[r#"c.yaml:3:10: on_status.70000: invalid value: integer `70000`, expected u16"#]],
    );
}

#[test]
fn a_key_with_a_dot_is_quoted_in_the_path() {
    check(
        "tasks: {gpt-4.1: {models: 1}}\n",
        expect![[r#"
        c.yaml:1:27: tasks["gpt-4.1"].models: expected a list, found the number `1`
          help: write each element of a list as `- …`"#]],
    );
}
