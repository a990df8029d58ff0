//! What the API server does to a Service besides storing it: defaults, rules, addresses and node ports, and what a
//! change of type wipes.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::metadata::is_qualified_name;
use super::refusal::Causes;

/// First and last node port.
const NODE_PORTS: (i64, i64) = (30_000, 32_767);

const INVALID: &str = "FieldValueInvalid";
const FORBIDDEN: &str = "FieldValueForbidden";
const REQUIRED: &str = "FieldValueRequired";
const DUPLICATE: &str = "FieldValueDuplicate";
const UNSUPPORTED: &str = "FieldValueNotSupported";

/// Fills in what a client may leave out and checks what it says. `used` are the node ports of all other Services;
/// `from` is where the search for a free one begins.
pub fn complete(old: Option<&Value>, new: &mut Value, used: &BTreeSet<i64>, from: u64) -> Result<(), Causes> {
    default_spec(&mut new["spec"]);
    if let Some(old) = old {
        keep(&old["spec"], &mut new["spec"]);
        wipe(&old["spec"], &mut new["spec"]);
    }
    let mut causes = Causes::new();
    check(old.map(|old| &old["spec"]), &new["spec"], &mut causes);
    check_ingress(new, &mut causes);
    if !causes.is_empty() {
        return Err(causes);
    }
    addresses(&mut new["spec"], from);
    node_ports(&mut new["spec"], used, from)?;
    if new["spec"]["type"] != "LoadBalancer" && !new["status"]["loadBalancer"].is_null() {
        new["status"]["loadBalancer"] = json!({});
    }
    Ok(())
}

/// All node ports of a Service.
pub fn ports_of(service: &Value) -> impl Iterator<Item = i64> + '_ {
    let ports = service["spec"]["ports"].as_array().into_iter().flatten();
    ports.filter_map(|p| p["nodePort"].as_i64()).chain(service["spec"]["healthCheckNodePort"].as_i64())
}

/// The mode of addresses that say none.
pub fn default_ingress(service: &mut Value) {
    if service["spec"]["type"] != "LoadBalancer" {
        return;
    }
    for ingress in list(service.pointer_mut("/status/loadBalancer/ingress")) {
        if !ingress["ip"].is_null() {
            default(ingress, "ipMode", json!("VIP"));
        }
    }
}

