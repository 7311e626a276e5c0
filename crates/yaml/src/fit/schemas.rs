//! Reads JSON Schema as schemars writes it. Knows nothing of the tree that is checked.

use serde_json::{Map, Value as Json};

use crate::scalar::DECIMAL;

/// A schema that is an object; those that are `true` say nothing.
pub(super) type Layer = Map<String, Json>;

/// References that lead further than this lead in a circle.
const HOPS: usize = 16;

/// The schema of a type with its definitions.
#[derive(Clone, Copy)]
pub(super) struct Schemas<'s> {
    pub(super) root: &'s Json,
}

/// What tells one alternative of an enum from the others.
#[derive(Clone, Copy)]
pub(super) enum Tag<'s> {
    /// A single key, as in `{bearer: …}`; closed when no other key may stand beside it.
    Name { name: &'s str, closed: bool },
    /// A key that holds the name, as in `{kind: bearer, …}`.
    Field { key: &'s str, value: &'s str },
}

/// What the schemas of a map say of one of its keys.
pub(super) enum Property<'s> {
    Known(Vec<&'s Json>),
    Free,
    Unknown,
}

impl<'s> Schemas<'s> {
    /// Follows a `$ref`.
    pub(super) fn target(self, layer: &'s Layer) -> Option<&'s Json> {
        let pointer = layer.get("$ref")?.as_str()?.strip_prefix('#')?;
        self.root.pointer(&percent_decoded(pointer))
    }

    /// Returns the schema a reference ends at, when it is nothing but a reference.
    fn resolved(self, schema: &'s Json) -> &'s Json {
        let mut schema = schema;
        for _ in 0..HOPS {
            let Json::Object(layer) = schema else { return schema };
            let says_more = ["properties", "type", "oneOf", "anyOf", "allOf", "enum", "const"];
            if says_more.iter().any(|keyword| layer.contains_key(*keyword)) {
                return schema;
            }
            let Some(target) = self.target(layer) else { return schema };
            schema = target;
        }
        schema
    }

    /// Returns the alternatives with those inside of them: an optional enum is one choice.
    pub(super) fn spread(self, branches: &'s [Json]) -> Vec<&'s Json> {
        let mut waiting: Vec<(&'s Json, usize)> = branches.iter().rev().map(|b| (b, 0)).collect();
        let mut spread = Vec::new();
        while let Some((branch, depth)) = waiting.pop() {
            let inner = alternatives(self.resolved(branch)).filter(|_| depth < HOPS);
            match inner {
                Some(inner) => waiting.extend(inner.iter().rev().map(|b| (b, depth + 1))),
                None => spread.push(branch),
            }
        }
        spread
    }

    /// Returns the types a schema allows; none when it allows all.
    pub(super) fn types(self, schema: &'s Json) -> Vec<&'s str> {
        self.types_within(schema, HOPS)
    }

    fn types_within(self, schema: &'s Json, hops: usize) -> Vec<&'s str> {
        let Json::Object(layer) = schema else { return Vec::new() };
        let own = own_types(layer);
        if !own.is_empty() || hops == 0 {
            return own;
        }
        let inner = self.target(layer).into_iter().chain(list(layer, "allOf"));
        let inner = inner.map(|schema| self.types_within(schema, hops - 1));
        if let Some(types) = inner.into_iter().find(|types| !types.is_empty()) {
            return types;
        }
        let branches = list(layer, "oneOf").iter().chain(list(layer, "anyOf"));
        let all: Vec<_> = branches.map(|schema| self.types_within(schema, hops - 1)).collect();
        if all.iter().any(Vec::is_empty) { Vec::new() } else { all.concat() }
    }

    /// Returns what tells an alternative from the others, when it is a map that has such a thing.
    pub(super) fn tag(self, branch: &'s Json) -> Option<Tag<'s>> {
        let layer = self.resolved(branch).as_object()?;
        let properties = layer.get("properties")?.as_object()?;
        let required = strings(layer.get("required"));
        for (key, schema) in properties {
            let constant = schema.get("const").and_then(Json::as_str);
            if let Some(value) = constant.filter(|_| required.contains(&key.as_str())) {
                return Some(Tag::Field { key, value });
            }
        }
        let name = properties.keys().next()?;
        let only = properties.len() == 1 && required == [name.as_str()];
        only.then(|| Tag::Name { name, closed: is_closed(layer) })
    }

    /// Returns the texts an alternative allows, nothing when it allows any.
    pub(super) fn texts(self, branch: &'s Json) -> Option<Vec<&'s str>> {
        texts(self.resolved(branch).as_object()?)
    }

    /// Returns the first sentence of what the type says about a key.
    pub(super) fn about(self, layers: &[&'s Layer], key: &str) -> Option<String> {
        let Property::Known(schemas) = property(layers, key) else { return None };
        let own = schemas.iter().find_map(|schema| schema.get("description"));
        let text = own.or_else(|| self.resolved(schemas.first()?).get("description"))?.as_str()?;
        let paragraph = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let sentence = paragraph.split(". ").next().unwrap_or_default();
        Some(sentence.trim_end_matches('.').to_owned())
    }
}

/// Returns the alternatives of a schema that is nothing but a choice.
fn alternatives(schema: &Json) -> Option<&[Json]> {
    let layer = schema.as_object()?;
    let says_more = ["properties", "type", "allOf", "enum", "const", "$ref"];
    if says_more.iter().any(|keyword| layer.contains_key(*keyword)) {
        return None;
    }
    match (list(layer, "oneOf"), list(layer, "anyOf")) {
        ([], []) => None,
        (branches, []) | ([], branches) => Some(branches),
        _ => None,
    }
}

/// Returns the types a schema names itself; none when it names none.
pub(super) fn own_types(layer: &Layer) -> Vec<&str> {
    let mut types = match layer.get("type") {
        Some(Json::String(only)) => vec![only.as_str()],
        several => strings(several),
    };
    if is_decimal(layer) {
        types.retain(|name| *name == "null");
        types.push(DECIMAL);
    }
    types
}

/// Returns whether a scalar's exact text is wanted, quoted or not.
pub(super) fn is_decimal(layer: &Layer) -> bool {
    layer.get("format").and_then(Json::as_str) == Some(DECIMAL)
}

/// Returns the texts a schema allows itself, nothing when it allows any.
pub(super) fn texts(layer: &Layer) -> Option<Vec<&str>> {
    if layer.contains_key("enum") {
        return Some(strings(layer.get("enum")));
    }
    layer.get("const").and_then(Json::as_str).map(|only| vec![only])
}

fn is_closed(layer: &Layer) -> bool {
    let closes = |keyword| layer.get(keyword) == Some(&Json::Bool(false));
    closes("additionalProperties") || closes("unevaluatedProperties")
}

/// Returns what the schemas of a map say of a key.
pub(super) fn property<'s>(layers: &[&'s Layer], key: &str) -> Property<'s> {
    let named = layers.iter().filter_map(|layer| layer.get("properties")?.get(key));
    let mut schemas: Vec<&Json> = named.collect();
    if schemas.is_empty() {
        schemas = layers.iter().filter_map(|layer| by_pattern(layer, key)).collect();
    }
    if schemas.is_empty() {
        let others = layers.iter().filter_map(|layer| layer.get("additionalProperties"));
        schemas = others.filter(|schema| schema.is_object()).collect();
    }
    match schemas.is_empty() {
        false => Property::Known(schemas),
        true if layers.iter().any(|layer| is_closed(layer)) => Property::Unknown,
        true => Property::Free,
    }
}

/// Returns the schema of the keys that look so. Maps by number are the only patterns there are.
fn by_pattern<'s>(layer: &'s Layer, key: &str) -> Option<&'s Json> {
    let patterns = layer.get("patternProperties")?.as_object()?;
    let matches = |pattern: &str| {
        let digits = match pattern {
            r"^\d+$" => key,
            r"^-?\d+$" => key.strip_prefix('-').unwrap_or(key),
            _ => return true,
        };
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    };
    patterns.iter().find(|(pattern, _)| matches(pattern)).map(|(_, schema)| schema)
}

/// Returns whether the keys of a map are numbers.
pub(super) fn is_by_number(layers: &[&Layer]) -> bool {
    layers.iter().any(|layer| layer.contains_key("patternProperties"))
}

/// Returns the keys that the schemas of a map name.
pub(super) fn known_keys<'s>(layers: &[&'s Layer]) -> Vec<&'s str> {
    let properties = layers.iter().filter_map(|layer| layer.get("properties")?.as_object());
    let mut keys: Vec<&str> = Vec::new();
    for key in properties.flat_map(Map::keys) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    keys
}

/// Returns the keys that must be there.
pub(super) fn required<'s>(layers: &[&'s Layer]) -> Vec<&'s str> {
    let mut keys: Vec<&str> = Vec::new();
    for key in layers.iter().flat_map(|layer| strings(layer.get("required"))) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// Returns the schemas of an element of a list.
