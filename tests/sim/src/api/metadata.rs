//! What the API server does to any object's metadata: what it takes from a client, what it sets itself, and its rules.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::strings;
use super::refusal::{Causes, Refusal};
use super::store::{Key, Kind};

const INVALID: &str = "FieldValueInvalid";

/// What only the server sets, and an update leaves as it is.
const FIXED: &[&str] = &[
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
    "generation",
    "generateName",
];

/// The metadata of an object that is created now.
pub fn create(key: &Key, object: &mut Value, uid: String, now: Timestamp) -> Result<(), Refusal> {
    if object["metadata"]["resourceVersion"].as_str().is_some_and(|version| !version.is_empty()) {
        return Err(Refusal::internal("resourceVersion should not be set on objects to be created"));
    }
    object["apiVersion"] = json!(key.0.api_version());
    object["kind"] = json!(key.0.word());
    object["metadata"]["name"] = json!(key.2);
    if !key.1.is_empty() {
        object["metadata"]["namespace"] = json!(key.1);
    }
    object["metadata"]["uid"] = json!(uid);
    object["metadata"]["creationTimestamp"] = json!(seconds(now));
    if matches!(key.0, Kind::Class | Kind::Slice) {
        object["metadata"]["generation"] = json!(1);
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
            metadata.remove(field);
        }
    }
    tidy(object);
    let causes = check(object);
    if causes.is_empty() { Ok(()) } else { Err(Refusal::invalid(key, &causes)) }
}

/// The metadata of a new state of an object. `patched`: the server itself made it of the old one and a patch.
pub fn update(key: &Key, old: &Value, new: &mut Value, patched: bool) -> Result<(), Refusal> {
    let before = &old["metadata"];
    let said = |new: &Value, field: &str| new["metadata"][field].as_str().unwrap_or_default().to_owned();
    let version = said(new, "resourceVersion");
    let unconditional = version.is_empty() || version == "0";
    if unconditional && matches!(key.0, Kind::Class) {
        let causes = vec![("metadata.resourceVersion".to_owned(), INVALID)];
        return Err(Refusal::wrong(key.0.plural(), key.0.group(), &key.2, &causes));
    }
    let number = version.parse::<u64>();
    if let (false, Err(error)) = (version.is_empty(), number) {
        return Err(Refusal::internal(error.to_string()));
    }
    let uid = said(new, "uid");
    let other_uid = !uid.is_empty() && before["uid"] != uid;
    if other_uid && !patched {
        return Err(Refusal::other_uid(key, &uid, before["uid"].as_str().unwrap_or_default()));
    }
    if !unconditional && before["resourceVersion"] != version {
        return Err(Refusal::modified(key));
    }
    let mut causes = Causes::new();
    if other_uid {
        causes.push(("metadata.uid".to_owned(), INVALID));
    }
    if before["deletionTimestamp"].is_null() && !new["metadata"]["deletionTimestamp"].is_null() {
        causes.push(("metadata.deletionTimestamp".to_owned(), INVALID));
    }
    for field in FIXED {
        match &before[*field] {
            Value::Null => _ = new["metadata"].as_object_mut().map(|metadata| metadata.remove(*field)),
            value => new["metadata"][*field] = value.clone(),
        }
    }
    for field in ["apiVersion", "kind"] {
        new[field] = old[field].clone();
    }
    tidy(new);
    causes.extend(check(new));
    let had = strings(&before["finalizers"]);
    let added = strings(&new["metadata"]["finalizers"]).iter().any(|finalizer| !had.contains(finalizer));
    if added && !before["deletionTimestamp"].is_null() {
        causes.push(("metadata.finalizers".to_owned(), "FieldValueForbidden"));
    }
    if causes.is_empty() { Ok(()) } else { Err(Refusal::invalid(key, &causes)) }
}

/// Counts changes of what is wished, for the kinds that have such a number.
pub fn count_generation(key: &Key, old: &Value, new: &mut Value) {
    let wish = |object: &Value| match key.0 {
        Kind::Class => json!([object["spec"]]),
        Kind::Slice => json!([object["endpoints"], object["ports"], object["metadata"]["labels"]]),
        _ => Value::Null,
    };
    if wish(old) != wish(new) {
        new["metadata"]["generation"] = json!(old["metadata"]["generation"].as_u64().unwrap_or_default() + 1);
    }
}

/// Kubernetes' times have seconds.
pub fn seconds(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An optional prefix that is a domain name, a slash, and a name.
pub fn is_qualified_name(text: &str) -> bool {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    prefix.is_none_or(is_subdomain) && !name.is_empty() && is_label_value(name)
}

fn check(object: &Value) -> Causes {
    let metadata = &object["metadata"];
    let mut causes = Causes::new();
    let mut wrong = |field: String| causes.push((field, INVALID));
    let name = metadata["name"].as_str().unwrap_or_default();
    let is_service = object["kind"] == "Service";
    if !is_subdomain(name) || is_service && name.contains('.') {
        wrong("metadata.name".to_owned());
    }
    for (key, value) in metadata["labels"].as_object().into_iter().flatten() {
        if !is_qualified_name(key) || !is_label_value(value.as_str().unwrap_or_default()) {
            wrong("metadata.labels".to_owned());
        }
    }
    for (key, _) in metadata["annotations"].as_object().into_iter().flatten() {
        if !is_qualified_name(&key.to_lowercase()) {
            wrong("metadata.annotations".to_owned());
        }
    }
    for (place, finalizer) in strings(&metadata["finalizers"]).iter().enumerate() {
        if !is_qualified_name(finalizer) || !finalizer.contains('/') {
            wrong(format!("metadata.finalizers[{place}]"));
        }
    }
    causes
}

/// What is empty is not there.
fn tidy(object: &mut Value) {
    for part in ["metadata", "spec", "status"] {
        let empty = |value: &Value| match value {
            Value::Null => true,
            Value::Array(list) => list.is_empty() && part == "metadata",
            Value::Object(map) => map.is_empty() && part == "metadata",
            _ => false,
        };
        if let Some(part) = object[part].as_object_mut() {
            part.retain(|_, value| !empty(value));
        }
    }
    if let Some(object) = object.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
}

fn is_subdomain(text: &str) -> bool {
    let label = |label: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        edge(label.chars().next())
            && edge(label.chars().last())
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn is_label_value(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && edge(text.chars().next())
        && edge(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}
