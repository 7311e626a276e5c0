//! Cache points: "cache the prompt up to here", as blocks among the others.
//!
//! Only some models take them, and not all of those among the tools or with a time; more than four
//! are refused, so of more the last ones stay, which hold the longest prompts.

use ir::CacheMark;
use ir::dialect::CacheMarks;

use crate::json;
use crate::losses::Losses;

/// How many points a request may have.
const MOST: usize = 4;

/// A block, written.
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// Where its mark stood, of a cache point.
    point: Option<String>,
}

impl Block {
    /// Returns whether this is a cache point.
    pub(super) fn is_point(&self) -> bool {
        self.point.is_some()
    }
}

impl From<Vec<u8>> for Block {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, point: None }
    }
}

/// Where a point is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    /// Among what is said.
    Texts,
    /// Among the tools.
    Tools,
}

/// Writes the point after what carries a mark, or notes why there is none.
pub(super) fn point(
    mark: Option<&CacheMark>,
    path: &str,
    among: Among,
    marks: CacheMarks,
    losses: &mut Losses,
) -> Option<Block> {
    let mark = mark?;
    let path = format!("{path}.cache");
    let ttl = match (marks, among) {
        (CacheMarks::CachePoint, _) => mark.ttl.as_ref(),
        (CacheMarks::CachePointText, Among::Texts) => {
            if mark.ttl.is_some() {
                losses.because(format!("{path}.ttl"), "the model takes no time for it");
            }
            None
        }
        (CacheMarks::CachePointText, Among::Tools) => {
            losses.because(path, "the model takes no cache points among tools");
            return None;
        }
        (CacheMarks::None | CacheMarks::CacheControl, _) => {
            losses.because(path, "the model takes no cache points");
            return None;
        }
    };
    let mut bytes = Vec::new();
    json::object(&mut bytes, |block| {
        block.nest("cachePoint", |point| {
            point.field("type", "default");
            point.optional("ttl", ttl);
        });
    });
    Some(Block { bytes, point: Some(path) })
}

/// Keeps the last points of a request's lists of blocks, which come in the order of the prompt.
pub(super) fn bound<'b>(
    lists: impl DoubleEndedIterator<Item = &'b mut Vec<Block>>,
    losses: &mut Losses,
) {
    let mut left = MOST;
    let mut dropped = Vec::new();
    for list in lists.rev() {
        for at in (0..list.len()).rev() {
            if !list[at].is_point() {
                continue;
            }
            if left > 0 {
                left -= 1;
            } else {
                dropped.extend(list.remove(at).point);
            }
        }
    }
    for path in dropped.into_iter().rev() {
        losses.because(path, format!("a request has at most {MOST} cache points"));
    }
}
