//! Writes an answer as Anthropic's messages spell it: one body, or the events of a stream. Pure, and
//! independent of `wire`, which is what gets tested with it.

use bytes::Bytes;
use serde_json::{Value, json};

use super::chat::{Content, Line, pieces};
use super::dialect::Dialect;

use crate::Usage;

impl Line<'_> {
    /// Returns the unstreamed body of a message.
    pub(super) fn whole_message(&self) -> Bytes {
        let content = match self.content {
            Content::Text(text) => json!([{"type": "text", "text": text}]),
            Content::Call { name, arguments } => {
                // A model's arguments are JSON; a script's that are not are kept as text.
                let input: Value =
                    serde_json::from_str(arguments).unwrap_or_else(|_| json!(arguments));
                json!([{"type": "tool_use", "id": self.use_id(), "name": name, "input": input}])
            }
        };
        let mut message = self.message(&usage(self.usage));
        message["content"] = content;
        message["stop_reason"] = json!(self.stop());
        Bytes::from(message.to_string())
    }

    /// Returns the events of a message.
    pub(super) fn message_events(&self) -> Vec<Bytes> {
        let begun = Usage { output: 1, ..self.usage };
        let mut events =
            vec![json!({"type": "message_start", "message": self.message(&usage(begun))})];
        let (block, said, field, kind) = match self.content {
            Content::Text(text) => {
                (json!({"type": "text", "text": ""}), text, "text", "text_delta")
            }
            Content::Call { name, arguments } => {
                let block =
                    json!({"type": "tool_use", "id": self.use_id(), "name": name, "input": {}});
                (block, arguments, "partial_json", "input_json_delta")
            }
        };
        events.push(json!({"type": "content_block_start", "index": 0, "content_block": block}));
        for piece in pieces(said) {
            let mut delta = json!({"type": kind});
            delta[field] = json!(piece);
            events.push(json!({"type": "content_block_delta", "index": 0, "delta": delta}));
        }
        events.push(json!({"type": "content_block_stop", "index": 0}));
        events.push(json!({
            "type": "message_delta", "delta": {"stop_reason": self.stop(), "stop_sequence": null},
            "usage": {"output_tokens": self.usage.output},
        }));
        events.push(json!({"type": "message_stop"}));
        events.iter().map(|event| Dialect::Messages.event(event)).collect()
    }

    fn message(&self, usage: &Value) -> Value {
        json!({
            "id": format!("msg_scripted_{:06}", self.number), "type": "message",
            "role": "assistant", "model": self.model, "content": [], "stop_reason": null,
            "stop_sequence": null, "usage": usage,
        })
    }

    fn use_id(&self) -> String {
        format!("toolu_scripted_{:06}", self.number)
    }

    fn stop(&self) -> &'static str {
        match self.content {
            Content::Text(_) => "end_turn",
            Content::Call { .. } => "tool_use",
        }
    }
}

fn usage(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input.saturating_sub(usage.cached_input),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_input,
        "output_tokens": usage.output,
    })
}
