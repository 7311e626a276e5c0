//! A provider's record as it is written: everything optional but its id, so that an operator's
//! record may say only what is different.

use ir::Dialect;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use yaml::{Document, Problems, Vars};

use crate::auth::Auth;
use crate::clocks::WrittenClocks;
use crate::quirks::RecordQuirks;

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
    /// More credentials beside that of `auth`: load is shared among all of them, one that is
    /// throttled rests, and one that is refused is retired until it is changed.
    pub credentials: Option<Vec<RecordCredential>>,
    /// How much of the load goes to the credential of `auth`, beside the weights of the others.
    /// Default: 1.
    #[schemars(range(min = 1, max = 1000))]
    pub weight: Option<u32>,
    /// Headers that go with every request.
    pub headers: Option<Vec<Header>>,
    /// How long it may take before an attempt is given up, where that is not what the routing
    /// table's defaults say. What a task says itself goes over it.
    pub clocks: Option<WrittenClocks>,
    /// The most requests under way at one of its models with one credential. Without it the limit
    /// is found: it grows while answers come and shrinks when the host throttles.
    #[schemars(range(min = 1))]
    pub concurrency: Option<u32>,
    /// The dialects it speaks, the one to translate into first.
    pub speaks: Option<Vec<Speaks>>,
    /// How it embeds texts, where it does.
    pub embeddings: Option<RecordEmbeddings>,
    /// The family whose errors it answers with, where that is not its own id.
    pub errors_like: Option<String>,
    /// The path below the address that lists its models.
    pub models_path: Option<String>,
    /// Whether to ask the provider for its models when the gateway starts or reloads.
    pub discover: Option<bool>,
    /// Whether its models are reached as `provider/model` alone, never by a bare name.
    pub qualified_only: Option<bool>,
    /// What it does differently from its dialects.
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

/// One more credential at a provider.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordCredential {
    /// What it is called in health and decisions: lower case, not `default`.
    pub name: String,
    /// How the gateway authenticates with it.
    pub auth: Auth,
    /// How much of the load goes to it. Default: 1.
    #[schemars(range(min = 1, max = 1000))]
    pub weight: Option<u32>,
}

/// A header that goes with every request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The header's name.
    pub name: String,
    /// Its value; may hold `${VAR}` or `${VAR:-default}`.
    pub value: String,
    /// Whether the client's own header of that name goes in its place.
    #[serde(default)]
    pub unless_sent: bool,
}

/// A dialect a provider speaks. Paths stand below the provider's address and may hold `{model}`,
/// `${VAR}` and `${VAR:-default}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Speaks {
    /// The dialect's name.
    pub dialect: DialectName,
    /// The path that answers.
    pub path: String,
    /// The path that answers in a stream, where it is another.
    pub stream_path: Option<String>,
    /// The path that counts a request's tokens, where there is one.
    pub count_path: Option<String>,
    /// What this host does differently in this dialect, over the record's `quirks`.
    pub quirks: Option<RecordQuirks>,
}

/// How a provider embeds texts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordEmbeddings {
    /// The form of requests and answers.
    pub dialect: EmbeddingsDialect,
    /// The path below the provider's address; may hold `{model}`, variables, and `{action}` where
    /// the dialect asks for one text otherwise than for many (Gemini).
    pub path: String,
}

/// A form of requests and answers for embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmbeddingsDialect {
    /// OpenAI's `/embeddings`, and what dozens of hosts speak after it.
    Openai,
    /// Google's `batchEmbedContents`.
    Gemini,
    /// Cohere's `/v2/embed`.
    Cohere,
    /// Voyage's `/embeddings`.
    Voyage,
}

/// The dialects that can be spoken to providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DialectName {
    /// OpenAI's `/chat/completions`.
    OpenaiChat,
    /// OpenAI's `/responses`.
    OpenaiResponses,
    /// Anthropic's `/messages`.
    AnthropicMessages,
    /// Google's `generateContent`.
    Gemini,
    /// Amazon Bedrock's `converse`.
    BedrockConverse,
    /// Cohere's `/v2/chat`.
    CohereV2,
    /// Ollama's own `/api/chat`.
    Ollama,
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::OpenaiChat => Self::OpenaiChat,
            DialectName::OpenaiResponses => Self::OpenaiResponses,
            DialectName::AnthropicMessages => Self::AnthropicMessages,
            DialectName::Gemini => Self::Gemini,
            DialectName::BedrockConverse => Self::BedrockConverse,
            DialectName::CohereV2 => Self::CohereV2,
            DialectName::Ollama => Self::Ollama,
        }
    }
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
    /// What it can do.
    pub can: Option<Vec<Ability>>,
    /// The dialects it is spoken to in, the one to translate into first, where they are not all of
    /// its provider's.
    pub speaks: Option<Vec<DialectName>>,
    /// What it does differently from its provider's other models.
    pub quirks: Option<RecordQuirks>,
    /// How long it may take, over its provider's `clocks`.
    pub clocks: Option<WrittenClocks>,
    /// The most requests under way at it with one credential, over its provider's `concurrency`.
    #[schemars(range(min = 1))]
    pub concurrency: Option<u32>,
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
    /// Embeds texts, and does nothing else.
    Embeddings,
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
    old.credentials = new.credentials.or(old.credentials.take());
    old.weight = new.weight.or(old.weight);
    old.headers = new.headers.or(old.headers.take());
    old.clocks = new.clocks.or(old.clocks);
    old.concurrency = new.concurrency.or(old.concurrency);
    if let Some(speaks) = new.speaks {
        narrow(&mut old.models, &speaks);
        old.speaks = Some(speaks);
    }
    old.embeddings = new.embeddings.or(old.embeddings.take());
    old.errors_like = new.errors_like.or(old.errors_like.take());
    old.models_path = new.models_path.or(old.models_path.take());
    old.discover = new.discover.or(old.discover);
    old.qualified_only = new.qualified_only.or(old.qualified_only);
    old.quirks = merged(old.quirks, new.quirks);
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

/// Whoever says anew what a provider speaks need not say it again of each of its models.
fn narrow(models: &mut [RecordModel], speaks: &[Speaks]) {
    for model in models {
        let spoken = |name: &DialectName| speaks.iter().any(|speaks| speaks.dialect == *name);
        let own = model.speaks.take().unwrap_or_default();
        let left: Vec<DialectName> = own.into_iter().filter(spoken).collect();
        model.speaks = (!left.is_empty()).then_some(left);
    }
}

fn merge_model(old: &mut RecordModel, new: RecordModel) {
    if !new.aliases.is_empty() {
        old.aliases = new.aliases;
    }
    old.context = new.context.or(old.context);
    old.output = new.output.or(old.output);
    old.can = new.can.or(old.can.take());
    old.speaks = new.speaks.or(old.speaks.take());
    old.quirks = merged(old.quirks, new.quirks);
    old.clocks = new.clocks.or(old.clocks);
    old.concurrency = new.concurrency.or(old.concurrency);
    old.price = new.price.or(old.price.take());
    old.source = new.source.or(old.source.take());
}

fn merged(old: Option<RecordQuirks>, new: Option<RecordQuirks>) -> Option<RecordQuirks> {
    Some(new.unwrap_or_default().over(old.unwrap_or_default()))
}
