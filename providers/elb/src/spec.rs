//! What the options ask for, parsed and checked.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ferrolb_provider::Protocol;
use serde::Serialize;
use serde_json::Value;

use crate::resource::{Access, PortRange};

/// All options of one Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ElbSpec {
    /// Which load balancer.
    pub balancer: Balancer,
    /// `elb.custom-eip-id`, `elb.eip-id`: the user's EIP, by its id, instead of one of our own.
    pub eip: Option<String>,
    /// `elb.keep-eip`: an EIP of ours stays when its owner goes.
    pub keep_eip: bool,
    /// `elb.instance-reclaim-policy: retain`: so does a load balancer of ours, with its EIP.
    pub retain: bool,
    /// `elb.pass-through`: clients inside the cluster go through the load balancer.
    pub passes_through: bool,
    /// How pools choose a member.
    pub algorithm: Algorithm,
    /// What members are.
    pub members: MemberSpec,
    /// Who may connect.
    pub access: Access,
    /// What each port that is served is to do.
    pub ports: Vec<PortSpec>,
}

/// What members are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MemberSpec {
    /// What asks for pods, where they are members: a key or a field of the Service.
    pub asked: &'static str,
    /// `hws-hostNetwork`: only pods on the network of their node.
    pub on_host: bool,
    /// `elb.backend.subnet-id`: where addresses are.
    pub subnet: Option<String>,
    /// `elb.custom-backend-weights`: the weight of each pod.
    pub weight: Option<u16>,
}

/// One port: listener, pool and health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortSpec {
    /// Transport protocol of the Service port.
    pub transport: Protocol,
    /// Port on which clients connect.
    pub port: u16,
    /// `elb.port-ranges`: what the listener takes instead of that port, in order; empty: nothing.
    pub ranges: Vec<PortRange>,
    /// What the listener speaks.
    pub protocol: ElbProtocol,
    /// What else the listener is to be; only what the user named.
    pub listener: Settings,
    /// What the pool speaks.
    pub pool_protocol: ElbProtocol,
    /// What else the pool is to be.
    pub pool: Settings,
    /// How members are probed; `None`: not at all.
    pub health: Option<HealthCheck>,
}

impl PortSpec {
    /// The ports that the listener takes.
    pub fn taken(&self) -> Vec<PortRange> {
        if self.ranges.is_empty() { vec![(self.port, self.port)] } else { self.ranges.clone() }
    }
}

/// Fields of an API object, by their paths there (`insert_headers/X-Forwarded-Host`).
pub type Settings = BTreeMap<&'static str, Value>;

/// Protocol of a listener or pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ElbProtocol {
    /// TCP
    Tcp,
    /// UDP
    Udp,
    /// HTTP
    Http,
    /// HTTPS; `TERMINATED_HTTPS` on shared load balancers.
    Https,
    /// TLS, then TCP
    Tls,
    /// HTTP/3; listeners only.
    Quic,
    /// gRPC; pools only.
    Grpc,
}

impl ElbProtocol {
    const ALL: [Self; 7] = [Self::Tcp, Self::Udp, Self::Http, Self::Https, Self::Tls, Self::Quic, Self::Grpc];

    /// In the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::Tls => "TLS",
            Self::Quic => "QUIC",
            Self::Grpc => "GRPC",
        }
    }

    /// From the API, or from an annotation in any case of letters.
    pub fn of(word: &str) -> Option<Self> {
        if word == "TERMINATED_HTTPS" {
            return Some(Self::Https);
        }
        Self::ALL.into_iter().find(|p| p.word().eq_ignore_ascii_case(word))
    }

    /// What carries it: listeners of one transport share one space of ports.
    pub fn transport(self) -> Protocol {
        match self {
            Self::Udp | Self::Quic => Protocol::Udp,
            _ => Protocol::Tcp,
        }
    }

    /// Whether requests are what it carries.
    pub fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https | Self::Quic | Self::Grpc)
    }

    /// Whether a listener of this protocol may have a pool of that one.
    pub fn takes(self, pool: Self) -> bool {
        match self {
            Self::Https => matches!(pool, Self::Http | Self::Https | Self::Grpc),
            Self::Tls => matches!(pool, Self::Tcp | Self::Tls),
            Self::Quic => pool == Self::Http,
            other => pool == other,
        }
    }
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

/// The load balancer to make: `elb.autocreate`, or what the open controller's keys say instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Autocreate {
    /// Kind of load balancer.
    pub class: Class,
    /// `name`; `None`: one that is made from the UID.
    pub name: Option<String>,
    /// For `type: public`, or with `elb.eip-auto-create-option`, the EIP to make.
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
    /// `l4_flavor_name`, `elb.l4-flavor-id`. Dedicated only.
    pub l4_flavor: Option<Flavor>,
    /// `l7_flavor_name`, `elb.l7-flavor-id`. Dedicated only.
    pub l7_flavor: Option<Flavor>,
    /// `elb.enterpriseID`; `0` is the default one.
    pub enterprise_project: Option<String>,
    /// `elb.enable-cross-vpc`: members need not be in the VPC. Dedicated only.
    pub ip_targets: Option<bool>,
    /// `elb.tags`.
    pub tags: Tags,
}

/// Tags by their keys.
pub type Tags = BTreeMap<String, String>;

/// What a load balancer may carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Flavor {
    /// By its name, for instance `L4_flavor.elb.s1.small`.
    Name(String),
    /// By its id.
    Id(String),
}

/// The EIP to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicIp {
    /// `eip_type`, for instance `5_bgp`.
    pub kind: String,
    /// What it may carry.
    pub bandwidth: Bandwidth,
}

/// The bandwidth of an EIP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Bandwidth {
    /// Its own, made and deleted with it.
    Own {
        /// `bandwidth_name`; `None`: one that is made from the UID.
        name: Option<String>,
        /// `bandwidth_size` in Mbit/s.
        size: u32,
        /// `bandwidth_chargemode`: `bandwidth` or `traffic`.
        charge_mode: String,
    },
    /// The user's, by its id: several EIPs share it.
    Shared(String),
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

    /// From the API or the annotation.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.word() == word)
    }

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
    /// Port to probe instead of the member's own.
    pub port: Option<u16>,
}

impl Default for HealthCheck {
    /// CCE's defaults.
    fn default() -> Self {
        Self { delay: 5, timeout: 10, max_retries: 3, probe: None, port: None }
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
