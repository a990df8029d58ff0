#![allow(clippy::unwrap_used)]

use k8s_openapi::api::core::v1::{ClientIPConfig, SessionAffinityConfig};

use super::*;
use crate::builders::*;
use crate::{FINALIZER, Node};

fn world() -> World {
    world_of([node("n1", "10.0.0.1"), node("n2", "10.0.0.2")])
}

/// A decision in a few words.
fn shown(svc: &Service, settings: &Settings) -> String {
    match desired(svc, &world(), settings) {
        Decision::NotOurs => "not ours".into(),
        Decision::Refused(problems) => {
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            format!("refused: {}", all.join(" / "))
        }
        Decision::Release { provider, owner } => {
            assert_eq!(owner.uid, "uid-web");
            format!("release {}", provider.unwrap_or("all".into()))
        }
        Decision::Provide { provider, .. } => format!("provide {provider}"),
    }
}

fn wanted(svc: &Service) -> Desired {
    match desired(svc, &world(), &default_to("elb")) {
        Decision::Provide { want, .. } => *want,
        other => panic!("{other:?}"),
    }
}

fn refusal(svc: &Service) -> String {
    let said = shown(svc, &default_to("elb"));
    said.strip_prefix("refused: ").unwrap_or_else(|| panic!("{said}")).to_owned()
}

fn unmarked(mut svc: Service) -> Service {
    svc.metadata.finalizers.get_or_insert_default().push(FINALIZER.into());
    svc
}

fn cluster_ip(svc: Service) -> Service {
    with_spec(svc, |s| s.type_ = Some("ClusterIP".into()))
}

#[test]
fn claim_finalizer_mark_and_deletion_decide() {
    let plain = || service("web");
    let elb = || with_class(plain(), "ferrolb.io/elb");
    let elsewhere = "refused: ferrolb.io/provider: provider \"mock\" holds the objects of this Service and does not \
        run in this controller (elb, layer2); run a controller with provider \"mock\" until it has released them";
    let table = [
        // Not claimed yet.
        (plain(), settings(), "not ours"),
        (elb(), settings(), "provide elb"),
        (deleting(elb()), settings(), "not ours"),
        (with_class(plain(), "ferrolb.io/xyz"), settings(), "not ours"),
        (annotate(plain(), PROVIDER_ANNOTATION, "elb"), settings(), "not ours"),
        // Claimed.
        (held(elb(), "elb"), settings(), "provide elb"),
        (deleting(held(elb(), "elb")), settings(), "release elb"),
        (cluster_ip(held(plain(), "elb")), settings(), "release elb"),
        (deleting(cluster_ip(held(plain(), "elb"))), settings(), "release elb"),
        (held(plain(), "elb"), settings(), "release elb"),
        (held(plain(), "elb"), default_to("elb"), "provide elb"),
        (held(with_class(plain(), "example.com/lb"), "elb"), settings(), "release elb"),
        // Another provider now: the old one first.
        (held(elb(), "layer2"), settings(), "release layer2"),
        (deleting(held(elb(), "layer2")), settings(), "release layer2"),
        // What serves is kept when the default moves.
        (serving(held(plain(), "elb"), &["192.0.2.1"]), default_to("layer2"), "provide elb"),
        // Held by a provider that does not run here.
        (held(with_class(plain(), "ferrolb.io/mock"), "mock"), settings(), "not ours"),
        (deleting(held(with_class(plain(), "ferrolb.io/mock"), "mock")), settings(), "not ours"),
        (cluster_ip(held(plain(), "mock")), settings(), "not ours"),
        (held(elb(), "mock"), settings(), elsewhere),
        (deleting(held(elb(), "mock")), settings(), elsewhere),
        // Somebody took the annotation away.
        (unmarked(elb()), settings(), "provide elb"),
        (deleting(unmarked(elb())), settings(), "release all"),
        (cluster_ip(unmarked(plain())), settings(), "release all"),
        (unmarked(with_class(plain(), "ferrolb.io/mock")), settings(), "not ours"),
        (deleting(unmarked(with_class(plain(), "ferrolb.io/mock"))), settings(), "not ours"),
    ];
    for (svc, settings, expected) in table {
        assert_eq!(shown(&svc, &settings), expected, "{svc:?}");
    }
}

#[test]
fn without_a_uid_there_is_no_owner() {
    let mut svc = service("web");
    svc.metadata.uid = None;
    assert_eq!(shown(&svc, &default_to("elb")), "not ours");
}

