//! A message while it is written.

use ir::{AssistantPart, Citation, Dialect, Extras, Said};

use super::super::item::{self, Shell};
use super::super::{output, said};
use super::desk::{Desk, Named};
use super::frames::Place;
use crate::json;

const HERE: Dialect = Dialect::OpenaiResponses;

/// A message while it is written.
#[derive(Debug)]
pub(super) struct Message {
    first: u32,
    index: usize,
    named: Named,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
struct Piece {
    part: u32,
    refusal: bool,
    text: String,
    citations: Vec<Citation>,
    open: bool,
}

impl Message {
    /// Begins a message with its first piece.
    pub(super) fn begin(part: u32, refusal: bool, desk: &mut Desk, out: &mut Vec<u8>) -> Self {
        let shell = desk.shell(part, item::MESSAGE).rest;
        let index = desk.place();
        let named = Named::of(&shell, "msg", index, desk.maker);
        let mut item = Vec::new();
        json::object(&mut item, |item| {
            item.field("type", item::MESSAGE);
            item.field("id", &named.id);
            item.field("status", "in_progress");
            item.field("role", "assistant");
            item.with("content", |out| out.extend_from_slice(b"[]"));
        });
        desk.frames.item(out, "response.output_item.added", index, &item);
        let mut message = Self { first: part, index, named, pieces: Vec::new() };
        message.add(part, refusal, desk, out);
        message
    }

    /// Returns whether a part is this message's next piece.
    pub(super) fn takes(&self, part: u32, desk: &Desk) -> bool {
        let wanted = desk.shells.get(&self.first).map_or(1, |shell| shell.contents.len());
        let next = self.pieces.len();
        next < wanted && u64::from(part) == u64::from(self.first) + next as u64
    }

    /// Begins a piece.
    pub(super) fn add(&mut self, part: u32, refusal: bool, desk: &mut Desk, out: &mut Vec<u8>) {
        let (text, citations) = (String::new(), Vec::new());
        let piece = Piece { part, refusal, text, citations, open: true };
        self.pieces.push(piece);
        self.piece_frame("response.content_part.added", self.pieces.len() - 1, desk, out);
    }

    pub(super) fn holds(&self, part: u32) -> bool {
        self.pieces.iter().any(|piece| piece.part == part)
    }

    fn find(&mut self, part: u32) -> Option<usize> {
        self.pieces.iter().position(|piece| piece.part == part)
    }

    fn at(&self, piece: usize) -> Place<'_> {
        Place { item: &self.named.id, index: self.index, piece: Some(("content_index", piece)) }
    }

    fn piece_frame(&self, kind: &str, at: usize, desk: &mut Desk, out: &mut Vec<u8>) {
        let mut content = Vec::new();
        said::write(&mut content, &[(&self.pieces[at].said(), Extras::default())]);
        // Written as a list of one.
        let part = content.get(1..content.len().saturating_sub(1)).unwrap_or_default();
        desk.frames.of(out, kind, &self.at(at), |frame| {
            frame.with("part", |out| out.extend_from_slice(part));
        });
    }

    /// Says more of a piece.
    pub(super) fn say(&mut self, part: u32, text: &str, desk: &mut Desk, out: &mut Vec<u8>) {
        let Some(at) = self.find(part) else { return };
        self.pieces[at].text.push_str(text);
        let refusal = self.pieces[at].refusal;
        let kind = if refusal { "response.refusal.delta" } else { "response.output_text.delta" };
        desk.frames.of(out, kind, &self.at(at), |frame| {
            frame.field("delta", text);
            if !refusal {
                frame.with("logprobs", |out| out.extend_from_slice(b"[]"));
            }
        });
    }

    /// Says what a piece rests on.
    pub(super) fn cite(
        &mut self,
        part: u32,
        citation: &Citation,
        desk: &mut Desk,
        out: &mut Vec<u8>,
    ) {
        let Some(at) = self.find(part).filter(|_| said::tellable(citation)) else { return };
        let piece = &mut self.pieces[at];
        let number = piece.citations.len();
        let length = piece.text.chars().count();
        let mut citation = citation.clone();
        if citation.span.is_none() && citation.raw.dialect != HERE {
            // The end of the text so far, in the answer's last frame as well.
            citation.span = Some((0, u64::try_from(length).unwrap_or(u64::MAX)));
        }
        let mut written = Vec::new();
        said::write_citation(&mut written, &citation, length);
        piece.citations.push(citation);
        desk.frames.of(out, "response.output_text.annotation.added", &self.at(at), |frame| {
            frame.field("annotation_index", &number);
            frame.with("annotation", |out| out.extend_from_slice(&written));
        });
    }

    /// Ends a piece, and with the last one the message; returns whether the message has ended.
    pub(super) fn close(&mut self, part: u32, desk: &mut Desk, out: &mut Vec<u8>) -> bool {
        let Some(at) = self.find(part) else { return false };
        self.pieces[at].open = false;
        let piece = &self.pieces[at];
        let (kind, field) = if piece.refusal {
            ("response.refusal.done", "refusal")
        } else {
            ("response.output_text.done", "text")
        };
        desk.frames.of(out, kind, &self.at(at), |frame| {
            frame.field(field, &piece.text);
            if !piece.refusal {
                frame.with("logprobs", |out| out.extend_from_slice(b"[]"));
            }
        });
        self.piece_frame("response.content_part.done", at, desk, out);
        if self.pieces.iter().any(|piece| piece.open) {
            return false;
        }
        self.end(desk, out);
        true
    }

    fn end(&mut self, desk: &mut Desk, out: &mut Vec<u8>) {
        let Shell { mut rest, contents, .. } = desk.shell(self.first, item::MESSAGE);
        let standing = self.named.settle(&mut rest);
        let mut contents = contents.into_iter();
        let said: Vec<AssistantPart> = self.pieces.iter().map(Piece::said).collect();
        let parts: Vec<(&AssistantPart, Extras)> =
            said.iter().map(|part| (part, contents.next().unwrap_or_default())).collect();
        desk.done(self.index, output::message(&standing, &parts, &rest), out);
    }
}

impl Piece {
    fn said(&self) -> AssistantPart {
        let text = self.text.clone();
        if self.refusal {
            return AssistantPart::Refusal(text);
        }
        let citations = self.citations.clone();
        AssistantPart::Text(Said { text, citations, ..Said::default() })
    }
}
