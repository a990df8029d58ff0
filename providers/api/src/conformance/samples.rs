//! The wishes that the kit brings. Small ones: what a fault can do shows in few objects.

use std::net::{IpAddr, Ipv4Addr};

use crate::{Backend, BackendKind, Desired, Family, Options, Owner, Port, Protocol, TrafficPolicy};

/// UID of the Service that everything is about.
pub(super) const FIRST: &str = "5e1f0000-0000-4000-8000-000000000001";
/// UID of a Service of the same name, as after "delete and create".
pub(super) const SECOND: &str = "5e1f0000-0000-4000-8000-000000000002";

/// A Service of three nodes on these ports.
pub fn sample(ports: &[(Protocol, u16)]) -> Desired {
    Desired {
        owner: owner(FIRST),
        families: vec![Family::V4],
        addresses: Vec::new(),
        published: Vec::new(),
        ports: ports.iter().map(|(protocol, number)| port(*protocol, *number, &[1, 2, 3])).collect(),
        traffic_policy: TrafficPolicy::Cluster,
        health_check_node_port: None,
        source_ranges: Vec::new(),
        affinity_seconds: None,
        options: Options::new(),
    }
}

/// The Service `default/web` of one cluster with this UID.
pub fn owner(uid: &str) -> Owner {
    Owner {
        cluster: "7a1e0000-0000-4000-8000-00000000c0de".to_owned(),
        uid: uid.to_owned(),
        namespace: "default".to_owned(),
        name: "web".to_owned(),
    }
}

/// A port on these nodes, with node port 30000 + port.
pub fn port(protocol: Protocol, number: u16, on: &[u8]) -> Port {
    let backends = on.iter().map(|n| backend(*n, 30_000 + number)).collect();
    Port { name: format!("{protocol}-{number}").to_lowercase(), protocol, port: number, direct: false, backends }
}

/// Node `n`, 172.16.0.`n`.
pub fn backend(n: u8, node_port: u16) -> Backend {
    Backend {
        name: format!("node-{n}"),
        kind: BackendKind::Node,
        address: IpAddr::V4(Ipv4Addr::new(172, 16, 0, n)),
        port: node_port,
        weight: None,
        ready: true,
        serving: true,
        terminating: false,
    }
}

/// The same wish on other nodes.
pub fn nodes(mut wish: Desired, on: &[u8]) -> Desired {
    for p in &mut wish.ports {
        p.backends = on.iter().map(|n| backend(*n, 30_000 + p.port)).collect();
    }
    wish
}

/// The same wish on pods of these numbers, 172.17.0.`n`, which listen on 8080.
pub(super) fn pods(mut wish: Desired, on: &[u8]) -> Desired {
    for p in &mut wish.ports {
        let address = |n: u8| IpAddr::V4(Ipv4Addr::new(172, 17, 0, n));
        let pod = |n: &u8| Backend {
            name: format!("pod-{n}"),
            kind: BackendKind::Pod,
            address: address(*n),
            ..backend(*n, 8080)
        };
        (p.direct, p.backends) = (true, on.iter().map(pod).collect());
    }
    wish
}

/// One port.
pub(super) fn one_port() -> Desired {
    sample(&[(Protocol::Tcp, 80)])
}

/// Three ports.
pub(super) fn three_ports() -> Desired {
    sample(&[(Protocol::Tcp, 80), (Protocol::Tcp, 443), (Protocol::Tcp, 8080)])
}

/// One number, two protocols.
pub(super) fn tcp_and_udp() -> Desired {
    sample(&[(Protocol::Tcp, 53), (Protocol::Udp, 53)])
}

/// What [`tcp_and_udp`] becomes: one port goes, one comes, one stays and changes its nodes.
pub(super) fn changed() -> Desired {
    nodes(sample(&[(Protocol::Tcp, 53), (Protocol::Tcp, 80)]), &[2, 3, 4])
}
