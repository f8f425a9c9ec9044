//! The description of the API: an OpenAPI 3.1 document, made from the types and handlers.

use serde_json::Value;
use utoipa::OpenApi;

use super::{page, routes, sketches, watching};

/// Left out if empty, although the type is not optional: a group of quantiles without values.
const SOMETIMES_ABSENT: [(&str, &str); 1] = [("Packets", "rates")];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "pktvisor agent",
        description = "The current traffic: packets, DNS and transactions, in periods of 60 seconds. \
                       Every path answers GET and HEAD; every error is {\"error\": \"one sentence\"}."
    ),
    tags(
        (name = "metrics", description = "What was measured"),
        (name = "packets", description = "What was captured"),
        (name = "agent", description = "The agent itself"),
        (name = "page", description = "A web page that shows the metrics")
    ),
    paths(
        routes::app, routes::rates, routes::series, routes::findings, routes::bucket, routes::window, routes::rolling, sketches::sketches, watching::focus, watching::packets, routes::metrics,
        routes::description, routes::health, page::page_of, page::style_of, page::script_of
    )
)]
struct Description;

/// The OpenAPI document.
pub fn document() -> Value {
    // Made of maps with string keys, which always have a JSON form.
    let mut document = serde_json::to_value(Description::openapi()).unwrap_or_default();
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        for (name, schema) in schemas {
            describe_as_sent(name, schema);
        }
    }
    document
}

/// The types have a default for every key, for readers of older agents. This agent sends all keys
/// except optional ones without a value, which it leaves out instead of sending null.
fn describe_as_sent(name: &str, schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let mut required = Vec::new();
    for (key, property) in properties {
        if let Some(property) = property.as_object_mut() {
            property.remove("default");
        }
        let is_optional = strip_null(property);
        if !is_optional && !SOMETIMES_ABSENT.contains(&(name, key)) {
            required.push(Value::from(key.as_str()));
        }
    }
    object.insert("required".to_owned(), Value::Array(required));
}

/// Removes the null alternative from a schema. Returns whether it had one.
fn strip_null(schema: &mut Value) -> bool {
    if let Some(types) = schema.get_mut("type").filter(|types| types.is_array()) {
        let kept = types.as_array().and_then(|types| types.iter().find(|kind| *kind != "null")).cloned();
        *types = kept.unwrap_or_default();
        return true;
    }
    let Some(alternatives) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else { return false };
    let before = alternatives.len();
    alternatives.retain(|alternative| alternative["type"] != "null");
    if alternatives.len() == before {
        return false;
    }
    if let [only] = alternatives.as_slice() {
        let mut only = only.clone();
        if let (Some(kept), Some(description)) = (only.as_object_mut(), schema.get("description")) {
            kept.insert("description".to_owned(), description.clone());
        }
        *schema = only;
    }
    true
}
