//! What providers of each dialect answer: one turn that says `Looking.` and calls `look`, with 21
//! tokens read and 9 written, whole and as a stream.

use bytes::Bytes;
use serde_json::{Value, json};
use testkit::{Answer, Reply, Script};

/// Every dialect that is spoken to providers.
pub(crate) const DIALECTS: [&str; 7] = [
    "openai_chat",
    "openai_responses",
    "anthropic_messages",
    "gemini",
    "bedrock_converse",
    "cohere_v2",
    "ollama",
];

/// Returns the id of a provider that speaks a dialect; none of those that ship.
pub(crate) fn id(dialect: &str) -> String {
    format!("speaks-{}", dialect.replace('_', "-"))
}

/// Returns what a record says of a dialect.
pub(crate) fn speaks(dialect: &str) -> &'static str {
    match dialect {
        "openai_chat" => "{ dialect: openai_chat, path: /chat/completions }",
        "openai_responses" => "{ dialect: openai_responses, path: /responses }",
        "anthropic_messages" => {
            "{ dialect: anthropic_messages, path: /messages, count_path: /messages/count_tokens }"
        }
        "gemini" => {
            "{ dialect: gemini, path: '/models/{model}:generateContent', \
             stream_path: '/models/{model}:streamGenerateContent?alt=sse', \
             count_path: '/models/{model}:countTokens' }"
        }
        "bedrock_converse" => {
            "{ dialect: bedrock_converse, path: '/model/{model}/converse', \
             stream_path: '/model/{model}/converse-stream' }"
        }
        "cohere_v2" => "{ dialect: cohere_v2, path: /chat }",
        "ollama" => "{ dialect: ollama, path: /api/chat }",
        other => panic!("no dialect {other}"),
    }
}

/// Returns the path that a provider of a dialect is asked at for the model `m`.
pub(crate) fn asked_at(dialect: &str, stream: bool) -> &'static str {
    match (dialect, stream) {
        ("openai_chat", _) => "/v1/chat/completions",
        ("openai_responses", _) => "/v1/responses",
        ("anthropic_messages", _) => "/v1/messages",
        ("gemini", false) => "/v1/models/m:generateContent",
        ("gemini", true) => "/v1/models/m:streamGenerateContent",
        ("bedrock_converse", false) => "/v1/model/m/converse",
        ("bedrock_converse", true) => "/v1/model/m/converse-stream",
        ("cohere_v2", _) => "/v1/chat",
        ("ollama", _) => "/v1/api/chat",
        (other, _) => panic!("no dialect {other}"),
    }
}

/// Answers every request with these bytes.
pub(crate) fn raw(status: u16, kind: &str, body: impl Into<Bytes>) -> Answer {
    let headers = vec![("content-type".to_owned(), kind.to_owned())];
    Answer::of(Reply::Raw { status, headers, body: body.into() })
}

pub(crate) fn answers(kind: &str, body: impl Into<Bytes>) -> Script {
    Script::of(raw(200, kind, body))
}

/// Plays the canned answer of a dialect.
pub(crate) fn script(dialect: &str, stream: bool) -> Script {
    if stream {
        answers(stream_type(dialect), frames(dialect).concat())
    } else {
        answers("application/json", whole(dialect).to_string())
    }
}

pub(crate) fn stream_type(dialect: &str) -> &'static str {
    match dialect {
        "bedrock_converse" => "application/vnd.amazon.eventstream",
        "ollama" => "application/x-ndjson",
        _ => "text/event-stream",
    }
}

/// Returns how many of the tokens read a dialect's canned answer says were cached.
pub(crate) fn cached(dialect: &str) -> u64 {
    if matches!(dialect, "cohere_v2" | "ollama") { 0 } else { 5 }
}

