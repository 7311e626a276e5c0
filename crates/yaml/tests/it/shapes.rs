//! Types that serde and schemars treat in their own ways, each small enough to see.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use yaml::{Document, Vars};

/// Reads a text as `T` and shows it as JSON, or its problems.
#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check<T: DeserializeOwned + JsonSchema + Serialize>(text: &str, expected: Expect) {
    let lookup = |name: &str| (name == "TEN").then(|| "10".to_owned());
    let document =
        Document::parse("s.yaml", text, Vars::Lookup(&lookup)).expect("the YAML is right");
    let told = match document.read::<T>() {
        Ok(value) => serde_json::to_string(&value).expect("is JSON"),
        Err(problems) => problems.to_string(),
    };
    expected.assert_eq(&told);
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Flattened {
    name: String,
    #[serde(flatten)]
    way: Way,
    #[serde(flatten)]
    size: Size,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Way {
    Url(String),
    Path(String),
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Size {
    width: u8,
}

#[test]
fn a_flattened_struct_and_choice_belong_to_their_owner() {
    check::<Flattened>(
        "{name: a, url: b, width: 3}",
        expect![[r#"{"name":"a","url":"b","width":3}"#]],
    );
    check::<Flattened>(
        "{name: a, path: 1, width: 300, hight: 4}",
        expect![[r#"
        s.yaml:1:17: path: expected text, found the number `1`
          help: quote it: "1"
        s.yaml:1:27: width: must be at most 255, found `300`
        s.yaml:1:32: hight: unknown key
          help: one of `name`, `width`, `path`"#]],
    );
    check::<Flattened>(
        "{nam: a}",
        expect![[r#"
        s.yaml:1:1: a key is missing that says which kind it is
          help: one of `url`, `path`"#]],
    );
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Rest {
    name: String,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

#[test]
fn a_flattened_map_takes_the_other_keys() {
    check::<Rest>("{name: a, b: 1}", expect![[r#"{"name":"a","b":1}"#]]);
    check::<Rest>(
        "{name: a, b: x}",
        expect![[r#"s.yaml:1:14: b: expected a whole number, found the text `x`"#]],
    );
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(tag = "kind", content = "with", rename_all = "snake_case")]
enum Adjacent {
    Quiet,
    Loud { volume: u8 },
}

#[test]
fn an_adjacent_tag_chooses() {
    check::<Vec<Adjacent>>(
        "[{kind: quiet}, {kind: loud, with: {volume: 3}}]",
        expect![[r#"[{"kind":"quiet"},{"kind":"loud","with":{"volume":3}}]"#]],
    );
    check::<Vec<Adjacent>>(
        "[{kind: laud}, {kind: loud, with: {volume: x}}, {kind: loud}]",
        expect![[r#"
            s.yaml:1:9: [0].kind: unknown value `laud`
              help: did you mean `loud`?
            s.yaml:1:44: [1].with.volume: expected a whole number, found the text `x`
            s.yaml:1:49: [2].with: missing key"#]],
    );
    check::<Adjacent>(
        "{kind: [x]}",
        expect![[r#"
        s.yaml:1:8: kind: expected text, found a list
          help: one of `quiet`, `loud`"#]],
    );
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Short(Short),
    Long(Long),
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Short {
    url: String,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Long {
    url: String,
    token: String,
}

#[test]
fn an_untagged_choice_takes_the_best_fit() {
    check::<Vec<Untagged>>(
        "[1, \"${TEN}\", {url: a}, {url: a, token: b}]",
        expect![[r#"[1,10,{"url":"a"},{"url":"a","token":"b"}]"#]],
    );
    check::<Vec<Untagged>>(
        "[x, 256, {url: a, tokn: b}]",
        expect![[r#"
            s.yaml:1:2: [0]: expected a whole number or a map, found the text `x`
            s.yaml:1:5: [1]: must be at most 255, found `256`
            s.yaml:1:19: [2].tokn: unknown key
              help: only `url` is known here"#]],
    );
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Odd<T> {
    pair: (String, u8),
    inner: Option<Option<Way>>,
    held: T,
    of: BTreeMap<Side, i16>,
    #[schemars(with = "serde_json::Value")]
    raw: Option<Box<serde_json::value::RawValue>>,
    letter: char,
    unit: (),
}

#[derive(Deserialize, Serialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
enum Side {
    Left,
    Right,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "50% of / ~")]
struct Named {
    deep: u8,
}

#[test]
fn odd_types_are_read() {
    check::<Odd<Named>>(
        "{pair: [a, 1], inner: {url: x}, held: {deep: 1}, of: {left: 1}, raw: {b: 1, a: [2]}, letter: c, unit: ~}",
        expect![[
            r#"{"pair":["a",1],"inner":{"url":"x"},"held":{"deep":1},"of":{"left":1},"raw":{"b":1,"a":[2]},"letter":"c","unit":null}"#
        ]],
    );
}

#[test]
fn odd_types_are_checked() {
    check::<Odd<Named>>(
        "{pair: [a, b, c], inner: {ulr: x}, held: {deep: x}, of: {up: 1, right: 70000}, letter: cc, unit: 1}",
        expect![[r#"
            s.yaml:1:1: raw: missing key
            s.yaml:1:8: pair: takes at most 2 elements, found 3
            s.yaml:1:12: pair[1]: expected a whole number, found the text `b`
            s.yaml:1:27: inner.ulr: unknown key
              help: one of `url`, `path`
            s.yaml:1:49: held.deep: expected a whole number, found the text `x`
            s.yaml:1:58: of.up: unknown key
              help: one of `left`, `right`
            s.yaml:1:72: of.right: must be at most 32767, found `70000`
            s.yaml:1:88: letter: takes at most 1 character, found 2
            s.yaml:1:98: unit: expected nothing, found the number `1`"#]],
    );
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
enum Twice {
    List(Vec<Twice>),
    Again(Vec<Twice>),
}

#[test]
fn trying_alternatives_inside_of_alternatives_ends() {
    let deep = format!("{}x{}", "[".repeat(40), "]".repeat(40));
    check::<Twice>(
        &deep,
        expect![[r#"
        s.yaml:1:41: [0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: expected a list, found the text `x`
          help: write each element of a list as `- …`"#]],
    );
}

#[test]
fn a_key_that_is_an_alias_of_a_variable_stays_as_written() {
    check::<BTreeMap<String, String>>(
        "a: &v ${TEN}\n*v : 1\n",
        expect![[r#"
        s.yaml:2:6: ["${TEN}"]: expected text, found the number `1`
          help: quote it: "1""#]],
    );
}
