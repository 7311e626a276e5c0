//! The verbatim lane changes the named members and nothing else, whatever the body.
#![no_main]

use ir::{Inbound, Quirks};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((which, body)) = data.split_first() else { return };
    let inbound = Inbound::ALL[usize::from(*which) % Inbound::ALL.len()];
    let Ok(head) = wire::head::read(inbound, body, None) else { return };
    let _ = head.look();
    let sent = head.send("a-model", Quirks::default());
    if inbound != Inbound::Gemini {
        let again = wire::head::read(inbound, &sent.bytes, None).expect("an edit keeps a body whole");
        assert_eq!(again.model, "a-model");
        assert_eq!(again.stream, head.stream);
    }
});
