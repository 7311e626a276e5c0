//! A record as it is written to a provider as it is used: what must be there is there, prices are
//! exact, the price list fills what the record leaves open.

use std::sync::Arc;

use ir::{Quirks, Rate, Tokens};
use yaml::{Path, Problem, Problems};

use crate::auth::Auth;
use crate::clocks::{Clocks, SENSELESS, WrittenClocks};
use crate::price::{Price, Rates, Tier};
use crate::prices::List;
use crate::quirks::RecordQuirks;
use crate::record::{
    Ability, Decimal, DialectName, Record, RecordCredential, RecordEmbeddings, RecordModel,
    RecordPrice, Sourced, Speaks,
};
use crate::{Credential, Embeddings, Model, Provider, Spoken};

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
    check_auth(record.auth.as_ref(), &top("auth"), &mut wrong);
    check_credentials(&record, &mut wrong);
    let clocks = clocks(record.clocks, &top("clocks"), &mut wrong);
    check_url(record.base_url.as_deref(), &mut wrong);
    check_speaks(&record, &mut wrong);
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
        family: record.errors_like.as_deref().unwrap_or(&record.id).into(),
        id: record.id,
        base_url: record.base_url.unwrap_or_default(),
        auth: record.auth.unwrap_or(Auth::None(true)),
        credentials: record.credentials.unwrap_or_default().into_iter().map(credential).collect(),
        weight: record.weight.unwrap_or(1),
        headers: record.headers.unwrap_or_default(),
        clocks,
        concurrency: record.concurrency,
        speaks: record
            .speaks
            .unwrap_or_default()
            .into_iter()
            .map(|speaks| spoken(speaks, quirks))
            .collect(),
        embeddings: record
            .embeddings
            .map(|RecordEmbeddings { dialect, path }| Embeddings { dialect, path }),
        models_path: record.models_path,
        discover: record.discover.unwrap_or(false),
        qualified_only: record.qualified_only.unwrap_or(false),
        models,
        every_model,
    })
}

/// Lowers a dialect; its own quirks go over those of the whole record.
fn spoken(speaks: Speaks, record: RecordQuirks) -> Spoken {
    Spoken {
        dialect: speaks.dialect.into(),
        path: speaks.path,
        stream_path: speaks.stream_path,
        count_path: speaks.count_path,
        quirks: speaks.quirks.unwrap_or_default().over(record).upon(Quirks::default()),
    }
}

/// Takes a problem: where, what, and what to do.
type Wrong<'w> = dyn FnMut(Path, String, Option<String>) + 'w;

fn missing(record: &Record) -> impl Iterator<Item = &'static str> {
    let needed = [
        ("base_url", record.base_url.is_none()),
        ("auth", record.auth.is_none()),
        ("speaks", record.speaks.as_ref().is_none_or(Vec::is_empty) && record.embeddings.is_none()),
    ];
    needed.into_iter().filter_map(|(key, absent)| absent.then_some(key))
}

fn plain(name: &str) -> bool {
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
    };
    !name.is_empty() && name.bytes().all(plain)
}

