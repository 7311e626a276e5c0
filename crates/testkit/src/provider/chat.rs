//! Writes an answer as OpenAI's chat completions spell it: one body, or the events of a stream.
//! Pure, and independent of `wire`, which is what gets tested with it.

use bytes::Bytes;
use serde_json::{Value, json};

use super::ask::Mode;

use crate::Usage;

/// When everything was said; a fixed day, so that answers are the same in every run.
const CREATED: u64 = 1_767_225_600;

/// How long a streamed piece may get, in characters: words of prose stay whole, JSON is cut.
const LONGEST: usize = 12;

/// What a model answers, before it is spelled.
pub(super) struct Line<'a> {
    /// The number of the request, for the ids.
    pub(super) number: u64,
    /// The model that speaks.
    pub(super) model: &'a str,
    /// What it says or does.
    pub(super) content: Content<'a>,
    /// What that used.
    pub(super) usage: Usage,
}

/// What a model says or does.
pub(super) enum Content<'a> {
    /// It says a text.
    Text(&'a str),
    /// It calls a tool.
    Call {
        /// The tool's name.
        name: &'a str,
        /// Its arguments.
        arguments: &'a str,
    },
}

impl Line<'_> {
    /// Returns the unstreamed body.
    pub(super) fn whole(&self) -> Bytes {
        let message = match self.content {
            Content::Text(text) => json!({"role": "assistant", "content": text, "refusal": null}),
            Content::Call { name, arguments } => {
                let call = json!({
                    "id": self.call_id(), "type": "function",
                    "function": {"name": name, "arguments": arguments},
                });
                json!({"role": "assistant", "content": null, "tool_calls": [call], "refusal": null})
            }
        };
        let choice = json!({
            "index": 0, "message": message, "logprobs": null, "finish_reason": self.finish(),
        });
        let body = json!({
            "id": self.id(), "object": "chat.completion", "created": CREATED, "model": self.model,
            "choices": [choice], "usage": usage(self.usage), "system_fingerprint": null,
        });
        Bytes::from(body.to_string())
    }

    /// Returns the events: the role, the content in pieces, the finish, usage where it is asked
    /// for, and `[DONE]`.
    pub(super) fn events(&self, mode: Mode) -> Vec<Bytes> {
        let mut deltas = vec![self.opening()];
        match self.content {
            Content::Text(text) => {
                deltas.extend(pieces(text).map(|piece| json!({"content": piece})))
            }
            Content::Call { name, arguments } => {
                deltas.push(json!({"tool_calls": [{
                    "index": 0, "id": self.call_id(), "type": "function",
                    "function": {"name": name, "arguments": ""},
                }]}));
                deltas.extend(pieces(arguments).map(
                    |piece| json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}),
                ));
            }
        }
        let choice = |delta, finish: Option<&str>| json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]);
        let mut choices: Vec<_> = deltas.into_iter().map(|delta| choice(delta, None)).collect();
        choices.push(choice(json!({}), Some(self.finish())));
        let mut events: Vec<_> =
            choices.iter().map(|choices| self.event(choices, mode, &Value::Null)).collect();
        if mode == Mode::StreamedWithUsage {
            events.push(self.event(&json!([]), mode, &usage(self.usage)));
        }
        events.push(Bytes::from_static(b"data: [DONE]\n\n"));
        events
    }

    /// The role comes alone, as vLLM and Groq send it, so that a stream can break before its
    /// first token whatever the answer is.
    fn opening(&self) -> Value {
        match self.content {
            Content::Text(_) => json!({"role": "assistant", "content": "", "refusal": null}),
            Content::Call { .. } => json!({"role": "assistant", "content": null, "refusal": null}),
        }
    }

    fn event(&self, choices: &Value, mode: Mode, usage: &Value) -> Bytes {
        let mut chunk = json!({
            "id": self.id(), "object": "chat.completion.chunk", "created": CREATED,
            "model": self.model, "system_fingerprint": null, "choices": choices,
        });
        // Who asks for usage gets the field in every chunk, null but in the last.
        if mode == Mode::StreamedWithUsage {
            chunk["usage"] = usage.clone();
        }
        Bytes::from(format!("data: {chunk}\n\n"))
    }

    fn id(&self) -> String {
        format!("chatcmpl-scripted-{:06}", self.number)
    }

    fn call_id(&self) -> String {
        format!("call_scripted_{:06}", self.number)
    }

    fn finish(&self) -> &'static str {
        match self.content {
            Content::Text(_) => "stop",
            Content::Call { .. } => "tool_calls",
        }
    }
}

fn usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input.saturating_add(usage.output),
        "prompt_tokens_details": {"cached_tokens": usage.cached_input},
        "completion_tokens_details": {"reasoning_tokens": 0},
    })
}

/// Returns a list of models as `GET …/models` has it.
pub(super) fn models(models: &[&str]) -> Bytes {
    let rows: Vec<_> = models
        .iter()
        .map(|model| json!({"id": model, "object": "model", "created": CREATED, "owned_by": "scripted"}))
        .collect();
    Bytes::from(json!({"object": "list", "data": rows}).to_string())
}

/// Returns an error as OpenAI spells it.
pub(super) fn error(message: &str, kind: &str, code: Option<&str>) -> String {
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}}).to_string()
}

/// Words with the space that follows them; long ones in parts.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ').flat_map(parts)
}

fn parts(word: &str) -> impl Iterator<Item = &str> {
    let starts: Vec<_> = word.char_indices().step_by(LONGEST).map(|(at, _)| at).collect();
    let ends = starts.iter().copied().skip(1).chain([word.len()]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).map(|(start, end)| &word[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_text() {
        for text in [
            "",
            "one",
            "one two  three\n",
            "ÄÖÜ naïve 🧭🧭🧭🧭🧭🧭🧭🧭🧭🧭🧭🧭🧭🧭",
            "{\"a\":\"0123456789\"}",
        ] {
            assert_eq!(pieces(text).collect::<String>(), text);
        }
        assert_eq!(pieces("to be or").collect::<Vec<_>>(), ["to ", "be ", "or"]);
    }
}
