//! The routing table: `routing.yaml` as it is written, checked, and as it is used.

use std::collections::BTreeMap;
use std::time::Duration;

use catalog::{Catalog, Missing};
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use yaml::{Document, Path, Problem, Problems, Vars};

const SHIPPED: &str = include_str!("../../../catalog/routing.yaml");

/// `routing.yaml` as it is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// What this table is called; every decision names it.
    pub version: String,
    /// The model for an unknown task, for no task, and for a task none of whose models can be
    /// reached: the safe one.
    pub default_model: String,
    /// What holds for every task that does not say otherwise.
    #[serde(default)]
    pub defaults: WrittenLimits,
    /// What holds for requests that name a model.
    #[serde(default)]
    pub direct: WrittenLimits,
    /// The tasks.
    pub tasks: BTreeMap<String, WrittenCell>,
}

/// The limits of a request.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenLimits {
    /// How long one attempt may take until its answer has begun (a stream) or is there (whole),
    /// such as `30s`.
    #[schemars(with = "Option<String>")]
    pub timeout: Option<SignedDuration>,
    /// How long the whole request may take, every attempt and the stream to its end.
    #[schemars(with = "Option<String>")]
    pub total: Option<SignedDuration>,
    /// When the answer may begin to go out.
    pub commit: Option<Commit>,
}

/// A task: the models for it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenCell {
    /// What the task is, for people.
    pub about: Option<String>,
    /// The model that gets it.
    pub primary: String,
    /// The models that get it when that one fails, in order.
    #[serde(default)]
    pub fallbacks: Vec<String>,
    /// How long one attempt may take; see `defaults`.
    #[schemars(with = "Option<String>")]
    pub timeout: Option<SignedDuration>,
    /// How long the whole request may take; see `defaults`.
    #[schemars(with = "Option<String>")]
    pub total: Option<SignedDuration>,
    /// When the answer may begin to go out; see `defaults`.
    pub commit: Option<Commit>,
}

/// When an answer may begin to go out. Until then a failure falls back; after it, it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Commit {
    /// With its first token.
    #[default]
    FirstToken,
    /// When it is whole and has ended as it should.
    Checked,
}

impl Commit {
    /// Returns the word of the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstToken => "first_token",
            Self::Checked => "checked",
        }
    }
}

/// The routing table as it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What it is called.
    pub version: String,
    /// The safe model.
    pub default_model: String,
    /// A model to use where even the safe one cannot be reached: set when the table is the shipped
    /// one and the operator chose no model at all.
    pub stand_in: Option<String>,
    /// What holds without a task.
    pub defaults: Limits,
    /// What holds for requests that name a model.
    pub direct: Limits,
    /// The tasks, by name.
    pub tasks: BTreeMap<String, Cell>,
}

/// The limits of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long one attempt may take until its answer has begun, or is there.
    pub timeout: Duration,
    /// How long the whole request may take.
    pub total: Duration,
    /// When the answer may begin to go out.
    pub commit: Commit,
}

/// The article's thirty seconds, and ten minutes for all of it.
impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            total: Duration::from_secs(600),
            commit: Commit::FirstToken,
        }
    }
}

/// The models of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What the task is, for people.
    pub about: Option<String>,
    /// The models as the table names them, the primary first; never empty.
    pub models: Vec<String>,
    /// Its limits.
    pub limits: Limits,
}

impl Table {
    /// Returns the shipped table.
    pub fn shipped() -> Self {
        Self::parse("catalog/routing.yaml", SHIPPED, Vars::Keep)
            .expect("invariant: the shipped table is tested to be sound")
            .0
    }

    /// Returns the shipped table's text, for a first file of the operator's own.
    pub fn shipped_text() -> &'static str {
        SHIPPED
    }

    /// Reads a table; its document stays for messages about models.
    pub fn parse(name: &str, text: &str, vars: Vars<'_>) -> Result<(Self, Document), Problems> {
        let document = Document::parse(name, text, vars)?;
        let written: Written = document.read()?;
        let mut problems = Vec::new();
        let table = lower(&written, &document, &mut problems);
        if problems.is_empty() { Ok((table, document)) } else { Err(problems.into()) }
    }
}

