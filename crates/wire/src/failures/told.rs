//! What an error says, wherever it says it. The envelopes in use:
//!
//! | shape | who |
//! |---|---|
//! | `{"error":{…}}`, also with `"type":"error"` around it | OpenAI and its followers, Anthropic, Google, Perplexity, llama.cpp |
//! | `{"error":"…"}`, `{"code":"…","error":"…"}`, `{"error":"…","message":"…"}` | Ollama, Hugging Face, xAI, OAuth |
//! | a list with one of these | Google without `alt=sse` |
//! | `{"type":"response.failed","response":{"error":{…}}}`, `{"delta":{"error":"…"}}` | streams of OpenAI's Responses and of Cohere |
//! | the fields at the top | Bedrock, Cohere, Mistral, DashScope, Cerebras |
//! | `{"throttlingException":{…}}` | frames of Bedrock |
//! | `{"detail":"…"}`, `{"detail":[{"loc":…,"msg":…}]}` | FastAPI: Mistral, Voyage, vLLM |
//! | `"metadata":{"provider_name":…,"raw":"…"}` inside | OpenRouter, whose `raw` is another provider's whole body |
//! | a page of HTML, a line of text, nothing | what stands in front of them |

use std::time::Duration;

use serde_json::{Map, Value};

use super::member::{
    CODES, LOOKED_AT, bare, clip, code, first_of, gather, message, param, status, text, wait,
};

/// How much of a text that is no JSON is passed on.
const LONGEST_TEXT: usize = 300;

/// What an error says.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The message, empty when there is none.
    pub(super) message: String,
    /// The code, or the type where there is none.
    pub(super) code: Option<String>,
    /// The field at fault.
    pub(super) param: Option<String>,
    /// The status it says it would have been answered with.
    pub(super) status: Option<u16>,
    /// Everything it says, in lower case.
    pub(super) words: String,
    /// How long to wait, when a field says so.
    pub(super) wait: Option<Duration>,
    /// The error of the provider behind this one.
    pub(super) behind: Option<Box<Behind>>,
    headers: Vec<(String, String)>,
}

/// The error of a provider behind another.
#[derive(Debug)]
pub(super) struct Behind {
    /// What it is called there.
    pub(super) name: Option<String>,
    /// What it says.
    pub(super) told: Told,
}

