//! Elastic IP addresses and what they are bound to.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Cloud, Refusal, Tag, quota};

pub const KIND: &str = "Public IP";

/// An elastic IP address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eip {
    pub id: String,
    pub address: IpAddr,
    pub kind: String,
    pub alias: String,
    pub description: String,
    pub bandwidth: Bandwidth,
    pub enterprise_project_id: String,
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Until then it is PENDING_CREATE.
    pub ready: Timestamp,
    pub bound: Option<Bound>,
}

/// The bandwidth an EIP is born with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bandwidth {
    pub id: String,
    pub name: String,
    pub size: i64,
    pub charge_mode: String,
    pub share_type: String,
}

/// What an EIP serves, and how it was bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// A dedicated load balancer. API v1 neither shows nor undoes this.
    Elb(String),
    /// The VIP port of a shared load balancer.
    Port(String),
    /// A NAT gateway, by the rules there that use it.
    Nat(String),
}

impl Bound {
    /// Id of the load balancer or gateway.
    pub fn instance(&self) -> &str {
        match self {
            Self::Elb(id) | Self::Port(id) | Self::Nat(id) => id,
        }
    }
}

/// An EIP as wished; the bandwidth's id is filled in if it is empty.
#[derive(Debug, Clone)]
pub struct NewEip {
    pub address: Option<IpAddr>,
    pub kind: String,
    pub alias: String,
    pub description: String,
    pub bandwidth: Bandwidth,
    pub enterprise_project_id: String,
}

/// Changes; `None` leaves a field alone.
#[derive(Debug, Clone, Default)]
pub struct EipPatch {
    pub alias: Option<String>,
    pub description: Option<String>,
}

impl Eip {
    /// ELB for a dedicated load balancer, ACTIVE for a port or a gateway.
    pub fn status(&self, now: Timestamp) -> &'static str {
        match &self.bound {
            Some(Bound::Elb(_)) => "ELB",
            Some(Bound::Port(_) | Bound::Nat(_)) => "ACTIVE",
            None if now < self.ready => "PENDING_CREATE",
            None => "DOWN",
        }
    }
}

impl Cloud {
    pub fn create_eip(&mut self, now: Timestamp, new: NewEip) -> Result<String, Refusal> {
        let delay = self.setup.eip_create_delay;
        let id = self.create_eip_at_once(now, new)?;
        self.eips.update(&id, now, |eip| eip.ready = now + delay);
        Ok(id)
    }

    pub(super) fn create_eip_at_once(&mut self, now: Timestamp, new: NewEip) -> Result<String, Refusal> {
        quota::check("publicip", self.quotas.publicip, self.eips.len(), 1)?;
        let used: BTreeSet<IpAddr> = self.eips.iter().map(|(_, eip)| eip.address).collect();
        let range = self.setup.eip_range;
        let address = match new.address {
            Some(address) if !range.contains(&address) => {
                return Err(Refusal::invalid("ip_address", format!("{address} is not in the pool")));
            }
            Some(address) if used.contains(&address) => return Err(Refusal::EipAddressTaken(address)),
            Some(address) => address,
            None => range.hosts().find(|address| !used.contains(address)).ok_or(Refusal::NoEipLeft)?,
        };
        let bandwidth = self.resolve_bandwidth(new.bandwidth)?;
        let id = self.new_id();
        let eip = Eip {
            id: id.clone(),
            address,
            kind: new.kind,
            alias: new.alias,
            description: new.description,
            bandwidth,
            enterprise_project_id: new.enterprise_project_id,
            tags: Vec::new(),
            ready: now,
            bound: None,
        };
        self.eips.insert(id.clone(), now, eip);
        self.touch();
        Ok(id)
    }

    pub fn update_eip(&mut self, now: Timestamp, id: &str, patch: EipPatch) -> Result<(), Refusal> {
        self.eip(id)?;
        let changed = self.eips.update(id, now, |eip| {
            super::loadbalancer::set(&mut eip.alias, patch.alias);
            super::loadbalancer::set(&mut eip.description, patch.description);
        });
        self.touch_if(changed);
        Ok(())
    }

