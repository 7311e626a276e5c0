//! Hashed features of a text: each word, pair of words and run of letters is a bucket of a table of
//! 2^bits, so that no vocabulary has to be kept and nothing is allocated while a text is read.
//!
//! After K. Weinberger et al., Feature Hashing for Large Scale Multitask Learning (2009), without
//! the sign: tables are large enough for collisions to be rare. The hash is FNV-1a over the
//! lower-cased characters, finished with a multiply and shift; trained weights depend on it, so a
//! change of anything here is a change of the version of every trained file.

/// Which features of a text are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// The table has 2^bits buckets.
    pub bits: u32,
    /// Pairs of words are features too.
    pub pairs: bool,
    /// Runs of so many characters within a word, its ends marked, are features too: shortest and
    /// longest.
    pub runs: Option<(usize, usize)>,
}

/// No word is longer than this; the rest of a longer one begins another.
const LONGEST_WORD: usize = 32;

const FNV: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// What a hash is of, so that a word is never a run of the same characters.
#[derive(Clone, Copy)]
enum Of {
    Word = 1,
    Pair = 2,
    Run = 3,
}

/// Visits the features of a text, in the order they are found; one that is there twice is visited
/// twice.
pub fn each(text: &str, recipe: &Recipe, visit: &mut impl FnMut(u32)) {
    let bucket = |hash: u64, of: Of| bucket(hash ^ (of as u64), recipe.bits);
    let mut word = [0_u32; LONGEST_WORD + 2];
    let mut size = 0;
    let mut before = FNV;
    let mut end = |word: &mut [u32; LONGEST_WORD + 2], size: &mut usize| {
        if *size == 0 {
            return;
        }
        let hash = word[1..=*size].iter().fold(FNV, |hash, c| mix(hash, *c));
        visit(bucket(hash, Of::Word));
        if recipe.pairs {
            visit(bucket(before.rotate_left(17) ^ hash.wrapping_mul(PRIME), Of::Pair));
        }
        before = hash;
        if let Some((shortest, longest)) = recipe.runs {
            (word[0], word[*size + 1]) = (u32::from('\u{2}'), u32::from('\u{3}'));
            for from in 0..*size + 2 {
                let mut hash = FNV;
                for (at, c) in word[from..(from + longest).min(*size + 2)].iter().enumerate() {
                    hash = mix(hash, *c);
                    if at + 1 >= shortest {
                        visit(bucket(hash, Of::Run));
                    }
                }
            }
        }
        *size = 0;
    };
    for c in text.chars() {
        let kind = Kind::of(c);
        if kind != Kind::Letter || size == LONGEST_WORD {
            end(&mut word, &mut size);
        }
        if kind == Kind::Blank {
            continue;
        }
        size += 1;
        word[size] = lower(c);
        if kind == Kind::Alone {
            end(&mut word, &mut size);
        }
    }
    end(&mut word, &mut size);
}

/// How a character takes part in words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It belongs to the word around it.
    Letter,
    /// It is a word: marks, and characters of scripts without blanks.
    Alone,
    /// It ends a word.
    Blank,
}

impl Kind {
    fn of(c: char) -> Self {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => Self::Letter,
            c if c.is_whitespace() || c.is_control() => Self::Blank,
            c if c.is_ascii() => Self::Alone,
            '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => {
                Self::Alone
            }
            c if c.is_alphanumeric() => Self::Letter,
            _ => Self::Alone,
        }
    }
}

/// Lower-cases a character; the few that become several keep their first.
fn lower(c: char) -> u32 {
    if c.is_ascii() {
        return u32::from(c.to_ascii_lowercase());
    }
    u32::from(c.to_lowercase().next().unwrap_or(c))
}

fn mix(hash: u64, c: u32) -> u64 {
    (hash ^ u64::from(c)).wrapping_mul(PRIME)
}

fn bucket(hash: u64, bits: u32) -> u32 {
    let spread = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u32::try_from(spread >> (64 - bits)).expect("invariant: bits ≤ 32")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use std::collections::BTreeSet;

    use super::{Recipe, each};

    fn features(text: &str, pairs: bool, runs: Option<(usize, usize)>) -> Vec<u32> {
        let mut found = Vec::new();
        each(text, &Recipe { bits: 18, pairs, runs }, &mut |bucket| found.push(bucket));
        found
    }

    #[test]
    fn words_marks_and_characters_without_blanks_are_features() {
        assert_eq!(features("Say hello, world", false, None).len(), 4);
        assert_eq!(features("你好 мир", false, None).len(), 3);
        assert_eq!(features("", true, Some((3, 4))), Vec::<u32>::new());
    }

    #[test]
    fn case_and_blanks_do_not_matter_and_order_does_where_pairs_are_taken() {
        assert_eq!(features("Say  HELLO\n", true, None), features("say hello", true, None));
        let set =
            |text: &str, pairs| features(text, pairs, None).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(set("one two", false), set("two one", false));
        assert_ne!(set("one two", true), set("two one", true));
    }

    #[test]
    fn runs_are_of_their_lengths_with_the_ends_of_words_marked() {
        // \u{2}ab\u{3}: two of three, one of four, and the word.
        assert_eq!(features("ab", false, Some((3, 4))).len(), 4);
        assert_eq!(features("a", false, Some((3, 4))).len(), 2);
    }

    #[test]
    fn hashes_stay_as_they_are_since_trained_weights_rest_on_them() {
        assert_eq!(
            features("Stay as you are", true, Some((4, 4)))[..4].to_vec(),
            vec![235_843, 37_112, 238_928, 35_583]
        );
    }
}
