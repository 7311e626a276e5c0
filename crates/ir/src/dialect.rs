//! Wire languages by name, what differs between the hosts that speak one, and what got lost
//! between two of them. No codec lives here: those are in `wire`.

use crate::RawJson;

/// A wire language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's `/chat/completions`, and what dozens of hosts speak after it.
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

impl Dialect {
    /// Every dialect, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::OpenaiChat,
        Self::OpenaiResponses,
        Self::AnthropicMessages,
        Self::Gemini,
        Self::BedrockConverse,
        Self::CohereV2,
        Self::Ollama,
    ];

    /// Returns the name used in records, configuration and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai_chat",
            Self::OpenaiResponses => "openai_responses",
            Self::AnthropicMessages => "anthropic_messages",
            Self::Gemini => "gemini",
            Self::BedrockConverse => "bedrock_converse",
            Self::CohereV2 => "cohere_v2",
            Self::Ollama => "ollama",
        }
    }

    /// Finds a dialect by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}

/// A dialect that clients speak to the gateway; the others are only spoken to providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inbound {
    /// [`Dialect::OpenaiChat`].
    OpenaiChat,
    /// [`Dialect::OpenaiResponses`].
    OpenaiResponses,
    /// [`Dialect::AnthropicMessages`].
    AnthropicMessages,
    /// [`Dialect::Gemini`].
    Gemini,
}

impl Inbound {
    /// Every dialect clients speak, in the order of the documentation.
    pub const ALL: [Self; 4] =
        [Self::OpenaiChat, Self::OpenaiResponses, Self::AnthropicMessages, Self::Gemini];

    /// Returns the dialect.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::OpenaiChat => Dialect::OpenaiChat,
            Self::OpenaiResponses => Dialect::OpenaiResponses,
            Self::AnthropicMessages => Dialect::AnthropicMessages,
            Self::Gemini => Dialect::Gemini,
        }
    }
}

/// What a host does differently from its dialect: a closed list, each read in exactly one
/// function, each with the host that needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks {
    /// Whether the host must be asked for usage at the end of a stream.
    pub stream_usage: StreamUsage,
    /// How an answer is made to fit a schema.
    pub schema: SchemaBy,
    /// Which field takes the thoughts of earlier turns.
    pub thoughts: ThoughtsField,
    /// Which field caps the answer.
    pub cap: CapField,
    /// Whether the host knows the role `developer`.
    pub developer: DeveloperRole,
    /// Whether the host takes prompt-cache marks.
    pub cache_marks: CacheMarks,
    /// Which ids of tool calls the host takes.
    pub call_ids: CallIds,
    /// How a tool of free text is told to the host by a request of another dialect.
    pub custom_tools: CustomTools,
    /// Where the body of a request differs.
    pub form: Form,
    /// In whose words Bedrock's converse is told what it has no fields of its own for.
    pub additional: AdditionalFields,
    /// How a model of Anthropic's is told to think.
    pub thinking: ThinkingBy,
    /// Which settings of sampling a model takes.
    pub sampling: Sampling,
    /// Whether a model of Google's can be told not to think.
    pub thinking_off: ThinkingOff,
    /// What stands on a call that a model of Google's did not make itself.
    pub signatures: Signatures,
    /// How an answer of Gemini's is made to fit a schema where the request has tools too.
    pub schema_beside_tools: SchemaBesideTools,
    /// Whether a model goes on with the beginning of an answer.
    pub prefill: Prefill,
}

/// How a host reports usage in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StreamUsage {
    /// Only when `stream_options.include_usage` asks for it (OpenAI).
    #[default]
    Ask,
    /// Always, unasked (Mistral: in the chunk that finishes).
    Always,
}

/// How an answer is made to fit a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SchemaBy {
    /// By the dialect's own field.
    #[default]
    Native,
    /// By a tool whose parameters are the schema and which the model must call; its arguments are
    /// the answer (Bedrock's models without structured output).
    Tool,
    /// By the dialect's JSON mode and words in the instructions (DeepSeek).
    Prompt,
}

/// Which field of OpenAI chat takes the thoughts of earlier turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThoughtsField {
    /// None: thoughts do not go back (OpenAI).
    #[default]
    None,
    /// `reasoning_content` (DeepSeek demands it in turns that call tools).
    ReasoningContent,
    /// `reasoning` (Groq, Cerebras).
    Reasoning,
    /// `reasoning_details`, with signatures (OpenRouter).
    Details,
}

/// Which field of OpenAI chat caps the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CapField {
    /// `max_completion_tokens` (OpenAI).
    #[default]
    MaxCompletionTokens,
    /// `max_tokens` (Mistral refuses the other).
    MaxTokens,
}

