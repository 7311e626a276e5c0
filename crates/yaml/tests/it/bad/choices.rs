//! Enums: which branch was meant, and what is wrong with it.

use expect_test::expect;

use super::{check, check_auth, check_task};

#[test]
fn a_value_of_an_enum_is_suggested() {
    check_task(
        "prefer: qualty",
        expect![[r#"
        c.yaml:4:13: tasks.t.prefer: unknown value `qualty`
          help: did you mean `quality`?"#]],
    );
}

#[test]
fn values_of_an_enum_are_listed() {
    check_task(
        "prefer: 7",
        expect![[r#"
            c.yaml:4:13: tasks.t.prefer: expected text, found the number `7`
              help: one of `cheap`, `fast`, `quality`"#]],
    );
    check_task(
        "prefer: best",
        expect![[r#"
        c.yaml:4:13: tasks.t.prefer: unknown value `best`
          help: one of `cheap`, `fast`, `quality`"#]],
    );
}

#[test]
fn a_documented_value_of_an_enum_is_suggested() {
    check(
        "providers: {p: {base_url: u, auth: none, dialect: openai}}\n",
        expect![[r#"
        c.yaml:1:51: providers.p.dialect: unknown value `openai`
          help: did you mean `openai_chat`?"#]],
    );
}

#[test]
fn a_branch_is_chosen_by_its_key() {
    check_auth(
        "{header: {name: x, valeu: y}}",
        expect![[r#"
        c.yaml:4:30: providers.p.auth.header.valeu: unknown key
          help: did you mean `value`?"#]],
    );
}

#[test]
fn a_branch_that_holds_text_is_checked() {
    check_auth(
        "{bearer: [a]}",
        expect![[r#"c.yaml:4:20: providers.p.auth.bearer: expected text, found a list"#]],
    );
}

#[test]
fn a_misspelled_branch_is_suggested() {
    check_auth(
        "{baerer: x}",
        expect![[r#"
        c.yaml:4:12: providers.p.auth.baerer: unknown key
          help: did you mean `bearer`?"#]],
    );
}

#[test]
fn a_branch_that_needs_a_value_is_told_so() {
    check_auth(
        "bearer",
        expect![[r#"
        c.yaml:4:11: providers.p.auth: `bearer` needs a value
          help: write it as a key: `bearer: …`"#]],
    );
}

#[test]
fn a_branch_without_a_value_is_told_so() {
    check_auth(
        "{none: {}}",
        expect![[r#"
        c.yaml:4:12: providers.p.auth.none: takes no value
          help: write `none` as text"#]],
    );
}

#[test]
fn two_branches_are_one_too_many() {
    check_auth(
        "{header: {name: a, value: b}, bearer: x}",
        expect![[r#"
        c.yaml:4:41: providers.p.auth.bearer: cannot stand beside `header`
          help: one of `bearer`, `header`"#]],
    );
}

#[test]
fn no_branch_is_too_few() {
    check_auth(
        "{}",
        expect![[r#"
        c.yaml:4:11: providers.p.auth: a key is missing that says which kind it is
          help: one of `bearer`, `header`"#]],
    );
}

#[test]
fn a_misspelled_name_without_a_value_is_suggested() {
    check_auth(
        "ambeint",
        expect![[r#"
        c.yaml:4:11: providers.p.auth: unknown value `ambeint`
          help: did you mean `ambient`?"#]],
    );
    check_auth(
        "baerer",
        expect![[r#"
        c.yaml:4:11: providers.p.auth: unknown value `baerer`
          help: did you mean `bearer`?"#]],
    );
}

#[test]
fn a_choice_of_the_wrong_type_tells_all_right_ones() {
    check_auth(
        "[none]",
        expect![[r#"
            c.yaml:4:11: providers.p.auth: expected text or a map, found a list
              help: one of `none`, `ambient`, `bearer`, `header`"#]],
    );
    check_auth(
        "",
        expect![[r#"
            c.yaml:4:5: providers.p.auth: expected text or a map, found nothing
              help: one of `none`, `ambient`, `bearer`, `header`"#]],
    );
}

#[test]
fn a_tagged_branch_is_chosen_by_its_tag() {
    let provider =
        |limit| format!("providers: {{p: {{base_url: u, auth: none, limit: {limit}}}}}\n");
    check(
        &provider("{kind: requests, per_day: 5}"),
        expect![[r#"
        c.yaml:1:49: providers.p.limit.per_minute: missing key
        c.yaml:1:66: providers.p.limit.per_day: unknown key
          help: one of `kind`, `per_minute`"#]],
    );
    check(
        &provider("{kind: request, per_day: 5}"),
        expect![[r#"
        c.yaml:1:56: providers.p.limit.kind: unknown value `request`
          help: did you mean `requests`?"#]],
    );
    check(
        &provider("{per_day: 5}"),
        expect![[r#"
        c.yaml:1:49: providers.p.limit.kind: missing key
          help: one of `requests`, `tokens`"#]],
    );
}

#[test]
fn a_choice_inside_of_itself_is_followed() {
    check_task(
        "when: {all: [{input_over: 1}, {not: {all: [{input_ovr: 2}]}}]}",
        expect![[r#"
        c.yaml:4:49: tasks.t.when.all[1].not.all[0].input_ovr: unknown key
          help: did you mean `input_over`?"#]],
    );
}

#[test]
fn an_untagged_choice_is_told_by_type() {
    check_task(
        "labels: [a, 1]",
        expect![[r#"
        c.yaml:4:17: tasks.t.labels[1]: expected text, found the number `1`
          help: quote it: "1""#]],
    );
    check_task(
        "labels: {a: b}",
        expect![[r#"c.yaml:4:13: tasks.t.labels: expected text or a list, found a map"#]],
    );
}
