//! What the world must look like once there is no more trouble: cloud and status as a function of what users wish.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::api::fields::strings;
use crate::api::store::{Key, Kind, Store};
use crate::law::{FINALIZER, HOLDER, Law};
use crate::ledger::Ledger;
use crate::sim::State;
use crate::wish::Wish;

/// Everything that is not as it should be. The cloud is looked at only where the Services say that all is well: its
/// ledger is costly.
pub fn wrong(s: &mut State) -> Vec<String> {
    let State { api, law, cloud, .. } = s;
    let mut wrong = Vec::new();
    let nodes = nodes(api);
    for (key, service) in api.all(Kind::Service) {
        let mut say = |text: String| wrong.push(format!("{}/{} {}: {text}", key.1, key.2, uid(service)));
        if !service["metadata"]["deletionTimestamp"].is_null() {
            say("still going".to_owned());
        } else if is_ours(service) {
            answered(service, law, !nodes.is_empty(), &mut say);
        } else {
            released(service, law, &mut say);
        }
    }
    if !wrong.is_empty() {
        return wrong;
    }
    law.ledger.load(cloud);
    for (key, service) in api.all(Kind::Service).filter(|(_, service)| is_ours(service)) {
        if condition(service, "ferrolb.io/Ready").0 == "True" {
            let mut say = |text: String| wrong.push(format!("{}/{} {}: {text}", key.1, key.2, uid(service)));
            let members = |port: &Value| match Wish::of(service) {
                Some(Wish::Pods) => pods(api, key, port),
                _ => nodes.iter().map(|n| format!("{n}:{}", port["nodePort"])).collect(),
            };
            match Wish::of(service).filter(|wish| wish.is_dnat()) {
                Some(wish) => pointed(service, wish, law, members, &mut say),
                None => complete(service, law, members, &mut say),
            }
        }
    }
    wrong
}

/// Whether a Service waits for a place on somebody else's load balancer or EIP: it is asked for ever more seldom, so the place
/// may be taken long after it became free.
pub fn somebody_waits(s: &State) -> bool {
    let mut services = s.api.all(Kind::Service).map(|(_, service)| service);
    services.any(|service| {
        Wish::of(service).is_some_and(Wish::is_shared) && condition(service, "ferrolb.io/Ready").0 == "False"
    })
}

/// Nothing of ours is left on it, nor in the cloud.
fn released(service: &Value, law: &Law, say: &mut impl FnMut(String)) {
    let metadata = &service["metadata"];
    // Without the finalizer that somebody took, the product leaves an annotation on a stranger's Service alone.
    let marked = !metadata["annotations"][HOLDER].is_null() && !law.is_robbed(uid(service));
    if strings(&metadata["finalizers"]).iter().any(|f| f == FINALIZER) || marked {
        say("not ours, and still claimed".to_owned());
    }
    if let Some((kind, _)) = law.ledger.ours.values().find(|(_, u)| u == uid(service)) {
        say(format!("not ours, and has a {kind}"));
    }
}

/// Ready, or refused for a cause.
fn answered(service: &Value, law: &Law, has_nodes: bool, say: &mut impl FnMut(String)) {
    let wish = Wish::of(service);
    let (status, reason) = condition(service, "ferrolb.io/Ready");
    let shares = wish.is_some_and(Wish::is_shared);
    let right = wish.is_some_and(Wish::is_right);
    // A NAT gateway cannot let in some and not others.
    let ranged = wish.is_some_and(Wish::is_dnat) && !service["spec"]["loadBalancerSourceRanges"].is_null();
    let may_be_refused = !right || shares || ranged || law.is_edited(uid(service));
    match (status.as_str(), reason.as_str()) {
        ("True", _) if right => {}
        ("True", _) => say(format!("ready, though {wish:?} is wrong")),
        ("False", "InvalidConfiguration" | "CloudRefused") if may_be_refused => {}
        // On what several share, somebody else may have come first.
        ("False", "Conflict") if shares => {}
        // Without a node there is nowhere for a rule to point to.
        ("False", "Waiting") if !has_nodes && wish.is_some_and(Wish::is_dnat) => {}
        _ => say(format!("{wish:?}: Ready is {status:?} {reason:?}: {}", service["status"])),
    }
}

