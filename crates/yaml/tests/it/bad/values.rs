//! Values of the wrong type, out of bounds, or refused by the type itself.

use expect_test::expect;

use super::check;

#[test]
fn every_problem_is_told_at_once_and_in_order() {
    check(
        "server:\n  port: many\n  metrics: yes\ntasks:\n  t:\n    prefer: fsat\nproviders: []\n",
        expect![[r#"
            c.yaml:2:9: server.port: expected a whole number, found the text `many`
            c.yaml:3:12: server.metrics: expected true or false, found the text `yes`
              help: write true
            c.yaml:5:3: tasks.t.models: missing key
            c.yaml:6:13: tasks.t.prefer: unknown value `fsat`
              help: did you mean `fast`?
            c.yaml:7:12: providers: expected a map, found a list"#]],
    );
}

#[test]
fn a_version_must_be_quoted() {
    check(
        "version: 1.10\n",
        expect![[r#"
        c.yaml:1:10: version: expected text, found the number `1.10`
          help: quote it: "1.10""#]],
    );
}

#[test]
fn a_whole_number_is_no_text() {
    check(
        "tasks: {t: {models: [7]}}\n",
        expect![[r#"
        c.yaml:1:22: tasks.t.models[0]: expected text, found the number `7`
          help: quote it: "7""#]],
    );
}

#[test]
fn true_is_no_text() {
    check(
        "version: true\n",
        expect![[r#"
        c.yaml:1:10: version: expected text, found `true`
          help: quote it: "true""#]],
    );
}

#[test]
fn an_old_boolean_is_text() {
    check(
        "server: {metrics: on}\n",
        expect![[r#"
            c.yaml:1:19: server.metrics: expected true or false, found the text `on`
              help: write true"#]],
    );
}

#[test]
fn a_capital_boolean_is_text() {
    check(
        "server: {metrics: True}\n",
        expect![[r#"
            c.yaml:1:19: server.metrics: expected true or false, found the text `True`
              help: write true"#]],
    );
}

#[test]
fn a_quoted_number_is_no_number() {
    check(
        "server: {port: \"80\"}\n",
        expect![[r#"
        c.yaml:1:16: server.port: expected a whole number, found the text `80`
          help: remove the quotes"#]],
    );
}

#[test]
fn a_fraction_is_no_whole_number() {
    check(
        "server: {port: 80.5}\n",
        expect![[r#"c.yaml:1:16: server.port: expected a whole number, found the number `80.5`"#]],
    );
}

#[test]
fn digits_are_not_grouped() {
    check(
        "server: {workers: 1_000}\n",
        expect![[r#"
        c.yaml:1:19: server.workers: expected a whole number, found the text `1_000`
          help: write only digits: 1000"#]],
    );
}

#[test]
fn a_number_out_of_bounds_is_refused() {
    check(
        "server: {port: 70000, workers: 5000000000}\n",
        expect![[r#"
        c.yaml:1:16: server.port: must be at most 65535, found `70000`
        c.yaml:1:32: server.workers: must be at most 4294967295, found `5000000000`"#]],
    );
}

#[test]
fn a_negative_number_is_refused_where_none_can_be() {
    check(
        "server: {port: -1}\n",
        expect![[r#"c.yaml:1:16: server.port: must be at least 0, found `-1`"#]],
    );
}

#[test]
fn a_number_out_of_all_bounds_is_refused() {
    check(
        "server: {ratio: .inf}\nextra: 99999999999999999999\n",
        expect![[r#"
        c.yaml:1:17: server.ratio: the number `.inf` is out of range
        c.yaml:2:8: extra: the number `99999999999999999999` is out of range"#]],
    );
}

#[test]
fn nothing_is_no_map() {
    check(
        "tasks:\nserver:\n",
        expect![[r#"
        c.yaml:1:1: tasks: expected a map, found nothing
          help: remove the key, or write `{}` for an empty map
        c.yaml:2:1: server: expected a map, found nothing
          help: remove the key, or write `{}` for an empty map"#]],
    );
}

#[test]
fn nothing_is_no_text_and_no_list() {
    check(
        "tasks:\n  t:\n    models:\n",
        expect![[r#"
        c.yaml:3:5: tasks.t.models: expected a list, found nothing
          help: remove the key, or write `[]` for an empty list"#]],
    );
}

#[test]
fn a_map_is_no_text() {
    check("version: {a: 1}\n", expect![[r#"c.yaml:1:10: version: expected text, found a map"#]]);
}

#[test]
fn a_text_is_no_list() {
    check(
        "tasks: {t: {models: gpt-4o}}\n",
        expect![[r#"
        c.yaml:1:21: tasks.t.models: expected a list, found the text `gpt-4o`
          help: write each element of a list as `- …`"#]],
    );
}

#[test]
fn a_colon_without_a_space_makes_text() {
    check(
        "server:\n  port:80\n",
        expect![[r#"
        c.yaml:2:3: server: expected a map, found the text `port:80`
          help: put a space after the `:`"#]],
    );
}

#[test]
fn a_document_that_is_no_map_is_refused() {
    check("- a\n- b\n", expect![[r#"c.yaml:1:1: expected a map, found a list"#]]);
}

#[test]
fn a_list_can_be_too_short() {
    check(
        "tasks: {t: {models: []}}\n",
        expect![[r#"c.yaml:1:21: tasks.t.models: needs at least 1 element, found 0"#]],
    );
}

#[test]
fn a_text_can_be_too_short() {
    check(
        "providers: {p: {base_url: u, auth: none, models: [{name: '', window: 0}]}}\n",
        expect![[r#"
            c.yaml:1:58: providers.p.models[0].name: must not be empty
            c.yaml:1:70: providers.p.models[0].window: must be at least 1, found `0`"#]],
    );
}

#[test]
fn a_decimal_is_plain() {
    check(
        "providers: {p: {base_url: u, auth: none, models: [{name: a, price: 1e-3}, \
         {name: b, price: '0,59'}, {name: c, price: [1]}, {name: d, price: true}]}}\n",
        expect![[r#"
            c.yaml:1:68: providers.p.models[0].price: expected a decimal number, found `1e-3`
              help: write digits with a point, such as 0.59
            c.yaml:1:92: providers.p.models[1].price: expected a decimal number, found `0,59`
              help: write digits with a point, such as 0.59
            c.yaml:1:118: providers.p.models[2].price: expected a decimal number, found a list
            c.yaml:1:141: providers.p.models[3].price: expected a decimal number, found `true`"#]],
    );
}

#[test]
fn a_types_own_refusal_stands_at_its_value() {
    check(
        "server:\n  port: 1\n  timeout: 5 parsecs\n",
        expect![[r#"c.yaml:3:12: server.timeout: `5 parsecs` is no duration such as 30s"#]],
    );
    check(
        "server:\n  limits:\n    least: 3\n    most: 2\n",
        expect![[r#"c.yaml:2:3: server.limits: least is more than most"#]],
    );
}

#[test]
fn a_types_own_refusal_is_not_told_when_it_may_quote_a_variable() {
    check(
        "server:\n  timeout: ${SECRET}\n",
        expect![[
            r#"c.yaml:2:12: server.timeout: is not accepted; why is not shown, as it may quote the value of a variable"#
        ]],
    );
}

#[test]
fn a_types_own_refusal_is_told_when_no_variable_is_in_it() {
    check(
        "server:\n  limits: {least: 3, most: 2, note: \"${SECRET}\"}\n",
        expect![[r#"c.yaml:2:11: server.limits: least is more than most"#]],
    );
}
