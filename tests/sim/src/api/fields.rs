//! Field ownership for server-side apply, for the fields that several parties write on a Service: annotations, labels
//! and finalizers one by one, conditions by type, the ingress list as a whole (it is atomic).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

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
    for condition in object["status"]["conditions"].as_array().into_iter().flatten() {
        if let Some(kind) = condition["type"].as_str() {
            found.insert(format!("conditions/{kind}"), condition.clone());
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
        "ingress" => {
            ensure_object(object, "status");
            let balancer = value.map_or_else(|| json!({}), |list| json!({ "ingress": list }));
            object["status"]["loadBalancer"] = balancer;
        }
        _ => {
            ensure_object(object, "status");
            let mut list = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let at = list.iter().position(|c| c["type"] == name);
            match (at, value) {
                (Some(at), Some(value)) => list[at] = value.clone(),
                (Some(at), None) => drop(list.remove(at)),
                (None, Some(value)) => list.push(value.clone()),
                (None, None) => {}
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

/// Server-side apply of `wished` to `object`. Returns the object and who owns what then, or the first field of which
/// another manager has a different opinion.
pub fn apply(
    object: &Value,
    owners: &Owners,
    manager: &str,
    force: bool,
    wished: &BTreeMap<Path, Value>,
) -> Result<(Value, Owners), String> {
    let current = fields(object);
    let (mut object, mut owners) = (object.clone(), owners.clone());
    for (path, value) in wished.iter().filter(|(path, value)| current.get(*path) != Some(value)) {
        let others = owners.iter_mut().filter(|(other, paths)| *other != manager && paths.contains(path));
        for (other, paths) in others {
            if !force {
                return Err(format!("conflict with {other:?}: {path}"));
            }
            paths.remove(path);
        }
        set(&mut object, path, Some(value));
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
