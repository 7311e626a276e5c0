//! Law 6: what becomes of a codec when the bytes are not what they were.

use bytes::Bytes;
use ir::Dialect;

use super::judge::Verdict;
use super::{events, grammatical, inbound, origin};
use testkit::Case;

/// Cuts and scrambles both bodies of a case; the readers may refuse, never panic, and what they say
/// of a stream stays grammatical.
pub(super) fn judge(dialect: Dialect, case: &Case, answer: &Bytes) -> Verdict {
    let seed = usize::from_str_radix(&case.id, 16).unwrap_or(case.id.len());
    let request = case.request_body.clone().unwrap_or_default().into_bytes();
    let origin = origin(dialect, &case.provider);
    for body in [&answer[..], &request] {
        for mangled in mangle(body, seed) {
            if let Some(inbound) = inbound(dialect) {
                let _ = wire::read_request(inbound, &mangled);
                let _ = wire::head::read(inbound, &mangled, None);
            }
            let _ = wire::read_response(&origin, &mangled);
            let _ = wire::glance(&origin, &mangled);
            let _ = wire::read_failure(&origin, 400, &|_| None, &mangled);
            let read = events(dialect, &case.provider, &[mangled.into()]);
            if let Err(broken) = grammatical(&read) {
                return Verdict::Failed(format!("a mangled stream: {broken}"));
            }
        }
    }
    Verdict::Passed
}

/// A cut body, one with flipped bits, and one in which bytes are taken for others.
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
