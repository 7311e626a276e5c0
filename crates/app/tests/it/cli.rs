//! The commands, as their users see them.

use serde_json::Value;
use testkit::{Provider, Script};

use crate::support::{Setup, ask};

#[test]
fn the_demo_needs_no_key_and_tells_what_each_request_cost() {
    let setup = Setup::new();
    let (code, out, error) = setup.run(&["demo", "--json"]);
    assert_eq!(code, 0, "{error}");
    let demo: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(demo["badge"], "DEMO");
    let requests = demo["requests"].as_array().unwrap();
    for task in [
        "chat",
        "code_generation",
        "summarization",
        "translation",
        "classification",
        "creative_writing",
        "agent_chain",
        "rag",
    ] {
        let of_task: Vec<_> = requests.iter().filter(|request| request["task"] == task).collect();
        assert!(!of_task.is_empty(), "{task}");
        for request in of_task {
            for field in ["model", "reason", "cost_usd", "baseline_cost_usd", "decision"] {
                assert!(request[field].is_string(), "{task}: {field} in {request}");
            }
        }
    }
    let fell_back =
        requests.iter().find(|request| request["reason"].as_str().unwrap().contains("failed"));
    assert_eq!(fell_back.unwrap()["model"], "deepseek/deepseek-v4-pro");
    let (code, out, _) = setup.run(&["demo"]);
    assert_eq!(code, 0);
    assert!(out.starts_with("DEMO") && !out.contains('\u{1b}'), "no colour in a pipe: {out}");
}

#[test]
fn init_is_idempotent_and_shows_what_it_would_change() {
    let setup = Setup::new();
    let (code, out, _) = setup.run(&["init", "new"]);
    assert_eq!(code, 0);
    assert!(out.contains("wrote new/pointsman.yaml"), "{out}");
    let (_, out, _) = setup.run(&["init", "new"]);
    assert!(
        out.contains("unchanged new/pointsman.yaml") && out.contains("unchanged new/routing.yaml"),
        "{out}"
    );
    let edited = std::fs::read_to_string(setup.path("new/routing.yaml"))
        .unwrap()
        .replace("gpt-4o", "gpt-4.1");
    setup.write("new/routing.yaml", &edited);
    let (_, out, _) = setup.run(&["init", "new"]);
    assert!(
        out.contains("- default_model: gpt-4.1") && out.contains("+ default_model: gpt-4o"),
        "{out}"
    );
    assert_eq!(
        std::fs::read_to_string(setup.path("new/routing.yaml")).unwrap(),
        edited,
        "kept without --yes"
    );
    let (_, out, _) = setup.run(&["init", "new", "--yes"]);
    assert!(out.contains("replaced new/routing.yaml"), "{out}");
    let (code, out, error) = setup.run(&["--config", "new/pointsman.yaml", "serve", "--dry-run"]);
    assert_eq!(code, 0, "{out}{error}");
}

#[test]
fn every_problem_of_a_table_is_told_at_once_with_its_place() {
    let setup = Setup::new();
    setup.write(
        "table.yaml",
        "version: v\ndefault_model: gpt4o\ntasks:\n  Labels: { primary: gpt-4o, fallbacks: [gpt-4o, claud-sonnet-4.6] }\n",
    );
    let (code, out, _) = setup.run(&["routing", "check", "table.yaml"]);
    assert_eq!(code, 3);
    let shape = "table.yaml:4:11: tasks.Labels: callers could not name this task";
    assert!(out.contains(shape) && out.contains("`gpt-4o` is in this task already"), "{out}");
    setup.write(
        "table.yaml",
        "version: v\ndefault_model: gpt4o\ntasks:\n  labels: { primary: gpt-4o, fallbacks: [claud-sonnet-4.6] }\n",
    );
    let (code, out, _) = setup.run(&["routing", "check", "table.yaml"]);
    assert_eq!(code, 3);
    assert!(out.contains("table.yaml:2:16: default_model: no provider serves `gpt4o`"), "{out}");
    assert!(out.contains("table.yaml:4:42: tasks.labels.fallbacks[0]"), "{out}");
    assert!(out.contains("`claude-sonnet-4.6`"), "{out}");
    let (code, ..) = setup.run(&["routing", "check"]);
    assert_eq!(code, 0, "the shipped table is sound");
}

