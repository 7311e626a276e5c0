//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// One endpoint for every model: each request goes to the model your table names for its task,
/// falls back when that fails, and is priced and recorded.
#[derive(Debug, Parser)]
#[command(name = "pointsman", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// The configuration file; without it ./pointsman.yaml, and without that none.
    #[arg(long, global = true, env = "POINTSMAN_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done · 1 failed · 2 wrong arguments · 3 wrong configuration or routing table
Colours obey NO_COLOR and are off in a pipe. Try `pointsman demo` first: it needs no key.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway; finds API keys in the environment and local servers by itself.
    Serve(Serve),
    /// Show it at work: scripted providers on this machine, no key needed.
    Demo(Demo),
    /// Put a gateway in front of a provider that fails in every way, and judge what clients see.
    Faults(Faults),
    /// Write a configuration and a routing table to start from.
    Init(Init),
    /// Check configuration, table, keys, local servers and ledger; makes no paid call.
    Doctor(Doctor),
    /// Check the routing table, or ask where a request would go and why.
    Routing(Routing),
    /// Read the ledger: one row an attempt.
    Ledger(Ledger),
    /// Sum up what was used and what it cost, against a named baseline.
    Usage(Usage),
    /// Print the JSON Schema of a file, for editors.
    #[command(name = "schema")]
    Config(Schema),
    /// Print a completion script for a shell.
    Completions(Completions),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// The address to listen on, such as 127.0.0.1:4141; overrides the configuration.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Check configuration, table and providers and print what would be served, without listening.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// Send the requests to a real model on this machine instead of the scripted providers.
    #[arg(long)]
    pub(crate) local: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Stay up after the requests, for trying it with a client of your own.
    #[arg(long)]
    pub(crate) stay: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Faults {
    /// `pointsman` to start this gateway, or the OpenAI base URL of one that knows the wall.
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// The base URL for Anthropic's clients, without /v1; without it their rows are left out.
    #[arg(long, value_name = "URL")]
    pub(crate) anthropic: Option<String>,
    /// The key that the gateway's callers show.
    #[arg(long, default_value = "sk-faults")]
    pub(crate) key: String,
    /// The port of the wall; the one after it is held and nothing listens there. Free ports for
    /// `pointsman`, else 8401.
    #[arg(long, value_name = "PORT")]
    pub(crate) wall_port: Option<u16>,
    /// How the gateway names a row's model: may hold {model}, {provider}, {base} and {wall}.
    #[arg(long, value_name = "TEMPLATE", default_value = "{model}")]
    pub(crate) primary: String,
    /// The same for models without a fallback, where they are named in another way.
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) alone: Option<String>,
    /// A header for every request, `name: value`; the value is a template too.
    #[arg(long, value_name = "HEADER")]
    pub(crate) header: Vec<String>,
    /// A file of headers by client and route, as `--config-for portkey` prints it.
    #[arg(long, value_name = "FILE")]
    pub(crate) headers: Option<PathBuf>,
    /// What the gateway is called in the report.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Run these scenarios alone.
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) only: Vec<String>,
    /// How many requests are under way at once.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) at_once: usize,
    /// Print the configuration a gateway needs for the wall, and run nothing.
    #[arg(long, value_name = "GATEWAY", value_enum)]
    pub(crate) config_for: Option<Configured>,
    /// Print reports of earlier runs side by side, and run nothing.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) compare: Vec<PathBuf>,
    /// List the scenarios, and run nothing.
    #[arg(long)]
    pub(crate) list: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The gateways whose configuration can be printed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Configured {
    /// A shell script that writes pointsman.yaml, routing.yaml and the providers' records.
    Pointsman,
    /// The configuration of LiteLLM's proxy.
    Litellm,
    /// Headers for Portkey's gateway.
    Portkey,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// The folder to write to.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Write without asking, replacing files that differ.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// Also ask every configured provider for its list of models, which shows whether the key is
    /// good; no provider charges for that.
    #[arg(long)]
    pub(crate) live: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Routing {
    #[command(subcommand)]
    pub(crate) what: RoutingCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoutingCommand {
    /// Report every problem of the table at once, with file and line.
    Check {
        /// The table; without it the one that `serve` would use.
        file: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say where a request would go, and why. Nothing is sent.
    Explain {
        /// The model as a client would name it: a model, `auto`, or `task/<name>`.
        #[arg(long, default_value = "auto")]
        model: String,
        /// The task as a client would name it in the header `x-pointsman-task`.
        #[arg(long)]
        task: Option<String>,
        /// Plan as if every provider were configured.
        #[arg(long)]
        all: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Ledger {
    #[command(subcommand)]
    pub(crate) what: LedgerCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Print the newest rows.
    Tail {
        /// How many.
        #[arg(short = 'n', long, default_value_t = 20)]
        rows: usize,
        /// Keep printing new rows as they come.
        #[arg(short, long)]
        follow: bool,
        /// Print one JSON object a row.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Usage {
    /// What to sum by, in order.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "task,model")]
    pub(crate) by: Vec<Dimension>,
    /// How far back: 24h, 7d, 4w, or a day such as 2026-11-01.
    #[arg(long, default_value = "30d")]
    pub(crate) since: String,
    /// The model to compare with; without it the configured baseline.
    #[arg(long, value_name = "MODEL")]
    pub(crate) baseline: Option<String>,
    /// The time zone of days, such as Europe/Berlin; without it this machine's.
    #[arg(long, value_name = "ZONE")]
    pub(crate) tz: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What usage can be summed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dimension {
    /// The task.
    Task,
    /// The model, as provider/model.
    Model,
    /// The day.
    Day,
    /// The caller's key.
    Key,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Schema {
    /// Which file.
    #[arg(value_enum, default_value = "config")]
    pub(crate) of: SchemaOf,
}

/// The files that have a schema.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SchemaOf {
    /// pointsman.yaml
    Config,
    /// routing.yaml
    Routing,
    /// A provider's record.
    Provider,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}
