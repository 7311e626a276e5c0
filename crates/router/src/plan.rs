//! The plan: ordered targets, and why.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use catalog::{Catalog, Found, Missing, Use};

use crate::limits::Limits;
use crate::needs::{Lacks, Needs};
use crate::pin::{Grip, Pin, To};
use crate::table::{Table, listed};
use crate::task::{Ask, NamedBy, Wish, wish};

/// Where a request goes, in order, and why; never without a target.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The task: its name, or `none`.
    pub task: String,
    /// How the task was named, when it was.
    pub named_by: Option<NamedBy>,
    /// The targets in the order they are tried; those of one rank are equals.
    pub targets: Vec<Step>,
    /// The models that would have been there but cannot be reached.
    pub skipped: Vec<Skipped>,
    /// Why this row of the table.
    pub reason: Reason,
    /// What pinned the request, and what became of it.
    pub pinned: Vec<String>,
    /// The limits.
    pub limits: Limits,
    /// The table's version.
    pub table: String,
}

/// A target of a plan.
#[derive(Debug, Clone)]
pub struct Step {
    /// The model at its provider.
    pub found: Found,
    /// Its place: targets of a lower rank are tried first, those of the same share the load.
    pub rank: usize,
    /// How much of the load of its rank goes to it.
    pub weight: u32,
}

impl Deref for Step {
    type Target = Found;

