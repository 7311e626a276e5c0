use bytes::Bytes;
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{Frame, Splitter};

fn split(chunks: &[&[u8]]) -> Vec<Frame> {
    let mut splitter = Splitter::default();
    let mut frames = Vec::new();
    for chunk in chunks {
        splitter.push(chunk);
        while let Some(frame) = splitter.next_frame().unwrap() {
            frames.push(frame);
        }
    }
    frames.extend(splitter.finish());
    frames
}

fn check(stream: &str, expected: &Expect) {
    let mut shown = String::new();
    for frame in split(&[stream.as_bytes()]) {
        let data = frame.data.map(|data| String::from_utf8_lossy(&data).into_owned());
        shown += &format!("{:?} {data:?}\n", frame.event);
    }
    expected.assert_eq(&shown);
}

#[test]
fn every_line_end_ends_a_line() {
    let expected = expect![[r#"
        None Some("a")
        None Some("b")
        None Some("c")
    "#]];
    check("data: a\n\ndata: b\r\n\r\ndata: c\r\r", &expected);
}

#[test]
fn comments_and_stray_blank_lines_carry_no_event() {
    let expected = expect![[r#"
        None None
        None None
        Some("x") Some("1")
    "#]];
    check(": keep-alive\n\n\n: ping\nevent: x\ndata:1\nid: 7\n\n", &expected);
}

#[test]
fn data_lines_are_joined_and_a_missing_last_blank_line_is_forgiven() {
    let expected = expect![[r#"
        None Some("a\nb\n")
        None Some("[DONE]")
    "#]];
    check("\u{feff}data: a\ndata: b\ndata\n\ndata: [DONE]", &expected);
}

#[test]
fn one_space_after_the_colon_is_not_data() {
    let expected = expect![[r#"
        None Some(" two")
    "#]];
    check("data:  two\n\n", &expected);
}

#[test]
fn an_event_without_end_is_cut_off() {
    let mut splitter = Splitter::default();
    splitter.push(&vec![b'x'; super::FRAME_LIMIT + 1]);
    assert!(splitter.next_frame().is_err());
}

proptest! {
    #[test]
    fn chunking_is_invisible(
        pieces in proptest::collection::vec("(data: ?|event: |: c|id: 1|é|\u{feff}|\r\n|\n|\r|[a-z]{0,4}){0,6}", 0..8),
        cuts in proptest::collection::vec(1_usize..7, 1..6),
    ) {
        let stream = pieces.concat();
        let whole = split(&[stream.as_bytes()]);
        let mut chunks = Vec::new();
        let mut rest = stream.as_bytes();
        for size in cuts.iter().cycle() {
            if rest.is_empty() { break }
            let (head, tail) = rest.split_at((*size).min(rest.len()));
            chunks.push(head);
            rest = tail;
        }
        prop_assert_eq!(&split(&chunks), &whole);
        let joined: Vec<u8> = whole.iter().flat_map(|frame| frame.raw.to_vec()).collect();
        prop_assert_eq!(Bytes::from(joined), Bytes::from(stream));
    }
}

#[test]
fn a_last_event_without_its_blank_line_is_closed() {
    let closed =
        |stream: &'static str| Frame::parse(Bytes::from_static(stream.as_bytes())).closed().raw;
    assert_eq!(closed("data: a"), "data: a\n\n");
    assert_eq!(closed("data: a\n"), "data: a\n\n");
    assert_eq!(closed(": a comment\n"), ": a comment\n");
}

#[test]
fn a_byte_order_mark_is_left_out_of_what_passes_on() {
    let unmarked =
        |stream: &'static str| Frame::parse(Bytes::from_static(stream.as_bytes())).unmarked();
    let frame = unmarked("\u{feff}data: a\n\n");
    assert_eq!((frame.raw.as_ref(), frame.data.as_deref()), (&b"data: a\n\n"[..], Some(&b"a"[..])));
    assert_eq!(unmarked("data: \u{feff}\n\n").raw, "data: \u{feff}\n\n");
}

#[test]
fn bytes_that_are_no_field_have_gone_astray() {
    let astray = |frame: &'static [u8]| Frame::parse(Bytes::from_static(frame)).is_astray();
    assert!(astray(b"\x1f\x8b\x08\xff\n\n") && astray(b"<html>\n\n") && astray(b": a\nb\n\n"));
    assert!(!astray(b": a comment\n\n") && !astray(b"\r\n") && !astray(b"event: ping\nid: 1\n\n"));
    assert!(!astray(b"data: {}\nodd: 1\n\n"), "an event is passed on with all it says");
}
