//! Vectors, kept as they came: the digits of a provider's numbers, or its base64. Only a client
//! that asked for the other spelling gets it, by way of 32-bit floats.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ir::{Extras, RawJson};

use crate::json;

/// No number of a vector is as large as this.
const WILD: f32 = 10_000.0;

/// How vectors are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// A list of numbers.
    Float,
    /// 32-bit floats, little-endian, in base64.
    Base64,
}

/// A vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    /// A list of numbers, or a text in base64, as it came.
    pub raw: RawJson,
    /// What else stood beside it.
    pub extras: Extras,
}

impl Vector {
    /// Writes the vector in an encoding; without one, and where it cannot be turned into the other,
    /// as it came.
    pub(super) fn write(&self, out: &mut Vec<u8>, encoding: Option<Encoding>) {
        let text = self.raw.text();
        let packed = text.starts_with('"');
        match encoding {
            Some(Encoding::Float) if packed => {
                if let Some(floats) = unpacked(text) {
                    json::value(out, &floats);
                    return;
                }
            }
            Some(Encoding::Base64) if !packed => {
                if let Ok(floats) = serde_json::from_str::<Vec<f32>>(text) {
                    let bytes: Vec<u8> = floats.into_iter().flat_map(f32::to_le_bytes).collect();
                    json::value(out, &STANDARD.encode(bytes));
                    return;
                }
            }
            _ => {}
        }
        out.extend_from_slice(text.as_bytes());
    }
}

fn unpacked(text: &str) -> Option<Vec<f32>> {
    let packed: String = serde_json::from_str(text).ok()?;
    let bytes = STANDARD.decode(packed).ok()?;
    let (floats, rest) = bytes.as_chunks::<4>();
    let floats: Vec<f32> = floats.iter().copied().map(f32::from_le_bytes).collect();
    // Some hosts pack bytes and not floats (Perplexity): read as floats those are wild, and no
    // vector is.
    let tame = |float: &f32| float.abs() < WILD;
    (rest.is_empty() && floats.iter().all(tame)).then_some(floats)
}
