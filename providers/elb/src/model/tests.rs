#![allow(clippy::unwrap_used)]

use std::net::Ipv4Addr;

use ferrolb_provider::{Backend, BackendKind, Change, Owner, Resource, plan};

use super::*;
use crate::keys::{AUTOCREATE, BACKEND_SUBNET_ID, BACKENDS, CLASS, HEALTH_CHECK_FLAG, HOST_NETWORK, ID};

fn config() -> ElbConfig {
    ElbConfig {
        network_ids: vec!["net-1".into()],
        member_subnet_id: "node-sub".into(),
        ..ElbConfig::new("http://cloud", "p", "vpc", "vip-sub")
    }
}

fn backend(last: u8, port: u16) -> Backend {
    Backend {
        name: format!("node-{last}"),
        kind: BackendKind::Node,
        address: Ipv4Addr::new(10, 0, 0, last).into(),
        port,
        weight: None,
        ready: true,
        serving: true,
        terminating: false,
    }
}

fn port(name: &str, protocol: Protocol, port: u16) -> Port {
    Port {
        name: name.into(),
        protocol,
        port,
        direct: false,
        backends: vec![backend(7, 30000 + port), backend(8, 30000 + port)],
    }
}

fn want(options: &[(&str, &str)], ports: Vec<Port>) -> Desired {
    Desired {
        owner: Owner { cluster: "c".into(), uid: "u-1".into(), namespace: "ns".into(), name: "web".into() },
        families: vec![Family::V4],
        addresses: vec![],
        published: vec![],
        ports,
        traffic_policy: TrafficPolicy::Cluster,
        health_check_node_port: None,
        source_ranges: vec![],
        affinity_seconds: None,
        options: options.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
    }
}

fn slots(model: &Model<ElbResource>) -> Vec<String> {
    model.resources.iter().map(|r| r.slot().to_string()).collect()
}

fn monitors(model: &Model<ElbResource>) -> Vec<(String, Option<Probe>, Option<u16>)> {
    let monitors = model.resources.iter().filter_map(|r| match r {
        ElbResource::HealthMonitor(h) => Some((h.pool.to_string(), h.probe.clone(), h.port)),
        _ => None,
    });
    monitors.collect()
}

