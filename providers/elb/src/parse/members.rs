//! What members are: nodes or pods, in which subnet.

use ferrolb_provider::Desired;

use super::read::{Reader, problem};
use crate::json;
use crate::keys::{
    ADAPTIVE_WEIGHT, BACKEND_IP_VERSION, BACKEND_SUBNET_ID, BACKENDS, CUSTOM_BACKEND_WEIGHTS, HOST_NETWORK,
    LB_ALGORITHM, find,
};
use crate::model::served;
use crate::spec::{Algorithm, Class, MemberSpec};

/// How a Service gets back to nodes.
const NODE_PORTS: &str = "spec.allocateLoadBalancerNodePorts: true";

/// What the options ask of members.
pub(super) fn parse(reader: &mut Reader<'_>, want: &Desired, class: Option<Class>, algorithm: Algorithm) -> MemberSpec {
    let backends = reader.word(BACKENDS);
    let on_host = reader.switch(HOST_NETWORK) == Some(true) && backends.as_deref() != Some("nodes");
    let direct = served(want).any(|p| p.direct);
    let asked = match backends.as_deref() {
        Some("pods") => BACKENDS,
        Some(_) if reader.text(HOST_NETWORK).is_some() => {
            reader.warn(HOST_NETWORK, format!("without effect beside {BACKENDS}: nodes"), "one of the two");
            BACKENDS
        }
        _ => "spec.allocateLoadBalancerNodePorts",
    };
    if direct && !on_host && class == Some(Class::Shared) {
        let valid = format!(
            "a dedicated load balancer (kubernetes.io/elb.class: performance), or nodes: {NODE_PORTS}; {HOST_NETWORK}: true for pods on the network of their nodes"
        );
        reader.error(
            asked,
            "pods are to get traffic directly, and a shared load balancer sends it to nodes only",
            valid,
        );
    }
    let subnet = reader.text_for_dedicated(BACKEND_SUBNET_ID, class).and_then(|_| value(reader, BACKEND_SUBNET_ID));
    family(reader, class, direct);
    adaptive(reader, algorithm, direct);
    let weights = reader.text_for_dedicated(CUSTOM_BACKEND_WEIGHTS, class);
    let weight = weights.and_then(|text| weight(reader, text, direct));
    MemberSpec { asked, on_host, subnet, weight }
}

fn value(reader: &mut Reader<'_>, key: &str) -> Option<String> {
    reader.value(find(key)?)?.as_str().map(str::to_owned)
}

/// `elb.backend.ip-version`: of IPv4 members only, so far.
fn family(reader: &mut Reader<'_>, class: Option<Class>, direct: bool) {
    let version = reader.word(BACKEND_IP_VERSION);
    if reader.text_for_dedicated(BACKEND_IP_VERSION, class).is_none() {
        return;
    }
    match version.as_deref() {
        Some("ipv6" | "v6") => {
            reader.error(BACKEND_IP_VERSION, "IPv6 members are not supported yet", "ipv4");
        }
        Some(_) if !direct => {
            let valid = format!("{BACKENDS}: pods");
            reader.warn(
                BACKEND_IP_VERSION,
                "without effect: it is about the addresses of pods, and nodes are the members",
                valid,
            );
        }
        _ => (),
    }
}

/// `elb.adaptive-weight`, which whoever knows the endpoints acts on.
fn adaptive(reader: &mut Reader<'_>, algorithm: Algorithm, direct: bool) {
    if reader.switch(ADAPTIVE_WEIGHT) != Some(true) {
        return;
    }
    if reader.text(CUSTOM_BACKEND_WEIGHTS).is_some() {
        let message = format!("not together with {CUSTOM_BACKEND_WEIGHTS}: both say what weights are");
        return reader.error(ADAPTIVE_WEIGHT, message, "one of the two");
    }
    if direct {
        let message = "without effect: pods are members themselves, and all alike";
        reader.warn(ADAPTIVE_WEIGHT, message, "false");
    } else if algorithm == Algorithm::SourceIp {
        let message = format!("without effect: with {LB_ALGORITHM}: SOURCE_IP weights do not count");
        reader.warn(ADAPTIVE_WEIGHT, message, "ROUND_ROBIN or LEAST_CONNECTIONS");
    }
}

/// `elb.custom-backend-weights`, as far as its form is known.
fn weight(reader: &mut Reader<'_>, text: &str, direct: bool) -> Option<u16> {
    let map = match json::object(CUSTOM_BACKEND_WEIGHTS, text, r#"{"defaultWeight":10}"#) {
        Ok(map) => map,
        Err(problem) => {
            reader.errors.push(problem);
            return None;
        }
    };
    let at = |field: &str, message: &str, valid: &str| {
        let mut found = problem(CUSTOM_BACKEND_WEIGHTS, message, valid);
        found.at = format!("$.{field}");
        found
    };
    let mut weight = None;
    for (field, value) in map.iter().filter(|(_, v)| !v.is_null()) {
        match (field.as_str(), json::number(value).filter(|n| *n <= 100)) {
            ("defaultWeight", Some(number)) => weight = u16::try_from(number).ok(),
            ("defaultWeight", None) => {
                let message = format!("{} is not a weight", json::shown(value));
                reader.errors.push(at(field, &message, "a whole number from 0 to 100"));
            }
            ("groups", _) => reader.warnings.push(at(
                field,
                "without effect: the vendor has not published its form, and to guess would send traffic to the wrong pods",
                "defaultWeight, which is for all pods",
            )),
            _ => reader.warnings.push(at(field, "unknown field, ignored", "defaultWeight")),
        }
    }
    if !direct {
        let message = "without effect: it is about the weights of pods, and nodes are the members";
        reader.warn(CUSTOM_BACKEND_WEIGHTS, message, format!("{BACKENDS}: pods"));
        return None;
    }
    weight
}
