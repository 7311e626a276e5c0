//! What a request shows of itself, and how its caller names the task.

use crate::needs::Needs;
use crate::pin::Pin;

/// What the router can see of a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ask<'a> {
    /// The model as the caller names it: a model, `auto`, or `task/<name>`.
    pub model: &'a str,
    /// The header `x-pointsman-task`.
    pub header_task: Option<&'a str>,
    /// `metadata.task` of the body.
    pub metadata_task: Option<&'a str>,
    /// What pins the request.
    pub pins: &'a [Pin],
    /// What it demands of a model.
    pub needs: Needs,
}

/// The names that leave the choice to the router. None holds a part on which clients change their
/// behaviour (`o1`, `gpt-5`, …); the second is for clients that list only names of that kind.
pub const ROUTER_NAMES: [&str; 2] = ["auto", "claude-auto"];

/// How a task was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// By the header `x-pointsman-task`.
    Header,
    /// By `metadata.task`.
    Metadata,
    /// By the model `task/<name>`.
    Model,
}

impl NamedBy {
    /// Returns how a reader would say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Header => "header x-pointsman-task",
            Self::Metadata => "metadata.task",
            Self::Model => "model task/…",
        }
    }
}

/// What a caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish<'a> {
    /// This model and no other.
    Model(&'a str),
    /// Whatever suits this task.
    Task(&'a str, NamedBy),
    /// Whatever the router thinks.
    Anything,
}

/// Reads the caller's wish. Naming a task in a header or in the metadata is for clients that cannot
/// change the model they send, so it comes before the model.
pub(crate) fn wish<'a>(ask: &Ask<'a>) -> Wish<'a> {
    let said = |task: Option<&'a str>| task.map(str::trim).filter(|task| !task.is_empty());
    if let Some(task) = said(ask.header_task) {
        return Wish::Task(task, NamedBy::Header);
    }
    if let Some(task) = said(ask.metadata_task) {
        return Wish::Task(task, NamedBy::Metadata);
    }
    match ask.model.strip_prefix("task/") {
        Some(task) => Wish::Task(task, NamedBy::Model),
        None if ROUTER_NAMES.contains(&ask.model) => Wish::Anything,
        None => Wish::Model(ask.model),
    }
}
