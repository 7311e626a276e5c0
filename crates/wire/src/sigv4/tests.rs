//! The first two are of Amazon's published suite (`get-vanilla`, `get-vanilla-query-order-key-case`);
//! the others were signed by botocore 1.44.8.

use super::{Signing, sha256, sign};

const PLAIN: Signing<'static> = Signing {
    method: "GET",
    host: "example.amazonaws.com",
    path: "/",
    query: "",
    headers: &[],
    body_sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    region: "us-east-1",
    service: "service",
    key_id: "AKIDEXAMPLE",
    secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    session_token: None,
    now_unix: 1_440_938_160,
};

fn check(signing: &Signing<'_>, time: &str, names: &str, signature: &str) {
    let scope = format!("{}/{}/{}", &time[..8], signing.region, signing.service);
    let expected = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}/aws4_request, SignedHeaders={names}, Signature={signature}"
    );
    let added = sign(signing);
    assert_eq!(added[0], ("x-amz-date".to_owned(), time.to_owned()));
    assert_eq!(added.last(), Some(&("authorization".to_owned(), expected)));
    let token = added.iter().find(|(name, _)| name == "x-amz-security-token");
    assert_eq!(token.map(|(_, token)| token.as_str()), signing.session_token);
}

#[test]
fn a_plain_request() {
    let signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    check(&PLAIN, "20150830T123600Z", "host;x-amz-date", signature);
}

#[test]
fn a_query_is_signed_in_order() {
    let signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
    let signing = Signing { query: "Param2=value2&Param1=value1", ..PLAIN };
    check(&signing, "20150830T123600Z", "host;x-amz-date", signature);
}

#[test]
fn a_path_is_brought_to_its_normal_form() {
    let signature = "a1cebc2f95173a508670500de711f42c6acbf80439907b9ffd28f3a1d5adda23";
    let signing = Signing { path: "/a//b/./c/../d/", now_unix: 951_782_400, ..PLAIN };
    check(&signing, "20000229T000000Z", "host;x-amz-date", signature);
}

#[test]
fn an_encoded_path_headers_and_a_token() {
    let signature = "dcb70b8fd1b2f076ba806cb456774ece5f99df60c7306ca75077b532f95ca9c1";
    let signing = Signing {
        method: "POST",
        host: "bedrock-runtime.eu-central-1.amazonaws.com",
        path: "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse",
        headers: &[("content-type", "application/json"), ("X-Spaced", "  a   b ")],
        body_sha256: &sha256(b"{\"messages\":[]}"),
        region: "eu-central-1",
        service: "bedrock",
        session_token: Some("FwoGZX+/token=="),
        now_unix: 1_709_208_000,
        ..PLAIN
    };
    let names = "content-type;host;x-amz-date;x-amz-security-token;x-spaced";
    check(&signing, "20240229T120000Z", names, signature);
}

#[test]
fn a_host_with_a_port_and_a_body_beyond_ascii() {
    let signature = "e3908b9af90f1f97947d0ea4367a7df578a694b31c14a00053db3815e6ae782e";
    let arn = "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.m-v1%3A0";
    let signing = Signing {
        method: "POST",
        host: "bedrock-runtime.us-east-1.amazonaws.com:8443",
        path: &format!("/model/{arn}/converse-stream"),
        body_sha256: &sha256("{\"\u{e9}\":1}".as_bytes()),
        service: "bedrock",
        now_unix: 1_796_083_199,
        ..PLAIN
    };
    check(&signing, "20261130T235959Z", "host;x-amz-date", signature);
}
