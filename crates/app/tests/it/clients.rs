//! The four dialects as clients speak them: where they ask, how they ask, and what they make of an
//! answer. Read here by hand, so that the gateway's own readers are not their own judges.

use serde_json::{Value, json};

use crate::support::{Got, Served};

/// A client's dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Chat,
    Responses,
    Anthropic,
    Gemini,
}

pub(crate) const CLIENTS: [Client; 4] =
    [Client::Chat, Client::Responses, Client::Anthropic, Client::Gemini];

/// What a client makes of an answer.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Heard {
    pub(crate) text: String,
    pub(crate) tool: String,
    pub(crate) arguments: String,
    pub(crate) input: u64,
    pub(crate) output: u64,
    /// How often a stream said that it has ended as it should.
    pub(crate) ends: usize,
    /// How often a stream said that it failed.
    pub(crate) errors: usize,
}

impl Client {
    /// Returns the dialect's name.
    pub(crate) fn dialect(self) -> &'static str {
        match self {
            Self::Chat => "openai_chat",
            Self::Responses => "openai_responses",
            Self::Anthropic => "anthropic_messages",
            Self::Gemini => "gemini",
        }
    }

    /// Returns where a conversation is asked for.
    pub(crate) fn path(self, model: &str, stream: bool) -> String {
        match (self, stream) {
            (Self::Chat, _) => "/v1/chat/completions".to_owned(),
            (Self::Responses, _) => "/v1/responses".to_owned(),
            (Self::Anthropic, _) => "/v1/messages".to_owned(),
            (Self::Gemini, false) => format!("/v1beta/models/{model}:generateContent"),
            (Self::Gemini, true) => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
        }
    }

    /// Returns a question with a tool.
    pub(crate) fn question(self, model: &str, stream: bool) -> Value {
        let schema = json!({"type": "object", "properties": {"place": {"type": "string"}}});
        let mut body = self.saying(model, "Where is Lyon?");
        match self {
            Self::Chat => {
                body["stream"] = json!(stream);
                body["tools"] = json!([{"type": "function",
                    "function": {"name": "look", "description": "Looks.", "parameters": schema}}]);
                if stream {
                    body["stream_options"] = json!({"include_usage": true});
                }
            }
            Self::Responses => {
                body["stream"] = json!(stream);
                body["tools"] = json!([{"type": "function", "name": "look",
                    "description": "Looks.", "parameters": schema}]);
            }
            Self::Anthropic => {
                body["stream"] = json!(stream);
                body["tools"] =
                    json!([{"name": "look", "description": "Looks.", "input_schema": schema}]);
            }
            Self::Gemini => {
                body["tools"] = json!([{"functionDeclarations":
                    [{"name": "look", "description": "Looks.", "parameters": schema}]}]);
            }
        }
        body
    }

    /// Returns a request that says one thing.
    pub(crate) fn saying(self, model: &str, said: &str) -> Value {
        self.turns(
            model,
            &match self {
                Self::Gemini => json!([{"role": "user", "parts": [{"text": said}]}]),
                _ => json!([{"role": "user", "content": said}]),
            },
        )
    }

    /// Returns a request with these turns.
    pub(crate) fn turns(self, model: &str, turns: &Value) -> Value {
        match self {
            Self::Chat => json!({"model": model, "messages": turns}),
            Self::Responses => json!({"model": model, "input": turns}),
            Self::Anthropic => json!({"model": model, "max_tokens": 100, "messages": turns}),
            Self::Gemini => json!({"contents": turns}),
        }
    }

    /// Asks, at the path of the dialect.
    pub(crate) async fn ask(self, served: &Served, model: &str, stream: bool, body: &Value) -> Got {
        let headers = [("authorization", "Bearer key-of-the-client")];
        served.post(&self.path(model, stream), body.to_string(), &headers).await
    }

    /// Hears a whole answer.
    pub(crate) fn heard(self, answer: &Value) -> Heard {
        let mut heard = Heard::default();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        match self {
            Self::Chat => {
                let message = &answer["choices"][0]["message"];
                heard.text = text(&message["content"]);
                let function = &message["tool_calls"][0]["function"];
                heard.tool = text(&function["name"]);
                heard.arguments = text(&function["arguments"]);
            }
            Self::Responses => {
                for item in list(&answer["output"]) {
                    heard.text += &text(&item["content"][0]["text"]);
                    heard.tool += &text(&item["name"]);
                    heard.arguments += &text(&item["arguments"]);
                }
            }
            Self::Anthropic => {
                for block in list(&answer["content"]) {
                    heard.text += &text(&block["text"]);
                    if block["type"] == "tool_use" {
                        heard.tool = text(&block["name"]);
                        heard.arguments = block["input"].to_string();
                    }
                }
            }
            Self::Gemini => heard.parts(answer),
        }
        heard.used(self, answer);
        heard
    }

    /// Hears a stream.
    pub(crate) fn heard_streamed(self, stream: &str) -> Heard {
        let mut heard = Heard::default();
        for data in stream.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim) {
            if data == "[DONE]" {
                heard.ends += 1;
                continue;
            }
            let event: Value = serde_json::from_str(data).unwrap();
            match self {
                Self::Chat => heard.chunk(&event),
                Self::Responses => heard.responses_event(&event),
                Self::Anthropic => heard.anthropic_event(&event),
                Self::Gemini => {
                    heard.parts(&event);
                    heard.errors += usize::from(!event["error"].is_null());
                    let finish = &event["candidates"][0]["finishReason"];
                    heard.ends += usize::from(!finish.is_null());
                    heard.used(self, &event);
                }
            }
        }
        heard
    }

    /// Reads an error's envelope: its message, and the word and the number that the dialect's own
    /// clients look at.
    pub(crate) fn error(self, body: &Value) -> (String, String) {
        let error = &body["error"];
        let word = match self {
            Self::Chat | Self::Responses => {
                assert!(error.get("param").is_some() && error["type"].is_string(), "{body}");
                &error["code"]
            }
            Self::Anthropic => {
                assert_eq!(body["type"], "error", "{body}");
                &error["type"]
            }
            Self::Gemini => {
                assert!(error["code"].is_u64(), "{body}");
                &error["status"]
            }
        };
        (text(&error["message"]), text(word))
    }
}

