//! Rules of a NAT gateway.

use crate::proofs::annotations::case::{Case, key, refused, sees, unmet, warned};

const GATEWAY: &str = "kubernetes.io/natgateway.id";
const EIP_ID: &str = "kubernetes.io/elb.eip-id";
const EIP_OPTION: &str = "kubernetes.io/elb.eip-auto-create-option";

pub fn rows() -> Vec<Case> {
    [gateway(), mode(), eip()].concat()
}

fn gateway() -> Vec<Case> {
    vec![
        key(GATEWAY)
            .dnat("TCP:80,UDP:53")
            .beside(EIP_ID, "{eip:gateway}")
            .valid("{gateway:one}", sees("rule/nat_gateway_id", "{gateway:one}").sees("UDP:53/rule/protocol", "udp"))
            .edge(" {gateway:one} ", sees("rule/nat_gateway_id", "{gateway:one}"))
            .invalid("a/b", refused(&["\"a/b\"", "1 to 100 letters"])),
        key(GATEWAY)
            .dnat("TCP:80")
            .beside(EIP_ID, "{eip:gateway-2}")
            .invalid(
                "fe220000-0000-4000-8000-0000000000ff",
                unmet(&["fe220000-0000-4000-8000-0000000000ff does not exist", "name one that exists"]),
            )
            .removed(refused(&["natgateway.id", "missing"])),
    ]
}

fn mode() -> Vec<Case> {
    let mode = "service/status/loadBalancer/ingress/0/ipMode";
    vec![
        key("ferrolb.io/ip-mode")
            .dnat("TCP:80")
            .beside(EIP_ID, "{eip:mode}")
            .valid("VIP", sees(mode, "VIP"))
            .edge("proxy", sees(mode, "Proxy"))
            .invalid("NAT", refused(&["\"NAT\"", "VIP or Proxy"]))
            .removed(sees(mode, "Proxy")),
    ]
}

/// An EIP of the user's, by its id or its address, and one of our own.
fn eip() -> Vec<Case> {
    let bound = |name: &'static str| sees("rule/floating_ip_id", name).sees("eip/id", name);
    vec![
        key(EIP_ID)
            .dnat("TCP:80")
            .valid("{eip:one}", bound("{eip:one}"))
            .edge("{eip:two}", bound("{eip:two}"))
            .invalid("not/an/id", refused(&["\"not/an/id\"", "1 to 100 letters"]))
            .removed(refused(&["spec.loadBalancerIP", "elb.eip-id", "elb.eip-auto-create-option"])),
        key(EIP_ID)
            .dnat("TCP:80")
            .spec("loadBalancerIP", "{address:three}")
            .edge("{eip:four}", bound("{eip:three}").warned(&["elb.eip-id", "spec.loadBalancerIP"])),
        key(EIP_OPTION)
            .dnat("TCP:80")
            .valid(r#"{"ip_type":"5_bgp","bandwidth_size":5,"share_type":"PER"}"#, sees("eip/bandwidth/size", 5))
            .edge(r#"{"ip_type":"5_bgp","bandwidth_size":300,"share_type":"PER"}"#, sees("eip/bandwidth/size", 300))
            .invalid(r#"{"ip_type":"5_bgp","bandwidth_size":0}"#, refused(&["bandwidth_size"])),
        key(EIP_OPTION).dnat("TCP:80").beside(EIP_ID, "{eip:five}").edge(
            r#"{"ip_type":"5_bgp","bandwidth_size":5,"share_type":"PER"}"#,
            bound("{eip:five}").warned(&["elb.eip-auto-create-option", "elb.eip-id"]),
        ),
        key("kubernetes.io/elb.lb-algorithm")
            .dnat("TCP:80")
            .beside(EIP_ID, "{eip:six}")
            .edge("ROUND_ROBIN", warned(&["elb.lb-algorithm", "class dnat"])),
    ]
}
