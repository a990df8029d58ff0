//! What the API server does to an EndpointSlice and to an Event besides storing them.

use serde_json::{Value, json};

/// Fills in what a client may leave out of an EndpointSlice. Lists that are empty are null, as in Go.
pub fn complete(slice: &mut Value) {
    for list in ["endpoints", "ports"] {
        if slice[list].as_array().is_none_or(Vec::is_empty) {
            slice[list] = Value::Null;
        }
    }
    for endpoint in slice["endpoints"].as_array_mut().into_iter().flatten() {
        default(endpoint, "conditions", json!({}));
    }
    for port in slice["ports"].as_array_mut().into_iter().flatten() {
        default(port, "name", json!(""));
        default(port, "protocol", json!("TCP"));
    }
}

/// The fields that an Event has for the sake of older clients.
pub fn complete_event(event: &mut Value) {
    default(event, "deprecatedSource", json!({}));
    for time in ["deprecatedFirstTimestamp", "deprecatedLastTimestamp"] {
        default(event, time, Value::Null);
    }
}

fn default(object: &mut Value, key: &str, value: Value) {
    if object[key].is_null() {
        object[key] = value;
    }
}
