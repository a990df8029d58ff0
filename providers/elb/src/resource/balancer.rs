//! A load balancer.

use std::net::IpAddr;

use ferrolb_provider::{Change, IpMode};
use serde::Serialize;

use super::updates;
use crate::drift;
use crate::spec::{Class, Flavor, Tags};

/// A load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LoadBalancer {
    /// Wished: the user's own, by this id.
    pub adopted: Option<String>,
    /// Kind; `None` where it does not matter.
    pub class: Option<Class>,
    /// Name; `None` where it does not matter.
    pub name: Option<String>,
    /// IPv4 subnet of the private address; wished only where the user named one.
    pub vip_subnet: Option<String>,
    /// Private address; wished only where the user named one.
    pub vip: Option<IpAddr>,
    /// Wished: what the status says of how packets arrive; `None`: as the controller is configured.
    pub mode: Option<IpMode>,
    /// Tags; wished only those that the user named.
    pub tags: Tags,
    /// It stays when its owner goes.
    pub retain: bool,
    /// Wished: what matters only while it is made.
    pub new: Option<Box<NewBalancer>>,
    /// Found: what the cloud filled in.
    pub found: Option<Box<FoundBalancer>>,
}

/// What is said of a load balancer only when it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewBalancer {
    /// Network of a private IPv6 address.
    pub ipv6_network: Option<String>,
    /// Networks for its own addresses; only what the user named.
    pub networks: Vec<String>,
    /// Zones.
    pub zones: Vec<String>,
    /// Layer 4 flavor.
    pub l4_flavor: Option<Flavor>,
    /// Layer 7 flavor.
    pub l7_flavor: Option<Flavor>,
    /// Enterprise project; `0` is the default one.
    pub enterprise_project: Option<String>,
    /// Whether members need not be in the VPC; can be switched on later, and never off.
    pub ip_targets: Option<bool>,
}

/// What the cloud says of a load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FoundBalancer {
    /// The port that carries the private address; an EIP is bound to it.
    pub vip_port: Option<String>,
    /// Private IPv6 address.
    pub ipv6: Option<IpAddr>,
    /// Public addresses bound to it, with the ids of their EIPs.
    pub eips: Vec<(String, IpAddr)>,
    /// Zones; empty where the cloud does not say, as for all that follows.
    pub zones: Vec<String>,
    /// Networks of its own addresses.
    pub networks: Vec<String>,
    /// Network of its private IPv6 address.
    pub ipv6_network: Option<String>,
    /// Layer 4 flavor.
    pub l4_flavor: FoundFlavor,
    /// Layer 7 flavor.
    pub l7_flavor: FoundFlavor,
    /// Enterprise project; `0` is the default one.
    pub enterprise_project: Option<String>,
    /// Whether members need not be in the VPC.
    pub ip_targets: bool,
}

/// What the cloud says of a flavor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FoundFlavor {
    /// Its id.
    pub id: Option<String>,
    /// Its name, where it matters and the list of flavors is known.
    pub name: Option<String>,
}

impl LoadBalancer {
    pub(super) fn change(&self, seen: &Self) -> Change {
        if let (Some(want), Some(is)) = (self.class, seen.class)
            && want != is
        {
            return Change::Forbidden(format!(
                "the load balancer is of class {}, not {}: changing that would change its address; delete the Service and make it anew if that is wanted",
                is.word(),
                want.word()
            ));
        }
        if let Some(want) = &self.vip_subnet
            && let Some(is) = seen.vip_subnet.as_ref().filter(|is| *is != want)
        {
            return Change::Forbidden(format!(
                "the load balancer is in subnet {is}, not in {want}: its private address would change; delete the Service and make it anew if that is wanted"
            ));
        }
        if let Some(want) = self.vip
            && let Some(is) = seen.vip.filter(|is| *is != want)
        {
            return Change::Forbidden(format!(
                "the load balancer has the private address {is}, not {want}, and keeps it; delete the Service and make it anew if that is wanted"
            ));
        }
        if let Some(text) = drift::balancer(self, seen) {
            return Change::Forbidden(text);
        }
        let ip_targets = |lb: &Self| lb.found.as_ref().is_some_and(|found| found.ip_targets);
        let wants_ip_targets = self.new.as_ref().is_some_and(|new| new.ip_targets == Some(true));
        updates([
            ("name", self.name.is_some() && self.name != seen.name),
            ("tags", self.tags.iter().any(|(key, value)| seen.tags.get(key) != Some(value))),
            ("reclaim_policy", self.retain != seen.retain),
            ("ip_target_enable", wants_ip_targets && !ip_targets(seen)),
        ])
    }
}
