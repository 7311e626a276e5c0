//! A record as it is written to a provider as it is used: what must be there is there, prices are
//! exact, the price list fills what the record leaves open.

use std::sync::Arc;

use ir::{Dialect, Quirks, Rate, Tokens};
use yaml::{Path, Problem, Problems};

use crate::price::{Price, Rates, Tier};
use crate::prices::List;
use crate::record::{Auth, Decimal, DialectName, Record, RecordModel, RecordPrice, Sourced};
use crate::{Model, Provider, Spoken};

/// Lowers one record, with every problem in it.
pub(crate) fn provider(sourced: Sourced, list: &List) -> Result<Provider, Problems> {
    let Sourced { record, document } = sourced;
    let mut problems: Vec<Problem> = Vec::new();
    let mut wrong = |path: Path, message: String, help: Option<String>| {
        let problem = document.problem(&path, message);
        problems.push(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    };
    let top = |key: &str| Path::root().key(key);
    check_id(&record.id, &mut wrong);
    for key in missing(&record) {
        let help = "a new provider needs it; an override of a shipped one does not";
        wrong(Path::root(), format!("`{key}` is not there"), Some(help.to_owned()));
    }
    if let Some(prices) = record.prices.as_deref().filter(|prices| !list.knows(prices)) {
        wrong(top("prices"), format!("the price list has no provider `{prices}`"), None);
    }
    check_auth(record.auth.as_ref(), &mut wrong);
    check_url(record.base_url.as_deref(), &mut wrong);
    let every_model = record.every_model.as_ref().and_then(|every| {
        price(&record.id, &every.price, &top("every_model").key("price"), &mut wrong).map(Arc::new)
    });
    let models = models(&record, list, &mut wrong);
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let quirks = record.quirks.unwrap_or_default();
    Ok(Provider {
        name: record.name.unwrap_or_else(|| record.id.clone()),
        id: record.id,
        base_url: record.base_url.unwrap_or_default(),
        auth: record.auth.unwrap_or(Auth::None(true)),
        speaks: record
            .speaks
            .unwrap_or_default()
            .into_iter()
            .map(|speaks| Spoken {
                dialect: match speaks.dialect {
                    DialectName::OpenaiChat => Dialect::OpenaiChat,
                },
                path: speaks.path,
            })
            .collect(),
        models_path: record.models_path,
        discover: record.discover.unwrap_or(false),
        qualified_only: record.qualified_only.unwrap_or(false),
        quirks: Quirks { stream_usage: quirks.stream_usage },
        models,
        every_model,
    })
}

/// Takes a problem: where, what, and what to do.
type Wrong<'w> = dyn FnMut(Path, String, Option<String>) + 'w;

fn missing(record: &Record) -> impl Iterator<Item = &'static str> {
    let needed = [
        ("base_url", record.base_url.is_none()),
        ("auth", record.auth.is_none()),
        ("speaks", record.speaks.as_ref().is_none_or(Vec::is_empty)),
    ];
    needed.into_iter().filter_map(|(key, absent)| absent.then_some(key))
}

fn check_id(id: &str, wrong: &mut Wrong<'_>) {
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
    };
    if id.is_empty() || !id.bytes().all(plain) {
        let help = "use lower-case letters, digits, - and _";
        wrong(
            Path::root().key("id"),
            format!("`{id}` cannot be a provider's id"),
            Some(help.to_owned()),
        );
    }
    if matches!(id, "task" | "auto") {
        let help = "requests name tasks and the router that way";
        wrong(Path::root().key("id"), format!("`{id}` is taken"), Some(help.to_owned()));
    }
}

fn check_auth(auth: Option<&Auth>, wrong: &mut Wrong<'_>) {
    let secret = auth.and_then(Auth::secret);
    if secret.is_some_and(|secret| !secret.starts_with("env:") && !secret.starts_with("file:/")) {
        let help = "write env:NAME or file:/path; the secret itself does not belong here";
        let message = "not a reference to a secret".to_owned();
        wrong(Path::root().key("auth"), message, Some(help.to_owned()));
    }
    if auth == Some(&Auth::None(false)) {
        wrong(Path::root().key("auth"), "`none` is `true` or not there".to_owned(), None);
    }
}

