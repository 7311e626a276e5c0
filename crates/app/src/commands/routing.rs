//! `routing check` and `routing explain`.

use std::path::Path;
use std::process::ExitCode;

use router::{Ask, NoPlan, Plan, Table};
use serde::Serialize;
use yaml::{Problem, Vars};

use crate::args::{Routing, RoutingCommand};
use crate::config::Config;
use crate::world;
use crate::{exit, out};

/// Runs one of them.
pub(crate) fn run(config: Option<&Path>, args: &Routing) -> anyhow::Result<ExitCode> {
    match &args.what {
        RoutingCommand::Check { file, json } => check(config, file.as_deref(), *json),
        RoutingCommand::Explain { model, task, all, json } => {
            explain(config, model, task.as_deref(), *all, *json)
        }
    }
}

/// Checks a table: its shape, then its models against the catalogue.
fn check(config: Option<&Path>, file: Option<&Path>, json: bool) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let file = file.map(Path::to_owned).or_else(|| config.routing.clone());
    let (name, text) = match &file {
        Some(file) => {
            let text = exit::read(file)?;
            (file.display().to_string(), text)
        }
        None => ("the shipped table".to_owned(), Table::shipped_text().to_owned()),
    };
    // The catalogue's own problems are told by whoever loads it; here they would hide the table's.
    let catalog = world::read(&Config { routing: None, ..config }).map(|(catalog, ..)| catalog)?;
    let environment = |name: &str| std::env::var(name).ok();
    let ready = world::configured(&catalog);
    let parsed = Table::parse(&name, &text, Vars::Lookup(&environment));
    let (problems, warnings): (Vec<Problem>, Vec<Problem>) = match parsed {
        Ok((table, document)) => (
            router::check(&table, &document, &catalog, &|id| ready.contains(id)),
            router::warnings(&table, &document, &catalog),
        ),
        Err(problems) => (problems.into_iter().collect(), Vec::new()),
    };
    if json {
        out::json(&problems)?;
    } else if problems.is_empty() {
        out::line(&format!("{} {name}", out::good("ok")));
    } else {
        out::line(&yaml::Problems::from(problems.clone()).to_string());
    }
    for warning in warnings.iter().filter(|_| !json) {
        out::line(&format!("{} {warning}", out::warn("warning")));
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(exit::CONFIG) })
}

#[derive(Serialize)]
struct Explained<'a> {
    task: &'a str,
    named_by: Option<&'static str>,
    reason: String,
    code: &'static str,
    table: &'a str,
    timeout_ms: u128,
    total_ms: u128,
    commit: &'static str,
    targets: Vec<Target>,
    skipped: Vec<Skipped<'a>>,
}

#[derive(Serialize)]
struct Target {
    target: String,
    input_usd_per_million: Option<String>,
    output_usd_per_million: Option<String>,
    prices: Option<String>,
}

#[derive(Serialize)]
struct Skipped<'a> {
    model: &'a str,
    why: &'a str,
}

/// Plans a request that is not sent to anybody; local servers are asked for their models.
fn explain(
    config: Option<&Path>,
    model: &str,
    task: Option<&str>,
    all: bool,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let client = gateway::client()?;
    let made = tokio::task::block_in_place(|| {
        tokio::runtime::Handle::current().block_on(world::make(&config, &client))
    })?;
    let ask = Ask { model, header_task: task, metadata_task: None, pins: &[], ..Ask::default() };
    let world = &made.world;
    let plan = router::plan(&ask, &world.table, &world.catalog, &|id| all || world.reaches(id));
    match plan {
        Ok(plan) if json => out::json(&explained(&plan))?,
        Ok(plan) => print(&plan),
        Err(none) => anyhow::bail!("{}", refusal(&none)),
    }
    Ok(ExitCode::SUCCESS)
}

fn refusal(none: &NoPlan) -> String {
    match none {
        NoPlan::Model { name, missing } => {
            let help = match missing {
                catalog::Missing::NotConfigured { .. } => {
                    Some("--all plans as if it had it".to_owned())
                }
                missing => missing.help(),
            };
            let help = help.map(|help| format!("; {help}")).unwrap_or_default();
            format!("{}{help}", missing.what(name))
        }
        NoPlan::Pinned { pin, .. } => pin.to_string(),
        NoPlan::Unable { skipped, .. } => {
            let told = skipped.iter().map(|skip| format!("{} {}", skip.model, skip.why));
            told.collect::<Vec<_>>().join(", ")
        }
        NoPlan::Nothing { skipped } => {
            let told = skipped.iter().map(|skip| format!("{} ({})", skip.model, skip.why));
            let told = told.collect::<Vec<_>>().join(", ");
            format!("no model of the plan can be reached: {told}; --all plans as if they could")
        }
    }
}

fn explained(plan: &Plan) -> Explained<'_> {
    Explained {
        task: &plan.task,
        named_by: plan.named_by.map(router::NamedBy::name),
        reason: plan.reason.to_string(),
        code: plan.reason.code(),
        table: &plan.table,
        timeout_ms: plan.limits.timeout.as_millis(),
        total_ms: plan.limits.total.as_millis(),
        commit: plan.limits.commit.name(),
        targets: plan.targets.iter().map(|step| target(step)).collect(),
        skipped: plan
            .skipped
            .iter()
            .map(|skip| Skipped { model: &skip.model, why: &skip.why })
            .collect(),
    }
}

fn target(planned: &catalog::Found) -> Target {
    let price = planned.model.price.as_ref();
    Target {
        target: planned.name(),
        input_usd_per_million: price.map(|price| price.base.input.to_per_million()),
        output_usd_per_million: price.map(|price| price.base.output.to_per_million()),
        prices: price.map(|price| price.version.clone()),
    }
}

fn print(plan: &Plan) {
    let named = plan.named_by.map(|by| format!(" (named by {})", by.name())).unwrap_or_default();
    out::line(&format!("task     {}{named}", out::strong(&plan.task)));
    out::line(&format!("because  {}", plan.reason));
    out::line(&format!("table    {}", plan.table));
    let limits = &plan.limits;
    out::line(&format!(
        "limits   {:?} an attempt, {:?} in all, answer goes out at {}",
        limits.timeout,
        limits.total,
        limits.commit.name()
    ));
    let mut rank = None;
    for planned in &plan.targets {
        let role = match rank.replace(planned.rank) {
            None => "first",
            // Equals share the load.
            Some(rank) if rank == planned.rank => "or",
            Some(_) => "then",
        };
        let price = match target(planned) {
            Target {
                input_usd_per_million: Some(input),
                output_usd_per_million: Some(output),
                ..
            } => {
                format!("${input} in, ${output} out per million tokens")
            }
            _ => "unpriced".to_owned(),
        };
        out::line(&format!("{role:<8} {} — {price}", out::strong(&planned.name())));
    }
    for skip in &plan.skipped {
        out::line(&format!("skipped  {} — {}", skip.model, out::warn(&skip.why)));
    }
}
