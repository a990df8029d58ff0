//! Kubernetes objects cut down to what decisions need, so that a cache of thousands stays small and an update of
//! anything else compares as equal.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ferrolb_crds::LoadBalancerClass;
use ferrolb_provider::{Family, Options, Protocol};
use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1 as discovery;

/// Label that keeps a node out of load balancers.
const EXCLUDE_LABEL: &str = "node.kubernetes.io/exclude-from-external-load-balancers";
/// Taint of a node that the cluster autoscaler is about to remove.
const AUTOSCALER_TAINT: &str = "ToBeDeletedByClusterAutoscaler";
/// Label that names the Service of an EndpointSlice.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

/// A node as a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its addresses of type InternalIP, as ordered in its status.
    pub addresses: Vec<IpAddr>,
    /// Labelled to stay out of load balancers.
    pub excluded: bool,
    /// The cluster autoscaler is about to remove it.
    pub tainted_for_removal: bool,
    /// Its object is being deleted.
    pub deleting: bool,
    /// Its condition Ready is True. Not asked for backends behind a health check (KEP-3458).
    pub ready: bool,
}

impl Node {
    /// Whether load balancers may send traffic to it.
    pub fn eligible(&self) -> bool {
        !(self.excluded || self.tainted_for_removal || self.deleting)
    }

    /// Its first address of a family.
    pub fn address(&self, family: Family) -> Option<IpAddr> {
        self.addresses.iter().copied().find(|a| Family::of(a) == family)
    }
}

impl From<&core::Node> for Node {
    fn from(node: &core::Node) -> Self {
        let meta = &node.metadata;
        let status = node.status.as_ref();
        let labels = meta.labels.as_ref();
        let taints = node.spec.as_ref().and_then(|s| s.taints.as_deref());
        let addresses = status.and_then(|s| s.addresses.as_deref());
        let conditions = status.and_then(|s| s.conditions.as_deref());
        Self {
            name: meta.name.clone().unwrap_or_default(),
            addresses: addresses
                .unwrap_or_default()
                .iter()
                .filter(|a| a.type_ == "InternalIP")
                .filter_map(|a| a.address.parse().ok())
                .collect(),
            excluded: labels.and_then(|l| l.get(EXCLUDE_LABEL)).is_some_and(|value| !says_false(value)),
            tainted_for_removal: taints.unwrap_or_default().iter().any(|t| t.key == AUTOSCALER_TAINT),
            deleting: meta.deletion_timestamp.is_some(),
            ready: conditions.unwrap_or_default().iter().any(|c| c.type_ == "Ready" && c.status == "True"),
        }
    }
}

/// The spellings of false that Kubernetes takes in a label value. Anything else, an empty value too, excludes.
fn says_false(value: &str) -> bool {
    matches!(value, "0" | "f" | "F" | "false" | "False" | "FALSE")
}

/// Endpoints of a Service, one of its EndpointSlices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// Its namespace.
    pub namespace: String,
    /// Its own name.
    pub name: String,
    /// The name of its Service; `None` for a slice that belongs to none.
    pub service: Option<String>,
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
    /// The ports on which they listen.
    pub ports: Vec<SlicePort>,
}

/// One endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Its addresses; all lead to the same place.
    pub addresses: Vec<IpAddr>,
    /// The node it runs on.
    pub node: Option<String>,
    /// The name of its pod, where it is one.
    pub pod: Option<String>,
    /// Takes new connections.
    pub ready: bool,
    /// Answers, though it may be about to end.
    pub serving: bool,
    /// Is being ended.
    pub terminating: bool,
}

/// One port of a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlicePort {
    /// The name of the Service's port.
    pub name: String,
    /// Transport protocol.
    pub protocol: Protocol,
    /// The endpoint's own port; `None`: all.
    pub port: Option<u16>,
}

impl Slice {
    /// How many of its endpoints take new connections.
    pub fn ready(&self) -> usize {
        self.endpoints.iter().filter(|e| e.ready).count()
    }
}

impl From<&discovery::EndpointSlice> for Slice {
    fn from(slice: &discovery::EndpointSlice) -> Self {
        let meta = &slice.metadata;
        let labels = meta.labels.as_ref();
        Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            service: labels.and_then(|l| l.get(SERVICE_LABEL)).filter(|name| !name.is_empty()).cloned(),
            endpoints: slice.endpoints.iter().map(Endpoint::from).collect(),
            ports: slice.ports.iter().flatten().filter_map(SlicePort::of).collect(),
        }
    }
}

impl From<&discovery::Endpoint> for Endpoint {
    fn from(endpoint: &discovery::Endpoint) -> Self {
        let conditions = endpoint.conditions.clone().unwrap_or_default();
        // What is not said counts as ready, and as serving when ready: discovery.k8s.io/v1, EndpointConditions.
        let ready = conditions.ready.unwrap_or(true);
        Self {
            addresses: endpoint.addresses.iter().filter_map(|a| a.parse().ok()).collect(),
            node: endpoint.node_name.clone(),
            pod: endpoint
                .target_ref
                .as_ref()
                .filter(|target| target.kind.as_deref() == Some("Pod"))
                .and_then(|target| target.name.clone()),
            ready,
            serving: conditions.serving.unwrap_or(ready),
            terminating: conditions.terminating.unwrap_or(false),
        }
    }
}

impl SlicePort {
    fn of(port: &discovery::EndpointPort) -> Option<Self> {
        Some(Self {
            name: port.name.clone().unwrap_or_default(),
            protocol: protocol(port.protocol.as_deref())?,
            port: port.port.and_then(|p| u16::try_from(p).ok()),
        })
    }
}

/// Kubernetes' word for a transport protocol; TCP when it says nothing.
pub(crate) fn protocol(word: Option<&str>) -> Option<Protocol> {
    match word.unwrap_or("TCP") {
        "TCP" => Some(Protocol::Tcp),
        "UDP" => Some(Protocol::Udp),
        "SCTP" => Some(Protocol::Sctp),
        _ => None,
    }
}

/// A `LoadBalancerClass`: a provider with defaults for its options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Class {
    /// Its name; a Service names it as `ferrolb.io/<name>`.
    pub name: String,
    /// The provider behind it.
    pub provider: String,
    /// Options that a Service's annotations may override.
    pub parameters: Options,
    /// Takes the Services that name no class.
    pub default: bool,
    /// Namespaces whose Services may use it. Empty: all.
    pub allowed_namespaces: BTreeSet<String>,
    /// When it was created; the newest of several defaults counts, as with StorageClasses.
    pub created: Option<Timestamp>,
}

impl From<&LoadBalancerClass> for Class {
    fn from(class: &LoadBalancerClass) -> Self {
        let meta = &class.metadata;
        Self {
            name: meta.name.clone().unwrap_or_default(),
            provider: class.spec.provider.clone(),
            parameters: class.spec.parameters.clone(),
            default: class.spec.default,
            allowed_namespaces: class.spec.allowed_namespaces.iter().cloned().collect(),
            created: meta.creation_timestamp.as_ref().map(|t| t.0),
        }
    }
}

#[cfg(test)]
mod tests;