/// Returns the whole answer.
pub(crate) fn whole(dialect: &str) -> Value {
    let arguments = "{\"place\":\"Lyon\"}";
    match dialect {
        "openai_chat" => json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "m",
            "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
                "role": "assistant", "content": "Looking.",
                "tool_calls": [{"id": "call_1", "type": "function",
                    "function": {"name": "look", "arguments": arguments}}]}}],
            "usage": {"prompt_tokens": 21, "completion_tokens": 9, "total_tokens": 30,
                "prompt_tokens_details": {"cached_tokens": 5}},
        }),
        "openai_responses" => responses("completed", &responses_output(arguments)),
        "anthropic_messages" => json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": [{"type": "text", "text": "Looking."},
                {"type": "tool_use", "id": "call_1", "name": "look", "input": {"place": "Lyon"}}],
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": {"input_tokens": 16, "cache_read_input_tokens": 5, "output_tokens": 9},
        }),
        "gemini" => json!({
            "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model",
                "parts": [{"text": "Looking."},
                    {"functionCall": {"name": "look", "args": {"place": "Lyon"}}}]}}],
            "usageMetadata": gemini_usage(), "modelVersion": "m", "responseId": "r1",
        }),
        "bedrock_converse" => json!({
            "output": {"message": {"role": "assistant", "content": [{"text": "Looking."},
                {"toolUse": {"toolUseId": "call_1", "name": "look", "input": {"place": "Lyon"}}}]}},
            "stopReason": "tool_use", "usage": bedrock_usage(), "metrics": {"latencyMs": 7},
        }),
        "cohere_v2" => json!({
            "id": "c1", "finish_reason": "TOOL_CALL", "message": {"role": "assistant",
                "content": [{"type": "text", "text": "Looking."}],
                "tool_calls": [{"id": "call_1", "type": "function",
                    "function": {"name": "look", "arguments": arguments}}]},
            "usage": cohere_usage(),
        }),
        "ollama" => json!({
            "model": "m", "created_at": "2026-01-01T00:00:00Z", "done": true, "done_reason": "stop",
            "message": {"role": "assistant", "content": "Looking.",
                "tool_calls": [{"function": {"name": "look", "arguments": {"place": "Lyon"}}}]},
            "prompt_eval_count": 21, "eval_count": 9,
        }),
        other => panic!("no dialect {other}"),
    }
}

/// Returns the frames of the streamed answer; the text comes before the call, and both in pieces.
pub(crate) fn frames(dialect: &str) -> Vec<Vec<u8>> {
    match dialect {
        "openai_chat" => chat_frames(),
        "openai_responses" => responses_frames(),
        "anthropic_messages" => anthropic_frames(),
        "gemini" => gemini_frames(),
        "bedrock_converse" => bedrock_frames(),
        "cohere_v2" => cohere_frames(),
        "ollama" => ollama_frames(),
        other => panic!("no dialect {other}"),
    }
}

pub(crate) fn data(value: &Value) -> Vec<u8> {
    format!("data: {value}\n\n").into_bytes()
}

/// Writes an event that is named as its `type` says.
pub(crate) fn named(value: &Value) -> Vec<u8> {
    format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap()).into_bytes()
}

fn chat_frames() -> Vec<Vec<u8>> {
    let chunk = |delta: Value, finish: Value| {
        data(&json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
            "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }))
    };
    let call = |call: Value| chunk(json!({"tool_calls": [call]}), Value::Null);
    let usage = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
        "model": "m", "choices": [], "usage": whole("openai_chat")["usage"],
    });
    vec![
        chunk(json!({"role": "assistant", "content": ""}), Value::Null),
        chunk(json!({"content": "Look"}), Value::Null),
        chunk(json!({"content": "ing."}), Value::Null),
        call(json!({"index": 0, "id": "call_1", "type": "function",
            "function": {"name": "look", "arguments": ""}})),
        call(json!({"index": 0, "function": {"arguments": "{\"place\":"}})),
        call(json!({"index": 0, "function": {"arguments": "\"Lyon\"}"}})),
        chunk(json!({}), json!("tool_calls")),
        data(&usage),
        b"data: [DONE]\n\n".to_vec(),
    ]
}

fn responses_output(arguments: &str) -> Value {
    json!([
        {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": "Looking.", "annotations": []}]},
        {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1",
            "name": "look", "arguments": arguments},
    ])
}

fn responses(status: &str, output: &Value) -> Value {
    let usage = json!({
        "input_tokens": 21, "input_tokens_details": {"cached_tokens": 5},
        "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 30,
    });
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": status,
        "model": "m", "output": output,
        "usage": if status == "completed" { usage } else { Value::Null },
    })
}