/// The cloud has exactly what belongs to it.
fn complete(service: &Value, law: &Law, members: impl Fn(&Value) -> BTreeSet<String>, say: &mut impl FnMut(String)) {
    let wish = Wish::of(service);
    let (ledger, uid) = (&law.ledger, uid(service));
    let count = |kind: &str| ledger.of_uid(kind, uid).len();
    let adopts = wish == Some(Wish::Adopt);
    let wanted = [("loadbalancers", usize::from(!adopts)), ("eips", wish.map_or(0, Wish::public))];
    for (kind, number) in wanted {
        if count(kind) != number {
            say(format!("{} {kind} instead of {number}", count(kind)));
        }
    }
    let ports = service["spec"]["ports"].as_array().cloned().unwrap_or_default();
    for kind in ["listeners", "pools"] {
        if count(kind) != ports.len() {
            say(format!("{} {kind} for {} ports", count(kind), ports.len()));
        }
    }
    let ranges = strings(&service["spec"]["loadBalancerSourceRanges"]);
    let group = admitted(ledger, uid, &ranges, say);
    for port in &ports {
        let listeners = ledger.of_uid("listeners", uid);
        let its = |l: &&&Value| l["protocol"] == port["protocol"] && l["protocol_port"] == port["port"];
        let Some(listener) = listeners.iter().find(its) else {
            say(format!("no listener for {port}"));
            continue;
        };
        if listener["ipgroup"] != group {
            say(format!("a listener with the group {} instead of {group}", listener["ipgroup"]));
        }
        let pool = &listener["default_pool_id"];
        let found = ledger.objects("members").filter(|m| m["pool_id"] == *pool);
        let targets: BTreeSet<String> =
            found.map(|m| format!("{}:{}", m["address"].as_str().unwrap_or_default(), m["protocol_port"])).collect();
        let wanted = members(port);
        if targets != wanted {
            say(format!("members {targets:?} instead of {wanted:?}"));
        }
        if !ledger.objects("healthmonitors").any(|m| m["pools"][0]["id"] == *pool) {
            say(format!("no health check for {port}"));
        }
    }
    let adopted = service["metadata"]["annotations"]["kubernetes.io/elb.id"].as_str();
    let ingress = service["status"]["loadBalancer"]["ingress"].as_array().cloned().unwrap_or_default();
    if ingress.is_empty() {
        say("ready without an address".to_owned());
    }
    for ip in ingress.iter().filter_map(|entry| entry["ip"].as_str()) {
        if !ledger.serves(ip, uid, adopted) {
            say(format!("address {ip} is not served"));
        }
    }
}

/// The NAT gateway has a rule for each port, to a node that takes traffic, and there is nothing else.
fn pointed(
    service: &Value,
    wish: Wish,
    law: &Law,
    members: impl Fn(&Value) -> BTreeSet<String>,
    say: &mut impl FnMut(String),
) {
    let (ledger, uid) = (&law.ledger, uid(service));
    let ports = service["spec"]["ports"].as_array().cloned().unwrap_or_default();
    // Without any node there is nowhere to point to.
    let rules = if ports.iter().all(|port| members(port).is_empty()) { 0 } else { ports.len() };
    let nothing = ["loadbalancers", "listeners", "pools", "ipgroups"].map(|kind| (kind, 0));
    for (kind, number) in nothing.into_iter().chain([("eips", wish.public()), ("dnatrules", rules)]) {
        let count = ledger.of_uid(kind, uid).len();
        if count != number {
            say(format!("{count} {kind} instead of {number}"));
        }
    }
    for rule in ledger.of_uid("dnatrules", uid) {
        let protocol = rule["protocol"].as_str().unwrap_or_default().to_uppercase();
        let its = |port: &&Value| port["protocol"] == protocol && port["port"] == rule["external_service_port"];
        let Some(port) = ports.iter().find(its) else {
            say(format!("a rule for no port: {rule}"));
            continue;
        };
        // The last digits of an interface's id are its address.
        let nic = rule["port_id"].as_str().and_then(|id| u32::from_str_radix(id.get(28..)?, 16).ok());
        let target = format!("{}:{}", Ipv4Addr::from(nic.unwrap_or_default()), rule["internal_service_port"]);
        if !members(port).contains(&target) {
            say(format!("a rule to {target}"));
        }
    }
    let ingress = service["status"]["loadBalancer"]["ingress"].as_array().cloned().unwrap_or_default();
    if ingress.is_empty() != (rules == 0) {
        say(format!("{} addresses with {rules} rules", ingress.len()));
    }
    for ip in ingress.iter().filter_map(|entry| entry["ip"].as_str()) {
        if !ledger.serves(ip, uid, None) {
            say(format!("address {ip} has no rule"));
        }
    }
}