fn lower(written: &Written, document: &Document, problems: &mut Vec<Problem>) -> Table {
    let mut limits = |path: Path, written: &WrittenLimits, under: Limits| Limits {
        timeout: positive(written.timeout, under.timeout, &path.key("timeout"), document, problems),
        total: positive(written.total, under.total, &path.key("total"), document, problems),
        commit: written.commit.unwrap_or(under.commit),
    };
    let defaults = limits(Path::root().key("defaults"), &written.defaults, Limits::default());
    let direct = limits(Path::root().key("direct"), &written.direct, defaults);
    let mut tasks = BTreeMap::new();
    for (name, cell) in &written.tasks {
        let path = Path::root().key("tasks").key(name);
        let own = WrittenLimits { timeout: cell.timeout, total: cell.total, commit: cell.commit };
        let limits = limits(path, &own, defaults);
        let models = std::iter::once(&cell.primary).chain(&cell.fallbacks).cloned().collect();
        tasks.insert(name.clone(), Cell { about: cell.about.clone(), models, limits });
    }
    for (name, cell) in &tasks {
        let path = Path::root().key("tasks").key(name);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if name == "none" {
            let help = "decisions and the ledger say so of a request without a task".to_owned();
            problems.push(document.problem(&path, "`none` is taken".to_owned()).help(help));
        }
        if name.is_empty() || !name.chars().all(plain) {
            let help = "use lower-case letters, digits, _ and -";
            let message = "callers could not name this task".to_owned();
            problems.push(document.problem(&path, message).help(help.to_owned()));
        }
        for (at, model) in cell.models.iter().enumerate() {
            if cell.models[..at].contains(model) {
                let message = format!("`{model}` is in this task already");
                problems.push(document.problem(&model_path(name, at), message));
            }
        }
    }
    Table {
        version: written.version.clone(),
        default_model: written.default_model.clone(),
        stand_in: None,
        defaults,
        direct,
        tasks,
    }
}

/// The longest limit that makes sense of a request.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

fn positive(
    written: Option<SignedDuration>,
    under: Duration,
    path: &Path,
    document: &Document,
    problems: &mut Vec<Problem>,
) -> Duration {
    let Some(written) = written else { return under };
    match Duration::try_from(written) {
        Ok(duration) if !duration.is_zero() && duration <= LONGEST => duration,
        _ => {
            let help = "write a length of time such as 30s or 2m".to_owned();
            problems.push(
                document
                    .problem(path, "must be longer than nothing and at most a day".to_owned())
                    .help(help),
            );
            under
        }
    }
}

fn model_path(task: &str, at: usize) -> Path {
    let cell = Path::root().key("tasks").key(task);
    match at.checked_sub(1) {
        None => cell.key("primary"),
        Some(fallback) => cell.key("fallbacks").index(fallback),
    }
}

/// Checks the models of a table against the catalogue: every name that leads nowhere or to several
/// places. A model whose provider lacks its key is not a problem of the table.
pub fn check(
    table: &Table,
    document: &Document,
    catalog: &Catalog,
    configured: &dyn Fn(&str) -> bool,
) -> Vec<Problem> {
    let named = std::iter::once((Path::root().key("default_model"), &table.default_model));
    let cells = table.tasks.iter().flat_map(|(task, cell)| {
        cell.models.iter().enumerate().map(move |(at, model)| (model_path(task, at), model))
    });
    let problem = |(path, model): (Path, &String)| {
        let missing = match catalog.find(model, configured) {
            Ok(_) | Err(Missing::NotConfigured { .. }) => return None,
            Err(missing) => missing,
        };
        let problem = document.problem(&path, missing.what(model));
        Some(match missing.help() {
            Some(help) => problem.help(help),
            None => problem,
        })
    };
    named.chain(cells).filter_map(problem).collect()
}

pub(crate) fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
