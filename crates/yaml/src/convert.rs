//! From checked JSON to a type by serde, keeping the path at which a type's own reading refused.
//! serde_json does the same without the path.

use std::fmt::Display;

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer,
    MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value as Json};

use crate::path::{Path, Step};

mod key;

use key::KeyReader;

/// Reads a type; when it refuses, says where and why.
pub(crate) fn convert<T: DeserializeOwned>(json: Json) -> Result<T, (Path, String)> {
    T::deserialize(Reader(json)).map_err(|misfit| {
        let steps = misfit.steps.into_iter().rev().collect();
        (Path(steps), misfit.message)
    })
}

/// Why a type refused, and the steps to where, innermost first.
#[derive(Debug)]
struct Misfit {
    steps: Vec<Step>,
    message: String,
}

impl Misfit {
    fn under(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl Error for Misfit {
    fn custom<T: Display>(message: T) -> Self {
        Self { steps: Vec::new(), message: message.to_string() }
    }
}

/// Reads one value.
struct Reader(Json);

impl IntoDeserializer<'_, Misfit> for Reader {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Reader {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Json::Array(items) => visitor.visit_seq(Items { items: items.into_iter(), index: 0 }),
            Json::Object(entries) => visitor.visit_map(Entries::of(entries)),
            scalar => scalar.deserialize_any(visitor).map_err(Misfit::custom),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        // serde_json's own types (RawValue) come under such names and are only read by itself.
        if name.starts_with("$serde_json") {
            return self.0.deserialize_newtype_struct(name, visitor).map_err(Misfit::custom);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let entries = match self.0 {
            Json::String(name) => return visitor.visit_enum(StringDeserializer::new(name)),
            Json::Object(entries) => entries,
            _ => return Err(Misfit::custom("expected text or a map with a single key")),
        };
        let mut entries = entries.into_iter();
        match (entries.next(), entries.next()) {
            (Some((name, value)), None) => visitor.visit_enum(Variant { name, value }),
            _ => Err(Misfit::custom("expected a map with a single key")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The elements of a list that were not read yet.
struct Items {
    items: std::vec::IntoIter<Json>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misfit> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        let value = seed.deserialize(Reader(item));
        value.map(Some).map_err(|misfit| misfit.under(Step::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of a map that were not read yet.
struct Entries {
    entries: serde_json::map::IntoIter,
    next: Option<(Step, Json)>,
}

impl Entries {
    fn of(entries: Map<String, Json>) -> Self {
        Self { entries: entries.into_iter(), next: None }
    }
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Misfit;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misfit> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        let step = Step::Key(key.as_str().into());
        self.next = Some((step.clone(), value));
        seed.deserialize(KeyReader(key)).map(Some).map_err(|misfit| misfit.under(step))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        let Some((step, value)) = self.next.take() else {
            return Err(Misfit::custom("a value was asked for before its key"));
        };
        seed.deserialize(Reader(value)).map_err(|misfit| misfit.under(step))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// The branch of an enum that is written as a key with a value.
struct Variant {
    name: String,
    value: Json,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Misfit;
    type Variant = Held;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Held), Misfit> {
        let step = Step::Key(self.name.as_str().into());
        let name = seed.deserialize(KeyReader(self.name))?;
        Ok((name, Held { step, value: self.value }))
    }
}

/// What a branch of an enum holds.
struct Held {
    step: Step,
    value: Json,
}

impl<'de> VariantAccess<'de> for Held {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        self.newtype_variant_seed(std::marker::PhantomData)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Misfit> {
        seed.deserialize(Reader(self.value)).map_err(|misfit| misfit.under(self.step))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        Reader(self.value).deserialize_any(visitor).map_err(|misfit| misfit.under(self.step))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        Reader(self.value).deserialize_any(visitor).map_err(|misfit| misfit.under(self.step))
    }
}
