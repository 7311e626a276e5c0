//! One item of a stream while it is read.

use ir::{AssistantPart, Citation, Event, Extras, Image, PartKind, Reasoning, Scope, Source, Spot};

use super::super::item::{self, PARAGRAPH, Shell, Shown};

/// What kind of item it is, as far as its pieces may come before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    /// A message, in pieces of text and refusal.
    Message,
    /// A call, whose arguments come in pieces.
    Call,
    /// Thoughts.
    Thoughts,
    /// Anything else: it comes whole.
    Whole,
}

/// An item while it is read.
#[derive(Debug)]
pub(super) struct Growing {
    /// Its place in the answer, and its id, by which the frames name it.
    pub(super) index: Option<u64>,
    pub(super) id: Option<String>,
    pub(super) growth: Growth,
    pub(super) done: bool,
    /// What its first frame said beside its content.
    pub(super) shell: Shell,
    pub(super) pieces: Vec<Piece>,
}

/// A part of an item.
#[derive(Debug)]
pub(super) struct Piece {
    /// Its number in the item, as the frames count.
    index: u64,
    /// Its number in the conversation.
    part: u32,
    /// What of it was said.
    sent: String,
    cited: usize,
    shown: Shown,
}

/// The parts of the one candidate, counted as they open.
#[derive(Debug, Default)]
pub(super) struct Counter(u32);

impl Counter {
    /// Returns how many parts have opened.
    pub(super) fn opened(&self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// Numbers the part that opens next.
    fn next(&mut self) -> u32 {
        self.0 = self.0.saturating_add(1);
        self.0 - 1
    }
}

pub(super) fn spot(part: u32) -> Spot {
    Spot { candidate: 0, part }
}

/// Notes what an item says beside its content, when it says anything.
fn note(first: u32, shell: Shell, out: &mut Vec<Event>) {
    if let Some(raw) = shell.kept() {
        let name = item::key(usize::try_from(first).unwrap_or(usize::MAX));
        out.push(Event::Note(Scope::Turn(0), name, raw));
    }
}

impl Growing {
    /// Opens the next piece and returns its place among the pieces.
    pub(super) fn open(
        &mut self,
        index: u64,
        kind: PartKind,
        counter: &mut Counter,
        out: &mut Vec<Event>,
    ) -> usize {
        let part = counter.next();
        let first = self.pieces.first().map_or(part, |piece| piece.part);
        let count = self.pieces.len() + 1;
        // Pieces of one message that do not stand together are messages of their own.
        if usize::try_from(part - first).is_ok_and(|before| before + 1 == count) {
            let contents = match self.growth {
                Growth::Message => vec![Extras::default(); count],
                Growth::Call | Growth::Thoughts | Growth::Whole => self.shell.contents.clone(),
            };
            note(first, Shell { contents, ..self.shell.clone() }, out);
        }
        out.push(Event::Open(spot(part), kind));
        let (sent, shown) = (String::new(), Shown::Summary);
        self.pieces.push(Piece { index, part, sent, cited: 0, shown });
        count - 1
    }

    /// Finds a piece by the number the frames give it, or opens it.
    pub(super) fn piece(
        &mut self,
        index: u64,
        kind: PartKind,
        counter: &mut Counter,
        out: &mut Vec<Event>,
    ) -> usize {
        match self.pieces.iter().rposition(|piece| piece.index == index) {
            Some(at) => at,
            None => self.open(index, kind, counter, out),
        }
    }

    /// Says more of a piece.
    pub(super) fn say(&mut self, at: usize, text: &str, out: &mut Vec<Event>) {
        let Some(piece) = self.pieces.get_mut(at).filter(|_| !text.is_empty()) else { return };
        piece.sent.push_str(text);
        out.push(Event::Delta(spot(piece.part), text.to_owned()));
    }

    /// Says more thoughts. A host that shows thoughts and a summary of them is heard on what it
    /// begins with.
    pub(super) fn think(&mut self, shown: Shown, index: u64, text: &str, out: &mut Vec<Event>) {
        let Some(piece) = self.pieces.first_mut() else { return };
        if piece.sent.is_empty() {
            (piece.shown, piece.index) = (shown, index);
        }
        if piece.shown != shown || text.is_empty() {
            return;
        }
        let apart = piece.index != index;
        piece.index = index;
        if apart {
            self.say(0, PARAGRAPH, out);
        }
        self.say(0, text, out);
    }

