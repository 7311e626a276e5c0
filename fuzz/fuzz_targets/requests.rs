//! Whatever a client sends is read or refused, and what is read is written in every dialect.
#![no_main]

use ir::{Dialect, Inbound, Quirks};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((which, body)) = data.split_first() else { return };
    let inbound = Inbound::ALL[usize::from(*which) % Inbound::ALL.len()];
    let Ok(request) = wire::read_request(inbound, body) else { return };
    let _ = wire::check(&request);
    for dialect in Dialect::ALL {
        let written = wire::write_request(dialect, &request, Quirks::default());
        if dialect == inbound.dialect() {
            // That it says the same is law 2, which the tests hold on what is worth saying.
            wire::read_request(inbound, &written.bytes).expect("what is written can be read");
        }
    }
});
