//! Namespaces, addresses and routes: the cables of the lab.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Address of the control plane, on the bridge that joins everything.
pub(crate) const CONTROL_PLANE_ADDRESS: &str = "10.200.0.1";
/// Address of the client outside the cluster.
pub(crate) const CLIENT_ADDRESS: &str = "10.200.0.100";
/// The pods of all nodes.
pub(crate) const POD_RANGE: &str = "10.244.0.0/16";

/// A place in the lab where a program can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// The client outside the cluster.
    Client,
    /// Where etcd, the API server and their company run.
    ControlPlane,
    /// The host network of a real node; 1 is n1.
    Node(usize),
}

/// Name of a place's namespace. A dot cannot be part of a lab's name, so no lab's names begin another's.
pub(crate) fn namespace(lab: &str, place: Where) -> String {
    match place {
        Where::Client => format!("flb.{lab}.client"),
        Where::ControlPlane => format!("flb.{lab}.cp"),
        Where::Node(node) => format!("flb.{lab}.n{node}"),
    }
}

/// Address of a place on the bridge.
pub(crate) fn address(place: Where) -> String {
    match place {
        Where::Client => CLIENT_ADDRESS.to_owned(),
        Where::ControlPlane => CONTROL_PLANE_ADDRESS.to_owned(),
        Where::Node(node) => format!("10.200.0.{}", 10 + node),
    }
}

/// Address of a light node, which nobody answers for. 1 is the first.
pub(crate) fn light_address(node: usize) -> String {
    format!("10.200.{}.{}", 16 + node / 256, node % 256)
}

/// The pods of a real node.
pub(crate) fn pod_range(node: usize) -> String {
    format!("10.244.{node}.0/24")
}

/// Makes all namespaces of a lab, joins them by a bridge and sets addresses and routes.
pub(crate) fn create(lab: &str, nodes: usize) -> Result<()> {
    let places = places(nodes);
    let names: Vec<String> = places.iter().map(|&place| namespace(lab, place)).collect();
    ip(&[], &names.iter().map(|name| format!("netns add {name}\n")).collect::<String>())?;
    for name in &names {
        sysctl(name)?;
    }
    ip(&["-n", &namespace(lab, Where::ControlPlane)], &bridge_commands(lab, nodes))?;
    for &place in &places {
        if place != Where::ControlPlane {
            ip(&["-n", &namespace(lab, place)], &host_commands(place, nodes))?;
        }
    }
    Ok(())
}

/// Every place of a lab with so many real nodes.
pub(crate) fn places(nodes: usize) -> Vec<Where> {
    let mut places = vec![Where::ControlPlane, Where::Client];
    places.extend((1..=nodes).map(Where::Node));
    places
}

/// Runs `ip` commands, one per line, inside one call; the first that fails ends it.
pub(crate) fn ip(options: &[&str], commands: &str) -> Result<()> {
    let mut command = Command::new("ip");
    command.args(options).args(["-batch", "-"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().context("run ip")?;
    child.stdin.take().context("ip has no standard input")?.write_all(commands.as_bytes())?;
    let output = child.wait_with_output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "ip {} failed: {}\nin:\n{commands}", options.join(" "), complaint.trim());
    Ok(())
}

/// The namespaces do not share these settings with the machine, nor with each other.
fn sysctl(namespace: &str) -> Result<()> {
    // Forwarding for pods; no reverse path filter, because answers for a foreign range may leave by another
    // way; no iptables for what merely crosses the bridge, where that module is loaded.
    let script = "cd /proc/sys/net; echo 1 >ipv4/ip_forward; \
        for f in ipv4/conf/all/rp_filter ipv4/conf/default/rp_filter; do echo 0 >$f; done; \
        [ ! -e bridge/bridge-nf-call-iptables ] || echo 0 >bridge/bridge-nf-call-iptables";
    let output = Command::new("nsenter")
        .arg(format!("--net=/run/netns/{namespace}"))
        .args(["sh", "-c", script])
        .output()
        .context("run nsenter")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "set kernel parameters in {namespace}: {}", complaint.trim());
    Ok(())
}

/// For the control plane's namespace: the bridge, a cable to every other place, the way to every pod.
fn bridge_commands(lab: &str, nodes: usize) -> String {
    let mut text = format!(
        "link set lo up\nlink add br0 type bridge\naddr add {CONTROL_PLANE_ADDRESS}/16 dev br0\nlink set br0 up\n"
    );
    for place in places(nodes) {
        let port = match place {
            Where::ControlPlane => continue,
            Where::Client => "to-client".to_owned(),
            Where::Node(node) => cable(node),
        };
        text += &format!("link add {port} type veth peer name eth0 netns {}\n", namespace(lab, place));
        text += &format!("link set {port} master br0 up\n");
    }
    text + &pod_routes(nodes, Where::ControlPlane)
}

/// The bridge's end of a node's cable.
pub(crate) fn cable(node: usize) -> String {
    format!("to-n{node}")
}

/// For a node or the client: the other end of the cable. The client gets neither a default route nor the
/// pods': it stands outside, as a real one does.
fn host_commands(place: Where, nodes: usize) -> String {
    let own = address(place);
    let mut text = format!("link set lo up\naddr add {own}/16 dev eth0\nlink set eth0 up\n");
    if let Where::Node(_) = place {
        text += &format!("route add default via {CONTROL_PLANE_ADDRESS}\n");
        text += &pod_routes(nodes, place);
    }
    text
}

fn pod_routes(nodes: usize, at: Where) -> String {
    (1..=nodes)
        .filter(|&node| at != Where::Node(node))
        .map(|node| format!("route add {} via {}\n", pod_range(node), address(Where::Node(node))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_no_route_to_its_own_pods_and_one_to_each_others() {
        let text = host_commands(Where::Node(2), 3);
        assert!(text.contains("route add 10.244.1.0/24 via 10.200.0.11\n"), "{text}");
        assert!(text.contains("route add 10.244.3.0/24 via 10.200.0.13\n"), "{text}");
        assert!(!text.contains("10.244.2.0/24"), "{text}");
    }

    #[test]
    fn the_client_cannot_reach_pods() {
        assert!(!host_commands(Where::Client, 3).contains("route"));
    }

    #[test]
    fn light_addresses_are_unique_and_leave_the_real_ones_alone() {
        let all: std::collections::BTreeSet<String> = (1..=5000).map(light_address).collect();
        assert_eq!(all.len(), 5000);
        assert!(all.iter().all(|address| !address.starts_with("10.200.0.")));
    }
}
