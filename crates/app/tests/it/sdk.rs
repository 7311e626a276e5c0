//! The OpenAI SDK against the gateway: what its users see, exceptions included.
//!
//! `scripts/test` installs the SDKs under `target/sdk`; without it these tests say so, and fail in CI.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use testkit::{Answer, Fault, Provider, Script, When};

use crate::support::Setup;

/// Returns the Python that has the SDK.
pub(crate) fn python() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/sdk/bin/python");
    if python.exists() {
        return Some(python);
    }
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "the SDK is not there: run scripts/test"
    );
    told("the SDK is not there: scripts/test installs it");
    None
}

/// Says something past the harness, which shows nothing that a passing test prints.
pub(crate) fn told(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

pub(crate) async fn run(script: &str, arguments: Vec<String>) -> Option<(bool, String)> {
    let python = python()?;
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(script);
    let ran = tokio::task::spawn_blocking(move || {
        Command::new(python).arg(script).args(arguments).output()
    });
    let output = ran.await.unwrap().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.is_empty(), "{out}{error}");
    Some((output.status.success(), out))
}

/// The matrix of the article: task, primary, fallback, as the shipped table has them.
const MATRIX: [(&str, &str, &str); 8] = [
    ("chat", "deepseek/deepseek-v4-pro", "openai/gpt-4o"),
    ("code_generation", "deepseek/deepseek-v4-pro", "openai/gpt-4o"),
    ("summarization", "deepseek/deepseek-v4-flash", "deepseek/deepseek-v4-pro"),
    ("translation", "qwen/qwen3.6-plus", "openai/gpt-4o"),
    ("classification", "deepseek/deepseek-v4-flash", "deepseek/deepseek-v4-pro"),
    ("creative_writing", "anthropic/claude-sonnet-4-6", "openai/gpt-4o"),
    ("agent_chain", "openai/gpt-4o", "anthropic/claude-sonnet-4-6"),
    ("rag", "deepseek/deepseek-v4-pro", "openai/gpt-4o"),
];

/// The ways a target fails, by the word in the prompt.
fn ways() -> Vec<(&'static str, Fault)> {
    vec![
        ("status", Fault::status(503)),
        ("timeout", Fault::NeverAnswer),
        ("refused", Fault::Refuse),
        ("cut", Fault::CutBeforeFirstToken),
    ]
}

/// One provider for every host of the table: `[way]` in the prompt fails a task's primary, and
/// `[all]` fails everybody.
fn script() -> Script {
    let mut script = Script::saying("answered");
    script = script.when(When::said("[all]"), Answer::text("").failing(Fault::status(500)));
    for (task, primary, _) in MATRIX {
        let model = primary.split_once('/').unwrap().1;
        for (way, fault) in ways() {
            let when = When::model(model).and(When::said(&format!("[{way} {task}]")));
            script = script.when(when, Answer::text("").failing(fault));
        }
    }
    script
}

#[tokio::test(flavor = "multi_thread")]
async fn every_task_lands_on_its_primary_then_its_fallback_then_tells_all_attempts() {
    let provider = Provider::start(script()).await.unwrap();
    let setup = Setup::new();
    for host in ["deepseek", "openai", "qwen", "anthropic"] {
        setup.redirect(host, &provider.base_url());
    }
    let table =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/routing.yaml"));
    setup.table(&table.unwrap().replace("timeout: 30s", "timeout: 500ms, retries: 0"));
    setup.never_open();
    let served = setup.serve();
    let mut rows = Vec::new();
    for (task, ..) in MATRIX {
        let mut words: Vec<String> =
            ways().iter().map(|(way, _)| format!("{way} {task}")).collect();
        words.extend(["well".to_owned(), "all".to_owned()]);
        let arguments =
            vec![served.base.clone(), json!([task]).to_string(), json!(words).to_string()];
        let Some((_, out)) = run("matrix.py", arguments).await else { return };
        rows.extend(out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    assert_eq!(rows.len(), MATRIX.len() * 6 * 2);
    for row in rows {
        let (_, primary, fallback) = MATRIX.iter().find(|(task, ..)| row["task"] == *task).unwrap();
        match row["way"].as_str().unwrap() {
            "well" => assert_eq!(
                (&row["model"], &row["attempts"]),
                (&json!(primary), &json!("1")),
                "{row}"
            ),
            "all" => {
                assert_eq!(row["raised"], "InternalServerError", "{row}");
                assert_eq!(row["targets"], json!([primary, fallback]), "{row}");
                let message = row["message"].as_str().unwrap();
                assert!(message.contains(primary) && message.contains(fallback), "{row}");
            }
            _ => {
                assert_eq!(
                    (&row["model"], &row["attempts"]),
                    (&json!(fallback), &json!("2")),
                    "{row}"
                );
                assert_eq!(row["text"], "answered");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_works_against_a_scripted_provider() {
    let weather = Answer::tool_call("get_weather", "{\"city\":\"Paris\"}");
    let script = Script::saying("Hello there.")
        .when(When::said("weather in Paris").and(When::last_role("user")), weather)
        .when(When::said("The mood of"), Answer::text("{\"mood\":\"glad\",\"score\":4}"));
    let provider = Provider::start(script).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    let served = setup.serve();
    let arguments = vec![served.base.clone(), "one/one-a".to_owned(), "scripted".to_owned()];
    let Some((passed, out)) = run("surface.py", arguments).await else { return };
    assert!(passed, "{out}");
}

/// Opt in with `POINTSMAN_LOCAL_LLM=http://127.0.0.1:PORT`, the address of a llama.cpp server that
/// `scripts/local-llm` started.
#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_works_against_a_real_model() {
    let Ok(address) = std::env::var("POINTSMAN_LOCAL_LLM") else {
        told("no real model: POINTSMAN_LOCAL_LLM=1 scripts/test starts one");
        return;
    };
    let mut setup = Setup::new();
    setup.environment.push(("LLAMACPP_BASE_URL".into(), address));
    let served = setup.serve();
    let list = served.get("/v1/models").await.json();
    let found = list["data"].as_array().unwrap().iter().find_map(|entry| {
        entry["id"].as_str().filter(|id| id.starts_with("llamacpp/")).map(str::to_owned)
    });
    let model = found.expect("serve finds the server's model");
    let arguments = vec![served.base.clone(), model, "real".to_owned()];
    let Some((passed, out)) = run("surface.py", arguments).await else { return };
    println!("{out}");
    assert!(passed, "{out}");
    let curl = Command::new("curl")
        .args(["-sS", &format!("{}/chat/completions", served.base), "-H", "content-type: application/json", "-d"])
        .arg(r#"{"model":"auto","max_tokens":16,"messages":[{"role":"user","content":"Say hello"}]}"#)
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&curl.stdout).unwrap();
    assert!(answer["choices"][0]["message"]["content"].is_string(), "{answer}");
}
