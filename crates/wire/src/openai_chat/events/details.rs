//! The `reasoning_details` of a stream, grown together again: hosts send them in pieces, and a client
//! or the next request must hold them whole.

use ir::{Dialect, Opaque, RawJson};
use serde_json::{Map, Value as Json};

use crate::fields::Value;

/// Details so far.
#[derive(Debug, Default)]
pub(super) struct Details(Vec<Map<String, Json>>);

/// The fields that grow; any other is replaced by what is said later.
const GROWING: [&str; 2] = ["text", "summary"];

impl Details {
    /// Reads the details of a chunk; a list of anything but objects is none.
    pub(super) fn read(list: Value<'_, '_>) -> Option<Self> {
        if !list.is_list() {
            return None;
        }
        serde_json::from_str(list.raw.get()).ok().map(Self)
    }

    /// Returns whether there is nothing to carry.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text they say.
    pub(super) fn text(&self) -> String {
        let said = |detail: &Map<String, Json>| {
            let text = GROWING.iter().find_map(|name| detail.get(*name)?.as_str());
            text.map(str::to_owned)
        };
        self.0.iter().filter_map(said).collect()
    }

    /// Adds what a chunk says.
    pub(super) fn merge(&mut self, more: Self) {
        for detail in more.0 {
            match self.0.last_mut().filter(|last| goes_on(last, &detail)) {
                Some(last) => grow(last, detail),
                None => self.0.push(detail),
            }
        }
    }

    /// Takes them as the carrier of the thoughts.
    pub(super) fn take(&mut self) -> Option<Opaque> {
        if self.0.is_empty() {
            return None;
        }
        let list: Vec<Json> = std::mem::take(&mut self.0).into_iter().map(Json::Object).collect();
        let raw = RawJson::parse(Json::Array(list).to_string());
        let raw = raw.expect("invariant: a Value prints as JSON");
        Some(Opaque { dialect: Dialect::OpenaiChat, raw })
    }
}

/// Returns whether a detail continues the one before it. Encrypted ones come whole.
fn goes_on(last: &Map<String, Json>, detail: &Map<String, Json>) -> bool {
    let same = |name| match (last.get(name), detail.get(name)) {
        (Some(last), Some(this)) => last == this,
        _ => true,
    };
    let grows = GROWING.iter().any(|name| last.contains_key(*name));
    grows && !detail.contains_key("data") && ["type", "index", "id"].into_iter().all(same)
}

fn grow(last: &mut Map<String, Json>, detail: Map<String, Json>) {
    for (name, said) in detail {
        match (last.get_mut(&name), said) {
            (_, Json::Null) => {}
            (Some(Json::String(text)), Json::String(more)) if GROWING.contains(&name.as_str()) => {
                text.push_str(&more);
            }
            // An empty signature says that there is none yet.
            (Some(Json::String(_)), Json::String(none)) if none.is_empty() => {}
            (_, said) => drop(last.insert(name, said)),
        }
    }
}
