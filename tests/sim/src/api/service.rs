//! What the API server does to a Service besides storing it: defaults, node ports, and what a change of type wipes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::store::Refusal;

/// First and last node port.
const NODE_PORTS: (i64, i64) = (30_000, 32_767);

/// Fills in what a client may leave out. `used` are the node ports of all other Services; `from` is where the search
/// for a free one begins.
pub fn complete(old: Option<&Value>, new: &mut Value, used: &BTreeSet<i64>, from: u64) -> Result<(), Refusal> {
    let kind = new["spec"]["type"].as_str().unwrap_or("ClusterIP").to_owned();
    let spec = &mut new["spec"];
    spec["type"] = json!(kind);
    default(spec, "sessionAffinity", json!("None"));
    default(spec, "ipFamilies", json!(["IPv4"]));
    default(spec, "clusterIP", json!(format!("10.96.{}.{}", from % 250, 1 + from / 250 % 250)));
    if kind == "LoadBalancer" {
        default(spec, "allocateLoadBalancerNodePorts", json!(true));
    } else {
        // Dropped, as the type does not have them.
        remove(spec, &["loadBalancerClass", "allocateLoadBalancerNodePorts", "healthCheckNodePort"]);
    }
    if kind == "ClusterIP" {
        remove(spec, &["externalTrafficPolicy"]);
    } else {
        default(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    class_is_fixed(old, new)?;
    node_ports(old, new, &kind, used, from)?;
    if kind != "LoadBalancer" && !new["status"]["loadBalancer"].is_null() {
        new["status"]["loadBalancer"] = json!({});
    }
    Ok(())
}

/// All node ports of a Service.
pub fn ports_of(service: &Value) -> impl Iterator<Item = i64> + '_ {
    let ports = service["spec"]["ports"].as_array().into_iter().flatten();
    ports.filter_map(|p| p["nodePort"].as_i64()).chain(service["spec"]["healthCheckNodePort"].as_i64())
}

fn class_is_fixed(old: Option<&Value>, new: &Value) -> Result<(), Refusal> {
    let class = |service: &Value| service["spec"]["loadBalancerClass"].as_str().unwrap_or_default().to_owned();
    let balanced = |service: &Value| service["spec"]["type"] == "LoadBalancer";
    match old {
        Some(old) if balanced(old) && balanced(new) && class(old) != class(new) => {
            Err(Refusal::invalid("spec.loadBalancerClass: may not change once set"))
        }
        _ => Ok(()),
    }
}

/// Every port keeps the node port it has; one that was left out gets that of the same port before, or a free one.
fn node_ports(
    old: Option<&Value>,
    new: &mut Value,
    kind: &str,
    used: &BTreeSet<i64>,
    from: u64,
) -> Result<(), Refusal> {
    let mut used = used.clone();
    let span = (NODE_PORTS.1 - NODE_PORTS.0 + 1) as u64;
    let mut search = from % span;
    let mut free = |used: &mut BTreeSet<i64>| -> Result<i64, Refusal> {
        for _ in 0..span {
            let port = NODE_PORTS.0 + search as i64;
            search = (search + 1) % span;
            if used.insert(port) {
                return Ok(port);
            }
        }
        Err(Refusal::invalid("no node port is left"))
    };
    let before: Vec<Value> = old.and_then(|o| o["spec"]["ports"].as_array().cloned()).unwrap_or_default();
    let wanted = kind == "NodePort" || (kind == "LoadBalancer" && new["spec"]["allocateLoadBalancerNodePorts"] == true);
    for port in new["spec"]["ports"].as_array_mut().into_iter().flatten() {
        default(port, "protocol", json!("TCP"));
        if port["targetPort"].is_null() {
            port["targetPort"] = port["port"].clone();
        }
        if kind == "ClusterIP" {
            remove(port, &["nodePort"]);
        } else if port["nodePort"].is_null() && wanted {
            let same = before.iter().find(|b| b["port"] == port["port"] && b["protocol"] == port["protocol"]);
            let kept = same.and_then(|b| b["nodePort"].as_i64()).filter(|p| used.insert(*p));
            port["nodePort"] = json!(match kept {
                Some(port) => port,
                None => free(&mut used)?,
            });
        }
    }
    let local = kind == "LoadBalancer" && new["spec"]["externalTrafficPolicy"] == "Local";
    if local && new["spec"]["healthCheckNodePort"].is_null() {
        let kept = old.and_then(|o| o["spec"]["healthCheckNodePort"].as_i64());
        new["spec"]["healthCheckNodePort"] = json!(match kept {
            Some(port) => port,
            None => free(&mut used)?,
        });
    } else if !local {
        remove(&mut new["spec"], &["healthCheckNodePort"]);
    }
    Ok(())
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
