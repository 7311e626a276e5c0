use super::count;
use crate::Unit;

fn check(unit: Unit, text: &str, expected: u64) {
    assert_eq!(count(unit, text), expected, "{text}");
}

#[test]
fn words_are_counted_in_any_script() {
    check(Unit::Words, "It's a well-known fact: 3.5 is more than 3.", 9);
    check(Unit::Words, "- **Bold** — and dashed", 3);
    check(Unit::Words, "我喜欢 Rust。", 4);
    check(Unit::Words, "يقفز الثعلب البني", 3);
    check(Unit::Words, "", 0);
}

#[test]
fn characters_are_counted_without_white_space() {
    check(Unit::Characters, "a b\nc。", 4);
}

#[test]
fn sentences_end_where_people_end_them() {
    check(Unit::Sentences, "One. Two! Three? And a fourth", 4);
    check(Unit::Sentences, "Dr. Smith, e.g., paid $3.50 to J. Doe in the U.S. last year.", 1);
    check(Unit::Sentences, "He said \"Stop!\" and left.", 1);
    check(Unit::Sentences, "第一句。第二句！第三句", 3);
    check(Unit::Sentences, "هل هذا سؤال؟ نعم.", 2);
    check(Unit::Sentences, "1. First\n2. Second", 2);
    check(Unit::Sentences, "Wrapped\nover lines.\n\nAnother.", 2);
}

#[test]
fn paragraphs_stand_between_blank_lines() {
    check(Unit::Paragraphs, "# Title\n\nOne\nstill one.\n\n\nTwo.\n\n---\n", 2);
}

#[test]
fn items_are_those_of_the_outermost_level() {
    check(Unit::Items, "Here:\n- one\n  - inside\n- two\n* three", 3);
    check(Unit::Items, "1. one\n2) two\n3.5 is no item", 2);
    check(Unit::Items, "No list.", 0);
}
