//! Small cases of our own.

use expect_test::{Expect, expect};
use wire::embeddings::{self, Dialect, Encoding};

fn written(dialect: Dialect, body: &str) -> String {
    let request = embeddings::read_request(body.as_bytes()).unwrap();
    match embeddings::write_request(dialect, &request) {
        Ok(written) => {
            let losses: Vec<_> = written.losses.iter().map(|loss| loss.path.as_str()).collect();
            format!("{} {losses:?}\n", String::from_utf8(written.bytes).unwrap())
        }
        Err(failure) => format!("{failure} at {}\n", failure.param.as_deref().unwrap_or_default()),
    }
}

fn check(body: &str, expected: &Expect) {
    let all: String = Dialect::ALL.into_iter().map(|dialect| written(dialect, body)).collect();
    expected.assert_eq(&all);
}

#[test]
fn one_text_and_its_purpose() {
    check(
        r#"{"model":"m","input":"hi","dimensions":256,"encoding_format":"base64","input_type":"query","user":"u"}"#,
        &expect![[r#"
            {"model":"m","input":"hi","dimensions":256,"encoding_format":"base64","input_type":"query","user":"u"} []
            {"model":"models/m","content":{"parts":[{"text":"hi"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":256} ["user"]
            {"model":"m","input_type":"search_query","embedding_types":["float"],"texts":["hi"],"output_dimension":256} ["user"]
            {"model":"m","input":"hi","input_type":"query","output_dimension":256} ["user"]
        "#]],
    );
    check(
        r#"{"model":"models/m","input":["a","b"],"input_type":"similarity"}"#,
        &expect![[r#"
        {"model":"models/m","input":["a","b"],"input_type":"similarity"} []
        {"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},"taskType":"SEMANTIC_SIMILARITY"},{"model":"models/m","content":{"parts":[{"text":"b"}]},"taskType":"SEMANTIC_SIMILARITY"}]} []
        {"model":"models/m","input_type":"search_document","embedding_types":["float"],"texts":["a","b"]} ["purpose"]
        {"model":"models/m","input":["a","b"]} ["purpose"]
    "#]],
    );
}

#[test]
fn tokens_are_shown_to_nobody_who_cannot_read_them() {
    check(
        r#"{"model":"m","input":[1,2,3]}"#,
        &expect![[r#"
        {"model":"m","input":[1,2,3]} []
        gemini embeddings take texts alone (unsupported_parameter, client fault) at input[0]
        cohere embeddings take texts alone (unsupported_parameter, client fault) at input[0]
        voyage embeddings take texts alone (unsupported_parameter, client fault) at input[0]
    "#]],
    );
    check(
        r#"{"model":"m","input":["a",[1,2]]}"#,
        &expect![[r#"
        {"model":"m","input":["a",[1,2]]} []
        gemini embeddings take texts alone (unsupported_parameter, client fault) at input[1]
        cohere embeddings take texts alone (unsupported_parameter, client fault) at input[1]
        voyage embeddings take texts alone (unsupported_parameter, client fault) at input[1]
    "#]],
    );
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let refused = |body: &str| embeddings::read_request(body.as_bytes()).unwrap_err().to_string();
    let all = [
        r#"{"input":"hi"}"#,
        r#"{"model":"m"}"#,
        r#"{"model":"m","input":7}"#,
        r#"{"model":"m","input":["a",7]}"#,
        r#"{"model":"m","input":"a","dimensions":-1}"#,
    ];
    let all: String = all.into_iter().map(|body| refused(body) + "\n").collect();
    expect![[r#"
        model: required, but not there (byte 9)
        input: required, but not there (byte 0)
        input: expected a text, a list of texts, or tokens, found a number (byte 21)
        input[1]: expected a text or a list of tokens, found a number (byte 26)
        dimensions: expected a whole number, 0 or more, found a number (byte 38)
    "#]]
    .assert_eq(&all);
}

#[test]
fn an_answer_comes_in_the_encoding_that_was_asked_for() {
    let mut all = String::new();
    for (dialect, body) in [
        (
            Dialect::Openai,
            r#"{"object":"list","data":[{"index":1,"embedding":[0.10,-1]},{"index":0,"embedding":"AACAPwAAAMA="}],"usage":{"prompt_tokens":2,"total_tokens":2}}"#,
        ),
        // Bytes that are no floats stay what they are.
        (Dialect::Openai, r#"{"data":[{"embedding":"9sYAfzzy/38="}]}"#),
        (
            Dialect::Gemini,
            r#"{"embedding":{"values":[0.5]},"usageMetadata":{"promptTokenCount":3}}"#,
        ),
        (
            Dialect::Cohere,
            r#"{"id":"x","embeddings":[[0.5],[0.25]],"meta":{"billed_units":{"input_tokens":4.0}}}"#,
        ),
        (
            Dialect::Voyage,
            r#"{"data":[{"embedding":[0.5],"index":0}],"model":"v","usage":{"total_tokens":7}}"#,
        ),
    ] {
        let response = embeddings::read_response(dialect, "", body.as_bytes()).unwrap();
        for encoding in [None, Some(Encoding::Float), Some(Encoding::Base64)] {
            let bytes = embeddings::write_response(&response, encoding);
            all += &format!("{}\n", String::from_utf8(bytes).unwrap());
        }
    }
    expect![[r#"
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPwAAAMA="},{"object":"embedding","index":1,"embedding":[0.10,-1]}],"usage":{"prompt_tokens":2,"total_tokens":2}}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0,-2.0]},{"object":"embedding","index":1,"embedding":[0.10,-1]}],"usage":{"prompt_tokens":2,"total_tokens":2}}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPwAAAMA="},{"object":"embedding","index":1,"embedding":"zczMPQAAgL8="}],"usage":{"prompt_tokens":2,"total_tokens":2}}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":"9sYAfzzy/38="}]}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":"9sYAfzzy/38="}]}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":"9sYAfzzy/38="}]}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"usage":{"prompt_tokens":3,"total_tokens":3}}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"usage":{"prompt_tokens":3,"total_tokens":3}}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":"AAAAPw=="}],"usage":{"prompt_tokens":3,"total_tokens":3}}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]},{"object":"embedding","index":1,"embedding":[0.25]}],"usage":{"prompt_tokens":4,"total_tokens":4}}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]},{"object":"embedding","index":1,"embedding":[0.25]}],"usage":{"prompt_tokens":4,"total_tokens":4}}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":"AAAAPw=="},{"object":"embedding","index":1,"embedding":"AACAPg=="}],"usage":{"prompt_tokens":4,"total_tokens":4}}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"v","usage":{"prompt_tokens":7,"total_tokens":7}}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"v","usage":{"prompt_tokens":7,"total_tokens":7}}
        {"object":"list","data":[{"object":"embedding","index":0,"embedding":"AAAAPw=="}],"model":"v","usage":{"prompt_tokens":7,"total_tokens":7}}
    "#]].assert_eq(&all);
}

#[test]
fn an_error_in_a_200_is_a_failure() {
    for dialect in Dialect::ALL {
        for body in [r#"{"error":{"message":"no"}}"#, r#"{"data":7,"embeddings":7}"#, "<html>"] {
            let failure = embeddings::read_response(dialect, "", body.as_bytes()).unwrap_err();
            assert_eq!(failure.kind.status(), 502, "{body}: {failure}");
        }
    }
}
