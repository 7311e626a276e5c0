//! Providers, models and prices: data, not code.
//!
//! A provider is a record: a YAML file with its address, how to authenticate, the dialects it
//! speaks and its models. Records are shipped inside the program and extended or overridden by the
//! operator's files of the same type. Prices come from a versioned list; a record's own price wins.
//! No provider and no model is known to the code by name, and nothing here opens a file or a socket.
//!
//! ```
//! let catalog = catalog::Catalog::shipped();
//! let found = catalog.find("claude-sonnet-4.6", &|_| true).unwrap();
//! assert_eq!(found.name(), "anthropic/claude-sonnet-4-6");
//! ```

mod auth;
mod blended;
mod clocks;
mod fill;
mod find;
mod lower;
mod price;
mod prices;
mod quirks;
mod record;

use std::sync::Arc;

use ir::dialect::Quirks;
use ir::{Dialect, Tokens};
use yaml::Problems;

pub use auth::{Auth, Named, Signing};
pub use blended::{Blend, Blended};
pub use clocks::{Clocks, SENSELESS, WrittenClocks, length};
pub use find::{Found, Missing, Use};
pub use lower::FIRST;
pub use price::{Price, Rates};
pub use quirks::RecordQuirks;
pub use record::{Ability, Decimal, EmbeddingsDialect, Header, Record};

/// Everything known of hosts and models.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The providers, in the order of their ids.
    pub providers: Vec<Arc<Provider>>,
    /// The version of the shipped price list.
    pub prices: String,
}

/// A host that serves models.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// Its id, the first half of `provider/model`.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The family whose errors it answers with; its own id where its record names no other.
    pub family: Arc<str>,
    /// Its address. Address, paths, headers and region may hold `${VARIABLES}` until
    /// [`filled`](Self::filled).
    pub base_url: String,
    /// How the gateway authenticates there.
    pub auth: Auth,
    /// The credentials beside that one; load is shared among all of them.
    pub credentials: Vec<Credential>,
    /// How much of the load goes to the credential of `auth`.
    pub weight: u32,
    /// Headers that go with every request.
    pub headers: Vec<Header>,
    /// How long it may take, where its record says so.
    pub clocks: Clocks,
    /// The most requests under way at one of its models with one credential.
    pub concurrency: Option<u32>,
    /// The dialects it speaks, the one to translate into first.
    pub speaks: Vec<Spoken>,
    /// How it embeds texts, where it does.
    pub embeddings: Option<Embeddings>,
    /// The path that lists its models.
    pub models_path: Option<String>,
    /// Whether it is asked for its models.
    pub discover: bool,
    /// Whether its models are reached as `provider/model` alone.
    pub qualified_only: bool,
    /// Its models: those of the record, then those that only the price list knows.
    pub models: Vec<Arc<Model>>,
    /// The price of a model that only the host itself knows.
    pub every_model: Option<Arc<Price>>,
}

/// One more credential at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// What it is called in health and decisions.
    pub name: String,
    /// How the gateway authenticates with it.
    pub auth: Auth,
    /// How much of the load goes to it.
    pub weight: u32,
}

/// A dialect a provider speaks. Paths stand below the provider's address, and `{model}` in them is
/// the model's id, percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The dialect.
    pub dialect: Dialect,
    /// The path that answers.
    pub path: String,
    /// The path that answers in a stream, where it is another.
    pub stream_path: Option<String>,
    /// The path that counts a request's tokens, where there is one.
    pub count_path: Option<String>,
    /// What the provider does differently from the dialect.
    pub quirks: Quirks,
}

/// How a provider embeds texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embeddings {
    /// The form of requests and answers.
    pub dialect: EmbeddingsDialect,
    /// The path below the provider's address, with `{model}` as in [`Spoken`].
    pub path: String,
}

/// A model as one provider serves it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What the provider calls it.
    pub id: String,
    /// What else it is called here.
    pub aliases: Vec<String>,
    /// Its window, input and output together.
    pub context: Option<Tokens>,
    /// The most it writes.
    pub output: Option<Tokens>,
    /// What it can do; `None` where nobody said.
    pub can: Option<Vec<Ability>>,
    /// The dialects it is spoken to in, where they are not all of its provider's;
    /// [`Found::spoken`] knows both.
    pub speaks: Option<Vec<Dialect>>,
    /// What it does differently from its provider's other models; [`Found::quirks`] knows both.
    pub quirks: RecordQuirks,
    /// How long it may take, where its record says so; [`Found::clocks`] knows its provider's too.
    pub clocks: Clocks,
    /// The most requests under way at it with one credential, where that is not its provider's.
    pub concurrency: Option<u32>,
    /// What it costs; `None` means unpriced, which is not free.
    pub price: Option<Arc<Price>>,
    /// Whether it is listed: a model known from the price list alone can be called and is not.
    pub listed: bool,
}

impl Model {
    /// Returns a model of which nothing is known but its id, and perhaps its price.
    pub(crate) fn bare(id: &str, price: Option<Arc<Price>>) -> Self {
        Self {
            id: id.to_owned(),
            aliases: Vec::new(),
            context: None,
            output: None,
            can: None,
            speaks: None,
            quirks: RecordQuirks::default(),
            clocks: Clocks::default(),
            concurrency: None,
            price,
            listed: false,
        }
    }
}

impl Catalog {
    /// Returns the shipped catalogue.
    pub fn shipped() -> Self {
        Self::with(&[]).expect("invariant: the shipped records are tested to be sound")
    }

    /// Returns the shipped catalogue with the operator's records over it: each a file's name and
    /// text. A record with a known id overrides what it says of it, a new id adds a provider.
    pub fn with(records: &[(String, String)]) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let mut merged: Vec<record::Sourced> = Vec::new();
        let shipped = SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        for (name, text) in shipped.chain(records.iter().cloned()) {
            match record::read(&name, &text) {
                Ok(read) => record::merge(&mut merged, read),
                Err(found) => problems.extend(found),
            }
        }
        let prices = prices::shipped();
        let mut providers = Vec::new();
        for record in merged {
            match lower::provider(record, &prices) {
                Ok(provider) => providers.push(Arc::new(provider)),
                Err(found) => problems.extend(found),
            }
        }
        providers.sort_by(|a, b| a.id.cmp(&b.id));
        if problems.is_empty() {
            Ok(Self { providers, prices: prices.version() })
        } else {
            Err(problems.into())
        }
    }

    /// Looks a provider up by its id.
    pub fn provider(&self, id: &str) -> Option<&Arc<Provider>> {
        self.providers.iter().find(|provider| provider.id == id)
    }

    /// Puts a provider in the place of the one with its id.
    pub fn put(&mut self, provider: Arc<Provider>) {
        if let Some(known) = self.providers.iter_mut().find(|known| known.id == provider.id) {
            *known = provider;
        }
    }

    /// Adds the models a provider named itself when it was asked.
    pub fn add_models(&mut self, provider: &str, ids: &[String]) {
        let Some(known) = self.providers.iter_mut().find(|known| known.id == provider) else {
            return;
        };
        let known = Arc::make_mut(known);
        for id in ids {
            if known.models.iter().any(|model| model.id == *id) {
                continue;
            }
            let model =
                Arc::new(Model { listed: true, ..Model::bare(id, known.every_model.clone()) });
            // Listed models stand before those that only the price list knows.
            let listed = known.listed().count();
            known.models.insert(listed, model);
        }
    }
}

/// The shipped records: file name and text.
const SHIPPED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/records.rs"));
