//! Which nodes a load balancer may send traffic to.
//!
//! Every node that is not excluded, not being deleted and not about to be removed by the autoscaler, under both
//! traffic policies and whether ready or not: the load balancer's own health check thins them out (KEP-3458;
//! with policy Local it asks the health check node port, which only nodes with a local endpoint answer).
//!
//! Where there is no such check, [`is_unchecked`], each backend says whether it is ready: its node is, and with policy
//! Local it has a ready endpoint.

use ferrolb_provider::{Backend, BackendKind, Family, Options};

use crate::{Node, World};

/// Options with which nothing but readiness says where traffic may go: a DNAT rule sends it to one node, unasked.
const UNCHECKED: [(&str, &str); 1] = [("kubernetes.io/elb.class", "dnat")];

/// Whether traffic goes to backends that no health check of the load balancer looks at.
pub(crate) fn is_unchecked(options: &Options) -> bool {
    let says = |(key, word): &(&str, &str)| options.get(*key).is_some_and(|v| v.trim().eq_ignore_ascii_case(word));
    UNCHECKED.iter().any(says)
}

/// The nodes with their node port, sorted by name and address. A node without an address of any of the
/// Service's families is left out.
pub(crate) fn node_backends(
    world: &World,
    families: &[Family],
    node_port: u16,
    is_ready: impl Fn(&Node) -> bool,
) -> Vec<Backend> {
    let eligible = world.nodes().filter(|n| n.eligible());
    let mut backends: Vec<Backend> = eligible
        .flat_map(|node| {
            let addresses = families.iter().filter_map(|f| node.address(*f));
            let ready = is_ready(node);
            addresses.map(move |address| of_node(node, address, node_port, ready))
        })
        .collect();
    backends.sort();
    backends
}

fn of_node(node: &Node, address: std::net::IpAddr, port: u16, ready: bool) -> Backend {
    Backend {
        name: node.name.clone(),
        kind: BackendKind::Node,
        address,
        port,
        weight: None,
        ready,
        serving: true,
        terminating: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builders::{node, world_of};

    fn shown(world: &World, families: &[Family]) -> Vec<String> {
        node_backends(world, families, 30080, |_| true)
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
