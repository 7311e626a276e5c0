//! What Claude thought and said, as Anthropic's messages and Bedrock's converse both carry it: it
//! answers through either, and what it signed in one is good in the other.
//!
//! Not all that speaks these dialects is Claude. A model of another maker signs nothing at Bedrock,
//! so whatever carries a signature from there is Claude's; towards Bedrock the record says which
//! words a model knows. A host that speaks Anthropic's dialect with signatures of its own makes them
//! of other letters than base64 has, and those stay where they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ir::{AssistantPart, Budget, Dialect, Opaque, RawJson, Said, Thinking};
use serde_json::{Value, json};

/// Returns a carrier of Bedrock's as Anthropic's messages have it.
pub(crate) fn from_converse(carrier: &Opaque) -> Option<Opaque> {
    if carrier.dialect != Dialect::BedrockConverse {
        return None;
    }
    let value = carrier.raw.value();
    let raw = if let Some(bytes) = value.get("redactedContent").and_then(Value::as_str) {
        // Bedrock has bytes, in base64 on the wire: those of the text that Anthropic has.
        let data = String::from_utf8(STANDARD.decode(bytes).ok()?).ok()?;
        raw(&json!({"type": "redacted_thinking", "data": data}))
    } else {
        RawJson::string(value.get("signature")?.as_str().filter(|text| signed(text))?)
    };
    Some(Opaque { dialect: Dialect::AnthropicMessages, raw })
}

/// Returns a carrier of Anthropic's messages as Bedrock has it.
pub(crate) fn to_converse(carrier: &Opaque) -> Option<Opaque> {
    if carrier.dialect != Dialect::AnthropicMessages {
        return None;
    }
    let value = carrier.raw.value();
    let raw = match value.as_str() {
        Some(signature) if signed(signature) => raw(&json!({"signature": signature})),
        Some(_) => return None,
        None => {
            let data = value.get("data").filter(|_| value["type"] == "redacted_thinking")?;
            raw(&json!({"redactedContent": STANDARD.encode(data.as_str()?)}))
        }
    };
    Some(Opaque { dialect: Dialect::BedrockConverse, raw })
}

fn signed(text: &str) -> bool {
    !text.is_empty() && STANDARD.decode(text).is_ok()
}

fn raw(value: &Value) -> RawJson {
    RawJson::parse(value.to_string()).expect("invariant: a Value prints as JSON")
}

/// Finds the text that a turn ends with, when that ends with white space: Claude does not go on
/// from there.
pub(crate) fn spaced(parts: &[AssistantPart]) -> Option<usize> {
    let blank = |part: &AssistantPart| text(part).is_some_and(|text| text.trim().is_empty());
    let last = parts.iter().rposition(|part| !blank(part))?;
    text(parts.get(last)?)?.ends_with(char::is_whitespace).then_some(last)
}

fn text(part: &AssistantPart) -> Option<&str> {
    match part {
        AssistantPart::Text(Said { text, .. }) | AssistantPart::Refusal(text) => Some(text),
        _ => None,
    }
}

/// Returns a text of the model's without the white space at its end.
pub(crate) fn trimmed(part: &AssistantPart) -> AssistantPart {
    match part {
        AssistantPart::Text(said) => {
            let text = said.text.trim_end().to_owned();
            AssistantPart::Text(Said { text, ..said.clone() })
        }
        AssistantPart::Refusal(text) => AssistantPart::Refusal(text.trim_end().to_owned()),
        part => part.clone(),
    }
}

/// Why white space at the end is a loss.
pub(crate) const SPACED: &str = "white space at the end of an answer to be continued is refused";

/// Returns the budget for a model that is told a number of tokens and knows no other word: what the
/// effort stands for, or a medium one where it is left to the model.
pub(crate) fn in_tokens(thinking: &Thinking) -> Option<Budget> {
    let budget = thinking.budget()?;
    if budget != Budget::Auto {
        return Some(budget);
    }
    let of = |word: &str| {
        Thinking { effort: Some(word.to_owned()), ..Thinking::default() }
            .budget()
            .filter(|budget| matches!(budget, Budget::Tokens(_)))
    };
    let said = thinking.effort.as_deref().map(|word| if word == "max" { "xhigh" } else { word });
    said.and_then(of).or_else(|| of("medium"))
}
