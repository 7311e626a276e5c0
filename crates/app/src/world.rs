//! From configuration to a [`gateway::World`]: records read, table read, secrets fetched, providers
//! found reachable or not, and why not. All problems are told at once, and a world with a problem is
//! not made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use catalog::{Catalog, Provider, Use};
use gateway::{Client, Key, Reach, Reaches, World};
use router::Table;
use secrecy::{ExposeSecret, SecretString};
use yaml::{Document, Problem, Vars};

use crate::config::Config;
use crate::discover;
use crate::exit::{self, BadConfig};

/// A world, and what was found on the way.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) world: World,
    pub(crate) found: Vec<Finding>,
}

/// What became of one provider.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) name: String,
    pub(crate) state: State,
    /// The further credentials that cannot be used, and why.
    pub(crate) left_out: Vec<String>,
}

/// Whether a provider can be reached.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// It can: through which secret or at which address, and how many models it named itself.
    Ready { how: String, models: Option<usize> },
    /// Its secret or its address is not set.
    Unset { needs: String },
    /// What is set cannot be used.
    Broken { why: String },
    /// A local server does not answer.
    Silent { address: String },
}

/// Reads what the configuration names and makes a world of it.
pub(crate) async fn make(config: &Config, client: &Client) -> anyhow::Result<Made> {
    let (mut catalog, table, document) = read(config)?;
    let mut reach = BTreeMap::new();
    let mut found = Vec::new();
    let (mut asked, mut lacking) = (Vec::new(), Vec::new());
    for provider in catalog.providers.clone() {
        let Found { state, left_out, ready } = reachable(&provider)?;
        for why in &left_out {
            tracing::warn!(provider = provider.name, why, "a credential is left out");
        }
        if let Some((filled, ready)) = ready {
            let filled = Arc::new(filled);
            catalog.put(Arc::clone(&filled));
            if provider.discover {
                asked.push((filled, ready));
                lacking.push(left_out);
                continue;
            }
            reach.insert(provider.id.clone(), ready);
        }
        found.push(Finding { name: provider.name.clone(), state, left_out });
    }
    let answers = discover::models(client, &asked).await;
    for (((provider, ready), models), left_out) in asked.into_iter().zip(answers).zip(lacking) {
        let address = ready[0].base().to_owned();
        let state = match models {
            Some(ids) => {
                catalog.add_models(&provider.id, &ids);
                reach.insert(provider.id.clone(), ready);
                State::Ready { how: address, models: Some(ids.len()) }
            }
            // A host with a key of its own is there; it only did not say which models it has.
            None if !provider.auth.secrets().is_empty() => {
                reach.insert(provider.id.clone(), ready);
                State::Ready { how: provider.auth.secrets().join(", "), models: None }
            }
            None => State::Silent { address },
        };
        found.push(Finding { name: provider.name.clone(), state, left_out });
    }
    let table = with_stand_in(table, &catalog, &reach);
    let keys = config.keys.iter().map(|key| {
        let secret = secret(&key.secret)
            .with_context(|| format!("fetch the secret of key `{}`", key.name))?;
        Ok(Key { name: key.name.clone(), secret, on_loss: key.on_loss })
    });
    let keys = keys.collect::<anyhow::Result<Vec<_>>>()?;
    let world = World { catalog, table, reach, keys, load: config.load, badge: None };
    if let Some(document) = &document {
        let problems =
            router::check(&world.table, document, &world.catalog, &|id| world.reaches(id));
        yaml::Problems::none(problems).map_err(BadConfig)?;
    }
    Ok(Made { world, found })
}

/// Reads records and table, with the problems of both.
pub(crate) fn read(config: &Config) -> anyhow::Result<(Catalog, Table, Option<Document>)> {
    let mut problems: Vec<Problem> = Vec::new();
    let records = config.catalog.as_deref().map(records).transpose()?.unwrap_or_default();
    let catalog = Catalog::with(&records).map_err(|found| problems.extend(found)).ok();
    let table = match &config.routing {
        None => Some((Table::shipped(), None)),
        Some(file) => {
            let text = exit::read(file)?;
            let environment = |name: &str| std::env::var(name).ok();
            Table::parse(&file.display().to_string(), &text, Vars::Lookup(&environment))
                .map(|(table, document)| (table, Some(document)))
                .map_err(|found| problems.extend(found))
                .ok()
        }
    };
    match (catalog, table) {
        (Some(catalog), Some((table, document))) => Ok((catalog, table, document)),
        _ => Err(BadConfig(problems.into()).into()),
    }
}

fn records(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("read the folder {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("read the folder {}", folder.display()))?.path();
        if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
            files.push(path);
        }
    }
    files.sort();
    let read = |file: &std::path::PathBuf| {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        Ok((file.display().to_string(), text))
    };
    files.iter().map(read).collect()
}

/// What is known of a provider before anybody is asked.
struct Found {
    state: State,
    /// The further credentials that cannot be used, and why.
    left_out: Vec<String>,
    ready: Option<(Provider, Vec<Arc<Reach>>)>,
}

impl Found {
    fn not(state: State) -> Self {
        Self { state, left_out: Vec::new(), ready: None }
    }
}

