//! One row of the table of failures: whose errors, under which statuses, with which words, are of
//! which kind. How a row is matched stands here; the rows stand in `rules`.

use ir::Kind;

/// A status that says nothing: the error stood inside a success, so its words decide alone.
pub(super) const SUCCESS: u16 = 200;

/// One row of the table of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The providers it is about; empty for all of them.
    pub families: &'static [&'static str],
    /// The statuses it is about; empty for all of them.
    pub statuses: &'static [u16],
    /// Words, in lower case, one of which must stand in the error's code, type, status, reason or
    /// message.
    pub says: &'static [&'static str],
    /// What such an error is.
    pub kind: Kind,
    /// Where the row comes from.
    pub proof: Proof,
}

/// Where a row of the table comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A body that was recorded or reported, and is among the tests.
    Met,
    /// A page that shows or documents it; no body of it is among the tests.
    Page(&'static str),
}

impl Rule {
    /// States a row that a body among the tests meets.
    pub(super) const fn met(
        families: &'static [&'static str],
        statuses: &'static [u16],
        says: &'static [&'static str],
        kind: Kind,
    ) -> Self {
        Self { families, statuses, says, kind, proof: Proof::Met }
    }

    /// Names the page a row without such a body comes from.
    pub(super) const fn page(self, page: &'static str) -> Self {
        Self { proof: Proof::Page(page), ..self }
    }

    /// Returns whether a row is about an error; `words` are in lower case.
    pub(super) fn fits(&self, family: &str, status: u16, words: &str) -> bool {
        (self.families.is_empty() || self.families.contains(&family))
            && (self.statuses.is_empty() || status == SUCCESS || self.statuses.contains(&status))
            && self.says.iter().any(|says| words.contains(says))
    }

    /// Returns what an error is that no row is about.
    pub fn by_status(status: u16) -> Kind {
        match status {
            401 => Kind::Credential,
            402 => Kind::Credit,
            403 => Kind::Permission,
            // A path or a method that is not there is the base URL's fault, never the caller's.
            404 | 405 | 410 => Kind::ModelUnavailable,
            408 | 504 | 522 | 524 => Kind::Timeout,
            413 => Kind::ContextLengthExceeded,
            // Bedrock: the model failed. Google: somebody on their side cancelled.
            424 | 499 => Kind::ProviderError,
            429 => Kind::RateLimited,
            // Groq and Cohere say 498 when a tier has no capacity.
            498 | 503 | 529 => Kind::Overloaded,
            501 => Kind::Unsupported,
            400..=497 => Kind::InvalidRequest,
            _ => Kind::ProviderError,
        }
    }
}
