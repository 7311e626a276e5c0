//! "Did you mean": the known words nearest to one that is not known. Case and separators do not
//! count, so `gpt4o` finds `gpt-4o` and `claude-sonnet-4.6` finds `claude-sonnet-4-6`.

/// Words less alike than this are no suggestion.
const ALIKE: f64 = 0.8;

/// What a word scores that contains the other, and so is never below `ALIKE`.
const CONTAINS: f64 = 0.85;

/// Shorter words are contained in everything.
const TELLING: usize = 3;

/// Longer words are no misspelling, and comparing them would take long.
const LONGEST: usize = 200;

/// Returns the known words that `word` may have meant, nearest first, at most `most` of them.
pub fn closest<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Vec<&'a str> {
    if word.len() > LONGEST {
        return Vec::new();
    }
    let word = Spelled::of(word);
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|candidate| (word.likeness(&Spelled::of(candidate)), candidate))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    // Equals keep the order they were given in.
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(most).map(|(_, candidate)| candidate).collect()
}

/// A word in lower case, with and without its separators.
struct Spelled {
    lower: String,
    squeezed: String,
}

impl Spelled {
    fn of(word: &str) -> Self {
        let lower = word.to_lowercase();
        let squeezed = lower.chars().filter(|c| c.is_alphanumeric()).collect();
        Self { lower, squeezed }
    }

    /// Returns how alike two words are, between 0 and 1.
    fn likeness(&self, other: &Self) -> f64 {
        if self.lower == other.lower {
            return 1.0;
        }
        if self.squeezed == other.squeezed && !self.squeezed.is_empty() {
            return 0.99;
        }
        let alike = strsim::jaro_winkler(&self.lower, &other.lower);
        let squeezed = strsim::jaro_winkler(&self.squeezed, &other.squeezed);
        // Capped below: only words that differ in separators alone are nearly the same.
        alike.max(squeezed).max(self.containment(other)).min(0.98)
    }

    /// Returns a score when one word contains the other: the more of it, the higher.
    fn containment(&self, other: &Self) -> f64 {
        let (a, b) = (self.squeezed.as_str(), other.squeezed.as_str());
        let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
        if short.len() < TELLING || !long.contains(short) {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "lengths of words")]
        let share = short.len() as f64 / long.len() as f64;
        CONTAINS + (1.0 - CONTAINS) * share
    }
}

#[cfg(test)]
mod tests {
    use super::closest;

    const MODELS: [&str; 6] =
        ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "claude-sonnet-4-6", "mistral-large", "llama-3.3-70b"];

    fn check(word: &str, expected: &[&str]) {
        assert_eq!(closest(word, MODELS, 2), expected, "{word}");
    }

    #[test]
    fn separators_and_case_do_not_count() {
        check("gpt4o", &["gpt-4o", "gpt-4o-mini"]);
        check("claude-sonnet-4.6", &["claude-sonnet-4-6"]);
        check("Mistral_Large", &["mistral-large"]);
    }

    #[test]
    fn a_slip_of_the_finger_is_found() {
        check("mistrla-large", &["mistral-large"]);
        check("claude-sonet-4-6", &["claude-sonnet-4-6"]);
    }

    #[test]
    fn a_part_of_the_name_is_enough() {
        check("sonnet", &["claude-sonnet-4-6"]);
        check("70b", &["llama-3.3-70b"]);
        check("openai/gpt-4.1", &["gpt-4.1"]);
    }

    #[test]
    fn nothing_alike_is_no_suggestion() {
        check("whisper", &[]);
        check("", &[]);
        check(&"gpt-4o".repeat(100), &[]);
    }
}
