//! The conversation as instructions and alternating messages of blocks.
//!
//! What cannot be sent is refused by the service as a whole: a blank text, a message without
//! content, a beginning by the assistant, a document without a text beside it, white space at the
//! end of an answer to be continued. So blank texts are left out and the missing pieces are put in.

use std::collections::HashSet;

use ir::dialect::{AdditionalFields, CacheMarks};
use ir::{
    AssistantPart, AssistantTurn, CacheMark, Opaque, Quirks, Reasoning, Request, Said, Text,
    ToolCall, ToolResult, Turn, UserPart,
};

use super::media::{self, Kind};
use super::points::{self, Among, Block};
use crate::losses::Losses;
use crate::{arguments, ids, json, thoughts};

/// The longest id a call may have.
const LONGEST_ID: usize = 64;

/// What stands where a user's message must and nothing was said.
const NOTHING_SAID: &str = "(no message)";

/// The conversation, each block written already.
#[derive(Default)]
pub(super) struct Conversation {
    pub(super) system: Vec<Block>,
    pub(super) messages: Vec<Message>,
    /// The names of the tools that were called, each once.
    pub(super) called: Vec<String>,
    /// Whether the last thing said is a tool's result, and the turn that called it shows none of
    /// this dialect's thoughts.
    pub(super) thoughtless_call: bool,
}

pub(super) struct Message {
    pub(super) role: Role,
    pub(super) blocks: Vec<Block>,
    text: bool,
    document: bool,
}

/// A block and, where it is no text, of what kind.
type Part = (Vec<u8>, Option<Kind>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    User,
    Assistant,
}

/// Gathers a request's turns.
pub(super) fn gather(request: &Request, quirks: Quirks, losses: &mut Losses) -> Conversation {
    let mut gathering = Gathering {
        losses,
        marks: quirks.cache_marks,
        claude: matches!(
            quirks.additional,
            AdditionalFields::Thinking | AdditionalFields::Adaptive
        ),
        turns: request.turns.len(),
        said: Conversation::default(),
        names: HashSet::new(),
        called: HashSet::new(),
        leading: true,
    };
    for (at, turn) in request.turns.iter().enumerate() {
        gathering.turn(at, turn, &format!("turns[{at}]"));
    }
    let mut said = gathering.said;
    if said.messages.first().is_none_or(|message| message.role != Role::User) {
        if !said.messages.is_empty() {
            losses
                .because("turns[0]", "a conversation begins with the user's here, so one was put");
        }
        said.messages.insert(0, Message::of(Role::User));
    }
    for message in &mut said.messages {
        if message.blocks.is_empty() || (message.document && !message.text) {
            // In front of a cache point that ends the message, and behind all else: results must
            // stand first.
            let ends = message.blocks.last().is_some_and(Block::is_point);
            let at = message.blocks.len() - usize::from(ends);
            message.blocks.insert(at, text(NOTHING_SAID).into());
        }
    }
    let last = said.messages.last().map(|message| message.role);
    said.thoughtless_call &= last == Some(Role::User);
    said
}

struct Gathering<'l> {
    losses: &'l mut Losses,
    /// Which cache points the model takes.
    marks: CacheMarks,
    /// Whether the model is told to think as Claude is, and takes what Claude signed elsewhere.
    claude: bool,
    /// How many turns there are.
    turns: usize,
    said: Conversation,
    /// The names of the documents so far.
    names: HashSet<String>,
    /// The names of the tools that were called.
    called: HashSet<String>,
    leading: bool,
}