/// Fills a provider's address and secrets from the environment.
fn reachable(provider: &Provider) -> anyhow::Result<Found> {
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let unset = || Found::not(State::Unset { needs: provider.needs() });
    let secrets = provider.auth.secrets();
    if secrets.iter().any(|reference| secret(reference).is_err()) {
        return Ok(unset());
    }
    let Ok(filled) = provider.filled(&environment) else { return Ok(unset()) };
    let fetch = |auth: &catalog::Auth, reference: &str| {
        let found = secret(reference).ok()?;
        let account = matches!(auth, catalog::Auth::GoogleServiceAccount(_));
        if account { account_key(found).ok() } else { Some(found) }
    };
    // One credential that cannot be used must not keep the others from serving.
    let Reaches { usable, left_out } = match Reach::all(&filled, &fetch) {
        Ok(reaches) => reaches,
        Err(bad) => return Ok(Found::not(State::Broken { why: bad.to_string() })),
    };
    let left_out = left_out.iter().map(|(name, bad)| format!("credential `{name}`: {bad}"));
    let left_out = left_out.collect();
    let mut how = if secrets.is_empty() { filled.base_url.clone() } else { secrets.join(", ") };
    if usable.len() > 1 {
        how = format!("{how} and {} more", usable.len() - 1);
    }
    let state = State::Ready { how, models: None };
    Ok(Found { state, left_out, ready: Some((filled, usable)) })
}

/// Returns the files that secrets are read from: a change of one is a change of its credential.
pub(crate) fn secret_files(config: &Config, catalog: &Catalog) -> Vec<PathBuf> {
    let keys = config.keys.iter().filter_map(|key| file_of(&key.secret));
    let auths = catalog.providers.iter().flat_map(|provider| {
        let further = provider.credentials.iter().map(|credential| &credential.auth);
        std::iter::once(&provider.auth).chain(further)
    });
    let named = auths.flat_map(|auth| {
        let references = auth.references();
        let mut files: Vec<PathBuf> = references.iter().filter_map(|it| file_of(it)).collect();
        if let catalog::Auth::GoogleServiceAccount(reference) = auth {
            // The secret may be the key itself, or the name of its file.
            let named = secret(reference).ok();
            let named = named.as_ref().map(ExposeSecret::expose_secret);
            files.extend(named.filter(|named| !named.starts_with('{')).map(PathBuf::from));
        }
        files
    });
    let mut files: Vec<PathBuf> = keys.chain(named).collect();
    files.sort();
    files.dedup();
    files
}

fn file_of(reference: &str) -> Option<PathBuf> {
    reference.strip_prefix("file:").map(PathBuf::from)
}

/// Google's programs name the key of a service account by its file; the key itself will do too.
fn account_key(named: SecretString) -> anyhow::Result<SecretString> {
    let text = named.expose_secret();
    if text.trim_start().starts_with('{') {
        return Ok(named);
    }
    let read = std::fs::read_to_string(text).context("read the service account's key")?;
    Ok(SecretString::from(read))
}

/// Fetches a secret by its reference. Errors name the reference and never the value.
fn secret(reference: &str) -> anyhow::Result<SecretString> {
    let value = match reference.split_once(':') {
        Some(("env", name)) => {
            std::env::var(name).map_err(|_| anyhow::anyhow!("{name} is not set"))?
        }
        Some(("file", path)) => {
            std::fs::read_to_string(path).with_context(|| format!("read {path}"))?
        }
        _ => anyhow::bail!("a secret is env:NAME or file:/path"),
    };
    let value = value.trim();
    anyhow::ensure!(!value.is_empty(), "{reference} is empty");
    Ok(SecretString::from(value.to_owned()))
}

/// Returns the providers whose secrets and addresses are set; nobody is asked whether they answer.
pub(crate) fn configured(catalog: &Catalog) -> BTreeSet<String> {
    let ready =
        |provider: &&Arc<Provider>| matches!(reachable(provider), Ok(Found { ready: Some(_), .. }));
    catalog.providers.iter().filter(ready).map(|provider| provider.id.clone()).collect()
}

/// Under the shipped table nobody has chosen a model yet: where its safe one cannot be reached, the
/// first that can stands in, and the operator is told.
fn with_stand_in(
    mut table: Table,
    catalog: &Catalog,
    reach: &BTreeMap<String, Vec<Arc<Reach>>>,
) -> Table {
    let reaches = |id: &str| reach.contains_key(id);
    let shipped = table == Table::shipped();
    if shipped && catalog.find(&table.default_model, &reaches).is_err() {
        table.stand_in = first_model(catalog, &reaches);
    }
    table
}

/// Returns the first listed model that can be reached.
pub(crate) fn first_model(catalog: &Catalog, reaches: &dyn Fn(&str) -> bool) -> Option<String> {
    let providers = catalog.providers.iter().filter(|provider| reaches(&provider.id));
    let mut models = providers.flat_map(|provider| {
        let listed = provider.listed_for(Use::Chat);
        listed.map(|model| format!("{}/{}", provider.id, model.id))
    });
    models.next()
}
