//! `faults`: the fault suite, against this gateway or any other.

use std::process::ExitCode;

use anyhow::Context;

use crate::args::{Configured, Faults};
use crate::faults::{self, Address, Own, Report, Row, Target, Wall};
use crate::out;

/// The port of the wall where another gateway's configuration must name it.
const WALL_PORT: u16 = 8401;

/// Runs the suite, or prints what is asked of it.
pub(crate) async fn run(args: &Faults) -> anyhow::Result<ExitCode> {
    let rows = chosen(args)?;
    if args.list {
        list(args)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.compare.is_empty() {
        let reports = args.compare.iter().map(|file| Report::read(file));
        faults::compare(&reports.collect::<anyhow::Result<Vec<_>>>()?);
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(gateway) = args.config_for {
        let address = Address::at(args.wall_port.unwrap_or(WALL_PORT));
        let text = match gateway {
            Configured::Litellm => faults::litellm(&rows, address),
            Configured::Portkey => faults::portkey(),
            Configured::Pointsman => {
                faults::as_script(&faults::pointsman(&rows, address, "127.0.0.1:4141"))
            }
        };
        out::line(text.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let target = args.target.as_deref().unwrap_or(OWN);
    let report =
        if target == OWN { own(args, &rows).await? } else { other(args, target, &rows).await? };
    if args.json {
        out::json(&report)?
    } else {
        report.print()
    }
    Ok(if report.passed == report.total { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The word for this gateway.
const OWN: &str = "pointsman";

fn chosen(args: &Faults) -> anyhow::Result<Vec<Row>> {
    for name in &args.only {
        let known = faults::SCENARIOS.iter().any(|scenario| scenario.name == name);
        anyhow::ensure!(
            known,
            "no scenario is called `{name}`; `pointsman faults --list` has them"
        );
    }
    let mut rows = faults::rows();
    rows.retain(|row| {
        args.only.is_empty() || args.only.iter().any(|name| name == row.scenario.name)
    });
    Ok(rows)
}

fn list(args: &Faults) -> anyhow::Result<()> {
    let rows = faults::rows();
    let count = |name: &str| rows.iter().filter(|row| row.scenario.name == name).count();
    if args.json {
        let listed = faults::SCENARIOS.iter().map(|scenario| {
            let faults::Expected { alone, with } = faults::expected(scenario);
            serde_json::json!({
                "scenario": scenario.name, "about": scenario.about, "rows": count(scenario.name),
                "faults": {"whole": scenario.whole, "before": scenario.before, "after": scenario.after},
                "seconds": scenario.bound, "attempts": scenario.attempts,
                "with_fallback": with, "alone": alone,
            })
        });
        let judges = faults::JUDGES
            .iter()
            .map(|judge| serde_json::json!({"verdict": judge.name, "about": judge.about}));
        return out::json(&serde_json::json!({
            "scenarios": listed.collect::<Vec<_>>(), "verdicts": judges.collect::<Vec<_>>(),
        }));
    }
    let mut table = out::table(&["scenario", "rows", "what happens"]);
    for scenario in faults::SCENARIOS {
        table.add_row([scenario.name, &count(scenario.name).to_string(), scenario.about]);
    }
    out::line(&table.to_string());
    Ok(())
}

/// Runs the suite against this gateway.
async fn own(args: &Faults, rows: &[Row]) -> anyhow::Result<Report> {
    let wall = Wall::build(rows, args.wall_port).await?;
    let (address, all) = (wall.address, rows.to_vec());
    let own = tokio::task::spawn_blocking(move || Own::start(&all, address)).await??;
    let report = faults::run(rows, own.target(), wall, args.at_once).await;
    tokio::task::spawn_blocking(move || drop(own)).await?;
    report
}

/// Runs the suite against a gateway that has been configured for the wall.
async fn other(args: &Faults, target: &str, rows: &[Row]) -> anyhow::Result<Report> {
    anyhow::ensure!(
        target.starts_with("http://"),
        "a target is `{OWN}` or a base URL that begins with http://, not `{target}`"
    );
    let mut headers = faults::headers(&args.header)?;
    if let Some(file) = &args.headers {
        headers.extend(faults::read_headers(file)?);
    }
    let primary = args.primary.clone();
    let target = Target {
        name: args.name.clone().unwrap_or_else(|| target.to_owned()),
        openai: target.to_owned(),
        anthropic: args.anthropic.clone(),
        key: args.key.clone(),
        names: [primary.clone(), args.alone.clone().unwrap_or(primary)],
        headers,
    };
    let wall = Wall::build(rows, Some(args.wall_port.unwrap_or(WALL_PORT))).await;
    faults::run(rows, target, wall.context("build the wall")?, args.at_once).await
}
