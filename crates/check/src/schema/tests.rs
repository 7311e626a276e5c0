use serde_json::{Value, json};

use super::{Fit, LARGEST, Schema};

fn fit(schema: &str, value: &Value) -> Fit {
    Schema::read(schema).fit(value)
}

fn check(schema: &Value, value: &Value, expected: &Fit) {
    assert_eq!(&fit(&schema.to_string(), value), expected, "{schema} {value}");
}

fn misfit(place: &str) -> Fit {
    Fit::Misfit(place.to_owned())
}

#[test]
fn a_misfit_is_placed_in_the_schema() {
    let schema = json!({
        "type": "object",
        "properties": {"age": {"type": "integer"}},
        "required": ["age"],
        "additionalProperties": false
    });
    check(&schema, &json!({"age": 7}), &Fit::Fits);
    check(&schema, &json!({"age": "seven"}), &misfit("at /properties/age/type"));
    check(&schema, &json!({}), &misfit("at /required"));
    let several = misfit("at /additionalProperties and in 1 more places");
    check(&schema, &json!({"a secret of the answer": 1}), &several);
}

#[test]
fn what_cannot_be_used_fails_no_answer() {
    let broken = Fit::Unusable("the schema does not compile");
    check(&json!({"type": "no such type"}), &json!(1), &broken);
    check(&json!({"$ref": "https://example.com/schema.json"}), &json!(1), &broken);
    check(&json!({"$ref": "file:///etc/passwd"}), &json!(1), &broken);
    check(&json!({"pattern": "("}), &json!("a"), &broken);
    let large = json!({"description": "x".repeat(LARGEST)});
    check(&large, &json!(1), &Fit::Unusable("the schema is too large to be used"));
    assert_eq!(fit("{", &json!(1)), Fit::Unusable("the schema is no JSON"));
}

#[test]
fn references_inside_are_followed_and_end() {
    let tree = json!({
        "$ref": "#/$defs/node",
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}}
    });
    check(&tree, &json!({"next": {"next": {}}}), &Fit::Fits);
    assert!(matches!(fit(&tree.to_string(), &json!({"next": {"next": 1}})), Fit::Misfit(_)));
    // A schema that means itself says nothing, and must not be followed for ever.
    let itself = json!({"$ref": "#"});
    let _ = fit(&itself.to_string(), &json!(1));
    let each_other = json!({"$ref": "#/$defs/a", "$defs": {
        "a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}
    }});
    let _ = fit(&each_other.to_string(), &json!({"x": 1}));
}

#[test]
fn a_pattern_that_runs_away_is_stopped() {
    let schema = json!({"pattern": "^(?=(a+)+$)(a|aa)+b\\1$"});
    let stopped = Fit::Unusable("a pattern of the schema takes too long");
    check(&schema, &json!("a".repeat(2_000)), &stopped);
}
