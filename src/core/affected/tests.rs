#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use k8s_openapi::api::core::v1::{ClientIPConfig, SessionAffinityConfig};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::*;
use crate::builders::*;
use crate::{PROVIDER_ANNOTATION, Timestamp};

fn changed(change: impl FnOnce(&mut Service)) -> bool {
    let mut new = service("web");
    change(&mut new);
    relevant(Some(&service("web")), Some(&new))
}

fn spec_changed(change: impl FnOnce(&mut ServiceSpec)) -> bool {
    changed(|svc| change(svc.spec.as_mut().unwrap()))
}

fn port_changed(change: impl FnOnce(&mut k8s_openapi::api::core::v1::ServicePort)) -> bool {
    spec_changed(|s| change(&mut s.ports.as_mut().unwrap()[0]))
}

#[test]
fn what_matters_field_by_field() {
    assert!(spec_changed(|s| s.type_ = Some("ClusterIP".into())), "type");
    assert!(spec_changed(|s| s.load_balancer_class = Some("ferrolb.io/elb".into())), "loadBalancerClass");
    assert!(spec_changed(|s| s.load_balancer_source_ranges = Some(vec!["10.0.0.0/8".into()])), "sourceRanges");
    assert!(spec_changed(|s| s.load_balancer_ip = Some("192.0.2.1".into())), "loadBalancerIP");
    assert!(spec_changed(|s| s.external_ips = Some(vec!["192.0.2.1".into()])), "externalIPs");
    assert!(spec_changed(|s| s.external_traffic_policy = Some("Local".into())), "externalTrafficPolicy");
    assert!(spec_changed(|s| s.health_check_node_port = Some(31000)), "healthCheckNodePort");
    assert!(spec_changed(|s| s.ip_families = Some(vec!["IPv6".into()])), "ipFamilies");
    assert!(spec_changed(|s| s.allocate_load_balancer_node_ports = Some(false)), "allocateLoadBalancerNodePorts");
    assert!(spec_changed(|s| s.session_affinity = Some("ClientIP".into())), "sessionAffinity");
    assert!(
        spec_changed(|s| s.session_affinity_config =
            Some(SessionAffinityConfig { client_ip: Some(ClientIPConfig { timeout_seconds: Some(60) }) })),
        "sessionAffinityConfig"
    );
    assert!(spec_changed(|s| s.ports.as_mut().unwrap().push(port("UDP", 53, 30053))), "a port more");
    assert!(spec_changed(|s| s.ports.as_mut().unwrap().clear()), "a port less");
    assert!(port_changed(|p| p.name = Some("http".into())), "port name");
    assert!(port_changed(|p| p.protocol = Some("UDP".into())), "port protocol");
    assert!(port_changed(|p| p.port = 81), "port");
    assert!(port_changed(|p| p.node_port = Some(30081)), "nodePort");
    assert!(port_changed(|p| p.target_port = Some(IntOrString::Int(8080))), "targetPort");
    assert!(port_changed(|p| p.app_protocol = Some("http".into())), "appProtocol");
    assert!(changed(|s| s.metadata.uid = Some("other".into())), "uid");
    assert!(changed(|s| s.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH))), "deletionTimestamp");
    for key in ["kubernetes.io/elb.id", "ferrolb.io/x", "service.beta.kubernetes.io/load-balancer-source-ranges"] {
        assert!(changed(|s| *s = annotate(s.clone(), key, "1")), "{key}");
    }
}

#[test]
fn what_does_not_matter_field_by_field() {
    assert!(!changed(|_| ()), "nothing");
    assert!(!changed(|s| s.metadata.resource_version = Some("2".into())), "resourceVersion");
    assert!(!changed(|s| s.metadata.labels = Some([("a".into(), "b".into())].into())), "labels");
    assert!(!changed(|s| s.metadata.generation = Some(2)), "generation");
    assert!(!changed(|s| s.metadata.finalizers = Some(vec!["example.com/x".into()])), "another's finalizer");
    assert!(!spec_changed(|s| s.selector = Some([("a".into(), "b".into())].into())), "selector: slices tell");
    assert!(!spec_changed(|s| s.cluster_ip = Some("10.96.0.1".into())), "clusterIP");
    assert!(!spec_changed(|s| s.internal_traffic_policy = Some("Local".into())), "internalTrafficPolicy");
    assert!(!spec_changed(|s| s.publish_not_ready_addresses = Some(true)), "publishNotReadyAddresses");
    assert!(!spec_changed(|s| s.traffic_distribution = Some("PreferClose".into())), "trafficDistribution");
    assert!(!changed(|s| *s = annotate(s.clone(), "argocd.argoproj.io/tracking-id", "1")), "others' annotations");
}

