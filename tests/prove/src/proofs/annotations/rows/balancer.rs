//! Which load balancer serves, how it is made, and what of it stays.

use serde_json::{Value, json};

use crate::harness::manifest::PUBLIC;
use crate::proofs::annotations::case::{Case, key, refused, sees, unmet};

const CLASS: &str = "kubernetes.io/elb.class";
const ID: &str = "kubernetes.io/elb.id";
const AUTOCREATE: &str = "kubernetes.io/elb.autocreate";
const INNER: &str = r#"{"type":"inner"}"#;
const DEDICATED: &str = r#"{"type":"inner","available_zone":["mock-1a"],"l4_flavor_name":"L4_flavor.elb.s1.small"}"#;

pub fn rows() -> Vec<Case> {
    [class(), id(), autocreate(), project(), lent(), what_stays()].concat()
}

fn class() -> Vec<Case> {
    let dedicated = || key(CLASS).ports("TCP:80").beside(AUTOCREATE, DEDICATED);
    let shared = || key(CLASS).ports("TCP:80").beside(AUTOCREATE, INNER);
    vec![
        shared()
            .valid("union", sees("balancer/guaranteed", false))
            .edge("shared", sees("balancer/guaranteed", false))
            .invalid("performance", refused(&["elb.autocreate", "available_zone"])),
        shared().without(sees("balancer/guaranteed", false)),
        dedicated()
            .valid("performance", sees("balancer/guaranteed", true))
            .edge("Dedicated", sees("balancer/guaranteed", true))
            .invalid("shared", unmet(&["of class", "delete the Service and make it anew"]))
            .invalid("gold", refused(&["\"gold\"", "union (shared), performance (dedicated) or dnat"])),
        shared().invalid("elasticity", refused(&["\"elasticity\"", "not supported", "union (shared)"])),
        key(CLASS).on("{dedicated:class}", "TCP:80").without(sees("balancer/id", "{dedicated:class}")),
    ]
}

fn id() -> Vec<Case> {
    vec![
        key(ID)
            .ports("TCP:80")
            .valid("{shared:id}", sees("balancer/id", "{shared:id}").sees("listener/protocol", "TCP"))
            .invalid("no such thing", refused(&["\"no such thing\"", "1 to 100 letters"]))
            .removed(refused(&["elb.autocreate", "no load balancer is named", "elb.id"])),
        key(ID)
            .ports("TCP:80,UDP:53")
            .edge(" {dedicated:id} ", sees("balancer/id", "{dedicated:id}").sees("UDP:53/listener/protocol", "UDP")),
        key(ID).ports("TCP:80").invalid(
            "00000000-0000-4000-8000-00000000dead",
            unmet(&["00000000-0000-4000-8000-00000000dead does not exist", "name one that exists"]),
        ),
        key(ID).shared("TCP:80").edge(
            "{shared:beside}",
            sees("balancer/id", "{shared:beside}").warned(&["elb.autocreate", "without effect"]),
        ),
    ]
}

