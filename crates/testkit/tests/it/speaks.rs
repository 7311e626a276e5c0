//! Good answers: whole, streamed, tools, models, and which rule answers.

use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

use testkit::{Answer, Fault, Provider, Reply, Script, Usage, When};

use crate::Tested;
use crate::client::{Got, ask, chat, post, send, streamed};

#[tokio::test]
async fn a_text_comes_whole() -> Tested {
    let provider = Provider::start(Script::saying("Hello there.")).await?;
    let got = ask(&provider, &chat("hi, you")).await?;
    assert_eq!((got.status, got.broken), (200, false));
    assert_eq!(got.headers["content-type"], "application/json");
    let body = got.json();
    assert_eq!(body["id"], "chatcmpl-scripted-000001");
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["model"], "small");
    assert_eq!(body["choices"][0]["message"]["content"], "Hello there.");
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    // Seven bytes asked and twelve said, four to a token.
    assert_eq!(body["usage"]["prompt_tokens"], 2);
    assert_eq!(body["usage"]["completion_tokens"], 3);
    assert_eq!(body["usage"]["total_tokens"], 5);
    Ok(())
}

#[tokio::test]
async fn a_text_is_streamed_by_words() -> Tested {
    let provider = Provider::start(Script::saying("one two three")).await?;
    let got = ask(&provider, &streamed("hi")).await?;
    assert_eq!(got.headers["content-type"], "text/event-stream; charset=utf-8");
    let chunks = got.chunks();
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(chunks[0]["choices"][0]["delta"]["content"], "");
    assert_eq!(chunks.len(), 5);
    assert_eq!(got.said(), "one two three");
    assert_eq!(chunks[4]["choices"][0]["finish_reason"], "stop");
    assert!(chunks.iter().all(|chunk| chunk.get("usage").is_none()));
    assert_eq!(got.data().last().map(String::as_str), Some("[DONE]"));
    Ok(())
}

#[tokio::test]
async fn usage_ends_a_stream_that_asks_for_it() -> Tested {
    let usage = Usage { input: 100, cached_input: 64, output: 7 };
    let reply = Reply::Text { text: "one two".to_owned(), usage: Some(usage) };
    let provider = Provider::start(Script::of(Answer::of(reply))).await?;
    let mut body = streamed("hi");
    body["stream_options"] = json!({"include_usage": true});
    let chunks = ask(&provider, &body).await?.chunks();
    let (last, before) = chunks.split_last().ok_or("no chunks")?;
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["prompt_tokens"], 100);
    assert_eq!(last["usage"]["prompt_tokens_details"]["cached_tokens"], 64);
    assert_eq!(last["usage"]["completion_tokens"], 7);
    assert!(before.iter().all(|chunk| chunk.get("usage") == Some(&Value::Null)));
    Ok(())
}