fn responses_frames() -> Vec<Vec<u8>> {
    let output = responses_output("{\"place\":\"Lyon\"}");
    let (message, call) = (&output[0], &output[1]);
    let mut opened = call.clone();
    opened["arguments"] = json!("");
    let text = |kind: &str, delta: Value| {
        let mut event = json!({"item_id": "msg_1", "output_index": 0, "content_index": 0});
        event["type"] = json!(format!("response.{kind}"));
        for (name, value) in delta.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    };
    let arguments = |delta: &str| {
        json!({"type": "response.function_call_arguments.delta", "item_id": "fc_1",
            "output_index": 1, "delta": delta})
    };
    let events = [
        json!({"type": "response.created", "response": responses("in_progress", &json!([]))}),
        json!({"type": "response.output_item.added", "output_index": 0, "item":
            {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}}),
        text(
            "content_part.added",
            json!({"part": {"type": "output_text", "text": "", "annotations": []}}),
        ),
        text("output_text.delta", json!({"delta": "Look"})),
        text("output_text.delta", json!({"delta": "ing."})),
        text("output_text.done", json!({"text": "Looking."})),
        text("content_part.done", json!({"part": message["content"][0]})),
        json!({"type": "response.output_item.done", "output_index": 0, "item": message}),
        json!({"type": "response.output_item.added", "output_index": 1, "item": opened}),
        arguments("{\"place\":"),
        arguments("\"Lyon\"}"),
        json!({"type": "response.function_call_arguments.done", "item_id": "fc_1",
            "output_index": 1, "arguments": "{\"place\":\"Lyon\"}"}),
        json!({"type": "response.output_item.done", "output_index": 1, "item": call}),
        json!({"type": "response.completed", "response": responses("completed", &output)}),
    ];
    let numbered = events.into_iter().enumerate().map(|(at, mut event)| {
        event["sequence_number"] = json!(at);
        named(&event)
    });
    numbered.collect()
}

fn anthropic_frames() -> Vec<Vec<u8>> {
    let delta = |index: u8, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let stop = |index: u8| json!({"type": "content_block_stop", "index": index});
    let events = [
        json!({"type": "message_start", "message": {"id": "msg_1", "type": "message",
            "role": "assistant", "model": "m", "content": [], "stop_reason": null,
            "stop_sequence": null, "usage":
            {"input_tokens": 16, "cache_read_input_tokens": 5, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "ping"}),
        delta(0, json!({"type": "text_delta", "text": "Look"})),
        delta(0, json!({"type": "text_delta", "text": "ing."})),
        stop(0),
        json!({"type": "content_block_start", "index": 1, "content_block":
            {"type": "tool_use", "id": "call_1", "name": "look", "input": {}}}),
        delta(1, json!({"type": "input_json_delta", "partial_json": "{\"place\":"})),
        delta(1, json!({"type": "input_json_delta", "partial_json": "\"Lyon\"}"})),
        stop(1),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null},
            "usage": {"input_tokens": 16, "cache_read_input_tokens": 5, "output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ];
    events.iter().map(named).collect()
}

fn gemini_usage() -> Value {
    json!({"promptTokenCount": 21, "cachedContentTokenCount": 5, "candidatesTokenCount": 9,
        "totalTokenCount": 30})
}

/// Google ends its lines with CR LF, and its streams with their last chunk.
fn gemini_frames() -> Vec<Vec<u8>> {
    let chunk = |part: Value| {
        json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}}],
            "modelVersion": "m", "responseId": "r1"})
    };
    let mut last = chunk(json!({"functionCall": {"name": "look", "args": {"place": "Lyon"}}}));
    last["candidates"][0]["finishReason"] = json!("STOP");
    last["usageMetadata"] = gemini_usage();
    let chunks = [chunk(json!({"text": "Look"})), chunk(json!({"text": "ing."})), last];
    chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n").into_bytes()).collect()
}

fn bedrock_usage() -> Value {
    json!({"inputTokens": 16, "cacheReadInputTokens": 5, "outputTokens": 9, "totalTokens": 30})
}

