//! The blended prices of the article that set this project off: one number for input and output
//! together at some mix. For comparing with the article; the ledger never uses them.

use ir::Rate;
use schemars::JsonSchema;
use serde::Deserialize;
use yaml::{Document, Vars};

use crate::record::{Decimal, Source};

const LIST: &str = include_str!("../../../catalog/blended.yaml");

/// Blended prices and the mix they are said to hold at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blended {
    /// Where they were read.
    pub source: Source,
    /// Parts of input to parts of output.
    pub mix: Mix,
    /// The prices.
    pub models: Vec<Blend>,
}

/// Parts of input to parts of output.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// Parts of input.
    pub input: Decimal,
    /// Parts of output.
    pub output: Decimal,
}

/// One blended price.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blend {
    /// The model.
    pub model: String,
    /// Dollars per million tokens of either kind.
    pub usd_per_million: Decimal,
}

impl Blended {
    /// Returns the shipped list.
    pub fn shipped() -> Self {
        let document = Document::parse("catalog/blended.yaml", LIST, Vars::Keep);
        document
            .and_then(|document| document.read())
            .expect("invariant: shipped data is tested to be sound")
    }
}

impl Blend {
    /// Returns the price as a rate.
    pub fn rate(&self) -> Option<Rate> {
        Rate::per_million(&self.usd_per_million.0).ok()
    }
}
