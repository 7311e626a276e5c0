//! What an answer says, read as a client of OpenAI's or Anthropic's would, without the gateway's
//! codecs. It notes what is odd and judges nothing.

use serde_json::Value;

use super::client::Saw;
use super::row::{Client, Shape};
use super::sse;

/// What an answer says.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Its text.
    pub(crate) text: String,
    /// The arguments of its tool.
    pub(crate) arguments: String,
    /// Why it ended, as often as that is told.
    pub(crate) finishes: Vec<String>,
    /// How often the dialect's last frame came: `[DONE]` or `message_stop`.
    pub(crate) ends: usize,
    /// How often a message began, where the dialect says so.
    pub(crate) starts: usize,
    /// How often what was used was told.
    pub(crate) usages: usize,
    /// The errors it tells.
    pub(crate) errors: Vec<Told>,
    /// The first thing in it that a client could not read.
    pub(crate) unreadable: Option<String>,
    /// Whether anything came after the last frame.
    pub(crate) after_end: bool,
    /// Whether it came as events.
    pub(crate) streamed: bool,
}

/// An error that was told.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// Its type.
    pub(crate) kind: String,
    /// Its code, a number too.
    pub(crate) code: String,
    /// Its message.
    pub(crate) message: String,
    /// Whether it has the shape of the client's dialect.
    pub(crate) shaped: bool,
}

impl Heard {
    /// Reads what was seen.
    pub(crate) fn read(saw: &Saw, client: Client, shape: Shape) -> Self {
        let mut heard = Self::default();
        if saw.head.is_none() {
            return heard;
        }
        // Their clients read events from an answer that went well, whatever type it says; a body that
        // is JSON tells them nothing then, and is told of here.
        let json = serde_json::from_slice::<Value>(&saw.body).is_ok();
        let events = saw.content_type() == "text/event-stream";
        heard.streamed = shape == Shape::Stream && (events || saw.status() == Some(200) && !json);
        if heard.streamed {
            heard.events(&saw.body, client);
        } else {
            heard.body(&saw.body, client);
        }
        heard
    }

    /// Says whether a client takes it for an answer that ended well.
    pub(crate) fn looks_finished(&self) -> bool {
        self.errors.is_empty() && self.finishes.iter().any(|why| !why.contains("error"))
    }

    fn body(&mut self, body: &[u8], client: Client) {
        let Ok(Value::Object(told)) = serde_json::from_slice(body) else {
            let shown = shown(&String::from_utf8_lossy(body));
            self.unreadable = Some(format!("a body that is no JSON object: “{shown}”"));
            return;
        };
        let told = Value::Object(told);
        if !told["error"].is_null() {
            self.errors.push(Told::read(&told, client));
            return;
        }
        match client {
            Client::Openai => {
                let choice = &told["choices"][0];
                self.said(&choice["message"]["content"]);
                self.called(&choice["message"]["tool_calls"][0]["function"]["arguments"]);
                self.finished(&choice["finish_reason"]);
            }
            Client::Anthropic => {
                for block in told["content"].as_array().into_iter().flatten() {
                    self.said(&block["text"]);
                    if block["input"].is_object() {
                        self.arguments.push_str(&block["input"].to_string());
                    }
                }
                self.finished(&told["stop_reason"]);
            }
        }
        self.usages += usize::from(told["usage"].is_object());
    }

    fn events(&mut self, body: &[u8], client: Client) {
        let read = sse::read(body);
        for event in &read.events {
            let told = serde_json::from_str::<Value>(&event.data);
            if self.ends > 0 {
                // What was used may be told late: their clients have stopped reading, or only add it.
                if told.as_ref().is_ok_and(|told| told["usage"].is_object()) {
                    continue;
                }
                self.after_end = true;
            }
            if event.data == "[DONE]" && client == Client::Openai {
                self.ends += 1;
                continue;
            }
            let Ok(told) = told else {
                let shown = shown(&event.data);
                self.unreadable.get_or_insert(format!("a frame that is no JSON: “{shown}”"));
                continue;
            };
            if event.name == "error" || !told["error"].is_null() {
                let mut error = Told::read(&told, client);
                // Anthropic's clients go by the name of the event.
                let named = event.name == "error" || told["type"] == "error";
                error.shaped &= client == Client::Openai || named;
                self.errors.push(error);
                continue;
            }
            match client {
                Client::Openai => self.chunk(&told),
                Client::Anthropic => self.event(&told),
            }
        }
        if read.unfinished {
            self.unreadable.get_or_insert("a frame that no blank line ends".to_owned());
        }
    }

