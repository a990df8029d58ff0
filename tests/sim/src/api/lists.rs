//! Lists: options, selectors, and pages that show one moment.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::refusal::{Causes, Refusal};
use super::route::parameter;
use super::select::Selector;
use super::serve::Call;
use super::store::{Kind, Rest};
use crate::plan::Fault;
use crate::sim::{Sim, State};

/// As many lists under way are remembered.
const RESTS: usize = 64;

pub fn list(s: &mut State, sim: &Sim, call: &Call, kind: Kind, namespace: Option<&str>) -> Result<Value, Refusal> {
    let number = |name: &str| match parameter(&call.query, name) {
        None | Some("") => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|e| Refusal::bad_request(format!("{name}: {e}"))),
    };
    let (version, limit) = (number("resourceVersion")?, number("limit")?.filter(|limit| *limit > 0));
    let token = parameter(&call.query, "continue").filter(|token| !token.is_empty());
    check(call, version, token, s.api.version())?;
    let selector = Selector::of(&call.query)?;
    let place = |object: &Value| {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        if namespace.is_some() { text("name") } else { format!("{}/{}", text("namespace"), text("name")) }
    };
    let mut rest = match token {
        Some(token) => match s.api.rests.get(token) {
            Some(rest) => rest.clone(),
            None => match decode(token)? {
                // Not of one moment any more, as the client was told.
                (-1, start) => {
                    let mut rest = all(s, kind, namespace, &selector);
                    rest.items.retain(|object| place(object) >= start);
                    rest
                }
                (_, start) => return Err(Refusal::expired(encode(-1, &start))),
            },
        },
        None if parameter(&call.query, "resourceVersionMatch") == Some("Exact") && version < Some(s.api.version()) => {
            return Err(Refusal::gone());
        }
        None => {
            s.told.insert(kind, s.api.version());
            all(s, kind, namespace, &selector)
        }
    };
    // The watch cache answers, and it gives no pages.
    let limit = limit.filter(|_| version != Some(0)).and_then(|limit| usize::try_from(limit).ok());
    let mut limit = limit.unwrap_or(usize::MAX);
    if limit > 2 && s.faults.strikes(Fault::F14, sim.now(), 0.5) {
        limit = 2;
    }
    let page: Vec<Value> = (0..limit).map_while(|_| rest.items.pop_front()).collect();
    let mut metadata = json!({"resourceVersion": rest.version.to_string()});
    if kind == Kind::Class {
        metadata["continue"] = json!("");
    }
    if !rest.items.is_empty() {
        s.tally.pages += 1;
        // Behind the last one of this page.
        let last = page.last().map(place).unwrap_or_default();
        let token = encode(i64::try_from(rest.version).unwrap_or(i64::MAX), &format!("{last}\0"));
        metadata["continue"] = json!(token);
        if selector.is_empty() {
            metadata["remainingItemCount"] = json!(rest.items.len());
        }
        let expires = s.faults.is_on(Fault::F14, sim.now()) && s.faults.dice(Fault::F14).chance(0.2);
        if expires {
            s.api.rests.remove(&token);
        } else {
            s.api.rests.insert(token, rest);
        }
        while s.api.rests.len() > RESTS {
            s.api.rests.pop_first();
        }
    }
    Ok(json!({
        "kind": format!("{}List", kind.word()), "apiVersion": kind.api_version(), "metadata": metadata, "items": page,
    }))
}

/// What there is now, as items of a list.
fn all(s: &State, kind: Kind, namespace: Option<&str>, selector: &Selector) -> Rest {
    let items = s.api.all(kind).filter(|((_, ns, _), _)| namespace.is_none_or(|wanted| wanted == ns));
    let items = items.filter(|(_, object)| selector.matches(object)).map(|(_, object)| {
        let mut item = object.clone();
        // Items of built-in kinds do not repeat what the list says.
        if let Some(fields) = item.as_object_mut().filter(|_| kind != Kind::Class) {
            fields.remove("apiVersion");
            fields.remove("kind");
        }
        item
    });
    Rest { version: s.api.version(), items: items.collect() }
}

fn check(call: &Call, version: Option<u64>, token: Option<&str>, newest: u64) -> Result<(), Refusal> {
    let refused = |reason| {
        let causes: Causes = vec![("resourceVersionMatch".to_owned(), reason)];
        Err(Refusal::options("ListOptions", &causes))
    };
    match parameter(&call.query, "resourceVersionMatch") {
        None => {}
        Some("Exact" | "NotOlderThan") if version.is_none() => return refused("FieldValueForbidden"),
        Some("Exact") if version == Some(0) => return refused("FieldValueForbidden"),
        Some("Exact" | "NotOlderThan") => {}
        Some(_) => return refused("FieldValueNotSupported"),
    }
    if token.is_some() && version.is_some() {
        return Err(Refusal::bad_request("specifying resource version is not allowed when using continue"));
    }
    match version {
        Some(version) if version > newest => Err(Refusal::future(version)),
        _ => Ok(()),
    }
}

fn encode(version: i64, start: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!(r#"{{"v":"meta.k8s.io/v1","rv":{version},"start":{}}}"#, json!(start)))
}

fn decode(token: &str) -> Result<(i64, String), Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let parsed: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    match (parsed["rv"].as_i64(), parsed["start"].as_str()) {
        (Some(version), Some(start)) => Ok((version, start.to_owned())),
        _ => Err(Refusal::bad_request("continue key is not valid")),
    }
}
