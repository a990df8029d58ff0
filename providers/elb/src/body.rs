//! Parts of request bodies. Pure.

use ferrolb_provider::Item;
use serde_json::{Map, Value, json};

use crate::resource::{ElbResource, HealthMonitor, Member};
use crate::spec::{Probe, Tags};

/// Sets a field unless there is nothing to say: no `null`, no empty list.
pub(crate) fn set<T: serde::Serialize + ?Sized>(body: &mut Map<String, Value>, field: &str, value: &T) {
    let value = json!(value);
    let is_nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    if !is_nothing {
        body.insert(field.to_owned(), value);
    }
}

/// An enterprise project to name; the cloud takes the default one only by not being told.
pub(crate) fn project(id: &Option<String>) -> Option<&str> {
    id.as_deref().filter(|id| *id != "0")
}

/// Tags as the API writes them.
pub(crate) fn tags(tags: &Tags) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// A health monitor, without its pool.
pub(crate) fn monitor(monitor: &HealthMonitor) -> Map<String, Value> {
    let mut body = Map::new();
    set(&mut body, "delay", &monitor.delay);
    set(&mut body, "timeout", &monitor.timeout);
    set(&mut body, "max_retries", &monitor.max_retries);
    // `null` takes a port away again.
    body.insert("monitor_port".into(), json!(monitor.port));
    let kind = match &monitor.probe {
        Some(Probe::Udp) => "UDP_CONNECT",
        Some(Probe::Http { path, expected_codes }) => {
            set(&mut body, "url_path", path);
            let codes = expected_codes.as_deref().unwrap_or("200");
            set(&mut body, "expected_codes", &codes);
            "HTTP"
        }
        Some(Probe::Tcp) | None => "TCP",
    };
    set(&mut body, "type", &kind);
    body
}

/// A member to add.
pub(crate) fn new_member(item: &Item<ElbResource>) -> Option<Value> {
    let ElbResource::Member(member) = &item.resource else {
        return None;
    };
    let Member { name, address, port, subnet, weight, .. } = member;
    let mut body = Map::new();
    set(&mut body, "name", name);
    set(&mut body, "address", address);
    set(&mut body, "protocol_port", port);
    set(&mut body, "subnet_cidr_id", subnet);
    set(&mut body, "weight", weight);
    Some(body.into())
}

/// A member whose weight changes.
pub(crate) fn weight(item: &Item<ElbResource>) -> Option<Value> {
    match (&item.resource, &item.seen) {
        (ElbResource::Member(member), Some(seen)) => Some(json!({"id": seen.id.0, "weight": member.weight})),
        _ => None,
    }
}
