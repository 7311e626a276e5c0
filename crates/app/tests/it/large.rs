//! The largest bodies that are taken, and very many tools: answered in both lanes, in a memory that
//! is bounded by the body's size.

use serde_json::{Value, json};
use testkit::{Provider, Script};

use crate::canned;
use crate::clients::Client;
use crate::support::{Served, Setup};

const MIB: usize = 1 << 20;

/// Returns the most memory a process has had, in bytes, where the system tells.
fn most_memory(served: &Served) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", served.child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: usize = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024)
}

async fn answered(dialect: &str, body: &[u8], sent: &dyn Fn(&[u8])) {
    let provider = Provider::start(Script::saying("")).await.unwrap();
    provider.set(canned::script(dialect, false));
    let setup = Setup::new();
    setup.speaker("p", &provider.base_url(), dialect, "");
    let served = setup.serve();
    let before = most_memory(&served);
    let got = served.post("/v1/chat/completions", body.to_vec(), &[]).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(Client::Chat.heard(&got.json()).text, "Looking.");
    sent(&provider.seen()[0].body);
    let (Some(before), Some(most)) = (before, most_memory(&served)) else { return };
    // Measured: two and a half times the body as it is, ten times translated.
    let times = if dialect == "openai_chat" { 4 } else { 12 };
    let bound = times * body.len() + 64 * MIB;
    assert!(most - before < bound, "{} MiB for {} MiB", (most - before) / MIB, body.len() / MIB);
}

#[tokio::test]
async fn a_body_as_large_as_can_be_is_answered_in_both_lanes() {
    // A text with an escape must be read and written anew.
    let line = "wörds ".repeat(500) + "\n";
    let frame = Client::Chat.saying("p/m", "").to_string().len();
    let said = line.repeat((32 * MIB - frame) / (line.len() + 1));
    let body = Client::Chat.saying("p/m", &said).to_string().into_bytes();
    assert!(body.len() <= 32 * MIB && body.len() > 31 * MIB, "{}", body.len());
    for dialect in ["openai_chat", "anthropic_messages"] {
        answered(dialect, &body, &|sent| assert!(sent.len() > 31 * MIB)).await;
    }
    let provider = Provider::start(Script::saying("hi")).await.unwrap();
    let setup = Setup::new();
    setup.speaker("p", &provider.base_url(), "openai_chat", "");
    let served = setup.serve();
    let longer = [&body[..], &b" ".repeat(32 * MIB + 1 - body.len())].concat();
    let got = served.post("/v1/chat/completions", longer, &[]).await;
    assert_eq!((got.status, got.code()), (413, "request_too_large".to_owned()));
    assert_eq!(provider.asked(), 0);
}

#[tokio::test]
async fn a_client_that_is_refused_while_it_sends_still_reads_why() {
    let mut setup = Setup::new();
    setup.configure("keys: [{ name: team, secret: 'env:TEAM_KEY' }]\nlimits: { body: 4194304 }");
    setup.environment.push(("TEAM_KEY".into(), "sekret".into()));
    let served = setup.serve();
    for (path, size, key, status) in [
        ("/v1/messages", 3 * MIB, "wrong", 401),
        ("/v1/messages", 15 * MIB, "wrong", 401),
        ("/v1/messages", 15 * MIB, "sekret", 413),
        ("/v1/nowhere", 15 * MIB, "sekret", 404),
        ("/v1/models", 15 * MIB, "sekret", 405),
    ] {
        let got = served.post(path, vec![b' '; size], &[("x-api-key", key)]).await;
        assert_eq!(got.status, status, "{path}: {}", got.text());
    }
}

#[tokio::test]
async fn two_thousand_tools_are_answered_in_both_lanes() {
    let tool = |at: usize| {
        json!({"type": "function", "function": {"name": format!("tool_{at}"),
            "description": "Does one of two thousand things.",
            "parameters": {"type": "object", "required": ["place"], "properties": {
                "place": {"type": "string", "description": "Where."},
                "how": {"anyOf": [{"type": "integer"}, {"enum": ["fast", "slow"]}]}}}}})
    };
    let mut body = Client::Chat.saying("p/m", "hi");
    body["tools"] = (0..2_000).map(tool).collect();
    let body = body.to_string().into_bytes();
    let named = |list: &Value| list.as_array().map_or(0, Vec::len);
    for (dialect, at) in [
        ("openai_chat", "/tools"),
        ("anthropic_messages", "/tools"),
        ("gemini", "/tools/0/functionDeclarations"),
        ("cohere_v2", "/tools"),
    ] {
        let all = |sent: &[u8]| {
            let sent: Value = serde_json::from_slice(sent).unwrap();
            assert_eq!(sent.pointer(at).map(named), Some(2_000), "{dialect}");
        };
        answered(dialect, &body, &all).await;
    }
}
