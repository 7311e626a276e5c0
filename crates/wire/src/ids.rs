//! Ids of tool calls, made to fit where a provider is strict about them.
//!
//! The same id always becomes the same id, so that a result still finds its call.

/// Keeps an id of letters, digits, `_` and `-` up to a length; any other is replaced by a digest.
pub(crate) fn fit(id: &str, longest: usize) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !id.is_empty() && id.len() <= longest && id.bytes().all(plain) {
        return id.to_owned();
    }
    format!("call_{:016x}", digest(id))
}

/// Keeps an id of nine letters and digits; any other is replaced by a digest.
pub(crate) fn nine(id: &str) -> String {
    if id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return id.to_owned();
    }
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut left = digest(id);
    let mut out = String::with_capacity(9);
    for _ in 0..9 {
        out.push(char::from(DIGITS[usize::try_from(left % 62).unwrap_or(0)]));
        left /= 62;
    }
    out
}

/// FNV-1a over 64 bits (Fowler, Noll, Vo).
pub(crate) fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{fit, nine};

    #[test]
    fn an_id_that_fits_stays_and_any_other_is_replaced_alike() {
        assert_eq!(fit("toolu_01-a", 64), "toolu_01-a");
        assert_eq!(fit("functions.get:0", 64), fit("functions.get:0", 64));
        assert_ne!(fit("a.b", 64), fit("a:b", 64));
        assert_eq!(nine("abcDEF123"), "abcDEF123");
        assert_eq!(nine("call_1").len(), 9);
        assert_ne!(nine("call_1"), nine("call_2"));
    }
}