pub(super) fn element<'s>(layers: &[&'s Layer], index: usize) -> Vec<&'s Json> {
    let of = |layer: &&'s Layer| list(layer, "prefixItems").get(index).or(layer.get("items"));
    layers.iter().filter_map(of).collect()
}

/// Says when there are too few or too many of something.
pub(super) fn too_few_or_many(
    layers: &[&Layer],
    [least, most]: [&str; 2],
    count: usize,
    what: &str,
) -> Option<String> {
    let bound = |keyword: &str| {
        let bound = layers.iter().find_map(|layer| layer.get(keyword)?.as_u64())?;
        usize::try_from(bound).ok()
    };
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    if let Some(least) = bound(least).filter(|least| count < *least) {
        return Some(format!("needs at least {least} {what}{}, found {count}", plural(least)));
    }
    let most = bound(most).filter(|most| count > *most)?;
    Some(format!("takes at most {most} {what}{}, found {count}", plural(most)))
}

/// Returns the schemas under a keyword, none when it is absent.
pub(super) fn list<'s>(layer: &'s Layer, keyword: &str) -> &'s [Json] {
    layer.get(keyword).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn strings(list: Option<&Json>) -> Vec<&str> {
    let items = list.and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(Json::as_str).collect()
}

/// Decodes the names of definitions, which schemars percent-encodes.
fn percent_decoded(pointer: &str) -> String {
    let mut bytes = Vec::with_capacity(pointer.len());
    let mut rest = pointer.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
