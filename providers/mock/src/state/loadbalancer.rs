//! Load balancers, dedicated (`guaranteed`) and shared.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Bound, Cloud, NewEip, Refusal, Tag, quota};

pub const KIND: &str = "Load Balancer";

/// A load balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadBalancer {
    pub id: String,
    pub name: String,
    pub description: String,
    pub guaranteed: bool,
    pub vip_subnet_cidr_id: Option<String>,
    pub vip_address: Option<IpAddr>,
    pub vip_port_id: Option<String>,
    pub elb_virsubnet_ids: Vec<String>,
    pub availability_zone_list: Vec<String>,
    pub l4_flavor_id: Option<String>,
    pub l7_flavor_id: Option<String>,
    pub ip_target_enable: bool,
    pub deletion_protection_enable: bool,
    pub enterprise_project_id: String,
    pub tags: Vec<Tag>,
    /// Until then it is PENDING_CREATE.
    #[serde(default)]
    pub ready: Timestamp,
}

/// A load balancer as wished.
#[derive(Debug, Clone, Default)]
pub struct NewLoadBalancer {
    pub name: String,
    pub description: String,
    pub guaranteed: bool,
    pub vpc_id: Option<String>,
    pub vip_subnet_cidr_id: Option<String>,
    pub vip_address: Option<IpAddr>,
    pub elb_virsubnet_ids: Vec<String>,
    pub availability_zone_list: Vec<String>,
    pub l4_flavor_id: Option<String>,
    pub l7_flavor_id: Option<String>,
    pub ip_target_enable: bool,
    pub deletion_protection_enable: bool,
    pub enterprise_project_id: String,
    pub tags: Vec<Tag>,
    pub eip: Option<EipWish>,
}

/// The EIP a load balancer is created with.
#[derive(Debug, Clone)]
pub enum EipWish {
    Existing(String),
    New(NewEip),
}

/// Changes; `None` leaves a field alone.
#[derive(Debug, Clone, Default)]
pub struct LoadBalancerPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub vip_address: Option<IpAddr>,
    pub elb_virsubnet_ids: Option<Vec<String>>,
    pub l4_flavor_id: Option<String>,
    pub l7_flavor_id: Option<String>,
    pub ip_target_enable: Option<bool>,
    pub deletion_protection_enable: Option<bool>,
}

/// What goes with a load balancer that is deleted with its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cascade {
    /// force-elb: EIPs are only unbound.
    KeepEips,
    /// delete-cascade with `public_ip: true`.
    ReleaseEips,
}

impl LoadBalancer {
    pub fn status(&self, now: Timestamp) -> &'static str {
        if now < self.ready { "PENDING_CREATE" } else { "ACTIVE" }
    }
}

impl Cloud {
    pub fn create_loadbalancer(&mut self, now: Timestamp, new: NewLoadBalancer) -> Result<String, Refusal> {
        quota::check("loadbalancer", self.quotas.loadbalancer, self.loadbalancers.len(), 1)?;
        if let Some(vpc) = new.vpc_id.as_ref().filter(|vpc| **vpc != self.setup.vpc.id) {
            return Err(Refusal::Mismatch(format!("VPC {vpc} could not be found.")));
        }
        for network in &new.elb_virsubnet_ids {
            self.check_network(network)?;
        }
        let vip_address = match (&new.vip_subnet_cidr_id, new.vip_address) {
            (Some(subnet), wished) => Some(self.choose_vip(subnet, wished)?),
            (None, Some(_)) => return Err(Refusal::Missing("vip_subnet_cidr_id")),
            (None, None) if new.vpc_id.is_none() => return Err(Refusal::Missing("vip_subnet_cidr_id")),
            (None, None) => None,
        };
        let eip = match new.eip {
            None => None,
            Some(EipWish::Existing(id)) => Some(self.free_eip(now, &id)?),
            // The address is there when the load balancer is: nobody could poll for it in between.
            Some(EipWish::New(wish)) => Some(self.create_eip_at_once(now, wish)?),
        };
        let id = self.new_id();
        let vip_port_id = vip_address.map(|_| self.new_id());
        let bound = if new.guaranteed { Bound::Elb(id.clone()) } else { Bound::Port(id.clone()) };
        let loadbalancer = LoadBalancer {
            id: id.clone(),
            name: new.name,
            description: new.description,
            guaranteed: new.guaranteed,
            vip_subnet_cidr_id: new.vip_subnet_cidr_id,
            vip_address,
            vip_port_id,
            elb_virsubnet_ids: new.elb_virsubnet_ids,
            availability_zone_list: new.availability_zone_list,
            l4_flavor_id: new.l4_flavor_id,
            l7_flavor_id: new.l7_flavor_id,
            ip_target_enable: new.ip_target_enable,
            deletion_protection_enable: new.deletion_protection_enable,
            enterprise_project_id: new.enterprise_project_id,
            tags: new.tags,
            ready: now + self.setup.loadbalancer_delay,
        };
        self.loadbalancers.insert(id.clone(), now, loadbalancer);
        if let Some(eip) = eip {
            self.eips.update(&eip, now, |eip| eip.bound = Some(bound));
        }
        self.touch();
        Ok(id)
    }