fn check_url(url: Option<&str>, wrong: &mut Wrong<'_>) {
    let known =
        |url: &str| ["http://", "https://", "${"].iter().any(|scheme| url.starts_with(scheme));
    if url.is_some_and(|url| !known(url)) {
        let help = "begin with https:// (or http:// for your own machine)";
        wrong(Path::root().key("base_url"), "not an address".to_owned(), Some(help.to_owned()));
    }
}

/// Lowers the models of the record and adds those that only the price list knows.
fn models(record: &Record, list: &List, wrong: &mut Wrong<'_>) -> Vec<Arc<Model>> {
    let mut models: Vec<Arc<Model>> = Vec::new();
    let listed = record.prices.as_deref().unwrap_or_default();
    for (at, written) in record.models.iter().enumerate() {
        let path = Path::root().key("models").index(at);
        let names = std::iter::once(&written.id).chain(&written.aliases);
        for name in names {
            let taken = |model: &Arc<Model>| model.id == *name || model.aliases.contains(name);
            if models.iter().any(taken) {
                wrong(path.clone(), format!("`{name}` names two models of {}", record.id), None);
            }
        }
        models.push(Arc::new(model(record, written, &path, list, wrong)));
    }
    for (id, entry) in list.models(listed) {
        if models.iter().any(|model| model.id == *id || model.aliases.contains(id)) {
            continue;
        }
        models.push(Arc::new(Model {
            id: id.clone(),
            aliases: Vec::new(),
            context: entry.context.map(Tokens),
            output: None,
            can: None,
            price: list.price(entry).map(Arc::new),
            listed: false,
        }));
    }
    models
}

fn model(
    record: &Record,
    written: &RecordModel,
    path: &Path,
    list: &List,
    wrong: &mut Wrong<'_>,
) -> Model {
    let entry = record.prices.as_deref().and_then(|prices| list.find(prices, &written.id));
    let price = match &written.price {
        Some(own) => price(&record.id, own, &path.key("price"), wrong).map(Arc::new),
        None => entry.and_then(|entry| list.price(entry)).map(Arc::new),
    };
    Model {
        id: written.id.clone(),
        aliases: written.aliases.clone(),
        context: written.context.or(entry.and_then(|entry| entry.context)).map(Tokens),
        output: written.output.map(Tokens),
        can: written.can.clone(),
        price,
        listed: true,
    }
}

/// Lowers a record's own price; its version names the record and the day it was checked.
fn price(id: &str, written: &RecordPrice, path: &Path, wrong: &mut Wrong<'_>) -> Option<Price> {
    let mut rate = |decimal: &Decimal, path: Path| match Rate::per_million(&decimal.0) {
        Ok(rate) => Some(rate),
        Err(bad) => {
            wrong(path, bad.to_string(), None);
            None
        }
    };
    let base = Rates {
        input: rate(&written.input, path.key("input"))?,
        cached_input: match &written.cached_input {
            Some(cached) => Some(rate(cached, path.key("cached_input"))?),
            None => None,
        },
        cache_write: match &written.cache_write {
            Some(write) => Some(rate(write, path.key("cache_write"))?),
            None => None,
        },
        output: rate(&written.output, path.key("output"))?,
        reasoning: None,
    };
    let mut tiers = Vec::new();
    for (at, tier) in written.tiers.iter().enumerate() {
        let path = path.key("tiers").index(at);
        let mut optional = |decimal: &Option<Decimal>| match decimal {
            Some(decimal) => rate(decimal, path.clone()).map(Some),
            None => Some(None),
        };
        let (cached_input, cache_write) =
            (optional(&tier.cached_input)?, optional(&tier.cache_write)?);
        let (input, output) = (rate(&tier.input, path.clone())?, rate(&tier.output, path.clone())?);
        let rates = Rates { input, cached_input, cache_write, output, reasoning: None };
        tiers.push(Tier { above: Tokens(tier.above), rates });
    }
    tiers.sort_by_key(|tier| tier.above);
    let checked = written.source.as_ref().and_then(|source| source.checked.as_deref());
    let version = format!("record:{id}@{}", checked.unwrap_or("undated"));
    Some(Price { base, tiers, hours: Vec::new(), version })
}
