//! From a call to the store and back: methods, bodies, patches, options.

use http::Method;
use serde_json::{Value, json};

use super::lists::list;
use super::refusal::{self, Refusal};
use super::route::{self, Route, parameter};
use super::serve::Call;
use super::store::{Key, Kind, Via};
use crate::process::Plug;
use crate::sim::{Sim, State};

/// The part of a path that says what a refusal calls the options.
const OPTIONS: &[(&Method, &str)] = &[
    (&Method::POST, "CreateOptions"),
    (&Method::PUT, "UpdateOptions"),
    (&Method::PATCH, "PatchOptions"),
    (&Method::DELETE, "DeleteOptions"),
];

/// HTTP status and body of what a call comes to.
pub fn dispatch(s: &mut State, sim: &Sim, plug: &Plug, call: &Call) -> Result<(u16, Value), Refusal> {
    s.tally.api_calls += 1;
    s.law.said(sim.now(), plug, &call.body);
    let route = route::find(&call.path).ok_or_else(Refusal::no_resource)?;
    if let Route::One(key @ (Kind::Class, ..), true) = &route {
        // Our kind has no status.
        return Err(Refusal::not_found(key));
    }
    let dry = is_dry(call)?;
    match (&call.method, route) {
        (&Method::GET, Route::All(kind, namespace)) => Ok((200, list(s, sim, call, kind, namespace.as_deref())?)),
        (&Method::GET, Route::One(key, _)) => Ok((200, get(s, call, &key)?)),
        (&Method::POST, Route::All(kind, namespace)) => {
            let (key, object) = new(s, call, kind, namespace)?;
            s.tally.events += u64::from(kind == Kind::Event);
            tried(s, &key.clone(), dry, |s| Ok((201, s.api.create(key, object, &manager(call), sim.wall())?)))
        }
        (&Method::PUT, Route::One(key, status)) => tried(s, &key, dry, |s| put(s, sim, call, &key, via(status))),
        (&Method::PATCH, Route::One(key, status)) => {
            tried(s, &key, dry, |s| Ok((200, patch(s, sim, plug, call, &key, via(status))?)))
        }
        (&Method::DELETE, Route::One(key, false)) => tried(s, &key, dry, |s| {
            let options = if call.body.is_empty() { Value::Null } else { body(call)? };
            let (object, is_gone) = s.api.delete_if(&key, &options["preconditions"], sim.wall())?;
            let whole = key.0 == Kind::Service || !is_gone;
            Ok((200, if whole { object } else { refusal::deleted(&key, &object) }))
        }),
        _ => Err(Refusal::no_method()),
    }
}

fn get(s: &State, call: &Call, key: &Key) -> Result<Value, Refusal> {
    if let Some(version) = parameter(&call.query, "resourceVersion") {
        let version = version.parse::<u64>().map_err(|e| Refusal::internal(e.to_string()))?;
        if version > s.api.version() {
            return Err(Refusal::future(version));
        }
    }
    s.api.get(key).cloned().ok_or_else(|| Refusal::not_found(key))
}

