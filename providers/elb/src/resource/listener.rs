//! A listener, and the place that it shares with its pool.

use std::fmt;

use ferrolb_provider::{Change, Protocol};
use serde::Serialize;

use super::Access;
use crate::settings::differing;
use crate::spec::{ElbProtocol, Settings};

/// A listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listener {
    /// Which port.
    pub key: PoolKey,
    /// What it speaks; `None`: found with something that we never ask for.
    pub protocol: Option<ElbProtocol>,
    /// The ranges of ports that it takes instead of one, in order; empty: it takes the one.
    pub ranges: Vec<PortRange>,
    /// Its other fields; wished: only what the user named.
    pub settings: Settings,
    /// Who may connect.
    pub access: Access,
}

/// The first port and the last.
pub type PortRange = (u16, u16);

/// Whether two ranges have a port in common.
pub(crate) fn meet(a: PortRange, b: PortRange) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

impl Listener {
    /// Whether another listener of the same load balancer, which takes these ports, leaves no place for it.
    pub(crate) fn is_shut_out_by(&self, taken: &Taken) -> bool {
        let PoolKey::Port(protocol, port) = self.key else {
            return false;
        };
        let own = if self.ranges.is_empty() { &[(port, port)][..] } else { &self.ranges };
        taken.meets(protocol, own)
    }

    /// Protocol and ports of a listener cannot be changed.
    pub(super) fn change(&self, seen: &Self) -> Change {
        if self.protocol != seen.protocol {
            return Change::Replace("protocol");
        }
        if self.ranges != seen.ranges {
            return Change::Replace("port_ranges");
        }
        let mut fields = differing(&self.settings, &seen.settings);
        if self.access.differs(&seen.access) {
            fields.push("ipgroup");
        }
        if fields.is_empty() { Change::None } else { Change::Update(fields) }
    }
}

/// The ports that a listener takes from others: those of TCP and UDP do not meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// What carries it.
    pub protocol: Protocol,
    /// At least one.
    pub ranges: Vec<PortRange>,
}

impl Taken {
    /// Every port.
    pub(crate) fn all(protocol: Protocol) -> Self {
        Self { protocol, ranges: vec![(1, u16::MAX)] }
    }

    /// Whether a port of these is among them.
    pub(crate) fn meets(&self, protocol: Protocol, ports: &[PortRange]) -> bool {
        protocol == self.protocol && ports.iter().any(|a| self.ranges.iter().any(|b| meet(*a, *b)))
    }
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