#[test]
fn a_plain_service() {
    let want = wanted(&service("web"));
    assert_eq!(want.owner.to_string(), "default/web (uid-web)");
    assert_eq!(want.families, [Family::V4]);
    assert_eq!(want.traffic_policy, TrafficPolicy::Cluster);
    assert_eq!((want.health_check_node_port, want.affinity_seconds), (None, None));
    assert!(want.addresses.is_empty() && want.source_ranges.is_empty() && want.options.is_empty());
    let port = &want.ports[0];
    assert_eq!((port.name.as_str(), port.protocol.to_string(), port.port), ("", "TCP".into(), 80));
    let backends: Vec<String> = port.backends.iter().map(|b| format!("{} {}:{}", b.name, b.address, b.port)).collect();
    assert_eq!(backends, ["n1 10.0.0.1:30080", "n2 10.0.0.2:30080"]);
}

#[test]
fn ports_of_all_protocols_and_both_families() {
    let svc = with_spec(service("web"), |s| {
        s.ip_families = Some(vec!["IPv6".into(), "IPv4".into()]);
        s.ports = Some(vec![port("UDP", 53, 30053), port("TCP", 53, 30053), port("SCTP", 9, 30009)]);
    });
    let want = wanted(&svc);
    assert_eq!(want.families, [Family::V6, Family::V4]);
    let ports: Vec<String> = want.ports.iter().map(|p| format!("{} {}", p.protocol, p.port)).collect();
    assert_eq!(ports, ["UDP 53", "TCP 53", "SCTP 9"]);
}

#[test]
fn policy_local_takes_the_same_nodes_and_the_health_check_port() {
    let local = |policy: &str| {
        with_spec(service("web"), |s| {
            s.external_traffic_policy = Some(policy.into());
            s.health_check_node_port = Some(31234);
        })
    };
    let want = wanted(&local("Local"));
    assert_eq!((want.traffic_policy, want.health_check_node_port), (TrafficPolicy::Local, Some(31234)));
    assert_eq!(want.ports, wanted(&service("web")).ports);
    assert_eq!(wanted(&local("Cluster")).health_check_node_port, None);
}

/// Which backends of the first port are ready.
fn ready(svc: &Service, world: &World) -> Vec<String> {
    let Decision::Provide { want, .. } = desired(svc, world, &default_to("elb")) else { panic!("{svc:?}") };
    want.ports[0].backends.iter().filter(|b| b.ready).map(|b| b.name.clone()).collect()
}

#[test]
fn without_a_health_check_readiness_and_local_endpoints_decide() {
    let mut world = world_of([
        node("n1", "10.0.0.1"),
        node("n2", "10.0.0.2"),
        Node { ready: false, ..node("n3", "10.0.0.3") },
        node("n4", "10.0.0.4"),
    ]);
    let endpoints = [endpoint("n1", true), endpoint("n2", false), endpoint("n3", true)];
    world.apply_slice(Key::new("default", "web-1"), Some(slice("web-1", "web", endpoints)));
    let mut other = slice("web-2", "web", [endpoint("n4", true)]);
    other.ports.push(crate::SlicePort { name: "other".into(), protocol: ferrolb_provider::Protocol::Tcp, port: None });
    world.apply_slice(Key::new("default", "web-2"), Some(other));
    let local = |svc| with_spec(svc, |s| s.external_traffic_policy = Some("Local".into()));
    let dnat = || annotate(service("web"), "kubernetes.io/elb.class", "DNAT");
    assert_eq!(ready(&service("web"), &world).len(), 4, "a health check decides");
    assert_eq!(ready(&local(service("web")), &world).len(), 4, "a health check decides");
    assert_eq!(ready(&dnat(), &world), ["n1", "n2", "n4"]);
    assert_eq!(ready(&local(dnat()), &world), ["n1"], "n4 has an endpoint of another port");
}

#[test]
fn affinity() {
    let with = |kind: &str, seconds: Option<i32>| {
        with_spec(service("web"), |s| {
            s.session_affinity = Some(kind.into());
            s.session_affinity_config = seconds.map(|timeout_seconds| SessionAffinityConfig {
                client_ip: Some(ClientIPConfig { timeout_seconds: Some(timeout_seconds) }),
            });
        })
    };
    assert_eq!(wanted(&with("ClientIP", Some(60))).affinity_seconds, Some(60));
    assert_eq!(wanted(&with("ClientIP", None)).affinity_seconds, Some(10_800));
    assert_eq!(wanted(&with("None", Some(60))).affinity_seconds, None);
}