impl Heard {
    fn used(&mut self, client: Client, answer: &Value) {
        let (usage, input, output) = match client {
            Client::Chat => (&answer["usage"], "prompt_tokens", "completion_tokens"),
            Client::Responses | Client::Anthropic => {
                (&answer["usage"], "input_tokens", "output_tokens")
            }
            Client::Gemini => {
                (&answer["usageMetadata"], "promptTokenCount", "candidatesTokenCount")
            }
        };
        let count = |name: &str| usage[name].as_u64().unwrap_or_default();
        if !usage[output].is_null() {
            self.input = count(input);
            if client == Client::Anthropic {
                // Anthropic counts what was cached apart.
                self.input +=
                    count("cache_read_input_tokens") + count("cache_creation_input_tokens");
            }
            self.output = count(output);
        }
    }

    fn chunk(&mut self, event: &Value) {
        self.errors += usize::from(!event["error"].is_null());
        let delta = &event["choices"][0]["delta"];
        let function = &delta["tool_calls"][0]["function"];
        self.text += &text(&delta["content"]);
        self.tool += &text(&function["name"]);
        self.arguments += &text(&function["arguments"]);
        self.used(Client::Chat, event);
    }

    fn responses_event(&mut self, event: &Value) {
        match event["type"].as_str().unwrap_or_default() {
            "response.output_text.delta" => self.text += &text(&event["delta"]),
            "response.function_call_arguments.delta" => self.arguments += &text(&event["delta"]),
            "response.output_item.added" => self.tool += &text(&event["item"]["name"]),
            "response.completed" | "response.incomplete" => {
                self.ends += 1;
                self.used(Client::Responses, &event["response"]);
            }
            "error" | "response.failed" => self.errors += 1,
            _ => {}
        }
    }

    fn anthropic_event(&mut self, event: &Value) {
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => self.used(Client::Anthropic, &event["message"]),
            "content_block_start" => self.tool += &text(&event["content_block"]["name"]),
            "content_block_delta" => {
                self.text += &text(&event["delta"]["text"]);
                self.arguments += &text(&event["delta"]["partial_json"]);
            }
            "message_delta" => self.used(Client::Anthropic, event),
            "message_stop" => self.ends += 1,
            "error" => self.errors += 1,
            _ => {}
        }
    }

    fn parts(&mut self, answer: &Value) {
        let parts = answer["candidates"][0]["content"]["parts"].as_array();
        for part in parts.into_iter().flatten() {
            self.text += &text(&part["text"]);
            if let Some(call) = part.get("functionCall") {
                self.tool += &text(&call["name"]);
                self.arguments += &call["args"].to_string();
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
