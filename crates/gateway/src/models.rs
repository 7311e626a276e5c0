//! What can be asked for: the router's names, tasks, and every listed model that can be reached; in
//! the shape of the list that the client's SDK reads.

use catalog::{Missing, Model, Use};
use hyper::http::request::Parts;
use ir::{Failure, Inbound, Kind};
use serde_json::{Value, json};

use crate::{World, route};

/// Something that can be asked for.
struct Entry {
    id: String,
    owner: String,
    context: Option<u64>,
    output: Option<u64>,
    embeds: bool,
}

impl Entry {
    fn own(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            owner: "pointsman".to_owned(),
            context: None,
            output: None,
            embeds: false,
        }
    }

    fn of(provider: &str, model: &Model, id: String) -> Self {
        Self {
            id,
            owner: provider.to_owned(),
            context: model.context.map(|tokens| tokens.0),
            output: model.output.map(|tokens| tokens.0),
            embeds: model.embeds(),
        }
    }

    /// Writes the entry as the client's SDK reads it. Nobody knows when a model was made, and a
    /// list must say it: the beginning of time says that nobody knows.
    fn told(&self, inbound: Inbound) -> Value {
        match inbound {
            Inbound::OpenaiChat | Inbound::OpenaiResponses => {
                let mut told = json!({
                    "id": self.id, "object": "model", "created": 0, "owned_by": self.owner,
                });
                put(&mut told, "context_window", self.context);
                put(&mut told, "max_output_tokens", self.output);
                told
            }
            Inbound::AnthropicMessages => {
                let mut told = json!({
                    "type": "model", "id": self.id, "display_name": self.id,
                    "created_at": "1970-01-01T00:00:00Z",
                });
                put(&mut told, "max_input_tokens", self.context);
                put(&mut told, "max_tokens", self.output);
                told
            }
            Inbound::Gemini => {
                // Embeddings are asked for in OpenAI's way alone.
                let methods: &[&str] =
                    if self.embeds { &[] } else { &["generateContent", "countTokens"] };
                let mut told = json!({
                    "name": format!("models/{}", self.id), "baseModelId": self.id,
                    "version": "1", "displayName": self.id,
                    "supportedGenerationMethods": methods,
                });
                put(&mut told, "inputTokenLimit", self.context);
                put(&mut told, "outputTokenLimit", self.output);
                told
            }
        }
    }
}

fn put(told: &mut Value, name: &str, number: Option<u64>) {
    if let Some(number) = number {
        told[name] = json!(number);
    }
}

/// Returns whose list a client reads.
fn reader(parts: &Parts) -> Inbound {
    route::dialect(&parts.uri, &parts.headers)
}

/// Lists everything that can be asked for.
pub(crate) fn list(world: &World, parts: &Parts) -> String {
    let router = router::ROUTER_NAMES.iter().map(|name| Entry::own(name));
    let tasks = world.table.tasks.keys().map(|task| Entry::own(&format!("task/{task}")));
    let reached = world.catalog.providers.iter().filter(|provider| world.reaches(&provider.id));
    let models = reached.flat_map(|provider| {
        let listed = [Use::Chat, Use::Embeddings].map(|wanted| provider.listed_for(wanted));
        let name = |model: &Model| format!("{}/{}", provider.id, model.id);
        listed.into_iter().flatten().map(move |model| Entry::of(&provider.id, model, name(model)))
    });
    let inbound = reader(parts);
    let entries: Vec<Entry> = router.chain(tasks).chain(models).collect();
    let data: Vec<Value> = entries.iter().map(|entry| entry.told(inbound)).collect();
    let list = match inbound {
        Inbound::OpenaiChat | Inbound::OpenaiResponses => json!({"object": "list", "data": data}),
        Inbound::AnthropicMessages => json!({
            "data": data,
            "has_more": false,
            "first_id": entries.first().map(|entry| &entry.id),
            "last_id": entries.last().map(|entry| &entry.id),
        }),
        Inbound::Gemini => json!({"models": data}),
    };
    list.to_string()
}

/// Tells about one name.
pub(crate) fn one(world: &World, parts: &Parts, name: &str) -> Result<String, Failure> {
    let told = |entry: Entry| entry.told(reader(parts)).to_string();
    let task = name.strip_prefix("task/").is_some_and(|task| world.table.tasks.contains_key(task));
    if task || router::ROUTER_NAMES.contains(&name) {
        return Ok(told(Entry::own(name)));
    }
    let reaches = |id: &str| world.reaches(id);
    let found = match world.catalog.find(name, &reaches) {
        Err(Missing::NotFor { wanted: Use::Chat, .. }) => {
            world.catalog.find_for(Use::Embeddings, name, &reaches)
        }
        found => found,
    };
    match found {
        Ok(found) => Ok(told(Entry::of(&found.provider.id, &found.model, name.to_owned()))),
        Err(why) => Err(missing(name, &why)),
    }
}

/// The longest name of a model, in bytes; where a host takes any, it becomes a name in the ledger,
/// in metrics and on pages.
const LONGEST_NAME: usize = 200;

/// Refuses what no model is called.
pub(crate) fn sensible(name: &str) -> Result<(), Failure> {
    if name.len() <= LONGEST_NAME && !name.contains(char::is_control) {
        return Ok(());
    }
    let said = format!(
        "a model's name has at most {LONGEST_NAME} bytes, and neither line ends nor other control \
         characters"
    );
    Err(Failure::new(Kind::ModelNotFound, said).at("model"))
}

/// Says why a name leads to no model, and what to write instead.
pub(crate) fn missing(name: &str, missing: &Missing) -> Failure {
    let kind = match missing {
        Missing::Unknown { .. } | Missing::NotFor { .. } => Kind::ModelNotFound,
        Missing::Ambiguous { .. } => Kind::ModelAmbiguous,
        Missing::NotConfigured { .. } => Kind::NoTarget,
    };
    let more = match missing {
        Missing::Unknown { .. } => "; GET /v1/models lists what there is",
        _ => "",
    };
    let help = missing.help().map(|help| format!("; {help}")).unwrap_or_default();
    Failure::new(kind, format!("{}{help}{more}", missing.what(name))).at("model")
}