    pub fn delete_eip(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        if self.eip(id)?.bound.is_some() {
            return Err(Refusal::EipInUse(id.to_owned()));
        }
        self.eips.remove(id, now);
        self.touch();
        Ok(())
    }

    /// Binds to a load balancer by its own id.
    pub fn bind_eip_to_loadbalancer(&mut self, now: Timestamp, id: &str, loadbalancer: &str) -> Result<(), Refusal> {
        self.eip(id)?;
        let guaranteed = self.loadbalancer(loadbalancer)?.guaranteed;
        let bound = if guaranteed { Bound::Elb(loadbalancer.to_owned()) } else { Bound::Port(loadbalancer.to_owned()) };
        self.bind_eip(now, id, bound)
    }

    /// Binds to the VIP port of a load balancer. On a dedicated one the binding is the load balancer's all the same.
    pub fn bind_eip_to_port(&mut self, now: Timestamp, id: &str, port: &str) -> Result<(), Refusal> {
        self.eip(id)?;
        let owner = self.loadbalancers.iter().find(|(_, lb)| lb.vip_port_id.as_deref() == Some(port));
        let loadbalancer = owner
            .map(|(id, _)| id.clone())
            .ok_or_else(|| Refusal::invalid("port_id", format!("port {port} could not be found")))?;
        self.bind_eip_to_loadbalancer(now, id, &loadbalancer)
    }

    fn bind_eip(&mut self, now: Timestamp, id: &str, bound: Bound) -> Result<(), Refusal> {
        self.free_eip(now, id)?;
        let version = |eip: &Eip| eip.address.is_ipv4();
        let mine = version(self.eip(id)?);
        if self.eips_of(bound.instance()).any(|other| version(other) == mine) {
            return Err(Refusal::InstanceHasEip(bound.instance().to_owned()));
        }
        self.eips.update(id, now, |eip| eip.bound = Some(bound));
        self.touch();
        Ok(())
    }

    /// API v3: unbinds from whatever it is bound to, but for a gateway, which holds it as long as a rule uses it.
    pub fn unbind_eip(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        match self.eip(id)?.bound {
            None => return Err(Refusal::EipFree(id.to_owned())),
            Some(Bound::Nat(_)) => return Err(Refusal::EipInUse(id.to_owned())),
            Some(Bound::Elb(_) | Bound::Port(_)) => {}
        }
        self.eips.update(id, now, |eip| eip.bound = None);
        self.touch();
        Ok(())
    }

    /// API v1: unbinds from a port. Does nothing to an EIP of a dedicated load balancer, nor to a free one.
    pub fn unbind_eip_from_port(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        if matches!(self.eip(id)?.bound, Some(Bound::Port(_))) {
            self.unbind_eip(now, id)?;
        }
        Ok(())
    }

    /// The id again, if that EIP exists, is ready and not bound.
    pub(super) fn free_eip(&self, now: Timestamp, id: &str) -> Result<String, Refusal> {
        let eip = self.eip(id)?;
        if eip.bound.is_some() {
            return Err(Refusal::EipBound(id.to_owned()));
        }
        if now < eip.ready {
            return Err(Refusal::EipBusy(id.to_owned()));
        }
        Ok(id.to_owned())
    }

    pub fn eip(&self, id: &str) -> Result<&Eip, Refusal> {
        self.eips.get(id).ok_or_else(|| Refusal::not_found(KIND, id))
    }

    pub fn eips_of(&self, loadbalancer: &str) -> impl Iterator<Item = &Eip> {
        self.eips
            .iter()
            .map(|(_, eip)| eip)
            .filter(move |eip| eip.bound.as_ref().is_some_and(|bound| bound.instance() == loadbalancer))
    }
}