const PUBLIC: (&str, &str) =
    (AUTOCREATE, r#"{"type":"public","bandwidth_size":5,"bandwidth_sharetype":"PER","eip_type":"5_bgp"}"#);

#[test]
fn a_public_shared_load_balancer() {
    let want = want(&[PUBLIC], vec![port("", Protocol::Tcp, 80)]);
    let model = model(&want, &config()).unwrap();
    assert_eq!(
        slots(&model),
        [
            "loadbalancer/main",
            "eip/main",
            "listener/TCP:80",
            "pool/TCP:80",
            "healthmonitor/TCP:80",
            "member/TCP:80/10.0.0.7:30080",
            "member/TCP:80/10.0.0.8:30080",
        ]
    );
    assert!(model.warnings.is_empty());
    let ElbResource::LoadBalancer(lb) = &model.resources[0] else { panic!() };
    assert_eq!(lb.name.as_deref(), Some("cce-lb-u-1"));
    assert_eq!((lb.class, &lb.vip_subnet), (Some(Class::Shared), &None));
    // What nobody named is filled in when it is made, and compared with nothing later.
    assert_eq!(**lb.new.as_ref().unwrap(), NewBalancer::default());
    let ElbResource::Eip(eip) = &model.resources[1] else { panic!() };
    assert_eq!(eip.bandwidth_name, None);

    let text = plan(&model.resources, &[]).to_string();
    assert_eq!(
        text,
        "+ loadbalancer/main\n\
         + eip/main\n\
         + listener/TCP:80\n\
         + pool/TCP:80\n\
         + healthmonitor/TCP:80\n\
         + member/TCP:80/10.0.0.7:30080 and 1 more\n"
    );
}

#[test]
fn a_dedicated_one_and_an_existing_one() {
    let zones = r#"{"available_zone":["az1"],"vip_subnet_cidr_id":"sub-9","elb_virsubnet_ids":["net-2"]}"#;
    let dedicated = want(&[(CLASS, "performance"), (AUTOCREATE, zones)], vec![]);
    let model1 = model(&dedicated, &config()).unwrap();
    let ElbResource::LoadBalancer(lb) = &model1.resources[0] else { panic!() };
    let new = lb.new.as_ref().unwrap();
    assert_eq!((&new.zones[..], &new.networks[..]), (&["az1".to_owned()][..], &["net-2".to_owned()][..]));
    assert_eq!(lb.vip_subnet.as_deref(), Some("sub-9"));

    let existing = want(&[(ID, "lb-9"), PUBLIC], vec![port("", Protocol::Udp, 53)]);
    let model2 = model(&existing, &config()).unwrap();
    assert_eq!(model2.resources[0].adopted().unwrap().0, "lb-9");
    assert!(slots(&model2).iter().all(|s| s != "eip/main"));
    assert_eq!(model2.warnings.len(), 1);
}

#[test]
fn members_are_distinct_ipv4_backends_in_the_nodes_subnet() {
    let mut port = port("", Protocol::Tcp, 80);
    port.backends.push(backend(7, 30080));
    port.backends.push(Backend { address: "fd00::7".parse().unwrap(), ..backend(9, 30080) });
    port.backends[1].weight = Some(300);
    let model = model(&want(&[PUBLIC], vec![port]), &config()).unwrap();
    let members: Vec<_> = model
        .resources
        .iter()
        .filter_map(|r| match r {
            ElbResource::Member(m) => Some((m.address.to_string(), m.weight, m.subnet.clone().unwrap())),
            _ => None,
        })
        .collect();
    assert_eq!(
        members,
        [("10.0.0.7".into(), 1, "node-sub".to_owned()), ("10.0.0.8".into(), 100, "node-sub".to_owned()),]
    );
}

#[test]
fn what_cannot_be_served_is_refused_before_any_call() {
    let mut want = want(&[(CLASS, "elasticity")], vec![port("a", Protocol::Tcp, 80), port("b", Protocol::Sctp, 81)]);
    want.families = vec![Family::V6];
    let options: Vec<String> = model(&want, &config()).unwrap_err().into_iter().map(|p| p.option).collect();
    assert_eq!(options, [CLASS, "spec.ports[1].protocol", "spec.ipFamilies"]);
}

#[test]
fn source_ranges_make_a_group_for_all_listeners() {
    let mut want = want(&[PUBLIC], vec![port("web", Protocol::Tcp, 80), port("dns", Protocol::Udp, 53)]);
    want.source_ranges = vec!["192.0.2.7/32".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
    let model = model(&want, &config()).unwrap();
    let group = model.resources.iter().find_map(|r| match r {
        ElbResource::IpGroup(group) => Some(group.lines.iter().map(String::as_str).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(group, Some(vec!["10.0.0.0/8", "192.0.2.7"]));
    let listeners = model.resources.iter().filter(|r| matches!(r, ElbResource::Listener(_)));
    let parents: Vec<String> = listeners.flat_map(|l| l.parents()).map(|p| p.to_string()).collect();
    assert_eq!(parents, ["loadbalancer/main", "ipgroup/main", "loadbalancer/main", "ipgroup/main"]);
}

#[test]
fn the_health_port_is_probed_and_not_served() {
    let ports =
        vec![port("web", Protocol::Tcp, 80), port("dns", Protocol::Udp, 53), port("cce-healthz", Protocol::Tcp, 1234)];
    let model = model(&want(&[PUBLIC], ports), &config()).unwrap();
    assert!(!slots(&model).contains(&"listener/TCP:1234".to_owned()));
    assert_eq!(
        monitors(&model),
        [("TCP:80".into(), Some(Probe::Tcp), Some(31234)), ("UDP:53".into(), Some(Probe::Udp), None),]
    );
}

#[test]
fn health_checks_fit_their_port() {
    let ports = || vec![port("web", Protocol::Tcp, 80), port("dns", Protocol::Udp, 53)];
    let http = (HEALTH_CHECK_OPTION, r#"{"protocol":"HTTP","path":"/ok"}"#);
    let model1 = model(&want(&[PUBLIC, http], ports()), &config()).unwrap();
    let probe = Probe::Http { path: "/ok".into(), expected_codes: None };
    assert_eq!(monitors(&model1), [("TCP:80".into(), Some(probe), None), ("UDP:53".into(), Some(Probe::Udp), None),]);
    assert!(model1.warnings[0].message.contains("UDP port 53"));

    let off = model(&want(&[PUBLIC, (HEALTH_CHECK_FLAG, "off")], ports()), &config()).unwrap();
    assert!(monitors(&off).is_empty());
}

#[test]
fn with_policy_local_nodes_tell_whether_they_have_an_endpoint() {
    let mut local = want(&[PUBLIC], vec![port("web", Protocol::Tcp, 80)]);
    local.traffic_policy = TrafficPolicy::Local;
    local.health_check_node_port = Some(32000);
    let model1 = model(&local, &config()).unwrap();
    let healthz = Probe::Http { path: "/healthz".into(), expected_codes: None };
    assert_eq!(monitors(&model1), [("TCP:80".into(), Some(healthz), Some(32000))]);
    assert!(model1.warnings.is_empty());
    local.ports.push(port("dns", Protocol::Udp, 53));
    let model2 = model(&local, &config()).unwrap();
    assert!(model2.warnings[0].message.contains("UDP health check"));
}

#[test]
fn what_would_change_the_address_is_forbidden_and_the_name_is_updated() {
    let lb = |class, subnet: Option<&str>, vip: Option<&str>, name: &str| {
        ElbResource::LoadBalancer(LoadBalancer {
            class: Some(class),
            name: Some(name.into()),
            vip_subnet: subnet.map(Into::into),
            vip: vip.map(|v| v.parse().unwrap()),
            ..LoadBalancer::default()
        })
    };
    let seen = lb(Class::Shared, Some("sub-1"), Some("10.0.0.5"), "a");
    for (wish, word) in [
        (lb(Class::Dedicated, None, None, "a"), "union, not performance"),
        (lb(Class::Shared, Some("sub-2"), None, "a"), "subnet sub-1, not in sub-2"),
        (lb(Class::Shared, None, Some("10.0.0.6"), "a"), "10.0.0.5, not 10.0.0.6"),
    ] {
        let Change::Forbidden(text) = wish.change(&seen) else { panic!("{wish:?}") };
        assert!(text.contains(word), "{text}");
    }
    assert_eq!(lb(Class::Shared, None, None, "a").change(&seen), Change::None);
    assert_eq!(lb(Class::Shared, None, None, "b").change(&seen), Change::Update(vec!["name"]));
}

#[test]
fn a_bandwidth_is_resized_once_its_size_is_known() {
    let eip = |size| {
        ElbResource::Eip(Eip {
            kind: None,
            bandwidth_name: None,
            bandwidth_size: size,
            charge_mode: None,
            shared_bandwidth: None,
            enterprise_project: None,
            keep: false,
            retained: false,
            binding: Binding::Balancer,
            address: None,
            bandwidth_id: None,
        })
    };
    let wish = eip(Some(5));
    for (seen, change) in
        [(Some(5), Change::None), (None, Change::None), (Some(9), Change::Update(vec!["bandwidth_size"]))]
    {
        assert_eq!(wish.change(&eip(seen)), change, "{seen:?}");
    }
}

/// TCP 80 to a pod and to one on the network of its node.
fn pods() -> Port {
    let pod = |kind, last| Backend { kind, name: format!("pod-{last}"), ..backend(last, 8080) };
    let backends = vec![pod(BackendKind::Pod, 1), pod(BackendKind::HostPod, 2)];
    Port { direct: true, backends, ..port("", Protocol::Tcp, 80) }
}

/// Address, port and subnet of the members of `port` with these options.
fn members(options: &[(&str, &str)], port: Port, config: &ElbConfig) -> Vec<String> {
    let model = model(&want(options, vec![port]), config).unwrap();
    let member = |r: &ElbResource| match r {
        ElbResource::Member(m) => Some(format!("{}:{} {}", m.address, m.port, m.subnet.as_deref().unwrap_or("-"))),
        _ => None,
    };
    model.resources.iter().filter_map(member).collect()
}

#[test]
fn members_are_in_the_subnet_of_what_they_are() {
    let with_pods = ElbConfig { pod_subnet_id: Some("pod-sub".into()), ..config() };
    let dedicated = [(CLASS, "performance"), (ID, "lb-9")];
    assert_eq!(members(&dedicated, pods(), &with_pods), ["10.0.0.1:8080 pod-sub", "10.0.0.2:8080 node-sub"]);
    let named = [(CLASS, "performance"), (ID, "lb-9"), (BACKEND_SUBNET_ID, "sub-7")];
    assert_eq!(members(&named, pods(), &config()), ["10.0.0.1:8080 sub-7", "10.0.0.2:8080 node-sub"]);
    let nodes = members(&named, port("", Protocol::Tcp, 80), &config());
    assert_eq!(nodes, ["10.0.0.7:30080 sub-7", "10.0.0.8:30080 sub-7"]);
    let on_host = [(CLASS, "union"), (ID, "lb-9"), (HOST_NETWORK, "true")];
    assert_eq!(members(&on_host, pods(), &config()), ["10.0.0.2:8080 node-sub"]);
}

#[test]
fn pods_must_be_somewhere_in_the_vpc() {
    for (more, told) in [
        (None, "spec.allocateLoadBalancerNodePorts: pods are to get traffic"),
        (Some((BACKENDS, "pods")), "ferrolb.io/backends: pods are to get traffic"),
    ] {
        let options: Vec<_> = [(CLASS, "performance"), (ID, "lb-9")].into_iter().chain(more).collect();
        let problems = model(&want(&options, vec![pods()]), &config()).unwrap_err();
        let text = problems[0].to_string();
        assert!(problems.len() == 1 && text.starts_with(told) && text.contains("--elb-pod-subnet-id"), "{text}");
        // Also while there is none: what is wrong then will be wrong later.
        let none = Port { backends: vec![], ..pods() };
        assert!(model(&want(&options, vec![none]), &config()).is_err());
    }
}

#[test]
fn policy_local_is_none_of_pods_business() {
    let with_pods = ElbConfig { pod_subnet_id: Some("pod-sub".into()), ..config() };
    let options = [(CLASS, "performance"), (ID, "lb-9")];
    let mut want = want(&options, vec![pods(), Port { protocol: Protocol::Udp, ..pods() }]);
    want.traffic_policy = TrafficPolicy::Local;
    want.health_check_node_port = Some(32000);
    let model = model(&want, &with_pods).unwrap();
    assert_eq!(
        monitors(&model),
        [("TCP:80".into(), Some(Probe::Tcp), None), ("UDP:80".into(), Some(Probe::Udp), None)]
    );
    assert!(model.warnings.is_empty(), "{:?}", model.warnings);
}
