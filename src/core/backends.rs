//! What a load balancer may send traffic to.
//!
//! Nodes: every one that is not excluded, not being deleted and not about to be removed by the autoscaler, under both
//! traffic policies and whether ready or not: the load balancer's own health check thins them out (KEP-3458; with
//! policy Local it asks the health check node port, which only nodes with a local endpoint answer). Where there is no
//! such check, each says whether it is ready: the node is, and with policy Local it has a ready endpoint.
//!
//! Pods: the ready ones; where none is, those that still answer while they end (KEP-1669).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ferrolb_provider::{Backend, BackendKind, Family, Protocol};

use crate::{Endpoint, Key, Node, World};

/// What a node is to get.
pub(crate) struct Share {
    /// See [`Backend::ready`].
    pub(crate) ready: bool,
    /// See [`Backend::weight`].
    pub(crate) weight: Option<u16>,
}

/// The nodes with their node port, sorted by name and address. A node without an address of any of the
/// Service's families is left out.
pub(crate) fn node_backends(
    world: &World,
    families: &[Family],
    node_port: u16,
    share: impl Fn(&Node) -> Share,
) -> Vec<Backend> {
    let eligible = world.nodes().filter(|n| n.eligible());
    let mut backends: Vec<Backend> = eligible
        .flat_map(|node| {
            let addresses = families.iter().filter_map(|f| node.address(*f));
            let Share { ready, weight } = share(node);
            addresses.map(move |address| Backend {
                name: node.name.clone(),
                kind: BackendKind::Node,
                address,
                port: node_port,
                weight,
                ready,
                serving: true,
                terminating: false,
            })
        })
        .collect();
    backends.sort();
    backends
}

/// The pods behind a port of a Service with the port that they listen on, sorted by name and address. A pod on the
/// network of its node is there as long as the node may get traffic.
pub(crate) fn pod_backends(world: &World, service: &Key, families: &[Family], port: (&str, Protocol)) -> Vec<Backend> {
    let all = || world.endpoints(service, port.0, port.1);
    // Two slices may hold one endpoint while it moves between them.
    let mut found: BTreeMap<(IpAddr, u16), Backend> = BTreeMap::new();
    for family in families {
        let of_family = || {
            all().filter_map(|(endpoint, port)| {
                let address = endpoint.addresses.first().copied().filter(|a| Family::of(a) == *family)?;
                Some((endpoint, address, port?))
            })
        };
        let is_any_ready = of_family().any(|(e, ..)| e.ready);
        let chosen = of_family().filter(|(e, ..)| is_chosen(e, is_any_ready));
        for (endpoint, address, port) in chosen {
            if let Some(backend) = of_endpoint(world, endpoint, address, port) {
                found.insert((address, port), backend);
            }
        }
    }
    let mut backends: Vec<Backend> = found.into_values().collect();
    backends.sort();
    backends
}

/// How many endpoints each node has that kube-proxy would send new connections to, by the node's name; with `local`
/// each node looks at its own ones only.
pub(crate) fn endpoints_by_node<'a>(
    world: &'a World,
    service: &Key,
    family: Option<Family>,
    port: (&str, Protocol),
    local: bool,
) -> BTreeMap<&'a str, u16> {
    let all: Vec<(&str, &Endpoint)> = world
        .endpoints(service, port.0, port.1)
        .map(|(endpoint, _)| endpoint)
        .filter(|e| e.addresses.first().map(Family::of) == family)
        .filter_map(|e| Some((e.node.as_deref()?, e)))
        .collect();
    let with_ready: BTreeSet<&str> = all.iter().filter(|(_, e)| e.ready).map(|(node, _)| *node).collect();
    let mut counts = BTreeMap::new();
    for (node, endpoint) in &all {
        let is_any_ready = if local { with_ready.contains(node) } else { !with_ready.is_empty() };
        if is_chosen(endpoint, is_any_ready) {
            let count: &mut u16 = counts.entry(*node).or_default();
            *count = count.saturating_add(1);
        }
    }
    counts
}

/// Who is ending gets new connections only where nobody is ready.
fn is_chosen(endpoint: &Endpoint, is_any_ready: bool) -> bool {
    if is_any_ready { endpoint.ready } else { endpoint.serving && endpoint.terminating }
}

fn of_endpoint(world: &World, endpoint: &Endpoint, address: IpAddr, port: u16) -> Option<Backend> {
    let node = endpoint.node.as_deref().and_then(|name| world.node(name));
    let host = node.filter(|node| node.addresses.contains(&address));
    if host.is_some_and(|node| !node.eligible()) {
        return None;
    }
    Some(Backend {
        name: endpoint.pod.clone().unwrap_or_else(|| address.to_string()),
        kind: if host.is_some() { BackendKind::HostPod } else { BackendKind::Pod },
        address,
        port,
        weight: None,
        ready: endpoint.ready,
        serving: endpoint.serving,
        terminating: endpoint.terminating,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builders::{node, world_of};

    fn shown(world: &World, families: &[Family]) -> Vec<String> {
        node_backends(world, families, 30080, |_| Share { ready: true, weight: None })
            .iter()
            .map(|b| format!("{} {}:{}", b.name, b.address, b.port))
            .collect()
    }

    #[test]
    fn only_what_must_not_get_traffic_is_left_out() {
        let base = |name: &str, last: u8| node(name, &format!("10.0.0.{last}"));
        let world = world_of([
            base("b", 2),
            base("a", 1),
            Node { excluded: true, ..base("excluded", 3) },
            Node { deleting: true, ..base("deleting", 4) },
            Node { tainted_for_removal: true, ..base("tainted", 5) },
            Node { ready: false, ..base("c-not-ready", 6) },
        ]);
        assert_eq!(
            shown(&world, &[Family::V4]),
            ["a 10.0.0.1:30080", "b 10.0.0.2:30080", "c-not-ready 10.0.0.6:30080"]
        );
    }

    #[test]
    fn one_address_for_each_family() {
        use Family::{V4, V6};
        let mut dual = node("dual", "10.0.0.1");
        for more in ["10.9.9.9", "fd00::1", "fd00::2"] {
            dual.addresses.extend(more.parse::<std::net::IpAddr>());
        }
        let world = world_of([dual, node("four", "10.0.0.2")]);
        assert_eq!(shown(&world, &[V4]), ["dual 10.0.0.1:30080", "four 10.0.0.2:30080"]);
        assert_eq!(shown(&world, &[V6]), ["dual fd00::1:30080"]);
        assert_eq!(shown(&world, &[V6, V4]), ["dual 10.0.0.1:30080", "dual fd00::1:30080", "four 10.0.0.2:30080"]);
    }

    #[test]
    fn the_order_does_not_depend_on_how_nodes_came() {
        let nodes = ["n3", "n1", "n10", "n2"].map(|n| node(n, "10.0.0.1"));
        let mut reversed = nodes.clone();
        reversed.reverse();
        let families = [Family::V4];
        assert_eq!(shown(&world_of(nodes), &families), shown(&world_of(reversed), &families));
    }
}
