//! Listeners.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::loadbalancer::set;
use super::{AccessControl, Cloud, Protocol, Refusal, Tag, listener_fields, quota};

pub const KIND: &str = "Listener";

/// A listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    pub id: String,
    pub loadbalancer_id: String,
    pub name: String,
    pub description: String,
    pub protocol: Protocol,
    /// 0 where it has ranges.
    pub protocol_port: u16,
    #[serde(default)]
    pub port_ranges: Vec<PortRange>,
    pub default_pool_id: Option<String>,
    pub keepalive_timeout: u32,
    pub tags: Vec<Tag>,
    /// Who may connect; `None`: everybody.
    #[serde(default)]
    pub access: Option<AccessControl>,
    /// Further fields, checked and shown; what they do is the data plane's.
    pub extra: Map<String, Value>,
}

/// Ports that one listener takes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortRange {
    pub start_port: u16,
    pub end_port: u16,
}

/// A listener as wished.
#[derive(Debug, Clone)]
pub struct NewListener {
    pub loadbalancer_id: String,
    pub name: String,
    pub description: String,
    pub protocol: Protocol,
    pub protocol_port: u16,
    pub port_ranges: Vec<PortRange>,
    pub default_pool_id: Option<String>,
    pub keepalive_timeout: Option<u32>,
    pub tags: Vec<Tag>,
    pub access: Option<AccessControl>,
    pub extra: Map<String, Value>,
}

/// Changes; `None` leaves a field alone.
#[derive(Debug, Clone, Default)]
pub struct ListenerPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub default_pool_id: Option<Option<String>>,
    pub keepalive_timeout: Option<u32>,
    pub access: Option<Option<AccessControl>>,
    pub extra: Map<String, Value>,
}

impl Listener {
    /// Its ports, each range with its ends.
    pub fn ports(&self) -> Vec<PortRange> {
        ports(self.protocol_port, &self.port_ranges)
    }

    /// Whether it names this certificate or security policy.
    pub fn refers_to(&self, id: &str) -> bool {
        let names = |value: &Value| value.as_str() == Some(id);
        ["default_tls_container_ref", "client_ca_tls_container_ref", "security_policy_id"]
            .iter()
            .any(|key| self.extra.get(*key).is_some_and(names))
            || self.extra.get("sni_container_refs").and_then(Value::as_array).is_some_and(|all| all.iter().any(names))
    }
}

impl Cloud {
    pub fn create_listener(&mut self, now: Timestamp, new: NewListener) -> Result<String, Refusal> {
        let lb = self.loadbalancer(&new.loadbalancer_id)?;
        // Shared load balancers turn HTTPS into TERMINATED_HTTPS, dedicated ones the reverse.
        let protocol = match (new.protocol, lb.guaranteed) {
            (Protocol::Https, false) => Protocol::TerminatedHttps,
            (Protocol::TerminatedHttps, true) => Protocol::Https,
            (protocol, _) => protocol,
        };
        check_ranges(protocol, lb.guaranteed, new.protocol_port, &new.port_ranges)?;
        let siblings = self.listeners_of(&new.loadbalancer_id);
        let wanted = ports(new.protocol_port, &new.port_ranges);
        let taken = siblings
            .iter()
            .filter_map(|id| self.listeners.get(id))
            .filter(|l| l.protocol.is_datagram() == protocol.is_datagram())
            .flat_map(Listener::ports)
            .find_map(|theirs| {
                wanted.iter().find(|ours| meet(ours, &theirs)).map(|ours| ours.start_port.max(theirs.start_port))
            });
        if let Some(port) = taken {
            return Err(Refusal::PortTaken { loadbalancer: new.loadbalancer_id, port });
        }
        quota::check("listener", self.quotas.listener, self.listeners.len(), 1)?;
        quota::check("listeners_per_loadbalancer", self.quotas.listeners_per_loadbalancer, siblings.len(), 1)?;
        let guaranteed = self.active_loadbalancer(now, &new.loadbalancer_id)?.guaranteed;
        check_keepalive(protocol, guaranteed, new.keepalive_timeout)?;
        listener_fields::check(protocol, guaranteed, &new.extra)?;
        check_classes(protocol, guaranteed)?;
        if protocol.needs_certificate() && !new.extra.contains_key("default_tls_container_ref") {
            return Err(Refusal::Missing("default_tls_container_ref"));
        }
        if let Some(pool) = &new.default_pool_id {
            self.check_default_pool(pool, protocol, &new.loadbalancer_id)?;
        }
        if let Some(control) = &new.access {
            self.check_access(control, &[], guaranteed)?;
        }
        let id = self.new_id();
        let listener = Listener {
            id: id.clone(),
            loadbalancer_id: new.loadbalancer_id.clone(),
            name: new.name,
            description: new.description,
            protocol,
            protocol_port: new.protocol_port,
            port_ranges: new.port_ranges,
            default_pool_id: new.default_pool_id.clone(),
            keepalive_timeout: new.keepalive_timeout.unwrap_or(if protocol.is_http() { 60 } else { 300 }),
            tags: new.tags,
            access: new.access,
            extra: new.extra,
        };
        self.listeners.insert(id.clone(), now, listener);
        if let Some(pool) = new.default_pool_id {
            self.pools.update(&pool, now, |pool| pool.loadbalancer_id = Some(new.loadbalancer_id));
        }
        self.touch();
        Ok(id)
    }