    fn deref(&self) -> &Found {
        &self.found
    }
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
    /// None of the task's models can do what the request demands.
    NothingAble,
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
            Self::NothingAble => "task_not_able",
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
            Self::NothingAble => f.write_str(
                "none of the task's models can do what the request demands, so the default model",
            ),
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
    /// Nobody in the plan can do what the request demands.
    Unable {
        /// What the first of them lacks.
        lacks: Lacks,
        /// What each of them lacks.
        skipped: Vec<Skipped>,
    },
    /// Nobody in the plan can honour what the request holds.
    Pinned {
        /// What it holds.
        pin: Pin,
        /// Who cannot honour it.
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
    let mut plan = unpinned(ask, table, catalog, configured)?;
    able(&mut plan, ask.needs, table, catalog, configured)?;
    for pin in ask.pins {
        hold(&mut plan, pin, catalog, configured)?;
    }
    Ok(plan)
}

/// Plans a request for embeddings: the model that it names, which is never replaced, since vectors
/// of two models cannot be compared.
pub fn plan_embeddings(
    model: &str,
    table: &Table,
    catalog: &Catalog,
    configured: &dyn Fn(&str) -> bool,
) -> Result<Plan, NoPlan> {
    let found = catalog
        .find_for(Use::Embeddings, model, configured)
        .map_err(|missing| NoPlan::Model { name: model.to_owned(), missing })?;
    let row = Row {
        task: "embeddings",
        named_by: None,
        reason: Reason::Direct,
        limits: table.direct.clone(),
    };
    Ok(row.plan(table, vec![alone(found)], Vec::new()))
}

/// Leaves the targets that can do what the request demands; where the router chose and none can, the
/// default model is asked whether it can.
fn able(
    plan: &mut Plan,
    needs: Needs,
    table: &Table,
    catalog: &Catalog,
    configured: &dyn Fn(&str) -> bool,
) -> Result<(), NoPlan> {
    let mut first = None;
    let targets = std::mem::take(&mut plan.targets);
    for target in targets {
        let Some(lacks) = needs.lacked_by(&target) else {
            plan.targets.push(target);
            continue;
        };
        first.get_or_insert(lacks);
        plan.skipped.push(Skipped { model: target.name(), why: lacks.why().to_owned() });
    }
    let Some(lacks) = first.filter(|_| plan.targets.is_empty()) else { return Ok(()) };
    if plan.reason != Reason::Direct {
        let find = |name: &str| catalog.find(name, configured);
        let (mut safe, _) = reach(table, [&table.default_model], &find);
        safe.retain(|target| needs.lacked_by(target).is_none());
        if !safe.is_empty() {
            plan.reason = Reason::NothingAble;
            plan.targets = safe;
            return Ok(());
        }
    }
    Err(NoPlan::Unable { lacks, skipped: std::mem::take(&mut plan.skipped) })
}

/// Leaves the targets that can honour a pin, where there are some or must be.
fn hold(
    plan: &mut Plan,
    pin: &Pin,
    catalog: &Catalog,
    configured: &dyn Fn(&str) -> bool,
) -> Result<(), NoPlan> {
    let (can, cannot): (Vec<Step>, Vec<Step>) =
        plan.targets.drain(..).partition(|target| pin.honoured_by(target));
    let why = pin.to_string();
    let skipped = |target: &Step| Skipped { model: target.name(), why: why.clone() };
    if !can.is_empty() {
        if !cannot.is_empty() {
            plan.pinned.push(why.clone());
        }
        // Those that cannot come after all that can, be they equals or not.
        let after = 1 + can.iter().map(|step| step.rank).max().unwrap_or(0);
        plan.targets = can;
        if pin.grip == Grip::Loose {
            let later = |step: Step| Step { rank: after + step.rank, ..step };
            plan.targets.extend(cannot.into_iter().map(later));
        } else {
            plan.skipped.extend(cannot.iter().map(skipped));
        }
        return Ok(());
    }
    if pin.grip == Grip::Loose {
        plan.targets = cannot;
        return Ok(());
    }
    // Whoever left the choice to the router gets the model that made the answer gone on from.
    if let (To::Provider { provider, model }, true) = (&pin.to, plan.reason != Reason::Direct)
        && let Ok(found) = catalog.find(&format!("{provider}/{model}"), configured)
        && pin.honoured_by(&found)
    {
        plan.pinned.push(why.clone());
        plan.skipped.extend(cannot.iter().map(skipped));
        plan.targets = vec![alone(found)];
        return Ok(());
    }
    Err(NoPlan::Pinned { pin: pin.clone(), skipped: cannot.iter().map(skipped).collect() })
}

fn unpinned(
    ask: &Ask<'_>,
    table: &Table,
    catalog: &Catalog,
    configured: &dyn Fn(&str) -> bool,
) -> Result<Plan, NoPlan> {
    let find = |name: &str| catalog.find(name, configured);
    match wish(ask) {
        Wish::Model(name) => {
            let limits = table.direct.clone();
            let row = Row { task: "none", named_by: None, reason: Reason::Direct, limits };
            let (targets, skipped) = match table.equals.get(name) {
                Some(models) => equals(0, models, &find),
                None => (vec![alone(find(name).map_err(|missing| missed(name, missing))?)], vec![]),
            };
            if targets.is_empty() {
                return Err(NoPlan::Nothing { skipped });
            }
            Ok(row.plan(table, targets, skipped))
        }
        Wish::Task(task, by) => match table.tasks.get(task) {
            Some(cell) => {
                let (targets, skipped) = reach(table, &cell.models, &find);
                let limits = cell.limits.clone();
                let row = Row { task, named_by: Some(by), reason: Reason::Task, limits };
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
                let limits = table.defaults.clone();
                let row = Row { task, named_by: Some(by), reason, limits };
                safe(table, row, Vec::new(), &find)
            }
        },
        Wish::Anything => {
            let row = Row {
                task: "none",
                named_by: None,
                reason: Reason::NoTask,
                limits: table.defaults.clone(),
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
    fn plan(self, table: &Table, targets: Vec<Step>, skipped: Vec<Skipped>) -> Plan {
        Plan {
            task: self.task.to_owned(),
            named_by: self.named_by,
            targets,
            skipped,
            reason: self.reason,
            pinned: Vec::new(),
            limits: self.limits,
            table: table.version.clone(),
        }
    }
}

/// Makes a plan's step of a model that has no equals.
fn alone(found: Found) -> Step {
    Step { found, rank: 0, weight: 1 }
}

fn missed(name: &str, missing: Missing) -> NoPlan {
    NoPlan::Model { name: name.to_owned(), missing }
}

/// Looks the models of a row up, each a rank, keeping those that can be reached and why the others
/// cannot.
fn reach<'m>(
    table: &Table,
    models: impl IntoIterator<Item = &'m String>,
    find: &dyn Fn(&str) -> Result<Found, Missing>,
) -> (Vec<Step>, Vec<Skipped>) {
    let (mut targets, mut skipped) = (Vec::new(), Vec::new());
    for (rank, model) in models.into_iter().enumerate() {
        let one;
        let models = match table.equals.get(model) {
            Some(models) => models,
            None => {
                one = BTreeMap::from([(model.clone(), 1)]);
                &one
            }
        };
        let (found, left_out) = equals(rank, models, find);
        targets.extend(found);
        skipped.extend(left_out);
    }
    (targets, skipped)
}

/// Looks models up that share a rank.
fn equals(
    rank: usize,
    models: &BTreeMap<String, u32>,
    find: &dyn Fn(&str) -> Result<Found, Missing>,
) -> (Vec<Step>, Vec<Skipped>) {
    let (mut targets, mut skipped) = (Vec::new(), Vec::new());
    for (model, weight) in models {
        match find(model) {
            Ok(found) => targets.push(Step { found, rank, weight: *weight }),
            Err(missing) => {
                skipped.push(Skipped { model: model.clone(), why: why(model, &missing) })
            }
        }
    }
    (targets, skipped)
}

fn why(model: &str, missing: &Missing) -> String {
    match missing {
        Missing::NotConfigured { needs, .. } => format!("not configured: it needs {needs}"),
        missing => match missing.help() {
            Some(help) => format!("{}: {help}", missing.what(model)),
            None => missing.what(model),
        },
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
        reach(table, std::iter::once(&table.default_model).chain(&table.stand_in), find);
    // The stand-in is for when nothing of the default can be reached, and no news otherwise.
    skipped
        .extend(left_out.into_iter().filter(|skip| Some(&skip.model) != table.stand_in.as_ref()));
    let first = targets.first().map(|target| target.rank);
    targets.retain(|target| Some(target.rank) == first);
    if targets.is_empty() {
        return Err(NoPlan::Nothing { skipped });
    }
    Ok(row.plan(table, targets, skipped))
}
