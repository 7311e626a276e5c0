//! The routing table: `routing.yaml` as it is written, checked, and as it is used.

use std::collections::BTreeMap;

use catalog::{Catalog, Missing};
use schemars::JsonSchema;
use serde::Deserialize;
use yaml::{Document, Path, Problem, Problems, Vars};

use crate::limits::{self, Limits, Whose, WrittenCell, WrittenLimits};
use crate::task::ROUTER_NAMES;

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
    /// Names that stand for several models among which load is shared: each model with its
    /// weight, such as `gpt-4o: { openai/gpt-4o: 2, azure-openai/gpt-4o: 1 }`.
    #[serde(default)]
    pub equals: BTreeMap<String, BTreeMap<String, u32>>,
    /// The tasks.
    pub tasks: BTreeMap<String, WrittenCell>,
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
    /// Names that stand for several models, each with its weight.
    pub equals: BTreeMap<String, BTreeMap<String, u32>>,
    /// The tasks, by name.
    pub tasks: BTreeMap<String, Cell>,
}

/// The models of a task.
#[derive(Debug, Clone, PartialEq)]
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
    let mut limits = |whose, path: Path, written: &WrittenLimits, under: &Limits| {
        limits::lower(whose, written, under, &path, document, problems)
    };
    let default = Limits::default();
    let defaults = limits(
        Whose::Everybody,
        Path::root().key("defaults"),
        &written.defaults.limits(),
        &default,
    );
    let direct =
        limits(Whose::Task, Path::root().key("direct"), &written.direct.limits(), &defaults);
    let mut tasks = BTreeMap::new();
    for (name, cell) in &written.tasks {
        let path = Path::root().key("tasks").key(name);
        let limits = limits(Whose::Task, path, &cell.limits(), &defaults);
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
    check_equals(written, document, problems);
    Table {
        version: written.version.clone(),
        default_model: written.default_model.clone(),
        stand_in: None,
        defaults,
        direct,
        equals: written.equals.clone(),
        tasks,
    }
}

/// Checks the names that stand for several models.
fn check_equals(written: &Written, document: &Document, problems: &mut Vec<Problem>) {
    for (name, models) in &written.equals {
        let path = Path::root().key("equals").key(name);
        let mut wrong = |path: &Path, message: &str, help: &str| {
            problems.push(document.problem(path, message.to_owned()).help(help.to_owned()));
        };
        if name.starts_with("task/") || ROUTER_NAMES.contains(&name.as_str()) {
            wrong(&path, "this name is taken", "requests name tasks and the router that way");
        }
        if written.tasks.contains_key(name) {
            wrong(
                &path,
                "a task has this name",
                "choose another, so that it is clear which is meant",
            );
        }
        if models.is_empty() {
            wrong(&path, "stands for no model", "name at least one, with its weight");
        }
        for (model, weight) in models {
            let path = path.key(model);
            if !(1..=1_000).contains(weight) {
                wrong(&path, "not a weight", "write a number from 1 to 1000");
            }
            if written.equals.contains_key(model) {
                wrong(&path, "stands for several models itself", "name the models themselves");
            }
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
    let equals = table.equals.iter().flat_map(|(name, models)| {
        let path = Path::root().key("equals").key(name);
        models.keys().map(move |model| (path.key(model), model))
    });
    let problem = |(path, model): (Path, &String)| {
        if table.equals.contains_key(model) {
            return None;
        }
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
    let shadows = table.equals.keys().filter(|name| is_a_model(name, catalog)).map(|name| {
        let path = Path::root().key("equals").key(name);
        let help = "nobody could ask for that model any more; choose a name without its provider";
        document.problem(&path, "a model has this name".to_owned()).help(help.to_owned())
    });
    named.chain(cells).chain(equals).filter_map(problem).chain(shadows).collect()
}

/// Returns whether a name is a provider's and its model's.
fn is_a_model(name: &str, catalog: &Catalog) -> bool {
    name.contains('/') && catalog.find(name, &|_| true).is_ok()
}

/// Returns what of a table does nothing, which is no reason not to serve with it.
pub fn warnings(table: &Table, document: &Document, catalog: &Catalog) -> Vec<Problem> {
    let priced = |model: &String| {
        let found = catalog.find(model, &|_| true);
        found.is_ok_and(|found| found.model.price.is_some())
    };
    let members = |model: &String| match table.equals.get(model) {
        Some(models) => models.keys().cloned().collect(),
        None => vec![model.clone()],
    };
    let spending = table.tasks.iter().filter(|(_, cell)| cell.limits.spend.is_some());
    let problem = |(task, cell): (&String, &Cell)| {
        let mut models = cell.models.iter().flat_map(members);
        let unpriced = models.find(|model| !priced(model))?;
        let message = format!("`spend` counts nothing of `{unpriced}`, which has no price");
        let help = "give the model a price in a provider record".to_owned();
        Some(document.problem(&Path::root().key("tasks").key(task), message).help(help))
    };
    spending.filter_map(problem).collect()
}

pub(crate) fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