    pub fn update_listener(&mut self, now: Timestamp, id: &str, patch: ListenerPatch) -> Result<(), Refusal> {
        let listener = self.listener(id)?;
        let loadbalancer = listener.loadbalancer_id.clone();
        let guaranteed = self.loadbalancer(&loadbalancer)?.guaranteed;
        check_keepalive(listener.protocol, guaranteed, patch.keepalive_timeout)?;
        listener_fields::check(listener.protocol, guaranteed, &patch.extra)?;
        if let Some(Some(control)) = &patch.access {
            let before = listener.access.as_ref().map_or_else(Vec::new, |control| control.groups.clone());
            self.check_access(control, &before, guaranteed)?;
        }
        if let Some(Some(pool)) = &patch.default_pool_id {
            self.check_default_pool(pool, listener.protocol, &loadbalancer)?;
            self.pools.update(pool, now, |pool| pool.loadbalancer_id = Some(loadbalancer));
        }
        let changed = self.listeners.update(id, now, |l| {
            set(&mut l.name, patch.name);
            set(&mut l.description, patch.description);
            set(&mut l.default_pool_id, patch.default_pool_id);
            set(&mut l.keepalive_timeout, patch.keepalive_timeout);
            set(&mut l.access, patch.access);
            l.extra.extend(patch.extra);
        });
        self.touch_if(changed);
        Ok(())
    }

    /// Refuses while the default pool has members, unless forced.
    pub fn delete_listener(&mut self, now: Timestamp, id: &str, force: bool) -> Result<(), Refusal> {
        let pool = self.listener(id)?.default_pool_id.clone();
        let members = pool.as_ref().and_then(|pool| self.pools.get(pool)).map_or(0, |pool| pool.members.len());
        if members > 0 && !force {
            return Err(Refusal::Conflict(format!("{KIND} {id} is in use: its default pool has {members} members")));
        }
        let policies = self.l7policies_of(id);
        if let Some(policy) = policies.first().filter(|_| !force) {
            return Err(Refusal::Conflict(format!("{KIND} {id} is in use by forwarding policy {policy}")));
        }
        for policy in policies {
            self.drop_l7policy(now, &policy);
        }
        let whitelist = self.whitelist_of(id).map(|list| list.id.clone());
        whitelist.iter().for_each(|list| _ = self.whitelists.remove(list, now));
        self.listeners.remove(id, now);
        self.touch();
        Ok(())
    }

    pub fn listener(&self, id: &str) -> Result<&Listener, Refusal> {
        self.listeners.get(id).ok_or_else(|| Refusal::not_found(KIND, id))
    }

    fn check_default_pool(&self, pool_id: &str, protocol: Protocol, loadbalancer: &str) -> Result<(), Refusal> {
        let pool = self.pool(pool_id)?;
        if pool.loadbalancer_id.as_deref().is_some_and(|other| other != loadbalancer) {
            return Err(Refusal::Conflict(format!("pool {pool_id} belongs to another load balancer")));
        }
        check_protocols(protocol, pool.protocol)
    }
}

pub(super) fn check_protocols(listener: Protocol, pool: Protocol) -> Result<(), Refusal> {
    if listener.accepts(pool) {
        return Ok(());
    }
    Err(Refusal::invalid("protocol", format!("a {} listener cannot use a {} pool", listener.name(), pool.name())))
}

fn ports(port: u16, ranges: &[PortRange]) -> Vec<PortRange> {
    if ranges.is_empty() { vec![PortRange { start_port: port, end_port: port }] } else { ranges.to_vec() }
}

fn meet(a: &PortRange, b: &PortRange) -> bool {
    a.start_port <= b.end_port && b.start_port <= a.end_port
}

fn check_ranges(protocol: Protocol, guaranteed: bool, port: u16, ranges: &[PortRange]) -> Result<(), Refusal> {
    let wrong = |reason: String| Err(Refusal::invalid("port_ranges", reason));
    match (port, ranges) {
        (0, []) => return Err(Refusal::Missing("port_ranges")),
        (_, []) => return Ok(()),
        (0, _) => {}
        (port, _) => return wrong(format!("protocol_port is {port}, and with ranges it must be 0")),
    }
    if !guaranteed || !matches!(protocol, Protocol::Tcp | Protocol::Udp | Protocol::Tls) {
        return Err(Refusal::Unsupported("port_ranges needs a dedicated load balancer and TCP, UDP or TLS".into()));
    }
    if ranges.len() > 10 {
        return wrong(format!("{} ranges, at most 10", ranges.len()));
    }
    if let Some(range) = ranges.iter().find(|r| r.start_port == 0 || r.start_port > r.end_port) {
        return wrong(format!("{}-{} is not a range of ports", range.start_port, range.end_port));
    }
    let overlaps = |(index, range): (usize, &PortRange)| ranges[..index].iter().any(|other| meet(range, other));
    if ranges.iter().enumerate().any(overlaps) {
        return wrong("ranges overlap".into());
    }
    Ok(())
}

fn check_classes(protocol: Protocol, guaranteed: bool) -> Result<(), Refusal> {
    if guaranteed || !matches!(protocol, Protocol::Tls | Protocol::Quic | Protocol::Ip) {
        return Ok(());
    }
    Err(Refusal::Unsupported(format!("a shared load balancer has no {} listeners", protocol.name())))
}

fn check_keepalive(protocol: Protocol, guaranteed: bool, timeout: Option<u32>) -> Result<(), Refusal> {
    if protocol == Protocol::Udp && !guaranteed && timeout.is_some() {
        return Err(Refusal::Unsupported("keepalive_timeout of UDP is not supported by a shared load balancer".into()));
    }
    let low = if protocol.is_http() { 0 } else { 10 };
    match timeout {
        Some(timeout) if !(low..=4000).contains(&timeout) => {
            Err(Refusal::invalid("keepalive_timeout", format!("{timeout} is not in {low}-4000")))
        }
        _ => Ok(()),
    }
}