#[test]
fn our_own_writes_start_nothing_and_their_loss_does() {
    let with_condition = |mut svc: Service, kind: &str| {
        let conditions = svc.status.get_or_insert_default().conditions.get_or_insert_default();
        conditions.push(Condition {
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
            message: String::new(),
            observed_generation: None,
            reason: "Any".into(),
            status: "True".into(),
            type_: kind.into(),
        });
        svc
    };
    let plain = || service("web");
    let finalized = || {
        let mut svc = plain();
        svc.metadata.finalizers = Some(vec![crate::FINALIZER.into()]);
        svc
    };
    let table = [
        ("finalizer", plain(), finalized()),
        ("mark", plain(), annotate(plain(), PROVIDER_ANNOTATION, "elb")),
        ("address", plain(), serving(plain(), &["192.0.2.1"])),
        ("address more", serving(plain(), &["192.0.2.1"]), serving(plain(), &["192.0.2.1", "10.0.0.9"])),
        ("condition", plain(), with_condition(plain(), "ferrolb.io/Ready")),
    ];
    for (what, without, with) in table {
        assert!(!relevant(Some(&without), Some(&with)), "{what} appears");
        assert!(relevant(Some(&with), Some(&without)), "{what} is lost");
        let ours_to_empty = what.starts_with("address") || what == "condition";
        let (with, without) = (deleting(with), deleting(without));
        assert_eq!(relevant(Some(&with), Some(&without)), !ours_to_empty, "{what} is lost while it goes");
    }
    let other = |provider: &str| annotate(plain(), PROVIDER_ANNOTATION, provider);
    assert!(relevant(Some(&other("elb")), Some(&other("layer2"))), "mark replaced");
    let ip = |ip: &str| serving(plain(), &[ip]);
    assert!(relevant(Some(&ip("192.0.2.1")), Some(&ip("192.0.2.2"))), "address replaced");
    let cluster_ip = |svc| with_spec(svc, |s| s.type_ = Some("ClusterIP".into()));
    assert!(relevant(Some(&cluster_ip(plain())), Some(&cluster_ip(finalized()))), "a claim came too late");
    let foreign = with_condition(plain(), "example.com/Ready");
    assert!(!relevant(Some(&foreign), Some(&plain())), "another's condition");
}

#[test]
fn only_load_balancers_and_what_we_hold_concern_us() {
    let cluster_ip = |svc: Service| with_spec(svc, |s| s.type_ = Some("ClusterIP".into()));
    let other = || cluster_ip(service("web"));
    assert!(!relevant(None, Some(&other())));
    assert!(!relevant(Some(&other()), Some(&annotate(other(), "kubernetes.io/elb.id", "1"))));
    assert!(relevant(None, Some(&service("web"))), "appears");
    assert!(relevant(Some(&service("web")), None), "vanishes");
    assert!(relevant(None, Some(&held(other(), "elb"))), "held, though of another type");
    assert!(relevant(Some(&other()), Some(&service("web"))), "becomes one");
    assert!(relevant(Some(&held(other(), "elb")), Some(&other())), "is let go");
}

/// A world of Services `a` (class-less), `b` (ferrolb.io/gold), `c` (foreign), `d` (ClusterIP), `e` (deleting).
fn cluster() -> World {
    let mut world = World::default();
    add(&mut world, service("a"));
    add(&mut world, with_class(service("b"), "ferrolb.io/gold"));
    add(&mut world, with_class(service("c"), "example.com/lb"));
    add(&mut world, with_spec(service("d"), |s| s.type_ = Some("ClusterIP".into())));
    add(&mut world, deleting(held(service("e"), "elb")));
    world
}

fn names(world: &World, change: &Change) -> String {
    affected(world, change).into_iter().map(|key| key.name).collect()
}

#[test]
fn a_service_affects_itself() {
    let mut world = cluster();
    let key = Key::new("default", "a");
    let new = annotate(service("a"), "kubernetes.io/elb.id", "1");
    let change = world.apply_service(key.clone(), Some(Arc::new(new.clone())));
    assert_eq!(names(&world, &change), "a");
    let change = world.apply_service(key.clone(), Some(Arc::new(new)));
    assert_eq!(names(&world, &change), "");
    let change = world.apply_service(key, None);
    assert_eq!(names(&world, &change), "a", "so that it is forgotten");
}

#[test]
fn a_node_affects_all_when_it_becomes_another_target() {
    let base = || node("n1", "10.0.0.1");
    let table = [
        ("appears", None, Some(base()), true),
        ("vanishes", Some(base()), None, true),
        ("is the same", Some(base()), Some(base()), false),
        ("is not ready", Some(base()), Some(Node { ready: false, ..base() }), false),
        ("is excluded", Some(base()), Some(Node { excluded: true, ..base() }), true),
        ("is to be removed", Some(base()), Some(Node { tainted_for_removal: true, ..base() }), true),
        ("is being deleted", Some(base()), Some(Node { deleting: true, ..base() }), true),
        ("has another address", Some(base()), Some(node("n1", "10.0.0.2")), true),
        ("vanishes excluded", Some(Node { excluded: true, ..base() }), None, false),
        (
            "is deleted excluded",
            Some(Node { excluded: true, ..base() }),
            Some(Node { excluded: true, deleting: true, ..base() }),
            false,
        ),
    ];
    for (what, old, new, all) in table {
        let mut world = cluster();
        world.apply_node("n1", old);
        let change = world.apply_node("n1", new);
        assert_eq!(names(&world, &change), if all { "ab" } else { "" }, "a node {what}");
    }
}