    pub fn update_loadbalancer(&mut self, now: Timestamp, id: &str, patch: LoadBalancerPatch) -> Result<(), Refusal> {
        let lb = self.loadbalancer(id)?;
        if lb.ip_target_enable && patch.ip_target_enable == Some(false) {
            return Err(Refusal::invalid("ip_target_enable", "it cannot be switched off"));
        }
        for network in patch.elb_virsubnet_ids.iter().flatten() {
            self.check_network(network)?;
        }
        if let Some(wished) = patch.vip_address.filter(|wished| lb.vip_address != Some(*wished)) {
            let subnet = lb.vip_subnet_cidr_id.clone().ok_or(Refusal::Missing("vip_subnet_cidr_id"))?;
            self.choose_vip(&subnet, Some(wished))?;
        }
        let changed = self.loadbalancers.update(id, now, |lb| {
            set(&mut lb.name, patch.name);
            set(&mut lb.description, patch.description);
            set(&mut lb.vip_address, patch.vip_address.map(Some));
            set(&mut lb.elb_virsubnet_ids, patch.elb_virsubnet_ids);
            set(&mut lb.l4_flavor_id, patch.l4_flavor_id.map(Some));
            set(&mut lb.l7_flavor_id, patch.l7_flavor_id.map(Some));
            set(&mut lb.ip_target_enable, patch.ip_target_enable);
            set(&mut lb.deletion_protection_enable, patch.deletion_protection_enable);
        });
        self.touch_if(changed);
        Ok(())
    }

    /// Adds availability zones or takes them away; one must remain.
    pub fn change_zones(&mut self, now: Timestamp, id: &str, zones: &[String], add: bool) -> Result<(), Refusal> {
        let mut all = self.loadbalancer(id)?.availability_zone_list.clone();
        if let Some(zone) = zones.iter().find(|zone| !self.setup.zones.contains(*zone) || all.contains(*zone) == add) {
            let reason = if add { "is unknown or there already" } else { "is none of its zones" };
            return Err(Refusal::invalid("availability_zone_list", format!("{zone} {reason}")));
        }
        all.retain(|zone| !zones.contains(zone));
        all.extend(zones.iter().filter(|_| add).cloned());
        if all.is_empty() {
            return Err(Refusal::invalid("availability_zone_list", "a load balancer needs a zone"));
        }
        let changed = self.loadbalancers.update(id, now, |lb| lb.availability_zone_list = all);
        self.touch_if(changed);
        Ok(())
    }

    /// Refuses while it is being made: nothing can be hung below it.
    pub(super) fn active_loadbalancer(&self, now: Timestamp, id: &str) -> Result<&LoadBalancer, Refusal> {
        match self.loadbalancer(id)? {
            lb if lb.status(now) == "ACTIVE" => Ok(lb),
            lb => Err(Refusal::Conflict(format!("{KIND} {id} is {}", lb.status(now)))),
        }
    }

