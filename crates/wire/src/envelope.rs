//! Envelopes: how something opaque of a provider's travels through a client of another dialect
//! and back, so that a signature of turn k is there again in turn k+1.
//!
//! Every dialect has a place for a text that clients send back unread: a signature, encrypted
//! content, a thought signature. A foreign one is sealed into that text, and opened again when the
//! conversation returns.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ir::{Dialect, Opaque, RawJson};

/// What every envelope begins with.
const MARK: &str = "pm1.";

/// Which part an envelope belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The part it stands on.
    This,
    /// The part after it: the dialect has no place on that part itself.
    Next,
}

/// Seals something opaque into a text of letters, digits, `-`, `_` and `.`.
pub(crate) fn seal(opaque: &Opaque, of: Of) -> String {
    let of = if of == Of::This { "this" } else { "next" };
    let text = URL_SAFE_NO_PAD.encode(opaque.raw.text());
    format!("{MARK}{of}.{}.{text}", opaque.dialect.name())
}

/// What envelopes begin with: as they are, and once more in base64, as clients of Gemini hold them.
const BEGINNINGS: [&[u8]; 4] =
    [b"\"pm1.this.", b"\"pm1.next.", b"\"cG0xLnRoaXMu", b"\"cG0xLm5leHQu"];

/// Returns whether a string of JSON, with its quotes, begins as an envelope does.
pub(crate) fn begins(string: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| string.starts_with(beginning))
}

/// Returns whether a text is an envelope, or was one before something happened to it: no
/// provider's own begins so.
pub(crate) fn marked(text: &str) -> bool {
    text.starts_with(MARK)
}

/// Opens an envelope; any other text is none.
pub(crate) fn open(text: &str) -> Option<(Opaque, Of)> {
    let (of, rest) = text.strip_prefix(MARK)?.split_once('.')?;
    let (dialect, text) = rest.split_once('.')?;
    let of = match of {
        "this" => Of::This,
        "next" => Of::Next,
        _ => return None,
    };
    let dialect = Dialect::named(dialect)?;
    let raw = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    Some((Opaque { dialect, raw: RawJson::parse(raw).ok()? }, of))
}

#[cfg(test)]
mod tests {
    use ir::{Dialect, Opaque, RawJson};

    use super::{Of, open, seal};

    #[test]
    fn what_is_sealed_opens_and_nothing_else_does() {
        let opaque = Opaque { dialect: Dialect::Gemini, raw: RawJson::string("a+b/é==") };
        for of in [Of::This, Of::Next] {
            assert_eq!(open(&seal(&opaque, of)), Some((opaque.clone(), of)));
        }
        for other in ["", "pm1.", "EqQBCkYIAR", "pm1.this.gemini.%%", "pm1.this.latin.e30"] {
            assert_eq!(open(other), None, "{other}");
        }
    }
}