    fn chunk(&mut self, chunk: &Value) {
        for choice in chunk["choices"].as_array().into_iter().flatten() {
            self.said(&choice["delta"]["content"]);
            self.called(&choice["delta"]["tool_calls"][0]["function"]["arguments"]);
            self.finished(&choice["finish_reason"]);
        }
        self.usages += usize::from(chunk["usage"].is_object());
    }

    fn event(&mut self, event: &Value) {
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => self.starts += 1,
            "content_block_delta" => {
                self.said(&event["delta"]["text"]);
                self.called(&event["delta"]["partial_json"]);
            }
            "message_delta" => {
                self.finished(&event["delta"]["stop_reason"]);
                self.usages += usize::from(event["usage"].is_object());
            }
            "message_stop" => self.ends += 1,
            _ => {}
        }
    }

    fn said(&mut self, text: &Value) {
        self.text.push_str(text.as_str().unwrap_or_default());
    }

    fn called(&mut self, arguments: &Value) {
        self.arguments.push_str(arguments.as_str().unwrap_or_default());
    }

    fn finished(&mut self, why: &Value) {
        self.finishes.extend(why.as_str().map(str::to_owned));
    }
}

/// Returns the beginning of a text, fit for a terminal.
fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

impl Told {
    fn read(told: &Value, client: Client) -> Self {
        let error = &told["error"];
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let (kind, code) = (text(&error["type"]), text(&error["code"]));
        let message = error["message"].as_str().unwrap_or_default().to_owned();
        let named = match client {
            Client::Openai => !kind.is_empty() || !code.is_empty(),
            Client::Anthropic => !kind.is_empty(),
        };
        Self { shaped: named && !message.is_empty(), kind, code, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streamed(client: Client, body: &str) -> Heard {
        let mut heard = Heard { streamed: true, ..Heard::default() };
        heard.events(body.as_bytes(), client);
        heard
    }

    #[test]
    fn a_good_stream_is_heard_whole() {
        let heard = streamed(
            Client::Openai,
            "data: {\"choices\":[{\"delta\":{\"content\":\"a \"}}]}\n\n\
             data: {\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n\n\
             data: {\"choices\":[],\"usage\":{}}\n\ndata: [DONE]\n\n",
        );
        assert_eq!((heard.text.as_str(), heard.ends, heard.usages), ("a b", 1, 1));
        assert!(heard.looks_finished() && !heard.after_end && heard.unreadable.is_none());
    }

    #[test]
    fn an_error_is_shaped_when_a_client_can_tell_what_it_is() {
        let told = |client, frame: &str| streamed(client, frame).errors[0].shaped;
        assert!(told(Client::Openai, "data: {\"error\":{\"message\":\"m\",\"code\":502}}\n\n"));
        assert!(!told(Client::Openai, "data: {\"error\":{\"message\":\"m\"}}\n\n"));
        assert!(!told(Client::Openai, "data: {\"error\":\"m\"}\n\n"));
        let error = "\"error\":{\"type\":\"t\",\"message\":\"m\"}";
        assert!(told(Client::Anthropic, &format!("data: {{\"type\":\"error\",{error}}}\n\n")));
        assert!(told(Client::Anthropic, &format!("event: error\ndata: {{{error}}}\n\n")));
        assert!(!told(Client::Anthropic, &format!("data: {{{error}}}\n\n")));
        let bare = "event: error\ndata: {\"error\":{\"message\":\"m\"}}\n\n";
        assert!(!told(Client::Anthropic, bare));
    }

    #[test]
    fn what_comes_after_the_end_is_noted() {
        assert!(streamed(Client::Openai, "data: [DONE]\n\ndata: {}\n\n").after_end);
        let late = "data: [DONE]\n\ndata: {\"choices\":[],\"usage\":{}}\n\n";
        assert!(!streamed(Client::Openai, late).after_end);
        let heard = streamed(Client::Openai, "data: {\"cho\n\n");
        assert!(heard.unreadable.is_some());
    }
}
