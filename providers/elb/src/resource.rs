//! The cloud objects: one struct per kind, one enum for all, and what makes two of them differ.

mod nat;

use std::fmt;
use std::net::IpAddr;

use ferrolb_provider::{Change, Id, Protocol, Resource, Slot};
use serde::Serialize;

use crate::drift;
use crate::spec::{Algorithm, Class, Probe};

pub use nat::{DnatRule, NatGateway, PublicAddress, Target};
pub(crate) use nat::{address_slot, gateway_slot};

/// Members that one call can add, change or delete.
const BATCH: usize = 200;

/// One object of the cloud, as wished or as found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ElbResource {
    /// Load balancer.
    LoadBalancer(LoadBalancer),
    /// Elastic public address.
    Eip(Eip),
    /// Port of a load balancer.
    Listener(Listener),
    /// Backend server group of a listener.
    Pool(Pool),
    /// Backend server.
    Member(Member),
    /// Health check of a pool.
    HealthMonitor(HealthMonitor),
    /// NAT gateway.
    NatGateway(NatGateway),
    /// EIP of the user's.
    PublicAddress(PublicAddress),
    /// Rule of a NAT gateway.
    DnatRule(DnatRule),
}

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
    /// Name of the layer 4 flavor.
    pub l4_flavor: Option<String>,
    /// Name of the layer 7 flavor.
    pub l7_flavor: Option<String>,
    /// Enterprise project; `0` is the default one.
    pub enterprise_project: Option<String>,
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
    /// Name of the layer 4 flavor, where the list of flavors is known.
    pub l4_flavor: Option<String>,
    /// Name of the layer 7 flavor, where the list of flavors is known.
    pub l7_flavor: Option<String>,
    /// Enterprise project; `0` is the default one.
    pub enterprise_project: Option<String>,
}

/// An EIP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Eip {
    /// Line, for instance `5_bgp`. As for all that follows: found, `None` where the cloud does not say.
    pub kind: Option<String>,
    /// Name of its bandwidth; wished only where the user named one.
    pub bandwidth_name: Option<String>,
    /// Bandwidth in Mbit/s.
    pub bandwidth_size: Option<u32>,
    /// How the bandwidth is charged.
    pub charge_mode: Option<String>,
    /// Enterprise project; `0` is the default one.
    pub enterprise_project: Option<String>,
    /// What it is bound to.
    pub binding: Binding,
    /// Found: the address.
    pub address: Option<IpAddr>,
    /// Found: id of its bandwidth.
    pub bandwidth_id: Option<String>,
}

/// What an EIP is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Binding {
    /// The load balancer of its owner.
    Balancer,
    /// Wished: nothing; the NAT gateway takes it with the first rule.
    Gateway,
    /// Nothing, and it can be bound.
    Free,
    /// Nothing, and it cannot be bound yet.
    Unready,
    /// Something else.
    Other(String),
}

/// A listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listener {
    /// Which port.
    pub key: PoolKey,
}

/// A pool, the default one of its listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pool {
    /// Which listener's.
    pub key: PoolKey,
    /// How a member is chosen.
    pub algorithm: Option<Algorithm>,
}

/// Which listener, and with it which pool: its protocol and port. Found objects may have no such place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum PoolKey {
    /// `TCP:80`
    Port(Protocol, u16),
    /// One of ours that no Service can have asked for; the cloud's id.
    Stray(String),
}

impl fmt::Display for PoolKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(protocol, port) => write!(f, "{protocol}:{port}"),
            Self::Stray(id) => write!(f, "stray:{id}"),
        }
    }
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Of which pool.
    pub pool: PoolKey,
    /// Name of the node or pod.
    pub name: String,
    /// Address.
    pub address: IpAddr,
    /// Port.
    pub port: u16,
    /// Subnet of the address.
    pub subnet: Option<String>,
    /// Share of new connections, 0-100.
    pub weight: u16,
    /// Found: what the health check says.
    pub health: Option<MemberHealth>,
}

/// `operating_status` of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum MemberHealth {
    /// Passes its check, or there is none.
    Up,
    /// Does not pass.
    Down,
    /// Not checked yet.
    Unknown,
}

/// A health monitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthMonitor {
    /// Of which pool.
    pub pool: PoolKey,
    /// What it sends; `None`: found with something that we never ask for.
    pub probe: Option<Probe>,
    /// Seconds between probes.
    pub delay: u16,
    /// Seconds until a probe has failed.
    pub timeout: u16,
    /// Probes in a row that must succeed.
    pub max_retries: u16,
    /// Port to probe instead of the member's own.
    pub port: Option<u16>,
}

