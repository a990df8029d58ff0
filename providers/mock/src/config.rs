//! How to start a mock cloud, and the well-known values a client of it is configured with.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use jiff::{SignedDuration, Timestamp};

use crate::state::{Setup, Subnet, Vpc};

/// Access key of the default configuration.
pub const ACCESS_KEY: &str = "ferrolb-mock";
/// Secret key of the default configuration.
pub const SECRET_KEY: &str = "ferrolb-mock-secret";
/// Project id of the default configuration.
pub const PROJECT_ID: &str = "fe220000000000000000000000000001";
/// Region of the default configuration.
pub const REGION: &str = "mock-1";
/// The account's domain id.
pub const DOMAIN_ID: &str = "fe22000000000000000000000000000d";
/// The account's domain name.
pub const DOMAIN_NAME: &str = "ferrolb";
/// The one VPC.
pub const VPC_ID: &str = "fe220000-0000-4000-8000-000000000001";
/// Network id (`elb_virsubnet_ids`) of the subnet VIPs come from.
pub const VIP_SUBNET_ID: &str = "fe220000-0000-4000-8000-000000000010";
/// Neutron subnet id (`vip_subnet_cidr_id`, `subnet_cidr_id`) of the subnet VIPs come from.
pub const VIP_SUBNET_NEUTRON_ID: &str = "fe220000-0000-4000-8000-000000000011";
/// Network id of the subnet nodes live in.
pub const NODE_SUBNET_ID: &str = "fe220000-0000-4000-8000-000000000020";
/// Neutron subnet id of the subnet nodes live in.
pub const NODE_SUBNET_NEUTRON_ID: &str = "fe220000-0000-4000-8000-000000000021";
/// The NAT gateway that is there from the start, in the VPC and the nodes' subnet.
pub const NAT_GATEWAY_ID: &str = "fe220000-0000-4000-8000-000000000030";

/// How to start a mock cloud.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the API listens; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Access key that signatures must name.
    pub access_key: String,
    /// Secret key that signatures must be made with.
    pub secret_key: String,
    /// Project id in the paths, 32 hex digits.
    pub project_id: String,
    /// Region name, which is also the project's name.
    pub region: String,
    /// Same seed, same calls: same ids.
    pub seed: u64,
    /// Where public addresses come from, lowest free first.
    pub eip_range: IpNet,
    /// Subnet of the VIPs; its first host is the gateway.
    pub vip_range: IpNet,
    /// Subnet of the nodes: members with `subnet_cidr_id` must lie in it (or in the VIPs' subnet).
    pub node_range: IpNet,
    /// Whether listeners really listen and members are really probed.
    pub dataplane: bool,
    /// Makes the kernel own both ranges, as `ip route replace local RANGE dev lo` does. Needs NET_ADMIN.
    pub announce: bool,
    /// How long a new EIP stays PENDING_CREATE.
    pub eip_create_delay: Duration,
    /// How long NAT gateways and rules stay PENDING_CREATE, PENDING_UPDATE and PENDING_DELETE.
    pub nat_delay: Duration,
    /// Upper bound of a health monitor's delay and timeout, to speed tests up.
    pub max_probe_interval: Option<Duration>,
    /// Upper bound of the idle time of UDP sessions, to speed tests up.
    pub max_udp_idle: Option<Duration>,
    /// Keeps the objects over restarts.
    pub state_file: Option<PathBuf>,
    /// Where the time comes from.
    pub clock: Clock,
}

/// Tells the time: the system's, or a test's.
#[derive(Clone)]
pub struct Clock(pub Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Default for Config {
    /// The demo cloud: documentation addresses, the constants of this crate, a free port on loopback.
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
            access_key: ACCESS_KEY.into(),
            secret_key: SECRET_KEY.into(),
            project_id: PROJECT_ID.into(),
            region: REGION.into(),
            seed: 1,
            eip_range: net(203, 0, 113, 0, 24),
            vip_range: net(198, 18, 0, 0, 16),
            node_range: net(172, 16, 0, 0, 12),
            dataplane: false,
            announce: false,
            eip_create_delay: Duration::ZERO,
            nat_delay: Duration::ZERO,
            max_probe_interval: None,
            max_udp_idle: None,
            state_file: None,
            clock: Clock::default(),
        }
    }
}

impl Config {
    pub(crate) fn setup(&self) -> Setup {
        let subnet = |id: &str, neutron: &str, name: &str, cidr| Subnet {
            id: id.into(),
            neutron_subnet_id: neutron.into(),
            name: name.into(),
            cidr,
        };
        Setup {
            seed: self.seed,
            project_id: self.project_id.clone(),
            region: self.region.clone(),
            vpc: Vpc { id: VPC_ID.into(), name: "vpc-ferrolb".into(), cidr: net(10, 0, 0, 0, 8) },
            subnets: vec![
                subnet(VIP_SUBNET_ID, VIP_SUBNET_NEUTRON_ID, "subnet-vip", self.vip_range),
                subnet(NODE_SUBNET_ID, NODE_SUBNET_NEUTRON_ID, "subnet-node", self.node_range),
            ],
            eip_range: self.eip_range,
            eip_create_delay: SignedDuration::try_from(self.eip_create_delay).unwrap_or_default(),
            nat_delay: SignedDuration::try_from(self.nat_delay).unwrap_or_default(),
            data_plane: self.dataplane,
        }
    }
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Timestamp::now))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

const fn net(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}
