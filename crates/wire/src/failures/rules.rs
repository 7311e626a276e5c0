//! The rows of the table of failures, and nothing else. The first row that fits decides.
//!
//! The order is a decision: what one provider means by words that mean something else elsewhere
//! comes first; then, for everybody, credentials before models (a bad key may name the model),
//! context before rate (an over-long prompt may come with the words of a limit), credit before
//! rate (OpenAI answers 429 to an empty account), models before features (Voyage says that a model
//! "is not supported"). A row with a page has no body among the tests.

use ir::Kind::{
    ContentPolicy, ContextLengthExceeded, Credential, Credit, InvalidOutput, InvalidRequest,
    ModelUnavailable, Overloaded, Permission, ProviderError, RateLimited, Timeout, Unsupported,
};

use super::rule::Rule;

/// Whatever the provider.
const ANY: &[&str] = &[];
/// Gemini by its own API and by Vertex.
const GOOGLE: &[&str] = &["google", "vertex"];
/// Claude wherever it is served: its errors pass through.
const CLAUDE: &[&str] = &["anthropic", "vertex", "bedrock", "azure"];
/// OpenAI's models wherever they are served.
const GPT: &[&str] = &["openai", "azure"];
/// Llama.cpp and what is built on it.
const LLAMACPP: &[&str] = &["llamacpp", "lmstudio", "ollama"];

