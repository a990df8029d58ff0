//! What can go wrong in a cluster, on demand: components that die, cables that are pulled.
//!
//! Components are `etcd`, `apiserver`, `controller-manager`, `scheduler`, and of each real node
//! `n1/containerd`, `n1/kubelet`, `n1/kube-proxy`.

use anyhow::{Context, Result, ensure};

use crate::lab::Lab;
use crate::net::{self, Where};
use crate::node::Node;

impl Lab {
    /// SIGKILL for a component.
    pub fn kill_component(&self, name: &str) -> Result<()> {
        self.components.kill(name)
    }

    /// SIGTERM for a component, SIGKILL when it does not end within 10 s (an API server with open watches takes
    /// that long; [`Lab::kill_component`] is quicker).
    pub fn stop_component(&self, name: &str) -> Result<()> {
        self.components.stop(name)
    }

    /// Starts a component that was stopped or killed, and waits until it answers.
    pub fn start_component(&self, name: &str) -> Result<()> {
        self.components.start(name)?;
        // A kubelet that finds no containerd gives up, so whoever starts one after the other relies on this.
        self.await_with_components(&format!("{name} to answer"), || self.ping(name).map(Some))
    }

    /// Stops and starts a component.
    pub fn restart_component(&self, name: &str) -> Result<()> {
        self.components.stop(name)?;
        self.start_component(name)
    }

    /// Plugs a node's cable in (`up`) or pulls it.
    pub fn link(&self, node: usize, up: bool) -> Result<()> {
        let nodes = self.config.kubelets();
        ensure!((1..=nodes).contains(&node), "no node {node} with a cable; there are {nodes}");
        let state = if up { "up" } else { "down" };
        self.ip(Where::ControlPlane, &format!("link set {} {state}\n", net::cable(node)))
    }

    /// Fails unless a component answers on its health port.
    fn ping(&self, name: &str) -> Result<()> {
        let (place, kind) = match name.split_once('/') {
            None => (Where::ControlPlane, name),
            Some((node, kind)) => {
                let number = node.trim_start_matches('n').parse();
                (Where::Node(number.with_context(|| format!("no node {node}"))?), kind)
            }
        };
        let url = match (place, kind) {
            (Where::Node(number), "containerd") => {
                return Node { lab: &self.config.name, number, paths: &self.paths }.ping_containerd();
            }
            (_, "apiserver") => return self.api("GET", "/readyz", None).map(drop),
            (_, kind) => health_url(kind).with_context(|| format!("no health port known for {kind}"))?,
        };
        self.run_in(place, "curl", &["-sSk", "--fail", "--max-time", "2", "--noproxy", "*", &url]).map(drop)
    }
}

/// The usual ports; each component has its namespace's loopback for itself.
fn health_url(kind: &str) -> Option<String> {
    Some(match kind {
        "etcd" => "http://127.0.0.1:2379/health".to_owned(),
        "controller-manager" => "https://127.0.0.1:10257/healthz".to_owned(),
        "scheduler" => "https://127.0.0.1:10259/healthz".to_owned(),
        "kubelet" => "http://127.0.0.1:10248/healthz".to_owned(),
        "kube-proxy" => "http://127.0.0.1:10256/healthz".to_owned(),
        _ => return None,
    })
}
