//! Pools of members.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::listener::check_protocols;
use super::loadbalancer::set;
use super::{Cloud, Member, Protocol, Refusal, Store, quota};

pub const KIND: &str = "Pool";

/// A pool with its members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    pub id: String,
    pub name: String,
    pub description: String,
    pub protocol: Protocol,
    pub lb_algorithm: Algorithm,
    pub loadbalancer_id: Option<String>,
    pub healthmonitor_id: Option<String>,
    pub vpc_id: String,
    pub kind: String,
    pub session_persistence: Option<Persistence>,
    pub any_port_enable: bool,
    pub member_deletion_protection_enable: bool,
    /// Further fields, checked and shown; what they do is the data plane's.
    pub extra: Map<String, Value>,
    pub members: Store<Member>,
}

/// How a pool spreads new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Algorithm {
    RoundRobin,
    LeastConnections,
    SourceIp,
    QuicCid,
}

/// Session persistence; `persistence_timeout` in minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persistence {
    #[serde(rename = "type")]
    pub kind: String,
    pub cookie_name: Option<String>,
    pub persistence_timeout: u32,
}

/// A pool as wished.
#[derive(Debug, Clone)]
pub struct NewPool {
    pub name: String,
    pub description: String,
    pub protocol: Protocol,
    pub lb_algorithm: Algorithm,
    pub listener_id: Option<String>,
    pub loadbalancer_id: Option<String>,
    pub vpc_id: String,
    pub kind: String,
    pub session_persistence: Option<Persistence>,
    pub any_port_enable: bool,
    pub member_deletion_protection_enable: bool,
    pub extra: Map<String, Value>,
}

/// Changes; `None` leaves a field alone.
#[derive(Debug, Clone, Default)]
pub struct PoolPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub lb_algorithm: Option<Algorithm>,
    pub session_persistence: Option<Option<Persistence>>,
    pub any_port_enable: Option<bool>,
    pub member_deletion_protection_enable: Option<bool>,
    pub extra: Map<String, Value>,
}

impl Cloud {
    pub fn create_pool(&mut self, now: Timestamp, new: NewPool) -> Result<String, Refusal> {
        let mut loadbalancer_id = new.loadbalancer_id;
        if let Some(id) = &loadbalancer_id {
            self.active_loadbalancer(now, id)?;
        }
        if let Some(listener_id) = &new.listener_id {
            let listener = self.listener(listener_id)?;
            if let Some(other) = &listener.default_pool_id {
                return Err(Refusal::Conflict(format!("Listener {listener_id} already has default pool {other}")));
            }
            check_protocols(listener.protocol, new.protocol)?;
            if loadbalancer_id.as_ref().is_some_and(|id| *id != listener.loadbalancer_id) {
                return Err(Refusal::Mismatch(format!("Listener {listener_id} belongs to another load balancer")));
            }
            loadbalancer_id = Some(listener.loadbalancer_id.clone());
        }
        if loadbalancer_id.is_none() && new.kind.is_empty() {
            return Err(Refusal::Missing("listener_id"));
        }
        if new.lb_algorithm == Algorithm::QuicCid && new.protocol != Protocol::Quic {
            return Err(Refusal::invalid("lb_algorithm", "QUIC_CID is for QUIC pools"));
        }
        quota::check("pool", self.quotas.pool, self.pools.len(), 1)?;
        let id = self.new_id();
        let pool = Pool {
            id: id.clone(),
            name: new.name,
            description: new.description,
            protocol: new.protocol,
            lb_algorithm: new.lb_algorithm,
            loadbalancer_id,
            healthmonitor_id: None,
            vpc_id: new.vpc_id,
            kind: new.kind,
            session_persistence: new.session_persistence,
            any_port_enable: new.any_port_enable,
            member_deletion_protection_enable: new.member_deletion_protection_enable,
            extra: new.extra,
            members: Store::default(),
        };
        self.pools.insert(id.clone(), now, pool);
        if let Some(listener) = new.listener_id {
            let pool = Some(id.clone());
            self.listeners.update(&listener, now, |listener| listener.default_pool_id = pool);
        }
        self.touch();
        Ok(id)
    }

    pub fn update_pool(&mut self, now: Timestamp, id: &str, patch: PoolPatch) -> Result<(), Refusal> {
        self.pool(id)?;
        let changed = self.pools.update(id, now, |p| {
            set(&mut p.name, patch.name);
            set(&mut p.description, patch.description);
            set(&mut p.lb_algorithm, patch.lb_algorithm);
            set(&mut p.session_persistence, patch.session_persistence);
            set(&mut p.any_port_enable, patch.any_port_enable);
            set(&mut p.member_deletion_protection_enable, patch.member_deletion_protection_enable);
            p.extra.extend(patch.extra);
        });
        self.touch_if(changed);
        Ok(())
    }

    /// Refuses while there are members or a monitor.
    pub fn delete_pool(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        let pool = self.pool(id)?;
        if pool.members.len() > 0 {
            return Err(Refusal::Conflict(format!("{KIND} {id} is in use by {} members", pool.members.len())));
        }
        if let Some(monitor) = &pool.healthmonitor_id {
            return Err(Refusal::Conflict(format!("{KIND} {id} is in use by health monitor {monitor}")));
        }
        if let Some(policy) = self.l7policies_to(id).first() {
            return Err(Refusal::Conflict(format!("{KIND} {id} is in use by forwarding policy {policy}")));
        }
        self.drop_pool(now, id);
        Ok(())
    }

    /// Deletes a pool with members and monitor.
    pub fn cascade_pool(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        if self.pool(id)?.member_deletion_protection_enable {
            return Err(Refusal::Conflict(format!("{KIND} {id} protects its members from deletion")));
        }
        self.drop_pool(now, id);
        Ok(())
    }

    pub fn pool(&self, id: &str) -> Result<&Pool, Refusal> {
        self.pools.get(id).ok_or_else(|| Refusal::not_found(KIND, id))
    }

    pub fn listeners_using(&self, pool: &str) -> Vec<String> {
        self.listeners
            .iter()
            .filter(|(_, l)| l.default_pool_id.as_deref() == Some(pool))
            .map(|(id, _)| id.clone())
            .collect()
    }

    pub(super) fn drop_pool(&mut self, now: Timestamp, id: &str) {
        for listener in self.listeners_using(id) {
            self.listeners.update(&listener, now, |listener| listener.default_pool_id = None);
        }
        for policy in self.l7policies_to(id) {
            self.drop_l7policy(now, &policy);
        }
        if let Some(pool) = self.pools.remove(id, now) {
            if let Some(monitor) = pool.healthmonitor_id {
                self.monitors.remove(&monitor, now);
            }
            for (member, _) in pool.members.iter() {
                self.health.remove(member);
            }
            self.touch();
        }
    }
}
