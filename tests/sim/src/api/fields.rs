//! Field ownership for server-side apply, for the fields that several parties write on a Service: annotations, labels
//! and finalizers one by one, conditions by type, the ingress list as a whole (it is atomic).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::store::{Kind, Via};

/// One owned field, like `annotations/example.com/a`.
pub type Path = String;
/// Field managers with what each owns.
pub type Owners = BTreeMap<String, BTreeSet<Path>>;

/// All such fields of an object.
pub fn fields(object: &Value) -> BTreeMap<Path, Value> {
    let mut found = BTreeMap::new();
    let metadata = &object["metadata"];
    for map in ["annotations", "labels"] {
        for (key, value) in metadata[map].as_object().into_iter().flatten() {
            found.insert(format!("{map}/{key}"), value.clone());
        }
    }
    for finalizer in strings(&metadata["finalizers"]) {
        found.insert(format!("finalizers/{finalizer}"), json!(finalizer));
    }
    let ingress = &object["status"]["loadBalancer"]["ingress"];
    if ingress.as_array().is_some_and(|list| !list.is_empty()) {
        found.insert("ingress".to_owned(), ingress.clone());
    }
    // Said without content it is a field of its own.
    if object["status"].as_object().is_some_and(serde_json::Map::is_empty) {
        found.insert("status".to_owned(), json!({}));
    }
    for condition in object["status"]["conditions"].as_array().into_iter().flatten() {
        let Some(kind) = condition["type"].as_str() else { continue };
        found.insert(format!("conditions/{kind}|"), json!(kind));
        for (field, value) in condition.as_object().into_iter().flatten() {
            found.insert(format!("conditions/{kind}|{field}"), value.clone());
        }
    }
    found
}

/// Sets one field of an object, or takes it away.
pub fn set(object: &mut Value, path: &str, value: Option<&Value>) {
    let (group, name) = path.split_once('/').unwrap_or((path, ""));
    match group {
        "annotations" | "labels" => set_in_map(&mut object["metadata"], group, name, value),
        "finalizers" => {
            let mut list = strings(&object["metadata"]["finalizers"]);
            list.retain(|f| f != name);
            if value.is_some() {
                list.push(name.to_owned());
            }
            set_or_remove(&mut object["metadata"], "finalizers", (!list.is_empty()).then(|| json!(list)));
        }
        "status" => {}
        "ingress" => {
            ensure_object(object, "status");
            let balancer = value.map_or_else(|| json!({}), |list| json!({ "ingress": list }));
            object["status"]["loadBalancer"] = balancer;
        }
        _ => {
            ensure_object(object, "status");
            let (kind, field) = name.split_once('|').unwrap_or((name, ""));
            let mut list = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let at = list.iter().position(|c| c["type"] == kind);
            match (at, value) {
                (Some(at), Some(value)) if !field.is_empty() => list[at][field] = value.clone(),
                (Some(at), None) if field.is_empty() => drop(list.remove(at)),
                (Some(at), None) => _ = list[at].as_object_mut().map(|condition| condition.remove(field)),
                (None, Some(value)) if !field.is_empty() => list.push(json!({"type": kind, field: value})),
                (None, Some(_)) => list.push(json!({ "type": kind })),
                _ => {}
            }
            set_or_remove(&mut object["status"], "conditions", (!list.is_empty()).then(|| json!(list)));
        }
    }
}

/// After an ordinary write: whoever changed a field owns it alone; what is gone nobody owns.
pub fn changed(owners: &mut Owners, manager: &str, old: &Value, new: &Value) {
    let (old, new) = (fields(old), fields(new));
    for path in old.keys().chain(new.keys()) {
        if old.get(path) == new.get(path) {
            continue;
        }
        owners.values_mut().for_each(|paths| _ = paths.remove(path));
        if new.contains_key(path) {
            owners.entry(manager.to_owned()).or_default().insert(path.clone());
        }
    }
    owners.retain(|_, paths| !paths.is_empty());
}

/// Who owns by server-side apply to `status`, as conflicts name them.
pub fn applier(manager: &str) -> String {
    format!("{manager:?} with subresource \"status\"")
}

/// Who owns by another write.
pub fn updater(manager: &str, via: Via, kind: Kind) -> String {
    let version = kind.api_version();
    match via {
        Via::Main => format!("{manager:?} using {version}"),
        Via::Status => format!("{manager:?} with subresource \"status\" using {version}"),
    }
}

/// Server-side apply of `wished` to `object`. Returns the object and who owns what then, or the other managers that
/// have a different opinion, each with the field.
pub fn apply(
    object: &Value,
    owners: &Owners,
    manager: &str,
    force: bool,
    wished: &BTreeMap<Path, Value>,
) -> Result<(Value, Owners), Vec<(String, String)>> {
    let current = fields(object);
    let (mut object, mut owners) = (object.clone(), owners.clone());
    let mut conflicts = Vec::new();
    for (path, value) in wished.iter().filter(|(path, value)| current.get(*path) != Some(value)) {
        for (other, paths) in owners.iter_mut().filter(|(other, _)| *other != manager) {
            if paths.remove(path) && !force {
                conflicts.push((other.clone(), place(path)));
            }
        }
        set(&mut object, path, Some(value));
    }
    if !conflicts.is_empty() {
        conflicts.sort();
        return Err(conflicts);
    }
    let before = owners.insert(manager.to_owned(), wished.keys().cloned().collect()).unwrap_or_default();
    for path in before.iter().filter(|path| !wished.contains_key(*path)) {
        if !owners.values().any(|paths| paths.contains(path)) {
            set(&mut object, path, None);
        }
    }
    owners.retain(|_, paths| !paths.is_empty());
    Ok((object, owners))
}

/// A field as conflicts name it.
fn place(path: &str) -> String {
    match path.split_once('/') {
        None => ".status.loadBalancer.ingress".to_owned(),
        Some(("conditions", name)) => {
            let (kind, field) = name.split_once('|').unwrap_or((name, ""));
            format!(".status.conditions[type={kind:?}].{field}")
        }
        Some((map, key)) => format!(".metadata.{map}.{key}"),
    }
}

/// The strings of a list; none where there is no list.
pub fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

fn set_in_map(parent: &mut Value, map: &str, key: &str, value: Option<&Value>) {
    let mut entries = parent[map].as_object().cloned().unwrap_or_default();
    match value {
        Some(value) => _ = entries.insert(key.to_owned(), value.clone()),
        None => _ = entries.remove(key),
    }
    set_or_remove(parent, map, (!entries.is_empty()).then_some(Value::Object(entries)));
}

fn set_or_remove(parent: &mut Value, key: &str, value: Option<Value>) {
    if let Some(parent) = parent.as_object_mut() {
        match value {
            Some(value) => _ = parent.insert(key.to_owned(), value),
            None => _ = parent.remove(key),
        }
    }
}

fn ensure_object(parent: &mut Value, key: &str) {
    if !parent[key].is_object() {
        parent[key] = json!({});
    }
}
