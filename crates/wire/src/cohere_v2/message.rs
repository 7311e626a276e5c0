//! Messages, written. None is sent without content, and no text that says nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ir::{
    Arguments, AssistantPart, AssistantTurn, CacheMark, CallKind, File, Image, Opaque, Request,
    Said, Source, Text, ToolCall, ToolResult, Turn, UserPart,
};

use super::plan;
use crate::json;
use crate::losses::Losses;
use crate::undo::FREE_TEXT;

/// What stands where a user said nothing that can be sent, or only a document beside the messages.
const NOTHING_SAID: &str = "(no message)";

/// What stands where a tool returned nothing that can be sent.
const NOTHING_RETURNED: &str = "(no result)";

/// The conversation, each message written already, and the texts that stand beside it.
#[derive(Default)]
pub(super) struct Conversation {
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) documents: Vec<Vec<u8>>,
}

/// Gathers a request's turns.
pub(super) fn gather(request: &Request, losses: &mut Losses) -> Conversation {
    let mut gathering = Gathering { losses, said: Conversation::default() };
    for (at, turn) in request.turns.iter().enumerate() {
        gathering.turn(turn, &format!("turns[{at}]"));
    }
    gathering.said
}

struct Gathering<'l> {
    losses: &'l mut Losses,
    said: Conversation,
}

/// Who says the parts of a message: not all may say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    System,
    User,
    Tool,
}