fn default_spec(spec: &mut Value) {
    default(spec, "type", json!("ClusterIP"));
    default(spec, "sessionAffinity", json!("None"));
    if spec["sessionAffinity"] == "ClientIP" {
        default(spec, "sessionAffinityConfig", json!({"clientIP": {"timeoutSeconds": 10_800}}));
    }
    if has_cluster_ip(spec) {
        default(spec, "internalTrafficPolicy", json!("Cluster"));
    }
    if has_node_ports(spec) {
        default(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    if is_balanced(spec) {
        default(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    for port in list(spec.get_mut("ports")) {
        default(port, "protocol", json!("TCP"));
        if port["targetPort"].is_null() {
            port["targetPort"] = port["port"].clone();
        }
    }
}

/// What was allocated and is not said again stays.
fn keep(old: &Value, new: &mut Value) {
    if has_cluster_ip(old) && has_cluster_ip(new) {
        for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            keep_field(old, new, key);
        }
    }
    if has_node_ports(old) && has_node_ports(new) {
        let said: BTreeSet<i64> = ports(new).filter_map(|port| port["nodePort"].as_i64()).collect();
        let old: Vec<Value> = ports(old).cloned().collect();
        for port in list(new.get_mut("ports")).filter(|port| port["nodePort"].is_null()) {
            let same = old.iter().find(|other| other["name"] == port["name"]);
            let number = same.and_then(|other| other["nodePort"].as_i64());
            if let Some(number) = number.filter(|number| !said.contains(number)) {
                port["nodePort"] = json!(number);
            }
        }
    }
    if has_health_check(old) && has_health_check(new) {
        keep_field(old, new, "healthCheckNodePort");
    }
}

/// What belongs to the old type and was not changed on purpose goes with it.
fn wipe(old: &Value, new: &mut Value) {
    let mut wipe_if = |fits: fn(&Value) -> bool, keys: &[&str]| {
        if fits(old) && !fits(new) && keys.first().is_some_and(|key| old[*key] == new[*key]) {
            remove(new, keys);
        }
    };
    wipe_if(has_cluster_ip, &["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]);
    wipe_if(has_cluster_ip, &["internalTrafficPolicy"]);
    wipe_if(has_node_ports, &["externalTrafficPolicy"]);
    wipe_if(has_health_check, &["healthCheckNodePort"]);
    wipe_if(is_balanced, &["allocateLoadBalancerNodePorts"]);
    wipe_if(is_balanced, &["loadBalancerClass"]);
    let numbers = |spec: &Value| ports(spec).map(|port| port["nodePort"].clone()).collect::<Vec<_>>();
    if has_node_ports(old) && !has_node_ports(new) && numbers(old) == numbers(new) {
        list(new.get_mut("ports")).for_each(|port| remove(port, &["nodePort"]));
    }
}

fn check(old: Option<&Value>, spec: &Value, causes: &mut Causes) {
    let mut wrong = |field: &str, reason: &'static str| causes.push((format!("spec.{field}"), reason));
    let kind = spec["type"].as_str().unwrap_or_default();
    if !["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"].contains(&kind) {
        wrong("type", UNSUPPORTED);
    }
    if kind == "ExternalName" && spec["externalName"].as_str().is_none_or(str::is_empty) {
        wrong("externalName", REQUIRED);
    }
    if ports(spec).next().is_none() && has_cluster_ip(spec) && spec["clusterIP"] != "None" {
        wrong("ports", REQUIRED);
    }
    if spec["ipFamilies"].as_array().is_some_and(|families| families[0] == "IPv6") {
        wrong("ipFamilies[0]", INVALID);
    }
    let class = &spec["loadBalancerClass"];
    if !class.is_null() && !is_balanced(spec) {
        wrong("loadBalancerClass", FORBIDDEN);
    } else if class.as_str().is_some_and(|class| !is_qualified_name(class))
        || old.is_some_and(|old| is_balanced(old) && is_balanced(spec) && old["loadBalancerClass"] != *class)
    {
        wrong("loadBalancerClass", INVALID);
    }
    if !spec["allocateLoadBalancerNodePorts"].is_null() && !is_balanced(spec) {
        wrong("allocateLoadBalancerNodePorts", FORBIDDEN);
    }
    match spec["externalTrafficPolicy"].as_str() {
        Some(_) if kind == "ClusterIP" || kind == "ExternalName" => wrong("externalTrafficPolicy", INVALID),
        Some("Cluster" | "Local") | None => {}
        Some(_) => wrong("externalTrafficPolicy", UNSUPPORTED),
    }
    let health = &spec["healthCheckNodePort"];
    if !health.is_null() && !has_health_check(spec) {
        wrong("healthCheckNodePort", INVALID);
    } else if old
        .is_some_and(|old| has_health_check(old) && has_health_check(spec) && old["healthCheckNodePort"] != *health)
    {
        wrong("healthCheckNodePort", FORBIDDEN);
    }
    for (place, range) in spec["loadBalancerSourceRanges"].as_array().into_iter().flatten().enumerate() {
        if !is_balanced(spec) {
            wrong("LoadBalancerSourceRanges", FORBIDDEN);
        } else if !range.as_str().is_some_and(is_range) {
            wrong(&format!("LoadBalancerSourceRanges[{place}]"), INVALID);
        }
    }
    if old.is_some_and(|old| has_cluster_ip(old) && has_cluster_ip(spec) && old["clusterIP"] != spec["clusterIP"]) {
        wrong("clusterIPs[0]", INVALID);
    }
    check_ports(spec, causes);
}

fn check_ports(spec: &Value, causes: &mut Causes) {
    let all: Vec<&Value> = ports(spec).collect();
    for (place, port) in all.iter().enumerate() {
        let mut wrong = |field: &str, reason| causes.push((format!("spec.ports[{place}]{field}"), reason));
        let before = &all[..place];
        if port["name"].is_null() && all.len() > 1 {
            wrong(".name", REQUIRED);
        } else if !port["name"].is_null() && before.iter().any(|other| other["name"] == port["name"]) {
            wrong(".name", DUPLICATE);
        }
        let in_range = |number: &Value| number.as_i64().is_some_and(|number| (1..=65_535).contains(&number));
        if !in_range(&port["port"]) {
            wrong(".port", INVALID);
        }
        if port["targetPort"].is_number() && !in_range(&port["targetPort"]) {
            wrong(".targetPort", INVALID);
        }
        if !["TCP", "UDP", "SCTP"].contains(&port["protocol"].as_str().unwrap_or_default()) {
            wrong(".protocol", UNSUPPORTED);
        }
        if !port["nodePort"].is_null() && !has_node_ports(spec) {
            wrong(".nodePort", FORBIDDEN);
        }
        if before.iter().any(|other| other["port"] == port["port"] && other["protocol"] == port["protocol"]) {
            wrong("", DUPLICATE);
        }
    }
}

fn check_ingress(service: &Value, causes: &mut Causes) {
    let ingress = service["status"]["loadBalancer"]["ingress"].as_array();
    for (place, ingress) in ingress.into_iter().flatten().enumerate().filter(|_| is_balanced(&service["spec"])) {
        let mut wrong =
            |field: &str, reason| causes.push((format!("status.loadBalancer.ingress[{place}].{field}"), reason));
        let is_address = |text: &Value| text.as_str().is_some_and(|text| text.parse::<IpAddr>().is_ok());
        let has_ip = !ingress["ip"].is_null();
        if has_ip && !is_address(&ingress["ip"]) {
            wrong("ip", INVALID);
        }
        match ingress["ipMode"].as_str() {
            None if has_ip => wrong("ipMode", REQUIRED),
            Some(_) if !has_ip => wrong("ipMode", FORBIDDEN),
            Some("VIP" | "Proxy") | None => {}
            Some(_) => wrong("ipMode", UNSUPPORTED),
        }
        if is_address(&ingress["hostname"]) {
            wrong("hostname", INVALID);
        }
    }
}

fn addresses(spec: &mut Value, from: u64) {
    if !has_cluster_ip(spec) {
        return;
    }
    default(spec, "clusterIP", json!(format!("10.96.{}.{}", from % 250, 1 + from / 250 % 250)));
    if spec["clusterIP"] == "None" && spec["selector"].is_null() {
        default(spec, "ipFamilies", json!(["IPv4", "IPv6"]));
        default(spec, "ipFamilyPolicy", json!("RequireDualStack"));
    }
    default(spec, "ipFamilies", json!(["IPv4"]));
    default(spec, "ipFamilyPolicy", json!("SingleStack"));
    spec["clusterIPs"] = json!([spec["clusterIP"]]);
}

/// Every port keeps the node port it has; one without gets that of the same port with another protocol, or a free one.
fn node_ports(spec: &mut Value, used: &BTreeSet<i64>, from: u64) -> Result<(), Causes> {
    let wrong = |place: usize| vec![(format!("spec.ports[{place}].nodePort"), INVALID)];
    let all: Vec<Value> = ports(spec).cloned().collect();
    let mut own = BTreeSet::new();
    for (place, port) in all.iter().enumerate() {
        let Some(number) = port["nodePort"].as_i64() else { continue };
        let in_range = (NODE_PORTS.0..=NODE_PORTS.1).contains(&number);
        let twice = all[..place].iter().any(|p| p["nodePort"] == port["nodePort"] && p["protocol"] == port["protocol"]);
        if !in_range || twice || used.contains(&number) {
            return Err(wrong(place));
        }
        own.insert(number);
    }
    let span = (NODE_PORTS.1 - NODE_PORTS.0 + 1) as u64;
    let free = |own: &mut BTreeSet<i64>| {
        let candidates = (0..span).map(|step| NODE_PORTS.0 + ((from + step) % span) as i64);
        let number = candidates.into_iter().find(|number| !used.contains(number) && !own.contains(number));
        number.inspect(|number| _ = own.insert(*number))
    };
    let wanted = spec["type"] == "NodePort" || is_balanced(spec) && spec["allocateLoadBalancerNodePorts"] == true;
    for place in (0..all.len()).filter(|_| wanted) {
        let port = &spec["ports"][place];
        if port["nodePort"].is_null() {
            let sibling = ports(spec).find(|p| p["port"] == port["port"] && !p["nodePort"].is_null());
            let number = sibling.and_then(|p| p["nodePort"].as_i64()).or_else(|| free(&mut own));
            spec["ports"][place]["nodePort"] = json!(number.ok_or_else(|| wrong(place))?);
        }
    }
    if has_health_check(spec) && spec["healthCheckNodePort"].is_null() {
        let number = free(&mut own).ok_or_else(|| vec![("spec.healthCheckNodePort".to_owned(), INVALID)])?;
        spec["healthCheckNodePort"] = json!(number);
    }
    Ok(())
}

fn ports(spec: &Value) -> impl Iterator<Item = &Value> {
    spec["ports"].as_array().into_iter().flatten()
}

/// The entries of what may be a list. Indexing a value to change it would make what is missing.
fn list(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    value.and_then(Value::as_array_mut).into_iter().flatten()
}

fn is_balanced(spec: &Value) -> bool {
    spec["type"] == "LoadBalancer"
}

fn has_cluster_ip(spec: &Value) -> bool {
    spec["type"] != "ExternalName"
}

fn has_node_ports(spec: &Value) -> bool {
    is_balanced(spec) || spec["type"] == "NodePort"
}

fn has_health_check(spec: &Value) -> bool {
    is_balanced(spec) && spec["externalTrafficPolicy"] == "Local"
}

fn is_range(text: &str) -> bool {
    let Some((address, length)) = text.trim().split_once('/') else { return false };
    let longest = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= longest)
}

fn keep_field(old: &Value, new: &mut Value, key: &str) {
    if new[key].is_null() && !old[key].is_null() {
        new[key] = old[key].clone();
    }
}

fn default(object: &mut Value, key: &str, value: Value) {
    if object[key].is_null() {
        object[key] = value;
    }
}

fn remove(object: &mut Value, keys: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        keys.iter().for_each(|key| _ = object.remove(*key));
    }
}
