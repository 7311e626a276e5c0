//! `serve`: the gateway, with or without a configuration.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use gateway::{Client, Gateway, Shutdown};
use store::Store;
use tokio::net::TcpListener;

use crate::args::Serve;
use crate::config::Config;
use crate::world::{self, Finding, Made, State};
use crate::{logs, out, reload};

/// Runs until it is told to stop.
pub(crate) async fn run(file: Option<&Path>, args: &Serve) -> anyhow::Result<ExitCode> {
    let mut config = Config::load(file)?;
    if let Some(listen) = &args.listen {
        config.listen.clone_from(listen);
    }
    logs::start(&config.log);
    let client = gateway::client()?;
    let made = world::make(&config, &client).await?;
    if args.dry_run {
        greet(&made, &config, &config.listen);
        return Ok(ExitCode::SUCCESS);
    }
    let listener = TcpListener::bind(&config.listen)
        .await
        .with_context(|| format!("listen on {} (is another pointsman running?)", config.listen))?;
    let address = listener.local_addr()?.to_string();
    let store = open(&config)?;
    greet(&made, &config, &address);
    let cut = serve(made, store, client, config, listener).await?;
    Ok(if cut == Shutdown::Clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Opens the ledger, making its folder where there is none.
pub(crate) fn open(config: &Config) -> anyhow::Result<Store> {
    if let Some(folder) = config.database.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
    }
    Ok(Store::open(&config.database)?)
}

async fn serve(
    made: Made,
    store: Store,
    client: Client,
    config: Config,
    listener: TcpListener,
) -> anyhow::Result<Shutdown> {
    let grace = config.grace;
    let gateway = Gateway::new(made.world, store, client.clone());
    let guard = reload::watch(std::sync::Arc::clone(&gateway), client, config);
    let guard = guard.context("watch the configuration for changes")?;
    let stop = async {
        stopped().await;
        tracing::info!(grace_s = grace.as_secs(), "stopping: answers under way may finish");
    };
    let ended = gateway::serve(std::sync::Arc::clone(&gateway), listener, stop, grace).await;
    if ended == Shutdown::Cut {
        tracing::warn!("the grace ran out with answers under way");
    }
    drop(guard);
    tokio::task::spawn_blocking(move || gateway.close()).await?;
    Ok(ended)
}

/// Resolves on Ctrl-C or SIGTERM.
pub(crate) async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Prints where it listens, what was found, and a request that works.
fn greet(made: &Made, config: &Config, address: &str) {
    let world = &made.world;
    out::line(&format!("{} {}", out::strong("pointsman"), env!("CARGO_PKG_VERSION")));
    let key = if config.keys.is_empty() { "any API key, none is asked for" } else { "with one of your keys" };
    say("OpenAI base URL", &format!("{} ({key})", out::strong(&format!("http://{address}/v1"))));
    for finding in &made.found {
        if let State::Ready { how, models } = &finding.state {
            let models = models.map(|count| format!(", {count} models")).unwrap_or_default();
            say(&finding.name, &format!("{} ({how}{models})", out::good("ready")));
        }
    }
    let unset: Vec<String> = made.found.iter().filter_map(unset).collect();
    if !unset.is_empty() {
        say("not configured", &out::dim(&unset.join(", ")));
    }
    let source = match &config.routing {
        Some(file) => file.display().to_string(),
        None => "shipped with pointsman".to_owned(),
    };
    let table = &world.table;
    let tasks = table.tasks.len();
    say("routing table", &format!("{} ({source}): {tasks} tasks, default {}", table.version, table.default_model));
    if let Some(stand_in) = &table.stand_in {
        let told = format!("{} is not configured, so {stand_in} stands in for it", table.default_model);
        say("", &out::warn(&told));
    }
    say("ledger", &config.database.display().to_string());
    match world::first_model(&world.catalog, &|id| world.reaches(id)) {
        None => {
            out::line("");
            out::line(&out::warn("No provider can be reached: every request will be refused."));
            out::line("Set an API key (see above), start a local server, or try `pointsman demo`.");
        }
        Some(first) => {
            let model = if table.stand_in.is_some() { first } else { "auto".to_owned() };
            let auth = if config.keys.is_empty() { "" } else { "\n    -H \"authorization: Bearer $YOUR_KEY\" \\" };
            out::line(&format!(
                "\n  Try it:\n\n  curl http://{address}/v1/chat/completions \\{auth}\n    -H 'content-type: application/json' \\\n    -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Say hello\"}}]}}'\n"
            ));
        }
    }
}

fn say(what: &str, text: &str) {
    out::line(&format!("  {what:<16} {text}"));
}

fn unset(finding: &Finding) -> Option<String> {
    match &finding.state {
        State::Ready { .. } => None,
        State::Unset { needs } => Some(format!("{} ({needs})", finding.provider)),
        State::Silent { address } => Some(format!("{} (nothing answers at {address})", finding.provider)),
    }
}
