//! What a lab should consist of.

use anyhow::{Result, ensure};

use crate::image::ImageSpec;

/// What [`crate::Lab::start`] brings up. Make one with [`Config::new`] and change fields.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of the lab: 1 to 20 of `a-z`, `0-9` and `-`; unique among the labs of this machine.
    pub name: String,
    /// Which nodes the cluster has.
    pub nodes: Nodes,
    /// How kube-proxy forwards (with kubelets only).
    pub proxy_mode: ProxyMode,
    /// Whether CoreDNS runs (with kubelets only).
    pub dns: bool,
    /// Images to load on every node besides the lab's own.
    pub images: Vec<ImageSpec>,
    /// Further flags of the API server; a later flag wins over an earlier one.
    pub apiserver_args: Vec<String>,
    /// Further flags of the controller manager.
    pub controller_manager_args: Vec<String>,
    /// Node ports that Services may get; the API server's own 30000 to 32767 if not given.
    pub node_port_range: Option<(u16, u16)>,
    /// Leave the lab running when the value is dropped and the process ends.
    pub detached: bool,
}

/// The nodes of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nodes {
    /// So many real ones: containerd, kubelet and kube-proxy, each in a namespace of its own.
    Kubelets(usize),
    /// So many API objects that are Ready and never answer. Neither scheduler nor node lifecycle controller runs.
    Light(usize),
    /// A control plane alone, as for `Light(0)`.
    None,
}

/// Modes of kube-proxy that a kernel without IP_VS can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyMode {
    /// The iptables mode, still the default of many clusters.
    Iptables,
    /// The nftables mode.
    Nftables,
}

impl Config {
    /// Three real nodes, kube-proxy in iptables mode, CoreDNS.
    pub fn new(name: &str) -> Config {
        Config {
            name: name.to_owned(),
            nodes: Nodes::Kubelets(3),
            proxy_mode: ProxyMode::Iptables,
            dns: true,
            images: Vec::new(),
            apiserver_args: Vec::new(),
            controller_manager_args: Vec::new(),
            node_port_range: None,
            detached: false,
        }
    }

    /// How many real nodes there are.
    pub(crate) fn kubelets(&self) -> usize {
        match self.nodes {
            Nodes::Kubelets(count) => count,
            Nodes::Light(_) | Nodes::None => 0,
        }
    }

    /// How many nodes are API objects only.
    pub(crate) fn light_nodes(&self) -> usize {
        match self.nodes {
            Nodes::Light(count) => count,
            Nodes::Kubelets(_) | Nodes::None => 0,
        }
    }

    /// Says what is wrong before anything is started.
    pub(crate) fn check(&self) -> Result<()> {
        check_name(&self.name)?;
        ensure!(self.kubelets() <= 80, "at most 80 real nodes fit into the lab's addresses, not {}", self.kubelets());
        ensure!(
            self.light_nodes() <= 50_000,
            "at most 50000 light nodes fit into the lab's addresses, not {}",
            self.light_nodes()
        );
        if let Some((first, last)) = self.node_port_range {
            ensure!(first > 0 && first <= last, "node port range {first}-{last} is empty");
        }
        Ok(())
    }
}

/// Names become parts of namespace names, of folders and of socket paths, which are short.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let fits = (1..=20).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    ensure!(fits, "lab name {name:?}: 1 to 20 characters of a-z, 0-9 and - are valid");
    Ok(())
}

impl ProxyMode {
    /// The word that kube-proxy's configuration uses.
    pub fn as_str(self) -> &'static str {
        match self {
            ProxyMode::Iptables => "iptables",
            ProxyMode::Nftables => "nftables",
        }
    }
}

impl std::str::FromStr for ProxyMode {
    type Err = anyhow::Error;

    fn from_str(word: &str) -> Result<ProxyMode> {
        match word {
            "iptables" => Ok(ProxyMode::Iptables),
            "nftables" => Ok(ProxyMode::Nftables),
            other => anyhow::bail!("kube-proxy mode {other:?}: valid are iptables and nftables"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_break_paths_are_refused() {
        for name in ["", "Upper", "dot.ted", "a/b", "123456789012345678901"] {
            assert!(Config::new(name).check().is_err(), "{name:?} should be refused");
        }
        assert!(Config::new("prove-7").check().is_ok());
    }

    #[test]
    fn an_empty_node_port_range_is_refused() {
        let mut config = Config::new("x");
        config.node_port_range = Some((30100, 30000));
        assert!(config.check().is_err());
    }
}
