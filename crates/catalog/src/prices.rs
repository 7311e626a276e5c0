//! The shipped price list: `catalog/prices.json`, made by `cargo xtask prices`.

use std::collections::BTreeMap;

use ir::{Rate, Tokens};
use serde::Deserialize;

use crate::price::{Hours, Price, Rates, Tier};

const LIST: &str = include_str!("../../../catalog/prices.json");

/// The price list.
#[derive(Debug, Deserialize)]
pub(crate) struct List {
    version: String,
    on: String,
    providers: BTreeMap<String, BTreeMap<String, Entry>>,
}

/// A model of the list.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) context: Option<u64>,
    price: ListedRates,
    #[serde(default)]
    tiers: Vec<ListedTier>,
    #[serde(default)]
    hours: Vec<ListedHours>,
    #[serde(default)]
    also: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct ListedRates {
    #[serde(default)]
    input: String,
    cached_input: Option<String>,
    cache_write: Option<String>,
    #[serde(default)]
    output: String,
    output_reasoning: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ListedTier {
    above: u64,
    #[serde(flatten)]
    rates: ListedRates,
}

#[derive(Debug, Deserialize)]
struct ListedHours {
    from: String,
    to: String,
    #[serde(flatten)]
    rates: ListedRates,
}

/// Parses the shipped list.
pub(crate) fn shipped() -> List {
    serde_json::from_str(LIST).expect("invariant: the shipped price list is tested to be sound")
}

impl List {
    /// Returns the version that ledger rows name: the package's release and the day whose prices
    /// were taken, since the same release says other things on other days.
    pub(crate) fn version(&self) -> String {
        format!("{}@{}", self.version, self.on)
    }

    /// Finds a model by its id or one of its other names.
    pub(crate) fn find(&self, provider: &str, model: &str) -> Option<&Entry> {
        let models = self.providers.get(provider)?;
        let other = || models.values().find(|entry| entry.also.iter().any(|also| also == model));
        models.get(model).or_else(other)
    }

    /// Iterates over the models of a provider.
    pub(crate) fn models(&self, provider: &str) -> impl Iterator<Item = (&String, &Entry)> {
        self.providers.get(provider).into_iter().flatten()
    }

    /// Returns whether the list has a provider of that id.
    pub(crate) fn knows(&self, provider: &str) -> bool {
        self.providers.contains_key(provider)
    }

    /// Converts an entry; one without an input price or an output price has no token price.
    pub(crate) fn price(&self, entry: &Entry) -> Option<Price> {
        let hours = entry.hours.iter().map(|hours| {
            let (from, until) = (minute(&hours.from)?, minute(&hours.to)?);
            Some(Hours { from, until, rates: rates(&hours.rates)? })
        });
        let tier = |tier: &ListedTier| {
            Some(Tier { above: Tokens(tier.above), rates: rates(&tier.rates)? })
        };
        let mut tiers = entry.tiers.iter().map(tier).collect::<Option<Vec<_>>>()?;
        tiers.sort_by_key(|tier| tier.above);
        Some(Price {
            base: rates(&entry.price)?,
            tiers,
            hours: hours.collect::<Option<_>>()?,
            version: self.version(),
        })
    }

    /// Converts the entry of a model that writes nothing, so that only its input has a price.
    pub(crate) fn price_of_input(&self, entry: &Entry) -> Option<Price> {
        let price = ListedRates { output: "0".to_owned(), ..entry.price.clone() };
        let base = rates(&price)?;
        Some(Price { base, tiers: Vec::new(), hours: Vec::new(), version: self.version() })
    }
}

fn rates(listed: &ListedRates) -> Option<Rates> {
    let rate = |text: &str| Rate::per_million(text).ok();
    let optional = |text: &Option<String>| match text {
        None => Some(None),
        Some(text) => rate(text).map(Some),
    };
    Some(Rates {
        input: rate(&listed.input)?,
        cached_input: optional(&listed.cached_input)?,
        cache_write: optional(&listed.cache_write)?,
        output: rate(&listed.output)?,
        reasoning: optional(&listed.output_reasoning)?,
    })
}

/// Reads `HH:MM` as a minute of the day.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::shipped;

    #[test]
    fn every_shipped_price_can_be_kept_exactly() {
        let list = shipped();
        let mut unpriced = Vec::new();
        for (provider, models) in &list.providers {
            for (model, entry) in models {
                let embedding = entry.price.output.is_empty() || entry.price.input.is_empty();
                if !embedding && list.price(entry).is_none() {
                    unpriced.push(format!("{provider}/{model}"));
                }
            }
        }
        assert_eq!(unpriced, Vec::<String>::new());
        assert!(list.providers.len() > 30, "the list is not cut short");
    }
}