impl Gathering<'_> {
    fn turn(&mut self, at: usize, turn: &Turn, path: &str) {
        if let (Turn::Instruct { parts, extras, .. }, true) = (turn, self.leading) {
            self.losses.extras(path, extras);
            self.instruct(parts, path);
            return;
        }
        self.leading = false;
        match turn {
            Turn::Instruct { parts, extras, .. } => {
                let why = "instructions stand only at the beginning here; said as the user's";
                self.losses.because(path, why);
                self.losses.extras(path, extras);
                self.user(parts, path);
            }
            Turn::User { parts, extras } => {
                self.losses.extras(path, extras);
                self.user(parts, path);
            }
            Turn::Assistant(turn) => self.assistant(turn, path, at + 1 == self.turns),
            Turn::Result(result) => self.result(result, path),
            // No turn of this dialect's own is read that has no other name.
            Turn::Other(opaque) => drop(self.losses.opaque(path, opaque)),
        }
    }

    fn instruct(&mut self, parts: &[UserPart], path: &str) {
        for (at, part) in parts.iter().enumerate() {
            let path = format!("{path}.parts[{at}]");
            match part {
                UserPart::Text(said) => {
                    self.losses.extras(&path, &said.extras);
                    if !said.text.trim().is_empty() {
                        self.said.system.push(text(&said.text).into());
                        let point = self.point(said.cache.as_ref(), &path);
                        self.said.system.extend(point);
                    }
                }
                UserPart::Image(_) | UserPart::File(_) => {
                    self.losses.because(path, "instructions are text alone here");
                }
                UserPart::Other(opaque) => {
                    if let Some(opaque) = self.losses.opaque(&path, opaque) {
                        self.said.system.push(Vec::from(opaque.raw.text()).into());
                    }
                }
            }
        }
    }

    fn user(&mut self, parts: &[UserPart], path: &str) {
        self.message(Role::User);
        for (at, part) in parts.iter().enumerate() {
            let path = format!("{path}.parts[{at}]");
            let (block, cache) = self.user_part(part, &path);
            if let Some((block, kind)) = block {
                let point = self.point(cache, &path);
                let message = self.message(Role::User);
                message.text |= kind.is_none();
                message.document |= kind == Some(Kind::Document);
                message.blocks.push(block.into());
                message.blocks.extend(point);
            }
        }
    }

    /// Writes a part of a user's or a tool's, and returns the cache mark after it.
    fn user_part<'p>(
        &mut self,
        part: &'p UserPart,
        path: &str,
    ) -> (Option<Part>, Option<&'p CacheMark>) {
        match part {
            UserPart::Text(Text { text: said, cache, extras }) => {
                self.losses.extras(path, extras);
                let block = (!said.trim().is_empty()).then(|| (text(said), None));
                (block, cache.as_ref())
            }
            UserPart::Image(image) => {
                let block = media::image(image, path, self.losses);
                (block.map(|block| (block, Some(Kind::Image))), image.cache.as_ref())
            }
            UserPart::File(file) => {
                let block = media::file(file, path, &mut self.names, self.losses);
                (block.map(|(kind, block)| (block, Some(kind))), file.cache.as_ref())
            }
            UserPart::Other(opaque) => {
                let opaque = self.losses.opaque(path, opaque);
                (opaque.map(|opaque| (opaque.raw.text().into(), None)), None)
            }
        }
    }

    fn result(&mut self, result: &ToolResult, path: &str) {
        self.losses.extras(path, &result.extras);
        let mut content = Vec::new();
        for (at, part) in result.parts.iter().enumerate() {
            let path = format!("{path}.parts[{at}]");
            let (read, marked) = self.user_part(part, &path);
            if marked.is_some() {
                self.losses.because(format!("{path}.cache"), "no mark stands inside a result here");
            }
            match read {
                Some((_, Some(Kind::Audio))) => {
                    self.losses.because(path, "a tool returns no audio here");
                }
                Some((block, _)) => content.push(block),
                None => {}
            }
        }
        let mut block = Vec::new();
        json::object(&mut block, |block| {
            block.nest("toolResult", |written| {
                written.field("toolUseId", &ids::fit(&result.call, LONGEST_ID));
                written.with("content", |out| {
                    json::list(out, content, |out, block| out.extend(block))
                });
                // Not every model knows the word for success.
                if result.failed == Some(true) {
                    written.field("status", "error");
                }
            });
        });
        let point = self.point(result.cache.as_ref(), path);
        let message = self.message(Role::User);
        message.blocks.push(block.into());
        message.blocks.extend(point);
    }

    fn assistant(&mut self, turn: &AssistantTurn, path: &str, last: bool) {
        self.losses.extras(path, &turn.extras);
        let mut blocks: Vec<Block> = Vec::new();
        let spaced = if last && self.claude { thoughts::spaced(&turn.parts) } else { None };
        let (mut thought, mut called) = (false, false);
        for (at, part) in turn.parts.iter().enumerate() {
            let path = format!("{path}.parts[{at}]");
            let trimmed;
            let part = if spaced == Some(at) {
                self.losses.because(&path, thoughts::SPACED);
                trimmed = thoughts::trimmed(part);
                &trimmed
            } else {
                part
            };
            match part {
                AssistantPart::Text(said) => self.said(said, &path, &mut blocks),
                AssistantPart::Refusal(said) => {
                    if !said.trim().is_empty() {
                        blocks.push(text(said).into());
                    }
                }
                AssistantPart::Reasoning(thoughts) => {
                    let block = self.thoughts(thoughts, &path);
                    thought |= block.is_some();
                    blocks.extend(block.map(Block::from));
                }
                AssistantPart::ToolCall(call) => {
                    called = true;
                    blocks.push(self.call(call, &path).into());
                    blocks.extend(self.point(call.cache.as_ref(), &path));
                }
                AssistantPart::Image(image) => {
                    blocks.extend(media::image(image, &path, self.losses).map(Block::from));
                }
                AssistantPart::Other(opaque) => {
                    let opaque = self.losses.opaque(&path, opaque);
                    blocks.extend(opaque.map(|opaque| Vec::from(opaque.raw.text()).into()));
                }
            }
        }
        self.said.thoughtless_call = called && !thought;
        if !blocks.is_empty() {
            self.message(Role::Assistant).blocks.extend(blocks);
        }
    }

    /// Writes a text of the model's, with its citations where they are this dialect's.
    fn said(&mut self, said: &Said, path: &str, blocks: &mut Vec<Block>) {
        self.losses.extras(path, &said.extras);
        if let Some(carrier) = &said.carrier {
            self.losses.opaque(&format!("{path}.carrier"), carrier);
        }
        let mut citations = Vec::new();
        for (at, citation) in said.citations.iter().enumerate() {
            citations.extend(self.losses.opaque(&format!("{path}.citations[{at}]"), &citation.raw));
        }
        if said.text.trim().is_empty() {
            return;
        }
        let written = if citations.is_empty() { text(&said.text) } else { cited(said, &citations) };
        blocks.push(written.into());
        blocks.extend(self.point(said.cache.as_ref(), path));
    }

    /// Writes thoughts with what proves them; without it they are not taken back.
    fn thoughts(&mut self, reasoning: &Reasoning, path: &str) -> Option<Vec<u8>> {
        let Some(carrier) = &reasoning.carrier else {
            self.losses.because(path, "thoughts without a signature are not taken back");
            return None;
        };
        let signed = thoughts::to_converse(carrier).filter(|_| self.claude);
        let carrier = match &signed {
            Some(signed) => signed,
            None => self.losses.opaque(path, carrier)?,
        };
        let carrier = carrier.raw.value();
        let mut block = Vec::new();
        json::object(&mut block, |block| {
            block.nest("reasoningContent", |content| {
                if let Some(redacted) = carrier.get("redactedContent") {
                    content.field("redactedContent", redacted);
                    return;
                }
                content.nest("reasoningText", |written| {
                    written.field("text", &reasoning.text);
                    written.optional("signature", carrier.get("signature"));
                });
            });
        });
        Some(block)
    }

    fn call(&mut self, call: &ToolCall, path: &str) -> Vec<u8> {
        self.losses.extras(path, &call.extras);
        if let Some(carrier) = &call.carrier {
            self.losses.opaque(&format!("{path}.carrier"), carrier);
        }
        if self.called.insert(call.name.clone()) {
            self.said.called.push(call.name.clone());
        }
        let input = arguments::object(call, &format!("{path}.arguments"), self.losses);
        let mut block = Vec::new();
        json::object(&mut block, |block| {
            block.nest("toolUse", |written| {
                written.field("toolUseId", &ids::fit(&call.id, LONGEST_ID));
                written.field("name", &call.name);
                written.with("input", |out| out.extend_from_slice(input.as_bytes()));
            });
        });
        block
    }

    fn point(&mut self, mark: Option<&CacheMark>, path: &str) -> Option<Block> {
        points::point(mark, path, Among::Texts, self.marks, self.losses)
    }

    /// Returns the message being said, a new one where the other role spoke last.
    fn message(&mut self, role: Role) -> &mut Message {
        let messages = &mut self.said.messages;
        if messages.last().is_none_or(|message| message.role != role) {
            messages.push(Message::of(role));
        }
        messages.last_mut().expect("invariant: one was pushed where none was")
    }
}

impl Message {
    fn of(role: Role) -> Self {
        Self { role, blocks: Vec::new(), text: false, document: false }
    }
}

/// Writes a block of text.
pub(super) fn text(said: &str) -> Vec<u8> {
    let mut out = Vec::new();
    json::object(&mut out, |block| block.field("text", said));
    out
}

fn cited(said: &Said, citations: &[&Opaque]) -> Vec<u8> {
    let mut out = Vec::new();
    json::object(&mut out, |block| {
        block.nest("citationsContent", |written| {
            written.with("content", |out| {
                json::list(out, [text(&said.text)], |out, text| out.extend(text))
            });
            written.with("citations", |out| {
                json::list(out, citations, |out, citation| {
                    out.extend_from_slice(citation.raw.text().as_bytes());
                });
            });
        });
    });
    out
}
