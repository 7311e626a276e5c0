//! Every envelope an error comes in, with the words that matter in it: cases of our own.

use expect_test::{Expect, expect};
use ir::{Dialect, Failure, Kind};
use wire::failures;

use crate::laws::origin_of;

fn show(failure: &Failure) -> String {
    let Failure { kind, message, param, provider_status, provider_code, retry_after } = failure;
    let mut shown = format!("{}: {message}", kind.code());
    for (name, value) in [("param", param), ("code", provider_code)] {
        if let Some(value) = value {
            shown += &format!("\n{name} {value}");
        }
    }
    if let Some(status) = provider_status {
        shown += &format!("\nstatus {status}");
    }
    if let Some(wait) = retry_after {
        shown += &format!("\nwait {wait:?}");
    }
    shown
}

fn check(family: &str, status: u16, body: &str, expected: &Expect) {
    let origin = origin_of(Dialect::OpenaiChat, family);
    let failure = wire::read_failure(&origin, status, &|_| None, body.as_bytes());
    expected.assert_eq(&show(&failure));
}

fn check_inside(family: &str, body: &str, expected: &Expect) {
    expected.assert_eq(&show(&failures::inside(family, 200, body.as_bytes())));
}

#[test]
fn an_object_under_error() {
    let body = r#"{"error":{"message":"no","type":"invalid_request_error","param":"messages[1]","code":null}}"#;
    check(
        "openai",
        400,
        body,
        &expect![[r#"
        invalid_request: no
        param messages[1]
        code invalid_request_error
        status 400"#]],
    );
}

#[test]
fn a_list_around_it() {
    let body = r#"[{"error":{"code":404,"message":"models/x is not found for API version v1beta","status":"NOT_FOUND"}}]"#;
    check(
        "google",
        404,
        body,
        &expect![[r#"
        provider_model_unavailable: models/x is not found for API version v1beta
        code NOT_FOUND
        status 404"#]],
    );
}

#[test]
fn details_name_the_reason_and_the_field() {
    let body = r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#;
    check(
        "google",
        400,
        body,
        &expect![[r#"
        provider_authentication_failed: the provider refused the gateway's credential
        code INVALID_ARGUMENT
        status 400"#]],
    );
    let body = r#"{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT","details":[{"fieldViolations":[{"field":"tools[0]","description":"no"}]}]}}"#;
    check(
        "google",
        400,
        body,
        &expect![[r#"
        invalid_request: bad
        param tools[0]
        code INVALID_ARGUMENT
        status 400"#]],
    );
}

#[test]
fn a_template_that_was_not_filled_in() {
    let body = r#"{"error":{"code":400,"message":"$grpcMessage","status":"FAILED_PRECONDITION","details":[{"detail":"User location is not supported."}]}}"#;
    check(
        "vertex",
        400,
        body,
        &expect![[r#"
        provider_permission_denied: User location is not supported.
        code FAILED_PRECONDITION
        status 400"#]],
    );
}

#[test]
fn a_text_under_error() {
    check(
        "ollama",
        404,
        r#"{"error":"model 'x' not found"}"#,
        &expect![[r#"
        provider_model_unavailable: model 'x' not found
        status 404"#]],
    );
    let body = r#"{"code":"The caller does not have permission","error":"Your team has used all available credits."}"#;
    check(
        "xai",
        403,
        body,
        &expect![[r#"
        insufficient_quota: Your team has used all available credits.
        code The caller does not have permission
        status 403"#]],
    );
    let body =
        r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#;
    check(
        "vertex",
        400,
        body,
        &expect![[r#"
        invalid_request: Token has been expired or revoked.
        code invalid_grant
        status 400"#]],
    );
}

#[test]
fn fields_at_the_top() {
    let body = r#"{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"r"}"#;
    check(
        "qwen",
        401,
        body,
        &expect![[r#"
        provider_authentication_failed: the provider refused the gateway's credential
        code InvalidApiKey
        status 401"#]],
    );
    let body = r#"{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500","raw_status_code":400}"#;
    check(
        "mistral",
        400,
        body,
        &expect![[r#"
        provider_model_unavailable: Invalid model: x
        code invalid_model
        status 400"#]],
    );
    let body = r#"{"id":"i","message":"too many tokens","error_type":"TOO_MANY_TOKENS"}"#;
    check(
        "cohere",
        400,
        body,
        &expect![[r#"
        context_length_exceeded: too many tokens
        code TOO_MANY_TOKENS
        status 400"#]],
    );
}

#[test]
fn a_detail_that_is_a_text_or_a_list() {
    check(
        "mistral",
        401,
        r#"{"detail":"Invalid API Key"}"#,
        &expect![[r#"
        provider_authentication_failed: the provider refused the gateway's credential
        status 401"#]],
    );
    let body = r#"{"detail":[{"type":"extra_forbidden","loc":["body","store"],"msg":"Extra inputs are not permitted","input":"context_length_exceeded"}]}"#;
    check(
        "mistral",
        422,
        body,
        &expect![[r#"
        unsupported_parameter: store: Extra inputs are not permitted
        param store
        status 422"#]],
    );
    let body = r#"{"object":"error","message":{"detail":[{"type":"missing","loc":["body","messages",0,"role"],"msg":"Field required"}]},"type":"invalid_request_error"}"#;
    check(
        "mistral",
        422,
        body,
        &expect![[r#"
        invalid_request: messages.0.role: Field required
        code invalid_request_error
        status 422"#]],
    );
}

#[test]
fn the_name_beside_the_body() {
    let origin = origin_of(Dialect::BedrockConverse, "bedrock");
    let headers = |name: &str| {
        let kind = "com.amazon#ExpiredTokenException:http://internal.amazon.com/coral/";
        (name == "x-amzn-errortype").then(|| kind.to_owned())
    };
    let body = br#"{"message":"no"}"#;
    let failure = wire::read_failure(&origin, 403, &headers, body);
    expect![[r#"
        provider_authentication_failed: the provider refused the gateway's credential
        code ExpiredTokenException
        status 403"#]]
    .assert_eq(&show(&failure));
    let body =
        r#"{"__type":"com.amazon.coral#AccessDeniedException","Message":"User is not authorized"}"#;
    check(
        "bedrock",
        403,
        body,
        &expect![[r#"
        provider_permission_denied: User is not authorized
        code AccessDeniedException
        status 403"#]],
    );
}

#[test]
fn the_body_of_the_provider_behind_as_a_text() {
    let raw = r#"{\"error\":{\"message\":\"prompt is too long: 9 tokens > 8 maximum\",\"type\":\"invalid_request_error\"}}"#;
    let body = format!(
        r#"{{"error":{{"message":"Provider returned error","code":400,"metadata":{{"raw":"{raw}","provider_name":"Anthropic"}}}},"user_id":"u"}}"#
    );
    check(
        "openrouter",
        400,
        &body,
        &expect![[r#"
        context_length_exceeded: Provider returned error (Anthropic): prompt is too long: 9 tokens > 8 maximum
        code 400
        status 400"#]],
    );
    // What means an empty account at OpenAI is a throttle at Alibaba.
    for (name, kind) in [("Alibaba", Kind::RateLimited), ("OpenAI", Kind::Credit)] {
        let raw = r#"{\"error\":{\"message\":\"You exceeded your current quota\",\"code\":\"insufficient_quota\"}}"#;
        let body = format!(
            r#"{{"error":{{"message":"Provider returned error","code":429,"metadata":{{"raw":"{raw}","provider_name":"{name}"}}}}}}"#
        );
        let failure = failures::inside("openrouter", 200, body.as_bytes());
        assert_eq!(failure.kind, kind, "{name}");
    }
}

#[test]
fn what_stands_in_front_of_a_provider() {
    let page = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>";
    check(
        "openai",
        502,
        page,
        &expect![[r#"
        provider_error: the provider answered with a page of HTML: 502 Bad Gateway
        status 502"#]],
    );
    check(
        "openai",
        503,
        "upstream connect error or disconnect",
        &expect![[r#"
        provider_error: upstream connect error or disconnect
        status 503"#]],
    );
    check(
        "openai",
        500,
        "",
        &expect![[r#"
        provider_error: the provider answered 500 without a message
        status 500"#]],
    );
    check(
        "openai",
        429,
        "{}",
        &expect![[r#"
        rate_limit_exceeded: the provider answered 429 without a message
        status 429"#]],
    );
    let event = "event: error\ndata: {\"error\":{\"message\":\"bad\",\"code\":\"x\"}}\n\n";
    check(
        "openai",
        400,
        event,
        &expect![[r#"
        invalid_request: bad
        code x
        status 400"#]],
    );
}

#[test]
fn inside_a_stream_of_every_dialect() {
    let body = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    check_inside(
        "anthropic",
        body,
        &expect![[r#"
        provider_overloaded: Overloaded
        code overloaded_error
        status 200"#]],
    );
    let body = r#"{"type":"error","error":{"type":"invalid_request_error","message":"bad"}}"#;
    check_inside(
        "anthropic",
        body,
        &expect![[r#"
        invalid_request: bad
        code invalid_request_error
        status 200"#]],
    );
    let body = r#"{"type":"error","code":"rate_limit_exceeded","message":"Please try again in 1.5s.","param":null,"sequence_number":3}"#;
    check_inside(
        "openai",
        body,
        &expect![[r#"
        rate_limit_exceeded: Please try again in 1.5s.
        code rate_limit_exceeded
        status 200
        wait 1.5s"#]],
    );
    let body = r#"{"type":"response.failed","response":{"id":"r","status":"failed","instructions":"never say insufficient_quota","error":{"code":"server_error","message":"sorry"},"output":[]}}"#;
    check_inside(
        "openai",
        body,
        &expect![[r#"
        provider_error: sorry
        code server_error
        status 200"#]],
    );
}

#[test]
fn inside_a_stream_of_those_who_say_less() {
    let body =
        r#"{"error":{"code":499,"message":"The operation was cancelled.","status":"CANCELLED"}}"#;
    check_inside(
        "vertex",
        body,
        &expect![[r#"
        provider_error: The operation was cancelled.
        code CANCELLED
        status 499"#]],
    );
    let body = r#"{"modelTimeoutException":{"message":"too slow"}}"#;
    check_inside(
        "bedrock",
        body,
        &expect![[r#"
        timeout: too slow
        code modelTimeoutException
        status 200"#]],
    );
    let body =
        r#"{"type":"message-end","delta":{"error":"model overloaded","finish_reason":"ERROR"}}"#;
    check_inside(
        "cohere",
        body,
        &expect![[r#"
            provider_overloaded: model overloaded
            status 200"#]],
    );
    let body = r#"{"type":"message-end","delta":{"error":"sorry","error_type":"RATE_LIMIT_EXCEEDED","finish_reason":"ERROR"}}"#;
    check_inside(
        "cohere",
        body,
        &expect![[r#"
        rate_limit_exceeded: sorry
        code RATE_LIMIT_EXCEEDED
        status 200"#]],
    );
    check_inside(
        "ollama",
        r#"{"error":"llama runner process has terminated"}"#,
        &expect![[r#"
        provider_error: llama runner process has terminated
        status 200"#]],
    );
    let body = r#"{"id":"g","error":{"code":502,"message":"Provider disconnected"},"choices":[{"delta":{"content":"prompt is too long"}}]}"#;
    check_inside(
        "openrouter",
        body,
        &expect![[r#"
        provider_error: Provider disconnected
        code 502
        status 502"#]],
    );
}

#[test]
fn what_a_model_or_a_caller_wrote_decides_nothing() {
    let body = r#"{"error":{"message":"Tool call validation failed","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"invalid_api_key"}}"#;
    check(
        "groq",
        400,
        body,
        &expect![[r#"
        invalid_model_output: Tool call validation failed
        code tool_use_failed
        status 400"#]],
    );
}

#[test]
fn a_llama_that_blames_itself() {
    let body = r#"{"error":{"code":500,"message":"tools param requires --jinja flag","type":"server_error"}}"#;
    check(
        "llamacpp",
        500,
        body,
        &expect![[r#"
        unsupported_parameter: tools param requires --jinja flag
        code server_error
        status 500"#]],
    );
}

#[test]
fn credentials_are_masked_whatever_the_kind() {
    let body = r#"{"error":{"message":"Incorrect API key provided: sk-abcdef123. You can find...","code":"invalid_api_key"}}"#;
    check(
        "openai",
        401,
        body,
        &expect![[r#"
        provider_authentication_failed: the provider refused the gateway's credential
        code invalid_api_key
        status 401"#]],
    );
    let body = r#"{"error":{"message":"cannot forward with Bearer abc.def-12345 and key AIzaSyA-1234567890abcdefg","code":"sk-live-1234567"}}"#;
    check(
        "openai",
        500,
        body,
        &expect![[r#"
        provider_error: cannot forward with Bearer [masked] and key [masked]
        code [masked]
        status 500"#]],
    );
}
