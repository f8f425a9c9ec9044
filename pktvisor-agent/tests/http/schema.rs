//! A strict check of JSON against the schemas of the OpenAPI document: no key more, no key less.
//!
//! It knows the few keywords that our document uses, and fails on any other.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Schemas of a document, and which of their keys were seen in an answer.
pub(crate) struct Schemas<'a> {
    document: &'a Value,
    seen: BTreeSet<(String, String)>,
}

impl<'a> Schemas<'a> {
    pub(crate) fn of(document: &'a Value) -> Self {
        Self { document, seen: BTreeSet::new() }
    }

    /// Panics if `value` does not match `schema`.
    pub(crate) fn check(&mut self, schema: &'a Value, value: &Value, place: &str) {
        self.check_named("", schema, value, place);
    }

    /// Keys that the document promises and no answer had.
    pub(crate) fn never_seen(&self) -> Vec<(String, String)> {
        let schemas = self.document["components"]["schemas"].as_object().unwrap();
        let keys = |(name, schema): (&String, &Value)| {
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            let name = name.clone();
            properties.into_iter().map(move |(key, _)| (name.clone(), key)).collect::<Vec<_>>()
        };
        schemas.iter().flat_map(keys).filter(|pair| !self.seen.contains(pair)).collect()
    }

    fn check_named(&mut self, name: &str, schema: &'a Value, value: &Value, place: &str) {
        let schema = schema.as_object().unwrap_or_else(|| panic!("{place}: no schema"));
        for keyword in schema.keys() {
            let known = [
                "$ref",
                "type",
                "enum",
                "description",
                "properties",
                "required",
                "additionalProperties",
                "propertyNames",
                "items",
                "format",
                "minimum",
            ];
            assert!(known.contains(&keyword.as_str()), "{place}: keyword {keyword} is not checked");
        }
        if let Some(reference) = schema.get("$ref") {
            let name = reference.as_str().unwrap().strip_prefix("#/components/schemas/").unwrap();
            let target = &self.document["components"]["schemas"][name];
            return self.check_named(name, target, value, place);
        }
        let types = &schema["type"];
        let is_nullable = types.as_array().is_some_and(|types| types.iter().any(|kind| kind == "null"));
        if is_nullable && value.is_null() {
            return;
        }
        let kind = types.as_array().and_then(|types| types.iter().find(|kind| *kind != "null"));
        match kind.unwrap_or(types).as_str().unwrap_or_else(|| panic!("{place}: no type")) {
            "object" => self.check_object(name, schema, value, place),
            "array" => {
                let items = value.as_array().unwrap_or_else(|| panic!("{place}: {value} is no array"));
                for (index, item) in items.iter().enumerate() {
                    self.check_named("", &schema["items"], item, &format!("{place}[{index}]"));
                }
            }
            "string" => {
                assert!(value.is_string(), "{place}: {value} is no string");
                let allowed = schema.get("enum").and_then(Value::as_array);
                assert!(
                    allowed.is_none_or(|allowed| allowed.contains(value)),
                    "{place}: {value} is not allowed"
                );
            }
            "boolean" => assert!(value.is_boolean(), "{place}: {value} is no boolean"),
            "number" => assert!(value.is_number(), "{place}: {value} is no number"),
            "integer" => {
                assert!(value.is_i64() || value.is_u64(), "{place}: {value} is no integer");
                if let Some(minimum) = schema.get("minimum").and_then(Value::as_i64) {
                    assert!(
                        value.as_i64().is_none_or(|value| value >= minimum),
                        "{place}: {value} is too small"
                    );
                }
            }
            other => panic!("{place}: type {other} is not checked"),
        }
    }

    fn check_object(&mut self, name: &str, schema: &'a Map<String, Value>, value: &Value, place: &str) {
        let object = value.as_object().unwrap_or_else(|| panic!("{place}: {value} is no object"));
        let properties = schema.get("properties").and_then(Value::as_object);
        for (key, value) in object {
            let place = format!("{place}.{key}");
            let property = properties.and_then(|properties| properties.get(key));
            let property = property.or(schema.get("additionalProperties"));
            self.check_named(
                "",
                property.unwrap_or_else(|| panic!("{place} is not described")),
                value,
                &place,
            );
            self.seen.insert((name.to_owned(), key.clone()));
        }
        for key in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            let key = key.as_str().unwrap();
            assert!(object.contains_key(key), "{place}.{key} is missing");
        }
    }
}
