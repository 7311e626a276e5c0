//! Plans, from the shipped table and from small ones.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

use std::fmt::Write as _;

use catalog::Catalog;
use expect_test::{Expect, expect};
use router::{Ask, Commit, NoPlan, Plan, Table, plan};
use yaml::Vars;

fn shown(plan: &Plan) -> String {
    let targets: Vec<String> = plan.targets.iter().map(|step| step.name()).collect();
    let mut out = format!("{}: {} — {}\n", plan.task, targets.join(", then "), plan.reason);
    for skip in &plan.skipped {
        writeln!(out, "  without {} ({})", skip.model, skip.why).unwrap();
    }
    out
}

/// Plans with the shipped table where these providers can be reached.
fn check(ask: &Ask<'_>, reached: &[&str], expected: &Expect) {
    let (table, catalog) = (Table::shipped(), Catalog::shipped());
    let told = match plan(ask, &table, &catalog, &|id| reached.contains(&id)) {
        Ok(plan) => shown(&plan),
        Err(none) => format!("{none:?}\n"),
    };
    expected.assert_eq(&told);
}

const ALL: [&str; 5] = ["openai", "anthropic", "deepseek", "qwen", "google"];

#[test]
fn each_task_of_the_article_has_its_row() {
    let (table, catalog) = (Table::shipped(), Catalog::shipped());
    let mut told = String::new();
    for task in table.tasks.keys() {
        let ask =
            Ask { model: "auto", header_task: Some(task), metadata_task: None, ..Ask::default() };
        told += &shown(&plan(&ask, &table, &catalog, &|id| ALL.contains(&id)).unwrap());
    }
    expect![[r#"
        agent_chain: openai/gpt-4o, then anthropic/claude-sonnet-4-6 — the routing table has this task
        chat: deepseek/deepseek-v4-pro, then openai/gpt-4o — the routing table has this task
        classification: deepseek/deepseek-v4-flash, then deepseek/deepseek-v4-pro — the routing table has this task
        code_generation: deepseek/deepseek-v4-pro, then openai/gpt-4o — the routing table has this task
        creative_writing: anthropic/claude-sonnet-4-6, then openai/gpt-4o — the routing table has this task
        rag: deepseek/deepseek-v4-pro, then openai/gpt-4o — the routing table has this task
        summarization: deepseek/deepseek-v4-flash, then deepseek/deepseek-v4-pro — the routing table has this task
        translation: qwen/qwen3.6-plus, then openai/gpt-4o — the routing table has this task
    "#]]
    .assert_eq(&told);
}

#[test]
fn the_header_comes_before_the_metadata_and_both_before_the_model() {
    let ask = Ask {
        model: "gpt-4o",
        header_task: Some("rag"),
        metadata_task: Some("chat"),
        ..Ask::default()
    };
    check(
        &ask,
        &ALL,
        &expect![[r#"
        rag: deepseek/deepseek-v4-pro, then openai/gpt-4o — the routing table has this task
    "#]],
    );
    let ask = Ask {
        model: "task/rag",
        header_task: Some(" "),
        metadata_task: Some("translation"),
        ..Ask::default()
    };
    check(
        &ask,
        &ALL,
        &expect![[r#"
        translation: qwen/qwen3.6-plus, then openai/gpt-4o — the routing table has this task
    "#]],
    );
}

#[test]
fn a_named_model_stands_alone() {
    check(
        &Ask { model: "gpt-4o", ..Ask::default() },
        &ALL,
        &expect![[r#"
        none: openai/gpt-4o — the request names this model
    "#]],
    );
    check(
        &Ask { model: "gpt-4o", ..Ask::default() },
        &["qwen"],
        &expect![[r#"
        Model { name: "gpt-4o", missing: NotConfigured { name: "openai/gpt-4o", needs: "env:OPENAI_API_KEY" } }
    "#]],
    );
}

#[test]
fn what_cannot_be_reached_is_left_out_and_told() {
    let ask = Ask { model: "task/translation", ..Ask::default() };
    check(
        &ask,
        &["openai"],
        &expect![[r#"
        translation: openai/gpt-4o — the routing table has this task
          without qwen-3.6-plus (not configured: it needs env:DASHSCOPE_API_KEY)
    "#]],
    );
    let ask = Ask { model: "task/summarization", ..Ask::default() };
    check(
        &ask,
        &["openai"],
        &expect![[r#"
        summarization: openai/gpt-4o — none of the task's models is configured, so the default model
          without deepseek-v4-flash (not configured: it needs env:DEEPSEEK_API_KEY)
          without deepseek-v4-pro (not configured: it needs env:DEEPSEEK_API_KEY)
    "#]],
    );
    check(
        &ask,
        &[],
        &expect![[r#"
        Nothing { skipped: [Skipped { model: "deepseek-v4-flash", why: "not configured: it needs env:DEEPSEEK_API_KEY" }, Skipped { model: "deepseek-v4-pro", why: "not configured: it needs env:DEEPSEEK_API_KEY" }, Skipped { model: "gpt-4o", why: "not configured: it needs env:OPENAI_API_KEY" }] }
    "#]],
    );
}

#[test]
fn an_unknown_task_and_no_task_stay_with_the_safe_model() {
    check(
        &Ask { model: "task/summarisation", ..Ask::default() },
        &ALL,
        &expect![[r#"
        summarisation: openai/gpt-4o — the routing table does not have this task (nearest: `summarization`), so the default model
    "#]],
    );
    check(
        &Ask { model: "auto", ..Ask::default() },
        &ALL,
        &expect![[r#"
        none: openai/gpt-4o — no task was named, so the default model
    "#]],
    );
}

#[test]
fn limits_come_from_the_task_then_the_defaults_then_the_program() {
    let text = "version: v\ndefault_model: gpt-4o\ndefaults: { timeout: 5s }\ndirect: { total: 2m }\n\
                tasks:\n  a: { primary: gpt-4o, commit: checked }\n  b: { primary: gpt-4o, timeout: 1s }\n";
    let (table, _) = Table::parse("t.yaml", text, Vars::Keep).unwrap();
    let limits = |task: &str| table.tasks[task].limits.clone();
    assert_eq!((limits("a").timeout.as_secs(), limits("a").commit), (5, Commit::Checked));
    assert_eq!((limits("b").timeout.as_secs(), limits("b").commit), (1, Commit::FirstToken));
    assert_eq!((table.direct.timeout.as_secs(), table.direct.total.as_secs()), (5, 120));
    assert_eq!(table.defaults.total.as_secs(), 600);
}

#[test]
fn the_same_ask_gets_the_same_plan() {
    let (table, catalog) = (Table::shipped(), Catalog::shipped());
    let ask = Ask { model: "task/rag", ..Ask::default() };
    let once = || shown(&plan(&ask, &table, &catalog, &|_| true).unwrap());
    assert_eq!(once(), once());
}

#[test]
fn no_plan_says_what_is_missing() {
    let (table, catalog) = (Table::shipped(), Catalog::shipped());
    let ask = Ask { model: "auto", ..Ask::default() };
    let Err(NoPlan::Nothing { skipped }) = plan(&ask, &table, &catalog, &|_| false) else {
        panic!()
    };
    assert!(skipped[0].why.contains("OPENAI_API_KEY"), "{skipped:?}");
}
