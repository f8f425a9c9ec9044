//! A document of one period, as agents send it, read safely if it contains more.

use std::{fmt, marker::PhantomData};

use pktvisor_api::Period;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

/// The first entry of an object. A period takes kilobytes of memory and `"1m":{}` a few bytes of an
/// answer: further ones, which no agent sends, are skipped rather than kept.
#[derive(Debug)]
pub struct OneEntry<T>(pub Option<(String, T)>);

/// The period of a document and its key.
pub type OnePeriod = OneEntry<Period>;

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneEntry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FirstEntry(PhantomData))
    }
}

struct FirstEntry<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstEntry<T> {
    type Value = OneEntry<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with one period")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OneEntry<T>, A::Error> {
        let first = map.next_entry()?;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(OneEntry(first))
    }
}
