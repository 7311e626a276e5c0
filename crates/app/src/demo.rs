//! `demo`: Pointsman at work on this machine, without a key.
//!
//! Scripted providers on loopback stand in for the hosts of the shipped routing table; everything
//! between the client's socket and the ledger is the real thing. Their answers are canned and their
//! token counts are the script's, so what it prints is badged DEMO; the prices are the list's. With
//! `--local` the requests go to a real model on this machine, and nowhere else.

mod play;
mod script;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use catalog::{Auth, Catalog};
use gateway::{Gateway, Reach, World};
use ir::Money;
use router::Table;
use secrecy::SecretString;
use serde::Serialize;
use store::Store;
use testkit::Provider;
use tokio::net::TcpListener;

use crate::args::Demo;
use crate::commands::serve::Signals;
use crate::config::{Config, Log, LogFormat};
use crate::world;
use crate::{logs, out};

pub(crate) use play::Played;

/// Runs the demo.
pub(crate) async fn run(args: &Demo) -> anyhow::Result<ExitCode> {
    logs::start(&Log { format: LogFormat::Auto, level: "error".to_owned() });
    let (world, _providers) =
        if args.local { (local().await?, Vec::new()) } else { scripted().await? };
    let baseline = world.table.default_model.clone();
    let catalog = world.catalog.clone();
    let scratch = Scratch::make()?;
    let store = Store::open(&scratch.0.join("ledger.db"))?;
    let gateway = Gateway::new(world, store, gateway::client()?, health::Policies::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.context("listen on loopback")?;
    let address = listener.local_addr()?;
    let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(gateway::serve(
        Arc::clone(&gateway),
        listener,
        async {
            let _ = stopping.await;
        },
        std::future::pending(),
        Config::default().serving,
    ));
    let requests = if args.local { script::local() } else { script::requests() };
    let mut played = Vec::new();
    for request in requests {
        played.push(play::play(address, &request, &catalog, &baseline).await?);
    }
    let report = Report::new(args.local, baseline, played);
    if args.json {
        out::json(&report)?
    } else {
        print(&report, args.local)
    }
    if args.stay {
        out::complain(&format!("\nstill serving at http://{address}/v1 until Ctrl-C"));
        Signals::listen()?.stop().await;
    }
    let _ = stop.send(());
    served.await?;
    tokio::task::spawn_blocking(move || gateway.close()).await?;
    Ok(if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The shipped catalogue and table over scripted providers.
async fn scripted() -> anyhow::Result<(World, Vec<Provider>)> {
    let (mut catalog, table) = (Catalog::shipped(), Table::shipped());
    let mut providers = Vec::new();
    let mut reach = std::collections::BTreeMap::new();
    for (id, script) in script::providers() {
        let provider = Provider::start(script).await.context("start a scripted provider")?;
        let known = catalog.provider(id).context("the demo plays a provider nobody knows")?;
        let played = played(known, provider.base_url());
        let ready = Reach::all(&played, &|_, _| Some(SecretString::from("demo")))?.usable;
        catalog.put(Arc::new(played));
        reach.insert(id.to_owned(), ready);
        providers.push(provider);
    }
    let badge = Some("DEMO".to_owned());
    let load = Config::default().load;
    let world = World { catalog, table, reach, keys: Vec::new(), load, badge };
    Ok((world, providers))
}

/// A provider as the demo plays it: at another address, and in the one dialect that scripts speak.
fn played(known: &catalog::Provider, base_url: String) -> catalog::Provider {
    let spoken = catalog::Spoken {
        dialect: ir::Dialect::OpenaiChat,
        path: "/chat/completions".to_owned(),
        stream_path: None,
        count_path: None,
        quirks: ir::Quirks::default(),
    };
    let models = known.models.iter().map(|model| {
        let model = catalog::Model { speaks: None, ..catalog::Model::clone(model) };
        Arc::new(model)
    });
    catalog::Provider {
        base_url,
        auth: Auth::Bearer("env:DEMO".to_owned()),
        speaks: vec![spoken],
        models: models.collect(),
        ..known.clone()
    }
}

/// The servers of this machine and nothing else: no key of the environment is used.
async fn local() -> anyhow::Result<World> {
    let client = gateway::client()?;
    let made = world::make(&Config::default(), &client).await?;
    let mut world = made.world;
    let discovered =
        |id: &String| world.catalog.provider(id).is_some_and(|provider| provider.discover);
    let local: Vec<String> = world.reach.keys().filter(|id| discovered(id)).cloned().collect();
    world.reach.retain(|id, _| local.contains(id));
    let first = world::first_model(&world.catalog, &|id| world.reach.contains_key(id));
    world.table.stand_in = Some(first.context(
        "no local server answers (llama.cpp 8080, Ollama 11434, vLLM 8000, LM Studio 1234): \
         `scripts/local-llm` starts a real one",
    )?);
    // A model on a CPU takes its time.
    let patient = router::Limits {
        timeout: std::time::Duration::from_secs(300),
        ..world.table.direct.clone()
    };
    world.table.tasks.values_mut().for_each(|cell| cell.limits = patient.clone());
    world.table.defaults = patient;
    Ok(world)
}

/// A folder that is gone when the demo is.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("pointsman-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("make the folder {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind it is a small file in the temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[derive(Serialize)]
struct Report {
    badge: &'static str,
    note: &'static str,
    baseline: String,
    requests: Vec<Played>,
    failed: usize,
    cost_usd: Option<String>,
    baseline_cost_usd: Option<String>,
    #[serde(skip)]
    sums: (Option<Money>, Option<Money>),
}

const SCRIPTED: &str = "DEMO: scripted answers with the script's token counts, at list prices. It \
shows how requests travel; it is no measurement and promises nothing.";
const LOCAL: &str = "DEMO on a real model of this machine. The baseline is what its token counts \
would cost at list prices; it is no measurement of quality and promises nothing.";

impl Report {
    fn new(local: bool, baseline: String, requests: Vec<Played>) -> Self {
        let cost: Option<Money> = requests.iter().map(|played| played.cost).sum();
        let compared: Option<Money> = requests.iter().map(|played| played.baseline_cost).sum();
        Self {
            badge: "DEMO",
            note: if local { LOCAL } else { SCRIPTED },
            baseline,
            failed: requests.iter().filter(|played| played.status != 200).count(),
            requests,
            cost_usd: cost.map(|cost| cost.to_string()),
            baseline_cost_usd: compared.map(|cost| cost.to_string()),
            sums: (cost, compared),
        }
    }
}

fn print(report: &Report, local: bool) {
    out::line(&format!("{}\n", out::warn(report.note)));
    let mut table = out::table(&[
        "asked for",
        "went to",
        "why",
        "in / out",
        "cost",
        &format!("on {}", report.baseline),
    ]);
    for played in &report.requests {
        let tokens = played
            .tokens
            .map_or_else(|| "—".to_owned(), |(input, output)| format!("{input} / {output}"));
        table.add_row([
            played.asked_for.clone(),
            played.answered_by().to_owned(),
            played.short.clone(),
            tokens,
            out::dollars(played.cost),
            out::dollars(played.baseline_cost),
        ]);
    }
    out::line(&table.to_string());
    let (cost, compared) = report.sums;
    let on = &report.baseline;
    out::line(&format!(
        "\n{} requests: {} as routed, {} all on {on} at the same token counts.",
        report.requests.len(),
        out::strong(&out::dollars(cost)),
        out::strong(&out::dollars(compared)),
    ));
    if !local {
        out::line("\nNext: export an API key (or start a local server) and run `pointsman serve`.");
    }
}
