//! Small pieces of JSON that several kinds share.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// `2021-07-26T02:46:31Z`
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2021-07-26 02:46:31`, as EIP v1 writes it.
pub fn time_with_space(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `[{"id": …}, …]`
pub fn references<'a>(ids: impl IntoIterator<Item = &'a String>) -> Value {
    ids.into_iter().map(|id| json!({"id": id})).collect()
}

/// One string, or none, as a filter's values.
pub fn one(value: Option<impl ToString>) -> Vec<String> {
    value.iter().map(ToString::to_string).collect()
}

/// Takes fields out that this answer does not have.
pub fn without(object: &mut Value, keys: &[&str]) {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|key, _| !keys.contains(&key.as_str()));
    }
}

/// Puts the fields that a client has set over the usual values.
pub fn overlay(object: &mut Value, set: &Map<String, Value>) {
    for (key, value) in set {
        object[key] = value.clone();
    }
}
