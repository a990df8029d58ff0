//! What the schema of LoadBalancerClass and its rules make of an object.

use serde_json::{Map, Value, json};

use super::refusal::Causes;

/// The fields that the schema knows; others are dropped.
const SPEC: &[&str] = &["allowedNamespaces", "default", "parameters", "provider"];

/// Drops unknown fields, sets defaults and checks.
pub fn complete(old: Option<&Value>, new: &mut Value) -> Result<(), Causes> {
    let prune = |value: &Value, known: &[&str]| -> Option<Map<String, Value>> {
        let fields = value.as_object()?.iter().filter(|(key, _)| known.contains(&key.as_str()));
        Some(fields.map(|(key, value)| (key.clone(), value.clone())).collect())
    };
    let root = prune(new, &["apiVersion", "kind", "metadata", "spec"]);
    *new = root.map_or(Value::Null, Value::Object);
    if let Some(spec) = prune(&new["spec"], SPEC) {
        new["spec"] = Value::Object(spec);
        if new["spec"]["default"].is_null() {
            new["spec"]["default"] = json!(false);
        }
    }
    let causes = check(old, new);
    if causes.is_empty() { Ok(()) } else { Err(causes) }
}

fn check(old: Option<&Value>, new: &Value) -> Causes {
    let spec = &new["spec"];
    // Rules are not checked on what has not even the right shape.
    let misshapen = |field: &str, reason| vec![(field.to_owned(), reason), ("<nil>".to_owned(), "FieldValueInvalid")];
    let provider = match &spec["provider"] {
        _ if !spec.is_object() => return misshapen("spec", "FieldValueRequired"),
        Value::Null => return misshapen("spec.provider", "FieldValueRequired"),
        Value::String(provider) => provider,
        _ => return misshapen("spec.provider", "FieldValueTypeInvalid"),
    };
    let mut causes = Causes::new();
    let mut wrong = |field: &str, reason| causes.push((field.to_owned(), reason));
    let well_formed = provider.starts_with(|c: char| c.is_ascii_lowercase())
        && !provider.ends_with('-')
        && provider.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if provider.len() > 63 || !well_formed || old.is_some_and(|old| old["spec"]["provider"] != *provider) {
        wrong("spec.provider", "FieldValueInvalid");
    }
    let mut parameters = spec["parameters"].as_object().into_iter().flatten().map(|(key, _)| key);
    if parameters.any(|key| !key.contains('/') || key.len() > 317 || key == "ferrolb.io/provider") {
        wrong("spec.parameters", "FieldValueInvalid");
    }
    let namespaces = spec["allowedNamespaces"].as_array().cloned().unwrap_or_default();
    for (place, namespace) in namespaces.iter().enumerate() {
        if namespaces[..place].contains(namespace) {
            wrong(&format!("spec.allowedNamespaces[{place}]"), "FieldValueDuplicate");
        }
    }
    if new["metadata"]["name"].as_str().is_some_and(|name| name.len() > 63) {
        wrong("<nil>", "FieldValueInvalid");
    }
    causes
}
