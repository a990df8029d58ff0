//! Why a call was refused. The api room turns it into a status and a code.

use std::net::IpAddr;

use super::NatRefusal;

/// A refused call. Texts follow the vendor's where they are known.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("{kind} {id} could not be found.")]
    NotFound { kind: &'static str, id: String },
    #[error("missing parameter '{0}'")]
    Missing(&'static str),
    #[error("Invalid input for {field}. Reason: {reason}")]
    Invalid { field: String, reason: String },
    /// An id that exists nowhere or in another VPC, where the vendor has a code of its own.
    #[error("{0}")]
    Mismatch(String),
    #[error("Load balancer {0} does not allow members without a subnet (ip_target_enable)")]
    IpTarget(String),
    #[error("VIP address {0} already exists")]
    AddressTaken(IpAddr),
    #[error("no free address in subnet {0}")]
    SubnetFull(String),
    #[error("Load Balancer {loadbalancer} already has a listener with protocol_port of {port}")]
    PortTaken { loadbalancer: String, port: u16 },
    #[error("{0}")]
    Conflict(String),
    #[error("Quota exceeded for resources: {0}")]
    Quota(&'static str),
    #[error("{0}")]
    Unsupported(String),
    #[error("public IP {0} is already bound")]
    EipBound(String),
    #[error("the instance {0} already has a public IP")]
    InstanceHasEip(String),
    #[error("public IP {0} is still bound to an instance")]
    EipInUse(String),
    #[error("public IP {0} is not bound to any instance")]
    EipFree(String),
    #[error("public IP {0} is busy, please retry later")]
    EipBusy(String),
    #[error("no available public IP address left")]
    NoEipLeft,
    #[error("public IP address {0} is in use")]
    EipAddressTaken(IpAddr),
    #[error(transparent)]
    Nat(#[from] NatRefusal),
}

impl Refusal {
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }

    pub fn not_found(kind: &'static str, id: impl Into<String>) -> Self {
        Self::NotFound { kind, id: id.into() }
    }
}
