//! Finding a model by the name a caller uses.
//!
//! `provider/model` names it everywhere. A bare id or alias does when exactly one configured
//! provider lists it. A name is never bent to something near it: what is not found comes back with
//! the nearest names, and a model whose provider lacks its key says which key.

use std::sync::Arc;

use ir::{Dialect, Quirks};

use crate::record::Ability;
use crate::{Catalog, Clocks, Model, Provider, Spoken};

/// A model at its provider.
#[derive(Debug, Clone)]
pub struct Found {
    /// The provider.
    pub provider: Arc<Provider>,
    /// The model.
    pub model: Arc<Model>,
}

impl Found {
    /// Returns its full name.
    pub fn name(&self) -> String {
        format!("{}/{}", self.provider.id, self.model.id)
    }

    /// Returns the dialects the model is spoken to in, the one to translate into first.
    pub fn spoken(&self) -> Vec<&Spoken> {
        let all = &self.provider.speaks;
        let speaks = |dialect: &Dialect| all.iter().find(|spoken| spoken.dialect == *dialect);
        match &self.model.speaks {
            Some(own) => own.iter().filter_map(speaks).collect(),
            None => all.iter().collect(),
        }
    }

    /// Returns how long it may take, where the records say so.
    pub fn clocks(&self) -> Clocks {
        self.model.clocks.or(self.provider.clocks)
    }

    /// Returns the most requests that may be under way at it with one credential, where the records
    /// say so.
    pub fn concurrency(&self) -> Option<u32> {
        self.model.concurrency.or(self.provider.concurrency)
    }

    /// Returns what is different about the model in one of the dialects it is spoken to in.
    pub fn quirks(&self, spoken: &Spoken) -> Quirks {
        self.model.quirks.upon(spoken.quirks)
    }
}

/// What a model is looked up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Conversations.
    Chat,
    /// Embeddings.
    Embeddings,
}

/// Why a name leads to no model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// Nobody serves it.
    Unknown {
        /// The nearest names.
        closest: Vec<String>,
    },
    /// Several configured providers do.
    Ambiguous {
        /// Their full names.
        names: Vec<String>,
    },
    /// It is known and made for something else.
    NotFor {
        /// Its full name.
        name: String,
        /// What it was looked up for.
        wanted: Use,
    },
    /// It is known, and its provider is not configured or does not answer.
    NotConfigured {
        /// Its full name.
        name: String,
        /// What its provider needs: a secret, variables of its address, a server that runs.
        needs: String,
    },
}

impl Missing {
    /// Says why `name` leads nowhere, in half a sentence.
    pub fn what(&self, name: &str) -> String {
        match self {
            Self::Unknown { .. } => format!("no provider serves `{name}`"),
            Self::Ambiguous { .. } => format!("several providers serve `{name}`"),
            Self::NotFor { name, wanted: Use::Chat } => format!("`{name}` is for embeddings"),
            Self::NotFor { name, wanted: Use::Embeddings } => {
                format!("`{name}` is for conversations")
            }
            Self::NotConfigured { name, needs } => {
                format!("`{name}` is known, but its provider is not configured: it needs {needs}")
            }
        }
    }

    /// Says what to write instead, where anybody can know.
    pub fn help(&self) -> Option<String> {
        let listed = |names: &[String]| {
            names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Unknown { closest } if !closest.is_empty() => {
                Some(format!("did you mean {}?", listed(closest)))
            }
            Self::Ambiguous { names } => Some(format!("write one of {}", listed(names))),
            Self::Unknown { .. } | Self::NotFor { .. } | Self::NotConfigured { .. } => None,
        }
    }
}

impl Catalog {
    /// Finds a model to talk with; `configured` tells which providers can be reached.
    pub fn find(&self, name: &str, configured: &dyn Fn(&str) -> bool) -> Result<Found, Missing> {
        self.find_for(Use::Chat, name, configured)
    }

    /// Finds a model for one use. One that nobody described serves both, should it be named.
    pub fn find_for(
        &self,
        wanted: Use,
        name: &str,
        configured: &dyn Fn(&str) -> bool,
    ) -> Result<Found, Missing> {
        let found = self.named(name, configured)?;
        if found.provider.serves(&found.model, wanted) {
            return Ok(found);
        }
        Err(Missing::NotFor { name: found.name(), wanted })
    }

