//! What is judged of an answer, and when: as its client gets it, at its beginning and at its end; and
//! what a judge that only looks on leaves alone.

use serde_json::{Value, json};
use testkit::{Answer, Fault, Provider, Script};

use crate::canned::{self, named};
use crate::support::{Got, Served, Setup, ask};

async fn provider(script: Script) -> Provider {
    Provider::start(script).await.unwrap()
}

/// A task `work` at a provider that speaks a dialect, then at one that says good JSON.
struct Work {
    _setup: Setup,
    weak: Provider,
    _safe: Provider,
    served: Served,
}

impl Work {
    async fn at(dialect: &str, more: &str, limits: &str) -> Self {
        let weak = provider(Script::saying("")).await;
        let safe = provider(Script::saying("{\"place\":\"safe\"}")).await;
        let setup = Setup::new();
        setup.speaker("weak", &weak.base_url(), dialect, more);
        setup.provider("safe", &safe.base_url());
        setup.never_open();
        setup.table(&format!(
            "version: t\ndefault_model: safe/safe-a\ntasks:\n  \
             work: {{ primary: weak/m, fallbacks: [safe/safe-a], retries: 0, {limits} }}\n"
        ));
        let served = setup.serve();
        Self { _setup: setup, weak, _safe: safe, served }
    }

    async fn ask(&self, body: &Value) -> Got {
        let got = self.served.chat(body).await;
        assert_eq!(got.status, 200, "{}", got.text());
        got
    }

    /// Says who answered.
    async fn answers(&self, body: &Value) -> String {
        self.ask(body).await.header("x-pointsman-model").unwrap().to_owned()
    }
}

/// A request for JSON of a schema.
fn for_json(stream: bool) -> Value {
    let mut body = ask("task/work", stream, "Where is Lyon?");
    let schema = json!({"type": "object", "properties": {"place": {"type": "string"}},
        "required": ["place"], "additionalProperties": false});
    body["response_format"] = json!({"type": "json_schema",
        "json_schema": {"name": "where", "schema": schema, "strict": true}});
    body
}

/// Reads a stream of chunks: the text, the first tool's name, and the chunks themselves.
fn heard(got: &Got) -> (String, Option<String>, Vec<Value>) {
    let data = got.text().lines().filter_map(|line| line.strip_prefix("data: "));
    let chunks: Vec<Value> = data.filter_map(|data| serde_json::from_str(data).ok()).collect();
    let delta = |chunk: &Value| chunk["choices"][0]["delta"].clone();
    let text = chunks.iter().filter_map(|it| Some(delta(it)["content"].as_str()?.to_owned()));
    let mut tools = chunks
        .iter()
        .filter_map(|it| Some(delta(it)["tool_calls"][0]["function"]["name"].as_str()?.to_owned()));
    let (text, tool) = (text.collect(), tools.next());
    (text, tool, chunks)
}

/// Anthropic's stream of these blocks, each with its deltas.
fn messages(blocks: &[(Value, Vec<Value>)]) -> Vec<Vec<u8>> {
    let mut events = vec![json!({"type": "message_start", "message": {"id": "msg_1",
        "type": "message", "role": "assistant", "model": "m", "content": [],
        "usage": {"input_tokens": 5, "output_tokens": 1}}})];
    for (index, (block, deltas)) in blocks.iter().enumerate() {
        events.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        for delta in deltas {
            let ping = delta["type"] == "ping";
            let of = json!({"type": "content_block_delta", "index": index, "delta": delta});
            events.push(if ping { delta.clone() } else { of });
        }
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 9}}));
    events.push(json!({"type": "message_stop"}));
    events.iter().map(named).collect()
}

fn text(pieces: &[&str]) -> (Value, Vec<Value>) {
    let deltas = pieces.iter().map(|text| json!({"type": "text_delta", "text": text}));
    (json!({"type": "text", "text": ""}), deltas.collect())
}

fn call(name: &str, pieces: &[&str]) -> (Value, Vec<Value>) {
    let deltas =
        pieces.iter().map(|piece| json!({"type": "input_json_delta", "partial_json": piece}));
    (json!({"type": "tool_use", "id": "call_1", "name": name, "input": {}}), deltas.collect())
}

