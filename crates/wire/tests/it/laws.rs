//! What the laws of every dialect have in common.

use std::collections::BTreeMap;

use bytes::Bytes;
use ir::{Dialect, Event, Failure, Grammar, Inbound, Response, Seed};
use testkit::corpus::Case;
use wire::{EventReader, EventWriter, Origin, Splitter};

/// Returns an origin of a provider nobody knows.
pub(crate) fn origin(dialect: Dialect) -> Origin {
    origin_of(dialect, "")
}

/// Returns the origin of a recorded provider.
pub(crate) fn origin_of(dialect: Dialect, provider: &str) -> Origin {
    Origin { dialect, family: provider.into(), seed: Seed(7) }
}

/// Counts what a law covered and why it left the rest out.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) left_out: BTreeMap<String, Vec<String>>,
}

impl Tally {
    pub(crate) fn leave_out(&mut self, case: &Case, why: impl Into<String>) {
        self.left_out.entry(why.into()).or_default().push(format!("{} {}", case.provider, case.id));
    }

    pub(crate) fn print(&self, law: &str) {
        let out: usize = self.left_out.values().map(Vec::len).sum();
        println!("{law}: {} cases, {} passed, {out} left out", self.passed + out, self.passed);
        for (why, ids) in &self.left_out {
            let shown = ids.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
            println!("  {} × {why}: {shown}", ids.len());
        }
    }
}

/// Reads a stream that comes in these pieces into events.
pub(crate) fn events(dialect: Dialect, pieces: &[Bytes]) -> Vec<Event> {
    let (mut splitter, mut reader) = (Splitter::new(dialect), EventReader::new(&origin(dialect)));
    let mut out = Vec::new();
    for piece in pieces {
        splitter.push(piece);
        // Bytes that are no frames end the stream: what comes after them would be guesswork.
        while let Ok(Some(frame)) = splitter.next_frame() {
            reader.read(&frame, &mut out);
        }
    }
    if let Some(frame) = splitter.finish() {
        reader.read(&frame, &mut out);
    }
    reader.end(&mut out);
    out
}

pub(crate) fn fold(dialect: Dialect, events: &[Event]) -> Result<Response, Failure> {
    let mut fold = ir::Fold::new(dialect);
    events.iter().cloned().for_each(|event| fold.push(event));
    fold.finish()
}

/// Writes events as a stream of a client's who speaks the provider's dialect.
pub(crate) fn rewritten(inbound: Inbound, events: &[Event]) -> Bytes {
    rewritten_from(inbound, inbound.dialect(), events)
}

/// Writes events that were read in the dialect `from` as a stream of a client's.
pub(crate) fn rewritten_from(inbound: Inbound, from: Dialect, events: &[Event]) -> Bytes {
    let mut writer = EventWriter::new(inbound, from, true);
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &wire::failures::Context::default(), &mut out);
    }
    out.into()
}

pub(crate) fn counts(usage: &ir::Usage) -> [u64; 4] {
    [usage.input.0, usage.cached_input.0, usage.output.0, usage.reasoning.0]
}

/// Law 5: splits every stream three ways and counts the splits.
pub(crate) fn chunking(dialect: Dialect, cases: &[Case]) -> usize {
    let mut splits = 0;
    for case in cases {
        let body = case.body_bytes().unwrap();
        let whole = events(dialect, std::slice::from_ref(&body));
        for seed in [0, 1, 0x9e37_79b9_7f4a_7c15] {
            let pieces = testkit::chunks::splits(&body, seed);
            assert_eq!(events(dialect, &pieces), whole, "{} seed {seed}", case.id);
            splits += 1;
        }
    }
    splits
}

/// Law 6: cuts and scrambles every recorded body; the readers may refuse, never panic, and what
/// they say of a stream stays grammatical. Counts the bodies.
pub(crate) fn mangled(dialect: Dialect, inbound: Option<Inbound>, cases: &[Case]) -> usize {
    let (origin, mut read) = (origin(dialect), 0);
    for (number, case) in (0_usize..).zip(cases) {
        let answer = case.body_bytes().unwrap().to_vec();
        let request = case.request_body.clone().unwrap_or_default().into_bytes();
        for (round, body) in [answer, request].into_iter().enumerate() {
            for mangled in mangle(&body, number * 7 + round) {
                if let Some(inbound) = inbound {
                    let _ = wire::read_request(inbound, &mangled);
                    let _ = wire::head::read(inbound, &mangled, None);
                }
                let _ = wire::read_response(&origin, &mangled);
                let _ = wire::glance(&origin, &mangled);
                let _ = wire::read_failure(&origin, 400, &|_| None, &mangled);
                let mut grammar = Grammar::default();
                for event in events(dialect, &[mangled.into()]) {
                    grammar.step(&event).unwrap();
                }
                read += 1;
            }
        }
    }
    read
}

fn mangle(body: &[u8], seed: usize) -> Vec<Vec<u8>> {
    if body.is_empty() {
        return Vec::new();
    }
    let at =
        |step: usize| (seed.wrapping_mul(2_654_435_761).wrapping_add(step * 40_503)) % body.len();
    let cut = body[..at(1)].to_vec();
    let mut flipped = body.to_vec();
    let mut swapped = body.to_vec();
    for step in 2..6 {
        let (flip, swap) = (at(step), at(step + 10));
        flipped[flip] ^= 1 << (step % 8);
        swapped[swap] = b"{}[]\",:0n\n"[step];
    }
    vec![cut, flipped, swapped]
}
