//! Walks the tree along the JSON Schema of a type, tells every misfit, and writes the JSON that
//! the type is then read from: decimals as their exact text, variables as what their place asks
//! for. A schema is trusted, a tree is not.

use serde_json::{Map, Value as Json};

use crate::node::{Entry, Node, Scalar, Value};
use crate::path::Path;
use crate::problem::{Place, Problem, Problems};
use crate::scalar::Kind;
use crate::words;

mod choose;
mod leaf;
mod schemas;

use schemas::{Layer, Property, Schemas};

/// How many values may be looked at before alternatives are no longer tried out: more than twice
/// what a document may hold.
const PATIENCE: usize = 250_000;

/// Returns the JSON of a tree that fits a schema, or every reason why it does not.
pub(crate) fn fit(file: &str, root: &Node, schema: &Json) -> Result<Json, Problems> {
    let mut fit =
        Fit { file, schemas: Schemas { root: schema }, problems: Vec::new(), patience: PATIENCE };
    let json = fit.value(root, &[schema], &Path::root());
    Problems::none(fit.problems)?;
    Ok(json)
}

/// The walk so far.
struct Fit<'s> {
    file: &'s str,
    schemas: Schemas<'s>,
    problems: Vec<Problem>,
    patience: usize,
}

impl<'s> Fit<'s> {
    /// Walks one value; what it returns counts only when no problem was found.
    fn value(&mut self, node: &Node, schemas: &[&'s Json], path: &Path) -> Json {
        self.patience = self.patience.saturating_sub(1);
        let Some(layers) = self.layers(node, schemas, path) else { return Json::Null };
        let Some(kind) = self.kind(node, &layers, path) else { return Json::Null };
        match &node.value {
            Value::Map(entries) => self.map(node.at, entries, &layers, path),
            Value::List(items) => self.list(node.at, items, &layers, path),
            Value::Scalar(scalar) => self.leaf(node, scalar, kind, &layers, path),
        }
    }

    /// Returns every schema that a value must satisfy: references followed, alternatives chosen.
    fn layers(&mut self, node: &Node, schemas: &[&'s Json], path: &Path) -> Option<Vec<&'s Layer>> {
        let mut waiting: Vec<&'s Json> = schemas.iter().rev().copied().collect();
        let mut layers: Vec<&'s Layer> = Vec::new();
        while let Some(schema) = waiting.pop() {
            let Json::Object(layer) = schema else { continue };
            // A type that is defined as itself would never end.
            if layers.iter().any(|known| std::ptr::eq(*known, layer)) {
                continue;
            }
            layers.push(layer);
            waiting.extend(self.schemas.target(layer));
            waiting.extend(schemas::list(layer, "allOf"));
            for keyword in ["oneOf", "anyOf"] {
                let branches = schemas::list(layer, keyword);
                if !branches.is_empty() {
                    waiting.push(self.choose(branches, node, path)?);
                }
            }
        }
        Some(layers)
    }

    /// Decides what to read a value as; a problem when no type allows it.
    fn kind(&mut self, node: &Node, layers: &[&'s Layer], path: &Path) -> Option<Kind> {
        let wanted: Vec<Vec<&str>> = layers
            .iter()
            .map(|layer| schemas::own_types(layer))
            .filter(|types| !types.is_empty())
            .collect();
        let allows = |kind: &Kind| wanted.iter().all(|types| types.iter().any(|t| kind.is(t)));
        let kind = node.kinds().into_iter().find(allows);
        if kind.is_none() {
            let types = wanted.first().map_or(&[][..], Vec::as_slice);
            let known: Vec<&str> =
                layers.iter().filter_map(|l| schemas::texts(l)).flatten().collect();
            self.wrong_type(node, types, &known, path);
        }
        kind
    }

    /// Refuses a value of none of the types; where only some texts are known, those are the help.
    fn wrong_type(&mut self, node: &Node, types: &[&str], known: &[&str], path: &Path) {
        let message = format!("expected {}, found {}", words::wanted(types), words::found(node));
        let help = words::list(known).or_else(|| words::retype(node, types));
        self.refuse(node.at, path, message, help);
    }

    fn map(&mut self, at: Place, entries: &[Entry], layers: &[&'s Layer], path: &Path) -> Json {
        let mut object = Map::new();
        let mut unknown: Vec<&Entry> = Vec::new();
        for entry in entries {
            let schemas = match schemas::property(layers, &entry.key) {
                Property::Known(schemas) => schemas,
                Property::Free => Vec::new(),
                Property::Unknown => {
                    unknown.push(entry);
                    continue;
                }
            };
            let value = self.value(&entry.value, &schemas, &path.key(&entry.key));
            object.insert(entry.key.clone(), value);
        }
        let mut absent = schemas::required(layers);
        absent.retain(|key| !entries.iter().any(|entry| entry.key == *key));
        self.unknown_keys(&unknown, &mut absent, layers, path);
        self.missing_keys(at, &absent, layers, path);
        self.count_entries(at, entries.len(), layers, path);
        Json::Object(object)
    }

    /// Tells the unknown keys; one that was meant for a missing key is told only once.
    fn unknown_keys(
        &mut self,
        unknown: &[&Entry],
        absent: &mut Vec<&'s str>,
        layers: &[&'s Layer],
        path: &Path,
    ) {
        let known = schemas::known_keys(layers);
        for entry in unknown {
            let meant = crate::closest(&entry.key, known.iter().copied(), 1);
            absent.retain(|key| !meant.contains(key));
            let help = match schemas::is_by_number(layers) {
                true => Some("keys are whole numbers here".to_owned()),
                false => words::suggest(&entry.key, &known),
            };
            self.refuse(entry.at, &path.key(&entry.key), "unknown key".to_owned(), help);
        }
    }

    fn missing_keys(&mut self, at: Place, absent: &[&'s str], layers: &[&'s Layer], path: &Path) {
        for key in absent {
            let help = self.schemas.about(layers, key);
            self.refuse(at, &path.key(key), "missing key".to_owned(), help);
        }
    }

    fn list(&mut self, at: Place, items: &[Node], layers: &[&'s Layer], path: &Path) -> Json {
        self.count_items(at, items.len(), layers, path);
        let values = items.iter().enumerate().map(|(index, item)| {
            let schemas = schemas::element(layers, index);
            self.value(item, &schemas, &path.index(index))
        });
        Json::Array(values.collect())
    }

    fn leaf(
        &mut self,
        node: &Node,
        scalar: &Scalar,
        kind: Kind,
        layers: &[&'s Layer],
        path: &Path,
    ) -> Json {
        match leaf::json(scalar, kind, layers) {
            Ok(json) => {
                if let Some(misfit) = leaf::misfit(scalar, &json, layers) {
                    self.refuse(node.at, path, misfit.message, misfit.help);
                }
                json
            }
            Err(misfit) => {
                self.refuse(node.at, path, misfit.message, misfit.help);
                Json::Null
            }
        }
    }

    fn count_items(&mut self, at: Place, count: usize, layers: &[&'s Layer], path: &Path) {
        let message = schemas::too_few_or_many(layers, ["minItems", "maxItems"], count, "element");
        if let Some(message) = message {
            self.refuse(at, path, message, None);
        }
    }

    fn count_entries(&mut self, at: Place, count: usize, layers: &[&'s Layer], path: &Path) {
        let bounds = ["minProperties", "maxProperties"];
        if let Some(message) = schemas::too_few_or_many(layers, bounds, count, "key") {
            self.refuse(at, path, message, None);
        }
    }

    fn refuse(&mut self, at: Place, path: &Path, message: String, help: Option<String>) {
        let (file, path) = (self.file.to_owned(), path.to_string());
        self.problems.push(Problem { file, at, path, message, help });
    }
}