    /// Deletes an empty load balancer; its EIPs stay, unbound.
    pub fn delete_loadbalancer(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        self.check_unprotected(id)?;
        if let Some(listener) = self.listeners_of(id).first() {
            return Err(Refusal::Conflict(format!("{KIND} {id} is in use by listener {listener}")));
        }
        if let Some(pool) = self.pools_of(id).first() {
            return Err(Refusal::Conflict(format!("{KIND} {id} is in use by pool {pool}")));
        }
        self.drop_loadbalancer(now, id, Cascade::KeepEips);
        Ok(())
    }

    /// Deletes a load balancer and everything below it.
    pub fn cascade_loadbalancer(&mut self, now: Timestamp, id: &str, cascade: Cascade) -> Result<(), Refusal> {
        self.check_unprotected(id)?;
        let pools = self.pools_of(id);
        if let Some(pool) =
            pools.iter().find(|pool| self.pools.get(pool).is_some_and(|p| p.member_deletion_protection_enable))
        {
            return Err(Refusal::Conflict(format!("pool {pool} protects its members from deletion")));
        }
        for listener in self.listeners_of(id) {
            self.delete_listener(now, &listener, true)?;
        }
        for pool in pools {
            self.drop_pool(now, &pool);
        }
        self.drop_loadbalancer(now, id, cascade);
        Ok(())
    }

    pub fn loadbalancer(&self, id: &str) -> Result<&LoadBalancer, Refusal> {
        self.loadbalancers.get(id).ok_or_else(|| Refusal::not_found(KIND, id))
    }

    pub fn listeners_of(&self, loadbalancer: &str) -> Vec<String> {
        self.listeners.iter().filter(|(_, l)| l.loadbalancer_id == loadbalancer).map(|(id, _)| id.clone()).collect()
    }

    pub fn pools_of(&self, loadbalancer: &str) -> Vec<String> {
        self.pools
            .iter()
            .filter(|(_, p)| p.loadbalancer_id.as_deref() == Some(loadbalancer))
            .map(|(id, _)| id.clone())
            .collect()
    }

    fn drop_loadbalancer(&mut self, now: Timestamp, id: &str, cascade: Cascade) {
        let eips: Vec<String> = self.eips_of(id).map(|eip| eip.id.clone()).collect();
        for eip in eips {
            match cascade {
                Cascade::KeepEips => _ = self.eips.update(&eip, now, |eip| eip.bound = None),
                Cascade::ReleaseEips => _ = self.eips.remove(&eip, now),
            }
        }
        self.loadbalancers.remove(id, now);
        self.touch();
    }

    fn check_unprotected(&self, id: &str) -> Result<(), Refusal> {
        if self.loadbalancer(id)?.deletion_protection_enable {
            return Err(Refusal::Conflict(format!("{KIND} {id} has deletion protection enabled")));
        }
        Ok(())
    }

    fn check_network(&self, network: &str) -> Result<(), Refusal> {
        if self.setup.subnets.iter().any(|subnet| subnet.id == network) {
            return Ok(());
        }
        Err(Refusal::Mismatch(format!("Network {network} could not be found.")))
    }

    /// The wished address, or the lowest free one. The first host belongs to the gateway.
    fn choose_vip(&self, neutron_subnet_id: &str, wished: Option<IpAddr>) -> Result<IpAddr, Refusal> {
        let subnet = self.subnet_by_neutron_id(neutron_subnet_id)?;
        let used: BTreeSet<IpAddr> =
            self.loadbalancers.iter().filter_map(|(_, lb)| lb.vip_address).chain(subnet.gateway()).collect();
        match wished {
            Some(address) if !subnet.cidr.contains(&address) => {
                Err(Refusal::invalid("vip_address", format!("{address} is not in subnet {}", subnet.cidr)))
            }
            Some(address) if used.contains(&address) => Err(Refusal::AddressTaken(address)),
            Some(address) => Ok(address),
            None => subnet
                .cidr
                .hosts()
                .find(|address| !used.contains(address))
                .ok_or_else(|| Refusal::SubnetFull(neutron_subnet_id.to_owned())),
        }
    }
}

/// Overwrites a field if there is something to overwrite it with.
pub(super) fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}