fn check_id(id: &str, wrong: &mut Wrong<'_>) {
    if !plain(id) {
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

fn credential(written: RecordCredential) -> Credential {
    let RecordCredential { name, auth, weight } = written;
    Credential { name, auth, weight: weight.unwrap_or(1) }
}

/// The name of the credential that `auth` gives.
pub const FIRST: &str = "default";

fn check_credentials(record: &Record, wrong: &mut Wrong<'_>) {
    let credentials = record.credentials.as_deref().unwrap_or_default();
    for (at, credential) in credentials.iter().enumerate() {
        let path = Path::root().key("credentials").index(at);
        let name = &credential.name;
        let taken = credentials[..at].iter().any(|earlier| earlier.name == *name);
        if taken || name == FIRST {
            let help = format!("health and decisions tell them apart by it; `{FIRST}` is `auth`'s");
            wrong(path.key("name"), "another credential has this name".to_owned(), Some(help));
        }
        if !plain(name) {
            let help = "use lower-case letters, digits, - and _";
            let message = format!("`{name}` cannot be a credential's name");
            wrong(path.key("name"), message, Some(help.to_owned()));
        }
        check_auth(Some(&credential.auth), &path.key("auth"), wrong);
    }
}

fn clocks(written: Option<WrittenClocks>, at: &Path, wrong: &mut Wrong<'_>) -> Clocks {
    let (message, help) = SENSELESS;
    written.unwrap_or_default().lower(&mut |key| {
        wrong(at.key(key), message.to_owned(), Some(help.to_owned()));
    })
}

fn check_auth(auth: Option<&Auth>, at: &Path, wrong: &mut Wrong<'_>) {
    let reference = |text: &&str| text.starts_with("env:") || text.starts_with("file:/");
    if !auth.map(Auth::references).unwrap_or_default().iter().all(reference) {
        let help = "write env:NAME or file:/path; the secret itself does not belong here";
        let message = "not a reference to a secret".to_owned();
        wrong(at.clone(), message, Some(help.to_owned()));
    }
    if auth == Some(&Auth::None(false)) {
        wrong(at.clone(), "`none` is `true` or not there".to_owned(), None);
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

/// Checks the paths, that no dialect is named twice, and that models name only dialects of theirs.
fn check_speaks(record: &Record, wrong: &mut Wrong<'_>) {
    let speaks = record.speaks.as_deref().unwrap_or_default();
    for (at, entry) in speaks.iter().enumerate() {
        let path = Path::root().key("speaks").index(at);
        if speaks[..at].iter().any(|earlier| earlier.dialect == entry.dialect) {
            let help = "a host with two addresses for one dialect is two providers";
            wrong(path.clone(), "the dialect is named twice".to_owned(), Some(help.to_owned()));
        }
        check_path(Some(&entry.path), path.key("path"), wrong);
        check_path(entry.stream_path.as_deref(), path.key("stream_path"), wrong);
        check_path(entry.count_path.as_deref(), path.key("count_path"), wrong);
    }
    let embeddings = record.embeddings.as_ref().map(|embeddings| embeddings.path.as_str());
    check_path(embeddings, Path::root().key("embeddings").key("path"), wrong);
    check_path(record.models_path.as_deref(), Path::root().key("models_path"), wrong);
    for (at, model) in record.models.iter().enumerate() {
        let path = Path::root().key("models").index(at);
        let known = |name: &DialectName| speaks.iter().any(|entry| entry.dialect == *name);
        if !model.speaks.as_deref().unwrap_or_default().iter().all(known) {
            let help = "a model speaks some of the dialects that its provider's `speaks` names";
            let message = "its provider does not speak that".to_owned();
            wrong(path.key("speaks"), message, Some(help.to_owned()));
        }
        if embeds(model) && record.embeddings.is_none() {
            let message = "its provider's record does not say how it embeds".to_owned();
            wrong(path.key("can"), message, Some("add `embeddings` to the record".to_owned()));
        }
    }
}

fn check_path(path: Option<&str>, at: Path, wrong: &mut Wrong<'_>) {
    if path.is_some_and(|path| !path.starts_with('/')) {
        wrong(at, "not a path".to_owned(), Some("begin with /".to_owned()));
    }
}

/// Returns whether a model embeds.
fn embeds(model: &RecordModel) -> bool {
    model.can.as_ref().is_some_and(|can| can.contains(&Ability::Embeddings))
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
        let context = entry.context.map(Tokens);
        models
            .push(Arc::new(Model { context, ..Model::bare(id, list.price(entry).map(Arc::new)) }));
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
        None if embeds(written) => entry.and_then(|entry| list.price_of_input(entry)).map(Arc::new),
        None => entry.and_then(|entry| list.price(entry)).map(Arc::new),
    };
    Model {
        id: written.id.clone(),
        aliases: written.aliases.clone(),
        context: written.context.or(entry.and_then(|entry| entry.context)).map(Tokens),
        output: written.output.map(Tokens),
        can: written.can.clone(),
        speaks: written
            .speaks
            .as_ref()
            .map(|names| names.iter().map(|name| (*name).into()).collect()),
        quirks: written.quirks.unwrap_or_default(),
        clocks: clocks(written.clocks, &path.key("clocks"), wrong),
        concurrency: written.concurrency,
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
