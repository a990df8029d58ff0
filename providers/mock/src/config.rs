//! How to start a mock cloud, and the well-known values a client of it is configured with.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};

use crate::faults::FaultPlan;
use crate::state::{Account, Quotas, Setup, Subnet, Vpc};

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
/// The account's one user.
pub const USER_ID: &str = "fe22000000000000000000000000000a";
/// The user's name.
pub const USER_NAME: &str = "ferrolb";
/// The user's password, for tokens.
pub const PASSWORD: &str = "ferrolb-mock-password";
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

/// How to start a mock cloud. What a file may say (`--world`) is the world a tenant finds; how the server runs is not
/// in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the API listens; port 0 takes a free one.
    #[serde(skip)]
    pub listen: Vec<SocketAddr>,
    /// Access key that signatures must name.
    pub access_key: String,
    /// Secret key that signatures must be made with.
    pub secret_key: String,
    /// Project id in the paths, 32 hex digits.
    pub project_id: String,
    /// Region name, which is also the project's name.
    pub region: String,
    /// The account's name.
    pub domain_name: String,
    /// Name of the account's one user.
    pub user_name: String,
    /// The user's password, for tokens.
    pub password: String,
    /// How long a token counts.
    #[serde(rename = "token_lifetime_s", deserialize_with = "seconds")]
    pub token_lifetime: Duration,
    /// Codes of the availability zones.
    pub zones: Vec<String>,
    /// The limits of a new cloud.
    pub quotas: Quotas,
    /// What goes wrong from the start.
    pub faults: FaultPlan,
    /// Same seed, same calls: same ids.
    #[serde(skip)]
    pub seed: u64,
    /// Where public addresses come from, lowest free first.
    pub eip_range: IpNet,
    /// Subnet of the VIPs; its first host is the gateway.
    pub vip_range: IpNet,
    /// Subnet of the nodes: members with `subnet_cidr_id` must lie in it (or in the VIPs' subnet).
    pub node_range: IpNet,
    /// Whether listeners really listen and members are really probed.
    #[serde(skip)]
    pub dataplane: bool,
    /// Makes the kernel own both ranges, as `ip route replace local RANGE dev lo` does. Needs NET_ADMIN.
    #[serde(skip)]
    pub announce: bool,
    /// How long a new load balancer stays PENDING_CREATE and takes nothing below it, and a job runs.
    #[serde(rename = "loadbalancer_delay_ms", deserialize_with = "milliseconds")]
    pub loadbalancer_delay: Duration,
    /// How long a new EIP stays PENDING_CREATE.
    #[serde(rename = "eip_create_delay_ms", deserialize_with = "milliseconds")]
    pub eip_create_delay: Duration,
    /// How long NAT gateways and rules stay PENDING_CREATE, PENDING_UPDATE and PENDING_DELETE.
    #[serde(rename = "nat_delay_ms", deserialize_with = "milliseconds")]
    pub nat_delay: Duration,
    /// Upper bound of a health monitor's delay and timeout, to speed tests up.
    #[serde(skip)]
    pub max_probe_interval: Option<Duration>,
    /// Upper bound of the idle time of TCP connections, to speed tests up.
    #[serde(skip)]
    pub max_tcp_idle: Option<Duration>,
    /// Upper bound of the idle time of UDP sessions, to speed tests up.
    #[serde(skip)]
    pub max_udp_idle: Option<Duration>,
    /// Upper bound of a pool's connection drain, to speed tests up.
    #[serde(skip)]
    pub max_drain: Option<Duration>,
    /// Keeps the objects over restarts.
    #[serde(skip)]
    pub state_file: Option<PathBuf>,
    /// Where the time comes from.
    #[serde(skip)]
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
            domain_name: DOMAIN_NAME.into(),
            user_name: USER_NAME.into(),
            password: PASSWORD.into(),
            token_lifetime: Duration::from_secs(24 * 60 * 60),
            zones: ["a", "b", "c"].map(|zone| format!("{REGION}{zone}")).to_vec(),
            quotas: Quotas::default(),
            faults: FaultPlan::default(),
            seed: 1,
            eip_range: net(203, 0, 113, 0, 24),
            vip_range: net(198, 18, 0, 0, 16),
            // Whatever addresses the nodes have, they are in the cloud.
            node_range: net(0, 0, 0, 0, 0),
            dataplane: false,
            announce: false,
            loadbalancer_delay: Duration::ZERO,
            eip_create_delay: Duration::ZERO,
            nat_delay: Duration::ZERO,
            max_probe_interval: None,
            max_tcp_idle: None,
            max_udp_idle: None,
            max_drain: None,
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
            account: Account {
                domain_id: DOMAIN_ID.into(),
                domain_name: self.domain_name.clone(),
                user_id: USER_ID.into(),
                user_name: self.user_name.clone(),
                password: self.password.clone(),
                token_lifetime: SignedDuration::try_from(self.token_lifetime).unwrap_or(SignedDuration::MAX),
            },
            zones: self.zones.clone(),
            quotas: self.quotas.clone(),
            vpc: Vpc { id: VPC_ID.into(), name: "vpc-ferrolb".into(), cidr: net(10, 0, 0, 0, 8) },
            subnets: vec![
                subnet(VIP_SUBNET_ID, VIP_SUBNET_NEUTRON_ID, "subnet-vip", self.vip_range),
                subnet(NODE_SUBNET_ID, NODE_SUBNET_NEUTRON_ID, "subnet-node", self.node_range),
            ],
            eip_range: self.eip_range,
            loadbalancer_delay: SignedDuration::try_from(self.loadbalancer_delay).unwrap_or_default(),
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

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

const fn net(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}
