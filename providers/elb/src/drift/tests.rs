#![allow(clippy::unwrap_used)]

use super::*;
use crate::resource::Binding;

fn text(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|v| (*v).to_owned()).collect()
}

fn wish() -> NewBalancer {
    NewBalancer {
        ipv6_network: text("net-6"),
        networks: texts(&["net-1", "net-2"]),
        zones: texts(&["az1", "az2"]),
        l4_flavor: flavor("L4.small"),
        l7_flavor: flavor("L7.small"),
        enterprise_project: text("project-1"),
        ip_targets: Some(false),
    }
}

fn flavor(name: &str) -> Option<Flavor> {
    Some(Flavor::Name(name.to_owned()))
}

fn found(name: &str) -> FoundFlavor {
    FoundFlavor { id: text(&format!("id of {name}")), name: text(name) }
}

/// As the cloud shows what [`wish`] asks for: in another order, and with more than was asked for.
fn made() -> FoundBalancer {
    FoundBalancer {
        zones: texts(&["az2", "az1"]),
        networks: texts(&["net-3", "net-2", "net-1"]),
        ipv6_network: text("net-6"),
        l4_flavor: found("L4.small"),
        l7_flavor: found("L7.small"),
        enterprise_project: text("project-1"),
        ..FoundBalancer::default()
    }
}

fn difference(want: NewBalancer, seen: FoundBalancer) -> Option<String> {
    let want = LoadBalancer { new: Some(Box::new(want)), ..LoadBalancer::default() };
    let seen = LoadBalancer { found: Some(Box::new(seen)), ..LoadBalancer::default() };
    balancer(&want, &seen)
}

#[test]
fn a_load_balancer_that_is_as_it_was_asked_for_does_not_differ() {
    assert_eq!(difference(wish(), made()), None);
    // Nothing is told, or not much is asked for.
    assert_eq!(difference(wish(), FoundBalancer::default()), None);
    assert_eq!(difference(NewBalancer::default(), made()), None);
    let shared = NewBalancer { enterprise_project: text("0"), ..NewBalancer::default() };
    let all_zones = FoundBalancer { enterprise_project: text("0"), ..made() };
    assert_eq!(difference(shared, all_zones), None);
}

#[test]
fn each_field_of_a_load_balancer_that_differs_is_named() {
    for (want, part) in [
        (NewBalancer { zones: texts(&["az1"]), ..wish() }, "available_zone is az2, az1, not az1;"),
        (NewBalancer { l4_flavor: flavor("L4.big"), ..wish() }, "l4_flavor_name is L4.small, not L4.big;"),
        (NewBalancer { l7_flavor: flavor("L7.big"), ..wish() }, "l7_flavor_name is L7.small, not L7.big;"),
        (NewBalancer { networks: texts(&["net-9"]), ..wish() }, "elb_virsubnet_ids is net-3, net-2, net-1, not net-9;"),
        (NewBalancer { ipv6_network: text("net-9"), ..wish() }, "ipv6_vip_virsubnet_id is net-6, not net-9;"),
        (NewBalancer { enterprise_project: text("0"), ..wish() }, "enterprise project is project-1, not 0;"),
    ] {
        let told = difference(want, made()).unwrap();
        assert!(told.contains(part), "{told}");
        assert_eq!(told.matches(" is ").count(), 2, "{told}");
        assert!(told.contains("nothing of it was changed") && told.contains("make it anew"), "{told}");
    }
}

#[test]
fn what_cannot_be_switched_off_is_told() {
    let told = difference(wish(), FoundBalancer { ip_targets: true, ..made() }).unwrap();
    assert!(told.contains("enable-cross-vpc is true, not false"), "{told}");
    let by_id = NewBalancer { l4_flavor: Some(Flavor::Id("id of L4.small".into())), ..wish() };
    assert_eq!(difference(by_id.clone(), made()), None);
    let told = difference(NewBalancer { l4_flavor: Some(Flavor::Id("l4-9".into())), ..by_id }, made()).unwrap();
    assert!(told.contains("l4_flavor_id is id of L4.small, not l4-9"), "{told}");
}

#[test]
fn an_eip_keeps_the_sort_of_its_bandwidth() {
    let own = Eip { bandwidth_id: text("bw-own"), ..address("5_bgp", "", "", "") };
    let shared = |id: &str| Eip { shared_bandwidth: text(id), ..address("5_bgp", "", "", "") };
    assert_eq!(eip(&shared("bw-1"), &shared("bw-1")), None);
    assert!(eip(&shared("bw-1"), &shared("bw-2")).unwrap().contains("share_id is bw-2, not bw-1"));
    assert!(eip(&shared("bw-1"), &own).unwrap().contains("share_type is PER, not WHOLE, bw-1"));
    // Somebody put it there.
    assert_eq!(eip(&own, &shared("bw-1")), None);
}

fn address(kind: &str, name: &str, mode: &str, project: &str) -> Eip {
    Eip {
        kind: text(kind),
        bandwidth_name: text(name),
        bandwidth_size: Some(5),
        charge_mode: text(mode),
        shared_bandwidth: None,
        enterprise_project: text(project),
        keep: false,
        retained: false,
        binding: Binding::Balancer,
        address: None,
        bandwidth_id: None,
    }
}

#[test]
fn what_differs_in_an_eip() {
    let want = address("5_bgp", "web", "traffic", "");
    for (seen, parts) in [
        (address("5_bgp", "web", "traffic", "0"), &[][..]),
        (address("", "", "", ""), &[]),
        // Words that the annotation does not have.
        (address("admin_external_net", "web", "95peak_plus", "0"), &[]),
        (address("5_sbgp", "web", "traffic", ""), &["eip_type is 5_sbgp, not 5_bgp"]),
        (address("5_bgp", "old", "traffic", ""), &["bandwidth_name is old, not web"]),
        (
            address("5_bgp", "old", "bandwidth", ""),
            &["bandwidth_name is old, not web", "bandwidth_chargemode is bandwidth, not traffic"],
        ),
    ] {
        let told = eip(&want, &seen).unwrap_or_default();
        assert_eq!(told.is_empty(), parts.is_empty(), "{told}");
        assert!(parts.iter().all(|p| told.contains(p)), "{told}");
    }
    let named = address("5_bgp", "", "traffic", "project-1");
    let told = eip(&named, &address("5_bgp", "any", "traffic", "0")).unwrap();
    assert!(told.contains("enterprise project is 0, not project-1"), "{told}");
}