/// The table.
#[rustfmt::skip]
pub(super) static RULES: &[Rule] = &[
    // Google: the country is refused with the words of a missing feature.
    Rule::met(GOOGLE, &[400], &["user location is not supported"], Permission),
    // A stored prompt that is gone is the caller's to name, not a model that is missing.
    Rule::met(GOOGLE, &[403, 404], &["cache content metadata"], InvalidRequest),
    Rule::met(GOOGLE, &[403, 404], &["cachedcontent not found", "permission to access the file"], InvalidRequest)
        .page("https://ai.google.dev/gemini-api/docs/troubleshooting"),
    // A missing or burnt key is a 403 there, where all else of that status is a missing right.
    Rule::met(GOOGLE, &[403], &["unregistered callers"], Credential)
        .page("https://github.com/PublicAffairs/openai-gemini/issues/92"),
    Rule::met(GOOGLE, &[403], &["reported as leaked"], Credential)
        .page("https://github.com/continuedev/continue/issues/11541"),
    // A day's quota does not come back by waiting, though a delay of seconds stands beside it.
    Rule::met(GOOGLE, &[429], &["perday"], Credit)
        .page("https://ai.google.dev/gemini-api/docs/rate-limits"),
    // "You exceeded your current quota" is a minute's limit there, unlike at OpenAI.
    Rule::met(GOOGLE, &[429], &["resource_exhausted", "resource exhausted"], RateLimited),
    // Gemma through Gemini's API.
    Rule::met(GOOGLE, &[400], &["is not enabled for"], Unsupported)
        .page("https://github.com/0xPlaygrounds/rig/issues/788"),

    // Bedrock: the name of an error stands in a header, or is the key of a frame.
    Rule::met(&["bedrock"], &[403], &["unrecognizedclient", "invalidsignature", "expiredtoken", "security token included", "signature expired"], Credential),
    Rule::met(&["bedrock"], &[403], &["incompletesignature", "missingauthenticationtoken", "invalidclienttokenid", "api key is valid"], Credential)
        .page("https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html"),
    // "Too many tokens per day" wears the name of a throttle.
    Rule::met(&["bedrock"], &[429], &["tokens per day"], Credit),
    Rule::met(&["bedrock"], &[400], &["servicequotaexceeded"], Credit)
        .page("https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html"),
    Rule::met(&["bedrock"], &[429], &["modelnotready"], Overloaded)
        .page("https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html"),
    Rule::met(&["bedrock"], &[429], &["throttlingexception"], RateLimited),
    // Too many requests come as a 503 as well.
    Rule::met(&["bedrock"], &[503], &["throttl", "too many connections"], RateLimited)
        .page("https://github.com/anthropics/claude-code/issues/562"),
    Rule::met(&["bedrock"], &[503], &["serviceunavailable", "unable to process your request"], Overloaded)
        .page("https://github.com/darko-mesaros/bedrust/issues/47"),
    Rule::met(&["bedrock"], &[408], &["modeltimeout"], Timeout)
        .page("https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html"),
    Rule::met(&["bedrock"], &[424], &["modelstreamerror"], ProviderError),
    Rule::met(&["bedrock"], &[400], &["model identifier is invalid"], ModelUnavailable),
    Rule::met(&["bedrock"], &[400], &["on-demand throughput"], ModelUnavailable)
        .page("https://github.com/terricain/aioboto3/issues/352"),
    Rule::met(&["bedrock"], &[400], &["operation not allowed"], Permission)
        .page("https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html"),
    Rule::met(&["bedrock"], &[400], &["extraneous key"], Unsupported),

    // Anthropic: one type for everything that is the caller's or the account's.
    Rule::met(CLAUDE, &[400], &["specified api usage limits"], Credit)
        .page("https://github.com/anthropics/claude-code/issues/38035"),
    // A plan without long prompts, in the words of a limit that waiting would help.
    Rule::met(CLAUDE, &[429], &["extra usage is required"], Permission)
        .page("https://github.com/anthropics/claude-code/issues/29584"),
    Rule::met(CLAUDE, &[400, 403], &["organization has been disabled"], Permission)
        .page("https://docs.anthropic.com/en/api/errors"),

    // OpenAI: a key without a right is a 401.
    Rule::met(GPT, &[401], &["missing scopes"], Permission)
        .page("https://github.com/microsoft/PowerToys/issues/32989"),
    // Says `unsupported_value`, means that somebody must show a passport.
    Rule::met(GPT, &[400, 403], &["organization must be verified"], Permission)
        .page("https://github.com/Lamb-Project/lamb/issues/54"),
    Rule::met(GPT, &[503], &["slow down"], RateLimited)
        .page("https://platform.openai.com/docs/guides/error-codes"),
    // Stored answers, items and files that are gone are the caller's to name.
    Rule::met(GPT, &[400, 404], &["previous_response_not_found", "items are not persisted"], InvalidRequest)
        .page("https://github.com/maximhq/bifrost/issues/2441"),
    Rule::met(GPT, &[404], &["not supported in the v1/"], Unsupported),

    // DeepSeek: `invalid_request_error` for everything.
    Rule::met(&["deepseek"], &[400], &["supported api model names"], ModelUnavailable)
        .page("https://github.com/HKUDS/Paper2Slides/issues/37"),
    Rule::met(&["deepseek"], &[400], &["model not exist"], ModelUnavailable)
        .page("https://github.com/upstash/docs/issues/412"),
    Rule::met(&["deepseek"], &[400], &["content exists risk"], ContentPolicy)
        .page("https://github.com/666ghj/BettaFish/issues/108"),

    // Qwen: a throttle in OpenAI's words for an empty account; an empty account is a 400.
    Rule::met(&["qwen"], &[429], &["insufficient_quota", "exceeded your current quota"], RateLimited),
    Rule::met(&["qwen"], &[400], &["arrearage", "account is in good standing"], Credit)
        .page("https://github.com/hsliuping/TradingAgents-CN/issues/170"),
    Rule::met(&["qwen"], &[403], &["freetieronly", "overdue account"], Credit)
        .page("https://help.aliyun.com/zh/model-studio/error-code"),
    Rule::met(&["qwen"], &[400], &["range of input length should be"], ContextLengthExceeded)
        .page("https://github.com/QwenLM/qwen-code/issues/98"),

    // Mistral: their tier is full, not the caller's budget.
    Rule::met(&["mistral"], &[429], &["capacity exceeded"], Overloaded),

    // Groq: a request larger than the minute's tokens is a 413, which elsewhere is the prompt.
    Rule::met(&["groq"], &[413], &["rate_limit_exceeded"], RateLimited),
    // The model's own words, refused by the host that serves it.
    Rule::met(&["groq"], &[400], &["tool_use_failed"], InvalidOutput),
    Rule::met(&["groq"], &[400], &["json_validate_failed"], InvalidOutput)
        .page("https://github.com/thepersonalaicompany/amurex-backend/issues/38"),
    Rule::met(&["groq"], &[400], &["model_decommissioned"], ModelUnavailable)
        .page("https://github.com/valentinfrlch/ha-llmvision/issues/324"),
    Rule::met(&["groq"], &[400], &["model_terms_required", "organization_restricted"], Permission)
        .page("https://console.groq.com/docs/errors"),

    // xAI: a bad key is a 400, an empty account a 429 or a 403, a refused prompt a 403.
    Rule::met(&["xai"], &[400], &["incorrect api key"], Credential),
    Rule::met(&["xai"], &[403, 429], &["used all available credits", "any credits yet"], Credit),
    Rule::met(&["xai"], &[403], &["violates usage guidelines"], ContentPolicy)
        .page("https://github.com/UKGovernmentBEIS/inspect_ai/pull/2267"),
    Rule::met(&["xai"], &[400], &["maximum prompt length"], ContextLengthExceeded)
        .page("https://github.com/cline/cline/issues/3120"),

    // Cohere: "too many tokens" is the prompt; elsewhere it is a minute's or a day's budget.
    Rule::met(&["cohere"], &[400], &["too_many_tokens", "too many tokens"], ContextLengthExceeded),
    Rule::met(&["cohere"], &[429], &["calls / month"], Credit)
        .page("https://docs.cohere.com/docs/rate-limits"),

    // Cerebras: everybody's queue and the account's quota are one status.
    Rule::met(&["cerebras"], &[429], &["queue_exceeded"], Overloaded)
        .page("https://inference-docs.cerebras.ai/support/error"),
    Rule::met(&["cerebras"], &[429], &["token_quota_exceeded", "too_many_tokens_error"], RateLimited),

    // OpenRouter: no host takes the feature, or none fits the account's privacy settings.
    Rule::met(&["openrouter"], &[404], &["no endpoints found that support", "no endpoints found that can handle"], Unsupported)
        .page("https://github.com/zed-industries/zed/issues/36094"),
    Rule::met(&["openrouter"], &[404], &["data policy"], Permission)
        .page("https://github.com/dnakov/anon-kode/issues/13"),
    Rule::met(&["openrouter"], &[403], &["moderation", "flagged"], ContentPolicy)
        .page("https://openrouter.ai/docs/api-reference/errors"),
    Rule::met(&["openrouter"], &[403], &["limit exceeded"], Credit)
        .page("https://openrouter.ai/docs/api-reference/limits"),
    Rule::met(&["openrouter"], &[400], &["not a valid model"], ModelUnavailable)
        .page("https://openrouter.ai/docs/api-reference/errors"),

    // Llama.cpp: 500 for what the caller got wrong.
    Rule::met(LLAMACPP, &[500], &["--jinja", "unsupported param", "not supported"], Unsupported)
        .page("https://github.com/AstrBotDevs/AstrBot/issues/758"),
    Rule::met(LLAMACPP, &[500], &["json schema conversion failed", "missing 'content'", "expected 'messages'", "json.exception"], InvalidRequest)
        .page("https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server-common.cpp"),

    // Envoy stands before many a host and says 503 for a connection that failed.
    Rule::met(ANY, &[503], &["upstream connect error"], ProviderError),

    // Credentials.
    Rule::met(ANY, &[400, 401, 403], &["invalid_api_key", "incorrect api key", "invalid api key", "api_key_invalid", "authentication_error"], Credential),

    // Context.
    Rule::met(ANY, &[], &["context_length_exceeded", "maximum context length", "max context length", "prompt is too long", "input tokens exceeded", "exceeds the maximum number of tokens", "too_many_prompt_tokens"], ContextLengthExceeded),
    Rule::met(ANY, &[400], &["exceed context limit"], ContextLengthExceeded)
        .page("https://github.com/docker/docker-agent/issues/569"),
    Rule::met(ANY, &[400], &["input is too long"], ContextLengthExceeded)
        .page("https://github.com/aws-samples/bedrock-chat/issues/95"),
    Rule::met(ANY, &[400, 500], &["exceed_context_size", "exceeds the available context size"], ContextLengthExceeded)
        .page("https://github.com/ggml-org/llama.cpp/pull/15780"),
    Rule::met(ANY, &[400, 422], &["`inputs` tokens + `max_new_tokens`"], ContextLengthExceeded)
        .page("https://github.com/bytedance/UI-TARS-desktop/issues/626"),
    Rule::met(ANY, &[400], &["exceeds max length", "exceeded model token limit"], ContextLengthExceeded)
        .page("https://docs.z.ai/api-reference/api-code"),

    // Credit.
    Rule::met(ANY, &[], &["insufficient_quota", "exceeded your current quota", "insufficient balance", "credit balance is too low"], Credit),
    Rule::met(ANY, &[400, 403, 429], &["billing_not_active", "billing hard limit", "billing_hard_limit", "billing_error"], Credit)
        .page("https://github.com/BerriAI/litellm/issues/2743"),
    Rule::met(ANY, &[400, 403, 429], &["exceeded_current_quota", "insufficient credits"], Credit)
        .page("https://platform.moonshot.ai/docs/api/chat"),

    // What a filter refused.
    Rule::met(ANY, &[400, 422], &["content_filter", "content management policy", "data_inspection_failed", "datainspectionfailed"], ContentPolicy),
    Rule::met(ANY, &[400], &["content filtering policy"], ContentPolicy)
        .page("https://github.com/anthropics/claude-code/issues/58367"),
    Rule::met(ANY, &[400], &["violating our usage policy", "content_policy_violation", "moderation_blocked"], ContentPolicy)
        .page("https://github.com/alan-turing-institute/t0-1/issues/69"),

    // Capacity, whatever the status: Moonshot says 429.
    Rule::met(ANY, &[], &["overloaded", "high demand"], Overloaded),

    // Models.
    Rule::met(ANY, &[400, 403, 404], &["model_not_found", "deploymentnotfound", "is not found for api version", "supported models are"], ModelUnavailable),
    Rule::met(ANY, &[400], &["invalid_model"], ModelUnavailable)
        .page("https://github.com/tmc/langchaingo/issues/1233"),
    Rule::met(ANY, &[400], &["model not found", "unknown model", "model_not_available"], ModelUnavailable)
        .page("https://docs.x.ai/docs/key-information/debugging"),
    Rule::met(ANY, &[400, 403], &["model_not_supported", "not supported by any provider"], ModelUnavailable)
        .page("https://github.com/cline/cline/issues/5098"),

    // Rate, where the status does not say it.
    Rule::met(ANY, &[429], &["rate_limit_exceeded"], RateLimited),
    Rule::met(ANY, &[429], &["rate_limit_error", "too many requests"], RateLimited)
        .page("https://docs.anthropic.com/en/api/errors"),

    // Features.
    Rule::met(ANY, &[400, 422], &["unsupported_value", "unsupported_file", "unsupported parameter", "unsupported mime type", "unsupported image", "not support", "doesn't support", "extra inputs are not permitted"], Unsupported),
    Rule::met(ANY, &[400, 422], &["unknown variant `image_url`", "unknown variant image_url"], Unsupported)
        .page("https://github.com/rikkahub/rikkahub/issues/1433"),
    Rule::met(ANY, &[400, 422], &["unsupported_parameter", "unsupported_content"], Unsupported)
        .page("https://platform.openai.com/docs/guides/error-codes"),
    Rule::met(ANY, &[400], &["--enable-auto-tool-choice"], Unsupported)
        .page("https://github.com/vllm-project/vllm/blob/main/vllm/entrypoints/openai/serving_chat.py"),

    // Inside a success, where no status decides what is left.
    Rule::met(ANY, &[200], &["invalid_request_error", "invalid_argument", "validationexception"], InvalidRequest)
        .page("https://docs.anthropic.com/en/docs/build-with-claude/streaming"),
    Rule::met(ANY, &[200], &["permission_error", "permission_denied", "accessdenied"], Permission)
        .page("https://docs.anthropic.com/en/api/errors"),
    Rule::met(ANY, &[200], &["not_found_error"], ModelUnavailable)
        .page("https://docs.anthropic.com/en/api/errors"),
    Rule::met(ANY, &[200], &["timeout_error", "deadline_exceeded"], Timeout)
        .page("https://docs.anthropic.com/en/api/errors"),
];
