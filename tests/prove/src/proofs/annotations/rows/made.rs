//! What the open controller's keys and `elb.tags` say of a load balancer that is made.

use serde_json::{Value, json};

use crate::proofs::annotations::case::{Case, key, refused, sees, unmet, warned};

const CLASS: &str = "kubernetes.io/elb.class";
const ZONES: &str = "kubernetes.io/elb.availability-zones";
/// The mock's subnet for load balancers.
const SUBNET: &str = "fe220000-0000-4000-8000-000000000011";

pub fn rows() -> Vec<Case> {
    [zones(), flavors(), networks(), tags(), eip()].concat()
}

/// A load balancer that nothing else is said of.
fn open(name: &str, class: &'static str) -> Case {
    let case = key(&format!("kubernetes.io/elb.{name}")).ports("TCP:80").beside(CLASS, class);
    if class == "dedicated" { case.beside(ZONES, "mock-1a") } else { case }
}

fn zones() -> Vec<Case> {
    let dedicated = || key(ZONES).ports("TCP:80").beside(CLASS, "dedicated");
    let path = "balancer/availability_zone_list";
    vec![
        dedicated()
            .valid("mock-1a", sees(path, json!(["mock-1a"])))
            .edge(" mock-1a ; ", sees(path, json!(["mock-1a"])))
            .invalid("mock-1b", unmet(&["available_zone is mock-1a, not mock-1b"]))
            .removed(refused(&["missing", "at least one zone"])),
        dedicated().invalid(";", refused(&["missing", "at least one zone"])),
        key(ZONES).shared("TCP:80").edge("mock-1a", warned(&["elb.availability-zones", "without effect"])),
    ]
}

fn flavors() -> Vec<Case> {
    let mut rows = Vec::new();
    for (name, path, small, medium, field) in [
        ("l4-flavor-id", "balancer/l4_flavor_id", "{l4-flavor:small}", "{l4-flavor:medium}", "l4_flavor"),
        ("l7-flavor-id", "balancer/l7_flavor_id", "{l7-flavor:small}", "{l7-flavor:medium}", "l7_flavor"),
    ] {
        rows.push(open(name, "dedicated").valid(small, sees(path, small)).invalid(medium, unmet(&[field, medium])));
        rows.push(open(name, "dedicated").edge(medium, sees(path, medium)));
        rows.push(open(name, "dedicated").invalid("a b", refused(&["\"a b\"", "1 to 100 letters"])));
        rows.push(open(name, "shared").edge(small, warned(&["without effect on a shared load balancer"])));
    }
    rows
}

fn networks() -> Vec<Case> {
    let subnet = "balancer/vip_subnet_cidr_id";
    let targets = "balancer/ip_target_enable";
    vec![
        open("subnet-id", "dedicated").valid(SUBNET, sees(subnet, SUBNET)),
        open("subnet-id", "shared").edge(SUBNET, sees(subnet, SUBNET)),
        open("subnet-id", "dedicated").invalid("a b", refused(&["\"a b\"", "1 to 100 letters"])),
        open("enable-cross-vpc", "dedicated")
            .valid("true", sees(targets, true))
            .edge("True", sees(targets, true))
            .invalid("yes", refused(&["\"yes\"", "true or false"]))
            .invalid("false", unmet(&["enable-cross-vpc is true, not false"]))
            .removed(sees(targets, true)),
        open("enable-cross-vpc", "shared").edge("true", warned(&["without effect on a shared load balancer"])),
    ]
}

fn tags() -> Vec<Case> {
    let path = "balancer/tags";
    let team = |value: &str| sees(path, json!([{"key": "team", "value": value}]));
    let name = "kubernetes.io/elb.tags";
    vec![
        key(name)
            .shared("TCP:80")
            .valid("team=web", team("web"))
            .edge(r#"{"team":"shop"}"#, team("shop"))
            .invalid("team=web,team=shop", refused(&["given twice", "each key once"]))
            .invalid("te*am=web", refused(&["\"te*am=web\" is not a tag", "at most 20"]))
            .removed(team("shop")),
        key(name).dedicated("TCP:80").valid(" team = web ,", team("web")),
        key(name).on("{shared:tags}", "TCP:80").edge("team=web", sees(path, json!([])).warned(&["without effect"])),
    ]
}

fn eip() -> Vec<Case> {
    let name = "kubernetes.io/elb.eip-auto-create-option";
    vec![
        key(name)
            .shared("TCP:80")
            .valid(r#"{"ip_type":"5_bgp","bandwidth_size":5,"share_type":"PER"}"#, sees("eip/bandwidth/size", 5))
            .edge(r#"{"ip_type":"5_bgp","bandwidth_size":300,"share_type":"PER"}"#, sees("eip/bandwidth/size", 300))
            .invalid(r#"{"ip_type":"5_bgp","share_type":"WHOLE"}"#, refused(&["$.share_id", "missing"]))
            .removed(sees("eip", Value::Null)),
    ]
}