fn stream(frames: &[Vec<u8>]) -> Script {
    canned::answers("text/event-stream", frames.concat())
}

/// Plays a stream in one piece: some come under JSON's type, and such are read to their end first.
fn at_once(frames: &[Vec<u8>]) -> Script {
    canned::answers("application/json", frames.concat())
}

/// A chunk of OpenAI's stream.
fn chunk(delta: &Value, finish: &Value) -> Vec<u8> {
    canned::data(&json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))
}

fn said(text: &str) -> Vec<u8> {
    chunk(&json!({"content": text}), &Value::Null)
}

fn stopped() -> Vec<u8> {
    [chunk(&json!({}), &json!("stop")), b"data: [DONE]\n\n".to_vec()].concat()
}

const BY_TOOL: &str = "quirks: { schema: tool }";

#[tokio::test]
async fn an_answer_given_through_a_tool_is_judged_as_the_text_it_becomes() {
    let good = ["{\"place\":", "\"France\"}"];
    for limits in ["commit: prefix", "check: { mode: enforce, json: true, tools: true }"] {
        let work = Work::at("anthropic_messages", BY_TOOL, limits).await;
        work.weak.set(stream(&messages(&[call("give_answer", &good)])));
        let got = work.ask(&for_json(true)).await;
        assert_eq!(got.header("x-pointsman-model"), Some("weak/m"), "{limits}");
        let (text, tool, _) = heard(&got);
        assert_eq!((text.as_str(), tool), ("{\"place\":\"France\"}", None), "{}", got.text());
        // Its first key is none of the schema's, and nor does it fit.
        work.weak.set(stream(&messages(&[call("give_answer", &["{\"nom\":", "1}"])])));
        assert_eq!(work.answers(&for_json(true)).await, "safe/safe-a", "{limits}");
    }
}

/// A name that Anthropic does not take.
const DOTTED: &str = "maps.look";

fn with_tool(stream: bool) -> Value {
    let mut body = ask("task/work", stream, "Where is Lyon?");
    body["tools"] = json!([{"type": "function",
        "function": {"name": DOTTED, "parameters": {"type": "object"}}}]);
    body
}

/// Returns what the provider is told a tool is called.
fn told_name(provider: &Provider) -> String {
    let sent = provider.seen().pop().unwrap().json().unwrap();
    sent["tools"][0]["name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_renamed_tool_is_judged_by_its_own_name() {
    for limits in ["commit: prefix", "check: { mode: enforce, tools: true }"] {
        let work = Work::at("anthropic_messages", "", limits).await;
        work.answers(&with_tool(true)).await;
        let name = told_name(&work.weak);
        assert_ne!(name, DOTTED);
        work.weak.set(stream(&messages(&[call(&name, &["{}"])])));
        let got = work.ask(&with_tool(true)).await;
        assert_eq!(got.header("x-pointsman-model"), Some("weak/m"), "{limits}: {}", got.text());
        assert_eq!(heard(&got).1.as_deref(), Some(DOTTED), "{}", got.text());
        work.weak.set(stream(&messages(&[call("another", &["{}"])])));
        assert_eq!(work.answers(&with_tool(true)).await, "safe/safe-a", "{limits}");
    }
}

const MENDS: &str = "check: { mode: enforce, json: true, repair: true }";

#[tokio::test]
async fn a_mended_stream_is_written_as_any_other() {
    let work = Work::at("bedrock_converse", "", MENDS).await;
    let delta = |index: u8, delta: Value| {
        canned::message("contentBlockDelta", &json!({"contentBlockIndex": index, "delta": delta}))
    };
    let stop =
        |index: u8| canned::message("contentBlockStop", &json!({"contentBlockIndex": index}));
    work.weak.set(canned::script("bedrock_converse", true));
    work.answers(&with_tool(true)).await;
    let sent = work.weak.seen().pop().unwrap().json().unwrap();
    let name = &sent["toolConfig"]["tools"][0]["toolSpec"]["name"];
    let frames = [
        canned::message("messageStart", &json!({"role": "assistant"})),
        delta(0, json!({"text": "```json\n{\"a\":1}\n```"})),
        stop(0),
        canned::message(
            "contentBlockStart",
            &json!({"contentBlockIndex": 1,
                "start": {"toolUse": {"toolUseId": "call_1", "name": name}}}),
        ),
        delta(1, json!({"toolUse": {"input": "{}"}})),
        stop(1),
        canned::message("messageStop", &json!({"stopReason": "tool_use"})),
        canned::message(
            "metadata",
            &json!({"usage": {"inputTokens": 5, "outputTokens": 9, "totalTokens": 14}}),
        ),
    ];
    work.weak.set(canned::answers("application/vnd.amazon.eventstream", frames.concat()));
    for usage in [false, true] {
        let mut body = with_tool(true);
        body["stream_options"] = json!({"include_usage": usage});
        let got = work.ask(&body).await;
        let (text, tool, chunks) = heard(&got);
        assert_eq!(got.header("x-pointsman-model"), Some("weak/m"));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({"a": 1}));
        assert_eq!(tool.as_deref(), Some(DOTTED), "{}", got.text());
        assert!(chunks.iter().all(|chunk| chunk["model"] == "weak/m"), "{}", got.text());
        assert!(chunks[0]["id"].as_str().is_some_and(|id| !id.is_empty()), "{}", got.text());
        assert_eq!(got.text().contains("prompt_tokens"), usage, "{}", got.text());
    }
}

