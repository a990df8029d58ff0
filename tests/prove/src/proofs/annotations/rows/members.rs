//! What members are, ranges of ports, and clients inside the cluster.

use serde_json::{Value, json};

use crate::proofs::annotations::case::{Case, key, refused, sees, warned};

const ADAPTIVE: &str = "kubernetes.io/elb.adaptive-weight";
const ALGORITHM: &str = "kubernetes.io/elb.lb-algorithm";
const BACKENDS: &str = "ferrolb.io/backends";
const FAMILY: &str = "kubernetes.io/elb.backend.ip-version";
const HOST_NETWORK: &str = "kubernetes.io/hws-hostNetwork";
const PASS_THROUGH: &str = "kubernetes.io/elb.pass-through";
const RANGES: &str = "kubernetes.io/elb.port-ranges";
const SUBNET: &str = "kubernetes.io/elb.backend.subnet-id";
const WEIGHTS: &str = "kubernetes.io/elb.custom-backend-weights";

pub fn rows() -> Vec<Case> {
    [backends(), subnet(), weights(), ranges(), inside()].concat()
}

/// Balancer, listener and pool.
fn works() -> crate::proofs::annotations::case::Expect {
    sees("ours", 3)
}

fn backends() -> Vec<Case> {
    let shared = refused(&["spec.allocateLoadBalancerNodePorts", "a shared load balancer sends it to nodes only"]);
    vec![
        key(BACKENDS)
            .dedicated("TCP:80")
            .valid("pods", works())
            .edge("nodes", works())
            .invalid("cows", refused(&["\"cows\"", "nodes, pods"]))
            .removed(works()),
        key(BACKENDS).shared("TCP:80").valid("nodes", works()).invalid("pods", shared.clone()),
        key(BACKENDS)
            .shared("TCP:80")
            .spec("allocateLoadBalancerNodePorts", false)
            .invalid("nodes", refused(&["spec.ports[0].nodePort", "nodes are its backends"]))
            .removed(shared),
        key(HOST_NETWORK)
            .shared("TCP:80")
            .valid("true", works().warned(&["some pods are not on the network of their node"]))
            .edge("FALSE", works())
            .invalid("yes", refused(&["\"yes\"", "true or false"]))
            .removed(works()),
        key(HOST_NETWORK)
            .shared("TCP:80")
            .beside(BACKENDS, "nodes")
            .edge("true", warned(&["without effect beside", BACKENDS])),
    ]
}

fn subnet() -> Vec<Case> {
    vec![
        key(SUBNET)
            .dedicated("TCP:80")
            .beside(BACKENDS, "pods")
            .valid("fe220000-0000-4000-8000-000000000021", works())
            .edge("", works())
            .invalid("a b", refused(&["\"a b\"", "an id"]))
            .removed(works()),
        key(SUBNET).shared("TCP:80").edge("x", warned(&["needs a dedicated load balancer"])),
        key(FAMILY)
            .dedicated("TCP:80")
            .beside(BACKENDS, "pods")
            .valid("ipv4", works())
            .edge("V4", works())
            .invalid("ipv6", refused(&["IPv6 members are not supported yet", "ipv4"]))
            .invalid("ipv5", refused(&["\"ipv5\"", "ipv4, v4, ipv6, v6"]))
            .removed(works()),
        key(FAMILY).dedicated("TCP:80").edge("ipv4", warned(&["nodes are the members"])),
    ]
}

fn weights() -> Vec<Case> {
    vec![
        key(ADAPTIVE)
            .shared("TCP:80")
            .valid("true", works())
            .edge("False", works())
            .invalid("1", refused(&["\"1\"", "true or false"]))
            .removed(works()),
        key(ADAPTIVE)
            .shared("TCP:80")
            .beside(ALGORITHM, "SOURCE_IP")
            .edge("true", warned(&["weights do not count", "ROUND_ROBIN"])),
        key(WEIGHTS)
            .dedicated("TCP:80")
            .beside(BACKENDS, "pods")
            .valid(r#"{"defaultWeight":12}"#, works())
            .edge(r#"{"defaultWeight":"0","groups":[]}"#, warned(&["$.groups", "has not published its form"]))
            .invalid(r#"{"defaultWeight":101}"#, refused(&["$.defaultWeight", "101", "0 to 100"]))
            .invalid("12", refused(&["12 is not a JSON object"]))
            .removed(works()),
        key(WEIGHTS)
            .dedicated("TCP:80")
            .edge(r#"{"defaultWeight":12}"#, warned(&["nodes are the members", "ferrolb.io/backends: pods"])),
    ]
}

fn ranges() -> Vec<Case> {
    let path = "TCP:0/listener/port_ranges";
    let range = |first: u16, last: u16| json!({"start_port": first, "end_port": last});
    let outside = warned(&["port 80 is in none of its ranges"]);
    vec![
        key(RANGES)
            .dedicated("TCP:80,UDP:53")
            .valid(
                r#"{"tcp-80":["80,90","200,200"]}"#,
                sees(path, json!([range(80, 90), range(200, 200)])).sees("UDP:53/listener/protocol_port", 53),
            )
            .edge(r#"{"tcp-80":["65535,65535"]}"#, outside.sees(path, json!([range(65535, 65535)])))
            .invalid(r#"{"tcp-80":["90,80"]}"#, refused(&["$.tcp-80", "is not a range of ports"]))
            .invalid(r#"{"tcp-80":["1,5","5,9"]}"#, refused(&["the ranges 1,5 and 5,9 overlap"]))
            .invalid(r#"{"web":["1,5"]}"#, refused(&["$.web", "no port", "tcp-80, udp-53"]))
            .removed(sees(path, Value::Null).sees("listener/protocol_port", 80)),
        key(RANGES).shared("TCP:80").edge(r#"{"tcp-80":["80,90"]}"#, warned(&["needs a dedicated load balancer"])),
        key(RANGES)
            .dedicated("TCP:80")
            .beside("kubernetes.io/elb.protocol-port", "http:80")
            .invalid(r#"{"tcp-80":["80,90"]}"#, refused(&["port 80 speaks HTTP", "TCP, UDP or TLS"])),
    ]
}

fn inside() -> Vec<Case> {
    let path = "service/status/loadBalancer/ingress/0/ipMode";
    vec![
        key(PASS_THROUGH)
            .shared("TCP:80")
            .valid("true", sees(path, "Proxy"))
            .edge("onlylocal", sees(path, "Proxy"))
            .edge("false", works())
            .invalid("yes", refused(&["\"yes\"", "true, onlyLocal, false"]))
            .removed(works()),
        key(PASS_THROUGH).dedicated("TCP:80").edge("true", warned(&["do not reach its addresses"]).sees(path, "Proxy")),
    ]
}
