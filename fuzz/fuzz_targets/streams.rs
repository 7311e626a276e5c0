//! Whatever a provider streams becomes grammatical events, and those a stream for every client.
#![no_main]

use ir::{Dialect, Grammar, Inbound, Seed};
use libfuzzer_sys::fuzz_target;
use wire::failures::Context;
use wire::{EventReader, EventWriter, Origin, Splitter};

fuzz_target!(|data: &[u8]| {
    let Some((which, body)) = data.split_first() else { return };
    let dialect = Dialect::ALL[usize::from(*which) % Dialect::ALL.len()];
    let origin = Origin { dialect, family: "".into(), seed: Seed(1) };
    let (mut splitter, mut reader) = (Splitter::new(dialect), EventReader::new(&origin));
    let mut events = Vec::new();
    splitter.push(body);
    while let Ok(Some(frame)) = splitter.next_frame() {
        reader.read(&frame, &mut events);
    }
    if let Some(frame) = splitter.finish() {
        reader.read(&frame, &mut events);
    }
    reader.end(&mut events);
    let mut grammar = Grammar::default();
    for event in &events {
        grammar.step(event).expect("every stream is grammatical");
    }
    assert!(grammar.ended());
    for inbound in Inbound::ALL {
        let mut writer = EventWriter::new(inbound, dialect, true);
        let mut out = Vec::new();
        for event in &events {
            writer.write(event, &Context::default(), &mut out);
        }
    }
});
