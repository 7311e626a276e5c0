//! The plan: ordered targets, and why.

use std::fmt;

use catalog::{Catalog, Found, Missing};

use crate::table::{Limits, Table, listed};
use crate::task::{Ask, NamedBy, Wish, wish};

/// Where a request goes, in order, and why; never without a target.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The task: its name, or `none`.
    pub task: String,
    /// How the task was named, when it was.
    pub named_by: Option<NamedBy>,
    /// The targets in the order they are tried.
    pub targets: Vec<Found>,
    /// The models that would have been there but cannot be reached.
    pub skipped: Vec<Skipped>,
    /// Why this row of the table.
    pub reason: Reason,
    /// The limits.
    pub limits: Limits,
    /// The table's version.
    pub table: String,
}

/// A model that was left out of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// As the table names it.
    pub model: String,
    /// Why it was left out.
    pub why: String,
}

/// Why a plan is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The request names a model, which is never replaced.
    Direct,
    /// The table has the task.
    Task,
    /// The request leaves the choice to the router and names no task.
    NoTask,
    /// The table does not have the task.
    UnknownTask {
        /// The nearest tasks it has.
        closest: Vec<String>,
    },
    /// None of the task's models can be reached.
    NothingReachable,
}

impl Reason {
    /// Returns the code used in decisions.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Direct => "model_named",
            Self::Task => "task_in_table",
            Self::NoTask => "no_task",
            Self::UnknownTask { .. } => "unknown_task",
            Self::NothingReachable => "task_not_reachable",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("the request names this model"),
            Self::Task => f.write_str("the routing table has this task"),
            Self::NoTask => f.write_str("no task was named, so the default model"),
            Self::UnknownTask { closest } if closest.is_empty() => {
                f.write_str("the routing table does not have this task, so the default model")
            }
            Self::UnknownTask { closest } => write!(
                f,
                "the routing table does not have this task (nearest: {}), so the default model",
                listed(closest)
            ),
            Self::NothingReachable => {
                f.write_str("none of the task's models is configured, so the default model")
            }
        }
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPlan {
    /// The named model leads nowhere.
    Model {
        /// As the caller named it.
        name: String,
        /// Why.
        missing: Missing,
    },
    /// Nothing the table names can be reached.
    Nothing {
        /// What was left out, and why.
        skipped: Vec<Skipped>,
    },
}

/// Plans a request.
pub fn plan(
    ask: &Ask<'_>,
    table: &Table,
    catalog: &Catalog,
    configured: &dyn Fn(&str) -> bool,
) -> Result<Plan, NoPlan> {
    let find = |name: &str| catalog.find(name, configured);
    match wish(ask) {
        Wish::Model(name) => {
            let found =
                find(name).map_err(|missing| NoPlan::Model { name: name.to_owned(), missing })?;
            let none =
                Row { task: "none", named_by: None, reason: Reason::Direct, limits: table.direct };
            Ok(none.plan(table, vec![found], Vec::new()))
        }
        Wish::Task(task, by) => match table.tasks.get(task) {
            Some(cell) => {
                let (targets, skipped) = reach(&cell.models, &find);
                let row =
                    Row { task, named_by: Some(by), reason: Reason::Task, limits: cell.limits };
                if targets.is_empty() {
                    safe(table, Row { reason: Reason::NothingReachable, ..row }, skipped, &find)
                } else {
                    Ok(row.plan(table, targets, skipped))
                }
            }
            None => {
                let known = table.tasks.keys().map(String::as_str);
                let closest =
                    yaml::closest(task, known, 3).into_iter().map(str::to_owned).collect();
                let reason = Reason::UnknownTask { closest };
                let row = Row { task, named_by: Some(by), reason, limits: table.defaults };
                safe(table, row, Vec::new(), &find)
            }
        },
        Wish::Anything => {
            let row = Row {
                task: "none",
                named_by: None,
                reason: Reason::NoTask,
                limits: table.defaults,
            };
            safe(table, row, Vec::new(), &find)
        }
    }
}

/// What a plan takes from the row of the table it came by.
struct Row<'a> {
    task: &'a str,
    named_by: Option<NamedBy>,
    reason: Reason,
    limits: Limits,
}

impl Row<'_> {
    fn plan(self, table: &Table, targets: Vec<Found>, skipped: Vec<Skipped>) -> Plan {
        Plan {
            task: self.task.to_owned(),
            named_by: self.named_by,
            targets,
            skipped,
            reason: self.reason,
            limits: self.limits,
            table: table.version.clone(),
        }
    }
}

/// Looks the models of a row up, keeping those that can be reached and why the others cannot.
fn reach<'m>(
    models: impl IntoIterator<Item = &'m String>,
    find: &dyn Fn(&str) -> Result<Found, Missing>,
) -> (Vec<Found>, Vec<Skipped>) {
    let (mut targets, mut skipped) = (Vec::new(), Vec::new());
    for model in models {
        match find(model) {
            Ok(found) => targets.push(found),
            Err(missing) => skipped.push(Skipped { model: model.clone(), why: why(&missing) }),
        }
    }
    (targets, skipped)
}

fn why(missing: &Missing) -> String {
    match missing {
        Missing::Unknown { .. } => "no provider serves it".to_owned(),
        Missing::Ambiguous { names } => format!("several providers serve it: {}", listed(names)),
        Missing::NotConfigured { needs, .. } => format!("not configured: it needs {needs}"),
    }
}

/// Plans with the safe model, or with its stand-in where there is one.
fn safe(
    table: &Table,
    row: Row<'_>,
    mut skipped: Vec<Skipped>,
    find: &dyn Fn(&str) -> Result<Found, Missing>,
) -> Result<Plan, NoPlan> {
    let (mut targets, left_out) =
        reach(std::iter::once(&table.default_model).chain(&table.stand_in), find);
    skipped.extend(left_out.into_iter().filter(|skip| skip.model == table.default_model));
    targets.truncate(1);
    if targets.is_empty() {
        return Err(NoPlan::Nothing { skipped });
    }
    Ok(row.plan(table, targets, skipped))
}
