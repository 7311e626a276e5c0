//! Frames are the same however the bytes are cut, and joined they are the stream.
#![no_main]

use ir::Dialect;
use libfuzzer_sys::fuzz_target;
use wire::Splitter;

fn frames(dialect: Dialect, body: &[u8], size: usize) -> (Vec<wire::sse::Frame>, bool) {
    let mut splitter = Splitter::new(dialect);
    let mut frames = Vec::new();
    for piece in body.chunks(size.max(1)) {
        splitter.push(piece);
        loop {
            match splitter.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return (frames, false),
            }
        }
    }
    frames.extend(splitter.finish());
    (frames, true)
}

fuzz_target!(|data: &[u8]| {
    let [which, size, body @ ..] = data else { return };
    let dialects = [Dialect::OpenaiChat, Dialect::BedrockConverse, Dialect::Ollama, Dialect::Gemini];
    let dialect = dialects[usize::from(*which) % dialects.len()];
    let whole = frames(dialect, body, body.len());
    assert_eq!(frames(dialect, body, usize::from(*size)), whole);
    if dialect == Dialect::OpenaiChat {
        let joined: Vec<u8> = whole.0.iter().flat_map(|frame| frame.raw.to_vec()).collect();
        assert_eq!(joined, body);
    }
});
