//! The values of a record under the names that databases use for places and networks.
//!
//! Everything else is skipped without being decoded, so damage there does not matter. Depth and
//! number of values are bounded: a database is outside input.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The maximum depth of maps and lists. MaxMind's schemas need four levels, the record included.
const DEPTH_MAX: u8 = 5;

/// The names of the fields that are decoded.
const NAMES: [&str; 24] = [
    "as",
    "as_name",
    "as_number",
    "asn",
    "autonomous_system_number",
    "autonomous_system_organization",
    "city",
    "code",
    "continent",
    "continent_code",
    "country",
    "country_code",
    "country_name",
    "en",
    "geo",
    "iso_code",
    "name",
    "names",
    "org",
    "region",
    "region_code",
    "state1",
    "subdivisions",
    "traits",
];

/// A value in a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// A text.
    Text(&'a str),
    /// A whole number that is not negative, of any type, floating point included.
    Number(u128),
    /// The fields of a map whose names are in [`NAMES`].
    Map(Vec<(&'static str, Value<'a>)>),
    /// The first element of a list.
    List(Option<Box<Value<'a>>>),
    /// A boolean, octets, a negative number, a fraction, or a value that is nested too deep.
    Other,
}

impl<'a> Value<'a> {
    /// The deserializer of a whole record.
    pub(super) fn seed() -> Seed {
        Seed { depth: 0 }
    }

    /// The value at a path of field names. A list stands for its first element.
    pub(super) fn get(&self, path: &[&str]) -> Option<&Value<'a>> {
        match (self, path) {
            (Self::List(first), _) => first.as_ref()?.get(path),
            (_, []) => Some(self),
            (Self::Map(fields), [name, rest @ ..]) => {
                fields.iter().find(|(field, _)| field == name)?.1.get(rest)
            }
            _ => None,
        }
    }
}

/// Deserializes a [`Value`] that lies `depth` maps and lists deep in its record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed {
    depth: u8,
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        if self.depth >= DEPTH_MAX {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| Value::Other);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value of a MaxMind database")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(text))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<Value<'de>, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(u128::try_from(number).map_or(Value::Other, Value::Number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value<'de>, E> {
        // Beyond 2^53 a double cannot represent every whole number.
        let is_whole = number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number);
        Ok(if is_whole { Value::Number(number as u128) } else { Value::Other })
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let mut fields: Vec<(&'static str, Value<'de>)> = Vec::new();
        while let Some(name) = map.next_key_seed(FieldName)? {
            match name {
                Some(name) if fields.iter().all(|(known, _)| *known != name) => {
                    fields.push((name, map.next_value_seed(Seed { depth: self.depth + 1 })?));
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Map(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value<'de>, A::Error> {
        let first = list.next_element_seed(Seed { depth: self.depth + 1 })?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::List(first.map(Box::new)))
    }
}

/// Deserializes the name of a field: the one in [`NAMES`], or none.
struct FieldName;

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for FieldName {
    type Value = Option<&'static str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a field")
    }

    fn visit_bytes<E: Error>(self, octets: &[u8]) -> Result<Self::Value, E> {
        Ok(NAMES.into_iter().find(|name| name.as_bytes() == octets))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.visit_bytes(text.as_bytes())
    }
}