impl Told {
    /// Reads an error.
    pub(super) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::of(&value),
            Err(_) => Self::plain(body),
        }
    }

    /// Adds the name of an error that stands beside the body, as Amazon's does.
    pub(super) fn named(&mut self, name: &str) {
        let name = bare(name);
        self.words = format!("{} {}", name.to_ascii_lowercase(), self.words);
        self.code.get_or_insert_with(|| name.to_owned());
    }

    /// Returns a header that the body passes on from the provider behind.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    }

    fn of(value: &Value) -> Self {
        let value = first(value);
        let Place { name, node, beside: outer } = locate(value);
        let mut told = match node {
            Value::Object(fields) => Self::of_fields(fields),
            node => Self::of_text(text(Some(node)).unwrap_or_default(), outer),
        };
        if let Some(outer) = outer {
            told.status = told.status.or_else(|| status(outer));
            told.wait = told.wait.or_else(|| wait(outer));
            told.code = told.code.or_else(|| code(outer));
        }
        let mut words = format!("{}\n", told.message);
        gather(node, &mut words);
        for beside in CODES.iter().filter_map(|key| outer?.get(*key)) {
            gather(beside, &mut words);
        }
        if let Some(behind) = &told.behind {
            words += &behind.told.words;
        }
        told.words = words.to_lowercase().replace('’', "'");
        if let Some(name) = name {
            told.code = None;
            told.named(name);
        }
        told
    }

    fn of_fields(fields: &Map<String, Value>) -> Self {
        let mut told = Self {
            message: message(fields).unwrap_or_default(),
            code: code(fields),
            param: param(fields),
            status: status(fields),
            wait: wait(fields),
            ..Self::default()
        };
        let Some(Value::Object(metadata)) = fields.get("metadata") else { return told };
        told.wait = told.wait.or_else(|| wait(metadata));
        if let Some(Value::Object(headers)) = metadata.get("headers") {
            let headers = headers.iter();
            told.headers = headers
                .filter_map(|(name, value)| Some((name.clone(), text(Some(value))?)))
                .collect();
        }
        let name = text(metadata.get("provider_name"));
        let behind = match metadata.get("raw") {
            Some(Value::String(raw)) if !raw.is_empty() => Some(Self::read(raw.as_bytes())),
            Some(raw @ Value::Object(_)) => Some(Self::of(raw)),
            _ => None,
        };
        if let Some(behind) = behind {
            let by = name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
            told.message = clip(format!("{}{by}: {}", told.message, behind.message));
            told.wait = told.wait.or(behind.wait);
            told.behind = Some(Box::new(Behind { name, told: behind }));
        }
        told
    }

    /// Reads an error that is a text, beside which the message may stand, or the code.
    fn of_text(said: String, outer: Option<&Map<String, Value>>) -> Self {
        match outer.and_then(message) {
            Some(message) if message != said => {
                Self { message, code: Some(said), ..Self::default() }
            }
            _ => Self { message: clip(said), ..Self::default() },
        }
    }

    /// Reads a body that is no JSON: an event of a stream, a page of HTML, a text.
    fn plain(body: &[u8]) -> Self {
        let body = body.get(..LOOKED_AT).unwrap_or(body);
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim();
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let mut events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        if let Some(event) = events.next() {
            return Self::of(&event);
        }
        let message = if text.starts_with('<') {
            match page_title(text) {
                Some(title) => format!("the provider answered with a page of HTML: {title}"),
                None => "the provider answered with a page of HTML".to_owned(),
            }
        } else {
            text.chars().take(LONGEST_TEXT).collect()
        };
        Self { words: message.to_lowercase(), message, ..Self::default() }
    }
}

/// The part of a body that is the error.
struct Place<'a> {
    /// What it is called, when that is its key.
    name: Option<&'a str>,
    node: &'a Value,
    /// What stands beside it.
    beside: Option<&'a Map<String, Value>>,
}

fn locate(value: &Value) -> Place<'_> {
    let whole = Place { name: None, node: value, beside: value.as_object() };
    let Value::Object(fields) = value else { return whole };
    let error_in = |fields: &'_ Map<String, Value>| -> bool {
        fields.get("error").is_some_and(|error| !error.is_null())
    };
    let within = |outer: &str| fields.get(outer)?.as_object().filter(|inner| error_in(inner));
    let holder = Some(fields).filter(|fields| error_in(fields));
    if let Some(holder) = holder.or_else(|| within("response")).or_else(|| within("delta")) {
        let error = holder.get("error").map_or(value, first);
        // A proxy may have put one envelope into another.
        let inner = error.get("error").filter(|inner| inner.is_object());
        return Place { node: inner.unwrap_or(error), beside: Some(holder), ..whole };
    }
    let listed = fields.get("errors").and_then(first_of).or_else(|| fields.get("base_resp"));
    if let Some(error) = listed {
        return Place { node: error, ..whole };
    }
    match fields.iter().next() {
        Some((name, error @ Value::Object(_)))
            if fields.len() == 1 && name.ends_with("xception") =>
        {
            Place { name: Some(name), node: error, ..whole }
        }
        _ => whole,
    }
}

fn first(value: &Value) -> &Value {
    value.get(0).unwrap_or(value)
}

fn page_title(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("<title>")?;
    let (title, _) = rest.split_once('<')?;
    let title = title.trim();
    (!title.is_empty() && title.len() <= LONGEST_TEXT).then_some(title)
}
