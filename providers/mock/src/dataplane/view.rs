//! What the data plane shall do, computed from the cloud. Pure.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::access::Access;
use super::service::Service;
use crate::state::{self, Algorithm, Cloud, Codes, Listener, Monitor, MonitorType, Protocol};

/// Ports of one listener that are really listened on: a range may have as many as a process may not open.
const MAX_PORTS: usize = 1000;

/// All fronts and probes.
#[derive(Debug, Default, PartialEq)]
pub struct View {
    pub fronts: BTreeMap<Front, Arc<Target>>,
    /// By member id.
    pub probes: BTreeMap<String, Probe>,
}

/// One socket clients talk to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Front {
    pub transport: Transport,
    pub address: SocketAddr,
    pub listener_id: String,
}

/// What a front speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Transport {
    Tcp,
    Udp,
}

/// What a front does with those who come.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Whose new connections are taken at all.
    pub access: Access,
    /// How long a silent connection or UDP session lives.
    pub idle: Duration,
    pub service: Service,
    /// Where they go; none: nowhere.
    pub pool: Option<Pool>,
}

/// A pool, with only those members that may get anything new.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    pub id: String,
    pub algorithm: Algorithm,
    pub sticky: Option<Sticky>,
    /// How long connections to a member last that left; none: as long as they like.
    pub drain: Option<Duration>,
    /// How long a new member takes to get its full share.
    pub slow_start: Option<Duration>,
    /// Whether its members speak TLS.
    pub tls: bool,
    /// How many members it has, those that may get nothing included.
    pub declared: usize,
    pub members: Vec<Backend>,
}

/// By what a client sticks to a member, and for how long after it was last there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sticky {
    Source(Duration),
    /// A cookie that the load balancer sets.
    Own(Duration),
    /// A cookie of this name that the application sets.
    Application(String, Duration),
}

/// A member that may get connections.
#[derive(Debug, Clone, PartialEq)]
pub struct Backend {
    pub id: Arc<str>,
    pub address: SocketAddr,
    pub weight: u32,
}

/// How one member is probed.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    pub address: SocketAddr,
    pub kind: MonitorType,
    pub delay: Duration,
    pub timeout: Duration,
    pub up_after: u32,
    pub down_after: u32,
    pub http_method: String,
    pub url_path: String,
    pub host: String,
    pub codes: Codes,
}

impl View {
    pub fn of(cloud: &Cloud) -> Self {
        let addresses = addresses(cloud);
        let mut view = Self::default();
        for (_, listener) in cloud.listeners.iter() {
            let reached = addresses.get(listener.loadbalancer_id.as_str());
            let Some(service) = Service::of(cloud, listener, reached.and_then(|reached| reached.eip)) else { continue };
            let transport = if listener.protocol.is_datagram() { Transport::Udp } else { Transport::Tcp };
            for port in listener.ports().iter().flat_map(|r| r.start_port..=r.end_port).take(MAX_PORTS) {
                let target = Arc::new(target(cloud, listener, service.clone(), port));
                for address in reached.into_iter().flat_map(|reached| &reached.all) {
                    let address = SocketAddr::new(*address, port);
                    let front = Front { transport, address, listener_id: listener.id.clone() };
                    view.fronts.insert(front, target.clone());
                }
            }
        }
        for (_, pool) in cloud.pools.iter() {
            let monitor = pool.healthmonitor_id.as_ref().and_then(|id| cloud.monitors.get(id));
            let Some(monitor) = monitor.filter(|monitor| monitor.admin_state_up && pool.loadbalancer_id.is_some())
            else {
                continue;
            };
            for (id, member) in pool.members.iter() {
                let port = monitor.monitor_port.unwrap_or(member.protocol_port);
                view.probes.insert(id.clone(), probe(monitor, SocketAddr::new(member.address, port)));
            }
        }
        view
    }
}

/// Where a load balancer is reached.
#[derive(Default)]
struct Reached {
    all: Vec<IpAddr>,
    eip: Option<IpAddr>,
}

/// VIP and EIPs of each load balancer.
fn addresses(cloud: &Cloud) -> BTreeMap<&str, Reached> {
    let mut addresses: BTreeMap<&str, Reached> = BTreeMap::new();
    for (id, lb) in cloud.loadbalancers.iter() {
        addresses.entry(id).or_default().all.extend(lb.vip_address);
    }
    for (_, eip) in cloud.eips.iter() {
        if let Some(bound) = &eip.bound {
            let reached = addresses.entry(bound.instance()).or_default();
            reached.all.push(eip.address);
            reached.eip = Some(eip.address);
        }
    }
    addresses
}

fn target(cloud: &Cloud, listener: &Listener, service: Service, port: u16) -> Target {
    let pool = listener.default_pool_id.as_ref().and_then(|id| cloud.pools.get(id));
    Target {
        access: Access::of(cloud, listener),
        idle: seconds(listener.keepalive_timeout),
        service,
        pool: pool.map(|pool| shown(cloud, pool, port)),
    }
}

fn shown(cloud: &Cloud, pool: &state::Pool, listener_port: u16) -> Pool {
    let eligible = pool.members.iter().filter(|(_, member)| cloud.is_eligible(pool, member));
    let backend = |(id, member): (&String, &state::Member)| {
        let port = if pool.any_port_enable { listener_port } else { member.protocol_port };
        Backend { id: id.as_str().into(), address: SocketAddr::new(member.address, port), weight: member.weight }
    };
    Pool {
        id: pool.id.clone(),
        algorithm: pool.lb_algorithm,
        sticky: pool.session_persistence.as_ref().map(|persistence| sticky(pool.protocol, persistence)),
        // Content is not drained: the vendor does it for TCP, UDP and QUIC only.
        drain: period(pool, "connection_drain", "timeout").filter(|_| !pool.protocol.is_http()),
        slow_start: period(pool, "slow_start", "duration"),
        tls: matches!(pool.protocol, Protocol::Https | Protocol::Tls),
        declared: pool.members.len(),
        members: eligible.map(backend).collect(),
    }
}

/// Cookies exist in HTTP only: elsewhere it is always the source address.
fn sticky(protocol: Protocol, persistence: &state::Persistence) -> Sticky {
    let lasting = seconds(60 * persistence.persistence_timeout);
    match (persistence.kind.as_str(), &persistence.cookie_name) {
        ("HTTP_COOKIE", _) if protocol.is_http() => Sticky::Own(lasting),
        ("APP_COOKIE", Some(name)) if protocol.is_http() => Sticky::Application(name.clone(), lasting),
        _ => Sticky::Source(lasting),
    }
}

/// A period that a pool has if it is enabled.
fn period(pool: &state::Pool, field: &str, length: &str) -> Option<Duration> {
    let option = pool.extra.get(field).filter(|option| option["enable"] == true)?;
    option[length].as_u64().map(Duration::from_secs)
}

fn seconds(number: u32) -> Duration {
    Duration::from_secs(number.into())
}

fn probe(monitor: &Monitor, address: SocketAddr) -> Probe {
    Probe {
        address,
        kind: monitor.kind,
        delay: seconds(monitor.delay),
        timeout: seconds(monitor.timeout),
        up_after: monitor.max_retries,
        down_after: monitor.max_retries_down,
        http_method: monitor.http_method.clone(),
        url_path: monitor.url_path.clone(),
        host: monitor.domain_name.clone().unwrap_or_else(|| address.to_string()),
        codes: monitor.expected_codes.clone(),
    }
}