/// The object of a POST and its key.
fn new(s: &mut State, call: &Call, kind: Kind, namespace: Option<String>) -> Result<(Key, Value), Refusal> {
    let object = body(call)?;
    let namespace = namespace.unwrap_or_default();
    let home = (Kind::Namespace, String::new(), namespace.clone());
    let metadata = &object["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
    let mut name = text("name");
    if name.is_empty() && !text("generateName").is_empty() {
        name = s.api.generate(&text("generateName"));
    }
    let key = (kind, namespace, name);
    fits(&object, &key, true)?;
    if !key.1.is_empty() && key.1 != "default" && s.api.get(&home).is_none() {
        return Err(Refusal::not_found(&home));
    }
    Ok((key, object))
}

fn put(s: &mut State, sim: &Sim, call: &Call, key: &Key, via: Via) -> Result<(u16, Value), Refusal> {
    let new = body(call)?;
    fits(&new, key, false)?;
    if s.api.get(key).is_none() {
        let uid = new["metadata"]["uid"].as_str().unwrap_or_default();
        return match (key.0, via) {
            (Kind::Service | Kind::Lease, Via::Main) if !uid.is_empty() => Err(Refusal::other_uid(key, uid, "")),
            (Kind::Service | Kind::Lease, Via::Main) => {
                Ok((201, s.api.create(key.clone(), new, &manager(call), sim.wall())?))
            }
            _ => Err(Refusal::not_found(key)),
        };
    }
    Ok((200, s.api.replace(key, via, &manager(call), new)?))
}

fn patch(s: &mut State, sim: &Sim, plug: &Plug, call: &Call, key: &Key, via: Via) -> Result<Value, Refusal> {
    let wished = body(call)?;
    let old = s.api.get(key).cloned();
    s.tally.api_writes += 1;
    let force = parameter(&call.query, "force") == Some("true");
    let manager = manager(call);
    let result = match call.content_type.as_str() {
        "application/apply-patch+yaml" if via == Via::Status => {
            if parameter(&call.query, "fieldManager").is_none() {
                return Err(Refusal::options("PatchOptions", &vec![("fieldManager".to_owned(), "FieldValueRequired")]));
            }
            applicable(&wished)?;
            fits(&wished, key, false)?;
            s.api.apply_status(key, &manager, force, &wished)
        }
        _ if force => Err(Refusal::options("PatchOptions", &vec![("force".to_owned(), "FieldValueForbidden")])),
        "application/json-patch+json" => s.api.update(key, via, &manager, |old| {
            let new = json_patch(old, &wished)?;
            fits(&new, key, false)?;
            Ok(new)
        }),
        "application/merge-patch+json" => s.api.update(key, via, &manager, |old| {
            let mut new = old.clone();
            json_patch::merge(&mut new, &wished);
            fits(&new, key, false)?;
            Ok(new)
        }),
        other => Err(Refusal::new(415, "UnsupportedMediaType", other)),
    };
    if let (Some(old), Ok(new), Kind::Service) = (&old, &result, key.0) {
        s.tally.api_effects += u64::from(old != new);
        let State { law, cloud, .. } = s;
        law.wrote(sim.now(), plug, old, new, &wished, cloud);
    }
    result
}

/// As Kubernetes reads a JSON patch: to test what is missing for null holds, and replacing what is missing in an
/// object adds it.
fn json_patch(old: &Value, wished: &Value) -> Result<Value, Refusal> {
    let operations = wished.as_array().ok_or_else(|| Refusal::bad_request("error decoding patch"))?;
    let refused = || Refusal::bare(422, "Invalid", "the server rejected our request due to an error in our request");
    let mut new = old.clone();
    for operation in operations {
        let mut operation = operation.clone();
        let path = operation["path"].as_str().unwrap_or_default().to_owned();
        let parent = path.rsplit_once('/').and_then(|(parent, _)| new.pointer(parent));
        let in_object = parent.is_some_and(Value::is_object);
        if in_object && new.pointer(&path).is_none() {
            match operation["op"].as_str() {
                Some("test") if operation["value"].is_null() => continue,
                Some("replace") => operation["op"] = json!("add"),
                _ => {}
            }
        }
        let patch: json_patch::Patch = serde_json::from_value(json!([operation])).map_err(|_| refused())?;
        json_patch::patch(&mut new, &patch).map_err(|_| refused())?;
    }
    Ok(new)
}

/// What server-side apply demands of a body before it looks at owners.
fn applicable(wished: &Value) -> Result<(), Refusal> {
    if wished["apiVersion"].is_null() || wished["kind"].is_null() {
        return Err(Refusal::bad_request("invalid object type"));
    }
    if !wished["metadata"]["managedFields"].is_null() {
        return Err(Refusal::bad_request("metadata.managedFields must be nil"));
    }
    let status = wished["status"].as_object();
    if status.is_some_and(|status| status.keys().any(|key| key != "conditions" && key != "loadBalancer")) {
        return Err(Refusal::internal("failed to create typed patch object: field not declared in schema"));
    }
    let conditions = wished["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let twice = |(place, c): (usize, &Value)| conditions[..place].iter().any(|other| other["type"] == c["type"]);
    if conditions.iter().enumerate().any(twice) {
        return Err(Refusal::internal("failed to create typed patch object: duplicate entries for key"));
    }
    Ok(())
}

/// Whether an object is of the kind, namespace and name of its path.
fn fits(object: &Value, key: &Key, is_new: bool) -> Result<(), Refusal> {
    let differs = |value: &Value, wanted: &str| !value.is_null() && value != "" && value != wanted;
    let metadata = &object["metadata"];
    if differs(&object["kind"], key.0.word()) || differs(&object["apiVersion"], key.0.api_version()) {
        return Err(Refusal::bad_request(format!("this is no {}", key.0.word())));
    }
    if key.0 == Kind::Class && object["kind"].is_null() {
        return Err(Refusal::bad_request("Object 'Kind' is missing"));
    }
    if differs(&metadata["namespace"], &key.1) {
        let why = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Refusal::bad_request(why));
    }
    if !is_new && differs(&metadata["name"], &key.2) {
        return Err(Refusal::bad_request("the name of the object does not match the name on the URL"));
    }
    Ok(())
}

fn is_dry(call: &Call) -> Result<bool, Refusal> {
    match (parameter(&call.query, "dryRun"), OPTIONS.iter().find(|(method, _)| **method == call.method)) {
        (Some("All"), Some(_)) => Ok(true),
        (Some(_), Some((_, options))) => {
            Err(Refusal::options(options, &vec![("dryRun".to_owned(), "FieldValueNotSupported")]))
        }
        _ => Ok(false),
    }
}

/// Does something, and takes it back if that was only tried.
fn tried(
    s: &mut State,
    key: &Key,
    dry: bool,
    work: impl FnOnce(&mut State) -> Result<(u16, Value), Refusal>,
) -> Result<(u16, Value), Refusal> {
    if !dry {
        return work(s);
    }
    let before = s.api.mark(key);
    let version = s.api.get(key).map(|object| object["metadata"]["resourceVersion"].clone());
    let result = work(s);
    s.api.back_to(before);
    result.map(|(status, mut object)| {
        match (version, object["metadata"].as_object_mut()) {
            (Some(version), Some(metadata)) => _ = metadata.insert("resourceVersion".to_owned(), version),
            (None, Some(metadata)) => _ = metadata.remove("resourceVersion"),
            _ => {}
        }
        (status, object)
    })
}

fn via(status: bool) -> Via {
    if status { Via::Status } else { Via::Main }
}

/// Who writes: what the call says, or the program that it comes from.
fn manager(call: &Call) -> String {
    let program = call.user_agent.split('/').next().filter(|program| !program.is_empty());
    parameter(&call.query, "fieldManager").or(program).unwrap_or("unknown").to_owned()
}

fn body(call: &Call) -> Result<Value, Refusal> {
    let types = [
        "application/json",
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/apply-patch+yaml",
    ];
    if !call.content_type.is_empty() && !types.contains(&call.content_type.as_str()) {
        return Err(Refusal::new(415, "UnsupportedMediaType", "the body of the request was in an unknown format"));
    }
    serde_json::from_slice(&call.body).map_err(|e| Refusal::bad_request(e.to_string()))
}
