//! The cloud objects: one struct per kind, one enum for all, and what makes two of them differ.

mod access;
mod balancer;
mod eip;
mod listener;
mod nat;
mod pool;

use std::net::IpAddr;

use ferrolb_provider::{Change, Holder, Id, Resource, Slot};
use serde::Serialize;

pub(crate) use access::line;
pub use access::{Access, Groups, IpGroup};
pub use balancer::{FoundBalancer, FoundFlavor, LoadBalancer, NewBalancer};
pub use eip::{Association, Binding, Eip};
pub(crate) use listener::meet;
pub use listener::{Listener, PoolKey, PortRange, Taken};
pub use nat::{DnatRule, NatGateway, PublicAddress, Target};
pub(crate) use nat::{address_slot, gateway_slot};
pub use pool::{HealthMonitor, Member, MemberHealth, Pool};

pub use crate::stranger::Stranger;

/// Members that one call can add, change or delete.
const BATCH: usize = 200;

/// One object of the cloud, as wished or as found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ElbResource {
    /// Load balancer.
    LoadBalancer(LoadBalancer),
    /// Elastic public address.
    Eip(Eip),
    /// IP address group of our own.
    IpGroup(IpGroup),
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
    /// That EIP at the load balancer.
    Association(Association),
    /// Rule of a NAT gateway.
    DnatRule(DnatRule),
    /// What somebody else has hung on a load balancer; never wished.
    Stranger(Stranger),
}

/// The slot of the load balancer.
pub(crate) fn balancer_slot() -> Slot {
    Slot::new("loadbalancer", "main")
}

/// The slot of an EIP that is made for its owner.
pub(crate) fn eip_slot() -> Slot {
    Slot::new("eip", "main")
}

