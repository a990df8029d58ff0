//! Whether two runs of a script ended alike.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde_json::Value;

use crate::api::store::Kind;
use crate::sim::State;

/// What differs between two runs of one script without any meaning: identities, versions, times, and what the API
/// server or the cloud chose.
const CHOSEN: [&str; 16] = [
    "uid",
    "id",
    "resourceVersion",
    "creationTimestamp",
    "lastTransitionTime",
    "created_at",
    "updated_at",
    "clusterIP",
    "nodePort",
    "healthCheckNodePort",
    "monitor_port",
    "vip_port_id",
    "port_id",
    "bandwidth_id",
    "revision",
    "cluster",
];

/// What is compared of a run's end: a line per object, in order.
pub fn state(s: &State) -> Vec<String> {
    let names = names(s);
    let mut lines: Vec<String> = [Kind::Service, Kind::Node, Kind::Class]
        .into_iter()
        .flat_map(|kind| s.api.all(kind))
        .map(|((kind, namespace, name), object)| {
            format!("{} {namespace}/{name} {}", kind.word(), masked(object, &names))
        })
        .collect();
    for (kind, list) in s.cloud.ledger().as_object().into_iter().flatten() {
        for object in list.as_array().into_iter().flatten() {
            let mut object = masked(object, &names);
            let probes_http = object["type"] == "HTTP";
            if let Some(fields) = object.as_object_mut() {
                match kind.as_str() {
                    // A node port.
                    "members" => drop(fields.remove("protocol_port")),
                    "dnatrules" => drop(fields.remove("internal_service_port")),
                    // Left from a probe by HTTP, and without effect.
                    "healthmonitors" if !probes_http => drop(fields.remove("url_path")),
                    _ => {}
                }
            }
            lines.push(format!("{kind} {object}"));
        }
    }
    lines.sort();
    lines
}

/// How often each object was created and deleted through the API.
pub fn lives(s: &State) -> BTreeMap<String, u64> {
    let mut lives = BTreeMap::new();
    for kind in [Kind::Service, Kind::Node, Kind::Class] {
        for change in s.api.since(kind, 0).into_iter().flatten() {
            let line: Value = serde_json::from_slice(&change.line).unwrap_or_default();
            if line["type"] != "MODIFIED" {
                let event = format!("{} {} {}", line["type"], kind.word(), line["object"]["metadata"]["name"]);
                *lives.entry(event).or_default() += 1;
            }
        }
    }
    lives
}

/// What one has and the other has not.
pub fn difference(reference: &[String], end: &[String]) -> Vec<String> {
    let (wanted, found): (BTreeSet<_>, BTreeSet<_>) = (reference.iter().collect(), end.iter().collect());
    let (mut missing, mut extra) = (wanted.difference(&found), found.difference(&wanted));
    let mut all = Vec::new();
    loop {
        match (missing.next(), extra.next()) {
            (None, None) => break,
            (Some(line), None) => all.push(format!("missing: {line}")),
            (None, Some(line)) => all.push(format!("too much: {line}")),
            (Some(wanted), Some(found)) => all.push(first_difference(wanted, found)),
        }
    }
    if all.is_empty() && reference.len() != end.len() {
        all.push(format!("{} objects instead of {}", end.len(), reference.len()));
    }
    all
}

/// Two lines about, most likely, one object: where they part.
fn first_difference(wanted: &str, found: &str) -> String {
    let same = wanted.chars().zip(found.chars()).take_while(|(a, b)| a == b).count();
    let part = |line: &str| line.chars().skip(same.saturating_sub(60)).take(160).collect::<String>();
    let object: String = wanted.chars().take_while(|c| *c != '{').collect();
    format!("{object}… {} … instead of … {} …", part(found), part(wanted))
}

/// What stands for each identity that may occur in a text.
fn names(s: &State) -> BTreeMap<String, String> {
    let services: Vec<(String, String)> = s
        .api
        .all(Kind::Service)
        .map(|((_, namespace, name), service)| (text(service, "/metadata/uid"), format!("<{namespace}/{name}>")))
        .collect();
    let mut names: BTreeMap<String, String> = services.iter().cloned().collect();
    let ledger = s.cloud.ledger();
    for (kind, list) in ledger.as_object().into_iter().flatten() {
        for object in list.as_array().into_iter().flatten() {
            let mut name = format!("{kind} {}", text(object, "/name"));
            services.iter().for_each(|(uid, service)| name = name.replace(uid.as_str(), service));
            names.insert(text(object, "/id"), format!("<{name}>"));
            names.insert(text(object, "/vip_port_id"), "<port>".to_owned());
            names.insert(text(object, "/vip_address"), "<private address>".to_owned());
            names.insert(text(object, "/public_ip_address"), "<public address>".to_owned());
        }
    }
    // Not everything has everything.
    names.remove("");
    names
}

fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn masked(value: &Value, names: &BTreeMap<String, String>) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(key, _)| !CHOSEN.contains(&key.as_str()));
            kept.map(|(key, value)| (key.clone(), masked(value, names))).collect()
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| masked(item, names)).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::String(text) => Value::String(match text.parse::<Ipv4Addr>() {
            // Nodes' addresses are no choice.
            Ok(address) if address.octets()[..2] == [172, 16] => text.clone(),
            Ok(address) if address.is_private() => "<private address>".to_owned(),
            Ok(_) => "<public address>".to_owned(),
            // Backwards, so that an address goes before the one that it begins with.
            Err(_) => names.iter().rev().fold(text.clone(), |text, (id, name)| text.replace(id.as_str(), name)),
        }),
        other => other.clone(),
    }
}