#[tokio::test]
async fn a_mended_stream_tells_usage_to_those_who_ask() {
    let work = Work::at("openai_chat", "", MENDS).await;
    work.weak.set(Script::saying("```json\n{\"a\":1}\n```"));
    for usage in [false, true] {
        let mut body = ask("task/work", true, "hi");
        body["stream_options"] = json!({"include_usage": usage});
        let got = work.ask(&body).await;
        assert_eq!(got.header("x-pointsman-model"), Some("weak/m"));
        assert_eq!(heard(&got).0.trim(), "{\"a\":1}", "{}", got.text());
        assert_eq!(got.text().contains("prompt_tokens"), usage, "{}", got.text());
    }
}

#[tokio::test]
async fn who_only_looks_on_changes_nothing() {
    // A request and an answer in a form of the host's own, which nobody here can read.
    let mut body = ask("task/work", false, "hi");
    body["temperature"] = json!("warm");
    let odd = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": 7}]});
    for limits in ["check: { mode: observe, json: true }", "commit: prefix"] {
        let work = Work::at("openai_chat", "", limits).await;
        work.weak.set(Script::saying("well"));
        assert_eq!(work.answers(&body).await, "weak/m", "{limits}");
        work.weak.set(canned::answers("application/json", odd.to_string()));
        let got = work.ask(&ask("task/work", false, "hi")).await;
        assert_eq!(got.header("x-pointsman-model"), Some("weak/m"), "{limits}");
        assert_eq!(got.json(), odd);
    }
    // Where it must pass, somebody must have looked.
    let work = Work::at("openai_chat", "", "check: { mode: enforce, json: true }").await;
    work.weak.set(canned::answers("application/json", odd.to_string()));
    assert_eq!(work.answers(&ask("task/work", false, "hi")).await, "safe/safe-a");
    assert_eq!(work.served.chat(&body).await.status, 400);
}

#[tokio::test]
async fn a_beginning_is_judged_also_where_the_end_is_there_already() {
    let work = Work::at("openai_chat", "", "commit: prefix").await;
    for text in ["Lyon is in France.", "{\"pla", "```json\n{}\n```"] {
        // First content and end in one read, and an end in the middle of the beginning.
        for script in [at_once(&[said(text), stopped()]), stream(&[said(text), stopped()])] {
            work.weak.set(script);
            assert_eq!(work.answers(&for_json(true)).await, "safe/safe-a", "{text}");
        }
        work.weak.set(Script::saying(text));
        assert_eq!(work.answers(&for_json(false)).await, "safe/safe-a", "{text}");
    }
    let good = "{\"place\":\"France\"}";
    work.weak.set(at_once(&[said(good), stopped()]));
    assert_eq!(work.answers(&for_json(true)).await, "weak/m");
    work.weak.set(Script::saying(good));
    assert_eq!(work.answers(&for_json(false)).await, "weak/m");
}