#[test]
fn options_are_what_a_provider_may_read_with_the_class_below() {
    let mut svc = held(with_class(service("web"), "ferrolb.io/gold"), "elb");
    for (key, value) in [
        ("kubernetes.io/elb.class", "union"),
        ("kubernetes.io/natgateway.id", "1"),
        ("kubernetes.io/hws-hostNetwork", "true"),
        ("kubernetes.io/session-affinity-mode", "SOURCE_IP"),
        ("metallb.io/address-pool", "a"),
        ("metallb.universe.tf/address-pool", "b"),
        ("ferrolb.io/speed", "fast"),
        ("kubernetes.io/description", "not an option"),
        ("example.com/ferrolb.io/x", "not an option"),
    ] {
        svc = annotate(svc, key, value);
    }
    let mut world = world();
    let mut gold = class("gold", "elb");
    gold.parameters.insert("kubernetes.io/elb.class".into(), "performance".into());
    gold.parameters.insert("kubernetes.io/elb.lb-algorithm".into(), "LEAST_CONNECTIONS".into());
    world.apply_class("gold", Some(gold));
    let Decision::Provide { want, .. } = desired(&svc, &world, &settings()) else { panic!() };
    let shown: Vec<String> = want.options.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(
        shown,
        [
            "ferrolb.io/speed=fast",
            "kubernetes.io/elb.class=union",
            "kubernetes.io/elb.lb-algorithm=LEAST_CONNECTIONS",
            "kubernetes.io/hws-hostNetwork=true",
            "kubernetes.io/natgateway.id=1",
            "kubernetes.io/session-affinity-mode=SOURCE_IP",
            "metallb.io/address-pool=a",
            "metallb.universe.tf/address-pool=b",
        ]
    );
}

#[test]
fn the_mark_of_a_claim_changes_nothing_that_is_wanted() {
    let elb = || with_class(service("web"), "ferrolb.io/elb");
    let before = desired(&elb(), &world(), &settings());
    assert_eq!(before, desired(&held(elb(), "elb"), &world(), &settings()));
}

#[test]
fn a_requested_address_is_read_and_must_fit() {
    let asking = |ip: &str| with_spec(service("web"), |s| s.load_balancer_ip = Some(ip.into()));
    assert_eq!(wanted(&asking(" 192.0.2.7 ")).addresses, ["192.0.2.7".parse::<IpAddr>().unwrap()]);
    assert!(wanted(&asking("")).addresses.is_empty());
    assert_eq!(
        refusal(&asking("my-ip")),
        "spec.loadBalancerIP: \"my-ip\" is not an IP address; one address, like 192.0.2.7 or 2001:db8::7"
    );
    assert_eq!(
        refusal(&asking("2001:db8::7")),
        "spec.loadBalancerIP: 2001:db8::7 is not of a family that the Service has; one of a family in spec.ipFamilies"
    );
}

#[test]
fn a_port_without_a_node_port_is_refused_with_the_way_out() {
    let svc = |allocates: bool, options: &[(&str, &str)]| {
        let svc = with_spec(service("web"), |s| {
            s.allocate_load_balancer_node_ports = Some(allocates);
            s.ports = Some(vec![port("TCP", 80, 30080), port("TCP", 443, 0)]);
        });
        options.iter().fold(svc, |svc, (key, value)| annotate(svc, key, value))
    };
    let said = "spec.ports[1].nodePort: port 443 has no node port, and nodes are its backends; ";
    assert_eq!(refusal(&svc(true, &[])), format!("{said}give the port a nodePort"));
    let allocate = "set spec.allocateLoadBalancerNodePorts to true, or give the port a nodePort";
    for options in [("kubernetes.io/elb.class", "dnat"), ("ferrolb.io/backends", "nodes")] {
        assert_eq!(refusal(&svc(false, &[options])), format!("{said}{allocate}"));
    }
}

/// The pods, or nodes, of the first port.
fn backends(svc: &Service, world: &World) -> Vec<String> {
    let Decision::Provide { want, .. } = desired(svc, world, &default_to("elb")) else { panic!("{svc:?}") };
    let shown = want.ports[0].backends.iter();
    shown.map(|b| format!("{} {}:{} {:?}", b.name, b.address, b.port, b.kind)).collect()
}

/// The world with TCP 8080 on these endpoints of the Service `web`.
fn world_with(endpoints: impl IntoIterator<Item = crate::Endpoint>) -> World {
    let mut world = world();
    let mut slice = slice("web-1", "web", endpoints);
    slice.ports.push(crate::SlicePort { name: String::new(), protocol: Protocol::Tcp, port: Some(8080) });
    world.apply_slice(Key::new("default", "web-1"), Some(slice));
    world
}

fn without_node_ports() -> Service {
    with_spec(service("web"), |s| {
        s.allocate_load_balancer_node_ports = Some(false);
        s.ports = Some(vec![port("TCP", 80, 0)]);
    })
}

