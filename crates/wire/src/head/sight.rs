//! What can be seen of a conversation without reading it: which of its members bind it to a provider
//! or demand something of a model.
//!
//! One pass over the text, from string to string: a string before a colon is a member's name. What a
//! model gave a tool, or a tool gave back, is anybody's JSON and is passed over.

use std::borrow::Cow;

use ir::Inbound;
use memchr::memchr2;
use serde_json::value::RawValue;

use crate::envelope;

/// What can be seen of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// The earlier answer it goes on from, by its id.
    pub answer: Option<String>,
    /// The field that names something which a provider keeps: an uploaded file, a stored
    /// conversation, an item of an earlier answer.
    pub kept: Option<&'static str>,
    /// Whether it refers to an item of an answer that was made here, which nobody keeps.
    pub unkept: bool,
    /// Whether it brings tools that the provider itself runs.
    pub hosted: bool,
    /// Whether it brings back signed or encrypted thoughts.
    pub sealed: bool,
    /// Whether some of them, or ids beside them, were made here for another provider's answer: only
    /// a translation takes them out.
    pub enveloped: bool,
    /// Whether it holds pictures.
    pub images: bool,
    /// How many bytes its texts have, with escapes; pictures and files do not count.
    pub prose: usize,
}

/// Members whose values are JSON of the caller's own.
const FOREIGN: [&str; 5] = ["input", "args", "response", "arguments", "partialArgs"];

/// A text without a blank that is longer than this is data.
const LONGEST_WORD: usize = 512;

/// Looks at a conversation and the tools beside it.
pub(super) fn look(inbound: Inbound, said: &str, tools: &str) -> Sight {
    let mut sight = Sight { hosted: hosted(inbound, tools), ..Sight::default() };
    if said.starts_with('"') {
        sight.prose = said.len();
        return sight;
    }
    each_member(said.as_bytes(), &mut |name, value| {
        sight.member(inbound, name, value);
    });
    sight
}

impl Sight {
    /// Takes a member; `value` is the rest of the text from its value on.
    fn member(&mut self, inbound: Inbound, name: &[u8], value: &[u8]) {
        let begins = |with: &str| value.starts_with(with.as_bytes());
        if value.first() == Some(&b'"') {
            let text = &value[..string_end(value, 0)];
            self.enveloped |= envelope::begins(text);
            self.prose += prose(text);
        }
        match (inbound, name) {
            (Inbound::OpenaiChat, b"reasoning_details")
            | (Inbound::OpenaiResponses, b"encrypted_content")
            | (Inbound::AnthropicMessages, b"signature")
            | (Inbound::Gemini, b"thoughtSignature" | b"thought_signature") => {
                self.sealed |= !begins("null") && !begins("\"\"") && !begins("[]");
            }
            (Inbound::Gemini, b"fileUri" | b"file_uri") => {
                // Google's uploads are told by their addresses; any other is anybody's to fetch.
                let uploads =
                    ["\"https://generativelanguage.googleapis.com/", "\"gs://", "\"files/"];
                if uploads.iter().any(|upload| begins(upload)) {
                    self.kept = Some("fileUri");
                }
            }
            (Inbound::Gemini, b"mimeType" | b"mime_type") => self.images |= begins("\"image/"),
            (Inbound::Gemini, _) => {}
            (_, b"file_id") if begins("\"") => self.kept = Some("file_id"),
            (Inbound::OpenaiResponses, b"id") => self.identified(value),
            (_, b"type") => self.typed(inbound, value),
            _ => {}
        }
    }

    fn typed(&mut self, inbound: Inbound, value: &[u8]) {
        let is = |kind: &str| value.starts_with(kind.as_bytes());
        match inbound {
            Inbound::OpenaiChat => self.images |= is("\"image_url\""),
            Inbound::OpenaiResponses => {
                self.images |= is("\"input_image\"");
                if is("\"item_reference\"") {
                    self.kept = Some("item_reference");
                }
            }
            Inbound::AnthropicMessages => self.images |= is("\"image\""),
            Inbound::Gemini => {}
        }
    }

    /// Ids that were made here must not reach a provider.
    fn identified(&mut self, value: &[u8]) {
        let id = &value[..string_end(value, 0).min(value.len())];
        let made = id.first() == Some(&b'"') && memchr::memmem::find(id, b"_pm").is_some();
        self.enveloped |= made;
        self.unkept |= made;
    }
}

/// Visits the members of every object of a text that is valid JSON: name and the rest from its
/// value on.
fn each_member(text: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
        let open = at + found;
        let close = string_end(text, open);
        at = close;
        let colon = skip_blanks(text, close);
        if text.get(colon) != Some(&b':') {
            continue;
        }
        let value = skip_blanks(text, colon + 1);
        let name = text.get(open + 1..close.saturating_sub(1)).unwrap_or_default();
        let rest = text.get(value..).unwrap_or_default();
        let nested = matches!(rest.first(), Some(b'{' | b'['));
        if nested && FOREIGN.iter().any(|foreign| foreign.as_bytes() == name) {
            at = nested_end(text, value);
            continue;
        }
        visit(name, rest);
        at = if rest.first() == Some(&b'"') { string_end(text, value) } else { value };
    }
}

fn skip_blanks(text: &[u8], from: usize) -> usize {
    let blank = |byte: &u8| !byte.is_ascii_whitespace();
    let rest = text.get(from..).unwrap_or_default();
    rest.iter().position(blank).map_or(text.len(), |found| from + found)
}

/// Returns the offset after the closing quote of the string that opens at `open`.
fn string_end(text: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if text[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

/// Returns the offset after the object or list that opens at `open`.
fn nested_end(text: &[u8], open: usize) -> usize {
    let (mut at, mut depth) = (open, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string_end(text, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Counts the bytes of a text; what is one long word is data.
fn prose(text: &[u8]) -> usize {
    let data = text.len() > LONGEST_WORD && !text[..LONGEST_WORD].contains(&b' ');
    if data && text[..LONGEST_WORD].iter().all(u8::is_ascii) && !escaped(text) {
        return 0;
    }
    text.len()
}

/// Whether a text is written in escapes, as scripts without blanks are by some clients.
fn escaped(text: &[u8]) -> bool {
    memchr::memmem::find(&text[..LONGEST_WORD.min(text.len())], b"\\u").is_some()
}

/// Returns whether any of the tools is run by the provider: whatever is not the caller's own.
fn hosted(inbound: Inbound, tools: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Tool<'a> {
        #[serde(rename = "type", borrow)]
        kind: Option<Cow<'a, str>>,
        #[serde(alias = "functionDeclarations", alias = "function_declarations", default, borrow)]
        functions: Option<&'a RawValue>,
    }
    let Ok(tools) = serde_json::from_str::<Vec<Tool<'_>>>(tools) else { return false };
    let own = |tool: &Tool<'_>| match inbound {
        Inbound::Gemini => tool.functions.is_some(),
        Inbound::AnthropicMessages => matches!(tool.kind.as_deref(), None | Some("custom")),
        Inbound::OpenaiChat | Inbound::OpenaiResponses => {
            matches!(tool.kind.as_deref(), None | Some("function" | "custom"))
        }
    };
    !tools.iter().all(own)
}

#[cfg(test)]
#[path = "sight/tests.rs"]
mod tests;
