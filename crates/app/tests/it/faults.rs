//! The fault suite: this gateway passes it, and gateways with a known sin do not.

mod sinner;

use std::fmt::Write as _;

use serde_json::Value;

use crate::reference;
use crate::support::Setup;

use sinner::{Sin, Sinner};

/// Runs the suite and returns its report.
fn run(arguments: &[&str]) -> Value {
    let setup = Setup::new();
    let all = [&["faults", "--json"], arguments].concat();
    let (code, out, error) = setup.run(&all);
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
    let passed = report["passed"] == report["total"];
    assert_eq!(code, i32::from(!passed), "the exit code says whether all passed: {error}");
    report
}

fn rows(report: &Value) -> &Vec<Value> {
    report["rows"].as_array().unwrap()
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap()
}

/// Says which verdicts of a row failed.
fn failed(row: &Value) -> Vec<&str> {
    let verdicts = row["verdicts"].as_object().unwrap();
    let failed = verdicts.iter().filter(|(_, told)| told["verdict"] == "fail");
    failed.map(|(name, _)| name.as_str()).collect()
}

#[test]
fn this_gateway_passes() {
    let report = run(&["--target", "pointsman"]);
    assert!(rows(&report).len() > 300, "{}", rows(&report).len());
    let failing = rows(&report).iter().filter(|row| row["passed"] == false).map(|row| {
        let place = ["scenario", "client", "shape", "when", "route"].map(|name| text(row, name));
        format!("{place:?}: {:#}\n{:#}\n", row["verdicts"], row["saw"])
    });
    let failing: Vec<String> = failing.collect();
    assert!(failing.is_empty(), "{}", failing.concat());
}

/// Runs some scenarios against a gateway with a sin, and returns the rows without a fallback.
async fn judged(sin: Sin, scenarios: &[&str]) -> Vec<Value> {
    let sinner = Sinner::start(sin).await;
    let (wall, target) = (sinner.wall.to_string(), sinner.base());
    let mut arguments = vec!["--target".to_owned(), target, "--wall-port".to_owned(), wall];
    for name in scenarios {
        arguments.extend(["--only".to_owned(), (*name).to_owned()]);
    }
    let report = tokio::task::spawn_blocking(move || {
        run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    });
    rows(&report.await.unwrap()).clone()
}

