//! What the cloud answers → objects as found. Pure.

mod access;
mod balancer;
mod eip;
mod nat;

use std::net::IpAddr;

use ferrolb_provider::{Id, Owner, Protocol, Seen, State};

use crate::client::elb::{ListenerJson, MemberJson, MonitorJson, PoolJson};
use crate::keys;
use crate::mark;
use crate::resource::{
    Access, ElbResource, HealthMonitor, Listener, Member, MemberHealth, Pool, PoolKey, PortRange, Taken,
};
use crate::settings::found;
use crate::spec::{Algorithm, ElbProtocol, Probe};

pub(crate) use access::{ip_group, know_own_groups};
pub(crate) use balancer::balancer;
pub(crate) use eip::{bound_to, eip, is_at, is_bound, lent, retain};
pub(crate) use nat::{gateway, public_address, rule};

/// The fields of a pool that options set.
const POOL_FIELDS: [&str; 3] = ["session_persistence", "connection_drain", "slow_start"];

type Found = Seen<ElbResource>;

/// A listener. It hangs on its load balancer and on the groups of those who may connect. The place of one with ranges
/// tells its name, which we gave it.
pub(crate) fn listener(json: &ListenerJson, owner: &Owner) -> Found {
    let access = access::access(json);
    let mut parents: Vec<Id> = json.loadbalancers.iter().map(|r| Id(r.id.clone())).collect();
    if let Access::Groups(groups) = &access {
        parents.extend(groups.ids.iter().map(|id| Id(id.clone())));
    }
    let ranges = ranges(json);
    let own = if ranges.is_empty() { port_key(&json.protocol, json.protocol_port) } else { key_in_name(&json.name) };
    let key = own.unwrap_or_else(|| PoolKey::Stray(json.id.clone()));
    Seen {
        id: Id(json.id.clone()),
        resource: ElbResource::Listener(Listener {
            key,
            protocol: ElbProtocol::of(&json.protocol),
            ranges,
            settings: found(&json.settings, keys::listener_fields()),
            access,
        }),
        parents,
        owned: mark::is_of(&json.description, owner),
        created: sortable(&json.created_at),
        state: State::Ready,
    }
}

/// A pool. Its place is that of its listener; where that is not among `listeners` (a list may lag behind), its name
/// tells, which we gave it.
pub(crate) fn pool(json: &PoolJson, owner: &Owner, listeners: &[Found]) -> Found {
    let parents: Vec<Id> = json.listeners.iter().map(|r| Id(r.id.clone())).collect();
    let of_listener = listeners.iter().find_map(|l| match &l.resource {
        ElbResource::Listener(listener) if parents.contains(&l.id) => Some(listener.key.clone()),
        _ => None,
    });
    let key = of_listener.or_else(|| key_in_name(&json.name)).unwrap_or_else(|| PoolKey::Stray(json.id.clone()));
    let pool = Pool {
        key,
        protocol: ElbProtocol::of(&json.protocol),
        algorithm: Algorithm::of(&json.lb_algorithm),
        settings: found(&json.settings, POOL_FIELDS.into_iter()),
    };
    Seen {
        id: Id(json.id.clone()),
        resource: ElbResource::Pool(pool),
        parents,
        owned: mark::is_of(&json.description, owner),
        created: sortable(&json.created_at),
        state: State::Ready,
    }
}

/// A member of one of our pools.
pub(crate) fn member(json: &MemberJson, pool: &Found) -> Option<Found> {
    // A listener's word counts more than the member's own.
    let words: Vec<&str> = if json.status.is_empty() {
        vec![json.operating_status.as_str()]
    } else {
        let said = json.status.iter();
        said.map(|s| s.operating_status.as_str()).collect()
    };
    let health = if words.contains(&"OFFLINE") {
        MemberHealth::Down
    } else if words.iter().all(|w| matches!(*w, "ONLINE" | "NO_MONITOR")) {
        MemberHealth::Up
    } else {
        MemberHealth::Unknown
    };
    let resource = ElbResource::Member(Member {
        pool: pool_key(pool)?,
        name: json.name.clone(),
        address: address(&json.address)?,
        port: u16::try_from(json.protocol_port).ok()?,
        subnet: json.subnet_cidr_id.clone(),
        weight: json.weight.unwrap_or(1),
        health: Some(health),
    });
    Some(below(pool, &json.id, resource, ""))
}