/// The slot of the load balancer.
pub(crate) fn balancer_slot() -> Slot {
    Slot::new("loadbalancer", "main")
}

/// The slot of an EIP that is made for its owner.
pub(crate) fn eip_slot() -> Slot {
    Slot::new("eip", "main")
}

/// The slot of a listener.
pub(crate) fn listener_slot(key: &PoolKey) -> Slot {
    Slot::new("listener", key)
}

/// The slot of a pool.
pub(crate) fn pool_slot(key: &PoolKey) -> Slot {
    Slot::new("pool", key)
}

impl Resource for ElbResource {
    fn slot(&self) -> Slot {
        match self {
            Self::LoadBalancer(_) => balancer_slot(),
            Self::Eip(_) => eip_slot(),
            Self::Listener(l) => listener_slot(&l.key),
            Self::Pool(p) => pool_slot(&p.key),
            Self::Member(m) => {
                let Member { pool, address, port, .. } = m;
                let place = std::net::SocketAddr::new(*address, *port);
                Slot::new("member", format_args!("{pool}/{place}"))
            }
            Self::HealthMonitor(h) => Slot::new("healthmonitor", &h.pool),
            Self::NatGateway(_) => gateway_slot(),
            Self::PublicAddress(_) => address_slot(),
            Self::DnatRule(r) => Slot::new("dnatrule", &r.key),
        }
    }

    fn parents(&self) -> Vec<Slot> {
        match self {
            Self::LoadBalancer(_) | Self::NatGateway(_) | Self::PublicAddress(_) => Vec::new(),
            Self::Eip(e) if e.binding == Binding::Gateway => Vec::new(),
            Self::DnatRule(r) => vec![gateway_slot(), if r.own_eip { eip_slot() } else { address_slot() }],
            Self::Eip(_) | Self::Listener(_) => vec![balancer_slot()],
            Self::Pool(p) => vec![listener_slot(&p.key)],
            Self::Member(m) => vec![pool_slot(&m.pool)],
            Self::HealthMonitor(h) => vec![pool_slot(&h.pool)],
        }
    }

    fn change(&self, seen: &Self) -> Change {
        match (self, seen) {
            (Self::LoadBalancer(want), Self::LoadBalancer(seen)) => want.change(seen),
            // What it is bound to is a matter of its parents, and the engine's.
            (Self::Eip(want), Self::Eip(seen)) => {
                if let Some(text) = drift::eip(want, seen) {
                    return Change::Forbidden(text);
                }
                let differs = |size| want.bandwidth_size.is_some_and(|w| w != size);
                updates([("bandwidth_size", seen.bandwidth_size.is_some_and(differs))])
            }
            (Self::Pool(want), Self::Pool(seen)) => updates([("lb_algorithm", want.algorithm != seen.algorithm)]),
            (Self::Member(want), Self::Member(seen)) => updates([("weight", want.weight != seen.weight)]),
            (Self::HealthMonitor(want), Self::HealthMonitor(seen)) => updates([
                ("type", want.probe != seen.probe),
                ("delay", want.delay != seen.delay),
                ("timeout", want.timeout != seen.timeout),
                ("max_retries", want.max_retries != seen.max_retries),
                ("monitor_port", want.port != seen.port),
            ]),
            (Self::DnatRule(want), Self::DnatRule(seen)) => want.change(seen),
            _ => Change::None,
        }
    }

    fn adopted(&self) -> Option<Id> {
        match self {
            Self::LoadBalancer(lb) => lb.adopted.clone().map(Id),
            Self::NatGateway(gateway) => gateway.adopted.clone().map(Id),
            Self::PublicAddress(eip) => eip.named.clone().map(Id),
            _ => None,
        }
    }

    fn has_natural_key(&self) -> bool {
        matches!(self, Self::Listener(_) | Self::Member(_) | Self::HealthMonitor(_) | Self::DnatRule(_))
    }

    fn batch(&self) -> usize {
        if matches!(self, Self::Member(_)) { BATCH } else { 1 }
    }

    fn outlives_parents(&self) -> bool {
        matches!(self, Self::Eip(_))
    }

    fn moves(&self) -> bool {
        matches!(self, Self::Eip(_) | Self::DnatRule(_))
    }
}

impl LoadBalancer {
    fn change(&self, seen: &Self) -> Change {
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
        updates([("name", self.name.is_some() && self.name != seen.name)])
    }
}

/// The fields that differ.
fn updates<const N: usize>(fields: [(&'static str, bool); N]) -> Change {
    let differing: Vec<_> = fields.into_iter().filter_map(|(f, differs)| differs.then_some(f)).collect();
    if differing.is_empty() { Change::None } else { Change::Update(differing) }
}