#[test]
fn explain_tells_where_a_request_would_go() {
    let setup = Setup::new();
    let (code, out, error) =
        setup.run(&["routing", "explain", "--task", "translation", "--all", "--json"]);
    assert_eq!(code, 0, "{error}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["targets"][0]["target"], "qwen/qwen3.6-plus");
    assert_eq!(told["targets"][1]["target"], "openai/gpt-4o");
    let (code, _, error) = setup.run(&["routing", "explain", "--model", "gpt4o"]);
    assert_eq!(code, 1);
    assert!(error.contains("did you mean `gpt-4o`"), "{error}");
}

#[test]
fn a_config_that_is_wrong_starts_nothing() {
    for (config, told) in [
        ("listn: 127.0.0.1:0\n", "pointsman.yaml:1:1: listn: unknown key"),
        ("listen: 0.0.0.0:4141\n", "everybody who reaches this address"),
        ("listen: here\n", "not an address with a port"),
        ("limits: { body: yes }\n", "limits.body"),
        ("keys: [{ name: a, secret: sk-1234 }]\n", "not a reference to a secret"),
        ("database: ${NOWHERE_SET}\n", "NOWHERE_SET"),
        ("listen: [\n", "pointsman.yaml:1:9"),
    ] {
        let setup = Setup::new();
        setup.write("pointsman.yaml", config);
        let (code, out, error) = setup.run(&["serve"]);
        assert_eq!(code, 3, "{config}{error}");
        assert_eq!(out, "", "{config}");
        assert!(error.contains(told), "{config}{error}");
        assert!(!error.contains("sk-1234"), "{error}");
    }
}

#[tokio::test]
async fn usage_sums_by_task_and_model_against_a_named_baseline() {
    let provider = Provider::start(Script::saying("four words of answer")).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    setup.table("version: v\ndefault_model: one/one-a\ntasks:\n  labels: { primary: one/one-b }\n");
    let served = setup.serve();
    for model in ["task/labels", "task/labels", "one-a"] {
        assert_eq!(served.chat(&ask(model, false, "hi")).await.status, 200);
    }
    let (code, out, error) = setup.run(&[
        "usage",
        "--by",
        "task,model,day",
        "--baseline",
        "gpt-4o",
        "--json",
        "--tz",
        "UTC",
    ]);
    assert_eq!(code, 0, "{error}");
    let usage: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(usage["baseline"], "gpt-4o");
    let groups = usage["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["group"][0], "labels");
    assert_eq!(groups[0]["requests"], 2);
    let nano =
        |line: &Value, field: &str| line[field].as_str().unwrap().parse::<ir::Money>().unwrap().0;
    for field in ["cost_usd", "baseline_usd", "saved_usd"] {
        let sum: i64 = groups.iter().map(|group| nano(group, field)).sum();
        assert_eq!(sum, nano(&usage["total"], field), "{field}: the groups are the total");
    }
    let total = &usage["total"];
    assert_eq!(nano(total, "saved_usd"), nano(total, "baseline_usd") - nano(total, "cost_usd"));
    let (code, out, _) = setup.run(&["usage"]);
    assert_eq!(code, 0);
    assert!(out.contains("labels") && out.contains("estimate"), "{out}");
    let (code, _, error) = setup.run(&["usage", "--since", "7\u{fc}"]);
    assert_eq!(code, 1, "{error}");
    let (code, _, error) = setup.run(&["usage", "--since", "yesterday"]);
    assert_eq!(code, 1);
    assert!(error.contains("write 24h, 7d, 4w"), "{error}");
}

#[test]
fn doctor_says_what_is_missing_and_what_to_do() {
    let setup = Setup::new();
    let (code, out, _) = setup.run(&["doctor", "--json"]);
    assert_eq!(code, 1);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["version"], 1);
    assert_eq!(told["healthy"], false);
    let checks = told["checks"].as_array().unwrap();
    let failed = checks.iter().find(|check| check["result"] == "failed").unwrap();
    assert!(failed["help"].as_str().unwrap().contains("pointsman demo"), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_server_is_found_and_the_printed_model_exists() {
    let local = Provider::start(
        Script::saying("hello")
            .when(testkit::When::model("tiny-1"), testkit::Answer::text("hello from tiny")),
    )
    .await
    .unwrap();
    let mut setup = Setup::new();
    let address = local.base_url().trim_end_matches("/v1").to_owned();
    setup.environment.push(("LLAMACPP_BASE_URL".into(), address));
    let (_, out, _) = setup.run(&["serve", "--dry-run"]);
    assert!(out.contains("\"model\":\"llamacpp/tiny-1\""), "{out}");
    assert!(out.contains("gpt-4o is not configured, so llamacpp/tiny-1 stands in for it"), "{out}");
    let served = setup.serve();
    let got = served.chat(&ask("auto", false, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("llamacpp/tiny-1"));
    assert_eq!(
        got.header("x-pointsman-cost-usd"),
        Some("0"),
        "one's own machine is priced at nothing"
    );
}

#[tokio::test]
async fn the_address_of_the_command_line_wins_and_is_checked_like_the_files() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let setup = Setup::new();
    setup.write("pointsman.yaml", &format!("listen: {}\n", taken.local_addr().unwrap()));
    let served = setup.serve_with(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(served.get("/health/live").await.status, 200);
    let (code, _, error) = setup.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(code, 1);
    assert!(error.contains("everybody who reaches this address"), "{error}");
}
