//! Whose words an answer consists of: the faulty model's, the healthy one's, or both.

use super::heard::Heard;
use super::row::{ARGUMENTS, FALLBACK, PRIMARY, Row};
use super::scenario::Says;

/// What an answer says, seen from the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing.
    Nothing,
    /// All that the faulty model says.
    Primary,
    /// The beginning of that.
    Part,
    /// All that the healthy model says.
    Fallback,
    /// Anything else: both, or one twice.
    Mixed,
}

pub(super) fn content(row: &Row, heard: &Heard) -> Content {
    let (text, arguments) = (heard.text.as_str(), heard.arguments.as_str());
    let (said, other, whole) = match row.scenario.says {
        Says::Text | Says::TextAndUsage => (text, arguments, PRIMARY),
        Says::Call => (arguments, text, ARGUMENTS),
    };
    match (said, other) {
        ("", "") => Content::Nothing,
        _ if text == FALLBACK && arguments.is_empty() => Content::Fallback,
        (said, "") if said == whole => Content::Primary,
        (said, "") if whole.starts_with(said) => Content::Part,
        _ => Content::Mixed,
    }
}

/// Says whether words of both models came, or a word twice. That one is missing is another matter.
pub(super) fn spliced(heard: &Heard) -> bool {
    let heard = [heard.text.as_str(), &heard.arguments].join(" ");
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let heard = words(&heard);
    let times = |said: &[&str]| {
        let said = words(&said.join(" "));
        said.iter().map(|word| heard.iter().filter(|heard| *heard == word).count()).max()
    };
    let (primary, fallback) = (times(&[PRIMARY, ARGUMENTS]), times(&[FALLBACK]));
    primary > Some(1) || fallback > Some(1) || (primary, fallback) == (Some(1), Some(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, arguments: &str, expected: bool) {
        let heard =
            Heard { text: text.to_owned(), arguments: arguments.to_owned(), ..Heard::default() };
        assert_eq!(spliced(&heard), expected, "{text} {arguments}");
    }

    #[test]
    fn an_answer_is_spliced_from_two_or_from_one_twice() {
        check(PRIMARY, "", false);
        check("", ARGUMENTS, false);
        check(&format!("alpha bravo {FALLBACK}"), "", true);
        check(FALLBACK, "{\"india\":", true);
        check(&format!("alpha bravo {PRIMARY}"), "", true);
    }

    #[test]
    fn an_answer_that_lacks_a_word_is_not_spliced() {
        check("alpha charlie delta", "", false);
        check("", "", false);
    }
}
