//! What one Service has, joined from its status and the cloud's ledger: the document that rows' paths lead through.

use serde_json::{Map, Value, json};

/// Kinds of objects that come and go with Services.
pub const KINDS: [&str; 7] = ["loadbalancers", "listeners", "pools", "members", "healthmonitors", "eips", "dnatrules"];
/// Kinds whose objects may bear a mark of the Service.
const MARKED: [&str; 5] = ["loadbalancers", "listeners", "pools", "eips", "dnatrules"];

/// `balancer`, `eip`, a member for each port (`TCP:80`) with `listener`, `pool`, `monitor`, `members` or `rule`, the
/// Service itself, and `ours`: how many objects bear its UID.
pub fn view(ledger: &Value, service: &Value) -> Value {
    let ingress = service["status"]["loadBalancer"]["ingress"].as_array().cloned().unwrap_or_default();
    let has = |address: &Value| address.is_string() && ingress.iter().any(|entry| entry["ip"] == *address);
    let balancer = find(ledger, "loadbalancers", |lb| has(&lb["vip_address"]));
    let eip = find(ledger, "eips", |eip| has(&eip["public_ip_address"]));
    let mut view = Map::new();
    for listener in objects(ledger, "listeners").filter(|l| l["loadbalancers"][0]["id"] == balancer["id"]) {
        let transport = match listener["protocol"].as_str() {
            Some("UDP" | "QUIC") => "UDP",
            _ => "TCP",
        };
        let pool = find(ledger, "pools", |pool| pool["id"] == listener["default_pool_id"]);
        let monitor = find(ledger, "healthmonitors", |monitor| monitor["id"] == pool["healthmonitor_id"]);
        let is_in = |member: &&Value| references(&pool["members"], &member["id"]);
        let members: Vec<&Value> = objects(ledger, "members").filter(is_in).collect();
        let port = json!({"members": members, "listener": listener, "pool": pool, "monitor": monitor});
        view.insert(format!("{transport}:{}", listener["protocol_port"]), port);
    }
    for rule in objects(ledger, "dnatrules").filter(|rule| has(&rule["floating_ip_address"])) {
        let transport = rule["protocol"].as_str().unwrap_or_default().to_uppercase();
        view.insert(format!("{transport}:{}", rule["external_service_port"]), json!({ "rule": rule }));
    }
    view.insert("ours".to_owned(), json!(marked(ledger, service)));
    view.insert("balancer".to_owned(), balancer);
    view.insert("eip".to_owned(), eip);
    view.insert("service".to_owned(), service.clone());
    Value::Object(view)
}

/// The part that is the cloud's.
pub fn cloud_part(mut view: Value) -> Value {
    if let Some(fields) = view.as_object_mut() {
        fields.remove("service");
    }
    view
}

/// What is at a row's path; null where there is nothing. `first` is the first port of the Service.
pub fn at<'a>(view: &'a Value, first: &str, path: &str) -> &'a Value {
    let head = path.split('/').next().unwrap_or_default();
    let full = match head {
        "listener" | "pool" | "monitor" | "members" | "rule" => format!("/{first}/{path}"),
        _ => format!("/{path}"),
    };
    view.pointer(&full).unwrap_or(&Value::Null)
}

/// Whether what was found is as expected: of an object the named fields count, and null is as good as missing.
pub fn is_met(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().all(|(name, expected)| is_met(expected, found.get(name).unwrap_or(&Value::Null)))
        }
        _ => expected == found,
    }
}

/// How many objects of a kind there are.
pub fn count(ledger: &Value, kind: &str) -> usize {
    objects(ledger, kind).count()
}

/// Objects of `before` that are gone or no longer the same.
pub fn changed(before: &Value, now: &Value) -> String {
    // A gateway takes the EIP of a rule and lets it go again, and the cloud notes when.
    let timeless = |mut object: Value| {
        object.as_object_mut().map(|fields| fields.remove("updated_at"));
        object
    };
    let mut found = Vec::new();
    for kind in KINDS {
        for old in objects(before, kind) {
            if timeless(find(now, kind, |new| new["id"] == old["id"])) != timeless(old.clone()) {
                found.push(format!("{kind}:{}", old["id"].as_str().unwrap_or("?")));
            }
        }
    }
    if found.is_empty() { "none".to_owned() } else { found.join(",") }
}

fn marked(ledger: &Value, service: &Value) -> usize {
    let Some(uid) = service["metadata"]["uid"].as_str() else { return 0 };
    let all = MARKED.iter().flat_map(|kind| objects(ledger, kind));
    all.filter(|object| object.to_string().contains(uid)).count()
}

fn objects<'a>(ledger: &'a Value, kind: &str) -> impl Iterator<Item = &'a Value> {
    ledger[kind].as_array().into_iter().flatten()
}

fn find(ledger: &Value, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    objects(ledger, kind).find(|object| object["id"].is_string() && is_it(object)).cloned().unwrap_or_default()
}

fn references(list: &Value, id: &Value) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|item| item["id"] == *id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_at_the_first_port_or_at_a_named_one() {
        let ledger = json!({
            "loadbalancers": [{"id": "b", "vip_address": "10.0.0.1"}, {"id": "x", "vip_address": "10.0.0.2"}],
            "listeners": [
                {"id": "l", "protocol": "HTTP", "protocol_port": 80, "default_pool_id": "p",
                 "loadbalancers": [{"id": "b"}], "description": "uid=u-1"},
                {"id": "m", "protocol": "UDP", "protocol_port": 53, "loadbalancers": [{"id": "b"}]},
                {"id": "n", "protocol": "TCP", "protocol_port": 90, "loadbalancers": [{"id": "x"}]},
            ],
            "pools": [{"id": "p", "healthmonitor_id": "h", "members": [{"id": "1"}]}],
            "healthmonitors": [{"id": "h", "delay": 5}],
            "members": [{"id": "1", "weight": 1}, {"id": "2", "weight": 2}],
        });
        let service =
            json!({"metadata": {"uid": "u-1"}, "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}});
        let view = view(&ledger, &service);
        assert_eq!(at(&view, "TCP:80", "listener/id"), "l");
        assert_eq!(at(&view, "TCP:80", "monitor/delay"), 5);
        assert_eq!(at(&view, "TCP:80", "members/0/weight"), 1);
        assert_eq!(at(&view, "TCP:80", "UDP:53/listener/id"), "m");
        assert_eq!(at(&view, "TCP:80", "TCP:90"), &Value::Null);
        assert_eq!(at(&view, "TCP:80", "balancer/id"), "b");
        assert_eq!(at(&view, "TCP:80", "ours"), 1);
    }

    #[test]
    fn named_fields_count() {
        assert!(is_met(&json!({"type": "SOURCE_IP"}), &json!({"type": "SOURCE_IP", "cookie_name": null})));
        assert!(is_met(&Value::Null, &Value::Null));
        assert!(!is_met(&json!({"enable": true}), &Value::Null));
    }
}
