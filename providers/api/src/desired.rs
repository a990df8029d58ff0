//! What is wanted, in neutral words.
//!
//! A [`Desired`] is one Service with everything resolved that a load balancer needs to know. Terms are those of
//! Kubernetes and of load balancer APIs; no vendor's word and no Kubernetes type appears here.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// One load balancer as wished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// Whose it is.
    pub owner: Owner,
    /// Address families in order of preference.
    pub families: Vec<Family>,
    /// Addresses that the user asked for (`spec.loadBalancerIP` and annotations). Empty: any.
    pub addresses: Vec<IpAddr>,
    /// Addresses that clients are told now. None of them is given back to the cloud before they are told otherwise.
    pub published: Vec<IpAddr>,
    /// What to listen on and where to send it.
    pub ports: Vec<Port>,
    /// Whether any node may take the traffic or only those with a local endpoint.
    pub traffic_policy: TrafficPolicy,
    /// With [`TrafficPolicy::Local`]: the port on which each node tells whether it has a local endpoint.
    pub health_check_node_port: Option<u16>,
    /// Who may connect. Empty: everybody.
    pub source_ranges: Vec<IpNet>,
    /// Seconds for which a client keeps its backend (`sessionAffinity: ClientIP`).
    pub affinity_seconds: Option<u32>,
    /// Options for the provider, full annotation keys to values.
    pub options: Options,
}

/// Provider options: annotation keys to values, both as the user wrote them.
pub type Options = BTreeMap<String, String>;

/// The option that lets addresses go which the owner asks for no longer.
pub const ALLOW_INTERRUPTION: &str = "ferrolb.io/allow-interruption";

impl Desired {
    /// Whether what clients may still use, and what cannot be had again, may go.
    pub fn allows_interruption(&self) -> bool {
        self.options.get(ALLOW_INTERRUPTION).is_some_and(|word| word.trim().eq_ignore_ascii_case("true"))
    }
}

/// Identity of a load balancer's owner. Only `cluster` and `uid` identify; the names are for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// Stable id of the cluster (by default the UID of the namespace `kube-system`).
    pub cluster: String,
    /// UID of the Service. A Service deleted and made again under one name has another.
    pub uid: String,
    /// Namespace of the Service.
    pub namespace: String,
    /// Name of the Service.
    pub name: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ({})", self.namespace, self.name, self.uid)
    }
}

/// IP family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Family {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

impl Family {
    /// The family of an address.
    pub fn of(address: &IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// Transport protocol of a Service port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// TCP
    Tcp,
    /// UDP
    Udp,
    /// SCTP
    Sctp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        })
    }
}

/// `spec.externalTrafficPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrafficPolicy {
    /// Any node forwards to any endpoint; the client's address is lost.
    Cluster,
    /// A node serves only its own endpoints; the client's address is kept.
    Local,
}

/// A port of the load balancer with the backends behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Name in the Service; empty when it has only one port.
    pub name: String,
    /// Transport protocol.
    pub protocol: Protocol,
    /// Port on which clients connect, 1-65535.
    pub port: u16,
    /// Its backends are pods, not nodes; also while there are none.
    pub direct: bool,
    /// Where the traffic may go, sorted by name and address.
    pub backends: Vec<Backend>,
}

/// One place to send traffic to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Backend {
    /// Name of the node or pod.
    pub name: String,
    /// What it is.
    pub kind: BackendKind,
    /// Its address.
    pub address: IpAddr,
    /// The node port, or the pod's own port.
    pub port: u16,
    /// Share of new connections relative to the others; `None`: all alike.
    pub weight: Option<u16>,
    /// Takes new connections. For a node: true where a health check of the load balancer decides; where there is none,
    /// whether the node is ready and, with [`TrafficPolicy::Local`], has a ready endpoint. For a pod: false where it is
    /// about to end and gets traffic only because there is no other.
    pub ready: bool,
    /// Answers, though it may be about to end.
    pub serving: bool,
    /// Is being ended: keeps its connections, gets no new ones where others are ready.
    pub terminating: bool,
}

/// What a backend is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BackendKind {
    /// A node, reached on a node port.
    Node,
    /// A pod with an address of its own, reached directly.
    Pod,
    /// A pod on the network of its node, reached directly: the node's address, the pod's port.
    HostPod,
}
