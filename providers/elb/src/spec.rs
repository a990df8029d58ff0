//! What the options ask for, parsed and checked.

use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

/// All options of one Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ElbSpec {
    /// Which load balancer.
    pub balancer: Balancer,
    /// How pools choose a member.
    pub algorithm: Algorithm,
    /// How members are probed; `None`: not at all.
    pub health: Option<HealthCheck>,
}

/// Which load balancer serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Balancer {
    /// One that the user made: used, never changed or deleted.
    Existing(String),
    /// One of our own.
    New(Box<Autocreate>),
}

/// Kind of load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Class {
    /// `union`, `shared`: made by API v2.
    Shared,
    /// `performance`, `dedicated`: made by API v3, `guaranteed` in its answers.
    Dedicated,
}

impl Class {
    /// As users of the annotation write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shared => "union",
            Self::Dedicated => "performance",
        }
    }
}

/// `elb.autocreate`: the load balancer to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Autocreate {
    /// Kind of load balancer.
    pub class: Class,
    /// `name`; `None`: one that is made from the UID.
    pub name: Option<String>,
    /// For `type: public`, the EIP to make.
    pub public: Option<PublicIp>,
    /// `vip_subnet_cidr_id`: IPv4 subnet of the private address.
    pub vip_subnet: Option<String>,
    /// `vip_address`: the private address.
    pub vip_address: Option<Ipv4Addr>,
    /// `ipv6_vip_virsubnet_id`: network of a private IPv6 address. Dedicated only.
    pub ipv6_network: Option<String>,
    /// `elb_virsubnet_ids`: networks for the balancer's own addresses. Dedicated only.
    pub networks: Vec<String>,
    /// `available_zone`. Dedicated only, not empty there.
    pub zones: Vec<String>,
    /// `l4_flavor_name`. Dedicated only.
    pub l4_flavor: Option<String>,
    /// `l7_flavor_name`. Dedicated only.
    pub l7_flavor: Option<String>,
    /// `elb.enterpriseID`; `0` is the default one.
    pub enterprise_project: Option<String>,
}

/// The EIP of a public load balancer, with a bandwidth of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicIp {
    /// `eip_type`, for instance `5_bgp`.
    pub kind: String,
    /// `bandwidth_name`; `None`: one that is made from the UID.
    pub bandwidth_name: Option<String>,
    /// `bandwidth_size` in Mbit/s.
    pub bandwidth_size: u32,
    /// `bandwidth_chargemode`: `bandwidth` or `traffic`.
    pub charge_mode: String,
}

/// `elb.lb-algorithm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Algorithm {
    /// Weighted round robin.
    #[default]
    RoundRobin,
    /// The member with the fewest connections.
    LeastConnections,
    /// By a hash of the client's address.
    SourceIp,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::RoundRobin, Self::LeastConnections, Self::SourceIp];

    /// In the API and in the annotation.
    pub fn word(self) -> &'static str {
        match self {
            Self::RoundRobin => "ROUND_ROBIN",
            Self::LeastConnections => "LEAST_CONNECTIONS",
            Self::SourceIp => "SOURCE_IP",
        }
    }
}

/// `elb.health-check-option`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// Seconds between probes, 1-50.
    pub delay: u16,
    /// Seconds until a probe has failed, 1-50.
    pub timeout: u16,
    /// Probes in a row that must succeed before a member is online, 1-10.
    pub max_retries: u16,
    /// What to send; `None`: what fits the port.
    pub probe: Option<Probe>,
}

impl Default for HealthCheck {
    /// CCE's defaults.
    fn default() -> Self {
        Self { delay: 5, timeout: 10, max_retries: 3, probe: None }
    }
}

/// What a health check sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Probe {
    /// Opens a TCP connection.
    Tcp,
    /// Sends a datagram; ICMP "unreachable" is a failure.
    Udp,
    /// HTTP GET.
    Http {
        /// Path, starts with `/`.
        path: String,
        /// Status codes that count as healthy; `None`: the cloud's default, 200.
        expected_codes: Option<String>,
    },
}

impl Autocreate {
    /// The wished private address in general form.
    pub fn vip(&self) -> Option<IpAddr> {
        self.vip_address.map(IpAddr::V4)
    }
}
