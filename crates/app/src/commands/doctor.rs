//! `doctor`: what would go wrong, said before it does. Nothing it does is paid for.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use gateway::Client;
use serde::Serialize;

use crate::args::Doctor;
use crate::config::Config;
use crate::world::{self, Made, State};
use crate::{discover, out};

/// How long a provider may take to list its models.
const LIVE: Duration = Duration::from_secs(10);

/// The version of the JSON this prints.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report {
    version: u32,
    healthy: bool,
    checks: Vec<Check>,
}

/// One thing looked at.
#[derive(Serialize)]
struct Check {
    what: String,
    result: Result,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Result {
    Ok,
    Warning,
    Failed,
}

fn check(what: &str, result: Result, found: impl Into<String>, help: Option<&str>) -> Check {
    Check { what: what.to_owned(), result, found: found.into(), help: help.map(str::to_owned) }
}

/// Looks at everything and prints what it found.
pub(crate) async fn run(file: Option<&Path>, args: &Doctor) -> anyhow::Result<ExitCode> {
    let mut checks = Vec::new();
    match Config::load(file) {
        Err(error) => checks.push(broken("configuration", &error)),
        Ok(config) => {
            let found = config.file.as_ref().map_or_else(
                || "none: every default holds".to_owned(),
                |file| file.display().to_string(),
            );
            checks.push(check("configuration", Result::Ok, found, None));
            examine(&config, args.live, &mut checks).await?;
        }
    }
    let healthy = checks.iter().all(|check| check.result != Result::Failed);
    if args.json {
        out::json(&Report { version: VERSION, healthy, checks })?;
    } else {
        checks.iter().for_each(print);
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn broken(what: &str, error: &anyhow::Error) -> Check {
    check(what, Result::Failed, format!("{error:#}"), None)
}

async fn examine(config: &Config, live: bool, checks: &mut Vec<Check>) -> anyhow::Result<()> {
    checks.push(ledger(config));
    checks.push(port(&config.listen).await);
    let client = gateway::client()?;
    match world::make(config, &client).await {
        Err(error) => checks.push(broken("providers and routing", &error)),
        Ok(made) => {
            // Without a provider nothing can be said of a table but that.
            if providers(&made, checks) {
                table(&made, checks);
            }
            if live {
                ask(&made, &client, checks).await;
            }
        }
    }
    Ok(())
}

fn ledger(config: &Config) -> Check {
    let file = config.database.display().to_string();
    match super::serve::open(config) {
        Ok(store) => {
            let spooling = store.health().spooling();
            store.close();
            if let Some(why) = spooling.and_then(|spooling| spooling.why) {
                let help = "end what keeps it, or make room; until then rows go to its spool";
                return check("ledger", Result::Warning, format!("{file}: {why}"), Some(help));
            }
            check("ledger", Result::Ok, format!("{file} can be written"), None)
        }
        Err(error) => {
            let help = "name another file as `database`, or give this one to your user";
            check("ledger", Result::Failed, format!("{error:#}"), Some(help))
        }
    }
}

async fn port(listen: &str) -> Check {
    match tokio::net::TcpListener::bind(listen).await {
        Ok(_) => check("address", Result::Ok, format!("{listen} is free"), None),
        Err(error) => {
            let help =
                "another pointsman may be running there, which is fine; else change `listen`";
            check("address", Result::Warning, format!("{listen}: {error}"), Some(help))
        }
    }
}

/// Tells which providers are ready, and returns whether any is.
fn providers(made: &Made, checks: &mut Vec<Check>) -> bool {
    let mut ready = 0;
    for finding in &made.found {
        if let State::Ready { how, models } = &finding.state {
            ready += 1;
            let models = models.map(|count| format!(", {count} models")).unwrap_or_default();
            checks.push(check(&finding.name, Result::Ok, format!("{how}{models}"), None));
        }
    }
    for finding in &made.found {
        for why in &finding.left_out {
            let help = "set or correct its secret, or take it out of the provider's record";
            checks.push(check(&finding.name, Result::Warning, why.clone(), Some(help)));
        }
    }
    for finding in &made.found {
        if let State::Broken { why } = &finding.state {
            let help = "correct what the provider needs, or leave it unset";
            checks.push(check(&finding.name, Result::Failed, why.clone(), Some(help)));
        }
    }
    if ready == 0 {
        let help = "export an API key such as OPENAI_API_KEY, start a local server, or try `pointsman demo`";
        checks.push(check("providers", Result::Failed, "none can be reached", Some(help)));
    }
    ready > 0
}

/// Tells which tasks the table can serve, and which of its models have no price.
fn table(made: &Made, checks: &mut Vec<Check>) {
    let world = &made.world;
    let reaches = |id: &str| world.reaches(id);
    for (task, cell) in &world.table.tasks {
        let found: Vec<_> =
            cell.models.iter().map(|model| world.catalog.find(model, &reaches)).collect();
        let ready = found.iter().filter(|found| found.is_ok()).count();
        let what = format!("task {task}");
        let unpriced = found.iter().flatten().find(|found| found.model.price.is_none());
        let help = "set the missing API keys, or change the routing table";
        checks.push(match (ready, unpriced) {
            (0, _) => {
                let said = format!(
                    "none of {} is configured: requests go to the default model",
                    cell.models.join(", ")
                );
                check(&what, Result::Warning, said, Some(help))
            }
            (_, Some(found)) => {
                let help = "give it a price in a provider record";
                check(&what, Result::Warning, format!("{} has no price", found.name()), Some(help))
            }
            (ready, None) if ready < found.len() => {
                let said = format!("{ready} of {} models configured", found.len());
                check(&what, Result::Warning, said, Some(help))
            }
            (ready, None) => check(&what, Result::Ok, format!("{ready} models configured"), None),
        });
    }
}

/// Asks every configured provider for its models.
async fn ask(made: &Made, client: &Client, checks: &mut Vec<Check>) {
    let world = &made.world;
    for provider in world.catalog.providers.iter().filter(|provider| !provider.discover) {
        let Some(reach) = world.first(&provider.id) else { continue };
        let what = format!("{} (live)", provider.name);
        let Some(request) = discover::request(client, provider, reach).await else { continue };
        let help = "check the key and the address; the provider's status page may know more";
        checks.push(match tokio::time::timeout(LIVE, discover::list(client, request)).await {
            Ok(Ok(ids)) => check(&what, Result::Ok, format!("lists {} models", ids.len()), None),
            Ok(Err(error)) => check(&what, Result::Failed, format!("{error:#}"), Some(help)),
            Err(_) => check(&what, Result::Failed, "does not answer", Some(help)),
        });
    }
}

fn print(check: &Check) {
    let mark = match check.result {
        Result::Ok => out::good("ok     "),
        Result::Warning => out::warn("warning"),
        Result::Failed => out::bad("failed "),
    };
    out::line(&format!("{mark} {}: {}", out::strong(&check.what), check.found));
    if let Some(help) = &check.help {
        out::line(&format!("        {}", out::dim(help)));
    }
}
