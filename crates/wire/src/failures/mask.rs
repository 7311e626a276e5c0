//! Masking what looks like a credential in a provider's words: providers quote the keys they
//! refuse, and not only in the messages that say so.

/// What stands in a credential's place.
const MASKED: &str = "[masked]";

/// How keys of providers begin, longest first where one begins another; what follows must be as
/// long as no word of a message is by chance.
const BEGINNINGS: &[(&str, usize)] = &[
    ("sk-", 6),
    ("sk_", 12),
    ("pk-", 12),
    ("AIz", 12),
    ("AKIA", 12),
    ("ASIA", 12),
    ("ABSK", 12),
    ("ya29.", 8),
    ("eyJ", 20),
    ("gsk_", 6),
    ("xai-", 8),
    ("hf_", 8),
    ("csk-", 8),
    ("pplx-", 8),
    ("tgp_v1_", 8),
    ("fw_", 12),
    ("r8_", 8),
    ("nvapi-", 8),
    ("pa-", 20),
];

/// Words after which a credential stands, in lower case.
const INTRODUCTIONS: &[&str] = &["bearer ", "basic ", "key=", "token="];

/// How long a text without a digit may be after such a word and still be a word itself.
const LONGEST_WORD: usize = 24;

/// Masks what looks like a credential.
pub(super) fn mask(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(first) = rest.chars().next() {
        let starts = !before.is_some_and(|before: char| before.is_ascii_alphanumeric());
        if starts && let Some(length) = credential(rest) {
            out.push_str(MASKED);
            rest = rest.get(length..).unwrap_or_default();
            before = Some(']');
            continue;
        }
        if starts && let Some(length) = introduced(rest) {
            let (introduction, after) = rest.split_at(length);
            out.push_str(introduction);
            out.push_str(MASKED);
            rest = after.get(token(after)..).unwrap_or_default();
            before = Some(']');
            continue;
        }
        out.push(first);
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
        before = Some(first);
    }
    out
}

/// Returns the length of the credential a text begins with.
fn credential(text: &str) -> Option<usize> {
    let (beginning, least) =
        BEGINNINGS.iter().find(|(beginning, _)| text.starts_with(beginning))?;
    let length = token(text);
    (length >= beginning.len() + least).then_some(length)
}

/// Returns the length of the word a text begins with when a credential follows it.
fn introduced(text: &str) -> Option<usize> {
    let word = INTRODUCTIONS.iter().find(|word| {
        text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    })?;
    let after = text.get(word.len()..)?;
    let after = after.get(..token(after))?;
    let told = after.bytes().any(|byte| byte.is_ascii_digit()) || after.len() > LONGEST_WORD;
    (told && after.len() >= 8).then_some(word.len())
}

/// Returns how long a run of characters is that a credential may be made of; the stars of a key
/// that is masked already are among them, the full stop at a sentence's end is not.
fn token(text: &str) -> usize {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.*+/=~…".contains(c)));
    let run = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    run.trim_end_matches(['.', '…']).len()
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn what_looks_like_a_key_is_masked() {
        let masked = |text| mask(text);
        assert_eq!(masked("key sk-proj-abc_DEF123 is bad."), "key [masked] is bad.");
        assert_eq!(masked("provided: sk-wrong****-key. You"), "provided: [masked]. You");
        assert_eq!(masked("Invalid API key: AIzv00G7VmUCUeC-5OglO3"), "Invalid API key: [masked]");
        assert_eq!(masked("?key=abc123def456&alt=sse"), "?key=[masked]&alt=sse");
        assert_eq!(
            masked("'Authorization: Bearer abc.12345678'"),
            "'Authorization: Bearer [masked]'"
        );
        assert_eq!(masked("id AKIAIOSFODNN7EXAMPLE"), "id [masked]");
    }

    #[test]
    fn words_are_left_alone() {
        for text in [
            "a task-force of disk-drives",
            "Bearer authentication is required",
            "müde sk- hf_ eyJ",
            "model gpt-4o in organization org-REDACTED",
            "max_tokens=4096",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
