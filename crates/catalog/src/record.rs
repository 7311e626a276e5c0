//! A provider's record as it is written: everything optional but its id, so that an operator's
//! record may say only what is different.

use ir::dialect::StreamUsage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use yaml::{Document, Problems, Vars};

/// A provider's record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The provider's id: lower case, the first half of `provider/model`.
    pub id: String,
    /// Its name for people.
    pub name: Option<String>,
    /// Its address, without the dialect's path; may hold `${VAR}` or `${VAR:-default}`.
    pub base_url: Option<String>,
    /// How to authenticate there.
    pub auth: Option<Auth>,
    /// The dialects it speaks.
    pub speaks: Option<Vec<Speaks>>,
    /// The path below the address that lists its models.
    pub models_path: Option<String>,
    /// Whether to ask the provider for its models (for servers on your own machine).
    pub discover: Option<bool>,
    /// Whether its models are reached as `provider/model` alone, never by a bare name.
    pub qualified_only: Option<bool>,
    /// What it does differently from its dialect.
    pub quirks: Option<RecordQuirks>,
    /// Its id in the shipped price list.
    pub prices: Option<String>,
    /// What holds for every model that is not listed.
    pub every_model: Option<EveryModel>,
    /// Where this was read, and when.
    pub source: Option<Source>,
    /// Its models.
    #[serde(default)]
    pub models: Vec<RecordModel>,
}

/// How the gateway authenticates at a provider. A secret is a reference: `env:NAME` or
/// `file:/path`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// `Authorization: Bearer …`.
    Bearer(String),
    /// A header of the provider's own.
    Header {
        /// The header's name.
        name: String,
        /// The secret's reference.
        value: String,
    },
    /// Not at all; write `none: true`.
    None(bool),
}

impl Auth {
    /// Returns the reference of the secret, where one is needed.
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::Bearer(reference) | Self::Header { value: reference, .. } => Some(reference),
            Self::None(_) => None,
        }
    }
}

/// A dialect a provider speaks.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Speaks {
    /// The dialect's name.
    pub dialect: DialectName,
    /// The path below the provider's address.
    pub path: String,
}

/// The dialects that can be spoken to providers.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DialectName {
    /// OpenAI's `/chat/completions`.
    OpenaiChat,
}

/// What a host does differently from its dialect.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordQuirks {
    /// `ask` (default): usage at the end of a stream must be asked for; `always`: it comes unasked.
    #[serde(default)]
    #[schemars(with = "Option<StreamUsageName>")]
    pub stream_usage: StreamUsage,
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes ir::dialect::StreamUsage, which knows no schemas")]
enum StreamUsageName {
    Ask,
    Always,
}

/// What holds for every model that is not listed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EveryModel {
    /// What it costs.
    pub price: RecordPrice,
}

/// A model of a record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordModel {
    /// What the provider calls it.
    pub id: String,
    /// What else it is called here.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its window in tokens, input and output together.
    pub context: Option<u64>,
    /// The most tokens it writes.
    pub output: Option<u64>,
    /// What it can do in the dialect spoken.
    pub can: Option<Vec<Ability>>,
    /// What it costs, where the price list does not know or is wrong.
    pub price: Option<RecordPrice>,
    /// Where this was read, and when.
    pub source: Option<Source>,
}

/// What a model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// Calls tools.
    Tools,
    /// Answers in JSON that fits a schema.
    JsonSchema,
    /// Answers in JSON.
    Json,
    /// Looks at pictures.
    Images,
    /// Thinks before it answers.
    Reasoning,
    /// Reads files.
    Files,
    /// Hears audio.
    Audio,
}

/// A price in a record: dollars per million tokens.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordPrice {
    /// Input.
    pub input: Decimal,
    /// Input read from a cache; `input` where missing.
    pub cached_input: Option<Decimal>,
    /// Input written to a cache; `input` where missing.
    pub cache_write: Option<Decimal>,
    /// Output.
    pub output: Decimal,
    /// Dearer prices of the whole request once its input is longer.
    #[serde(default)]
    pub tiers: Vec<RecordTier>,
    /// Where this was read, and when.
    pub source: Option<Source>,
}

/// The prices of a whole request whose input is longer than `above` tokens.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordTier {
    /// The tier holds for requests with more input tokens than this.
    pub above: u64,
    /// Input.
    pub input: Decimal,
    /// Input read from a cache; `input` where missing.
    pub cached_input: Option<Decimal>,
    /// Input written to a cache; `input` where missing.
    pub cache_write: Option<Decimal>,
    /// Output.
    pub output: Decimal,
}

/// A decimal number kept as its text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(extend("format" = "decimal", "type" = ["string", "number"]))]
pub struct Decimal(pub String);

/// Where something was read, and when.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The page.
    pub url: Option<String>,
    /// What to say where there is no page.
    pub note: Option<String>,
    /// The day, as YYYY-MM-DD.
    pub checked: Option<String>,
}

/// A record with the documents it was read from, the last of them first in line to be blamed.
#[derive(Debug)]
pub(crate) struct Sourced {
    pub(crate) record: Record,
    pub(crate) document: Document,
}

/// Reads one record; its variables stay for whoever connects.
pub(crate) fn read(name: &str, text: &str) -> Result<Sourced, Problems> {
    let document = Document::parse(name, text, Vars::Keep)?;
    let record: Record = document.read()?;
    Ok(Sourced { record, document })
}

/// Puts a record over one with the same id, field by field, and its models likewise.
pub(crate) fn merge(all: &mut Vec<Sourced>, over: Sourced) {
    let Some(under) = all.iter_mut().find(|known| known.record.id == over.record.id) else {
        all.push(over);
        return;
    };
    let (old, new) = (&mut under.record, over.record);
    old.name = new.name.or(old.name.take());
    old.base_url = new.base_url.or(old.base_url.take());
    old.auth = new.auth.or(old.auth.take());
    old.speaks = new.speaks.or(old.speaks.take());
    old.models_path = new.models_path.or(old.models_path.take());
    old.discover = new.discover.or(old.discover);
    old.qualified_only = new.qualified_only.or(old.qualified_only);
    old.quirks = new.quirks.or(old.quirks);
    old.prices = new.prices.or(old.prices.take());
    old.every_model = new.every_model.or(old.every_model.take());
    old.source = new.source.or(old.source.take());
    for model in new.models {
        match old.models.iter_mut().find(|known| known.id == model.id) {
            Some(known) => merge_model(known, model),
            None => old.models.push(model),
        }
    }
    under.document = over.document;
}

fn merge_model(old: &mut RecordModel, new: RecordModel) {
    if !new.aliases.is_empty() {
        old.aliases = new.aliases;
    }
    old.context = new.context.or(old.context);
    old.output = new.output.or(old.output);
    old.can = new.can.or(old.can.take());
    old.price = new.price.or(old.price.take());
    old.source = new.source.or(old.source.take());
}