/// The health monitor of one of our pools.
pub(crate) fn monitor(json: &MonitorJson, pool: &Found) -> Option<Found> {
    let probe = match json.kind.as_str() {
        "TCP" => Some(Probe::Tcp),
        "UDP_CONNECT" => Some(Probe::Udp),
        "HTTP" => Some(Probe::Http {
            path: text(&json.url_path).unwrap_or_else(|| "/".into()),
            expected_codes: text(&json.expected_codes).filter(|c| c != "200"),
        }),
        _ => None,
    };
    let resource = ElbResource::HealthMonitor(HealthMonitor {
        pool: pool_key(pool)?,
        probe,
        delay: json.delay,
        timeout: json.timeout,
        max_retries: json.max_retries,
        port: json.monitor_port.filter(|p| *p > 0),
    });
    Some(below(pool, &json.id, resource, &json.created_at))
}

/// What hangs on a pool belongs to whom the pool belongs to.
fn below(pool: &Found, id: &str, resource: ElbResource, created: &str) -> Found {
    Seen {
        id: Id(id.to_owned()),
        resource,
        parents: vec![pool.id.clone()],
        owned: pool.owned,
        created: sortable(created),
        state: State::Ready,
    }
}

fn pool_key(pool: &Found) -> Option<PoolKey> {
    match &pool.resource {
        ElbResource::Pool(pool) => Some(pool.key.clone()),
        _ => None,
    }
}

/// What a listener of any protocol takes from others.
pub(crate) fn taken(json: &ListenerJson) -> Option<Taken> {
    let protocol = if matches!(json.protocol.as_str(), "UDP" | "QUIC") { Protocol::Udp } else { Protocol::Tcp };
    let mut ranges = ranges(json);
    if ranges.is_empty() {
        let port = u16::try_from(json.protocol_port).ok().filter(|p| *p > 0)?;
        ranges.push((port, port));
    }
    Some(Taken { protocol, ranges })
}

fn ranges(json: &ListenerJson) -> Vec<PortRange> {
    let mut ranges: Vec<_> = json.port_ranges.iter().map(|r| (r.start_port, r.end_port)).collect();
    ranges.sort_unstable();
    ranges
}

pub(crate) fn port_key(protocol: &str, port: u32) -> Option<PoolKey> {
    let protocol = ElbProtocol::of(protocol)?.transport();
    let port = u16::try_from(port).ok().filter(|p| *p > 0)?;
    Some(PoolKey::Port(protocol, port))
}

/// The name that we give to a listener or pool: for people, and a hint for [`pool`].
pub(crate) fn name_of(owner: &Owner, key: &PoolKey) -> String {
    let place = key.to_string().replace(':', "_");
    format!("{}_{}_{place}", owner.namespace, owner.name)
}

fn key_in_name(name: &str) -> Option<PoolKey> {
    let (rest, port) = name.rsplit_once('_')?;
    let (_, protocol) = rest.rsplit_once('_')?;
    port_key(protocol, port.parse().ok()?)
}

/// The empty text says as little as none.
fn text(text: &Option<String>) -> Option<String> {
    text.clone().filter(|t| !t.is_empty())
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

/// One form for the three ways in which times are written: `2021-07-26T02:46:31Z`, without `Z`, with a space.
fn sortable(time: &str) -> String {
    time.trim_end_matches('Z').replace(' ', "T")
}

#[cfg(test)]
mod tests;
