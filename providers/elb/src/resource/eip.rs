//! An EIP.

use std::net::IpAddr;

use ferrolb_provider::Change;
use serde::Serialize;

use super::updates;
use crate::drift;

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
    /// Id of a bandwidth that it shares with others, instead of all that.
    pub shared_bandwidth: Option<String>,
    /// Enterprise project; `0` is the default one.
    pub enterprise_project: Option<String>,
    /// It stays when its owner goes, unbound.
    pub keep: bool,
    /// Found: it is bound to a load balancer of its owner's that stays, and stays with it as it is.
    pub retained: bool,
    /// What it is bound to.
    pub binding: Binding,
    /// Found: the address.
    pub address: Option<IpAddr>,
    /// Found: id of its bandwidth.
    pub bandwidth_id: Option<String>,
}

/// The user's EIP at the load balancer of the Service. The EIP's tags say whose it is, and what it was bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Association {
    /// Id of the EIP.
    pub eip: String,
    /// Found: its address, as long as it is bound to what it was bound to for its Service.
    pub address: Option<IpAddr>,
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

impl Eip {
    /// What it is bound to is a matter of its parents, and the engine's.
    pub(super) fn change(&self, seen: &Self) -> Change {
        if let Some(text) = drift::eip(self, seen) {
            return Change::Forbidden(text);
        }
        let differs = |size| self.bandwidth_size.is_some_and(|want| want != size);
        updates([("bandwidth_size", seen.bandwidth_size.is_some_and(differs)), ("keep", self.keep != seen.keep)])
    }

    pub(super) fn stays(&self) -> Option<String> {
        let address = self.address.map_or_else(String::new, |address| format!(" {address}"));
        (self.keep || self.retained).then(|| format!("EIP{address}"))
    }
}
