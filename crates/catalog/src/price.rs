//! What tokens cost: rates, dearer tiers for long inputs, other rates at some hours; applied to
//! what an attempt used, exactly.

use ir::{Money, Rate, Tokens, Usage};

/// The price of one model at one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// What holds when no tier and no hour says otherwise.
    pub base: Rates,
    /// The prices of a whole request whose input is longer, the longest last.
    pub tiers: Vec<Tier>,
    /// Prices that replace `base` at some hours of the day.
    pub hours: Vec<Hours>,
    /// The version of the list it stands in, or the record it comes from.
    pub version: String,
}

/// The prices of tokens by what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Input.
    pub input: Rate,
    /// Input read from a cache; as `input` where nothing else is said.
    pub cached_input: Option<Rate>,
    /// Input written to a cache; as `input` where nothing else is said.
    pub cache_write: Option<Rate>,
    /// Output.
    pub output: Rate,
    /// Reasoning; as `output` where nothing else is said.
    pub reasoning: Option<Rate>,
}

/// The rates of requests with more input than `above`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// The most input tokens, cached ones included, of the tier below.
    pub above: Tokens,
    /// Its rates, for the whole request.
    pub rates: Rates,
}

/// The rates of some hours of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// The minute of the day, UTC, from which they hold.
    pub from: u16,
    /// The minute of the day, UTC, until which they hold; past midnight when it is the earlier.
    pub until: u16,
    /// The rates.
    pub rates: Rates,
}

impl Price {
    /// Returns what an attempt cost that began at a moment, in milliseconds since 1970 UTC.
    pub fn cost(&self, used: &Usage, at_ms: i64) -> Money {
        let rates = self.rates(used.input, at_ms);
        let fresh = used.input.less(used.cached_input).less(used.cache_write);
        let cached = used.cached_input.min(used.input);
        let written = used.cache_write.min(used.input.less(cached));
        let reasoning = used.reasoning.min(used.output);
        Money::of([
            (fresh, rates.input),
            (cached, rates.cached_input.unwrap_or(rates.input)),
            (written, rates.cache_write.unwrap_or(rates.input)),
            (used.output.less(reasoning), rates.output),
            (reasoning, rates.reasoning.unwrap_or(rates.output)),
        ])
    }

    /// Returns the rates of a request with that much input at that moment. A tier counts before an
    /// hour: it is the dearer rule, and no list has both for one model.
    pub fn rates(&self, input: Tokens, at_ms: i64) -> Rates {
        if let Some(tier) = self.tiers.iter().rev().find(|tier| input > tier.above) {
            return tier.rates;
        }
        let minute = u16::try_from(at_ms.div_euclid(60_000).rem_euclid(1_440)).unwrap_or(0);
        let now = |hours: &&Hours| {
            if hours.from <= hours.until {
                (hours.from..hours.until).contains(&minute)
            } else {
                minute >= hours.from || minute < hours.until
            }
        };
        self.hours.iter().find(now).map_or(self.base, |hours| hours.rates)
    }
}

#[cfg(test)]
mod tests {
    use ir::{Money, Rate, Tokens, Usage};
    use proptest::prelude::*;

    use super::{Hours, Price, Rates, Tier};

    fn rates(input: i64, output: i64) -> Rates {
        Rates {
            input: Rate(input * 1_000),
            cached_input: None,
            cache_write: None,
            output: Rate(output * 1_000),
            reasoning: None,
        }
    }

    fn price() -> Price {
        let cached = Rates { cached_input: Some(Rate(100_000_000)), ..rates(1_000_000, 2_000_000) };
        Price {
            base: cached,
            tiers: vec![Tier { above: Tokens(1_000), rates: rates(3_000_000, 4_000_000) }],
            hours: vec![Hours { from: 60, until: 120, rates: rates(5_000_000, 6_000_000) }],
            version: "v".into(),
        }
    }

    fn used(input: u64, cached: u64, output: u64) -> Usage {
        Usage {
            input: Tokens(input),
            cached_input: Tokens(cached),
            output: Tokens(output),
            ..Usage::default()
        }
    }

    #[test]
    fn cached_input_has_its_own_rate() {
        assert_eq!(price().cost(&used(100, 40, 10), 0), Money(60 * 1_000 + 40 * 100 + 10 * 2_000));
    }

    #[test]
    fn a_tier_prices_the_whole_request() {
        assert_eq!(price().cost(&used(1_000, 0, 0), 0), Money(1_000 * 1_000));
        assert_eq!(price().cost(&used(1_001, 0, 1), 0), Money(1_001 * 3_000 + 4_000));
    }

    #[test]
    fn some_hours_cost_more() {
        let hour = 3_600_000;
        assert_eq!(price().cost(&used(1, 0, 0), hour - 1), Money(1_000));
        assert_eq!(price().cost(&used(1, 0, 0), hour), Money(5_000));
        assert_eq!(price().cost(&used(1, 0, 0), 2 * hour), Money(1_000));
    }

    proptest! {
        /// Sub-counts a provider gets wrong never make the sum of tokens larger than what was used.
        #[test]
        fn no_token_is_charged_twice(input in 0_u64..900, cached in 0_u64..2_000, write in 0_u64..2_000, output in 0_u64..900, reasoning in 0_u64..2_000) {
            let flat = Price { base: rates(1_000, 1_000), tiers: vec![], hours: vec![], version: String::new() };
            let used = Usage {
                input: Tokens(input), cached_input: Tokens(cached), cache_write: Tokens(write),
                output: Tokens(output), reasoning: Tokens(reasoning), ..Usage::default()
            };
            prop_assert_eq!(flat.cost(&used, 0), Money(i64::try_from(input + output).unwrap()));
        }
    }
}
