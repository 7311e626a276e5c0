//! `serve`: the gateway, with or without a configuration.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context;
use gateway::{Gateway, Shutdown, World};
use health::Policies;
use store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::Serve;
use crate::config::{Config, check_listen};
use crate::world::{self, Finding, State};
use crate::{logs, out, reload};

/// Runs until it is told to stop.
pub(crate) async fn run(file: Option<&Path>, args: &Serve) -> anyhow::Result<ExitCode> {
    let began = SystemTime::now();
    let config = Config::load(file)?;
    let listen = args.listen.as_ref().unwrap_or(&config.listen);
    if let Err((message, help)) = check_listen(listen, &config.keys) {
        anyhow::bail!("cannot listen on {listen}: {message}; {help}");
    }
    logs::start(&config.log);
    let client = gateway::client()?;
    let made = world::make(&config, &client).await?;
    if args.dry_run {
        greet(&made.world, &made.found, &config, listen);
        return Ok(ExitCode::SUCCESS);
    }
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("listen on {listen} (is another pointsman running?)"))?;
    let address = listener.local_addr()?.to_string();
    let gateway = Gateway::new(made.world, open(&config)?, client.clone(), policies(&config));
    // Signals are heard from before the greeting on: whoever reads it may send one.
    let (mut signals, mut again) = (Signals::listen()?, Signals::listen()?);
    let guard = reload::watch(Arc::clone(&gateway), client, config.clone(), began);
    let guard = guard.context("watch the configuration for changes")?;
    greet(&gateway.world(), &made.found, &config, &address);
    let grace = config.serving.grace;
    let stop = async {
        signals.stop().await;
        tracing::info!(grace_s = grace.as_secs(), "stopping: answers under way may finish");
    };
    let hurry = async {
        // The first one is heard here too.
        again.stop().await;
        again.stop().await;
        tracing::warn!("stopping at once, told so a second time");
    };
    let ended = gateway::serve(Arc::clone(&gateway), listener, stop, hurry, config.serving).await;
    if ended == Shutdown::Cut {
        tracing::warn!("the grace ran out with answers under way");
    }
    drop(guard);
    tokio::task::spawn_blocking(move || gateway.close()).await?;
    Ok(if ended == Shutdown::Clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns when targets are left alone and how they are limited.
pub(crate) fn policies(config: &Config) -> Policies {
    Policies { breaker: config.breaker, ..Policies::default() }
}

/// Opens the ledger, making its folder where there is none.
pub(crate) fn open(config: &Config) -> anyhow::Result<Store> {
    if let Some(folder) = config.database.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("make the folder {}", folder.display()))?;
    }
    Ok(Store::open(&config.database)?)
}

/// The signals that end a program.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to hear them.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Resolves on SIGTERM or Ctrl-C.
    pub(crate) async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The most lines that what is not there takes.
const MOST_LINES: usize = 5;

/// Prints where it listens, what was found, and a request that works.
fn greet(world: &World, found: &[Finding], config: &Config, address: &str) {
    out::line(&format!("{} {}", out::strong("pointsman"), env!("CARGO_PKG_VERSION")));
    let key = if config.keys.is_empty() {
        "any API key, none is asked for"
    } else {
        "with one of your keys"
    };
    say("OpenAI base URL", &format!("{} ({key})", out::strong(&format!("http://{address}/v1"))));
    say("Anthropic/Gemini", &out::strong(&format!("http://{address}")));
    for finding in found {
        if let State::Ready { how, models } = &finding.state {
            let models = models.map(|count| format!(", {count} models")).unwrap_or_default();
            say(&finding.name, &format!("{} ({how}{models})", out::good("ready")));
        }
    }
    for finding in found {
        if let State::Broken { why } = &finding.state {
            say(&finding.name, &out::warn(&format!("cannot be used: {why}")));
        }
    }
    for (what, why) in [("add by its key", keys as fn(&State) -> bool), ("not running", silent)] {
        let mut left: Vec<String> =
            found.iter().filter(|finding| why(&finding.state)).map(short).collect();
        // What takes one variable is said before what takes several.
        left.sort_by_key(|needs| needs.contains(' '));
        left.dedup();
        let lines = lines(left.into_iter());
        for (at, line) in lines.iter().take(MOST_LINES).enumerate() {
            say(if at == 0 { what } else { "" }, &out::dim(line));
        }
        if lines.len() > MOST_LINES {
            say("", &out::dim("and more, listed in docs/providers.md"));
        }
    }
    let source = match &config.routing {
        Some(file) => file.display().to_string(),
        None => "shipped with pointsman".to_owned(),
    };
    let table = &world.table;
    let tasks = table.tasks.len();
    say(
        "routing table",
        &format!("{} ({source}): {tasks} tasks, default {}", table.version, table.default_model),
    );
    if let Some(stand_in) = &table.stand_in {
        let told =
            format!("{} is not configured, so {stand_in} stands in for it", table.default_model);
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
            let auth = if config.keys.is_empty() {
                ""
            } else {
                "\n    -H \"authorization: Bearer $YOUR_KEY\" \\"
            };
            out::line(&format!(
                "\n  Try it:\n\n  curl http://{address}/v1/chat/completions \\{auth}\n    -H 'content-type: application/json' \\\n    -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Say hello\"}}]}}'\n"
            ));
        }
    }
}

fn say(what: &str, text: &str) {
    out::line(&format!("  {what:<16} {text}"));
}

fn keys(state: &State) -> bool {
    matches!(state, State::Unset { .. })
}

fn silent(state: &State) -> bool {
    matches!(state, State::Silent { .. })
}

/// Names a provider that cannot be reached by what it lacks.
fn short(finding: &Finding) -> String {
    match &finding.state {
        State::Unset { needs } => needs.replace("env:", ""),
        State::Silent { address } => format!("{} at {address}", finding.name),
        State::Broken { why } => format!("{}: {why}", finding.name),
        State::Ready { .. } => finding.name.clone(),
    }
}

/// Joins items with commas into lines that fit beside their heading.
fn lines(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if line.len() + item.len() < 78 => *line += &format!(", {item}"),
            _ => lines.push(item),
        }
    }
    lines
}
