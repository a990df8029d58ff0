//! Members of pools, one at a time and in batches.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::loadbalancer::set;
use super::{Cloud, Pool, Refusal, quota};

pub const KIND: &str = "Member";

/// A member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub id: String,
    pub pool_id: String,
    pub name: String,
    pub address: IpAddr,
    /// 0 in a pool that uses the listener's port.
    pub protocol_port: u16,
    pub subnet_cidr_id: Option<String>,
    pub weight: u32,
}

/// A member as wished.
#[derive(Debug, Clone)]
pub struct NewMember {
    pub name: String,
    pub address: IpAddr,
    pub protocol_port: Option<u16>,
    pub subnet_cidr_id: Option<String>,
    pub weight: u32,
}

/// Changes; `None` leaves a field alone.
#[derive(Debug, Clone, Default)]
pub struct MemberPatch {
    pub name: Option<String>,
    pub weight: Option<u32>,
    pub protocol_port: Option<u16>,
}

/// How a batch deletion names a member.
#[derive(Debug, Clone)]
pub enum MemberKey {
    Id(String),
    Address(IpAddr, u16),
}

/// One line of a batch deletion's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Deleted {
    pub id: String,
    pub found: bool,
}

impl Cloud {
    pub fn create_member(&mut self, now: Timestamp, pool_id: &str, new: NewMember) -> Result<String, Refusal> {
        let pool = self.pool(pool_id)?;
        let port = self.check_member(pool, &new)?;
        if find(pool, new.address, port).is_some() {
            return Err(Refusal::Conflict(format!(
                "{KIND} with address {} and protocol_port {port} already exists in pool {pool_id}",
                new.address
            )));
        }
        self.check_member_quota(pool, 1)?;
        Ok(self.insert_member(now, pool_id, port, new))
    }

    /// Adds many; true beside those that were there already. All or none.
    pub fn add_members(
        &mut self,
        now: Timestamp,
        pool_id: &str,
        new: Vec<NewMember>,
    ) -> Result<Vec<(String, bool)>, Refusal> {
        let pool = self.pool(pool_id)?;
        let ports = new.iter().map(|member| self.check_member(pool, member)).collect::<Result<Vec<_>, _>>()?;
        let more = new.iter().zip(&ports).filter(|(member, port)| find(pool, member.address, **port).is_none()).count();
        self.check_member_quota(pool, more)?;
        let mut added = Vec::new();
        for (member, port) in new.into_iter().zip(ports) {
            let existing = find(self.pool(pool_id)?, member.address, port);
            added.push(match existing {
                Some(id) => (id, true),
                None => (self.insert_member(now, pool_id, port, member), false),
            });
        }
        Ok(added)
    }

    /// Changes many. All or none.
    pub fn update_members(
        &mut self,
        now: Timestamp,
        pool_id: &str,
        patches: Vec<(String, MemberPatch)>,
    ) -> Result<(), Refusal> {
        let pool = self.pool(pool_id)?;
        for (id, patch) in &patches {
            let member = pool.members.get(id).ok_or_else(|| Refusal::not_found(KIND, id))?;
            let clash =
                patch.protocol_port.and_then(|port| find(pool, member.address, port)).is_some_and(|other| other != *id);
            if clash {
                return Err(Refusal::Conflict(format!(
                    "{KIND} with address {} and that protocol_port already exists",
                    member.address
                )));
            }
        }
        let Some(pool) = self.pools.get_mut(pool_id) else { return Ok(()) };
        let mut changed = false;
        for (id, patch) in patches {
            changed |= pool.members.update(&id, now, |m| {
                set(&mut m.name, patch.name);
                set(&mut m.weight, patch.weight);
                set(&mut m.protocol_port, patch.protocol_port);
            });
        }
        self.touch_if(changed);
        Ok(())
    }

    pub fn delete_member(&mut self, now: Timestamp, pool_id: &str, id: &str) -> Result<(), Refusal> {
        self.member(pool_id, id)?;
        self.check_removable(pool_id)?;
        self.drop_member(now, pool_id, id);
        Ok(())
    }