#[test]
fn without_node_ports_pods_are_the_backends() {
    let gone = |address| crate::Endpoint { terminating: true, ..pod("n1", address, false) };
    let ending = |address| crate::Endpoint { serving: true, ..gone(address) };
    let ready = pod("n1", "10.1.0.1", true);
    let host = crate::Endpoint { pod: Some("host".into()), ..pod("n2", "10.0.0.2", true) };
    let svc = without_node_ports();
    let shown = |endpoints: Vec<crate::Endpoint>| backends(&svc, &world_with(endpoints));
    assert_eq!(
        shown(vec![host.clone(), ready.clone(), ending("10.1.0.2"), pod("n2", "fd00::1", true)]),
        ["host 10.0.0.2:8080 HostPod", "pod-10.1.0.1 10.1.0.1:8080 Pod"]
    );
    assert_eq!(shown(vec![ending("10.1.0.2"), gone("10.1.0.3")]), ["pod-10.1.0.2 10.1.0.2:8080 Pod"]);
    assert!(shown(vec![pod("n1", "10.1.0.1", false)]).is_empty());
    let Decision::Provide { want, .. } = desired(&svc, &world(), &default_to("elb")) else { panic!() };
    assert!(want.ports[0].direct && want.ports[0].backends.is_empty(), "none yet, but pods they will be");

    let mut drained = world_with([host, ready]);
    drained.apply_node("n2", Some(Node { excluded: true, ..node("n2", "10.0.0.2") }));
    assert_eq!(backends(&svc, &drained), ["pod-10.1.0.1 10.1.0.1:8080 Pod"], "an excluded node gets no traffic");
}

#[test]
fn pods_may_be_asked_for() {
    let world = world_with([pod("n1", "10.1.0.1", true)]);
    for key in [("ferrolb.io/backends", "pods"), ("kubernetes.io/hws-hostNetwork", "true")] {
        let svc = annotate(service("web"), key.0, key.1);
        assert_eq!(backends(&svc, &world), ["pod-10.1.0.1 10.1.0.1:8080 Pod"], "{key:?}");
    }
    let svc = annotate(without_node_ports(), "ferrolb.io/backends", "pods");
    let two = with_spec(svc, |s| s.ports = Some(vec![port("UDP", 80, 0), port("TCP", 80, 0)]));
    let Decision::Provide { want, .. } = desired(&two, &world, &default_to("elb")) else { panic!() };
    assert_eq!(want.ports.iter().map(|p| p.backends.len()).collect::<Vec<_>>(), [0, 1], "nobody listens on UDP");
}

#[test]
fn the_weight_of_a_node_is_its_endpoints() {
    let weights = |svc: &Service, endpoints: Vec<crate::Endpoint>| {
        let Decision::Provide { want, .. } = desired(svc, &world_with(endpoints), &default_to("elb")) else { panic!() };
        want.ports[0].backends.iter().map(|b| b.weight).collect::<Vec<_>>()
    };
    let adaptive = annotate(service("web"), "kubernetes.io/elb.adaptive-weight", "true");
    let local = with_spec(adaptive.clone(), |s| s.external_traffic_policy = Some("Local".into()));
    let ready = |last: u8| pod("n1", &format!("10.1.0.{last}"), true);
    let ending = crate::Endpoint { serving: true, ..pod("n2", "10.1.0.9", false) };
    let endpoints = || vec![ready(1), ready(2), ending.clone(), pod("n2", "fd00::1", true)];
    assert_eq!(weights(&service("web"), endpoints()), [None, None]);
    assert_eq!(weights(&adaptive, endpoints()), [Some(2), Some(0)]);
    assert_eq!(weights(&local, endpoints()), [Some(2), Some(1)], "a node on its own still serves while its pod ends");
    assert_eq!(weights(&adaptive, vec![]), [None, None]);
    assert_eq!(weights(&adaptive, vec![ending.clone()]), [Some(0), Some(1)]);
}

#[test]
fn all_problems_are_told_at_once() {
    let svc = with_spec(service("web"), |s| {
        s.load_balancer_ip = Some("x".into());
        s.load_balancer_source_ranges = Some(vec!["y".into()]);
        s.ports = Some(vec![port("QUIC", 80, 30080), port("TCP", 0, 30080), port("TCP", 80, 0)]);
    });
    let said = refusal(&svc);
    assert_eq!(said.matches(" / ").count(), 4, "{said}");
}

#[test]
fn ready_endpoints_are_counted() {
    let mut world = world();
    world.apply_slice(Key::new("default", "s"), Some(slice("s", "web", [endpoint("n1", true), endpoint("n1", false)])));
    let Decision::Provide { ready_endpoints, .. } = desired(&service("web"), &world, &default_to("elb")) else {
        panic!()
    };
    assert_eq!(ready_endpoints, 1);
}