/// What each listener must say of the group of those who may connect; the group is looked at, too.
fn admitted(ledger: &Ledger, uid: &str, ranges: &[String], say: &mut impl FnMut(String)) -> Value {
    let groups = ledger.of_uid("ipgroups", uid);
    let lists: Vec<BTreeSet<&str>> = groups
        .iter()
        .map(|group| {
            let lines = group["ip_list"].as_array().into_iter().flatten();
            lines.filter_map(|line| line["ip"].as_str()).collect()
        })
        .collect();
    let wanted: Vec<BTreeSet<&str>> =
        if ranges.is_empty() { Vec::new() } else { vec![ranges.iter().map(String::as_str).collect()] };
    if lists != wanted {
        say(format!("address groups {lists:?} instead of {wanted:?}"));
    }
    groups
        .first()
        .map_or(Value::Null, |group| json!({"ipgroup_id": group["id"], "enable_ipgroup": true, "type": "white"}))
}

/// Whether the product must serve a Service: by one of its classes, or as the default.
pub fn is_ours(service: &Value) -> bool {
    let class = service["spec"]["loadBalancerClass"].as_str().unwrap_or_default();
    service["spec"]["type"] == "LoadBalancer" && matches!(class, "" | "ferrolb.io/elb" | "ferrolb.io/gold")
}

/// Addresses of the nodes that take traffic.
fn nodes(api: &Store) -> BTreeSet<String> {
    let label = "node.kubernetes.io/exclude-from-external-load-balancers";
    let eligible = api.all(Kind::Node).map(|(_, node)| node).filter(|n| n["metadata"]["labels"][label].is_null());
    eligible.filter_map(|n| n["status"]["addresses"][0]["address"].as_str().map(str::to_owned)).collect()
}

/// The ready endpoints behind a port.
fn pods(api: &Store, service: &Key, port: &Value) -> BTreeSet<String> {
    let is_its = |slice: &&Value| slice["metadata"]["labels"]["kubernetes.io/service-name"] == json!(service.2);
    let slices = api.all(Kind::Slice).filter(|(key, _)| key.1 == service.1).map(|(_, slice)| slice).filter(is_its);
    let mut found = BTreeSet::new();
    for slice in slices {
        let ports = slice["ports"].as_array().into_iter().flatten();
        for own in ports.filter(|own| own["name"] == port["name"] && own["protocol"] == port["protocol"]) {
            let endpoints = slice["endpoints"].as_array().into_iter().flatten();
            let ready = endpoints.filter(|e| e["conditions"]["ready"] == true);
            let address = |e: &Value| e["addresses"][0].as_str().unwrap_or_default().to_owned();
            found.extend(ready.map(|e| format!("{}:{}", address(e), own["port"])));
        }
    }
    found
}

fn condition(service: &Value, kind: &str) -> (String, String) {
    let all = service["status"]["conditions"].as_array().into_iter().flatten();
    let found = all.into_iter().find(|c| c["type"] == kind);
    let text = |field: &str| found.and_then(|c| c[field].as_str()).unwrap_or_default().to_owned();
    (text("status"), text("reason"))
}

fn uid(service: &Value) -> &str {
    service["metadata"]["uid"].as_str().unwrap_or_default()
}