/// The slot of the group of those who may connect.
pub(crate) fn group_slot() -> Slot {
    Slot::new("ipgroup", "main")
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
            Self::IpGroup(_) => group_slot(),
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
            Self::Association(a) => Slot::new("association", &a.eip),
            Self::DnatRule(r) => Slot::new("dnatrule", &r.key),
            Self::Stranger(s) => Slot::new("stranger", &s.id),
        }
    }

    fn parents(&self) -> Vec<Slot> {
        match self {
            Self::LoadBalancer(_)
            | Self::IpGroup(_)
            | Self::NatGateway(_)
            | Self::PublicAddress(_)
            | Self::Stranger(_) => Vec::new(),
            Self::Listener(l) if l.access == Access::OwnGroup => vec![balancer_slot(), group_slot()],
            Self::Eip(e) if e.binding == Binding::Gateway => Vec::new(),
            // The EIP first: that is what others may have, or have rules on.
            Self::Association(_) => vec![address_slot(), balancer_slot()],
            Self::DnatRule(r) => vec![if r.own_eip { eip_slot() } else { address_slot() }, gateway_slot()],
            Self::Eip(_) | Self::Listener(_) => vec![balancer_slot()],
            Self::Pool(p) => vec![listener_slot(&p.key)],
            Self::Member(m) => vec![pool_slot(&m.pool)],
            Self::HealthMonitor(h) => vec![pool_slot(&h.pool)],
        }
    }

    fn place(&self) -> Vec<Slot> {
        match self {
            Self::Listener(_) => vec![balancer_slot()],
            Self::Association(_) => vec![address_slot()],
            _ => self.parents(),
        }
    }

    fn change(&self, seen: &Self) -> Change {
        match (self, seen) {
            (Self::LoadBalancer(want), Self::LoadBalancer(seen)) => want.change(seen),
            (Self::Eip(want), Self::Eip(seen)) => want.change(seen),
            (Self::IpGroup(want), Self::IpGroup(seen)) => want.change(seen),
            (Self::Listener(want), Self::Listener(seen)) => want.change(seen),
            (Self::Pool(want), Self::Pool(seen)) => want.change(seen),
            (Self::Member(want), Self::Member(seen)) => updates([("weight", want.weight != seen.weight)]),
            (Self::HealthMonitor(want), Self::HealthMonitor(seen)) => want.change(seen),
            (Self::DnatRule(want), Self::DnatRule(seen)) => want.change(seen),
            _ => Change::None,
        }
    }

    fn addresses(&self) -> Vec<IpAddr> {
        match self {
            Self::LoadBalancer(lb) => lb.vip.into_iter().chain(lb.found.iter().filter_map(|f| f.ipv6)).collect(),
            Self::Eip(eip) => eip.address.into_iter().collect(),
            Self::Association(association) => association.address.into_iter().collect(),
            _ => Vec::new(),
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

    fn collides(&self, stranger: &Self) -> bool {
        match (self, stranger) {
            (Self::Listener(listener), Self::Stranger(stranger)) => {
                stranger.taken.iter().any(|taken| listener.is_shut_out_by(taken))
            }
            (Self::DnatRule(rule), Self::Stranger(stranger)) => stranger.has_rule_for(&rule.key),
            _ => false,
        }
    }

    fn holder(&self) -> Option<Holder> {
        match self {
            Self::Stranger(stranger) => Some(stranger.holder()),
            _ => None,
        }
    }

    fn has_natural_key(&self) -> bool {
        matches!(self, Self::Listener(_) | Self::Member(_) | Self::HealthMonitor(_) | Self::DnatRule(_))
            || matches!(self, Self::Association(_))
    }

    fn batch(&self) -> usize {
        if matches!(self, Self::Member(_)) { BATCH } else { 1 }
    }

    fn outlives_parents(&self) -> bool {
        matches!(self, Self::Eip(eip) if !eip.retained)
    }

    fn stays(&self) -> Option<String> {
        match self {
            Self::Eip(eip) => eip.stays(),
            Self::LoadBalancer(lb) if lb.retain => Some(format!("load balancer {}", lb.name.as_deref().unwrap_or("?"))),
            _ => None,
        }
    }

    fn into_double(self) -> Self {
        match self {
            Self::Eip(eip) => Self::Eip(Eip { keep: false, retained: false, ..eip }),
            Self::LoadBalancer(lb) => Self::LoadBalancer(LoadBalancer { retain: false, ..lb }),
            other => other,
        }
    }

    fn serves(&self) -> Option<bool> {
        match self {
            Self::Member(member) => match member.health? {
                MemberHealth::Up => Some(true),
                MemberHealth::Down => Some(false),
                MemberHealth::Unknown => None,
            },
            _ => None,
        }
    }

    fn irreplaceable(&self) -> Option<String> {
        match self {
            Self::Eip(eip) => Some(lost(eip.address)),
            Self::LoadBalancer(lb) => Some(lost(lb.vip)),
            // It is the user's and stays; but it would no longer serve.
            Self::Association(a) => a.address.map(|ip| format!("clients may still use the address {ip}")),
            _ => None,
        }
    }

    fn moves(&self) -> bool {
        matches!(self, Self::Eip(_) | Self::DnatRule(_) | Self::Association(_))
    }

    /// A load balancer has one EIP.
    fn replaces(&self, seen: &Self) -> bool {
        match (self, seen) {
            (Self::Association(_), Self::Eip(_)) => true,
            (Self::Eip(eip), Self::Association(_)) => eip.binding == Binding::Balancer,
            (Self::Association(want), Self::Association(seen)) => want.eip != seen.eip,
            _ => false,
        }
    }

    /// A binding bears no mark: that of the EIP announces it.
    fn waits_for_the_list(&self) -> bool {
        matches!(self, Self::Association(_))
    }
}

/// What an address of our own is missed for.
fn lost(address: Option<IpAddr>) -> String {
    let address = address.map_or("its address".to_owned(), |ip| format!("the address {ip}"));
    format!("{address} could not be had again")
}

/// The fields that differ.
fn updates<const N: usize>(fields: [(&'static str, bool); N]) -> Change {
    let differing: Vec<_> = fields.into_iter().filter_map(|(f, differs)| differs.then_some(f)).collect();
    if differing.is_empty() { Change::None } else { Change::Update(differing) }
}