/// Whether a host of OpenAI chat knows the role `developer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeveloperRole {
    /// It does (OpenAI).
    #[default]
    Known,
    /// It is told as `system` (nearly everybody else).
    AsSystem,
}

/// Whether a host takes prompt-cache marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheMarks {
    /// It does not.
    #[default]
    None,
    /// `cache_control` on a part (OpenRouter, Qwen).
    CacheControl,
    /// Bedrock's `cachePoint`, among the tools too, with a time (Claude).
    CachePoint,
    /// Bedrock's `cachePoint` among what is said alone, without a time (Nova).
    CachePointText,
}

/// Which ids of tool calls a host takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallIds {
    /// Those of its dialect.
    #[default]
    Any,
    /// Nine letters and digits (Mistral).
    Nine,
}

/// How a tool of free text is told to a host of OpenAI's dialects by a request of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CustomTools {
    /// As a function with one text (nearly everybody refuses `type: custom`).
    #[default]
    AsFunction,
    /// As what it is (OpenAI).
    Native,
}

/// Where the body of a request differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Nowhere.
    #[default]
    Plain,
    /// Anthropic's messages at Vertex: the model stands in the path, `anthropic_version` in the body.
    Vertex,
}

/// How a model of Anthropic's is told to think by a request of another dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThinkingBy {
    /// As the caller says it: in tokens or by effort (Claude 4.6 takes both).
    #[default]
    AsSaid,
    /// By a budget of tokens (Claude up to 4.5).
    Budget,
    /// By effort (Claude after 4.6).
    Effort,
}

/// Which settings of sampling a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sampling {
    /// Any.
    #[default]
    Any,
    /// A temperature or `top_p`, not both (Claude 4.5 and 4.6).
    One,
    /// None (Claude after 4.6).
    None,
}

/// Whether a model of Google's can be told not to think by a request of another dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThinkingOff {
    /// It cannot, and refuses a budget of nothing (Gemini 2.5 Pro): it thinks as it sees fit.
    #[default]
    Never,
    /// By a budget of nothing (Gemini 2.5 Flash).
    Budget,
}

/// What stands on a call of the turn that is under way, where a model of Google's did not make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signatures {
    /// Nothing (up to Gemini 2.5).
    #[default]
    None,
    /// The signature that Google names for calls of other models (Gemini 3 refuses one without any).
    Dummy,
}

/// How an answer of Gemini's is made to fit a schema where the request has tools too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SchemaBesideTools {
    /// As without tools.
    #[default]
    Same,
    /// By one more tool; JSON without a schema is asked for in words (Gemini 2.5 takes no tools
    /// beside a media type of JSON).
    Tool,
}

/// Whether a model goes on with the beginning of an answer, where the conversation ends in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefill {
    /// It does not: it refuses one, or answers anew (OpenAI; Claude from 4.6).
    #[default]
    None,
    /// It does, from a last turn of the assistant's (Claude up to 4.5, llama.cpp, Ollama).
    Turn,
    /// It does, from a last turn of the assistant's with `prefix: true` (Mistral).
    Prefix,
}

/// In whose words Bedrock's converse is told how to think, and how many likely tokens to sample
/// from: it passes these on to the model as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AdditionalFields {
    /// `thinking` with a budget of tokens, `top_k` (Claude up to 4.5).
    #[default]
    Thinking,
    /// `thinking: adaptive` with an effort, `top_k` (Claude from 4.6).
    Adaptive,
    /// `reasoning_effort` (gpt-oss).
    ReasoningEffort,
    /// `reasoningConfig`, `inferenceConfig.topK` (Nova).
    ReasoningConfig,
}

/// Something that must travel on untouched and only its own dialect understands.
#[derive(Debug, Clone, PartialEq)]
pub struct Opaque {
    /// The dialect it was spelled in.
    pub dialect: Dialect,
    /// Its text as it came.
    pub raw: RawJson,
}

/// A field that had no home in the dialect it was written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Where it stood, as a path of the canonical conversation such as `turns[2].parts[0]`.
    pub path: String,
    /// Why it could not be said.
    pub why: String,
}

/// What makes ids for tool calls that came without one: unlike for every answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seed(pub u64);

/// What made ids begin with.
const MADE: &str = "call_pm";

impl Seed {
    /// Makes the id of an answer's call, counted from 0.
    pub fn call_id(self, nth: usize) -> String {
        format!("{MADE}{:016x}{nth:02x}", self.0)
    }
}

/// Returns whether the id of a tool call was made here, because the provider sent none.
pub fn made(id: &str) -> bool {
    id.strip_prefix(MADE).is_some_and(|rest| rest.len() >= 18)
}