#[test]
fn the_readiness_of_a_node_affects_only_whom_no_health_check_serves() {
    let mut world = cluster();
    add(&mut world, annotate(service("f"), "kubernetes.io/elb.class", "dnat"));
    add(&mut world, annotate(deleting(held(service("g"), "elb")), "kubernetes.io/elb.class", "dnat"));
    world.apply_node("n1", Some(node("n1", "10.0.0.1")));
    let not_ready = world.apply_node("n1", Some(Node { ready: false, ..node("n1", "10.0.0.1") }));
    assert_eq!(names(&world, &not_ready), "f");
    let mut dnat = class("gold", "elb");
    dnat.parameters.insert("kubernetes.io/elb.class".into(), "dnat".into());
    world.apply_class("gold", Some(dnat));
    let ready = world.apply_node("n1", Some(node("n1", "10.0.0.1")));
    assert_eq!(names(&world, &ready), "abf", "any class may be that of `a`");
}

#[test]
fn endpoints_affect_their_service_when_they_come_or_go() {
    let on = |nodes: &[(&str, bool)]| Some(slice("s1", "a", nodes.iter().map(|(n, r)| endpoint(n, *r))));
    // Before, after, affected with policy Cluster, with policy Local.
    let table = [
        ("first", None, on(&[("n1", true)]), true, true),
        ("first, not ready", None, on(&[("n1", false)]), false, false),
        ("ready", on(&[("n1", false)]), on(&[("n1", true)]), true, true),
        ("last goes", on(&[("n1", true)]), None, true, true),
        ("one more on the node", on(&[("n1", true)]), on(&[("n1", true), ("n1", true)]), false, false),
        ("one more elsewhere", on(&[("n1", true)]), on(&[("n1", true), ("n2", true)]), false, true),
        ("moves", on(&[("n1", true)]), on(&[("n2", true)]), false, true),
        ("same", on(&[("n1", true)]), on(&[("n1", true)]), false, false),
    ];
    for (what, old, new, cluster_policy, local_policy) in table {
        for (policy, expected) in [("Cluster", cluster_policy), ("Local", local_policy)] {
            let mut world = cluster();
            add(&mut world, with_spec(service("a"), |s| s.external_traffic_policy = Some(policy.into())));
            let key = Key::new("default", "s1");
            world.apply_slice(key.clone(), old.clone());
            let change = world.apply_slice(key, new.clone());
            assert_eq!(names(&world, &change) == "a", expected, "{what}, policy {policy}");
        }
    }
}

#[test]
fn endpoints_of_other_slices_count_too() {
    let mut world = cluster();
    world.apply_slice(Key::new("default", "s1"), Some(slice("s1", "a", [endpoint("n1", true)])));
    let change = world.apply_slice(Key::new("default", "s2"), Some(slice("s2", "a", [endpoint("n2", true)])));
    assert_eq!(names(&world, &change), "");
    let change = world.apply_slice(Key::new("default", "s1"), None);
    assert_eq!(names(&world, &change), "", "one is left");
    let change = world.apply_slice(Key::new("default", "s2"), None);
    assert_eq!(names(&world, &change), "a");
    let change = world.apply_slice(Key::new("default", "s9"), Some(slice("s9", "c", [endpoint("n2", true)])));
    assert_eq!(names(&world, &change), "", "not a candidate");
    // A slice that changes its Service affects both.
    world.apply_slice(Key::new("default", "s1"), Some(slice("s1", "a", [endpoint("n1", true)])));
    let change = world.apply_slice(Key::new("default", "s1"), Some(slice("s1", "b", [endpoint("n1", true)])));
    assert_eq!(names(&world, &change), "ab");
}

#[test]
fn a_class_affects_those_who_name_it_and_those_who_name_none() {
    let mut world = cluster();
    let change = world.apply_class("gold", Some(class("gold", "elb")));
    assert_eq!(names(&world, &change), "abe");
    let change = world.apply_class("gold", Some(class("gold", "elb")));
    assert_eq!(names(&world, &change), "", "the same");
    let change = world.apply_class("gold", Some(Class { default: true, ..class("gold", "elb") }));
    assert_eq!(names(&world, &change), "abe");
    let change = world.apply_class("tin", Some(class("tin", "elb")));
    assert_eq!(names(&world, &change), "ae");
}