impl Gathering<'_> {
    fn turn(&mut self, turn: &Turn, path: &str) {
        match turn {
            Turn::Instruct { parts, extras, .. } => {
                self.losses.extras(path, extras);
                self.plain(Voice::System, parts, path);
            }
            Turn::User { parts, extras } => {
                self.losses.extras(path, extras);
                self.plain(Voice::User, parts, path);
            }
            Turn::Assistant(turn) => self.assistant(turn, path),
            Turn::Result(result) => self.result(result, path),
            // No turn of this dialect's own is read that has no other name.
            Turn::Other(opaque) => drop(self.losses.opaque(path, opaque)),
        }
    }

    fn plain(&mut self, voice: Voice, parts: &[UserPart], path: &str) {
        let mut content = self.content(voice, parts, path);
        if content.is_empty() {
            if voice == Voice::System {
                return;
            }
            content.push(text(NOTHING_SAID));
        }
        let role = if voice == Voice::System { "system" } else { "user" };
        let mut out = Vec::new();
        json::object(&mut out, |message| {
            message.field("role", role);
            message.with("content", |out| write(out, content));
        });
        self.said.messages.push(out);
    }

    fn result(&mut self, result: &ToolResult, path: &str) {
        self.losses.extras(path, &result.extras);
        self.mark(result.cache.as_ref(), path);
        if result.failed == Some(true) {
            self.losses.lose(format!("{path}.failed"));
        }
        let mut content = self.content(Voice::Tool, &result.parts, path);
        if content.is_empty() {
            content.push(text(NOTHING_RETURNED));
        }
        let mut out = Vec::new();
        json::object(&mut out, |message| {
            message.field("role", "tool");
            message.field("tool_call_id", &result.call);
            message.with("content", |out| write(out, content));
        });
        self.said.messages.push(out);
    }

    fn content(&mut self, voice: Voice, parts: &[UserPart], path: &str) -> Vec<Vec<u8>> {
        let mut content = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let path = format!("{path}.parts[{at}]");
            match part {
                UserPart::Text(Text { text: said, cache, extras }) => {
                    self.losses.extras(&path, extras);
                    self.mark(cache.as_ref(), &path);
                    content.extend((!said.is_empty()).then(|| text(said)));
                }
                UserPart::Image(image) => content.extend(self.image(voice, image, &path)),
                UserPart::File(file) => self.file(file, &path),
                UserPart::Other(opaque) => {
                    let opaque = self.losses.opaque(&path, opaque);
                    content.extend(opaque.map(|opaque| opaque.raw.text().into()));
                }
            }
        }
        content
    }

    fn image(&mut self, voice: Voice, image: &Image, path: &str) -> Option<Vec<u8>> {
        self.losses.extras(path, &image.extras);
        self.mark(image.cache.as_ref(), path);
        if voice != Voice::User {
            self.losses.because(path, "only the user shows pictures here");
            return None;
        }
        let url = match &image.source {
            Source::Url { url, .. } => url.clone(),
            Source::Inline { media_type, base64 } => format!("data:{media_type};base64,{base64}"),
            Source::Uploaded(_) => {
                self.losses.because(path, "only the provider it was uploaded to has it");
                return None;
            }
        };
        let mut out = Vec::new();
        json::object(&mut out, |part| {
            part.field("type", "image_url");
            part.nest("image_url", |place| {
                place.field("url", &url);
                place.optional("detail", image.detail.as_ref());
            });
        });
        Some(out)
    }

    /// Puts a file that is text among the documents the answer may rest on.
    fn file(&mut self, file: &File, path: &str) {
        self.losses.extras(path, &file.extras);
        self.mark(file.cache.as_ref(), path);
        let text = match &file.source {
            Source::Inline { media_type, base64 } if media_type.starts_with("text/") => {
                STANDARD.decode(base64).ok().and_then(|bytes| String::from_utf8(bytes).ok())
            }
            _ => None,
        };
        let Some(text) = text else {
            self.losses.because(path, "cohere_v2 takes no files but texts that are sent along");
            return;
        };
        let mut out = Vec::new();
        json::object(&mut out, |document| {
            document.nest("data", |data| {
                data.optional("title", file.name.as_ref());
                data.field("text", &text);
            });
        });
        self.said.documents.push(out);
    }

    fn assistant(&mut self, turn: &AssistantTurn, path: &str) {
        self.losses.extras(path, &turn.extras);
        let (mut content, mut calls, mut citations) = (Vec::new(), Vec::new(), Vec::new());
        let mut planned = String::new();
        for (at, part) in turn.parts.iter().enumerate() {
            let path = format!("{path}.parts[{at}]");
            match part {
                AssistantPart::Text(said) => {
                    self.said(said, &path, &mut citations);
                    content.extend((!said.text.is_empty()).then(|| text(&said.text)));
                }
                AssistantPart::Refusal(said) => {
                    content.extend((!said.is_empty()).then(|| text(said)));
                }
                AssistantPart::Reasoning(thoughts) => match &thoughts.carrier {
                    Some(carrier) if *carrier == plan() => planned.push_str(&thoughts.text),
                    carrier => {
                        self.carrier(carrier.as_ref(), &path);
                        content
                            .extend((!thoughts.text.is_empty()).then(|| thinking(&thoughts.text)));
                    }
                },
                AssistantPart::ToolCall(call) => calls.push(self.call(call, &path)),
                AssistantPart::Image(image) => {
                    self.losses.extras(&path, &image.extras);
                    self.losses.because(path, "only the user shows pictures here");
                }
                AssistantPart::Other(opaque) => {
                    let opaque = self.losses.opaque(&path, opaque);
                    content.extend(opaque.map(|opaque| opaque.raw.text().into()));
                }
            }
        }
        if content.is_empty() && calls.is_empty() && planned.is_empty() {
            return;
        }
        let mut out = Vec::new();
        json::object(&mut out, |message| {
            message.field("role", "assistant");
            if !content.is_empty() {
                message.with("content", |out| write(out, content));
            }
            if !planned.is_empty() {
                message.field("tool_plan", &planned);
            }
            if !calls.is_empty() {
                message
                    .with("tool_calls", |out| json::list(out, calls, |out, call| out.extend(call)));
            }
            if !citations.is_empty() {
                message.with("citations", |out| {
                    json::list(out, citations, |out, cited| {
                        out.extend_from_slice(cited.raw.text().as_bytes());
                    });
                });
            }
        });
        self.said.messages.push(out);
    }

    /// Notes what a text carries that is not this dialect's, and keeps the citations that are; one
    /// with several sources was read into several.
    fn said<'t>(&mut self, said: &'t Said, path: &str, citations: &mut Vec<&'t Opaque>) {
        self.losses.extras(path, &said.extras);
        self.carrier(said.carrier.as_ref(), path);
        self.mark(said.cache.as_ref(), path);
        for (at, cited) in said.citations.iter().enumerate() {
            let own = self.losses.opaque(&format!("{path}.citations[{at}]"), &cited.raw);
            citations.extend(own.filter(|own| citations.last() != Some(own)));
        }
    }

    fn call(&mut self, call: &ToolCall, path: &str) -> Vec<u8> {
        self.losses.extras(path, &call.extras);
        self.carrier(call.carrier.as_ref(), path);
        self.mark(call.cache.as_ref(), path);
        let arguments = arguments(call);
        let mut out = Vec::new();
        json::object(&mut out, |written| {
            written.field("id", &call.id);
            written.field("type", "function");
            written.nest("function", |function| {
                function.field("name", &call.name);
                function.field("arguments", &arguments);
            });
        });
        out
    }

    fn carrier(&mut self, carrier: Option<&Opaque>, path: &str) {
        if let Some(carrier) = carrier {
            self.losses.opaque(&format!("{path}.carrier"), carrier);
        }
    }

    fn mark(&mut self, cache: Option<&CacheMark>, path: &str) {
        if cache.is_some() {
            self.losses.lose(format!("{path}.cache"));
        }
    }
}

/// Returns the text of a call's arguments; free text stands in an object.
fn arguments(call: &ToolCall) -> String {
    let Arguments(text) = &call.arguments;
    match call.kind {
        CallKind::Custom => serde_json::json!({ FREE_TEXT: text }).to_string(),
        CallKind::Function if text.trim().is_empty() => "{}".to_owned(),
        CallKind::Function => text.clone(),
    }
}

fn write(out: &mut Vec<u8>, content: Vec<Vec<u8>>) {
    json::list(out, content, |out, part| out.extend(part));
}

/// Writes a part of text.
pub(super) fn text(said: &str) -> Vec<u8> {
    part("text", said)
}

fn thinking(thoughts: &str) -> Vec<u8> {
    part("thinking", thoughts)
}

fn part(kind: &str, text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    json::object(&mut out, |part| {
        part.field("type", kind);
        part.field(kind, text);
    });
    out
}
