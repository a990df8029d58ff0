//! A pool, its members and its health check.

use std::net::IpAddr;

use ferrolb_provider::Change;
use serde::Serialize;

use super::{PoolKey, updates};
use crate::settings::differing;
use crate::spec::{Algorithm, ElbProtocol, Probe, Settings};

/// A pool, the default one of its listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pool {
    /// Which listener's.
    pub key: PoolKey,
    /// What it speaks to members; `None`: found with something that we never ask for.
    pub protocol: Option<ElbProtocol>,
    /// How a member is chosen.
    pub algorithm: Option<Algorithm>,
    /// Its other fields.
    pub settings: Settings,
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

impl Pool {
    /// The protocol of a pool cannot be changed.
    pub(super) fn change(&self, seen: &Self) -> Change {
        if self.protocol != seen.protocol {
            return Change::Replace("protocol");
        }
        let mut fields = differing(&self.settings, &seen.settings);
        if self.algorithm != seen.algorithm {
            fields.insert(0, "lb_algorithm");
        }
        if fields.is_empty() { Change::None } else { Change::Update(fields) }
    }
}

impl HealthMonitor {
    pub(super) fn change(&self, seen: &Self) -> Change {
        updates([
            ("type", self.probe != seen.probe),
            ("delay", self.delay != seen.delay),
            ("timeout", self.timeout != seen.timeout),
            ("max_retries", self.max_retries != seen.max_retries),
            ("monitor_port", self.port != seen.port),
        ])
    }
}