    /// Says what the end of a piece holds beyond what was said of it.
    pub(super) fn complete(&mut self, at: usize, whole: &str, out: &mut Vec<Event>) {
        let sent = self.pieces.get(at).map_or("", |piece| piece.sent.as_str());
        if let Some(rest) = whole.strip_prefix(sent) {
            let rest = rest.to_owned();
            self.say(at, &rest, out);
        }
    }

    /// Says what a piece rests on.
    pub(super) fn cite(&mut self, at: usize, citation: Citation, out: &mut Vec<Event>) {
        if let Some(piece) = self.pieces.get_mut(at) {
            piece.cited += 1;
            out.push(Event::Cite(spot(piece.part), citation));
        }
    }

    /// Ends the item as its last frame tells it: what was not said yet is said now.
    pub(super) fn end(
        &mut self,
        turn: ir::AssistantTurn,
        counter: &mut Counter,
        out: &mut Vec<Event>,
    ) {
        self.done = true;
        let shell = turn.extras.get(&item::key(0)).map(Shell::parse);
        let whole = matches!(turn.parts.as_slice(), [AssistantPart::Other(_)]);
        // An end that nobody understands tells nothing about the pieces that were.
        if !whole || self.pieces.is_empty() {
            self.shell = shell.clone().unwrap_or_default();
            let said = turn.parts.into_iter().enumerate();
            said.for_each(|(at, part)| self.end_part(at, part, counter, out));
        }
        if let (Some(shell), Some(first)) = (shell, self.pieces.first()) {
            note(first.part, shell, out);
        }
        self.close(out);
    }

    /// Closes what is open.
    pub(super) fn close(&mut self, out: &mut Vec<Event>) {
        self.done = true;
        out.extend(self.pieces.drain(..).map(|piece| Event::Close(spot(piece.part))));
    }

    fn end_part(
        &mut self,
        at: usize,
        part: AssistantPart,
        counter: &mut Counter,
        out: &mut Vec<Event>,
    ) {
        if at >= self.pieces.len() {
            let Some(kind) = opened(&part) else { return };
            let index = u64::try_from(at).unwrap_or(u64::MAX);
            self.open(index, kind, counter, out);
        }
        let Some(Piece { part: number, cited, .. }) = self.pieces.get(at) else { return };
        let (number, cited) = (*number, *cited);
        match part {
            AssistantPart::Text(said) => {
                self.complete(at, &said.text, out);
                for citation in said.citations.into_iter().skip(cited) {
                    self.cite(at, citation, out);
                }
            }
            AssistantPart::Refusal(text) => self.complete(at, &text, out),
            AssistantPart::Reasoning(Reasoning { text, carrier }) => {
                self.complete(at, &text, out);
                out.extend(carrier.map(|carrier| Event::Carry(spot(number), carrier)));
            }
            AssistantPart::ToolCall(call) => self.complete(at, &call.arguments.0, out),
            AssistantPart::Image(Image { source: Source::Inline { base64, .. }, .. }) => {
                self.complete(at, &base64, out);
            }
            AssistantPart::Image(_) | AssistantPart::Other(_) => {}
        }
    }
}

fn opened(part: &AssistantPart) -> Option<PartKind> {
    Some(match part {
        AssistantPart::Text(_) => PartKind::Text,
        AssistantPart::Refusal(_) => PartKind::Refusal,
        AssistantPart::Reasoning(_) => PartKind::Reasoning,
        AssistantPart::ToolCall(call) => called(call),
        AssistantPart::Image(image) => match &image.source {
            Source::Inline { media_type, .. } => PartKind::Image { media_type: media_type.clone() },
            Source::Url { .. } | Source::Uploaded(_) => return None,
        },
        AssistantPart::Other(opaque) => PartKind::Other(opaque.clone()),
    })
}

/// Returns the kind of a call's part.
pub(super) fn called(call: &ir::ToolCall) -> PartKind {
    PartKind::ToolCall { id: call.id.clone(), name: call.name.clone(), kind: call.kind }
}