    fn named(&self, name: &str, configured: &dyn Fn(&str) -> bool) -> Result<Found, Missing> {
        if let Some((id, model)) = name.split_once('/')
            && let Some(provider) = self.provider(id)
        {
            return match provider.model(model) {
                Some(found) => reachable(provider, found, configured),
                // Only the server itself knows its models, and it is not there to be asked.
                None if provider.discover && !configured(id) => {
                    Err(Missing::NotConfigured { name: name.to_owned(), needs: provider.needs() })
                }
                // A host with a key of its own may serve more than it says, or was not asked in time.
                None if provider.discover && !provider.auth.secrets().is_empty() => {
                    Ok(Found { provider: Arc::clone(provider), model: provider.unlisted(model) })
                }
                None => Err(Missing::Unknown { closest: self.closest(name, configured) }),
            };
        }
        let bare = |provider: &&Arc<Provider>| !provider.qualified_only;
        let lists = |provider: &Arc<Provider>| {
            let model = provider.listed().find(|model| model.goes_by(name))?;
            Some((Arc::clone(provider), Arc::clone(model)))
        };
        let all: Vec<_> = self.providers.iter().filter(bare).filter_map(lists).collect();
        let ready: Vec<_> = all.iter().filter(|(provider, _)| configured(&provider.id)).collect();
        match (ready.as_slice(), all.first()) {
            ([(provider, model)], _) => {
                Ok(Found { provider: Arc::clone(provider), model: Arc::clone(model) })
            }
            ([], Some((provider, model))) => reachable(provider, Arc::clone(model), configured),
            ([], None) => Err(Missing::Unknown { closest: self.closest(name, configured) }),
            (several, _) => {
                let full = |(provider, model): &&(Arc<Provider>, Arc<Model>)| {
                    format!("{}/{}", provider.id, model.id)
                };
                Err(Missing::Ambiguous { names: several.iter().map(full).collect() })
            }
        }
    }

    /// Returns the nearest names, configured models first.
    fn closest(&self, name: &str, configured: &dyn Fn(&str) -> bool) -> Vec<String> {
        let names = |ready: bool| {
            let here =
                self.providers.iter().filter(move |provider| configured(&provider.id) == ready);
            here.flat_map(|provider| provider.names()).collect::<Vec<_>>()
        };
        let near = |names: &[String]| -> Vec<String> {
            yaml::closest(name, names.iter().map(String::as_str), 3)
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        let ready = near(&names(true));
        if ready.is_empty() { near(&names(false)) } else { ready }
    }
}

fn reachable(
    provider: &Arc<Provider>,
    model: Arc<Model>,
    configured: &dyn Fn(&str) -> bool,
) -> Result<Found, Missing> {
    let found = Found { provider: Arc::clone(provider), model };
    if configured(&provider.id) {
        return Ok(found);
    }
    Err(Missing::NotConfigured { name: found.name(), needs: provider.needs() })
}

impl Provider {
    /// Finds one of its models by id or alias.
    pub fn model(&self, name: &str) -> Option<Arc<Model>> {
        self.models.iter().find(|model| model.goes_by(name)).cloned()
    }

    /// Returns a model of which nothing is known but its id.
    pub(crate) fn unlisted(&self, id: &str) -> Arc<Model> {
        Arc::new(Model::bare(id, self.every_model.clone()))
    }

    /// Iterates over its listed models; they come before those that only the price list knows.
    pub fn listed(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.models.iter().take_while(|model| model.listed)
    }

    /// Iterates over its listed models that serve one use.
    pub fn listed_for(&self, wanted: Use) -> impl Iterator<Item = &Arc<Model>> {
        self.listed().filter(move |model| self.serves(model, wanted))
    }

    fn serves(&self, model: &Model, wanted: Use) -> bool {
        let described = model.can.is_some();
        match wanted {
            Use::Chat => !model.embeds() && !self.speaks.is_empty(),
            Use::Embeddings => self.embeddings.is_some() && (model.embeds() || !described),
        }
    }

    /// Returns the names a caller may use for its listed models: bare ones where they do.
    fn names(&self) -> Vec<String> {
        let listed = self.listed();
        if self.qualified_only {
            return listed.map(|model| format!("{}/{}", self.id, model.id)).collect();
        }
        listed.flat_map(|model| std::iter::once(&model.id).chain(&model.aliases).cloned()).collect()
    }
}

impl Model {
    /// Returns whether it embeds texts, and does nothing else.
    pub fn embeds(&self) -> bool {
        self.can.as_ref().is_some_and(|can| can.contains(&Ability::Embeddings))
    }

    /// Returns whether this is one of its names.
    fn goes_by(&self, name: &str) -> bool {
        self.id == name || self.aliases.iter().any(|alias| alias == name)
    }
}
