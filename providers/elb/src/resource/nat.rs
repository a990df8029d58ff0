//! A NAT gateway, the user's EIP that it serves, and a DNAT rule.

use std::net::IpAddr;

use ferrolb_provider::{Change, IpMode, Slot};
use serde::Serialize;

use super::PoolKey;

/// The user's NAT gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NatGateway {
    /// Wished: its id.
    pub adopted: Option<String>,
    /// Wished: what the status shall say of how packets arrive.
    pub mode: Option<IpMode>,
}

/// An EIP of the user's, which rules of several Services may share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PublicAddress {
    /// Wished: its id or its address. Found: that by which it was wished.
    pub named: Option<String>,
    /// Found: its id.
    pub id: Option<String>,
    /// Found: its address.
    pub address: Option<IpAddr>,
}

/// A DNAT rule: one port of an EIP to one port of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DnatRule {
    /// Id of its gateway.
    pub gateway: String,
    /// Which port of the EIP.
    pub key: PoolKey,
    /// Wished: on an EIP that is made for it, not on one of the user's.
    pub own_eip: bool,
    /// Wished: where it may point, the best first. Found: where it points; empty where that is gone.
    pub targets: Vec<Target>,
}

/// Where a rule points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Address of the node.
    pub address: IpAddr,
    /// Node port.
    pub port: u16,
    /// Wished: whether it takes new connections.
    pub ready: bool,
}

/// The slot of the gateway.
pub(crate) fn gateway_slot() -> Slot {
    Slot::new("natgateway", "main")
}

/// The slot of the user's EIP.
pub(crate) fn address_slot() -> Slot {
    Slot::new("address", "main")
}

impl DnatRule {
    /// The wished target that `seen` points to already.
    pub(crate) fn kept(&self, seen: &Self) -> Option<&Target> {
        let is = seen.targets.first()?;
        self.targets.iter().find(|t| (t.address, t.port) == (is.address, is.port))
    }

    /// A rule stays where it points as long as it may point there, so that connections do.
    pub(super) fn change(&self, seen: &Self) -> Change {
        if self.gateway != seen.gateway {
            return Change::Replace("nat_gateway_id");
        }
        super::updates([("target", self.kept(seen).is_none())])
    }
}