/// Checks which verdicts of the rows without a fallback fail.
fn check(rows: &[Value], scenario: &str, shape: &str, when: &str, expected: &[&str]) {
    let found = rows.iter().find(|row| {
        ["scenario", "shape", "when", "route"].map(|name| text(row, name))
            == [scenario, shape, when, "alone"]
    });
    let row = found.unwrap_or_else(|| panic!("no row {scenario} {shape} {when}"));
    assert_eq!(failed(row), expected, "{:#}\n{:#}", row["verdicts"], row["saw"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_makes_clean_ends_of_cuts_fails() {
    let scenarios = ["cut", "silence", "500", "500-stack-trace", "401", "client-leaves-early"];
    let rows = judged(Sin::EndsClean, &[&scenarios[..], &["crlf", "slow-frames"]].concat()).await;
    check(&rows, "cut", "stream", "after", &["ended_properly", "status_and_kind"]);
    check(&rows, "cut", "whole", "before", &["ended_properly", "status_and_kind"]);
    let hung = ["ended_properly", "nothing_leaked", "status_and_kind", "time_bound"];
    check(&rows, "silence", "stream", "after", &hung);
    check(&rows, "500-stack-trace", "whole", "before", &["nothing_leaked"]);
    check(&rows, "401", "whole", "before", &["nothing_leaked"]);
    check(&rows, "client-leaves-early", "whole", "before", &["nothing_leaked"]);
    check(&rows, "slow-frames", "stream", "after", &["time_bound"]);
    // What it does right is not held against it.
    check(&rows, "500", "whole", "before", &[]);
    check(&rows, "crlf", "stream", "after", &[]);
    let reached = rows.iter().filter(|row| row["route"] == "fallback" && row["scenario"] == "500");
    for row in reached {
        assert_eq!(failed(row), ["fallback_reached"], "it has no fallback at all");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_tries_for_ever_fails() {
    let scenarios = ["503", "400", "429-seconds"];
    let rows = judged(Sin::Storms, &scenarios).await;
    for scenario in ["503", "400", "429-seconds"] {
        check(&rows, scenario, "whole", "before", &["attempts_bounded"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_goes_on_with_another_model_fails() {
    let rows = judged(Sin::Splices, &["cut", "error-frame"]).await;
    let mixed = ["ended_properly", "fallback_reached", "status_and_kind"];
    check(&rows, "cut", "stream", "after", &mixed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_blames_its_clients_fails() {
    let rows = judged(Sin::Blames, &["503", "429", "400"]).await;
    check(&rows, "503", "whole", "before", &["status_and_kind"]);
    check(&rows, "429", "stream", "before", &["status_and_kind"]);
    check(&rows, "400", "whole", "before", &[]);
}

#[test]
fn what_other_gateways_need_is_printed() {
    let setup = Setup::new();
    let said = |gateway: &str| {
        let (code, out, error) =
            setup.run(&["faults", "--config-for", gateway, "--wall-port", "7"]);
        assert_eq!(code, 0, "{error}");
        out
    };
    assert!(said("litellm").contains("http://127.0.0.1:7/v1"));
    let headers: Value = serde_json::from_str(&said("portkey")).unwrap();
    assert!(headers["anthropic"]["alone"]["x-portkey-config"].is_string());
    let script = said("pointsman");
    setup.write("write.sh", &script);
    let mut shell = std::process::Command::new("sh");
    let wrote = shell.arg("write.sh").current_dir(&setup.folder).output().unwrap();
    assert!(wrote.status.success());
    let mut check = setup.command(&["routing", "check"]);
    let checked = check.env("WALL_API_KEY", "sk").output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn reports_are_compared_side_by_side() {
    let setup = Setup::new();
    let (_, report, _) = setup.run(&["faults", "--only", "500", "--json"]);
    setup.write("one.json", &report);
    let (code, out, error) = setup.run(&["faults", "--compare", "one.json", "one.json"]);
    assert_eq!(code, 0, "{error}");
    assert!(out.contains("4/4") && out.lines().all(|line| line.chars().count() <= 100), "{out}");
    let (code, _, error) = setup.run(&["faults", "--only", "nonsense"]);
    assert!(code == 1 && error.contains("--list"), "{error}");
}

#[test]
fn the_reference_page_of_the_faults_is_fresh() {
    let setup = Setup::new();
    let (_, out, _) = setup.run(&["faults", "--list", "--json"]);
    let list: Value = serde_json::from_str(&out).unwrap();
    let mut page = format!("{PAGE}\n## Verdicts\n\n| verdict | a pass means |\n|---|---|\n");
    for judge in list["verdicts"].as_array().unwrap() {
        writeln!(page, "| `{}` | {} |", text(judge, "verdict"), text(judge, "about")).unwrap();
    }
    writeln!(page, "{SCENARIOS}").unwrap();
    for row in list["scenarios"].as_array().unwrap() {
        let kinds = ["whole", "before", "after"].iter().filter_map(|kind| {
            let fault = row["faults"][*kind].as_str().filter(|fault| !fault.is_empty())?;
            Some(format!("{kind} `{fault}`"))
        });
        writeln!(
            page,
            "| `{}` | {} | {} | {} | {} | {} | {} |",
            text(row, "scenario"),
            text(row, "about"),
            kinds.collect::<Vec<_>>().join("; "),
            text(row, "with_fallback"),
            text(row, "alone"),
            row["attempts"],
            row["seconds"],
        )
        .unwrap();
    }
    reference::check("faults.md", &page);
}

const SCENARIOS: &str = "
## Scenarios

The faults are those of the scripted provider, by shape and moment: a whole answer, a stream before
its first content, a stream after it. *With* and *alone* say what a client may expect before content
with a fallback and without one; after content it may expect an error frame and no good end, unless
*with* says that the answer is good. *Requests* is how many one request of the client may cost at the
faulty model, *seconds* how long it may take.

| scenario | what happens | faults | with | alone | requests | seconds |
|---|---|---|---|---|---|---|";

const PAGE: &str = include_str!("faults/page.md");