    /// Deletes many; unknown ones are reported, not refused.
    pub fn delete_members(
        &mut self,
        now: Timestamp,
        pool_id: &str,
        keys: Vec<MemberKey>,
    ) -> Result<Vec<Deleted>, Refusal> {
        self.pool(pool_id)?;
        self.check_removable(pool_id)?;
        let mut deleted = Vec::new();
        for key in keys {
            let pool = self.pool(pool_id)?;
            let (id, found) = match key {
                MemberKey::Id(id) => (id.clone(), pool.members.contains(&id)),
                MemberKey::Address(address, port) => {
                    find(pool, address, port).map_or((String::new(), false), |id| (id, true))
                }
            };
            if found {
                self.drop_member(now, pool_id, &id);
            }
            deleted.push(Deleted { id, found });
        }
        Ok(deleted)
    }

    pub fn member(&self, pool_id: &str, id: &str) -> Result<&Member, Refusal> {
        self.pool(pool_id)?.members.get(id).ok_or_else(|| Refusal::not_found(KIND, id))
    }

    fn insert_member(&mut self, now: Timestamp, pool_id: &str, protocol_port: u16, new: NewMember) -> String {
        let id = self.new_id();
        let NewMember { name, address, subnet_cidr_id, weight, .. } = new;
        let member = Member {
            id: id.clone(),
            pool_id: pool_id.to_owned(),
            name,
            address,
            protocol_port,
            subnet_cidr_id,
            weight,
        };
        let vpc = self.setup.vpc.id.clone();
        if let Some(pool) = self.pools.get_mut(pool_id) {
            if pool.vpc_id.is_empty() && member.subnet_cidr_id.is_some() {
                pool.vpc_id = vpc;
            }
            pool.members.insert(id.clone(), now, member);
        }
        self.touch();
        id
    }

    fn drop_member(&mut self, now: Timestamp, pool_id: &str, id: &str) {
        if let Some(pool) = self.pools.get_mut(pool_id) {
            pool.members.remove(id, now);
        }
        self.health.remove(id);
        self.touch();
    }

    /// Checks address, subnet and port; gives the port to store.
    fn check_member(&self, pool: &Pool, new: &NewMember) -> Result<u16, Refusal> {
        if new.address.is_unspecified() || new.address.is_multicast() {
            return Err(Refusal::invalid("address", format!("{} is not a unicast address", new.address)));
        }
        match &new.subnet_cidr_id {
            Some(id) => {
                let subnet = self.subnet_by_neutron_id(id)?;
                if !subnet.cidr.contains(&new.address) {
                    return Err(Refusal::invalid(
                        "address",
                        format!("{} is not in subnet {}", new.address, subnet.cidr),
                    ));
                }
            }
            None => {
                let lb = pool.loadbalancer_id.as_ref().and_then(|id| self.loadbalancers.get(id));
                if let Some(lb) = lb.filter(|lb| !lb.ip_target_enable) {
                    return Err(Refusal::IpTarget(lb.id.clone()));
                }
            }
        }
        match new.protocol_port {
            _ if pool.any_port_enable => Ok(0),
            Some(port) => Ok(port),
            None => Err(Refusal::Missing("protocol_port")),
        }
    }

    fn check_member_quota(&self, pool: &Pool, more: usize) -> Result<(), Refusal> {
        if more == 0 {
            return Ok(());
        }
        quota::check("members_per_pool", self.quotas.members_per_pool, pool.members.len(), more)?;
        let all = self.pools.iter().map(|(_, pool)| pool.members.len()).sum();
        quota::check("member", self.quotas.member, all, more)
    }

    fn check_removable(&self, pool_id: &str) -> Result<(), Refusal> {
        if self.pool(pool_id)?.member_deletion_protection_enable {
            return Err(Refusal::Conflict(format!("pool {pool_id} protects its members from deletion")));
        }
        Ok(())
    }
}

fn find(pool: &Pool, address: IpAddr, port: u16) -> Option<String> {
    pool.members.iter().find(|(_, m)| m.address == address && m.protocol_port == port).map(|(id, _)| id.clone())
}
