//! Whatever a provider answers is read or is a failure, and what is read is written for every client.
#![no_main]

use ir::{Dialect, Inbound, Seed};
use libfuzzer_sys::fuzz_target;
use wire::Origin;

fuzz_target!(|data: &[u8]| {
    let Some((which, body)) = data.split_first() else { return };
    let dialect = Dialect::ALL[usize::from(*which) % Dialect::ALL.len()];
    let families = ["", "openai", "google", "bedrock", "openrouter", "mistral", "anthropic"];
    let family = families[usize::from(*which) / Dialect::ALL.len() % families.len()];
    let origin = Origin { dialect, family: family.into(), seed: Seed(1) };
    let _ = wire::read_failure(&origin, 400, &|_| None, body);
    let _ = wire::glance(&origin, body);
    let Ok(response) = wire::read_response(&origin, body) else { return };
    for inbound in Inbound::ALL {
        let _ = wire::write_response(inbound, &response);
    }
});
