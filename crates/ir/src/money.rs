//! Money without floats: rates in femto-dollars a token, sums in nano-dollars, one rounding.
//!
//! A rate of $1 per million tokens is 10⁹ femto-dollars a token, so every list price with up to
//! nine decimals is exact. A cost is summed exactly in 128 bits and rounded half up once, to a
//! nano-dollar.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A number of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tokens(pub u64);

impl Add for Tokens {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Tokens {
    /// Subtracts, stopping at zero: a provider may report more cached tokens than input.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A price of one token, in femto-dollars (10⁻¹⁵ USD).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub i64);

impl Rate {
    /// Reads dollars per million tokens, such as `0.59`: at most nine decimals, no sign, no
    /// exponent.
    pub fn per_million(text: &str) -> Result<Self, BadRate> {
        let refuse = |why| Err(BadRate { text: text.to_owned(), why });
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) || text.ends_with('.') {
            return refuse("write plain decimal dollars per million tokens, such as 0.59");
        }
        let part = part.trim_end_matches('0');
        if part.len() > 9 {
            return refuse("at most nine decimals can be kept exactly");
        }
        let scaled = format!("{whole}{part:0<9}");
        match scaled.parse() {
            Ok(femto) => Ok(Self(femto)),
            Err(_) => refuse("too large for a price of a token"),
        }
    }

    /// Returns dollars per million tokens as a decimal string.
    pub fn to_per_million(self) -> String {
        decimal(i128::from(self.0), 9)
    }
}

/// A text that is not a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRate {
    text: String,
    why: &'static str,
}

impl fmt::Display for BadRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a price: {}", self.text, self.why)
    }
}

impl std::error::Error for BadRate {}

/// An amount in nano-dollars (10⁻⁹ USD); signed, since savings can be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(pub i64);

impl Money {
    /// Nothing; known to be nothing. An unknown price is `Option::None`, never this.
    pub const ZERO: Self = Self(0);

    /// Sums tokens times rates exactly and rounds once, half up, to a nano-dollar.
    pub fn of(lines: impl IntoIterator<Item = (Tokens, Rate)>) -> Self {
        let femto: i128 =
            lines.into_iter().map(|(tokens, rate)| i128::from(tokens.0) * i128::from(rate.0)).sum();
        let nano = (femto + 500_000).div_euclid(1_000_000);
        Self(i64::try_from(nano).unwrap_or(i64::MAX))
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, |sum, one| sum + one)
    }
}

/// Dollars as an exact decimal, without a currency sign: `0.00059`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal(i128::from(self.0), 9))
    }
}

/// A text that is not an amount of dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadMoney;

impl fmt::Display for BadMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an amount: write plain decimal dollars with at most nine decimals")
    }
}

impl std::error::Error for BadMoney {}

/// Reads what `Display` prints.
impl std::str::FromStr for Money {
    type Err = BadMoney;

    fn from_str(text: &str) -> Result<Self, BadMoney> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || part.len() > 9 || !plain(whole) || !plain(part) {
            return Err(BadMoney);
        }
        let nano: i64 = format!("{whole}{part:0<9}").parse().map_err(|_| BadMoney)?;
        Ok(Self(sign * nano))
    }
}

/// Prints `units` × 10^-`scale` without trailing zeros.
fn decimal(units: i128, scale: usize) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let part = part.trim_end_matches('0');
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Money, Rate, Tokens};

    #[test]
    fn a_list_price_is_exact() {
        assert_eq!(Rate::per_million("3").unwrap(), Rate(3_000_000_000));
        assert_eq!(Rate::per_million("0.59").unwrap(), Rate(590_000_000));
        assert_eq!(Rate::per_million("0.000000001").unwrap(), Rate(1));
        assert_eq!(Rate::per_million("1.2500000").unwrap(), Rate(1_250_000_000));
    }

    #[test]
    fn what_is_no_price_is_refused_with_its_reason() {
        for bad in ["", ".5", "1.", "-1", "1e3", "0.0000000001", "1,5", "99999999999999999999"] {
            assert!(Rate::per_million(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cost_is_rounded_once_and_half_up() {
        let half_a_nano = (Tokens(500), Rate(1_000));
        assert_eq!(Money::of([half_a_nano]), Money(1));
        assert_eq!(Money::of([half_a_nano, half_a_nano]), Money(1), "not 1 + 1");
        assert_eq!(Money::of([(Tokens(499), Rate(1_000))]), Money(0));
    }

    #[test]
    fn money_prints_as_plain_decimal_dollars() {
        assert_eq!(Money(590_000).to_string(), "0.00059");
        assert_eq!(Money(-1_500_000_000).to_string(), "-1.5");
        assert_eq!(Money(0).to_string(), "0");
    }

    proptest! {
        #[test]
        fn a_rate_survives_printing(femto in 0_i64..1_000_000_000_000) {
            let rate = Rate(femto);
            prop_assert_eq!(Rate::per_million(&rate.to_per_million()).unwrap(), rate);
        }

        #[test]
        fn money_survives_printing(nano in -i64::MAX..i64::MAX) {
            prop_assert_eq!(Money(nano).to_string().parse::<Money>(), Ok(Money(nano)));
        }

        #[test]
        fn splitting_tokens_between_lines_costs_the_same(a in 0_u64..1 << 40, b in 0_u64..1 << 40, femto in 0_i64..1 << 32) {
            let rate = Rate(femto);
            prop_assert_eq!(
                Money::of([(Tokens(a), rate), (Tokens(b), rate)]),
                Money::of([(Tokens(a + b), rate)])
            );
        }
    }
}