fn bedrock_frames() -> Vec<Vec<u8>> {
    let delta = |index: u8, delta: Value| {
        message("contentBlockDelta", &json!({"contentBlockIndex": index, "delta": delta}))
    };
    let stop = |index: u8| message("contentBlockStop", &json!({"contentBlockIndex": index}));
    vec![
        message("messageStart", &json!({"role": "assistant"})),
        delta(0, json!({"text": "Look"})),
        delta(0, json!({"text": "ing."})),
        stop(0),
        message(
            "contentBlockStart",
            &json!({"contentBlockIndex": 1,
                "start": {"toolUse": {"toolUseId": "call_1", "name": "look"}}}),
        ),
        delta(1, json!({"toolUse": {"input": "{\"place\":"}})),
        delta(1, json!({"toolUse": {"input": "\"Lyon\"}"}})),
        stop(1),
        message("messageStop", &json!({"stopReason": "tool_use"})),
        message("metadata", &json!({"usage": bedrock_usage(), "metrics": {"latencyMs": 7}})),
    ]
}

/// Writes an event of Amazon's event stream.
pub(crate) fn message(event: &str, payload: &Value) -> Vec<u8> {
    framed(&[(":event-type", event), (":message-type", "event")], payload)
}

/// Writes an exception of Amazon's event stream.
pub(crate) fn exception(kind: &str, payload: &Value) -> Vec<u8> {
    framed(&[(":exception-type", kind), (":message-type", "exception")], payload)
}

fn framed(told: &[(&str, &str)], payload: &Value) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in told {
        headers.push(u8::try_from(name.len()).unwrap());
        headers.extend_from_slice(name.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let payload = payload.to_string();
    let all = u32::try_from(16 + headers.len() + payload.len()).unwrap();
    let mut out = all.to_be_bytes().to_vec();
    out.extend_from_slice(&u32::try_from(headers.len()).unwrap().to_be_bytes());
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out.extend_from_slice(&headers);
    out.extend_from_slice(payload.as_bytes());
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out
}

/// The checksum of an event stream (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

fn cohere_usage() -> Value {
    json!({"billed_units": {"input_tokens": 21, "output_tokens": 9},
        "tokens": {"input_tokens": 21, "output_tokens": 9}})
}

fn cohere_frames() -> Vec<Vec<u8>> {
    let call = |kind: &str, call: Value| json!({"type": kind, "index": 0, "delta": {"message": {"tool_calls": call}}});
    let text = |text: &str| {
        json!({"type": "content-delta", "index": 0,
            "delta": {"message": {"content": {"text": text}}}})
    };
    let events = [
        json!({"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant",
            "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}}),
        json!({"type": "content-start", "index": 0,
            "delta": {"message": {"content": {"type": "text", "text": ""}}}}),
        text("Look"),
        text("ing."),
        json!({"type": "content-end", "index": 0}),
        call(
            "tool-call-start",
            json!({"id": "call_1", "type": "function",
            "function": {"name": "look", "arguments": ""}}),
        ),
        call("tool-call-delta", json!({"function": {"arguments": "{\"place\":"}})),
        call("tool-call-delta", json!({"function": {"arguments": "\"Lyon\"}"}})),
        json!({"type": "tool-call-end", "index": 0}),
        json!({"type": "message-end", "delta":
            {"finish_reason": "TOOL_CALL", "usage": cohere_usage()}}),
    ];
    events.iter().map(named).collect()
}

fn ollama_frames() -> Vec<Vec<u8>> {
    let line = |message: Value, done: bool| {
        let mut line = json!({"model": "m", "created_at": "2026-01-01T00:00:00Z",
            "message": message, "done": done});
        if done {
            line["done_reason"] = json!("stop");
            line["prompt_eval_count"] = json!(21);
            line["eval_count"] = json!(9);
        }
        format!("{line}\n").into_bytes()
    };
    let says = |text: &str| json!({"role": "assistant", "content": text});
    let call = json!({"role": "assistant", "content": "",
        "tool_calls": [{"function": {"name": "look", "arguments": {"place": "Lyon"}}}]});
    vec![
        line(says("Look"), false),
        line(says("ing."), false),
        line(call, false),
        line(says(""), true),
    ]
}
