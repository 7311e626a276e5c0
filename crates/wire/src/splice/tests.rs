use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Edit, Members};

fn edited(body: &str, edits: &[Edit<'_>]) -> String {
    String::from_utf8(Members::read(body.as_bytes()).unwrap().edit(edits)).unwrap()
}

#[test]
fn only_the_named_value_changes() {
    let body = "{ \"a\": 1.0 ,\n\"model\" : \"x\\u0041\", \"z\":[1, 2] }";
    let set = Edit::Set("model", "\"gpt\"".into());
    assert_eq!(edited(body, &[set]), "{ \"a\": 1.0 ,\n\"model\" : \"gpt\", \"z\":[1, 2] }");
}

#[test]
fn a_new_member_goes_in_front_and_a_removed_one_takes_one_comma_along() {
    assert_eq!(edited("{\"a\":1}", &[Edit::Set("b", "2".into())]), "{\"b\":2,\"a\":1}");
    assert_eq!(edited("{}", &[Edit::Set("b", "2".into())]), "{\"b\":2}");
    assert_eq!(edited("{\"a\":1}", &[Edit::Remove("a"), Edit::Set("b", "2".into())]), "{\"b\":2}");
    assert_eq!(edited("{\"a\":1, \"b\":2}", &[Edit::Remove("a")]), "{ \"b\":2}");
    assert_eq!(edited("{\"a\":1, \"b\":2}", &[Edit::Remove("b")]), "{\"a\":1}");
    assert_eq!(edited("{ \"a\":1 }", &[Edit::Remove("a")]), "{ }");
}

#[test]
fn an_escaped_key_is_found() {
    let set = Edit::Set("model", "1".into());
    assert_eq!(edited("{\"mod\\u0065l\":\"x\"}", &[set]), "{\"mod\\u0065l\":1}");
}

#[test]
fn a_member_that_stands_twice_is_refused() {
    let error = Members::read(b"{\"model\":\"a\",\"model\":\"b\"}").unwrap_err();
    assert_eq!(error.to_string(), "model: there twice (byte 21)");
    assert!(Members::read(b"[1]").is_err());
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!({"n": [1, {"model": ","}]})),
    ]
}

proptest! {
    /// Editing the text and editing the parsed value come to the same.
    #[test]
    fn editing_is_parse_set_print(
        members in proptest::collection::vec(("[a-d,:\"\\\\]{1,2}", scalar()), 0..6),
        sets in proptest::collection::vec(("[a-f]{1,2}", scalar()), 0..3),
        removes in proptest::collection::vec("[a-f]{1,2}", 0..3),
        pretty in any::<bool>(),
    ) {
        let object: Map<String, Value> = members.into_iter().collect();
        let value = Value::Object(object);
        let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        let sets: Map<String, Value> = sets.into_iter().collect();
        let removes: std::collections::BTreeSet<String> =
            removes.into_iter().filter(|key| !sets.contains_key(key)).collect();
        let edits: Vec<Edit<'_>> = sets
            .iter()
            .map(|(key, value)| Edit::Set(key, value.to_string().into()))
            .chain(removes.iter().map(|key| Edit::Remove(key)))
            .collect();
        let mut expected = value.as_object().unwrap().clone();
        for (key, value) in &sets { expected.insert(key.clone(), value.clone()); }
        for key in &removes { expected.remove(key); }
        let edited: Value = serde_json::from_str(&edited(&text, &edits)).unwrap();
        prop_assert_eq!(edited, Value::Object(expected));
    }
}