#[tokio::test]
async fn a_tool_is_called_in_both_modes() -> Tested {
    let arguments = r#"{"city":"Reykjavík","days":[1,2,3]}"#;
    let provider = Provider::start(Script::of(Answer::tool_call("weather", arguments))).await?;
    let whole = ask(&provider, &chat("weather?")).await?.json();
    let call = &whole["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["function"], json!({"name": "weather", "arguments": arguments}));
    assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");

    let chunks = ask(&provider, &streamed("weather?")).await?.chunks();
    let call = |chunk: &Value| chunk["choices"][0]["delta"]["tool_calls"][0]["function"].clone();
    assert_eq!(call(&chunks[1]), json!({"name": "weather", "arguments": ""}));
    let joined: String = chunks
        .iter()
        .filter_map(|chunk| call(chunk)["arguments"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(joined, arguments);
    assert_eq!(chunks.last().ok_or("no chunks")?["choices"][0]["finish_reason"], "tool_calls");
    Ok(())
}

#[tokio::test]
async fn the_models_of_the_rules_are_listed() -> Tested {
    let script = Script::saying("any")
        .when(When::model("large"), Answer::text("l"))
        .when(When::model("small").and(When::said("x")), Answer::text("s"))
        .when(When::model("large").and(When::said("y")), Answer::text("l"));
    let provider = Provider::start(script).await?;
    let get = Request::get("/v1/models").header("host", "127.0.0.1").body(Full::default())?;
    let list = send(&provider, get).await?.json();
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"][0]["id"], "large");
    assert_eq!(list["data"][1]["id"], "small");
    assert_eq!(list["data"].as_array().map(Vec::len), Some(2));
    Ok(())
}

#[tokio::test]
async fn the_first_rule_that_fits_answers() -> Tested {
    let script = Script::saying("default")
        .when(When::model("large"), Answer::text("by model"))
        .when(When::last_role("tool"), Answer::text("by role"))
        .when(When::said("weather"), Answer::text("by words"))
        .when(When::header("Authorization", "sk-other"), Answer::text("by header"));
    let provider = Provider::start(script).await?;
    let mut large = chat("weather");
    large["model"] = json!("large");
    let mut result = chat("weather");
    result["messages"] = json!([{"role": "user", "content": "weather"},
        {"role": "tool", "tool_call_id": "c", "content": "rain"}]);
    for (body, expected) in [
        (large, "by model"),
        (result, "by role"),
        (chat("the weather?"), "by words"),
        (chat("hi"), "default"),
    ] {
        let got = ask(&provider, &body).await?.json();
        assert_eq!(got["choices"][0]["message"]["content"], expected);
    }
    let mut other = post(&chat("hi"))?;
    other.headers_mut().insert("authorization", "Bearer sk-other-1".parse()?);
    assert!(send(&provider, other).await?.text().contains("by header"));
    Ok(())
}

#[tokio::test]
async fn what_is_no_chat_completion_is_an_error() -> Tested {
    let provider = Provider::start(Script::saying("hi")).await?;
    let request = Request::post("/v1/embeddings").header("host", "h").body(Full::from("{}"))?;
    let got = send(&provider, request).await?;
    assert_eq!((got.status, &got.json()["error"]["code"]), (404, &json!("unknown_url")));
    let request =
        Request::post("/v1/chat/completions").header("host", "h").body(Full::from("?"))?;
    assert_eq!(send(&provider, request).await?.status, 400);
    Ok(())
}

#[tokio::test]
async fn raw_bytes_answer_any_path() -> Tested {
    let reply = Reply::Raw {
        status: 429,
        headers: vec![("Retry-After".to_owned(), "7".to_owned())],
        body: "slow down".into(),
    };
    let provider = Provider::start(Script::of(Answer::of(reply))).await?;
    let request = Request::post("/v1/messages").header("host", "h").body(Full::from("{}"))?;
    let got = send(&provider, request).await?;
    assert_eq!((got.status, got.text().as_str()), (429, "slow down"));
    assert_eq!(got.headers["retry-after"], "7");
    Ok(())
}

/// Asks as Anthropic's clients do.
async fn message(provider: &Provider, stream: bool) -> Result<Got, Box<dyn std::error::Error>> {
    let body = json!({"model": "small", "max_tokens": 9, "stream": stream,
        "messages": [{"role": "user", "content": "hi, you"}]});
    let request = Request::post("/v1/messages").header("host", "h").header("x-api-key", "sk-own");
    send(provider, request.body(Full::from(body.to_string()))?).await
}

#[tokio::test]
async fn a_message_comes_whole_and_as_events() -> Tested {
    let provider = Provider::start(Script::saying("one two three")).await?;
    let body = message(&provider, false).await?.json();
    assert_eq!(body["content"], json!([{"type": "text", "text": "one two three"}]));
    assert_eq!((&body["type"], &body["stop_reason"]), (&json!("message"), &json!("end_turn")));
    assert_eq!(body["usage"]["output_tokens"], 4);
    let got = message(&provider, true).await?;
    let kinds: Vec<_> = got.chunks().iter().map(|event| event["type"].clone()).collect();
    let (start, delta) = (["message_start", "content_block_start"], ["content_block_delta"; 3]);
    let end = ["content_block_stop", "message_delta", "message_stop"];
    assert_eq!(kinds, [&start[..], &delta, &end].concat());
    assert!(got.text().starts_with("event: message_start\ndata: "));
    Ok(())
}

#[tokio::test]
async fn a_message_uses_a_tool() -> Tested {
    let provider = Provider::start(Script::of(Answer::tool_call("look", r#"{"at":[1]}"#))).await?;
    let body = message(&provider, false).await?.json();
    assert_eq!(body["content"][0]["input"], json!({"at": [1]}));
    let events = message(&provider, true).await?.chunks();
    let pieces: String =
        events.iter().filter_map(|event| event["delta"]["partial_json"].as_str()).collect();
    assert_eq!(pieces, r#"{"at":[1]}"#);
    assert_eq!(events[events.len() - 2]["delta"]["stop_reason"], "tool_use");
    Ok(())
}

#[tokio::test]
async fn errors_of_messages_are_in_their_own_words() -> Tested {
    for (fault, status, kind) in [
        (Fault::status(529), 529, "overloaded_error"),
        (Fault::status(402), 402, "billing_error"),
        (Fault::ErrorIn200, 200, "api_error"),
    ] {
        let provider = Provider::start(Script::of(Answer::text("").failing(fault))).await?;
        let got = message(&provider, true).await?;
        assert_eq!((got.status, &got.json()["error"]["type"]), (status, &json!(kind)));
        assert_eq!(got.json()["type"], "error");
    }
    let answer = Answer::text("one two three").failing(Fault::OverloadedAfter(2));
    let provider = Provider::start(Script::of(answer)).await?;
    let got = message(&provider, true).await?;
    assert!(got.text().contains("event: error\ndata: ") && !got.text().contains("message_stop"));
    assert_eq!(got.chunks()[3]["error"]["type"], "overloaded_error");
    Ok(())
}

#[tokio::test]
async fn a_refused_credential_is_quoted() -> Tested {
    let answer = Answer::text("").failing(Fault::QuotedKey);
    let provider = Provider::start(Script::of(answer)).await?;
    let got = message(&provider, false).await?;
    assert!(got.status == 401 && got.text().contains("provided: sk-own."), "{}", got.text());
    assert!(ask(&provider, &chat("hi")).await?.text().contains("provided: sk-test."));
    Ok(())
}
