//! What can be asked for: the router's names, tasks, and every listed model that can be reached.

use catalog::Missing;
use ir::{Failure, Kind};
use serde::Serialize;

use crate::World;

/// OpenAI's list of models.
#[derive(Debug, Serialize)]
pub(crate) struct List {
    object: &'static str,
    data: Vec<Entry>,
}

/// An entry of the list.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    id: String,
    object: &'static str,
    created: u64,
    owned_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_window: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
}

impl Entry {
    fn own(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            object: "model",
            created: 0,
            owned_by: "pointsman".to_owned(),
            context_window: None,
            max_output_tokens: None,
        }
    }
}

/// Lists everything that can be asked for.
pub(crate) fn list(world: &World) -> List {
    let router = router::ROUTER_NAMES.iter().map(|name| Entry::own(name));
    let tasks = world.table.tasks.keys().map(|task| Entry::own(&format!("task/{task}")));
    let reached = world.catalog.providers.iter().filter(|provider| world.reaches(&provider.id));
    let models = reached.flat_map(|provider| {
        let listed = provider.listed();
        listed.map(|model| entry(&provider.id, model))
    });
    List { object: "list", data: router.chain(tasks).chain(models).collect() }
}

fn entry(provider: &str, model: &catalog::Model) -> Entry {
    Entry {
        id: format!("{provider}/{}", model.id),
        owned_by: provider.to_owned(),
        context_window: model.context.map(|tokens| tokens.0),
        max_output_tokens: model.output.map(|tokens| tokens.0),
        ..Entry::own("")
    }
}

/// Tells about one name.
pub(crate) fn one(world: &World, name: &str) -> Result<Entry, Failure> {
    let task = name.strip_prefix("task/").is_some_and(|task| world.table.tasks.contains_key(task));
    if task || router::ROUTER_NAMES.contains(&name) {
        return Ok(Entry::own(name));
    }
    match world.catalog.find(name, &|id| world.reaches(id)) {
        Ok(found) => Ok(Entry { id: name.to_owned(), ..entry(&found.provider.id, &found.model) }),
        Err(why) => Err(missing(name, &why)),
    }
}

/// Says why a name leads to no model, and what to write instead.
pub(crate) fn missing(name: &str, missing: &Missing) -> Failure {
    let listed = |names: &[String]| {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    match missing {
        Missing::Unknown { closest } if closest.is_empty() => {
            let said = format!("no provider serves `{name}`; GET /v1/models lists what there is");
            Failure::new(Kind::ModelNotFound, said).at("model")
        }
        Missing::Unknown { closest } => {
            let said = format!(
                "no provider serves `{name}`; did you mean {}? GET /v1/models lists what there is",
                listed(closest)
            );
            Failure::new(Kind::ModelNotFound, said).at("model")
        }
        Missing::Ambiguous { names } => {
            let said = format!("several providers serve `{name}`: write one of {}", listed(names));
            Failure::new(Kind::ModelAmbiguous, said).at("model")
        }
        Missing::NotConfigured { name: full, needs } => {
            let said =
                format!("`{full}` is known, but its provider is not configured: it needs {needs}");
            Failure::new(Kind::NoTarget, said).at("model")
        }
    }
}
