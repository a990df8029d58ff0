//! Limits per kind; -1 means unlimited.

use serde::{Deserialize, Serialize};

use super::Refusal;

/// The limits a test may set. Names are those of the quota answer, plus `publicip`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    pub loadbalancer: i64,
    pub listener: i64,
    pub listeners_per_loadbalancer: i64,
    pub pool: i64,
    pub member: i64,
    pub members_per_pool: i64,
    pub healthmonitor: i64,
    pub l7policy: i64,
    pub ipgroup: i64,
    /// Lines of one group.
    pub ipgroup_max_length: i64,
    /// Listeners that use one group.
    pub ipgroup_bindings: i64,
    pub certificate: i64,
    pub security_policy: i64,
    pub publicip: i64,
    /// Of one NAT gateway.
    pub dnat_rule: i64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            loadbalancer: 2000,
            listener: 15000,
            listeners_per_loadbalancer: 50,
            pool: 50000,
            member: 100_000,
            members_per_pool: 1000,
            healthmonitor: -1,
            l7policy: 2000,
            ipgroup: 1000,
            ipgroup_max_length: 300,
            ipgroup_bindings: 50,
            certificate: 120,
            security_policy: 50,
            publicip: 2000,
            dnat_rule: 200,
        }
    }
}

/// Refuses if `used + more` objects would exceed `limit`.
pub fn check(kind: &'static str, limit: i64, used: usize, more: usize) -> Result<(), Refusal> {
    let total = i64::try_from(used + more).unwrap_or(i64::MAX);
    if limit >= 0 && total > limit { Err(Refusal::Quota(kind)) } else { Ok(()) }
}