#[tokio::test]
async fn a_short_text_is_valid_unless_it_refuses() {
    let work = Work::at("openai_chat", "", "commit: prefix").await;
    for (text, by) in [
        ("I'm sorry", "weak/m"),
        ("Yes.", "weak/m"),
        ("I'm sorry, but I can't help with that.", "safe/safe-a"),
    ] {
        for streamed in [false, true] {
            work.weak.set(match streamed {
                false => Script::saying(text),
                true => at_once(&[said(text), stopped()]),
            });
            assert_eq!(work.answers(&ask("task/work", streamed, "hi")).await, by, "{text}");
        }
    }
}

#[tokio::test]
async fn what_comes_after_the_end_does_not_undo_it() {
    let work = Work::at("bedrock_converse", "", "commit: first_token").await;
    let mut frames = canned::frames("bedrock_converse").concat();
    frames.extend_from_slice(&[0x55; 64]);
    work.weak.set(at_once(&[frames]));
    let got = work.ask(&ask("task/work", true, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("weak/m"));
    assert!(got.text().ends_with("data: [DONE]\n\n"), "{}", got.text());
}

fn with_pings(mut block: (Value, Vec<Value>)) -> (Value, Vec<Value>) {
    let last = block.1.split_off(1);
    block.1.extend((0..40).map(|_| json!({"type": "ping"})));
    block.1.extend(last);
    block
}

#[tokio::test]
async fn pings_stand_for_a_model_except_in_the_middle_of_a_text() {
    let limits = "timeout: 20s, silence: 1200ms, total: 60s";
    let work = Work::at("anthropic_messages", "", limits).await;
    let slowly = |frames: Vec<Vec<u8>>| {
        let answer = canned::raw(200, "text/event-stream", frames.concat());
        Script::of(answer.failing(Fault::SlowChunks(std::time::Duration::from_millis(60))))
    };
    work.weak.set(slowly(messages(&[with_pings(text(&["Lyon ", "is."]))])));
    let got = work.ask(&ask("task/work", true, "hi")).await;
    assert!(got.text().contains("fell silent for 1.2 s"), "{}", got.text());
    let gathered = call("look", &["{", "}"]);
    work.weak.set(slowly(messages(&[text(&["Looking."]), with_pings(gathered)])));
    let got = work.ask(&ask("task/work", true, "hi")).await;
    assert!(got.text().ends_with("data: [DONE]\n\n"), "{}", got.text());
}

async fn circuit(served: &Served) -> Value {
    let page = served.get("/api/health/targets").await.json();
    let all = page["targets"].as_array().unwrap();
    all.iter().find(|target| target["target"] == "weak/m").unwrap()["circuit"].clone()
}

#[tokio::test]
async fn a_request_that_runs_out_of_its_own_time_blames_nobody() {
    let weak = provider(Script::of(Answer::text("x").failing(Fault::NeverAnswer))).await;
    let setup = Setup::new();
    setup.speaker("weak", &weak.base_url(), "openai_chat", "");
    setup.configure("breaker: { consecutive: 1, open: 60s }");
    let task = |limits: &str| format!("{{ primary: weak/m, retries: 0, {limits} }}");
    setup.table(&format!(
        "version: t\ndefault_model: weak/m\ntasks:\n  short: {}\n  own: {}\n",
        task("total: 300ms"),
        task("timeout: 300ms, total: 30s")
    ));
    let served = setup.serve();
    for streamed in [false, true] {
        let got = served.chat(&ask("task/short", streamed, "hi")).await;
        assert_eq!((got.status, got.code().as_str()), (504, "deadline_exceeded"));
        assert!(got.message().contains("`total`"), "{}", got.text());
    }
    let cut = Answer::text("some words come and then").failing(Fault::SilenceAfter(3));
    weak.set(Script::of(cut));
    let got = served.chat(&ask("task/short", true, "hi")).await;
    assert!(got.text().contains("\"deadline_exceeded\""), "{}", got.text());
    assert_eq!(circuit(&served).await, "closed");
    weak.set(Script::of(Answer::text("x").failing(Fault::NeverAnswer)));
    let got = served.chat(&ask("task/own", false, "hi")).await;
    assert_eq!((got.status, got.code().as_str()), (504, "timeout"));
    assert_eq!(circuit(&served).await, "open");
}