fn autocreate() -> Vec<Case> {
    let union = || key(AUTOCREATE).ports("TCP:80").beside(CLASS, "union");
    let public = r#"{"type":"public","bandwidth_name":"row","bandwidth_chargemode":"traffic","bandwidth_size":5,"bandwidth_sharetype":"PER","eip_type":"5_bgp","name":"row"}"#;
    let public_300 = r#"{"type":"public","bandwidth_name":"row","bandwidth_chargemode":"traffic","bandwidth_size":300,"bandwidth_sharetype":"PER","eip_type":"5_bgp","name":"row"}"#;
    let public_sbgp = r#"{"type":"public","bandwidth_name":"row","bandwidth_chargemode":"traffic","bandwidth_size":300,"bandwidth_sharetype":"PER","eip_type":"5_sbgp","name":"row"}"#;
    vec![
        union()
            .valid(public, sees("balancer/name", "row").sees("eip/bandwidth/size", 5))
            .edge(public_300, sees("eip/bandwidth/size", 300))
            .invalid(public_sbgp, unmet(&["eip_type is 5_bgp, not 5_sbgp", "set it back"]))
            .invalid(r#"{"type":"public"}"#, refused(&["bandwidth_size", "eip_type"]))
            .invalid("true", refused(&["elb.autocreate", "{"])),
        union()
            .valid(INNER, sees("balancer/guaranteed", false).sees("eip", Value::Null))
            .edge("{}", sees("ours", 3))
            .invalid(r#"{"type":"inner","name":""}"#, refused(&["$.name", "the text is empty"]))
            .invalid(r#"{"type":"inner","name":"a b"}"#, refused(&["$.name", "letters, digits"])),
        key(AUTOCREATE)
            .ports("TCP:80")
            .beside(CLASS, "performance")
            .valid(DEDICATED, sees("balancer/availability_zone_list", json!(["mock-1a"])))
            .invalid(
                r#"{"type":"inner","available_zone":["mock-1b"],"l4_flavor_name":"L4_flavor.elb.s1.small"}"#,
                unmet(&["available_zone is mock-1a, not mock-1b", "set it back"]),
            ),
        key(AUTOCREATE)
            .ports("TCP:80")
            .beside(CLASS, "performance")
            .invalid(r#"{"type":"inner","available_zone":[""],"l4_flavor_name":""}"#, refused(&["available_zone"])),
    ]
}

fn project() -> Vec<Case> {
    let name = "kubernetes.io/elb.enterpriseID";
    let path = "balancer/enterprise_project_id";
    vec![
        key(name)
            .dedicated("TCP:80")
            .valid("aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa", sees(path, "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa"))
            .invalid(
                "bbbbbbbb-1111-4111-8111-aaaaaaaaaaaa",
                unmet(&["enterprise project is aaaaaaaa", "not bbbbbbbb"]),
            ),
        key(name).dedicated("TCP:80").edge("0", sees(path, "0")).removed(sees(path, "0")),
        key(name).dedicated("TCP:80").invalid("a b", refused(&["\"a b\"", "1 to 100 letters"])),
    ]
}

/// EIPs of the user's: bound, swapped, and left as they were when the Service goes.
fn lent() -> Vec<Case> {
    let (eip, custom) = ("kubernetes.io/elb.eip-id", "kubernetes.io/elb.custom-eip-id");
    let allow = "ferrolb.io/allow-interruption";
    let is = |name: &'static str, id: &'static str| sees("eip/id", id).sees("eip/alias", name);
    vec![
        key(eip)
            .shared("TCP:80")
            .valid("{eip:lent-a}", is("lent-a", "{eip:lent-a}").sees("ours", 4))
            .edge(" {eip:lent-a} ", is("lent-a", "{eip:lent-a}"))
            .invalid("a b", refused(&["\"a b\"", "1 to 100 letters"]))
            .invalid("00000000-0000-4000-8000-00000000dead", unmet(&["dead does not exist", "name one that exists"]))
            .removed(sees("eip", Value::Null).warned(&["allow-interruption", "clients may still use the address"])),
        key(eip).on("{dedicated:lent}", "TCP:80").edge("{eip:lent-e}", is("lent-e", "{eip:lent-e}")),
        key(custom)
            .shared("TCP:80")
            .beside(allow, "true")
            .beside(eip, "{eip:lent-b}")
            .without(is("lent-b", "{eip:lent-b}"))
            .valid("{eip:lent-c}", is("lent-c", "{eip:lent-c}"))
            .edge(" {eip:lent-b} ", is("lent-b", "{eip:lent-b}"))
            .invalid("c/d", refused(&["\"c/d\"", "1 to 100 letters"]))
            .removed(is("lent-b", "{eip:lent-b}")),
        key(custom)
            .ports("TCP:80")
            .beside(AUTOCREATE, PUBLIC)
            .beside(allow, "true")
            .without(sees("eip/network_type", "5_bgp").sees("ours", 4))
            .valid("{eip:lent-d}", is("lent-d", "{eip:lent-d}").sees("ours", 4)),
    ]
}

/// What stays is noted on the object. The last steps take the wishes back, for all that is made here is to go.
fn what_stays() -> Vec<Case> {
    let (policy, keep) = ("kubernetes.io/elb.instance-reclaim-policy", "kubernetes.io/elb.keep-eip");
    let retained = json!([{"key": "ferrolb-reclaim-policy", "value": "retain"}]);
    vec![
        key("ferrolb.io/allow-interruption")
            .shared("TCP:80")
            .valid("true", sees("ours", 3))
            .edge("False", sees("ours", 3))
            .invalid("perhaps", refused(&["\"perhaps\"", "true or false"]))
            .removed(sees("ours", 3)),
        key(policy)
            .shared("TCP:80")
            .valid("retain", sees("ours", 3).sees("balancer/tags", retained.clone()))
            .valid("alwaysDelete", sees("balancer/tags", json!([])))
            .edge("Retain", sees("balancer/tags", retained.clone()))
            .edge("", sees("balancer/tags", json!([])))
            .invalid("keep", refused(&["\"keep\"", "alwaysDelete, retain"]))
            .removed(sees("ours", 3)),
        key(policy)
            .dedicated("TCP:80")
            .valid("retain", sees("balancer/tags", retained))
            .removed(sees("balancer/tags", json!([]))),
        key(policy).on("{shared:policy}", "TCP:80").edge("retain", sees("balancer/id", "{shared:policy}")),
        key(keep)
            .ports("TCP:80")
            .beside(AUTOCREATE, PUBLIC)
            .valid("true", sees("ours", 4).sees("eip/description", "ferrolb.io/keep-eip"))
            .valid("false", sees("ours", 4).sees("eip/description", ""))
            .edge("True", sees("eip/description", "ferrolb.io/keep-eip"))
            .edge("off", sees("eip/description", ""))
            .invalid("yes", refused(&["\"yes\"", "true or false"]))
            .removed(sees("ours", 4)),
        key(keep).shared("TCP:80").edge("true", sees("ours", 3)),
    ]
}
