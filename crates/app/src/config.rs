//! `pointsman.yaml`: as it is written, and as it is used.
//!
//! Everything has a default, listed in the one `Default` of [`Config`]; without a file all of them
//! hold. Paths are relative to the file.

mod load;
mod raw;

use std::path::{Path, PathBuf};

use yaml::{Document, Problem, Problems, Vars};

use crate::exit::{self, BadConfig};
use load::Times;

pub(crate) use raw::{LogFormat, Raw};

/// The configuration as it is used.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The file it came from.
    pub(crate) file: Option<PathBuf>,
    /// Where to listen.
    pub(crate) listen: String,
    /// The ledger.
    pub(crate) database: PathBuf,
    /// The routing table; `None` means the shipped one.
    pub(crate) routing: Option<PathBuf>,
    /// The folder of provider records.
    pub(crate) catalog: Option<PathBuf>,
    /// The keys that may call.
    pub(crate) keys: Vec<ConfiguredKey>,
    /// How much is taken at once.
    pub(crate) load: gateway::Load,
    /// How connections are served.
    pub(crate) serving: gateway::Serving,
    /// When a target is left alone.
    pub(crate) breaker: health::BreakerPolicy,
    /// The model that savings are told against.
    pub(crate) baseline: Option<String>,
    /// Logs.
    pub(crate) log: Log,
}

/// A key that may call.
#[derive(Debug, Clone)]
pub(crate) struct ConfiguredKey {
    /// Its name.
    pub(crate) name: String,
    /// The reference of its secret.
    pub(crate) secret: String,
    /// What is done with its requests that a target's dialect cannot say whole.
    pub(crate) on_loss: gateway::OnLoss,
}

/// How to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Log {
    /// JSON or text.
    pub(crate) format: LogFormat,
    /// The level, or a filter as `RUST_LOG` takes it.
    pub(crate) level: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            file: None,
            listen: "127.0.0.1:4141".to_owned(),
            database: data_folder().join("ledger.db"),
            routing: None,
            catalog: None,
            keys: Vec::new(),
            load: load::LOAD,
            serving: load::SERVING,
            breaker: health::BreakerPolicy::default(),
            baseline: None,
            log: Log { format: LogFormat::Auto, level: "info".to_owned() },
        }
    }
}

/// Returns where a program of this user's keeps its data (XDG Base Directory Specification).
fn data_folder() -> PathBuf {
    let xdg =
        std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    xdg.or_else(home).unwrap_or_else(|| PathBuf::from(".")).join("pointsman")
}

impl Config {
    /// Loads the named file, or `./pointsman.yaml` where there is one, or the defaults.
    pub(crate) fn load(named: Option<&Path>) -> anyhow::Result<Self> {
        let here = Path::new("pointsman.yaml");
        let Some(file) = named.or_else(|| here.is_file().then_some(here)) else {
            return Ok(Self::default());
        };
        let text = exit::read(file)?;
        Ok(Self::parse(file, &text).map_err(BadConfig)?)
    }

    fn parse(file: &Path, text: &str) -> Result<Self, Problems> {
        let name = file.display().to_string();
        let environment = |name: &str| std::env::var(name).ok();
        let document = Document::parse(&name, text, Vars::Lookup(&environment))?;
        let raw: Raw = document.read()?;
        let mut problems = Vec::new();
        let config = lower(file, raw, &document, &mut problems);
        if problems.is_empty() { Ok(config) } else { Err(problems.into()) }
    }
}

fn lower(file: &Path, raw: Raw, document: &Document, problems: &mut Vec<Problem>) -> Config {
    let default = Config::default();
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let beside = |path: String| folder.join(path);
    let root = yaml::Path::root();
    let mut wrong = |path: &yaml::Path, message: &str, help: &str| {
        problems.push(document.problem(path, message.to_owned()).help(help.to_owned()));
    };
    let listen = raw.listen.unwrap_or(default.listen);
    let key = |key: raw::RawKey| ConfiguredKey {
        name: key.name,
        secret: key.secret,
        on_loss: match key.on_loss {
            None | Some(raw::OnLoss::Tell) => gateway::OnLoss::Tell,
            Some(raw::OnLoss::Reject) => gateway::OnLoss::Reject,
        },
    };
    let keys: Vec<ConfiguredKey> = raw.keys.into_iter().map(key).collect();
    for (at, ConfiguredKey { name, secret, .. }) in keys.iter().enumerate() {
        let path = root.key("keys").index(at);
        if !secret.starts_with("env:") && !secret.starts_with("file:/") {
            let help = "write env:NAME or file:/path; the secret itself does not belong here";
            wrong(&path.key("secret"), "not a reference to a secret", help);
        }
        if keys[..at].iter().any(|earlier| earlier.name == *name) {
            wrong(
                &path.key("name"),
                "another key has this name",
                "the ledger tells keys apart by it",
            );
        }
    }
    if let Err((message, help)) = check_listen(&listen, &keys) {
        wrong(&root.key("listen"), message, help);
    }
    let limits = raw.limits.unwrap_or_default();
    let mut times = Times { document, problems };
    let serving = times.serving(&limits, raw.shutdown.as_ref());
    let load = times.load(&limits);
    let breaker = times.breaker(&raw.breaker.unwrap_or_default());
    let log = raw.log.unwrap_or_default();
    let records = folder.join("providers");
    Config {
        file: Some(file.to_owned()),
        listen,
        database: beside(raw.database.unwrap_or_else(|| "ledger.db".to_owned())),
        routing: raw.routing.map(beside),
        catalog: raw.catalog.map(beside).or_else(|| records.is_dir().then_some(records)),
        keys,
        load,
        serving,
        breaker,
        baseline: raw.baseline,
        log: Log {
            format: log.format.unwrap_or(default.log.format),
            level: log.level.unwrap_or(default.log.level),
        },
    }
}

/// Says what is wrong with an address to listen on, and what to do.
pub(crate) fn check_listen(
    listen: &str,
    keys: &[ConfiguredKey],
) -> Result<(), (&'static str, &'static str)> {
    match listen.parse::<std::net::SocketAddr>() {
        Err(_) => Err(("not an address with a port", "such as 127.0.0.1:4141")),
        Ok(address) if !address.ip().is_loopback() && keys.is_empty() => Err((
            "everybody who reaches this address could spend your money",
            "add `keys` to the configuration, or listen on 127.0.0.1",
        )),
        Ok(_) => Ok(()),
    }
}
